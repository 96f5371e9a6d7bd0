"""What was read, kept on disk until sessions can be joined: a SQLite file beside the pool, also the checkpoint.

What people wrote is kept only sealed (AES-256-GCM under a key that is never written down), unless nothing is to be
scrubbed; times and links between spans are plain, identities are keyed hashes. Records and the place behind them are
committed together, so whoever is killed goes on where the last commit was.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
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
    offset INTEGER, records INTEGER, seen INTEGER, late INTEGER, bad INTEGER, family TEXT, mapped TEXT);
CREATE TABLE IF NOT EXISTS problems (file TEXT, line INTEGER, key TEXT, rule TEXT, value TEXT, hint TEXT);
CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, key BLOB, kind TEXT, trace BLOB, span BLOB,
    parent BLOB, session BLOB, start INTEGER, turns INTEGER, file INTEGER, number INTEGER,
    block INTEGER, place INTEGER, size INTEGER);
CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, body BLOB);
"""
TABLES = ("meta", "progress", "problems", "seen", "blocks")
GROUP = "COALESCE(seen.session, seen.trace, seen.key)"
BLOCK = 1 << 14
"""Bytes of payloads that are sealed together."""
OPENED = 1 << 22
"""Bytes of opened blocks that are kept at hand."""
FAULTS = sqlite3.DatabaseError
MARKED = ("span", "event", "trace", "session")
"""What is marked: a thing that was observed, its trace, its session."""


class Entry(NamedTuple):
    """An observation in the spool; `block`, `place` and `size` tell where what it holds is, if it holds anything.

    `parent` is empty where there is none.
    """

    id: int
    key: bytes
    kind: str
    trace: bytes | None
    span: bytes | None
    parent: bytes
    session: bytes | None
    start: int | None
    turns: int
    file: int
    number: int
    block: int | None
    place: int
    size: int


FIELDS = Entry._fields


class Progress(NamedTuple):
    """How far the reading of the logs is: the place behind the last record that is kept, and counts.

    `mapped`: a 1 for each path of the mapping that some record had, in the order of the sorted fields, else a 0.
    """

    file: int = 0
    number: int = 0
    offset: int = 0
    records: int = 0
    seen: int = 0
    late: int = 0
    bad: int = 0
    family: str = ""
    mapped: str = ""


class Seal:
    """Seals bytes under a key in memory; without a key they stay as they are."""

    def __init__(self, key: bytes | None) -> None:
        held = hashlib.blake2b(key, digest_size=64).digest() if key is not None else b""
        mark = hashlib.blake2b(b"seatrial spool mark", key=held, digest_size=32).digest()
        begun = hashlib.blake2b(key=mark, digest_size=16)
        self._marks = {kind: begun.copy() for kind in MARKED}
        for kind, mark in self._marks.items():
            mark.update(_measured(kind))
        self._cipher: Any = None
        if key is not None:
            secret = hashlib.blake2b(b"seatrial spool seal", key=held, digest_size=32).digest()
            aead: Any = import_module("cryptography.hazmat.primitives.ciphers.aead")
            self._cipher = aead.AESGCM(secret)

    def mark(self, kind: str, *parts: str | bytes) -> bytearray:
        """A keyed hash of 16 bytes: equal for equal parts of one of the kinds `MARKED`, and telling nothing of them.

        As a bytearray, which `sqlite3` takes as it is; for bytes it looks for an adapter each time.
        """
        mark = self._marks[kind].copy()
        for part in parts:
            mark.update(_measured(part))
        return bytearray(mark.digest())

    def close(self, value: bytes) -> bytes:
        """Sealed."""
        if self._cipher is None:
            return value
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, value, None)

    def open(self, value: bytes) -> bytes:
        """The bytes again."""
        if self._cipher is None:
            return value
        return self._cipher.decrypt(value[:12], value[12:], None)


def _measured(part: str | bytes) -> bytes:
    """A part with its length before it, so that no two lists of parts read the same."""
    raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
    return len(raw).to_bytes(8, "big") + raw


