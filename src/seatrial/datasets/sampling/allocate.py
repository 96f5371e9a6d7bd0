"""How many cases each stratum gives, and which: pure functions on arrays.

Quotas are fractions whose expectation is kept: they become whole numbers by systematic sampling of the remainders
(Madow 1949), so that over seeds the mean of what a stratum gives is its quota exactly, and any one draw is off by less
than one. Units are drawn with a chance in proportion to the records of traffic that they stand for, exactly (systematic
sampling with probability proportional to size, in random order; units larger than the step are taken with certainty).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Remainders = Literal["random", "largest"]

LEAST_RATE, MOST_RATE = 0.05, 0.95
"""Past pass rates are taken no nearer to 0 and 1: a stratum that never failed may fail a new model."""


def clamped(total: float, shape: Floats, low: Floats, high: Floats) -> Floats:
    """Parts of `total` in proportion to `shape`, none below `low` or above `high`.

    The one λ with Σ min(high, max(low, λ·shape)) = total. Where the highs sum to less than the total, the highs; where
    the lows sum to more, ValueError. What a stratum cannot give goes to the others in proportion to their shape, and
    to strata without shape only when no other can take it.
    """
    low = np.minimum(low, high)
    if low.sum() > total + 1e-9:
        raise ValueError(f"the lowest parts sum to {low.sum():g}, more than {total:g}")
    if high.sum() <= total:
        return high.astype(np.float64)
    has = shape > 0
    reachable = float(np.where(has, high, low).sum())
    if reachable <= total:
        parts = np.where(has, high, low).astype(np.float64)
        return parts if reachable == total else _spread(parts, total, high)
    return _solved(total, shape, low, high)


def _spread(parts: Floats, total: float, high: Floats) -> Floats:
    """The parts, with what is left dealt to those below their high in proportion to their room."""
    room = high - parts
    return parts + room * ((total - parts.sum()) / room.sum())


def _solved(total: float, shape: Floats, low: Floats, high: Floats) -> Floats:
    """The sum grows in straight pieces with λ: find the piece, then solve it."""
    has = shape > 0
    ends = np.unique(np.concatenate([low[has] / shape[has], high[has] / shape[has]]))
    sums = np.array([float(np.clip(end * shape, low, np.where(has, high, low)).sum()) for end in ends])
    at = int(np.searchsorted(sums, total))
    left = ends[at - 1] if at else 0.0
    middle = (left + ends[min(at, len(ends) - 1)]) / 2
    free = has & (middle * shape > low) & (middle * shape < high)
    fixed = float(np.where(free, 0.0, np.clip(middle * shape, low, np.where(has, high, low))).sum())
    slope = float(shape[free].sum())
    factor = (total - fixed) / slope if slope > 0 else ends[min(at, len(ends) - 1)]
    return np.where(free, factor * shape, np.clip(middle * shape, low, np.where(has, high, low)))


def neyman(shares: Floats, rates: Floats) -> Floats:
    """The shape that gives a pass rate its smallest variance: share × √(p(1 − p)); NaN rates count as one half.

    Source: Neyman 1934.
    """
    p = np.clip(np.where(np.isnan(rates), 0.5, rates), LEAST_RATE, MOST_RATE)
    return shares * np.sqrt(p * (1 - p))


def whole(quotas: Floats, random: np.random.Generator, remainders: Remainders = "random") -> Ints:
    """Quotas as whole numbers with the same sum, each its floor or its ceiling.

    `random`: a remainder is its chance of the ceiling, exactly. `largest`: the largest remainders get it, ties by lot;
    the same on every seed but for ties, so that a small stratum may get nothing every time.
    """
    near = np.rint(quotas)
    quotas = np.where(np.abs(quotas - near) < 1e-9, near, quotas)
    floors = np.floor(quotas).astype(np.int64)
    rest = quotas - floors
    left = round(float(rest.sum()))
    order = random.permutation(len(quotas))
    given = np.zeros(len(quotas), dtype=np.int64)
    if left == 0:
        return floors
    if remainders == "largest":
        given[order[np.argsort(-rest[order], kind="stable")[:left]]] = 1
        return floors + given
    edges = np.cumsum(rest[order]) * (left / float(rest.sum()))
    picks = np.searchsorted(edges, random.random() + np.arange(left), side="right")
    np.add.at(given, order[np.minimum(picks, len(quotas) - 1)], 1)
    return floors + given


def inclusion(sizes: Ints, count: int) -> tuple[NDArray[np.bool_], float]:
    """The units that are taken with certainty, and the records that each other unit taken stands for (the step).

    A unit is certain when its size is at least the step: what is left to draw, divided by what is left to give.
    """
    certain = np.zeros(len(sizes), dtype=np.bool_)
    while True:
        left, total = count - int(certain.sum()), int(sizes[~certain].sum())
        if left <= 0:
            return certain, 0.0
        found = ~certain & (sizes * left >= total)
        if not found.any():
            return certain, total / left
        certain |= found


def draw(sizes: Ints, count: int, random: np.random.Generator) -> tuple[Ints, Floats]:
    """`count` different units, each with chance min(1, size / step); places in ascending order, with their weights.

    `sizes`: records of traffic that each unit stands for, in an order that does not depend on the input's. A weight is
    size / chance: it sums to the total size exactly, so weighted means are those of the traffic.
    """
    if count >= len(sizes):
        return np.arange(len(sizes)), sizes.astype(np.float64)
    if count <= 0:
        return np.empty(0, dtype=np.int64), np.empty(0)
    certain, step = inclusion(sizes, count)
    places = np.flatnonzero(certain)
    weights = sizes[places].astype(np.float64)
    if step > 0:
        others = random.permutation(np.flatnonzero(~certain))
        edges = np.cumsum(sizes[others])
        left = count - len(places)
        points = (random.random() + np.arange(left)) * (float(edges[-1]) / left)
        picked = others[np.minimum(np.searchsorted(edges, points, side="right"), len(others) - 1)]
        places = np.concatenate([places, picked])
        weights = np.concatenate([weights, np.full(len(picked), step)])
    order = np.argsort(places)
    return places[order], weights[order]


def generator(seed: int, *what: str) -> np.random.Generator:
    """Random numbers for one purpose: those of another purpose, or stratum, do not move when this one asks for more."""
    from hashlib import blake2b

    key = "\x00".join(what).encode("utf-8", "surrogatepass")
    words = np.frombuffer(blake2b(key, digest_size=16).digest(), dtype="<u4").tolist()
    return np.random.default_rng([seed, *words])


def is_whole(value: float) -> bool:
    """Whether a number of cases is one."""
    return math.isfinite(value) and value == int(value)
