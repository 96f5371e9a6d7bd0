"""One process at a time in a set's folder: what reads it, and then writes what it read, lets nobody in between."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from seatrial.datasets.versions.folder import CONFIG, HISTORY, LABELS, LEDGER, LOCK, SEALED, SPLITS
from seatrial.errors import UsageError, safe

PATIENCE = 60.0
"""Seconds to wait for another process."""
TICK = 0.05
FILES = (*(f"{split}.jsonl" for split in SPLITS), CONFIG, LOCK, HISTORY, LEDGER, SEALED)
P = ParamSpec("P")
R = TypeVar("R")
_mine: ContextVar[frozenset[Path]] = ContextVar("mine", default=frozenset())


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Wait until no other process is at work in a folder, and keep others out while this lasts. May be nested.

    A lock of the operating system on the folder itself: it ends with the process, however that ends, and leaves no
    file. Where the system or the disk has no such lock, or the folder is not there yet, nobody is kept out. Raises
    UsageError after `PATIENCE` seconds. What a process that was killed left half-written of the set's files is deleted:
    it may be the text of cases to be sealed.
    """
    place = folder.resolve()
    handle = None if place in _mine.get() else _locked(folder)
    if handle is not None:
        _clear(folder)
    token = _mine.set(_mine.get() | {place})
    try:
        yield
    finally:
        _mine.reset(token)
        if handle is not None:
            os.close(handle)


def one_at_a_time(work: Callable[P, R]) -> Callable[P, R]:
    """A function whose first argument, `path`, is a set's folder (or a pool in one), done alone in that folder."""

    @wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> R:
        path = Path(str(args[0] if args else kwargs["path"]))
        with alone(path if path.is_dir() else path.parent):
            return work(*args, **kwargs)

    return done


def _clear(folder: Path) -> None:
    """Delete parts of files that whoever wrote them does not live to complete: nobody else is at work here."""
    for pattern in (*(f".{name}.*.part" for name in FILES), f"{LABELS}/.*.part"):
        for part in folder.glob(pattern):
            with suppress(OSError):
                part.unlink()


def _locked(folder: Path) -> int | None:
    """A handle that holds the lock until it is closed; None where there is no lock to be had."""
    try:
        import fcntl  # not on Windows

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    until = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise _busy(folder) from None
                time.sleep(TICK)
            except OSError:  # a disk without such locks
                os.close(handle)
                return None
            else:
                return handle
    except BaseException:
        os.close(handle)
        raise


def _busy(folder: Path) -> UsageError:
    return UsageError(
        f"Another process is at work in {safe(str(folder), 200)}, for more than {PATIENCE:g} seconds now.",
        hint="wait until it is done, or end it; then try again: nothing was changed",
    )
