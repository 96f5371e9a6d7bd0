"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from seatrial.errors import UsageError, safe


def write_whole(target: Path, fill: Callable[[IO[bytes]], object], what: str) -> None:
    """Write a file with what `fill` puts into it; an older one is replaced, and stays until the new one is whole.

    Folders on the way are made. Raises UsageError where it cannot be written; `what` names it: `The report`.
    """
    try:
        _replace(target, fill)
    except (OSError, ValueError) as fault:
        raise _refused(target, what, fault) from fault


def check_writable(target: Path, what: str) -> None:
    """Raise now what `write_whole` would raise for want of a folder or of a right; nothing is left behind."""
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        folder = next(place for place in target.absolute().parents if place.exists())
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as fault:
        raise _refused(target, what, fault) from fault


def _refused(target: Path, what: str, fault: OSError | ValueError) -> UsageError:
    why = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return UsageError(
        f"{what} cannot be written to {safe(str(target), 200)}: {safe(why)}.",
        hint="name a file in a folder that you may write to",
    )


def _replace(target: Path, fill: Callable[[IO[bytes]], object]) -> None:
    if target.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            fill(out)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(_mode(target))
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The older file's permissions, else what the umask leaves a new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
