"""Every table there is, and every screen by the key of its record type."""

from __future__ import annotations

from postroom.records.candidates.screen import CANDIDATES
from postroom.records.companies.screen import COMPANIES
from postroom.records.deals.screen import DEALS
from postroom.records.people.screen import PEOPLE
from postroom.records.screens import Screen
from postroom.records.tables import Table
from postroom.records.tasks.table import TASKS
from postroom.records.tickets.screen import TICKETS

SCREENS: dict[str, Screen] = {screen.type.key: screen for screen in (PEOPLE, COMPANIES, DEALS, TICKETS, CANDIDATES)}
TABLES: tuple[Table, ...] = (*SCREENS.values(), TASKS)