class Spool:
    """The spool of one import. Raises UsageError where another import holds it, or it cannot be written.

    `waiting` is how many observations the next commit will keep.
    """

    def __init__(self, path: Path, identity: str, seal: Seal) -> None:
        self.path = path
        self.waiting = 0
        self._seal = seal
        self._rows: list[tuple[Any, ...]] = []
        self._blocks: list[tuple[int, bytes]] = []
        self._body = bytearray()
        self._open: dict[int, bytes] = {}
        self._held = 0
        self._last = 0, (b"", b"")
        self._db = self._opened(identity)
        self._block = int(self._db.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM blocks").fetchone()[0])

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
            db.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")
            held = db.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
            if held != (identity,):
                for table in TABLES:
                    db.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('identity', ?)", (identity,))
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
        """Keep an observation until the next commit; `join` leaves out one with the ids of an earlier one."""
        mark = self._seal.mark
        kind, trace_id, span_id, session_id = found.kind, found.trace_id, found.span_id, found.session_id
        body = encode(payload) if payload is not None else b""
        if kind == "event":
            key = mark("event", trace_id, span_id, str(found.start), body)
        elif span_id:
            key = mark("span", trace_id, span_id)
        else:
            key = mark("span", trace_id, span_id, str(found.start), body)
        trace = mark("trace", trace_id) if trace_id else None
        session = mark("session", session_id) if session_id else None
        span = mark("span", span_id) if span_id else None
        parent = mark("span", found.parent_id) if found.parent_id else bytearray()
        where = self._keep(body, session_id) if body or session_id else (None, 0, 0)
        self.waiting += 1
        self._rows.append((key, kind, trace, span, parent, session, found.start, turns, *place, *where))

    def _keep(self, body: bytes, session: str) -> tuple[int, int, int]:
        """Put a payload and the name of its session into the block that is being filled; gives where they are."""
        if len(self._body) >= BLOCK:
            self._seal_block()
        start = len(self._body)
        self._body += body + b"\n" + session.encode("utf-8", "surrogatepass")
        return self._block, start, len(self._body) - start

    def _seal_block(self) -> None:
        if self._body:
            self._blocks.append((self._block, self._seal.close(bytes(self._body))))
            self._block += 1
            self._body = bytearray()

    def commit(self, at: Progress, problems: Iterable[Problem]) -> Progress:
        """Keep what was added, with the place behind it; gives the progress with its counts."""
        db = self._db
        self._seal_block()
        db.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" * len(FIELDS[1:]))
        db.executemany(f"INSERT INTO seen ({', '.join(FIELDS[1:])}) VALUES ({marks})", self._rows)  # noqa: S608
        db.executemany("INSERT INTO blocks VALUES (?, ?)", self._blocks)
        rows = [(p.file, p.line, *map(_plain, (p.key, p.rule, p.value, p.hint))) for p in problems]
        db.executemany("INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?)", rows)
        at = at._replace(seen=at.seen + len(self._rows))
        db.execute("INSERT OR REPLACE INTO progress VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)", at)
        db.execute("COMMIT")
        self._rows, self._blocks, self.waiting = [], [], 0
        return at

    def problems(self) -> list[Problem]:
        """The faults that are kept, in the order in which they were found."""
        found = self._db.execute("SELECT rule, file, line, key, value, hint FROM problems ORDER BY rowid")
        return [Problem(*row) for row in found]

    def join(self) -> None:
        """Leave out duplicates, give every span the session that any span of its trace names, and index the groups.

        Duplicates are found here and not when they are added: one sort of all keys writes far less than an index of
        random keys, most of whose pages every commit would change.
        """
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "DELETE FROM seen WHERE id IN (SELECT seen.id FROM seen CROSS JOIN (SELECT key, MIN(id) AS first FROM seen "
            "GROUP BY key HAVING COUNT(*) > 1) AS twice WHERE seen.key = twice.key AND seen.id > twice.first)"
        )
        if self._any("session IS NULL AND trace IS NOT NULL") and self._any(
            "session IS NOT NULL AND trace IS NOT NULL"
        ):
            db.execute("CREATE INDEX IF NOT EXISTS by_trace ON seen (trace) WHERE trace IS NOT NULL")
            db.execute(
                "UPDATE seen SET session = named.session FROM (SELECT trace, MIN(session) AS session FROM seen "
                "WHERE session IS NOT NULL AND trace IS NOT NULL GROUP BY trace) AS named "
                "WHERE seen.session IS NULL AND seen.trace = named.trace"
            )
        db.execute("CREATE INDEX IF NOT EXISTS by_group ON seen (COALESCE(session, trace, key))")
        db.execute("COMMIT")

    def _any(self, condition: str) -> bool:
        return self._db.execute(f"SELECT 1 FROM seen WHERE {condition} LIMIT 1").fetchone() is not None  # noqa: S608

    def groups(self) -> Iterator[list[Entry]]:
        """Every session (or trace, or single request) in which a model was asked, the earliest first.

        Each is what belongs to it, in the order of time.
        """
        names = ", ".join(f"seen.{name}" for name in FIELDS)
        found = self._db.execute(
            f"SELECT least, {names} FROM (SELECT {GROUP} AS held, MIN(start) AS first, MIN(id) AS least FROM seen "  # noqa: S608
            f"WHERE kind = 'llm' GROUP BY held) AS asked JOIN seen ON {GROUP} = asked.held "
            "ORDER BY first IS NULL, first, least, start IS NULL, start, id"
        )
        entries: list[Entry] = []
        group = None
        for least, *row in found:
            if least != group and entries:
                yield entries
                entries = []
            group = least
            entries.append(Entry._make(row))
        if entries:
            yield entries

    def session(self, entries: Iterable[Entry]) -> str:
        """The name of a group's session, empty where the group is none."""
        for entry in entries:
            if entry.session is not None:
                name = self._stored(entry)[1]
                if name:
                    return name.decode("utf-8", "surrogatepass")
        return ""

    def payload(self, entry: Entry) -> Raw:
        """What an entry holds."""
        body = self._stored(entry)[0]
        return loads(body) if body else {}

    def _stored(self, entry: Entry) -> tuple[bytes, bytes]:
        """A payload's JSON and the name of a session; each of them may be empty."""
        if entry.id != self._last[0]:
            body, _, name = self._read(entry).partition(b"\n")
            self._last = entry.id, (body, name)
        return self._last[1]

    def _read(self, entry: Entry) -> bytes:
        """A payload's JSON, a line break, and the name of a session."""
        if entry.block is None:
            return b""
        body = self._open.get(entry.block)
        if body is None:
            row = self._db.execute("SELECT body FROM blocks WHERE id = ?", (entry.block,)).fetchone()
            body = self._seal.open(row[0])
            self._held += len(body)
            while self._open and self._held > OPENED:
                self._held -= len(self._open.pop(next(iter(self._open))))
            self._open[entry.block] = body
        return body[entry.place : entry.place + entry.size]

    def count(self, kind: str | None = None) -> int:
        """How many entries there are, or are of a kind."""
        found = self._db.execute("SELECT COUNT(*) FROM seen WHERE ? IS NULL OR kind = ?", (kind, kind))
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
