"""The numbers of a trial as arrays: what verdicts are drawn from. The only part that reads scores from the store."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from sqlalchemy import Connection, select

from seatrial.core.suite import Suite
from seatrial.errors import StoreError
from seatrial.store import schema
from seatrial.store.store import STATUSES, RunRow, Store, TrialRow
from seatrial.verdicts.cases import CaseTable, tabulate
from seatrial.verdicts.outcomes import Bools, Floats, Ints, Outcomes

Ids = NDArray[np.int64]
Codes = NDArray[np.int8]

ABSENT = -2
"""The arm's manifest has no line for the case and epoch."""
OUTSIDE = -1
"""The rubric does not take the case, or does not apply to it."""
SCORED, NOT_APPLICABLE, MODEL_FAILURE = (STATUSES.index(s) for s in ("scored", "not_applicable", "model_failure"))
INFRA_ERROR, JUDGE_ERROR = (STATUSES.index(s) for s in ("infra_error", "judge_error"))
SCORES_AT_ONCE = 8000


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """What one target's run holds, aligned to the frame's cases.

    `output_id` is (cases, epochs), 0 where absent; the others are (rubrics, cases, epochs). `status` is ABSENT,
    OUTSIDE or an index of the store's STATUSES; `passed` is 1, 0, or -1 where nothing is said; `measure` is
    NaN where there is none.
    """

    run: RunRow
    output_id: Ids
    score_id: Ids
    status: Codes
    passed: Codes
    measure: Floats

    @property
    def results(self) -> int:
        """How many scores say something."""
        return int(np.count_nonzero((self.status == SCORED) | (self.status == MODEL_FAILURE)))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A trial as arrays: its cases, and one arm a target that was run."""

    trial: TrialRow
    suite: Suite
    cases: CaseTable
    arms: Mapping[str, Arm]
    epochs: int

    def population(self, index: int) -> Bools:
        """Which cases rubric number `index` is about: taken by it, and applicable.

        Applicability is the case's, not an arm's: a case that any arm has a result for is in for all of them, and a
        case that has errors only is in unless some arm says that the rubric does not apply.
        """
        judged, failed = (np.zeros(len(self.cases), dtype=np.bool_) for _ in range(2))
        for arm in self.arms.values():
            status = arm.status[index]
            judged |= ((status == SCORED) | (status == MODEL_FAILURE)).any(axis=1)
            failed |= (status > MODEL_FAILURE).any(axis=1)
        chosen = judged | (failed & ~self._refused(index))
        return self.cases.selected(self.suite.rubrics[index]) & chosen

    def disputed(self, index: int) -> int:
        """How many cases of the population one arm has a result for and another calls not applicable."""
        return int(np.count_nonzero(self._refused(index) & self.population(index)))

    def left_out(self, index: int) -> tuple[int, int]:
        """How many of the cases that a rubric takes its scorer does not apply to, and how many it takes."""
        taken = self.cases.selected(self.suite.rubrics[index])
        refused = taken & ~self.population(index) & self._refused(index)
        return int(np.count_nonzero(refused)), int(np.count_nonzero(taken))

    def _refused(self, index: int) -> Bools:
        """Which cases some arm calls not applicable, or outside."""
        refused = np.zeros(len(self.cases), dtype=np.bool_)
        for arm in self.arms.values():
            refused |= ((arm.status[index] == OUTSIDE) | (arm.status[index] == NOT_APPLICABLE)).any(axis=1)
        return refused

    def unsaid(self, index: int) -> int:
        """How many results of a rubric are scored, yet hold neither passed nor failed."""
        return sum(
            int(np.count_nonzero((arm.status[index] == SCORED) & (arm.passed[index] < 0))) for arm in self.arms.values()
        )

    def outcomes(self, index: int, candidate: str, incumbent: str | None) -> Outcomes:
        """Rubric number `index` over its population: passes, or measures for a limit."""
        rows = np.flatnonzero(self.population(index))
        limit = self.suite.rubrics[index].kind == "limit"

        def side(name: str) -> Floats:
            return _results(self.arms[name], index, measure=limit)[rows]

        names = [candidate] if incumbent is None else [candidate, incumbent]
        unjudged = sum(int(np.count_nonzero(self.arms[name].status[index][rows] == JUDGE_ERROR)) for name in names)
        second = None if incumbent is None else side(incumbent)
        return Outcomes(self.cases.cluster[rows], side(candidate), second, rows, unjudged)


def _results(arm: Arm, index: int, *, measure: bool) -> Floats:
    """One number a case and epoch: 1 passed, 0 failed (a model's failure always), or the measure; NaN is missing."""
    status = arm.status[index]
    known = (status == SCORED) | (status == MODEL_FAILURE)
    if measure:
        return np.where(known, arm.measure[index], np.nan)
    said = arm.passed[index].astype(np.float64)
    said[status == MODEL_FAILURE] = 0.0
    return np.where(known & (said >= 0), said, np.nan)


def load(store: Store, trial_id: str) -> Frame:
    """Everything a verdict needs of a trial, 100,000 cases in a few seconds.

    Raises NotFoundError when there is no such trial, StoreError when what is kept cannot be understood.
    """
    trial = store.trial(trial_id)
    suite = read_suite(trial)
    runs = store.runs(trial.id)
    manifests = {run.target: _manifest(store, run, len(suite.rubrics)) for run in runs}
    nowhere = np.zeros(0, dtype=np.intp)
    positions = np.unique(np.concatenate([nowhere, *(manifest.position for manifest in manifests.values())]))
    wanted = {*suite.policy.slices, *(name for rubric in suite.rubrics for name in rubric.where)}
    cases = tabulate(store.case_facts(trial.dataset_id), positions, sorted(wanted))
    epochs = max([1, *(run.epochs for run in runs)])
    arms = {run.target: _arm(store, run, manifests.pop(run.target), cases, epochs) for run in runs}
    return Frame(trial, suite, cases, arms, epochs)


def read_suite(trial: TrialRow) -> Suite:
    """The suite as it was when the trial ran. Raises StoreError when it cannot be read any more."""
    try:
        return Suite.model_validate(trial.suite)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"The suite kept with trial {trial.id!r} cannot be read: {where}: {first['msg']}.",
            hint="run the suite again with this version of seatrial",
        ) from cause


