"""Contacts: one record type, everything about it."""
