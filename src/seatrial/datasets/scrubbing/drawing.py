"""Keyed draws: the same value under the same key always gives the same numbers; a public check marks what was drawn."""

from __future__ import annotations

import hmac
from _random import Random  # the generator under random.Random, which would seed it twice
from hashlib import sha256


def raw(text: str) -> bytes:
    """A text's bytes, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


class Draw:
    """Numbers that depend on a key and on words only: HMAC-SHA-256 seeds a generator, once it is needed."""

    __slots__ = ("_bits", "_key", "_words")

    def __init__(self, key: bytes, *words: str) -> None:
        self._key = key
        self._words = words
        self._bits: Random | None = None

    def _seeded(self) -> Random:
        parts = [raw(word) for word in self._words]
        seed = hmac.digest(self._key, b"\0".join([b"%d:%b" % (len(part), part) for part in parts]), "sha256")
        return Random(int.from_bytes(seed, "big"))

    def below(self, count: int) -> int:
        """A whole number of [0, count)."""
        if self._bits is None:
            self._bits = self._seeded()
        return self._bits.getrandbits(53) * count >> 53

    def of(self, choices: str) -> str:
        """One character of some."""
        return choices[self.below(len(choices))]


def check(kind: str, free: str) -> int:
    """What the checked places of a surrogate follow from: a number of 256 bits, which anybody can compute.

    It is not keyed on purpose: a surrogate is known as one in a later run, under another key, on another machine.
    """
    return int.from_bytes(sha256(raw(f"seatrial surrogate\0{kind}\0{free}")).digest(), "big")
