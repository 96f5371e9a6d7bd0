"""What a switch would cost and save: the business case of one candidate, with the uncertainty of its failure rates.

Prices are plain arithmetic on what the suite says. Failure rates come from the trial: both arms' rates are drawn
together from what they did on the same cases (`stats.tco_draws`), the counts being divided by the design effect where
cases share clusters. What is not known is None, never 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seatrial.core.economics import DAYS, PERIODS, EconomicsSpec, TokenVolume
from seatrial.core.output import Usage
from seatrial.core.suite import Suite
from seatrial.stats import CostPlan, break_even_rate, evsi, payback_periods, tco_draws
from seatrial.targets.prices import prices_of
from seatrial.verdicts.artefacts.results import pairs_of
from seatrial.verdicts.engine.outcomes import Floats
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.reading.jointly import chosen, passes_all, weighted
from seatrial.verdicts.records import ArmSummary, Economics, Estimate, Money, Pairs, Payback

DRAWS = 10_000
WEEK_HOURS = 40
METHOD = "Dirichlet draws of the paired counts"
CLUSTERED = "Dirichlet draws of the paired counts at the effective size of the clusters"
MINUS = "−"
UNWEIGHTED = "What failures cost counts every case the same: traffic shares and weights are not in it."


class Price(NamedTuple):
    """Dollars a month of one arm, None where unknown, and whence, or why."""

    dollars: float | None
    source: str


class Rates(NamedTuple):
    """Draws of how much more often the candidate fails than the incumbent, and what was seen, as shares."""

    seen: float
    draws: Floats
    method: str


def of_frame(frame: Frame, candidate: ArmSummary, incumbent: ArmSummary) -> Economics | None:
    """The business case of one candidate of a trial; None where its suite has no `economics`."""
    spec = frame.suite.economics
    if spec is None:
        return None
    failed_by = chosen(frame.suite, spec.failed_by)
    outcomes = passes_all(frame, failed_by, candidate.target, incumbent.target)
    found = business_case(frame.suite, pairs_of(outcomes, frame.suite.policy), candidate, incumbent)
    notes = (UNWEIGHTED,) if weighted(frame, failed_by, candidate.target, incumbent.target) else ()
    return found.model_copy(update={"failed_by": failed_by, "notes": notes})


def business_case(suite: Suite, pairs: Pairs, candidate: ArmSummary, incumbent: ArmSummary) -> Economics:
    """What the switch costs and saves, where `pairs` counts the units that pass and fail.

    The suite has `economics`; the arms' costs are taken where it does not say what production sends.
    """
    spec = suite.economics
    assert spec is not None, "the suite has economics"
    new, old = (_price(suite, spec, arm) for arm in (candidate, incumbent))
    found = Economics(
        unit=spec.unit,
        units=spec.units_a_month,
        months=spec.months,
        failure_cost=spec.failure_cost,
        failed_by=spec.failed_by,
        price_candidate=new.dollars,
        price_incumbent=old.dollars,
        price_sources=tuple(dict.fromkeys((old.source, new.source))),
        price_saving=None if new.dollars is None or old.dollars is None else old.dollars - new.dollars,
        pairs=pairs,
        more=spec.more,
        more_cost=_asking(spec.more, candidate, incumbent),
        seed=suite.seed,
    )
    found = _break_even(found.model_copy(update=_once(spec)))
    if pairs.n:
        found = _with_failures(found, spec, _rates(pairs, suite.seed), 1 - suite.policy.alpha)
    return found.model_copy(update={"sentence": sentence(found, candidate.target)})


# prices ---------------------------------------------------------------------------------------------------------------


def _price(suite: Suite, spec: EconomicsSpec, arm: ArmSummary) -> Price:
    """A month's price of one arm, its fixed costs included."""
    fixed = spec.fixed.get(arm.target, 0.0)
    if spec.tokens is not None:
        each, source = _of_tokens(suite, spec, spec.tokens, arm.target)
        return Price(None if each is None else each + fixed, source)
    answer = _each(arm)
    if answer is None:
        return Price(None, f"what an answer of {arm.target} costs is unknown")
    return Price(answer * spec.requests * spec.units_a_month + fixed, "what this trial's answers cost")


