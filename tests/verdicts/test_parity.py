"""What counts as the same conditions, read from a store as it was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import Trial, make_suite

from seatrial import reports
from seatrial.core.case import Case
from seatrial.core.output import Output, Sent
from seatrial.core.score import Score
from seatrial.store.store import Store
from seatrial.verdicts.checks.parity import duration, refusal, value_text
from seatrial.verdicts.compare import report
from seatrial.verdicts.records import Difference, Parity, Verdict

CASES = [Case(id=f"c{i}", input=f"q{i}") for i in range(40)]
NOON = "2026-11-01T12:{minute:02}:00+00:00"


def drawn(
    store: Store,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    dropped: int = 0,
    minutes: int = 0,
    late: int = 40,
    **policy: Any,
) -> Verdict:
    """The verdict on two arms of these conditions; `dropped` of the candidate's outputs lack temperature."""

    def answer(name: str) -> Any:
        def give(case: Case, _epoch: int) -> Any:
            number = int(case.id[1:])
            gone = {"temperature": "refused"} if name == "new" and number < dropped else {}
            minute = minutes if name == "new" and number < late else 0
            output = Output.of(case.text, sent=Sent(dropped=gone), finished_at=NOON.format(minute=minute))
            return output, [Score(status="scored", value=1.0, passed=True)]

        return give

    suite = make_suite({"name": "right"}, policy={"min_cases": 5, **policy})
    trial_id = Trial(store, suite, CASES).write({"old": answer("old"), "new": answer("new")})
    with store.writing() as connection:
        for name, stated in (("old", old), ("new", new)):
            definition = {"use": "openai:m", "prompt": "p", "conditions": {"adapter": "openai/1", **stated}}
            connection.exec_driver_sql(
                "UPDATE runs SET definition = ? WHERE target = ?",
                (json.dumps({**definition, "rubrics": store_rubrics(store, trial_id)}), name),
            )
    (verdict,) = report(store, trial_id).verdicts
    return verdict


def store_rubrics(store: Store, trial_id: str) -> Any:
    return store.runs(trial_id)[0].definition["rubrics"]


ZERO = {"params": {"temperature": 0, "max_tokens": 400}, "unsupported": "drop"}

SAME = [
    pytest.param({"params": {"temperature": 0.0, "max_completion_tokens": 400}}, id="spelling"),
    pytest.param({"params": {"temperature": 0, "maxOutputTokens": 400, "n": 1}}, id="gemini"),
    pytest.param({"params": {"temperature": 0, "max_tokens": 400}, "adapter": "anthropic/1"}, id="another-provider"),
    pytest.param({"params": {"temperature": 0, "max_tokens": 400}, "unsupported": "fail"}, id="another-policy"),
]

UNLIKE = [
    pytest.param({"params": {"max_tokens": 400}}, "temperature", "0", "not set", id="unset"),
    pytest.param({"params": {"temperature": 0, "max_tokens": 9}}, "max_tokens", "400", "9", id="limit"),
    pytest.param({"params": {**ZERO["params"], "seed": 1}}, "seed", "not set", "1", id="seed"),
    pytest.param({"params": {**ZERO["params"], "tools": [{"x": 1}]}}, "tools", "not set", '[{"x":1}]', id="tools"),
    pytest.param({**ZERO, "stream": True}, "stream", "off", "on", id="stream"),
]


@pytest.mark.parametrize("new", SAME)
def test_the_same_in_other_words_is_equal(store: Store, new: Any) -> None:
    verdict = drawn(store, ZERO, new, minutes=3)
    assert verdict.parity is not None
    assert verdict.parity.result == "equal"
    assert verdict.parity.same == ("temperature 0", "at most 400 tokens", "same prompt", "same tools")
    assert (verdict.parity.seconds_apart, verdict.parity.apart) == (180.0, "3 min")
    assert verdict.overall != "not_evaluable"


@pytest.mark.parametrize(("new", "what", "old_text", "new_text"), UNLIKE)
def test_a_difference_refuses_until_it_is_declared(
    store: Store, new: Any, what: Any, old_text: Any, new_text: Any
) -> None:
    verdict = drawn(store, ZERO, new)
    assert verdict.parity is not None
    assert verdict.parity.differences == (Difference(what=what, incumbent=old_text, candidate=new_text),)
    assert (verdict.overall, verdict.rubrics) == ("not_evaluable", ())
    assert f"policy.parity.allow: [{what}]" in verdict.headline


