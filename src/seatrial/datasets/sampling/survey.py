"""What is kept of a pool's records while it is read: a few numbers each, in arrays."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seatrial.datasets.sampling.allocate import Floats, Ints
from seatrial.datasets.sampling.duplicates import Finder, Joined
from seatrial.datasets.sampling.keys import text_key
from seatrial.datasets.sampling.pool import Record
from seatrial.datasets.sampling.settings import Sampling
from seatrial.datasets.sampling.stratify import Definition
from seatrial.errors import DatasetError, safe

MOST_VALUES = 1000
DIGITS = 9
Keys = NDArray[np.uint64]


class Survey:
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

    def add(self, record: Record) -> None:
        """Take a record; an offset of -1 is an anchor's, which come last."""
        row, when = record.row, record.when
        self.finder.add(row["input"], record.input_key)
        self._offsets.append(record.offset)
        self._keys.append(record.key)
        self._sessions.append(_known(row.get("session_id")) if self._settings.sessions else 0)
        self._seeds.append(_known(row.get("seed_id")))
        self._times.append(math.nan if when is None else when)
        self.pool += record.offset >= 0
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
    def keys(self) -> Keys:
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


def _known(value: object) -> int:
    """A key of an id; 0 where there is none."""
    return text_key(value) if isinstance(value, str) and value else 0
