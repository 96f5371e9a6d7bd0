"""The paths of a mapping: which of them some record had, and what to do about one that no record had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from seatrial.core.record import as_dict, as_list
from seatrial.datasets.reading.fields import MISSING, pick
from seatrial.errors import DatasetError, Problem, nearest, safe
from seatrial.traces.observation import Observation

DEEPEST = 6
MOST_PATHS = 2_000
SHOWN = 12


class Mapped:
    """Which paths of a mapping were seen so far: a flag each, whatever the length of the logs.

    `mark` is what `self.mark` was at a checkpoint, empty at the start.
    """

    def __init__(self, fields: Mapping[str, str], mark: str = "") -> None:
        self._fields = dict(sorted(fields.items()))
        self._seen = {key: flag == "1" for key, flag in zip(self._fields, mark.ljust(len(fields), "0"), strict=True)}
        self._open = [(key, path) for key, path in self._fields.items() if not self._seen[key]]

    @property
    def mark(self) -> str:
        """A 1 for each path that was seen, else a 0, in the order of the sorted fields."""
        return "".join("01"[seen] for seen in self._seen.values())

    @property
    def missing(self) -> dict[str, str]:
        """The fields whose paths no record had, with their paths."""
        return dict(self._open)

    def see(self, found: Observation) -> None:
        """Look which of the paths that are still missing an observation has."""
        if self._open and found.attributes:
            for key, path in self._open:
                self._seen[key] = pick(found.attributes, path) is not MISSING
            self._open = [(key, path) for key, path in self._open if not self._seen[key]]


def refusal(missing: Mapping[str, str], records: Iterable[Mapping[str, Any]]) -> DatasetError:
    """What is said of paths that no record had; `records` are some, to name what is near."""
    known = known_paths(records)
    rule = "names a path that no record has"
    faults = [
        Problem(rule, key=f"--field {safe(key)}", value=path, hint=_hint(path, known)) for key, path in missing.items()
    ]
    return DatasetError("The mapping does not fit the logs; nothing was imported.", problems=faults)


def _hint(path: str, known: list[str]) -> str:
    near = nearest(path[:256], known)
    listed = ", ".join(safe(name, 40) for name in known[:SHOWN])
    return f"did you mean {safe(near)!r}?" if near else f"the first records have {listed}"


def known_paths(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The paths that records hold, as a mapping writes them; not more than `MOST_PATHS`, the shallow ones first."""
    found: dict[str, None] = {}
    for record in records:
        for path in _paths(record, "", DEEPEST):
            if len(found) >= MOST_PATHS:
                break
            if path not in found and pick(record, path) is not MISSING:
                found[path] = None
    return sorted(found, key=lambda path: path.count(".") + path.count("["))


def _paths(node: Any, before: str, deep: int) -> Iterator[str]:
    """The paths of a value's parts, a list by its first item."""
    inner, listed = as_dict(node), as_list(node)
    parts = [(f"{before}.{key}" if before else str(key), item) for key, item in (inner or {}).items()]
    parts += [(f"{before}[0]", item) for item in (listed or [])[:1]]
    for path, item in parts:
        yield path
        if deep > 1:
            yield from _paths(item, path, deep - 1)
