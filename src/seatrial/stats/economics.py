"""What a switch costs and saves, with its uncertainty: draws instead of point arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats


@dataclass(frozen=True, slots=True)
class CostPlan:
    """Costs of one period, in one currency: prices per unit of work for both arms, and what a failure costs.

    `units` is the work of the period (documents, requests); `fixed_*` are per period; `migration` is
    paid once, and counts against the candidate. Raises ValueError when one is negative or not finite.
    """

    units: float
    price_candidate: float
    price_incumbent: float
    failure_cost: float
    fixed_candidate: float = 0.0
    fixed_incumbent: float = 0.0
    migration: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            _check.count(field.name, getattr(self, field.name))


class TcoDraws(NamedTuple):
    """Draws of the total cost of both arms (migration within the candidate's), and what follows from them.

    `saving` is the mean of incumbent − candidate; `p_cheaper` how often the candidate is cheaper;
    `evpi` what knowing the failure rates exactly would be worth.
    """

    candidate: Floats
    incumbent: Floats
    saving: float
    p_cheaper: float
    evpi: float


def total_cost(units: float, price: float, failure_rate: float, failure_cost: float, fixed: float = 0.0) -> float:
    """Return units × (price + failure_rate × failure_cost) + fixed.

    Args:
        units: work of the period, 0 or more.
        price: per unit, tokens of all kinds added up; 0 or more.
        failure_rate: share of units that fail, 0 to 1.
        failure_cost: what one failure costs (review, rework, harm); 0 or more.
        fixed: per period; 0 or more.

    Raises:
        ValueError: an argument out of range.

    """
    for name, value in (("units", units), ("price", price), ("failure_cost", failure_cost), ("fixed", fixed)):
        _check.count(name, value)
    return units * (price + _check.within("failure_rate", failure_rate, 0, 1) * failure_cost) + fixed


def break_even_rate(price_saving: float, units: float, failure_cost: float) -> float:
    """Return how many more failures (a share of units) eat up a price saving of the same period.

    Args:
        price_saving: money saved on price over the period.
        units: work of the period, above 0.
        failure_cost: what one failure costs, above 0.

    .238 means 23.8 points. May exceed 1: then no failure rate does.

    Raises:
        ValueError: an argument out of range.

    """
    return _check.count("price_saving", price_saving) / (
        _check.positive("units", units) * _check.positive("failure_cost", failure_cost)
    )


def payback_periods(setup: float, saving: float, upkeep: float = 0.0) -> float:
    """Return after how many periods a setup cost is earned back; inf when it never is.

    Args:
        setup: paid once, 0 or more.
        saving: per period, 0 or more.
        upkeep: per period, 0 or more.

    Raises:
        ValueError: a negative argument.

    """
    for name, value in (("setup", setup), ("saving", saving), ("upkeep", upkeep)):
        _check.count(name, value)
    return setup / (saving - upkeep) if saving > upkeep else math.inf


def tco_draws(
    a: float, b: float, c: float, d: float, plan: CostPlan, *, draws: int = 10_000, seed: int = 0
) -> TcoDraws:
    """Return draws of the total cost of candidate and incumbent, given what they did on the same cases.

    Args:
        a: cases both pass. Counts may be fractions: divided by a design effect.
        b: cases only the candidate passes.
        c: cases only the incumbent passes.
        d: cases both fail.
        plan: prices, volume and the cost of a failure.
        draws: how many, 100 or more.
        seed: of the random numbers; the same seed gives the same draws.

    Failure rates come together from Dirichlet(a + ½, b + ½, c + ½, d + ½), so that what the arms share
    cancels. No cases: the prior alone. Assumes independent cases that look like production traffic.
    Source: Jeffreys 1946 (prior); Raiffa and Schlaifer 1961 (value of information).

    Raises:
        ValueError: a negative count, or draws out of range.

    """
    shares = _dirichlet((a, b, c, d), draws, np.random.default_rng(seed))
    fail_candidate, fail_incumbent = shares[:, 2] + shares[:, 3], shares[:, 1] + shares[:, 3]
    candidate = plan.units * (plan.price_candidate + fail_candidate * plan.failure_cost)
    incumbent = plan.units * (plan.price_incumbent + fail_incumbent * plan.failure_cost)
    candidate = candidate + plan.fixed_candidate + plan.migration
    incumbent = incumbent + plan.fixed_incumbent
    saving = incumbent - candidate
    mean = float(saving.mean())
    evpi = max(0.0, float(np.maximum(saving, 0).mean()) - max(0.0, mean))
    return TcoDraws(candidate, incumbent, mean, float((saving > 0).mean()), evpi)


def evsi(
    counts: tuple[float, float, float, float], plan: CostPlan, more: int, *, draws: int = 10_000, seed: int = 0
) -> float:
    """Return what `more` further cases would be worth: compare it with what running them costs.

    Args:
        counts: (a, b, c, d) as for `tco_draws`.
        plan: prices, volume and the cost of a failure.
        more: further cases, 0 or more.
        draws: how many imagined results, 100 or more.
        seed: of the random numbers.

    In the currency of the plan; 0 when no result could change the decision; at most the `evpi`.
    Source: Raiffa and Schlaifer 1961.

    Raises:
        ValueError: a negative count, or draws out of range.

    """
    more = _check.whole("more", more)
    rng = np.random.default_rng(seed)
    shares = _dirichlet(counts, draws, rng)
    seen = rng.multinomial(more, shares)
    total = sum(counts) + 2 + more
    gain = (counts[1] - counts[2] + seen[:, 1] - seen[:, 2]) / total  # expected b − c share afterwards
    price = plan.units * (plan.price_incumbent - plan.price_candidate)
    fixed = plan.fixed_incumbent - plan.fixed_candidate - plan.migration
    after = price + fixed + plan.units * plan.failure_cost * gain
    return max(0.0, float(np.maximum(after, 0).mean()) - max(0.0, float(after.mean())))


def _dirichlet(counts: tuple[float, float, float, float], draws: int, rng: np.random.Generator) -> Floats:
    for name, value in zip("abcd", counts, strict=True):
        _check.count(name, value)
    _check.whole("draws", draws, least=100)
    return rng.dirichlet([value + 0.5 for value in counts], draws)


def pareto_probability(draws: ArrayLike) -> Floats:
    """Return for each model how often no other is at least as good on all objectives and better on one.

    Args:
        draws: array of draws × models × objectives, smaller is better on each (failure rate, price, p95
            latency). Apply hard gates before.

    Shares from 0 to 1, one per model; 1 for a single model. Equal models do not push each other off.

    Raises:
        ValueError: not three-dimensional, empty, or NaN.

    """
    cube = np.asarray(draws, dtype=np.float64)
    if cube.ndim != 3 or 0 in cube.shape:
        raise ValueError(f"draws must be draws × models × objectives, not empty; got shape {cube.shape}")
    if np.isnan(cube).any():
        raise ValueError("draws must not hold NaN; got one")
    models = cube.shape[1]
    on_front = np.ones(cube.shape[:2], dtype=np.bool_)
    for m in range(models):
        mine = cube[:, m : m + 1, :]
        better = (cube <= mine).all(axis=2) & (cube < mine).any(axis=2)
        beaten = np.count_nonzero(better, axis=1) > 0
        on_front[:, m] = ~beaten
    return on_front.mean(axis=0)
