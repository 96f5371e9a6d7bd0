"""How much of a difference is the model, and how much its settings: pass rates over a grid of settings, taken apart.

Pure: from results by target and setting to findings. Two cells of the grid that differ in one thing alone (the target,
or one setting) are compared case by case, as a verdict compares two arms. All these differences of a rubric are read
together, so that the largest of them is no accident of there being many (Bonferroni: each interval at alpha over their
number). The range told beside the largest difference is then one of the largest true difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from seatrial.core.record import Json, Record, Text
from seatrial.stats import Interval
from seatrial.verdicts.artefacts.sentences import count, end, listed, points
from seatrial.verdicts.engine.outcomes import MOST_MISSING, Floats, Ints, Outcomes, distinct
from seatrial.verdicts.engine.quality import LEAST_CLUSTERS
from seatrial.verdicts.engine.rates import rates_of
from seatrial.verdicts.engine.weighing import compare
from seatrial.verdicts.records import Rate

MODEL = "model"
"""The name of the factor that the targets are."""


# records --------------------------------------------------------------------------------------------------------------


class SweptSetting(Record):
    """One setting of the grid: its values by name, the same in words, and the trial that asked under it."""

    label: Text
    values: Mapping[Text, Json]
    shown: Mapping[Text, Text]
    trial_id: Text


class Cell(Record):
    """How often one target passes under one setting; `setting` counts from 0."""

    target: Text
    setting: int
    rate: Rate


class Movement(Record):
    """How far pass rates move with one factor (`model` or a setting), everything else held the same.

    All are shares. `largest` is the largest difference seen, between the cells that `between` names, and `low` to
    `high` the range of the largest true one at the report's level. `typical` is the root of the mean squared
    difference, with what chance adds to it taken off.
    """

    factor: Text
    largest: float
    low: float
    high: float
    typical: float
    between: Text
    differences: int


class Swap(Record):
    """Two targets of which the first leads under one setting and the second under another.

    The leads are shares, in favour of the first. `shown`: both leads are shown, not only seen.
    """

    first: Text
    second: Text
    first_leads: Text
    lead: float
    lead_low: float
    lead_high: float
    second_leads: Text
    behind: float
    behind_low: float
    behind_high: float
    shown: bool


class RubricSweep(Record):
    """What the grid says about one quality rubric. `differences` were read together."""

    name: Text
    cells: tuple[Cell, ...]
    movements: tuple[Movement, ...]
    swaps: tuple[Swap, ...]
    differences: int
    sentence: Text
    ranking: Text
    warnings: tuple[Text, ...] = ()


class SweepReport(Record):
    """A settings sweep: the grid, and what each quality rubric says of it. Intervals are at `level`."""

    suite: Text
    dataset: Text
    cases: int
    clusters: int
    epochs: int
    targets: tuple[Text, ...]
    factors: tuple[Text, ...]
    settings: tuple[SweptSetting, ...]
    level: float
    rubrics: tuple[RubricSweep, ...]
    warnings: tuple[Text, ...] = ()


# the grid -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Results of one rubric by target and number of the setting: a row a case, a column an epoch, NaN is missing.

    `settings` are values in words by factor. `unmoved` names the factors (with a target) whose values never reached
    that target, so that cells which differ in them alone are the same experiment twice. `weight`: what each case counts
    (all the same where None); `graded`: results are values from 0 to 1, not passes.
    """

    targets: Sequence[str]
    settings: Sequence[Mapping[str, str]]
    results: Mapping[tuple[str, int], Floats]
    cluster: Ints
    unmoved: frozenset[tuple[str, str]] = field(default_factory=frozenset[tuple[str, str]])
    weight: Floats | None = None
    graded: bool = False

    def outcomes(self, one: tuple[str, int], other: tuple[str, int] | None = None) -> Outcomes:
        """One cell, or two of them side by side, as a verdict has two arms."""
        second = None if other is None else self.results[other]
        found = Outcomes.of(self.results[one], second, self.cluster)
        return replace(found, weight=self.weight, graded=self.graded)

    @property
    def factors(self) -> tuple[str, ...]:
        """The names of what is set."""
        return tuple(self.settings[0])


