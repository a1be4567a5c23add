"""Every address of the pages, walked as somebody who has no business there (design.md section 4, product.md AD4).

The addresses come from the URLconf itself, so that a new one is walked without anybody remembering to.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from postroom.accounts.models import SignIn, User
from postroom.dropbox import addresses as drop_addresses
from postroom.dropbox.models import Dropped
from postroom.lib.clock import now
from postroom.mail import commands as mail
from postroom.mail.models import Attachment, Composition, CompositionFile, Message
from postroom.mail.pens import Snippet
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import AdminApproval, Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.records.all_tables import SCREENS
from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.custom_fields import commands as own
from postroom.records.deals import commands as deals
from postroom.records.models import Import
from postroom.records.notes import commands as notes
from postroom.records.people import commands as people
from postroom.records.saved import commands as views
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.records.undoing import way_back
from postroom.sync.models import Quarantined
from postroom.timeline.models import Assignment, Comment, NeverLog, NoContact, Notice, Snooze
from postroom.timeline.team import commands as team
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership, Role

__all__ = ["box", "connect", "mailbox", "member", "settle"]

SECRET = "Zephyr"  # stands in all that is private of the victim's
SHARED = "Quorum"  # stands in all that is the workspace's
SCRIPT = {"HX-Request": "true", "HX-Target": "detail"}
OPEN = {
    "accounts:sign-in",
    "accounts:sign-out",
    "accounts:demo-sign-in",
    "accounts:second-factor",
    "accounts:second-factor-options",
    "accounts:passkey-sign-in",
    "accounts:passkey-options",
    "accounts:microsoft",
    "accounts:microsoft-callback",
    "workspaces:invitation",
    "mailboxes:callback",
    "health",
    "notifications",
    "operations:metrics",
    "operations:ready",
}
DEMO_ONLY = ("ui:",)  # not there at all elsewhere
NOT_OBJECTS = {  # their parameters name no row of anybody's
    "mailboxes:permissions",
    "mailboxes:callback",
    "mailboxes:ask-approval",
    "notifications",
    "ui:gallery-page",
    "inbox:bulk",  # an action; the conversations it is done to stand in the form
    "inbox:undo",  # a token that is none is answered "too late"; whose it is stands in it
    "operations:doctor-checks",
    "search:thread",  # the frame of a page: the thread in it comes from its own address
}
WRITTEN = ("file", "clean", "tips")
WAY = ("take-back", "cancel", "send-now", "snippets")  # of a message on its way out
LEAVING = {"accounts:sign-out", "workspaces:choose"}  # what would change who asks the next
OF_THE_WORKSPACE = ("records:",)  # what every member may see


class Address(NamedTuple):
    name: str
    path: str
    of_objects: bool


def patterns() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every named address with its converters; an address without a name fails the walk."""

    def under(resolver: URLResolver, prefix: str, converters: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for one in resolver.url_patterns:
            if isinstance(one, URLPattern):
                yield f"{prefix}{one.name or one.pattern}", {**converters, **one.pattern.converters}
            else:
                inside = f"{prefix}{one.app_name}:" if one.app_name else prefix
                yield from under(one, inside, {**converters, **one.pattern.converters})

    yield from ((name, told) for name, told in under(get_resolver(), "", {}) if name != "favicon.ico")


@pytest.fixture
def victim(member: Membership, mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]) -> dict[str, Any]:
    """Something of everything; the values of the parameters that lead to it, by name or by "address parameter"."""
    box.deliver(
        subject=f"{SECRET} plan", from_=f"{SECRET.lower()}@contoso.example", html=f"<p>{SECRET}</p>",
        files={f"{SECRET}.txt": b"figures"}, has_attachments=True,
    )  # fmt: skip
    settle(mailbox)
    message = Message.objects.get()
    draft = mail.compose(mailbox, member, answers=message, how="reply")
    file = mail.attach(draft, name=f"{SECRET}.txt", content_type="text/plain", chunks=[b"figures"])
    contact = people.create(member.workspace, last_name=SHARED, addresses=["quorum@contoso.example"], by=member)
    company = companies.create(member.workspace, name=SHARED, by=member)
    deal = deals.create(member.workspace, name=SHARED, by=member)
    note = notes.write(contact, SHARED, by=member)
    ticket = tickets.create(member.workspace, name=SHARED, by=member)
    candidate = candidates.create(member.workspace, name=SHARED, by=member)
    interview = candidates.arrange(candidate, by=member, at=now(), kind="call")
    task = tasks.create(member.workspace, title=SHARED, by=member)
    comment = team.write(message.thread.conversation_id, f"{SECRET} for colleagues", by=member)
    told = Notice.objects.create(
        workspace=member.workspace,
        member=member,
        kind="comment",
        conversation=message.thread.conversation,
        comment=comment,
    )
    of_records = {"key": "contact", "name": "name", "column": "owner", "to": deal.stage_id, "state": "done"}
    of = {
        "inbox": {
            "pk": message.thread_id,
            "message": message.pk,
            "file": file.pk,
            "folder": message.folder_id,
            "action": "archive",
            "comment": comment.pk,
        },
        "mail": {"pk": message.pk},
        "mailboxes": {"pk": mailbox.pk, "change": "pause", "feature": "sending", "provider": "microsoft"},
        "timeline": {"pk": message.thread.conversation_id, "key": "contact", "record": contact.pk},
        "search": {"pk": message.thread_id},
        "operations": {"part": "installation"},
        "workspaces": {"pk": member.workspace_id},
        "accounts": {"pk": SignIn.objects.create(user=member.user, how="password", session_key="victim").pk},
        "records": {**of_records, "pk": contact.pk},
        "": {"mailbox": mailbox.pk, "token": "x", "page": "forms", "provider": "microsoft"},
    }
    approval = AdminApproval.objects.create(
        workspace=member.workspace, member=member, provider="microsoft", features=["mail"], state=SECRET
    )
    for name in ("approval", "forget-approval"):
        of[f"mailboxes:{name}"] = {"pk": approval.pk}
    text = Snippet.objects.create(workspace=member.workspace, author=member, name=SECRET, text=SECRET)
    of |= {f"inbox:snippet{more}": {"pk": text.pk} for more in ("", "-delete")}
    for name in ("draft", "save", "send", "again", "discard", "restore", "upload", "remove-file", *WRITTEN, *WAY):
        of[f"inbox:{name}"] = {"pk": draft.pk}
    for name in ("attachment", "attachment-view"):
        of[f"mail:{name}"] = {"pk": Attachment.objects.get().pk}
    aside = Quarantined.objects.create(mailbox=mailbox, resource="mail", remote_id=message.remote_id, reason="odd")
    for name in (
        *("complete", "check", "switch", "aside", "aside-again", "aside-original"),
        *("brake", "decide", "allowance"),
    ):
        of[f"mail:{name}"] = {"pk": mailbox.pk, "folder": message.folder_id, "item": aside.pk}
    for kind, row in (("company", company), ("deal", deal), ("note", note)):
        for more in ("", "-edit", "-field", "-cell", "-delete", "-stage", "-steps"):
            of[f"records:{kind}{more}"] = {"pk": row.pk}
    for kind, row, names in (
        ("ticket", ticket, ("status", "steps", "take", "merge")),
        ("candidate", candidate, ("stage", "steps", "judge")),
        ("task", task, ("state",)),
    ):
        for more in ("", *(f"-{name}" for name in ("edit", "field", "cell", "delete", *names))):
            to = {"candidate": {"to": "offer"}, "ticket": {"to": "solved"}}.get(kind, {})
            of[f"records:{kind}{more}"] = {"pk": row.pk, **to}
    of |= {f"records:{name}": {"pk": candidate.pk} for name in ("interview-new", "reference-new")}
    field = own.add(member.workspace, "contact", label=SHARED, kind="text")
    of |= {f"records:own-field{more}": {"pk": field.pk, "way": "up"} for more in ("", "-move", "-delete")}
    job = Import.objects.create(workspace=member.workspace, member=member, record_type="contact", name=SHARED)
    of |= {f"records:import{more}": {"pk": job.pk} for more in ("", "-step", "-refused")}
    back = way_back(SCREENS["contact"], contact, "owner", before="", by=member)
    of["records:undo"] = {"token": back.rstrip("/").rpartition("/")[2]}
    view = views.save("contact", "q=quorum", name=SHARED, shared=True, by=member)
    of |= {f"records:view{more}": {"pk": view.pk, "way": "back"} for more in ("", "-keep", "-move", "-delete")}
    never = NeverLog.objects.create(workspace=member.workspace, mailbox=mailbox, what=f"{SECRET.lower()}.example")
    away = NoContact.objects.create(workspace=member.workspace, address="away@contoso.example")
    drop = drop_addresses.open_box(member)
    dropped = Dropped.objects.create(
        workspace=member.workspace, box=drop, size=1, sender=SECRET, subject=SECRET, via="lmtp", state="held"
    )
    for name in ("file", "discard", "original"):
        of[f"dropbox:{name}"] = {"pk": dropped.pk}
    sender = drop_addresses.add_sender(drop, f"{SECRET.lower()}@home.example")
    of["dropbox:remove-sender"] = {"pk": sender.pk}
    of["timeline:privacy-mailbox"] = {"pk": mailbox.pk}
    of["timeline:privacy-only-records-in"] = {"pk": mailbox.pk}
    of["timeline:privacy-log-again"] = {"pk": never.pk}
    of["timeline:privacy-contact-again"] = {"pk": away.pk}
    of["timeline:no-contact"] = {"pk": contact.pk}
    of["inbox:told-open"] = {"pk": told.pk}
    of["records:company-merge"] = {"pk": company.pk}
    of["workspaces:remove-member"] = {"pk": member.pk}
    of["records:interview-notes"] = {"pk": interview.pk}
    return of


