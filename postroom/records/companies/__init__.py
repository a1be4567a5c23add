"""Companies: one record type, everything about it."""
