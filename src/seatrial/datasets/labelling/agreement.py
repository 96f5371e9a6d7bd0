"""How far the people who saw the same units agree, rubric by rubric, beyond chance, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seatrial.core.record import Record, Text
from seatrial.datasets.labelling.final import finals, meaning
from seatrial.datasets.labelling.journal import Entry
from seatrial.datasets.labelling.units import Mode
from seatrial.stats.agreement import cohen_kappa, gwet_ac1, krippendorff_alpha, observed_agreement
from seatrial.stats.rates import Interval, wilson

Method = Literal["large sample", "Wilson on the agreement"]


class Agreement(Record):
    """How two or more people agree on one rubric (or on one mode, where `rubric` is empty).

    `units` were judged by two or more; `agree` is the share of them on which all say the same, with its Wilson 95 %
    interval. `kappa` is Cohen's, of the first two words on each unit, with its 95 % interval; `ac1` Gwet's, `alpha`
    Krippendorff's, of all. None: not defined, as where everybody always says the same one thing. `disputed` are still
    to be adjudicated.
    """

    rubric: Text
    people: tuple[Text, ...]
    units: int
    same: int
    agree: float | None
    agree_low: float
    agree_high: float
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    kappa_method: Method
    ac1: float | None
    alpha: float | None
    disputed: int
    adjudicated: int


def kappa_interval(ratings: NDArray[np.float64], *, alpha: float = 0.05) -> tuple[Interval, Method] | None:
    """A confidence interval of Cohen's κ for two raters, rows without a gap; None where κ is not defined.

    The large-sample standard error of Fleiss, Cohen and Everitt (1969). Where it is 0 (complete agreement, or a rater
    who always says the same) the Wilson bounds of the observed agreement are carried through κ at the chance agreement
    seen, so that ten units that agree do not pass for certainty.
    """
    from seatrial.stats.distributions import normal_quantile

    kappa = cohen_kappa(ratings)
    if math.isnan(kappa):
        return None
    table = _table(ratings)
    n = len(ratings)
    rows, columns, diagonal = table.sum(axis=1), table.sum(axis=0), np.diag(table)
    observed, expected = float(diagonal.sum()), float(rows @ columns)
    on = float((diagonal * ((1 - expected) - (rows + columns) * (1 - observed)) ** 2).sum())
    off = table * (columns[:, None] + rows[None, :]) ** 2
    between = (1 - observed) ** 2 * float(off.sum() - np.diag(off).sum())
    middle = (observed * expected - 2 * expected + observed) ** 2
    variance = max(0.0, on + between - middle) / (n * (1 - expected) ** 4)
    if variance <= 1e-12:
        bounds = wilson(observed * n, n, alpha=alpha)
        low, high = ((bound - expected) / (1 - expected) for bound in bounds)
        return Interval(max(-1.0, low), min(1.0, high)), "Wilson on the agreement"
    half = float(normal_quantile(1 - alpha / 2)) * math.sqrt(variance)
    return Interval(max(-1.0, kappa - half), min(1.0, kappa + half)), "large sample"


def _table(ratings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of units by what the first (row) and the second (column) said."""
    categories = np.unique(ratings)
    first = (ratings[:, :1] == categories).astype(np.float64)
    second = (ratings[:, 1:] == categories).astype(np.float64)
    return first.T @ second / len(ratings)


def report(mode: Mode, entries: Iterable[Entry]) -> list[Agreement]:
    """Agreement by rubric, over the units that two or more people judged before any adjudication."""
    by_rubric: dict[str, list[tuple[Entry, ...]]] = {}
    disputed: dict[str, list[str]] = {}
    for final in finals(entries).values():
        if len(final.said) < 2:
            continue
        rubric = final.said[0].rubric
        by_rubric.setdefault(rubric, []).append(tuple(sorted(final.said, key=lambda entry: entry.by)))
        disputed.setdefault(rubric, []).append(final.state)
    return [_of_rubric(mode, name, units, disputed[name]) for name, units in sorted(by_rubric.items())]


def _of_rubric(mode: Mode, rubric: str, units: Sequence[tuple[Entry, ...]], states: Sequence[str]) -> Agreement:
    words = [[meaning(mode, entry.value) for entry in unit] for unit in units]
    codes = {word: float(i) for i, word in enumerate(sorted({word for said in words for word in said}))}
    people = sorted({entry.by for unit in units for entry in unit})
    table = np.full((len(units), max(2, len(people))), np.nan)
    for row, (unit, said) in enumerate(zip(units, words, strict=True)):
        for entry, word in zip(unit, said, strict=True):
            table[row, people.index(entry.by)] = codes[word]
    pairs = np.array([[codes[said[0]], codes[said[1]]] for said in words])
    same = sum(len(set(said)) == 1 for said in words)
    interval = kappa_interval(pairs)
    agree = wilson(same, len(units))
    return Agreement(
        rubric=rubric,
        people=tuple(people),
        units=len(units),
        same=same,
        agree=_number(observed_agreement(table)) if len(people) == 2 else same / len(units),
        agree_low=agree.low,
        agree_high=agree.high,
        kappa=_number(cohen_kappa(pairs)),
        kappa_low=interval[0].low if interval else None,
        kappa_high=interval[0].high if interval else None,
        kappa_method=interval[1] if interval else "large sample",
        ac1=_number(gwet_ac1(table)),
        alpha=_number(krippendorff_alpha(table)),
        disputed=sum(state == "disputed" for state in states),
        adjudicated=sum(state == "adjudicated" for state in states),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
