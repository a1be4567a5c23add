"""What packages above can hear about records without records knowing them."""

from __future__ import annotations

from django.dispatch import Signal

addresses_changed = Signal()
"""Sent in the command's transaction when mail of other addresses than before is a record's: `sender` is the model,
`record` the contact or company, `lost` whether an address was taken away from it."""

merged = Signal()
"""Sent in the command's transaction when two records turned out to be one: `sender` is the model, `gone` the record
that goes (it still exists while this is sent), `kept` the one that stays, `by` the member or None."""

deleting = Signal()
"""Sent in the command's transaction before a member's deletion: `sender` is the model, `record` what goes."""
