"""One authorised Graph call: who asks, whose mailbox, which preferences. The only way to a mailbox is through here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from postroom_sandbox import entra
from postroom_sandbox.http import ApiError, Headers, Request, Response, json_response
from postroom_sandbox.limits import Limits
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import Folder, Message
from postroom_sandbox.users import ON_PREMISES, User
from postroom_sandbox.world import World

LARGEST_BODY = 4 * 1024 * 1024 + 256 * 1024  # 4 MB of content, and what is said around it (graph.md 2.9)
_PREFERENCE = re.compile(r'\s*([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^;,\s]*)))?[^,]*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Need:
    """Scopes that allow an operation: on one's own mailbox, and on others'. Empty `shared`: never on others'."""

    own: tuple[str, ...]
    shared: tuple[str, ...] = ()


def _mail(*names: str) -> Need:
    return Need(names, tuple(f"{name}.Shared" for name in names))


BASIC = _mail("Mail.ReadBasic", "Mail.Read", "Mail.ReadWrite")
READ = _mail("Mail.Read", "Mail.ReadWrite")
WRITE = _mail("Mail.ReadWrite")
SEND = _mail("Mail.Send")
SETTINGS = Need(("MailboxSettings.Read", "MailboxSettings.ReadWrite"))
SETTINGS_WRITE = Need(("MailboxSettings.ReadWrite",))
PEOPLE = Need(("People.Read", "People.Read.All"), ("People.Read.All",))
PROFILE = Need(
    ("User.Read", "User.ReadWrite", "User.ReadBasic.All", "User.Read.All"), ("User.ReadBasic.All", "User.Read.All")
)


@dataclass
class Preferences:
    """The `Prefer` header, read once (graph.md 2.4)."""

    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, header: str) -> Preferences:
        """Several preferences may share one header."""
        found = _PREFERENCE.finditer(header) if header else ()
        return cls({item[1].lower(): item[2] or item[3] or "" for item in found})

    @property
    def immutable_ids(self) -> bool:
        """`IdType="ImmutableId"`."""
        return self.values.get("idtype", "").lower() == "immutableid"

    @property
    def body_type(self) -> str:
        """ "text", "html" or "" for no wish."""
        value = self.values.get("outlook.body-content-type", "").lower()
        return value if value in ("text", "html") else ""

    @property
    def unsafe_html(self) -> bool:
        """Whether scripts shall be left in."""
        return "outlook.allow-unsafe-html" in self.values

    @property
    def page_size(self) -> int | None:
        """`odata.maxpagesize`."""
        value = self.values.get("odata.maxpagesize", "")
        return int(value) if value.isascii() and value.isdigit() and 0 < int(value) <= 1000 else None

    def applied(self, *names: str) -> Headers:
        """`Preference-Applied` for those of `names` that were asked for."""
        shown = [f'{name}="{self.values[name]}"' for name in names if self.values.get(name)]
        return [("Preference-Applied", ", ".join(shown))] if shown else []


