"""Watching a stream of passes and failures: alarms with a stated run length."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats, Ints


class CusumDesign(NamedTuple):
    """A Bernoulli CUSUM: a failure adds `up`, a pass takes 1, alarm at `limit`, never below 0.

    `arl0` is the exact mean number of cases to a false alarm at failure rate `p0`, `arl1` to a true one
    at `p1`.
    """

    up: int
    limit: int
    arl0: float
    arl1: float
    p0: float
    p1: float


class DriftPath(NamedTuple):
    """A detector's value after each case, and the number (from 0) of the case that raised the alarm."""

    values: Floats
    alarm: int | None


def bernoulli_cusum(p0: float, p1: float, arl0: float) -> CusumDesign:
    """Return the Bernoulli CUSUM that watches for a failure rate rising from p0 to p1.

    Args:
        p0: failure rate when all is well, 0 < p0 < p1. Take its pessimistic bound, from 2,000 cases or
            more: the run length is very sensitive to it.
        p1: failure rate to be found, below 1.
        arl0: mean number of cases between false alarms that is accepted, at least 1; multiply by the
            number of rubrics watched.

    The smallest limit whose exact run length reaches `arl0`. Assumes independent cases.
    Source: Reynolds and Stoumbos 1999.

    Raises:
        ValueError: rates out of order, or arl0 below 1.

    """
    _check.inside("p1", p1, 0, 1)
    _check.inside("p0", p0, 0, p1)
    if not 1 <= arl0 < math.inf:
        raise ValueError(f"arl0 must be at least 1; got {arl0!r}")
    ratio = math.log(p1 * (1 - p0) / (p0 * (1 - p1)))
    m = max(2, round(ratio / math.log((1 - p0) / (1 - p1))))
    low, high = 0, m
    while arl_exact(p0, m - 1, high) < arl0:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if arl_exact(p0, m - 1, middle) >= arl0 else (middle, high)
    return CusumDesign(m - 1, high, arl_exact(p0, m - 1, high), arl_exact(p1, m - 1, high), p0, p1)


def arl_exact(p: float, up: int, limit: int, *, start: int = 0) -> float:
    """Return the exact mean number of cases until a Bernoulli CUSUM alarms.

    Args:
        p: failure rate, 0 < p ≤ 1.
        up: what a failure adds, 1 or more; a pass takes 1 down to 0.
        limit: the alarm is raised at this value or above, 1 or more.
        start: value at the start, 0 to limit − 1.

    The mean absorption time of the Markov chain on 0 … limit − 1, solved without a matrix. inf where it
    is beyond floating point.
    Source: Brook and Evans 1972.

    Raises:
        ValueError: an argument out of range.

    """
    if not 0 < p <= 1:
        raise ValueError(f"p must be above 0 and at most 1; got {p!r}")
    up, limit = _check.whole("up", up, least=1), _check.whole("limit", limit, least=1)
    if not 0 <= _check.whole("start", start) < limit:
        raise ValueError(f"start must be from 0 to {limit - 1}; got {start!r}")
    # From the top down, the time from state s is plus[s] + (1 − stay[s]) × (the time from state s − 1).
    plus, stay = [0.0] * limit, [0.0] * limit
    for s in range(limit - 1, 0, -1):
        constant, lost = _chain(plus, stay, s, s + up)
        plus[s] = (1 + p * constant) / (1 - p + p * lost)
        stay[s] = p * lost / (1 - p + p * lost)
    constant, lost = _chain(plus, stay, 0, up)
    time = (1 + p * constant) / (p * lost) if p * lost > 0 else math.inf
    for s in range(1, start + 1):
        time = plus[s] + (1 - stay[s]) * time
    return time


def _chain(plus: list[float], stay: list[float], state: int, target: int) -> tuple[float, float]:
    """The time from `target` as a constant plus (1 − lost) times that from `state` below it.

    Works with 1 − factor, so that nothing cancels when the factor is close to 1.
    """
    if target >= len(plus):
        return 0.0, 1.0
    constant, lost = 0.0, 0.0
    for above in range(target, state, -1):
        constant += (1 - lost) * plus[above]
        lost += (1 - lost) * stay[above]
    return constant, lost


