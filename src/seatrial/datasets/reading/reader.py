"""Cases of a dataset: rows read, shaped, checked and named, with all faults told at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, BinaryIO, cast

from pydantic import ValidationError

from seatrial.core import wire
from seatrial.core.case import Case
from seatrial.core.identity import digest, encode, short
from seatrial.core.suite import DatasetSpec
from seatrial.datasets.reading.blobs import embed
from seatrial.datasets.reading.faults import Fault, Steps, dotted, translate
from seatrial.datasets.reading.fields import Raw, RowError, Shaper, check_fields, missing_input, unmatched
from seatrial.datasets.reading.sources import Row, format_of, open_file, rows
from seatrial.errors import DatasetError, Problem, safe

VERSION = 1
"""Of the reader: a change in what a row means raises it, and with it every fingerprint."""

MAX_PROBLEMS = 1000
ESCAPES = (b"\\u006", b"\\u007")
TYPES = (b'"image"', b'"audio"', b'"file"')
MARKS = (b'"path"', b"path", *ESCAPES, *TYPES)
PLACEHOLDER = "case"

SHAPES: dict[Steps, str] = {
    ("input",): "must be text or a list of messages",
    ("context",): "must be text, or a list of texts and documents",
    ("tools",): "must be a list of tools",
    ("criteria",): "must be text or a list of texts",
}
CALLS = ("expected", "tool_calls")
MAX_TOLD = 80  # characters of a value that is shown as it should be written
SYNONYMS = {"message": "content", "args": "arguments", "kwargs": "arguments", "label": "answers", "value": "answers"}


def read(spec: DatasetSpec, folder: Path) -> Iterator[Case]:
    """The cases of a dataset, in the order of its rows; `folder` is where the suite is.

    Streams: memory does not grow with the file but for the ids (JSON is read as a whole, up to 512 MiB). At the end,
    or where the file cannot be opened, DatasetError names every bad row; from the first bad row on nothing more is
    yielded, so whoever stores the cases must drop all of them. Where the path is the folder of a set, the cases are
    those of its splits, as they were committed.
    """
    if _is_folder(folder / spec.path):
        from seatrial.datasets.versions import suite

        if suite.is_set(folder / spec.path):
            return suite.read_set(spec, folder)
    _plain_file(spec)
    return _Reader(spec, folder).cases()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no file can have, which opening it will tell
        return False


def _plain_file(spec: DatasetSpec) -> None:
    if spec.version or spec.splits != ("test",):
        raise DatasetError(
            f"{safe(spec.path)} is not the folder of a set, so it has no splits and versions.",
            hint="delete split and version under dataset, or name a set's folder",
        )


def fingerprint(spec: DatasetSpec, folder: Path) -> str:
    """Identity of the file's bytes and of how its rows become cases: where it is the same, so are the cases.

    Empty where rows may take bytes from files beside the dataset, which it cannot cover: then read again. Raises
    DatasetError when the file cannot be opened.
    """
    if _is_folder(folder / spec.path):
        from seatrial.datasets.versions import suite

        if suite.is_set(folder / spec.path):
            return suite.fingerprint_set(spec, folder)
    _plain_file(spec)
    content = hashlib.sha256()
    tail = b""
    seen: set[bytes] = set()
    with open_file(folder / spec.path, spec.path) as file:
        while chunk := file.read(1 << 20):
            content.update(chunk)
            window = tail + chunk
            seen |= {mark for mark in MARKS if mark in window}
            tail = window[-16:]
    how = spec.model_dump(exclude={"path", "format", "split", "version"})
    kind = format_of(spec.path, spec.format)
    if _may_link(kind, seen, encode([spec.fields, how["defaults"]])):
        return ""
    return digest("dataset-source", {"bytes": content.hexdigest(), "format": kind, "reader": VERSION, **how})


def _may_link(kind: str, seen: set[bytes], settings: bytes) -> bool:
    """Whether a part of a message may name a file: JSON must spell out `"path"` and one of the three types."""
    if kind in ("csv", "parquet") or b"path" in settings:
        return b"path" in seen or b"path" in settings
    return bool(seen & set(ESCAPES)) or (b'"path"' in seen and bool(seen & set(TYPES)))


def problems(spec: DatasetSpec) -> list[Problem]:
    """What is wrong with a dataset's settings, without reading its file; keys are written `dataset.…`."""
    return [Problem(f.rule, key=dotted(("dataset", *f.path)), value=f.value, hint=f.hint) for f in check(spec)]


