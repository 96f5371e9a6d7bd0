"""Real data through the whole way: imported, sampled, committed, linted, sealed and run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seatrial.cli import main
from seatrial.core.vault import new_key
from seatrial.datasets import SetFolder

SUITE = """
name: real
dataset: {{path: sets/real, split: [test, sealed]}}
targets: {{echo: {{use: "python:models:echo"}}, calm: {{use: "python:models:calm"}}}}
incumbent: echo
rubrics:
  - {{name: {name}, scorer: {scorer}{settings}}}
"""
MODELS = """
def echo(request):
    return "A: 18. " + request.text[-200:]

def calm(request):
    return "A: 18"
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", new_key())
    (tmp_path / "models.py").write_text(MODELS)

    def call(*arguments: str, code: int = 0) -> str:
        found = main.invoke([*arguments])
        said = capsys.readouterr()
        assert found == code, (arguments, said.out[-2000:], said.err[-2000:])
        return said.out

    return call


def sealed_and_run(told, suite: str) -> dict:
    Path("seatrial.yaml").write_text(suite)
    told("dataset", "commit", "sets/real", "-m", "First", "--author", "Ann", "--allow-unlabelled")
    told("dataset", "seal", "sets/real")
    found = json.loads(told("lint", "seatrial.yaml", "--json"))
    assert len(found["parts"]) == 6
    report = json.loads(told("run", "--json"))
    assert json.loads(told("dataset", "verify", "sets/real", "--json"))
    assert len(Path("sets/real/ledger.jsonl").read_text().splitlines()) == 1
    return report


def test_gsm8k(told, shared_data):
    log = shared_data("gsm8k_model_solutions.jsonl")
    fields = ("--field", "input=question", "--field", "expected=ground_truth")
    told("dataset", "import", str(log), "--into", "pool.jsonl", *fields)
    Path("sets/real").mkdir(parents=True)
    Path("sets/real/set.yaml").write_text(
        "stratifiers:\n- stratum: size\n  use: rules\n  rules:\n"
        "  - {name: long, at_least: 220}\n  - {name: short, at_least: 1}\n"
    )
    told("dataset", "sample", "pool.jsonl", "--into", "sets/real", "--size", "300", "--by", "size")
    report = sealed_and_run(told, SUITE.format(name="right", scorer="numeric", settings=""))
    assert report["cases"] == 240
    assert {len(list(SetFolder(Path("sets/real")).cases(split))) for split in ("build", "test")} == {60, 180}


def test_tau_airline(told, shared_data):
    log = shared_data("tau_airline_gpt-4o.json")
    fields = ("--field", "conversation=traj", "--field", "strata.trial=trial")
    told("dataset", "import", str(log), "--into", "pool.jsonl", "--turns", "last", *fields)
    told("dataset", "sample", "pool.jsonl", "--into", "sets/real", "--size", "100", "--by", "trial")
    cases = list(SetFolder(Path("sets/real")).cases("test"))
    asked = {call.id for case in cases for m in case.input for call in m.tool_calls}
    answered = {m.tool_call_id for case in cases for m in case.input if m.role == "tool"}
    assert asked
    assert asked == answered
    report = sealed_and_run(told, SUITE.format(name="short", scorer="length", settings=", with: {max: 50}"))
    assert report["cases"] == 80
