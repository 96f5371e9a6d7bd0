"""What watching writes beside a trial, and the lock that keeps two of them apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256

from sqlalchemy import select

from seatrial.core.identity import canonical, loads
from seatrial.core.record import Json, as_dict
from seatrial.errors import StoreError
from seatrial.store import schema
from seatrial.store.store import Store

KEY = "watch"


def annotate(store: Store, trial_id: str, fields: Mapping[str, Json]) -> None:
    """Add to what watching has noted of a trial; other facts of the trial stay as they are."""
    t = schema.trials
    with store.writing() as connection:
        row = connection.execute(select(t.c.environment).where(t.c.id == trial_id)).one()
        environment = as_dict(loads(row[0])) or {}
        noted = {**(as_dict(environment.get(KEY)) or {}), **fields}
        changed = canonical({**environment, KEY: noted})
        connection.execute(t.update().where(t.c.id == trial_id), {"environment": changed})


@contextmanager
def alone(store: Store, name: str) -> Generator[bool]:
    """Whether nobody else watches under this name in this store; held until the block, or the process, ends.

    The lock is SQLite's own on a small file beside the store, so a killed process leaves none behind.
    """
    path = store.path.with_name(f"{store.path.name}.{sha256(name.encode()).hexdigest()[:12]}.watch")
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            yield _taken(connection)
    except sqlite3.Error as cause:
        raise StoreError(f"{path}: the lock of watch cannot be made: {cause}.", hint="check the folder") from cause


def _taken(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as cause:
        if "locked" in str(cause):
            return False
        raise
    return True
