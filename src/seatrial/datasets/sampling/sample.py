"""`dataset sample`: a pool of any length in, the folder of a set out.

The pool is read once; what is kept of a record is some numbers. Then the drawn records are read again. Nothing depends
on the order of the pool's lines: what is equally likely is settled by hashes of content and seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from seatrial.core.case import Case
from seatrial.core.suite import DatasetSpec
from seatrial.datasets.reading.reader import read
from seatrial.datasets.sampling import drawing, report
from seatrial.datasets.sampling.allocate import Floats, Ints
from seatrial.datasets.sampling.duplicates import Clusters, said
from seatrial.datasets.sampling.pool import Pool, Row, record_of
from seatrial.datasets.sampling.report import SampleReport
from seatrial.datasets.sampling.settings import Sampling
from seatrial.datasets.sampling.sought import Sought
from seatrial.datasets.sampling.split import FREE, Dealt, deal
from seatrial.datasets.sampling.stratify import stratifiers
from seatrial.datasets.sampling.survey import Survey
from seatrial.datasets.versions.folder import SPLITS, SetFolder
from seatrial.errors import DatasetError, Problem, UsageError, safe


class Anchor(NamedTuple):
    """A case that must be in the set, and the split it must be in (a place in `SPLITS`, or `FREE`)."""

    case: Case
    split: int


class Drawn(NamedTuple):
    """The cases drawn, with the split (a place in `SPLITS`), stratum and time of each, and what they came from."""

    cases: list[Case]
    splits: Ints
    cells: Ints
    times: Floats
    plan: drawing.Plan
    clusters: Clusters


def sample(
    pool: Path, into: Path, settings: Sampling, *, anchors: Sequence[Path] = (), replace: bool = False
) -> SampleReport:
    """Draw a set from a pool and write its folder; gives what was drawn of what.

    set.yaml in the folder may declare the stratifiers; it gets the traffic shares and the settings. `anchors` are JSONL
    files of cases that must be in the set: one named test.jsonl keeps its cases in that split. The same pool and
    settings give the same bytes, and so does a second call after a first one was killed.

    Raises:
        DatasetError: lines of the pool or of the anchors are no cases, or set.yaml cannot be used; all faults are told.
        UsageError: the settings cannot be met, the set was committed and `replace` is not given, or a stratum of `by`
            is neither defined in set.yaml nor in any record of the pool.

    """
    folder = SetFolder(into)
    _refuse_committed(folder, replace=replace)
    chosen = stratifiers(folder.config.stratifiers, settings.by, into, folder.shown(into / "set.yaml"))
    survey = Survey(chosen, settings)
    source = Pool(pool)
    kept = _anchors(anchors)
    sought = Sought(folder.config.stratifiers, settings.by)
    for record in source.records():
        if sought.missing:
            sought.look(record.row)
        survey.add(record)
    sought.check()
    for case, _ in kept:
        survey.add(record_of(case.recorded))
    drawn = _draw(survey, settings, source, kept)
    for at, split in enumerate(SPLITS):
        cases = [case for case, dealt in zip(drawn.cases, drawn.splits.tolist(), strict=True) if dealt == at]
        if cases:
            folder.write(split, cases)
        else:
            folder.remove(split)
    shares = survey.shares()
    noted = {
        "pool": pool.name,
        "records": survey.pool,
        "seed": settings.seed,
        **settings.model_dump(mode="json", exclude_defaults=True),
    }
    folder.write_config(folder.config.model_copy(update={"shares": shares, "sampling": noted}))
    counts = report.Counts(survey.pool, len(kept), int(np.isnan(drawn.times).sum()))
    return report.of(drawn, settings, chosen, shares, counts)


def _refuse_committed(folder: SetFolder, *, replace: bool) -> None:
    shown = safe(str(folder.path), 200)
    if folder.is_sealed:
        raise UsageError(
            f"The set {shown} is sealed.", hint="sample into another folder, or `seatrial dataset refresh`"
        )
    if folder.lock is not None and not replace:
        raise UsageError(
            f"The set {shown} was committed; sampling would replace its cases.",
            hint="`seatrial dataset refresh` keeps what can be kept; --replace draws all anew",
        )


def _anchors(files: Sequence[Path]) -> list[Anchor]:
    found: list[Anchor] = []
    seen: set[str] = set()
    problems: list[Problem] = []
    names: tuple[str, ...] = SPLITS
    for file in files:
        split = names.index(file.stem) if file.stem in names else FREE
        for case in read(DatasetSpec(path=file.name, format="jsonl"), file.parent):
            if case.id in seen:
                problems.append(Problem("is the id of an anchor already", str(file), None, "id", case.id))
            seen.add(case.id)
            found.append(Anchor(case, split))
    if problems:
        raise DatasetError("The anchors cannot be used.", problems=problems)
    return sorted(found, key=lambda one: one.case.id)


def _draw(survey: Survey, settings: Sampling, source: Pool, anchors: Sequence[Anchor]) -> Drawn:
    """What becomes of the survey: clusters, strata, quotas, records, splits."""
    offsets, pool = survey.offsets, survey.pool
    with source.opened() as file:
        at = source.reader(file)

        def row_at(index: int) -> Row:
            return at(int(offsets[index])) if index < pool else anchors[index - pool].case.recorded

        clusters = survey.finder.clusters(lambda i: settings.duplicates.normalised(said(row_at(i)["input"])))
        cells, names = survey.cells()
        ranks = drawing.ranks_of(survey.keys, settings.seed)
        units = drawing.units_of(clusters.of, cells, ranks, pool)
        traffic, held = (np.bincount(part, minlength=len(names)) for part in (cells[:pool], cells[pool:]))
        available = np.bincount(units.cell[~units.anchored], minlength=len(names)) + held
        plan = drawing.plan(settings, names, held, traffic, available)
        picked, weights = drawing.choose(settings, plan, units, held)
        cases = [source.case(row_at(i), i) for i in picked.tolist()]
    source.check()
    whole = [*cast("list[Case]", cases), *(one.case for one in anchors)]
    everything = np.concatenate([picked, np.arange(pool, pool + len(anchors))])
    _refuse_shared_ids(whole)
    groups = survey.groups(clusters.of)
    fixed = np.array([FREE] * len(picked) + [one.split for one in anchors], dtype=np.int64)
    dealt = Dealt(cells[everything], groups[everything], survey.times[everything], ranks[everything] / 2.0**64, fixed)
    splits = deal(dealt, [settings.split.get(name, 0.0) for name in SPLITS])
    stands = drawing.weighted(dealt.cells, weights, len(anchors), plan)
    seeds = drawing.seed_ids(whole, dealt.groups, groups, survey.keys)
    places = cast("list[int]", dealt.cells.tolist())
    done = [
        drawing.finished(case, dict(zip(survey.by, names[cell], strict=True)), seed, weight)
        for case, cell, seed, weight in zip(whole, places, seeds, stands.tolist(), strict=True)
    ]
    return Drawn(done, splits, dealt.cells, dealt.times, plan, clusters)


def _refuse_shared_ids(cases: Sequence[Case]) -> None:
    seen: set[str] = set()
    problems: list[Problem] = []
    for case in cases:
        if case.id in seen:
            hint = "an anchor and another record of the pool share it: rename one"
            problems.append(Problem("is the id of two cases", key="id", value=case.id, hint=hint))
        seen.add(case.id)
    if problems:
        raise DatasetError("The cases drawn cannot form a set.", problems=problems)
