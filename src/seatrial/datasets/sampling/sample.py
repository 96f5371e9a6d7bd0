"""`dataset sample`: a pool of any length in, the folder of a set out.

The pool is read once; what is kept of a record is some numbers. Then the drawn records are read again. Nothing depends
on the order of the pool's lines: what is equal likely is settled by hashes of content and seed.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple, cast

import numpy as np
from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.identity import digest
from seatrial.core.record import Filled, Record
from seatrial.core.suite import DatasetSpec
from seatrial.datasets.reading.reader import read
from seatrial.datasets.sampling import allocate
from seatrial.datasets.sampling.allocate import Floats, Ints, Remainders
from seatrial.datasets.sampling.duplicates import Clusters, Duplicates, Finder, Joined, said
from seatrial.datasets.sampling.pool import Pool, Row, content_key, moment, text_key
from seatrial.datasets.sampling.report import Report, SplitRow, StratumRow
from seatrial.datasets.sampling.split import FREE, Dealt, deal
from seatrial.datasets.sampling.stratify import UNKNOWN, Definition, stratifiers
from seatrial.datasets.versions.folder import SPLITS, SetFolder
from seatrial.errors import DatasetError, Problem, UsageError, safe

Allocation = Literal["proportional", "floored", "equal", "neyman"]
MOST_VALUES = 1000
DIGITS = 9


class Sampling(Record):
    """How a set is drawn.

    `size`: cases in all. `by`: the strata to allocate over, crossed. `floor`: least cases of a stratum, for `floored`.
    `past`: pass rates of strata from earlier runs, for `neyman`. `split`: shares that sum to 1. `sessions`: cases of
    one session are one cluster.
    """

    size: Annotated[int, Field(ge=1)]
    by: tuple[Filled, ...] = ()
    allocation: Allocation = "proportional"
    floor: Annotated[int, Field(ge=0)] = 0
    past: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    remainders: Remainders = "random"
    split: Mapping[Literal["build", "test", "sealed"], Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=lambda: {"build": 0.2, "test": 0.6, "sealed": 0.2}
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    duplicates: Duplicates = Duplicates()
    sessions: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Sampling:
        if abs(sum(self.split.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of the splits must sum to 1, not {sum(self.split.values()):g}")
        if len(set(self.by)) != len(self.by):
            raise ValueError("a stratum is named twice")
        return self


def sample(pool: Path, into: Path, settings: Sampling, *, anchors: Sequence[Path] = (), replace: bool = False) -> Report:
    """Draw a set from a pool and write its folder; gives what was drawn of what.

    set.yaml in the folder may declare the stratifiers; it gets the traffic shares and the settings. The same pool and
    settings give the same bytes, and so does a second call after a first one was killed. Raises DatasetError with every
    bad line, UsageError where the settings cannot be met, or where the set was committed and `replace` is not given.
    """
    folder = SetFolder(into)
    _refuse_committed(folder, replace)
    chosen = stratifiers(folder.config.stratifiers, settings.by, into, folder.shown(into / "set.yaml"))
    source = Pool(pool)
    survey = _Survey(chosen, settings)
    with source.opened() as file:
        for record in source.records():
            survey.add(record.row, record.key, record.offset)
        kept = _anchors(anchors)
        for case, _ in kept:
            survey.add(case.recorded, content_key(case.recorded), -1)
        drawn = _drawn(survey, settings, source, file, kept)
    source.check()
    splits = drawn.splits()
    shares = survey.shares()
    for split in SPLITS:
        if splits[split]:
            folder.write(split, splits[split])
        else:
            folder.remove(split)
    noted = {"pool": pool.name, "records": survey.pool, **settings.plain()}
    folder.write_config(folder.config.model_copy(update={"shares": shares, "sampling": noted}))
    return _report(survey, drawn, settings, chosen)


def _refuse_committed(folder: SetFolder, replace: bool) -> None:
    shown = safe(str(folder.path), 200)
    if folder.is_sealed:
        raise UsageError(f"The set {shown} is sealed.", hint="sample into a new folder, or use `seatrial dataset refresh`")
    if folder.lock is not None and not replace:
        raise UsageError(
            f"The set {shown} was committed as {folder.lock.version}; sampling would replace its cases.",
            hint="`seatrial dataset refresh` keeps what can be kept; --replace draws anew",
        )


def _anchors(files: Sequence[Path]) -> list[tuple[Case, int]]:
    """The cases that must be in the set, with the split that their file is named after."""
    found: list[tuple[Case, int]] = []
    seen: dict[str, Path] = {}
    problems: list[Problem] = []
    for file in files:
        fixed = SPLITS.index(file.stem) if file.stem in SPLITS else FREE  # type: ignore[arg-type]
        for case in read(DatasetSpec(path=file.name, format="jsonl"), file.parent):
            if case.id in seen:
                problems.append(Problem("is the id of an anchor already", str(file), None, "id", case.id))
            seen[case.id] = file
            found.append((case, fixed))
    if problems:
        raise DatasetError("The anchors cannot be used.", problems=problems)
    return found


class _Survey:
    """What is kept of every record: its place, a key of its content, its time, its groups and its strata."""

    def __init__(self, stratifiers: Sequence[Definition], settings: Sampling) -> None:
        self._stratifiers = stratifiers
        self._settings = settings
        self.finder = Finder(settings.duplicates)
        self.by = tuple(one.stratum for one in stratifiers)
        self._offsets, self._keys = array("q"), array("Q")
        self._sessions, self._seeds = array("Q"), array("Q")
        self._times = array("d")
        self._codes = tuple(array("i") for _ in stratifiers)
        self._names: tuple[dict[str, int], ...] = tuple({} for _ in stratifiers)
        self.pool = 0

    def add(self, row: Row, key: int, offset: int) -> None:
        """Take a record; an offset of -1 is an anchor's, which come last."""
        self.finder.add(row["input"])
        self._offsets.append(offset)
        self._keys.append(key)
        self._sessions.append(text_key(row.get("session_id")) if self._settings.sessions else 0)
        self._seeds.append(text_key(row.get("seed_id")))
        when = row.get("created_at")
        found = None if when is None else moment(when)
        self._times.append(np.nan if found is None else found)
        self.pool += offset >= 0
        for stratifier, codes, names in zip(self._stratifiers, self._codes, self._names, strict=True):
            codes.append(names.setdefault(stratifier.name(row), len(names)))
            if len(names) > MOST_VALUES:
                raise DatasetError(
                    f"The stratum {safe(stratifier.stratum)!r} has more than {MOST_VALUES:,} values.",
                    hint="give it a stratifier in set.yaml that names fewer",
                )

    @property
    def offsets(self) -> Ints:
        """Where each record begins in the pool."""
        return np.frombuffer(self._offsets, dtype=np.int64)

    @property
    def keys(self) -> np.ndarray:
        """A key of each record's content."""
        return np.frombuffer(self._keys, dtype=np.uint64)

    @property
    def times(self) -> Floats:
        """Seconds since 1970; NaN where not known."""
        return np.frombuffer(self._times, dtype=np.float64)

    def shares(self) -> dict[str, dict[str, float]]:
        """What share of the pool each value of each stratum has, the unknown ones too."""
        found: dict[str, dict[str, float]] = {}
        for stratum, codes, names in zip(self.by, self._codes, self._names, strict=True):
            counts = np.bincount(np.frombuffer(codes, dtype=np.int32)[: self.pool], minlength=len(names)).tolist()
            held = sorted((name, counts[code]) for name, code in names.items() if counts[code])
            found[stratum] = {name: round(count / self.pool, DIGITS) for name, count in held}
        return found

    def cells(self) -> tuple[Ints, list[tuple[str, ...]]]:
        """For each record the place of its stratum among those crossed, and their names, sorted."""
        count = len(self._offsets)
        mixed = np.zeros(count, dtype=np.int64)
        for codes, names in zip(self._codes, self._names, strict=True):
            ordered = sorted(names)
            rank = np.empty(len(names), dtype=np.int64)
            rank[[names[name] for name in ordered]] = np.arange(len(names))
            mixed = mixed * len(names) + rank[np.frombuffer(codes, dtype=np.int32)]
        values, cells = np.unique(mixed, return_inverse=True)
        return cells, [self._cell(int(value)) for value in values]

    def _cell(self, mixed: int) -> tuple[str, ...]:
        parts: list[str] = []
        for names in reversed(self._names):
            mixed, at = divmod(mixed, len(names))
            parts.append(sorted(names)[at])
        return tuple(reversed(parts))

    def groups(self, clusters: Ints) -> Ints:
        """Clusters, joined where they share a session or a seed: what is never split."""
        joined = Joined(len(clusters))
        for keys in (clusters, np.frombuffer(self._sessions, np.uint64), np.frombuffer(self._seeds, np.uint64)):
            real = np.arange(len(keys)) if keys is clusters else np.flatnonzero(keys)
            order = real[np.argsort(keys[real], kind="stable")]
            same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
            for i, j in zip(order[same].tolist(), order[same + 1].tolist(), strict=True):
                joined.join(i, j)
        return joined.roots()


