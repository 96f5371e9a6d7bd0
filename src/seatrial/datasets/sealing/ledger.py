"""ledger.jsonl: one line for every run that the sealed split was shown to, each naming the hash of those before it.

An entry follows the last one, or, where branches were merged, the last one of each. Its `hash` covers all of it, so a
line that was altered, removed from the middle or put elsewhere does not fit what follows. Lines cut from the end leave
nothing behind in the file: so set.lock keeps how many there were and the last hashes, the store keeps the entry of each
of its trials, and what git's HEAD has must be there too. `mac` can be made with the set's secret only: nobody without
the key writes the ledger anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from seatrial.core.files import write_whole
from seatrial.core.identity import canonical, digest, loads
from seatrial.core.record import Filled, Moment, Record, Text, as_dict
from seatrial.core.vault import Vault
from seatrial.datasets.versions import git
from seatrial.datasets.versions.alone import alone
from seatrial.datasets.versions.folder import LEDGER, LOCK, SetFolder
from seatrial.errors import ConfigError, LedgerError, Problem, safe
from seatrial.store.store import Store

HINT = "`seatrial dataset verify` says more; restore ledger.jsonl from git"
STATE = "ledger"
"""The key of set.lock under which the ledger's length and last hashes are kept, beside the commit."""


class Shown(Record):
    """Whom a sealed split was shown to. `hosts`: where its requests go, none where no network is used."""

    name: Text
    model: Text
    role: Literal["target", "judge", "embedder"] = "target"
    hosts: tuple[Text, ...] = ()


class Entry(Record):
    """One exposure, written down before anything is sent."""

    format: Literal["seatrial.ledger/1"] = "seatrial.ledger/1"
    number: int = Field(ge=1)
    at: Moment
    who: Text
    trial: Filled
    set: Text
    version: Filled
    cases: int
    shown: tuple[Shown, ...]
    previous: tuple[Filled, ...] = ()
    mac: Text = ""

    @property
    def hash(self) -> str:
        """Identity of the whole entry, and by `previous` of all before it."""
        return digest("exposure", self.model_dump())

    def sealed_by(self, vault: Vault) -> Entry:
        """The same with its code."""
        return self.model_copy(update={"mac": vault.mac(self._content())})

    def fits(self, vault: Vault) -> bool:
        """Whether a holder of the key wrote it."""
        return self.mac == vault.mac(self._content())

    def _content(self) -> bytes:
        return canonical(self.model_dump(exclude={"mac"})).encode("ascii")

    @property
    def line(self) -> bytes:
        """Its line in the ledger."""
        return canonical({**self.model_dump(), "hash": self.hash}).encode("ascii") + b"\n"


class Ledger(NamedTuple):
    """The entries that can be read, and what is wrong with the file."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]

    def heads(self) -> tuple[str, ...]:
        """The last entries' hashes: one, or several after a merge."""
        taken = {one for entry in self.entries for one in entry.previous}
        return tuple(found for entry in self.entries if (found := entry.hash) not in taken)

    def state(self) -> dict[str, Any]:
        """What set.lock keeps of it."""
        return {"count": len(self.entries), "heads": list(self.heads())}

    def exposures(self) -> dict[str, int]:
        """How many runs each model was in."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            for model in sorted({shown.model for shown in entry.shown}):
                counts[model] = counts.get(model, 0) + 1
        return counts


def read(folder: SetFolder) -> Ledger:
    """The ledger of a set, every line checked against those before it, and all against set.lock and git's HEAD."""
    file = folder.path / LEDGER
    try:
        content = file.read_bytes() if file.exists() else b""
    except OSError as cause:
        raise LedgerError(
            f"{safe(str(file), 200)} cannot be read: {cause.strerror}.", hint="check its permissions"
        ) from cause
    entries: list[Entry] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(content.split(b"\n")[:-1] if content.endswith(b"\n") else content.split(b"\n"), 1):
        if not line and not content:
            continue
        found, faults = _entry(line, str(file), number)
        problems += faults
        if found is not None:
            problems += _place(found, seen, entries, str(file), number)
            seen.setdefault(found.hash, found.number)
            entries.append(found)
    ledger = Ledger(tuple(entries), ())
    return Ledger(ledger.entries, (*problems, *_cut(folder, seen), *_lacks_of_git(folder, seen)))


def _entry(line: bytes, file: str, number: int) -> tuple[Entry | None, list[Problem]]:
    try:
        plain = as_dict(loads(line)) or {}
        stated = plain.pop("hash", "")
        entry = Entry.model_validate(plain)
    except (ValueError, ValidationError):
        return None, [Problem("is no entry: it was altered, or a merge is not resolved", file, number)]
    if entry.hash != stated or entry.line.rstrip(b"\n") != line:
        return None, [Problem("was altered: its hash does not fit what it says", file, number)]
    return entry, []


def _place(entry: Entry, seen: Mapping[str, int], before: Sequence[Entry], file: str, line: int) -> Iterator[Problem]:
    """What is wrong with where an entry stands."""
    if entry.hash in seen:
        yield Problem("is there twice", file, line)
        return
    if not entry.previous and before:
        yield Problem(
            "is a first entry, and not the first: entries were moved, or two ledgers put together", file, line
        )
    for one in entry.previous:
        if one not in seen:
            yield Problem("follows an entry that is not before it: that was removed, altered or moved", file, line)
    if entry.number != 1 + max((seen.get(one, 0) for one in entry.previous), default=0):
        yield Problem("has a number that does not follow", file, line, value=str(entry.number))


