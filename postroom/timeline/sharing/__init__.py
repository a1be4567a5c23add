"""Who sees what of mail on records (product.md CR6), and which mail stays away from them.

Who may use a mailbox reads its mail in full (``mailboxes.access``). Everybody else sees of a conversation that is on a
record only as much as its mailbox shows, and of any other conversation nothing at all. ``levels`` is the one place
that decides it.
"""
