"""Opening a sealed split for a run: the key, the ledger's entry before anything is sent, and errors without text."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from seatrial.core.record import Json
from seatrial.core.suite import DatasetSpec
from seatrial.core.vault import Vault
from seatrial.datasets.sealing import ledger
from seatrial.datasets.sealing.ledger import Entry, Shown
from seatrial.datasets.sealing.seal import running, vault_of
from seatrial.datasets.versions import git
from seatrial.datasets.versions.folder import CONFIG, SetFolder, is_set
from seatrial.errors import ConfigError, DatasetError, Problem, UsageError, safe
from seatrial.store.store import Store

MOST = "max_exposures"
"""The setting under `sealing` in set.yaml: after so many runs a model has seen the split too often."""


class Open(NamedTuple):
    """A sealed split that is open."""

    folder: SetFolder
    vault: Vault


@contextmanager
def opened(store: Store, spec: DatasetSpec, folder: Path, plain: Sequence[str] = ()) -> Generator[Open | None]:
    """The store, unsealed while this lasts, where the dataset has a sealed split; None, and nothing done, where not.

    `plain`: words that the suite spells out itself. Raises DatasetError for a split that is still to be sealed,
    MissingSecretError and SealKeyError for the key. A ConfigError on the way out loses the values that it quotes.
    """
    path = folder / spec.path
    if "sealed" not in spec.splits or not is_set(path):
        yield None
        return
    found = SetFolder(path)
    if not found.is_sealed:
        raise DatasetError(
            f"The split sealed of {safe(spec.path, 200)} is not sealed yet, and only a sealed one is run.",
            hint=f"`seatrial dataset seal {spec.path}` encrypts it",
        )
    vault = vault_of(found, plain)
    token = running.set(True)
    try:
        with store.unsealed(vault):
            yield Open(found, vault)
    except ConfigError as fault:
        fault.problems = tuple(Problem(p.rule, p.file, p.line, hint=p.hint) for p in fault.problems)
        raise
    finally:
        running.reset(token)


def expose(held: Open, trial: str, version: str, cases: int, shown: Sequence[Shown]) -> Mapping[str, Json]:
    """Write down that these are shown the split; gives what the trial keeps of it.

    Raises LedgerError, and UsageError where set.yaml allows no number of exposures; nothing is written then.
    """
    most = most_exposures(held.folder)
    entry = Entry(
        number=1,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        who=git.author(held.folder.path),
        trial=trial,
        set=held.folder.name,
        version=version,
        cases=cases,
        shown=tuple(shown),
    )
    made = ledger.append(held.folder, entry, held.vault)
    counts = ledger.read(held.folder).exposures()
    models = {one.model: counts[one.model] for one in shown}
    about: dict[str, Json] = {"set": made.set, "number": made.number, "hash": made.hash, "models": models}
    return about if most is None else about | {MOST: most}


def most_exposures(folder: SetFolder) -> int | None:
    """How many runs a model may see the split in before verdicts warn. Raises UsageError where it is no number."""
    found = folder.config.sealing.get(MOST)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise UsageError(
            f"sealing.{MOST} in {safe(folder.shown(folder.path / CONFIG), 200)} must be a whole number of at least 1."
        )
    return found
