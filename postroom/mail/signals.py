"""What packages above can hear about mail without mail knowing them."""

from django.dispatch import Signal

sent = Signal()
"""Sent in the transaction in which a composition is known to be sent: `composition`, and `message`, the copy in Sent
Items (None where it was not found)."""
