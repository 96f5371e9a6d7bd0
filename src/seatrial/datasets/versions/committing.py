"""`commit` and `tag`: a set's folder as a version that has a name."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.identity import canonical
from seatrial.core.record import Json
from seatrial.datasets.sealing.fileformat import read_header
from seatrial.datasets.sealing.ledger import must_be_whole
from seatrial.datasets.versions import git
from seatrial.datasets.versions.alone import one_at_a_time
from seatrial.datasets.versions.folder import LOCK, SetFolder, split_bytes
from seatrial.datasets.versions.history import HEAD, Commit, History, Tag
from seatrial.datasets.versions.working import (
    OPEN,
    Working,
    base_of,
    files_of,
    read_working,
    settled,
    unlabelled,
    version_of,
)
from seatrial.errors import DatasetError, UsageError, safe
from seatrial.store.store import Store

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@/-]{0,79}")
HASH = re.compile(r"[0-9a-f]{4,64}")


class Committed(NamedTuple):
    """A commit, and whether there was anything new to commit. `rebuilt`: set.lock was missing and is there again."""

    commit: Commit
    new: bool
    rebuilt: bool = False


@one_at_a_time
def commit(
    path: Path | str,
    message: str,
    *,
    store: Path | None = None,
    author: str = "",
    date: str = "",
    evolution: Mapping[str, Json] | None = None,
    allow_unlabelled: bool = False,
) -> Committed:
    """Make the folder's content a version.

    Checks every case, brings the files into their one order, keeps the open cases in `store` too (None: nowhere),
    then writes versions.jsonl and set.lock. Its parents are the lock's commit and the heads of branches merged since.
    `author` is git's where not given, `date` now. `evolution` says how the cases came from the parent's. Content that
    is committed already makes no second commit. Raises DatasetError with every fault, MissingSecretError where a
    changed sealed split has to be opened, LedgerError where entries of the ledger were altered or are missing.
    """
    if not message.strip():
        raise UsageError("A commit needs a message.", hint='say what changed: -m "…"')
    folder = SetFolder(path)
    base = base_of(folder)
    must_be_whole(folder, store)
    rebuilt = not (folder.path / LOCK).exists() and bool(folder.history.commits)
    found = settled(read_working(folder, base))
    _check(folder, found, allow_unlabelled=allow_unlabelled)
    parents, later = follows(folder.history, base)
    if store is not None:
        keep(store, folder.name, found)
    _tidy(folder, found)
    made = _commit(folder, found, parents, later) | {
        "message": message.strip(),
        "author": author or git.author(folder.path),
        "date": _moment(date),
        "evolution": dict(evolution or {}),
    }
    entry = Commit.model_validate(made)
    known = [*parents, *later] if len(parents) < 2 else []
    same = next((one for one in known if _content(one) == _content(entry)), None)
    if same is None:
        folder.append_history(entry.entry)
    folder.write_lock(same or entry)
    return Committed(same or entry, same is None, rebuilt)


def _moment(date: str) -> str:
    try:
        return datetime.fromisoformat(date).isoformat() if date else datetime.now(UTC).isoformat(timespec="seconds")
    except ValueError:
        raise UsageError(f"{safe(date)!r} is no date.", hint="write it like 2026-03-01T12:00:00Z") from None


def _check(folder: SetFolder, found: Working, *, allow_unlabelled: bool) -> None:
    if not any(found.counts.values()):
        raise DatasetError(f"The set {safe(str(folder.path), 200)} holds no cases.", hint="put at least one in")
    waiting = [] if allow_unlabelled else unlabelled(folder, found.cases)
    if waiting:
        raise DatasetError(
            f"{len(waiting):,} cases are not labelled yet.",
            problems=waiting,
            hint=f"`seatrial label outcome {folder.path}` labels them; --allow-unlabelled commits them as they are",
        )
    anchors = set(folder.config.anchors) - {case.id for cases in found.cases.values() for case in cases}
    if anchors and not folder.is_sealed:
        raise DatasetError(
            f"set.yaml names anchors that are no cases: {', '.join(safe(one) for one in sorted(anchors)[:10])}.",
            hint="mend anchors in set.yaml",
        )


def follows(history: History, base: Commit | None) -> tuple[list[Commit], list[Commit]]:
    """The parents of the next commit, and the heads that it knowingly leaves behind.

    A head that does not come from `base` was merged in beside it, so it is a parent too; one that does come from
    `base` was left when an older version was checked out.
    """
    heads = history.heads()
    if base is None:
        return heads, []
    later = [head for head in heads if head.id != base.id and base.id in history.ancestors(head)]
    return [base, *(head for head in heads if head.id != base.id and head not in later)], later


def _commit(folder: SetFolder, found: Working, parents: Sequence[Commit], later: Sequence[Commit]) -> dict[str, Any]:
    config = folder.config
    return {
        "version": version_of(found.splits, found.shares),
        "name": folder.name,
        "parent": parents[0].version if parents else None,
        "parents": tuple(one.id for one in parents),
        "leaves": tuple(one.id for one in later),
        "cases": found.counts,
        "splits": found.splits,
        "shares": found.shares,
        "stratifier": config.stratifier,
        "canary": _canary(folder, parents),
        "files": files_of(folder),
        "config": config.model_dump(exclude_defaults=True),
    }


def _canary(folder: SetFolder, parents: Sequence[Commit]) -> str:
    """The set's canary: the one that its sealed cases carry, else its parents', else a new one."""
    if folder.is_sealed:
        return read_header(folder.sealed_file).canary
    return next((one.canary for one in parents if one.canary), "") or str(uuid.uuid4())


def _content(commit: Commit) -> tuple[object, ...]:
    return commit.version, commit.name, commit.files, canonical(dict(commit.config))


def keep(store: Path, name: str, found: Working) -> None:
    """Keep the open splits in the store, so that they can be checked out without git. Sealed cases stay out."""
    with Store(store) as opened:
        for split in OPEN:
            if cases := found.cases.get(split):
                opened.keep_dataset(name, cases, found.shares, None)


def _tidy(folder: SetFolder, found: Working) -> None:
    """Bring the files into their one order and form, where they are not."""
    for split, cases in found.cases.items():
        file = folder.file(split)
        if file.exists() and file.read_bytes() != split_bytes(cases, folder.shown(file)):
            folder.write(split, cases)


@one_at_a_time
def tag(path: Path | str, name: str, wanted: str = HEAD, *, move: bool = False, author: str = "") -> Tag:
    """Give a version a name. Raises UsageError for a name that is taken by another version, unless `move`."""
    folder = SetFolder(path)
    folder.must_exist()
    if not NAME.fullmatch(name) or HASH.fullmatch(name) or name == HEAD:
        raise UsageError(
            f"{safe(name)!r} is no name for a version.",
            hint="letters, digits and _ . @ / -, starting with a letter or digit; not HEAD, not hex digits alone",
        )
    history = folder.history
    if wanted == HEAD and folder.lock is None:
        raise UsageError("The set has no version yet.", hint='`seatrial dataset commit -m "…"` makes one')
    found = history.find(wanted, folder.lock)
    named = history.names().get(name)
    if named == found.id:
        return next(one for one in reversed(history.tags) if one.tag == name)
    if named is not None and not move:
        raise UsageError(f"The tag {safe(name)!r} names another version.", hint="--force moves it")
    made = Tag(
        tag=name,
        version=found.version,
        commit=found.id,
        author=author or git.author(folder.path),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    folder.append_history(made.model_dump())
    return made
