"""Addresses of `records`: the same six for every record type, and what a type has besides."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from postroom.records import cells, finding, merging_views, moving, table_views, views
from postroom.records.all_tables import SCREENS
from postroom.records.candidates import views as candidates
from postroom.records.candidates.screen import CANDIDATES
from postroom.records.companies.screen import COMPANIES
from postroom.records.custom_fields import views as own
from postroom.records.deals import views as deals
from postroom.records.deals.screen import DEALS
from postroom.records.imports import views as imports
from postroom.records.notes import views as notes
from postroom.records.people import views as people
from postroom.records.people.screen import PEOPLE
from postroom.records.saved import views as saved
from postroom.records.screens import Screen
from postroom.records.tables import Table
from postroom.records.tasks import views as tasks
from postroom.records.tasks.table import TASKS
from postroom.records.tickets import views as tickets
from postroom.records.tickets.screen import TICKETS

app_name = "records"


def tables(table: Table, *, at: str, more: dict[str, Any]) -> list[URLPattern]:
    """What a table asks about itself. `at` is its own address."""
    return [
        path(f"{at}filter/", table_views.narrow, more, name=f"{table.root}-filter"),
        path(f"{at}columns/", table_views.columns, more, name=f"{table.root}-columns"),
    ]


def screens(screen: Screen) -> list[URLPattern]:
    """List, page, form, field and deletion of one record type."""
    index, moved = "list/" if screen.board else "", screen.moved
    root, key, more = screen.type.plural.lower(), screen.type.key, {"screen": screen}
    merges = [
        path(f"{root}/duplicates/", merging_views.index, more, name=f"{root}-duplicates"),
        path(f"{root}/<int:pk>/merging/", merging_views.merge, more, name=f"{key}-merge"),
    ]
    return [
        *(merges if screen.merges else []),
        path(f"{root}/{index}", views.index, more, name=f"{root}{'-list' if index else ''}"),
        *tables(screen, at=f"{root}/{index}", more={"table": screen}),
        path(f"{root}/export/", imports.export, more, name=f"{root}-export"),
        path(f"{root}/import/", imports.upload, more, name=f"{root}-import"),
        path(f"{root}/new/", views.new, more, name=f"{key}-new"),
        path(f"{root}/names/", views.names, more, name=f"{key}-names"),
        path(f"{root}/<int:pk>/", views.page, more, name=key),
        path(f"{root}/<int:pk>/edit/", views.edit, more, name=f"{key}-edit"),
        path(f"{root}/<int:pk>/fields/<slug:name>/", views.field, more, name=f"{key}-field"),
        path(f"{root}/<int:pk>/cells/<slug:column>/", cells.cell, more, name=f"{key}-cell"),
        *(
            [
                path(f"{root}/<int:pk>/steps/", moving.steps, more, name=f"{key}-steps"),
                path(f"{root}/<int:pk>/{moved.path}/<slug:to>/", moving.move, more, name=f"{key}-{moved.name}"),
            ]
            if moved
            else []
        ),
        path(f"{root}/<int:pk>/deletion/", views.delete, more, name=f"{key}-delete"),
    ]


BY_TYPE = {"screens": SCREENS}

urlpatterns = [
    *screens(PEOPLE),
    path("contacts/suggestions/", people.suggest, name="contact-suggestions"),
    *screens(COMPANIES),
    path("deals/", deals.board, name="deals"),
    path("deals/forecast/", deals.outlook, name="forecast"),
    *screens(DEALS),
    *screens(TICKETS),
    path("tickets/<int:pk>/taking/", tickets.take, name="ticket-take"),
    path("tickets/<int:pk>/merging/", tickets.merge, name="ticket-merge"),
    path("candidates/", candidates.board, name="candidates"),
    *screens(CANDIDATES),
    path("candidates/<int:pk>/evaluation/", candidates.judge, name="candidate-judge"),
    path("candidates/<int:pk>/interviews/", candidates.arrange, name="interview-new"),
    path("interviews/<int:pk>/notes/", candidates.take_notes, name="interview-notes"),
    path("candidates/<int:pk>/references/", candidates.refer, name="reference-new"),
    path("tasks/", tasks.index, name="tasks"),
    *tables(TASKS, at="tasks/", more={"table": TASKS}),
    path("tasks/new/", tasks.new, name="task-new"),
    path("tasks/<int:pk>/", tasks.edit, name="task"),
    path("tasks/<int:pk>/state/<slug:state>/", tasks.tick, name="task-state"),
    path("tasks/<int:pk>/deletion/", tasks.delete, name="task-delete"),
    path("records/finding/", finding.find, name="find"),
    path("records/undo/<str:token>/", moving.undo, BY_TYPE, name="undo"),
    path("views/new/", saved.new, name="view-new"),
    path("views/<int:pk>/", saved.change, name="view"),
    path("views/<int:pk>/state/", saved.keep, name="view-keep"),
    path("views/<int:pk>/moving/<slug:way>/", saved.move, name="view-move"),
    path("views/<int:pk>/deletion/", saved.delete, name="view-delete"),
    path("settings/fields/", own.index, name="fields"),
    path("settings/fields/<int:pk>/", own.edit, name="own-field"),
    path("settings/fields/<int:pk>/moving/<slug:way>/", own.move, name="own-field-move"),
    path("settings/fields/<int:pk>/deletion/", own.delete, name="own-field-delete"),
    path("imports/<int:pk>/", imports.job, BY_TYPE, name="import"),
    path("imports/<int:pk>/step/", imports.step, BY_TYPE, name="import-step"),
    path("imports/<int:pk>/refused/", imports.refused, name="import-refused"),
    path("records/<slug:key>/<int:pk>/notes/", notes.write, name="note-new"),
    path("notes/<int:pk>/", notes.edit, name="note"),
    path("notes/<int:pk>/deletion/", notes.delete, name="note-delete"),
]
