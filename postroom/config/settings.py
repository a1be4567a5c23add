"""Django's settings, made from the environment (names and meanings: docs/self-hosting.md).

Raises SettingsError, which the `postroom` command turns into one line and exit code 2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from postroom.config import logs
from postroom.config.env import SettingsError, load
from postroom.lib.crypto import BadKey, Keyring
from postroom.lib.postgres import DATABASE, ROLE, PostgresServer

_env = load()

# -- what the operator decides ---------------------------------------------------------------------------------------
POSTROOM_HOME = Path(_env.text("POSTROOM_HOME"))
POSTROOM_DEMO = _env.flag("POSTROOM_DEMO")  # one-click sign-in; set by `postroom demo` for its own children only
POSTROOM_PUBLIC_URL = _env.url("POSTROOM_PUBLIC_URL", "")  # empty: nobody outside can reach us, so no push (SY11)
POSTROOM_BASE_URL = POSTROOM_PUBLIC_URL or "http://127.0.0.1:8000"

MICROSOFT_CLIENT_ID = _env.text("MICROSOFT_CLIENT_ID")
MICROSOFT_CLIENT_SECRET = _env.text("MICROSOFT_CLIENT_SECRET")
MICROSOFT_TENANT = _env.text("MICROSOFT_TENANT", "common")
MICROSOFT_LOGIN_URL = _env.url("MICROSOFT_LOGIN_URL", "https://login.microsoftonline.com")
MICROSOFT_GRAPH_URL = _env.url("MICROSOFT_GRAPH_URL", "https://graph.microsoft.com")
MICROSOFT_CLIENT_SECRET_EXPIRES = _env.day("MICROSOFT_CLIENT_SECRET_EXPIRES")  # Entra does not tell us (AD1)
_env.export("MICROSOFT_")

POSTROOM_OPERATORS = [word.lower() for word in _env.words("POSTROOM_OPERATORS")]  # who sees /operations/ (AD9)
POSTROOM_METRICS_TOKEN = _env.text("POSTROOM_METRICS_TOKEN")  # empty: /metrics answers this machine only
POSTROOM_ALERT_HOSTS = [word.lower() for word in _env.words("POSTROOM_ALERT_HOSTS")]  # private hosts alerts may go to
POSTROOM_MAIL_HOSTS = [word.lower() for word in _env.words("POSTROOM_MAIL_HOSTS")]  # private mail servers (SE8)
# The drop box (SE12): the domain of its addresses (empty: there is none), the largest mail, and the name under which
# our own mail server writes Authentication-Results (empty: Postroom asks the DNS itself).
POSTROOM_DROPBOX_DOMAIN = _env.text("POSTROOM_DROPBOX_DOMAIN").lower().lstrip("@").rstrip(".")
POSTROOM_DROPBOX_SIZE = _env.number("POSTROOM_DROPBOX_SIZE", 35_000_000, least=100_000, most=200_000_000)
POSTROOM_DROPBOX_AUTHSERV = _env.text("POSTROOM_DROPBOX_AUTHSERV")
POSTROOM_DROPBOX_CERTIFICATE = _env.text("POSTROOM_DROPBOX_CERTIFICATE")  # files; the plain SMTP listener's STARTTLS
POSTROOM_DROPBOX_KEY = _env.text("POSTROOM_DROPBOX_KEY")
_env.together("POSTROOM_DROPBOX_CERTIFICATE", "POSTROOM_DROPBOX_KEY")
SMTP_URL = _env.mail_server("SMTP_URL")  # empty: neither alerts nor daily mails are sent
SMTP_FROM = _env.text("SMTP_FROM")

_HINT = "generate one with `postroom doctor --generate-keys` and put it into the environment or .env"
SECRET_KEY = _env.required("POSTROOM_SECRET_KEY", _HINT)
if len(SECRET_KEY) < 32:
    raise SettingsError("POSTROOM_SECRET_KEY must have at least 32 characters")
_env.required("POSTROOM_ENCRYPTION_KEYS", _HINT)
POSTROOM_ENCRYPTION_KEYS = _env.words("POSTROOM_ENCRYPTION_KEYS")  # newest first
try:
    Keyring(POSTROOM_ENCRYPTION_KEYS)
except BadKey as _problem:
    raise SettingsError(f"POSTROOM_ENCRYPTION_KEYS: {_problem}") from None

# -- where we are reachable ------------------------------------------------------------------------------------------
DEBUG = _env.flag("POSTROOM_DEBUG")
_public = urlsplit(POSTROOM_BASE_URL)
HTTPS = _public.scheme == "https"
_extra_hosts = _env.words("POSTROOM_HOSTS")
ALLOWED_HOSTS = [_public.hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]", *_extra_hosts]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
USE_X_FORWARDED_HOST = False
# The server believes X-Forwarded-Proto and -For of these only; redirecting to https is the proxy's work, HSTS is ours.
TRUSTED_PROXIES = _env.words("POSTROOM_TRUSTED_PROXIES") or ["127.0.0.1", "::1"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # Strict would lose the session on the way back from Microsoft
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-postroom" if HTTPS else "postroom"
CSRF_COOKIE_NAME = "__Host-postroom-csrf" if HTTPS else "postroom-csrf"
SESSION_COOKIE_AGE = 14 * 24 * 3600

# -- what it is made of ----------------------------------------------------------------------------------------------
_OURS = [
    "postroom.ui",
    "postroom.accounts",
    "postroom.workspaces",
    "postroom.audit",
    "postroom.mailboxes",
    "postroom.records",
    "postroom.sync",
    "postroom.files",
    "postroom.mail",
    "postroom.timeline",
    "postroom.search",
    "postroom.inbox",
    "postroom.operations",
    "postroom.dropbox",
    "postroom.home",
]


INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "django_htmx",
    *_OURS,
]
MIDDLEWARE = [
    "postroom.config.compression.Compression",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "postroom.config.middleware.request_id",
    "postroom.operations.counters.count_requests",
    "postroom.config.middleware.security_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "postroom.accounts.middleware.SignInRequired",
    "postroom.accounts.middleware.activity",
    "postroom.accounts.middleware.local_time",
    "django.contrib.messages.middleware.MessageMiddleware",
    "postroom.workspaces.middleware.current_workspace",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "postroom.config.urls"
APPEND_SLASH = True
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "postroom.workspaces.context.current",
                "postroom.ui.context.shell",
            ],
            "builtins": ["postroom.ui.templatetags.paths"],
        },
    },
]
POSTROOM_SHELL = "postroom.config.shell.build"

# -- storage ---------------------------------------------------------------------------------------------------------
_server = _env.database()
POSTROOM_EMBEDDED = _server is None
if _server is None:
    _server = {"host": str(PostgresServer(POSTROOM_HOME).socket_dir), "user": ROLE, "dbname": DATABASE, "port": "5432"}
_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **{_NAMES[key]: value for key, value in _server.items() if key in _NAMES},
        "OPTIONS": {key: value for key, value in _server.items() if key not in _NAMES},
        "CONN_MAX_AGE": 600,  # one connection per thread; see docs/decisions on serving
        "CONN_HEALTH_CHECKS": True,  # a restarted database costs a reconnect, not an error page
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["postroom.workspaces.backend.MemberBackend"]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
SIGN_IN_LIMIT = 10  # failed attempts per address and per network address in SIGN_IN_WINDOW_SECONDS
SIGN_IN_WINDOW_SECONDS = 900
SIGN_IN_POLICY = "postroom.workspaces.sign_in"  # who may come in by Microsoft, and who needs a second factor
# django-allauth keeps and checks second factors; its pages, its sign-up and its mails are not used.
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "postroom.accounts.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # clocks may differ by 30 seconds
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # http://localhost

# -- requests --------------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000  # forms without their files
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # larger files go to disk while they arrive
POSTROOM_BODY_LIMIT = 160_000_000  # SE5: attachments to 150 MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a message to 10,000 recipients
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = False

# -- files of our own ------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # no build step: files are served from where they lie
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "postroom.config.static.VersionedStorage"},
}
MEDIA_ROOT = POSTROOM_HOME / "files"

# -- work ------------------------------------------------------------------------------------------------------------
# Readable lists instead of registration: what is synced, and who wants to know.
SYNCED_RESOURCES = ["postroom.mail.sync:resource", "postroom.sync.push:resource"]
SYNC_HOOKS = [
    "postroom.mail.outbound.coming_back:on_stored",
    "postroom.timeline.matching:on_stored",
    "postroom.timeline.making:on_stored",
    "postroom.timeline.tickets:on_stored",
    "postroom.timeline.team.snoozes:on_stored",
    "postroom.timeline.sharing.only_records:on_stored",  # the last: what the others made of a mail counts
]
MAILBOX_HOOKS = [
    "postroom.sync.mailbox_hooks",
    "postroom.mail.mailbox_hooks",
    "postroom.records.mailbox_hooks",
    "postroom.timeline.mailbox_hooks",
    "postroom.operations.mailbox_hooks",
]
SEALED = [  # what rotate-keys rotates
    "postroom.mailboxes.grants.reseal",
    "postroom.accounts.second_factor.reseal",
    "postroom.mail.outbound.servers.reseal",
    "postroom.dropbox.addresses.reseal",
    "postroom.timeline.sharing.digests.reseal",
]
ACCESS_LOG_MAILBOXES = "postroom.mailboxes.access.logged_mailboxes"
DROP_BOXES_OPEN_SINCE = "postroom.dropbox.addresses.open_since"  # whether a `postroom dropbox` is missed
ACCESS_LOG_DAYS = _env.number("POSTROOM_ACCESS_LOG_DAYS", 400, least=1, most=36_500)
WORKSPACE_HOOKS = [
    "postroom.mailboxes.workspace_hooks",
    "postroom.files.workspace_hooks",
    "postroom.audit.workspace_hooks",
]
POSTROOM_PURGE_DAYS = _env.number("POSTROOM_PURGE_DAYS", 30, least=0, most=30)  # product.md MA4
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_IMPORT_PATHS = ["postroom.config.jobs"]
WORKER_THREADS = _env.number("POSTROOM_WORKER_THREADS", 8, least=1, most=64)
WEB_THREADS = _env.number("POSTROOM_WEB_THREADS", 8, least=1, most=64)

_level = _env.text("POSTROOM_LOG_LEVEL", "INFO").upper()
if _level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise SettingsError("POSTROOM_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
_format = _env.text("POSTROOM_LOG_FORMAT", "text").lower()
if _format not in logs.FORMATTERS:
    raise SettingsError("POSTROOM_LOG_FORMAT must be text or json")
LOGGING: dict[str, Any] = logs.configuration(_level, _format)
