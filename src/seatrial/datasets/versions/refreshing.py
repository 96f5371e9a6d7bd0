"""`refresh`: part of a set replaced by new traffic, strata and anchors kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import floor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seatrial.core.case import Case
from seatrial.core.record import Record, Text
from seatrial.datasets.sampling.duplicates import find
from seatrial.datasets.sampling.pool import Pool
from seatrial.datasets.sampling.stratify import Definition
from seatrial.datasets.versions.alone import one_at_a_time
from seatrial.datasets.versions.folder import SetFolder, Split
from seatrial.datasets.versions.history import HEAD
from seatrial.datasets.versions.pooled import (
    Lowest,
    Seen,
    named,
    opened,
    seen,
    strata_of,
    text_key,
    text_of,
    time_of,
)
from seatrial.datasets.versions.twosample import Floats, features
from seatrial.datasets.versions.working import OPEN, UNLABELLED, base_of, is_clean, read_working
from seatrial.errors import UsageError, safe

EVOLUTION = "refresh"
ANCHOR = "anchor"
SPARE = 40
TYPICAL = 300
"""Cases of a stratum's traffic that say what is typical of it."""
Cell = tuple[str, ...]


class Replaced(Record):
    """A case that left, and the one that took its place."""

    split: Split
    removed: Text
    added: Text


class Refreshed(Record):
    """What a refresh did. `short`: how many cases stayed because traffic had no new one of their strata.

    `sealed`: how many cases are encrypted; `compared`: whether the new ones were compared with these, too.
    """

    name: Text
    share: float
    seed: int
    anchors: int
    replaced: tuple[Replaced, ...]
    short: Mapping[str, int]
    unlabelled: int
    sealed: int = 0
    compared: bool = False


class _Leaving(NamedTuple):
    split: Split
    case: Case
    strata: Mapping[str, str]

    @property
    def cell(self) -> Cell:
        return tuple(self.strata.values())


@one_at_a_time
def refresh(
    path: Path | str, pool: Path | str, *, share: float = 0.15, seed: int = 0, sealed: bool = False
) -> Refreshed:
    """Replace a share of every split's cases, the oldest and least typical, by cases of the same strata from a pool.

    Anchors stay: cases with a true `anchor` in their metadata, those that set.yaml names, and all that are not of
    origin production. New cases keep their own ids, name the case they replace as `parent_id` and `refresh` as their
    `evolution`; where that one had a reference they are marked as not labelled yet, and `commit` waits for labels.
    Nothing is new that is, nearly, a case of the set; of an encrypted split that is known only with the key in the
    environment. The sealed split is left alone unless `sealed`, and must lie open then. The folder must be committed
    before. The same pool in any order and the same seed give the same set, as long as the key is there, or is not.

    Raises UsageError for a share outside 0 to 1, uncommitted changes, or an encrypted split that is asked for,
    SealKeyError for a wrong key.
    """
    folder = SetFolder(path)
    folder.must_exist()
    _check(folder, share, sealed=sealed)
    found = read_working(folder, base_of(folder))
    definitions = strata_of(folder, found)
    splits: tuple[Split, ...] = (*OPEN, "sealed") if sealed else OPEN
    cases = {split: found.cases.get(split, ()) for split in splits}
    everyone = [case for members in found.cases.values() for case in members]
    hidden = _hidden(folder)
    known = [*everyone, *(hidden or ())]
    anchors = {case.id for case in everyone if _stays(case, folder.config.anchors)}
    source = opened(pool)
    quotas = {split: _quotas(cases[split], anchors, definitions, share, seed) for split in splits}
    needed = _summed(quotas.values())
    fresh, typical = _candidates(source, definitions, needed, known, seed)
    leaving = [
        _Leaving(split, case, named(case, definitions))
        for split in splits
        for cell, count in quotas[split].items()
        for case in _least_fit(_members(cases[split], anchors, definitions, cell), typical.get(cell, []), count)
    ]
    pairs = _paired(leaving, _new(source, fresh, known, needed))
    for split in splits:
        _write(folder, split, cases[split], [(old.case, new) for old, new in pairs if old.split == split])
    done = {old.case.id for old, _ in pairs}
    return Refreshed(
        name=folder.name,
        share=share,
        seed=seed,
        anchors=len(anchors),
        replaced=tuple(Replaced(split=old.split, removed=old.case.id, added=new.id) for old, new in pairs),
        short=dict(Counter(" / ".join(one.cell) for one in leaving if one.case.id not in done)),
        unlabelled=sum(bool(new.metadata.get(UNLABELLED)) for _, new in pairs),
        sealed=found.sealed.cases if found.sealed is not None else 0,
        compared=hidden is not None,
    )


def _hidden(folder: SetFolder) -> list[Case] | None:
    """The encrypted cases, to compare with in memory alone; None where there are none, or no key."""
    if not folder.is_sealed:
        return None
    from seatrial.datasets.sealing.seal import cases_to_compare

    return cases_to_compare(folder)


def _check(folder: SetFolder, share: float, *, sealed: bool) -> None:
    if not 0 < share < 1:
        raise UsageError(
            f"The share must be above 0 and below 1, not {share:g}.", hint="0.15 replaces 15% of the cases"
        )
    if sealed and folder.is_sealed:
        raise UsageError("The sealed split is encrypted.", hint="unseal it before it is refreshed")
    base = base_of(folder)
    path = safe(str(folder.path), 200)
    if base is None or not is_clean(folder, base):
        raise UsageError(
            f"The set {path} has changes that are not committed, and a refresh would mix with them.",
            hint=f'`seatrial dataset commit {path} -m "…"` keeps them, `… checkout {path} {HEAD} --force` drops them',
        )


