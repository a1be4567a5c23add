"""Postroom: a self-hosted CRM whose heart is the mailbox."""

__version__ = "0.1.0"
