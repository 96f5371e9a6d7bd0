"""MinHash of many texts at once, in arrays: one permutation hashing, densified, in bands.

Sources: Broder 1997 (minwise hashing); Li, Owen and Zhang 2012 (one permutation hashing); Shrivastava 2017 (optimal
densification); Li and König 2010 (a byte of each minimum is enough to estimate by).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
"""Characters of a shingle."""
NARROW_BITS = np.uint64(12)
NARROW = 1 << 12
"""Characters below it, of most alphabets, are so narrow that a shingle of them fits 64 bits."""
BINS = 120
"""Minima of a text that its likeness is estimated by: a standard error of 0.04 at 0.8."""
BANDED = 60
"""Of these, the first ones make the bands."""
EMPTY = np.uint32(0xFFFFFFFF)
BASE = np.uint64(0x100000001B3)
MIX = np.uint64(0x9E3779B97F4A7C15)
MIX_AGAIN = np.uint64(0xBF58476D1CE4E5B9)
TRIES = 64
FOUND = 0.98
"""The least chance with which a pair at the threshold shares a band."""


class Signatures(NamedTuple):
    """`bands`: one key a text and band; `bytes`: one byte a text and bin. Equal shares of both estimate Jaccard."""

    bands: NDArray[np.uint32]
    bytes: NDArray[np.uint8]


def rows_per_band(threshold: float) -> int:
    """The most rows a band may have so that a pair at the threshold still shares one with chance `FOUND`."""
    fitting = [r for r in (1, 2, 3, 4, 5, 6, 10) if 1 - (1 - threshold**r) ** (BANDED // r) >= FOUND]
    return max(fitting, default=1)


class Shingles:
    """The distinct runs of `SHINGLE` characters of a text, or the text itself where it is shorter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.packed = _packed(text)
        """Sorted, each as one number; None where the characters are too wide, or too few."""

    @cached_property
    def spelt(self) -> set[str]:
        """The same as texts."""
        return {self._text[i : i + SHINGLE] for i in range(len(self._text) - SHINGLE + 1)} or {self._text}


def jaccard(a: Shingles, b: Shingles) -> float:
    """The size of the intersection of two texts' shingles by that of their union."""
    if a.packed is None or b.packed is None:
        common = len(a.spelt & b.spelt)
        return common / (len(a.spelt) + len(b.spelt) - common)
    both = np.concatenate((a.packed, b.packed))
    both.sort()
    union = np.count_nonzero(_changes(both))
    return (len(both) - union) / union


def _packed(text: str) -> NDArray[np.uint64] | None:
    if len(text) < SHINGLE:
        return None
    codes = _codes(text)
    if not text.isascii() and int(codes.max()) >= NARROW:
        return None
    count = len(codes) - SHINGLE + 1
    packed = codes[:count].copy()
    for at in range(1, SHINGLE):
        packed <<= NARROW_BITS
        packed |= codes[at : at + count]
    packed.sort()
    return packed[_changes(packed)]


def _changes(ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of sorted numbers differ from the one before."""
    changes = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=changes[1:])
    return changes


def _codes(text: str) -> NDArray[np.uint64]:
    """The code points of a text."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.uint64)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)


def signatures(texts: Sequence[str], rows: int) -> Signatures:
    """The signatures of texts that are normalised already."""
    padded = [text.ljust(SHINGLE, "\0") for text in texts]
    hashed, owner = _hashed(_codes("".join(padded)), np.array([len(text) for text in padded]))
    minima = np.full((len(texts), BINS), EMPTY)
    places = hashed >> np.uint64(32)
    places *= np.uint64(BINS)
    places >>= np.uint64(32)
    places += owner
    np.minimum.at(minima.reshape(-1), places.view(np.int64), hashed.astype(np.uint32))
    _densify(minima)
    return Signatures(_banded(minima, rows), ((minima * np.uint32(0x9E3779B1)) >> np.uint32(24)).astype(np.uint8))


def _hashed(codes: NDArray[np.uint64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A hash of every shingle, and the first bin of the text that it is of."""
    count = len(codes) - SHINGLE + 1
    mixed = codes[:count].copy()
    for at in range(1, SHINGLE):
        mixed *= BASE
        mixed += codes[at : at + count]
    inside = np.ones(len(codes), dtype=np.bool_)
    for short in range(1, SHINGLE):
        inside[np.cumsum(lengths) - short] = False  # too near to the end of its text
    mixed = mixed[inside[:count]]
    mixed ^= mixed >> np.uint64(29)
    mixed *= MIX
    mixed ^= mixed >> np.uint64(32)
    mixed *= MIX_AGAIN
    mixed ^= mixed >> np.uint64(31)
    return mixed, np.repeat(np.arange(len(lengths), dtype=np.uint64) * np.uint64(BINS), lengths - (SHINGLE - 1))


def _probes() -> NDArray[np.int64]:
    """For every try and bin, the bin to borrow from: the same for every text."""
    at = np.arange(TRIES * BINS, dtype=np.uint64) + np.uint64(1)
    mixed = at * MIX
    mixed = (mixed ^ (mixed >> np.uint64(29))) * MIX_AGAIN
    return ((mixed >> np.uint64(33)) % np.uint64(BINS)).astype(np.int64).reshape(TRIES, BINS)


def _densify(minima: NDArray[np.uint32]) -> None:
    """Fill the empty bins of short texts from full ones."""
    texts, bins = np.nonzero(minima == EMPTY)
    if not len(texts):
        return
    full = minima.copy()
    for probe in _probes():
        borrowed = full[texts, probe[bins]]
        found = borrowed != EMPTY
        minima[texts[found], bins[found]] = borrowed[found]
        texts, bins = texts[~found], bins[~found]
        if not len(texts):
            return
    minima[texts, bins] = full.min(axis=1)[texts]


def _banded(minima: NDArray[np.uint32], rows: int) -> NDArray[np.uint32]:
    bands = minima[:, :BANDED].astype(np.uint64).reshape(len(minima), BANDED // rows, rows)
    keys = np.full(bands.shape[:2], 1, dtype=np.uint64)
    for row in range(rows):
        keys = (keys ^ bands[:, :, row]) * MIX
        keys ^= keys >> np.uint64(29)
    return (keys >> np.uint64(32)).astype(np.uint32)
