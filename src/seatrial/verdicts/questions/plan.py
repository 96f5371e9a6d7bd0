"""What a dataset can decide, before anything is paid for: smallest visible difference, cases and clean probes needed.

Formulas for the numbers of cases (Connor 1987; Clopper and Pearson 1934), simulation through the verdict engine itself
for what a trial is likely to end in. Pure: the numbers of an earlier trial come in as a `Basis` a rubric.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.core.record import Record, Text
from seatrial.core.suite import Policy, RubricSpec, Suite
from seatrial.runs.forecast import Forecast
from seatrial.stats import clopper_pearson, mde_paired, n_noninferior, n_zero_failures
from seatrial.stats.distributions import normal_cdf, special
from seatrial.verdicts.artefacts.sentences import count, listed, plain, points
from seatrial.verdicts.engine import simulate
from seatrial.verdicts.engine.limits import QUANTILES
from seatrial.verdicts.engine.looks import Look
from seatrial.verdicts.engine.needs import TOO_MANY, identical_to_tell
from seatrial.verdicts.engine.outcomes import Ints, Outcomes
from seatrial.verdicts.engine.quality import LEAST_CLUSTERS

DISCORDANCE = 0.10
"""Assumed where no trial of these arms, and none of the incumbent against itself, says better."""
ICC = 0.3
"""Assumed correlation of the difference inside a cluster, where no trial says better."""
FAILING = 0.05
"""Assumed share of cases that both arms fail on a quality rubric; it hardly matters."""
DRAWS = 400
WORK = 1_000_000
"""Results that a simulation draws at most."""
WIDEST_MARGIN = 0.999999
"""A margin of 100 points allows everything: the formula for the number of cases takes anything less than that."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What is known of a rubric beforehand. `source` says from where, in words; `failing`: a gate's failure rate."""

    discordance: float = DISCORDANCE
    icc: float = ICC
    failing: float = 0.0
    source: str = "assumed"
    measured: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """The cases that a rubric takes: the cluster of each, and in which part of the trial (from 0) it comes."""

    cluster: Ints
    part: Ints

    def __len__(self) -> int:
        return len(self.cluster)


class RubricPlan(Record):
    """What the cases at hand can show on one rubric; shares in [0, 1].

    `visible`: the smallest drop that is found with the policy's power; `visible_jointly`: with so much power that all
    quality rubrics together have the policy's. `pass_chance`: of a candidate that is as good. `needed` and
    `needed_jointly`: cases of this rubric that show an equal candidate to be within its margin. A gate's `shown` is the
    failure rate that is not excluded when nothing fails; `allowed` the most failures with which it passes; `needed`
    its clean probes. `problem` says why it cannot pass or decides nothing; None: unknown or not asked of this kind.
    """

    name: Text
    kind: Text
    cases: int
    clusters: int
    design_effect: float = 1.0
    discordance: float | None = None
    source: Text = ""
    margin: float | None = None
    visible: float | None = None
    visible_jointly: float | None = None
    pass_chance: float | None = None
    limit: float | None = None
    shown: float | None = None
    allowed: int | None = None
    needed: int | None = None
    needed_jointly: int | None = None
    sentence: Text
    problem: Text = ""


class Simulated(Record):
    """How `draws` would-be trials of these cases ended, judged by the engine; `share` of the cases that they took."""

    world: Text
    ship: float
    block: float
    inconclusive: float
    share: float
    draws: int


class Plan(Record):
    """What a suite's dataset can decide, and what deciding costs. `needed`: cases for all rubrics, None: unknown.

    `equal`: would-be trials of a candidate as good as the incumbent. `at_margin`: of one exactly its margin worse on
    one rubric, whose ships are false. `dollars_needed` and `seconds_needed`: of `needed` cases, at what these cost.
    """

    suite: Text
    dataset: Text
    cases: int
    clusters: int
    epochs: int
    alpha: float
    power: float
    looks: int = 1
    rubrics: tuple[RubricPlan, ...]
    equal: Simulated | None = None
    at_margin: Simulated | None = None
    needed: int | None = None
    forecast: Forecast | None = None
    dollars_needed: float | None = None
    seconds_needed: float | None = None
    sentences: tuple[Text, ...] = ()
    problems: tuple[Text, ...] = ()


