"""Connectors to the outside: frozen data in, frozen data out, our own errors. No Django, no tables.

``contract`` says what a connector is, ``errors`` what can go wrong; the rest of Postroom knows no more of a provider.
``registry`` lists the connectors, ``budget`` shares a mailbox's allowance among its users.

To add a provider: a package with a factory (``memory`` is the smallest), a line in ``registry.PROVIDERS``, and a
``World`` in ``tests/contract/worlds.py`` through which the whole contract suite is asked of it.
"""
