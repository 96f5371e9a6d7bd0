"""What was read, kept on disk until sessions can be joined: a SQLite file beside the pool, also the checkpoint.

What people wrote is kept only sealed (AES-256-GCM under a key that is never written down), unless nothing is to be
scrubbed; times and links between spans are plain, identities are keyed hashes. Records and the place behind them are
committed together, so whoever is killed goes on where the last commit was.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.identity import encode, loads
from seatrial.errors import Problem, UsageError, safe
from seatrial.traces.observation import Observation, Raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), file INTEGER, number INTEGER,
    offset INTEGER, records INTEGER, added INTEGER, seen INTEGER, late INTEGER, bad INTEGER, family TEXT);
CREATE TABLE IF NOT EXISTS problems (file TEXT, line INTEGER, key TEXT, rule TEXT, value TEXT, hint TEXT);
CREATE TABLE IF NOT EXISTS sessions (hash BLOB PRIMARY KEY, name BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, key BLOB UNIQUE, kind TEXT, trace BLOB, span BLOB,
    parent BLOB, session BLOB, start INTEGER, turns INTEGER, file INTEGER, number INTEGER, payload BLOB);
"""
GROUP = "COALESCE(session, trace, key)"
FAULTS = sqlite3.DatabaseError


class Entry(NamedTuple):
    """An observation in the spool, without its payload."""

    id: int
    key: bytes
    kind: str
    trace: bytes | None
    span: bytes | None
    parent: bytes | None
    start: int | None
    turns: int
    file: int
    number: int


class Progress(NamedTuple):
    """How far the reading of the logs is: the place behind the last record that is kept, and counts."""

    file: int = 0
    number: int = 0
    offset: int = 0
    records: int = 0
    added: int = 0
    seen: int = 0
    late: int = 0
    bad: int = 0
    family: str = ""


class Seal:
    """Seals bytes under a key in memory; without a key they are only compressed."""

    def __init__(self, key: bytes | None) -> None:
        held = hashlib.blake2b(key, digest_size=64).digest() if key is not None else b""
        self._mark = hashlib.blake2b(b"seatrial spool mark", key=held, digest_size=32).digest()
        self._cipher: Any = None
        if key is not None:
            secret = hashlib.blake2b(b"seatrial spool seal", key=held, digest_size=32).digest()
            aead: Any = import_module("cryptography.hazmat.primitives.ciphers.aead")
            self._cipher = aead.AESGCM(secret)

    def mark(self, *parts: str | bytes) -> bytes:
        """A keyed hash of 16 bytes: equal for equal parts, and telling nothing of them."""
        held = hashlib.blake2b(key=self._mark, digest_size=16)
        for part in parts:
            raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            held.update(len(raw).to_bytes(8, "big"))
            held.update(raw)
        return held.digest()

    def close(self, value: bytes) -> bytes:
        """Compressed and sealed."""
        small = zlib.compress(value, 1)
        if self._cipher is None:
            return small
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, small, None)

    def open(self, value: bytes) -> bytes:
        """The bytes again."""
        if self._cipher is None:
            return zlib.decompress(value)
        return zlib.decompress(self._cipher.decrypt(value[:12], value[12:], None))


