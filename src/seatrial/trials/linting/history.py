"""What past trials in the store say of cases and rubrics: a pass or failure a system and case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from seatrial.core.identity import canonical
from seatrial.core.record import as_dict
from seatrial.core.suite import Suite
from seatrial.datasets.linting.facts import Facts
from seatrial.datasets.linting.finding import Finding, found, many, percent
from seatrial.datasets.linting.parts import Reruns
from seatrial.errors import StoreError, StoreVersionError
from seatrial.stats import benjamini_hochberg
from seatrial.stats.distributions import normal_cdf, normal_quantile
from seatrial.store import schema
from seatrial.store.store import RunRow, Store, TrialRow
from seatrial.verdicts.reading.frame import MODEL_FAILURE, SCORED, Frame, load

NEWEST = 20
"""Trials that are looked through."""
LEAST_SYSTEMS, LEAST_CORRELATED = 3, 5
"""Fewer systems say nothing of a case; fewer give a correlation no interval worth its name."""
FALSE_SHARE = 0.10
"""Expected share of false alarms among the cases that better models fail (Benjamini and Hochberg 1995)."""
CERTAIN = 0.999999

Results = NDArray[np.float64]


@dataclass(slots=True)
class Past:
    """`results`: by rubric and system, one value a case: the mean of its passes, NaN where it was not judged.

    `incumbent`: by rubric, (failures, results) of what runs today.
    """

    trials: int = 0
    newest: str = ""
    systems: dict[str, str] = field(default_factory=dict[str, str])
    results: dict[str, dict[str, Results]] = field(default_factory=dict[str, "dict[str, Results]"])
    incumbent: dict[str, tuple[float, int]] = field(default_factory=dict[str, "tuple[float, int]"])
    discordance: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def reruns(self) -> Reruns:
        """In short."""
        return Reruns(self.trials, len(self.systems), self.newest[:10])


def past(file: Path, suite: Suite, hashes: Mapping[str, str], facts: Facts) -> Past:
    """The newest finished trials of the suite's name, judged by the scorers that it has now, on the cases it has now.

    A case counts as the same when a scorer sees the same. Empty where there is no store; nothing is written.
    """
    told = Past()
    if not file.is_file():
        return told
    row_of: dict[int, int] = {}
    for row, key in enumerate(map(int, facts.view)):
        row_of.setdefault(key, row)
    with Store(file) as store:
        for trial in store.trials(suite.name, limit=NEWEST):
            if trial.status == "done":
                _add(told, store, trial, suite, hashes, row_of, len(facts))
    return told


def _add(  # one step of the loop above
    told: Past,
    store: Store,
    trial: TrialRow,
    suite: Suite,
    hashes: Mapping[str, str],
    row_of: Mapping[int, int],
    total: int,
) -> None:
    try:
        frame = load(store, trial.id)
    except StoreVersionError:
        raise
    except StoreError:  # a trial that is kept in words of an older version says nothing here
        return
    rows = _rows(store, frame, row_of)
    if not (rows >= 0).any():
        return
    told.trials += 1
    told.newest = told.newest or trial.started_at
    base = suite.targets[suite.incumbent].use if suite.incumbent else None
    for name, arm in frame.arms.items():
        key = _system(arm.run)
        told.systems.setdefault(key, name)
        for at, rubric in enumerate(frame.suite.rubrics):
            if (as_dict(arm.run.definition.get("rubrics")) or {}).get(rubric.name) != hashes.get(rubric.name):
                continue
            held = told.results.setdefault(rubric.name, {})
            values = _values(frame, name, at)
            mine = held.setdefault(key, np.full(total, np.nan))
            fresh = (rows >= 0) & ~np.isnan(values)
            fresh[fresh] &= np.isnan(mine[rows[fresh]])  # the newest result stands
            mine[rows[fresh]] = values[fresh]
            if base is not None and arm.run.definition.get("use") == base and rubric.name not in told.incumbent:
                judged = values[~np.isnan(values)]
                told.incumbent[rubric.name] = (float((1 - judged).sum()), len(judged))


def _system(run: RunRow) -> str:
    """What makes two arms the same system: whom they ask, and how."""
    held = run.definition
    return canonical([held.get("identity") or held.get("hash") or held.get("use"), held.get("prompt")])


def _values(frame: Frame, name: str, at: int) -> Results:
    arm = frame.arms[name]
    told = np.isin(arm.status[at], (SCORED, MODEL_FAILURE)) & (arm.passed[at] >= 0)
    number = told.sum(axis=1)
    passes = np.where(told, arm.passed[at], 0).sum(axis=1)
    return np.divide(passes, number, out=np.full(len(number), np.nan), where=number > 0)


def _rows(store: Store, frame: Frame, row_of: Mapping[int, int]) -> NDArray[np.intp]:
    """For each case of a frame, its row among the present cases; -1 where it is none of them."""
    query = (
        select(schema.dataset_cases.c.position, schema.cases.c.view_hash)
        .join(schema.cases, schema.cases.c.id == schema.dataset_cases.c.case_id)
        .where(schema.dataset_cases.c.dataset_id == frame.trial.dataset_id)
    )
    with store.reading() as connection:
        found_at = {
            int(position): row_of.get(int.from_bytes(view[:8], "little"), -1)
            for position, view in connection.execute(query)
        }
    return np.array([found_at.get(at, -1) for at in frame.cases.position.tolist()], dtype=np.intp)


# item analytics -------------------------------------------------------------------------------------------------------


class Item(NamedTuple):
    """A case that better models fail: r, its two-sided 95% interval, and the chance of so low an r by luck alone."""

    row: int
    r: float
    low: float
    high: float
    p: float


def item_findings(told: Past, suite: Suite, facts: Facts) -> Iterator[Finding]:
    """Cases that no system fails, that all fail, and that better systems fail, on each quality rubric."""
    quality = [rubric.name for rubric in suite.rubrics if rubric.kind == "quality" and not rubric.graded]
    if quality and len(told.systems) < LEAST_CORRELATED:
        yield _few(told)
    tables = {name: _table(told.results.get(name, {})) for name in quality}
    judged = {name: table for name, table in tables.items() if table.shape[0] >= LEAST_SYSTEMS}
    if judged:
        yield from _constant(judged, facts)
    for name, table in judged.items():
        yield from _negative(name, table, facts)


def _table(held: Mapping[str, Results]) -> Results:
    """Systems by cases."""
    return np.vstack([held[key] for key in sorted(held)]) if held else np.empty((0, 0))


def _few(told: Past) -> Finding:
    have = many(len(told.systems), "system") if told.systems else "no system"
    return found(
        "L504",
        f"The store has results of {have} on these cases; {LEAST_SYSTEMS} tell which cases never or always fail, "
        f"{LEAST_CORRELATED} which ones better models fail.",
        numbers={"systems": len(told.systems)},
    )


def _constant(tables: Mapping[str, Results], facts: Facts) -> Iterator[Finding]:
    never = {name: _alike(table, 1.0) for name, table in tables.items()}
    always = {name: _alike(table, 0.0) for name, table in tables.items()}
    systems = many(max(len(table) for table in tables.values()), "system")
    if said := _shares(never, tables):
        everywhere = np.logical_and.reduce(list(never.values()))
        shares = {
            name: round(float(rows.sum() / _judged(tables[name]).sum()), 4)
            for name, rows in never.items()
            if rows.any()
        }
        text = f"None of {systems} fails {said}. Such cases tell no two of these apart."
        if everywhere.any() and len(never) > 1:
            text += f" {many(int(everywhere.sum()), 'case')} nobody fails on any of these rubrics."
        yield found("L501", text, cases=facts.named(everywhere), rubrics=list(shares), numbers={"share": shares})
    if said := _shares(always, tables):
        somewhere = np.logical_or.reduce(list(always.values()))
        names = [name for name, rows in always.items() if rows.any()]
        text = f"All of {systems} fail {said}."
        yield found("L502", text, cases=facts.named(somewhere), rubrics=names)


def _judged(table: Results) -> NDArray[np.bool_]:
    """Which cases enough systems have a result for."""
    return (~np.isnan(table)).sum(axis=0) >= LEAST_SYSTEMS


def _alike(table: Results, value: float) -> NDArray[np.bool_]:
    """Which of these have no result but this one."""
    return _judged(table) & (np.isnan(table) | (table == value)).all(axis=0)


def _shares(rows: Mapping[str, NDArray[np.bool_]], tables: Mapping[str, Results]) -> str:
    """`1,235 of 1,510 cases on tool_calls (82%), …`; empty where there is none."""
    said: list[str] = []
    for name, some in rows.items():
        count, total = int(some.sum()), int(_judged(tables[name]).sum())
        if count:
            what = f"{count:,} of {many(total, 'case')}" if not said else f"{count:,} of {total:,}"
            said.append(f"{what} on {name} ({percent(count / total)})")
    return ", ".join(said)


def _negative(name: str, table: Results, facts: Facts) -> Iterator[Finding]:
    if table.shape[0] < LEAST_CORRELATED:
        return
    items = correlations(table)
    low = [item for item in items if item.high < 0]
    if not low:
        return
    adjusted = benjamini_hochberg([item.p for item in items])
    sure = [item for item, p in zip(items, adjusted.tolist(), strict=True) if p <= FALSE_SHARE]
    shown = sorted(sure or low, key=lambda item: (item.p, item.row))
    first = shown[0]
    example = f"{facts.ids[first.row]}: r = {first.r:.2f}, 95% interval {first.low:.2f} to {first.high:.2f}"
    if sure:
        text = (
            f"{name}: the better a system is elsewhere, the more it fails {many(len(sure), 'case')} ({example}; "
            f"point-biserial, at most {percent(FALSE_SHARE)} false alarms)."
        )
    else:
        text = (
            f"{name}: {many(len(low), 'case')} may be failed by better systems ({example}), but chance alone would "
            f"give about {0.025 * len(items):.1f} of {len(items):,}: {many(table.shape[0], 'system')} are few to tell."
        )
    yield found(
        "L503",
        text,
        cases=facts.listed([item.row for item in shown]),
        rubrics=[name],
        severity=None if sure else "note",
        numbers={"r": round(first.r, 4), "low": round(first.low, 4), "high": round(first.high, 4)},
    )


def correlations(table: Results) -> list[Item]:
    """Each case's correlation with how the systems do on all other cases; cases without spread are left out.

    Point-biserial r corrected for the case itself (item-rest), interval by Fisher's z over systems.
    """
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    sums, counts = filled.sum(axis=1, keepdims=True), known.sum(axis=1, keepdims=True)
    rest = np.divide(sums - filled, counts - known, out=np.full_like(filled, np.nan), where=(counts - known) > 0)
    items: list[Item] = []
    varied = np.flatnonzero(
        (known.sum(axis=0) >= LEAST_CORRELATED) & (np.nanmax(np.where(known, table, -1), axis=0) > 0)
    )
    for row in varied.tolist():
        some = known[:, row]
        y, x = table[some, row], rest[some, row]
        r = _correlation(x, y)
        if r is not None:
            items.append(_item(row, r, len(y)))
    return items


def _correlation(x: Results, y: Results) -> float | None:
    a, b = x - x.mean(), y - y.mean()
    spread = float(a @ a) * float(b @ b)
    return None if spread <= 1e-18 else max(-CERTAIN, min(CERTAIN, float(a @ b) / spread**0.5))


def _item(row: int, r: float, systems: int) -> Item:
    z, se = np.arctanh(r), 1 / (systems - 3) ** 0.5
    reach = normal_quantile(0.975) * se
    return Item(row, r, float(np.tanh(z - reach)), float(np.tanh(z + reach)), normal_cdf(float(z) / se))


def failing(told: Past, rubrics: Sequence[str]) -> dict[str, tuple[float, int]]:
    """(failures, results) of the incumbent, by rubric, where it was judged."""
    return {name: told.incumbent[name] for name in rubrics if told.incumbent.get(name, (0, 0))[1]}
