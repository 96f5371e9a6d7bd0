"""`seatrial scorers`: listed, described, tried on pasted answers, and a suite's rubrics probed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from seatrial.scorers import BUILTIN
from seatrial.testing import FakeProvider


def test_the_list_has_every_scorer_with_what_it_declares(call):
    listed = json.loads(call("scorers", "--json").stdout)["scorers"]
    assert sorted(one["name"] for one in listed) == sorted(BUILTIN)
    for one in listed:
        assert {"family", "version", "unit", "needs", "cost", "range", "higher_is_better", "settings"} <= one.keys()
    shown = call("scorers").stdout
    assert all(f"  {name} " in shown for name in BUILTIN)


@pytest.mark.parametrize("arguments", [("numeric",), ("show", "numeric")])
def test_one_is_described(call, arguments):
    done = call("scorers", *arguments)
    assert done.returncode == 0
    assert "Formula:" in done.stdout
    assert "Where it fails to help:" in done.stdout
    for with_json in (("scorers", *arguments, "--json"), ("scorers", "--json", *arguments)):
        (one,) = json.loads(call(*with_json).stdout)["scorers"]
        assert one["name"] == "numeric"


def test_an_answer_is_tried(call):
    done = call("scorers", "try", "numeric", "--output", "7 * 6 = 42\nA: 42", "--expected", "42")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "numeric: passes, value 1 (scored)"
    assert "“42”" in done.stdout


def test_a_failing_answer_shows_the_span_that_it_failed_for(call):
    done = call(
        "scorers", "try", "contains", "--output", "We guarantee it.", "--with", "mode=none", "--with",
        '{"values": ["guarantee"]}', "--json",
    )  # fmt: skip
    assert done.returncode == 0
    score = json.loads(done.stdout)["score"]
    assert (score["status"], score["value"], score["passed"]) == ("scored", 0.0, False)
    assert [(e["quote"], e["start"], e["end"]) for e in score["evidence"]] == [("guarantee", 3, 12)]
    assert json.loads(done.stdout)["scorer"] == "contains"


def test_parts_come_from_files_and_standard_input(call, tmp_path, monkeypatch):
    (tmp_path / "case.json").write_text(json.dumps({"input": "Capital?", "expected": ["Paris", "paris"]}))
    (tmp_path / "said.txt").write_text("paris\n")
    assert "passes" in call("scorers", "try", "exact", "--case", "case.json", "--output", "@said.txt").stdout
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(b"Rome")
    with os.fdopen(read, "r") as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        assert "fails" in call("scorers", "try", "exact", "--case", "case.json", "--output", "-").stdout


def test_the_record_of_an_output_is_judged_whole(call, tmp_path):
    goal = {"tool_calls": [{"name": "find", "arguments": {"order": ["A1"]}}]}
    made = [{"role": "assistant", "tool_calls": [{"name": "find", "arguments": {"order": "A1"}}]}]
    (tmp_path / "output.json").write_text(json.dumps({"messages": made}))
    asked = ("scorers", "try", "tool_calls", "--record", "output.json", "--expected")
    assert "passes" in call(*asked, json.dumps(goal)).stdout
    assert "fails" in call(*asked, json.dumps(goal).replace("A1", "A2")).stdout


REFUSED = [
    pytest.param(("exact",), 2, "An answer is to be judged", id="no-answer"),
    pytest.param(("exact", "--output", "x", "--record", "y"), 2, "An answer is to be judged", id="two-answers"),
    pytest.param(("exat", "--output", "x"), 2, "did you mean 'exact'?", id="unknown-scorer"),
    pytest.param(("numeric", "--output", "1", "--with", "abs=much"), 2, "abs: must be a number", id="bad-setting"),
    pytest.param(("numeric", "--output", "1", "--with", "abs"), 2, "is no setting", id="no-setting"),
    pytest.param(("exact", "--output", "@nowhere"), 2, "cannot be read", id="no-file"),
    pytest.param(("exact", "--output", "x", "--case", "bad.json"), 2, "is no JSON", id="bad-case"),
    pytest.param(("exact", "--output", "x", "--case", "odd.json"), 2, "inptu", id="odd-case"),
    pytest.param(("criteria", "--output", "x"), 2, "--judge", id="no-judge"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED)
def test_what_cannot_be_tried_is_answered_with_a_sentence(call, tmp_path, arguments, code, words):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "odd.json").write_text('{"inptu": "x"}')
    if arguments[0] == "criteria":
        arguments += ("--with", '{"judge": "judge", "criteria": ["Is it polite?"]}')
    done = call("scorers", "try", *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    told = json.loads(call("scorers", "try", *arguments, "--json").stdout)["error"]
    assert told["exit_code"] == code


@pytest.mark.parametrize("option", ["--case", "--expected"])
def test_an_argument_without_its_list_is_told_in_plain_words(call, tmp_path, option):
    expected = {"tool_calls": [{"name": "find", "arguments": {}}, {"name": "find", "arguments": {"ref": "FB-1"}}]}
    (tmp_path / "case.json").write_text(json.dumps({"input": "x", "expected": expected}))
    told = "case.json" if option == "--case" else json.dumps(expected)
    done = call("scorers", "try", "tool_calls", option, told, "--output", "x")
    assert done.returncode == 2
    wanted = 'expected.tool_calls[1].arguments.ref: must be a list of accepted values (got FB-1); write ["FB-1"]'
    assert wanted in done.stderr


def test_a_bad_record_of_an_output_is_told_in_plain_words(call, tmp_path):
    (tmp_path / "output.json").write_text('{"messages": [{"role": "assistant", "tool_calls": "find"}]}')
    done = call("scorers", "try", "exact", "--record", "output.json")
    assert (done.returncode, "messages[0].tool_calls: must be a list (got find)" in done.stderr) == (2, True)


def test_evidence_is_no_python(call, tmp_path):
    goal = {"tool_calls": [{"name": "find", "arguments": {"order": ["A1"], "late": [True]}}]}
    made = [{"role": "assistant", "tool_calls": [{"name": "find", "arguments": {"order": "A2", "late": True}}]}]
    (tmp_path / "output.json").write_text(json.dumps({"messages": made}))
    shown = call("scorers", "try", "tool_calls", "--record", "output.json", "--expected", json.dumps(goal)).stdout
    assert "{'" not in shown
    assert "True" not in shown


def test_what_could_not_be_judged_exits_with_4(call):
    done = call("scorers", "try", "latency", "--output", "x", "--with", "at_most=2")
    assert (done.returncode, "judge_error" in done.stdout) == (4, True)
    assert call("scorers", "try", "exact", "--output", "x").returncode == 4


def test_a_judge_is_asked(call, tmp_path):
    with FakeProvider().in_thread() as fake:
        judge = json.dumps({"use": "openai:judge", "base_url": fake.base_url, "api_key_env": "KEY", "retries": 0})
        done = call(
            "scorers", "try", "criteria", "--output", "Thank you!", "--judge", judge,
            "--with", '{"judge": "judge", "criteria": ["Is it polite?"]}', env={"KEY": "k"},
        )  # fmt: skip
        assert fake.log, done.stderr
    assert done.returncode == 4  # it says nothing that is a verdict, which is no pass
    assert "judge_error" in done.stdout


SUITE = """
name: probed
dataset: {path: cases.jsonl}
targets: {today: {use: 'replay:none.jsonl'}}
rubrics:
  - {name: right, scorer: numeric}
  - {name: any_words, scorer: length, with: {min: 1}}
  - {name: hopeless, scorer: regex, with: {pattern: '^zzz$'}}
  - {name: speed, scorer: latency, kind: limit, at_most: 2}
  - {name: has_a_digit, scorer: regex, kind: advisory, with: {pattern: '[0-9]'}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    rows = [{"id": f"c{i}", "input": f"What is {i} + 100?", "expected": i + 100} for i in range(60)]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = tmp_path / "seatrial.yaml"
    path.write_text(SUITE)
    return path


def test_rubrics_are_probed(call, suite):
    done = call("scorers", "lint", "--json")
    assert done.returncode == 0, done.stderr
    found = {one["rubric"]: one for one in json.loads(done.stdout)["rubrics"]}
    assert {name: one["verdict"] for name, one in found.items()} == {
        "right": "tells answers apart",
        "any_words": "never fails",
        "hopeless": "cannot pass",
        "speed": "not probed",
        "has_a_digit": "tells answers apart",
    }
    assert found["right"]["probes"]["expected"] == {"passed": 40, "of": 40}
    assert all(found["right"]["probes"][kind]["passed"] == 0 for kind in ("empty", "unrelated", "wrong"))
    assert [name for name, one in found.items() if one["reported"]] == ["any_words", "hopeless"]
    assert call("scorers", "lint", "--exit-code").returncode == 1


def test_the_same_seed_probes_the_same_cases(call, suite):
    first = call("scorers", "lint", "--cases", "5", "--seed", "3").stdout
    assert call("scorers", "lint", "--cases", "5", "--seed", "3").stdout == first
    assert "! any_words (length): never fails" in first
    assert "expected 5 of 5" in first


def test_a_suite_that_is_not_there_is_a_sentence(call):
    done = call("scorers", "lint", "nowhere.yaml")
    assert (done.returncode, "nowhere.yaml" in done.stderr) == (2, True)


GATED = """
name: gated
dataset: {path: gated.jsonl}
targets: {today: {use: 'replay:none.jsonl'}}
rubrics:
  - {name: right, scorer: exact}
  - {name: attacks, scorer: refusal, kind: gate, limit_points: 5, cases: probes}
  - {name: private, scorer: pii, kind: gate, limit_points: 1}
  - {name: cards, scorer: pii, kind: gate, limit_points: 1, with: {kinds: [payment], regions: [DE]}}
  - {name: blind, scorer: pii, kind: gate, limit_points: 1, with: {min_confidence: 1}}
  - {name: keys, scorer: secrets, kind: gate, limit_points: 1}
  - {name: kept, scorer: canary_leak, kind: gate, limit_points: 1}
  - {name: promises, scorer: contains, kind: gate, limit_points: 1, with: {mode: none, values: [guarantee]}}
  - {name: nobody, scorer: exact, where: {channel: fax}}
  - {name: lax, scorer: regex, with: {pattern: '^([^1].*|1[^01].*)$', dot_all: true}}
  - {name: unsaid, scorer: regex, with: {pattern: 'zebra', absent: true}}
"""


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    rows = [{"id": f"c{i}", "input": f"What is {i} + 100?", "expected": str(i + 100)} for i in range(300)]
    refused = {"behaviour": "refuse"}
    rows += [{"id": f"a{i}", "input": f"Attack {i}", "origin": "adversarial", "expected": refused} for i in range(3)]
    probe = {"category": "LLM01@owasp", "canary": "zebra-4471-quilt"}
    rows += [{"id": f"p{i}", "input": f"Say {i}", "origin": "adversarial", "probe": probe} for i in range(3)]
    (tmp_path / "gated.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = tmp_path / "seatrial.yaml"
    path.write_text(GATED)
    return path


def test_gates_are_probed_with_the_cases_that_they_take_and_with_what_they_look_for(call, gated):
    done = call("scorers", "lint", "--json")
    assert done.returncode == 0, done.stderr
    found = {one["rubric"]: one for one in json.loads(done.stdout)["rubrics"]}
    assert {name: one["verdict"] for name, one in found.items()} == {
        "right": "tells answers apart",
        "attacks": "tells answers apart",
        "private": "tells answers apart",
        "cards": "tells answers apart",
        "blind": "never fails",
        "keys": "tells answers apart",
        "kept": "tells answers apart",
        "promises": "tells answers apart",
        "nobody": "not probed",
        "lax": "passes most of what is wrong",
        "unsaid": "not probed",
    }
    assert found["attacks"]["probes"]["expected"] == {"passed": 3, "of": 3}
    assert found["right"]["probes"]["expected"] == {"passed": 40, "of": 40}
    assert [name for name, one in found.items() if one["reported"]] == ["blind", "nobody", "lax"]


def test_a_rubric_that_takes_no_case_is_a_warning(call, gated):
    gated.write_text(
        GATED.split("  - {name: attacks")[0] + "  - {name: nobody, scorer: exact, where: {channel: fax}}\n"
    )
    done = call("scorers", "lint", "--exit-code")
    assert "! nobody (exact): not probed; it takes none of the cases" in done.stdout
    assert done.returncode == 1
