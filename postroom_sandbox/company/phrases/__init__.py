"""Phrase banks, as data: what people at Northwind and around it write.

A bank is a tuple of alternatives; a step is a tuple of banks, one per paragraph. `[a|b]` is a choice, `{x}` a fact.
"""
