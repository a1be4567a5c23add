"""The screens people work in: Inbox, Email, the thread, compose and reply."""
