"""Function-calling questions of the Berkeley Function-Calling Leaderboard: accepted calls, and near misses of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from seatrial.core.case import Case, ExpectedCall
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.scorers.agents.tool_calls import from_bfcl

SETS = {"bfcl_simple_python": 400, "bfcl_parallel_multiple": 200}
"""The files, and how many questions each holds."""

Calls = list[tuple[str, Any]]

KINDS = [
    "name wrong", "required argument missing", "argument added", "type wrong", "value wrong", "value null",
    "case of an argument's name", "arguments nested once more", "arguments as text", "arguments swapped between calls",
    "call duplicated", "calls missing", "call of another tool added", "offered tool called in addition",
]  # fmt: skip
"""Ways in which calls nearly fit."""


@lru_cache(maxsize=4)
def load(questions: Path, answers: Path) -> list[Case]:
    """The questions of a file as cases, with the accepted calls of the other."""
    gold = {row["id"]: row["ground_truth"] for row in map(json.loads, answers.read_text("utf-8").splitlines())}
    cases = []
    for row in map(json.loads, questions.read_text("utf-8").splitlines()):
        tools = [{k: f[k] for k in ("name", "description", "parameters")} for f in row["function"]]
        expected = {"tool_calls": [[call.model_dump() for call in from_bfcl(gold[row["id"]])]]}
        cases.append(Case(id=row["id"], input=row["question"][0], tools=tools, expected=expected))
    return cases


def output_of(calls: Calls) -> Output:
    """An output that makes these calls, however strange their arguments are."""
    made = tuple(ToolCall.model_construct(name=name, arguments=arguments, id="") for name, arguments in calls)
    return Output(messages=(Message.model_construct(role="assistant", content="On it.", tool_calls=made),))


def goals(case: Case) -> tuple[ExpectedCall, ...]:
    """The calls that are expected."""
    assert case.expected is not None
    assert case.expected.tool_calls is not None
    return case.expected.tool_calls[0]


def first(goal: ExpectedCall) -> dict[str, Any]:
    """An expected call's arguments, each with its first accepted value."""
    return {name: values[0] for name, values in goal.arguments.items() if values}


def gold_calls(case: Case) -> Calls:
    """Accepted calls, with the first accepted values."""
    return [(goal.name, first(goal)) for goal in goals(case)]


def accepted(case: Case) -> Iterator[Calls]:
    """Calls that are right: either order, without the optional arguments, and with every accepted value."""
    gold = gold_calls(case)
    yield gold
    yield gold[::-1]
    for at, goal in enumerate(goals(case)):
        variants = [{k: v for k, v in first(goal).items() if k not in goal.optional}]
        variants += [{**first(goal), name: v} for name, values in goal.arguments.items() for v in values]
        yield from ([*gold[:at], (goal.name, arguments), *gold[at + 1 :]] for arguments in variants)


def wrong_type(value: Any) -> Any:
    """The same value as another type."""
    if isinstance(value, str):
        return [value]
    return json.dumps(value)


def wrong_value(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return value + " zqx"
    return (
        value + 7919 if isinstance(value, int | float) else [*value, "zqx"] if isinstance(value, list) else {"zqx": 1}
    )


def near_misses(kind: str, case: Case) -> Iterator[Calls]:
    """Every near miss of one kind that the question allows."""
    gold = gold_calls(case)
    if kind == "calls missing":
        yield from ([*gold[:i], *gold[i + 1 :]] for i in range(len(gold)))
    elif kind == "call duplicated":
        yield from ([*gold, call] for call in gold)
    elif kind == "call of another tool added":
        yield [*gold, ("another_tool", {})]
    elif kind == "offered tool called in addition":
        yield [*gold, (case.tools[-1].name, {"zqx": 1})]
    elif kind == "arguments swapped between calls":
        for i in range(len(gold)):
            for j in range(i):
                changed = list(gold)
                changed[i], changed[j] = (gold[i][0], gold[j][1]), (gold[j][0], gold[i][1])
                if gold[i][0] != gold[j][0] and gold[i][1].keys() != gold[j][1].keys():
                    yield changed
    else:
        for at, goal in enumerate(goals(case)):
            yield from ([*gold[:at], call, *gold[at + 1 :]] for call in changed_calls(kind, goal))


def changed_calls(kind: str, goal: ExpectedCall) -> Iterator[tuple[str, Any]]:
    """One call with a fault of this kind."""
    given = first(goal)
    required = [name for name in given if name not in goal.optional]
    if kind == "name wrong":
        yield (goal.name + "_v2", given)
    elif kind == "required argument missing":
        yield from ((goal.name, {k: v for k, v in given.items() if k != name}) for name in required)
    elif kind == "argument added":
        yield (goal.name, {**given, "zqx": 1})
    elif kind == "type wrong":
        yield from ((goal.name, {**given, name: wrong_type(value)}) for name, value in given.items())
    elif kind == "value wrong":
        yield from ((goal.name, {**given, name: wrong_value(value)}) for name, value in given.items())
    elif kind == "value null":
        yield from ((goal.name, {**given, name: None}) for name in given)
    elif kind == "case of an argument's name":
        for name in required:
            yield (goal.name, {(k.swapcase() if k == name else k): v for k, v in given.items()})
    elif kind == "arguments nested once more":
        if given:
            yield (goal.name, {"arguments": given})
    elif kind == "arguments as text":
        yield (goal.name, json.dumps(given))
    else:
        raise AssertionError(kind)
