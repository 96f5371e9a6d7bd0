"""`seatrial doctor`: what is missing is said before anything is spent, and no key is shown."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call, Lists
from tests.trials.project import Project, question

from seatrial.store import schema
from seatrial.targets import catalogue
from seatrial.testing import FakeProvider, Script

KEY = "sk-a-secret-that-nobody-may-see-0123456789"
PARAMS = {"max_tokens": 5}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def suite(project: Project, **targets: Any) -> None:
    whole = {name: {"params": PARAMS, **target} for name, target in targets.items()}
    project.write([question(0)], targets=whole, **({"incumbent": next(iter(targets))} if len(targets) > 1 else {}))


def examined(call: Call, code: int = 0, env: dict[str, str] | None = None) -> dict[str, dict[str, dict[str, str]]]:
    """Every check of every target, by what it is about; `here` stands among the targets."""
    done = call("doctor", "--suite", "seatrial.yaml", "--timeout", "2", "--json", env=env)
    assert done.returncode == code, done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["ok"] is (code == 0)
    checks = {"here": found["here"], **found["targets"]}
    return {name: {check["about"]: check for check in of} for name, of in checks.items()}


@pytest.mark.parametrize("dialect", ["openai", "responses", "anthropic", "gemini"])
def test_a_suite_in_good_health(call: Call, project: Project, dialect: str):
    with FakeProvider(Script(models=("m",), api_keys=(KEY,))).in_thread() as fake:
        suite(project, model={"use": f"{dialect}:m", "base_url": fake.base_url, "api_key_env": "THE_KEY"})
        found = examined(call, env={"THE_KEY": KEY})
        assert fake.calls == 0
    assert {name: check["state"] for name, check in found["model"].items()} == dict.fromkeys(
        ("key", "endpoint", "model"), "ok"
    )
    assert found["model"]["key"]["says"] == "THE_KEY is set; it is accepted"
    assert {check["state"] for check in found["here"].values()} == {"ok"}
    assert not (project.folder / ".seatrial").exists()


def test_a_key_that_a_public_list_does_not_try(call: Call, project: Project):
    with FakeProvider(Script(models=("m",))).in_thread() as fake:
        suite(project, model={"use": "openai:m", "base_url": fake.base_url, "api_key_env": "THE_KEY"})
        found = examined(call, env={"THE_KEY": KEY})
    assert "the key was not tried" in found["model"]["key"]["says"]


SICK = [
    pytest.param({"use": "openai:n"}, {"THE_KEY": KEY}, "model", "did you mean model-1?", id="unknown-model"),
    pytest.param({}, {"THE_KEY": "sk-another-key-0123456789"}, "key", "THE_KEY is refused", id="wrong-key"),
    pytest.param({}, {}, "key", "variable THE_KEY is not set", id="no-key"),
    pytest.param({"base_url": "http://127.0.0.1:9/v1"}, {"THE_KEY": KEY}, "endpoint", "not reached", id="nobody"),
    pytest.param({"use": "opnai/m", "base_url": ""}, {}, "settings", "names no endpoint", id="unknown-endpoint"),
    pytest.param({"use": "https://127.0.0.1:9/x"}, {}, "settings", "base_url", id="settings"),
    pytest.param({"use": "python:nowhere:f"}, {}, "settings", "", id="no-module"),
]


@pytest.mark.parametrize(("fields", "env", "about", "words"), SICK)
def test_what_fails_is_said_and_exits_with_4(
    call: Call, project: Project, fields: dict[str, Any], env: dict[str, str], about: str, words: str
):
    with FakeProvider(Script(models=("model-1",), api_keys=(KEY,))).in_thread() as fake:
        base = {"use": "openai:model-1", "base_url": fake.base_url, "api_key_env": "THE_KEY"}
        name = fields.get("use", base["use"]).replace("openai:n", "openai:modell-1")
        suite(project, model={**base, **fields, "use": name})
        check = examined(call, 4, env)["model"][about]
    assert check["state"] == "failed"
    assert words in json.dumps(check)


def test_a_missing_key_does_not_hide_whether_the_endpoint_answers(call: Call, project: Project):
    with FakeProvider(Script(api_keys=(KEY,))).in_thread() as fake:
        suite(project, model={"use": "openai:m", "base_url": fake.base_url, "api_key_env": "THE_KEY"})
        found = examined(call, 4)["model"]
    assert (found["key"]["state"], found["endpoint"]["state"]) == ("failed", "ok")


def test_other_targets_are_examined_too(call: Call, project: Project):
    (project.folder / "mine.py").write_text("def f(request):\n    return 'x'\n")
    with FakeProvider().in_thread() as fake:
        body = {"options": {"body": {"q": "{{ input }}"}, "response": {"text": "a"}}}
        suite(
            project,
            mine={"use": "python:mine:f"},
            service={"use": f"{fake.url}/ask", **body},
            silent={"use": "http://127.0.0.1:9/ask", **body},
        )
        found = examined(call, 4)
        assert fake.calls == 0
    assert found["mine"]["settings"]["state"] == "ok"
    assert "HTTP 404" in found["service"]["endpoint"]["says"]
    assert found["silent"]["endpoint"]["state"] == "failed"


@pytest.mark.parametrize(
    ("hours", "state", "words"),
    [
        pytest.param(0, "ok", "within", id="right"),
        pytest.param(2, "warning", "behind", id="we-are-behind"),
        pytest.param(-2, "warning", "ahead of", id="we-are-ahead"),
    ],
)
def test_clocks_are_compared(call: Call, project: Project, lists: Lists, hours: int, state: str, words: str):
    lists.say({"data": [{"id": "m"}]}, Date=format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True))
    suite(project, model={"use": "openai:m", "base_url": lists.url})
    clock = examined(call)["model"]["clock"]
    assert (clock["state"], words in clock["says"]) == (state, True)


@pytest.mark.parametrize(
    ("status", "body", "about", "state"),
    [
        pytest.param(404, b"", "endpoint", "ok", id="no-list"),
        pytest.param(405, b"", "model", "warning", id="not-allowed"),
        pytest.param(200, b"<html>", "endpoint", "warning", id="no-json"),
        pytest.param(307, b"", "endpoint", "warning", id="redirect"),
        pytest.param(500, b"", "endpoint", "warning", id="broken"),
        pytest.param(429, b"", "endpoint", "warning", id="busy"),
        pytest.param(200, b'{"data": []}', "model", "warning", id="empty-list"),
    ],
)
def test_an_endpoint_without_a_list_is_no_failure(
    call: Call, project: Project, lists: Lists, status: int, body: bytes, about: str, state: str
):
    lists.answer(status, body, Location="http://127.0.0.1:9/")
    suite(project, model={"use": "openai:m", "base_url": lists.url})
    assert examined(call)["model"][about]["state"] == state


@pytest.mark.parametrize("bad", ["Date: x", "\udc80", "Thu, 99 Foo 2026"])
def test_a_date_that_is_none_is_passed_over(call: Call, project: Project, lists: Lists, bad: str):
    lists.say({"data": [{"id": "m"}]}, Date=bad.encode("utf-8", "replace").decode())
    suite(project, model={"use": "openai:m", "base_url": lists.url})
    assert "clock" not in examined(call)["model"]


def test_an_endpoint_that_never_ends_is_given_up(call: Call, project: Project):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        suite(project, model={"use": "openai:m", "base_url": f"http://127.0.0.1:{silent.getsockname()[1]}/v1"})
        done = call("doctor", "--suite", "seatrial.yaml", "--timeout", "0.2")
    assert done.returncode == 4
    assert "is not reached: no full answer within the time limit" in done.stdout


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE outputs (id INTEGER)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")


def _other(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")


STORES = [
    pytest.param(_newer, "newer Seatrial", id="newer"),
    pytest.param(_other, "without a store in it", id="another-database"),
    pytest.param(lambda path: path.write_bytes(b"no database at all, but text" * 100), "not a database", id="text"),
]


@pytest.mark.parametrize(("make", "words"), STORES)
def test_a_store_that_cannot_be_used(call: Call, project: Project, make: Any, words: str):
    make(project.folder / "s.db")
    before = (project.folder / "s.db").stat().st_size
    done = call("doctor", "--store", "s.db")
    assert (done.returncode, words in done.stdout) == (4, True), done.stdout
    assert (project.folder / "s.db").stat().st_size == before


def test_a_store_in_use_is_healthy_and_untouched(call: Call, project: Project):
    with FakeProvider(Script(models=("m",))).in_thread() as fake:
        suite(project, model={"use": "openai:m", "base_url": fake.base_url})
        assert call("run").returncode == 0
        found = examined(call)
    assert f"schema {schema.REVISION}" in found["here"]["store"]["says"]


def test_without_a_suite_the_keys_in_the_environment_say_whom_to_examine(call: Call, project: Project):
    with FakeProvider(Script(models=("a",))).in_thread() as fake:
        env = {catalogue.STAND_IN: fake.base_url, "GROQ_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
        done = call("doctor", env=env)
        assert not [value for one in fake.log for value in one.headers.values() if KEY in value]
    assert done.returncode == 0
    assert "groq endpoint:" in done.stdout
    assert "anthropic endpoint:" in done.stdout
    assert KEY not in done.stdout + done.stderr
    assert "name a suite" in call("doctor", env=dict.fromkeys(env, "")).stdout


FIVE = {
    "claude": "anthropic/claude-opus-4",
    "gpt": "openai/gpt-5",
    "deepseek": "deepseek/deepseek-v3",
    "gemini": "google/gemini-2.5-pro",
    "llama": "meta-llama/llama-4-405b",
}


def five(project: Project) -> None:
    """Five models of five makers at temperature 0; two may leave it out, and say so."""
    targets = {name: {"use": use, "params": {"temperature": 0, "max_tokens": 50}} for name, use in FIVE.items()}
    targets["claude"] |= {"headers": {"anthropic-version": "2023-06-01"}}
    targets["gpt"] |= {"unsupported": "drop"}
    project.write([question(i) for i in range(40)], targets=targets, incumbent="claude")


def test_five_models_of_five_makers_run_against_one_stand_in(call: Call, project: Project):
    five(project)
    served = [use.partition("/")[2] for use in FIVE.values()]
    served[-1] = FIVE["llama"]
    with FakeProvider(Script(models=tuple(served))).in_thread() as fake:
        env = {catalogue.STAND_IN: fake.base_url}
        assert all(check["state"] == "ok" for of in examined(call, env=env).values() for check in of.values())
        done = call("run", "--json", env=env)
        assert done.returncode in (0, 4), done.stdout
        assert set(fake.stats.by_model) == set(served)
        asked = {one.model: one.body for one in fake.log}
    report = json.loads(done.stdout)
    assert {arm["target"]: arm["outputs"] for arm in report["arms"]} == dict.fromkeys(FIVE, 40)
    assert next(arm["dropped"] for arm in report["arms"] if arm["target"] == "gpt") == {"temperature": 40}
    heats = {model: body.get("generationConfig", body).get("temperature") for model, body in asked.items()}
    assert heats == {model: None if model == "gpt-5" else 0 for model in served}
    drawn = {verdict["candidate"]: verdict for verdict in report["verdicts"]}
    assert {name for name, verdict in drawn.items() if verdict["overall"] == "not_evaluable"} == {"gpt"}
    assert "temperature" in json.dumps(drawn["gpt"])


def test_without_a_stand_in_each_asks_for_its_own_makers_key(call: Call, project: Project):
    five(project)
    done = call("run")
    assert done.returncode == 2
    assert "ANTHROPIC_API_KEY" in done.stderr
    keys = ("OPENAI_API_KEY", "DEEPSEEK_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")
    for name, key in zip([name for name in FIVE if name != "claude"], keys, strict=True):
        assert key in call("run", "--target", name).stderr


def test_a_model_that_is_known_by_an_alias_is_known(call: Call, project: Project, lists: Lists):
    lists.say({"data": [{"id": "claude-x-20260101"}], "id": "claude-x-20260101"})  # to the list, and to the alias
    suite(project, model={"use": "anthropic:claude-x", "base_url": lists.url})
    assert examined(call)["model"]["model"]["state"] == "ok"


def test_names_that_no_terminal_takes_are_shown_escaped(call: Call, project: Project, lists: Lists):
    lists.answer(200, b'{"data": [{"id": "model-1\\ud800\\u001b[31m"}]}')
    suite(project, model={"use": "openai:model-1", "base_url": lists.url})
    done = call("doctor", "--suite", "seatrial.yaml")
    assert done.returncode == 4
    assert "model-1 is not listed; did you mean model-1\\ud800\\x1b[31m?" in done.stdout