class _Manifest(NamedTuple):
    """A run's lines as columns; `score_id` is (rubrics, lines)."""

    position: Ints
    epoch: Ints
    output_id: Ids
    score_id: Ids


def _manifest(store: Store, run: RunRow, rubrics: int) -> _Manifest:
    places, scores = array("q"), array("q")
    for item in store.run_items(run.id):
        if len(item.score_ids) != 8 * rubrics:
            raise StoreError(
                f"The manifest of run {run.id} ({run.target!r}) holds {len(item.score_ids) // 8} scores at case "
                f"{item.position}, the suite has {rubrics} rubrics.",
                hint="run the suite again",
            )
        places.extend((item.position, item.epoch, item.output_id))
        scores.frombytes(item.score_ids)
    place = np.frombuffer(places, dtype=np.int64).reshape(-1, 3).T
    score_id = np.frombuffer(scores, dtype="<i8").reshape(-1, rubrics).T
    at, epoch = (column.astype(np.intp, copy=False) for column in place[:2])
    return _Manifest(at, epoch, place[2], score_id)


def _arm(store: Store, run: RunRow, manifest: _Manifest, cases: CaseTable, epochs: int) -> Arm:
    full = (len(manifest.score_id), len(cases), epochs)
    output_id = np.zeros((len(cases), epochs), dtype=np.int64)
    score_id = np.full(full, ABSENT, dtype=np.int64)
    row = np.searchsorted(cases.position, manifest.position)
    output_id[row, manifest.epoch] = manifest.output_id
    score_id[:, row, manifest.epoch] = manifest.score_id
    del manifest, row  # a large trial's columns are large
    status = np.full(full, ABSENT, dtype=np.int8)
    status[score_id == 0] = OUTSIDE
    passed = np.full(full, -1, dtype=np.int8)
    measure = np.full(full, np.nan)
    flat = score_id.reshape(-1)
    by_id = np.argsort(flat)[np.count_nonzero(flat <= 0) :]
    with store.reading() as connection:
        for start in range(0, len(by_id), SCORES_AT_ONCE):
            at = by_id[start : start + SCORES_AT_ONCE]
            ids, inverse = np.unique(flat[at], return_inverse=True)
            heads = _scores(connection, store, run, ids)[inverse]
            for column, name in ((status, "status"), (passed, "passed"), (measure, "measure")):
                column.reshape(-1)[at] = heads[name]
    return Arm(run, output_id, score_id, status, passed, measure)


_HEAD = np.dtype([("status", np.int8), ("passed", np.int8), ("measure", np.float64)])


def _scores(connection: Connection, store: Store, run: RunRow, ids: Ids) -> NDArray[Any]:
    """The heads of these scores, in the order of `ids` (sorted, each once).

    They are asked for by number: a score is kept once for equal outputs, under the first that had it, so it may stand
    with an output of another run.
    """
    found = _heads(connection, ids)
    if len(found) != len(ids):
        raise StoreError(
            f"The manifest of run {run.id} ({run.target!r}) names {len(ids) - len(found)} scores that the "
            f"store {store.path} does not hold.",
            hint="running the suite again scores what is missing",
        )
    nan = float("nan")
    return np.array(
        [(r[1], -1 if r[2] is None else r[2], nan if r[3] is None else r[3]) for r in found],
        dtype=_HEAD,
    )


def _heads(connection: Connection, ids: Ids) -> Sequence[Any]:
    """The rows of these scores, by id: one stretch of the table where they lie close together."""
    t = schema.scores.c
    query = select(t.id, t.status, t.passed, t.measure).order_by(t.id)
    first, last = int(ids[0]), int(ids[-1])
    if last - first > 4 * len(ids):
        return connection.execute(query.where(t.id.in_(ids.tolist()))).all()
    rows = connection.execute(query.where(t.id.between(first, last))).all()
    if len(rows) == len(ids):
        return rows
    wanted = set(ids.tolist())
    return [row for row in rows if row[0] in wanted]


def unit_of(store: Store, frame: Frame, index: int) -> str:
    """The unit of a rubric's measures, as its scorer wrote it on the first one found."""
    for arm in frame.arms.values():
        ids = arm.score_id[index][~np.isnan(arm.measure[index])]
        if len(ids):
            return next((score.unit for score in store.load_scores([int(ids[0])]).values()), "")
    return ""
