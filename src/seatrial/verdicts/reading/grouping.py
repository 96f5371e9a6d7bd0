"""What further cases belong together, by the field that the policy names: seeds and equal inputs always do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from seatrial.core.case import Case
from seatrial.core.identity import canonical
from seatrial.core.record import as_dict
from seatrial.core.suite import Suite
from seatrial.store.store import CaseFacts, Store, chunks

SEEDS = "seed_id"
OF_THE_CASE = ("session_id", "parent_id", "trace_id", "source")
METADATA = "metadata."
AT_ONCE = 500

Group = Callable[[CaseFacts], str]


def grouping(store: Store, dataset_id: int, suite: Suite) -> Group | None:
    """What says the group of a case by the policy's `cluster`; empty text: none. None where seeds alone decide.

    A stratum is read from a case's facts; a field of the case, or of its metadata, from the whole case.
    """
    field = suite.policy.cluster
    if field == SEEDS:
        return None
    if field not in OF_THE_CASE and not field.startswith(METADATA):
        return lambda facts: facts.strata.get(field, "")
    held = {position: said for position, case in whole_cases(store, dataset_id) if (said := _of(case, field))}
    return lambda facts: held.get(facts.position, "")


def whole_cases(store: Store, dataset_id: int) -> Iterator[tuple[int, Case]]:
    """Every case of a dataset with its place, a few hundred at a time."""
    for some in chunks(range(store.dataset(dataset_id).cases), AT_ONCE):
        for stored in store.cases(dataset_id, some):
            yield stored.position, stored.case


def _of(case: Case, field: str) -> str:
    if not field.startswith(METADATA):
        return str(getattr(case, field))
    value: Any = case.metadata
    for step in field.removeprefix(METADATA).split("."):
        value = (as_dict(value) or {}).get(step)
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else canonical(value)
