"""The accidents of real life, one button each: tokens, consent, subscriptions, faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import entra, notifications
from ..company.people import TENANTS
from ..entra.errors import REFUSALS
from ..entra.records import TenantPolicy
from ..http import ApiError, Request, Response
from ..notifications.model import LIFECYCLE_EVENTS
from ..users import PERSONAL_TENANT, SHARED, WORK, User
from .layout import page
from .markup import button, esc, form, options

if TYPE_CHECKING:
    from ..world import World

_POLICIES = (
    ("legacy", "Members may consent to anything that is not for administrators"),
    ("low", "Members may consent to signing in only"),
    ("managed", "Microsoft-managed: mail and calendars need an administrator"),
    ("none", "Everything needs an administrator"),
)
_COMMON_FAILURES = (50076, 50173, 700082, 50055, 50057, 53003, 65001, 7000222, 90033)
_FAULTS: dict[str, tuple[str, list[dict[str, object]]]] = {
    "errors": ("Every tenth Graph call fails", [{"match": {"path": "/v1.0"}, "rate": 0.1, "status": 503}]),
    "throttle": (
        "Every fifth Graph call is throttled for 2 s",
        [{"match": {"path": "/v1.0"}, "rate": 0.2, "status": 429, "retry_after": 2}],
    ),
    "slow": ("Every Graph call takes a second", [{"match": {"path": "/v1.0"}, "latency_ms": 1000}]),
    "resets": ("Every tenth connection breaks", [{"match": {"path": "/v1.0"}, "rate": 0.1, "reset": "before"}]),
    "silence": ("No notification arrives", [{"notifications": {"drop": True}}]),
    "late": ("Notifications come up to 5 s late", [{"notifications": {"delay_ms": [500, 5000]}}]),
    "doubles": ("Notifications come twice", [{"notifications": {"duplicate": True}}]),
}


def show(world: World, request: Request) -> Response:
    """All accidents on one page."""
    chosen = request.query.get("mailbox", "")
    main = (
        '<div class="head"><h1>Accidents</h1></div>'
        '<p class="lead">What happens to real accounts, on demand. Each is also a control call under /sandbox/.</p>'
        f"{_account(world, chosen)}{_shared(world)}{_tenants(world)}{_faults(world)}"
    )
    return page(world, request, "Accidents", main, current="/accidents")


def _account(world: World, chosen: str) -> str:
    people = [(user.address, f"{user.name} <{user.address}>") for user in world.users if user.has_mailbox]
    failures = [
        (str(code), f"AADSTS{code}: {REFUSALS[code].text}")
        for code in (*_COMMON_FAILURES, *(code for code in sorted(REFUSALS) if code not in _COMMON_FAILURES))
    ]
    plain = "".join(button(label, name="do", value=name) for name, (label, _) in _ACTS.items())
    inner = (
        f'<label for="mailbox">Account</label><select id="mailbox" name="mailbox">{options(people, chosen)}</select>'
        f'<div class="actions">{plain}</div>'
        f'<label for="code">Refusal</label><div class="row"><select id="code" name="code">{options(failures)}</select>'
        f"{button('Let the next refresh fail so', name='do', value='refresh')}</div>"
        f'<label for="event">Lifecycle notification</label><div class="row"><select id="event" name="event">'
        f"{options([(event, event) for event in LIFECYCLE_EVENTS])}</select>"
        f"{button('Send', name='do', value='lifecycle')}</div>"
    )
    return f"<section><h2>To one account</h2>{form('/accidents', inner, css='sheet')}</section>"


def _shared(world: World) -> str:
    """Who may open which shared mailbox, with buttons to withdraw and to give it."""
    forms = ""
    for box in (user for user in world.users if user.kind == SHARED):
        people = [user for user in world.users if user.kind == WORK and user.tenant_id == box.tenant_id]
        select = f"who-{box.id}"
        names = [
            (user.address, f"{user.name}{' (may open it)' if box.may_be_opened_by(user) else ''}") for user in people
        ]
        inner = (
            f'<label for="{select}">{esc(box.address)}</label><div class="row">'
            f'<select id="{select}" name="who">{options(names)}</select>'
            f"{button('Withdraw access', name='do', value='withdraw')}"
            f"{button('Give access', name='do', value='give')}</div>"
        )
        forms += form("/accidents", inner, fields={"mailbox": box.address}, css="sheet")
    return f"<section><h2>Shared mailboxes</h2>{forms}</section>" if forms else ""


def _tenants(world: World) -> str:
    names = {tenant.id: tenant.name for tenant in TENANTS}
    service, forms = entra.entra(world), ""
    for tenant in world.users.tenants():
        if tenant == PERSONAL_TENANT:
            continue
        user = next(user for user in world.users if user.tenant_id == tenant)
        now = service.policy(service.tenant_of(user))
        label = names.get(tenant, user.address.rpartition("@")[2])
        inner = (
            f'<label for="policy-{tenant}">{esc(label)}</label><div class="row">'
            f'<select id="policy-{tenant}" name="policy">{options(_POLICIES, now)}</select>'
            f"{button('Set', name='do', value='policy')}</div>"
        )
        forms += form("/accidents", inner, fields={"tenant": tenant}, css="sheet")
    return f"<section><h2>Who may consent</h2>{forms}</section>" if forms else ""


def _faults(world: World) -> str:
    presets = "".join(button(label, name="fault", value=name) for name, (label, _) in _FAULTS.items())
    rules = [{**rule.spec, "seen": rule.seen, "struck": rule.struck} for rule in world.faults.rules]
    state = (
        f'<pre class="text" tabindex="0" aria-label="Rules in force">{esc(json.dumps(rules, indent=1))}</pre>'
        if rules
        else '<p class="quiet">None at the moment.</p>'
    )
    own = (
        '<label for="rules">Rules of your own (JSON)</label>'
        '<textarea id="rules" name="rules" rows="5" spellcheck="false">'
        '{"rules": [{"match": {"path": "/v1.0/me/messages"}, "rate": 0.5, "status": 504}], "seed": 1}</textarea>'
        f'<div class="actions">{button("Use these", name="do", value="faults")}'
        f"{button('Clear all', name='do', value='clear')}</div>"
    )
    return (
        f"<section><h2>Faults</h2><h3>In force</h3>{state}<h3>Add</h3>"
        f"{form('/accidents', presets, css='actions')}{form('/accidents', own, css='sheet')}</section>"
    )


# -- doing

Act = Callable[["World", User], object]
_ACTS: dict[str, tuple[str, Act]] = {
    "expire": ("Expire access tokens", entra.expire_access_tokens),
    "revoke": ("Revoke sessions", entra.revoke),
    "password": ("Change the password", entra.change_password),
    "challenge": ("Ask for more claims", entra.challenge),
    "forget": ("Withdraw consent", lambda world, user: entra.entra(world).withdraw(user)),
    "drop": ("Drop subscriptions", notifications.drop_subscriptions),
    "delta": ("Expire delta tokens", lambda world, user: world.mailbox(user).expire_delta()),
    "disable": ("Disable the account", lambda world, user: entra.entra(world).change(user.id, disabled=True)),
    "enable": ("Enable the account", lambda world, user: entra.entra(world).change(user.id, disabled=False)),
}


def change(world: World, request: Request) -> tuple[str, str]:
    """Does what a button says; (where to go next, what to say). Raises ApiError 400 or 404."""
    fields = request.form()
    what = fields.get("do", "")
    if fields.get("fault"):
        return "/accidents", _add_fault(world, fields["fault"])
    if what in ("faults", "clear"):
        return "/accidents", _set_faults(world, fields.get("rules", "") if what == "faults" else "")
    if what == "policy":
        return "/accidents", _set_policy(world, fields)
    user = world.users.find(fields.get("mailbox", ""))
    if user is None:
        raise ApiError(404, "ResourceNotFound", "Choose an account.")
    if what in ("withdraw", "give"):
        return "/accidents", _set_access(world, user, what, fields.get("who", ""))
    return f"/accidents?mailbox={user.address}", _to_account(world, user, what, fields)


def _to_account(world: World, user: User, what: str, fields: dict[str, str]) -> str:
    if what == "refresh":
        code = fields.get("code", "")
        if not code.isdigit() or int(code) not in REFUSALS:
            raise ApiError(400, "BadRequest", "Choose a refusal.")
        entra.fail_next_refresh(world, user, int(code))
        return f"The next refresh for {user.name} fails with AADSTS{code}."
    if what == "lifecycle":
        event = fields.get("event", "")
        if event not in LIFECYCLE_EVENTS:
            raise ApiError(400, "BadRequest", "Choose an event.")
        return f"{event} sent for {notifications.send_lifecycle(world, user, event)} subscriptions."
    if what not in _ACTS:
        raise ApiError(400, "BadRequest", f"'{what}' is no accident this sandbox knows.")
    label, happen = _ACTS[what]
    happen(world, user)
    return f"{label}: done for {user.name}."


def _set_access(world: World, box: User, what: str, who: str) -> str:
    person = world.users.by_address(who)
    if person is None or box.kind != SHARED:
        raise ApiError(404, "ResourceNotFound", "Choose a person.")
    rights = {}
    for name in ("delegates", "send_as"):
        others = [address for address in getattr(box, name) if address != person.address.lower()]
        rights[name] = others if what == "withdraw" else [*others, person.address]
    world.users.set_access(box, **rights)
    return f"{person.name} may {'no longer' if what == 'withdraw' else 'now'} open {box.address}."


def _add_fault(world: World, name: str) -> str:
    if name not in _FAULTS:
        raise ApiError(400, "BadRequest", f"'{name}' is no fault this sandbox knows.")
    label, rules = _FAULTS[name]
    world.faults.configure({"rules": [*(rule.spec for rule in world.faults.rules), *rules]})
    return f"{label}."


def _set_faults(world: World, text: str) -> str:
    if not text.strip():
        world.faults.clear()
        return "No faults any more."
    try:
        world.faults.configure(json.loads(text))
    except (ValueError, AttributeError, TypeError) as error:
        raise ApiError(400, "BadRequest", f"These rules cannot be used: {error}") from None
    return f"{len(world.faults.rules)} rules in force."


def _set_policy(world: World, fields: dict[str, str]) -> str:
    policy, tenant = fields.get("policy", ""), fields.get("tenant", "")
    if policy not in dict(_POLICIES) or tenant not in world.users.tenants():
        raise ApiError(400, "BadRequest", "Choose a tenant and a policy.")
    entra.entra(world).policies.put(tenant, TenantPolicy(policy))  # type: ignore[arg-type]
    return "The policy is set."
