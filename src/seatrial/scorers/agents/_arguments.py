"""How arguments compare, each under a declared comparator, and how much of an expected call a call is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, field_validator

from seatrial.core.case import ExpectedCall
from seatrial.core.record import Json, Record, Text, as_dict, as_list
from seatrial.scorers.agents._trail import MAX_NESTING, Call
from seatrial.scorers.agents.tool_calls import loosely
from seatrial.scorers.assignment import best_assignment
from seatrial.scorers.base import Real, is_deep, same
from seatrial.scorers.text.regex import compiled

Comparator = Literal["exact", "normalized", "set", "date", "regex"]
Weight = Annotated[float, Field(gt=0)]


class ArgumentRules(Record):
    """How arguments compare: shared settings of the scorers that grade calls.

    `strings`: text compares `exact`, or `normalized` as BFCL does. `abs` and `rel` let numbers differ so much.
    `compare` names the comparator of single arguments, as `argument` or `tool.argument`. `weights` likewise says how
    much a wrong one costs (1 where it is not named).
    """

    strings: Literal["exact", "normalized"] = "exact"
    abs: Annotated[Real, Field(ge=0)] = 0.0
    rel: Annotated[Real, Field(ge=0)] = 0.0
    compare: Mapping[Text, Comparator] = Field(default_factory=dict)
    weights: Mapping[Text, Weight] = Field(default_factory=dict)

    @field_validator("abs", "rel")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value


class Graded(NamedTuple):
    """How much of an expected call a call is: worth in [0, 1], and what is wrong, as (argument, sentence)."""

    worth: float
    right: float
    total: float
    faults: tuple[tuple[str, str], ...]


def equal(found: Json, accepted: Json, rules: ArgumentRules, comparator: Comparator | None) -> bool:
    """Whether an argument is an accepted value under its comparator."""
    if comparator == "set":
        have, want = as_list(found), as_list(accepted)
        return have is not None and want is not None and _same_members(have, want, rules)
    if comparator == "date":
        first, second = _moment(found), _moment(accepted)
        return first is not None and first == second
    if comparator == "regex":
        pattern = compiled(accepted) if isinstance(accepted, str) else None
        return pattern is not None and isinstance(found, str) and pattern.fullmatch(found) is not None
    if comparator != "exact" and _close(found, accepted, rules):
        return True
    loose = comparator == "normalized" or (comparator is None and rules.strings == "normalized")
    return loosely(found, accepted) if loose else same(found, accepted)


def _same_members(have: Sequence[Json], want: Sequence[Json], rules: ArgumentRules) -> bool:
    """The same members, in any order, each as often."""
    if len(have) != len(want):
        return False
    left = list(have)
    for member in want:
        at = next((i for i, other in enumerate(left) if equal(other, member, rules, None)), None)
        if at is None:
            return False
        left.pop(at)
    return True


def _close(found: Json, accepted: Json, rules: ArgumentRules) -> bool:
    numbers = [v for v in (found, accepted) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 2 or not (rules.abs or rules.rel):
        return False
    try:
        return abs(numbers[0] - numbers[1]) <= max(rules.abs, rules.rel * abs(numbers[1]))
    except OverflowError:
        return False


def _moment(value: Json) -> datetime | None:
    """A date or time as ISO 8601 writes it; a date alone is its midnight."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None


def grade(call: Call, goal: ExpectedCall, rules: ArgumentRules) -> Graded:
    """How much of an expected call a call is: the weighted share of the arguments, expected or given, that are right.

    0 where the names differ, whatever the arguments. An optional argument that is absent is right, one that is not
    expected is wrong. A call without arguments where none are expected is worth 1.
    """
    if call.name != goal.name:
        return Graded(0.0, 0.0, 0.0, (("", f"is named {call.name[:60]!r}, expected {goal.name[:60]!r}"),))
    given = as_dict(call.arguments)
    if given is None or is_deep(given, MAX_NESTING):
        total = sum(_weight(goal.name, key, rules) for key in goal.arguments) or 1.0
        return Graded(0.0, 0.0, total, (("", "its arguments are no JSON object"),))
    right = total = 0.0
    faults: list[tuple[str, str]] = []
    for key in dict.fromkeys([*goal.arguments, *given]):
        weight = _weight(goal.name, key, rules)
        total += weight
        wrong = _fault(key, given, goal, rules)
        if wrong:
            faults.append((key, wrong))
        else:
            right += weight
    return Graded(right / total, right, total, tuple(faults)) if total else Graded(1.0, 1.0, 1.0, ())


def _weight(tool: str, key: str, rules: ArgumentRules) -> float:
    return rules.weights.get(f"{tool}.{key}", rules.weights.get(key, 1.0)) if rules.weights else 1.0


def _fault(key: str, given: Mapping[str, Json], goal: ExpectedCall, rules: ArgumentRules) -> str:
    if key not in goal.arguments:
        return "is not expected"
    if key not in given:
        return "" if key in goal.optional else "is missing"
    compare = rules.compare
    comparator = compare[f"{goal.name}.{key}"] if f"{goal.name}.{key}" in compare else compare.get(key)
    fits = any(equal(given[key], value, rules, comparator) for value in goal.arguments[key])
    return "" if fits else "has another value"


class Pairing(NamedTuple):
    """Calls assigned to expected ones. `of[row]` is the call of an expected call, or −1."""

    goals: tuple[ExpectedCall, ...]
    of: tuple[int, ...]
    graded: tuple[Graded | None, ...]
    extra: tuple[int, ...]


def pair(
    goals: tuple[ExpectedCall, ...], calls: Sequence[Call], rules: ArgumentRules, *, whole: bool = False
) -> Pairing:
    """Assign calls to expected calls one to one so that the total worth is largest, name by name.

    With `whole`, so that most calls are right altogether, and only then by their worth. A call whose arguments are all
    wrong still stands for the expected call of its name, rather than for none.
    """
    of = [-1] * len(goals)
    graded: list[Graded | None] = [None] * len(goals)
    for name in dict.fromkeys(goal.name for goal in goals):
        rows = [row for row, goal in enumerate(goals) if goal.name == name]
        columns = [column for column, call in enumerate(calls) if call.name == name]
        grades = [[grade(calls[column], goals[row], rules) for column in columns] for row in rows]
        little = 1 / (4 * len(rows) + 4)
        found = best_assignment(
            [
                [(one.worth == 1.0) + little * (one.worth + 0.1) if whole else one.worth + 1e-6 for one in line]
                for line in grades
            ]
        )
        for at, column in enumerate(found):
            if column >= 0:
                of[rows[at]] = columns[column]
                graded[rows[at]] = grades[at][column]
    used = set(of)
    extra = tuple(column for column in range(len(calls)) if column not in used)
    return Pairing(goals, tuple(of), tuple(graded), extra)