@pytest.fixture
def addresses(victim: dict[str, Any]) -> list[Address]:
    found = []
    for name, converters in patterns():
        known = {**victim[""], **victim.get(name.partition(":")[0], {}), **victim.get(name, {})}
        path = reverse(name, kwargs={one: known[one] for one in converters})
        found.append(Address(name, path, bool(converters) and name not in NOT_OBJECTS))
    assert len(found) > 60
    return found


@pytest.fixture
def carol(db: None) -> Membership:
    """The administrator of another workspace."""
    user = User.objects.create_user(email="carol@woodgrove.example", password="long-enough-word")
    return add_member(create_workspace("Woodgrove"), user, role="Admin")


def browser(who: Membership | None, **options: Any) -> Client:
    client = Client(raise_request_exception=False, **options)
    if who is not None:
        client.force_login(who.user)
    return client


def asked(client: Client, path: str) -> Iterator[Any]:
    yield client.get(path)
    yield client.get(path, headers=SCRIPT)
    yield client.post(path)
    yield client.post(path, headers=SCRIPT)


def text(answer: Any) -> str:
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return whole.decode(errors="replace") + str(dict(answer.headers))


def told(client: Client, address: Address, *, hidden: tuple[str, ...], exists: bool) -> list[str]:
    """What is wrong with the answers of an address to somebody who must see nothing of what is ``hidden``."""
    wrong = []
    for answer in asked(client, address.path):
        said = text(answer)
        wrong += [f"{address.path} says {word}" for word in hidden if word in said]
        if answer.status_code == 500 or not (exists or answer.status_code in (403, 404, 405)):
            wrong.append(f"{address.path} answered {answer.status_code}")
    return wrong


