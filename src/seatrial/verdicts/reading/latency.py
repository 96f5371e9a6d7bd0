"""What an arm's answers took, and which of them count.

A latency counts once for each answer, however many cases share that answer, and only when it was measured under the
arrival pattern that the suite declares: an answer kept from a run under another pattern is still an answer, but its
latency is another experiment's. Where requests arrive on a schedule, times count from the arrival.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from seatrial.core.suite import RubricSpec, Suite
from seatrial.store import schema
from seatrial.store.store import Store, chunks
from seatrial.verdicts.artefacts.sentences import count, listed, pattern
from seatrial.verdicts.engine.limits import measure
from seatrial.verdicts.engine.outcomes import Bools, Floats, Ints, Outcomes, distinct
from seatrial.verdicts.reading.frame import Arm, Frame
from seatrial.verdicts.reading.money import NOBODY
from seatrial.verdicts.records import Estimate, LatencySummary, Percentiles

TIMES = frozenset({"latency", "first_token", "inter_token"})
"""The scorers whose measure is a time that depends on the load."""

ALPHA = 0.025
"""Each end of a table's interval is a one-sided bound at this level: 95% two-sided."""


@dataclass(frozen=True, slots=True, eq=False)
class Timings:
    """One arm's answers, each once, in the order of their numbers; NaN is unknown.

    `other`: under another load than the declared one; `loads` are the loads that occur. `first_at` and `last_at` are
    when the earliest and the latest answer under the declared load came.
    """

    ids: NDArray[np.int64]
    first_token: Floats
    inter_token: Floats
    total: Floats
    queued: Floats
    late: Bools
    lagged: Bools
    other: Bools
    loads: frozenset[str]
    first_at: str
    last_at: str


def timings(store: Store, suite: Suite, arm: Arm, *, kept: bool = True) -> Timings:
    """Everything that an arm's answers say about time; what nobody answered, or nobody timed, is left out.

    `kept`: whether the run's manifest is in the store already.
    """
    o, t = schema.outputs.c, schema.output_timings.c
    items = schema.run_items.c
    members = select(items.output_id).where(items.run_id == arm.run.id)
    query = (
        select(o.id, o.first_token, t.inter_token, o.latency, t.queued, t.late, t.lagged, t.load, o.finished_at)
        .join_from(schema.outputs, schema.output_timings, o.id == t.output_id, isouter=True)
        .where(o.status != NOBODY, o.latency.is_not(None))
        .order_by(o.id)
    )
    wanted: Iterable[Any] = [members] if kept else chunks(distinct(arm.output_id).tolist())
    spec = suite.targets.get(arm.run.target)
    declared = ("", spec.load if spec else "")
    ids, times, said = array("q"), array("d"), bytearray()
    loads: set[str] = set()
    first_at = last_at = ""
    with store.reading() as connection:
        rows = (row for some in wanted for row in connection.execute(query.where(o.id.in_(some))))
        for number, *seconds, late, lagged, load, finished in rows:
            ids.append(number)
            times.extend(math.nan if value is None else value for value in seconds)
            foreign = (load or "") not in declared
            said += bytes((bool(late), bool(lagged), foreign))
            loads.add(load or "")
            if finished and not foreign:
                first_at = min(first_at, finished) if first_at else finished
                last_at = max(last_at, finished)
    numbers = np.frombuffer(ids, dtype=np.int64)
    first, inter, total, queued = np.frombuffer(times, dtype=np.float64).reshape(-1, 4).T
    late, lagged, other = np.frombuffer(said, dtype=np.bool_).reshape(-1, 3).T
    return Timings(numbers, first, inter, total, queued, late, lagged, other, frozenset(loads), first_at, last_at)


def is_timed(rubric: RubricSpec) -> bool:
    """Whether a rubric limits a time."""
    return rubric.kind == "limit" and rubric.scorer in TIMES


def untimed(frame: Frame, rubric: RubricSpec, arms: Sequence[str]) -> tuple[str, ...]:
    """The arms that a rubric about time cannot say anything of, as they are asked by a batch API."""
    if rubric.scorer not in TIMES:
        return ()
    return tuple(name for name in arms if frame.suite.targets[name].batching is not None)


# what counts ----------------------------------------------------------------------------------------------------------


def counted(frame: Frame, outcomes: Outcomes, measured: Mapping[str, Timings], arms: Sequence[str]) -> Outcomes:
    """A timed rubric's outcomes without what does not count; `arms`: the candidate, then the incumbent if any.

    A case whose answer an earlier case has too (they asked the same) is left out; a time under another load than the
    declared one is missing.
    """
    assert outcomes.rows is not None, "outcomes of a frame know their rows"
    ids = [frame.arms[name].output_id[outcomes.rows] for name in arms]
    kept = ~np.logical_or.reduce([_repeated(held) for held in ids])
    foreign = [np.isin(held, measured[name].ids[measured[name].other]) for held, name in zip(ids, arms, strict=True)]
    second = outcomes.incumbent
    return Outcomes(
        outcomes.cluster,
        np.where(foreign[0], np.nan, outcomes.candidate),
        None if second is None else np.where(foreign[1], np.nan, second),
        outcomes.rows,
        outcomes.judge_errors,
    ).take(kept)


