"""How many cases a question needs, and what a given number can show."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import log_choose, normal_cdf, normal_quantile


def _z_pair(alpha: float, power: float, sides: int) -> tuple[float, float]:
    _check.inside("alpha", alpha, 0, 1)
    _check.inside("power", power, 0, 1)
    if sides not in {1, 2}:
        raise ValueError(f"sides must be 1 or 2; got {sides!r}")
    return normal_quantile(1 - alpha / sides), normal_quantile(power)


def design_effect(mean_size: float, icc: float) -> float:
    """Return 1 + (m̄ − 1)·ρ: by how much clusters of `mean_size` cases inflate a sample size.

    Args:
        mean_size: mean number of cases a cluster, 1 or more.
        icc: correlation of the outcome (for pairs: of the difference) inside a cluster, 0 to 1.
    Source: Kish 1965.

    Raises:
        ValueError: mean_size below 1, or icc out of range.

    """
    if not 1 <= mean_size < math.inf:
        raise ValueError(f"mean_size must be at least 1; got {mean_size!r}")
    return 1 + (mean_size - 1) * _check.within("icc", icc, 0, 1)


def n_paired(
    delta: float, psi: float, *, alpha: float = 0.05, power: float = 0.8, sides: int = 2, deff: float = 1.0
) -> int:
    """Return how many pairs show a difference of `delta` between candidate and incumbent.

    Args:
        delta: the difference of pass rates to be found, as a share (.03 is 3 points); its sign is ignored.
        psi: share of discordant cases (one arm passes, the other fails), |delta| to 1.
        alpha: chance of a false alarm; 0 < alpha < 1.
        power: chance of finding the difference; 0 < power < 1.
        sides: 2 for "different", 1 for "worse".
        deff: design effect of clustered cases, 1 or more (`design_effect`).

    Assumes both arms answer the same cases. A normal approximation: exact McNemar needs about 6% more.
    Source: Connor 1987.

    Raises:
        ValueError: delta 0, psi below |delta|, or another argument out of range.

    """
    z_a, z_b = _z_pair(alpha, power, sides)
    delta = abs(delta)
    _check.inside("delta", delta, 0, 1)
    if not delta <= psi <= 1:
        raise ValueError(f"psi must be from |delta| = {delta:g} to 1; got {psi!r}")
    n = (z_a * math.sqrt(psi) + z_b * math.sqrt(psi - delta * delta)) ** 2 / delta**2
    return _round_up(n * _deff(deff))


def n_noninferior(
    psi: float, margin: float, *, alpha: float = 0.05, power: float = 0.8, delta: float = 0.0, deff: float = 1.0
) -> int:
    """Return how many pairs show that the candidate is not worse than `margin`.

    Args:
        psi: share of discordant cases, above 0 and at most 1.
        margin: the loss that is tolerated, as a share (.03 is 3 points), above 0.
        alpha: one-sided chance of shipping at the margin; 0 < alpha < 1.
        power: chance of showing it; 0 < power < 1.
        delta: the true difference that is planned for, above −margin; 0 means equally good.
        deff: design effect of clustered cases, 1 or more.

    Assumes both arms answer the same cases. For R rubrics that must all pass with chance P, plan each
    with power P^(1/R).
    Source: Connor 1987, with the variance at the planned difference.

    Raises:
        ValueError: an argument out of range, or delta at or below −margin.

    """
    z_a, z_b = _z_pair(alpha, power, 1)
    _check.inside("margin", margin, 0, 1)
    _check.inside("delta", delta, -margin, 1)
    if not (psi > 0 and delta * delta <= psi <= 1):
        raise ValueError(f"psi must be above 0, at least delta² and at most 1; got {psi!r}")
    n = (z_a + z_b) ** 2 * (psi - delta * delta) / (margin + delta) ** 2
    return _round_up(n * _deff(deff))


def mde_paired(
    n: float, psi: float, *, alpha: float = 0.05, power: float = 0.8, sides: int = 2, deff: float = 1.0
) -> float | None:
    """Return the smallest difference that `n` pairs find with the given power (a share: .03 is 3 points).

    Args:
        n: pairs, 1 or more.
        psi: share of discordant cases, 0 to 1.
        alpha: chance of a false alarm; 0 < alpha < 1.
        power: chance of finding it; 0 < power < 1.
        sides: 2 for "different", 1 for "worse".
        deff: design effect of clustered cases, 1 or more.

    None when even the largest possible difference, psi itself, would not be found; so also for psi = 0.
    Source: Connor 1987, solved for the difference.

    Raises:
        ValueError: an argument out of range.

    """
    z_a, z_b = _z_pair(alpha, power, sides)
    _check.within("psi", psi, 0, 1)
    if not 1 <= n < math.inf:
        raise ValueError(f"n must be at least 1; got {n!r}")
    size = n / _deff(deff)

    def enough(delta: float) -> bool:
        return z_a * math.sqrt(psi) + z_b * math.sqrt(max(0.0, psi - delta * delta)) <= delta * math.sqrt(size)

    return _smallest(enough, psi) if psi > 0 else None


def power_paired(b: float, c: float, n: int, *, alpha: float = 0.05, sides: int = 2, mid_p: bool = False) -> float:
    """Return the exact power of McNemar's test: the chance that it rejects.

    Args:
        b: true share of cases that only the candidate passes, 0 to 1.
        c: true share that only the incumbent passes, b + c at most 1.
        n: cases, 1 or more.
        alpha: level of the test; 0 < alpha < 1.
        sides: 2 for "different", 1 for "the candidate is worse".
        mid_p: whether the mid-p test is used instead of the exact one.

    Sums over all outcomes; b = c gives the true level. Needs about n²ψ² steps: for n up to some 10,000.
    Source: Fagerland, Lydersen and Laake 2013.

    Raises:
        ValueError: an argument out of range.

    """
    _z_pair(alpha, 0.5, sides)
    n = _check.whole("n", n, least=1)
    psi = _check.within("b", b, 0, 1) + _check.within("c", c, 0, 1)
    if psi > 1:
        raise ValueError(f"b + c must be at most 1; got {psi!r}")
    if psi == 0:
        return 0.0
    total = 0.0
    for m, chance in zip(*_likely(n, psi), strict=True):
        k = np.arange(m + 1, dtype=np.float64)
        half = np.exp(log_choose(np.full_like(k, m), k) - m * math.log(2))
        tail = np.cumsum(half)
        p = tail - half / 2 if mid_p else tail
        if sides == 2:
            p = np.minimum(p, p[::-1]) * 2
        seen = np.exp(log_choose(np.full_like(k, m), k) + _power_log(k, b / psi) + _power_log(m - k, c / psi))
        total += float(chance) * float(seen[p <= alpha].sum())
    return min(1.0, total)


def _likely(n: int, psi: float) -> tuple[list[int], list[float]]:
    """The numbers of discordant cases that occur, with their chances."""
    m = np.arange(1, n + 1, dtype=np.float64)
    logs = log_choose(np.full_like(m, n), m) + m * math.log(psi) + _power_log(n - m, 1 - psi)
    keep = logs > -36
    return [int(v) for v in m[keep]], [float(v) for v in np.exp(logs[keep])]


def _power_log(times: Floats, share: float) -> Floats:
    """The logarithm of share^times, with 0⁰ = 1."""
    if share <= 0:
        return np.where(times == 0, 0.0, -np.inf)
    return times * math.log(share)


def n_unpaired(
    p1: float, p2: float, *, alpha: float = 0.05, power: float = 0.8, sides: int = 2, ratio: float = 1.0
) -> int:
    """Return how many cases the smaller arm needs to tell two pass rates apart on different cases.

    Args:
        p1: pass rate of the smaller arm (the candidate), 0 < p1 < 1.
        p2: pass rate of the larger arm, different from p1.
        alpha: chance of a false alarm; 0 < alpha < 1.
        power: chance of finding the difference; 0 < power < 1.
        sides: 2 for "different", 1 for "worse".
        ratio: size of the larger arm over that of the smaller, 1 or more (9 for a 10% share).

    Many more than pairs need: send the same requests to both arms first.
    Source: Fleiss, Tytun and Ury 1980, without continuity correction.

    Raises:
        ValueError: equal rates, or an argument out of range.

    """
    z_a, z_b = _z_pair(alpha, power, sides)
    _check.inside("p1", p1, 0, 1)
    _check.inside("p2", p2, 0, 1)
    if p1 == p2:
        raise ValueError(f"p2 must differ from p1; got {p2!r} for both")
    if not 1 <= ratio < math.inf:
        raise ValueError(f"ratio must be at least 1; got {ratio!r}")
    mean = (p1 + ratio * p2) / (1 + ratio)
    null = z_a * math.sqrt(mean * (1 - mean) * (1 + 1 / ratio))
    other = z_b * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2) / ratio)
    return _round_up((null + other) ** 2 / (p1 - p2) ** 2)


def power_unpaired(p1: float, p2: float, n: float, *, alpha: float = 0.05, sides: int = 2, ratio: float = 1.0) -> float:
    """Return the chance that two arms of different cases show the difference of their pass rates.

    Args:
        p1: pass rate of the smaller arm (the candidate), 0 < p1 < 1.
        p2: pass rate of the larger arm, 0 < p2 < 1.
        n: cases of the smaller arm, 1 or more. May be fractional.
        alpha: chance of a false alarm; 0 < alpha < 1.
        sides: 2 for "different" (a difference in the wrong direction counts too), 1 for "worse".
        ratio: size of the larger arm over that of the smaller, 1 or more.

    The normal approximation of the score (chi-squared) test: pooled variance under no difference, own
    variances otherwise. Equal rates give alpha. `n_unpaired` is its inverse, without the wrong direction.
    Source: Fleiss, Tytun and Ury 1980, without continuity correction.

    Raises:
        ValueError: an argument out of range.

    """
    z_a, _ = _z_pair(alpha, 0.5, sides)
    _check.inside("p1", p1, 0, 1)
    _check.inside("p2", p2, 0, 1)
    if not 1 <= n < math.inf:
        raise ValueError(f"n must be at least 1; got {n!r}")
    if not 1 <= ratio < math.inf:
        raise ValueError(f"ratio must be at least 1; got {ratio!r}")
    mean = (p1 + ratio * p2) / (1 + ratio)
    null = math.sqrt(mean * (1 - mean) * (1 + 1 / ratio))
    other = math.sqrt(p1 * (1 - p1) + p2 * (1 - p2) / ratio)
    gap = abs(p1 - p2) * math.sqrt(n)
    wrong = normal_cdf((-gap - z_a * null) / other) if sides == 2 else 0.0
    return normal_cdf((gap - z_a * null) / other) + wrong


def mde_unpaired(n: float, p: float, *, alpha: float = 0.05, power: float = 0.8, sides: int = 2) -> float | None:
    """Return the smallest fall from pass rate `p` that two arms of `n` different cases each find.

    Args:
        n: cases in each arm, 1 or more.
        p: pass rate of the incumbent, 0 < p < 1.
        alpha: chance of a false alarm; 0 < alpha < 1.
        power: chance of finding it; 0 < power < 1.
        sides: 2 for "different", 1 for "worse".

    A share (.03 is 3 points). None when not even a fall to 0 would be found.
    Source: as `n_unpaired`, solved for the difference.

    Raises:
        ValueError: an argument out of range.

    """
    z_a, z_b = _z_pair(alpha, power, sides)
    _check.inside("p", p, 0, 1)
    if not 1 <= n < math.inf:
        raise ValueError(f"n must be at least 1; got {n!r}")

    def enough(delta: float) -> bool:
        other, mean = p - delta, p - delta / 2
        null = z_a * math.sqrt(2 * mean * (1 - mean))
        return null + z_b * math.sqrt(p * (1 - p) + max(0.0, other * (1 - other))) <= delta * math.sqrt(n)

    return _smallest(enough, p)


def n_graded(
    delta: float, between: float, within: float, *, epochs: int = 1, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Return how many cases show a difference of mean graded scores when each is run several times.

    Args:
        delta: the difference to be found, in score units; its sign is ignored.
        between: variance over cases of the difference of the arms' true means on a case.
        within: variance of one run of a case, the same in both arms.
        epochs: runs per case and arm, 1 or more.
        alpha: two-sided chance of a false alarm; 0 < alpha < 1.
        power: chance of finding it; 0 < power < 1.

    More epochs shrink `within` only.
    Source: Miller 2024.

    Raises:
        ValueError: delta 0, a negative variance, or another argument out of range.

    """
    z_a, z_b = _z_pair(alpha, power, 2)
    epochs = _check.whole("epochs", epochs, least=1)
    if not 0 < abs(delta) < math.inf:
        raise ValueError(f"delta must not be 0; got {delta!r}")
    spread = _check.count("between", between) + 2 * _check.count("within", within) / epochs
    return _round_up((z_a + z_b) ** 2 * spread / delta**2)


def n_zero_failures(limit: float, *, alpha: float = 0.05) -> int:
    """Return how many clean cases show that the failure rate is at most `limit`.

    Args:
        limit: the failure rate to be excluded, 0 < limit < 1.
        alpha: 1 − one-sided confidence; 0 < alpha < 1.

    Assumes independent cases; with variants of one seed, count seeds.
    Source: Clopper and Pearson 1934 at k = 0 (the exact form of the rule of three).

    Raises:
        ValueError: limit or alpha out of range.

    """
    _check.inside("limit", limit, 0, 1)
    _check.inside("alpha", alpha, 0, 1)
    return _round_up(math.log(alpha) / math.log1p(-limit))


def _deff(deff: float) -> float:
    if not 1 <= deff < math.inf:
        raise ValueError(f"deff must be at least 1; got {deff!r}")
    return deff


def _round_up(n: float) -> int:
    """Round up, forgiving a rounding error of floating point."""
    return max(1, math.ceil(n * (1 - 1e-12)))


def _smallest(enough: Callable[[float], bool], most: float) -> float | None:
    """The smallest difference up to `most` that is enough; None when `most` is not."""
    if not enough(most):
        return None
    low, high = 0.0, most
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
