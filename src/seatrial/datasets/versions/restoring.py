"""What a version's files were, from the folder, the store or git; and `checkout`, which puts them back."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from seatrial.core.case import Case
from seatrial.core.files import write_whole
from seatrial.core.identity import short
from seatrial.datasets.versions import git
from seatrial.datasets.versions.alone import one_at_a_time
from seatrial.datasets.versions.config import SetConfig, config_text
from seatrial.datasets.versions.encrypted import PLAIN, encrypted, files_with
from seatrial.datasets.versions.folder import CONFIG, SEALED, SPLITS, SetFolder, Split, split_bytes, split_hash
from seatrial.datasets.versions.history import HEAD, Commit
from seatrial.datasets.versions.working import OPEN, files_of, read_working
from seatrial.errors import DatasetError, NotFoundError, Problem, UsageError, safe
from seatrial.store.store import Store


def cases_of(folder: SetFolder, commit: Commit, store: Path | None) -> dict[Split, list[Case]]:
    """The open cases of a version by split. Raises NotFoundError where neither folder, store nor git has them."""
    return {split: _cases(folder, commit, split, store) for split in OPEN if commit.splits.get(split)}


def _cases(folder: SetFolder, commit: Commit, split: Split, store: Path | None) -> list[Case]:
    name = folder.file(split).name
    if folder.sha256(name) == commit.files.get(name):
        return list(folder.cases(split))
    kept = _stored(commit, split, store)
    if kept is not None:
        return kept
    content = _in_git(folder, name, commit.files.get(name))
    if content is None:
        raise _gone(commit, name)
    with tempfile.TemporaryDirectory(prefix="seatrial-") as aside:
        (Path(aside) / name).write_bytes(content)
        return list(SetFolder(aside).cases(split))


def _stored(commit: Commit, split: Split, store: Path | None) -> list[Case] | None:
    """A split from the store, checked against the hash in the commit."""
    if store is None or not store.exists():
        return None
    with Store(store) as opened:
        found = opened.dataset_by_hash(commit.splits[split])
        if found is None:
            return None
        cases = [stored.case for stored in opened.cases(found.id, range(found.cases))]
    fits = split_hash((case.hash for case in cases), commit.shares) == commit.splits[split]
    return cases if fits else None


def _in_git(folder: SetFolder, name: str, wanted: str | None) -> bytes | None:
    """A file's content of that sha256 from any commit of git's history."""
    if wanted is None:
        return None
    for one in git.commits_of(folder.path, name):
        content = git.content(folder.path, one, name)
        if content is not None and sha256(content).hexdigest() == wanted:
            return content
    return None


def _gone(commit: Commit, name: str) -> NotFoundError:
    if name in (SEALED, PLAIN):
        return NotFoundError(
            f"{name} of version {short(commit.version)} is not in git's history, and no store keeps sealed cases.",
            hint="fetch the branch, or take the copy of the folder, that has it; without it that version is lost",
        )
    return NotFoundError(
        f"{name} of version {short(commit.version)} is neither in the store nor in git's history.",
        hint="name the store that it was committed with: --store FILE, or fetch the branch that has it",
    )


@one_at_a_time
def checkout(path: Path | str, wanted: str, *, store: Path | None = None, force: bool = False) -> Commit:
    """Put a version's files back into the folder.

    A sealed split that the version has open and that was encrypted since comes back encrypted. What no commit has is
    not overwritten, nor a sealed.bin that git has not: raises UsageError naming the files, unless `force`. All
    files are found before the first is written: raises NotFoundError where neither store nor git has one.
    """
    folder = SetFolder(path)
    if not folder.path.is_dir():
        folder.must_exist()
    try:
        lock = folder.lock
    except DatasetError:
        lock = None
    if wanted == HEAD and lock is None:
        raise UsageError("The lock of the set names no version.", hint="name one: `seatrial dataset log` lists them")
    commit = folder.history.find(wanted, lock)
    unsaved = [] if force else uncommitted(folder)
    if unsaved:
        raise UsageError(
            "The set has changes that no version has.",
            problems=unsaved,
            hint='`seatrial dataset commit -m "…"` keeps them; --force drops them',
        )
    contents = _contents(folder, commit, store)
    if not force:
        _keep_sealed(folder, contents)
    for name, content in contents.items():
        if content is None:
            (folder.path / name).unlink(missing_ok=True)
        elif folder.sha256(name) != sha256(content).hexdigest():
            write_whole(folder.path / name, lambda out, whole=content: out.write(whole), f"The file {name}")
    folder.write_lock(commit)
    return commit


def _keep_sealed(folder: SetFolder, contents: Mapping[str, bytes | None]) -> None:
    """Refuse to replace or delete the only copy of the encrypted split."""
    here, coming = folder.sha256(SEALED), contents[SEALED]
    kept = coming is not None and sha256(coming).hexdigest() == here
    if here is None or kept or _in_git(folder, SEALED, here) is not None:
        return
    raise UsageError(
        "sealed.bin would be lost: git has no copy of it, and no store keeps sealed cases.",
        hint="commit the set to git first; --force drops it",
    )


def uncommitted(folder: SetFolder) -> list[Problem]:
    """The files whose content is that of no commit."""
    commits = folder.history.commits
    kept: dict[str, set[str]] = {}
    splits = {one for commit in commits for one in commit.splits.values()}
    for commit in commits:
        for name, found in commit.files.items():
            kept.setdefault(name, set()).add(found)
    changed = [name for name, found in files_of(folder).items() if found not in kept.get(name, set())]
    return [
        Problem("has changes that are not committed", str(folder.path / name))
        for name in changed
        if not _same_cases(folder, name, splits)
    ]


def _same_cases(folder: SetFolder, name: str, splits: set[str]) -> bool:
    """Whether a split's file differs from a committed one in its form alone: line ends, order, spaces."""
    split = _split_of(name)
    try:
        found = read_working(folder, None).splits if split and not folder.is_sealed else {}
    except DatasetError:
        return False
    return split is not None and found.get(split) in splits


