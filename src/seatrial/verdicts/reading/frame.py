"""The numbers of a trial as arrays: what verdicts are drawn from. The only part that reads scores from the store."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from sqlalchemy import Connection, select

from seatrial.core.suite import RubricSpec, Suite
from seatrial.errors import StoreError
from seatrial.store import schema
from seatrial.store.store import STATUSES, RunRow, Store, TrialRow
from seatrial.verdicts.engine.looks import Look, look_of
from seatrial.verdicts.engine.outcomes import Asked, Bools, Floats, Ints, Outcomes, distinct
from seatrial.verdicts.engine.pooling import ScoreAggregate
from seatrial.verdicts.reading.cases import CaseTable, Stratum, tabulate
from seatrial.verdicts.reading.grouping import grouping
from seatrial.verdicts.reading.pooled import Pooled, pooled
from seatrial.verdicts.reading.weights import Weighting, weighting

Ids = NDArray[np.int64]
Codes = NDArray[np.int8]

ABSENT = -2
"""The arm's manifest has no line for the case and epoch."""
OUTSIDE = -1
"""The rubric does not take the case, or does not apply to it."""
SCORED, NOT_APPLICABLE, MODEL_FAILURE = (STATUSES.index(s) for s in ("scored", "not_applicable", "model_failure"))
INFRA_ERROR, JUDGE_ERROR = (STATUSES.index(s) for s in ("infra_error", "judge_error"))
UNSCORED = len(STATUSES)
"""The rubric takes the case, and nobody scored it: the trial was run under another suite."""
SCORES_AT_ONCE = 8000
CASES_AT_ONCE = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """What one target's run holds, aligned to the frame's cases.

    `output_id` is (cases, epochs), 0 where absent; the others are (rubrics, cases, epochs). `status` is ABSENT,
    OUTSIDE or an index of the store's STATUSES; `passed` is 1, 0, or -1 where nothing is said; `measure` is
    NaN where there is none, and the value itself on graded rubrics. `asked` is (cases, epochs): False where a partial
    recording was not asked.
    """

    run: RunRow
    output_id: Ids
    score_id: Ids
    status: Codes
    passed: Codes
    measure: Floats
    asked: Bools

    @property
    def results(self) -> int:
        """How many scores say something."""
        return int(np.count_nonzero((self.status == SCORED) | (self.status == MODEL_FAILURE)))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A trial as arrays: its cases, and one arm a target that was run.

    `set_aside`: by rubric number, the cases that are in quarantine for it. `confirmed`: by gate number and arm, the
    rows that a person confirmed as failed, each in words. `notes`: what stands at the top of its report. `pooled`: what
    aggregates are taken over.
    """

    trial: TrialRow
    suite: Suite
    cases: CaseTable
    arms: Mapping[str, Arm]
    epochs: int
    set_aside: Mapping[int, Bools] = field(default_factory=dict[int, Bools])
    confirmed: Mapping[tuple[int, str], Sequence[tuple[int, str]]] = field(
        default_factory=dict[tuple[int, str], Sequence[tuple[int, str]]]
    )
    notes: tuple[str, ...] = ()
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    pooled: Pooled = field(default_factory=Pooled)

    def weighting(self) -> Weighting:
        """What each case counts on quality and advisory rubrics about traffic."""
        return weighting(self.cases, self.cases.counted(self.suite.policy.synthetic), self.shares)

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
        return self._taken(index) & (judged | (failed & ~self._refused(index)))

    def _taken(self, index: int) -> Bools:
        """Which cases a rubric takes, applicable or not, without those in quarantine."""
        kept = self.cases.selected(self.suite.rubrics[index], self.suite.policy.synthetic)
        return kept & ~self.set_aside[index] if index in self.set_aside else kept

    def without(self, positions: Mapping[str, Sequence[int]]) -> Frame:
        """The same where these cases, by rubric name, decide nothing."""
        names = [rubric.name for rubric in self.suite.rubrics]
        aside = {names.index(name): np.isin(self.cases.position, held) for name, held in positions.items() if held}
        return replace(self, set_aside=aside)

    def disputed(self, index: int) -> int:
        """How many cases of the population one arm has a result for and another calls not applicable."""
        return int(np.count_nonzero(self._refused(index) & self.population(index)))

    def left_out(self, index: int) -> tuple[int, int]:
        """How many of the cases that a rubric takes its scorer does not apply to, and how many it takes."""
        taken = self.cases.selected(self.suite.rubrics[index], self.suite.policy.synthetic)
        refused = taken & ~self.population(index) & self._refused(index)
        return int(np.count_nonzero(refused)), int(np.count_nonzero(taken))

    def _refused(self, index: int) -> Bools:
        """Which cases some arm calls not applicable, or outside."""
        refused = np.zeros(len(self.cases), dtype=np.bool_)
        for arm in self.arms.values():
            outside = (arm.status[index] == OUTSIDE) | (arm.status[index] == NOT_APPLICABLE)
            refused |= (outside & arm.asked).any(axis=1)
        return refused

    def unsaid(self, index: int) -> int:
        """How many results of a rubric are scored, yet hold neither passed nor failed."""
        if self.suite.rubrics[index].graded or self.suite.rubrics[index].over_scores:
            return 0
        return sum(
            int(np.count_nonzero((arm.status[index] == SCORED) & (arm.passed[index] < 0))) for arm in self.arms.values()
        )

    def look(self, *arms: str) -> Look | None:
        """The look at which the first of these arms ended; None for a trial without looks."""
        found = [look_of(self.trial.environment, self.arms[name].run.counts) for name in arms]
        return min((look for look in found if look is not None), key=lambda look: look.number, default=None)

    def outcomes(self, index: int, candidate: str, incumbent: str | None) -> Outcomes:
        """Rubric number `index` over its population: passes, or measures for a limit.

        Cases that come after the look at which the trial of these arms ended are not in it.
        """
        taken = self.population(index)
        arms = [candidate] if incumbent is None else [candidate, incumbent]
        if (look := self.look(*arms)) is not None and not look.last:
            for name in arms:
                taken &= (self.arms[name].output_id > 0).any(axis=1)
        rows = np.flatnonzero(taken)
        rubric, policy = self.suite.rubrics[index], self.suite.policy
        unjudged = sum(int(np.count_nonzero(self.arms[name].status[index][rows] == JUDGE_ERROR)) for name in arms)
        sides = [_results(self.arms[name], index, rubric)[rows] for name in arms]
        asked = [self.arms[name].asked[rows] for name in arms]
        found = Outcomes(
            self.cases.cluster[rows],
            sides[0],
            sides[1] if incumbent is not None else None,
            rows,
            unjudged,
            graded=rubric.graded,
            labels=self.pooled.of(index, rubric, arms, rows) if rubric.aggregate else None,
            asked=Asked(asked[0], asked[-1]) if not np.logical_and.reduce(asked).all() else None,
            most_allowed=policy.most_missing_points / 100,
        )
        if rubric.kind != "limit" and policy.missing == "fail":
            found = found.missing_as_failures()
        return self._weighted(found, rubric, rows)

    def _weighted(self, found: Outcomes, rubric: RubricSpec, rows: Ints) -> Outcomes:
        """The outcomes of a quality or advisory rubric about traffic, each case counting what it stands for."""
        if rubric.kind not in ("quality", "advisory") or rubric.selection != "traffic":
            return found
        made = self.weighting()
        weight = None if made.weight is None else made.weight[rows]
        if weight is not None and not (np.ptp(weight[weight > 0]) if (weight > 0).any() else 1.0):
            weight = None if (weight > 0).all() else weight
        return replace(found, weight=weight, unseen=made.share_unseen(rubric))


def _results(arm: Arm, index: int, rubric: RubricSpec) -> Floats:
    """One number a case and epoch: 1 passed, 0 failed (a model's failure always), a value or a measure.

    NaN is missing. A score that a rubric takes as a whole, and that says neither, is .5.
    """
    status = arm.status[index]
    known = (status == SCORED) | (status == MODEL_FAILURE)
    if rubric.kind == "limit":
        return np.where(known, arm.measure[index], np.nan)
    if rubric.graded:
        return np.where(status == MODEL_FAILURE, 0.0, np.where(known, arm.measure[index], np.nan))
    said = arm.passed[index].astype(np.float64)
    if rubric.over_scores:
        said[said < 0] = 0.5
    said[status == MODEL_FAILURE] = 0.0
    return np.where(known & (said >= 0), said, np.nan)


def load(store: Store, trial_id: str, judged_by: Suite | None = None) -> Frame:
    """Everything a verdict needs of a trial, 100,000 cases in a few seconds.

    `judged_by`: the suite whose strata and clusters are wanted, where it is not the trial's own. Raises NotFoundError
    when there is no such trial, StoreError when what is kept cannot be understood.
    """
    trial = store.trial(trial_id)
    suite = read_suite(trial)
    runs = store.runs(trial.id)
    manifests = {run.target: _manifest(store, run, len(suite.rubrics)) for run in runs}
    return assemble(store, trial, runs, manifests, judged_by)


def assemble(
    store: Store,
    trial: TrialRow,
    runs: Sequence[RunRow],
    manifests: dict[str, Manifest],
    judged_by: Suite | None = None,
) -> Frame:
    """The frame of runs whose manifests are at hand, also before they are kept; the manifests are used up."""
    suite = read_suite(trial)
    wants = judged_by or suite
    nowhere = np.zeros(0, dtype=np.intp)
    positions = distinct(np.concatenate([nowhere, *(manifest.position for manifest in manifests.values())]))
    shares = store.dataset(trial.dataset_id).shares
    named = (name for rubric in (*suite.rubrics, *wants.rubrics) for name in rubric.where)
    kept = sorted({*wants.policy.slices, *named, *shares})
    group = grouping(store, trial.dataset_id, wants)
    cases = tabulate(store.case_facts(trial.dataset_id), positions, kept, group)
    if not all(isinstance(one.policy.synthetic, str) for one in (suite, wants)):
        cases = replace(cases, evolution=evolutions(store, trial.dataset_id, cases))
    epochs = max([1, *(run.epochs for run in runs)])
    arms = {run.target: _arm(store, run, manifests.pop(run.target), cases, epochs, suite) for run in runs}
    return with_pooled(store, Frame(trial, suite, cases, arms, epochs, shares=shares))


def with_pooled(store: Store, frame: Frame, own: Mapping[str, ScoreAggregate] | None = None) -> Frame:
    """The frame with what its rubrics' aggregates are taken over; `own`: functions in place of the trial's own."""
    ids = {name: (arm.score_id, _said(arm.status)) for name, arm in frame.arms.items()}
    return replace(frame, pooled=pooled(store, frame.trial, frame.suite.rubrics, ids, own))


def _said(status: Codes) -> Bools:
    """Which scores say something."""
    return (status == SCORED) | (status == MODEL_FAILURE)


def evolutions(store: Store, dataset_id: int, cases: CaseTable) -> Stratum:
    """How each synthetic case was made, -1 for the others; read from the cases themselves."""
    rows = np.flatnonzero(cases.of_origin("synthetic"))
    column = np.full(len(cases), -1, dtype=np.int32)
    values: dict[str, int] = {}
    for start in range(0, len(rows), CASES_AT_ONCE):
        some = rows[start : start + CASES_AT_ONCE]
        stored = store.cases(dataset_id, cases.position[some].tolist())
        column[some] = [values.setdefault(item.case.evolution, len(values)) for item in stored]
    return Stratum(tuple(values), column)


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


class Manifest(NamedTuple):
    """A run's lines as columns, by position and epoch; `score_id` is (rubrics, lines)."""

    position: Ints
    epoch: Ints
    output_id: Ids
    score_id: Ids


def _manifest(store: Store, run: RunRow, rubrics: int) -> Manifest:
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
    return Manifest(at, epoch, place[2], score_id)


def _arm(store: Store, run: RunRow, manifest: Manifest, cases: CaseTable, epochs: int, suite: Suite) -> Arm:
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
    asked = np.ones(output_id.shape, dtype=np.bool_) if not run.definition.get("partial") else output_id > 0
    graded = np.array([rubric.graded for rubric in suite.rubrics], dtype=np.bool_)
    flat = score_id.reshape(-1)
    by_id = np.argsort(flat)[np.count_nonzero(flat <= 0) :]
    with store.reading() as connection:
        for start in range(0, len(by_id), SCORES_AT_ONCE):
            at = by_id[start : start + SCORES_AT_ONCE]
            ids, inverse = np.unique(flat[at], return_inverse=True)
            heads = _scores(connection, store, run, ids)[inverse]
            for column, name in ((status, "status"), (passed, "passed"), (measure, "measure")):
                column.reshape(-1)[at] = heads[name]
            if graded.any():
                valued = graded[at // (len(cases) * epochs)]
                measure.reshape(-1)[at[valued]] = heads["value"][valued]
    return Arm(run, output_id, score_id, status, passed, measure, asked)


_HEAD = np.dtype([("status", np.int8), ("passed", np.int8), ("measure", np.float64), ("value", np.float64)])


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
        [(r[1], -1 if r[2] is None else r[2], *(nan if one is None else one for one in r[3:])) for r in found],
        dtype=_HEAD,
    )


def _heads(connection: Connection, ids: Ids) -> Sequence[Any]:
    """The rows of these scores, by id: one stretch of the table where they lie close together."""
    t = schema.scores.c
    query = select(t.id, t.status, t.passed, t.measure, t.value).order_by(t.id)
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
