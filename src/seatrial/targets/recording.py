"""Recorded outputs: rows of a JSONL file, found by key, read when asked.

What is kept in memory is a key, an offset, a line number and a hash for each row.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from seatrial.core.case import Case
from seatrial.core.identity import digest, from_bytes, loads, to_bytes
from seatrial.core.output import Failure, Output, Timing
from seatrial.core.record import Json, as_dict, as_list
from seatrial.errors import SHOWN_PROBLEMS, Problem, RecordingError, safe

NAMES = (
    *("input", "id", "output", "tool_calls", "messages", "finish_reason", "latency", "first_token"),
    *("cost", "model", "usage.input", "usage.output", "context", "error", "epoch"),
)
"""What a row may give. Each is found under its own name unless the target's `fields` say where."""

JOINS = frozenset({"input", "id", "epoch"})
MOST_EPOCH = 1_000_000
ANSWERS = ("output", "tool_calls", "messages", "error")
LONGEST_ROW = 16 << 20
BOM = b"\xef\xbb\xbf"

MISSING = object()


def at(row: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path (numbers index lists), or MISSING. A key that holds dots itself comes first."""
    if path in row:
        return row[path]
    if "." not in path:
        return MISSING
    found: Any = row
    for part in path.split("."):
        items, keys = as_list(found), as_dict(found)
        if keys is not None and part in keys:
            found = keys[part]
        elif items is not None and part.isascii() and part.isdigit() and int(part) < len(items):
            found = items[int(part)]
        else:
            return MISSING
    return found


def content(row: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Json]:
    """The mapped values of a row that make its output."""
    found = ((name, at(row, path)) for name, path in paths.items() if name not in JOINS)
    return {name: value for name, value in found if value is not MISSING and value is not None}


def to_output(mapped: Mapping[str, Json]) -> Output:
    """The output that the mapped values say. Raises ValueError where they do not fit."""
    fields: dict[str, Any] = {"messages": mapped.get("messages") or [_assistant(mapped)]}
    for name, key in (("finish_reason", "finish_reason"), ("cost", "cost"), ("model", "served_model")):
        if name in mapped:
            fields[key] = mapped[name]
    if "context" in mapped:
        items = [mapped["context"]] if isinstance(mapped["context"], str) else as_list(mapped["context"])
        fields["context"] = [{"text": i} if isinstance(i, str) else i for i in items or [mapped["context"]]]
    fields["usage"] = {
        name.partition(".")[2]: mapped[name] for name in ("usage.input", "usage.output") if name in mapped
    }
    fields["timing"] = Timing(total=_seconds(mapped, "latency"), first_token=_seconds(mapped, "first_token"))
    if mapped.get("error"):
        fields["failure"] = Failure(kind="infra", code="recorded", message=_as_text(mapped["error"]))
        fields["messages"] = mapped.get("messages") or ([_assistant(mapped)] if "output" in mapped else [])
    return Output.model_validate(fields)


def _assistant(mapped: Mapping[str, Json]) -> dict[str, Json]:
    calls = as_list(mapped.get("tool_calls", []))
    if calls is None:
        raise ValueError("tool_calls: must be a list")
    return {"role": "assistant", "content": _as_text(mapped.get("output", "")), "tool_calls": [_call(c) for c in calls]}


def _call(value: Any) -> Any:
    """A tool call in our words, also when it was recorded in OpenAI's."""
    call = as_dict(value)
    function = as_dict((call or {}).get("function"))
    if call is None or function is None:
        return value
    arguments = function.get("arguments", {})
    if isinstance(arguments, str):
        try:
            parsed: Any = loads(arguments)
        except ValueError:
            parsed = None
        arguments = arguments if as_dict(parsed) is None else parsed
    return {"name": function.get("name"), "arguments": arguments, "id": call.get("id") or ""}


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _seconds(mapped: Mapping[str, Json], name: str) -> float | None:
    value = mapped.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9:
        raise ValueError(f"{name}: must be seconds, 0 or more")
    return float(value)


def describe(cause: Exception) -> str:
    """A refused row in one line."""
    if isinstance(cause, ValidationError):
        first = cause.errors(include_url=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(cause) or type(cause).__name__


@dataclass(slots=True)
class Faults:
    """Counts faults of each kind and keeps the first of each, so that a million cost no memory."""

    file: str
    counts: dict[str, int] = field(default_factory=dict[str, int])
    shown: dict[str, list[Problem]] = field(default_factory=dict[str, list[Problem]])

    def add(self, kind: str, rule: str, *, line: int | None = None, key: str = "", value: str | None = None) -> None:
        """Count one fault."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        kept = self.shown.setdefault(kind, [])
        if len(kept) < SHOWN_PROBLEMS:
            kept.append(Problem(rule, file=self.file, line=line, key=key, value=value))

    def fail(self, hint: str) -> None:
        """Raise RecordingError when there were any: every kind with its exact number, at most 20 of them shown."""
        if not self.counts:
            return
        share = max(1, SHOWN_PROBLEMS // len(self.counts))
        first = [p for kept in self.shown.values() for p in kept[:share]]
        rest = [p for kept in self.shown.values() for p in kept[share:]]
        numbers = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        raise RecordingError(
            f"The recorded outputs in {self.file} cannot be used: {numbers}.",
            hint=hint,
            problems=(first + rest)[:SHOWN_PROBLEMS],
        )


class Recording:
    """A file of recorded outputs, indexed by input hash or by id, and by epoch. Read on first use.

    The rows of a case are its epochs in the order of their numbers (`epoch`: 0, 1 …, or any others, like 1, 2 …, the
    same for all cases). `partial`: it need not hold every case.
    """

    def __init__(
        self, path: Path, paths: Mapping[str, str], join: Literal["input", "id"], *, partial: bool = False
    ) -> None:
        self._path = path
        self._paths = paths
        self._join = join
        self._partial = partial
        self._index: dict[bytes, int] | None = None
        self._epochs: list[int] = []
        self._seen_epochs: set[int] = set()
        self._offsets = array("q")
        self._lines = array("q")
        self._hashes = bytearray()
        self._found: set[str] = set()
        self._faults = Faults(str(path))

    def identity(self) -> dict[str, Json]:
        """The file's bytes, by their sha256, and how rows are read and joined."""
        with self._open() as file:
            paths = {key: path for key, path in self._paths.items() if (key, path) != ("epoch", "epoch")}
            how = {"bytes": file_digest(file, "sha256").hexdigest(), "paths": paths, "join": self._join}
            return {**how, "partial": True} if self._partial else how

    def check(self, cases: Iterable[tuple[str, str]]) -> None:
        """Raise RecordingError with all that is wrong with the rows, alone and against the cases (id, input hash)."""
        index = self._indexed()
        faults = Faults(self._faults.file, dict(self._faults.counts), {k: [*v] for k, v in self._faults.shown.items()})
        matched: set[int] = set()
        several = len(self._epochs) > 1
        for identity, input_hash in cases:
            key = self._key(identity, input_hash)
            for at, epoch in enumerate(self._epochs or [0]):
                number = index.get(_at_epoch(key, at))
                if number is not None:
                    matched.add(number)
                elif not self._partial:
                    which = f" at epoch {epoch}" if several else ""
                    faults.add("cases without a row", f"no row is for this case{which}", key=f"case {safe(identity)}")
        if self._partial and not matched and not faults.counts:
            faults.add("cases without a row", "no row is for any case")
        for number in index.values():
            if number not in matched:
                rule = f"the {self._join} matches no case"
                faults.add("rows that match no case", rule, line=self._lines[number], key=self._paths[self._join])
        faults.fail(f"rows are joined to cases by {self._join}; `fields` and `join` of the target say how")

    def find(self, identity: str, input_hash: str, epoch: int = 0) -> int | None:
        """The number of the row for a case at an epoch, or None. Raises RecordingError when the file cannot be used."""
        index = self._indexed()
        self._faults.fail("mend or remove these rows")
        return index.get(_at_epoch(self._key(identity, input_hash), epoch))

    def hash(self, number: int) -> str:
        """The identity of what a row says of its output."""
        return from_bytes("row", bytes(self._hashes[32 * number : 32 * number + 32]))

    def output(self, number: int) -> Output:
        """A row's output, read from the file. Raises RecordingError when that changed since it was indexed."""
        with self._open() as file:
            file.seek(self._offsets[number])
            raw = file.readline()
        try:
            mapped = content(_parse(raw), self._paths)
            if digest("row", mapped) == self.hash(number):
                return to_output(mapped)
        except (ValueError, TypeError, RecursionError):
            pass
        raise RecordingError(
            f"Line {self._lines[number]} of {self._path} changed while it was in use.",
            hint="run again",
        )

    def _key(self, identity: str, input_hash: str) -> bytes:
        return to_bytes(input_hash) if self._join == "input" else identity.encode("utf-8", "surrogatepass")

    def _indexed(self) -> dict[bytes, int]:
        if self._index is None:
            rows: dict[bytes, int] = {}
            for line, offset, raw in self._raw_rows():
                self._add(rows, line, offset, raw)
            index = self._by_rank(rows)
            for name, path in self._paths.items():
                if path != name and name not in self._found and self._offsets:
                    self._faults.add(
                        "fields that no row has", "no row holds this path", key=f"fields.{name}", value=path
                    )
            self._index = index
        return self._index

    def _by_rank(self, rows: dict[bytes, int]) -> dict[bytes, int]:
        """The index with each epoch's number replaced by its rank among those of the file."""
        self._epochs = sorted(self._seen_epochs)
        if self._epochs == list(range(len(self._epochs))):
            return rows
        rank = {_suffix(epoch): _suffix(at) for at, epoch in enumerate(self._epochs)}
        return {key[:-EPOCH_BYTES] + rank[key[-EPOCH_BYTES:]]: number for key, number in rows.items()}

    def _open(self) -> BufferedReader:
        try:
            return self._path.open("rb")
        except (OSError, ValueError) as cause:
            raise RecordingError(
                f"The recorded outputs in {safe(str(self._path), 200)} cannot be read: {describe(cause)}.",
                hint="the path is taken from the suite's folder",
            ) from cause

    def _raw_rows(self) -> Iterator[tuple[int, int, bytes]]:
        """Each row that is not blank: line number, offset, bytes."""
        offset = line = 0
        with self._open() as file:
            while raw := file.readline():
                line += 1
                if raw.removeprefix(BOM if line == 1 else b"").strip():
                    yield line, offset, raw
                offset += len(raw)

    def _add(self, index: dict[bytes, int], line: int, offset: int, raw: bytes) -> None:
        try:
            row = _parse(raw)
            epoch = self._row_epoch(row)
            key = _at_epoch(self._row_key(row), epoch)
            mapped = content(row, self._paths)
            self._found |= mapped.keys() | {name for name in JOINS if at(row, self._paths[name]) is not MISSING}
            if not any(at(row, self._paths[name]) is not MISSING for name in ANSWERS):
                raise ValueError(f"has no {self._paths['output']}, nor tool_calls, messages or error")
            to_output(mapped).plain()
            mapped_hash = to_bytes(digest("row", mapped))
        except (ValueError, TypeError, RecursionError) as cause:
            self._faults.add("rows that cannot be read", safe(describe(cause), 200), line=line)
            return
        if key in index:
            first = self._lines[index[key]]
            rule = f"the same {self._join} as line {first}" + (f", epoch {epoch}" if "epoch" in self._found else "")
            self._faults.add("duplicate rows", rule, line=line, key=self._paths[self._join])
            return
        index[key] = len(self._offsets)
        self._seen_epochs.add(epoch)
        self._offsets.append(offset)
        self._lines.append(line)
        self._hashes += mapped_hash

    def _row_epoch(self, row: Mapping[str, Any]) -> int:
        value = at(row, self._paths["epoch"])
        if value is MISSING or value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_EPOCH:
            raise ValueError(f"{self._paths['epoch']}: an epoch must be a whole number, 0 to {MOST_EPOCH:,}")
        return value

    def _row_key(self, row: Mapping[str, Any]) -> bytes:
        path = self._paths[self._join]
        value = at(row, path)
        if value is MISSING:
            raise ValueError(f"has no {path}, by which rows are joined")
        if self._join == "input":
            return to_bytes(Case(id="-", input=value).input_hash)
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise ValueError(f"{path}: an id must be text or a whole number")
        return str(value).encode("utf-8", "surrogatepass")


EPOCH_BYTES = 4


def _suffix(epoch: int) -> bytes:
    return epoch.to_bytes(EPOCH_BYTES, "big")


def _at_epoch(key: bytes, epoch: int) -> bytes:
    return key + _suffix(epoch)


def _parse(raw: bytes) -> dict[str, Any]:
    if len(raw) > LONGEST_ROW:
        raise ValueError(f"is longer than {LONGEST_ROW} bytes")
    try:
        row = as_dict(loads(raw.removeprefix(BOM)))
    except ValueError as cause:
        raise ValueError(f"is not JSON: {cause}") from None
    if row is None:
        raise ValueError("is not an object")
    return row
