"""CSV in and out: columns are matched to fields, looked at, then taken over row by row."""
