"""Tasks: what somebody has to do by when, about a record or about nothing in particular."""
