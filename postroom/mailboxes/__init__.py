"""Connection lifecycle: who consented to what (encrypted), which mailbox, in which state and health."""
