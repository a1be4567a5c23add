"""What happens to saved views, named as members would say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from postroom.records.models import SavedView
from postroom.records.saved.models import LONGEST_NAME, LONGEST_QUERY
from postroom.records.text import clean
from postroom.workspaces.models import Membership, Permission

MOST = 100  # a member's own, and the shared ones, of one list


def may_change(view: SavedView, member: Membership) -> bool:
    """One's own; a shared one its author and who manages the workspace."""
    if view.member_id is not None:
        return view.member_id == member.pk
    return view.author_id == member.pk or member.may(Permission.MANAGE_WORKSPACE)


def save(
    place: str, query: str, *, name: str, shared: bool, by: Membership, labels: Mapping[str, str] | None = None
) -> SavedView:
    """A new view. Raises ValidationError, keyed by field."""
    owner = None if shared else by
    if SavedView.objects.for_workspace(by.workspace_id).filter(place=place, member=owner).count() >= MOST:
        raise ValidationError({"name": f"There are {MOST} views already; delete one first."})
    return _kept(
        SavedView(
            workspace_id=by.workspace_id,
            place=place,
            member=owner,
            author=by,
            name=_named(name),
            query=_fitting(query),
            labels=dict(labels or {}),
        )
    )


def change(view: SavedView, *, name: str, shared: bool, by: Membership) -> SavedView:
    """Another name; for oneself or for everybody. Raises ValidationError, keyed by field."""
    view.name = _named(name)
    if shared != view.shared:
        view.member, view.author = (None if shared else by), by
    return _kept(view)


def keep(view: SavedView, query: str, labels: Mapping[str, str]) -> SavedView:
    """The view shows from now on what the list shows now. Raises ValidationError."""
    view.query, view.labels = _fitting(query), dict(labels)
    return _kept(view)


def delete(view: SavedView) -> None:
    view.delete()


def open_with(place: str, columns: Sequence[str], *, by: Membership) -> None:
    """The list opens with these columns for this member; with none, with the usual ones."""
    how, _ = SavedView.objects.get_or_create(workspace_id=by.workspace_id, place=place, member=by, name="")
    how.query = _fitting(f"cols={','.join(columns)}" if columns else "")
    how.save(update_fields=["query"])


@transaction.atomic
def order(place: str, ids: Sequence[int], *, by: Membership) -> None:
    """The order in which this member sees the views of a list."""
    how, _ = SavedView.objects.get_or_create(workspace_id=by.workspace_id, place=place, member=by, name="")
    how.order = list(ids)
    how.save(update_fields=["order"])


def _named(name: str) -> str:
    found = clean(name)
    if not found:
        raise ValidationError({"name": "Give the view a name."})
    if len(found) > LONGEST_NAME:
        raise ValidationError({"name": f"At most {LONGEST_NAME} characters."})
    return found


def _fitting(query: str) -> str:
    if len(query) > LONGEST_QUERY:
        raise ValidationError({"name": "The filters are too long to be saved. Take some of them away."})
    return query


def _kept(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        whose = "shared view" if view.shared else "view of yours"
        raise ValidationError({"name": f"There is a {whose} of this name already."}) from None
    return view
