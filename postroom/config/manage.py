"""`python -m postroom.config.manage makemigrations mail`: Django's own commands, for developers.

Uses the test settings unless DJANGO_SETTINGS_MODULE says otherwise, and starts the embedded database they name.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.config.settings_test")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from postroom.lib.postgres import PostgresServer

    server = PostgresServer(settings.POSTROOM_HOME, durable="test" not in os.environ["DJANGO_SETTINGS_MODULE"])
    if settings.POSTROOM_EMBEDDED:
        server.start()
    try:
        execute_from_command_line([sys.argv[0], *sys.argv[1:]])
    finally:
        server.stop()


if __name__ == "__main__":
    main()
