"""Several candidates side by side: rank intervals from simultaneous paired comparisons, and the Pareto front.

Pass rates on the same cases are compared pairwise, every pair at once (Bonferroni), so that a target's rank is at
least one more than the number of those shown to be better. Bradley–Terry belongs to data in which a judge preferred
one of two answers; here each answer passes or fails by itself.
Source: Mogstad, Romano, Shaikh and Wilhelm 2024 (ranks from simultaneous differences); Efron and Tibshirani 1993.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from sqlalchemy import select

from seatrial.stats import pareto_probability
from seatrial.store import schema
from seatrial.store.store import Store
from seatrial.verdicts.artefacts.sentences import listed
from seatrial.verdicts.engine.evidence import weigh
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes, distinct, pair
from seatrial.verdicts.engine.rates import rate
from seatrial.verdicts.reading.frame import Arm, Frame, Ids
from seatrial.verdicts.reading.jointly import chosen, passes_all
from seatrial.verdicts.reading.latency import Timings
from seatrial.verdicts.records import Compared, Estimate, Overall, Ranking, Standing, Verdict

DRAWS = 1000
FEWEST_DRAWS = 200
MOST_WORK = 60_000_000
"""Numbers that all draws may touch; very large trials get fewer draws."""

FRONT = "bootstrap over clusters"


class Entry(NamedTuple):
    """A target that stands in the ranking: its verdict (None: the incumbent), and what blocked it, in words."""

    name: str
    overall: Overall | None = None
    blocked: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One target on the ranked cases: (cases, epochs) of passes, dollars and seconds, NaN where not known."""

    name: str
    passed: Floats
    cost: Floats
    seconds: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Draws × targets: share of passes, mean dollars of an answer, 95th percentile of seconds."""

    passed: Floats
    cost: Floats
    seconds: Floats


def ranking(store: Store, frame: Frame, verdicts: Sequence[Verdict], measured: Mapping[str, Timings]) -> Ranking | None:
    """The incumbent and all candidates that could be compared with it, best first; None with fewer than two."""
    able = [verdict for verdict in verdicts if verdict.overall != "not_evaluable"]
    rubrics = chosen(frame.suite)
    if len(able) < 2 or not rubrics:
        return None
    base = able[0].incumbent
    entries = [Entry(base), *(Entry(v.candidate, v.overall, _gates(v)) for v in able)]
    columns, cluster = _columns(store, frame, rubrics, [entry.name for entry in entries], measured)
    if not len(cluster):
        return None
    found = place(entries, columns, cluster, alpha=frame.suite.policy.alpha, seed=frame.suite.seed)
    out = [verdict.candidate for verdict in verdicts if verdict.overall == "not_evaluable"]
    notes = (f"Not ranked, because not comparable: {listed(out)}.",) if out else ()
    return found.model_copy(update={"rubrics": rubrics, "notes": (*found.notes, *notes)})


def _gates(verdict: Verdict) -> str:
    broken = [rubric.name for rubric in verdict.rubrics if rubric.kind == "gate" and rubric.decision == "BLOCK"]
    return f"blocked by the gate{'s' if len(broken) > 1 else ''} {listed(broken)}" if broken else ""


def _columns(
    store: Store, frame: Frame, rubrics: Sequence[str], names: Sequence[str], measured: Mapping[str, Timings]
) -> tuple[list[Column], Ints]:
    """Each target on the cases of which all of them have a result, and the cases' clusters."""
    arms = [passes_all(frame, rubrics, name) for name in names]
    rows = arms[0].rows
    assert rows is not None, "outcomes of a frame know their rows"
    gone = np.logical_or.reduce([np.isnan(arm.candidate) for arm in arms])
    kept = ~gone.all(axis=1)
    columns: list[Column] = []
    for name, arm in zip(names, arms, strict=True):
        ids = frame.arms[name].output_id[rows][kept]
        out = np.where(gone, np.nan, arm.candidate)[kept]
        columns.append(Column(name, out, _costs(store, frame.arms[name], ids), _seconds(measured[name], ids)))
    return columns, arms[0].cluster[kept]


def _costs(store: Store, arm: Arm, ids: Ids) -> Floats:
    """What each output cost; NaN where nobody knows."""
    o, items = schema.outputs.c, schema.run_items.c
    members = select(items.output_id).where(items.run_id == arm.run.id)
    query = select(o.id, o.cost).where(o.id.in_(members), o.cost.is_not(None)).order_by(o.id)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return _looked_up(
        np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] for row in rows], float), ids
    )