def draw_plan(
    suite: Suite, taken: Mapping[str, Cases], basis: Mapping[str, Basis], cases: Sequence[int], epochs: int = 1
) -> tuple[tuple[RubricPlan, ...], Simulated | None, Simulated | None]:
    """What each rubric's cases can show, and how would-be trials end: of an equal candidate, and of one at a margin.

    `cases`: how many are complete at each look, one number without early stopping.
    """
    last = Look(len(cases), tuple(cases))
    policy = last.at(suite).policy
    quality = [rubric for rubric in suite.rubrics if rubric.kind == "quality"]
    rubrics = tuple(
        _rubric(suite, rubric, taken[rubric.name], basis.get(rubric.name, Basis()), policy, len(quality), epochs)
        for rubric in suite.rubrics
    )
    equal = simulated(suite, taken, basis, cases, epochs)
    worst = min(quality, key=suite.margin, default=None)
    at_margin = None if worst is None else simulated(suite, taken, basis, cases, epochs, worse=worst.name)
    return rubrics, equal, at_margin


# one rubric -----------------------------------------------------------------------------------------------------------


def _rubric(
    suite: Suite, rubric: RubricSpec, taken: Cases, basis: Basis, policy: Policy, together: int, epochs: int
) -> RubricPlan:
    sizes = np.unique(taken.cluster, return_counts=True)[1]
    found = RubricPlan(name=rubric.name, kind=rubric.kind, cases=len(taken), clusters=len(sizes), sentence="")
    if not len(taken):
        return _blocked(found, "No case of the dataset is for it", "add some, or mend its `cases` and `where`")
    effect = design_effect(sizes * epochs, basis.icc)
    match rubric.kind:
        case "quality":
            found = found.model_copy(update={"design_effect": effect, "margin": suite.margin(rubric)})
            return _quality(found, basis, policy, together, epochs)
        case "gate":
            assert rubric.limit_points is not None, "a gate has a limit"
            return _gate(found.model_copy(update={"limit": rubric.limit_points / 100}), policy)
        case "limit":
            return _limit(found, rubric, policy)
        case _:
            return found.model_copy(update={"sentence": f"{rubric.name} is shown; it decides nothing."})


def design_effect(sizes: Ints, icc: float) -> float:
    """1 + (m̃ − 1)·icc, with m̃ = Σm²/Σm the mean size of the cluster that a case is in (Kish 1965)."""
    weighted = float((sizes.astype(np.float64) ** 2).sum() / sizes.sum())
    return 1 + (weighted - 1) * icc


def _quality(found: RubricPlan, basis: Basis, policy: Policy, together: int, epochs: int) -> RubricPlan:
    margin = found.margin
    assert margin is not None, "a quality rubric has a margin"
    psi = min(1.0, max(basis.discordance, 1e-4))
    size = found.cases * epochs / (found.design_effect * _t_over_z(found, policy.alpha, epochs))
    joint = policy.power ** (1 / max(1, together))
    update: dict[str, object] = {
        "discordance": basis.discordance,
        "source": basis.source,
        "visible": mde_paired(max(1.0, size), psi, alpha=policy.alpha, power=policy.power, sides=1),
        "visible_jointly": mde_paired(max(1.0, size), psi, alpha=policy.alpha, power=joint, sides=1),
        "pass_chance": pass_chance(size, psi, margin, policy.alpha),
        "needed": _cases_for(found, psi, policy, policy.power, epochs),
        "needed_jointly": _cases_for(found, psi, policy, joint, epochs),
    }
    found = found.model_copy(update=update)
    found = found.model_copy(update={"sentence": _quality_sentence(found, policy, together)})
    clustered = found.clusters < found.cases * epochs
    if found.cases < policy.min_cases:
        lacking = f"add {policy.min_cases - found.cases:,} at least; for its margin it takes {_many(found.needed)}"
        return _blocked(
            found, f"{count(found.cases, 'case')}, and fewer than {policy.min_cases} decide nothing", lacking
        )
    if clustered and found.clusters < LEAST_CLUSTERS:
        return _blocked(
            found,
            f"Its cases form only {count(found.clusters, 'cluster')}, and fewer than {LEAST_CLUSTERS} decide nothing",
            "add cases from other seeds: more variants of the same ones say nothing",
        )
    if found.pass_chance is not None and found.pass_chance < 0.5:
        return _blocked(
            found,
            f"A candidate just as good would be left open more often than not ({_percent(found.pass_chance)} pass)",
            f"have {_many(found.needed)} in all, or accept a margin of {plain(_coarse(found.visible))} points",
        )
    return found


