"""Who mends what, and where to click. Codes point here, so that one path is written once.

Menu names are those of the Entra, Exchange and Microsoft 365 admin centres in English. "Postroom" in a path is the name
the app was registered under.
"""

# ruff: noqa: E501 -- sentences and click paths read better unbroken

from enum import StrEnum
from typing import NamedTuple


class Who(StrEnum):
    """Who has to act."""

    MEMBER = "the person whose mailbox it is"
    ADMIN = "an administrator of the organisation in Entra"
    EXCHANGE = "an Exchange administrator of the organisation"
    OPERATOR = "whoever runs Postroom"
    NOBODY = "nobody: it passes by itself"
    AUTHORS = "the authors of Postroom"


class Retry(StrEnum):
    """Whether the same request may work later without anybody acting."""

    NO = "No. The same attempt fails again until this is mended."
    LATER = "Yes. Postroom tries again by itself, later each time."
    AFTER = "Only after the step above."


class Remedy(NamedTuple):
    """One way out. `steps` are one click path each, from the start page of the admin centre on."""

    who: Who
    todo: str
    steps: tuple[str, ...] = ()
    retry: Retry = Retry.AFTER


ENTRA = "entra.microsoft.com"
ENTERPRISE = f"{ENTRA} → Identity → Applications → Enterprise applications → All applications → Postroom"
REGISTRATION = f"{ENTRA} → Identity → Applications → App registrations → All applications → Postroom"
USER = f"{ENTRA} → Identity → Users → All users → the person"
SIGN_INS = f"{ENTRA} → Identity → Monitoring & health → Sign-in logs → the failed sign-in"
POLICIES = f"{ENTRA} → Protection → Conditional Access → Policies"
EXCHANGE = "admin.exchange.microsoft.com"
LICENCES = "admin.microsoft.com → Users → Active users → the person → Licenses and apps"

