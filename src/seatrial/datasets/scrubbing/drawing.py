"""Keyed draws: the same value under the same key always gives the same numbers; a public check marks what was drawn."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b, sha256
from struct import Struct


def raw(text: str) -> bytes:
    """A text's bytes, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def derived(key: bytes, text: str) -> bytes:
    """A key of 32 bytes from one of any length and a text: keyed BLAKE2b, a key beyond its 64 bytes hashed first."""
    fitting = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()
    return blake2b(raw(text), key=fitting, digest_size=32, person=b"seatrial session").digest()


class Draw:
    """Numbers that depend on a key of up to 64 bytes and on words only.

    They are the output of BLAKE2b (RFC 7693) under that key, in counter mode, hashed once one is needed: a block of 64
    bytes for each eight numbers, its count as salt. Its numbers are taken from the last to the first, of each the
    upper 53 bits.
    """

    __slots__ = ("_block", "_key", "_left", "_words")

    def __init__(self, key: bytes, *words: str) -> None:
        self._key = key
        self._words = words
        self._block = 0
        self._left: list[int] = []

    def _refilled(self) -> list[int]:
        told = b"\0".join([b"%d:%b" % (len(part), part) for part in map(raw, self._words)])
        salt = self._block.to_bytes(16, "little")
        self._left = [*_EIGHT(blake2b(told, key=self._key, salt=salt, person=b"seatrial draw").digest())]
        self._block += 1
        return self._left

    def below(self, count: int) -> int:
        """A whole number of [0, count)."""
        return ((self._left or self._refilled()).pop() >> 11) * count >> 53

    def of(self, choices: str) -> str:
        """One character of some."""
        return choices[self.below(len(choices))]

    def text(self, choices: Iterable[str]) -> str:
        """One character of each of these, in their order."""
        return "".join([some[self.below(len(some))] for some in choices])


_EIGHT = Struct("<8Q").unpack


def check(kind: str, free: str) -> int:
    """What the checked places of a surrogate follow from: a number of 256 bits, which anybody can compute.

    It is not keyed on purpose: a surrogate is known as one in a later run, under another key, on another machine.
    """
    return int.from_bytes(sha256(raw(f"seatrial surrogate\0{kind}\0{free}")).digest(), "big")
