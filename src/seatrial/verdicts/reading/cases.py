"""The cases of a trial as columns: place, origin, cluster, weight, strata."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seatrial.core.suite import RubricSpec
from seatrial.store.store import CaseFacts
from seatrial.verdicts.engine.outcomes import Bools, Floats, Ints

MOST_VALUES = 30
"""A stratum with more values than this is an identifier, not a group: it is no slice unless the policy names it."""


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """One stratum as a column: `codes` index `values`, -1 where a case has none."""

    values: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class CaseTable:
    """One entry a case, in dataset order. Cases of one `cluster` share a seed or an input, directly or by a chain."""

    position: Ints
    origin: Stratum
    cluster: Ints
    weight: Floats
    strata: Mapping[str, Stratum]
    evolution: Stratum | None = None

    def __len__(self) -> int:
        return len(self.position)

    def of_origin(self, *names: str) -> Bools:
        """Which cases came from one of these."""
        return np.array([value in names for value in self.origin.values] or [False])[self.origin.codes]

    def counted(self, synthetic: str | Sequence[str]) -> Bools:
        """Which cases stand for traffic: no attacks, no benchmarks, and of the synthetic ones those that may count."""
        made = self.of_origin("synthetic")
        taken = ~self.of_origin("adversarial", "benchmark")
        if synthetic == "include":
            return taken
        if not isinstance(synthetic, str) and self.evolution is not None:
            names = (*self.evolution.values, "")
            made &= ~np.array([name in synthetic for name in names])[self.evolution.codes]
        return taken & ~made

    def selected(self, rubric: RubricSpec, synthetic: str | Sequence[str] = "include") -> Bools:
        """Which cases a rubric takes: by its kind, its selection of traffic or probes, and its strata.

        What decides takes no benchmarks; quality rubrics and limits take the `synthetic` cases that the policy counts.
        """
        taken = np.ones(len(self), dtype=np.bool_)
        if rubric.kind != "advisory":
            taken &= ~self.of_origin("benchmark")
        if rubric.kind in ("quality", "limit"):
            taken &= self.counted(synthetic) | self.of_origin("adversarial")
        if rubric.selection != "all":
            probe = self.of_origin("adversarial")
            taken &= probe if rubric.selection == "probes" else ~probe
        for name, wanted in rubric.where.items():
            stratum = self.strata.get(name)
            if stratum is None:
                return np.zeros(len(self), dtype=np.bool_)
            accepted = {wanted} if isinstance(wanted, str) else set(wanted)
            codes = [code for code, value in enumerate(stratum.values) if value in accepted]
            taken &= np.isin(stratum.codes, codes)
        return taken


@dataclass(slots=True, eq=False)
class _Column:
    """A stratum while it is read: which rows have a value, and which."""

    rows: array[int] = field(default_factory=lambda: array("l"))
    codes: array[int] = field(default_factory=lambda: array("l"))
    values: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, row: int, value: str) -> None:
        self.rows.append(row)
        self.codes.append(self.values.setdefault(value, len(self.values)))

    def dense(self, kept: Ints, total: int) -> Stratum:
        """The column of the rows kept, its values in alphabetical order."""
        names = sorted(self.values)
        rank = np.zeros(max(1, len(names)), dtype=np.int32)
        for at, name in enumerate(names):
            rank[self.values[name]] = at
        codes = np.full(total, -1, dtype=np.int32)
        codes[np.array(self.rows, dtype=np.intp)] = rank[np.array(self.codes, dtype=np.intp)]
        return Stratum(tuple(names), codes[kept])


def tabulate(
    facts: Iterable[CaseFacts], positions: Ints, wanted: Sequence[str], group: Callable[[CaseFacts], str] | None = None
) -> CaseTable:
    """The table of the cases at `positions` (sorted), clusters being formed over the whole dataset.

    `wanted` strata are kept whatever they hold; of the others, those with at most `MOST_VALUES` values. `group` names
    a further group that a case belongs to, empty for none.
    """
    weights, place = array("d"), array("l")
    origin = _Column()
    strata: dict[str, _Column] = {}
    links = _Links()
    for row, case in enumerate(facts):
        place.append(case.position)
        weights.append(case.weight)
        origin.add(row, case.origin)
        links.add(row, case.seed_id, case.input_hash, group(case) if group else "")
        for name, value in case.strata.items():
            strata.setdefault(name, _Column()).add(row, value)
    kept = np.flatnonzero(np.isin(np.array(place, dtype=np.intp), positions))
    total = len(place)
    chosen = {name: c for name, c in strata.items() if name in wanted or len(c.values) <= MOST_VALUES}
    return CaseTable(
        position=np.array(place, dtype=np.intp)[kept],
        origin=origin.dense(kept, total),
        cluster=links.labels()[kept],
        weight=np.array(weights, dtype=np.float64)[kept],
        strata={name: chosen[name].dense(kept, total) for name in sorted(chosen)},
    )


class _Links:
    """Union-find over rows that share a seed, a group or an input."""

    def __init__(self) -> None:
        self._parent = array("l")
        self._seeds: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self._inputs = bytearray()

    def add(self, row: int, seed: str, input_hash: bytes, group: str = "") -> None:
        """The next row, joined with the first of its seed and group where it has one; inputs are joined at the end."""
        self._parent.append(row)
        self._inputs += input_hash
        if seed:
            self._join(row, self._seeds.setdefault(seed, row))
        if group:
            self._join(row, self._groups.setdefault(group, row))

    def _join(self, row: int, other: int) -> None:
        self._parent[self._root(row)] = self._root(other)

    def _root(self, row: int) -> int:
        parent = self._parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def labels(self) -> Ints:
        """One label a row: equal just where rows are joined."""
        rows = len(self._parent)
        if not rows:
            return np.zeros(0, dtype=np.intp)
        words = np.frombuffer(self._inputs, dtype=np.uint64).reshape(rows, -1)
        order = np.lexsort(words.T)
        again = np.flatnonzero(words[order[1:], -1] == words[order[:-1], -1])
        again = again[(words[order[again + 1]] == words[order[again]]).all(axis=1)]
        for row, other in zip(order[again + 1].tolist(), order[again].tolist(), strict=True):
            self._join(row, other)
        return np.array([self._root(row) for row in range(rows)], dtype=np.intp)
