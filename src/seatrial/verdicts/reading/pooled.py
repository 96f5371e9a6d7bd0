"""What aggregates are taken over: the labels that scores name, or the scores themselves, read from the store.

A function of the suite's own is searched where the suite is, else in the folder at work and beside the store; only one
whose source is that which was registered with the trial is called.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seatrial.core.plugins import load_function
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.score import Score
from seatrial.core.suite import OWN_AGGREGATE, RubricSpec
from seatrial.errors import AggregateError, BrokenPluginError, safe
from seatrial.store.store import Store, TrialRow
from seatrial.verdicts.engine.aggregates import label_of
from seatrial.verdicts.engine.counterfactual import pair_of, undecided
from seatrial.verdicts.engine.outcomes import Bools, Codes, Ints, Labels
from seatrial.verdicts.engine.pooling import OWN_LIMITS, PAIRED, ScoreAggregate, Scored

KEPT = "aggregates"
"""Where a trial's environment says which functions were registered: by rubric, `function` and `source`."""
SCORES_AT_ONCE = 8000
Ids = NDArray[np.int64]
_LOADED: dict[tuple[str, str], ScoreAggregate] = {}
"""The functions that this process has loaded, by name and source."""


# the functions --------------------------------------------------------------------------------------------------------


def own_aggregate(name: str, folder: Path) -> tuple[ScoreAggregate, str]:
    """The function behind `python:module:function`, and the sha256 of its source; the suite's folder comes first.

    Its attribute `limits`, where it has one, is the least and most that it gives; else they are -1 and 1. Where it has
    a parameter `weights`, it is given them. Raises BrokenPluginError, and AggregateError for what is no such function.
    """
    reference = name.removeprefix(OWN_AGGREGATE)
    if reference.partition(":")[0].partition(".")[0] in sys.stdlib_module_names:
        raise AggregateError(f"{safe(name)} is of Python's own library.", hint="wrap it in a function of your own")
    function, source = load_function(reference, folder)
    if not source:
        raise BrokenPluginError(
            f"{safe(reference)} has no source file, so a change of it could not be noticed.",
            hint="wrap it in a function in a file of your own",
        )
    made = ScoreAggregate(name, function, _limits(function, name), _takes_weights(function, name))
    return _LOADED.setdefault((name, source), made), source


def _takes_weights(function: Callable[..., Any], name: str) -> bool:
    hint = "it must take (scores), or (scores, weights)"
    if inspect.iscoroutinefunction(function):
        raise AggregateError(f"The aggregate {safe(name)} is async.", hint="an aggregate only computes: make it plain")
    try:
        signature = inspect.signature(function)
        weighted = "weights" in signature.parameters
        signature.bind([], **({"weights": []} if weighted else {}))
    except (TypeError, ValueError) as cause:
        raise AggregateError(f"The aggregate {safe(name)} cannot be called: {safe(cause, 120)}.", hint=hint) from cause
    return weighted


