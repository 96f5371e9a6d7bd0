"""A suite's cases as tests, and `seatrial.check`: pytest run by pytest, against the fake provider."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from seatrial.testing import FakeProvider, Rule, Script

pytest_plugins = ["pytester"]

PLUGIN = ("-p", "seatrial.testing.plugin", "-p", "no:cacheprovider", "--seatrial", "seatrial.yaml")
ONE_BY_ONE = pytest.param((), id="alone")
BESIDE = pytest.param(("-n", "2"), id="xdist")


@pytest.fixture
def fake():
    rules = [
        Rule(when={"model": "bad"}, text="no"),
        Rule(when={"input": "broken"}, fault={"kind": "server_error"}),
    ]
    with FakeProvider(Script(answers=rules)).in_thread() as provider:
        yield provider


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEATRIAL_STORE", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "k")


def questions(right: int, wrong: int) -> list[dict[str, Any]]:
    """Cases that an echoing model answers rightly, then wrongly."""
    cases = [{"id": f"r{n}", "input": f"right {n}", "expected": f"right {n}"} for n in range(right)]
    return cases + [{"id": f"w{n}", "input": f"wrong {n}", "expected": "something else"} for n in range(wrong)]


def write(folder: Path, url: str, cases: Sequence[Mapping[str, Any]], **changes: Any) -> None:
    suite: dict[str, Any] = {
        "name": "tested",
        "dataset": {"path": "cases.jsonl"},
        "targets": {"model": {"use": "openai:m"}},
        "rubrics": [{"name": "right", "scorer": "exact"}],
        **changes,
    }
    for target in suite["targets"].values():
        target.setdefault("base_url", url)
        target.setdefault("api_key_env", "OPENAI_API_KEY")
    (folder / "seatrial.yaml").write_text(json.dumps(suite))
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))


def swap(candidate: str) -> dict[str, Any]:
    """A suite of two targets, whose margin 40 cases can show."""
    return {
        "targets": {"today": {"use": "openai:m"}, "next": {"use": f"openai:{candidate}"}},
        "incumbent": "today",
        "policy": {"margin_points": 25},
    }


def text(result: pytest.RunResult) -> str:
    return result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("how", [ONE_BY_ONE, pytest.param(("-n", "2"), id="xdist", marks=pytest.mark.heavy)])
def test_without_an_incumbent_every_case_decides(pytester: pytest.Pytester, fake: FakeProvider, how: tuple[str, ...]):
    write(pytester.path, fake.base_url, questions(4, 2))
    result = pytester.runpytest_subprocess(*PLUGIN, *how, "-v")
    result.assert_outcomes(passed=4, failed=2)
    assert result.ret == 1
    assert fake.stats.calls == 6
    said = text(result)
    assert "seatrial.yaml::model::right[w0]" in said
    assert "expected: something else" in said
    assert "every case decides by itself" in said
    again = pytester.runpytest_subprocess(*PLUGIN, *how)
    again.assert_outcomes(passed=4, failed=2)
    assert fake.stats.calls == 6


def test_a_missed_case_is_forgiven_where_its_rubric_passes_unless_strict(pytester: pytest.Pytester, fake: FakeProvider):
    write(pytester.path, fake.base_url, questions(36, 4), **swap("n"))
    result = pytester.runpytest_subprocess(*PLUGIN, "-rx")
    result.assert_outcomes(passed=36, xfailed=4)
    assert result.ret == 0
    assert "right passes as a whole: is 'wrong 0'" in text(result)
    assert "PASS right (next)" in text(result)
    assert fake.stats.calls == 80
    strict = pytester.runpytest_subprocess(*PLUGIN, "--seatrial-strict", "-n", "2")
    strict.assert_outcomes(passed=36, failed=4)
    assert strict.ret == 1
    assert fake.stats.calls == 80


@pytest.mark.parametrize("how", [ONE_BY_ONE, BESIDE])
def test_a_bad_candidate_fails_the_session_with_its_cases(
    pytester: pytest.Pytester, fake: FakeProvider, how: tuple[str, ...]
):
    write(pytester.path, fake.base_url, questions(40, 0), **swap("bad"))
    result = pytester.runpytest_subprocess(*PLUGIN, *how)
    result.assert_outcomes(failed=40)
    assert result.ret == 1
    assert "BLOCK right (next)" in text(result)
    assert "The gate blocks: right (next)." in text(result)
    assert fake.stats.calls == 80


def test_the_incumbents_cases_are_tests_where_it_is_named(pytester: pytest.Pytester, fake: FakeProvider):
    write(pytester.path, fake.base_url, questions(40, 0), **swap("bad"))
    result = pytester.runpytest_subprocess(*PLUGIN, "--seatrial-target", "today", "-q")
    result.assert_outcomes(passed=40)
    assert result.ret == 1, "the suite blocks all the same"


LIMIT = {"name": "short", "scorer": "length", "kind": "limit", "statistic": "mean"}
RIGHT_GATE = {"name": "right", "scorer": "exact", "kind": "gate", "limit_points": 30, "cases": "all"}


@pytest.mark.parametrize(
    ("rubric", "wrong", "options", "outcomes", "code"),
    [
        pytest.param(RIGHT_GATE, 1, (), {"passed": 39, "xfailed": 1}, 0, id="a gate that allows it"),
        pytest.param(RIGHT_GATE, 30, (), {"passed": 10, "failed": 30}, 1, id="a gate that blocks"),
        pytest.param({**LIMIT, "at_most": 10}, 0, (), {"passed": 40}, 0, id="a limit that is kept"),
        pytest.param({**LIMIT, "at_most": 1}, 0, (), {"skipped": 40}, 1, id="a limit that is not"),
        pytest.param(RIGHT_GATE, 11, (), {"passed": 29, "failed": 11}, 1, id="open, so not passed"),
        pytest.param(
            RIGHT_GATE, 11, ("--seatrial-allow-inconclusive",), {"passed": 29, "xfailed": 11}, 0, id="open, and allowed"
        ),
    ],
)
def test_gates_and_limits_decide_without_an_incumbent(
    pytester: pytest.Pytester,
    fake: FakeProvider,
    rubric: dict[str, Any],
    wrong: int,
    options: tuple[str, ...],
    outcomes: dict[str, int],
    code: int,
):
    write(pytester.path, fake.base_url, questions(40 - wrong, wrong), rubrics=[rubric])
    result = pytester.runpytest_subprocess(*PLUGIN, *options)
    result.assert_outcomes(**outcomes)
    assert result.ret == code


RAISES = """
def fails(case, output):
    raise ValueError("broken judge")
