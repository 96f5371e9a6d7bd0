"""What a linter needs to know of cases, as columns: memory does not grow with their texts."""

from __future__ import annotations

import math
import random
import tempfile
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from types import TracebackType
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from seatrial.core.case import Case
from seatrial.core.identity import canonical, to_bytes
from seatrial.datasets.linting.classes import probe_class
from seatrial.datasets.linting.leaks import leak_of
from seatrial.datasets.sampling.duplicates import Duplicates, Finder, Joined

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

MOST_VALUES = 200
"""A stratum with more values names cases, not groups of them."""
READ_ALOUD = 400
"""So many cases are looked at for their language where no stratum says it."""
LONGEST_READ = 600


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A text a case: `codes` index `values`, -1 where it has none."""

    values: tuple[str, ...]
    codes: Codes

    def where(self, *wanted: str) -> Bools:
        """Which cases have one of these values."""
        return np.isin(self.codes, [at for at, value in enumerate(self.values) if value in wanted])

    def counts(self, rows: Bools | None = None) -> dict[str, int]:
        """How many of the cases have each value, the most frequent first."""
        codes = self.codes if rows is None else self.codes[rows]
        sums = np.bincount(codes[codes >= 0], minlength=len(self.values)).tolist()
        pairs = [(value, count) for value, count in zip(self.values, sums, strict=True) if count]
        return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


@dataclass(slots=True)
class _Filling:
    rows: array[int] = field(default_factory=lambda: array("l"))
    codes: array[int] = field(default_factory=lambda: array("l"))
    values: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, row: int, value: str) -> None:
        if len(self.values) <= MOST_VALUES:
            self.rows.append(row)
            self.codes.append(self.values.setdefault(value, len(self.values)))

    def column(self, total: int) -> Column:
        codes = np.full(total, -1, dtype=np.int32)
        codes[np.array(self.rows, dtype=np.intp)] = np.array(self.codes, dtype=np.int32)
        return Column(tuple(self.values), codes)


class Texts:
    """Texts in a temporary file, read back by number; those that are secret stay in memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._ends = array("q", [0])
        self._secret: dict[int, str] = {}

    def add(self, text: str, *, secret: bool = False) -> None:
        """Keep the next text."""
        if secret:
            self._secret[len(self._ends) - 1] = text
        raw = b"" if secret else text.encode("utf-8", "surrogatepass")
        self._file.write(raw)
        self._ends.append(self._ends[-1] + len(raw))

    def __getitem__(self, number: int) -> str:
        if number in self._secret:
            return self._secret[number]
        self._file.seek(self._ends[number])
        raw = self._file.read(self._ends[number + 1] - self._ends[number])
        self._file.seek(0, 2)
        return raw.decode("utf-8", "surrogatepass")

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """One entry a case, in the order of reading.

    `split`: empty for a plain file. `cluster`: equal for cases of one seed or one input. `near`: equal for
    near-duplicates. `same`: the key of the normalised input, `given` that of context and tools, `expected` that of the
    reference, 0 where there is none. `leak`: see `leaks`. `created`, `published`: seconds since 1970, NaN where not
    given. `view`: the start of the view hash.
    """

    ids: list[str]
    split: Column
    origin: Column
    attack: Column
    evolution: Column
    strata: Mapping[str, Column]
    cluster: Ints
    seed: Keys
    near: Ints
    same: Keys
    given: Keys
    expected: Keys
    view: Keys
    labelled: Bools
    leak: NDArray[np.uint8]
    created: Floats
    published: Floats
    texts: Texts
    references: Texts
    sample: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, at: BaseException | None, way: TracebackType | None) -> None:
        self.texts.close()
        self.references.close()

    def named(self, rows: Bools) -> list[str]:
        """The ids of these cases."""
        return self.listed(np.flatnonzero(rows).tolist())

    def listed(self, rows: Iterable[int]) -> list[str]:
        """The ids of the cases at these places."""
        return [self.ids[at] for at in rows]

    @property
    def probes(self) -> Bools:
        """Which cases are attacks."""
        return self.origin.where("adversarial")

    @property
    def private(self) -> Bools:
        """Which cases are one's own prompts: from production, or written by hand."""
        return self.origin.where("production", "manual")

    @property
    def traffic(self) -> Bools:
        """Which cases stand for traffic: all but attacks and benchmarks."""
        return ~self.origin.where("adversarial", "benchmark")


def gather(cases: Iterable[tuple[str, Case]], duplicates: Duplicates | None = None) -> Facts:
    """The facts of (split, case) pairs. Close them: their texts lie in temporary files."""
    gathering = _Gathering(duplicates or Duplicates())
    try:
        for split, case in cases:
            gathering.add(split, case)
        return gathering.done()
    except BaseException:
        gathering.texts.close()
        gathering.references.close()
        raise


