"""Where the text of sealed cases still lies open: git's history, files of the set, the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, select

from seatrial.core.case import Case
from seatrial.core.identity import loads, to_bytes
from seatrial.datasets.versions import git
from seatrial.datasets.versions.folder import SEALED, SetFolder
from seatrial.datasets.versions.working import OPEN
from seatrial.store import schema
from seatrial.store.store import Store, chunks

SHORTEST = 12
"""Texts below so many characters are not searched for: chance would find them."""
LONG = 60
"""Shorter texts tell of a case only where at most one line of the open splits says the same: many answers are alike."""
OWN = ("id", "input", "context", "expected", "criteria")
"""The fields of a case whose texts are its own, where no other sealed case says the same, like a system prompt."""
FILES = (".jsonl", ".json", ".csv", ".txt", ".md", ".yaml", ".yml", ".part")


class Leftovers(NamedTuple):
    """`commits`: git commits that hold sealed.jsonl. `files`: how many lines of each file hold telling texts or ids.

    `stored`: cases open in the store. `lines`: the numbers of those lines, from 1.
    """

    commits: int
    files: dict[str, int]
    stored: int
    lines: dict[str, tuple[int, ...]]

    @property
    def any(self) -> bool:
        """Whether anything is left."""
        return bool(self.commits or self.files or self.stored)


def find(folder: SetFolder, cases: Sequence[Case], store: Path | None) -> Leftovers:
    """What is left of these cases where everyone can read it."""
    name = folder.file("sealed").name
    commits = sum(git.content(folder.path, one, name) is not None for one in git.commits_of(folder.path, name))
    lines = _files(folder, cases)
    return Leftovers(commits, {file: len(held) for file, held in lines.items()}, _stored(store, cases), lines)


def _files(folder: SetFolder, cases: Sequence[Case]) -> dict[str, tuple[int, ...]]:
    said = Counter(text for case in cases for text in {*_texts([case.recorded.get(field) for field in OWN])})
    needles = {text for text, times in said.items() if len(text) >= SHORTEST and (times == 1 or len(cases) == 1)}
    needles -= _common(folder, {text for text in needles if len(text) < LONG})
    ids = {case.id for case in cases}
    found: dict[str, tuple[int, ...]] = {}
    for file in sorted(folder.path.rglob("*")):
        if file.suffix in FILES and file.is_file() and file.name != SEALED:
            held = tuple(number for number, line in enumerate(_lines(file), 1) if _holds(line, needles, ids))
            if held:
                found[str(file.relative_to(folder.path))] = held
    return found


def _common(folder: SetFolder, texts: set[str]) -> set[str]:
    """Those of the texts that stand in more than one line of the open splits."""
    times: Counter[str] = Counter()
    for split in OPEN:
        for line in _lines(folder.file(split)):
            with suppress(ValueError):
                times.update(texts.intersection(_texts(loads(line))))
    return {text for text, count in times.items() if count > 1}


def _holds(line: bytes, needles: set[str], ids: set[str]) -> bool:
    try:
        said = set(_texts(loads(line)))
    except ValueError:
        text = line.decode("utf-8", "replace").strip()
        return any(part.strip(" \"'") in needles for part in (text, *text.split(","), *text.split(":")))
    return bool(said & needles or said & ids)


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as source:
            yield from source
    except OSError:
        return


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(item)


def _stored(store: Path | None, cases: Sequence[Case]) -> int:
    if store is None or not store.exists():
        return 0
    t = schema.cases.c
    with Store(store) as opened, opened.reading() as connection:
        hashes = [to_bytes(case.input_hash) for case in cases]
        counts = (connection.execute(select(func.count()).where(t.input_hash.in_(c))).scalar() for c in chunks(hashes))
        return sum(count or 0 for count in counts)
