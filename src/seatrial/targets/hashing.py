"""The embedder that needs no model: hashed character n-grams, the same on every machine.

Feature hashing with signs (Weinberger and others, "Feature Hashing for Large Scale Multitask Learning", 2009) over the
character n-grams of the folded text (Cavnar and Trenkle, "N-Gram-Based Text Categorization", 1994). It measures shared
wording and spelling, not meaning: a paraphrase without a common word is far away, a negation is near.
"""

from __future__ import annotations

import asyncio
import math
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seatrial.core.record import Json

DIMENSIONS = 1024
SIZES = (2, 3, 4)
MIX = np.uint64(0x9E3779B97F4A7C15)
MIX_AGAIN = np.uint64(0xBF58476D1CE4E5B9)
_BUCKET = np.uint64(DIMENSIONS - 1)
_EDGE = np.ones(1, dtype=np.bool_)
LONG = 20_000
"""Characters beyond which texts are embedded off the loop."""

Vector = tuple[float, ...]


class HashingEmbedder:
    """Vectors from character n-grams: nothing is opened, sent or downloaded."""

    def identity(self) -> Mapping[str, Json]:
        """How vectors are made: they never change under one identity."""
        return {"adapter": "hashing/1", "dimensions": DIMENSIONS, "sizes": list(SIZES)}

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector a text, in order."""
        if sum(map(len, texts)) > LONG:
            return await asyncio.to_thread(lambda: [vector(text) for text in texts])
        return [vector(text) for text in texts]


def vector(text: str) -> Vector:
    """What `unit` gives, as plain numbers."""
    return tuple(unit(text).tolist())


def unit(text: str) -> NDArray[np.float64]:
    """The unit vector of a text, of `DIMENSIONS` numbers.

    Each n-gram of the folded text counts 1 + ln(times), in a bucket and with a sign that its hash gives. A text
    without a letter has a direction of its own.
    """
    grams = _hashed(_codes(text))
    grams.sort()
    ends = np.flatnonzero(np.concatenate((_EDGE, grams[1:] != grams[:-1], _EDGE)))
    found, times = grams[ends[:-1]], ends[1:] - ends[:-1]
    weights = (1 + np.log(times)) * np.where(found >> np.uint64(63), 1.0, -1.0)
    summed = np.bincount((found & _BUCKET).view(np.int64), weights, minlength=DIMENSIONS)
    length = math.sqrt(summed.dot(summed))
    if length == 0:
        summed[0], length = 1.0, 1.0
    return summed / length


def _codes(text: str) -> NDArray[np.uint64]:
    """The code points of the text: compatible forms and cases folded, words set apart by one space."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if folded.isascii():
        return np.frombuffer(f" {folded} ".encode("ascii"), dtype=np.uint8).astype(np.uint64)
    raw = f" {folded} ".encode("utf-32-le", "surrogatepass")
    return np.frombuffer(raw, dtype="<u4").astype(np.uint64)


def _hashed(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A 64-bit hash of every run of as many code points as `SIZES` tells, one size after the other.

    A row a size, all mixed at once: a longer run goes on where the shorter ones, whose rows come before, have ended.
    """
    count = len(codes)
    mixed = np.empty((len(SIZES), count), dtype=np.uint64)
    mixed[:] = np.array(SIZES, dtype=np.uint64)[:, None]
    for at in range(max(SIZES)):
        rows = mixed[sum(size <= at for size in SIZES) :, : max(count - at, 0)]
        rows ^= codes[at:]
        rows *= MIX
        rows ^= rows >> np.uint64(29)
    mixed *= MIX_AGAIN
    mixed ^= mixed >> np.uint64(32)
    return np.concatenate([row[: max(count - size + 1, 0)] for row, size in zip(mixed, SIZES, strict=True)])