def _split_of(name: str) -> Split | None:
    """The open split that a file holds."""
    return next((split for split in OPEN if name == f"{split}.jsonl"), None)


def _contents(folder: SetFolder, commit: Commit, store: Path | None) -> Mapping[str, bytes | None]:
    """What every file of the version holds; None where it had none."""
    names: Sequence[str] = (*(folder.file(split).name for split in SPLITS), SEALED, CONFIG)
    files = files_with(commit, _sealing(folder, commit))
    found: dict[str, bytes | None] = {}
    for name in names:
        wanted = files.get(name)
        if wanted is None:
            found[name] = None
        elif folder.sha256(name) == wanted:
            found[name] = (folder.path / name).read_bytes()
        else:
            found[name] = _content(folder, commit, name, store, wanted)
    return found


def _sealing(folder: SetFolder, commit: Commit) -> Commit:
    """The commit whose sealed.bin holds what this one has open, where folder or git have that file; else this one."""
    here = folder.sha256(SEALED)
    known = encrypted(folder.history, commit)
    near = [one for one in known if one.files[SEALED] == here]
    return next(
        (one for one in (*near, *known) if one in near or _in_git(folder, SEALED, one.files[SEALED]) is not None),
        commit,
    )


def _content(folder: SetFolder, commit: Commit, name: str, store: Path | None, wanted: str) -> bytes:
    split = _split_of(name)
    if split is not None and not commit.splits.get(split):
        return b""
    kept = _stored(commit, split, store) if split else None
    if kept is not None:
        return split_bytes(kept, safe(name))
    content = _in_git(folder, name, wanted)
    if content is None and name == CONFIG:
        return config_text(SetConfig.model_validate(commit.config)).encode("utf-8")
    if content is None:
        raise _gone(commit, name)
    return content