REMEDIES: dict[str, Remedy] = {
    "consent": Remedy(
        Who.MEMBER,
        "Connect again and allow what is asked; where members may not consent, an administrator does it for all.",
        (f"{ENTERPRISE} → Permissions → Grant admin consent",),
    ),
    "admin_consent": Remedy(
        Who.ADMIN,
        "Approve Postroom for the organisation, or answer the request that the member sent.",
        (
            f"{ENTERPRISE} → Permissions → Grant admin consent",
            f"{ENTRA} → Identity → Applications → Enterprise applications → Admin consent requests → Postroom → "
            "Review permissions and consent",
        ),
    ),
    "assign": Remedy(
        Who.ADMIN,
        "Put the person or one of their groups on the app's list, or stop requiring a list.",
        (
            f"{ENTERPRISE} → Users and groups → Add user/group",
            f"{ENTERPRISE} → Properties → Assignment required? → No",
        ),
    ),
    "mfa": Remedy(
        Who.MEMBER,
        "Sign in again and complete the second factor. If none is set up, set it up at aka.ms/mfasetup first.",
        (f"{USER} → Authentication methods (to see or reset the person's methods)",),
    ),
    "policy": Remedy(
        Who.ADMIN,
        "A Conditional Access policy blocks the sign-in. Find which one, then exclude Postroom or the person, or let them "
        "meet its condition.",
        (
            f"{SIGN_INS} → tab Conditional Access (names the policy)",
            f"{POLICIES} → the policy → Target resources → Exclude",
        ),
    ),
    "device": Remedy(
        Who.MEMBER,
        "Sign in from a device that the organisation manages. If there is none, an administrator changes the policy.",
        (
            f"{SIGN_INS} → tab Device info, then Conditional Access",
            f"{POLICIES} → the policy → Conditions → Device platforms",
        ),
    ),
    "defaults": Remedy(
        Who.ADMIN,
        "The organisation's security defaults refuse this way of signing in.",
        (f"{ENTRA} → Identity → Overview → Properties → Manage security defaults", f"{SIGN_INS} → Basic info"),
    ),
    "risk": Remedy(
        Who.ADMIN,
        "Entra thinks the account or the sign-in is at risk. Check it; then dismiss the risk or have the password changed.",
        (f"{ENTRA} → Protection → Identity Protection → Risky users → the person → Dismiss user risk",),
    ),
    "reconnect": Remedy(
        Who.MEMBER,
        "In Postroom open Settings → Outlook and choose Reconnect. Nothing is lost; sync goes on where it stopped.",
    ),
    "revoked": Remedy(
        Who.MEMBER,
        "Reconnect in Settings → Outlook. If it happens again, ask your administrator who ends the sessions.",
        (f"{ENTRA} → Identity → Monitoring & health → Audit logs → Activity: Revoke sign-in sessions",),
    ),
    "password": Remedy(
        Who.MEMBER,
        "Set the new password at Microsoft first, then reconnect in Settings → Outlook.",
        (f"{USER} → Reset password (if the person cannot)",),
    ),
    "enable_user": Remedy(
        Who.ADMIN,
        "The account is switched off. Switch it on if the person still works there; otherwise disconnect the mailbox.",
        (f"{USER} → Properties → Settings → Account enabled",),
    ),
    "locked": Remedy(
        Who.MEMBER,
        "Wait half an hour, then sign in. If it stays locked, an administrator looks at the sign-in log.",
        (f"{SIGN_INS} → Basic info", f"{ENTRA} → Protection → Identity Protection → Risky sign-ins"),
        Retry.LATER,
    ),
    "account": Remedy(
        Who.MEMBER,
        "Choose another account on Microsoft's page: this one does not belong to the organisation the app is for. Guests "
        "sign in with the account of their own organisation.",
        (f"{ENTRA} → Identity → Users → All users (is the person there, and as a member?)",),
    ),
    "account_types": Remedy(
        Who.OPERATOR,
        "The registration and MICROSOFT_TENANT do not fit together. Change one of them, then restart both processes.",
        (f"{REGISTRATION} → Authentication → Supported account types",),
    ),
    "app_id": Remedy(
        Who.OPERATOR,
        "Entra does not know the app in this organisation: MICROSOFT_CLIENT_ID or MICROSOFT_TENANT is of another tenant, "
        "or an administrator there has not approved Postroom yet.",
        (f"{REGISTRATION} → Overview → Application (client) ID and Directory (tenant) ID",),
    ),
    "enable_app": Remedy(
        Who.ADMIN,
        "The organisation has switched Postroom off.",
        (f"{ENTERPRISE} → Properties → Enabled for users to sign-in? → Yes",),
    ),
    "redirect": Remedy(
        Who.OPERATOR,
        "Register the redirect URI below to the letter: same scheme, host and path, no slash at the end, platform Web.",
        (f"{REGISTRATION} → Authentication → Platform configurations → Web → Redirect URIs",),
    ),
    "secret": Remedy(
        Who.OPERATOR,
        "Make a new client secret, put its Value (not its ID) into MICROSOFT_CLIENT_SECRET and the day it ends into "
        "MICROSOFT_CLIENT_SECRET_EXPIRES, then restart both processes. Nobody has to sign in again.",
        (f"{REGISTRATION} → Certificates & secrets → Client secrets → New client secret",),
    ),
    "platform": Remedy(
        Who.OPERATOR,
        "Register the redirect URI under the platform Web, not Mobile and desktop or Single-page application.",
        (f"{REGISTRATION} → Authentication → Platform configurations → Add a platform → Web",),
    ),
    "permissions": Remedy(
        Who.OPERATOR,
        "List every permission of docs/microsoft-setup.md, step 3, as a delegated permission of Microsoft Graph.",
        (f"{REGISTRATION} → API permissions → Add a permission → Microsoft Graph → Delegated permissions",),
    ),
    "service": Remedy(
        Who.ADMIN,
        "The organisation has no Microsoft Graph or Exchange Online for this account: a subscription or licence is missing.",
        (LICENCES, f"{ENTRA} → Identity → Applications → Enterprise applications → Microsoft Graph → Properties"),
    ),
    "start_over": Remedy(
        Who.MEMBER,
        "Close the page and connect again from Settings → Outlook. Once is normal: a page was open too long or sent twice.",
    ),
    "bug": Remedy(
        Who.AUTHORS,
        "Postroom asked for something wrong. Report it with the code and the reference; nothing at Microsoft mends it.",
        (),
        Retry.NO,
    ),
    "wait": Remedy(Who.NOBODY, "Wait. Nothing is lost meanwhile.", (), Retry.LATER),
    "loop": Remedy(
        Who.NOBODY,
        "Entra saw the same request too often and pauses it; Postroom backs off for a quarter of an hour.",
        (),
        Retry.LATER,
    ),
    # -- Exchange and Graph
    "mailbox_licence": Remedy(
        Who.ADMIN,
        "The account has no mailbox in Exchange Online: give it a licence with Exchange, or, for a mailbox on your own "
        "server, move it to Exchange Online.",
        (LICENCES, f"{EXCHANGE} → Recipients → Mailboxes (is the address listed?)"),
    ),
    "mailbox_access": Remedy(
        Who.EXCHANGE,
        "Give the person full access to the mailbox, and Send as if they shall send from it. It takes up to an hour.",
        (f"{EXCHANGE} → Recipients → Mailboxes → the mailbox → Delegation → Read and manage (Full Access) → Edit",),
    ),
    "send_as": Remedy(
        Who.EXCHANGE,
        "Give the person the right to send from this mailbox. It takes up to an hour.",
        (
            f"{EXCHANGE} → Recipients → Mailboxes → the mailbox → Delegation → Send as → Edit",
            f"{EXCHANGE} → Recipients → Mailboxes → the mailbox → Delegation → Send on behalf → Edit",
        ),
    ),
    "app_policy": Remedy(
        Who.EXCHANGE,
        "An application access policy or role of Exchange keeps apps away from this mailbox, or it lies on your own server.",
        (f"{EXCHANGE} → Roles → Admin roles (Application Mail…)", "PowerShell: Get-ApplicationAccessPolicy"),
    ),
    "files_access": Remedy(
        Who.ADMIN,
        "The permission for files or sites was not granted, or the person may not open that place.",
        (f"{ENTERPRISE} → Permissions → Grant admin consent",),
    ),
    "webhook": Remedy(
        Who.OPERATOR,
        "Microsoft could not validate the notification address. Let POST requests with a query string through to "
        "/hooks/microsoft without a sign-in page, with a valid certificate, and answer within 10 seconds.",
        ("In Postroom: Settings → Doctor → Webhook (posts the same request from here)",),
        Retry.LATER,
    ),
    "mailbox_full": Remedy(
        Who.MEMBER,
        "The mailbox or drive is full: empty Deleted Items, archive, or get more space.",
        (f"{EXCHANGE} → Recipients → Mailboxes → the mailbox → Mailbox → Storage", LICENCES),
    ),
    "sending_limit": Remedy(
        Who.NOBODY,
        "Exchange limits how much one mailbox sends. Postroom holds what waits and goes on when the limit allows.",
        (f"{EXCHANGE} → Mail flow → Message trace (what was sent)",),
        Retry.LATER,
    ),
    "sending_blocked": Remedy(
        Who.ADMIN,
        "Microsoft has stopped this account from sending, usually after spam. Secure it, then lift the restriction.",
        ("security.microsoft.com → Email & collaboration → Review → Restricted entities → the person → Unblock",),
    ),
    "message": Remedy(
        Who.MEMBER,
        "Change the message (recipients, size, attachments), then send it again.",
        (),
        Retry.NO,
    ),
    "resync": Remedy(
        Who.NOBODY,
        "The cursor is too old for Microsoft. Postroom lists the folder anew by itself and keeps what it has.",
        (),
        Retry.LATER,
    ),
    "gone": Remedy(
        Who.NOBODY,
        "The item was moved or deleted, or the person may not see it any more. Postroom finds out where it is by itself.",
        (),
        Retry.NO,
    ),
    "conflict": Remedy(
        Who.NOBODY,
        "The item was changed elsewhere in the same moment. Postroom reads it again and applies the change to that.",
        (),
        Retry.LATER,
    ),
    "rename": Remedy(Who.MEMBER, "Choose another name: this one is taken in that place.", (), Retry.NO),
    "own_folder": Remedy(Who.MEMBER, "Leave that folder where it is; make one of your own instead.", (), Retry.NO),
    "throttled": Remedy(
        Who.NOBODY,
        "Microsoft slows this mailbox down (4 requests at once, 10,000 in 10 minutes). If it lasts, look for another app "
        "with the same registration that reads it.",
        ("In Postroom: Settings → Doctor → Throttling",),
        Retry.LATER,
    ),
}
