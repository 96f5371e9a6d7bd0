"""What stands beside a drawn verdict: how fragile it is, whether it is suspect, whether its cases are stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from seatrial.core.suite import Suite
from seatrial.errors import safe
from seatrial.store.store import RunRow, Store
from seatrial.verdicts.checks import ages, jump, registered
from seatrial.verdicts.checks.fragility import Drawn, fragility
from seatrial.verdicts.engine.judging import Judgement
from seatrial.verdicts.engine.looks import Look
from seatrial.verdicts.engine.outcomes import Bools, Outcomes
from seatrial.verdicts.reading import labels
from seatrial.verdicts.reading.frame import JUDGE_ERROR, Frame, load, read_suite, with_pooled
from seatrial.verdicts.reading.grouping import grouping
from seatrial.verdicts.reading.rejudging import rejudged
from seatrial.verdicts.records import Fragility, Registered, RubricResult, Verdict


class Prepared(NamedTuple):
    """A trial's frame as it is judged, and the policy that was registered for it."""

    frame: Frame
    registered: Registered | None


def prepared(store: Store, trial_id: str, again: registered.Again | None) -> Prepared:
    """The frame of a trial under its own suite, or `again` under another, with people's labels in place.

    Raises as `frame.load` does.
    """
    frame = load(store, trial_id, None if again is None else again.suite)
    run: RunRow | None = next((arm.run for arm in frame.arms.values()), None)
    own = read_suite(frame.trial)
    found = registered.registered(frame.trial, own, run, again)
    top = (*registered.cautions(found, own, run, again), *_ungrouped(store, frame, again))
    frame = replace(frame, notes=top)
    if again is not None:
        frame = with_pooled(store, rejudged(frame, again), again.aggregates)
    said = labels.kept(frame.trial.environment) if again is None or again.labels is None else again.labels
    return Prepared(labels.labelled(store, frame, said), found)


def _ungrouped(store: Store, frame: Frame, again: registered.Again | None) -> list[str]:
    """That no case has the field by which the policy forms clusters."""
    suite: Suite = frame.suite if again is None else again.suite
    group = grouping(store, frame.trial.dataset_id, suite)
    if group is None or any(group(facts) for facts in store.case_facts(frame.trial.dataset_id)):
        return []
    field = safe(suite.policy.cluster)
    return [f"The policy's cluster names {field}, which no case has: only seeds and equal inputs form clusters."]


def with_confirmed(frame: Frame, index: int, candidate: str, outcomes: Outcomes) -> Outcomes:
    """The outcomes of rubric number `index` with the candidate's failures that people confirmed on them."""
    held = frame.confirmed.get((index, candidate))
    if not held or outcomes.rows is None:
        return outcomes
    rows = set(outcomes.rows.tolist())
    return replace(outcomes, confirmed=tuple(said for row, said in held if row in rows))


def too_old(store: Store, frame: Frame, candidate: str, incumbent: str) -> Verdict | None:
    """The verdict that is none, where an arm's answers are older than the policy allows."""
    stale = ages.stale_outputs(store, frame, (candidate, incumbent))
    if not stale:
        return None
    headline = f"No verdict on {candidate} against {incumbent}: {stale}"
    return Verdict(candidate=candidate, incumbent=incumbent, overall="not_evaluable", headline=headline, rubrics=())


def fragility_of(
    store: Store,
    frame: Frame,
    outcomes: Mapping[str, Outcomes],
    judgement: Judgement,
    arms: tuple[str, str],
    look: Look | None,
) -> Fragility | None:
    """What the verdict would be under other choices; `frame.suite` is at the levels at which it was drawn."""
    failed: dict[str, tuple[Bools, Bools]] = {}
    for at, rubric in enumerate(frame.suite.rubrics):
        rows = outcomes[rubric.name].rows
        if rubric.kind != "limit" and rows is not None:
            first, second = (frame.arms[name].status[at][rows] == JUDGE_ERROR for name in arms)
            failed[rubric.name] = (first, second)
    level = None if look is None else look.holm(read_suite(frame.trial).policy.alpha)
    drawn = Drawn(frame.suite, outcomes, judgement.findings, judgement.overall, failed, level)
    return fragility(drawn, lambda label: _called(store, frame, label))


def _called(store: Store, frame: Frame, label: int) -> str:
    """How a cluster is called: its seed, else its first case."""
    places = frame.cases.position[np.flatnonzero(frame.cases.cluster == label)].tolist()
    case = store.cases(frame.trial.dataset_id, places[:1])[0].case
    if len(places) == 1:
        return f"case {safe(case.id)}"
    name = f"seed {safe(case.seed_id)}" if case.seed_id else f"the cluster of case {safe(case.id)}"
    return f"{name} ({len(places):,} cases)"


def completed(store: Store, frame: Frame, found: Verdict, outcomes: Mapping[str, Outcomes]) -> Verdict:
    """The verdict with the jump test beside it, and as none where its cases are too old to decide."""
    tested = [r.name for r in frame.suite.rubrics if r.kind == "quality" and outcomes[r.name].incumbent is not None]
    seen = jump.exposure(store, frame, frame.suite.targets[found.candidate]) if tested else None
    if seen is not None:
        told = jump.jumps(seen, _moved(frame, found, outcomes, tested), frame.suite.policy)
        headline = found.headline + jump.beside(told)
        update = {"jumps": told, "suspect": jump.suspect(told, seen.because), "headline": headline}
        found = found.model_copy(update=update)
    old = ages.stale_dataset(store, frame)
    if not old:
        return found
    headline = f"No verdict on {found.candidate} against {found.incumbent}: {old[0].lower()}{old[1:]}"
    shown = advisory(found.rubrics, old)
    update = {"overall": "not_evaluable", "headline": headline, "rubrics": shown, "needed": None, "fragility": None}
    return found.model_copy(update=update)


def _moved(
    frame: Frame, found: Verdict, outcomes: Mapping[str, Outcomes], names: Sequence[str]
) -> Mapping[str, Outcomes]:
    """The outcomes of these rubrics, those on benchmarks among them."""
    if not frame.cases.of_origin("benchmark").any():
        return {name: outcomes[name] for name in names}
    whole = jump.seen_whole(frame)
    places = {rubric.name: at for at, rubric in enumerate(frame.suite.rubrics)}
    return {name: whole.outcomes(places[name], found.candidate, found.incumbent) for name in names}


def advisory(rubrics: Sequence[RubricResult], reason: str) -> tuple[RubricResult, ...]:
    """The results as shown only, with the reason."""
    return tuple(
        rubric.model_copy(
            update={
                "kind": "advisory",
                "decision": "SHOWN",
                "sentence": f"{rubric.sentence} Shown only: {reason[0].lower()}{reason[1:]}",
                "needed": None,
                "needed_note": "",
            }
        )
        for rubric in rubrics
    )