class _Drawn(NamedTuple):
    """The cases drawn, the splits they go to, and the numbers behind."""

    cases: list[Case]
    dealt: Ints
    clusters: Clusters
    cells: list[tuple[str, ...]]
    traffic: Ints
    available: Ints
    quota: Floats
    wanted: Floats
    taken: Ints
    of: Ints
    undated: int
    anchors: int

    def splits(self) -> dict[str, list[Case]]:
        """The cases by split."""
        return {
            name: [case for case, at in zip(self.cases, self.dealt.tolist(), strict=True) if at == number]
            for number, name in enumerate(SPLITS)
        }


class _Units(NamedTuple):
    """What is drawn: one of each cluster in each stratum. `cell`, `size` (records), `chosen` (the record), `anchored`."""

    cell: Ints
    size: Ints
    chosen: Ints
    anchored: np.ndarray


def _units(clusters: Ints, cells: Ints, ranks: np.ndarray, pool: int) -> _Units:
    """The units, in an order that content and seed alone decide; a unit's record is the first of its by rank."""
    order = np.lexsort((ranks, cells, clusters))
    c, h = clusters[order], cells[order]
    starts = np.flatnonzero(np.concatenate([[True], (c[1:] != c[:-1]) | (h[1:] != h[:-1])]))
    of_pool = order < pool
    size = np.add.reduceat(of_pool.astype(np.int64), starts)
    anchored = np.logical_or.reduceat(~of_pool, starts)
    chosen = order[starts]
    by_rank = np.argsort(ranks[chosen], kind="stable")
    return _Units(h[starts][by_rank], size[by_rank], chosen[by_rank], anchored[by_rank])


