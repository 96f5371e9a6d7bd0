"""Ranking several models from pairwise preferences: Bradley–Terry, and ties by Davidson."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import sigmoid

ELO = 400 / math.log(10)
"""Points of an Elo-like scale per unit of ability."""


class Ranking(NamedTuple):
    """Abilities on the log-odds scale (0 for the anchor), standard errors, and 1000 + 400/ln 10 × ability.

    `tie` is Davidson's ν or Rao and Kupper's η (0 for `bradley_terry`); `regularised` says that a
    virtual tie with the anchor had to be added because some models never lost to, or never met, the others.
    """

    theta: Floats
    se: Floats
    rating: Floats
    tie: float
    regularised: bool


class RankingDraws(NamedTuple):
    """Bootstrap of a ranking: intervals of the ratings (1000 + …), and ranks: 1 + how many are surely better."""

    low: Floats
    high: Floats
    rank: Floats


def bradley_terry(wins: ArrayLike, *, ties: ArrayLike | None = None, anchor: int = 0) -> Ranking:
    """Return the maximum likelihood abilities of the Bradley–Terry model.

    Args:
        wins: square array; wins[i, j] = how often i was preferred to j (fractions allowed). The diagonal
            is ignored.
        ties: symmetric square array of ties, each counted as half a win for both; None for no ties.
        anchor: the model whose ability is 0 (rating 1000).

    P(i beats j) = 1/(1 + e^(θ_j − θ_i)). `se` is that of the difference to the anchor (0 for it). When a
    model is unbeaten, or groups never met, the likelihood has no maximum: half a virtual tie with the
    anchor is then given to every model and `regularised` is True; such ratings should not be ranked.
    Preference, not safety: for pass or fail compare rates.
    Source: Bradley and Terry 1952; Ford 1957 (when the maximum exists).

    Raises:
        ValueError: not square with at least 2 models, negative counts, or an unknown anchor.

    """
    counts, even = _games(wins, ties, anchor)
    return _fit_bradley_terry(counts + even / 2, anchor)


def _fit_bradley_terry(score: Floats, anchor: int) -> Ranking:
    regularised = not _connected(score)
    if regularised:
        score = score + _virtual(score.shape[0], anchor)
    games, size = score + score.T, score.shape[0]
    free = _others(size, anchor)
    theta = np.zeros(size)
    hessian = np.eye(size)
    for _ in range(100):
        expected = sigmoid(theta[:, None] - theta[None, :])
        gradient = (score - games * expected).sum(axis=1)
        weight = games * expected * (1 - expected)
        hessian = np.diag(weight.sum(axis=1)) - weight
        step = np.zeros(size)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        theta = theta + step * min(1.0, 2.0 / max(1e-300, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-12 * max(1.0, float(np.abs(theta).max())):
            break
    se = np.zeros(size)
    se[free] = np.sqrt(np.diag(np.linalg.inv(hessian[np.ix_(free, free)])))
    return Ranking(theta, se, 1000 + ELO * theta, 0.0, regularised)


def davidson(wins: ArrayLike, ties: ArrayLike, *, anchor: int = 0) -> Ranking:
    """Return the maximum likelihood abilities of Davidson's model, where ties are outcomes of their own.

    Args:
        wins: square array; wins[i, j] = how often i was preferred to j. The diagonal is ignored.
        ties: symmetric square array; ties[i, j] = ties[j, i] = how often neither was.
        anchor: the model whose ability is 0.

    P(i) : P(j) : P(tie) = e^θ_i : e^θ_j : ν·e^((θ_i + θ_j)/2). For comparisons with many ties (above
    20%). No ties give ν = 0 and `bradley_terry`. Unbeaten or unconnected models as there.
    Source: Davidson 1970.

    Raises:
        ValueError: as `bradley_terry`; nothing but ties.

    """
    counts, even = _games(wins, ties, anchor)
    if not even.any():
        return _fit_bradley_terry(counts, anchor)
    if not counts.any():
        raise ValueError("wins must not all be 0; got nothing but ties")
    regularised = not _connected(counts + even)
    if regularised:
        even = even + 2 * _virtual(counts.shape[0], anchor)
    start = _fit_bradley_terry(counts + even / 2, anchor).theta
    theta, log_nu, hessian = _davidson_newton(counts, even, anchor, start)
    free = np.append(_others(theta.size, anchor), True)
    se = np.zeros(theta.size + 1)
    se[free] = np.sqrt(np.diag(np.linalg.inv(hessian[np.ix_(free, free)])))
    return Ranking(theta, se[:-1], 1000 + ELO * theta, math.exp(log_nu), regularised)


def _davidson_newton(wins: Floats, ties: Floats, anchor: int, start: Floats) -> tuple[Floats, float, Floats]:
    """Newton's method in the abilities and ln ν; also the information matrix at the maximum."""
    size = wins.shape[0]
    first, second = np.triu_indices(size, 1)
    won, lost, tied = wins[first, second], wins[second, first], ties[first, second]
    games = won + lost + tied
    free = np.append(_others(size, anchor), True)
    point = np.append(start, math.log(max(1e-6, tied.sum() / max(1.0, games.sum()))))
    pairs = np.arange(first.size)
    design = np.zeros((3, first.size, size + 1))  # outcome × pair × parameter, of the log weight
    design[0, pairs, first], design[1, pairs, second] = 1.0, 1.0
    design[2, pairs, first] = design[2, pairs, second] = 0.5
    design[2, :, size] = 1.0
    seen = np.stack((won, lost, tied))
    hessian = np.eye(size + 1)
    for _ in range(200):
        log_weight = design @ point
        weight = np.exp(log_weight - log_weight.max(axis=0))
        chance = weight / weight.sum(axis=0)
        gradient = np.einsum("op,opk->k", seen - games * chance, design)
        mean = np.einsum("op,opk->pk", chance, design)
        spread = design - mean
        hessian = np.einsum("op,opj,opk->jk", games * chance, spread, spread)
        step = np.zeros(size + 1)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        point = point + step * min(1.0, 1.0 / max(1e-300, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-11:
            break
    return point[:-1], float(point[-1]), hessian


def rao_kupper(wins: ArrayLike, ties: ArrayLike, *, anchor: int = 0) -> Ranking:
    """Return the maximum likelihood abilities of Rao and Kupper's model: a tie is a difference too small to see.

    Args:
        wins: square array; wins[i, j] = how often i was preferred to j. The diagonal is ignored.
        ties: symmetric square array; ties[i, j] = ties[j, i] = how often neither was.
        anchor: the model whose ability is 0.

    P(i beats j) = e^θ_i / (e^θ_i + η·e^θ_j); `tie` holds η, above 1. A check on `davidson`: close results
    do not depend on how ties are modelled. No ties give η = 1 and `bradley_terry`.
    Source: Rao and Kupper 1967.

    Raises:
        ValueError: as `davidson`.

    """
    counts, even = _games(wins, ties, anchor)
    if not even.any():
        return _fit_bradley_terry(counts, anchor)._replace(tie=1.0)
    if not counts.any():
        raise ValueError("wins must not all be 0; got nothing but ties")
    regularised = not _connected(counts + even)
    if regularised:
        even = even + 2 * _virtual(counts.shape[0], anchor)
    size, tied = counts.shape[0], float(even.sum()) / 2
    score = counts + even  # a tie is a comparison that neither side won clearly
    free = np.append(_others(size, anchor), True)
    point = np.append(_fit_bradley_terry(counts + even / 2, anchor).theta, 0.5)
    hessian = np.eye(size + 1)
    for _ in range(200):
        gradient, hessian = _rao_kupper_slope(score, tied, point)
        step = np.zeros(size + 1)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        scale = min(1.0, 1.0 / max(1e-300, float(np.abs(step).max())))
        while point[-1] + scale * step[-1] <= 0:
            scale /= 2
        point = point + scale * step
        if np.abs(step).max() < 1e-11:
            break
    se = np.zeros(size + 1)
    se[free] = np.sqrt(np.diag(np.linalg.inv(hessian[np.ix_(free, free)])))
    return Ranking(point[:-1], se[:-1], 1000 + ELO * point[:-1], math.exp(float(point[-1])), regularised)


def _rao_kupper_slope(score: Floats, tied: float, point: Floats) -> tuple[Floats, Floats]:
    """Gradient and information of the log-likelihood in the abilities and ln η."""
    theta, log_eta = point[:-1], float(point[-1])
    lost = score * sigmoid(-(theta[:, None] - theta[None, :] - log_eta))
    weight = lost * sigmoid(theta[:, None] - theta[None, :] - log_eta)
    grown = math.expm1(2 * log_eta)
    gradient = np.append(lost.sum(axis=1) - lost.sum(axis=0), 2 * tied * (grown + 1) / grown - lost.sum())
    both = weight + weight.T
    cross = weight.sum(axis=0) - weight.sum(axis=1)
    hessian = np.zeros((point.size, point.size))
    hessian[:-1, :-1] = np.diag(both.sum(axis=1)) - both
    hessian[:-1, -1] = hessian[-1, :-1] = cross
    hessian[-1, -1] = float(weight.sum()) + 4 * tied * (grown + 1) / grown**2
    return gradient, hessian


def elo(
    first: ArrayLike,
    second: ArrayLike,
    score: ArrayLike,
    *,
    models: int | None = None,
    k: float = 4.0,
    start: float = 1000.0,
) -> Floats:
    """Return Elo ratings after a sequence of comparisons: a live ticker, not a ranking.

    Args:
        first: number (from 0) of one model of each comparison, in order of time.
        second: number of the other model.
        score: 1 when `first` was preferred, 0 when `second`, ½ for a tie.
        models: how many models there are; None for the largest number seen plus 1.
        k: most points that one comparison moves, above 0.
        start: rating before the first comparison.

    E = 1/(1 + 10^((R₂ − R₁)/400)) is expected of the first; it gains k·(score − E), which the second
    loses. The result depends on the order and on k: to rank, use `bradley_terry`. No comparisons: every
    model keeps `start`.
    Source: Elo 1978.

    Raises:
        ValueError: lengths that differ, a number or score out of range, or a model against itself.

    """
    y = _check.vector("score", score, 0.0, 1.0)
    i, j = (_models(name, numbers, y.size) for name, numbers in (("first", first), ("second", second)))
    _check.positive("k", k)
    if (i == j).any():
        raise ValueError(f"first and second must name two different models; got {int(i[np.argmax(i == j)])} twice")
    seen = int(max(i.max(), j.max())) + 1 if y.size else 0
    size = seen if models is None else _check.whole("models", models, least=seen)
    rating = [float(start)] * size
    for row in range(y.size):
        a, b = int(i[row]), int(j[row])
        gain = k * (float(y[row]) - elo_expected(rating[a] - rating[b]))
        rating[a] += gain
        rating[b] -= gain
    return np.array(rating, dtype=np.float64)


def _models(name: str, numbers: ArrayLike, rows: int) -> NDArray[np.intp]:
    found = _check.same_length(name, _check.vector(name, numbers, 0.0, 1e6), rows)
    if (found != np.rint(found)).any():
        raise ValueError(f"{name} must hold whole numbers of models; got {numbers!r}")
    return found.astype(np.intp)


def elo_expected(difference: float) -> float:
    """Return the score expected of a model that is rated `difference` points above its opponent.

    Args:
        difference: own rating minus the other's, in Elo points.

    From 0 to 1; ½ for equals, .76 at 200 points, .91 at 400.
    Source: Elo 1978.

    Raises:
        ValueError: difference is not a finite number.

    """
    if not math.isfinite(difference):
        raise ValueError(f"difference must be finite; got {difference!r}")
    return float(sigmoid(np.asarray(difference / ELO, dtype=np.float64)))


def bootstrap_ratings(
    first: ArrayLike,
    second: ArrayLike,
    score: ArrayLike,
    case: ArrayLike,
    *,
    alpha: float = 0.05,
    draws: int = 1_000,
    seed: int = 0,
) -> RankingDraws:
    """Return intervals of Bradley–Terry ratings and ranks from resampling cases.

    Args:
        first: number (from 0) of one model of each comparison.
        second: number of the other model.
        score: 1 when `first` was preferred, 0 when `second`, ½ for a tie.
        case: one label per comparison; all comparisons on a case are drawn together.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        draws: how many resamples, 20 or more.
        seed: of the random numbers.

    Model 0 is the anchor: its rating is 1000 throughout. A model's rank is 1 plus the number of models
    whose interval lies wholly above its own. With one case every draw is the same: intervals have no
    width then; do not rank.
    Source: Chiang et al. 2024 (Chatbot Arena), with cases instead of votes.

    Raises:
        ValueError: lengths that differ, a number or score out of range, or no comparison.

    """
    y = _check.vector("score", score, 0.0, 1.0)
    i = _check.same_length("first", _check.vector("first", first, 0.0), y.size).astype(np.intp)
    j = _check.same_length("second", _check.vector("second", second, 0.0), y.size).astype(np.intp)
    _check.inside("alpha", alpha, 0, 1)
    _check.whole("draws", draws, least=20)
    if y.size == 0 or (i == j).any():
        raise ValueError(f"first and second must name two different models per comparison; got {y.size} rows")
    group, n_cases = _check.groups(case, y.size)
    size = int(max(i.max(), j.max())) + 1
    rng = np.random.default_rng(seed)
    ratings = np.empty((draws, size))
    for d in range(draws):
        times = rng.multinomial(n_cases, np.full(n_cases, 1 / n_cases))[group]
        table = _check.sums_by(i * size + j, times * y, size * size).reshape(size, size)
        table += _check.sums_by(j * size + i, times * (1 - y), size * size).reshape(size, size)
        ratings[d] = _fit_bradley_terry(table, 0).rating
    low, high = np.quantile(ratings, [alpha / 2, 1 - alpha / 2], axis=0)
    rank = 1 + (low[None, :] > high[:, None]).sum(axis=1)
    return RankingDraws(low, high, rank.astype(np.float64))


def _games(wins: ArrayLike, ties: ArrayLike | None, anchor: int) -> tuple[Floats, Floats]:
    counts = np.array(wins, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.shape[0] < 2:
        raise ValueError(f"wins must be square, for at least 2 models; got shape {counts.shape}")
    even = np.zeros_like(counts) if ties is None else np.array(ties, dtype=np.float64)
    if even.shape != counts.shape:
        raise ValueError(f"ties must have the shape of wins, {counts.shape}; got {even.shape}")
    for name, table in (("wins", counts), ("ties", even)):
        np.fill_diagonal(table, 0.0)
        if not (np.isfinite(table) & (table >= 0)).all():
            raise ValueError(f"{name} must hold finite counts, not negative; got {table.min()!r}")
    if not np.array_equal(even, even.T):
        raise ValueError("ties must be symmetric; got different counts for (i, j) and (j, i)")
    if not 0 <= anchor < counts.shape[0]:
        raise ValueError(f"anchor must be from 0 to {counts.shape[0] - 1}; got {anchor!r}")
    return counts, even


def _others(size: int, anchor: int) -> NDArray[np.bool_]:
    free = np.ones(size, dtype=np.bool_)
    free[anchor] = False
    return free


def _connected(score: Floats) -> bool:
    """Whether every model can be reached from every other along wins."""
    reach = (score > 0) | np.eye(score.shape[0], dtype=np.bool_)
    for _ in range(max(1, score.shape[0].bit_length())):
        reach = (reach.astype(np.float64) @ reach.astype(np.float64)) > 0
    return bool(reach.all())


def _virtual(size: int, anchor: int) -> Floats:
    """Half a tie of each model with the anchor, as wins to both sides."""
    extra = np.zeros((size, size))
    extra[anchor, :] = extra[:, anchor] = 0.25
    extra[anchor, anchor] = 0.0
    return extra
