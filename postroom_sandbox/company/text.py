"""Turns phrase banks into sentences: every alternative is dealt once before any comes again."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


class Phrases:
    """Deals from banks without repeating until a bank is used up; deterministic for one `rng`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._decks: dict[int, list[int]] = {}
        self._banks: dict[int, Sequence[object]] = {}  # keeps banks alive: their id() is the key

    def deal(self, bank: Sequence[Item]) -> Item:
        """The next item of the shuffled bank."""
        key = id(bank)
        deck = self._decks.get(key)
        if not deck:
            deck = self._decks[key] = list(range(len(bank)))
            self._banks[key] = bank
            self.rng.shuffle(deck)
        return bank[deck.pop()]

    def expand(self, template: str, facts: Mapping[str, object]) -> str:
        """`[this|that]` becomes one of the two, `{fact}` its value; choices may be nested."""
        while match := _CHOICE.search(template):
            chosen = self.rng.choice(match[1].split("|"))
            template = template[: match.start()] + chosen + template[match.end() :]
        return template.format_map(facts) if "{" in template else template

    def say(self, bank: Sequence[str], facts: Mapping[str, object]) -> str:
        """One sentence or paragraph from a bank, filled in."""
        return self.expand(self.deal(bank), facts)

    def compose(self, slots: Sequence[Sequence[str]], facts: Mapping[str, object]) -> list[str]:
        """One paragraph per slot; a slot that deals an empty string is left out."""
        said = (self.say(slot, facts) for slot in slots)
        return [paragraph for paragraph in said if paragraph]
