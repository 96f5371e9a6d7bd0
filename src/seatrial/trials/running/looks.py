"""Early stopping at work: orders a trial in parts, and after each asks the verdict engine whether it may end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seatrial.core.record import Json
from seatrial.core.suite import Suite
from seatrial.runs.looks import Answered, Slots
from seatrial.runs.plan import Positions, in_parts
from seatrial.store.store import Store
from seatrial.verdicts.compare import before_its_end
from seatrial.verdicts.engine.looks import Look, Stop, stop
from seatrial.verdicts.engine.outcomes import Ints
from seatrial.verdicts.reading.cases import CaseTable, tabulate
from seatrial.verdicts.reading.frame import Manifest, assemble
from seatrial.verdicts.reading.grouping import grouping


class Monitor:
    """Looks at one trial of a suite whose policy stops early. With `ends` False it only keeps the count of the looks.

    A trial that goes on to its end all the same is judged as at its last look: the looks were registered, and whether
    somebody looked cannot be known.
    """

    def __init__(self, store: Store, suite: Suite, dataset_id: int, *, ends: bool = True) -> None:
        assert suite.policy.early_stopping is not None, "only a policy that stops early has looks"
        self._store, self._suite, self._dataset_id, self._ends = store, suite, dataset_id, ends
        self._looks = suite.policy.early_stopping.looks
        self._cases: tuple[int, ...] = ()
        self._left: list[dict[str, int]] = []

    def plan(self, positions: Positions, epochs: int) -> Sequence[Slots]:
        """The slots of each part: whole clusters, in random order within strata."""
        table = tables(self._store, self._suite, self._dataset_id, positions)
        parts = in_parts(table.cluster, strata(table), self._looks, self._suite.seed)
        self._cases = tuple(np.cumsum([len(part) for part in parts]).tolist())
        taken = {rubric.name: table.selected(rubric) for rubric in self._suite.rubrics}
        for number in range(1, len(parts)):
            rest = np.concatenate(parts[number:])
            self._left.append({name: int(rows[rest].sum()) * epochs for name, rows in taken.items()})
        return [_slots(part, epochs) for part in parts]

    def about(self) -> Json:
        """The cases that are complete at each look, and whether one of them may end the trial."""
        return {"cases": list(self._cases), "ends": self._ends}

    def decided(self, number: int, trial_id: str, answered: Mapping[str, Answered]) -> Mapping[str, Mapping[str, Json]]:
        """The candidates that are decided, each with why; the incumbent too, once none is left open."""
        if not self._ends:
            return {}
        incumbent = self._suite.incumbent
        assert incumbent is not None, "looks need an incumbent"
        trial, look = self._store.trial(trial_id), Look(number, self._cases)
        runs = [run for run in self._store.runs(trial_id) if run.target in answered]
        manifests = {n: Manifest(a.position, a.epoch, a.output_id, a.score_id.T) for n, a in answered.items()}
        frame = assemble(self._store, trial, runs, manifests)
        found: dict[str, Mapping[str, Json]] = {}
        for name in (run.target for run in runs if run.target != incumbent):
            outcomes = before_its_end(self._store, frame, name, incumbent)
            if (why := stop(self._suite, outcomes, look, self._left[number - 1])) is not None:
                found[name] = _kept(number, why)
        if len(found) == len(runs) - 1:
            found[incumbent] = {"look": number, "why": "", "rubrics": []}
        return found


def tables(store: Store, suite: Suite, dataset_id: int, positions: Positions) -> CaseTable:
    """The cases at these positions, with the strata that group them or that a rubric or the policy names."""
    wanted = {*suite.policy.slices, *(name for rubric in suite.rubrics for name in rubric.where)}
    group = grouping(store, dataset_id, suite)
    return tabulate(store.case_facts(dataset_id), positions.astype(np.intp), sorted(wanted), group)


def strata(table: CaseTable) -> Ints:
    """One number a case: equal where origin and all strata are."""
    columns = [table.origin.codes, *(stratum.codes for stratum in table.strata.values())]
    return np.unique(np.stack(columns), axis=1, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _slots(part: Ints, epochs: int) -> Slots:
    return (part[:, None] * epochs + np.arange(epochs)).reshape(-1).astype(np.int64)


def _kept(number: int, why: Stop) -> dict[str, Any]:
    return {"look": number, "why": why.why, "rubrics": list(why.rubrics)}
