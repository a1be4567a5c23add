"""What happened with whom: links between records and conversations, matching rules, notifications."""
