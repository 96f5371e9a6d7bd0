"""`seatrial targets`: the list, and what changed in endpoints' lists of models, through the command and over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call
from tests.trials.project import Project, question

from seatrial.targets import BUILTIN, catalogue
from seatrial.testing import FakeProvider, Script

KEY = "sk-a-secret-that-nobody-may-see-0123456789"
DIALECTS = ["openai", "anthropic", "gemini", "responses"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def poll(call: Call, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    done = call("targets", "poll", *arguments, "--json", env={"THE_KEY": KEY})
    assert done.returncode == code, done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr
    return json.loads(done.stdout)["polled"]


def suite(project: Project, url: str, dialect: str = "openai", **more: Any) -> None:
    targets = {"model": {"use": f"{dialect}:m", "params": {"max_tokens": 5}, "base_url": url, **more}}
    project.write([question(0)], targets=targets)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_new_and_retired_models_are_told_in_every_dialect(call: Call, project: Project, dialect: str):
    with FakeProvider(Script(models=("old", "kept"))).in_thread() as fake:
        suite(project, fake.base_url, dialect)
        first = poll(call, "--suite", "seatrial.yaml")[0]
        fake.load(Script(models=("kept", "fresh")))
        second = poll(call, "--suite", "seatrial.yaml")[0]
        third = call("targets", "poll", "--suite", "seatrial.yaml")
    assert [model["id"] for model in first["models"]] == ["old", "kept"]
    assert "since" not in first
    assert (second["new"], second["retired"], second["changed"]) == (["fresh"], ["old"], {})
    assert second["since"] == first["polled_at"]
    assert "no change since" in third.stdout


@pytest.mark.parametrize("dialect", DIALECTS)
def test_long_lists_are_read_page_by_page(call: Call, project: Project, dialect: str):
    names = tuple(f"model-{i}" for i in range(2345))
    with FakeProvider(Script(models=names)).in_thread() as fake:
        suite(project, fake.base_url, dialect)
        found = poll(call, "--suite", "seatrial.yaml")[0]
    assert [model["id"] for model in found["models"]] == list(names)


def test_a_changed_model_is_told_with_what_changed(call: Call, project: Project, lists: Any):
    lists.say({"data": [{"id": "m", "created": 1735689600, "owned_by": "a", "context_length": 8}]})
    suite(project, lists.url)
    poll(call, "--suite", "seatrial.yaml")
    lists.say({"data": [{"id": "m", "created": 1735689600, "owned_by": "b", "context_length": 16}]})
    changed = poll(call, "--suite", "seatrial.yaml")[0]["changed"]
    assert changed == {"m": {"owner": {"was": "a", "is": "b"}, "context": {"was": 8, "is": 16}}}
    lists.say({"data": [{"id": "m", "owned_by": "c"}]})
    done = call("targets", "poll", "--suite", "seatrial.yaml")
    assert "changed  m (context 16 → None, created 2025-01-01 → None, owner b → c)" in done.stdout


SHAPES = [
    pytest.param({"data": [{"id": "a"}]}, ["a"], id="openai"),
    pytest.param([{"id": "a"}, {"id": "b"}], ["a", "b"], id="bare-array"),
    pytest.param({"models": [{"name": "a:latest"}]}, ["a:latest"], id="ollama"),
    pytest.param({"models": [{"name": "models/a"}]}, ["a"], id="gemini"),
    pytest.param({"success": True, "result": [{"name": "@cf/a"}]}, ["@cf/a"], id="cloudflare"),
    pytest.param({"data": [{"id": "a", "created": 2**63}, {"id": 7}, "x", None, {}]}, ["a"], id="odd-items"),
    pytest.param({"data": []}, [], id="empty"),
]


@pytest.mark.parametrize(("answer", "names"), SHAPES)
def test_lists_of_every_shape_are_read(call: Call, project: Project, lists: Any, answer: Any, names: list[str]):
    lists.say(answer)
    suite(project, lists.url)
    assert [model["id"] for model in poll(call, "--suite", "seatrial.yaml")[0]["models"]] == names


HOSTILE = [
    pytest.param(b"<html>", 200, "malformed", id="no-json"),
    pytest.param(b"", 200, "malformed", id="nothing"),
    pytest.param(b'{"data": {"id": "a"}}', 200, "malformed", id="no-array"),
    pytest.param(b"[" * 100_000, 200, "malformed", id="deep"),
    pytest.param(b"\xff\xfe", 200, "malformed", id="no-utf-8"),
    pytest.param(b'{"data": [], "has_more": true, "last_id": "x"}', 200, "circle", id="pages-without-end"),
    pytest.param(b'{"error": {"message": "no"}}', 200, "server_error", id="an-error-with-200"),
    pytest.param(b'{"error": {"message": "%b"}}' % KEY.encode(), 401, "HTTP 401, auth", id="unauthorised"),
    pytest.param(b"", 307, "redirect", id="a-redirect"),
    pytest.param(b"x" * (17 << 20), 200, "too_large", id="huge"),
]


@pytest.mark.parametrize(("body", "status", "words"), HOSTILE)
def test_a_list_that_cannot_be_read_is_told_and_not_kept(
    call: Call, project: Project, lists: Any, body: bytes, status: int, words: str
):
    lists.say({"data": [{"id": "a"}]})
    suite(project, lists.url, api_key_env="THE_KEY")
    poll(call, "--suite", "seatrial.yaml")
    lists.answer(status, body, location="http://127.0.0.1:9/")
    assert words in poll(call, "--suite", "seatrial.yaml", code=4)[0]["error"]
    assert lists.keys == {f"Bearer {KEY}"}
    lists.say({"data": [{"id": "a"}]})
    assert poll(call, "--suite", "seatrial.yaml")[0]["new"] == []


def test_lone_surrogates_and_controls_survive(call: Call, project: Project, lists: Any):
    lists.answer(200, b'{"data": [{"id": "\\ud800\\u0000\\u001b[31m"}]}')
    suite(project, lists.url)
    poll(call, "--suite", "seatrial.yaml")
    lists.say({"data": []})
    done = call("targets", "poll", "--suite", "seatrial.yaml")
    assert done.returncode == 0, done.stderr
    assert "retired  \\ud800\\x00\\x1b[31m" in done.stdout


WRONG = [
    pytest.param(["groqq"], 2, "did you mean 'groq'?", id="misspelt"),
    pytest.param(["cloudflare"], 2, "--suite FILE", id="needs-variables"),
    pytest.param(["groq", "--suite", "x.yaml"], 2, "not both", id="both"),
    pytest.param(["groq"], 4, "GROQ_API_KEY is not set", id="no-key"),
    pytest.param([], 0, "nothing to poll", id="nothing"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_what_cannot_be_polled(call: Call, project: Project, arguments: list[str], code: int, words: str):
    done = call("targets", "poll", *arguments)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_providers_with_a_key_are_polled_at_the_stand_in(call: Call, project: Project):
    with FakeProvider(Script(models=("a",))).in_thread() as fake:
        env = {catalogue.STAND_IN: fake.base_url, "GROQ_API_KEY": KEY}
        done = call("targets", "poll", env=env)
        keys = [value for call in fake.log for value in call.headers.values() if KEY in value]
    assert (done.returncode, keys) == (0, [])
    assert f"{fake.base_url}  1 models, polled for the first time" in done.stdout


def test_the_list_shows_adapters_and_endpoints(call: Call, project: Project):
    shown = call("targets").stdout
    assert all(f"{name}:" in shown for name in BUILTIN)
    assert all(f"{provider.name}/" in shown for provider in catalogue.providers())
    found = json.loads(call("targets", "--json").stdout)
    assert len(found["providers"]) == len(catalogue.providers())


@pytest.mark.parametrize(
    ("word", "words"),
    [
        pytest.param("groq", "GROQ_API_KEY", id="name"),
        pytest.param("LLAMA.CPP", "llamacpp/MODEL", id="alias-in-any-case"),
        pytest.param("meta-llama", "openrouter/MODEL", id="author"),
        pytest.param("anthropc", "did you mean anthropic?", id="misspelt"),
    ],
)
def test_a_word_finds_endpoints(call: Call, project: Project, word: str, words: str):
    assert words in call("targets", word).stdout
