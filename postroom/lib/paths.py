"""Paths of named pages. A screen names some 250 of them, and Django works each out anew."""

from functools import lru_cache

from django.urls import reverse


@lru_cache(maxsize=16_384)
def path_to(name: str, /, *args: int | str) -> str:
    """The path of a URL name with its arguments, remembered. Raises NoReverseMatch for a name nothing answers to."""
    return reverse(name, args=args)
