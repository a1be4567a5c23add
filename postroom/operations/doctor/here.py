"""The installation as Django's settings have it."""

from __future__ import annotations

from django.conf import settings

from postroom.operations.decoder.letter import App
from postroom.operations.doctor.findings import Installation
from postroom.providers.registry import connector


def installation() -> Installation:
    """For the page and the watch; the command makes its own from the environment."""
    return Installation(
        home=settings.POSTROOM_HOME,
        public_url=settings.POSTROOM_PUBLIC_URL,
        client_id=settings.MICROSOFT_CLIENT_ID,
        has_secret=bool(settings.MICROSOFT_CLIENT_SECRET),
        secret_ends=settings.MICROSOFT_CLIENT_SECRET_EXPIRES,
        tenant=settings.MICROSOFT_TENANT,
        login_url=settings.MICROSOFT_LOGIN_URL,
        graph_url=settings.MICROSOFT_GRAPH_URL,
        keys=tuple(settings.POSTROOM_ENCRYPTION_KEYS),
    )


def app_of(here: Installation) -> App:
    """What a letter to IT tells of the registration."""
    scopes = dict.fromkeys(scope for feature in connector("microsoft").features for scope in feature.scopes)
    return App(here.client_id, here.tenant, here.redirect_uri, tuple(scopes))
