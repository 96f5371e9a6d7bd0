"""Whether the task was done, and how directly; nothing said is taken for done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.errors import ScorerConfigError
from seatrial.scorers import build, judge
from seatrial.scorers.judged.scripted import Said, ScriptedJudges

STATE = {"state": {"must": {"/done": True}}}
PATH = {"trajectory": [{"kind": "tool", "name": "find"}, {"kind": "tool", "name": "refund"}]}


def asked(says, output, settings=None, **case):
    services = ScriptedJudges({"grader": lambda question, sheet: says})
    scorer = build("task_completion", {"judge": "grader", **(settings or {})}, Path()).bind(services)
    score = asyncio.run(judge(scorer, Case(id="1", input="Refund order 7.", **case).view(), output))
    return score, services.asked


def trace(*names, **fields):
    return Output.model_validate({"steps": [{"kind": "tool", "name": n, "output": 1} for n in names], **fields})


@pytest.mark.parametrize(
    "claim", ["I could not do it", "Done! Everything is finished.", "Task completed successfully.", "ok"]
)
@pytest.mark.parametrize("expected", [PATH, STATE, {**PATH, **STATE}])
def test_no_words_complete_a_task(judged, claim, expected):
    score = judged("task_completion", {}, Output.of(claim, state={"done": False}), expected)
    assert (score.status, score.passed) == ("scored", False)


@pytest.mark.parametrize("claim", ["I could not do it", "Done!"])
def test_without_anything_to_tell_by_nothing_passes(judged, claim):
    for expected in (None, {"answers": ["x"]}, {"trajectory": []}, {"tool_calls": [[]]}):
        assert judged("task_completion", {}, claim, expected).status == "not_applicable"


def test_milestones_are_reached_by_steps_of_their_own(judged):
    assert judged("task_completion", {}, trace("find", "refund"), PATH).passed is True
    assert judged("task_completion", {}, trace("refund", "find"), PATH).passed is True
    assert judged("task_completion", {"in_order": True}, trace("refund", "find"), PATH).passed is False
    twice = {"trajectory": [{"kind": "tool", "name": "pay"}] * 2}
    assert judged("task_completion", {}, trace("pay"), twice).value == 0.5
    assert judged("task_completion", {}, trace("pay", "look", "pay"), twice).value == 1


def test_progress_is_monotone(judged):
    values = [
        judged(
            "task_completion",
            {},
            trace(*"abcd"[:n], "x"),
            {"trajectory": [{"kind": "tool", "name": c} for c in "abcd"]},
        ).value
        for n in range(5)
    ]
    assert values == [0, 0.25, 0.5, 0.75, 1]


def test_state_and_milestones_must_agree(judged):
    both = {**STATE, **PATH}
    assert judged("task_completion", {}, trace("find", "refund", state={"done": True}), both).passed is True
    assert judged("task_completion", {}, trace("find", "refund", state={"done": False}), both).passed is False
    assert judged("task_completion", {}, trace("find", state={"done": True}), both).passed is False
    assert judged("task_completion", {"by": "state"}, trace("find", state={"done": True}), both).passed is True
    assert judged("task_completion", {"by": "milestones"}, trace("find", "refund"), both).passed is True
    assert judged("task_completion", {}, trace("find", "refund"), both).status == "judge_error"
    assert judged("task_completion", {}, trace("find"), both).passed is False


def test_a_state_that_cannot_be_read_is_not_passed_over(judged):
    case = {**PATH, "state": {"must": 5}}
    assert judged("task_completion", {}, trace("find", "refund"), case).status == "not_applicable"


def test_a_judge_decides_where_nothing_else_tells():
    done = Output.of("I have refunded order 7, reference 991.")
    score, requests = asked(Said("yes", "refunded order 7", "session"), done)
    assert (score.passed, len(requests)) == (True, 1)
    assert score.evidence[0].quote == "refunded order 7"
    for verdict in ("no", "undecided"):
        assert asked(verdict, done)[0].passed is False
    assert asked("yes", done)[0].status == "judge_error", "a yes must quote what shows it"
    assert asked(Said("yes", "money sent", "session"), done)[0].status == "judge_error", "the quote must stand there"


def test_the_judge_sees_what_the_tools_returned():
    said, requests = asked("no", trace("refund", messages=[{"role": "assistant", "content": "Done."}]))
    assert said.passed is False
    assert '"refund"' in requests[0][1].messages[1].text


def test_the_judge_is_asked_the_cases_criteria():
    yes = Said("yes", "Done", "session")
    score, requests = asked(yes, Output.of("Done, sent."), criteria=["Was it refunded?", "Was a mail sent?"])
    assert score.passed is True
    assert "Was a mail sent?" in requests[0][1].messages[0].text


def test_no_judge_overrules_a_state():
    score, requests = asked(Said("yes", "Done", "session"), Output.of("Done.", state={"done": False}), expected=STATE)
    assert (score.passed, requests) == (False, [])
    assert asked("no", Output.of("Done.", state={"done": True}), expected=STATE)[0].passed is False


def test_an_unbound_judge_never_passes(judged):
    assert judged("task_completion", {"judge": "grader"}, "Done.").status == "judge_error"
    with pytest.raises(ScorerConfigError):
        build("task_completion", {"by": "judge"}, Path())
    assert build("task_completion", {"judge": "g"}, Path()).info.cost == "model"
    assert build("task_completion", {}, Path()).info.cost == "cheap"


GOLD = {"tool_calls": [{"name": "find"}, {"name": "refund"}]}


def test_efficiency_is_earned_by_success(judged):
    assert judged("efficiency", {}, trace("find", "refund"), GOLD).value == 1
    slow = judged("efficiency", {}, trace("find", "find", "look", "refund"), GOLD)
    assert (slow.value, slow.passed, slow.measure) == (0.5, True, 4)
    assert judged("efficiency", {}, trace("find"), GOLD).value == 0, "short, and not done"
    assert judged("efficiency", {}, "I gave up.", GOLD).value == 0
    failed = Output.model_validate({"steps": [{"kind": "tool", "name": n, "error": "x"} for n in ("find", "refund")]})
    assert judged("efficiency", {}, failed, GOLD).value == 0, "calls that failed did nothing"


def test_efficiency_by_state_and_stated_steps(judged):
    done = {"state": {"done": True}, "messages": [{"role": "assistant", "content": "Done."}] * 2}
    assert judged("efficiency", {"optimal": 1}, trace("a", "b", **done), STATE).value == 0.5
    assert (
        judged("efficiency", {"count": "both"}, trace("a", "b", **done), STATE, metadata={"optimal_steps": 2}).value
        == 0.5
    )
    assert judged("efficiency", {"count": "turns", "optimal": 5}, trace("a", **done), STATE).value == 1, "never above 1"
    assert judged("efficiency", {}, trace("a", **done), STATE).status == "not_applicable"
    assert judged("efficiency", {"optimal": 1}, trace("a", state={"done": False}), STATE).value == 0
    assert judged("efficiency", {"optimal": 1}, trace("a"), STATE).status == "judge_error"
    assert judged("efficiency", {"optimal": 1}, trace("a"), None).status == "not_applicable"


def test_fewer_steps_never_score_lower(judged):
    values = [judged("efficiency", {}, trace("find", *["look"] * n, "refund"), GOLD).value for n in range(6)]
    assert values == sorted(values, reverse=True)
