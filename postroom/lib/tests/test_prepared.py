"""Queries whose SQL is written once must answer as if it were written anew each time."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import DateField, DateTimeField, Exists, OuterRef, QuerySet, Value

from postroom.lib.prepared import Prepared

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def kinds() -> list[ContentType]:
    return list(ContentType.objects.order_by("pk")[:3])


def by_id(at: datetime, one: int, other: int, with_other: bool = True) -> QuerySet[ContentType]:
    wanted = [one, other] if with_other else [one]
    again = ContentType.objects.filter(pk=OuterRef("pk"), pk__in=[one, other])
    rows = ContentType.objects.filter(pk__in=wanted).annotate(known=Exists(again))
    moments = {"at": Value(at, DateTimeField()), "before": Value(at - timedelta(hours=1), DateTimeField())}
    return rows.annotate(**moments).order_by("pk")


def test_each_asking_is_about_its_own_ids_and_time(kinds: list[ContentType]) -> None:
    find = Prepared(by_id)
    first, second, third = kinds
    assert find(NOON, first.pk, second.pk) == [first, second]
    later = NOON + timedelta(days=1)
    found = find(later, second.pk, third.pk)
    assert found == list(by_id(later, second.pk, third.pk)) == [second, third]
    told = cast(Any, found[0])
    assert (told.known, told.at, told.before) == (True, later, later - timedelta(hours=1))


def test_what_the_query_depends_on_besides_has_its_own_sql(kinds: list[ContentType]) -> None:
    find = Prepared(by_id)
    first, second, _ = kinds
    for _ in range(2):
        assert find(NOON, first.pk, second.pk, shape=(False,)) == [first]
        assert find(NOON, first.pk, second.pk, shape=(True,)) == [first, second]


def by_day(begins: datetime, ends: datetime, day: date, some: list[int]) -> QuerySet[ContentType]:
    moments = {
        "from_": Value(begins, DateTimeField()),
        "until": Value(ends - timedelta(days=400), DateTimeField()),
        "day": Value(day + timedelta(days=3), DateField()),
    }
    return ContentType.objects.filter(pk__in=some).annotate(**moments).order_by("pk")


def test_moments_days_and_collections_of_any_length_are_told_apart(kinds: list[ContentType]) -> None:
    find, day = Prepared(by_day), date(2026, 11, 22)
    for many in (0, 1, 2, 3, 1):
        some = [one.pk for one in kinds[:many]]
        found = find(NOON, NOON + timedelta(days=9), day, some)
        assert found == kinds[:many]
        for told in cast(list[Any], found):
            assert (told.from_, told.until) == (NOON, NOON - timedelta(days=391))
            assert told.day == date(2026, 11, 25)


def test_a_query_that_forgets_what_it_is_given_is_refused() -> None:
    find = Prepared(lambda at, one, other: ContentType.objects.filter(pk=one))
    with pytest.raises(ValueError, match="does not depend on everything"):
        find(NOON, 1, 2)
    with pytest.raises(ValueError, match="does not depend on everything"):
        Prepared(lambda at, one: ContentType.objects.filter(pk=one))(NOON, 1)


@pytest.mark.django_db(transaction=True)
def test_threads_ask_through_connections_of_their_own(kinds: list[ContentType]) -> None:
    find = Prepared(by_id)
    wanted = [(one.pk, one.pk) for one in kinds] * 3
    found: list[tuple[int, int]] = []

    def ask(pair: tuple[int, int]) -> None:
        found.extend((one.pk, pair[0]) for one in find(NOON, *pair))
        connection.close()

    threads = [threading.Thread(target=ask, args=(pair,)) for pair in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted((one, one) for one, _ in wanted)
