"""Real function-calling questions: accepted answers pass, near misses do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case, ExpectedCall
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.scorers import judge
from seatrial.scorers.agents._tool_schema import contradictions
from seatrial.scorers.agents.tool_calls import ToolCalls, from_bfcl

SETS = {"bfcl_simple_python": 400, "bfcl_parallel_multiple": 200}
SCORERS = [ToolCalls(), ToolCalls(strings="normalized")]

ODDITIES = {
    "simple_python_17": "`formatted` is required by the schema, and may be left out by the gold",
    "simple_python_149": "`company_names` is a list of text, and the gold also accepts a list of lists",
    "simple_python_200": "`fuel_efficiency` is required by the schema, and may be left out by the gold",
    "simple_python_307": "`venue` is text in the schema, and the gold accepts true",
    "simple_python_358": "the gold accepts 'GF', which the enumeration does not have",
    "parallel_multiple_12": "the gold accepts `permeability`, which the schema does not have",
    "parallel_multiple_21": "`x` and `y` are arrays in the schema, and the gold accepts only text",
    "parallel_multiple_26": "the gold accepts `type`, which the schema does not have",
    "parallel_multiple_63": "`date` has the format date (ISO 8601), and the gold accepts '01/15/2021'",
    "parallel_multiple_87": "`initial_velocity` is required by the schema, and may be left out by the gold",
    "parallel_multiple_94": "`elements` is a list of integers, and the gold is a list of words",
    "parallel_multiple_119": "`league_name` is required by the schema, and may be left out by the gold",
    "parallel_multiple_143": "the gold accepts 'open-hole', which the enumeration does not have",
    "parallel_multiple_173": "the gold accepts '1 year' and the like, which the enumeration does not have",
    "parallel_multiple_194": "the gold accepts 'ft', which the enumeration does not have",
}


@lru_cache(maxsize=4)
def load(questions: Path, answers: Path) -> list[Case]:
    gold = {row["id"]: row["ground_truth"] for row in map(json.loads, answers.read_text("utf-8").splitlines())}
    cases = []
    for row in map(json.loads, questions.read_text("utf-8").splitlines()):
        tools = [{k: f[k] for k in ("name", "description", "parameters")} for f in row["function"]]
        expected = {"tool_calls": [[call.model_dump() for call in from_bfcl(gold[row["id"]])]]}
        cases.append(Case(id=row["id"], input=row["question"][0], tools=tools, expected=expected))
    return cases


@pytest.fixture(params=SETS)
def cases(request, shared_data) -> list[Case]:
    found = load(shared_data(f"{request.param}.jsonl"), shared_data(f"{request.param}_answers.jsonl"))
    assert len(found) == SETS[request.param]
    return found


def goals(case: Case) -> tuple[ExpectedCall, ...]:
    assert case.expected is not None
    assert case.expected.tool_calls is not None
    return case.expected.tool_calls[0]


def first(goal: ExpectedCall) -> dict[str, Any]:
    return {name: values[0] for name, values in goal.arguments.items() if values}


def gold_calls(case: Case) -> list[tuple[str, dict[str, Any]]]:
    return [(goal.name, first(goal)) for goal in goals(case)]


def judge_all(tried: list[tuple[Case, list[tuple[str, Any]]]]) -> Iterator[tuple[str, Any, Score]]:
    """Each case's calls, by each scorer."""

    async def run() -> list[Score]:
        found = []
        for case, calls in tried:
            made = tuple(ToolCall.model_construct(name=name, arguments=arguments, id="") for name, arguments in calls)
            said = Message.model_construct(role="assistant", content="On it.", tool_calls=made)
            output, view = Output(messages=(said,)), case.view()
            found += [await judge(scorer, view, output) for scorer in SCORERS]
        return found

    ids = [(case.id, calls) for case, calls in tried for _ in SCORERS]
    return ((name, calls, score) for (name, calls), score in zip(ids, asyncio.run(run()), strict=True))


def test_every_accepted_answer_is_right(cases):
    tried = []
    for case in cases:
        gold = gold_calls(case)
        tried += [(case, gold), (case, gold[::-1])]
        for at, goal in enumerate(goals(case)):
            variants = [{k: v for k, v in first(goal).items() if k not in goal.optional}]
            variants += [{**first(goal), name: v} for name, values in goal.arguments.items() for v in values]
            tried += [(case, [*gold[:at], (goal.name, arguments), *gold[at + 1 :]]) for arguments in variants]
    for name, calls, score in judge_all(tried):
        assert (score.passed, score.value) == (True, 1.0), (name, calls, score)
    assert len(tried) > 3 * len(cases)


def test_the_oddities_are_these(cases):
    """Rows whose gold contradicts its own schema; the gold wins in the scorer, as the test above shows for each."""
    odd = {case.id for case in cases if contradictions(case)}
    assert odd == {name for name in ODDITIES if name.rsplit("_", 1)[0] == cases[0].id.rsplit("_", 1)[0]}


def wrong_type(value: Any) -> Any:
    if isinstance(value, str):
        return [value]
    return json.dumps(value)


def wrong_value(value: Any) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return value + " zqx"
    return (
        value + 7919 if isinstance(value, int | float) else [*value, "zqx"] if isinstance(value, list) else {"zqx": 1}
    )


def mutants(kind: str, case: Case) -> Iterator[list[tuple[str, Any]]]:
    """Every near miss of one kind that the row allows."""
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


KINDS = [
    "name wrong", "required argument missing", "argument added", "type wrong", "value wrong", "value null",
    "case of an argument's name", "arguments nested once more", "arguments as text", "arguments swapped between calls",
    "call duplicated", "calls missing", "call of another tool added", "offered tool called in addition",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_near_misses_fail(cases, kind):
    tried = [(case, calls) for case in cases for calls in mutants(kind, case)]
    for name, calls, score in judge_all(tried):
        assert score.status == "scored"
        assert not score.passed, (name, calls)
        assert score.evidence
        assert score.value < 1
        assert score.reason
    if kind == "arguments swapped between calls":
        assert (len(tried) > 100) is ("parallel" in cases[0].id)
    else:
        assert len({case.id for case, _ in tried}) > len(cases) * 0.98
