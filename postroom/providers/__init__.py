"""Connectors to the outside: frozen data in, frozen data out, our own errors. No Django, no tables."""
