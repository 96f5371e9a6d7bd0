"""Quality of a case set, and of a cheap judge that may abstain."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import binomial_cdf


class Selective(NamedTuple):
    """The last threshold that may be used (None: not even the first), and the p-value of each tested one."""

    last: int | None
    p: Floats


class Regression(NamedTuple):
    """A mean estimated from a subset, helped by what is known of all cases."""

    estimate: float
    se: float
    beta: float


def vendi(similarity: ArrayLike) -> float:
    """Return the Vendi score: the effective number of different cases in a set.

    Args:
        similarity: square symmetric array of similarities, 1 on the diagonal, positive semidefinite
            (cosines of embeddings, for instance).

    From 1 (all alike) to n (all different). No cases: 0.
    Source: Friedman and Dieng 2023.

    Raises:
        ValueError: not square and symmetric, a diagonal other than 1, or not finite.

    """
    kernel = np.asarray(similarity, dtype=np.float64)
    if kernel.size == 0:
        return 0.0
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
        raise ValueError(f"similarity must be square; got shape {kernel.shape}")
    if not np.isfinite(kernel).all() or not np.allclose(kernel, kernel.T, atol=1e-8):
        raise ValueError("similarity must be finite and symmetric; got one that is not")
    if not np.allclose(np.diag(kernel), 1.0, atol=1e-6):
        raise ValueError(f"similarity must be 1 on the diagonal; got {np.diag(kernel).min()!r}")
    share = np.linalg.eigvalsh(kernel) / kernel.shape[0]
    share = share[share > 1e-15]
    return math.exp(-float(share @ np.log(share)))


def selective_threshold(
    errors: ArrayLike, accepted: ArrayLike, *, epsilon: float = 0.05, delta: float = 0.05
) -> Selective:
    """Return how far a judge's threshold may be lowered so that its accepted verdicts stay right.

    Args:
        errors: wrong verdicts among the accepted, per threshold, from the strictest to the laxest.
        accepted: accepted verdicts of the calibration set per threshold, not decreasing.
        epsilon: error rate that is promised; 0 < epsilon < 1.
        delta: chance that the promise is wrong; 0 < delta < 1.

    Tests each threshold in turn, P(Bin(accepted, epsilon) ≤ errors) ≤ delta, and stops at the first that
    fails: no correction is needed and none may be skipped. Below the threshold ask the large judge or a
    human. Assumes calibration cases like those to come. Nothing accepted fails the test.
    Source: Bauer 1991 (fixed sequence); Jung et al. 2025 (Trust or Escalate).

    Raises:
        ValueError: lengths that differ, errors above accepted, or epsilon or delta out of range.

    """
    sizes = _check.vector("accepted", accepted, 0.0)
    wrong = _check.same_length("errors", _check.vector("errors", errors, 0.0), sizes.size)
    _check.inside("epsilon", epsilon, 0, 1)
    _check.inside("delta", delta, 0, 1)
    if (wrong > sizes).any():
        at = int(np.argmax(wrong > sizes))
        raise ValueError(f"errors must be at most accepted; got {wrong[at]!r} of {sizes[at]!r} at index {at}")
    tested: list[float] = []
    passed: int | None = None
    for i, (e, n) in enumerate(zip(wrong, sizes, strict=True)):
        tested.append(binomial_cdf(float(e), float(n), epsilon) if n > 0 else 1.0)
        if tested[-1] > delta:
            break
        passed = i
    return Selective(passed, np.array(tested))


def conformal_rank(n: int, *, alpha: float = 0.05) -> int | None:
    """Return which of `n` sorted calibration scores is the split-conformal limit; None when n is too small.

    Args:
        n: calibration scores of the class, 0 or more. Take classes apart when failures are rare.
        alpha: share of new cases that may fall outside; 0 < alpha < 1.

    The ⌈(n + 1)(1 − alpha)⌉-th; beyond n every case has to be passed on.
    Source: Vovk, Gammerman and Shafer 2005.

    Raises:
        ValueError: n or alpha out of range.

    """
    n = _check.whole("n", n)
    rank = math.ceil((n + 1) * (1 - _check.inside("alpha", alpha, 0, 1)) * (1 - 1e-12))
    return rank if rank <= n else None


def calibration_error(p: ArrayLike, y: ArrayLike, *, bins: int = 10) -> float:
    """Return the expected calibration error of predicted chances: mean |predicted − seen| over equal bins.

    Args:
        p: predicted chances, 0 to 1.
        y: what happened, 0 or 1.
        bins: number of bins of equal width, 1 or more.

    0 (calibrated) to 1; NaN without data. Depends on the bins and is biased upwards for few cases.
    Source: Naeini, Cooper and Hauskrecht 2015.

    Raises:
        ValueError: a value outside 0 to 1, lengths that differ, or bins below 1.

    """
    chance, seen = _chances(p, y)
    bins = _check.whole("bins", bins, least=1)
    if chance.size == 0:
        return math.nan
    index = np.minimum((chance * bins).astype(np.intp), bins - 1)
    gaps = _check.sums_by(index, chance - seen, bins)
    return float(np.abs(gaps).sum()) / chance.size


def brier(p: ArrayLike, y: ArrayLike) -> float:
    """Return the Brier score of predicted chances: the mean of (p − y)².

    Args:
        p: predicted chances, 0 to 1.
        y: what happened, 0 or 1.

    0 (always sure and right) to 1; NaN without data.
    Source: Brier 1950.

    Raises:
        ValueError: a value outside 0 to 1, or lengths that differ.

    """
    chance, seen = _chances(p, y)
    return float(np.mean((chance - seen) ** 2)) if chance.size else math.nan


def _chances(p: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    chance = _check.vector("p", p, 0.0, 1.0)
    return chance, _check.same_length("y", _check.vector("y", y, 0.0, 1.0), chance.size)


def regression_estimate(y: ArrayLike, x: ArrayLike, x_mean: float) -> Regression:
    """Return the mean of all cases from a random subset, with the help of a number known for all of them.

    Args:
        y: results on the subset, any unit; at least 3.
        x: the known number for the same cases (mean pass of earlier models, for instance).
        x_mean: mean of the known number over the whole set.

    ȳ + β(x_mean − x̄), β estimated: the variance shrinks by 1 − ρ². Never choose the subset by the
    candidate's results. A constant x gives β = 0 and the plain mean. Screening, not verdicts.
    Source: Cochran 1977, chapter 7.

    Raises:
        ValueError: fewer than 3 values, lengths that differ, or a value that is not finite.

    """
    values = _check.vector("y", y)
    known = _check.same_length("x", _check.vector("x", x), values.size)
    if values.size < 3:
        raise ValueError(f"y must hold at least 3 values; got {values.size}")
    if not math.isfinite(x_mean):
        raise ValueError(f"x_mean must be finite; got {x_mean!r}")
    gap = known - known.mean()
    spread = float(gap @ gap)
    beta = float(gap @ values) / spread if spread > 0 else 0.0
    rest = values - values.mean() - beta * gap
    lost = 2 if spread > 0 else 1
    se = math.sqrt(float(rest @ rest) / (values.size - lost) / values.size)
    return Regression(float(values.mean()) + beta * (x_mean - float(known.mean())), se, beta)
