"""One number over all labels of a run: F1, MCC, balanced accuracy … Arms are compared by jackknife over clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from seatrial.core.score import Score
from seatrial.verdicts.engine.means import MeanEvidence
from seatrial.verdicts.engine.outcomes import Bools, Floats, Ints, Labels, Outcomes, distinct, spread, weight_of
from seatrial.verdicts.records import Confusion

MOST_LABELS = 50


def label_of(score: Score) -> tuple[str, str | None] | None:
    """What a score says was expected, and found: the first evidence that holds an expected label; None without one."""
    for evidence in score.evidence:
        if isinstance(evidence.expected, str):
            return evidence.expected, evidence.found if isinstance(evidence.found, str) else None
    return None


@dataclass(frozen=True, slots=True)
class LabelAggregate:
    """A number from the table of expected (rows) and found labels (columns; the last is `no label`).

    `accuracy`, `balanced_accuracy` (mean recall of the labels that are expected), `macro_f1` (mean F1 of the labels
    that are expected or found), `weighted_f1` (each counted as often as it is expected), `micro_f1` (2 · hits /
    (expected + found), over all labels at once), `mcc` (Gorodkin's R_K), `kappa` (Cohen's), and `f1:LABEL`,
    `precision:LABEL`, `recall:LABEL` of one label. NaN where it is undefined: the precision of a label that was never
    found, the recall of one that was never expected, a coefficient where one side names a single label throughout.
    """

    name: str

    @property
    def limits(self) -> tuple[float, float]:
        """The least and most that it can be."""
        return (-1.0, 1.0) if self.name in {"mcc", "kappa"} else (0.0, 1.0)

    def __call__(self, scores: Sequence[Score], /) -> float:
        """The number over scores that say which label was expected and found; NaN where none does."""
        pairs = [pair for score in scores if (pair := label_of(score)) is not None]
        names = sorted({label for pair in pairs for label in pair if label is not None})
        at = {name: code for code, name in enumerate(names)}
        table = np.zeros((len(names), len(names) + 1))
        for expected, found in pairs:
            table[at[expected], len(names) if found is None else at[found]] += 1
        return self.of(table, tuple(names)) if pairs else float("nan")

    def of(self, table: Floats, names: Sequence[str]) -> float:
        """The number of one table."""
        hits, rows, columns = np.diagonal(table), table.sum(axis=1), table[:, :-1].sum(axis=0)
        total = float(table.sum())
        kind, _, label = self.name.partition(":")
        if label:
            at = names.index(label) if label in names else None
            return math.nan if at is None else _of_one(kind, float(hits[at]), float(rows[at]), float(columns[at]))
        match kind:
            case "accuracy":
                return _share(float(hits.sum()), total)
            case "balanced_accuracy":
                there = rows > 0
                return float((hits[there] / rows[there]).mean()) if there.any() else math.nan
            case "macro_f1":
                there = rows + columns > 0
                return float((2 * hits[there] / (rows + columns)[there]).mean()) if there.any() else math.nan
            case "weighted_f1":
                there = rows > 0
                return _share(float((2 * hits[there] / (rows + columns)[there] * rows[there]).sum()), total)
            case "micro_f1":
                return _share(2 * float(hits.sum()), total + float(columns.sum()))
            case "kappa":
                chance = float(rows @ columns) / (total * total) if total else math.nan
                return _share(_share(float(hits.sum()), total) - chance, 1 - chance)
            case "mcc":
                found = np.append(columns, table[:, -1].sum())
                cross = float(hits.sum()) * total - float(rows @ columns)
                apart = (total * total - float(found @ found)) * (total * total - float(rows @ rows))
                return cross / float(np.sqrt(apart)) if apart > 0 else math.nan
            case _:
                raise ValueError(f"no aggregate is named {self.name!r}")


def _of_one(kind: str, hits: float, expected: float, found: float) -> float:
    return {
        "f1": _share(2 * hits, expected + found),
        "precision": _share(hits, found),
        "recall": _share(hits, expected),
    }[kind]


def _share(part: float, whole: float) -> float:
    return part / whole if abs(whole) > 1e-12 else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Jackknifed:
    """An aggregate of each arm, and their difference, as evidence over clusters; None where it is undefined."""

    candidate: MeanEvidence | None
    incumbent: MeanEvidence | None = None
    difference: MeanEvidence | None = None


def jackknifed(outcomes: Outcomes, aggregate: LabelAggregate) -> Jackknifed | None:
    """The number of each arm, over the results that all arms have, and their difference; None without any.

    Every cluster is left out in turn (what is undefined without it counts as 0); the pseudo-values
    C·θ − (C − 1)·θ₍₋g₎, centred on θ, are compared with a t of C − 1 degrees of freedom (Quenouille 1956, Tukey 1958).
    """
    labels = outcomes.labels
    assert isinstance(labels, Labels), "an aggregate needs labels"
    there = _counted(outcomes, labels)
    if not there.any():
        return None
    arms = [labels.candidate] if labels.incumbent is None else [labels.candidate, labels.incumbent]
    cluster = spread(outcomes.cluster, there)
    weight = np.ones(len(cluster)) if outcomes.weight is None else weight_of(outcomes.weight, there)
    columns = [column[there].astype(np.intp) for column in (labels.expected, *arms)]
    kinds, which = _kinds(columns, cluster, weight)
    cases = int(np.count_nonzero(there.any(axis=1)))
    values = [_replicates(at, columns, kinds, weight, aggregate, labels.names) for at in range(1, len(columns))]
    name = aggregate.name if outcomes.weight is None else f"weighted {aggregate.name}"
    common = (name, (cases, len(cluster)), which)
    low, high = aggregate.limits
    found = [None if math.isnan(full) else _evidence(full, left, (low, high), *common) for full, left in values]
    if len(values) == 1:
        return Jackknifed(found[0])
    (full_c, left_c), (full_i, left_i) = values
    if math.isnan(full_c) or math.isnan(full_i):
        return Jackknifed(found[0], found[1])
    gap = (low - high, high - low)
    difference = _evidence(full_c - full_i, left_c - left_i, gap, *common)
    return Jackknifed(found[0], found[1], difference)


def _counted(outcomes: Outcomes, labels: Labels) -> Bools:
    """The results that count: those with an expected label, of which every arm has one, and whose weight is not 0."""
    there = (labels.expected >= 0) & ~np.isnan(outcomes.candidate)
    if outcomes.incumbent is not None:
        there &= ~np.isnan(outcomes.incumbent)
    return there if outcomes.weight is None else there & (outcomes.weight > 0)[:, None]


def confusion(outcomes: Outcomes) -> tuple[Confusion, ...]:
    """Each arm's table of expected and found labels; nothing without labels, and for more than 50 of them."""
    labels = outcomes.labels
    if not isinstance(labels, Labels):
        return ()
    there = _counted(outcomes, labels)
    arms = {"candidate": labels.candidate, "incumbent": labels.incumbent}
    columns = {arm: column[there] for arm, column in arms.items() if column is not None}
    expected = labels.expected[there]
    codes = distinct(np.concatenate([expected, *columns.values()]))
    codes = codes[codes >= 0]
    if not len(codes) or len(codes) > MOST_LABELS:
        return ()
    kept: list[int] = codes.tolist()
    named = tuple(labels.names[code] for code in kept)
    rows = np.searchsorted(codes, expected)
    made: list[Confusion] = []
    for arm, found in columns.items():
        table = np.zeros((len(codes), len(codes) + 1), dtype=np.int64)
        np.add.at(table, (rows, np.where(found < 0, len(codes), np.searchsorted(codes, found))), 1)
        made.append(Confusion.model_validate({"arm": arm, "labels": named, "counts": table.tolist()}))
    return tuple(made)


