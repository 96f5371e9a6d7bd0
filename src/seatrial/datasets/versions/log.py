"""`log` and `show`: what versions there are, and what one holds."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from seatrial.core.case import Case
from seatrial.core.identity import short
from seatrial.datasets.versions.folder import SetFolder, Split
from seatrial.datasets.versions.history import HEAD, Commit
from seatrial.datasets.versions.restoring import cases_of
from seatrial.datasets.versions.working import base_of
from seatrial.errors import DatasetError, NotFoundError, UsageError, nearest, safe


class Version(NamedTuple):
    """A commit with the tags that name it. `current`: the folder's lock names it."""

    commit: Commit
    tags: tuple[str, ...]
    current: bool


class Log(NamedTuple):
    """A set's versions, newest first, and the versions that the next commit would follow."""

    name: str
    versions: tuple[Version, ...]
    heads: tuple[str, ...]


class Shown(NamedTuple):
    """A version, and the one case of it that was asked for, with its split."""

    version: Version
    case: Case | None
    split: Split | None


def log(path: Path | str) -> Log:
    """The versions of a set. Raises DatasetError with every line of the history that is broken or was altered."""
    folder = SetFolder(path)
    folder.must_exist()
    history = folder.history
    base = base_of(folder)
    if base is None and folder.lock is not None:
        raise DatasetError(
            f"The history of {safe(str(folder.path), 200)} lacks the commit that set.lock names: its line was removed.",
            hint="restore versions.jsonl from git",
        )
    versions = [Version(c, tuple(history.tags_of(c)), base is not None and c.id == base.id) for c in history.ordered()]
    return Log(folder.name, tuple(versions), tuple(head.version for head in history.heads()))


def show(path: Path | str, wanted: str = HEAD, *, store: Path | None = None) -> Shown:
    """A version, or with `version:case-id` one of its open cases.

    Raises DatasetError for a version that is not there, NotFoundError for a case that it has not, or that is sealed.
    """
    folder = SetFolder(path)
    folder.must_exist()
    history = folder.history
    name, _, case_id = _parted(wanted, [*history.names(), HEAD])
    if name == HEAD and folder.lock is None:
        raise UsageError("The set has no version yet.", hint='`seatrial dataset commit -m "…"` makes one')
    commit = history.find(name, folder.lock)
    lock = base_of(folder)
    version = Version(commit, tuple(history.tags_of(commit)), lock is not None and lock.id == commit.id)
    if not case_id:
        return Shown(version, None, None)
    ids: list[str] = []
    for split, cases in cases_of(folder, commit, store).items():
        for case in cases:
            if case.id == case_id:
                return Shown(version, case, split)
            ids.append(case.id)
    near = nearest(case_id, ids)
    raise NotFoundError(
        f"Version {short(commit.version)} has no open case {safe(case_id)!r}.",
        hint=f"did you mean {near!r}?" if near else "sealed cases are not shown",
    )


def _parted(wanted: str, names: list[str]) -> tuple[str, str, str]:
    """A version and a case id. A version's full hash has colons of its own."""
    name = next((one for one in names if wanted == one or wanted.startswith(f"{one}:")), None)
    if name is not None:
        return name, ":", wanted[len(name) + 1 :]
    parts = wanted.split(":", 3)
    if parts[0] in ("dataset", "commit") and len(parts) >= 3:
        return ":".join(parts[:3]), ":", ":".join(parts[3:])
    return wanted.partition(":")
