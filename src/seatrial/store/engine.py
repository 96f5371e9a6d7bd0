"""Opening a database: pragmas, transactions, and its schema's revision."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from seatrial.errors import StoreError, StoreVersionError
from seatrial.store import schema

BUSY_MILLISECONDS = 30_000
WAL_PAGES = 8_000
"""How far the log may grow, in pages of 4 KiB, before it is copied into the database: keys are random, so that a
commit touches most pages of an index, and each is copied once however many commits touched it."""


def connect(path: Path) -> Engine:
    """An engine over the SQLite file, created and brought to this version's schema where needed.

    Raises StoreError when the file cannot be used, StoreVersionError when a newer Seatrial wrote it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _ignore(path.parent)
    except OSError as cause:
        raise StoreError(f"{path.parent} cannot be made: {cause.strerror}.", hint="choose another --store") from cause
    engine = create_engine(f"sqlite:///{path}", poolclass=QueuePool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    try:
        _bring_up(engine, path)
    except StoreError:
        engine.dispose()
        raise
    except SQLAlchemyError as cause:
        engine.dispose()
        raise store_error(cause, path) from cause
    return engine


def _ignore(folder: Path) -> None:
    marker = folder / ".gitignore"
    if folder.name == ".seatrial" and not marker.exists():
        marker.write_text("*\n", encoding="utf-8")


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _on_begin, not by the driver's guess
    cursor = connection.cursor()
    waiting, log = f"busy_timeout={BUSY_MILLISECONDS}", f"wal_autocheckpoint={WAL_PAGES}"
    for pragma in (waiting, "journal_mode=WAL", "synchronous=FULL", log):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """One transaction that holds the write lock from its start."""
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        yield connection


def revision(connection: Connection) -> str | None:
    """The schema revision that the database has, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _bring_up(engine: Engine, path: Path) -> None:
    with engine.connect() as connection:
        found = revision(connection)
    if found == schema.REVISION:
        return
    if found is None:
        with writing(engine) as connection:
            if revision(connection) is None:
                create(connection)
        return
    if found > schema.REVISION:
        raise StoreVersionError(
            f"{path} was written by a newer Seatrial (schema {found}, this one knows {schema.REVISION}).",
            hint="upgrade seatrial, or choose another --store",
        )
    from seatrial.store.migrations import upgrade  # Alembic is slow to import and rarely needed

    upgrade(engine)


def create(connection: Connection) -> None:
    """Make all tables of this version in an empty database."""
    schema.metadata.create_all(connection, checkfirst=False)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": schema.REVISION})
    connection.execute(schema.projects.insert(), {"id": schema.PROJECT, "name": "default"})


def store_error(cause: Exception, path: object) -> StoreError:
    """A sentence for a database fault."""
    reason = str(getattr(cause, "orig", None) or cause)
    if "locked" in reason:
        hint = "another process holds the store; wait for it, or choose another --store"
    elif "not a database" in reason or "malformed" in reason:
        hint = "the file is damaged or no Seatrial store; move it away, or choose another --store"
    elif "full" in reason:
        hint = "free disk space, then run the same command again: what was done is kept"
    else:
        hint = "check that the folder can be written to, or choose another --store"
    kind = "the store" if isinstance(cause, DatabaseError) else "the store's database layer"
    return StoreError(f"{path}: {kind} failed: {reason}.", hint=hint)
