"""The six parts of a production eval, each present, weak or missing, with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from seatrial.core.record import Json, Record, Text
from seatrial.core.suite import RubricSpec, Suite
from seatrial.datasets.linting.facts import Bools, Facts
from seatrial.datasets.linting.finding import many, percent
from seatrial.datasets.linting.stages import STAGES, Reached

State = Literal["present", "weak", "missing"]
STRATA = ("intent", "difficulty", "risk")
"""What a private set is stratified by; other names may say the same."""
EDGES, EVOLUTIONS = 50, 2
"""Fewer synthetic cases, or ways of making them, are no long tail."""


class Part(Record):
    """One of the six parts: what it is, how it stands, why in one sentence."""

    number: int
    name: Text
    state: State
    why: Text
    numbers: Mapping[str, Json]


class Judged(NamedTuple):
    """What is known of the rubrics: cases about traffic with a deciding rubric, rubrics that know the domain."""

    judged: int
    domain: Sequence[str]
    gates_on_probes: Sequence[str]


class Reruns(NamedTuple):
    """What the store says of earlier trials: how many, of how many systems, the day of the newest."""

    trials: int
    systems: int
    newest: str


def parts(suite: Suite, facts: Facts, taken: Bools, stage: Reached, told: Judged, reruns: Reruns) -> tuple[Part, ...]:
    """The six parts, in order."""
    return (
        _prompts(facts, taken),
        _labels(facts, taken, told),
        _probes(stage),
        _edges(facts, taken),
        _rubrics(suite, told),
        _swap(suite, reruns),
    )


def _prompts(facts: Facts, taken: Bools) -> Part:
    own = int((taken & facts.private).sum())
    real = int((taken & facts.origin.where("production")).sum())
    strata = [name for name in facts.strata if (facts.strata[name].codes[taken & facts.private] >= 0).any()]
    lacks = [name for name in STRATA if name not in strata]
    numbers: dict[str, Json] = {"production": real, "manual": own - real, "strata": sorted(strata)}
    name = "A private prompt set"
    if not own:
        return Part(number=1, name=name, state="missing", why="No case is from production or by hand.", numbers=numbers)
    said = f"{many(real, 'case')} from production, {own - real:,} by hand, by {_listed(sorted(strata)) or 'no stratum'}"
    least = STAGES["starter"].cases
    if own < least:
        why = f"{said}: fewer than {least} of one's own say little of traffic."
    elif not real:
        why = f"{said}: none is known to be real traffic."
    elif lacks and len(strata) < len(STRATA):
        why = f"{said}: {_listed(lacks)} {'is' if len(lacks) == 1 else 'are'} not told apart."
    else:
        return Part(number=1, name=name, state="present", why=f"{said}.", numbers=numbers)
    return Part(number=1, name=name, state="weak", why=why, numbers=numbers)


def _labels(facts: Facts, taken: Bools, told: Judged) -> Part:
    total, held = int(taken.sum()), int((taken & facts.labelled).sum())
    answers = int((taken & (facts.expected != 0)).sum())
    numbers: dict[str, Json] = {"cases": total, "labelled": held, "references": answers, "judged": told.judged}
    name = "Expected outputs or rubrics"
    said = f"{held:,} of {many(total, 'case')} have a reference or criteria"
    if not held and not told.judged:
        state, why = "missing", "No case has a reference or criteria, and no rubric can do without."
    elif held == total:
        state, why = "present", f"{said}; {told.judged:,} are judged by a rubric that decides."
    elif told.judged >= total:
        state, why = "present", f"{said}; rubrics that decide and need none judge the others."
    else:
        state, why = "weak", f"{said}; {total - told.judged:,} are judged by no rubric that decides."
    return Part(number=2, name=name, state=state, why=why, numbers=numbers)


def _probes(stage: Reached) -> Part:
    covered = [name for name, count in stage.classes.items() if count]
    share = stage.probes / stage.cases if stage.cases else 0.0
    numbers: dict[str, Json] = {"probes": stage.probes, "share": round(share, 4), "classes": dict(stage.classes)}
    name = "Adversarial probes"
    if not stage.probes:
        return Part(number=3, name=name, state="missing", why="No case attacks the model.", numbers=numbers)
    said = f"{many(stage.probes, 'probe')} ({percent(share)}) in {len(covered)} of 5 classes"
    gone = [one.replace("_", " ") for one in stage.classes if one not in covered]
    if gone:
        return Part(number=3, name=name, state="weak", why=f"{said}; none for {_listed(gone)}.", numbers=numbers)
    if stage.probes < STAGES["starter"].probes:
        why = f"{said}; fewer than {STAGES['starter'].probes} miss what is rare."
        return Part(number=3, name=name, state="weak", why=why, numbers=numbers)
    return Part(number=3, name=name, state="present", why=f"{said}.", numbers=numbers)


def _edges(facts: Facts, taken: Bools) -> Part:
    made = taken & facts.origin.where("synthetic")
    count, ways = int(made.sum()), list(facts.evolution.counts(made))
    seedless = int((made & (facts.seed == 0)).sum())
    numbers: dict[str, Json] = {"synthetic": count, "evolutions": sorted(ways), "without_seed": seedless}
    name = "Synthetic edge cases"
    if not count:
        return Part(
            number=4, name=name, state="missing", why="No case is synthetic: the tail is unseen.", numbers=numbers
        )
    said = f"{many(count, 'case')} by {many(len(ways), 'evolution')}"
    if count < EDGES:
        why = f"{said}; fewer than {EDGES} are no tail."
    elif len(ways) < EVOLUTIONS:
        why = f"{said}; one way of making them gives one kind of edge."
    elif seedless:
        why = f"{said}; {seedless:,} name no seed, so that variants count as independent."
    else:
        return Part(number=4, name=name, state="present", why=f"{said}, each tied to its seed.", numbers=numbers)
    return Part(number=4, name=name, state="weak", why=why, numbers=numbers)


def _rubrics(suite: Suite, told: Judged) -> Part:
    deciding = [rubric for rubric in suite.rubrics if decides(rubric)]
    gates = [rubric.name for rubric in deciding if rubric.kind == "gate"]
    numbers: dict[str, Json] = {"deciding": len(deciding), "gates": len(gates), "domain": list(told.domain)}
    name = "Per-rubric scoring"
    if not deciding:
        return Part(number=5, name=name, state="missing", why="No rubric decides anything.", numbers=numbers)
    said = f"{many(len(deciding), 'rubric')} decide, {many(len(gates), 'gate')} among them"
    if len(deciding) == 1:
        why = "One rubric decides: one number hides what was traded for what."
    elif not told.domain:
        why = f"{said}; none of them knows the domain."
    elif not told.gates_on_probes:
        why = f"{said}; no gate is about attacks, so an average can make up for one."
    else:
        why = f"{said}; {len(told.domain)} know the domain."
        return Part(number=5, name=name, state="present", why=why, numbers=numbers)
    return Part(number=5, name=name, state="weak", why=why, numbers=numbers)


def _swap(suite: Suite, reruns: Reruns) -> Part:
    candidates = list(suite.candidates)
    numbers: dict[str, Json] = {"candidates": len(candidates), "trials": reruns.trials, "systems": reruns.systems}
    name = "Per-model rerun on swap"
    if suite.incumbent is None:
        why = "The suite names no incumbent, so nothing can be swapped for it."
        return Part(number=6, name=name, state="missing", why=why, numbers=numbers)
    if not candidates:
        why = f"{suite.incumbent} runs today, and no candidate is named to be run on the same set."
        return Part(number=6, name=name, state="weak", why=why, numbers=numbers)
    recorded = [one for one in suite.targets if suite.targets[one].use.startswith("replay:")]
    past = (
        f"{many(reruns.trials, 'trial')} so far, the newest of {reruns.newest}" if reruns.trials else "none has run yet"
    )
    said = f"{many(len(candidates), 'candidate')} against {suite.incumbent}; {past}"
    if len(recorded) == len(suite.targets):
        why = f"{said}; all are recordings, which cannot answer a changed set."
        return Part(number=6, name=name, state="weak", why=why, numbers=numbers)
    return Part(number=6, name=name, state="present", why=f"{said}.", numbers=numbers)


def decides(rubric: RubricSpec) -> bool:
    """Whether a verdict on answers hangs on a rubric: not on what is only shown, and not on cost and latency."""
    return rubric.kind in ("quality", "gate")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] if words else ""
