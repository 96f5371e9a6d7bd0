"""Findings on rubrics: what they know, what they take, what they can show, and whether they tell answers apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seatrial.core.case import Case
from seatrial.core.protocols import Scorer
from seatrial.core.suite import Policy, RubricSpec, Suite
from seatrial.datasets.linting.facts import Bools, Facts
from seatrial.datasets.linting.finding import Finding, found, many, percent
from seatrial.datasets.linting.parts import Judged, decides
from seatrial.runs.plan import selected
from seatrial.stats import clopper_pearson, mde_paired, n_noninferior, n_zero_failures, wilson
from seatrial.trials.linting.history import Past, failing
from seatrial.trials.probing import Probed
from seatrial.verdicts.questions.plan import DISCORDANCE, ICC, WIDEST_MARGIN, design_effect, pass_chance

GENERIC = frozenset({
    "answer_relevance", "bias_pairs", "bleu", "chrf", "cost", "embedding_similarity", "first_token", "fuzzy",
    "html_valid", "inter_token", "json_valid", "language", "latency", "length", "markdown", "reading_level",
    "repetition", "rouge_l", "same_language", "tokens", "toxicity", "turn_relevance", "xml_valid",
})  # fmt: skip
"""Scorers that would say the same of anybody's application: overlap of words, well-formedness, quantities."""
LEFT_OUT = 0.05
"""A rubric that leaves out more of its cases than this is said to."""


class Taken(NamedTuple):
    """By rubric: which cases it takes, and to which of these its scorer applies; the first reason why not."""

    taken: Mapping[str, Bools]
    fits: Mapping[str, Bools]
    why: Mapping[str, str]


class Observing:
    """What rubrics take, noted while cases stream by."""

    def __init__(self, suite: Suite, scorers: Mapping[str, Scorer]) -> None:
        self._suite = suite
        self._scorers = scorers
        self._taken = {rubric.name: bytearray() for rubric in suite.rubrics}
        self._fits = {rubric.name: bytearray() for rubric in suite.rubrics}
        self._why: dict[str, str] = {}

    def note(self, case: Case, asked: bool) -> None:
        """Note one case; `asked`: whether it lies in a split that the suite runs."""
        view = case.view()
        for rubric in self._suite.rubrics:
            name = rubric.name
            taken = asked and takes(rubric, case, self._suite.policy)
            why = self._scorers[name].applies(view) if taken else "-"
            self._taken[name].append(taken)
            self._fits[name].append(not why)
            if taken and why:
                self._why.setdefault(name, why)

    def done(self) -> Taken:
        """What was noted."""
        return Taken(
            {name: np.frombuffer(raw, dtype=np.bool_) for name, raw in self._taken.items()},
            {name: np.frombuffer(raw, dtype=np.bool_) for name, raw in self._fits.items()},
            self._why,
        )


def takes(rubric: RubricSpec, case: Case, policy: Policy) -> bool:
    """Whether a rubric takes a case, as a verdict has it: by origin, selection, strata and the synthetic ones."""
    if case.origin == "benchmark" and rubric.kind != "advisory":
        return False
    if case.origin == "synthetic" and rubric.kind in ("quality", "limit") and not _counted(case, policy):
        return False
    return selected(rubric, case)


def _counted(case: Case, policy: Policy) -> bool:
    if isinstance(policy.synthetic, str):
        return policy.synthetic == "include"
    return case.evolution in policy.synthetic


def judged(suite: Suite, scorers: Mapping[str, Scorer], facts: Facts, told: Taken) -> Judged:
    """What the rubrics cover, for the six parts."""
    deciding = [rubric for rubric in suite.rubrics if decides(rubric)]
    covered = np.zeros(len(facts), dtype=np.bool_)
    for rubric in deciding:
        covered |= told.fits[rubric.name]
    gates = [r.name for r in deciding if r.kind == "gate" and (told.fits[r.name] & facts.probes).any()]
    return Judged(int(covered.sum()), [r.name for r in deciding if knows(r, scorers[r.name])], gates)