def _of_tokens(suite: Suite, spec: EconomicsSpec, tokens: TokenVolume, name: str) -> Price:
    """A month's tokens at the suite's price: all at once, or request by request where the price depends on its size."""
    target, months = suite.targets[name], PERIODS[tokens.per]
    requests = 1.0
    if target.price is not None and target.price.model:
        requests = max(1.0, spec.units_a_month * spec.requests / months)
    parts = {key: round(getattr(tokens, key) / requests) for key in ("input", "output", "cached", "reasoning")}
    prices = prices_of(target)
    dollars = prices.cost(Usage(**parts))
    if dollars is None:
        return Price(None, f"the suite gives {name} no price for these tokens")
    return Price(dollars * requests * months, f"{prices.source}, for the tokens that the suite names")


def _each(arm: ArmSummary) -> float | None:
    """Dollars of one answer, of those whose cost is known."""
    known = arm.outputs - arm.cost_unknown
    return None if arm.cost is None or known <= 0 else arm.cost / known


def _asking(more: int, *arms: ArmSummary) -> float | None:
    each = [_each(arm) for arm in arms]
    return None if None in each else more * sum(value for value in each if value is not None)


def _once(spec: EconomicsSpec) -> dict[str, Money | float | None]:
    """What is paid once."""
    found: dict[str, Money | float | None] = {}
    if spec.migration is not None:
        weeks = spec.migration.weeks
        week = WEEK_HOURS * (spec.hour or 0.0)
        dollars = spec.migration.dollars or (weeks and (weeks[0] * week, weeks[1] * week))
        found["migration"] = _span(dollars)
        found["migration_weeks"] = _span(weeks)
    if spec.delay is not None:
        found |= {"delay": spec.delay.dollars, "delay_weeks": spec.delay.weeks}
    return found


def _span(ends: tuple[float, float] | None) -> Money | None:
    return None if ends is None else Money(low=ends[0], high=ends[1])


def _break_even(found: Economics) -> Economics:
    """How many more (below 0: fewer) of the units may fail before a month's price saving is gone."""
    saving = found.price_saving
    if saving is None:
        return found
    share = break_even_rate(abs(saving), found.units, found.failure_cost)
    return found.model_copy(update={"break_even": share if saving >= 0 else -share})


# failures -------------------------------------------------------------------------------------------------------------


def _rates(pairs: Pairs, seed: int) -> Rates:
    """Both arms' failure rates, drawn together."""
    shares = CostPlan(units=1, price_candidate=0, price_incumbent=0, failure_cost=1)
    drawn = tco_draws(*_counts(pairs), shares, draws=DRAWS, seed=seed)
    method = METHOD if pairs.deflation == 1 else CLUSTERED
    return Rates((pairs.lost - pairs.gained) / pairs.n, drawn.candidate - drawn.incumbent, method)


def _counts(pairs: Pairs) -> tuple[float, float, float, float]:
    a, b, c, d = (count / pairs.deflation for count in (pairs.both, pairs.gained, pairs.lost, pairs.neither))
    return a, b, c, d


def _with_failures(found: Economics, spec: EconomicsSpec, rates: Rates, level: float) -> Economics:
    def estimate(value: float, draws: Floats) -> Estimate:
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]).tolist()
        return Estimate(value=value, low=low, high=high, level=level, method=rates.method)

    cost = found.units * found.failure_cost
    update: dict[str, object] = {
        "extra_share": estimate(rates.seen, rates.draws),
        "extra_units": estimate(found.units * rates.seen, found.units * rates.draws),
        "extra_cost": estimate(cost * rates.seen, cost * rates.draws),
        "draws": DRAWS,
        "evaluation": _payback(spec, abs(cost * rates.seen)),
    }
    price = found.price_saving
    if price is not None:
        monthly = price - cost * rates.draws
        once = found.migration or Money(low=0.0, high=0.0)
        random = np.random.default_rng([found.seed, 1])
        total = found.months * monthly - random.uniform(once.low, once.high, len(monthly))
        middle = (once.low + once.high) / 2
        pays = float((total > 0).mean())
        update |= {
            "monthly": estimate(price - cost * rates.seen, monthly),
            "saving": estimate(found.months * (price - cost * rates.seen) - middle, total),
            "p_pays": pays,
            "loss_if_shipped": float(np.maximum(-total, 0).mean()),
            "loss_if_kept": float(np.maximum(total, 0).mean()),
            "delay_expected": None if found.delay is None else (1 - pays) * found.delay,
            **_information(found, middle),
        }
    return found.model_copy(update=update)