"""


def test_what_is_no_failure_is_told_apart(pytester: pytest.Pytester, fake: FakeProvider):
    cases = [
        *questions(1, 1),
        {"id": "none", "input": "free"},
        {"id": "down", "input": "broken", "expected": "broken"},
        {"id": "held", "input": "wrong", "expected": "x"},
    ]
    rubrics = [
        {"name": "right", "scorer": "exact"},
        {"name": "shown", "scorer": "exact", "kind": "advisory"},
        {"name": "judged", "scorer": "python:judges:fails", "where": {"kind": "judged"}},
    ]
    cases[0]["strata"] = {"kind": "judged"}
    write(pytester.path, fake.base_url, cases, rubrics=rubrics, targets={"model": {"use": "openai:m", "retries": 0}})
    (pytester.path / "judges.py").write_text(RAISES)
    held = "- case: held\n  rubric: right\n  reason: disputed\n  expires: 2999-12-31\n"
    (pytester.path / "quarantine.yaml").write_text(held)
    suite = json.loads((pytester.path / "seatrial.yaml").read_text())
    (pytester.path / "seatrial.yaml").write_text(json.dumps({**suite, "gate": {"most_quarantined_points": 50}}))
    result = pytester.runpytest_subprocess(*PLUGIN, "-rA")
    said = text(result)
    # right: r0 passes, w0 fails, none skips, down errs, held skips; shown: r0 passes, w0 and held are x, the rest skip
    result.assert_outcomes(passed=2, failed=1, errors=2, skipped=4, xfailed=2)
    assert "not applicable: the case has no expected answers" in said
    assert "infra_error: " in said
    assert "judge_error: ValueError: broken judge" in said
    assert "in quarantine until 2999-12-31: disputed" in said
    calls = fake.stats.calls
    pytester.runpytest_subprocess(*PLUGIN)
    assert fake.stats.calls == calls + 1, "only what nobody answered is asked again"


def test_collecting_asks_nothing_and_one_case_can_be_chosen(pytester: pytest.Pytester, fake: FakeProvider):
    ids = ["a::b[c]", "x\ny", "\ud800", "y" * 300, "ü"]
    cases = [{"id": key, "input": f"in {at}", "expected": f"in {at}"} for at, key in enumerate(ids)]
    write(pytester.path, fake.base_url, cases)
    pytester.makepyfile(test_own="def test_own():\n    pass\n")
    shown = pytester.runpytest_subprocess(*PLUGIN, "--collect-only", "-q")
    assert shown.ret == 0
    named = [line for line in shown.outlines if line.startswith("seatrial.yaml::")]
    assert len(named) == len(set(named)) == len(ids)
    assert "test_own.py::test_own" in shown.outlines
    assert fake.stats.calls == 0
    beside = pytester.runpytest_subprocess(*PLUGIN, "-n", "2", ".")
    beside.assert_outcomes(passed=len(ids) + 1)
    assert fake.stats.calls == len(ids)
    pytester.runpytest_subprocess(*PLUGIN, named[0]).assert_outcomes(passed=1)
    pytester.runpytest_subprocess(*PLUGIN, ".", "-k", "ü").assert_outcomes(passed=1, deselected=len(ids))


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        pytest.param(("--seatrial", "none.yaml"), 4, "there is no suite file none.yaml", id="no such file"),
        pytest.param(("--seatrial-target", "modle"), 4, "did you mean 'model'?", id="no such target"),
        pytest.param((), 1, "E402", id="target down"),
    ],
)
def test_what_cannot_be_run_is_no_pass(pytester: pytest.Pytester, options: tuple[str, ...], code: int, says: str):
    with FakeProvider(Script(api_keys=["another"])).in_thread() as shut:
        write(pytester.path, shut.base_url, questions(2, 0))
        result = pytester.runpytest_subprocess(*PLUGIN, *options)
    assert result.ret == code, text(result)
    assert says in text(result)
    assert "Traceback" not in text(result)


def test_showing_fixtures_asks_nothing(pytester: pytest.Pytester, fake: FakeProvider):
    write(pytester.path, fake.base_url, questions(2, 0))
    assert pytester.runpytest_subprocess(*PLUGIN, "--fixtures").ret == 0
    assert pytester.runpytest_subprocess(*PLUGIN, "--setup-plan").ret == 0
    assert fake.stats.calls == 0


def test_without_a_suite_the_plugin_loads_nothing_heavy(pytester: pytest.Pytester):
    heavy = '{"sqlalchemy", "numpy", "pydantic"}'
    pytester.makepyfile(f"import sys\n\ndef test_light():\n    assert not {heavy} & set(sys.modules)\n")
    pytester.runpytest_subprocess("-p", "seatrial.testing.plugin").assert_outcomes(passed=1)


def test_nothing_is_loaded_by_itself():
    assert [e for e in entry_points(group="pytest11") if e.value.startswith("seatrial")] == []
