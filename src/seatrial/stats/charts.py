"""Control charts on continuous values (standardised scores, latencies): mean run lengths. See `drift` for 0 and 1."""

from __future__ import annotations

import math

import numpy as np

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import normal_cdf, normal_cdfs

SIEGMUND_SHIFT = 1.166
"""Twice the mean overshoot of a normal random walk, ρ = .583."""


def arl_normal_cusum(
    k: float, h: float, mean: float = 0.0, *, sides: int = 1, head_start: float = 0.0, nodes: int = 64
) -> float:
    """Return the mean run length of a CUSUM on standard normal numbers, for charts of continuous values.

    Args:
        k: reference value, 0 or more, in standard deviations.
        h: alarm limit, above 0.
        mean: true mean of the numbers.
        sides: 1 to watch for a rise, 2 for either direction.
        head_start: value at the start, 0 to h, excluded; only with one side.
        nodes: of the Gauss–Legendre rule; 64 gives 6 digits for usual charts.

    Solves the integral equation of the run length.
    Source: Page 1954; Vance 1986; Kemp 1961 for two sides; Lucas and Crosier 1982 for the head start.

    Raises:
        ValueError: k, h, mean, sides, head_start or nodes out of range.

    """
    if not 0 <= k < math.inf:
        raise ValueError(f"k must not be negative; got {k!r}")
    _check.positive("h", h)
    _finite(mean)
    _check.whole("nodes", nodes, least=8)
    if sides not in {1, 2}:
        raise ValueError(f"sides must be 1 or 2; got {sides!r}")
    if not 0 <= head_start < h or (head_start and sides == 2):
        raise ValueError(f"head_start must be from 0 to below h = {h:g}, and 0 with two sides; got {head_start!r}")
    up = _one_sided_cusum(k, h, mean, head_start, nodes)
    if sides == 1:
        return up
    down = _one_sided_cusum(k, h, -mean, 0.0, nodes)
    return 1 / (1 / up + 1 / down)


def _one_sided_cusum(k: float, h: float, mean: float, head_start: float, nodes: int) -> float:
    x, w = np.polynomial.legendre.leggauss(nodes)
    at, weight = (x + 1) * h / 2, w * h / 2
    drop = k - mean

    def leads_to(states: Floats) -> Floats:
        """From each state: the chance of 0 next, then the density at the nodes."""
        gaps = at[None, :] - states[:, None] + drop
        return np.column_stack((normal_cdfs(drop - states), _density(gaps) * weight))

    states = np.concatenate(([0.0], at))
    lengths = np.linalg.solve(np.eye(nodes + 1) - leads_to(states), np.ones(nodes + 1))
    return 1 + float((leads_to(np.array([head_start])) @ lengths)[0])


def arl_siegmund(k: float, h: float, mean: float = 0.0) -> float:
    """Return Siegmund's closed-form approximation of the mean run length of a one-sided normal CUSUM.

    Args:
        k: reference value, 0 or more, in standard deviations.
        h: alarm limit, above 0.
        mean: true mean of the numbers.

    Within about 1% of `arl_normal_cusum` for usual charts: enough to choose a limit by hand.
    Source: Siegmund 1985.

    Raises:
        ValueError: k, h or mean out of range.

    """
    if not 0 <= k < math.inf:
        raise ValueError(f"k must not be negative; got {k!r}")
    _finite(mean)
    drift, b = mean - k, _check.positive("h", h) + SIEGMUND_SHIFT
    if abs(drift * b) < 1e-5:  # the limit, where the formula would cancel
        return b * b * (1 - 2 * drift * b / 3)
    return (math.expm1(-2 * drift * b) + 2 * drift * b) / (2 * drift * drift)


def arl_ewma(weight: float, limit: float, mean: float = 0.0, *, nodes: int = 64) -> float:
    """Return the mean run length of a two-sided EWMA chart on standard normal numbers.

    Args:
        weight: λ, share of the newest number in the average, above 0 and at most 1; 1 is a Shewhart chart.
        limit: L, alarm limits in standard deviations of the average, √(λ/(2 − λ)), above 0.
        mean: true mean of the numbers.
        nodes: of the Gauss–Legendre rule; 64 is enough for λ of .02 or more.

    Starts at 0. Small weights find small shifts, large ones large shifts.
    Source: Roberts 1959; Crowder 1987; Lucas and Saccucci 1990.

    Raises:
        ValueError: weight, limit, mean or nodes out of range.

    """
    if not 0 < weight <= 1:
        raise ValueError(f"weight must be above 0 and at most 1; got {weight!r}")
    _finite(mean)
    edge = _check.positive("limit", limit) * math.sqrt(weight / (2 - weight))
    x, w = np.polynomial.legendre.leggauss(_check.whole("nodes", nodes, least=8))
    at = x * edge

    def leads_to(states: Floats) -> Floats:
        gaps = (at[None, :] - (1 - weight) * states[:, None]) / weight - mean
        return _density(gaps) * (w * edge / weight)

    lengths = np.linalg.solve(np.eye(nodes) - leads_to(at), np.ones(nodes))
    return 1 + float((leads_to(np.zeros(1)) @ lengths)[0])


def arl_shewhart(limit: float = 3.0, mean: float = 0.0) -> float:
    """Return the mean run length of a two-sided Shewhart chart: each number is judged alone.

    Args:
        limit: alarm limits in standard deviations, above 0.
        mean: true mean of the numbers, in standard deviations from the centre.

    1/P(|number| > limit). Blind to small lasting shifts: use a CUSUM or `arl_ewma` for those.
    Source: Shewhart 1931.

    Raises:
        ValueError: limit not above 0, or mean not finite.

    """
    _finite(mean)
    _check.positive("limit", limit)
    return 1 / (normal_cdf(mean - limit) + normal_cdf(-limit - mean))


def _finite(mean: float) -> None:
    if not math.isfinite(mean):
        raise ValueError(f"mean must be finite; got {mean!r}")


def _density(x: Floats) -> Floats:
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
