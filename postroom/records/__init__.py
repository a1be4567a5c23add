"""The CRM itself: people, companies, deals. Works with no mailbox connected."""
