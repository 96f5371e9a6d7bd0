"""What endpoints listed when they were last polled, and which models have served a target's outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select

from seatrial.core.identity import canonical
from seatrial.core.record import Json, as_dict
from seatrial.store import schema
from seatrial.store.store import Store, now

MOST_LOOKED_UP = 2000


class Polled(NamedTuple):
    """An endpoint's list of models as it was at a moment, by id."""

    endpoint: str
    polled_at: str
    models: Mapping[str, Mapping[str, Json]]


class Served(NamedTuple):
    """The model and fingerprint that outputs name, and how many of them do."""

    model: str
    fingerprint: str
    outputs: int


class Change(NamedTuple):
    """How an endpoint's list differs from the one before: ids, and for each changed one its old and new fields."""

    new: tuple[str, ...]
    retired: tuple[str, ...]
    changed: Mapping[str, Mapping[str, tuple[Json, Json]]]

    def __bool__(self) -> bool:
        return bool(self.new or self.retired or self.changed)


def difference(old: Mapping[str, Mapping[str, Json]], new: Mapping[str, Mapping[str, Json]]) -> Change:
    """What is new, what is gone, and what says other things of itself. Pure."""
    changed = {
        name: {
            key: (was.get(key), fields.get(key)) for key in sorted({*was, *fields}) if was.get(key) != fields.get(key)
        }
        for name, fields in new.items()
        if (was := old.get(name)) is not None and was != fields
    }
    return Change(tuple(name for name in new if name not in old), tuple(n for n in old if n not in new), changed)


def last_poll(store: Store, endpoint: str, until: str | None = None) -> Polled | None:
    """The newest list of an endpoint, given by its base URL; None where it was never polled.

    `until`: as it was known at that moment, an ISO 8601 time as `store.now` gives it.
    """
    t = schema.model_lists.c
    query = select(t.endpoint, t.polled_at, t.models).where(t.endpoint == endpoint).order_by(t.id.desc()).limit(1)
    if until is not None:
        query = query.where(t.polled_at <= until)
    with store.reading() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    listed = [fields for item in json.loads(row[2]) if (fields := as_dict(item)) is not None]
    return Polled(row[0], row[1], {fields["id"]: fields for fields in listed})


def keep_poll(store: Store, endpoint: str, models: Sequence[Mapping[str, Json]]) -> str:
    """Keep a list of models, each with its id; gives the moment."""
    row = {"endpoint": endpoint, "polled_at": now(), "models": canonical(list(models))}
    with store.writing() as connection:
        connection.execute(schema.model_lists.insert(), row)
    return row["polled_at"]


def served_in(store: Store, run_id: int) -> list[Served]:
    """Which models and fingerprints a run's good outputs name, the most frequent first."""
    items, outputs = schema.run_items.c, schema.outputs.c
    number = func.count()
    query = (
        select(outputs.served_model, outputs.fingerprint, number)
        .select_from(schema.run_items.join(schema.outputs, outputs.id == items.output_id))
        .where(items.run_id == run_id, outputs.status == 0)
        .group_by(outputs.served_model, outputs.fingerprint)
        .order_by(number.desc(), outputs.served_model, outputs.fingerprint)
    )
    with store.reading() as connection:
        return [Served(*row) for row in connection.execute(query)]


def served_before(store: Store, run_id: int) -> list[Served]:
    """Which other models gave earlier answers to the same requests; the run's first few thousand are looked up."""
    items, mine, earlier = schema.run_items.c, schema.outputs.alias("mine"), schema.outputs.alias("earlier")
    some = select(items.output_id).where(items.run_id == run_id).order_by(items.position).limit(MOST_LOOKED_UP)
    number = func.count()
    query = (
        select(earlier.c.served_model, earlier.c.fingerprint, number)
        .select_from(
            mine.join(
                earlier,
                (earlier.c.project_id == mine.c.project_id)
                & (earlier.c.request_hash == mine.c.request_hash)
                & (earlier.c.id < mine.c.id),
            )
        )
        .where(mine.c.id.in_(some), mine.c.status == 0, earlier.c.status == 0)
        .where(earlier.c.served_model != mine.c.served_model, earlier.c.served_model != "", mine.c.served_model != "")
        .group_by(earlier.c.served_model, earlier.c.fingerprint)
        .order_by(number.desc(), earlier.c.served_model)
    )
    with store.reading() as connection:
        return [Served(*row) for row in connection.execute(query)]


def plain(change: Change) -> dict[str, Any]:
    """A change as plain values."""
    changed = {
        name: {key: {"was": was, "is": new} for key, (was, new) in fields.items()}
        for name, fields in change.changed.items()
    }
    return {"new": list(change.new), "retired": list(change.retired), "changed": changed}
