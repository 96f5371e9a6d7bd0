"""Keyed draws: the same value under the same key always gives the same numbers; a public check marks what was drawn."""

from __future__ import annotations

import hmac
from _random import Random  # the generator under random.Random, which would seed it twice
from collections.abc import Callable, Iterable
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
        self._bits: Callable[[int], int] | None = None

    def _seeded(self) -> Callable[[int], int]:
        said = "\0".join([f"{len(word)}:{word}" for word in self._words])
        if said.isascii():
            told = said.encode("ascii")
        else:
            told = b"\0".join([b"%d:%b" % (len(part), part) for part in map(raw, self._words)])
        self._bits = Random(int.from_bytes(hmac.digest(self._key, told, "sha256"), "big")).getrandbits
        return self._bits

    def below(self, count: int) -> int:
        """A whole number of [0, count)."""
        return (self._bits or self._seeded())(53) * count >> 53

    def of(self, choices: str) -> str:
        """One character of some."""
        return choices[self.below(len(choices))]

    def text(self, choices: Iterable[str]) -> str:
        """One character of each of these, in their order."""
        bits = self._bits or self._seeded()
        return "".join([some[bits(53) * len(some) >> 53] for some in choices])


def check(kind: str, free: str) -> int:
    """What the checked places of a surrogate follow from: a number of 256 bits, which anybody can compute.

    It is not keyed on purpose: a surrogate is known as one in a later run, under another key, on another machine.
    """
    return int.from_bytes(sha256(raw(f"seatrial surrogate\0{kind}\0{free}")).digest(), "big")