def cusum_path(failures: ArrayLike, design: CusumDesign, *, start: int = 0) -> DriftPath:
    """Return the CUSUM's value after each case, up to the first alarm.

    Args:
        failures: 1 for a failure, 0 for a pass, in the order of the traces' times.
        design: from `bernoulli_cusum`.
        start: value carried over from earlier cases, 0 or more.

    After an acknowledged alarm start again at 0. No case, no update. `values` ends with the alarm;
    `alarm` is None when there was none. No cases give an empty path.
    Source: Page 1954; Reynolds and Stoumbos 1999.

    Raises:
        ValueError: a value other than 0 and 1, or start negative.

    """
    x = _binary("failures", failures)
    at = _check.whole("start", start)
    if x.size == 0:
        return DriftPath(np.empty(0), None)
    walk = at + np.cumsum(np.where(x == 1, design.up, -1))
    values = walk - np.minimum(0, np.minimum.accumulate(walk))
    over = np.flatnonzero(values >= design.limit)
    alarm = int(over[0]) if over.size else None
    return DriftPath(values[: x.size if alarm is None else alarm + 1].astype(np.float64), alarm)


def e_sr(
    passes: ArrayLike, p0: float, *, bets: ArrayLike = (0.15, 0.3, 0.6, 1.0), threshold: float = 10_000.0
) -> DriftPath:
    """Return the e-value Shiryaev–Roberts detector of a falling pass rate, up to the first alarm.

    Args:
        passes: 1 for a pass, 0 for a failure (or scores from 0 to 1), in order of time.
        p0: the pass rate that is promised, 0 < p0 < 1.
        bets: stakes λ, from 0 up to 1/(1 − p0), the latter excluded; their average is taken.
        threshold: alarm at this value; also the least mean number of cases between false alarms.

    Needs no independence: only that each case passes with conditional chance at least p0 as long as all
    is well. Slower than `bernoulli_cusum`, and harder to fool. `values` ends with the alarm; `alarm` is
    None when there was none. No cases give an empty path.
    Source: Shin, Ramdas and Rinaldo 2024.

    Raises:
        ValueError: a value, rate, bet or threshold out of range.

    """
    x = _check.vector("passes", passes, 0.0, 1.0)
    _check.inside("p0", p0, 0, 1)
    stakes = _check.vector("bets", bets, 0.0, 1 / (1 - p0))
    if stakes.size == 0 or (stakes >= 1 / (1 - p0)).any():
        raise ValueError(f"bets must be below 1/(1 − p0) = {1 / (1 - p0):g}, at least one; got {bets!r}")
    if not threshold > 1:
        raise ValueError(f"threshold must be above 1; got {threshold!r}")
    wealth, values = np.zeros(stakes.size), np.empty(x.size)
    for t in range(x.size):
        wealth = (1 + wealth) * (1 + stakes * (p0 - x[t]))
        values[t] = wealth.mean()
        if values[t] >= threshold:
            return DriftPath(values[: t + 1], t)
    return DriftPath(values, None)


def ewma_path(failures: ArrayLike, p0: float, *, weight: float = 0.01, limit: float = 2.7) -> DriftPath:
    """Return the moving average of failures that forgets slowly (EWMA), up to the first alarm.

    Args:
        failures: 1 for a failure, 0 for a pass, in order of time.
        p0: failure rate when all is well, 0 < p0 < 1; the average starts there.
        weight: λ, share of the newest case, above 0 and at most 1.
        limit: L, alarm when the average is L of its standard deviations, √(p0(1 − p0)λ/(2 − λ)), above p0.

    Smoother to look at than a CUSUM, with false alarms more often for the same delay: the CUSUM alarms,
    this is shown. `values` ends with the alarm; `alarm` is None when there was none. No cases give an
    empty path.
    Source: Roberts 1959; Lucas and Saccucci 1990.

    Raises:
        ValueError: a value other than 0 and 1, or p0, weight or limit out of range.

    """
    x = _binary("failures", failures)
    average = _check.inside("p0", p0, 0, 1)
    if not 0 < weight <= 1:
        raise ValueError(f"weight must be above 0 and at most 1; got {weight!r}")
    edge = p0 + _check.positive("limit", limit) * math.sqrt(p0 * (1 - p0) * weight / (2 - weight))
    values = np.empty(x.size)
    for t in range(x.size):
        average += weight * (float(x[t]) - average)
        values[t] = average
        if average > edge:
            return DriftPath(values[: t + 1], t)
    return DriftPath(values, None)


def _binary(name: str, values: ArrayLike) -> Ints:
    array = _check.vector(name, values, 0.0, 1.0)
    if not ((array == 0) | (array == 1)).all():
        at = int(np.argmax((array != 0) & (array != 1)))
        raise ValueError(f"{name} must hold only 0 and 1; got {array[at]!r} at index {at}")
    return array.astype(np.intp)
