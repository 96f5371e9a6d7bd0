"""What each target did: statuses, cost, tokens, latency. Read from the store's output table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Float, Select, cast, func, select

from seatrial.store import schema
from seatrial.store.store import OUTPUT_STATUSES, RunRow, Store
from seatrial.verdicts.records import ArmSummary

NOBODY = OUTPUT_STATUSES.index("infra_error")
"""The status of an output that nobody answered: it has no price, and its time is not the model's."""
FAILED = OUTPUT_STATUSES[1]
"""The status of an output that the model itself failed to give."""
SHOWN_MODELS = 20


def summarize(store: Store, run: RunRow) -> ArmSummary:
    """One target's outputs in a trial, each counted once."""
    t = schema.outputs.c
    answered = t.status != NOBODY
    statuses = _rows(store, run, select(t.status, func.count()).group_by(t.status))
    # summed as floats: providers' token counts may be near 2**63, where an integer sum fails
    tokens = (func.sum(cast(column, Float)) for column in (t.input_tokens, t.output_tokens))
    cost, tokens_in, tokens_out = _rows(store, run, select(func.sum(t.cost), *tokens))[0]
    unpriced = _rows(store, run, select(func.count()).where(answered, t.cost.is_(None)))[0][0]
    latencies = _rows(store, run, select(t.latency).where(answered, t.latency.is_not(None)))
    p50, p95 = _percentiles(np.array([row[0] for row in latencies], dtype=np.float64))
    counts: dict[str, int] = {OUTPUT_STATUSES[row[0]]: int(row[1]) for row in statuses}
    return ArmSummary(
        target=run.target,
        use=str(run.definition.get("use", "")),
        outputs=sum(counts.values()),
        reused=int(run.counts.get("reused", 0)),
        statuses=counts,
        served_models=_served(store, run),
        cost=cost,
        cost_unknown=unpriced,
        latency_p50=p50,
        latency_p95=p95,
        input_tokens=None if tokens_in is None else int(tokens_in),
        output_tokens=None if tokens_out is None else int(tokens_out),
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


def _percentiles(values: np.ndarray) -> tuple[float | None, float | None]:
    if not len(values):
        return None, None
    p50, p95 = np.quantile(values, [0.5, 0.95], method="inverted_cdf")
    return float(p50), float(p95)
