"""A pool: a JSONL file of cases of any length, read once for what sampling needs, then by offset."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from pydantic import ValidationError

from seatrial.core import wire
from seatrial.core.case import Case
from seatrial.core.identity import canonical, loads
from seatrial.core.record import as_dict
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.errors import DatasetError, Problem, safe

MAX_PROBLEMS = 1000
Row = dict[str, Any]


class Record(NamedTuple):
    """One line of a pool: where it begins, what it holds, and a key of its content."""

    offset: int
    line: int
    row: Row
    key: int


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
            for line, raw in enumerate(file, 1):
                start, offset = offset, offset + len(raw)
                if not raw.strip():
                    continue
                found = self._row(raw, line)
                if found is not None:
                    row, key = found
                    ids.append(_hash(cast("str", row["id"]), b"id"))
                    self._lines.append(line)
                    yield Record(start, line, row, key)
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

    def _row(self, raw: bytes, line: int) -> tuple[Row, int] | None:
        try:
            row = as_dict(loads(raw))
        except ValueError as fault:
            self._note(Problem(f"is not JSON: {safe(str(fault))}", self._shown, line))
            return None
        if row is None:
            self._note(Problem("must be an object, a case", self._shown, line))
            return None
        fault = _fault(row)
        if fault:
            self._note(Problem(fault[1], self._shown, line, fault[0], safe(row.get(fault[0]))))
            return None
        _plain(row)
        try:
            return row, content_key(row)
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
    """What a record lacks to be sampled: a cheap check, the drawn ones are checked in full."""
    if not isinstance(row.get("id"), str) or not row["id"]:
        return "id", "must be text that is not empty"
    messages = row.get("input")
    if isinstance(messages, str):
        messages = [{"role": "user"}]
    if not isinstance(messages, list) or not messages:
        return "input", "must be text or a list of messages"
    for message in cast("list[Any]", messages):
        fields = as_dict(message)
        if fields is None or not isinstance(fields.get("role"), str):
            return "input", "must be a list of messages, each with a role"
        content = fields.get("content")
        if content is not None and not isinstance(content, str) and not _objects(content):
            return "input", "must hold messages whose content is text or a list of parts"
        if fields.get("tool_calls") is not None and not _objects(fields["tool_calls"]):
            return "input", "must hold messages whose tool_calls are a list of calls"
    for field in ("strata", "metadata"):
        if row.get(field) is not None and not isinstance(row[field], dict):
            return field, "must be an object"
    if row.get("created_at") is not None and moment(row["created_at"]) is None:
        return "created_at", "must be an ISO 8601 date or time"
    return None


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in cast("list[Any]", value))


def moment(value: Any) -> float | None:
    """Seconds since 1970 of an ISO 8601 time; one without a zone is taken as UTC. None where it is none."""
    try:
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def content_key(row: Row) -> int:
    """64 bits of the hash of a record's whole content."""
    return _hash(canonical(row), b"content")


def _hash(text: str, person: bytes) -> int:
    raw = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(raw, digest_size=8, person=person).digest(), "little")
