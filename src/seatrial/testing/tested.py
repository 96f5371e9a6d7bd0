"""What a suite's tests are, and what the store says of each: the part of the pytest plugin that knows no pytest."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Record, Text
from seatrial.core.score import Score
from seatrial.core.suite import RubricSpec
from seatrial.errors import UsageError, nearest, safe
from seatrial.store.store import RunItem, Store
from seatrial.trials.change.gate import case_places
from seatrial.trials.suite.suitefile import load
from seatrial.trials.trial import dataset_of
from seatrial.verdicts.artefacts import gating
from seatrial.verdicts.artefacts.gating import Check, GateReport
from seatrial.verdicts.reading.cases import tabulate

NEAR = 500
"""So many cases' scores are read at once."""


class Plan(Record):
    """What a session tests, as its workers are told: the dataset, the targets, and what was found of the trial.

    `trial` is empty where nothing was run. `passed` holds each target with a rubric that the gate passed as a whole;
    `aside` the quarantined cases as (case, rubric, reason).
    """

    dataset: int
    targets: tuple[Text, ...]
    candidates: tuple[Text, ...] = ()
    trial: Text = ""
    passed: tuple[tuple[Text, Text], ...] = ()
    aside: tuple[tuple[Text, Text, Text], ...] = ()


class Aggregate(NamedTuple):
    """What the suite decides as a whole: every check, the outcome in a sentence, and 0 where the session may pass."""

    checks: tuple[Check, ...]
    sentence: str
    exit_code: int
    passed: frozenset[tuple[str, str]]


def only_dataset(path: Path, store: Path, target: str) -> Plan:
    """The plan before anything is run: the dataset is read into the store, where it is new.

    The tests are of `target`, else of all candidates, else of the only target. Raises the errors of a suite file and
    its dataset, and UsageError where there is no such target.
    """
    loaded = load(path)
    suite = loaded.suite
    if target and target not in suite.targets:
        near = nearest(target, suite.targets)
        hint = f"did you mean {near!r}?" if near else f"its targets are {', '.join(suite.targets)}"
        raise UsageError(f"The suite has no target {safe(target)!r}.", hint=hint)
    with Store(store) as opened:
        dataset = dataset_of(opened, loaded).id
    candidates = suite.candidates if suite.incumbent is not None else ()
    return Plan(
        dataset=dataset, targets=(target,) if target else candidates or tuple(suite.targets), candidates=candidates
    )


def aggregate(report: GateReport, *, allow_inconclusive: bool) -> Aggregate:
    """What a gate's report means for a session.

    A rubric with nothing to be compared with is no fault here, as it is of the gate: its cases decide one by one.
    """
    alone = [check for check in report.checks if check.name == "baseline" and not check.arm]
    checks = [check for check in report.checks if check not in alone]
    good = {"pass", "inconclusive"} if allow_inconclusive else {"pass"}
    bad = {_place(check) for check in checks if check.outcome not in good}
    passed = frozenset({_place(check) for check in checks if check.outcome in good} - bad)
    if alone and all(check.outcome == "shown" for check in checks):
        sentence = "Nothing is decided as a whole: every case decides by itself."
        return Aggregate(tuple(checks), sentence, 0, passed)
    overall = gating.outcome(checks)
    sentence = gating.sentence(overall, checks, allow_inconclusive=allow_inconclusive)
    code = gating.exit_code(overall, allow_inconclusive=allow_inconclusive)
    return Aggregate(tuple(checks), sentence, code, passed)


def make_plan(only: Plan, report: GateReport, found: Aggregate) -> Plan:
    """The plan after the trial."""
    aside = tuple((one.case, one.rubric, f"until {one.expires}: {one.reason}") for one in report.quarantined)
    passed = tuple(sorted(found.passed))
    return only.model_copy(update={"trial": report.report.trial_id, "passed": passed, "aside": aside})


def _place(check: Check) -> tuple[str, str]:
    """A check's target, without what it was compared with, and its rubric."""
    return check.arm.partition(" against ")[0], check.name