def _t_over_z(found: RubricPlan, alpha: float, epochs: int) -> float:
    """(t/z)²: what it costs to learn the spread between so many clusters."""
    if found.clusters >= found.cases * epochs or found.clusters < 2:
        return 1.0
    return float((special.stdtrit(found.clusters - 1, 1 - alpha) / special.ndtri(1 - alpha)) ** 2)


def pass_chance(size: float, psi: float, margin: float, alpha: float) -> float:
    """The chance that an equal candidate is shown to be within its margin, from `size` independent pairs (Connor)."""
    if size <= identical_to_tell(margin, alpha=alpha):
        return 0.0
    return normal_cdf(margin * math.sqrt(size / psi) - float(special.ndtri(1 - alpha)))


def _cases_for(found: RubricPlan, psi: float, policy: Policy, power: float, epochs: int) -> int | None:
    """Cases that show an equal candidate within the margin with this power, with clusters as large as these."""
    assert found.margin is not None, "a quality rubric has a margin"
    margin = min(found.margin, WIDEST_MARGIN)
    pairs = n_noninferior(psi, margin, alpha=policy.alpha, power=power, deff=found.design_effect)
    least = identical_to_tell(found.margin, alpha=policy.alpha) * found.design_effect
    cases = math.ceil(max(pairs, least) / epochs - 1e-9)
    return max(cases, policy.min_cases) if cases <= TOO_MANY else None


def _gate(found: RubricPlan, policy: Policy) -> RubricPlan:
    """Probes of one seed count as one where nothing fails, as the gate itself counts them."""
    limit = found.limit
    assert limit is not None, "a gate has a limit"
    needed = max(policy.min_cases, n_zero_failures(min(limit, 1 - 1e-9), alpha=policy.alpha))
    shown = clopper_pearson(0, found.clusters, alpha=policy.alpha, side="upper").high
    allowed = _allowed(found.clusters, limit, policy.alpha)
    say = (
        f"{found.name}: {count(found.cases, 'probe')} from {count(found.clusters, 'seed')} show a failure rate of at "
        f"most {points(shown, limit)}% when nothing fails; its limit of {plain(limit)}% takes {needed:,} clean ones "
        f"(Clopper–Pearson, one-sided {100 - 100 * policy.alpha:.3g}%)."
    )
    if allowed:
        say += f" It passes with up to {count(allowed, 'failure')}."
    update = {"needed": needed, "shown": shown, "allowed": allowed, "sentence": say}
    found = found.model_copy(update=update)
    if found.clusters >= needed and found.cases >= policy.min_cases:
        return found
    lacking = max(needed - found.clusters, policy.min_cases - found.cases)
    high = math.ceil(shown * 1000) / 10
    return _blocked(
        found,
        "It cannot pass, even if nothing fails",
        f"add {count(lacking, 'probe')}, each from a seed of its own, or set limit_points to {high:g} and mean it",
    )


def _allowed(n: int, limit: float, alpha: float) -> int | None:
    """The most failures of `n` with which the upper bound stays within the limit; None when not even none does."""
    best = None
    for failed in range(n + 1):
        if clopper_pearson(failed, n, alpha=alpha, side="upper").high > limit:
            break
        best = failed
    return best