def _repeated(ids: NDArray[np.int64]) -> Bools:
    """Which rows hold an output that an earlier row holds as well."""
    found, first, inverse = np.unique(ids.reshape(-1), return_index=True, return_inverse=True)
    if not len(found):
        return np.zeros(len(ids), dtype=np.bool_)
    origin = (first[inverse] // ids.shape[1]).reshape(ids.shape)
    own = np.arange(len(ids))[:, None]
    return ((origin < own) & (ids > 0)).any(axis=1)


# the table ------------------------------------------------------------------------------------------------------------


def summary(frame: Frame, name: str, measured: Timings) -> LatencySummary | None:
    """One arm's three times with their percentiles; None where nothing was timed."""
    if not len(measured.ids):
        return None
    arm, ours = frame.arms[name], ~measured.other
    label = _clusters(arm.output_id, frame.cases.cluster, measured.ids)
    waited = np.nan_to_num(measured.queued, nan=0.0)
    with np.errstate(over="ignore"):  # a recording may hold any number; what becomes infinite is left out
        columns = {
            "first_token": (waited + measured.first_token, "s"),
            "inter_token": (1000 * measured.inter_token, "ms"),
            "total": (waited + measured.total, "s"),
        }
    spec = frame.suite.targets.get(name)
    recorded = not any(measured.loads)
    return LatencySummary(
        load="" if recorded or spec is None else spec.load,
        streamed=bool(np.isfinite(measured.first_token[ours]).any()),
        outputs=int(np.count_nonzero(ours)),
        other_load=int(np.count_nonzero(measured.other)),
        late=int(np.count_nonzero(measured.late & ours)),
        lagged=int(np.count_nonzero(measured.lagged & ours)),
        queued=_worst_wait(measured.queued[ours]),
        first_at=measured.first_at,
        last_at=measured.last_at,
        times=tuple(
            _percentiles(kind, unit, np.where(ours, values, np.nan), label) for kind, (values, unit) in columns.items()
        ),
    )


def _clusters(output_id: NDArray[np.int64], cluster: Ints, ids: NDArray[np.int64]) -> Ints:
    """The cluster of the first case that holds each output."""
    held, first = np.unique(output_id.reshape(-1), return_index=True)
    return cluster[first[np.searchsorted(held, ids)] // output_id.shape[1]]


def _worst_wait(queued: Floats) -> float | None:
    known = queued[np.isfinite(queued)]
    return float(np.quantile(known, 0.99, method="inverted_cdf")) if len(known) else None


def _percentiles(kind: str, unit: str, values: Floats, label: Ints) -> Percentiles:
    n = int(np.count_nonzero(np.isfinite(values)))
    column = np.where(np.isfinite(values), values, np.nan)[:, None]
    found = {q: _estimate(column, label, q) for q in ("p50", "p95", "p99")} if n else {}
    return Percentiles.model_validate({"name": kind, "unit": unit, "n": n, **found})


def _estimate(column: Floats, label: Ints, statistic: str) -> Estimate | None:
    found = measure(column, label, statistic, ALPHA, np.inf)  # type: ignore[arg-type]
    if found is None:
        return None
    low, high = (end if np.isfinite(end) else None for end in (found.low, found.high))
    return Estimate(value=found.value, low=low, high=high, level=1 - 2 * ALPHA, method=found.method)


# in words -------------------------------------------------------------------------------------------------------------


def basis(frame: Frame, outcomes: Outcomes, arms: Sequence[str]) -> str:
    """On what a timed rubric rests: how many answers, the arrival pattern, and whether they were streamed."""
    sides = [outcomes.candidate] if outcomes.incumbent is None else [outcomes.candidate, outcomes.incumbent]
    said = [
        f"{count(int(np.count_nonzero(~np.isnan(side))), 'answer')} of {name} ({_how(frame, name)})"
        for side, name in zip(sides, arms, strict=True)
    ]
    return f"Measured on {listed(said)}."


def _how(frame: Frame, name: str) -> str:
    spec = frame.suite.targets[name]
    adapter = spec.use.partition(":")[0]
    if adapter == "replay":
        return "as recorded"
    streaming = "" if adapter == "python" else ", streamed" if spec.stream else ", not streamed"
    return f"{pattern(spec.load)}{streaming}"


def cautions(
    frame: Frame, rubric: RubricSpec, outcomes: Outcomes, measured: Mapping[str, Timings], arms: Sequence[str]
) -> list[str]:
    """What to know before believing a timed rubric."""
    found: list[str] = []
    assert outcomes.rows is not None, "outcomes of a frame know their rows"
    for name in arms:
        held = np.isin(measured[name].ids, frame.arms[name].output_id[outcomes.rows])
        found += _of_arm(frame, name, measured[name], held)
    loads = {name: frame.suite.targets[name].load for name in arms if any(measured[name].loads)}
    if rubric.at_most_ratio is not None and len(set(loads.values())) > 1:
        said = listed([f"{name}: {pattern(load)}" for name, load in loads.items()])
        found.append(f"The arms were measured under different arrival patterns ({said}): give both targets the same.")
    return found


def _of_arm(frame: Frame, name: str, arm: Timings, held: Bools) -> list[str]:
    other, late, lagged = (int(np.count_nonzero(held & what)) for what in (arm.other, arm.late, arm.lagged))
    answers = count(int(np.count_nonzero(held)), "answer")
    found: list[str] = []
    if other:
        declared = pattern(frame.suite.targets[name].load)
        under = listed(sorted({pattern(load) for load in arm.loads if load} - {declared}))
        found.append(
            f"{other:,} of {answers} of {name} were measured under another load ({under}) than the declared one "
            f"({declared}): their times do not count. Run with --fresh to measure them."
        )
    if late:
        found.append(
            f"{late:,} of {answers} of {name} arrived while all {frame.suite.targets[name].concurrency} places were "
            "taken: what they waited counts, but the arrivals are no longer Poisson. Raise concurrency."
        )
    if lagged:
        found.append(
            f"{lagged:,} of {answers} of {name} were timed while this machine's own event loop was more than 100 ms "
            "late: those times may be too long."
        )
    return found