def test_a_stranger_is_sent_to_the_sign_in_page_from_everywhere(addresses: list[Address]) -> None:
    client, wrong = browser(None), []
    for address in addresses:
        wrong += told(client, address, hidden=(SECRET, SHARED), exists=True)
        for answer in asked(client, address.path):
            where = answer.headers.get("Location", "") + answer.headers.get("HX-Redirect", "")
            if (
                address.name not in OPEN
                and not address.name.startswith(DEMO_ONLY)
                and answer.status_code != 405
                and not where.startswith("/sign-in/")
            ):
                wrong.append(f"{address.path} answered {answer.status_code} {where}")
    assert not wrong


def test_for_another_workspace_nothing_of_ours_exists(addresses: list[Address], carol: Membership) -> None:
    before, client, wrong = state(), browser(carol), []
    for address in addresses:
        if address.name not in LEAVING:
            wrong += told(client, address, hidden=(SECRET, SHARED), exists=not address.of_objects)
    assert not wrong
    assert state() == before


def test_a_private_mailbox_does_not_exist_for_a_colleague(addresses: list[Address], member: Membership) -> None:
    guest = Role.objects.create(workspace=member.workspace, name="Guest", permissions=[])
    user = User.objects.create_user(email="gus@northwind.example", password="long-enough-word")
    colleague = Membership.objects.create(workspace=member.workspace, user=user, role=guest)
    before, client, wrong = state(), browser(colleague), []
    for address in addresses:
        if address.name not in LEAVING and not address.name.endswith("-delete"):
            common = address.name.startswith(OF_THE_WORKSPACE) or not address.of_objects
            wrong += told(client, address, hidden=(SECRET,), exists=common)
    assert not wrong
    assert state() == before


