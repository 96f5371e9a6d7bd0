"""The judge errs: rates corrected with human labels, and what a jury is worth."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import binomial_cdf, normal_quantile
from seatrial.stats.rates import Interval, wilson

LEAST_YOUDEN = 0.3
"""Below this Se + Sp − 1 a judge says too little for its rate to be corrected."""


class RoganGladen(NamedTuple):
    """A pass rate corrected for sensitivity and specificity; `estimate` is None when it cannot be."""

    estimate: float | None
    interval: Interval
    youden: float


class Ppi(NamedTuple):
    """A mean from few human labels and many judge scores; `normal` is the plain interval of the method."""

    estimate: float
    se: float
    interval: Interval
    normal: Interval
    lam: float
    n_eff: float


class TwoPhase(NamedTuple):
    """A pass rate from labels drawn within the judge's verdicts, with PPV and NPV of the judge."""

    estimate: float | None
    interval: Interval
    ppv: Interval
    npv: Interval


def rogan_gladen(  # one number per count of the three samples
    k: float, n: float, k_se: float, n_se: float, k_sp: float, n_sp: float, *, alpha: float = 0.05
) -> RoganGladen:
    """Return the true pass rate behind a judge of known quality, with the error of that knowledge.

    Args:
        k: cases the judge passes, 0 to n. May be fractional.
        n: cases judged, above 0.
        k_se: of `n_se` cases that humans pass, how many the judge passes (sensitivity).
        n_se: human-passed cases in the calibration set, above 0.
        k_sp: of `n_sp` cases that humans fail, how many the judge fails (specificity).
        n_sp: human-failed cases in the calibration set, above 0.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    Assumes that sensitivity and specificity are those of the same judge on the same model's answers; they
    differ between models, so calibrate each. `youden` is Se + Sp − 1; below .3 the correction is refused:
    `estimate` None, interval (0, 1). So it is when no rate from 0 to 1 fits (the judge passes fewer than
    its false positives alone would be): the calibration is then not that of these answers. Estimates are
    cut to 0 to 1; the width is never 0.
    Source: Rogan and Gladen 1978; Lang and Reiczigel 2014 (interval).

    Raises:
        ValueError: a count or alpha out of range.

    """
    for name, value, size in (("k", k, n), ("k_se", k_se, n_se), ("k_sp", k_sp, n_sp)):
        _check.count(name, value, most=_check.positive(name.replace("k", "n"), size))
    _check.inside("alpha", alpha, 0, 1)
    youden = k_se / n_se + k_sp / n_sp - 1
    if youden < LEAST_YOUDEN:
        return RoganGladen(None, Interval(0.0, 1.0), youden)
    estimate = min(1.0, max(0.0, (k / n + k_sp / n_sp - 1) / youden))
    zz = normal_quantile(1 - alpha / 2) ** 2
    m, m_se, m_sp = n + zz, n_se + 2, n_sp + 2
    p, se, sp = (k + zz / 2) / m, (k_se + 1) / m_se, (k_sp + 1) / m_sp
    theta = (p + sp - 1) / (se + sp - 1)
    v_se, v_sp = se * (1 - se) / m_se, sp * (1 - sp) / m_sp
    shift = 2 * zz * (theta * v_se - (1 - theta) * v_sp)
    variance = (p * (1 - p) / m + theta**2 * v_se + (1 - theta) ** 2 * v_sp) / (se + sp - 1) ** 2
    low, high = theta + shift - math.sqrt(zz * variance), theta + shift + math.sqrt(zz * variance)
    if high <= 0 or low >= 1:
        return RoganGladen(None, Interval(0.0, 1.0), youden)
    return RoganGladen(estimate, Interval(min(max(0.0, low), estimate), max(min(1.0, high), estimate)), youden)