def _kinds(columns: Sequence[Ints], cluster: Ints, weight: Floats) -> tuple[list[Ints], Ints]:
    """Rows of one cluster of each kind (the same labels, with the same weights), and the kind of every cluster."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=cluster[order][0] - 1))
    members = np.split(order, starts[1:])
    facts: list[tuple[Any, ...]] = list(zip(*(column.tolist() for column in columns), weight.tolist(), strict=True))
    known: dict[tuple[Any, ...], int] = {}
    kinds: list[Ints] = []
    which = np.empty(len(members), dtype=np.intp)
    for at, rows in enumerate(members):
        places: list[int] = rows.tolist()
        key = tuple(sorted(facts[row] for row in places))
        if key not in known:
            known[key] = len(kinds)
            kinds.append(rows)
        which[at] = known[key]
    return kinds, which


def _replicates(
    arm: int,
    columns: Sequence[Ints],
    kinds: Sequence[Ints],
    weight: Floats,
    aggregate: LabelAggregate,
    names: Sequence[str],
) -> tuple[float, Floats]:
    """The number of one arm, and without one cluster of each kind."""
    size = len(names)

    def table(rows: Ints | slice) -> Floats:
        made = np.zeros((size, size + 1))
        found = columns[arm][rows]
        np.add.at(made, (columns[0][rows], np.where(found < 0, size, found)), weight[rows])
        return made

    whole = table(slice(None))
    left = [aggregate.of(np.maximum(0.0, whole - table(rows)), names) for rows in kinds]
    return aggregate.of(whole, names), np.nan_to_num(np.array(left), nan=0.0)


def _evidence(
    full: float,
    left: Floats,
    limits: tuple[float, float],
    name: str,
    counts: tuple[int, int],
    which: Ints,
) -> MeanEvidence:
    """What pseudo-values say; `counts`: of cases and results, `name`: with its weighting."""
    clusters = len(which)
    pseudo = (clusters * full - (clusters - 1) * left)[which] if clusters > 1 else np.array([full])
    centred = pseudo - pseudo.mean() + full
    cases, results = counts
    return MeanEvidence(
        sums=centred,
        sizes=np.ones(clusters),
        cases=cases,
        results=results,
        method=f"delete-one-cluster jackknife of {name}, t",
        test=f"delete-one-cluster jackknife of {name}, t test",
        limits=limits,
    )


@cache
def named(name: str) -> LabelAggregate:
    """The aggregate of a rubric."""
    return LabelAggregate(name)
