"""Addresses of `accounts`."""

from django.urls import path

from postroom.accounts import factor_views, microsoft_views, security_views, views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/second-factor/", factor_views.second, name="second-factor"),
    path("sign-in/second-factor/options", factor_views.second_options, name="second-factor-options"),
    path("sign-in/passkey/", factor_views.passkey, name="passkey-sign-in"),
    path("sign-in/passkey/options", factor_views.passkey_options, name="passkey-options"),
    path("sign-in/microsoft/", microsoft_views.start, name="microsoft"),
    path("sign-in/microsoft/callback", microsoft_views.callback, name="microsoft-callback"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("demo/sign-in", views.demo_sign_in, name="demo-sign-in"),
    path("settings/profile/", views.profile, name="profile"),
    path("settings/security/", security_views.overview, name="security"),
    path("settings/security/confirm/", security_views.confirm, name="confirm"),
    path("settings/security/password/", security_views.password, name="password"),
    path("settings/security/authenticator/", security_views.authenticator, name="authenticator"),
    path("settings/security/authenticator/remove/", security_views.remove_authenticator, name="authenticator-remove"),
    path("settings/security/recovery-codes/", security_views.recovery_codes, name="recovery-codes"),
    path("settings/security/passkeys/add/", security_views.add_passkey, name="passkey-add"),
    path("settings/security/passkeys/options", security_views.passkey_creation_options, name="passkey-add-options"),
    path("settings/security/passkeys/<int:pk>/rename/", security_views.rename_passkey, name="passkey-rename"),
    path("settings/security/passkeys/<int:pk>/remove/", security_views.remove_passkey, name="passkey-remove"),
    path("settings/security/microsoft/", microsoft_views.start_linking, name="microsoft-link"),
    path("settings/security/microsoft/<int:pk>/remove/", microsoft_views.unlink, name="microsoft-unlink"),
    path("settings/security/sessions/<int:pk>/end/", security_views.end_session, name="session-end"),
    path("settings/security/sessions/end-others/", security_views.end_other_sessions, name="sessions-end"),
]