def _seconds(timings: Timings, ids: Ids) -> Floats:
    """How long each answer took, the wait for its turn included; NaN where it was timed under another load."""
    waited = np.nan_to_num(timings.queued, nan=0.0)
    return _looked_up(timings.ids, np.where(timings.other, np.nan, waited + timings.total), ids)


def _looked_up(keys: Ids, values: Floats, ids: Ids) -> Floats:
    """The value of each id, NaN for one that is not among the sorted keys."""
    if not len(keys):
        return np.full(ids.shape, np.nan)
    at = np.minimum(np.searchsorted(keys, ids), len(keys) - 1)
    return np.where(keys[at] == ids, values[at], np.nan)


# on arrays ------------------------------------------------------------------------------------------------------------


def place(
    entries: Sequence[Entry], columns: Sequence[Column], cluster: Ints, *, alpha: float = 0.05, seed: int = 0
) -> Ranking:
    """The ranking of targets whose results lie side by side, a row a case; `cluster` labels the rows.

    What a gate has blocked is shown last, without a rank.
    """
    free = [at for at, entry in enumerate(entries) if not entry.blocked]
    differences = _differences([columns[at] for at in free], cluster, alpha)
    objectives = _objectives([columns[at] for at in free])
    draws = resample(columns, cluster, seed)
    front = dict(zip(free, front_chances(draws, free, objectives), strict=True))
    standings: list[Standing] = []
    for at, (entry, column) in enumerate(zip(entries, columns, strict=True)):
        low, high = (None, None) if entry.blocked else _ranks(entry.name, differences, len(free))
        standings.append(
            Standing(
                target=entry.name,
                incumbent=entry.overall is None,
                overall=entry.overall,
                quality=rate(column.passed, cluster, alpha),
                rank_low=low,
                rank_high=high,
                cost=_estimate(1000 * column.cost, 1000 * draws.cost[:, at], alpha, np.nanmean),
                latency=_estimate(column.seconds, draws.seconds[:, at], alpha, _p95),
                p_front=front.get(at),
                excluded=entry.blocked,
            )
        )
    standings.sort(key=lambda s: (bool(s.excluded), s.rank_low or 0, -(s.quality.estimate.value or 0.0)))
    pairs = len(differences)
    return Ranking(
        rubrics=(),
        cases=len(cluster),
        clusters=len(distinct(cluster)),
        objectives=objectives,
        standings=tuple(standings),
        differences=differences,
        method=f"{differences[0].difference.method}, simultaneous" if pairs else "nothing to compare",
        front_method=FRONT,
        draws=len(draws.passed),
        seed=seed,
        sentence=_sentence(standings, objectives),
        notes=tuple(_unknown(columns)),
    )


def _differences(columns: Sequence[Column], cluster: Ints, alpha: float) -> tuple[Compared, ...]:
    """Every pair's difference, with intervals that hold for all of them at once (Bonferroni)."""
    pairs = list(combinations(columns, 2))
    found: list[Compared] = []
    for first, second in pairs:
        evidence = weigh(pair(Outcomes(cluster, first.passed, second.passed)))
        if evidence is None:
            continue
        low, high = evidence.interval(alpha / len(pairs))
        difference = Estimate(value=evidence.estimate, low=low, high=high, level=1 - alpha, method=evidence.method)
        found.append(Compared(first=first.name, second=second.name, difference=difference))
    return tuple(found)


def _ranks(name: str, differences: Sequence[Compared], targets: int) -> tuple[int, int]:
    """The best and the worst rank that cannot be ruled out."""
    better, worse = 0, 0
    for pair_ in differences:
        low, high = pair_.difference.low or 0.0, pair_.difference.high or 0.0
        if name == pair_.second:
            low, high = -high, -low
        elif name != pair_.first:
            continue
        better += high < 0
        worse += low > 0
    return 1 + better, targets - worse


