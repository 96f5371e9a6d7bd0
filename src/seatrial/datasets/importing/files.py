"""Log files as records: opened, unpacked, cut, and numbered, one at a time."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from seatrial.core.identity import loads
from seatrial.core.record import as_dict, as_list, too_deep
from seatrial.datasets.reading import sources
from seatrial.errors import DatasetError, Problem, UsageError, safe

MAX_RECORD = 64 * 1024 * 1024
MAX_WHOLE = 512 * 1024 * 1024
MAX_DEPTH = 500
"""Of a record as it is written: OTLP wraps every value in objects of its own."""

GZIP = b"\x1f\x8b"
HEAD = 1 << 16
FINGERPRINT = 1 << 20
LISTS = ("data", "observations", "traces", "runs", "events", "rows", "items", "results", "requests", "spans", "logs")


class Record(NamedTuple):
    """One record: its number from 1, what it holds, and the offset behind it where reading can go on (else 0)."""

    number: int
    value: dict[str, Any] | bytes
    offset: int = 0


@dataclass(frozen=True)
class Log:
    """An opened log: its name, its stream, and how it is cut. A context manager, which closes it."""

    name: str
    stream: BinaryIO
    kind: str
    seekable: bool
    raw: BinaryIO

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.raw.close()


def open_log(path: Path, declared: str = "auto") -> Log:
    """Open a log and find out how it is cut. Raises DatasetError where it cannot be read."""
    name = str(path)
    raw = sources.open_file(path, name)
    try:
        packed = raw.peek(2)[:2] == GZIP
        stream = io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=raw)), 1 << 20) if packed else raw
        head = stream.peek(HEAD)[:HEAD]
    except (OSError, EOFError, zlib.error) as cause:
        raw.close()
        raise DatasetError(f"The log {safe(name, 200)} is not whole gzip.", hint="copy it again") from cause
    if not head.strip():
        raw.close()
        raise DatasetError(f"The log {safe(name, 200)} is empty.", hint="was it written to its end?")
    return Log(name, cast("BinaryIO", stream), _kind(path, head, declared), not packed, raw)


def _kind(path: Path, head: bytes, declared: str) -> str:
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if declared == "otlp-proto":
        return "protobuf"
    if head.startswith(b"PAR1"):
        return "parquet"
    if suffix == ".csv":
        return "csv"
    if declared == "auto" and _is_binary(head):
        return "protobuf"
    start = head.removeprefix(sources.BOM).lstrip()
    if start.startswith(b"["):
        return "whole"
    if suffix in (".jsonl", ".ndjson") or not start.startswith(b"{"):
        return "lines"
    line, end, rest = start.partition(b"\n")
    if end and rest.strip() and _parses(line):
        return "lines"
    return "whole" if suffix == ".json" or start.startswith((b"{\n", b"{\r\n")) else "lines"


def _is_binary(head: bytes) -> bool:
    """Whether these bytes are a protobuf file: control characters that no JSON holds."""
    return head[:1] in (b"\n", b"\x00") and any(byte < 9 or 13 < byte < 32 for byte in head[:4096])


def _parses(line: bytes) -> bool:
    try:
        return isinstance(loads(line), dict)
    except ValueError:
        return False


def fingerprint(paths: list[Path]) -> str:
    """What tells logs from others that have the same names: sizes, and the first and the last MiB of each."""
    content = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                size = file.seek(0, io.SEEK_END)
                file.seek(0)
                content.update(f"{path.name}\0{size}\0".encode(errors="surrogateescape"))
                content.update(file.read(FINGERPRINT))
                file.seek(max(0, size - FINGERPRINT))
                content.update(file.read(FINGERPRINT))
        except OSError as cause:
            raise UsageError(
                f"The log {safe(str(path), 200)} cannot be read: {cause.strerror}.", hint="check its name"
            ) from cause
    return content.hexdigest()


def records(log: Log, after: int = 0, offset: int = 0) -> Iterator[Record | Problem]:
    """The records of a log behind the first `after`; where `offset` is known, what lies before it is not read again."""
    readers = {"lines": _lines, "whole": _whole, "protobuf": _protobuf}
    try:
        if log.kind == "lines":
            start = offset if log.seekable and after else 0
            log.stream.seek(start)
            found = _lines(log, after if start else 0)
            after = 0 if start else after
        elif log.kind in readers:
            found = readers[log.kind](log, 0)
        else:
            found = _table(log)
        if after:
            yield from (item for item in found if _is_behind(item, after))
        else:
            yield from found
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Problem("ends in the middle of its gzip data", log.name, hint="the file was cut off; copy it again")


def _is_behind(item: Record | Problem, after: int) -> bool:
    """Whether an item is none of the first records, which were read before; a fault of the whole log always is."""
    number = item.line if isinstance(item, Problem) else item.number
    return number is None or number > after


def _lines(log: Log, number: int) -> Iterator[Record | Problem]:
    stream = log.stream
    offset = stream.tell() if log.seekable else 0
    while line := stream.readline(MAX_RECORD + 1):
        number += 1
        offset += len(line)
        if len(line) > MAX_RECORD:
            while line and not line.endswith(b"\n"):
                line = stream.readline(1 << 20)
                offset += len(line)
            yield Problem(f"is longer than {MAX_RECORD >> 20} MiB", log.name, number)
            continue
        text = line.removeprefix(sources.BOM).strip() if number == 1 else line.strip()
        if text:
            found = _value(log, number, text, cut=not line.endswith(b"\n"))
            yield found if isinstance(found, Problem) else Record(number, found, offset)


def _value(log: Log, number: int, text: bytes, *, cut: bool = False) -> dict[str, Any] | Problem:
    try:
        value = loads(text)
    except ValueError as cause:
        hint = "was the file cut off while it was written?" if cut else "one object a line"
        return Problem(f"is not JSON: {_why(cause)}", log.name, number, hint=hint)
    held = as_dict(value)
    if held is None:
        return Problem("must be an object", log.name, number, hint="one object a line")
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and too_deep(held, MAX_DEPTH):
        return Problem(f"is nested deeper than {MAX_DEPTH} levels", log.name, number)
    return held


def _why(cause: ValueError) -> str:
    """A parser's complaint without what the record holds."""
    return safe(str(cause), 120)


