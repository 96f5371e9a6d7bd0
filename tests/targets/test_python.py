"""The python adapter."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.identity import canonical
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import BrokenPluginError, SeatrialError, TargetConfigError
from seatrial.targets import build

SOURCE = """
import asyncio, functools, sys, threading, time
from seatrial.core.output import Output, Timing, Usage
from seatrial.core.message import Message

def text(request): return "hello " + request.text
async def atext(request):
    await asyncio.sleep(0)
    return "hello " + request.text
class Callable:
    async def __call__(self, request): return "object"
    def method(self, request): return "method"
instance = Callable()
method = instance.method
def awaitable(request): return atext(request)
partial = functools.partial(lambda prefix, request: prefix + request.text, "p:")
def as_dict(request):
    return {"text": "t", "tool_calls": [{"name": "f", "arguments": {"a": 1}}], "finish_reason": "stop"}
def calls_only(request): return {"tool_calls": [{"name": "f"}]}
def fields(request): return {"messages": [{"role": "assistant", "content": "m"}], "context": [{"text": "found"}]}
def output(request): return Output.of("o", usage=Usage(input=1000, output=100))
def own(request): return Output.of("o", timing=Timing(total=9.5), cost=0.25, finished_at="2026-01-01T00:00:00Z")
def echo(request): return repr((request.seed, dict(request.params), [d.text for d in request.context]))
def surrogate(request): return "\\ud800"
def empty(request): return ""
def raises(request): raise KeyError("boom")
async def araises(request): raise KeyError("boom")
def raises_timeout(request): raise TimeoutError("mine")
async def araises_timeout(request): raise TimeoutError("mine")
async def araises_cancelled(request): raise asyncio.CancelledError("mine")
def stop_iteration(request): raise StopIteration
def exits(request): sys.exit(3)
async def aexits(request): sys.exit(3)
class Broken(Exception):
    def __str__(self): raise RuntimeError
def broken_str(request): raise Broken
def none(request): return None
def number(request): return 7
def unknown_key(request): return {"txt": "t"}
def wrong_type(request): return {"text": 7}
def both(request): return {"text": "t", "messages": []}
def negative_cost(request): return {"text": "t", "cost": -1}
def unstorable(request): return {"text": "t", "metadata": {"a": {1, 2}}}
def deep(request):
    value = 1
    for _ in range(5000): value = [value]
    return {"text": "t", "metadata": {"a": value}}
def mutates(request):
    request.seed = 1
def threads(request): return threading.current_thread().name
def slow(request):
    time.sleep(0.4)
    return "late"
def stuck(request):
    time.sleep(5)
    return "late"
async def aslow(request):
    await asyncio.sleep(0.4)
    return "late"
