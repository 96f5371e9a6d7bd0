from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Failure, Output
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers import BUILTIN, judge
from seatrial.scorers.base import BuiltinScorer
from seatrial.scorers.judging import judge_each

CASE = Case(id="1", input="q", expected="x")


INFO = ScorerInfo("fixed", "1")


@dataclass(frozen=True)
class Fixed:
    """A stranger's scorer that gives or raises what it is told to."""

    gives: Any = None
    why: Any = ""
    info: ScorerInfo = INFO

    def identity(self):
        return {}

    def applies(self, case):
        if isinstance(self.why, Exception):
            raise self.why
        return self.why

    async def __call__(self, case, output, /):
        if isinstance(self.gives, BaseException):
            raise self.gives
        return self.gives


def run(scorer, output=None):
    return asyncio.run(judge(scorer, CASE.view(), output or Output.of("text")))


GOOD = Score.binary(True, "fine")


def test_a_score_goes_through_as_it_is():
    assert run(Fixed(GOOD)) is GOOD


def test_statuses_come_in_order():
    infra = Output(failure=Failure(kind="infra", code="rate_limited", message="slow down"))
    model = Output(failure=Failure(kind="model", code="content_filter"))
    assert run(Fixed(GOOD, why="no reference"), infra) == Score(status="not_applicable", reason="no reference")
    assert run(Fixed(ValueError("x")), infra) == Score(status="infra_error", reason="rate_limited: slow down")
    failed = run(Fixed(GOOD), model)
    assert (failed.status, failed.value, failed.passed, failed.reason) == (
        "model_failure",
        0.0,
        False,
        "content_filter",
    )
    assert run(Fixed(ValueError("x"))) == Score(status="judge_error", reason="ValueError: x")


EMPTY = [
    Output(),
    Output.of(""),
    Output.of(" \n\t\u00a0"),
    Output(messages=(Message(role="user", content="q"), Message(role="tool", content="r"))),
]
SOMETHING = [
    Output(messages=(Message(role="assistant", tool_calls=(ToolCall(name="f"),)),)),
    Output(messages=(Message(role="assistant", content="a"), Message(role="assistant", content=""))),
    Output(messages=(Message(role="assistant", content=({"type": "image", "url": "x"},)),)),
    Output(state={"refunded": True}),
    Output(steps=({"kind": "tool"},)),
]


@pytest.mark.parametrize("output", EMPTY)
def test_an_empty_output_is_a_failure_of_the_model(output):
    assert run(Fixed(GOOD), output).status == "model_failure"


@pytest.mark.parametrize("output", SOMETHING)
def test_an_output_that_holds_anything_is_judged(output):
    assert run(Fixed(GOOD), output) is GOOD


@pytest.mark.parametrize(
    ("gives", "reason"),
    [
        pytest.param(None, "NoneType", id="nothing"),
        pytest.param(0.5, "float", id="number"),
        pytest.param(Score.model_construct(value=1.5, status="scored"), "1.5", id="above 1"),
        pytest.param(Score.model_construct(value=-0.1, status="scored"), "-0.1", id="below 0"),
        pytest.param(Score.model_construct(value=float("nan"), status="scored"), "nan", id="NaN"),
        pytest.param(Score.model_construct(measure=float("inf"), status="scored"), "inf", id="infinite measure"),
        pytest.param(Score(), "without value", id="empty score"),
        pytest.param(Score(status="not_applicable"), "from the case alone", id="not applicable by the output"),
        pytest.param(Score(status="judge_error", value=1.0), "with a value", id="error with a value"),
        pytest.param(Score.binary(True, evidence=(Evidence(where="x", found={1}),)), "JSON", id="not JSON"),
        pytest.param(RuntimeError("bad\x1b[31m \ud800" + "x" * 1000), "RuntimeError: bad\\x1b", id="hostile message"),
        pytest.param(SystemExit(3), "SystemExit: 3", id="exit"),
        pytest.param(RecursionError("deep"), "RecursionError", id="recursion"),
        pytest.param(MemoryError(), "MemoryError", id="memory"),
        pytest.param(TimeoutError(), "TimeoutError", id="timeout"),
    ],
)
def test_what_is_no_score_is_a_judge_error(gives, reason):
    score = run(Fixed(gives))
    assert (score.status, score.value, score.passed) == ("judge_error", None, None)
    assert reason in score.reason
    assert len(score.reason) < 500
    assert score.reason.isprintable()


def test_a_fault_in_applies_is_a_judge_error():
    assert run(Fixed(GOOD, why=KeyError("x"))).status == "judge_error"


def test_cancellation_goes_through():
    with pytest.raises(asyncio.CancelledError):
        run(Fixed(asyncio.CancelledError()))


def test_missing_may_be_said_by_the_scorer():
    assert run(Fixed(Score(status="judge_error", reason="the judge was silent"))).reason == "the judge was silent"


def test_every_builtin_loads_and_carries_its_name():
    from seatrial.core.plugins import find

    for name in BUILTIN:
        made = find("scorer", name, BUILTIN, plugins=[])
        assert made.about.name == name
        assert made.__doc__
        assert made.card.examples


class Plain(BuiltinScorer):
    """One of ours that waits for nothing."""

    about = ScorerInfo("plain", "1")

    def score(self, case, output, /):
        return Score.binary(True, f"read {output.text}")


class Raising(Plain):
    """A plain one that has a fault."""

    def score(self, case, output, /):
        raise ValueError("x")


class Waiting(Plain):
    """One that overrides the call itself, which is then what counts."""

    async def __call__(self, case, output, /):
        await asyncio.sleep(0)
        return Score.binary(False, "waited")


MIXED = (Plain(), Fixed(GOOD), Raising(), Fixed("no score"), Waiting(), Fixed(GOOD, why="no reference"), Plain())


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(Output.of("text"), id="an answer"),
        pytest.param(Output.of(" \u2003\n"), id="blank"),
        pytest.param(Output(failure=Failure(kind="infra", code="down")), id="nobody answered"),
        pytest.param(Output(failure=Failure(kind="model", code="cut")), id="a bad answer"),
    ],
)
def test_several_scorers_say_what_each_says_alone(output):
    together = asyncio.run(judge_each(MIXED, CASE.view(), output))
    assert together == [run(scorer, output) for scorer in MIXED]


def test_several_scorers_are_judged_in_order_and_none_stops_the_next():
    scores = asyncio.run(judge_each(MIXED, CASE.view(), Output.of("text")))
    assert [(score.status, score.reason) for score in scores] == [
        ("scored", "read text"),
        ("scored", "fine"),
        ("judge_error", "ValueError: x"),
        ("judge_error", "returned str, not a Score"),
        ("scored", "waited"),
        ("not_applicable", "no reference"),
        ("scored", "read text"),
    ]


def test_a_plain_scorer_can_be_awaited_like_any_other():
    assert asyncio.run(Plain()(CASE, Output.of("text"))) == Plain().score(CASE, Output.of("text"))
