"""Whether a store can be used, found out without making or changing it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Literal, NamedTuple

from seatrial.store import schema

State = Literal["ok", "warning", "failed"]


class Health(NamedTuple):
    """How a store is, and what to do about it."""

    state: State
    says: str
    hint: str = ""


def examine(path: Path) -> Health:
    """Look at a store's file: readable, of a known revision, writable. It is neither made nor upgraded."""
    if not path.exists():
        return _to_be_made(path)
    try:
        found = _revision(path)
    except sqlite3.Error as cause:
        busy = "locked" in str(cause)
        hint = "another process holds it" if busy else "move it away, or choose another --store"
        return Health("warning" if busy else "failed", f"{path} cannot be used: {cause}", hint)
    if found is None:
        return Health("failed", f"{path} is a database without a store in it", "choose another --store")
    if found > schema.REVISION:
        says = f"{path} was written by a newer Seatrial (schema {found}, this one knows {schema.REVISION})"
        return Health("failed", says, "upgrade seatrial, or choose another --store")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return Health("failed", f"{path} cannot be written", "check its permissions, or choose another --store")
    later = "" if found == schema.REVISION else f", brought to {schema.REVISION} by the next run"
    return Health("ok", f"{path} is writable, schema {found}{later}")


def _to_be_made(path: Path) -> Health:
    folder = next((parent for parent in path.absolute().parents if parent.exists()), None)
    if folder is None or not folder.is_dir() or not os.access(folder, os.W_OK):
        return Health(
            "failed", f"{path} cannot be made in {folder}", "check its permissions, or choose another --store"
        )
    return Health("ok", f"{path} will be made by the first run")


def _revision(path: Path) -> str | None:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in tables or "outputs" not in tables:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    finally:
        connection.close()