@dataclass
class Call:
    """What a handler gets: the request, the caller, and the user whose things are addressed."""

    world: World
    request: Request
    principal: entra.Principal
    user: User

    @cached_property
    def prefer(self) -> Preferences:
        """The preferences of this request."""
        return Preferences.read(self.request.headers.get("prefer", ""))

    @cached_property
    def mailbox(self) -> Mailbox:
        """The addressed mailbox. Raises `ApiError` 404 for users without one."""
        if not self.user.has_mailbox:
            place = "on-premise" if self.user.kind == ON_PREMISES else "inactive, soft-deleted, or hosted on-premise"
            raise ApiError(404, "MailboxNotEnabledForRESTAPI", f"The mailbox is either {place}.")
        return self.world.mailbox(self.user)

    @property
    def limits(self) -> Limits:
        """What that mailbox allows."""
        return self.world.limits_of(self.user)

    @property
    def is_own(self) -> bool:
        """Whether the caller's own mailbox is addressed."""
        return self.user.id == self.principal.user.id

    @property
    def base(self) -> str:
        """Where Graph lives for this client."""
        return f"{self.request.base_url}/v1.0"

    def may(self, need: Need) -> bool:
        """Whether the token's scopes cover `need` on the addressed mailbox."""
        return self.principal.may(*(need.own if self.is_own else need.shared))

    def require(self, need: Need) -> None:
        """Raises `ApiError` 403 unless scopes and mailbox rights allow it (graph.md 6: the causes look alike)."""
        if not self.may(need) or not (need.own[0].startswith("User.") or self._may_open):
            raise denied()

    @property
    def _may_open(self) -> bool:
        return self.user.may_be_opened_by(self.principal.user)

    def context(self, what: str) -> str:
        """An `@odata.context` for something below the addressed user."""
        return f"{self.base}/$metadata#users('{quote(self.user.id)}')/{what}"

    # -- finding things

    def folder(self, key: str) -> Folder:
        """A folder by id or well-known name. Raises `ApiError` 404 or 400."""
        folder = self.mailbox.tree.get(key)
        if folder is None:
            raise missing(key)
        return folder

    def message(self, key: str) -> Message:
        """A message by default or immutable id. Raises `ApiError` 404 or 400."""
        message = self.mailbox.find(key)
        wanted = self.request.context.get("folder")
        if message is None or (wanted and message.folder is not self.mailbox.tree.get(wanted)):
            raise missing(key)
        return message

    def id_of(self, message: Message) -> str:
        """The id this client wants to see."""
        mailbox = self.mailbox
        return mailbox.immutable_id(message) if self.prefer.immutable_ids else mailbox.default_id(message)

    def check_version(self, message: Message) -> None:
        """Raises `ApiError` 412 when `If-Match` names another version (graph.md 2.5)."""
        wanted = self.request.headers.get("if-match", "").strip()
        if wanted and wanted != "*" and wanted.removeprefix("W/").strip('"') != self._change_key(message):
            text = "The send or update operation could not be performed because the change key passed in the request"
            raise ApiError(412, "ErrorIrresolvableConflict", f"{text} does not match the current change key.")

    def _change_key(self, message: Message) -> str:
        return self.mailbox.ids.change_key(message.version)


def denied() -> ApiError:
    """403 in Exchange's words."""
    return ApiError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def missing(key: str) -> ApiError:
    """404, or 400 when `key` is no id at all."""
    from postroom_sandbox.store.ids import looks_like_id
    from postroom_sandbox.store.tree import WELL_KNOWN

    if looks_like_id(key) or key.lower() in WELL_KNOWN:
        return ApiError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return ApiError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def bad_request(message: str, code: str = "BadRequest") -> ApiError:
    """400."""
    return ApiError(400, code, message)


Operation = Callable[..., Response]


def principal_of(world: World, request: Request) -> entra.Principal:
    """The caller, found once per request. Raises `ApiError` 401."""
    known = request.context.get("principal")
    if known is None:
        known = request.context["principal"] = entra.authenticate(world, request)
    found: entra.Principal = known
    return found


def target_of(world: World, principal: entra.Principal, key: str) -> User:
    """The user addressed as `me`, by id, principal name or address. Raises `ApiError` 404."""
    user = principal.user if key.lower() == "me" else world.users.find(key)
    if user is None or user.tenant_id != principal.user.tenant_id:
        raise ApiError(404, "ErrorInvalidUser", f"The requested user '{key}' is invalid.")
    return user


def served(world: World, operation: Operation, need: Need | None) -> Callable[..., Awaitable[Response]]:
    """`operation(call, **params)` as an HTTP handler: authorised, throttled, one transaction."""

    async def handler(request: Request, user: str = "me", **params: str) -> Response:
        principal = principal_of(world, request)
        call = Call(world, request, principal, target_of(world, principal, user))
        upload = len(request.body) if request.method != "GET" else 0
        if upload > LARGEST_BODY:
            raise ApiError(413, "RequestEntityTooLarge", "The request body is too large.")
        usage = world.throttle.enter(
            (principal.client_id, call.user.id), call.limits, now=world.clock.timestamp(), upload=upload
        )
        try:
            await asyncio.sleep(request.context.pop("latency", 0))  # at 0: lets calls that came together meet
            with world.operation():
                if need is not None:
                    call.require(need)
                return operation(call, **params)
        finally:
            world.throttle.leave(usage)

    return handler


def collection(call: Call, what: str, values: list[Any], **extra: Any) -> Response:
    """A plain OData collection."""
    head: dict[str, Any] = {"@odata.context": call.context(what)}
    return json_response(head | {key.replace("_", "."): value for key, value in extra.items()} | {"value": values})
