"""What earlier answers of a target to a dataset took: what a forecast is drawn from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from seatrial.core.identity import canonical
from seatrial.store import schema
from seatrial.store.store import OUTPUT_STATUSES, Store

MOST = 400
NOBODY = OUTPUT_STATUSES.index("infra_error")


class Took(NamedTuple):
    """One answer: the characters of its request as it is kept, its tokens, and seconds. None: not known."""

    characters: int
    input: int | None
    output: int | None
    seconds: float | None


def took(store: Store, dataset_id: int, target: str, use: str, known: Sequence[int] = ()) -> list[Took]:
    """The newest answers of a target of that name and `use` in runs over the dataset, at most 400.

    `known`: ids of outputs to take in as well, which need not be of a finished run.
    """
    runs, trials, items = schema.runs.c, schema.trials.c, schema.run_items.c
    trial_ids = select(trials.id).where(trials.dataset_id == dataset_id)
    query = select(runs.id, runs.definition).where(runs.target == target, runs.trial_id.in_(trial_ids))
    o, requests = schema.outputs.c, schema.requests.c
    with store.reading() as connection:
        rows = connection.execute(query.order_by(runs.id.desc()).limit(50)).all()
        same = [row[0] for row in rows if json.loads(row[1]).get("use") == use]
        members = select(items.output_id).where(items.run_id.in_(same))
        columns = select(o.id, o.request_hash, o.input_tokens, o.output_tokens, o.latency).where(o.status != NOBODY)
        answers = connection.execute(columns.where(o.id.in_(members)).order_by(o.id.desc()).limit(MOST)).all()
        if len(answers) < MOST and known:
            more = columns.where(o.id.in_(known[-MOST:]))
            answers = list({row[0]: row for row in (*answers, *connection.execute(more).all())}.values())[:MOST]
        asked = select(requests.hash, requests.payload).where(requests.hash.in_([row[1] for row in answers]))
        sizes = {row[0]: len(canonical(store.value(row[1]))) for row in connection.execute(asked)}
    return [Took(sizes[row[1]], row[2], row[3], row[4]) for row in answers if row[1] in sizes]
