"""The one thread that commits outputs and scores, in groups.

A fast run commits a few times a second and so pays for few disk syncs; a slow one waits for none. A result counts as
done only when its `done` callback has come back: `kill -9` loses nothing that was reported.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, select

from seatrial.core.identity import encode, to_bytes
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.core.vault import Vault
from seatrial.errors import SeatrialError, StoreError
from seatrial.store import schema
from seatrial.store.codec import pack, pack_json, pack_sealed
from seatrial.store.sealed import SEAL, open_output, open_score
from seatrial.store.store import OUTPUT_STATUSES, STATUSES, Store, chunks, insert, storable

GROUP = 2000
MANY = 800
"""So many entries are committed at once, however soon after the last commit."""
PAUSE = 0.2
"""Seconds between commits while there are fewer entries and more are to come."""


@dataclass(slots=True, eq=False)
class NewOutput:
    """An output to keep, with the canonical JSON of its request. `id` is set when it is committed.

    `lost`: another process had kept its own under the same key; that one stands, and `id` is that one's.
    """

    request_hash: bytes
    series: str
    epoch: int
    attempt: int
    output: Output
    request: str
    id: int = 0
    lost: bool = False


@dataclass(slots=True, eq=False)
class NewScore:
    """A score to keep. `id` is set when it is committed."""

    key: bytes
    attempt: int
    scorer_id: int
    score: Score
    id: int = 0


@dataclass(slots=True, eq=False)
class Entry:
    """What is committed together: an output, or scores of an output that was handed in earlier."""

    output: NewOutput | None = None
    scores: Sequence[NewScore] = ()
    output_id: int = 0
    owner: NewOutput | None = None
    done: Callable[[], object] | None = None


class Writer:
    """Commits entries in the order they were put. Use as a context manager; leaving waits for all of them."""

    def __init__(self, store: Store, tell: Callable[[Sequence[Callable[[], object]]], object] | None = None) -> None:
        """`tell` gets the `done` callbacks of what was committed, on the writer's thread; it calls them by itself."""
        self._store, self._tell = store, tell or call_all
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="seatrial-writer", daemon=True)
        self._due = threading.Event()
        self._rested = 0.0
        self._failure: Exception | None = None
        self.on_failure: Callable[[], object] | None = None

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self.hurry()
        self._thread.join()
        self.check()

    @property
    def backlog(self) -> int:
        """How many entries wait."""
        return self._queue.qsize()

    def check(self) -> None:
        """Raise what made the writer stop, if anything did."""
        if isinstance(self._failure, SeatrialError):
            raise self._failure
        if self._failure is not None:
            raise StoreError(f"The store's writer stopped: {self._failure}.") from self._failure

    def put(self, entry: Entry) -> None:
        """Hand in an entry. Raises StoreError when the writer has stopped."""
        self.check()
        self._queue.put(entry)
        if self._queue.qsize() >= MANY:
            self.hurry()

    def hurry(self) -> None:
        """Commit what waits without a pause: nothing else comes before it is done."""
        self._due.set()

    def _work(self) -> None:
        try:
            while (group := self._next_group()) is not None:
                with self._store.writing() as connection:
                    commit(connection, group, self._store.vault)
                self._rested = time.monotonic() + PAUSE
                if told := [entry.done for entry in group if entry.done is not None]:
                    self._tell(told)
        except Exception as failure:  # noqa: BLE001  # handed to whoever puts or closes
            self._failure = failure
            if self.on_failure is not None:
                self.on_failure()

    def _next_group(self) -> list[Entry] | None:
        first = self._queue.get()
        if first is None:
            return None
        self._due.wait(self._rested - time.monotonic())
        self._due.clear()
        group = [first]
        while len(group) < GROUP:
            try:
                entry = self._queue.get_nowait()
            except Empty:
                break
            if entry is None:
                self._queue.put(None)
                break
            group.append(entry)
        return group


def call_all(callbacks: Sequence[Callable[[], object]]) -> None:
    """Call them in order."""
    for callback in callbacks:
        callback()


def commit(connection: Connection, group: Sequence[Entry], vault: Vault | None = None) -> None:
    """Write a group, sealed where there is a vault. What another process has kept meanwhile under a key stands."""
    _keep_outputs(connection, [e.output for e in group if e.output is not None], vault)
    _keep_scores(connection, group, vault)


def _keep_outputs(connection: Connection, new: Sequence[NewOutput], vault: Vault | None) -> None:
    if not new:
        return
    _number_outputs(connection, new, {})
    if not _try_outputs(connection, new, vault):
        known: dict[tuple[Any, ...], int] = {}
        t = schema.outputs.c
        query = select(t.request_hash, t.series, t.epoch, t.attempt, t.id)
        for chunk in chunks(new):
            for row in connection.execute(query.where(t.request_hash.in_([n.request_hash for n in chunk]))):
                known[tuple(row[:4])] = row[4]
        _number_outputs(connection, new, known)
        _try_outputs(connection, new, vault)


def _number_outputs(connection: Connection, new: Sequence[NewOutput], known: dict[tuple[Any, ...], int]) -> None:
    """Give each output its number; one whose key is known already has lost."""
    next_id = _last_id(connection, schema.outputs) + 1
    for item in new:
        key = (item.request_hash, item.series, item.epoch, item.attempt)
        item.lost = key in known
        if not item.lost:
            known[key] = next_id
            next_id += 1
        item.id = known[key]


