"""Journals: everything that people said, one line each, appended and never rewritten; one file a mode and person.

A line is on the disk before the next question is shown, so a process that is killed loses nothing. Two people write to
two files, so their work merges in git. The last line about a unit counts; a line without a value takes it back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, ValidationError

from seatrial.core.files import write_whole
from seatrial.core.identity import encode, loads
from seatrial.core.record import Filled, Json, Moment, Record, Text, as_dict, too_deep
from seatrial.datasets.labelling.units import Mode, Unit
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.errors import LabelsError, Problem, UsageError, safe

MOST_PROBLEMS = 100
BINARY: int = getattr(os, "O_BINARY", 0)
"""Windows would write two bytes for a line end."""
Role = Literal["label", "adjudication"]


class Entry(Record):
    """What one person said of one unit at one time.

    `value` is empty where only a note was made, None where what was said is taken back. `version` is the rubric that
    was judged by (its scorer's hash), or the input that was read. `seconds`: how long the unit was on the screen, None
    where nobody knows. `role`: a label, or the last word on labels that differ. `outputs`: the answers, by hash.
    """

    at: Moment
    by: Filled
    mode: Mode
    unit: Filled
    case: Filled
    rubric: Text = ""
    version: Text = ""
    value: dict[str, Json] | None = None
    note: Text = ""
    seconds: Annotated[float, Field(ge=0)] | None = None
    role: Role = "label"
    undo: bool = False
    outputs: tuple[Text, ...] = ()

    @property
    def says(self) -> bool:
        """Whether it is a judgement: not taken back, not skipped, not a note alone."""
        return judges(self.value)


def judges(value: object) -> bool:
    """Whether a value is a judgement; one that holds strata alone, or a skip, is none."""
    held = as_dict(value)
    return bool(held) and "skip" not in held and set(held) != {"strata"}


def entry_of(unit: Unit, mode: Mode, by: str, **said: Json) -> Entry:
    """A line about a unit, now."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    known = {"case": unit.case, "rubric": unit.rubric, "version": unit.version, "outputs": unit.outputs}
    return Entry(at=at, by=by, mode=mode, unit=unit.key, **known, **said)


def file_of(folder: Path, mode: Mode, by: str, role: Role = "label") -> Path:
    """The journal of one person: a readable name, told apart by a few digits of a hash where letters were replaced."""
    plain = re.sub(r"[^a-z0-9-]+", "-", by.lower()).strip("-")[:40]
    if plain != by:
        plain = f"{plain or 'person'}-{sha256(by.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
    return folder / f"{mode}.{plain}{'.adjudication' if role == 'adjudication' else ''}.jsonl"


class Journal:
    """One person's journal, open for appending. One process at a time: another one is refused."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._handle = _taken(file)
        except OSError as cause:
            raise _unwritable(file, cause) from cause
        self._end_torn_line()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    def append(self, entries: Iterable[Entry]) -> None:
        """Write lines and wait until the disk has them. Raises UsageError where it cannot."""
        data = b"".join(line(entry) for entry in entries)
        try:
            while data:
                data = data[os.write(self._handle, data) :]
            os.fsync(self._handle)
        except OSError as cause:
            raise _unwritable(self.file, cause) from cause

    def _end_torn_line(self) -> None:
        """What a crash of the machine left of a line, nobody was told to be kept: it goes. A whole line is ended."""
        data = self.file.read_bytes()
        end = data.rfind(b"\n") + 1
        if end == len(data):
            return
        if isinstance(parse(data[end:], self.file.name, 0), Entry):
            os.write(self._handle, b"\n")
        else:
            os.ftruncate(self._handle, end)


def _taken(file: Path) -> int:
    """A handle of the file that no other process has. Raises UsageError where one has.

    Who sealed meanwhile has put another file in its place: then that one is taken.
    """
    while True:
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | BINARY, 0o644)
        try:
            _lock(handle, file)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), file.stat()):
                    return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, file: Path) -> None:
    """Lock an open journal, where the system can; the lock ends with the process."""
    try:
        import fcntl  # not on Windows
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"{safe(str(file), 200)} is in use: somebody labels under this name right now.",
            hint="leave the other session, or give --by another name",
        ) from None
    except OSError:  # a disk without such locks
        return


@contextmanager
def held(folder: Path) -> Generator[None]:
    """Keep everybody from labelling while this lasts. Raises UsageError where somebody does."""
    with ExitStack() as stack:
        for file in journals(folder):
            stack.enter_context(Journal(file))
        yield


def _unwritable(file: Path, cause: OSError) -> UsageError:
    why = cause.strerror or "it cannot be written"
    return UsageError(f"The journal {safe(str(file), 200)} cannot be written: {safe(why)}.", hint="free the disk")


def line(entry: Entry) -> bytes:
    """An entry as its line."""
    return encode(entry.plain()) + b"\n"


def read(folder: Path, mode: Mode) -> list[Entry]:
    """What everybody said in one mode, each person's lines in order.

    A last line that a crash cut is left out. Raises LabelsError with every other fault at its line.
    """
    problems: list[Problem] = []
    found = [entry for file in journals(folder, mode) for entry in _of_file(file, mode, problems)]
    if problems:
        count = "1 fault" if len(problems) == 1 else f"{len(problems):,} faults"
        hint = "take the file from git, or delete the lines named"
        raise LabelsError(f"The journals in {safe(str(folder), 200)} have {count}.", hint=hint, problems=problems)
    return found


def journals(folder: Path, mode: Mode | None = None) -> list[Path]:
    """The journals of a folder."""
    modes = get_args(Mode) if mode is None else (mode,)
    return sorted(file for one in modes for file in folder.glob(f"{one}.*.jsonl"))


def _of_file(file: Path, mode: Mode, problems: list[Problem]) -> Iterator[Entry]:
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as cause:
        raise LabelsError(f"{safe(str(file), 200)} cannot be read: {cause.strerror or 'unreadable'}.") from cause
    last = len(lines)  # without a line break at its end
    for number, raw in enumerate(lines, 1):
        if not raw.strip() or len(problems) >= MOST_PROBLEMS:
            continue
        found = parse(raw, file.name, number)
        if isinstance(found, Entry) and found.mode == mode:
            yield found
        elif isinstance(found, Entry):
            problems.append(Problem(f"is of mode {found.mode}, in a journal of {mode}", file.name, number))
        elif not (number == last and found[0].rule == "is not JSON"):  # torn by a crash
            problems += found


def parse(raw: bytes, name: str, number: int) -> Entry | list[Problem]:
    """A line of a journal, or its faults."""
    try:
        plain = as_dict(loads(raw))
    except ValueError:
        return [Problem("is not JSON", name, number)]
    if plain is None or too_deep(plain):
        return [Problem("is no label: an object of keys and values", name, number)]
    try:
        return Entry.model_validate(plain)
    except ValidationError as cause:
        return [Problem(f.rule, name, number, dotted(f.path), f.value, f.hint) for f in translate(cause, Entry, plain)]


def forget(folder: Path, cases: Collection[str]) -> int:
    """Take every line about these cases out of all journals of a folder, and say how many.

    For cases that nobody may read any more: what people wrote about them tells of their text. Each file is rewritten
    whole or not at all.
    """
    gone = 0
    for file in journals(folder):
        kept: list[bytes] = []
        lines = file.read_bytes().splitlines(keepends=True)
        for number, raw in enumerate(lines, 1):
            found = parse(raw, file.name, number) if raw.strip() else []
            if isinstance(found, Entry) and found.case not in cases:
                kept.append(raw)
        if len(kept) != len(lines):
            gone += len(lines) - len(kept)
            content = b"".join(kept)
            write_whole(file, lambda out, content=content: out.write(content), "The journal")
    return gone
