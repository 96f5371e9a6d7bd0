"""The one thread that commits outputs and scores, in groups.

Whatever waits while a commit is under way goes into the next one, so a fast run pays for few disk syncs and a slow
one waits for none. A result counts as done only when its `done` callback has come back: `kill -9` loses nothing that
was reported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, select

from seatrial.core.identity import to_bytes
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.errors import SeatrialError, StoreError
from seatrial.store import schema
from seatrial.store.codec import pack
from seatrial.store.store import OUTPUT_STATUSES, STATUSES, Store, chunks, storable

GROUP = 4000


@dataclass(slots=True, eq=False)
class NewOutput:
    """An output to keep. `id` is set when it is committed.

    `lost`: another process had kept its own under the same key; that one stands, and `id` is that one's.
    """

    request_hash: bytes
    series: str
    epoch: int
    attempt: int
    output: Output
    request: Mapping[str, Any]
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

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="seatrial-writer", daemon=True)
        self._failure: Exception | None = None
        self.on_failure: Callable[[], object] | None = None

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
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

    def _work(self) -> None:
        try:
            while (group := self._next_group()) is not None:
                with self._store.writing() as connection:
                    commit(connection, group)
                for entry in group:
                    if entry.done is not None:
                        entry.done()
        except Exception as failure:  # noqa: BLE001  # handed to whoever puts or closes
            self._failure = failure
            if self.on_failure is not None:
                self.on_failure()

    def _next_group(self) -> list[Entry] | None:
        first = self._queue.get()
        if first is None:
            return None
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


def commit(connection: Connection, group: Sequence[Entry]) -> None:
    """Write a group. What another process has kept meanwhile under the same key stands."""
    _keep_outputs(connection, [e.output for e in group if e.output is not None])
    _keep_scores(connection, group)


def _keep_outputs(connection: Connection, new: Sequence[NewOutput]) -> None:
    if not new:
        return
    t = schema.outputs
    known: dict[tuple[Any, ...], int] = {}
    for chunk in chunks(new):
        query = select(t.c.request_hash, t.c.series, t.c.epoch, t.c.attempt, t.c.id)
        for row in connection.execute(query.where(t.c.request_hash.in_([n.request_hash for n in chunk]))):
            known[tuple(row[:4])] = row[4]
    next_id = _last_id(connection, t) + 1
    fresh: list[NewOutput] = []
    for item in new:
        key = (item.request_hash, item.series, item.epoch, item.attempt)
        if key not in known:
            known[key] = next_id
            next_id += 1
            fresh.append(item)
        else:
            item.lost = True
        item.id = known[key]
    if fresh:
        connection.execute(t.insert(), [_output_row(item) for item in fresh])
        payloads = [{"output_id": item.id, "payload": pack(item.output.plain())} for item in fresh]
        connection.execute(schema.output_payloads.insert(), payloads)
        requests = {item.request_hash: item.request for item in fresh}
        rows = [{"hash": raw, "project_id": schema.PROJECT, "payload": pack(body)} for raw, body in requests.items()]
        connection.execute(schema.requests.insert().prefix_with("OR IGNORE"), rows)


def _keep_scores(connection: Connection, group: Sequence[Entry]) -> None:
    pairs = [(e, score) for e in group for score in e.scores if e.owner is None or not e.owner.lost]
    if not pairs:
        return
    t = schema.scores
    known: dict[tuple[bytes, int], int] = {}
    for chunk in chunks(pairs):
        query = select(t.c.key, t.c.attempt, t.c.id).where(t.c.key.in_([score.key for _, score in chunk]))
        for row in connection.execute(query):
            known[row[0], row[1]] = row[2]
    next_id = _last_id(connection, t) + 1
    rows: list[dict[str, Any]] = []
    payloads: list[dict[str, Any]] = []
    for entry, item in pairs:
        key = (item.key, item.attempt)
        if key not in known:
            known[key] = next_id
            next_id += 1
            output_id = entry.owner.id if entry.owner is not None else entry.output_id
            rows.append(_score_row(known[key], output_id, item))
            details = item.score.model_dump(include={"reason", "evidence", "unit"}, exclude_defaults=True)
            if details:
                payloads.append({"score_id": known[key], "payload": pack(details)})
        item.id = known[key]
    if rows:
        connection.execute(t.insert(), rows)
    if payloads:
        connection.execute(schema.score_payloads.insert(), payloads)


def _last_id(connection: Connection, table: Any) -> int:
    return connection.exec_driver_sql(f"SELECT max(id) FROM {table.name}").scalar() or 0  # noqa: S608  # our own name


def output_status(output: Output) -> str:
    """`ok`, `model_failure` or `infra_error`."""
    if output.failure is None:
        return "ok"
    return "model_failure" if output.failure.kind == "model" else "infra_error"


def _output_row(item: NewOutput) -> dict[str, Any]:
    output = item.output
    return {
        "id": item.id,
        "request_hash": item.request_hash,
        "series": item.series,
        "epoch": item.epoch,
        "attempt": item.attempt,
        "hash": to_bytes(output.hash),
        "status": OUTPUT_STATUSES.index(output_status(output)),
        "latency": output.timing.total,
        "first_token": output.timing.first_token,
        "cost": output.cost,
        "input_tokens": bounded(output.usage.input),
        "output_tokens": bounded(output.usage.output),
        "served_model": storable(output.served_model),
        "fingerprint": storable(output.fingerprint),
        "finished_at": output.finished_at,
    }


def bounded(number: int | None) -> int | None:
    """A number that an integer column takes; the exact one stays in the payload."""
    return None if number is None else max(-(2**63), min(number, 2**63 - 1))


def _score_row(score_id: int, output_id: int, item: NewScore) -> dict[str, Any]:
    score = item.score
    return {
        "id": score_id,
        "key": item.key,
        "attempt": item.attempt,
        "output_id": output_id,
        "scorer_id": item.scorer_id,
        "status": STATUSES.index(score.status),
        "value": score.value,
        "passed": None if score.passed is None else int(score.passed),
        "measure": score.measure,
    }
