"""Deals: one record type, everything about it."""
