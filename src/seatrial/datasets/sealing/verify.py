"""`verify`: whether a set is what its lock, history and ledger say, and how often each model saw what is sealed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.vault import ENVIRONMENT, has_key
from seatrial.datasets.sealing import fileformat, ledger
from seatrial.datasets.sealing.opening import most_exposures
from seatrial.datasets.sealing.seal import sealed_hashes, vault_of
from seatrial.datasets.versions.encrypted import files_with, sealed_as
from seatrial.datasets.versions.folder import SetFolder, split_hash
from seatrial.datasets.versions.working import files_of
from seatrial.errors import ConfigError, SealKeyError, SeatrialError

SHOWN = 20


class Check(NamedTuple):
    """One thing that was looked at. `ok` is None where it could not be: without the key, or without a store."""

    name: str
    ok: bool | None
    said: str
    faults: tuple[str, ...] = ()


class Verified(NamedTuple):
    """Every check, how many runs each model was in, and how many it may be in."""

    name: str
    version: str
    checks: tuple[Check, ...]
    exposures: Mapping[str, int]
    most: int | None

    @property
    def sound(self) -> bool:
        """Whether nothing that was looked at is wrong."""
        return all(check.ok is not False for check in self.checks)

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        checks = [check._asdict() | {"faults": list(check.faults)} for check in self.checks]
        about = {"name": self.name, "version": self.version, "sound": self.sound, "checks": checks}
        return about | {"exposures": dict(self.exposures), "max_exposures": self.most}


def verify(path: Path | str, *, store: Path | None = None) -> Verified:
    """Hold a set's folder against its lock, its history and its ledger, and these against the store's trials.

    What the key is needed for is left out without it. Raises DatasetError where there is no set, SealKeyError where
    the key is the wrong one.
    """
    folder = SetFolder(path)
    folder.must_exist()
    read = ledger.read(folder)
    checks = [
        _checked("history", lambda: _history(folder)),
        _checked("lock", lambda: _lock(folder)),
        _checked("files", lambda: _files(folder)),
        _checked("sealed split", lambda: _sealed(folder)),
        Check("ledger", not read.problems, f"{_count(read)} in one chain", tuple(map(str, read.problems[:SHOWN]))),
        _checked("ledger's codes", lambda: _codes(folder, read)),
        _checked("trials in the store", lambda: _trials(folder, read, store)),
    ]
    version = next((c.version for c in _commits(folder)), "")
    return Verified(folder.path.absolute().name, version, tuple(checks), read.exposures(), most_exposures(folder))


def _count(read: ledger.Ledger) -> str:
    return "1 exposure" if len(read.entries) == 1 else f"{len(read.entries):,} exposures"


def _commits(folder: SetFolder) -> Iterator[Any]:
    try:
        if folder.lock is not None:
            yield folder.lock
    except ConfigError:
        return


def _checked(name: str, look: Callable[[], Check]) -> Check:
    """A check; one that cannot be made because of what it finds has failed."""
    try:
        return look()._replace(name=name)
    except SealKeyError:
        raise
    except ConfigError as fault:
        return Check(name, False, fault.problem, tuple(map(str, fault.problems[:SHOWN])))
    except SeatrialError as fault:
        return Check(name, False, fault.problem)


def _history(folder: SetFolder) -> Check:
    found = folder.history
    return Check("", True, f"{len(found.commits):,} versions and {len(found.tags):,} tags in one chain")


def _lock(folder: SetFolder) -> Check:
    lock = folder.lock
    if lock is None:
        why = "`seatrial dataset commit` writes it anew" if folder.history.commits else "the set has no version yet"
        return Check("", False, f"there is no set.lock: {why}")
    known = lock.id in folder.history.by_id()
    return Check("", known, "names a commit of the history" if known else "names a commit that the history has not")


def _files(folder: SetFolder) -> Check:
    lock = folder.lock
    wanted: Mapping[str, str] = files_with(lock, sealed_as(folder, lock)) if lock is not None else {}
    have = files_of(folder)
    differ = [name for name in sorted({*wanted, *have}) if wanted.get(name) != have.get(name)]
    faults = tuple(f"{name} {'is not there' if name not in have else 'is not the one of the lock'}" for name in differ)
    return Check("", not faults, f"{len(have) - len([n for n in differ if n in have]):,} files are the lock's", faults)


def _sealed(folder: SetFolder) -> Check:
    if not folder.is_sealed:
        return Check("", None, "there is none")
    header, lock = fileformat.read_header(folder.sealed_file), folder.lock
    faults: list[str] = []
    if lock is not None and header.canary != lock.canary:
        faults.append("its canary is not the lock's: it is another set's")
    if lock is not None and header.cases != lock.cases.get("sealed"):
        faults.append(f"its header says {header.cases:,} cases, the lock {lock.cases.get('sealed', 0):,}")
    if faults or not has_key(os.environ):
        said = f"{header.cases:,} cases under the key {header.key_id}; without {ENVIRONMENT} they were not opened"
        return Check("", not faults, said, tuple(faults))
    hashes = sealed_hashes(folder)
    known = None if lock is None else sealed_as(folder, lock)
    same = known is None or split_hash(hashes, known.shares) == known.splits.get("sealed")
    if not same:
        faults.append("its cases are not those of the lock's version")
    return Check("", not faults, f"{len(hashes):,} cases, each opened, none altered", tuple(faults))


def _codes(folder: SetFolder, read: ledger.Ledger) -> Check:
    if not read.entries or not folder.is_sealed or not has_key(os.environ):
        return Check("", None, "need entries, and the key")
    vault = vault_of(folder)
    faults = tuple(
        f"entry {entry.number:,} was not written with the key" for entry in read.entries if not entry.fits(vault)
    )
    return Check("", not faults, "every entry was written by a holder of the key", faults[:SHOWN])


def _trials(folder: SetFolder, read: ledger.Ledger, store: Path | None) -> Check:
    """The store's own trials over the set: each must have its entry."""
    found = ledger.lacks_of_store(read, folder.name, store)
    if found is None:
        return Check("", None, "there is no store here")
    count, lacking = found
    faults = [f"trial {one} was shown the split, and the ledger lacks its entry: it was removed" for one in lacking]
    return Check("", not faults, f"{count:,} of them were shown the split, each with its entry", tuple(faults[:SHOWN]))
