"""Batches that a provider works on, and the requests in each that have not come back yet.

A batch is written down before it is submitted, so whatever moment the process ends at, the next one knows what to look
for. States: `submitting` (it may or may not be at the provider), `waiting` (it is), `done` (every request has its
output here), `void` (it never reached the provider, or the provider refused it whole: nothing was answered).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from sqlalchemy import and_, func, select

from seatrial.core.identity import digest, to_bytes
from seatrial.store import schema
from seatrial.store.store import Store, chunks, insert, now

Key = tuple[bytes, int]
"""A request's hash and its epoch."""


class Batch(NamedTuple):
    """A batch of an account and series. `provider_id` is empty while the provider's answer is not known."""

    id: int
    name: str
    series: str
    state: str
    provider_id: str
    requests: int
    planned_at: str
    submitted_at: str


def plan(store: Store, account: str, series: str, name: str, attempts: Mapping[Key, int]) -> Batch:
    """Write down a batch that is about to be submitted: its requests, and which attempt at each it is."""
    b = schema.batches
    with store.writing() as connection:
        number = (connection.execute(select(func.max(b.c.id))).scalar() or 0) + 1
        row = {"id": number, "name": name, "account": to_bytes(account), "series": series, "requests": len(attempts)}
        connection.execute(b.insert(), row | {"state": "submitting", "planned_at": (moment := now())})
        columns = ("batch_id", "request_hash", "epoch", "attempt")
        for chunk in chunks(attempts.items(), 2000):
            rows = [(number, *key, attempt) for key, attempt in chunk]
            insert(connection, schema.batch_requests, columns, rows)
    return Batch(number, name, series, "submitting", "", len(attempts), moment, "")


def submitted(store: Store, batch: Batch, provider_id: str) -> Batch:
    """The provider has it, under this id."""
    moment = now()
    _set(store, batch, state="waiting", provider_id=provider_id, submitted_at=moment)
    return batch._replace(state="waiting", provider_id=provider_id, submitted_at=moment)


def void(store: Store, batch: Batch) -> None:
    """It answers nothing: its requests are free to be asked again."""
    m = schema.batch_requests
    with store.writing() as connection:
        connection.execute(m.delete().where(m.c.batch_id == batch.id))
        connection.execute(
            schema.batches.update().where(schema.batches.c.id == batch.id), {"state": "void", "finished_at": now()}
        )


def collected(store: Store, batch: Batch, keys: Iterable[Key]) -> None:
    """The outputs of these requests are committed; with the last of them the batch is done."""
    m = schema.batch_requests
    with store.writing() as connection:
        one = "DELETE FROM batch_requests WHERE batch_id = ? AND request_hash = ? AND epoch = ?"
        for chunk in chunks(keys, 2000):
            connection.exec_driver_sql(one, [(batch.id, *key) for key in chunk])
        if connection.execute(select(m.c.batch_id).where(m.c.batch_id == batch.id).limit(1)).first() is None:
            done = {"state": "done", "finished_at": now()}
            connection.execute(schema.batches.update().where(schema.batches.c.id == batch.id), done)


def open_batches(store: Store, account: str, series: str) -> list[Batch]:
    """Those of which something is still to come, the oldest first."""
    b = schema.batches.c
    query = select(b.id, b.name, b.series, b.state, b.provider_id, b.requests, b.planned_at, b.submitted_at)
    query = query.where(b.account == to_bytes(account), b.series == series, b.state.in_(("submitting", "waiting")))
    with store.reading() as connection:
        rows = connection.execute(query.order_by(b.id)).all()
    return [Batch(*row[:4], row[4] or "", *row[5:7], row[7] or "") for row in rows]


def outstanding(store: Store, batch: Batch) -> set[Key]:
    """The requests of a batch whose outputs are still to come; those that came before a sudden end are struck off."""
    m, o = schema.batch_requests.c, schema.outputs.c
    same = (o.request_hash == m.request_hash, o.epoch == m.epoch, o.attempt == m.attempt, o.series == batch.series)
    query = select(m.request_hash, m.epoch, o.id).outerjoin(schema.outputs, and_(*same)).where(m.batch_id == batch.id)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    collected(store, batch, [(row[0], row[1]) for row in rows if row[2] is not None])
    return {(row[0], row[1]) for row in rows if row[2] is None}


def known_ids(store: Store) -> frozenset[str]:
    """Every provider's id in the store: none of them is a batch to be looked for."""
    with store.reading() as connection:
        rows = connection.execute(select(schema.batches.c.provider_id).distinct())
        return frozenset(row[0] for row in rows if row[0])


def _set(store: Store, batch: Batch, **values: Any) -> None:
    with store.writing() as connection:
        connection.execute(schema.batches.update().where(schema.batches.c.id == batch.id), values)


@contextmanager
def claim(store: Store, account: str, series: str) -> Generator[Callable[[], bool]]:
    """A function that tries to become the only one at work on the batches of an account and series.

    A lock of the operating system, on a file beside the store: it ends with the process, however that ends. Where the
    system has no such lock, every try succeeds.
    """
    mark = digest("batches", [account, series])[-16:]
    with store.path.with_name(f"{store.path.name}.{mark}.lock").open("ab") as file:
        yield lambda: _lock(file)


def _lock(file: IO[bytes]) -> bool:
    try:
        import fcntl  # not on Windows
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
