"""Postroom: a self-hosted CRM whose heart is the mailbox."""
