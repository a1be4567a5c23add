"""Tickets: what customers ask for help with, in queues, against the clock."""