def resample(columns: Sequence[Column], cluster: Ints, seed: int) -> Draws:
    """Bootstrap of whole clusters: in each draw all targets are seen on the same cases."""
    names, group = np.unique(cluster, return_inverse=True)
    work = max(1, len(columns) * columns[0].passed.size)
    draws = max(FEWEST_DRAWS, min(DRAWS, MOST_WORK // work))
    sums = [_sums(column, group, len(names)) for column in columns]
    times_of = [_sorted(column.seconds, group) for column in columns]
    random = np.random.default_rng(seed)
    found = np.full((3, draws, len(columns)), np.nan)
    for draw in range(draws):
        times = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names)).astype(np.float64)
        for at, (sides, (values, owner)) in enumerate(zip(sums, times_of, strict=True)):
            passed, results, dollars, priced = times @ sides
            found[0, draw, at] = passed / results if results else np.nan
            found[1, draw, at] = dollars / priced if priced else np.nan
            reached: Floats = np.cumsum(times[owner])
            if len(reached) and reached[-1]:
                found[2, draw, at] = values[np.searchsorted(reached, math.ceil(0.95 * float(reached[-1]) - 1e-9))]
    return Draws(*found)


def _sums(column: Column, group: Ints, clusters: int) -> Floats:
    """Clusters × (passes, results, dollars, outputs whose cost is known)."""
    owner = np.broadcast_to(group[:, None], column.passed.shape).reshape(-1)
    parts = (column.passed, ~np.isnan(column.passed), column.cost, ~np.isnan(column.cost))
    filled = (np.nan_to_num(np.asarray(part, dtype=np.float64)).reshape(-1) for part in parts)
    return np.stack(
        [np.bincount(owner, weights=part, minlength=clusters).astype(np.float64) for part in filled], axis=1
    )


def _sorted(values: Floats, group: Ints) -> tuple[Floats, Ints]:
    """The known values in order, each with its cluster."""
    owner = np.broadcast_to(group[:, None], values.shape)
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    return values[known][order], owner[known][order]


def _objectives(columns: Sequence[Column]) -> tuple[str, ...]:
    """What can be compared: quality always, price and time where every target's is known."""
    known = {"cost": [column.cost for column in columns], "latency": [column.seconds for column in columns]}
    return ("quality", *(name for name, held in known.items() if all(np.isfinite(values).any() for values in held)))


def front_chances(draws: Draws, targets: Sequence[int], objectives: Sequence[str]) -> list[float]:
    """How often each of these targets lies on the Pareto front of the objectives."""
    columns = {"quality": 1 - draws.passed, "cost": draws.cost, "latency": draws.seconds}
    cube = np.stack([columns[name][:, list(targets)] for name in objectives], axis=2)
    whole = cube[~np.isnan(cube).any(axis=(1, 2))]
    return pareto_probability(whole).tolist() if len(targets) and len(whole) else [0.0] * len(targets)


def _p95(values: Floats) -> float:
    return float(np.nanquantile(values, 0.95, method="inverted_cdf"))


def _estimate(values: Floats, draws: Floats, alpha: float, statistic: Callable[[Floats], float]) -> Estimate | None:
    if not np.isfinite(values).any():
        return None
    low, high = np.nanquantile(draws, [alpha / 2, 1 - alpha / 2]).tolist()
    return Estimate(value=float(statistic(values)), low=low, high=high, level=1 - alpha, method=FRONT)


# in words -------------------------------------------------------------------------------------------------------------


def _sentence(standings: Sequence[Standing], objectives: Sequence[str]) -> str:
    first = [s.target for s in standings if s.rank_low == 1]
    of = "Of those that no gate blocks, " if any(s.excluded for s in standings) else ""
    if len(first) == 1:
        said = f"{of}{first[0]} passes the most cases, beyond doubt."
    elif first:
        said = f"{of or 'W'}{'w' if of else ''}hich passes the most cases is open between {listed(first)}."
    else:
        said = "A gate has blocked them all."
    front = [s.target for s in standings if s.p_front is not None and s.p_front >= 0.5]
    if front and len(objectives) > 1:
        held = "is" if len(front) == 1 else "are"
        said += f" On the front of {listed(objectives)} {held} more likely than not {listed(front)}."
    return said


def _unknown(columns: Sequence[Column]) -> list[str]:
    """Which objectives were left out, and for want of what."""
    found: list[str] = []
    for what, held in (("cost", [c.cost for c in columns]), ("latency", [c.seconds for c in columns])):
        if gone := [c.name for c, values in zip(columns, held, strict=True) if not np.isfinite(values).any()]:
            found.append(f"The {what} of {listed(gone)} is unknown, so the front leaves {what} out.")
    return found
