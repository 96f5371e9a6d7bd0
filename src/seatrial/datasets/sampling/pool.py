"""A pool: a JSONL file of cases of any length, read once for what sampling needs, then by offset."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from pydantic import ValidationError

from seatrial.core import wire
from seatrial.core.case import Case
from seatrial.core.identity import canonical, canonical_part, loads, loads_canonical
from seatrial.core.message import without_bytes
from seatrial.core.record import as_dict
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.datasets.sampling.keys import key_of, text_key
from seatrial.datasets.sampling.lines import lines
from seatrial.errors import DatasetError, Problem, safe

MAX_PROBLEMS = 1000
_FIRST = datetime.min.replace(tzinfo=UTC).timestamp()
_LAST = datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp()
Row = dict[str, Any]


class Record(NamedTuple):
    """One line of a pool: where it begins, what it holds, keys of its content and of its input, and its time.

    `offset`, `line`: -1 where it is no line. `when`: seconds since 1970; None where it has no time.
    """

    offset: int
    line: int
    row: Row
    key: int
    input_key: int
    when: float | None


class Pool:
    """Reads a pool's file; one at a time, from the front or from an offset."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._shown = safe(str(path), 200)
        self._problems: list[Problem] = []
        self._faulty = 0
        self._lines = array("Q")

    def records(self) -> Iterator[Record]:
        """All records. Raises DatasetError at the end with every line that is no case."""
        ids = array("Q")
        with self.opened() as file:
            offset = 0
            for line, (raw, certain) in enumerate(lines(file), 1):
                start, offset = offset, offset + len(raw)
                if raw.isspace():
                    continue
                record = self._record(raw, start, line, certain=certain)
                if record is not None:
                    ids.append(text_key(record.row["id"], b"id"))
                    self._lines.append(line)
                    yield record
        self._check_ids(ids)
        if self._faulty:
            kept = f", the first {MAX_PROBLEMS:,} are listed" if self._faulty > MAX_PROBLEMS else ""
            raise DatasetError(
                f"The pool {self._shown} has {self._faulty:,} faults{kept}. No set was written.",
                hint="`seatrial dataset import` writes a pool from logs",
                problems=self._problems,
            )
        if not ids:
            raise DatasetError(f"The pool {self._shown} holds no cases.", hint="import some logs first")

    def opened(self) -> BinaryIO:
        """The file. Raises DatasetError where it cannot be opened."""
        try:
            return self.path.open("rb")
        except OSError as cause:
            why = cause.strerror or type(cause).__name__
            raise DatasetError(f"The pool {self._shown} cannot be read: {why}.", hint="check the path") from cause

    def reader(self, file: BinaryIO) -> Callable[[int], Row]:
        """Gives the record at an offset of the file again."""

        def at(offset: int) -> Row:
            file.seek(offset)
            return _plain(loads(file.readline()))

        return at

    def case(self, row: Row, index: int) -> Case | None:
        """A record as a whole case; None where it is none, which `check` will tell."""
        try:
            return Case.model_validate({**row, "input": wire.messages(row["input"])})
        except ValidationError as error:
            for fault in translate(error, Case, row):
                self._note(Problem(fault.rule, self._shown, self._lines[index], dotted(fault.path), fault.value))
            return None

    def check(self) -> None:
        """Raise DatasetError where a record that was drawn is no case."""
        if self._problems:
            raise DatasetError("Cases that were drawn cannot be used; no set was written.", problems=self._problems)

    def _record(self, raw: bytes, start: int, line: int, *, certain: bool) -> Record | None:
        written = raw.removesuffix(b"\n")
        row = loads_canonical(written) if certain else None
        if row is None:
            written = b""
            try:
                row = loads(raw)
            except ValueError as fault:
                return self._note(Problem(f"is not JSON: {safe(str(fault))}", self._shown, line))
        if not isinstance(row, dict):
            return self._note(Problem("must be an object, a case", self._shown, line))
        fields = cast("Row", row)
        fault = _fault(fields)
        if fault:
            return self._note(Problem(fault[1], self._shown, line, fault[0], safe(fields.get(fault[0]))))
        time = fields.get("created_at")
        when = None if time is None else moment(time)
        if when is None and time is not None:
            rule = "must be an ISO 8601 date or time of the years 1 to 9999"
            return self._note(Problem(rule, self._shown, line, "created_at", safe(time)))
        try:
            return _of(fields, start, line, when, written)
        except RecursionError:
            return self._note(Problem("is nested too deep", self._shown, line))

    def _note(self, problem: Problem) -> None:
        self._faulty += 1
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(problem)

    def _check_ids(self, ids: array[int]) -> None:
        keys = np.frombuffer(ids, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        for at in np.flatnonzero(np.diff(keys[order]) == 0).tolist():
            first, second = self._lines[int(order[at])], self._lines[int(order[at + 1])]
            hint = "give every case its own id"
            self._note(Problem(f"has the id of line {first}", self._shown, second, "id", hint=hint))


def _plain(row: Row) -> Row:
    """The record with its input as a list of messages."""
    if isinstance(row["input"], str):
        row["input"] = [{"role": "user", "content": row["input"]}]
    return row


def _fault(row: Row) -> tuple[str, str] | None:
    """What a record lacks to be sampled, but for its time: a cheap check, the drawn ones are checked in full."""
    name, messages = row.get("id"), row.get("input")
    if not isinstance(name, str) or not name:
        return "id", "must be text that is not empty"
    if not isinstance(messages, str):
        if not isinstance(messages, list) or not messages:
            return "input", "must be text or a list of messages"
        for message in cast("list[Any]", messages):
            if rule := _unfit(message):
                return "input", rule
    for field in ("strata", "metadata"):
        value = row.get(field)
        if value is not None and not isinstance(value, dict):
            return field, "must be an object"
    return None


def _unfit(message: Any) -> str:
    """What a message lacks; empty where nothing."""
    fields = as_dict(message)
    if fields is None or not isinstance(fields.get("role"), str):
        return "must be a list of messages, each with a role"
    content, calls = fields.get("content"), fields.get("tool_calls")
    if not isinstance(content, str) and content is not None and not _objects(content):
        return "must hold messages whose content is text or a list of parts"
    if calls is not None and not _objects(calls):
        return "must hold messages whose tool_calls are a list of calls"
    return ""


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in cast("list[Any]", value))


def moment(value: Any) -> float | None:
    """Seconds since 1970 of an ISO 8601 time; one without a zone is taken as UTC.

    None where it is none, or in UTC of no year from 1 to 9999.
    """
    try:
        when = datetime.fromisoformat(value)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(seconds, _LAST) if _FIRST <= seconds <= _LAST + 1 else None


def record_of(row: Row) -> Record:
    """A case that is no line of a pool, as plain values, as one."""
    time = row.get("created_at")
    return _of(row, -1, -1, None if time is None else moment(time), b"")


def _of(row: Row, offset: int, line: int, when: float | None, written: bytes) -> Record:
    """The record of a row; `written` is its canonical JSON where that is known."""
    if isinstance(row["input"], str):
        row, written = _plain(row), b""
    messages = cast("list[Row]", row["input"])
    if written:
        said = canonical_part(without_bytes(messages))
    else:
        written = canonical(row).encode("ascii")
        said = canonical(without_bytes(messages)).encode("ascii")
    return Record(offset, line, row, key_of(written, b"content"), key_of(said), when)
