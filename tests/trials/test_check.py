"""`seatrial.check`: one assertion on one answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import seatrial
from seatrial import Case, Failure, Output, Score
from seatrial.errors import (
    ConfigError,
    NoAnswerError,
    NotEvaluableError,
    ScorerConfigError,
    UnknownPluginError,
    UsageError,
)
from seatrial.testing import FakeProvider, Rule, Script, scripted_judge


async def later(case: Case) -> Output:
    return Output.of(case.text.upper())


def down(code: str, kind: Any) -> Output:
    return Output(failure=Failure(kind=kind, code=code, message="gone"))


@pytest.mark.parametrize(
    ("answer", "given"),
    [
        pytest.param("The billing team.", {"expected": "billing"}, id="text"),
        pytest.param("sales", {"expected": ["billing", "sales"], "scorer": "exact"}, id="any of several"),
        pytest.param(Output.of("42 €"), {"expected": 42, "scorer": "numeric"}, id="an output"),
        pytest.param(lambda case: case.text, {"case": "hello", "expected": "hello"}, id="a function"),
        pytest.param(later, {"case": "hello", "expected": "HELLO"}, id="an async function"),
        pytest.param("a", {"case": {"input": "q", "expected": "a"}, "scorer": "exact"}, id="a case's fields"),
        pytest.param("a", {"case": Case(id="c", input="q", expected="b"), "expected": "a"}, id="instead of a case's"),
        pytest.param('{"a": 1}', {"scorer": "json_schema", "schema": {"required": ["a"]}}, id="settings"),
        pytest.param("\ud800 \x00 x", {"expected": "\ud800"}, id="any text"),
    ],
)
def test_a_good_answer_gives_its_score(answer: Any, given: dict[str, Any]):
    score = seatrial.check(answer, **given)
    assert isinstance(score, Score)
    assert score.passed

    async def inside() -> Score:
        return seatrial.check(answer, **given)

    assert asyncio.run(inside()) == score


@pytest.mark.parametrize(
    ("answer", "given", "says"),
    [
        pytest.param("sales", {"expected": "billing"}, ["does not contain 'billing'", "answer:   sales"], id="text"),
        pytest.param(later, {"case": "a\nb", "expected": "c"}, ["input:    a\n", "expected: c", "A\n"], id="a model"),
        pytest.param(down("filtered", "model"), {"expected": "x"}, ["filtered: gone"], id="the model's failure"),
        pytest.param("", {"expected": "x"}, ["the output is empty"], id="empty"),
        pytest.param("\x1b[31m \ud800", {"expected": "x"}, [r"\x1b[31m \ud800"], id="hostile"),
        pytest.param("y" * 1_000_000, {"expected": "x"}, ["…"], id="long"),
    ],
)
def test_a_bad_answer_fails_with_reason_and_evidence(answer: Any, given: dict[str, Any], says: list[str]):
    with pytest.raises(AssertionError) as caught:
        seatrial.check(answer, **given)
    said = str(caught.value)
    assert [part for part in says if part not in said] == []
    assert len(said.encode("utf-8")) < 10_000


@pytest.mark.parametrize(
    ("answer", "given", "error"),
    [
        pytest.param("x", {}, UsageError, id="nothing expected"),
        pytest.param(None, {"expected": "x"}, UsageError, id="no answer"),
        pytest.param("x", {"expected": "x", "target": "openai:m"}, UsageError, id="answer and target"),
        pytest.param(3, {"expected": "x"}, UsageError, id="no text"),
        pytest.param("x", {"expected": {"a": 1}}, UsageError, id="unknown field of expected"),
        pytest.param("x", {"case": {"inptu": "q"}}, UsageError, id="unknown field of a case"),
        pytest.param("x", {"expected": "x", "scorer": "contians"}, UnknownPluginError, id="unknown scorer"),
        pytest.param("x", {"expected": "x", "ignore_caes": True}, ScorerConfigError, id="unknown setting"),
        pytest.param("x", {"scorer": "length"}, UsageError, id="a bare measure"),
        pytest.param(down("timeout", "infra"), {"expected": "x"}, NoAnswerError, id="nobody answered"),
        pytest.param("x", {"scorer": "latency", "at_most": 1}, NotEvaluableError, id="the scorer failed"),
    ],
)
def test_what_says_nothing_of_an_answer_is_neither_pass_nor_failure(answer: Any, given: dict[str, Any], error: type):
    with pytest.raises(error) as caught:
        seatrial.check(answer, **given)
    assert isinstance(caught.value, ConfigError | NotEvaluableError)


def test_your_own_scorer_is_found_beside_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = "def polite(case, output):\n    return 'please' in output.text\n"
    (tmp_path / "own_scorers_of_check.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert seatrial.check("yes please", scorer="python:own_scorers_of_check:polite").passed
    with pytest.raises(AssertionError):
        seatrial.check("no", scorer="python:own_scorers_of_check:polite")


def test_a_target_is_asked_the_cases_input(monkeypatch: pytest.MonkeyPatch):
    from seatrial.core.suite import TargetSpec
    from seatrial.targets import build

    with FakeProvider(Script(answers=[Rule(when={"input": "which team?"}, text="billing")])).in_thread() as fake:
        spec = TargetSpec(use="openai:m", base_url=fake.base_url, api_key_env="KEY_OF_CHECK")
        target = build("m", spec, Path.cwd(), {"KEY_OF_CHECK": "k"})
        assert seatrial.check(target=target, case="which team?", expected="billing").passed
        with pytest.raises(AssertionError, match="does not contain 'sales'"):
            seatrial.check(target=target, case="which team?", expected="sales")
        assert fake.stats.calls == 2


def test_what_rules_leave_open_is_said_not_to_be_decided():
    case = {"input": "When?", "context": ["The tower opened in 1889."]}
    with pytest.raises(NotEvaluableError, match=r"(?s)did not decide.*strict=True"):
        seatrial.check("The tower was painted green by elves.", scorer="groundedness", case=case)
    with pytest.raises(AssertionError):
        seatrial.check("The tower was painted green by elves.", scorer="groundedness", case=case, strict=True)


@pytest.mark.parametrize("verdict", ["yes", "no"])
def test_a_dict_with_use_is_one_judge(verdict: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEY_OF_CHECK", "k")
    with FakeProvider(answer=scripted_judge({"Is it polite?": verdict}, model="judge")).in_thread() as fake:
        judge = {"use": "openai:judge", "base_url": fake.base_url, "api_key_env": "KEY_OF_CHECK"}
        asked = {"scorer": "criteria", "criteria": ["Is it polite?"], "judges": judge}
        if verdict == "yes":
            assert seatrial.check("Thank you!", **asked).passed
        else:
            with pytest.raises(AssertionError):
                seatrial.check("Thank you!", **asked)
        assert fake.calls == 1
