"""Two arms on different cases: live traffic before and after, or side by side."""

from __future__ import annotations

import math

import numpy as np

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import normal_quantile
from seatrial.stats.rates import Interval, wilson


def newcombe_unpaired(k1: float, n1: float, k2: float, n2: float, *, alpha: float = 0.05) -> Interval:
    """Return Newcombe's hybrid score interval of p₁ − p₂ for two independent arms.

    Args:
        k1: passes of the first arm, 0 to n1.
        n1: independent cases of the first arm.
        k2: passes of the second arm, 0 to n2.
        n2: independent cases of the second arm.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    Assumes independent cases that the arms do not share; the same cases in both are `tango`'s. An arm
    without cases gives the widest interval its partner allows; the width is never 0.
    Source: Newcombe 1998, method 10 for unpaired data.

    Raises:
        ValueError: a count or alpha out of range.

    """
    _counts(k1, n1, k2, n2)
    _check.inside("alpha", alpha, 0, 1)
    if n1 == 0 or n2 == 0:
        first, second = wilson(k1, n1, alpha=alpha), wilson(k2, n2, alpha=alpha)
        return Interval(first.low - second.high, first.high - second.low)
    p1, p2 = k1 / n1, k2 / n2
    first, second = wilson(k1, n1, alpha=alpha), wilson(k2, n2, alpha=alpha)
    below = math.hypot(p1 - first.low, second.high - p2)
    above = math.hypot(first.high - p1, p2 - second.low)
    return Interval(max(-1.0, p1 - p2 - below), min(1.0, p1 - p2 + above))


def miettinen_nurminen(k1: float, n1: float, k2: float, n2: float, *, alpha: float = 0.05) -> Interval:
    """Return the Miettinen–Nurminen score interval of p₁ − p₂ for two independent arms.

    Args:
        k1: passes of the first arm, 0 to n1.
        n1: independent cases of the first arm.
        k2: passes of the second arm, 0 to n2.
        n2: independent cases of the second arm.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    Assumes independent cases that the arms do not share. Works at 0 and n; never of width 0; an arm
    without cases gives (−1, 1).
    Source: Miettinen and Nurminen 1985, with the factor N/(N − 1).

    Raises:
        ValueError: a count or alpha out of range.

    """
    _counts(k1, n1, k2, n2)
    _check.inside("alpha", alpha, 0, 1)
    if n1 == 0 or n2 == 0:
        return Interval(-1.0, 1.0)
    z = normal_quantile(1 - alpha / 2)
    return Interval(_lower_end(k1, n1, k2, n2, z), -_lower_end(k2, n2, k1, n1, z))


def miettinen_nurminen_z(k1: float, n1: float, k2: float, n2: float, delta0: float) -> float:
    """Return the Miettinen–Nurminen score statistic for a true p₁ − p₂ of `delta0`.

    Args:
        k1: passes of the first arm, 0 to n1.
        n1: cases of the first arm, 1 or more.
        k2: passes of the second arm, 0 to n2.
        n2: cases of the second arm, 1 or more.
        delta0: the difference tested, −1 < delta0 < 1.

    Normal with variance 1 when delta0 is true; large positive values say "more than delta0". 0 when the
    data fit delta0 exactly.
    Source: Miettinen and Nurminen 1985.

    Raises:
        ValueError: an argument out of range, or an arm without cases.

    """
    _counts(k1, n1, k2, n2)
    _check.positive("n1", n1)
    _check.positive("n2", n2)
    return _score(k1, n1, k2, n2, _check.inside("delta0", delta0, -1, 1))


def _counts(k1: float, n1: float, k2: float, n2: float) -> None:
    _check.count("k1", k1, most=_check.count("n1", n1))
    _check.count("k2", k2, most=_check.count("n2", n2))


def _score(k1: float, n1: float, k2: float, n2: float, delta: float) -> float:
    """The score statistic, from the closed form of the constrained maximum likelihood."""
    total, k = n1 + n2, k1 + k2
    l2 = (n1 + 2 * n2) * delta - total - k
    l1 = (n2 * delta - total - 2 * k2) * delta + k
    l0 = k2 * delta * (1 - delta)
    q = l2**3 / (27 * total**3) - l1 * l2 / (6 * total**2) + l0 / (2 * total)
    p = math.copysign(math.sqrt(max(0.0, l2**2 / (9 * total**2) - l1 / (3 * total))), q)
    cosine = min(1.0, max(-1.0, q / p**3)) if p else 0.0
    second = 2 * p * math.cos((math.pi + math.acos(cosine)) / 3) - l2 / (3 * total)
    second = min(1.0, max(0.0, second))
    first = min(1.0, max(0.0, second + delta))
    gap = k1 / n1 - k2 / n2 - delta
    variance = (first * (1 - first) / n1 + second * (1 - second) / n2) * total / max(total - 1, 1e-12)
    if abs(gap) <= 1e-15:
        return 0.0
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap)


def _lower_end(k1: float, n1: float, k2: float, n2: float, z: float) -> float:
    below, above = -1.0, k1 / n1 - k2 / n2
    for _ in range(60):
        middle = (below + above) / 2
        below, above = (middle, above) if _score(k1, n1, k2, n2, middle) > z else (below, middle)
    return below


def smoothed_variance(k: Floats, n: Floats) -> Floats:
    """Return p(1 − p) with one pass and one failure added, so that it is never 0."""
    p = (np.asarray(k) + 1) / (np.asarray(n) + 2)
    return p * (1 - p)
