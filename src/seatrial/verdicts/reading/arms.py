"""What each target did: statuses, cost, tokens, latency. Read from the store's output table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Float, Select, cast, func, select

from seatrial.core.suite import Price
from seatrial.store import schema
from seatrial.store.store import OUTPUT_STATUSES, RunRow, Store
from seatrial.verdicts.reading.money import spent
from seatrial.verdicts.records import ArmSummary, Estimate, LatencySummary

FAILED = OUTPUT_STATUSES[1]
"""The status of an output that the model itself failed to give."""
SHOWN_MODELS = 20


def summarize(
    store: Store,
    run: RunRow,
    latency: LatencySummary | None = None,
    dropped: Mapping[str, int] | None = None,
    price: Price | None = None,
) -> ArmSummary:
    """One target's outputs in a trial, each counted once.

    `latency`: what they took; `dropped`: what was not sent; `price`: what the suite says.
    """
    t = schema.outputs.c
    statuses = _rows(store, run, select(t.status, func.count()).group_by(t.status))
    # summed as floats: providers' token counts may be near 2**63, where an integer sum fails
    tokens = (func.sum(cast(column, Float)) for column in (t.input_tokens, t.output_tokens))
    tokens_in, tokens_out = _rows(store, run, select(*tokens))[0]
    money = spent(store, run, price)
    counts: dict[str, int] = {OUTPUT_STATUSES[row[0]]: int(row[1]) for row in statuses}
    return ArmSummary(
        target=run.target,
        use=str(run.definition.get("use", "")),
        outputs=sum(counts.values()),
        reused=int(run.counts.get("reused", 0)),
        statuses=counts,
        served_models=_served(store, run),
        cost=money.dollars,
        cost_unknown=money.unknown,
        price_sources=money.sources,
        latency_p50=_total(latency, "p50"),
        latency_p95=_total(latency, "p95"),
        latency=latency,
        input_tokens=None if tokens_in is None else int(tokens_in),
        output_tokens=None if tokens_out is None else int(tokens_out),
        dropped=dropped or {},
    )


def _served(store: Store, run: RunRow) -> tuple[str, ...]:
    """The models that really answered, the most frequent first."""
    model = schema.outputs.c.served_model
    query = select(model).where(model != "").group_by(model).order_by(func.count().desc(), model)
    return tuple(row[0] for row in _rows(store, run, query.limit(SHOWN_MODELS)))


def _rows(store: Store, run: RunRow, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
    """What a query says of a run's outputs."""
    items = schema.run_items.c
    members = select(items.output_id).where(items.run_id == run.id)
    with store.reading() as connection:
        return connection.execute(query.where(schema.outputs.c.id.in_(members))).all()


def _total(latency: LatencySummary | None, statistic: str) -> float | None:
    """A percentile of the seconds to the whole answer."""
    times = () if latency is None else latency.times
    found: Estimate | None = next((getattr(time, statistic) for time in times if time.name == "total"), None)
    return found.value if found else None
