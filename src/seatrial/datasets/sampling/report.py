"""What was drawn of what: by stratum, by split, and what the near-duplicates were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seatrial.core.record import Record
from seatrial.datasets.sampling.settings import Sampling
from seatrial.datasets.sampling.stratify import UNKNOWN, Definition
from seatrial.datasets.versions.folder import SPLITS
from seatrial.errors import safe

if TYPE_CHECKING:
    from seatrial.datasets.sampling.sample import Drawn

SHOWN = 40


class StratumRow(Record):
    """One stratum of those allocated over.

    `traffic`: records of the pool; `share`: of all. `available`: different cases that could be drawn. `wanted`: what
    the allocation asks of it, were there enough; `quota`: what it is asked after short strata gave what they have.
    `short`: cases it lacks.
    """

    strata: Mapping[str, str]
    traffic: int
    share: float
    available: int
    wanted: float
    quota: float
    taken: int
    short: float
    splits: Mapping[str, int]


class SplitRow(Record):
    """One split: its cases, and the days of the earliest and the latest dated one."""

    cases: int
    first: str = ""
    last: str = ""


class Near(Record):
    """Near-duplicates: records that joined an earlier one because they were equal, equal once normalised, or alike."""

    equal: int
    normalised: int
    near: int
    clusters: int
    largest: int


class SampleReport(Record):
    """What `dataset sample` drew. `unknown`: by stratum, the share of the pool that its stratifier could not name."""

    records: int
    asked: int
    taken: int
    anchors: int
    undated: int
    duplicates: Near
    unknown: Mapping[str, float]
    stratifiers: Mapping[str, str]
    strata: tuple[StratumRow, ...]
    splits: Mapping[str, SplitRow]

    def lines(self) -> list[str]:
        """The report as text, a line an item."""
        near = self.duplicates
        joined = f"{near.equal:,} equal, {near.normalised:,} once normalised, {near.near:,} alike"
        head = [
            f"{self.taken:,} of {self.records:,} records"
            + (f", {self.anchors:,} of them anchors" if self.anchors else ""),
            f"near-duplicates: {near.clusters:,} clusters ({joined}; the largest has {near.largest:,})",
        ]
        head += [f"unknown {safe(name)}: {share:.1%} of the pool" for name, share in self.unknown.items()]
        if self.undated:
            head.append(f"without a date, so placed by lot: {self.undated:,}")
        if self.taken < self.asked:
            head.append(f"short of the {self.asked:,} asked for: the pool has no more different cases")
        head += _short(self.strata)
        return [*head, "", *_table(self.strata), "", *_split_lines(self.splits)]


class Counts(NamedTuple):
    """Records of the pool, anchors, and cases drawn without a date."""

    records: int
    anchors: int
    undated: int


def of(
    drawn: Drawn,
    settings: Sampling,
    stratifiers: Sequence[Definition],
    shares: Mapping[str, Mapping[str, float]],
    counts: Counts,
) -> SampleReport:
    """The report of a draw."""
    found = drawn.clusters
    return SampleReport(
        records=counts.records,
        asked=settings.size,
        taken=len(drawn.cases),
        anchors=counts.anchors,
        undated=counts.undated,
        duplicates=Near(
            equal=found.equal,
            normalised=found.normalised,
            near=found.near,
            clusters=found.different,
            largest=found.largest,
        ),
        unknown={name: values[UNKNOWN] for name, values in shares.items() if values.get(UNKNOWN)},
        stratifiers={one.stratum: one.hash for one in stratifiers},
        strata=tuple(_row(drawn, settings, at) for at in range(len(drawn.plan.cells))),
        splits={name: _split(drawn, at) for at, name in enumerate(SPLITS)},
    )


def _row(drawn: Drawn, settings: Sampling, at: int) -> StratumRow:
    plan = drawn.plan
    inside = drawn.cells == at
    counts = np.bincount(drawn.splits[inside], minlength=len(SPLITS)).tolist()
    capped = plan.available[at] < plan.wanted[at]
    return StratumRow(
        strata=dict(zip(settings.by, plan.cells[at], strict=True)),
        traffic=int(plan.traffic[at]),
        share=float(plan.traffic[at] / max(1, plan.traffic.sum())),
        available=int(plan.available[at]),
        wanted=round(float(plan.wanted[at]), 6),
        quota=round(float(plan.quota[at]), 6),
        taken=int(plan.taken[at]),
        short=round(float(plan.wanted[at] - plan.available[at]), 6) if capped else 0.0,
        splits=dict(zip(SPLITS, counts, strict=True)),
    )


def _split(drawn: Drawn, at: int) -> SplitRow:
    times = drawn.times[drawn.splits == at]
    dated = times[~np.isnan(times)]
    if not len(dated):
        return SplitRow(cases=len(times))
    return SplitRow(cases=len(times), first=_day(float(dated.min())), last=_day(float(dated.max())))


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _short(rows: Sequence[StratumRow]) -> list[str]:
    """What the column of that name means, where it has a whole case."""
    lacking = [round(row.short) for row in rows if round(row.short)]
    if not lacking or len(rows) == 1:
        return []
    what = "1 stratum" if len(lacking) == 1 else f"{len(lacking):,} strata"
    rest = "; the others give more" if len(lacking) < len(rows) else ""
    told = "short: the pool lacks different cases that the allocation wants of"
    return [f"{told} {what}, {sum(lacking):,} in all{rest}"]


def _table(rows: Sequence[StratumRow]) -> list[str]:
    named = [(safe(", ".join(row.strata.values()) or "all", SHOWN), row) for row in rows]
    width = max([7, *(len(name) for name, _ in named)])
    heads = f"{'stratum':<{width}}  traffic  available     quota  taken  short"
    lines = [
        f"{name:<{width}}  {row.share:>7.1%}  {row.available:>9,}  {row.quota:>8.2f}  {row.taken:>5,}"
        f"  {round(row.short):>5,}"
        for name, row in named
    ]
    return [heads, *lines]


def _split_lines(splits: Mapping[str, SplitRow]) -> list[str]:
    return [
        f"{name:<6}  {row.cases:>6,}" + (f"  {row.first} to {row.last}" if row.first else "")
        for name, row in splits.items()
    ]