def knows(rubric: RubricSpec, scorer: Scorer) -> bool:
    """Whether a rubric knows the domain: it is one's own code, or no metric that would do for anybody."""
    return rubric.scorer.startswith("python:") or scorer.info.name not in GENERIC


def rubric_findings(
    suite: Suite, facts: Facts, told: Taken, about: Judged, probed: Sequence[Probed], past: Past
) -> Iterator[Finding]:
    """Everything that rubrics show together with their cases."""
    deciding = [rubric for rubric in suite.rubrics if decides(rubric)]
    yield from _together(deciding, about)
    yield from _probed(suite, probed)
    yield from _probes(deciding, facts, told)
    for rubric in deciding:
        yield from _left_out(rubric, facts, told)
        if rubric.kind == "quality":
            yield from _margin(suite, rubric, facts, told, past)
        elif (told.fits[rubric.name]).any():
            yield from _limit(suite, rubric, facts, told)


def _together(deciding: Sequence[RubricSpec], about: Judged) -> Iterator[Finding]:
    names = [rubric.name for rubric in deciding]
    if deciding and not about.domain:
        scorers = ", ".join(dict.fromkeys(rubric.scorer for rubric in deciding))
        yield found(
            "L401", f"Every rubric that decides would say the same of anybody's answers: {scorers}.", rubrics=names
        )
    if len(deciding) == 1:
        yield found(
            "L402", f"{names[0]} alone decides: a model that is safer and less right is the same to it.", rubrics=names
        )


def _probed(suite: Suite, probed: Sequence[Probed]) -> Iterator[Finding]:
    deciding = {rubric.name for rubric in suite.rubrics if decides(rubric)}
    for one in probed:
        severity = None if one.rubric in deciding else "warning"
        if one.verdict == "never fails":
            wrong = sum(n for kind, (_, n) in one.counts.items() if kind not in ("expected", "empty"))
            text = (
                f"{one.rubric} passed all {wrong:,} answers that were made to be wrong: unrelated, endless, disordered."
            )
            yield found("L403", text, rubrics=[one.rubric], severity=severity)
        elif one.verdict == "cannot pass":
            number = one.counts.get("expected", (0, 0))[1]
            text = f"{one.rubric} failed the expected answer of all {many(number, 'case')} that it was tried on."
            yield found("L404", text, rubrics=[one.rubric], severity=severity)


def _probes(deciding: Sequence[RubricSpec], facts: Facts, told: Taken) -> Iterator[Finding]:
    read = np.zeros(len(facts), dtype=np.bool_)
    for rubric in deciding:
        if rubric.kind != "gate":
            continue
        read |= told.fits[rubric.name]
        if not (told.fits[rubric.name] & facts.probes).any() and rubric.selection != "traffic":
            text = f"The gate {rubric.name} takes no probe: without data it does not pass."
            if told.fits[rubric.name].any():
                text = f"The gate {rubric.name} sees honest cases only, no attack: it says nothing of attacks."
            yield found("L405", text, rubrics=[rubric.name])
    unread = facts.probes & ~read
    if unread.any():
        number = f"{many(int(unread.sum()), 'probe')} of {int(facts.probes.sum()):,}"
        text = f"{number} are taken by no gate: what models do there decides nothing."
        yield found("L410", text, cases=facts.named(unread))


def _left_out(rubric: RubricSpec, facts: Facts, told: Taken) -> Iterator[Finding]:
    taken, fits = told.taken[rubric.name], told.fits[rubric.name]
    gone = taken & ~fits
    total = int(taken.sum())
    if total and gone.sum() <= LEFT_OUT * total:
        return
    if not total:
        if rubric.kind != "gate":
            yield found("L409", f"{rubric.name} takes no case at all.", rubrics=[rubric.name], severity="error")
        return
    none = not fits.any()
    text = (
        f"{rubric.name} ({rubric.scorer}) leaves out {int(gone.sum()):,} of {many(total, 'case')} "
        f"({percent(float(gone.sum() / total))}): {told.why.get(rubric.name, '')}."
    )
    severity = "error" if none else "note" if rubric.kind == "gate" else "warning"
    yield found("L409", text, cases=facts.named(gone), rubrics=[rubric.name], severity=severity)


