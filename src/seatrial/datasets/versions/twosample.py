"""Can a classifier tell two collections of texts apart? The classifier two-sample test, and the words that differ.

Sources: Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests" (2017); DeLong, DeLong and Clarke-Pearson,
"Comparing the areas under two or more correlated ROC curves" (1988); Monroe, Colaresi and Quinn, "Fightin' Words"
(2008), for the words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seatrial.targets.hashing import vector

FOLDS = 5
PENALTY = 1e-3
STEPS = 300
FLAT = 1e-5
LONGEST = 4000
"""Characters of a text that are looked at."""
Z95 = 1.959963984540054
LEAST_Z = 3.0
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_WORD = re.compile(r"[^\W\d_]{2,30}")


class Estimate(NamedTuple):
    """A value with its 95% interval."""

    value: float
    low: float
    high: float


class Side(NamedTuple):
    """Texts of one side: when each was said (NaN: unknown), a key that equal texts share, and its weight."""

    texts: Sequence[str]
    times: Floats
    keys: Sequence[int]
    weights: Floats


class Word(NamedTuple):
    """A word, and how much likelier it is here than there: a z-score, and the share of texts with it on either side."""

    word: str
    z: float
    here: float
    there: float


def features(texts: Sequence[str]) -> Floats:
    """One row a text: hashed character n-grams of length 1, and a constant."""
    rows = [(*vector(text[:LONGEST]), 1.0) for text in texts]
    return np.array(rows)


def folds_of(one: Side, other: Side) -> tuple[Ints, Ints]:
    """The fold of every text: each side cut into blocks of time, equal texts of both sides in one fold.

    Without such blocks a classifier could learn a moment's topic on one side and find it again next door; with equal
    texts in two folds it would be punished for knowing them.
    """
    first = _blocks(one)
    fold_of: dict[int, int] = {}
    for key, fold in zip(one.keys, first.tolist(), strict=True):
        fold_of.setdefault(key, fold)
    second = _blocks(other)
    for key, fold in zip(other.keys, second.tolist(), strict=True):
        fold_of.setdefault(key, fold)
    return (
        np.array([fold_of[key] for key in one.keys], dtype=np.intp),
        np.array([fold_of[key] for key in other.keys], dtype=np.intp),
    )


def _blocks(side: Side) -> Ints:
    """Blocks of about equal size in the order of time; the undated stand where their keys put them."""
    known = side.times[np.isfinite(side.times)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    keys = np.array([key % (1 << 53) for key in side.keys], dtype=np.float64) / (1 << 53)
    at = np.where(np.isfinite(side.times), side.times, low + keys * (high - low))
    order = np.lexsort((keys, at))
    blocks = np.empty(len(order), dtype=np.intp)
    blocks[order] = np.arange(len(order)) * FOLDS // max(1, len(order))
    return blocks


def separation(one: Side, other: Side) -> Estimate:
    """The out-of-fold AUC of a classifier that tells the first side from the second: 0.5 where it cannot.

    Logistic regression with an L2 penalty on hashed character n-grams, fitted on all folds but one and judged on that
    one; the folds' AUCs are averaged by their number of pairs. The interval is DeLong's, clipped to 0 to 1. Raises
    ValueError where no fold has texts of both sides.
    """
    fold_one, fold_other = folds_of(one, other)
    x = np.concatenate([features(one.texts), features(other.texts)])
    y = np.concatenate([np.ones(len(one.texts)), np.zeros(len(other.texts))])
    w = np.concatenate([one.weights / one.weights.sum(), other.weights / other.weights.sum()])
    fold = np.concatenate([fold_one, fold_other])
    total = mean = variance = 0.0
    for this in range(FOLDS):
        held = fold == this
        ours, theirs = held & (y == 1), held & (y == 0)
        if not (ours.any() and theirs.any() and (y[~held] == 1).any() and (y[~held] == 0).any()):
            continue
        beta = fit(x[~held], y[~held], w[~held])
        found, spread = auc(x[ours] @ beta, x[theirs] @ beta, w[ours], w[theirs])
        pairs = float(w[ours].sum() * w[theirs].sum())
        total, mean, variance = total + pairs, mean + pairs * found, variance + pairs * pairs * spread
    if total == 0:
        raise ValueError("no fold holds texts of both sides")
    value, half = mean / total, Z95 * math.sqrt(variance) / total
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def fit(x: Floats, y: Floats, w: Floats) -> Floats:
    """Coefficients of logistic regression, both classes of equal weight, by Nesterov's accelerated gradient."""
    balanced: Floats = w * (y / float(w @ y) + (1 - y) / float(w @ (1 - y))) / 2
    norm = float(np.max(np.einsum("ij,ij->i", x, x)))
    step = 1 / (norm / 4 + PENALTY)
    ratio = math.sqrt(PENALTY * step)
    momentum = (1 - ratio) / (1 + ratio)
    beta: Floats = np.zeros(int(x.shape[1]), dtype=np.float64)
    ahead: Floats = beta
    for _ in range(STEPS):
        chance: Floats = 1 / (1 + np.exp(-np.clip(x @ ahead, -30, 30)))
        slope: Floats = x.T @ (balanced * (chance - y)) + PENALTY * ahead
        after: Floats = ahead - step * slope
        ahead, beta = after + momentum * (after - beta), after
        if float(np.abs(slope).max()) < FLAT:
            break
    return beta


def auc(ours: Floats, theirs: Floats, w: Floats, v: Floats) -> tuple[float, float]:
    """The weighted area under the ROC curve, ties counted half, and its DeLong variance."""
    placed, back = _placements(ours, theirs, v), 1 - _placements(theirs, ours, w)
    w, v = w / w.sum(), v / v.sum()
    value = float(w @ placed)
    variance = float(np.sum((w * (placed - value)) ** 2) + np.sum((v * (back - value)) ** 2))
    return value, variance


def _placements(scores: Floats, others: Floats, weights: Floats) -> Floats:
    """For each score the weighted share of the others below it, ties half."""
    order = np.argsort(others, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    sorted_others = others[order]
    left, right = np.searchsorted(sorted_others, scores, "left"), np.searchsorted(sorted_others, scores, "right")
    return (below[left] + below[right]) / 2


def words_of(here: Sequence[str], there: Sequence[str], most: int = 10) -> list[Word]:
    """The words that mark the first texts against the others, the strongest first: log-odds by a Dirichlet prior.

    Counts texts that have a word, not occurrences. Only words beyond 3 standard errors.
    """
    one, other = _texts_with(here), _texts_with(there)
    n, m = max(1, len(here)), max(1, len(there))
    scale = 50.0 / max(1, sum(one.values()) + sum(other.values()))
    found: list[Word] = []
    for word in one:
        a, b = one[word], other[word]
        prior = scale * (a + b)
        odds = math.log((a + prior) / (n - a + prior + 1)) - math.log((b + prior) / (m - b + prior + 1))
        z = odds / math.sqrt(1 / (a + prior) + 1 / (b + prior))
        if z >= LEAST_Z:
            found.append(Word(word, z, a / n, b / m))
    return sorted(found, key=lambda one: (-one.z, one.word))[:most]


def _texts_with(texts: Sequence[str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(set(_WORD.findall(text[:LONGEST].casefold())))
    return counted
