"""Failures of commands."""


class UsageError(Exception):
    """The command cannot be carried out as asked; one line for the person who asked. Exit code 2."""
