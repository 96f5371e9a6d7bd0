"""What changed between two versions of a set: cases added, removed, moved and changed, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from seatrial.core.case import Case
from seatrial.core.identity import canonical
from seatrial.core.message import without_bytes
from seatrial.core.record import Json
from seatrial.datasets.reading.faults import Steps, dotted
from seatrial.datasets.versions.folder import SetFolder, Split
from seatrial.datasets.versions.history import HEAD, Commit, Shares
from seatrial.datasets.versions.restoring import cases_of
from seatrial.datasets.versions.working import OPEN, Sealed, base_of, read_working, version_of
from seatrial.errors import UsageError

MOST_WORDS = 4000
"""Texts with more differing words are told as a whole."""
ABSENT: Any = object()

Kind = Literal["same", "removed", "added"]


class Words(NamedTuple):
    """A run of words that both texts have, or only one."""

    kind: Kind
    text: str


class FieldChange(NamedTuple):
    """A field that differs: its path, both values (None: absent), and the words of texts."""

    field: str
    before: Json
    after: Json
    words: tuple[Words, ...]


class CaseChange(NamedTuple):
    """A case that is on both sides and differs, or has moved to another split."""

    id: str
    split: Split
    moved_from: Split | None
    fields: tuple[FieldChange, ...]


class Side(NamedTuple):
    """One side of a comparison. `sealed` is all that is told of a sealed split."""

    version: str
    cases: Mapping[Split, Sequence[Case]]
    shares: Shares
    sealed: Sealed | None


class SetDiff(NamedTuple):
    """What changed. `added` and `removed` are (split, id); `sealed` and `shares` are both sides', where they differ."""

    before: str
    after: str
    added: tuple[tuple[Split, str], ...]
    removed: tuple[tuple[Split, str], ...]
    changed: tuple[CaseChange, ...]
    sealed: tuple[Sealed | None, Sealed | None] | None
    shares: tuple[Shares, Shares] | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.added or self.removed or self.changed or self.sealed or self.shares)


def diff(path: Path | str, before: str = HEAD, after: str = "", *, store: Path | None = None) -> SetDiff:
    """Compare two versions, or a version with the folder's files where `after` is empty.

    Cases are matched by id. Of sealed cases only count and hash are told: nothing is opened. Raises DatasetError for
    versions that are not there or files that cannot be read.
    """
    folder = SetFolder(path)
    folder.must_exist()
    if before == HEAD and folder.lock is None:
        raise UsageError("The set has no version yet.", hint='`seatrial dataset commit -m "…"` makes one')
    one = _side(folder, folder.history.find(before, folder.lock), store)
    other = _side(folder, folder.history.find(after, folder.lock), store) if after else _now(folder)
    return compare(one, other)


def _side(folder: SetFolder, commit: Commit, store: Path | None) -> Side:
    sealed = Sealed(commit.splits["sealed"], commit.cases.get("sealed", 0)) if "sealed" in commit.splits else None
    return Side(commit.version, cases_of(folder, commit, store), commit.shares, sealed)


def _now(folder: SetFolder) -> Side:
    found = read_working(folder, base_of(folder))
    sealed = found.sealed
    if sealed is None and "sealed" in found.splits:
        sealed = Sealed(found.splits["sealed"], found.counts["sealed"])
    cases: dict[Split, Sequence[Case]] = {split: found.cases.get(split, ()) for split in OPEN}
    return Side(version_of(found.splits, found.shares), cases, found.shares, sealed)


def compare(one: Side, other: Side) -> SetDiff:
    """What changed from one side to the other."""
    before, after = _by_id(one), _by_id(other)
    changed: list[CaseChange] = []
    for name, (split, case) in after.items():
        old_split, old = before.get(name, (split, case))
        if split != old_split or case.hash != old.hash:
            fields = tuple(_fields(_plain(old), _plain(case), ()))
            changed.append(CaseChange(name, split, old_split if old_split != split else None, fields))
    return SetDiff(
        one.version,
        other.version,
        tuple((split, name) for name, (split, _) in after.items() if name not in before),
        tuple((split, name) for name, (split, _) in before.items() if name not in after),
        tuple(changed),
        None if one.sealed == other.sealed else (one.sealed, other.sealed),
        None if one.shares == other.shares else (one.shares, other.shares),
    )


def _by_id(side: Side) -> dict[str, tuple[Split, Case]]:
    return {case.id: (split, case) for split, cases in side.cases.items() for case in cases}


def _plain(case: Case) -> dict[str, Any]:
    plain = case.plain()
    return {**plain, "input": without_bytes(plain["input"])}


def _fields(before: Any, after: Any, path: Steps) -> Iterator[FieldChange]:
    """The innermost places at which two values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        one, other = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        for key in dict.fromkeys((*one, *other)):
            yield from _fields(one.get(key, ABSENT), other.get(key, ABSENT), (*path, key))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        first, second = list(cast("Sequence[Any]", before)), list(cast("Sequence[Any]", after))
        if len(first) == len(second):
            for at, (left, right) in enumerate(zip(first, second, strict=True)):
                yield from _fields(left, right, (*path, at))
        elif first != second:
            yield FieldChange(dotted(path), first, second, ())
    elif canonical(_or_none(before)) != canonical(_or_none(after)) or (before is ABSENT) != (after is ABSENT):
        words = word_diff(before, after) if isinstance(before, str) and isinstance(after, str) else ()
        yield FieldChange(dotted(path), _or_none(before), _or_none(after), words)


def _or_none(value: Any) -> Json:
    return None if value is ABSENT else value


def word_diff(before: str, after: str) -> tuple[Words, ...]:
    """The runs of words that two texts share, and those that only one has, in order.

    The runs of one side put together are that side's text.
    """
    one, other = _tokens(before), _tokens(after)
    head = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    most = min(len(one), len(other)) - head
    tail = next((i for i in range(most) if one[-1 - i] != other[-1 - i]), most)
    left, right = one[head : len(one) - tail], other[head : len(other) - tail]
    runs = [Words("same", "".join(one[:head])), *_middle(left, right), Words("same", "".join(one[len(one) - tail :]))]
    return tuple(run for run in runs if run.text)


def _middle(left: Sequence[str], right: Sequence[str]) -> list[Words]:
    if max(len(left), len(right)) > MOST_WORDS:
        return [Words("removed", "".join(left)), Words("added", "".join(right))]
    runs: list[Words] = []
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            runs.append(Words("same", "".join(left[a:b])))
        else:
            runs += [Words("removed", "".join(left[a:b])), Words("added", "".join(right[c:d]))]
    return runs


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)