def calibration_split(labels: int, k: float, n: float, k_se: float, n_se: float, k_sp: float, n_sp: float) -> int:
    """Return how many of `labels` further calibration labels should be of human-passed cases.

    Args:
        labels: labels to be had in all, 1 or more.
        k: cases the judge passes, of `n`.
        n: cases judged, above 0.
        k_se: pilot: human-passed cases that the judge passes, of `n_se`.
        n_se: pilot: human-passed cases, above 0.
        k_sp: pilot: human-failed cases that the judge fails, of `n_sp`.
        n_sp: pilot: human-failed cases, above 0.

    The rest should be of human-failed cases. Balances the two terms of `rogan_gladen`'s variance;
    pilot counts get one success and one failure added. From 1 to labels − 1 (1 for a single label).
    Source: Neyman 1934, for the variance of Lang and Reiczigel 2014.

    Raises:
        ValueError: a count out of range.

    """
    labels = _check.whole("labels", labels, least=1)
    for name, value, size in (("k", k, n), ("k_se", k_se, n_se), ("k_sp", k_sp, n_sp)):
        _check.count(name, value, most=_check.positive(name.replace("k", "n"), size))
    se, sp = (k_se + 1) / (n_se + 2), (k_sp + 1) / (n_sp + 2)
    theta = min(1.0, max(0.0, (k / n + sp - 1) / max(se + sp - 1, 1e-9)))
    passed, failed = theta * math.sqrt(se * (1 - se)), (1 - theta) * math.sqrt(sp * (1 - sp))
    return max(1, min(labels - 1, round(labels * passed / (passed + failed))))