def check(spec: DatasetSpec) -> list[Fault]:
    """The same, at places inside the settings."""
    faults = check_fields(spec)
    for stratum, shares in spec.shares.items():
        total = sum(shares.values())
        if abs(total - 1) > 1e-6:
            faults.append(Fault(("shares", stratum), "must sum to 1", f"{total:.6g}", "shares are parts, not percent"))
    return faults


class _Reader:
    """One reading of a dataset: the ids taken so far, and the faults found."""

    def __init__(self, spec: DatasetSpec, folder: Path) -> None:
        self._spec = spec
        self._file = folder / spec.path
        self._ids: dict[str, int] = {}
        self._repeats: dict[str, int] = {}
        self._problems: list[Problem] = []
        self._count = 0
        self._rows = 0
        self._unit = "line"
        self._columns: list[str] = []

    def cases(self) -> Iterator[Case]:
        faults = problems(self._spec)
        if faults:
            raise DatasetError("The dataset's settings cannot be used.", problems=faults)
        kind = format_of(self._spec.path, self._spec.format)
        with open_file(self._file, self._spec.path) as file:
            try:
                yield from self._checked(file, kind)
            except OSError as cause:
                why = cause.strerror or type(cause).__name__
                raise DatasetError(
                    f"The dataset {safe(self._spec.path)} cannot be read to its end: {why}.", hint="try again"
                ) from cause

    def _checked(self, file: BinaryIO, kind: str) -> Iterator[Case]:
        self._unit = "line" if kind in ("jsonl", "csv") else "row"
        shape = Shaper(self._spec, cells=kind == "csv")
        for item in rows(file, kind, self._spec.path):
            self._rows += isinstance(item, Row)
            case = self._case(item, shape) if isinstance(item, Row) else self._note(item)
            if case is not None and not self._count:
                yield case
        if self._columns:
            for fault in reversed(unmatched(self._spec, shape.found, self._columns)):
                key = dotted(("dataset", *fault.path))
                self._count += 1
                self._problems.insert(0, Problem(fault.rule, self._spec.path, None, key, fault.value, fault.hint))
        if self._count:
            raise DatasetError(self._summary(), problems=self._problems)
        if not self._rows:
            raise DatasetError(f"The dataset {safe(self._spec.path)} holds no rows.", hint="write at least one case")

    def _summary(self) -> str:
        many = f"{self._count:,} faults" if self._count > 1 else "1 fault"
        kept = f", the first {MAX_PROBLEMS:,} are listed" if self._count > MAX_PROBLEMS else ""
        return f"The dataset {safe(self._spec.path)} has {many}{kept}; numbers are {self._unit}s. Nothing was imported."

    def _note(self, *found: Problem) -> None:
        self._count += len(found)
        self._problems += found[: max(0, MAX_PROBLEMS - len(self._problems))]

    def _case(self, row: Row, shape: Shaper) -> Case | None:
        self._columns = self._columns or [*row.data]
        fields: Raw = {}
        try:
            fields = shape(row.data)
            named = "id" in fields
            if not named:
                fields["id"] = PLACEHOLDER
            if isinstance(fields.get("input"), list):
                fields["input"] = embed(wire.messages(fields["input"]), self._file.parent)
            if "tools" in fields:
                fields["tools"] = wire.tools(fields["tools"])
            case = Case.model_validate(fields)
        except RowError as error:
            return self._faulty(row, [self._reworded(fault, row.data) for fault in error.faults])
        except ValidationError as error:
            return self._faulty(row, self._plain_words(error, row.data, fields))
        return self._named(case, row) if named else self._derived(case, row)

    def _plain_words(self, error: ValidationError, row: Raw, fields: Raw) -> list[Fault]:
        return [self._reworded(fault, row) for fault in case_faults(error, fields)]

    def _reworded(self, fault: Fault, row: Raw) -> Fault:
        """A fault as someone who does not know our shorthands needs it."""
        if fault.path == ("input",) and fault.rule == "is required":
            return fault._replace(hint=missing_input(row, self._spec))
        if fault.path[:1] == ("expected",) and fault.rule == "is not a key that belongs here" and len(fault.path) == 2:
            return fault._replace(hint=f"{fault.hint}; an accepted answer that is an object goes under `answer`")
        return fault

    def _faulty(self, row: Row, faults: list[Fault]) -> None:
        for fault in faults:
            source = "" if fault.rule == "is required" else self._spec.fields.get(dotted(fault.path), "")
            hint = "; ".join(part for part in (fault.hint, f"read from {source!r}" if source else "") if part)
            self._note(Problem(fault.rule, self._spec.path, row.line, dotted(fault.path), fault.value, hint))

    def _named(self, case: Case, row: Row) -> Case | None:
        first = self._ids.setdefault(case.id, row.line)
        if first != row.line:
            rule = f"is the id of {self._unit} {first} already"
            return self._note(Problem(rule, self._spec.path, row.line, "id", case.id, "give every case its own"))
        return case

    def _derived(self, case: Case, row: Row) -> Case:
        """The case under an id made from its input, so that a row inserted before it changes nothing."""
        base = f"case-{short(case.model_copy().input_hash, 10)}"
        number = self._repeats.get(base, 0) + 1
        while (name := base if number == 1 else f"{base}-{number}") in self._ids:
            number += 1
        self._repeats[base] = number
        self._ids[name] = row.line
        return case.model_copy(update={"id": name})


