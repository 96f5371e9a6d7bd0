"""Was the model trained on these cases? The few computations such probes need; none of them is a verdict alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats

BeforeAfter = tuple[float, float, float, float]
"""Passes and cases before a cutoff date, then passes and cases after it."""


class DifferenceInDifferences(NamedTuple):
    """By how much more the target falls than the references do, its standard error, and their ratio."""

    estimate: float
    se: float
    z: float


def difference_in_differences(target: BeforeAfter, references: Sequence[BeforeAfter]) -> DifferenceInDifferences:
    """Return (before − after) of the target minus the mean (before − after) of reference models.

    Args:
        target: (passes, cases, passes, cases): before its training cutoff, then after it.
        references: the same for each model whose cutoff does not lie between the two sets; one or more.

    Large positive values speak for contamination: a contaminated model scores higher *before* its cutoff.
    That newer cases are harder cancels, as far as they are so for all models. Assumes independent cases;
    without spread (all pass, all fail) the ratio is infinite, or NaN for no difference.
    Source: Angrist and Pischke 2009, chapter 5.

    Raises:
        ValueError: no reference, or a count out of range.

    """
    if not references:
        raise ValueError("references must hold at least one model; got none")
    falls, variances = zip(*(_fall(*model) for model in (target, *references)), strict=True)
    others = len(references)
    estimate = falls[0] - math.fsum(falls[1:]) / others
    se = math.sqrt(variances[0] + math.fsum(variances[1:]) / others**2)
    if se > 0:
        return DifferenceInDifferences(estimate, se, estimate / se)
    return DifferenceInDifferences(estimate, se, math.copysign(math.inf, estimate) if estimate else math.nan)


def _fall(k_before: float, n_before: float, k_after: float, n_after: float) -> tuple[float, float]:
    rates = [_check.count("passes", k, most=_check.positive("cases", n)) / n for k, n in
             ((k_before, n_before), (k_after, n_after))]  # fmt: skip
    before, after = rates
    return before - after, before * (1 - before) / n_before + after * (1 - after) / n_after


def min_k(logprobs: ArrayLike, *, share: float = 0.2) -> float:
    """Return Min-K%: the mean of the lowest token log-probabilities of a text.

    Args:
        logprobs: log-probability the model gave each token, 0 or less.
        share: part of the tokens that is averaged, above 0 and at most 1; at least one token.

    Higher (nearer 0) for texts seen in training. Supporting evidence only, against a control set of the
    same dates. No tokens: NaN.
    Source: Shi et al. 2024.

    Raises:
        ValueError: a log-probability above 0 or not finite, or share out of range.

    """
    return _mean_of_lowest(_check.vector("logprobs", logprobs, high=0.0), share)


def min_k_plus_plus(logprobs: ArrayLike, vocabulary: ArrayLike, *, share: float = 0.2) -> float:
    """Return Min-K%++: Min-K% of log-probabilities standardised within each position's vocabulary.

    Args:
        logprobs: log-probability of each token of the text.
        vocabulary: tokens × vocabulary: the log-probabilities of every possible token at each position.
        share: part of the tokens that is averaged, above 0 and at most 1; at least one token.

    z = (log p − μ)/σ, with mean and standard deviation under the model's own distribution at that
    position; positions where σ is 0 are skipped. No tokens left: NaN.
    Source: Zhang et al. 2024.

    Raises:
        ValueError: shapes that differ, a log-probability above 0 or not a number, or share out of range.

    """
    chosen = _check.vector("logprobs", logprobs, high=0.0)
    table = np.asarray(vocabulary, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != chosen.size:
        raise ValueError(f"vocabulary must have {chosen.size} rows, one a token; got shape {table.shape}")
    if not (table <= 0).all():
        raise ValueError("vocabulary must hold log-probabilities of at most 0; got one above or NaN")
    chance = np.exp(table)
    known = np.where(chance > 0, table, 0.0)  # what is impossible weighs nothing
    mean = (chance * known).sum(axis=1)
    spread = np.sqrt(np.maximum(0.0, (chance * known**2).sum(axis=1) - mean**2))
    told = spread > 1e-9
    return _mean_of_lowest((chosen[told] - mean[told]) / spread[told], share)


def _mean_of_lowest(values: Floats, share: float) -> float:
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1; got {share!r}")
    if values.size == 0:
        return math.nan
    return float(np.sort(values)[: max(1, int(share * values.size + 1e-9))].mean())


def canary_exposure(rank: int, candidates: int) -> float:
    """Return the exposure of a planted secret: log₂ of all candidates over its rank by likelihood, in bits.

    Args:
        rank: place of the canary among the candidates, 1 for the likeliest.
        candidates: how many strings of its form there are.

    0 for the least likely, about 1 on average for a secret never seen, log₂(candidates) for one learnt by
    heart.
    Source: Carlini et al. 2019.

    Raises:
        ValueError: candidates below 1, or a rank that is not from 1 to candidates.

    """
    candidates = _check.whole("candidates", candidates, least=1)
    if not 1 <= _check.whole("rank", rank, least=1) <= candidates:
        raise ValueError(f"rank must be from 1 to {candidates}; got {rank!r}")
    return math.log2(candidates) - math.log2(rank)


def lsh_probability(similarity: float, *, bands: int, rows: int) -> float:
    """Return the chance that MinHash with banding finds two texts of a given Jaccard similarity.

    Args:
        similarity: Jaccard similarity of their shingles, 0 to 1.
        bands: number of bands, 1 or more.
        rows: hashes a band, 1 or more.

    1 − (1 − s^rows)^bands: more bands find more, more rows a band find less.
    Source: Broder 1997; Leskovec, Rajaraman and Ullman 2014, chapter 3.

    Raises:
        ValueError: an argument out of range.

    """
    bands, rows = _check.whole("bands", bands, least=1), _check.whole("rows", rows, least=1)
    missed = _check.within("similarity", similarity, 0, 1) ** rows
    return 1.0 if missed == 1 else -math.expm1(bands * math.log1p(-missed))
