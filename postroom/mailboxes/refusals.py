"""The pages on which connecting can end without a mailbox (product.md CN16), one row each.

What happened, what to do, where to go from there. `{provider}`, `{wanted}`, `{got}`, `{address}` and `{who}` are filled
in by the view. A reason that is not listed gets UNKNOWN, so every end has a page.
"""

from typing import Literal, NamedTuple

from postroom.mailboxes.lifecycle import AlreadyConnected, WrongAccount
from postroom.providers import errors

Action = Literal["again", "other", "settings", "sign_in"]


class Refusal(NamedTuple):
    """``admin_link``: shows the address with which an administrator allows Postroom for everybody (CN3)."""

    title: str
    happened: str
    todo: tuple[str, ...]
    actions: tuple[Action, ...] = ("again", "settings")
    admin_link: bool = False
    status: int = 400
    tone: Literal["error", "warn"] = "warn"


_ASK_IT = (
    "Send the link below to your IT. Whoever opens it signs in as an administrator and allows Postroom once for all."
)
_THEN = "Then come back and connect again; {provider} will not ask any more."
_OTHER = "Choose “Use another account” there, or open Postroom in a private window."

REFUSALS: dict[str, Refusal] = {
    # the member or an administrator has to decide
    "declined": Refusal(
        "You did not allow access",
        "{provider} told us that the sign-in was cancelled or the permissions were declined. Nothing was connected.",
        (
            "If you changed your mind, connect again. You see every permission before anything happens.",
            "If {provider} said “Need admin approval”, send the link below to your IT instead.",
        ),
        admin_link=True,
    ),
    "admin_approval": Refusal(
        "Your organisation wants an administrator to approve this",
        "{provider} does not let you allow Postroom by yourself. Nothing is wrong with your account.",
        (_ASK_IT, _THEN),
        admin_link=True,
    ),
    "consent": Refusal(
        "A permission is missing",
        "{provider} signed you in, but did not grant everything that was asked for.",
        ("Connect again and accept the whole list.", "If {provider} asks for an administrator, use the link below."),
        admin_link=True,
    ),
    "not_assigned": Refusal(
        "You are not on the list for Postroom",
        "Your organisation allows Postroom only for people who are assigned to it, and you are not one of them yet.",
        ("Ask your IT to assign you to Postroom in Entra (Enterprise applications).", "Then connect again."),
    ),
    "app_blocked": Refusal(
        "Your organisation has switched Postroom off",
        "The app is disabled or not installed in your organisation’s directory.",
        (_ASK_IT, "If it was switched off on purpose, they will know why."),
        admin_link=True,
    ),
    # the account
    "wrong_account": Refusal(
        "That was another account",
        "You wanted to reconnect {wanted}, but signed in as {got}. Nothing was changed.",
        ("Reconnect again and choose {wanted}.", _OTHER),
    ),
    "already_connected": Refusal(
        "{address} is connected already",
        "This mailbox is in use in this workspace, connected by {who}. A second connection would bring nothing new.",
        ("To add another mailbox, choose a different account at {provider}.", _OTHER),
        ("other", "settings"),
    ),
    "foreign_account": Refusal(
        "This account does not belong here",
        "{provider} does not know the account in the organisation this Postroom is set up for: it is another "
        "organisation’s, or a guest.",
        ("Choose an account of your own organisation.", _OTHER),
        ("other", "settings"),
    ),
    "locked": Refusal(
        "This account is locked for now",
        "{provider} locked it after too many attempts, or because they came from a place it does not trust.",
        ("Wait half an hour, then connect again.", "If it stays locked, ask your IT to unlock it."),
    ),
    "no_mailbox": Refusal(
        "This account has no mailbox we can reach",
        "{provider} signed you in, but says there is no Exchange Online mailbox behind this account: it has no licence "
        "for one, or the mailbox lies on a server of your organisation.",
        (
            "Did you mean another account? Then choose that one.",
            "Otherwise ask your IT about an Exchange Online licence.",
        ),
        ("other", "settings"),
    ),
    "no_service": Refusal(
        "Your organisation has no subscription for this",
        "{provider} signed you in, but your organisation has no subscription for mail in Exchange Online.",
        ("Choose an account of another organisation, or ask your IT.",),
        ("other", "settings"),
    ),
    "tenant_not_allowed": Refusal(
        "That organisation is not allowed here",
        "The account belongs to an organisation for which this Postroom is not set up.",
        ("Choose an account of your own organisation.", "If that was it, ask whoever runs Postroom to allow it."),
        ("other", "settings"),
    ),
    "personal_not_allowed": Refusal(
        "Personal accounts are not allowed here",
        "This Postroom takes work and school accounts only; you signed in with a personal one.",
        ("Choose your work account.", _OTHER),
        ("other", "settings"),
    ),
    "disabled": Refusal(
        "This account is disabled",
        "{provider} says that the account you chose is disabled or locked.",
        ("Ask your IT to enable it, or choose another account.",),
        ("other", "settings"),
    ),
    "password": Refusal(
        "Your password has to be changed first",
        "{provider} did not let you in because the password of this account has expired or was reset.",
        ("Change it at {provider}, then connect again.",),
    ),
    # policies
    "enrol": Refusal(
        "Set up a second factor first",
        "{provider} wants this account to have a second factor, and it has none yet.",
        ("Connect again and follow {provider}’s steps, or set it up at https://aka.ms/mfasetup first.",),
    ),
    "device": Refusal(
        "{provider} wants a device that your organisation knows",
        "Conditional Access lets this account in only from a device that is managed or registered.",
        (
            "Connect again from your work computer, with the browser your organisation set up.",
            "If that is what you used, send the reference below to your IT: the device may not be compliant any more.",
        ),
    ),
    "mfa": Refusal(
        "Another check is needed",
        "{provider} asks for a second factor that was not completed.",
        ("Connect again and finish the check, or set up a second factor if {provider} offers it.",),
    ),
    "policy": Refusal(
        "A policy of your organisation blocks this",
        "Conditional Access did not let the sign-in through: it may ask for a known device, place or app.",
        ("Try from your work computer or the office network.", "If that fails, send the reference below to your IT."),
    ),
    "risk": Refusal(
        "{provider} thinks this sign-in is risky",
        "Your organisation’s protection stopped it. This is about the account or the place, not about Postroom.",
        ("Wait an hour and try from a place you usually work at.", "If it stays blocked, ask your IT to look at it."),
    ),
    # the trip itself
    "expired": Refusal(
        "This sign-in took too long",
        "The answer from {provider} belongs to an attempt that is older than 15 minutes, or was used before.",
        ("Connect again. It takes less than a minute.",),
    ),
    "other_session": Refusal(
        "This sign-in was started elsewhere",
        "The answer from {provider} belongs to another browser, another person or a session that has ended.",
        ("Connect again from this browser.", "If you did not start it yourself, close this page: nothing happened."),
    ),
    "cookies": Refusal(
        "We could not recognise your browser",
        "You came back from {provider}, but your browser did not tell us who you are: its cookies are blocked or were "
        "deleted, or you have signed out meanwhile.",
        (
            "Allow cookies for this site, sign in, then connect again.",
            "Open Postroom under the same address you started from.",
        ),
        ("sign_in",),
    ),
    "repeated": Refusal(
        "One moment",
        "This answer from {provider} is being worked on already, probably because the page was loaded twice.",
        ("Look at your mailboxes: it should be there in a few seconds.",),
        ("settings",),
    ),
    "other_address": Refusal(
        "Postroom has another address",
        "{provider} brings you back to {wanted}, but you opened Postroom under {got}. Your sign-in would get lost.",
        ("Open Postroom under {wanted}, sign in there and connect again.",),
        ("other",),
    ),
    # not the member's fault
    "operator": Refusal(
        "Postroom is not set up for {provider} correctly",
        "{provider} refused Postroom itself: its registration, secret or return address is wrong or has expired.",
        ("Tell whoever runs Postroom, with the reference below. “postroom doctor” says what to mend.",),
        ("settings",),
        status=503,
        tone="error",
    ),
    "secret_expired": Refusal(
        "Postroom’s own key at {provider} has expired",
        "{provider} refused Postroom, not you: the secret of its registration has reached its end.",
        ("Tell whoever runs Postroom, with the reference below: a new client secret has to be made and entered.",),
        ("settings",),
        status=503,
        tone="error",
    ),
    "secret_wrong": Refusal(
        "Postroom’s own key at {provider} is wrong",
        "{provider} refused Postroom, not you: the secret it presented is not the one of its registration.",
        ("Tell whoever runs Postroom, with the reference below: the secret’s Value is needed, not its ID.",),
        ("settings",),
        status=503,
        tone="error",
    ),
    "return_address": Refusal(
        "{provider} does not know the way back to Postroom",
        "The return address that Postroom gave is not one of those in its registration.",
        ("Tell whoever runs Postroom, with the reference below: “postroom doctor” says which address to register.",),
        ("settings",),
        status=503,
        tone="error",
    ),
    "account_types": Refusal(
        "Postroom’s registration does not fit this kind of account",
        "It is registered for one organisation or for work accounts only, and asked {provider} for another kind.",
        ("Tell whoever runs Postroom, with the reference below: MICROSOFT_TENANT must fit the registration.",),
        ("settings",),
        status=503,
        tone="error",
    ),
    "not_listed": Refusal(
        "Postroom asked for a permission that is not in its registration",
        "{provider} refused because the permission is not listed there, or your organisation lacks what it is about.",
        ("Tell whoever runs Postroom, with the reference below: the permissions to list are in its setup guide.",),
        ("settings",),
        status=503,
        tone="error",
    ),
    "app_unknown": Refusal(
        "{provider} does not find Postroom in this organisation",
        "Nobody in the account’s organisation has allowed Postroom yet, or Postroom’s application number is wrong.",
        (_ASK_IT, "If your colleagues are connected already, tell whoever runs Postroom, with the reference below."),
        admin_link=True,
    ),
    "busy": Refusal(
        "{provider} did not answer",
        "The last step of the sign-in failed: {provider} was busy or out of reach. Nothing was connected.",
        ("Wait a minute and connect again.",),
        status=503,
    ),
    "loop": Refusal(
        "Too many attempts",
        "{provider} saw Postroom ask for the same account again and again, and makes it wait.",
        ("Wait a quarter of an hour, then connect again.", "If it comes back, tell whoever runs Postroom."),
        status=503,
    ),
    "invalid_answer": Refusal(
        "We did not understand {provider}",
        "The answer was incomplete or not signed as it should be, so we did not use it.",
        ("Connect again.", "If it comes back, give the reference below to whoever runs Postroom."),
        tone="error",
    ),
    "permission": Refusal(
        "Your role does not include connecting a mailbox",
        "In this workspace only some roles may connect mailboxes, and yours is “{wanted}”.",
        ("Ask for it: {who}.",),
        ("settings",),
        status=403,
    ),
}
UNKNOWN = Refusal(
    "The mailbox was not connected",
    "{provider} ended the sign-in with an answer we do not know.",
    ("Connect again.", "If it comes back, give the reference below to whoever runs Postroom."),
    tone="error",
)