class Contrast(NamedTuple):
    """A pair of cells that differ in one factor, each a target and a setting's number."""

    factor: str
    one: tuple[str, int]
    other: tuple[str, int]


class Gap(NamedTuple):
    """What is known of a contrast: the difference of pass rates, its variance, and its simultaneous interval."""

    contrast: Contrast
    estimate: float
    variance: float
    interval: Interval


def contrasts(grid: Grid) -> list[Contrast]:
    """Every pair of cells that differ in the target alone, or in one setting alone."""
    numbers = range(len(grid.settings))
    found = [Contrast(MODEL, (one, s), (two, s)) for s in numbers for one, two in combinations(grid.targets, 2)]
    for a, b in combinations(numbers, 2):
        differing = [name for name in grid.factors if grid.settings[a][name] != grid.settings[b][name]]
        if len(differing) == 1:
            moved = (t for t in grid.targets if (differing[0], t) not in grid.unmoved)
            found += [Contrast(differing[0], (target, a), (target, b)) for target in moved]
    return found


def decompose(name: str, grid: Grid, alpha: float) -> RubricSweep:
    """What one rubric's results say about targets and settings; intervals hold together at 1 − alpha."""
    pairs = contrasts(grid)
    gaps = [gap for one in pairs if (gap := _gap(grid, one, alpha / len(pairs))) is not None]
    movements = [m for factor in (MODEL, *grid.factors) if (m := _movement(grid, factor, gaps)) is not None]
    found = tuple(_swaps(grid, gaps))
    return RubricSweep(
        name=name,
        cells=tuple(
            Cell(target=target, setting=s, rate=rates_of(grid.outcomes((target, s)), alpha)[0])
            for s in range(len(grid.settings))
            for target in grid.targets
        ),
        movements=tuple(movements),
        swaps=found,
        differences=len(gaps),
        sentence=_sentence(movements, 1 - alpha),
        ranking=_ranking(grid, found),
        warnings=tuple(_warnings(grid, len(pairs) - len(gaps))),
    )


def _gap(grid: Grid, contrast: Contrast, alpha: float) -> Gap | None:
    """The first cell minus the second, over the pairs of results that both have; None without any."""
    found = compare(grid.outcomes(contrast.one, contrast.other))
    if found is None:
        return None
    return Gap(contrast, found.estimate, found.variance / found.results, found.interval(alpha))


def _movement(grid: Grid, factor: str, gaps: Sequence[Gap]) -> Movement | None:
    """The largest of a factor's differences. The intervals hold together, so the largest bounds hold for it."""
    own = [gap for gap in gaps if gap.contrast.factor == factor]
    if not own:
        return None
    top = max(own, key=lambda gap: abs(gap.estimate))
    squares = float(np.mean([gap.estimate**2 - gap.variance for gap in own]))
    return Movement(
        factor=factor,
        largest=abs(top.estimate),
        low=max(max(0.0, gap.interval.low, -gap.interval.high) for gap in own),
        high=max(max(-gap.interval.low, gap.interval.high) for gap in own),
        typical=math.sqrt(max(0.0, squares)),
        between=_between(grid, top),
        differences=len(own),
    )


def _between(grid: Grid, gap: Gap) -> str:
    """Which two cells differ, the better one first, and what they have in common."""
    (one, a), (two, b) = gap.contrast.one, gap.contrast.other
    if gap.estimate < 0:
        (one, a), (two, b) = (two, b), (one, a)
    if gap.contrast.factor == MODEL:
        return f"{one} over {two}, {label(grid.settings[a])}"
    name = gap.contrast.factor
    rest = label({key: value for key, value in grid.settings[a].items() if key != name})
    return f"{grid.settings[a][name]} over {grid.settings[b][name]}, {one}{', ' if rest else ''}{rest}"


def label(setting: Mapping[str, str]) -> str:
    """A setting in words: `temperature 0, shots 3`."""
    return ", ".join(f"{name} {value}" for name, value in setting.items())