def case_faults(error: ValidationError, fields: Raw) -> list[Fault]:
    """Every rule that the fields of a case break, in plain words: at its place as written, with what to write."""
    wrapped = _with_calls_wrapped(fields)
    faults = [_shaped(fault, wrapped or fields) for fault in translate(error, Case, wrapped or fields, SYNONYMS)]
    if wrapped:
        lead = ("expected", "tool_calls", 0)
        faults = [f._replace(path=f.path[:2] + f.path[3:]) if f.path[:3] == lead else f for f in faults]
    return faults


def _shaped(fault: Fault, fields: Raw) -> Fault:
    """A fault where a list is wanted, with what it is a list of."""
    if fault.rule != "must be a list":
        return fault
    if fault.path[:2] == CALLS and fault.path[-2:-1] == ("arguments",):
        value = reduce(getitem, fault.path, cast("Any", fields))
        told = "" if isinstance(value, dict) else safe(json.dumps([value], ensure_ascii=False), MAX_TOLD + 1)
        hint = f"write {told}" if 0 < len(told) <= MAX_TOLD else "write it in brackets"
        return fault._replace(rule="must be a list of accepted values", hint=hint)
    return fault._replace(rule=SHAPES.get(fault.path, fault.rule))


def _with_calls_wrapped(fields: Raw) -> Raw | None:
    """The fields with `expected.tool_calls` in its outer list, where it was written as one sequence of calls."""
    expected = fields.get("expected")
    calls = cast("Raw", expected).get("tool_calls") if isinstance(expected, dict) else None
    if not isinstance(calls, list) or all(isinstance(call, list) for call in cast("list[object]", calls)):
        return None
    return {**fields, "expected": {**cast("Raw", expected), "tool_calls": [calls]}}
