"""Boxes open in their own place, with a configured key, unharmed; and nowhere else."""

from __future__ import annotations

import pytest

from postroom.lib.crypto import BadKey, CannotOpen, Keyring, generate_key

PLACE = ("connection", "17", "grant")
SECRET = b'{"refresh_token": "0.AX..."}'


@pytest.fixture
def ring() -> Keyring:
    return Keyring([generate_key()])


def test_what_was_sealed_opens_again(ring: Keyring) -> None:
    assert ring.open(ring.seal(SECRET, PLACE), PLACE) == SECRET
    assert ring.open(memoryview(ring.seal(b"", PLACE)), PLACE) == b""


def test_the_same_secret_never_looks_the_same(ring: Keyring) -> None:
    assert len({ring.seal(SECRET, PLACE) for _ in range(50)}) == 50


@pytest.mark.parametrize("place", [(), ("connection", "18", "grant"), ("connection", "1", "7grant"), ("connection",)])
def test_a_box_does_not_open_in_another_place(ring: Keyring, place: tuple[str, ...]) -> None:
    with pytest.raises(CannotOpen):
        ring.open(ring.seal(SECRET, PLACE), place)


def test_every_single_changed_byte_is_noticed(ring: Keyring) -> None:
    box = ring.seal(SECRET, PLACE)
    for position in range(len(box)):
        changed = bytearray(box)
        changed[position] ^= 1
        with pytest.raises(CannotOpen):
            ring.open(bytes(changed), PLACE)


@pytest.mark.parametrize("box", [b"", b"\x01", b"\x01" * 20, b"plain text that was never sealed at all"])
def test_what_is_no_box_is_refused(ring: Keyring, box: bytes) -> None:
    with pytest.raises(CannotOpen):
        ring.open(box, PLACE)


def test_rotation_opens_with_the_old_key_and_seals_with_the_new() -> None:
    old, new = generate_key(), generate_key()
    box = Keyring([old]).seal(SECRET, PLACE)
    both = Keyring([new, old])
    assert not both.is_current(box)
    moved = both.reseal(box, PLACE)
    assert Keyring([new]).open(moved, PLACE) == SECRET
    assert both.reseal(moved, PLACE) == moved


def test_a_missing_key_is_named_by_its_id_only() -> None:
    key = generate_key()
    box = Keyring([key]).seal(SECRET, PLACE)
    with pytest.raises(CannotOpen, match="not configured") as raised:
        Keyring([generate_key()]).open(box, PLACE)
    assert key not in str(raised.value)


@pytest.mark.parametrize("keys", [[], ["short"], ["not base64 !"], ["AAAA"], [generate_key(), ""]])
def test_unusable_keys_are_refused_without_being_shown(keys: list[str]) -> None:
    with pytest.raises(BadKey) as raised:
        Keyring(keys)
    assert not any(key and key in str(raised.value) for key in keys)
