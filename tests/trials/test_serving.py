"""Parameters from a sample of production requests: what is taken, who gets it, and how a bad file is refused."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trials.project import Project, question

from seatrial.core.suite import Suite
from seatrial.errors import UsageError
from seatrial.testing import FakeProvider
from seatrial.trials.running import serving

MESSAGES = [{"role": "user", "content": "hi"}]


def sample(folder: Path, rows: list[Any]) -> Path:
    path = folder / "production.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def body(**params: Any) -> dict[str, Any]:
    return {"model": "m", "messages": MESSAGES, **params}


FORMS = [
    pytest.param(body(temperature=0.7), id="body"),
    pytest.param({"request": body(temperature=0.7)}, id="request"),
    pytest.param({"params": {"temperature": 0.7}, "id": 3}, id="params"),
    pytest.param({"custom_id": "a", "body": body(temperature=0.7)}, id="batch-line"),
    pytest.param({"invocation_parameters": {"temperature": 0.7}}, id="invocation-parameters"),
    pytest.param({"invocation_parameters": '{"temperature": 0.7}'}, id="as-text"),
    pytest.param({"contents": [], "generationConfig": {"temperature": 0.7}}, id="gemini"),
]


@pytest.mark.parametrize("row", FORMS)
def test_a_row_holds_its_parameters(tmp_path: Path, row: Any) -> None:
    found = serving.read(sample(tmp_path, [row]))
    assert [(t.name, t.value, t.requests) for t in found.taken] == [("temperature", 0.7, 1)]


def test_the_most_common_value_of_each_is_taken(tmp_path: Path) -> None:
    rows = [
        *[body(temperature=0.2, max_tokens=300, seed=i) for i in range(6)],
        *[body(temperature=0.2, max_completion_tokens=300, stop="END") for _ in range(3)],
        body(temperature=1.0, maxOutputTokens=8, user="u", stop=["END"], presence_penalty=None),
    ]
    found = serving.read(sample(tmp_path, rows))
    assert found.lines() == [
        "temperature 0.2 (90%, n 9)",
        "max_tokens 300 (90%, n 9)",
        "stop not set (most requests do not)",
    ]


def test_targets_keep_what_they_set(tmp_path: Path) -> None:
    suite = Suite.model_validate(
        {
            "name": "s",
            "dataset": {"path": "x.jsonl"},
            "incumbent": "own",
            "targets": {
                "own": {"use": "openai:m", "params": {"temperature": 0, "max_completion_tokens": 5}},
                "same": {"use": "openai:m", "params": {"temperature": 0.70}},
                "none": {"use": "gemini:m"},
                "recorded": {"use": "replay:x.jsonl"},
            },
            "rubrics": [{"name": "right", "scorer": "exact"}],
        }
    )
    found = serving.read(sample(tmp_path, [body(temperature=0.7, max_tokens=300)] * 2))
    changed = serving.apply(suite, found)
    assert {name: dict(spec.params) for name, spec in changed.targets.items()} == {
        "own": {"temperature": 0, "max_completion_tokens": 5},
        "same": {"temperature": 0.7, "max_tokens": 300},
        "none": {"temperature": 0.7, "max_tokens": 300},
        "recorded": {},
    }
    for same in (suite, changed):
        assert serving.about(same, found)["kept"] == {"own": ["temperature 0", "max_tokens 5"]}
    assert changed.hash != suite.hash


FAULTS = [
    pytest.param(b"{\n", "production.jsonl:1: is not JSON", id="not-json"),
    pytest.param(b"[1]\n", "production.jsonl:1: is no object", id="array"),
    pytest.param(b'\n{"temperature": 1}\n{"x": 1}\n', "production.jsonl:3: holds no request", id="no-request"),
    pytest.param(b'{"request": 5}\n', "production.jsonl:1: request holds no object", id="holder"),
    pytest.param(b'{"invocation_parameters": "{"}\n', "invocation_parameters holds no object", id="broken-text"),
    pytest.param(b"\xff\xfe\n", "production.jsonl:1: is not JSON", id="not-utf8"),
    pytest.param(b"\n\n", "holds no request", id="empty"),
]


@pytest.mark.parametrize(("raw", "says"), FAULTS)
def test_a_bad_sample_is_refused_with_its_lines(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "production.jsonl"
    path.write_bytes(raw)
    with pytest.raises(UsageError) as caught:
        serving.read(path)
    assert says in str(caught.value)
    assert "write one request a line" in caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.jsonl cannot be read"):
        serving.read(tmp_path / "nothing.jsonl")


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_answer_or_an_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(raw)
    with contextlib.suppress(UsageError):
        assert serving.read(path).requests > 0


def test_a_run_sends_them_says_so_and_keeps_them_apart(project: Project, fake: FakeProvider) -> None:
    project.at(fake.base_url)
    project.suite["targets"]["other"] = {**project.suite["targets"]["model"], "params": {"temperature": 0}}
    project.write([question(i) for i in range(4)], incumbent="model", policy={"min_cases": 1})
    path = sample(project.folder, [body(temperature=0.7, max_tokens=50)] * 3)
    report = project.run(serving_defaults=path)
    sent = {(call.body.get("temperature"), call.body.get("max_tokens")) for call in fake.log}
    assert sent == {(0.7, 50), (0, 50)}
    said = "temperature 0.7 (100%, n 3); max_tokens 50 (100%, n 3)"
    assert report.warnings[:2] == (
        f"Parameters taken from 3 production requests in production.jsonl: {said}.",
        "The suite wins over production: other keeps its own temperature 0.",
    )
    assert report.verdicts[0].overall == "not_evaluable"
    calls = fake.calls
    project.run()
    assert fake.calls == 2 * calls, "other parameters are other requests"


def test_the_command_takes_them(project: Project, fake: FakeProvider) -> None:
    project.at(fake.base_url)
    project.write([question(i) for i in range(2)])
    sample(project.folder, [body(temperature=0.7)])
    done = project.call("run", "--serving-defaults", "production.jsonl")
    assert done.returncode == 0, done.stderr
    assert "Parameters taken from 1 production requests" in " ".join(done.stdout.split())
    (project.folder / "production.jsonl").write_text("{}\n")
    refused = project.call("run", "--serving-defaults", "production.jsonl")
    assert refused.returncode == 2
    assert "production.jsonl:1: holds no request" in refused.stderr


def test_what_is_taken_is_said_before_anything_is_asked(project: Project, fake: FakeProvider) -> None:
    project.at(fake.base_url)
    project.write([question(0)])
    sample(project.folder, [body(temperature=0.2), body(temperature=0.2, top_p="\x1b[31m"), body(temperature=0.3)])
    done = project.call("run", "--serving-defaults", "production.jsonl")
    assert done.returncode == 0, done.stderr
    said, *later = done.stderr.splitlines()
    taken = "temperature 0.2 (67%, n 2); top_p not set (most requests do not)"
    assert said == f"from 3 requests in production.jsonl: {taken}"
    assert any("1 of 1 results" in line for line in later)
    told = project.call("run", "--serving-defaults", "production.jsonl", "--json")
    assert json.loads(told.stdout)["status"] == "done"
