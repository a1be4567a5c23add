"""What needs a member today: the page Home, browser notifications, the daily mail, a newcomer's first steps."""
