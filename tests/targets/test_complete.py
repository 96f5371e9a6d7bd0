"""One call from Python for every provider: what it reads, what it keeps open, what it raises."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.targets.raw_server import RawServer, completion, error, http

import seatrial
from seatrial.core.case import Case, Tool
from seatrial.core.message import BlobPart, Message, ToolCall
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import (
    BrokenPluginError,
    ConfigError,
    MissingSecretError,
    NoAnswerError,
    TargetConfigError,
    UnknownPluginError,
    UsageError,
)
from seatrial.targets import build
from seatrial.testing import FakeProvider, Script

PIXEL = base64.b64encode(b"\x89PNG").decode()
MODELS = ["openai:m", "responses:m", "anthropic:m", "gemini:m"]
OK = http(completion())


class Wire:
    """What a target was asked, in place of a provider."""

    name, concurrency = "wire", 4

    def __init__(self, opened: Exception | None = None) -> None:
        self.asked: list[tuple[Case, Request]] = []
        self.events: list[str] = []
        self.fault = opened

    def identity(self) -> Mapping[str, Any]:
        return {}

    def sent(self, case: Case, request: Request) -> Mapping[str, Any]:
        return {"case": case.id, "request": request.plain()}

    async def open(self) -> None:
        await asyncio.sleep(0)
        self.events.append("open")
        if self.fault is not None:
            raise self.fault

    async def generate(self, case: Case, request: Request) -> Output:
        self.asked.append((case, request))
        await asyncio.sleep(0)
        return Output.of("yes")

    async def close(self) -> None:
        self.events.append("close")


def asked(messages: Any, **given: Any) -> Request:
    target = Wire()
    asyncio.run(seatrial.acomplete(target, messages, **given))
    return target.asked[0][1]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_every_provider_is_asked_alike(model: str, stream: bool) -> None:
    async def go() -> Output:
        async with FakeProvider() as fake:
            return await seatrial.acomplete(model, "Say hi", base_url=fake.base_url, max_tokens=9, stream=stream)

    output = asyncio.run(go())
    assert (output.text, output.finish_reason, output.failure) == ("Say hi", "stop", None)
    assert output.usage.output == 2
    assert output.timing.total is not None
    assert (output.timing.first_token is not None) == stream


USER = Message(role="user", content="hi")
CALLED = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param("hi", (USER,), id="text"),
        pytest.param([{"role": "user", "content": "hi"}], (USER,), id="dict"),
        pytest.param(({"role": "user", "content": [{"type": "text", "text": "hi"}]},), (USER,), id="one-text-part"),
        pytest.param([USER, {"role": "user", "content": "hi"}], (USER, USER), id="mixed"),
        pytest.param(
            [{"role": "assistant", "content": None, "tool_calls": [CALLED]}],
            (Message(role="assistant", tool_calls=(ToolCall(name="f", arguments={"x": 1}, id="1"),)),),
            id="tool-call",
        ),
        pytest.param(
            [{"role": "tool", "tool_call_id": "1", "content": "4"}],
            (Message(role="tool", tool_call_id="1", content="4"),),
            id="tool-result",
        ),
        pytest.param("\ud800\0", (Message(role="user", content="\ud800\0"),), id="odd-text"),
    ],
)  # fmt: skip
def test_messages_are_read_in_the_forms_in_use(messages: Any, expected: tuple[Message, ...]) -> None:
    assert asked(messages).messages == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param(
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}},
            {"type": "image", "media_type": "image/png", "data": PIXEL},
            id="image-inline",
        ),
        pytest.param(
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
            {"type": "image", "url": "https://x.example/a.png"},
            id="image-url",
        ),
        pytest.param(
            {"type": "input_audio", "input_audio": {"data": PIXEL, "format": "mp3"}},
            {"type": "audio", "media_type": "audio/mp3", "data": PIXEL},
            id="audio",
        ),
        pytest.param(
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"}},
            {"type": "file", "media_type": "application/pdf", "data": PIXEL, "name": "a.pdf"},
            id="file",
        ),
    ],
)
def test_parts_are_read_as_chat_completions_write_them(part: Any, expected: dict[str, str]) -> None:
    message = asked([{"role": "user", "content": [{"type": "text", "text": "what is this?"}, part]}]).messages[0]
    assert message.content[1] == BlobPart.model_validate(expected)


def test_keywords_are_settings_tools_seed_or_parameters() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    request = asked("hi", tools=[tool, Tool(name="g")], seed=7, temperature=0.5, params={"top_p": 1})
    assert request.tools == (Tool(name="f", parameters={"type": "object"}), Tool(name="g"))
    assert (request.seed, request.params) == (7, {"temperature": 0.5, "top_p": 1})


def test_cost_headers_and_body_of_a_call() -> None:
    async def go() -> tuple[Output, RawServer]:
        async with RawServer([OK]) as server:
            price = {"input": 1.0, "output": 2.0}
            given = {"base_url": server.url, "headers": {"x-team": "a"}, "price": price, "temperature": 0}
            return await seatrial.acomplete("openai:m", "hi", **given), server

    output, server = asyncio.run(go())
    assert output.cost == pytest.approx((12 * 1.0 + 3 * 2.0) / 1e6)
    assert server.got[0].headers["x-team"] == "a"
    assert server.got[0].body == {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0}


def with_raw(*scripts: Any, count: int = 1, **given: Any) -> tuple[list[Output], RawServer]:
    async def go() -> tuple[list[Output], RawServer]:
        async with RawServer(list(scripts)) as server:
            fields = {"base_url": server.url, "retries": 0, **given}
            calls = (seatrial.acomplete("openai:m", f"q{i}", **fields) for i in range(count))
            return [await call for call in calls], server

    return asyncio.run(go())


def test_one_connection_serves_many_calls_of_other_parameters() -> None:
    async def go() -> int:
        async with RawServer([OK]) as server:
            for i in range(5):
                given = {"temperature": i / 5, "max_tokens": 5 + i, "seed": i}
                await seatrial.acomplete("openai:m", f"q{i}", base_url=server.url, **given)
            return server.connections

    assert asyncio.run(go()) == 1


def test_concurrent_first_calls_open_a_target_once_and_the_loop_closes_it() -> None:
    target = Wire()

    async def go() -> None:
        await asyncio.gather(*(seatrial.acomplete(target, f"{i}") for i in range(50)))
        assert target.events == ["open"]

    asyncio.run(go())
    assert target.events == ["open", "close"]
    assert len(target.asked) == 50


def test_aclose_closes_and_the_next_call_opens_again() -> None:
    target = Wire()

    async def go() -> None:
        await seatrial.acomplete(target, "a")
        await seatrial.aclose()
        assert target.events == ["open", "close"]
        await seatrial.acomplete(target, "b")

    asyncio.run(go())
    assert target.events == ["open", "close", "open", "close"]


def test_other_settings_are_another_target() -> None:
    async def go() -> int:
        async with RawServer([OK]) as server:
            for timeout in (5, 6, 5, 6):
                await seatrial.acomplete("openai:m", "q", base_url=server.url, timeout=timeout)
            return server.connections

    assert asyncio.run(go()) == 2


def test_what_could_not_be_opened_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> RawServer:
        async with RawServer([OK]) as server:
            given = {"base_url": server.url, "api_key_env": "A_KEY_OF_MINE"}
            with pytest.raises(MissingSecretError):
                await seatrial.acomplete("openai:m", "q", **given)
            monkeypatch.setenv("A_KEY_OF_MINE", "sk-1234567890")
            await seatrial.acomplete("openai:m", "q", **given)
            return server

    assert asyncio.run(go()).got[0].headers["authorization"] == "Bearer sk-1234567890"


def test_after_a_refused_key_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> tuple[Output, Output, RawServer]:
        async with RawServer([http(error("invalid_api_key", "bad key"), 401), OK]) as server:
            given = {"base_url": server.url, "api_key_env": "A_KEY_OF_MINE"}
            monkeypatch.setenv("A_KEY_OF_MINE", "sk-old-67890")
            refused = await seatrial.acomplete("openai:m", "q", **given)
            monkeypatch.setenv("A_KEY_OF_MINE", "sk-new-67890")
            return refused, await seatrial.acomplete("openai:m", "q", **given), server

    refused, answered, server = asyncio.run(go())
    assert refused.failure is not None
    assert (refused.failure.kind, refused.failure.code, refused.failure.http_status) == ("infra", "auth", 401)
    assert answered.text == "Paris"
    assert [got.headers["authorization"] for got in server.got] == ["Bearer sk-old-67890", "Bearer sk-new-67890"]


def test_calls_under_way_end_well_when_one_of_them_takes_the_target_down() -> None:
    async def slow(_: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(OK)

    async def go() -> list[Output]:
        async with RawServer([slow, http(error("insufficient_quota", "no money"), 429), OK]) as server:
            given = {"base_url": server.url, "retries": 0}
            return list(await asyncio.gather(*(seatrial.acomplete("openai:m", f"{i}", **given) for i in range(2))))

    first, second = asyncio.run(go())
    assert {first.failure and first.failure.code, second.failure and second.failure.code} == {None, "quota"}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(http(error(None, "bad"), 400), "rejected", id="400"),
        pytest.param(http(error(None, "bad"), 500), "server_error", id="500"),
        pytest.param(http(b"<html>"), "malformed", id="html"),
        pytest.param(http(completion("")), "empty", id="empty"),
        pytest.param(http(completion(choice={"finish_reason": "length"})), "length", id="length"),
        pytest.param(http(error("model_not_found", "no such model"), 404), "unknown_model", id="404"),
    ],
)
def test_what_a_provider_does_is_an_output(script: bytes, code: str) -> None:
    outputs, _ = with_raw(script)
    assert outputs[0].failure is not None
    assert outputs[0].failure.code == code
    with pytest.raises(NoAnswerError, match=code):
        outputs[0].raise_for_failure()


def test_a_usable_answer_passes_through_raise_for_failure() -> None:
    outputs, _ = with_raw(OK)
    assert outputs[0].raise_for_failure() is outputs[0]


@pytest.mark.parametrize(
    ("model", "messages", "given", "fault", "said"),
    [
        pytest.param("openai:m", "hi", {"api_key": "sk-12345678"}, UsageError, "api_key_env", id="key"),
        pytest.param("openai:m", "hi", {"base_ulr": "x"}, UsageError, "base_url", id="misspelt"),
        pytest.param("openai:m", "hi", {"timeout": -1}, UsageError, "timeout", id="bad-setting"),
        pytest.param("openai:m", "hi", {"top_p": 1, "params": {"top_p": 1}}, UsageError, "twice", id="twice"),
        pytest.param("openai:m", "hi", {"n": 2}, TargetConfigError, "params.n", id="bad-parameter"),
        pytest.param("openai:m", "hi", {"base_url": "ftp://x"}, TargetConfigError, "base_url", id="bad-url"),
        pytest.param("openai:m", "hi", {"fields": {"a": "b"}}, TargetConfigError, "replay", id="other-adapter"),
        pytest.param("anthropic:m", "hi", {"base_url": "http://[::1]/v1"}, TargetConfigError, "max_tokens", id="need"),
        pytest.param("openay:m", "hi", {}, UnknownPluginError, "openai", id="adapter"),
        pytest.param("m", "hi", {}, ConfigError, "m", id="no-adapter"),
        pytest.param(5, "hi", {}, UsageError, "no model", id="number"),
        pytest.param("python:no_such_module:f", "hi", {}, BrokenPluginError, "no_such_module", id="no-module"),
        pytest.param("openai:m", [], {}, UsageError, "message", id="no-message"),
        pytest.param("openai:m", None, {}, UsageError, "message", id="none"),
        pytest.param("openai:m", [{"content": "x"}], {}, UsageError, "role", id="no-role"),
        pytest.param("openai:m", [7], {}, UsageError, "messages.0", id="number-message"),
        pytest.param("openai:m", "hi", {"tools": [{"x": 1}]}, UsageError, "tools.0", id="odd-tool"),
        pytest.param("openai:m", "hi", {"tools": 3}, UsageError, "tools", id="tools-number"),
        pytest.param("openai:m", "hi", {"seed": "x"}, UsageError, "seed", id="seed-text"),
        pytest.param("openai:m", "hi", {"params": 3}, UsageError, "params", id="params-number"),
        pytest.param(Wire(), "hi", {"timeout": 3}, UsageError, "timeout", id="built-with-settings"),
    ],
)  # fmt: skip
def test_a_wrong_call_raises(model: Any, messages: Any, given: Any, fault: type[Exception], said: str) -> None:
    with pytest.raises(fault) as raised:
        asyncio.run(seatrial.acomplete(model, messages, **given))
    assert said in str(raised.value)
    assert "sk-12345678" not in str(raised.value)


def test_a_target_that_cannot_open_is_closed_and_tried_anew() -> None:
    target = Wire(opened=MissingSecretError("no key"))

    async def go() -> None:
        for _ in range(2):
            with pytest.raises(MissingSecretError):
                await seatrial.acomplete(target, "x")

    asyncio.run(go())
    assert target.events == ["open", "close"] * 2


def test_a_function_and_an_endpoint_are_models_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_to_ask.py").write_text("def f(request):\n    return request.text.upper()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert seatrial.complete("python:mine_to_ask:f", "hi").text == "HI"

    async def go() -> Output:
        async with RawServer([http({"a": "found"})]) as server:
            options = {"body": {"q": "{{ input }}"}, "response": {"text": "a"}}
            return await seatrial.acomplete(server.url, "hi", options=options)

    assert asyncio.run(go()).text == "found"


def test_complete_keeps_its_connection_and_works_in_a_running_loop() -> None:
    async def inside(ask: Callable[[], Output]) -> Output:
        return ask()

    with FakeProvider(Script(seed=1)).in_thread() as fake:
        texts = [seatrial.complete("openai:m", f"q{i}", base_url=fake.base_url).text for i in range(5)]
        texts.append(asyncio.run(inside(lambda: seatrial.complete("openai:m", "in", base_url=fake.base_url))).text)
        assert texts == ["q0", "q1", "q2", "q3", "q4", "in"]


def test_a_built_target_belongs_to_one_loop_at_a_time() -> None:
    with FakeProvider().in_thread() as fake:
        target = build("t", TargetSpec(use="openai:m", base_url=fake.base_url), Path(), {})
        assert seatrial.complete(target, "hi").text == "hi"
        with pytest.raises(UsageError, match="another event loop"):
            asyncio.run(seatrial.acomplete(target, "hi"))


PROGRAM = """
import asyncio, os, sys, threading, warnings
import seatrial
url = sys.argv[1]

async def both():
    await seatrial.acomplete("openai:m", "a", base_url=url)
    return seatrial.complete("openai:m", "b", base_url=url).text

def ask():
    return seatrial.complete("openai:m", "c", base_url=url).text

print(asyncio.run(both()), ask())
if "fork" in sys.argv:
    child = os.fork()
    if child == 0:
        print(ask(), flush=True)
        from seatrial.targets import complete
        complete._background.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
threading.Thread(target=lambda: seatrial.complete("openai:m", "d", base_url=url)).start()
"""


@pytest.mark.parametrize(
    ("also", "said"),
    [
        pytest.param((), ["b", "c"], id="asks"),
        # forking beside a running thread can hang in rare moments: Python warns of it
        pytest.param(("fork",), ["b", "c", "c"], id="forks", marks=pytest.mark.heavy),
    ],
)
def test_a_program_that_asks_ends_without_a_warning(tmp_path: Path, also: tuple[str, ...], said: list[str]) -> None:
    with FakeProvider().in_thread() as fake:
        command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PROGRAM, fake.base_url]
        done = subprocess.run([*command, *also], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.stdout.split() == said
