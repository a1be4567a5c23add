"""Storylines: each writes one believable thread after another into a `Writer`."""