@pytest.mark.parametrize("word", ["max_tokens", "max_completion_tokens", "maxOutputTokens"])
def test_it_may_be_declared_under_any_of_its_names(store: Store, word: str) -> None:
    other = {"params": {"temperature": 0, "max_tokens": 9}}
    verdict = drawn(store, ZERO, other, parity={"allow": [word]})
    assert verdict.overall != "not_evaluable"
    assert verdict.parity is not None
    assert [(d.what, d.allowed) for d in verdict.parity.differences] == [("max_tokens", True)]


DROPPED = [
    pytest.param(ZERO, 40, "0", "not sent (0 was asked)", id="on-all"),
    pytest.param(ZERO, 3, "0", "0, but not sent on 3 of 40 outputs", id="on-some"),
    pytest.param({"params": {"max_tokens": 400}}, 40, None, None, id="neither-was-sent-one"),
]


@pytest.mark.parametrize(("old", "dropped", "old_text", "new_text"), DROPPED)
def test_what_was_left_out_counts_as_not_sent(
    store: Store, old: Any, dropped: Any, old_text: Any, new_text: Any
) -> None:
    verdict = drawn(store, old, ZERO, dropped=dropped)
    assert verdict.parity is not None
    found = [(d.incumbent, d.candidate) for d in verdict.parity.differences if d.what == "temperature"]
    assert found == ([] if old_text is None else [(old_text, new_text)])


TIMES = [
    pytest.param(50, 40, 1, True, id="within"),
    pytest.param(50, 40, 0.5, False, id="beyond"),
    pytest.param(50, 2, 0.5, True, id="two-late-retries-of-forty"),
    pytest.param(50, 3, 0.5, False, id="three-of-forty"),
]


@pytest.mark.parametrize(("minutes", "late", "hours", "equal"), TIMES)
def test_far_apart_in_time(store: Store, minutes: int, late: int, hours: float, equal: bool) -> None:
    verdict = drawn(store, ZERO, ZERO, minutes=minutes, late=late, parity={"max_hours_apart": hours})
    assert verdict.parity is not None
    assert (verdict.parity.result == "equal") is equal
    assert (verdict.overall == "not_evaluable") is not equal


def test_time_may_be_declared(store: Store) -> None:
    verdict = drawn(store, ZERO, ZERO, minutes=50, parity={"max_hours_apart": 0.1, "allow": ["time"]})
    assert verdict.overall != "not_evaluable"
    assert verdict.parity is not None
    assert verdict.parity.result == "differs"


def test_runs_that_say_nothing_are_unknown_and_compared(store: Store) -> None:
    suite = make_suite({"name": "right"}, policy={"min_cases": 5})

    def give(case: Case, _epoch: int) -> Any:
        return Output.of(case.text), [Score(status="scored", value=1.0, passed=True)]

    (verdict,) = report(store, Trial(store, suite, CASES).write({"old": give, "new": give})).verdicts
    assert verdict.parity == Parity(result="unknown", unknown=("old", "new"))
    assert verdict.overall != "not_evaluable"


def test_hostile_values_stay_one_line(store: Store) -> None:
    evil = {"params": {"temperature": 0, "max_tokens": 400, "a\nb|<b>": "\ud800\x00</p>\n" * 5000, "nan": float("nan")}}
    trial = drawn(store, ZERO, evil)
    assert trial.parity is not None
    assert all(len(d.candidate) <= 60 and "\n" not in d.candidate for d in trial.parity.differences)
    whole = report(store, "trial-1")
    for text in (reports.terminal(whole, width=100), reports.markdown(whole), reports.html(whole)):
        text.encode("utf-8")
    for text in (reports.markdown(whole), reports.html(whole)):
        assert "|<b>" not in text
        assert "</p>\\n" not in text.replace("&lt;/p&gt;", "")


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_every_value_has_one_text(value: Any) -> None:
    assert value_text("x", value) == value_text("x", value)
    assert "\n" not in value_text("stop", value)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "60 min"), (7200, "2 h"), (86400, "1 day"), (9e5, "10 days")],
)
def test_durations(seconds: float, says: str) -> None:
    assert duration(seconds) == says


def test_several_differences_are_named_at_once() -> None:
    found = Parity(
        result="differs",
        differences=(
            Difference(what="top_p", incumbent="1", candidate="not set"),
            Difference(what="time", incumbent="", candidate="up to 3 days apart"),
            Difference(what="stream", incumbent="on", candidate="off", allowed=True),
        ),
    )
    assert refusal(found, "new", "old") == (
        "No verdict on new against old: they were not asked under the same conditions: top_p is 1 for old and not set "
        "for new; their answers lie up to 3 days apart. To compare them, give both the same and run with --fresh or "
        "raise policy.parity.max_hours_apart, or allow it with policy.parity.allow: [top_p, time]."
    )