_CLASSES: list[tuple[type[Exception], str]] = [
    (AlreadyConnected, "already_connected"),
    (WrongAccount, "wrong_account"),
    (errors.OperatorFault, "operator"),
    (errors.Transient, "busy"),
    (errors.Malformed, "invalid_answer"),
]


# Codes that can be said more exactly than their class or reason (graph.md 1.8).
_CODES: dict[str, str] = {
    f"AADSTS{number}": reason
    for reason, numbers in {
        "secret_expired": (7000222,),
        "secret_wrong": (7000215, 7000218, 70002, 700025),
        "return_address": (50011, 900971),
        "account_types": (50194, 9002332),
        "not_listed": (65005, 650054, 650056, 650057),
        "app_unknown": (700016,),
        "locked": (50053,),
        "loop": (50196,),
        "enrol": (50072, 50079),
        "device": (53000, 53001, 50097, 50129, 50131),
    }.items()
    for number in numbers
}


def reason_of(problem: Exception) -> str:
    """The key in REFUSALS for anything that ``connect.finish`` may raise."""
    if exact := _CODES.get(str(getattr(problem, "code", ""))):
        return exact
    named = next((reason for kind, reason in _CLASSES if isinstance(problem, kind)), "")
    return named or str(getattr(problem, "reason", "")) or "unknown"


def refusal(reason: str) -> Refusal:
    return REFUSALS.get(reason, UNKNOWN)
