"""Mailboxes: state and rules, no wire format."""