def _swaps(grid: Grid, gaps: Sequence[Gap]) -> Iterable[Swap]:
    """The pairs of targets whose order is not the same under all settings, each at its two clearest."""
    by_pair: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        if gap.contrast.factor == MODEL:
            by_pair.setdefault((gap.contrast.one[0], gap.contrast.other[0]), []).append(gap)
    for (first, second), own in by_pair.items():
        ahead = max(own, key=lambda gap: (gap.interval.low > 0, gap.estimate))
        behind = min(own, key=lambda gap: (gap.interval.high >= 0, gap.estimate))
        if ahead.estimate > 0 > behind.estimate:
            yield Swap(
                first=first,
                second=second,
                first_leads=label(grid.settings[ahead.contrast.one[1]]),
                lead=ahead.estimate,
                lead_low=ahead.interval.low,
                lead_high=ahead.interval.high,
                second_leads=label(grid.settings[behind.contrast.one[1]]),
                behind=behind.estimate,
                behind_low=behind.interval.low,
                behind_high=behind.interval.high,
                shown=ahead.interval.low > 0 > behind.interval.high,
            )


# in words -------------------------------------------------------------------------------------------------------------


def _sentence(movements: Sequence[Movement], level: float) -> str:
    """`Temperature moves pass rates by up to 4.1 points (2.0 to 6.3), the model by up to 1.2 (0 to 3.0).`, and more."""
    if not movements:
        return "No two cells of the grid have a case in common that both answered, so nothing can be said."
    first, *rest = sorted(movements, key=lambda m: -m.largest)
    said = [f"{_factor(first.factor)} moves pass rates by up to {_size(first, ' points')}"]
    said += [f"{_factor(m.factor)} by up to {_size(m)}" for m in rest]
    text = ", ".join(said)
    unshown = [_factor(m.factor) for m in movements if m.low == 0]
    tail = f" That {listed(unshown)} {'moves' if len(unshown) == 1 else 'move'} them at all is not shown."
    together = f" Ranges hold together at {100 * level:g}%."
    return f"{text[0].upper()}{text[1:]}.{tail if unshown else ''}{together}"


def _size(movement: Movement, unit: str = "") -> str:
    return f"{points(movement.largest)}{unit} ({points(movement.low)} to {points(movement.high)})"


def _factor(name: str) -> str:
    return "the model" if name == MODEL else name


def _ranking(grid: Grid, swaps: Sequence[Swap]) -> str:
    if len(grid.targets) < 2:
        return "There is one target, so there is no ranking."
    if len(grid.settings) < 2:
        return "There is one setting, so a ranking cannot depend on it."
    shown = [swap for swap in swaps if swap.shown]
    if not swaps:
        return "The ranking of the targets is the same under every setting."
    seen = listed([f"{swap.first} and {swap.second}" for swap in swaps if not swap.shown])
    chance = f"{seen} change places, by no more than chance may do." if seen else ""
    if not shown:
        return f"The ranking is not shown to depend on the setting: {chance}"
    said = "; ".join(_swap(swap) for swap in shown)
    return f"The ranking depends on the setting: {said}.{f' {chance}' if chance else ''}"


def _swap(swap: Swap) -> str:
    ahead = f"{points(swap.lead)} points ({end(swap.lead_low)} to {end(swap.lead_high)})"
    behind = f"{points(-swap.behind)} ({end(-swap.behind_high)} to {end(-swap.behind_low)})"
    who = f"{swap.first} leads {swap.second}"
    return f"{who} by {ahead} at {swap.first_leads}, and trails by {behind} at {swap.second_leads}"


def _warnings(grid: Grid, empty: int) -> Iterable[str]:
    clusters = len(distinct(grid.cluster))
    if clusters < LEAST_CLUSTERS:
        yield f"The cases form only {count(clusters, 'cluster')}: with fewer than {LEAST_CLUSTERS} intervals are rough."
    if empty:
        yield f"{count(empty, 'pair')} of cells have no case in common that both answered: they say nothing."
    gone = {key: float(np.isnan(cell).mean()) if cell.size else 0.0 for key, cell in grid.results.items()}
    many = [f"{target} at {label(grid.settings[s])}" for (target, s), share in gone.items() if share > MOST_MISSING]
    if many:
        yield f"More than {MOST_MISSING:.0%} of the results are missing for {listed(many)}: do not rely on those."
    elif any(gone.values()):
        missing = sum(int(np.count_nonzero(np.isnan(cell))) for cell in grid.results.values())
        yield f"{count(missing, 'result')} missing: each pair of cells is compared on the cases that both have."