def _information(found: Economics, migration: float) -> dict[str, object]:
    """What knowing the failure rates exactly, or further cases, would be worth; migration costs stay as they are."""
    assert found.pairs is not None
    assert found.price_candidate is not None
    assert found.price_incumbent is not None
    plan = CostPlan(
        units=found.units * found.months,
        price_candidate=0,
        price_incumbent=0,
        failure_cost=found.failure_cost,
        fixed_candidate=found.price_candidate * found.months,
        fixed_incumbent=found.price_incumbent * found.months,
        migration=migration,
    )
    counts = _counts(found.pairs)
    worth = tco_draws(*counts, plan, draws=DRAWS, seed=found.seed).evpi
    further = round(found.more / found.pairs.deflation)
    return {"evpi": worth, "more_worth": min(worth, evsi(counts, plan, further, draws=DRAWS, seed=found.seed))}


def _payback(spec: EconomicsSpec, avoided: float) -> Payback | None:
    if spec.evaluation is None or spec.hour is None:
        return None
    setup, upkeep = (
        Money(low=low * spec.hour, high=high * spec.hour)
        for low, high in (spec.evaluation.setup_hours, spec.evaluation.upkeep_hours)
    )
    days = [
        payback_periods(once, avoided, monthly) * DAYS / 12
        for once, monthly in ((setup.low, upkeep.low), (setup.high, upkeep.high))
    ]
    known = Money(low=days[0], high=days[1]) if np.isfinite(days).all() else None
    return Payback(setup=setup, upkeep=upkeep, avoided=avoided, days=known)


# in words -------------------------------------------------------------------------------------------------------------


def sentence(found: Economics, candidate: str) -> str:
    """What the business case comes to."""
    if found.extra_cost is None:
        return "No case has a result of both arms, so what failures cost is unknown."
    if found.saving is None or found.saving.value is None or found.p_pays is None:
        more = found.extra_cost.value or 0.0
        said = f"{'cost' if more >= 0 else 'save'} {dollars(abs(more))} a month{_ends(found.extra_cost)}"
        return f"Whether a switch to {candidate} pays is unknown, because a price is; its failures {said}."
    value = found.saving.value
    paid = ", migration paid" if found.migration is not None else ""
    verb = "saves" if value >= 0 else "loses"
    return (
        f"In {found.months:g} months{paid}, a switch to {candidate} {verb} {dollars(abs(value))}"
        f"{_ends(found.saving, flip=value < 0)}: it pays with a probability of {chance(found.p_pays)}."
    )


def _ends(found: Estimate, *, flip: bool = False) -> str:
    if found.low is None or found.high is None:
        return ""
    low, high = (-found.high, -found.low) if flip else (found.low, found.high)
    return f" ({100 * found.level:g}% interval {dollars(low)} to {dollars(high)})"


def dollars(value: float) -> str:
    """`−$1,234`: whole dollars from 100 on, cents below."""
    return f"{MINUS if value < 0 else ''}${abs(value):,.{0 if abs(value) >= 100 else 2}f}"


def chance(share: float) -> str:
    """A probability in whole per cent, never 0 or 100 unless no draw says otherwise, which `DRAWS` bound."""
    if share in (0.0, 1.0):
        return f"{'under' if share == 0 else 'over'} {0.01 if share == 0 else 99.99:g}%"
    return "under 1%" if share < 0.005 else "over 99%" if share > 0.995 else f"{100 * share:.0f}%"