class Results:
    """A trial in the store, by target, rubric and case. To be closed."""

    def __init__(self, suite: Path, store: Path, plan: Plan) -> None:
        self._loaded = load(suite)
        self._store = Store(store)
        self._plan = plan
        self._passed = frozenset(plan.passed)
        self._places = case_places(self._store, plan.dataset)
        self._aside = {(case, rubric): reason for case, rubric, reason in plan.aside}
        self._items: dict[str, dict[int, RunItem]] = {}
        self._scores: dict[int, Score] = {}

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def spec(self, rubric: int) -> RubricSpec:
        """A rubric of the suite."""
        return self._loaded.suite.rubrics[rubric]

    def line(self, rubric: int) -> int:
        """Its line in the suite's file."""
        return self._loaded.line(("rubrics", rubric))

    def rubrics(self) -> Iterator[tuple[int, str, list[tuple[int, str]]]]:
        """Every rubric's number and name with the (position, id) of each case it takes; a repeated id gets a number."""
        suite = self._loaded.suite
        wanted = sorted({name for rubric in suite.rubrics for name in rubric.where})
        positions = np.array(sorted(self._places), dtype=np.int64)
        table = tabulate(self._store.case_facts(self._plan.dataset), positions, wanted)
        named = self._named
        for at, rubric in enumerate(suite.rubrics):
            taken = positions[table.selected(rubric, suite.policy.synthetic)]
            yield at, rubric.name, [(position, named[position]) for position in taken.tolist()]

    @cached_property
    def _named(self) -> dict[int, str]:
        total = Counter(_name(place.id) for place in self._places.values())
        return {
            position: _name(place.id) if total[_name(place.id)] == 1 else f"{_name(place.id)}-{position}"
            for position, place in self._places.items()
        }

    def why_not(self, target: str, rubric: int, position: int) -> str:
        """Why a case has no result that could pass or fail; empty where it has one, or an error."""
        spec, place = self.spec(rubric), self._places[position]
        for key in (place.id, place.view_hash):
            if (reason := self._aside.get((key, spec.name))) is not None:
                return f"in quarantine {reason}"
        if not self._plan.trial:
            return "nothing was run"
        if self._item(target, position) is None:
            return "not asked: the trial ended before it"
        if not self._score_id(target, rubric, position):
            return f"not applicable: {self._refusal(rubric, position)}"
        score = self.score(target, rubric, position)
        if score.status == "scored" and score.passed is None and not self.passes(target, spec.name):
            return f"a measure, which only decides as a whole: {score.reason}"
        return ""

    def score(self, target: str, rubric: int, position: int) -> Score:
        """A case's score; there is one. Its neighbours' are read with it."""
        score_id = self._score_id(target, rubric, position)
        if score_id not in self._scores:
            first = position - position % NEAR
            near = {self._score_id(target, rubric, one) for one in range(first, first + NEAR)} - {0}
            self._scores = self._store.load_scores(near)
        return self._scores[score_id]

    def both(self, target: str, position: int) -> tuple[Case, Output | None]:
        """A case, and what was answered."""
        item = self._item(target, position)
        output = None if item is None else self._store.load_outputs([item.output_id]).get(item.output_id)
        return self._case(position), output

    def passes(self, target: str, rubric: str) -> bool:
        """Whether the gate has passed a target's rubric as a whole."""
        return (target, rubric) in self._passed

    def _case(self, position: int) -> Case:
        return self._store.cases(self._plan.dataset, [position])[0].case

    def _item(self, target: str, position: int) -> RunItem | None:
        if target not in self._items:
            run = next(run for run in self._store.runs(self._plan.trial) if run.target == target)
            self._items[target] = {item.position: item for item in self._store.run_items(run.id)}
        return self._items[target].get(position)

    def _score_id(self, target: str, rubric: int, position: int) -> int:
        item = self._item(target, position)
        return 0 if item is None else array("q", item.score_ids)[rubric]

    def _refusal(self, rubric: int, position: int) -> str:
        """Why a rubric does not apply to a case: asked of the scorer, as the store does not keep it."""
        from seatrial.scorers import build

        spec = self.spec(rubric)
        return build(spec.scorer, spec.settings, self._loaded.folder).applies(self._case(position).view())


def _name(key: str) -> str:
    return safe(key, 100)