def ppi_mean(
    y: ArrayLike,
    y_hat: ArrayLike,
    y_hat_unlabelled: ArrayLike,
    *,
    alpha: float = 0.05,
    lam: float | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Ppi:
    """Return a mean from few human labels and many judge scores of the same kind of case (PPI++).

    Args:
        y: human values of the labelled cases, within `limits`; at least 2.
        y_hat: judge values of the same cases, in the same order.
        y_hat_unlabelled: judge values of the other cases; at least 2.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        lam: how much the judge counts, 0 to 1; None chooses what makes the variance smallest. 0 uses the
            labels alone, 1 is plain prediction-powered inference.
        limits: range of the values; (−1, 1) for paired differences.

    Assumes that the labelled cases are a random sample. For rates `interval` is Wilson's at the effective
    size θ(1−θ)/SE², held between n/2 and N, which keeps its coverage when few labels are failures; for
    other limits it is the plain `normal` one, and with no spread ± z²/(n + z²) of the way to the limits.
    Source: Angelopoulos, Duchi and Zrnic 2023.

    Raises:
        ValueError: a value outside the limits, lengths that differ, too few, or alpha or lam out of range.

    """
    labels = _check.vector("y", y, *limits)
    judged = _check.same_length("y_hat", _check.vector("y_hat", y_hat), labels.size)
    other = _check.vector("y_hat_unlabelled", y_hat_unlabelled)
    _check.inside("alpha", alpha, 0, 1)
    _two_or_more(y=labels, y_hat_unlabelled=other)
    weight = _tuned(labels, judged, other) if lam is None else _check.within("lam", lam, 0, 1)
    rest: Floats = labels - weight * judged
    low, high = limits
    estimate = min(high, max(low, weight * float(other.mean()) + float(rest.mean())))
    se = math.sqrt(weight**2 * float(other.var()) / other.size + float(rest.var()) / labels.size)
    half = (z := normal_quantile(1 - alpha / 2)) * se
    normal = Interval(max(low, estimate - half), min(high, estimate + half))
    if (low, high) == (0.0, 1.0):
        free = estimate * (1 - estimate) / (se * se) if se > 0 else float(labels.size)
        n_eff = min(float(max(other.size, labels.size)), max(labels.size / 2, free))
        return Ppi(estimate, se, wilson(estimate * n_eff, n_eff, alpha=alpha), normal, weight, n_eff)
    ends = normal
    if se <= 1e-10 * (high - low):
        share = z * z / (labels.size + z * z)
        ends = Interval(estimate - (estimate - low) * share, estimate + (high - estimate) * share)
    return Ppi(estimate, se, ends, normal, weight, float(labels.size))


def _two_or_more(**arrays: Floats) -> None:
    for name, values in arrays.items():
        if values.size < 2:
            raise ValueError(f"{name} must hold at least 2 values; got {values.size}")


def _tuned(labels: Floats, judged: Floats, other: Floats) -> float:
    """The λ of least variance, cut to 0 to 1."""
    scores = np.concatenate((judged, other))
    gap = scores - float(scores.mean())
    spread = float(np.sum(gap * gap)) / (scores.size - 1)
    if spread <= 0:
        return 0.0
    apart = labels - float(labels.mean())
    together = float(apart @ (judged - float(judged.mean()))) / labels.size
    return min(1.0, max(0.0, together / ((1 + labels.size / other.size) * spread)))


def two_phase(
    judged_pass: int,
    judged: int,
    good_pass: int,
    labels_pass: int,
    good_fail: int,
    labels_fail: int,
    *,
    alpha: float = 0.05,
) -> TwoPhase:
    """Return a pass rate when labels were drawn separately among judge-passes and judge-failures.

    Args:
        judged_pass: cases the judge passes.
        judged: cases judged, above 0.
        good_pass: human passes among the labelled judge-passes.
        labels_pass: labelled judge-passes.
        good_fail: human passes among the labelled judge-failures.
        labels_fail: labelled judge-failures.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    The choice for a small label budget: spend it where the judge fails cases. Needs no transport of
    sensitivity or specificity. `ppv` is the share of judge-passes that humans pass, `npv` that of
    judge-failures that humans fail, with Wilson intervals. A verdict that occurs but has no labels leaves
    `estimate` None and the interval wide.
    Source: Cochran 1977 (double sampling); Zou and Donner 2008 (MOVER).

    Raises:
        ValueError: a count out of range, or more labels than cases of a verdict.

    """
    _check.positive("judged", judged)
    _check.count("judged_pass", judged_pass, most=judged)
    _check.count("good_pass", good_pass, most=_check.count("labels_pass", labels_pass, most=judged_pass))
    _check.count("good_fail", good_fail, most=_check.count("labels_fail", labels_fail, most=judged - judged_pass))
    w = judged_pass / judged
    up, down = wilson(good_pass, labels_pass, alpha=alpha), wilson(good_fail, labels_fail, alpha=alpha)
    npv = Interval(1 - down.high, 1 - down.low)
    if (w > 0 and labels_pass == 0) or (w < 1 and labels_fail == 0):
        wide = Interval(w * up.low + (1 - w) * down.low, w * up.high + (1 - w) * down.high)
        return TwoPhase(None, wide, up, npv)
    q = good_pass / labels_pass if labels_pass else 0.0
    f = good_fail / labels_fail if labels_fail else 0.0
    mix = normal_quantile(1 - alpha / 2) ** 2 * w * (1 - w) * (q - f) ** 2 / judged
    estimate = w * q + (1 - w) * f
    below = math.sqrt((w * (q - up.low)) ** 2 + ((1 - w) * (f - down.low)) ** 2 + mix)
    above = math.sqrt((w * (up.high - q)) ** 2 + ((1 - w) * (down.high - f)) ** 2 + mix)
    return TwoPhase(estimate, Interval(max(0.0, estimate - below), min(1.0, estimate + above)), up, npv)


def majority_accuracy(p: float, judges: int) -> float:
    """Return how often the majority of independent judges is right.

    Args:
        p: how often one judge is right, 0 to 1.
        judges: how many, odd.

    Assumes independent errors; with correlated ones use `effective_voters` first.
    Source: Condorcet 1785.

    Raises:
        ValueError: p out of range, or judges not odd.

    """
    judges = _check.whole("judges", judges, least=1)
    if judges % 2 == 0:
        raise ValueError(f"judges must be odd; got {judges!r}")
    if not 0 < _check.within("p", p, 0, 1) < 1:
        return p
    return 1 - binomial_cdf((judges - 1) / 2, judges, p)


def effective_voters(judges: int, rho: float) -> float:
    """Return how many independent judges a jury with correlated errors is worth: n/(1 + (n − 1)ρ).

    Args:
        judges: how many, 1 or more.
        rho: mean correlation of their errors, 0 to 1.

    5 judges at ρ = .5 are worth 1.67.
    Source: Kish 1965 (design effect).

    Raises:
        ValueError: judges below 1, or rho out of range.

    """
    judges = _check.whole("judges", judges, least=1)
    return judges / (1 + (judges - 1) * _check.within("rho", rho, 0, 1))
