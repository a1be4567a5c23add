"""The local mirror of mail: folders, conversations, threads, messages, bodies, attachments, search."""