not_callable = 3
"""
CASE = Case(id="c", input="you")
REQUEST = Request(messages=CASE.input, params={"temperature": 1}, context=({"text": "doc"},), seed=4)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "my_target.py").write_text(SOURCE)
    before = list(sys.path)
    yield tmp_path
    sys.path[:] = before
    sys.modules.pop("my_target", None)


def call(folder: Path, function: str, times: int = 1, **fields: Any) -> list[Output]:
    target = build("t", TargetSpec(use=f"python:my_target:{function}", **fields), folder, {})

    async def go() -> list[Output]:
        await target.open()
        try:
            return await asyncio.gather(*(target.generate(CASE, REQUEST) for _ in range(times)))
        finally:
            await target.close()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("function", "text"),
    [
        pytest.param("text", "hello you", id="sync"),
        pytest.param("atext", "hello you", id="async"),
        pytest.param("instance", "object", id="async-object"),
        pytest.param("method", "method", id="method"),
        pytest.param("awaitable", "hello you", id="returns-an-awaitable"),
        pytest.param("partial", "p:you", id="partial"),
        pytest.param("as_dict", "t", id="dict"),
        pytest.param("fields", "m", id="dict-of-fields"),
        pytest.param("output", "o", id="output"),
        pytest.param("echo", "(4, {'temperature': 1}, ['doc'])", id="sees-the-request"),
        pytest.param("surrogate", "\ud800", id="lone-surrogate"),
    ],
)
def test_what_a_function_may_be_and_return(folder: Path, function: str, text: str) -> None:
    (output,) = call(folder, function)
    assert output.failure is None
    assert output.text == text
    assert output.timing.total is not None
    assert output.finished_at
    assert canonical(output.plain())


def test_a_dict_keeps_its_tool_calls_and_fields(folder: Path) -> None:
    (output,) = call(folder, "as_dict")
    assert (output.tool_calls[0].name, output.tool_calls[0].arguments) == ("f", {"a": 1})
    assert output.finish_reason == "stop"
    assert call(folder, "calls_only")[0].failure is None


def test_an_output_keeps_its_own_timing_and_cost_or_gets_ours(folder: Path) -> None:
    (own,) = call(folder, "own", price={"input": 1, "output": 1})
    assert (own.timing.total, own.cost, own.finished_at) == (9.5, 0.25, "2026-01-01T00:00:00Z")
    (priced,) = call(folder, "output", price={"input": 1, "output": 10})
    assert priced.cost == pytest.approx(0.002)
    assert call(folder, "output")[0].cost is None


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        pytest.param("raises", "exception", "KeyError: 'boom'", id="raises"),
        pytest.param("araises", "exception", "KeyError: 'boom'", id="async-raises"),
        pytest.param("raises_timeout", "exception", "TimeoutError: mine", id="raises-timeout"),
        pytest.param("araises_timeout", "exception", "TimeoutError: mine", id="async-raises-timeout"),
        pytest.param("araises_cancelled", "exception", "CancelledError: mine", id="raises-cancelled"),
        pytest.param("stop_iteration", "exception", "StopIteration", id="stop-iteration"),
        pytest.param("exits", "exception", "SystemExit: 3", id="sys-exit"),
        pytest.param("aexits", "exception", "SystemExit: 3", id="async-sys-exit"),
        pytest.param("broken_str", "exception", "Broken", id="broken-str"),
        pytest.param("none", "bad_return", "NoneType", id="none"),
        pytest.param("number", "bad_return", "int", id="number"),
        pytest.param("unknown_key", "bad_return", "txt", id="unknown-key"),
        pytest.param("wrong_type", "bad_return", "must be text", id="wrong-type"),
        pytest.param("both", "bad_return", "one or the other", id="text-and-messages"),
        pytest.param("negative_cost", "bad_return", "cost", id="negative-cost"),
        pytest.param("unstorable", "bad_return", "set", id="a-set"),
        pytest.param("deep", "bad_return", "", id="deep"),
        pytest.param("mutates", "exception", "frozen", id="mutates-the-request"),
    ],
)
def test_what_a_function_must_not_do(folder: Path, function: str, code: str, words: str) -> None:
    (output,) = call(folder, function)
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code, output.attempts) == ("infra", code, 1)
    assert words in output.failure.message


def test_an_empty_answer_and_a_late_one_are_the_models_failures(folder: Path) -> None:
    empty, late = call(folder, "empty")[0].failure, call(folder, "slow", deadline=0.1)[0].failure
    assert empty is not None
    assert late is not None
    assert (empty.kind, empty.code) == ("model", "empty")
    assert (late.kind, late.code) == ("model", "deadline")


@pytest.mark.parametrize("function", ["slow", "aslow"])
def test_time_limit(folder: Path, function: str) -> None:
    (output,) = call(folder, function, timeout=0.05)
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code) == ("infra", "timeout")


def test_a_hanging_call_costs_no_place(folder: Path) -> None:
    target = build("t", TargetSpec(use="python:my_target:stuck", concurrency=1, timeout=0.05), folder, {})

    async def go() -> tuple[list[Output], float]:
        await target.open()
        started = time.monotonic()
        outputs = [await target.generate(CASE, REQUEST) for _ in range(3)]
        await target.close()
        return outputs, time.monotonic() - started

    outputs, seconds = asyncio.run(go())
    assert [o.failure.code for o in outputs if o.failure] == ["timeout"] * 3
    assert seconds < 5


def test_sync_functions_run_in_as_many_threads_as_may_be_in_flight(folder: Path) -> None:
    outputs = call(folder, "threads", times=40, concurrency=4)
    assert 1 <= len({output.text for output in outputs}) <= 4
    assert threading.current_thread().name not in {output.text for output in outputs}


def sent(folder: Path, use: str = "python:my_target:text", **fields: Any) -> str:
    return canonical(build("t", TargetSpec(use=use, **fields), folder, {}).sent(CASE, REQUEST))


def test_sent_changes_with_the_source_and_the_version(folder: Path) -> None:
    first = sent(folder)
    assert sent(folder, concurrency=3, timeout=1) == first
    assert sent(folder, "python:my_target:atext") != first
    assert sent(folder, options={"version": "weights-2"}) != first
    (folder / "my_target.py").write_text(SOURCE + "\n# changed\n")
    assert sent(folder) != first


@pytest.mark.parametrize(
    ("use", "error"),
    [
        pytest.param("python:my_target", BrokenPluginError, id="no-function"),
        pytest.param("python:no_such_module:f", BrokenPluginError, id="no-module"),
        pytest.param("python:my_target:nope", BrokenPluginError, id="no-attribute"),
        pytest.param("python:my_target:not_callable", BrokenPluginError, id="not-callable"),
        pytest.param("python:../x:f", BrokenPluginError, id="path"),
        pytest.param("python:.:f", BrokenPluginError, id="dot"),
    ],
)
def test_a_function_that_cannot_be_found(folder: Path, use: str, error: type[SeatrialError]) -> None:
    with pytest.raises(error):
        build("t", TargetSpec(use=use), folder, {})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param(
            {"base_url": "http://x"},
            "targets.t.base_url: a python target does not read it; it belongs to ",
            id="base-url",
        ),
        pytest.param({"fields": {"a": "b"}}, "it belongs to replay targets", id="fields"),
        pytest.param({"retries": 3}, "it belongs to", id="retries"),
        pytest.param({"options": {"versoin": 1}}, "did you mean version?", id="unknown-option"),
    ],
)
def test_settings_of_other_adapters(folder: Path, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(TargetConfigError) as caught:
        build("t", TargetSpec(use="python:my_target:text", **fields), folder, {})
    assert words in str(caught.value)