class Spool:
    """The spool of one import. Raises UsageError where another import holds it, or it cannot be written."""

    def __init__(self, path: Path, identity: str, seal: Seal) -> None:
        self.path = path
        self._seal = seal
        self._rows: list[tuple[Any, ...]] = []
        self._sessions: dict[bytes, bytes] = {}
        self._db = self._opened(identity)

    def _opened(self, identity: str) -> sqlite3.Connection:
        try:
            return self._connected(identity)
        except sqlite3.OperationalError as cause:
            busy = "locked" in str(cause)
            why = "another import is writing there" if busy else str(cause)
            hint = "wait for it, or name another pool" if busy else "name a pool in a folder that you may write to"
            raise UsageError(f"The pool cannot be made at {safe(str(self.path), 200)}: {why}.", hint=hint) from cause
        except FAULTS:  # it is no database, or a damaged one: what it held is read again
            self._unlink()
            return self._connected(identity)

    def _connected(self, identity: str) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, isolation_level=None, timeout=1)
        try:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            for pragma in ("synchronous = NORMAL", "cache_size = -65536", "temp_store = FILE"):
                db.execute(f"PRAGMA {pragma}")
            db.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            held = db.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
            if held != (identity,):
                for table in ("meta", "progress", "problems", "sessions", "seen"):
                    db.execute(f"DELETE FROM {table}")  # noqa: S608  # the names are ours
                db.execute("INSERT INTO meta VALUES ('identity', ?)", (identity,))
            db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db

    def progress(self) -> Progress:
        """Where the last commit was."""
        row = self._db.execute("SELECT * FROM progress").fetchone()
        return Progress(*row[1:]) if row else Progress()

    def add(self, found: Observation, payload: Raw | None, turns: int, place: tuple[int, int]) -> None:
        """Keep an observation until the next commit; one with the ids of an earlier one is left out."""
        mark = self._seal.mark
        body = encode(payload) if payload is not None else b""
        own = "event" if found.kind == "event" else "span"
        if found.span_id and own == "span":
            key = mark(own, found.trace_id, found.span_id)
        else:
            key = mark(own, found.trace_id, found.span_id, str(found.start), body)
        trace = mark("trace", found.trace_id) if found.trace_id else None
        session = mark("session", found.session_id) if found.session_id else None
        if session is not None and session not in self._sessions:
            self._sessions[session] = self._seal.close(found.session_id.encode("utf-8", "surrogatepass"))
        span = mark("span", found.span_id) if found.span_id else None
        parent = mark("span", found.parent_id) if found.parent_id else None
        held = self._seal.close(body) if payload is not None else None
        self._rows.append((key, found.kind, trace, span, parent, session, found.start, turns, *place, held))

    @property
    def waiting(self) -> int:
        """How many observations the next commit will keep."""
        return len(self._rows)

    def commit(self, at: Progress, problems: Iterable[Problem]) -> Progress:
        """Keep what was added, with the place behind it; gives the progress with its counts."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        before = db.total_changes
        marks = ", ".join("?" * 11)
        names = "key, kind, trace, span, parent, session, start, turns, file, number, payload"
        db.executemany(f"INSERT OR IGNORE INTO seen ({names}) VALUES ({marks})", self._rows)  # noqa: S608
        added = db.total_changes - before
        db.executemany("INSERT OR IGNORE INTO sessions VALUES (?, ?)", self._sessions.items())
        rows = [(p.file, p.line, *map(_plain, (p.key, p.rule, p.value, p.hint))) for p in problems]
        db.executemany("INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?)", rows)
        at = at._replace(added=at.added + added, seen=at.seen + len(self._rows))
        db.execute("INSERT OR REPLACE INTO progress VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)", at)
        db.execute("COMMIT")
        self._rows, self._sessions = [], {}
        return at

    def problems(self) -> list[Problem]:
        """The faults that are kept, in the order in which they were found."""
        found = self._db.execute("SELECT rule, file, line, key, value, hint FROM problems ORDER BY rowid")
        return [Problem(*row) for row in found]

    def join(self) -> None:
        """Give every span the session that any span of its trace names, and index the groups."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        db.execute("CREATE INDEX IF NOT EXISTS by_trace ON seen (trace) WHERE trace IS NOT NULL")
        db.execute(
            "UPDATE seen SET session = named.session FROM (SELECT trace, MIN(session) AS session FROM seen "
            "WHERE session IS NOT NULL AND trace IS NOT NULL GROUP BY trace) AS named "
            "WHERE seen.session IS NULL AND seen.trace = named.trace"
        )
        db.execute(f"CREATE INDEX IF NOT EXISTS by_group ON seen ({GROUP})")
        db.execute("COMMIT")

    def groups(self) -> Iterator[bytes]:
        """Every session (or trace, or single request) in which a model was asked, the earliest first."""
        found = self._db.execute(
            f"SELECT {GROUP} AS held, MIN(start) AS first, MIN(id) FROM seen WHERE kind = 'llm' "  # noqa: S608
            "GROUP BY held ORDER BY first IS NULL, first, MIN(id)"
        )
        for row in found:
            yield row[0]

    def group(self, key: bytes) -> list[Entry]:
        """What belongs to one of them, in the order of time."""
        found = self._db.execute(
            "SELECT id, key, kind, trace, span, parent, start, turns, file, number FROM seen "  # noqa: S608
            f"WHERE {GROUP} = ? ORDER BY start IS NULL, start, id",
            (key,),
        )
        return [Entry(*row) for row in found]

    def session(self, key: bytes) -> str:
        """The session's name, empty where the group is none."""
        row = self._db.execute("SELECT name FROM sessions WHERE hash = ?", (key,)).fetchone()
        return self._seal.open(row[0]).decode("utf-8", "surrogatepass") if row else ""

    def payload(self, number: int) -> Raw:
        """What an entry holds."""
        row = self._db.execute("SELECT payload FROM seen WHERE id = ?", (number,)).fetchone()
        return loads(self._seal.open(row[0])) if row and row[0] is not None else {}

    def count(self, kind: str, turns: int | None = None) -> int:
        """How many entries are of a kind (and have so many turns)."""
        more, held = ("", (kind,)) if turns is None else (" AND turns = ?", (kind, turns))
        found = self._db.execute(f"SELECT COUNT(*) FROM seen WHERE kind = ?{more}", held)  # noqa: S608
        return int(found.fetchone()[0])

    def close(self, *, remove: bool = False) -> None:
        """Close the file; `remove` when nothing will go on from it."""
        self._db.close()
        if remove:
            self._unlink()

    def _unlink(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """Text that SQLite can hold."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
