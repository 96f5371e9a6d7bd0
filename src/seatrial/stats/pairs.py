"""Candidate against incumbent on the same cases: tests and intervals for the difference of pass rates.

`b` counts cases where the candidate passes and the incumbent fails, `c` the opposite. Cases in clusters
are in `clusters.py`.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import binomial_cdf, binomial_pmf, normal_cdf, normal_quantile
from seatrial.stats.rates import Interval, wilson

Tail = Literal["greater", "less"]


class McNemar(NamedTuple):
    """Two p-values of McNemar's test: the exact one and the mid-p one (the default to show)."""

    exact: float
    mid_p: float


def mcnemar(b: int, c: int) -> McNemar:
    """Return the two-sided p-values of "candidate and incumbent pass equally often".

    Args:
        b: cases where only the candidate passes.
        c: cases where only the incumbent passes.

    Assumes independent cases. Mid-p is less cautious than the exact p and still holds its level in
    practice. b = c gives 1 exactly and 1 − ½·P(b) for mid-p; b + c = 0 gives 1 for both: the arms are
    identical on these cases (the interval still says how far they may differ).
    Source: McNemar 1947; Fagerland, Lydersen and Laake 2013 (mid-p).

    Raises:
        ValueError: b or c not a whole number, or negative.

    """
    fewer, n = min(_check.whole("b", b), _check.whole("c", c)), b + c
    if n == 0:
        return McNemar(1.0, 1.0)
    tail, at = binomial_cdf(fewer, n, 0.5), binomial_pmf(fewer, n, 0.5)
    if b == c:
        return McNemar(1.0, 1.0 - at / 2)
    return McNemar(min(1.0, 2 * tail), min(1.0, 2 * tail - at))


def mcnemar_one_sided(b: int, c: int) -> McNemar:
    """Return the one-sided p-values for "the candidate is worse": small when c is well above b.

    Args:
        b: cases where only the candidate passes.
        c: cases where only the incumbent passes.

    For gates against the incumbent, at a lax alpha of .10 to .20. b + c = 0 gives 1 for both. Swap the
    arguments for "the candidate is better".
    Source: as `mcnemar`.

    Raises:
        ValueError: b or c not a whole number, or negative.

    """
    n = _check.whole("b", b) + _check.whole("c", c)
    if n == 0:
        return McNemar(1.0, 1.0)
    tail = binomial_cdf(b, n, 0.5)
    return McNemar(tail, tail - binomial_pmf(b, n, 0.5) / 2)


HALVINGS = 56


def _score(b: Floats, c: Floats, n: Floats, delta0: Floats) -> tuple[Floats, Floats]:
    """Numerator and variance of Tango's statistic."""
    rest = delta0 * (1 - delta0)
    linear = 2 * n * delta0 - (b + c) - delta0 * (b - c)
    root = np.sqrt(np.maximum(0.0, linear * linear + 8 * n * c * rest))
    variance = np.maximum(0.0, (root - linear) / 2 + n * rest)
    return b - c - n * delta0, variance


def tango_bounds(b: ArrayLike, c: ArrayLike, n: ArrayLike, *, z: ArrayLike) -> tuple[Floats, Floats]:
    """Return the lower and upper ends of `tango` for arrays of counts (they broadcast), at quantile `z`.

    For simulations and leave-one-out loops, where one call per interval would be slow. No checks are
    made: 0 ≤ b, 0 ≤ c, b + c ≤ n, n > 0 and z > 0 must hold. Source: as `tango`.
    """
    wins, losses, size, quantile = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (b, c, n, z)))
    # The upper end is the mirror of the lower end with the arms swapped: both are found at once.
    b2, c2 = np.stack((wins, losses)), np.stack((losses, wins))
    below, above = np.full(b2.shape, -1.0), (b2 - c2) / size
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        gap, variance = _score(b2, c2, size, middle)
        keep = gap > quantile * np.sqrt(variance)
        below, above = np.where(keep, middle, below), np.where(keep, above, middle)
    ends = np.where(c2 >= size, -1.0, below)
    return ends[0], -ends[1]


def tango_ends(b: float, c: float, n: float, *, z: float) -> Interval:
    """Return what `tango_bounds` gives for one table, without the cost of arrays. Source: as `tango`."""
    return Interval(_lower_end(b, c, n, z), -_lower_end(c, b, n, z))


def _lower_end(b: float, c: float, n: float, z: float) -> float:
    """The step of `tango_bounds` on plain numbers."""
    if c >= n:
        return -1.0
    below, above = -1.0, (b - c) / n
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        rest = middle * (1 - middle)
        linear = 2 * n * middle - (b + c) - middle * (b - c)
        root = math.sqrt(max(0.0, linear * linear + 8 * n * c * rest))
        variance = max(0.0, (root - linear) / 2 + n * rest)
        if b - c - n * middle > z * math.sqrt(variance):
            below = middle
        else:
            above = middle
    return below