class _Gathering:
    """Facts while they are gathered."""

    def __init__(self, duplicates: Duplicates) -> None:
        self.ids: list[str] = []
        self.columns = {name: _Filling() for name in ("split", "origin", "attack", "evolution")}
        self.strata: dict[str, _Filling] = {}
        self.keys = {name: array("Q") for name in ("seed", "same", "given", "expected", "view", "input")}
        self.flags = bytearray()
        self.leaks = bytearray()
        self.created, self.published = array("d"), array("d")
        self.finder = Finder(duplicates)
        self.texts, self.references = Texts(), Texts()
        self._chance = random.Random(0)  # noqa: S311  # a sample, no secret
        self._sample: list[str] = []

    def add(self, split: str, case: Case) -> None:
        row = len(self.ids)
        self.ids.append(case.id)
        for name, value in (("split", split), ("origin", case.origin), ("evolution", case.evolution)):
            if value:
                self.columns[name].add(row, value)
        if case.origin == "adversarial" and (attack := probe_class(case)):
            self.columns["attack"].add(row, attack)
        for name, value in case.strata.items():
            self.strata.setdefault(name, _Filling()).add(row, value)
        self._content(case, secret=split == "sealed")
        self.created.append(_seconds(case.created_at))
        self.published.append(_seconds(case.published_at))
        self._read_aloud(row, case.text)

    def _content(self, case: Case, *, secret: bool) -> None:
        plain = case.recorded
        text = self.finder.add(cast("list[dict[str, Any]]", plain["input"]))
        reference = canonical(plain["expected"]) if plain.get("expected") else ""
        given = canonical([plain.get("context"), plain.get("tools")]) if case.context or case.tools else ""
        self.texts.add(text, secret=secret)
        self.references.add(reference, secret=secret)
        self.flags.append(bool(reference or case.criteria or (case.probe and (case.probe.oracle or case.probe.canary))))
        self.leaks.append(leak_of(case))
        keys = self.keys
        keys["seed"].append(_key(case.seed_id))
        keys["input"].append(int.from_bytes(to_bytes(case.input_hash)[:8], "little"))
        keys["same"].append(_key(text) or keys["input"][-1])
        keys["given"].append(_key(given))
        keys["expected"].append(_key(reference))
        keys["view"].append(int.from_bytes(to_bytes(case.view_hash)[:8], "little"))

    def _read_aloud(self, row: int, text: str) -> None:
        if row < READ_ALOUD:
            self._sample.append(text[:LONGEST_READ])
        elif (at := self._chance.randrange(row + 1)) < READ_ALOUD:
            self._sample[at] = text[:LONGEST_READ]

    def done(self) -> Facts:
        total = len(self.ids)
        column = {name: one.column(total) for name, one in self.columns.items()}
        strata = {name: one.column(total) for name, one in self.strata.items() if len(one.values) <= MOST_VALUES}
        keys = {name: np.array(one, dtype=np.uint64) for name, one in self.keys.items()}
        return Facts(
            ids=self.ids,
            split=column["split"],
            origin=column["origin"],
            attack=column["attack"],
            evolution=column["evolution"],
            strata=strata,
            cluster=_clusters(keys["seed"], keys.pop("input")),
            near=self.finder.clusters(self.texts.__getitem__).of,
            labelled=np.frombuffer(self.flags, dtype=np.bool_).copy(),
            leak=np.frombuffer(self.leaks, dtype=np.uint8).copy(),
            created=np.array(self.created, dtype=np.float64),
            published=np.array(self.published, dtype=np.float64),
            texts=self.texts,
            references=self.references,
            sample=tuple(self._sample),
            **keys,
        )


def _clusters(seed: Keys, content: Keys) -> Ints:
    joined = Joined(len(seed))
    for keys, some in ((seed, seed != 0), (content, np.ones(len(content), dtype=np.bool_))):
        for rows in groups(keys, some):
            for other in rows[1:]:
                joined.join(rows[0], other)
    return joined.roots()


def groups(keys: Keys | Ints, rows: Bools | None = None) -> Iterable[list[int]]:
    """The rows that share a key, at least two each, in the order of their first row."""
    taken = np.arange(len(keys)) if rows is None else np.flatnonzero(rows)
    order = taken[np.argsort(keys[taken], kind="stable")]
    if len(order) < 2:
        return []
    ends = np.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1
    return sorted(part.tolist() for part in np.split(order, ends) if len(part) > 1)


def _key(text: str) -> int:
    """Eight bytes that stand for a text; 0 for an empty one."""
    raw = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "little") if raw else 0


def _seconds(moment: str | None) -> float:
    if moment is None:
        return math.nan
    at = datetime.fromisoformat(moment)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
