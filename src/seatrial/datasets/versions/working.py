"""What a set's folder holds now: its cases by split, their hashes, and the version that they would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from seatrial.core.case import Case
from seatrial.core.identity import digest
from seatrial.datasets.versions.encrypted import files_with, sealed_as
from seatrial.datasets.versions.folder import CONFIG, SEALED, SPLITS, SetFolder, Split, split_hash
from seatrial.datasets.versions.history import Commit, Shares
from seatrial.errors import DatasetError, MissingSecretError, Problem, safe

OPEN: tuple[Split, ...] = ("build", "test")
UNLABELLED = "unlabelled"
"""The key of a case's metadata that says a label is still to come."""


class Sealed(NamedTuple):
    """What is known of a sealed split without its key."""

    hash: str
    cases: int


class Working(NamedTuple):
    """A reading of a set's folder. `cases` has every split that lies open; `sealed` the encrypted one."""

    cases: Mapping[Split, Sequence[Case]]
    shares: Shares
    sealed: Sealed | None

    @property
    def splits(self) -> dict[str, str]:
        """The hash of every split that has cases."""
        found = {s: split_hash((c.hash for c in cases), self.shares) for s, cases in self.cases.items() if cases}
        return {**found, **({"sealed": self.sealed.hash} if self.sealed else {})}

    @property
    def counts(self) -> dict[str, int]:
        """How many cases each split has."""
        found = {split: len(self.cases.get(split, ())) for split in SPLITS}
        return {**found, **({"sealed": self.sealed.cases} if self.sealed else {})}


def version_of(splits: Mapping[str, str], shares: Shares) -> str:
    """The version: identity of the splits' ordered cases and of the traffic shares."""
    return digest("dataset", {"splits": dict(splits), "shares": shares})


def read_working(folder: SetFolder, base: Commit | None) -> Working:
    """All that the folder holds now.

    A sealed split that `base` has unchanged is taken from there, else it is opened with the key. Raises DatasetError
    with every fault of every file, and where a file changes while it is read.
    """
    folder.must_exist()
    cases: dict[Split, Sequence[Case]] = {}
    problems: list[Problem] = []
    for split in OPEN if folder.is_sealed else SPLITS:
        before = folder.sha256(folder.file(split).name)
        try:
            cases[split] = _ordered(folder, split)
        except DatasetError as error:
            if not error.problems:
                raise
            problems += error.problems
        if folder.sha256(folder.file(split).name) != before:
            raise DatasetError(f"{safe(folder.shown(folder.file(split)))} changed while it was read.", hint="try again")
    problems += _twice(folder, cases)
    if problems:
        raise DatasetError(f"The set {safe(str(folder.path), 200)} cannot be used.", problems=problems)
    return Working(cases, folder.config.shares, _sealed(folder, base) if folder.is_sealed else None)


def _ordered(folder: SetFolder, split: Split) -> list[Case]:
    return sorted(folder.cases(split), key=lambda case: case.id.encode("utf-8", "surrogatepass"))


def _twice(folder: SetFolder, cases: Mapping[Split, Sequence[Case]]) -> list[Problem]:
    """Ids that two splits have; within one, the reader has told."""
    first: dict[str, Split] = {}
    problems: list[Problem] = []
    for split, members in cases.items():
        name = folder.shown(folder.file(split))
        for case in members:
            other = first.setdefault(case.id, split)
            if other != split:
                rule = f"is the id of a case of {other} already"
                problems.append(
                    Problem(rule, name, None, "id", case.id, "a case belongs to one split: delete the other")
                )
    return problems


def _sealed(folder: SetFolder, base: Commit | None) -> Sealed:
    file = folder.sha256(SEALED)
    known = None if base is None else sealed_as(folder, base)
    same = known is not None and known.files.get(SEALED) == file and known.shares == folder.config.shares
    if known is not None and same and "sealed" in known.splits:
        return Sealed(known.splits["sealed"], known.cases.get("sealed", 0))
    from seatrial.datasets.sealing.seal import sealed_hashes

    try:
        hashes = sealed_hashes(folder)
    except MissingSecretError as error:
        raise MissingSecretError(
            "The sealed split is not the one of the last commit, and its key is not set.", hint=error.hint
        ) from error
    return Sealed(split_hash(hashes, folder.config.shares), len(hashes))


def unlabelled(folder: SetFolder, cases: Mapping[Split, Sequence[Case]]) -> list[Problem]:
    """Cases that say that their label is still to come, and have none."""
    return [
        Problem("is not labelled yet", folder.shown(folder.file(split)), None, case.id, None, "label or reject it")
        for split, members in cases.items()
        for case in members
        if case.metadata.get(UNLABELLED) and not _labelled(case)
    ]


def settled(found: Working) -> Working:
    """The same without the marks of cases that have got their label since."""
    return found._replace(cases={split: [_unmarked(case) for case in cases] for split, cases in found.cases.items()})


def _unmarked(case: Case) -> Case:
    if UNLABELLED not in case.metadata or not _labelled(case):
        return case
    kept = {key: value for key, value in case.metadata.items() if key != UNLABELLED}
    return Case.model_validate({**case.plain(), "metadata": kept})


def _labelled(case: Case) -> bool:
    return case.expected is not None or bool(case.criteria)


def files_of(folder: SetFolder) -> dict[str, str]:
    """The sha256 of every file that belongs to a version."""
    names = (*(folder.file(split).name for split in SPLITS), SEALED, CONFIG)
    return {name: found for name in names if (found := folder.sha256(name)) is not None}


def base_of(folder: SetFolder) -> Commit | None:
    """The commit of the lock, or None where there is no usable lock: a merge may have left a broken one."""
    try:
        lock = folder.lock
    except DatasetError:
        return None
    return lock if lock is not None and lock.id in folder.history.by_id() else None


def is_clean(folder: SetFolder, commit: Commit) -> bool:
    """Whether the folder's files are those of a commit: byte for byte, or at least case by case.

    The encrypted form of a sealed split that the commit has open is the same.
    """
    wanted = files_with(commit, sealed_as(folder, commit))
    if all(folder.sha256(name) == wanted.get(name) for name in {*files_of(folder), *wanted}):
        return True
    found = read_working(folder, commit)
    return version_of(found.splits, found.shares) == commit.version
