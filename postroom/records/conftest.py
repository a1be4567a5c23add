"""The cast is the same for the tests of every record type."""

from postroom.records.tests.cast import alice, as_, bob, carol, northwind

__all__ = ["alice", "as_", "bob", "carol", "northwind"]
