"""Rotation of keys (product.md AD1): what rows keep sealed with an older key is brought under the newest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from postroom.lib.crypto import Keyring

BATCH = 500
Row = TypeVar("Row", bound=Model)


def reseal_rows(rows: QuerySet[Row], field: str, place: Callable[[Row], Sequence[str]], keyring: Keyring) -> int:
    """Bring ``field`` of all ``rows`` under the newest key; ``place``: what a row's box was made for.

    Returns how many were; may be interrupted and repeated. One row is locked at a time: who changes it meanwhile holds
    up its own row only, and is held up by nothing else. Raises ``CannotOpen`` when a key that is still needed is no
    longer configured.
    """
    done, last = 0, 0
    while True:
        found = list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", field)[:BATCH])
        for pk, box in found:
            done += not keyring.is_current(box) and _resealed(rows.filter(pk=pk), field, place, keyring)
        if not found:
            return done
        last = found[-1][0]


@transaction.atomic
def _resealed(rows: QuerySet[Row], field: str, place: Callable[[Row], Sequence[str]], keyring: Keyring) -> bool:
    row = rows.select_for_update(no_key=True).first()
    if row is None or keyring.is_current(getattr(row, field)):
        return False  # gone, or written anew, meanwhile
    setattr(row, field, keyring.reseal(getattr(row, field), place(row)))
    row.save(update_fields=[field])
    return True
