"""Tenants: who belongs to which workspace and what they may do there."""
