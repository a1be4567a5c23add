"""What is found, in which mailboxes, in which order."""

import pytest

from postroom.mail.models import Message
from postroom.mail.tests.mailing import file, mail, mailbox, member, put, workspace
from postroom.mailboxes.models import Mailbox
from postroom.records.deals import commands as deals
from postroom.search import find
from postroom.search.find import hits, search
from postroom.timeline.links import link, unlink
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db


BOB = "bob@contoso.example"


@pytest.fixture
def adele() -> Membership:
    return member(workspace(), "adele@northwind.example")


@pytest.fixture
def box(adele: Membership) -> Mailbox:
    box = mailbox(adele)
    put(
        box,
        [
            mail(1, subject="Renewal terms", text="The contract is net 30 days, École Zürich"),
            mail(2, hours=1, subject="Lunch", text="About the renewal: days net 30", from_=BOB, is_read=True),
            mail(3, hours=2, subject="Offer", text="See the file", attachments=(file("renewal-2026.pdf"),),
                 folder_id="sent", from_="adele@northwind.example", to=("ana@fabrikam.example",)),
            mail(4, hours=-24 * 400, subject="Old renewal", text="Long ago\n> renewal quoted"),
            mail(5, hours=3, subject="Quoted only", text="Fine.\n\nOn Monday Ana wrote:\n> contract"),
        ],
    )  # fmt: skip
    return box


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("renewal ", [3, 2, 1, 4]),
        ("RENEW", [3, 2, 1, 4]),
        ("subject:renewal", [1, 4]),
        ('"net 30"', [2, 1]),
        ('"net 30 days"', [1]),
        ("ecole zurich", [1]),
        ("école", [1]),
        ("contract", [1]),
        ("from:ana", [5, 1, 4]),
        ("from:fabrikam renewal", [1, 4]),
        ("to:ana", [3]),
        ("-from:ana renewal", [3, 2]),
        ("renewal -lunch", [3, 1, 4]),
        ("fabrikam ", [5, 3, 1, 4]),
        ("has:attachment", [3]),
        ("is:read", [2]),
        ("is:unread renewal in:inbox", [1, 4]),
        ("in:sent", [3]),
        ("before:2026 renewal", [4]),
        ("after:2026-11-14 renewal", [3, 2, 1]),
        ("before:2026", [4]),
        ("2026", [3]),
        ("nothing", []),
        ("% _ ' \\ :* & | !", []),
        ("", []),
        ("& is:read", [2]),
        ("& before:2026", [4]),
        ("-renewal is:unread", [5]),
        ("contoso", [2]),
    ],
)
def test_a_query_finds_newest_first(box: Mailbox, query: str, found: list[int]) -> None:
    names = {1: "Renewal terms", 2: "Lunch", 3: "Offer", 4: "Old renewal", 5: "Quoted only"}
    shown = ["".join(part.text for part in hit.subject) for hit in hits([box.pk], query).hits]
    assert shown == [names[n] for n in found]


