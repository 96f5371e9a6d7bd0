"""What a target's outputs cost, by which prices, and of how many that is not known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import func, select

from seatrial.core.suite import Price
from seatrial.store import schema
from seatrial.store.store import OUTPUT_STATUSES, RunRow, Store
from seatrial.targets.prices import gpu_token, suite_source

NOBODY = OUTPUT_STATUSES.index("infra_error")
"""The status of an output that nobody answered: it has no price, and its time is not the model's."""
SHOWN_SOURCES = 5


class Spent(NamedTuple):
    """US dollars of the outputs whose cost is known, None where that is none; how many are not; the prices' sources."""

    dollars: float | None
    unknown: int
    sources: tuple[str, ...]


def spent(store: Store, run: RunRow, price: Price | None) -> Spent:
    """What a run's outputs cost. Outputs that nobody gave have no price.

    A self-hosted target whose throughput is `measured` is priced here, by the run's own throughput.
    """
    o, sources = schema.outputs.c, schema.output_prices.c
    items = schema.run_items.c
    members = select(items.output_id).where(items.run_id == run.id)
    answered = o.id.in_(members), o.status != NOBODY
    with store.reading() as connection:
        if price is not None and price.tokens_per_second == "measured":
            rows = connection.execute(select(o.finished_at, o.latency, o.output_tokens).where(*answered)).all()
            return _measured(price, rows)
        dollars = connection.execute(select(func.sum(o.cost)).where(o.id.in_(members))).scalar()
        unknown = connection.execute(select(func.count()).where(*answered, o.cost.is_(None))).scalar() or 0
        query = select(sources.source).where(sources.output_id.in_(members)).group_by(sources.source)
        ordered = query.order_by(func.count().desc(), sources.source).limit(SHOWN_SOURCES)
        named = tuple(row[0] for row in connection.execute(ordered))
    return Spent(dollars, unknown, named)


def _measured(price: Price, rows: Sequence[Any]) -> Spent:
    """By the output tokens a second while at least one answer was being written."""
    known = [row for row in rows if row[0] and row[1] is not None and row[2] is not None]
    ends = np.array([datetime.fromisoformat(row[0]).timestamp() for row in known])
    seconds = busy(ends - np.array([row[1] for row in known], dtype=np.float64), ends)
    tokens = sum(max(0, row[2]) for row in known)
    if not known or seconds <= 0 or not tokens:
        return Spent(None, len(rows), ())
    throughput = tokens / seconds
    source = f"{suite_source(price)}, at {throughput:,.4g} tokens a second measured"
    return Spent(float(tokens * gpu_token(price, throughput)), len(rows) - len(known), (source,))


def busy(starts: np.ndarray, ends: np.ndarray) -> float:
    """Seconds in which at least one of the intervals was open."""
    if not len(starts):
        return 0.0
    order = np.argsort(starts, kind="stable")
    begun, reach = starts[order], np.maximum.accumulate(ends[order])
    gaps = np.maximum(0.0, begun[1:] - reach[:-1])
    return float(reach[-1] - begun[0] - gaps.sum())
