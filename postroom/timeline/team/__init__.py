"""Working on mail together (product.md IN4): assignment, internal comments, snooze, who is here, what a member is told.

All of it hangs on the conversation of the workspace, so a colleague's copy of the same mail shows the same. Whoever may
read no thread of a conversation sees none of it.
"""