def _try_outputs(connection: Connection, new: Sequence[NewOutput], vault: Vault | None) -> bool:
    """Insert the outputs that have not lost; false, and nothing inserted, when a key is taken."""
    fresh = [item for item in new if not item.lost]
    with connection.begin_nested() as savepoint:
        rows = [_output_row(item, vault) for item in fresh]
        if insert(connection, schema.outputs, OUTPUT_COLUMNS, rows, ignore=True) != len(fresh):
            savepoint.rollback()
            return False
        payloads = [(item.id, _output_payload(item.output, vault)) for item in fresh]
        insert(connection, schema.output_payloads, ("output_id", "payload"), payloads)
        timings = [_timing_row(item) for item in fresh if item.output.timing.total is not None]
        insert(connection, schema.output_timings, TIMING_COLUMNS, timings)
        priced = [(item.id, storable(item.output.price_source)) for item in fresh if item.output.price_source]
        insert(connection, schema.output_prices, ("output_id", "source"), priced)
        requests = {item.request_hash: item.request for item in fresh}
        bodies = [
            (raw, schema.PROJECT, _request_payload(text.encode("ascii"), vault)) for raw, text in requests.items()
        ]
        insert(connection, schema.requests, ("hash", "project_id", "payload"), bodies, ignore=True)
    return True


def _output_payload(output: Output, vault: Vault | None) -> bytes:
    if vault is None:
        return pack(output.recorded)
    return pack_sealed(encode(output.recorded), open_output(output, vault), vault)


def _request_payload(raw: bytes, vault: Vault | None) -> bytes:
    return pack_json(raw) if vault is None else pack_sealed(raw, {SEAL: {}}, vault)


def _score_payload(details: dict[str, Any], vault: Vault | None) -> bytes:
    return pack(details) if vault is None else pack_sealed(encode(details), open_score(details, vault), vault)


def _keep_scores(connection: Connection, group: Sequence[Entry], vault: Vault | None) -> None:
    pairs = [(e, score) for e in group for score in e.scores if e.owner is None or not e.owner.lost]
    if not pairs:
        return
    if not _try_scores(connection, pairs, {}, vault):
        t = schema.scores.c
        known: dict[tuple[bytes, int], int] = {}
        for chunk in chunks(pairs):
            query = select(t.key, t.attempt, t.id).where(t.key.in_([score.key for _, score in chunk]))
            for row in connection.execute(query):
                known[row[0], row[1]] = row[2]
        _try_scores(connection, pairs, known, vault)


def _try_scores(
    connection: Connection,
    pairs: Sequence[tuple[Entry, NewScore]],
    known: dict[tuple[bytes, int], int],
    vault: Vault | None,
) -> bool:
    """Number and insert the scores whose key is not known; false, and nothing inserted, when a key is taken."""
    next_id = _last_id(connection, schema.scores) + 1
    rows: list[tuple[Any, ...]] = []
    payloads: list[tuple[int, bytes]] = []
    for entry, item in pairs:
        key = (item.key, item.attempt)
        if key not in known:
            known[key] = next_id
            next_id += 1
            rows.append(_score_row(known[key], entry.owner.id if entry.owner is not None else entry.output_id, item))
            details = _details(item.score)
            if details:
                payloads.append((known[key], _score_payload(details, vault)))
        item.id = known[key]
    with connection.begin_nested() as savepoint:
        if insert(connection, schema.scores, SCORE_COLUMNS, rows, ignore=True) != len(rows):
            savepoint.rollback()
            return False
        insert(connection, schema.score_payloads, ("score_id", "payload"), payloads)
    return True


def _details(score: Score) -> dict[str, Any]:
    """What of a score is no number."""
    found: dict[str, Any] = {}
    if score.reason:
        found["reason"] = score.reason
    if score.unit:
        found["unit"] = score.unit
    if score.evidence:
        found["evidence"] = [evidence.plain() for evidence in score.evidence]
    return found


def _last_id(connection: Connection, table: Any) -> int:
    return connection.exec_driver_sql(f"SELECT max(id) FROM {table.name}").scalar() or 0  # noqa: S608  # our own name


def output_status(output: Output) -> str:
    """`ok`, `model_failure` or `infra_error`."""
    if output.failure is None:
        return "ok"
    return "model_failure" if output.failure.kind == "model" else "infra_error"


OUTPUT_COLUMNS = (
    *("id", "request_hash", "series", "epoch", "attempt", "hash", "status", "latency", "first_token", "cost"),
    *("input_tokens", "output_tokens", "served_model", "fingerprint", "finished_at"),
)


def _output_row(item: NewOutput, vault: Vault | None) -> tuple[Any, ...]:
    output, raw = item.output, to_bytes(item.output.hash)
    return (
        item.id,
        item.request_hash,
        item.series,
        item.epoch,
        item.attempt,
        raw if vault is None else vault.blind(raw),
        OUTPUT_STATUSES.index(output_status(output)),
        output.timing.total,
        output.timing.first_token,
        output.cost,
        bounded(output.usage.input),
        bounded(output.usage.output),
        storable(output.served_model),
        storable(output.fingerprint),
        storable(output.finished_at),
    )


TIMING_COLUMNS = ("output_id", "load", "inter_token", "queued", "late", "lagged")


def _timing_row(item: NewOutput) -> tuple[Any, ...]:
    timing = item.output.timing
    late, lagged = int(timing.late), int(timing.lagged)
    return item.id, storable(timing.load), item.output.inter_token, timing.queued, late, lagged


def bounded(number: int | None) -> int | None:
    """A number that an integer column takes; the exact one stays in the payload."""
    return None if number is None else max(-(2**63), min(number, 2**63 - 1))


SCORE_COLUMNS = ("id", "key", "attempt", "output_id", "scorer_id", "status", "value", "passed", "measure")


def _score_row(score_id: int, output_id: int, item: NewScore) -> tuple[Any, ...]:
    score = item.score
    passed = None if score.passed is None else int(score.passed)
    status = STATUSES.index(score.status)
    return score_id, item.key, item.attempt, output_id, item.scorer_id, status, score.value, passed, score.measure