def _whole(log: Log, _: int) -> Iterator[Record | Problem]:
    body = log.stream.read(MAX_WHOLE + 1)
    if len(body) > MAX_WHOLE:
        yield Problem(f"is larger than {MAX_WHOLE >> 20} MiB, and JSON is read as a whole", log.name, hint="use JSONL")
        return
    try:
        value = loads(body.removeprefix(sources.BOM))
    except ValueError as cause:
        yield Problem(f"is not JSON: {_why(cause)}", log.name, hint="was the file cut off while it was written?")
        return
    held = as_dict(value)
    found = as_list(value)
    if held is not None:
        lists = [held[key] for key in LISTS if as_list(held.get(key)) is not None]
        found = as_list(lists[0]) if len(lists) == 1 and "id" not in held else [held]
    if found is None:
        yield Problem("must be an object or a list of objects", log.name)
        return
    for number, item in enumerate(found, 1):
        record = as_dict(item)
        if record is None:
            yield Problem("must be an object", log.name, number)
        elif too_deep(record, MAX_DEPTH):
            yield Problem(f"is nested deeper than {MAX_DEPTH} levels", log.name, number)
        else:
            yield Record(number, record)


def _table(log: Log) -> Iterator[Record | Problem]:
    for item in sources.rows(log.stream, log.kind, log.name):
        yield item if isinstance(item, Problem) else Record(item.line, item.data)


# ------------------------------------------------------------------------------------------------ protobuf


def _protobuf(log: Log, _: int) -> Iterator[Record | Problem]:
    """The ResourceSpans (or ResourceLogs) of a file: of one bare message, or of many with their lengths before them.

    Lengths are four bytes, the highest first, as the Collector's file exporter writes them.
    """
    number = 0
    head = cast("io.BufferedReader", log.stream).peek(1)[:1]
    framed = head == b"\x00"
    try:
        while True:
            if framed:
                size = log.stream.read(4)
                if not size:
                    return
                if len(size) < 4:
                    raise ValueError("ends inside a length")
                message: BinaryIO = io.BytesIO(_exactly(log.stream, int.from_bytes(size, "big")))
            else:
                message = log.stream
            for chunk in _fields(message):
                number += 1
                yield Record(number, chunk)
            if not framed:
                return
    except ValueError as cause:
        yield Problem(str(cause), log.name, number + 1, hint="was the file cut off? OTLP in protobuf is expected")


def _fields(stream: BinaryIO) -> Iterator[bytes]:
    while tag := stream.read(1):
        if tag != b"\x0a":
            raise ValueError("is not a protobuf export of spans or logs")
        yield _exactly(stream, _varint(stream))


def _varint(stream: BinaryIO) -> int:
    value = shift = 0
    while shift < 35:
        byte = stream.read(1)
        if not byte:
            raise ValueError("ends inside a message")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
    raise ValueError("holds a length that makes no sense")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    if size > MAX_RECORD:
        raise ValueError(f"holds a message larger than {MAX_RECORD >> 20} MiB")
    found = stream.read(size)
    if len(found) < size:
        raise ValueError("ends inside a message")
    return found