def _ranks(keys: np.ndarray, seed: int) -> np.ndarray:
    """A pseudo-random 64-bit number of each content under a seed."""
    start = int(allocate.generator(seed, "rank").integers(0, 2**63))
    mixed = (keys ^ np.uint64(start)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _drawn(
    survey: _Survey, settings: Sampling, source: Pool, file: BinaryIO, anchors: list[tuple[Case, int]]
) -> _Drawn:
    at = source.reader(file)
    offsets, pool = survey.offsets, survey.pool

    def text_at(index: int) -> str:
        row = at(int(offsets[index])) if index < pool else anchors[index - pool][0].recorded
        return settings.duplicates.normalised(said(row["input"]))

    clusters = survey.finder.clusters(text_at)
    cells, names = survey.cells()
    ranks = _ranks(survey.keys, settings.seed)
    units = _units(clusters.of, cells, ranks, pool)
    traffic = np.bincount(cells[:pool], minlength=len(names))
    held = np.bincount(cells[pool:], minlength=len(names))
    free = ~units.anchored
    available = np.bincount(units.cell[free], minlength=len(names)) + held
    wanted, quota = _quotas(settings, names, traffic, available, held)
    taken = allocate.whole(quota, allocate.generator(settings.seed, "remainders"), settings.remainders)
    indexes, weights = _choose(settings, names, units, taken, held, traffic)
    groups = survey.groups(clusters.of)
    everything = np.concatenate([indexes, np.arange(pool, pool + len(anchors))]).astype(np.int64)
    weight = np.concatenate([weights, _anchor_weights(cells[pool:], weights, cells[indexes], traffic)])
    cases = [
        source.case(at(int(offsets[i])), i) if i < pool else anchors[i - pool][0] for i in everything.tolist()
    ]
    source.check()
    whole = cast("list[Case]", cases)
    dealt = deal(
        Dealt(
            cells[everything], groups[everything], survey.times[everything],
            ranks[everything].astype(np.float64) / 2.0**64,
            np.array([FREE] * len(indexes) + [fixed for _, fixed in anchors], dtype=np.int64),
        ),
        [settings.split.get(name, 0.0) for name in SPLITS],
    )  # fmt: skip
    sizes = np.bincount(groups, minlength=len(groups))
    labels = _seed_ids(whole, groups[everything], sizes, survey.keys, groups)
    mean = weight.mean() if len(weight) else 1.0
    finished = [
        _finished(case, names[cell], survey.by, label, value / mean)
        for case, cell, label, value in zip(whole, cells[everything].tolist(), labels, weight.tolist(), strict=True)
    ]
    undated = int(np.isnan(survey.times[everything]).sum())
    return _Drawn(
        finished, dealt, clusters, names, traffic, available, quota, wanted, taken, cells[everything], undated, len(anchors)
    )  # fmt: skip
