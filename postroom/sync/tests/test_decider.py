"""The rules of a page, one sentence each."""

from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from postroom.providers.contract import RemoteMessage, Removed
from postroom.sync.decider import Decision, decide

NEW = datetime(2026, 11, 1, tzinfo=UTC)
OLD = datetime(2020, 1, 1, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Have:
    folder_remote_id: str = "inbox"
    change_key: str = "1"
    is_draft: bool = False
    modified: datetime | None = OLD


def message(id: str = "a", *, change_key: str = "2", received: datetime | None = NEW, **more: object) -> RemoteMessage:
    told = {"modified": NEW, **more}
    return RemoteMessage(id=id, change_key=change_key, received=received, **told)  # type: ignore[arg-type]


def decided(*page: RemoteMessage | Removed, known: dict[str, Have] | None = None, listing: bool = False) -> Decision:
    return decide(page, known or {}, folder_id="inbox", since=SINCE, listing=listing)


def test_new_mail_is_fetched_whole() -> None:
    assert decided(message()).fetch == ["a"]


def test_a_first_listing_stores_the_row_and_leaves_its_body_to_the_backfill() -> None:
    decision = decided(message(), listing=True)
    assert [m.id for m in decision.store] == ["a"]
    assert not decision.fetch


def test_what_is_older_than_the_chosen_history_is_only_noted() -> None:
    decision = decided(message(received=OLD), listing=True)
    assert [m.id for m in decision.outside] == ["a"]
    assert not decision.store


def test_a_sparse_row_of_an_unknown_message_is_fetched() -> None:
    assert decided(RemoteMessage(id="a", is_read=True), listing=True).fetch == ["a"]


def test_a_sparse_row_of_a_message_we_have_asks_because_it_may_be_an_old_one_told_again() -> None:
    decision = decided(RemoteMessage(id="a", change_key="2", is_read=True), known={"a": Have()})
    assert decision.ask == ["a"]
    assert not decision.store


def test_another_version_of_the_same_second_asks_because_nobody_knows_which_is_older() -> None:
    decision = decided(message(modified=OLD), known={"a": Have()})
    assert decision.ask == ["a"]
    assert not decision.store


def test_a_known_version_in_its_place_means_nothing_to_do() -> None:
    assert decided(message(change_key="1"), known={"a": Have()}).unchanged == ["a"]


def test_the_same_version_in_another_folder_is_a_move() -> None:
    decision = decided(message(change_key="1"), known={"a": Have(folder_remote_id="archive")})
    assert [m.id for m in decision.store] == ["a"]


def test_a_change_of_a_known_message_is_stored_without_fetching() -> None:
    decision = decided(message(), known={"a": Have()})
    assert [m.id for m in decision.store] == ["a"]
    assert not decision.fetch


def test_a_changed_draft_is_fetched_because_its_body_may_have_changed() -> None:
    assert decided(message(), known={"a": Have(is_draft=True)}).fetch == ["a"]


def test_removed_from_where_we_believed_it_asks_and_deletes_nothing() -> None:
    assert decided(Removed("a"), known={"a": Have()}).ask == ["a"]


def test_removed_from_a_folder_it_has_already_left_is_old_news() -> None:
    decision = decided(Removed("a"), known={"a": Have(folder_remote_id="archive")})
    assert decision == Decision()


def test_removed_of_a_message_we_only_knew_of_is_forgotten_here() -> None:
    assert decided(Removed("a")).forget == ["a"]


def test_the_last_word_about_a_message_counts() -> None:
    assert decided(message(), Removed("a"), known={"a": Have()}).ask == ["a"]
    assert [m.id for m in decided(Removed("a"), message(), known={"a": Have()}).store] == ["a"]


rows = st.one_of(
    st.builds(Removed, st.sampled_from("abc")),
    st.builds(
        message,
        st.sampled_from("abc"),
        change_key=st.sampled_from("12"),
        received=st.sampled_from([NEW, OLD, None]),
        is_draft=st.sampled_from([None, True, False]),
    ),
)
have = st.builds(Have, st.sampled_from(["inbox", "archive"]), st.sampled_from("12"), st.booleans())


@given(st.lists(rows), st.dictionaries(st.sampled_from("abc"), have), st.booleans())
def test_every_id_named_has_one_outcome_or_is_old_news(
    page: list[RemoteMessage | Removed], known: dict[str, Have], listing: bool
) -> None:
    decision = decide(page, known, folder_id="inbox", since=SINCE, listing=listing)
    placed = [
        *decision.fetch,
        *decision.ask,
        *decision.unchanged,
        *decision.forget,
        *(m.id for m in (*decision.store, *decision.outside)),
    ]
    assert len(placed) == len(set(placed))
    silent = {row.id for row in page} - set(placed)
    last = {row.id: row for row in page}
    assert all(isinstance(last[i], Removed) and known[i].folder_remote_id == "archive" for i in silent)
