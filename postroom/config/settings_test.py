"""Settings of the test suite: fixed secrets, an embedded database without durability, fast password hashes.

`POSTROOM_TEST_DATABASE_URL` names another server (a role that may create databases); else one runs in `var/test`.
"""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# Nothing of the developer's own environment may reach a test.
for _name in [name for name in os.environ if name.startswith(("POSTROOM_", "MICROSOFT_", "DATABASE_URL"))]:
    if not _name.startswith("POSTROOM_TEST_"):
        del os.environ[_name]
os.environ |= {
    "POSTROOM_HOME": os.environ.get("POSTROOM_TEST_HOME", str(_ROOT / "var" / "test")),
    "POSTROOM_SECRET_KEY": "only-for-tests-" + "x" * 40,
    "POSTROOM_ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "DATABASE_URL": os.environ.get("POSTROOM_TEST_DATABASE_URL", ""),
    "MICROSOFT_LOGIN_URL": "http://127.0.0.1:8365",
    "MICROSOFT_GRAPH_URL": "http://127.0.0.1:8365",
}

from postroom.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
POSTROOM_PUBLIC_URL = "http://testserver"
POSTROOM_DROPBOX_DOMAIN = "in.postroom.example"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
