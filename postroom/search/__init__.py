"""Finding mail by what it says and by whom."""
