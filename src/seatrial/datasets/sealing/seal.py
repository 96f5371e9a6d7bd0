"""Sealing a set's sealed split, exchanging its key, and reading it with the key."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from seatrial.core import vault
from seatrial.core.case import Case
from seatrial.core.identity import loads
from seatrial.core.record import Json
from seatrial.core.suite import DatasetSpec
from seatrial.core.vault import MARK, Keys, Vault, environment_key, mark_of
from seatrial.datasets.labelling.journal import forget, held
from seatrial.datasets.reading.reader import read as read_plain
from seatrial.datasets.sealing import fileformat
from seatrial.datasets.sealing.fileformat import Header
from seatrial.datasets.sealing.ledger import must_be_whole
from seatrial.datasets.sealing.leftovers import Leftovers, find
from seatrial.datasets.versions.alone import one_at_a_time
from seatrial.datasets.versions.committing import commit
from seatrial.datasets.versions.encrypted import ENCRYPTS, PLAIN
from seatrial.datasets.versions.folder import LABELS, SEALED, SetFolder, split_bytes
from seatrial.datasets.versions.history import Commit
from seatrial.datasets.versions.working import base_of
from seatrial.errors import ConfigError, DatasetError, Problem, SealBrokenError, UsageError, safe
from seatrial.store.sealed import reseal
from seatrial.store.store import Store

OLD = "SEATRIAL_SEAL_KEY_OLD"
NOTICE = (
    "This is sealed evaluation data. It must not appear in training data. "
    "Who finds the canary {canary} in a corpus has found sealed cases in it."
)


class Sealing(NamedTuple):
    """What sealing did: the cases that are sealed now, those that were new, and where their text still lies open.

    `forgotten`: lines of people's journals about the new cases, which were taken out.
    """

    header: Header
    new: int
    left: Leftovers
    commit: Commit
    forgotten: int = 0


class Exchanged(NamedTuple):
    """An exchange of keys: the header now, and how many payloads of the store were brought over."""

    header: Header
    payloads: int
    commit: Commit


@one_at_a_time
def seal(path: Path | str, *, store: Path | None = None, environ: Mapping[str, str] = os.environ) -> Sealing:
    """Encrypt a set's sealed.jsonl into sealed.bin, remove it, and commit the set.

    Where sealed.bin is there already, the new cases join those in it, and none twice: after a kill the same command
    goes on. `store` is looked through for the same cases in plain. Raises MissingSecretError and SealKeyError for the
    key, DatasetError where there is nothing new to seal or cases disagree, SealBrokenError where sealed.bin was
    altered, LedgerError where the ledger was altered or cut, UsageError where somebody labels the set right now.
    """
    folder = SetFolder(path)
    folder.must_exist()
    must_be_whole(folder, store)
    key = environment_key(environ)
    before = list(_sealed(folder, key)) if folder.is_sealed else []
    plain = folder.file("sealed")
    new = list(read_plain(DatasetSpec(path=plain.name, format="jsonl"), folder.path)) if plain.exists() else []
    if not before and not new:
        raise DatasetError(
            f"The set {safe(str(folder.path), 200)} has no case in sealed.jsonl to seal.",
            hint="`seatrial dataset sample` sets some aside, or move cases there",
        )
    if not new and not plain.exists() and _is_committed(folder):
        raise DatasetError(
            f"The set {safe(str(folder.path), 200)} is sealed and committed: nothing is new.",
            hint="put new cases into sealed.jsonl, then seal again",
        )
    header, marked = _marked(folder, key, before, new)
    cases = _joined(folder, before, marked)
    with held(folder.path / LABELS):
        if len(cases) > len(before):
            _write(folder, header, key, cases)
        forgotten = forget(folder.path / LABELS, {case.id for case in new})
        folder.remove("sealed")
    header = fileformat.read_header(folder.sealed_file)
    message = f"Seal {len(cases) - len(before):,} cases" if new else "Seal the split"
    made = _commit(folder, message, _encrypts(folder, cases, new))
    return Sealing(header, len(cases) - len(before), find(folder, cases, store), made, forgotten)


@one_at_a_time
def rekey(path: Path | str, *, store: Path | None = None, environ: Mapping[str, str] = os.environ) -> Exchanged:
    """Encrypt a sealed split, and what the store keeps of it, under the environment's key in place of the old one's.

    The old key is in SEATRIAL_SEAL_KEY_OLD. After a kill the same command goes on. Raises as `seal` does.
    """
    folder = SetFolder(path)
    folder.must_exist()
    if not folder.is_sealed:
        raise DatasetError(
            f"The set {safe(str(folder.path), 200)} is not sealed.", hint="`seatrial dataset seal` seals it"
        )
    must_be_whole(folder, store)
    key, old = environment_key(environ), environment_key(environ, OLD)
    header = fileformat.read_header(folder.sealed_file)
    done = Keys(key, header.canary).id == header.key_id
    cases = list(_sealed(folder, key if done else old))
    if not done:
        _write(folder, _header(folder, key, header.canary, len(cases)), key, cases)
        header = fileformat.read_header(folder.sealed_file)
    moved = 0
    if store is not None and store.exists():
        with Store(store) as opened:
            moved = reseal(opened, _vault(old, header.canary, cases), _vault(key, header.canary, cases))
    return Exchanged(header, moved, _commit(folder, "Exchange the key of the sealed split"))


running: ContextVar[bool] = ContextVar("running", default=False)
"""Whether a run is under way, which alone reads sealed cases."""


def unsealed_cases(folder: SetFolder) -> Iterator[Case]:
    """The sealed cases, by the key in the environment, while a run is under way.

    Raises UsageError outside a run, MissingSecretError without a key, SealKeyError for a wrong one, SealBrokenError
    where the file was altered.
    """
    if not running.get():
        raise UsageError(
            f"The sealed split of {safe(str(folder.path), 200)} is opened by a run only.",
            hint="ask for its other splits",
        )
    yield from _sealed(folder, environment_key(os.environ))


def sealed_hashes(folder: SetFolder) -> list[str]:
    """The identities of the sealed cases, sorted by id; nothing of their text. Raises as `unsealed_cases` in a run."""
    cases = sorted(
        _sealed(folder, environment_key(os.environ)), key=lambda case: case.id.encode("utf-8", "surrogatepass")
    )
    return [case.hash for case in cases]


def cases_to_compare(folder: SetFolder) -> list[Case] | None:
    """The sealed cases for a comparison that shows nothing of them; None without the key. Raises as `sealed_hashes`."""
    return list(_sealed(folder, environment_key(os.environ))) if vault.has_key(os.environ) else None


def vault_of(folder: SetFolder, plain: Iterable[str] = ()) -> Vault:
    """What a run over a sealed split keeps its text in, by the key in the environment. Raises as `sealed_hashes`."""
    key = environment_key(os.environ)
    header = fileformat.read_header(folder.sealed_file)
    first = next(_sealed(folder, key), None)
    return _vault(key, header.canary, [] if first is None else [first], plain)


def _vault(key: str, canary: str, cases: Iterable[Case], plain: Iterable[str] = ()) -> Vault:
    mark = next((mark_of(case) for case in cases), None) or {}
    try:
        return Vault(Keys(key, canary), bytes.fromhex(mark["secret"]), plain)
    except (KeyError, TypeError, ValueError):
        raise SealBrokenError("The sealed cases do not hold the secret of their set.", hint=fileformat.HINT) from None


def _sealed(folder: SetFolder, key: str) -> Iterator[Case]:
    vault.opened = True
    for line in fileformat.read(folder.sealed_file, key):
        try:
            yield Case.model_validate(loads(line))
        except (ValueError, ValidationError):
            name = safe(str(folder.sealed_file), 200)
            raise SealBrokenError(f"{name} holds what is no case.", hint=fileformat.HINT) from None


def canary_of(folder: SetFolder) -> str:
    """The canary of a set that is sealed or committed; empty where it has none yet."""
    if folder.is_sealed:
        return fileformat.read_header(folder.sealed_file).canary
    return folder.lock.canary if folder.lock is not None else ""


def _header(folder: SetFolder, key: str, canary: str, cases: int) -> Header:
    return Header(
        set=folder.name,
        canary=canary,
        key_id=Keys(key, canary).id,
        salt=fileformat.new_salt(),
        cases=cases,
        notice=NOTICE.format(canary=canary),
    )


def _marked(folder: SetFolder, key: str, before: list[Case], new: list[Case]) -> tuple[Header, list[Case]]:
    """The header to write, and the new cases with their mark."""
    canary = canary_of(folder) or str(uuid.uuid4())
    known = mark_of(before[0]) if before else None
    secret = known["secret"] if known else secrets.token_hex(vault.KEY_BYTES)
    mark = {"canary": canary, "notice": NOTICE.format(canary=canary), "secret": secret}
    marked = [Case.model_validate(c.recorded | {"metadata": {**c.metadata, MARK: mark}}) for c in new]
    return _header(folder, key, canary, 0), marked


def _joined(folder: SetFolder, before: list[Case], new: list[Case]) -> list[Case]:
    """All sealed cases. Raises DatasetError, naming none, for ids that are taken."""
    known = {case.id: case for case in before}
    fresh = [case for case in new if case.id not in known]
    taken = sum(known[case.id].hash != case.hash for case in new if case.id in known)
    held = {case.id for case in (*known.values(), *fresh)}
    both = sum(case.id in held for split in ("build", "test") for case in folder.cases(split))
    problems = [
        Problem(f"{count:,} ids are those of {what}", folder.shown(folder.file("sealed")), hint="give each its own id")
        for count, what in ((taken, "other sealed cases"), (both, "open cases"))
        if count
    ]
    if problems:
        raise DatasetError("The sealed split was not written.", problems=problems)
    return [*before, *fresh]


def _write(folder: SetFolder, header: Header, key: str, cases: list[Case]) -> None:
    content = split_bytes(cases, folder.shown(folder.sealed_file))
    whole = header.model_copy(update={"cases": len(cases)})
    fileformat.write(folder.sealed_file, whole, Keys(key, header.canary), [content])


def _is_committed(folder: SetFolder) -> bool:
    """Whether the lock knows this sealed.bin: where a kill came before the commit it does not."""
    base = base_of(folder)
    return base is not None and base.files.get(SEALED) == folder.sha256(SEALED)


def _encrypts(folder: SetFolder, cases: list[Case], new: list[Case]) -> dict[str, Json]:
    """Which sealed.jsonl of the history these are, so that its versions can be put back; a new digest is never told."""
    given = {case.id: case for case in new}
    plain = split_bytes((given.get(case.id) or _unmarked(case) for case in cases), folder.shown(folder.file("sealed")))
    found = sha256(plain).hexdigest()
    return {ENCRYPTS: found} if any(one.files.get(PLAIN) == found for one in folder.history.commits) else {}


def _unmarked(case: Case) -> Case:
    metadata = {key: value for key, value in case.metadata.items() if key != MARK}
    rest = {key: value for key, value in case.recorded.items() if key != "metadata"}
    return Case.model_validate(rest | {"metadata": metadata} if metadata else rest)


def _commit(folder: SetFolder, message: str, evolution: Mapping[str, Json] | None = None) -> Commit:
    folder.refresh()
    try:
        return commit(folder.path, message, evolution=evolution, allow_unlabelled=True).commit
    except ConfigError as fault:
        fault.hint = f"the split is sealed; mend this, then `seatrial dataset commit {folder.path} -m …`. {fault.hint}"
        raise
