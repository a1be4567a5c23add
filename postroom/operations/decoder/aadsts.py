"""Entra's numbers: title, meaning, and the remedy's name. Source: graph.md 1.5, 1.8 and 1.12 (Microsoft's
"Microsoft Entra authentication and authorization error codes").
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One code."""

    title: str
    meaning: str
    remedy: str


AADSTS: dict[int, Row] = {
    # -- consent and approval
    65001: Row("No consent", "The person or the organisation has not allowed this app these permissions.", "consent"),
    65004: Row("Consent declined", "The person pressed Cancel on the page that asks for permissions.", "consent"),
    65005: Row(
        "Permission not registered", "The app asks for access that its registration does not list.", "permissions"
    ),
    650052: Row("Service not subscribed", "The organisation has no subscription for the service asked for.", "service"),
    650054: Row("Resource missing", "The app asks for a resource that is not there any more.", "permissions"),
    650056: Row(
        "App misconfigured", "The registration lacks a permission or the consent that belongs to it.", "permissions"
    ),
    650057: Row(
        "Resource not listed", "The resource asked for is not in the registration's API permissions.", "permissions"
    ),
    90008: Row(
        "App not usable here", "Nobody in this organisation has consented, or the app lacks Graph.", "admin_consent"
    ),
    90093: Row("Member may not consent", "These permissions can only be allowed by an administrator.", "admin_consent"),
    90094: Row("Approval needed", "An administrator must approve the app for this organisation.", "admin_consent"),
    90095: Row("Approval can be requested", "The person may send a request to their administrator.", "admin_consent"),
    90099: Row("App not authorised here", "The app has not been authorised in this organisation.", "admin_consent"),
    50105: Row("Not assigned", "The app is for named people only, and this person is not on the list.", "assign"),
    # -- another check is asked for
    50058: Row("No session", "A sign-in without any question was tried, and nobody was signed in.", "reconnect"),
    16003: Row("No account in the session", "The account chosen is not part of the browser's session.", "reconnect"),
    50072: Row("Second factor not set up", "The person must register for multi-factor sign-in first.", "mfa"),
    50074: Row("Second factor not passed", "Strong authentication was asked for and not completed.", "mfa"),
    50076: Row("Second factor needed", "A policy, a setting or a new place asks for multi-factor sign-in.", "mfa"),
    50078: Row("Second factor ran out", "The last multi-factor sign-in is too old for the policy.", "mfa"),
    50079: Row("Second factor to be set up", "A policy asks the person to register for multi-factor sign-in.", "mfa"),
    50158: Row("Outside challenge not met", "A further check by another product was not passed.", "mfa"),
    # -- policies
    53000: Row("Device not compliant", "A policy wants a compliant device; this one is not.", "device"),
    53001: Row("Device not joined", "A policy wants a device joined to the organisation.", "device"),
    53002: Row("App not approved", "A policy allows approved client apps only.", "policy"),
    53003: Row("Blocked by policy", "A Conditional Access policy forbids this sign-in.", "policy"),
    530032: Row("Blocked by tenant policy", "A security policy of the organisation forbids this sign-in.", "policy"),
    530035: Row("Blocked by security defaults", "Security defaults forbid this sign-in.", "defaults"),
    530036: Row("Device code blocked", "A policy forbids signing in by a code from another device.", "policy"),
    50097: Row("Device must prove itself", "A policy asks the device to authenticate.", "device"),
    50129: Row("Device not registered", "A policy wants a device registered in the workplace.", "device"),
    50131: Row("Access conditions not met", "Device, place or request do not meet a policy.", "policy"),
    53011: Row("Blocked: risk at home", "The person's home organisation blocks them for risk.", "risk"),
    530034: Row(
        "Blocked: delegated administrator risk", "The account is blocked for risk by its organisation.", "risk"
    ),
    # -- the grant ended
    70000: Row("Grant invalid", "The code or refresh token is not valid.", "reconnect"),
    70008: Row("Grant expired", "The code or refresh token expired, mostly by not being used.", "reconnect"),
    70043: Row("Sign-in frequency", "A policy ends sign-ins after a set time; this one's time is over.", "reconnect"),
    700082: Row("Refresh token too old", "The refresh token was not used for too long (90 days).", "reconnect"),
    700084: Row("Browser app token ended", "A refresh token of a single-page app lives 24 hours.", "platform"),
    50085: Row("Social sign-in needed", "The outside identity provider asks for a new sign-in.", "reconnect"),
    50089: Row("Sign-in took too long", "The page was open too long; its ticket ended.", "start_over"),
    50132: Row(
        "Session ended", "The session is not valid after a password change or by an administrator.", "reconnect"
    ),
    50133: Row(
        "Session ended by password", "The password was changed or expired; sessions ended with it.", "reconnect"
    ),
    50173: Row("Grant revoked", "The password was changed or an administrator ended all sessions.", "revoked"),
    # -- the account
    50034: Row("Account unknown here", "There is no such account in this organisation.", "account"),
    50020: Row(
        "Account of another organisation", "The account is not in this organisation, nor a guest of it.", "account"
    ),
    51004: Row("Account not in the directory", "The account is not in the organisation's directory.", "account"),
    16000: Row("Which account?", "Several accounts are signed in, or the one used does not fit.", "account"),
    500208: Row(
        "Account type not allowed", "A personal account where only work accounts may sign in.", "account_types"
    ),
    50053: Row("Account locked", "Too many wrong attempts, or the address they come from looks bad.", "locked"),
    50055: Row("Password expired", "The password has to be changed before the person can sign in.", "password"),
    50056: Row("Password missing", "The password in the directory is missing or not valid.", "password"),
    50057: Row("Account disabled", "An administrator has switched the account off.", "enable_user"),
    50126: Row("Wrong name or password", "The name or the password was typed wrong.", "reconnect"),
    50140: Row("Stay signed in?", "The sign-in stopped at the question whether to stay signed in.", "start_over"),
    # -- the registration
    50011: Row("Redirect URI unknown", "The address to return to is not one of those registered.", "redirect"),
    900971: Row("No redirect URI", "The registration has no address to return to.", "redirect"),
    500113: Row("No redirect URI registered", "The registration has no address to return to.", "redirect"),
    50194: Row(
        "Single-tenant app", "The app is for one organisation, but the common address is used.", "account_types"
    ),
    9002332: Row(
        "Work accounts only", "The app is for work accounts, but personal ones are asked for.", "account_types"
    ),
    9002326: Row("Wrong platform", "The code may only be redeemed by a browser app: wrong platform.", "platform"),
    700011: Row("App not installed", "The app is not there in this organisation.", "app_id"),
    700016: Row("App not found", "There is no app with this id in this organisation.", "app_id"),
    70001: Row("App disabled or unknown", "The app is switched off or not installed in this organisation.", "app_id"),
    7000112: Row("App disabled", "The app is switched off in this organisation.", "enable_app"),
    90002: Row("Organisation not found", "There is no tenant with this id or name.", "app_id"),
    900023: Row("Tenant id malformed", "What stands in MICROSOFT_TENANT is neither an id nor a domain.", "app_id"),
    70002: Row("Credentials refused", "The app's own credentials were refused.", "secret"),
    7000215: Row(
        "Secret wrong", "The client secret is not right: often its ID was copied instead of its Value.", "secret"
    ),
    7000218: Row("Secret missing", "The request carried no client secret.", "secret"),
    7000222: Row("Secret expired", "The client secret has ended.", "secret"),
    700025: Row("Secret where none belongs", "The app is registered as public and must not send a secret.", "platform"),
    500011: Row("Resource missing here", "The organisation has no Microsoft Graph under this name.", "service"),
    50001: Row("Resource disabled", "The resource is switched off or not there in this organisation.", "service"),
    # -- our own requests
    28002: Row("Scope empty", "A scope in the request is not valid.", "bug"),
    28003: Row("Scope missing", "The request has no scope.", "bug"),
    70011: Row("Scope not valid", "A scope in the request does not exist or mixes two resources.", "bug"),
    700022: Row("Several resources", "The scopes are of more than one resource.", "bug"),
    700023: Row("Scopes do not fit", "Scopes of two kinds were asked for together.", "bug"),
    700005: Row("Code of another tenant", "The code was made for another organisation's address.", "bug"),
    90014: Row("Field missing", "A field that the request needs is not there.", "bug"),
    9002313: Row("Request malformed", "The request is not well formed.", "bug"),
    54005: Row("Code used twice", "The code was redeemed already, for instance by a page sent twice.", "start_over"),
    50147: Row("Code challenge malformed", "The proof for the code has a wrong size.", "start_over"),
    501481: Row(
        "Code verifier does not match", "The sign-in was finished in another browser or session.", "start_over"
    ),
    501491: Row("Code challenge size", "The proof for the code has a wrong size.", "start_over"),
    # -- busy
    50033: Row("Passing fault", "A retryable error at Entra.", "wait"),
    50196: Row("Loop detected", "The same request came too often in a short time.", "loop"),
    70012: Row("Fault while signing in", "Microsoft's service for personal accounts had an error.", "wait"),
    90006: Row("Service busy", "Entra could not be reached inside Microsoft.", "wait"),
    90012: Row("Request timed out", "The request took too long at Entra.", "wait"),
    90024: Row("Directory busy", "A passing error of the directory.", "wait"),
    90033: Row("Service unavailable", "A part of Entra is not available for the moment.", "wait"),
    90055: Row("Organisation throttled", "The organisation sends too many requests at the moment.", "wait"),
    90090: Row("Service unavailable", "A part of Entra is not available for the moment.", "wait"),
}