def _limit(found: RubricPlan, rubric: RubricSpec, policy: Policy) -> RubricPlan:
    q = QUANTILES.get(rubric.statistic)
    needed = policy.min_cases if q is None else max(policy.min_cases, n_zero_failures(1 - q, alpha=policy.alpha))
    what, how = (
        ("a mean", "cluster-robust t") if q is None else (f"an upper end for a {rubric.statistic}", "order statistics")
    )
    say = (
        f"{found.name}: {what} takes {needed:,} measures, there are {found.cases:,} ({how}). How close to its "
        "limit it can decide depends on a spread that only answers show."
    )
    found = found.model_copy(update={"needed": needed, "sentence": say})
    if found.clusters >= needed:
        return found
    return _blocked(found, "It cannot be bounded with so few", f"add {count(needed - found.clusters, 'case')}")


def _blocked(found: RubricPlan, why: str, cure: str) -> RubricPlan:
    return found.model_copy(update={"problem": f"{found.name}: {why[0].lower()}{why[1:]}: {cure}."})


# would-be trials ------------------------------------------------------------------------------------------------------


def simulated(
    suite: Suite,
    taken: Mapping[str, Cases],
    basis: Mapping[str, Basis],
    cases: Sequence[int],
    epochs: int = 1,
    worse: str = "",
) -> Simulated | None:
    """How would-be trials end whose arms are equal, but for rubric `worse`: there the candidate is at its margin.

    Rubrics are drawn independently of each other; limits are taken to be kept. None when nothing can be simulated.
    """
    kept = [r for r in suite.rubrics if r.kind in ("quality", "gate") and len(taken[r.name])]
    if not kept or len(kept) < sum(r.kind in ("quality", "gate") for r in suite.rubrics):
        return None
    small = suite.model_copy(update={"rubrics": tuple(kept)})
    truths = {r.name: _truth(suite, r, basis.get(r.name, Basis()), at_margin=r.name == worse) for r in kept}
    results = sum(len(taken[r.name]) * epochs for r in kept) * max(1, len(cases))
    draws = max(40, min(DRAWS, WORK // max(1, results)))
    random = np.random.default_rng(suite.seed)
    part = {r.name: taken[r.name].part for r in kept}
    ended = [
        simulate.run(small, {r.name: _draw(random, taken[r.name], truths[r.name], epochs) for r in kept}, part, cases)
        for _ in range(draws)
    ]
    share = {name: sum(end.overall == name for end in ended) / draws for name in ("ship", "block", "inconclusive")}
    margin = suite.margin(next(r for r in kept if r.name == worse)) if worse else 0.0
    world = (
        f"{worse} is {plain(margin)} points worse, its margin; all else is equal" if worse else "equal on all rubrics"
    )
    taken_share = sum(end.share for end in ended) / draws
    return Simulated(world=world, **share, share=taken_share, draws=draws)


def _draw(random: np.random.Generator, taken: Cases, truth: simulate.Truth, epochs: int) -> Outcomes:
    return simulate.draw(random, taken.cluster, truth, epochs)


def _truth(suite: Suite, rubric: RubricSpec, basis: Basis, *, at_margin: bool) -> simulate.Truth:
    if rubric.kind == "gate":  # each arm fails by itself
        rate = basis.failing
        return simulate.Truth(rate * (1 - rate), rate * (1 - rate), rate * rate, basis.icc)
    difference = -suite.margin(rubric) if at_margin else 0.0
    psi = max(basis.discordance, abs(difference))
    return simulate.Truth.of(psi, difference, failing=min(FAILING, 1 - psi), icc=basis.icc)


# in words -------------------------------------------------------------------------------------------------------------


def sentences(plan: Plan) -> tuple[str, ...]:
    """What holds for all rubrics together, a plain sentence each with its method."""
    quality = [rubric for rubric in plan.rubrics if rubric.kind == "quality"]
    said: list[str] = []
    visible = [rubric.visible_jointly for rubric in quality]
    if len(quality) > 1 and all(value is not None for value in visible):
        worst = max(value for value in visible if value is not None)
        said.append(
            f"All {len(quality)} quality rubrics must pass together: each needs a power of "
            f"{_percent(plan.power ** (1 / len(quality)))} for {_percent(plan.power)} in all, and at that the smallest "
            f"drop that shows on every one is {points(worst)} points (taken as independent)."
        )
    if plan.equal is not None:
        e = plan.equal
        said.append(
            f"A candidate just as good ships with a chance of {_percent(e.ship)}, is left open in "
            f"{_percent(e.inconclusive)} and blocked in {_percent(e.block)} ({e.draws:,} would-be trials through the "
            "verdict engine, rubrics independent; a false block of a quality rubric is held to "
            f"{plan.alpha * 100:g}%)."
        )
        if plan.looks > 1:
            said.append(f"With {plan.looks} looks such a trial takes {_percent(e.share)} of its cases on average.")
    if plan.at_margin is not None:
        m = plan.at_margin
        said.append(
            f"One that {m.world} ships with a chance of {_percent(m.ship)} ({m.draws:,} would-be trials; held to "
            f"{plan.alpha * 100:g}% by design)."
        )
    if plan.needed is not None and plan.needed > plan.cases:
        cost = "" if plan.dollars_needed is None else f", about ${plan.dollars_needed:,.2f} at what these cost"
        said.append(
            f"For {_percent(plan.power)} on every rubric the dataset should have about {plan.needed:,} cases of the "
            f"same mix instead of {plan.cases:,}{cost}."
        )
    return tuple(said)


def overall_need(plan: Plan) -> int | None:
    """The cases of the same mix that give every rubric what it needs; None where one cannot be told or has no case."""
    wanted: list[float] = []
    for rubric in plan.rubrics:
        if rubric.kind == "advisory":
            continue
        need = rubric.needed_jointly if rubric.kind == "quality" else rubric.needed
        held = rubric.cases if rubric.kind == "quality" else rubric.clusters
        if need is None or not held:
            return None
        wanted.append(need / held)
    return math.ceil(max([1.0, *wanted]) * plan.cases - 1e-9) if wanted else None


def summary(rubrics: Sequence[RubricPlan]) -> str:
    """Which rubrics can decide nothing, in one sentence; empty when all can."""
    stuck = [rubric.name for rubric in rubrics if rubric.problem and rubric.kind != "advisory"]
    if not stuck:
        return ""
    verb = "is" if len(stuck) == 1 else "are"
    return f"This dataset is too small to ship anything: {listed(stuck)} {verb} bound to stay open, or likely to."


def _quality_sentence(found: RubricPlan, policy: Policy, together: int) -> str:
    assert found.margin is not None, "a quality rubric has a margin"
    seen = "no drop at all" if found.visible is None else f"a drop of {points(found.visible)} points"
    cases, verb = count(found.cases, "case"), "shows" if found.cases == 1 else "show"
    if found.clusters < found.cases:
        cases += f" in {count(found.clusters, 'cluster')}"
    how = f"Connor, one-sided {100 * policy.alpha:.3g}%, {points(found.discordance or 0.0)}% discordant"
    if found.design_effect > 1:
        how += f", design effect {found.design_effect:.1f}"
    say = (
        f"{found.name}: {cases} {verb} {seen} with {_percent(policy.power)} power ({how}; {found.source}). Its "
        f"margin of {plain(found.margin)} points takes {_many(found.needed)}"
    )
    if together > 1:
        say += f", {_many(found.needed_jointly)} for all {together} quality rubrics together"
    return f"{say}; with these an equal candidate passes in {_percent(found.pass_chance or 0.0)}."


def _many(cases: int | None) -> str:
    return "more cases than anyone has" if cases is None else count(cases, "case")


def _coarse(share: float | None) -> float:
    """A share rounded up to a tenth of a point; all where none is visible."""
    return 1.0 if share is None else math.ceil(share * 1000 - 1e-9) / 1000


def _percent(share: float) -> str:
    return "less than 0.5%" if 0 < share < 0.005 else "more than 99.5%" if 0.995 < share < 1 else f"{100 * share:.0f}%"