OF_MAIL = (Message, Composition, CompositionFile, Mailbox, Assignment, Comment, Notice, Snooze)


def state() -> list[Any]:
    """All that a member could change of mail."""
    return [list(kind.objects.order_by("pk").values()) for kind in OF_MAIL]


def test_every_post_wants_the_token_of_our_own_page(addresses: list[Address], member: Membership) -> None:
    client = browser(member, enforce_csrf_checks=True)
    wrong = [(one.path, status) for one in addresses if (status := client.post(one.path).status_code) != 403]
    assert wrong == [("/hooks/microsoft", 400)]  # for a machine, which has no session to lend


def test_nobody_else_may_frame_a_page_of_ours_or_guess_its_type(addresses: list[Address], member: Membership) -> None:
    client = browser(member)
    for address in addresses:
        if address.name not in LEAVING:
            headers = client.get(address.path).headers
            assert headers["X-Frame-Options"] in ("DENY", "SAMEORIGIN"), address
            assert headers["X-Content-Type-Options"] == "nosniff", address
            assert "default-src" in headers["Content-Security-Policy"], address


ODD = {"nul": "\0", "surrogate": "\ud800", "huge": "9" * 30, "tags": "'\"<b>\r\nX: y"}  # fmt: skip
ASKED = """
q after address to subject tab sort place folder message draft open shown filter account ticket was as next
close contact company item decision synced token pipeline name how pictures mailbox state code error validationToken
work back preset until unless to
show way cols view in apply owner job f.owner f.amount f.amount.from f.closes f.email f.stage f.due f.about f.added
""".split()  # noqa: SIM905
TYPED = """
level contacts what given most place state shared col all move in
to cc bcc subject text from seen attachments address name feature history email password owner visibility
members domains value item decision synced token q stage mail last_name amount addresses company next
""".split()  # noqa: SIM905


@pytest.mark.parametrize("odd", ODD)
def test_no_odd_value_makes_an_error_page(addresses: list[Address], member: Membership, odd: str) -> None:
    given = dict.fromkeys(ASKED, ODD[odd].encode("utf-8", "surrogatepass"))
    client = browser(member)
    answers = {one.path: client.get(one.path, given).status_code for one in addresses if one.name not in LEAVING}
    assert 500 not in answers.values(), [path for path, status in answers.items() if status == 500]


@pytest.mark.parametrize("odd", ["nul", "huge"])
def test_no_odd_form_makes_an_error_page(addresses: list[Address], member: Membership, odd: str) -> None:
    typed = dict.fromkeys(TYPED, ODD[odd].encode("utf-8", "surrogatepass"))
    client = browser(member)
    ordered = sorted(addresses, key=lambda one: one.name.endswith(("-delete", ":discard", ":disconnect")))
    answers = {one.path: client.post(one.path, typed).status_code for one in ordered if one.name not in LEAVING}
    assert 500 not in answers.values(), [path for path, status in answers.items() if status == 500]
