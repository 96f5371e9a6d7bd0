"""Rows of a file: JSONL, JSON, CSV and Parquet, streamed and bounded. What is wrong is given, not raised."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from importlib import import_module
from io import BufferedReader
from json import JSONDecodeError
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from seatrial.core.identity import loads
from seatrial.core.record import MAX_DEPTH, too_deep
from seatrial.datasets.reading.faults import dotted, shown
from seatrial.errors import DatasetError, Problem, nearest, safe

MAX_ROW = 16 * 1024 * 1024
MAX_JSON = 512 * 1024 * 1024
BATCH = 256

SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
LIST_KEYS = ("cases", "data", "rows", "examples")
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
BOM = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """A row and where it is: the line it starts on (JSONL, CSV), or its number (JSON, Parquet), from 1."""

    line: int
    data: dict[str, Any]


Rows = Iterator[Row | Problem]


def format_of(path: str, declared: str | None) -> str:
    """The format that is declared, or that the file's ending says. Raises DatasetError where neither does."""
    suffix = Path(path).suffix.lower()
    found = declared or SUFFIXES.get(suffix)
    if found:
        return found
    if suffix in (".gz", ".bz2", ".xz", ".zst", ".zip"):
        raise DatasetError(f"{safe(path)} is compressed.", hint="unpack it first")
    raise DatasetError(f"{safe(path)} has no ending that names its format.", hint="set dataset.format to jsonl or csv")


def open_file(file: Path, name: str) -> BufferedReader:
    """The opened file. Raises DatasetError when it is missing, no file, unreadable, or not text of our kind."""
    try:
        if not file.exists():
            near = nearest(file.name, [item.name for item in file.parent.iterdir()] if file.parent.is_dir() else [])
            raise DatasetError(
                f"The dataset {safe(name)} is not there.",
                hint=f"did you mean {near!r}?" if near else f"paths start at the suite's folder, {file.parent}",
            )
        if not file.is_file():
            raise DatasetError(f"The dataset {safe(name)} is not a file.", hint="name the file inside it")
        return file.open("rb")
    except (OSError, ValueError) as cause:
        why = (cause.strerror if isinstance(cause, OSError) else None) or "its name cannot be used"
        raise DatasetError(f"The dataset {safe(name)} cannot be read: {why}.", hint="check its permissions") from cause


def rows(file: BinaryIO, kind: str, name: str) -> Rows:
    """Every row of an opened file, and every fault that keeps one from being a row."""
    head = file.read(4096)
    file.seek(0)
    problem = _sniff(head, kind, name)
    if problem:
        yield problem
        return
    if head.startswith(BOM) and kind != "parquet":
        file.seek(len(BOM))
    readers: dict[str, Callable[[BinaryIO, str], Rows]] = {
        "jsonl": _jsonl,
        "json": _json,
        "csv": _csv,
        "parquet": _parquet,
    }
    yield from readers[kind](file, name)


def _sniff(head: bytes, kind: str, name: str) -> Problem | None:
    """What the first bytes say that the format does not."""
    packed = next((word for magic, word in PACKED.items() if head.startswith(magic)), None)
    if packed:
        return Problem(f"is compressed ({packed})", name, hint="unpack it first")
    if head.startswith(b"PAR1") != (kind == "parquet"):
        other = "is a Parquet file" if kind != "parquet" else "is not a Parquet file"
        return Problem(other, name, hint="set dataset.format to what the file is")
    if kind == "parquet":
        return None
    if head.startswith(WIDE) or b"\x00" in (head[0:1], head[1:2]):
        return Problem("is UTF-16 or UTF-32 text, not UTF-8", name, 1, hint="save it as UTF-8")
    if not head.removeprefix(BOM).strip():
        return Problem("is empty", name) if len(head) < 4096 else None
    if kind == "jsonl" and head.removeprefix(BOM).lstrip().startswith(b"["):
        return Problem("is a JSON array, not one object a line", name, 1, hint="set dataset.format: json")
    return None


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one above `MAX_ROW`, which is skipped without being held."""
    number = 0
    while line := file.readline(MAX_ROW + 1):
        number += 1
        if len(line) <= MAX_ROW:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(1 << 20)
        yield number, None


def _too_long(name: str, line: int) -> Problem:
    return Problem(f"is longer than {MAX_ROW // 1024 // 1024} MiB", name, line, hint="a case is one line")


def _jsonl(file: BinaryIO, name: str) -> Rows:
    for number, line in _lines(file):
        if line is None:
            yield _too_long(name, number)
        elif text := line.strip():
            try:
                value = loads(text)
            except ValueError as cause:
                cut = not line.endswith(b"\n")
                hint = "was the file cut off while it was written?" if cut else "one object a line"
                yield _not_json(cause, name, number, hint)
            else:
                yield _row(value, name, number, deep=line.count(b"{") + line.count(b"[") > MAX_DEPTH)


def _row(value: Any, name: str, number: int, *, deep: bool = True) -> Row | Problem:
    if not isinstance(value, dict):
        return Problem("must be an object of keys and values", name, number, value=shown(value))
    if deep and too_deep(value):
        return Problem(f"is nested deeper than {MAX_DEPTH} levels", name, number)
    return Row(number, cast("dict[str, Any]", value))


def _not_json(cause: ValueError, name: str, line: int | None, hint: str) -> Problem:
    """A fault of the parser; its own line is told where it read the file as a whole (`line` is None)."""
    if isinstance(cause, JSONDecodeError):
        near = cause.doc[max(0, cause.pos - 20) : cause.pos + 20]
        where = f"column {cause.colno}" if line else f"line {cause.lineno}, column {cause.colno}"
        return Problem(f"is not JSON at {where}: {cause.msg}", name, line, "", near, hint)
    if "UTF-8" in str(cause):
        return Problem("is not UTF-8 text", name, line, hint="save it as UTF-8")
    if "digits" in str(cause):
        return Problem("holds a number of more than 4,300 digits", name, line, hint="write it as text")
    return Problem(f"is not JSON: {cause}", name, line)


def _json(file: BinaryIO, name: str) -> Rows:
    if os.fstat(file.fileno()).st_size > MAX_JSON:
        limit = f"{MAX_JSON // 1024 // 1024} MiB"
        yield Problem(f"is larger than {limit}, and JSON is read as a whole", name, hint="write it as JSONL")
        return
    try:
        found = loads(file.read())
    except ValueError as cause:
        several = "Extra data" in str(cause)
        yield _not_json(cause, name, None, "for one object a line, set dataset.format: jsonl" if several else "")
        return
    values = _array(found)
    if values is None:
        keys = ", ".join(LIST_KEYS)
        yield Problem("must be a list of rows", name, None, "", shown(found), f"or an object with one list: {keys}")
        return
    for number, value in enumerate(values, 1):
        yield _row(value, name, number)


def _array(found: Any) -> list[Any] | None:
    if isinstance(found, list):
        return cast("list[Any]", found)
    if isinstance(found, dict):
        lists = [value for key, value in cast("dict[str, Any]", found).items() if key in LIST_KEYS]
        if len(lists) == 1 and isinstance(lists[0], list):
            return cast("list[Any]", lists[0])
    return None


class _Text:
    """Decoded lines for the CSV parser, remembering which were too long or not UTF-8."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.problems: list[Problem] = []
        self._lines = _lines(file)
        self._name = name

    def __iter__(self) -> _Text:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        if line is None:
            self.problems.append(_too_long(self._name, number))
            return "\n"
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as cause:
            byte = f"byte 0x{line[cause.start]:02x} at position {cause.start + 1}"
            self.problems.append(Problem(f"is not UTF-8 text ({byte})", self._name, number, hint="save it as UTF-8"))
            return line.decode("utf-8", "replace")


