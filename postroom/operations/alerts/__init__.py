"""Alerts (product.md AD8): raised once, escalated rather than repeated, closed by themselves."""