def _cut(folder: SetFolder, seen: Mapping[str, int]) -> Iterator[Problem]:
    """What set.lock knows of the ledger, and the ledger has not."""
    state = lock_state(folder)
    if state is None:
        return
    file = folder.shown(folder.path / LEDGER)
    gone = sum(one not in seen for one in state.get("heads", ()))
    if gone or len(seen) < state.get("count", 0):
        rule = f"has {len(seen):,} entries; set.lock knows of {state.get('count', 0):,}: the end was cut off"
        yield Problem(rule, file)


def _lacks_of_git(folder: SetFolder, seen: Mapping[str, int]) -> Iterator[Problem]:
    """What git's HEAD has of the ledger, and the file has not: it does not go on from there."""
    lines = (git.content(folder.path, "HEAD", LEDGER) or b"").split(b"\n")
    kept = [entry for line in lines if line and (entry := _entry(line, LEDGER, 0)[0]) is not None]
    gone = sum(entry.hash not in seen for entry in kept)
    if gone:
        rule = f"lacks {gone:,} of the {len(kept):,} entries that git's HEAD has: they were cut off or written anew"
        yield Problem(rule, folder.shown(folder.path / LEDGER))


def lacks_of_store(
    read: Ledger, name: str, store: Path | None, commits: Collection[str] | None = None
) -> tuple[int, list[str]] | None:
    """The trials of a store that were shown the set of this name, and those whose entry the ledger lacks.

    `commits`: only trials over one of these. None where there is no store.
    """
    if store is None or not store.exists():
        return None
    known = {entry.hash for entry in read.entries}
    lacking: list[str] = []
    count = 0
    with Store(store) as opened:
        for trial in opened.trials(limit=1_000_000):
            about, ran = (as_dict(trial.environment.get(key)) or {} for key in ("exposure", "set"))
            if about.get("set") != name or (commits is not None and ran.get("commit") not in commits):
                continue
            count += 1
            if about.get("hash") not in known:
                lacking.append(trial.id)
    return count, lacking


def must_be_whole(folder: SetFolder, store: Path | None = None) -> Ledger:
    """The ledger, where nothing of it was altered or is missing: set.lock, git's HEAD and the store know no more.

    Of the store's trials those over a version of this set's history count. Raises LedgerError.
    """
    ledger = read(folder)
    problems = list(ledger.problems)
    if folder.is_sealed or ledger.entries:
        _, lacking = lacks_of_store(ledger, folder.name, store, folder.history.by_id()) or (0, [])
        file = folder.shown(folder.path / LEDGER)
        problems += [Problem(f"lacks the entry of trial {one}, which the store has", file) for one in lacking]
    if problems:
        said = "; ".join(str(problem) for problem in problems[:3])
        raise LedgerError(f"The ledger of exposures was altered, so nothing is written: {said}.", hint=HINT)
    return ledger


def lock_state(folder: SetFolder) -> dict[str, Any] | None:
    """What set.lock says of the ledger; None where it says nothing."""
    file = folder.path / LOCK
    with suppress(OSError, ValueError):
        return as_dict((as_dict(loads(file.read_bytes())) or {}).get(STATE))
    return None


def append(folder: SetFolder, entry: Entry, vault: Vault) -> Entry:
    """Write an entry behind the last one, on disk before this returns; gives it with its place.

    Raises LedgerError, and changes nothing, where the ledger was altered or cannot be written.
    """
    with alone(folder.path):
        ledger = read(folder)
        if ledger.problems:
            said = "; ".join(str(problem) for problem in ledger.problems[:3])
            raise LedgerError(f"The ledger of exposures was altered, so nothing is sent: {said}.", hint=HINT)
        known = {one.hash: one.number for one in ledger.entries}
        heads = ledger.heads()
        number = 1 + max((known[one] for one in heads), default=0)
        made = entry.model_copy(update={"number": number, "previous": heads}).sealed_by(vault)
        content = b"".join(one.line for one in (*ledger.entries, made))
        try:
            write_whole(folder.path / LEDGER, lambda out: out.write(content), "The ledger of exposures")
            _keep_state(folder, Ledger((*ledger.entries, made), ()))
            _sync(folder.path)
        except (ConfigError, OSError) as cause:
            raise LedgerError(
                f"The exposure cannot be written down, so nothing is sent: {safe(str(cause), 300)}",
                hint="make the set's folder writable",
            ) from cause
    return made


def _keep_state(folder: SetFolder, ledger: Ledger) -> None:
    lock = as_dict(loads((folder.path / LOCK).read_bytes())) or {}
    text = json.dumps({**lock, STATE: ledger.state()}, indent=2, sort_keys=True) + "\n"
    write_whole(folder.path / LOCK, lambda out: out.write(text.encode("utf-8")), "The lock of the set")


def _sync(path: Path) -> None:
    """Have the folder's entries on disk too, where the system can."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