def _csv(file: BinaryIO, name: str) -> Rows:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
    text = _Text(file, name)
    parser = csv.reader(text, strict=True)
    header: list[str] | None = None
    while True:
        start = parser.line_num + 1
        try:
            cells = next(parser)
        except StopIteration:
            break
        except csv.Error as cause:
            text.problems.append(_not_csv(cause, name, start))
            cells = []
        yield from text.problems
        bad, text.problems = bool(text.problems), []
        if bad and header is None:
            return
        if bad or not cells:
            continue
        if header is None:
            header = cells
            faults = _header_faults(header, name, start)
            yield from faults
            if faults:
                return
        elif len(cells) != len(header):
            rule = f"has {len(cells)} cells, the first line has {len(header)}"
            yield Problem(rule, name, start, hint="a cell that holds a comma or a line break is put in quotes")
        else:
            yield Row(start, dict(zip(header, cells, strict=True)))


def _not_csv(cause: csv.Error, name: str, line: int) -> Problem:
    said = str(cause)
    if "unexpected end" in said or "field larger" in said:
        return Problem("opens a quote that is never closed", name, line, hint='a quote inside a cell is written ""')
    if "new-line character" in said:
        return Problem("has line ends that are a bare carriage return", name, line, hint="save it with \\n or \\r\\n")
    return Problem(f"is not CSV: {said}", name, line, hint='a quote inside a cell is written ""')


def _header_faults(header: list[str], name: str, line: int) -> list[Problem]:
    """Faults of the first line, which names the columns."""
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return [Problem("has one column", name, line, "", header[0], "the separator must be a comma")]
    faults = [
        Problem("a column has no name", name, line, f"column {at}", hint="the first line names the columns")
        for at, column in enumerate(header, 1)
        if not column.strip()
    ]
    twice = sorted({column for column in header if column and header.count(column) > 1})
    return faults + [Problem("two columns have this name", name, line, safe(column)) for column in twice]


def _parquet(file: BinaryIO, name: str) -> Rows:
    try:
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        yield Problem("needs pyarrow to be read", name, hint="pip install 'seatrial[parquet]'")
        return
    number = 0
    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=BATCH):
            for raw in batch.to_pylist(maps_as_pydicts="strict"):
                number += 1
                strange: list[str] = []
                data = _plain(raw, (), strange)
                if strange:
                    hint = "give text, numbers, booleans, dates, lists or objects"
                    yield from (Problem("has no form in JSON", name, number, key, hint=hint) for key in strange)
                else:
                    yield _row(data, name, number)
    except Exception as cause:  # noqa: BLE001  # pyarrow raises its own errors, OSError, KeyError and others
        yield Problem(f"cannot be read as Parquet: {safe(str(cause), 200)}", name, number + 1 if number else None)


def _plain(value: Any, path: tuple[str | int, ...], strange: list[str]) -> Any:
    """A Parquet value as JSON: empty struct fields left out, moments as ISO 8601, decimals as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {str(k): _plain(v, (*path, str(k)), strange) for k, v in items if v is not None}
    if isinstance(value, list):
        return [_plain(item, (*path, at), strange) for at, item in enumerate(cast("list[Any]", value))]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    strange.append(dotted(path))
    return None