def _stays(case: Case, anchors: Sequence[str]) -> bool:
    return case.origin != "production" or case.id in anchors or bool(case.metadata.get(ANCHOR))


def _cell(strata: Mapping[str, str], definitions: Sequence[Definition]) -> Cell:
    return tuple(strata[one.stratum] for one in definitions)


def _members(cases: Sequence[Case], anchors: set[str], definitions: Sequence[Definition], cell: Cell) -> list[Case]:
    return [c for c in cases if c.id not in anchors and _cell(named(c, definitions), definitions) == cell]


def _quotas(
    cases: Sequence[Case], anchors: set[str], definitions: Sequence[Definition], share: float, seed: int
) -> dict[Cell, int]:
    """How many of each cell leave: the share of all, by largest remainders, never more than may leave."""
    sizes: dict[Cell, int] = {}
    free: dict[Cell, int] = {}
    for case in cases:
        cell = _cell(named(case, definitions), definitions)
        sizes[cell] = sizes.get(cell, 0) + 1
        free[cell] = free.get(cell, 0) + (case.id not in anchors)
    total = min(round(share * len(cases)), sum(free.values()))
    taken = {cell: min(free[cell], floor(share * size)) for cell, size in sizes.items()}
    order = sorted(sizes, key=lambda c: (-(share * sizes[c] % 1), text_key("\0".join(c), seed), c))
    while sum(taken.values()) < total:
        for cell in order:
            if taken[cell] < free[cell] and sum(taken.values()) < total:
                taken[cell] += 1
    return {cell: count for cell, count in sorted(taken.items()) if count}


def _summed(quotas: Iterable[Mapping[Cell, int]]) -> dict[Cell, int]:
    found: Counter[Cell] = Counter()
    for one in quotas:
        found.update(one)
    return dict(found)


def _candidates(
    source: Pool, definitions: Sequence[Definition], needed: Mapping[Cell, int], have: Sequence[Case], seed: int
) -> tuple[dict[Cell, Lowest], dict[Cell, list[str]]]:
    """Per cell a random sample of the pool's new cases, and texts that are typical of its traffic."""
    ids, texts = {case.id for case in have}, {text_key(text_of(case)) for case in have}
    fresh = {cell: Lowest(2 * count + SPARE) for cell, count in needed.items()}
    typical = {cell: Lowest(TYPICAL) for cell in needed}
    for one in seen(source, definitions, seed):
        cell = _cell(one.strata, definitions)
        if cell not in needed:
            continue
        typical[cell].add(one)
        if one.id not in ids and text_key(one.text) not in texts:
            fresh[cell].add(one)
    return fresh, {cell: [one.text for one in kept.taken()] for cell, kept in typical.items()}


def _least_fit(cases: Sequence[Case], typical: Sequence[str], count: int) -> list[Case]:
    """The cases that leave: by age and by distance from what is typical, each rank counting as much as the other."""
    if not count:
        return []
    times = np.array([time_of(case.created_at) for case in cases])
    age = _ranks(np.where(np.isfinite(times), times, np.nanmedian(times) if np.isfinite(times).any() else 0.0))
    near = np.zeros(len(cases))
    if typical:
        near = _ranks(features([text_of(case) for case in cases]) @ features(typical).mean(axis=0))
    order = sorted(range(len(cases)), key=lambda at: (age[at] + near[at], cases[at].id))
    return [cases[at] for at in order[:count]]


def _ranks(values: Floats) -> Floats:
    """The place of each value among all, equal ones sharing the mean place."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2


def _new(
    source: Pool, fresh: Mapping[Cell, Lowest], have: Sequence[Case], needed: Mapping[Cell, int]
) -> dict[Cell, list[Case]]:
    """Whole cases for every cell, none of them nearly equal to another or to one of the set.

    Raises DatasetError where a line of the pool is no case.
    """
    chosen: list[tuple[Cell, Seen]] = [(cell, one) for cell, kept in sorted(fresh.items()) for one in kept.taken()]
    with source.opened() as file:
        at = source.reader(file)
        read = [(cell, source.case(at(one.offset), one.place)) for cell, one in chosen]
    source.check()
    whole = [(cell, case) for cell, case in read if case is not None]
    clusters = find([*have, *(case for _, case in whole)]).of.tolist()
    taken, found = set(clusters[: len(have)]), dict[Cell, list[Case]]()
    for (cell, case), cluster in zip(whole, clusters[len(have) :], strict=True):
        if cluster not in taken and len(found.get(cell, ())) < needed[cell]:
            taken.add(cluster)
            found.setdefault(cell, []).append(case)
    return found


def _paired(leaving: Sequence[_Leaving], new: Mapping[Cell, Sequence[Case]]) -> list[tuple[_Leaving, Case]]:
    waiting = {cell: list(cases) for cell, cases in new.items()}
    return [(old, _in_place_of(old, waiting[old.cell].pop(0))) for old in leaving if waiting.get(old.cell)]


def _in_place_of(leaving: _Leaving, new: Case) -> Case:
    old = leaving.case
    lacks = (old.expected is not None and new.expected is None) or (old.criteria and not new.criteria)
    return Case.model_validate(
        {
            **new.plain(),
            "parent_id": old.id,
            "evolution": EVOLUTION,
            "metadata": {**new.metadata, UNLABELLED: True} if lacks else new.metadata,
            "strata": {**new.strata, **leaving.strata},
        }
    )


def _write(folder: SetFolder, split: Split, cases: Sequence[Case], pairs: Sequence[tuple[Case, Case]]) -> None:
    if pairs:
        gone = {old.id for old, _ in pairs}
        folder.write(split, [*(case for case in cases if case.id not in gone), *(new for _, new in pairs)])
