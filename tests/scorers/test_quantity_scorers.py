from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.output import Failure, Output

FULL = {
    "timing": {"total": 2.0, "first_token": 0.25},
    "usage": {"input": 100, "cached": 40, "output": 20, "reasoning": 5},
    "cost": 0.003,
}


@pytest.mark.parametrize(
    ("name", "settings", "measure", "unit"),
    [
        ("latency", {}, 2.0, "s"),
        ("first_token", {}, 0.25, "s"),
        ("inter_token", {}, 1000 * (1.75 / 19), "ms"),
        ("cost", {}, 0.003, "USD"),
        ("tokens", {}, 20, "tokens"),
        ("tokens", {"count": "input"}, 100, "tokens"),
        ("tokens", {"count": "total"}, 120, "tokens"),
        ("tokens", {"count": "cached"}, 40, "tokens"),
        ("tokens", {"count": "reasoning"}, 5, "tokens"),
    ],
)
def test_the_measure_and_the_bound(judged, name, settings, measure, unit):
    output = Output.of("hi", **FULL)
    bare = judged(name, settings, output)
    assert (bare.status, bare.measure, bare.unit, bare.value, bare.passed) == ("scored", measure, unit, None, None)
    at = judged(name, {**settings, "at_most": measure}, output)
    assert (at.value, at.passed, at.measure) == (1.0, True, measure)
    below = judged(name, {**settings, "at_most": measure * 0.99}, output)
    assert (below.value, below.passed, below.measure) == (0.0, False, measure)


@pytest.mark.parametrize("name", ["latency", "first_token", "inter_token", "cost", "tokens"])
@pytest.mark.parametrize("settings", [{}, {"at_most": 1}])
def test_without_the_datum_it_is_missing_never_zero_and_never_a_pass(judged, name, settings):
    score = judged(name, settings, "hi")
    assert (score.status, score.value, score.passed, score.measure) == ("judge_error", None, None, None)
    assert score.reason


@pytest.mark.parametrize("total", [float("inf"), float("nan")])
def test_what_is_not_finite_is_missing(judged, total):
    output = Output.of("hi").model_copy(update={"cost": total})
    assert judged("cost", {"at_most": 1}, output).status == "judge_error"


def test_a_failure_of_the_model_keeps_what_was_measured(judged):
    late = Output(failure=Failure(kind="model", code="deadline", message="after 30 s"), **FULL)
    score = judged("latency", {"at_most": 60}, late)
    assert (score.status, score.value, score.passed, score.measure) == ("model_failure", 0.0, False, 2.0)
    assert "deadline" in score.reason


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_looser_bound_passes_whatever_a_tighter_one_passes(judged, seconds, bound, more):
    output = Output.of("hi", timing={"total": seconds})
    if judged("latency", {"at_most": bound}, output).passed:
        assert judged("latency", {"at_most": bound + more}, output).passed


@pytest.mark.parametrize(
    ("settings", "expected", "text", "value", "passed"),
    [
        ({}, "refund issued", "Refund  issued", 1.0, True),
        ({"ignore_case": False}, "abcd", "ABCD", 0.0, False),
        ({}, "abcd", "abce", 0.75, False),
        ({"threshold": 0.75}, "abcd", "abce", 0.75, True),
        ({}, {"answers": ["zzzz", "abcd"]}, "abcd", 1.0, True),
        ({"method": "token_sort"}, "issued refund", "refund issued", 1.0, True),
        ({"method": "partial"}, "refund", "your refund is issued", 1.0, True),
        ({"method": "token_set"}, "refund", "refund is not issued", 1.0, True),
    ],
)
def test_fuzzy(judged, settings, expected, text, value, passed):
    score = judged("fuzzy", settings, text, expected)
    assert score.value == pytest.approx(value)
    assert score.passed is passed


@pytest.mark.parametrize("method", ["ratio", "partial", "token_sort", "token_set"])
def test_blank_expected_text_is_near_nothing(judged, method):
    assert judged("fuzzy", {"method": method}, "anything", {"answers": [" "]}).value == 0


def test_texts_too_long_to_compare_are_no_verdict(judged):
    assert judged("fuzzy", {}, "a" * 70_000, "b" * 70_000).status == "judge_error"


@given(st.text(), st.text())
def test_fuzzy_is_a_share_and_symmetric(judged, one, two):
    if one.strip() and two.strip():
        here, there = (
            judged("fuzzy", {}, one, {"answers": [two]}).value,
            judged("fuzzy", {}, two, {"answers": [one]}).value,
        )
        assert 0 <= here <= 1
        assert here == pytest.approx(there)


def test_who_arrived_on_a_schedule_waited_since_then(judged):
    timing = {"total": 2.0, "first_token": 0.25, "queued": 3.0, "load": "poisson:5"}
    output = Output.of("hi", timing=timing, usage={"output": 8})
    assert judged("latency", {}, output).measure == 5.0
    assert judged("first_token", {}, output).measure == 3.25
    assert judged("inter_token", {}, output).measure == pytest.approx(250)


@pytest.mark.parametrize(
    ("timing", "tokens"),
    [
        pytest.param({"total": 2.0}, 20, id="not-streamed"),
        pytest.param({"total": 2.0, "first_token": 0.5}, None, id="no-count"),
        pytest.param({"total": 2.0, "first_token": 0.5}, 1, id="one-token"),
        pytest.param({"total": 2.0, "first_token": 0.5}, 0, id="no-token"),
        pytest.param({"total": 2.0, "first_token": 0.5}, -5, id="nonsense"),
        pytest.param({"first_token": 0.5}, 20, id="no-end"),
    ],
)
def test_without_two_tokens_there_is_nothing_between_them(judged, timing, tokens):
    score = judged("inter_token", {}, Output.of("hi", timing=timing, usage={"output": tokens}))
    assert (score.status, score.measure) == ("judge_error", None)
    assert "stream: true" in score.reason


def test_a_first_token_after_the_end_is_no_negative_gap(judged):
    output = Output.of("hi", timing={"total": 1.0, "first_token": 2.0}, usage={"output": 3})
    assert judged("inter_token", {}, output).measure == 0
