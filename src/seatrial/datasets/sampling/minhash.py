"""MinHash of many texts at once, in arrays: one permutation hashing, densified, in bands.

Sources: Broder 1997 (minwise hashing); Li, Owen and Zhang 2012 (one permutation hashing); Shrivastava 2017 (optimal
densification); Li and König 2010 (a byte of each minimum is enough to estimate by).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
"""Characters of a shingle."""
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


def shingles(text: str) -> set[str]:
    """The runs of `SHINGLE` characters of a text; the text itself where it is shorter."""
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)} or {text}


def jaccard(a: set[str], b: set[str]) -> float:
    """The size of the intersection by that of the union."""
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def signatures(texts: Sequence[str], rows: int) -> Signatures:
    """The signatures of texts that are normalised already."""
    encoded = [text.ljust(SHINGLE, "\0").encode("utf-32-le", "surrogatepass") for text in texts]
    codes = np.frombuffer(b"".join(encoded), dtype="<u4").astype(np.uint64)
    lengths = np.array([len(raw) // 4 for raw in encoded])
    hashed, owner = _hashed(codes, lengths)
    minima = np.full((len(texts), BINS), EMPTY)
    bins = hashed >> np.uint64(32)
    bins *= np.uint64(BINS)
    bins >>= np.uint64(32)
    places = owner * BINS + bins.view(np.int64)
    np.minimum.at(minima.reshape(-1), places, hashed.astype(np.uint32))
    _densify(minima)
    return Signatures(_banded(minima, rows), ((minima * np.uint32(0x9E3779B1)) >> np.uint32(24)).astype(np.uint8))


def _hashed(codes: NDArray[np.uint64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """A hash of every shingle, and the text that it is of."""
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
    return mixed, np.repeat(np.arange(len(lengths)), lengths - (SHINGLE - 1))


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