def tango(b: float, c: float, n: float, *, alpha: float = 0.05) -> Interval:
    """Return Tango's score interval of (b − c)/n: the default for a paired difference of pass rates.

    Args:
        b: cases where only the candidate passes. May be fractional (an effective size).
        c: cases where only the incumbent passes.
        n: all cases, discordant or not.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1. For a non-inferiority test at 5% use .10 and
            compare the lower end with −margin.

    The result lies in −1 to 1 and holds the estimate. Assumes independent cases, each answered once by
    both arms. b = c = 0 gives ±z²/(n + z²): identical answers still leave room. n = 0 gives (−1, 1).
    Source: Tango 1998.

    Raises:
        ValueError: b, c, n or alpha out of range, or b + c above n.

    """
    _counts(b, c, n)
    _check.inside("alpha", alpha, 0, 1)
    if n == 0:
        return Interval(-1.0, 1.0)
    return tango_ends(b, c, n, z=normal_quantile(1 - alpha / 2))


def _counts(b: float, c: float, n: float) -> None:
    _check.count("n", n)
    _check.count("b", b, most=n)
    _check.count("c", c, most=n)
    if b + c > n * (1 + 1e-12):
        raise ValueError(f"b + c must be at most n = {n!r}; got b = {b!r} and c = {c!r}")


def tango_z(b: float, c: float, n: float, delta0: float) -> float:
    """Return Tango's score statistic for a true difference of `delta0`: normal with variance 1 if true.

    Args:
        b: cases where only the candidate passes. May be fractional.
        c: cases where only the incumbent passes.
        n: all cases.
        delta0: the difference tested, −1 < delta0 < 1; −margin for non-inferiority.

    Large positive values say "more than delta0": at delta0 = −margin, above 1.645 is non-inferior at 5%.
    Where the data fit delta0 exactly it is 0. n = 0 gives 0.
    Source: Tango 1998.

    Raises:
        ValueError: an argument out of range, or b + c above n.

    """
    _counts(b, c, n)
    _check.inside("delta0", delta0, -1, 1)
    if n == 0:
        return 0.0
    gap, variance = (float(part) for part in _score(*(np.asarray(a, dtype=np.float64) for a in (b, c, n, delta0))))
    if abs(gap) <= 1e-12 * n:
        return 0.0
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap)


def tango_statistics(b: Floats, c: Floats, n: Floats, delta0: float) -> Floats:
    """Return `tango_z` for arrays of counts, all n above 0, without its checks. Source: as `tango`."""
    gap, variance = _score(b, c, n, np.full(b.shape, delta0))
    sure = np.copysign(np.inf, gap)
    told = np.divide(gap, np.sqrt(variance), out=sure, where=variance > 0)
    return np.where(np.abs(gap) <= 1e-12 * n, 0.0, told)


def tango_p(b: float, c: float, n: float, delta0: float, *, tail: Tail) -> float:
    """Return the one-sided p-value of `tango_z`.

    Args:
        b: cases where only the candidate passes.
        c: cases where only the incumbent passes.
        n: all cases.
        delta0: the difference tested, −1 < delta0 < 1.
        tail: "greater": small when the difference is above delta0 (non-inferior, at −margin); "less":
            small when it is below (worse than the margin, at −margin).

    Agrees with `tango`: "greater" is below alpha/2 just when delta0 lies below the interval.
    Source: Tango 1998.

    Raises:
        ValueError: an argument out of range, or an unknown tail.

    """
    z = tango_z(b, c, n, delta0)
    return normal_cdf(-z if is_greater(tail) else z)


def is_greater(tail: str) -> bool:
    """Return whether `tail` is "greater"; raise ValueError when it is neither that nor "less"."""
    if tail not in {"greater", "less"}:
        raise ValueError(f"tail must be 'greater' or 'less'; got {tail!r}")
    return tail == "greater"


def newcombe_paired(a: float, b: float, c: float, d: float, *, alpha: float = 0.05) -> Interval:
    """Return Newcombe's closed-form interval (method 10) of the paired difference (b − c)/n.

    Args:
        a: cases where both arms pass.
        b: cases where only the candidate passes.
        c: cases where only the incumbent passes.
        d: cases where both fail.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    Close to `tango` and without iteration: a cross-check. No cases give (−1, 1).
    Source: Newcombe 1998, method 10.

    Raises:
        ValueError: a negative count, or alpha out of range.

    """
    for name, value in (("a", a), ("b", b), ("c", c), ("d", d)):
        _check.count(name, value)
    _check.inside("alpha", alpha, 0, 1)
    n = a + b + c + d
    if n == 0:
        return Interval(-1.0, 1.0)
    first, second = wilson(a + b, n, alpha=alpha), wilson(a + c, n, alpha=alpha)
    p1, p2 = (a + b) / n, (a + c) / n
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    cross = a * d - b * c
    shrunk = max(cross - n / 2, 0.0) if cross > 0 else cross
    phi = shrunk / math.sqrt(margins) if margins > 0 else 0.0
    down1, up1, down2, up2 = p1 - first.low, first.high - p1, p2 - second.low, second.high - p2
    below = math.sqrt(max(0.0, down1**2 - 2 * phi * down1 * up2 + up2**2))
    above = math.sqrt(max(0.0, down2**2 - 2 * phi * down2 * up1 + up1**2))
    return Interval(max(-1.0, p1 - p2 - below), min(1.0, p1 - p2 + above))