@pytest.mark.parametrize("few", [0, 100])
def test_mail_on_a_record_is_found_by_its_name(
    adele: Membership, box: Mailbox, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """What was untied again is not on it, and of another workspace's records nothing is known."""
    monkeypatch.setattr(find, "FEW", few)
    other = member(workspace("Woodgrove"), "carol@woodgrove.example")
    deal = deals.create(adele.workspace, by=adele, name="Fabrikam rollout")
    deals.create(other.workspace, by=other, name="Woodgrove's")
    offer, lunch = (Message.objects.get(subject=one).thread.conversation for one in ("Offer", "Lunch"))
    link(offer, deal, by=adele)
    link(lunch, deal, by=adele)
    unlink(lunch, deal, by=adele)

    def subjects(query: str) -> list[str]:
        return ["".join(part.text for part in hit.subject) for hit in hits([box.pk], query).hits]

    assert subjects("record:fabrik") == subjects('record:"FABRIKAM rollout" ') == ["Offer"]
    assert subjects("record:fabrikam lunch ") == subjects("record:woodgrove") == []
    assert subjects("renewal -record:fabrikam") == ["Lunch", "Renewal terms", "Old renewal"]


@pytest.mark.parametrize(
    "query",
    [
        "renewal ",
        "subject:renewal",
        '"net 30"',
        "renewal is:unread",
        "from:ana",
        "see has:attachment in:sent",
        "renewal in:inbox",
        "renewal is:flagged in:inbox",
        "renewal is:flagged record:contoso",
    ],
)
def test_walking_back_finds_what_the_index_finds(box: Mailbox, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    Message.objects.filter(subject__in=["Lunch", "Offer"]).update(flag="flagged")
    link(
        Message.objects.get(subject="Lunch").thread.conversation,
        deals.create(box.workspace, by=None, name="Contoso"),
        by=box.owner,
    )
    by_index = hits([box.pk], query)
    monkeypatch.setattr(find, "FEW", 0)
    walked = hits([box.pk], query)
    assert walked.hits
    assert [hit.message for hit in walked.hits] == [hit.message for hit in by_index.hits]
    assert by_index.few and not walked.few


@pytest.mark.parametrize("glance", [1, 4, 7, 2_000])
@pytest.mark.parametrize(
    "query", ["renewal ", "renewal is:unread", "-lunch renewal record:contoso", "has:attachment s"]
)
def test_a_glance_at_the_newest_passes_over_nothing(
    box: Mailbox, adele: Membership, monkeypatch: pytest.MonkeyPatch, query: str, glance: int
) -> None:
    """Of two mailboxes one is busy: among its newest mail the other's older must not be forgotten."""
    monkeypatch.setattr(find, "GLANCE", glance)
    quiet = mailbox(adele, "sales@northwind.example")
    put(quiet, [mail(8, hours=1.5, text="A renewal stays", from_=BOB), mail(9, hours=-2, subject="Renewal, still")])
    deal = deals.create(adele.workspace, by=None, name="Contoso")
    for message in Message.objects.all():
        link(message.thread.conversation, deal, by=adele)

    def pages(limit: int) -> list[int]:
        seen, cursor = [], ""
        while True:
            page = hits([box.pk, quiet.pk], query, cursor=cursor, limit=limit)
            seen += [hit.message for hit in page.hits]
            cursor = page.next
            if not cursor:
                return seen

    found = [pages(limit) for limit in (1, 2, 30)]
    monkeypatch.setattr(find, "MOST_GLANCED", 0)
    assert found == [pages(30)] * 3 and found[0]


@pytest.mark.parametrize("few", [0, 100])
def test_pages_follow_each_other(box: Mailbox, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(find, "FEW", few)
    seen, cursor = [], ""
    while True:
        page = hits([box.pk], "renewal ", cursor=cursor, limit=1)
        seen += [hit.message for hit in page.hits]
        cursor = page.next
        if not cursor:
            break
    assert seen == [hit.message for hit in hits([box.pk], "renewal ").hits] and len(seen) == 4


def test_without_words_a_page_goes_back_only_so_far(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "WALKED", 2)
    seen, cursor, pages = [], "", 0
    while pages < 10:
        page = hits([box.pk], "is:unread", cursor=cursor)
        seen += ["".join(part.text for part in hit.subject) for hit in page.hits]
        cursor, pages = page.next, pages + 1
        if not cursor:
            break
    assert seen == ["Quoted only", "Offer", "Renewal terms", "Old renewal"] and pages > 1


def test_the_best_answer_comes_first_when_asked(box: Mailbox) -> None:
    first = hits([box.pk], "renewal terms", order="best").hits[0]
    assert first.subject[0].text == "Renewal" and first.subject[0].found


def test_nobody_finds_what_they_may_not_read(box: Mailbox, adele: Membership) -> None:
    bob = member(adele.workspace, "bob@northwind.example")
    assert len(search(adele, "renewal ").hits) == 4
    assert not search(bob, "renewal ").hits and not search(bob, "is:unread").hits


def test_the_snippet_shows_the_place(box: Mailbox) -> None:
    hit = hits([box.pk], "contract").hits[0]
    assert [part.text for part in hit.snippet if part.found] == ["contract"]
    assert hit.as_json()["from"] == "ana@fabrikam.example"