# power ----------------------------------------------------------------------------------------------------------------


def effect_of(facts: Facts, rows: Bools) -> float:
    """The design effect of these cases' clusters, with the correlation that the plan assumes (Kish 1965)."""
    sizes = np.unique(facts.cluster[rows], return_counts=True)[1]
    return design_effect(sizes, ICC) if len(sizes) else 1.0


def _margin(suite: Suite, rubric: RubricSpec, facts: Facts, told: Taken, past: Past) -> Iterator[Finding]:
    rows, policy, margin = told.fits[rubric.name], suite.policy, suite.margin(rubric)
    cases = int(rows.sum())
    if cases:
        yield from _shown(rubric, cases, effect_of(facts, rows), policy, margin)
    failed, number = failing(past, [rubric.name]).get(rubric.name, (0.0, 0))
    if number and wilson(failed, number).high < margin:
        rate = failed / number
        text = (
            f"{rubric.name}: the incumbent fails {percent(rate)} of {many(number, 'result')}, and a margin of "
            f"{100 * margin:g} points lets a candidate fail {percent(rate + margin)}"
            + (f", {(rate + margin) / rate:.1f} times as many." if rate else ".")
        )
        yield found("L406", text, rubrics=[rubric.name], numbers={"rate": rate, "margin": margin})


def _shown(rubric: RubricSpec, cases: int, effect: float, policy: Policy, margin: float) -> Iterator[Finding]:
    size = cases / effect
    chance = pass_chance(size, DISCORDANCE, margin, policy.alpha)
    if chance >= 0.5 and cases >= policy.min_cases:
        return
    pairs = n_noninferior(DISCORDANCE, min(margin, WIDEST_MARGIN), alpha=policy.alpha, power=policy.power, deff=effect)
    needed = max(policy.min_cases, math.ceil(pairs - 1e-9))
    visible = mde_paired(max(1.0, size), DISCORDANCE, alpha=policy.alpha, power=policy.power, sides=1)
    seen = "no drop at all" if visible is None else f"a drop of {100 * visible:.1f} points"
    text = (
        f"{rubric.name}: {many(cases, 'case')} show {seen} with {percent(policy.power)} power. A candidate just as "
        f"good passes its margin of {100 * margin:g} points in {percent(chance)}; that takes {needed:,} cases "
        f"(Connor, {percent(DISCORDANCE)} discordant, design effect {effect:.1f}; assumed)."
    )
    numbers = {"cases": cases, "needed": needed, "visible": visible, "pass_chance": round(chance, 4)}
    yield found("L407", text, rubrics=[rubric.name], numbers=numbers)


def _limit(suite: Suite, rubric: RubricSpec, facts: Facts, told: Taken) -> Iterator[Finding]:
    assert rubric.limit_points is not None, "a gate has a limit"
    limit, policy = rubric.limit_points / 100, suite.policy
    rows = told.fits[rubric.name]
    seeds = len(np.unique(facts.cluster[rows]))
    needed = max(policy.min_cases, n_zero_failures(min(limit, 1 - 1e-9), alpha=policy.alpha))
    if seeds >= needed:
        return
    shown = clopper_pearson(0, seeds, alpha=policy.alpha, side="upper").high
    text = (
        f"{rubric.name}: {many(int(rows.sum()), 'case')} from {many(seeds, 'seed')}, if none fails, leave a failure "
        f"rate of up to {percent(shown)} possible; its limit of {rubric.limit_points:g}% takes {needed:,} clean ones "
        "(Clopper–Pearson)."
    )
    yield found("L408", text, rubrics=[rubric.name], numbers={"seeds": seeds, "needed": needed, "shown": shown})
