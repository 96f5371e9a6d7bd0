"""What `match` and `refresh` take from a pool: one pass, strata named as the set names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from heapq import heappush, heappushpop
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.case import Case
from seatrial.core.record import as_dict
from seatrial.datasets.sampling.duplicates import said
from seatrial.datasets.sampling.pool import Pool, moment
from seatrial.datasets.sampling.stratify import Definition, stratifiers
from seatrial.datasets.versions.folder import SetFolder
from seatrial.datasets.versions.working import Working


class Seen(NamedTuple):
    """A case of a pool: its rank in a seeded order that the file's order does not change, and what it is."""

    rank: int
    offset: int
    place: int
    id: str
    text: str
    time: float
    strata: Mapping[str, str]


def strata_of(folder: SetFolder, found: Working) -> tuple[Definition, ...]:
    """What names the strata of a set: as set.yaml declares, else as the cases give them."""
    declared = folder.config.stratifiers
    names = list(folder.config.shares)
    said_of = (str((as_dict(one) or {}).get("stratum") or "") for one in declared)
    names += [name for name in said_of if name and name not in names]
    if not names:
        names = sorted({name for cases in found.cases.values() for case in cases for name in case.strata})
    return stratifiers(declared, names, folder.path, folder.shown(folder.path / "set.yaml"))


def named(case: Case, definitions: Sequence[Definition]) -> dict[str, str]:
    """The strata of a case of the set: those it has, else as they are defined."""
    return {one.stratum: case.strata.get(one.stratum) or one(case) for one in definitions}


def text_of(case: Case) -> str:
    """What a case says, without instructions."""
    return said(case.recorded["input"])


def time_of(created_at: Any) -> float:
    """Seconds since 1970, NaN where unknown."""
    found = moment(created_at) if created_at is not None else None
    return float("nan") if found is None else found


def text_key(text: str, seed: int = 0) -> int:
    """A key that equal texts share."""
    raw = " ".join(text.casefold().split()).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(raw, digest_size=8, salt=seed.to_bytes(8, "little")).digest(), "little")


def seen(pool: Pool, definitions: Sequence[Definition], seed: int) -> Iterator[Seen]:
    """Every case of a pool, in the file's order. Raises DatasetError at the end with every line that is none."""
    for index, record in enumerate(pool.records()):
        row = record.row
        given: Mapping[str, Any] = row.get("strata") or {}
        strata = {one.stratum: str(given.get(one.stratum) or "") or one.name(row) for one in definitions}
        rank = text_key(f"{record.key}", seed)
        text, time = said(row["input"]), time_of(row.get("created_at"))
        yield Seen(rank, record.offset, index, row["id"], text, time, strata)


class Lowest:
    """Keeps the cases of lowest rank, at most so many: a random sample that does not depend on the order."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[int, str, Seen]] = []

    def add(self, one: Seen) -> None:
        """Offer a case."""
        item = (-one.rank, one.id, one)
        if len(self._heap) < self._most:
            heappush(self._heap, item)
        elif self._most and item[0] > self._heap[0][0]:
            heappushpop(self._heap, item)

    def taken(self) -> list[Seen]:
        """Those kept, by rank."""
        return sorted((one for _, _, one in self._heap), key=lambda one: (one.rank, one.id))


def count_strata(strata: Sequence[Mapping[str, str]], stratum: str) -> Counter[str]:
    """How many cases have each value of a stratum."""
    return Counter(one[stratum] for one in strata)


def opened(path: Path | str) -> Pool:
    """The pool at a path."""
    return Pool(Path(path))
