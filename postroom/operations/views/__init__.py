"""Screens of `operations`."""
