"""Quantiles such as the p95 latency, with intervals that assume nothing about the distribution."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.rates import Interval


class Ranks(NamedTuple):
    """Which sorted values (counted from 1) bound a quantile, and how often they do."""

    low: int
    high: int
    coverage: float


def quantile_ranks(n: int, q: float, *, alpha: float = 0.05) -> Ranks:
    """Return the ranks of the two sorted values between which the true q-quantile lies.

    Args:
        n: independent values, 1 or more.
        q: the quantile, 0 < q < 1 (.95 for p95).
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    Rank 0 stands for "no lower bound" and n + 1 for "no upper bound": few values cannot bound an outer
    quantile. `coverage` is what the ranks reach for a continuous distribution, at least 1 − alpha.
    Source: David and Nagaraja 2003, section 7.1.

    Raises:
        ValueError: n, q or alpha out of range.

    """
    n = _check.whole("n", n, least=1)
    _check.inside("q", q, 0, 1)
    _check.inside("alpha", alpha, 0, 1)
    cdf = _binomial_cdf(n, q)
    low, high = (int(np.searchsorted(cdf, p)) for p in (alpha / 2, 1 - alpha / 2))
    return Ranks(low, high + 1, float(cdf[high]) - (float(cdf[low - 1]) if low else 0.0))


def quantile_interval(values: ArrayLike, q: float, *, alpha: float = 0.05) -> Interval:
    """Return the order-statistic interval of a quantile: for latency p50 and p95.

    Args:
        values: independent measurements in any unit; the interval has the same unit.
        q: the quantile, 0 < q < 1.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    Holds for every distribution. An end that the data cannot bound is −inf or inf (fewer than 72 values
    give no upper end for p95); no data give both. With ties both ends may be the same value: the
    quantile of data that repeat one value is that value.
    Source: David and Nagaraja 2003, section 7.1.

    Raises:
        ValueError: a value that is not finite, or q or alpha out of range.

    """
    sorted_values = np.sort(_check.vector("values", values))
    _check.inside("q", q, 0, 1)
    _check.inside("alpha", alpha, 0, 1)
    if sorted_values.size == 0:
        return Interval(-math.inf, math.inf)
    low, high, _ = quantile_ranks(sorted_values.size, q, alpha=alpha)
    return Interval(
        float(sorted_values[low - 1]) if low >= 1 else -math.inf,
        float(sorted_values[high - 1]) if high <= sorted_values.size else math.inf,
    )


def _binomial_cdf(n: int, q: float) -> Floats:
    """P(Bin(n, q) ≤ k) for k = 0 … n, each probability from its neighbour nearer to the mode."""
    mode = min(n, math.floor((n + 1) * q))
    up, down = np.arange(mode, n), np.arange(mode, 0, -1)
    above = np.cumprod((n - up) / (up + 1) * (q / (1 - q)))
    below = np.cumprod(down / (n - down + 1) * ((1 - q) / q))
    sums = np.cumsum(np.concatenate([below[::-1], [1.0], above]))
    return sums / sums[-1]
