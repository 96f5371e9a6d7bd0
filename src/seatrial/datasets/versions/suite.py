"""A set as a suite reads it: committed, of the version that the suite names, one or more of its splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from seatrial.core.case import Case
from seatrial.core.identity import digest, short
from seatrial.core.record import Json
from seatrial.core.suite import DatasetSpec
from seatrial.datasets.reading.reader import VERSION
from seatrial.datasets.versions.folder import LOCK, SetFolder, is_set
from seatrial.datasets.versions.history import Commit
from seatrial.datasets.versions.working import base_of, is_clean
from seatrial.errors import DatasetError, safe

OWN = ("fields", "defaults", "shares", "format")


class Held(NamedTuple):
    """A set's folder and the commit that its files are."""

    folder: SetFolder
    commit: Commit


def held(spec: DatasetSpec, folder: Path) -> Held:
    """The set that a suite names, checked.

    Raises DatasetError where it is not committed, was changed since, is another version than the suite names, or has
    no case in a split that it asks for.
    """
    found = SetFolder(folder / spec.path)
    path = safe(spec.path, 200)
    if stray := [name for name in OWN if name in spec.model_fields_set and getattr(spec, name)]:
        raise DatasetError(f"{path} is a set, which has its own {', '.join(stray)}.", hint="delete them under dataset")
    if not (found.path / LOCK).exists():
        raise DatasetError(
            f"The set {path} has no version yet.", hint=f'`seatrial dataset commit {path} -m "…"` makes one'
        )
    commit = base_of(found)
    if commit is None:
        found.lock  # noqa: B018  # tells what is wrong with it
        raise DatasetError(
            f"The set {path} has a lock that its history lacks.", hint="restore versions.jsonl and set.lock from git"
        )
    if not is_clean(found, commit):
        raise DatasetError(
            f"The set {path} was changed since version {short(commit.version)} was committed.",
            hint=f'`seatrial dataset diff {path}` says how, `seatrial dataset commit {path} -m "…"` makes it a version',
        )
    if spec.version:
        _same(spec, found, commit)
    if missing := [split for split in spec.splits if not commit.cases.get(split)]:
        has = ", ".join(f"{count:,} {split}" for split, count in commit.cases.items() if count)
        raise DatasetError(
            f"The set {path} has no case in {', '.join(missing)}; it has {has}.", hint="mend dataset.split"
        )
    return Held(found, commit)


def _same(spec: DatasetSpec, found: SetFolder, commit: Commit) -> None:
    named = found.history.find(spec.version, commit)
    if named.version == commit.version:
        return
    path, version = safe(spec.path, 200), safe(spec.version)
    raise DatasetError(
        f"The suite names version {version} ({short(named.version)}) of {path}, "
        f"whose folder holds {short(commit.version)}.",
        hint=f"`seatrial dataset checkout {path} {version}` restores it, or mend dataset.version",
    )


def read_set(spec: DatasetSpec, folder: Path) -> Iterator[Case]:
    """The cases of the splits that a suite names, in that order, each sorted by id."""
    found = held(spec, folder).folder
    for split in spec.splits:
        yield from sorted(found.cases(split), key=lambda case: case.id.encode("utf-8", "surrogatepass"))


def fingerprint_set(spec: DatasetSpec, folder: Path) -> str:
    """Identity of what `read_set` gives; empty where a sealed split is asked for, which is read every time."""
    commit = held(spec, folder).commit
    if "sealed" in spec.splits:
        return ""
    parts = [commit.splits[split] for split in spec.splits]
    return digest("dataset-source", {"set": parts, "shares": commit.shares, "reader": VERSION})


def name_of(spec: DatasetSpec, folder: Path) -> str:
    """What the dataset of a suite is called: the set's name, or the file's."""
    return SetFolder(folder / spec.path).name if is_set(folder / spec.path) else Path(spec.path).stem


def shares_of(spec: DatasetSpec, folder: Path) -> Mapping[str, Mapping[str, float]]:
    """The traffic shares of a suite's dataset: the set's as committed, or those that the suite gives."""
    return held(spec, folder).commit.shares if is_set(folder / spec.path) else spec.shares


def about_set(spec: DatasetSpec, folder: Path) -> Mapping[str, Json] | None:
    """What a trial keeps of the set it ran: name, version, tags and splits; None where it ran a plain file."""
    if not is_set(folder / spec.path):
        return None
    found, commit = held(spec, folder)
    return {
        "name": commit.name,
        "version": commit.version,
        "commit": commit.id,
        "tags": found.history.tags_of(commit),
        "splits": list(spec.splits),
    }
