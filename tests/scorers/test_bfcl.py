"""Real function-calling questions: accepted answers pass, near misses do not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from bench.sets.bfcl import KINDS, SETS, accepted, load, near_misses, output_of

from seatrial.core.case import Case
from seatrial.core.score import Score
from seatrial.scorers import judge
from seatrial.scorers.agents._tool_schema import contradictions
from seatrial.scorers.agents.tool_calls import ToolCalls

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


@pytest.fixture(params=SETS)
def cases(request, shared_data) -> list[Case]:
    found = load(shared_data(f"{request.param}.jsonl"), shared_data(f"{request.param}_answers.jsonl"))
    assert len(found) == SETS[request.param]
    return found


def judge_all(tried: list[tuple[Case, list[tuple[str, Any]]]]) -> Iterator[tuple[str, Any, Score]]:
    """Each case's calls, by each scorer."""

    async def run() -> list[Score]:
        found = []
        for case, calls in tried:
            output, view = output_of(calls), case.view()
            found += [await judge(scorer, view, output) for scorer in SCORERS]
        return found

    ids = [(case.id, calls) for case, calls in tried for _ in SCORERS]
    return ((name, calls, score) for (name, calls), score in zip(ids, asyncio.run(run()), strict=True))


def test_every_accepted_answer_is_right(cases):
    tried = [(case, calls) for case in cases for calls in accepted(case)]
    for name, calls, score in judge_all(tried):
        assert (score.passed, score.value) == (True, 1.0), (name, calls, score)
    assert len(tried) > 3 * len(cases)


def test_the_oddities_are_these(cases):
    """Rows whose gold contradicts its own schema; the gold wins in the scorer, as the test above shows for each."""
    odd = {case.id for case in cases if contradictions(case)}
    assert odd == {name for name in ODDITIES if name.rsplit("_", 1)[0] == cases[0].id.rsplit("_", 1)[0]}


@pytest.mark.parametrize("kind", KINDS)
def test_near_misses_fail(cases, kind):
    tried = [(case, calls) for case in cases for calls in near_misses(kind, case)]
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