def _limits(function: Callable[..., Any], name: str) -> tuple[float, float]:
    given: object = getattr(function, "limits", None)
    if given is None:
        return OWN_LIMITS
    ends = as_list(given) or []
    plain = [float(end) for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(plain) != 2 or len(ends) != 2 or not -1 <= plain[0] < plain[1] <= 1:
        raise AggregateError(
            f"The limits of {safe(name)} are {safe(given, 60)}.", hint="two numbers in [-1, 1], the lower first"
        )
    return plain[0], plain[1]


def kept_aggregate(store: Store, trial: TrialRow, rubric: RubricSpec) -> ScoreAggregate:
    """The function that was registered with a trial. Raises AggregateError where it is not there, or was changed."""
    about = as_dict((as_dict(trial.environment.get(KEPT)) or {}).get(rubric.name)) or {}
    name, source = rubric.aggregate, str(about.get("source", ""))
    if (name, source) in _LOADED:
        return _LOADED[name, source]
    beside = store.path.resolve().parent
    said = "its module cannot be imported"
    for folder in dict.fromkeys((Path.cwd(), beside.parent if beside.name == ".seatrial" else beside)):
        try:
            found, now = own_aggregate(name, folder)
        except BrokenPluginError:
            continue
        if now == source:
            return found
        said = "its source is not what was registered with the trial"
    raise AggregateError(
        f"Rubric {safe(rubric.name)} of trial {trial.id} takes {safe(name)}: {said}.",
        hint="work in the suite's folder with its source as it was, or run the suite again: nothing is asked anew",
    )


def registered(aggregates: Mapping[str, str], rubrics: Sequence[RubricSpec]) -> dict[str, Json]:
    """What a trial keeps of its own aggregates; `aggregates`: the source by rubric name."""
    return {r.name: {"function": r.aggregate, "source": aggregates[r.name]} for r in rubrics if r.name in aggregates}


# the scores -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """By number of a rubric and arm: codes of the labels expected and found, or of the scores, of every result.

    `ties`: by number of a rubric, one code a case for those that stand and fall together. `functions` finds the
    aggregate of a rubric over scores.
    """

    labels: Mapping[tuple[int, str], tuple[Codes, Codes]] = field(
        default_factory=dict[tuple[int, str], tuple[Codes, Codes]]
    )
    names: tuple[str, ...] = ()
    codes: Mapping[tuple[int, str], Codes] = field(default_factory=dict[tuple[int, str], Codes])
    ties: Mapping[int, Codes] = field(default_factory=dict[int, Codes])
    scores: Sequence[Score] = ()
    functions: Callable[[RubricSpec], ScoreAggregate] = lambda rubric: PAIRED[rubric.aggregate]

    def of(self, index: int, rubric: RubricSpec, arms: Sequence[str], rows: Ints) -> Labels | Scored:
        """What these arms, the candidate first, say on these cases."""
        if rubric.over_scores:
            sides = [self.codes[index, name][rows] for name in arms]
            second = sides[1] if len(sides) > 1 else None
            return Scored(self.functions(rubric), self.scores, sides[0], second, self.ties[index][rows])
        facts = [self.labels[index, name] for name in arms]
        expected = np.maximum.reduce([fact[0][rows] for fact in facts])
        found = [fact[1][rows] for fact in facts]
        return Labels(rubric.aggregate, self.names, expected, found[0], found[1] if len(found) > 1 else None)


def pooled(
    store: Store,
    trial: TrialRow,
    rubrics: Sequence[RubricSpec],
    arms: Mapping[str, tuple[Ids, Bools]],
    own: Mapping[str, ScoreAggregate] | None = None,
) -> Pooled:
    """What the rubrics' aggregates are taken over, by each arm's score ids and which of them say something.

    `own`: functions by rubric, in place of those that were registered with the trial.
    """

    def function(rubric: RubricSpec) -> ScoreAggregate:
        if not rubric.own_aggregate:
            return PAIRED[rubric.aggregate]
        return own[rubric.name] if own and rubric.name in own else kept_aggregate(store, trial, rubric)

    names: dict[str, int] = {}
    labels: dict[tuple[int, str], tuple[Codes, Codes]] = {}
    codes: dict[tuple[int, str], Codes] = {}
    ties: dict[int, Codes] = {}
    scores: list[Score] = []
    for at, rubric in enumerate(rubrics):
        if rubric.over_scores:
            held = {name: _score_codes(store, ids[at], said[at], scores) for name, (ids, said) in arms.items()}
            ties[at] = _bound(held, scores, rubric)
            codes |= {(at, name): column for name, column in held.items()}
        elif rubric.aggregate:
            labels |= {(at, n): _label_codes(store, ids[at], said[at], names) for n, (ids, said) in arms.items()}
    return Pooled(labels, tuple(names), codes, ties, scores, function)


def _read(store: Store, score_id: Ids, said: Bools) -> Iterable[tuple[int, Score]]:
    """Every place where a score says something, with that score; equal ids give the very same score."""
    ids, places = score_id.reshape(-1), np.flatnonzero(said)
    for start in range(0, len(places), SCORES_AT_ONCE):
        some = places[start : start + SCORES_AT_ONCE].tolist()
        scores = store.load_scores({int(ids[place]) for place in some})
        yield from ((place, scores[int(ids[place])]) for place in some)


def _label_codes(store: Store, score_id: Ids, said: Bools, codes: dict[str, int]) -> tuple[Codes, Codes]:
    """The labels expected and found by these scores; new ones get the next code. -1: none is named."""
    expected, found = (np.full(score_id.shape, -1, dtype=np.int32) for _ in range(2))
    ends = (expected.reshape(-1), found.reshape(-1))
    for place, score in _read(store, score_id, said):
        for column, label in zip(ends, label_of(score) or (None, None), strict=True):
            if label is not None:
                column[place] = codes.setdefault(label, len(codes))
    return expected, found


def _score_codes(store: Store, score_id: Ids, said: Bools, scores: list[Score]) -> Codes:
    """A code for each of these scores, which are put at the end of `scores`; -1 for none."""
    codes = np.full(score_id.shape, -1, dtype=np.int32)
    flat, ids, seen = codes.reshape(-1), score_id.reshape(-1), dict[int, int]()
    for place, score in _read(store, score_id, said):
        number = int(ids[place])
        if number not in seen:
            seen[number] = len(scores)
            scores.append(score)
        flat[place] = seen[number]
    return codes


def _bound(held: Mapping[str, Codes], scores: list[Score], rubric: RubricSpec) -> Codes:
    """A code a case for the pair that its scores name; -1 for none.

    A failure that names no pair is taken to be of the one that another answer to its case names.
    """
    cases = len(next(iter(held.values()), np.zeros((0, 1))))
    tie = np.full(cases, -1, dtype=np.int32)
    if rubric.aggregate not in PAIRED:
        return tie
    pairs: dict[str, int] = {}
    for row in range(cases):
        columns: dict[str, list[int]] = {name: column[row].tolist() for name, column in held.items()}
        found = [(name, at, code) for name, column in columns.items() for at, code in enumerate(column) if code >= 0]
        place = next((place for *_, code in found if (place := pair_of(scores[code])) is not None), None)
        if place is None:
            continue
        tie[row] = pairs.setdefault(place[0], len(pairs))
        for name, epoch, code in found:
            if pair_of(scores[code]) is None:
                held[name][row, epoch] = len(scores)
                scores.append(undecided(*place))
    return tie
