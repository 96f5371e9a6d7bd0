"""The long tail by any-llm: its answers, its faults and its absence, at the fake provider."""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.targets.raw_server import RawServer, completion, http

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import MissingSecretError, TargetConfigError, TargetDownError
from seatrial.targets import build
from seatrial.testing import FakeProvider, Reply, Rule, Script

KEY = "sk-any-llm-0123456789"
CASE = Case(id="c", input="?")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def library() -> Any:
    return pytest.importorskip("any_llm", reason="any-llm, the extra `providers`, is not installed")


def request(text: str = "Paris?", **fields: Any) -> Request:
    return Request.model_validate({"messages": [{"role": "user", "content": text}], **fields})


def target(environ: dict[str, str] | None = None, **fields: Any) -> Any:
    spec = {"use": "any-llm:openai/m", "retries": 0, "timeout": 5, **fields}
    return build("t", TargetSpec.model_validate(spec), Path(), {"KEY": KEY} if environ is None else environ)


async def ask(one: Any, asked: Request) -> Output:
    await one.open()
    try:
        return await one.generate(CASE, asked)
    finally:
        await one.close()


@pytest.fixture(scope="module")
def fake():
    rules = [
        Rule(when={"input": "call"}, tool_calls=[{"id": "t1", "name": "look_up", "arguments": {"id": 7}}]),
        Rule(when={"input": "usage"}, text="x", usage={"input": 90, "cached": 40, "output": 30, "reasoning": 20}),
        Rule(when={"input": "limit"}, fault="rate_limit"),
        Rule(when={"input": "broken"}, fault="server_error"),
        Rule(when={"input": "again"}, fault="server_error"),
        Rule(when={"input": "bad"}, fault="bad_request"),
        Rule(when={"input": "hangs"}, fault="hang"),
        Rule(when={"input": "quota"}, fault="quota"),
    ]
    with FakeProvider(Script(answers=rules, default=Reply(echo="You said: {input}"))).in_thread() as running:
        yield running


def test_an_answer(library: Any, fake: FakeProvider) -> None:
    asked = request(params={"max_tokens": 50, "temperature": 0.5}, seed=3)
    output = asyncio.run(ask(target(base_url=fake.base_url, api_key_env="KEY"), asked))
    assert (output.text, output.finish_reason, output.failure) == ("You said: Paris?", "stop", None)
    assert output.timing.total is not None
    body = fake.log[-1].body
    assert (body["model"], body["temperature"], body["max_completion_tokens"], body["seed"]) == ("m", 0.5, 50, 3)
    assert fake.log[-1].headers["authorization"] == f"Bearer {KEY}"


def test_tools_and_token_classes(library: Any, fake: FakeProvider) -> None:
    one = target(base_url=fake.base_url)
    tools = [{"name": "look_up", "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}}}]
    output = asyncio.run(ask(one, request("call", tools=tools)))
    assert [c.plain() for c in output.tool_calls] == [{"id": "t1", "name": "look_up", "arguments": {"id": 7}}]
    usage = asyncio.run(ask(one, request("usage"))).usage
    assert (usage.input, usage.cached, usage.output, usage.reasoning) == (90, 40, 30, 20)
    assert KEY not in fake.log[-1].headers["authorization"]  # nothing named, and it is this machine


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        pytest.param("limit", "rate_limited", 429, id="429"),
        pytest.param("broken", "server_error", 500, id="500"),
        pytest.param("bad", "rejected", 400, id="400"),
        pytest.param("hangs", "timeout", None, id="hangs"),
    ],
)
def test_faults(library: Any, fake: FakeProvider, text: str, code: str, status: int | None) -> None:
    output = asyncio.run(ask(target(base_url=fake.base_url, timeout=0.5 if code == "timeout" else 20), request(text)))
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code, output.failure.http_status) == ("infra", code, status)


class Closing:
    """A provider's client that can be closed in these ways, each with its arguments."""

    def __init__(self, **ways: int) -> None:
        self.done: list[str] = []
        for way, arguments in ways.items():
            setattr(self, way, partial(self._end, way, arguments))

    async def _end(self, way: str, expected: int, *given: None) -> None:
        assert len(given) == expected
        self.done.append(way)
        raise OSError("a clean-up that fails")


@pytest.mark.parametrize(
    ("ways", "done"),
    [
        pytest.param({"aclose": 0, "close": 0}, ["aclose"], id="asynchronous-first"),
        pytest.param({"close": 0, "__aexit__": 3}, ["close"], id="close"),
        pytest.param({"__aexit__": 3}, ["__aexit__"], id="context-manager-alone"),
        pytest.param({}, [], id="nothing-to-close"),
    ],
)
def test_every_client_of_the_library_is_closed_once(library: Any, ways: dict[str, int], done: list[str]) -> None:
    async def go(*names: str) -> list[list[str]]:
        one = target(base_url="http://127.0.0.1:9/v1")
        await one.open()
        clients = [Closing(**ways) for _ in names]
        await one._client.client.close()
        for name, client in zip(names, clients, strict=True):
            setattr(one._client, name, client)
        halved = Closing(**ways)
        clients[0].aio = halved  # as Google's client keeps its asynchronous half
        await one.close()
        await one.close()
        return [client.done for client in (*clients, halved)]

    assert asyncio.run(go("client", "responses_client", "_other_client")) == [done] * 4


def test_a_passing_fault_is_tried_again(library: Any) -> None:
    script = Script(default={"text": "fine", "fault": {"kind": "server_error", "attempts": 1}})
    with FakeProvider(script).in_thread() as fake:
        output = asyncio.run(ask(target(base_url=fake.base_url, retries=3), request()))
    assert output.text == "fine"


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "deepseek", "openrouter"])
@pytest.mark.parametrize(
    ("text", "code", "requests"),
    [
        pytest.param("Paris?", None, 1, id="fine"),
        pytest.param("broken", "server_error", 1, id="500"),
        pytest.param("limit", "rate_limited", 1, id="429"),
        pytest.param("again", "server_error", 3, id="two-retries-of-ours"),
    ],
)
def test_one_attempt_is_one_request(
    library: Any, fake: FakeProvider, provider: str, text: str, code: str | None, requests: int
) -> None:
    url = fake.url if provider in ("anthropic", "gemini") else fake.base_url
    one = target(use=f"any-llm:{provider}/m", base_url=url, api_key_env="KEY", retries=requests - 1)
    before = fake.stats.calls
    output = asyncio.run(ask(one, request(text, params={"max_tokens": 50})))
    assert (output.failure and output.failure.code, output.attempts) == (code, requests)
    assert fake.stats.calls - before == requests


@pytest.mark.parametrize(
    ("use", "source"),
    [
        pytest.param("any-llm:openai/gpt-4o", True, id="listed"),
        pytest.param("any-llm:gemini/gemini-2.5-pro", True, id="called-otherwise"),
        pytest.param("any-llm:azureanthropic/claude-sonnet-4-5", False, id="looks-alike"),
        pytest.param("any-llm:ollama/gpt-4o", False, id="unlisted"),
        pytest.param("any-llm:openai/nothing-such", False, id="unknown-model"),
    ],
)
def test_prices(library: Any, use: str, source: bool) -> None:
    one = target(use=use)
    assert bool(one.account.prices.source) is source
    most = one.account.most(request(), {"messages": [], "max_tokens": 50}, 100)
    assert (most.dollars is not None) is source
    assert not target(use=use, base_url="http://127.0.0.1:9/v1").account.prices.source


def test_an_exhausted_quota_takes_the_target_down(library: Any, fake: FakeProvider) -> None:
    with pytest.raises(TargetDownError, match="quota"):
        asyncio.run(ask(target(base_url=fake.base_url), request("quota")))


def test_a_refused_key_takes_the_target_down_and_is_not_shown(library: Any) -> None:
    async def go() -> None:
        body = {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}
        async with RawServer([http(body, 401)]) as server:
            await ask(target(base_url=server.url, api_key_env="KEY"), request())

    with pytest.raises(TargetDownError, match=r"provided: \*\*\*") as caught:
        asyncio.run(go())
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value.__cause__)


def test_an_echoed_key_is_cut_out(library: Any) -> None:
    async def go() -> Output:
        async with RawServer([http(completion(f"It is {KEY}"))]) as server:
            one = target(base_url=server.url, api_key_env="KEY")
            assert KEY not in json.dumps([one.identity(), one.sent(CASE, request())]) + repr(one)
            return await ask(one, request())

    assert asyncio.run(go()).text == "It is ***"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"{}", id="object"),
        pytest.param(b'{"choices": 7}', id="number"),
        pytest.param(b'{"choices": [{"message": {"content": 42}}]}', id="content-number"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"\xff\xfe", id="no-utf-8"),
    ],
)
def test_hostile_answers_end_in_a_typed_failure(library: Any, body: bytes) -> None:
    async def go() -> Output:
        async with RawServer([http(body)]) as server:
            return await ask(target(base_url=server.url), request())

    output = asyncio.run(go())
    assert output.failure is not None
    assert output.failure.kind == "infra"
    assert output.failure.code in ("malformed", "exception", "connection", "server_error")
    assert output.hash


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        pytest.param({"use": "any-llm:nobody/m"}, ["names no provider of any-llm"], id="provider"),
        pytest.param({"use": "any-llm:bedrock/m"}, ["tries again behind any-llm", "bedrock:m"], id="retries-unseen"),
        pytest.param({"base_url": "http://[::1"}, ["http or https"], id="half-an-address"),
        pytest.param({"use": "any-llm:openai"}, ["PROVIDER/MODEL"], id="no-model"),
        pytest.param({"base_url": "https://evil.example/v1"}, ["api_key_env: is needed"], id="stranger"),
        pytest.param({"base_url": "ftp://x/", "api_key_env": "sk-1"}, ["http or https", "no variable's"], id="both"),
        pytest.param({"params": {"api_key": "x", "n": 2}}, ["params.api_key", "params.n"], id="reserved"),
        pytest.param({"stream": True}, ["stream"], id="stream"),
    ],
)
def test_settings_that_cannot_be_used(library: Any, fields: dict[str, Any], rules: list[str]) -> None:
    with pytest.raises(TargetConfigError) as caught:
        target(**fields)
    assert all(rule in str(caught.value) for rule in rules), str(caught.value)


def test_a_missing_key_is_named(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingSecretError, match="OPENAI_API_KEY"):
        asyncio.run(target({}).open())


def test_the_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "any_llm", None)
    with pytest.raises(TargetConfigError, match=r"pip install 'seatrial\[providers\]'"):
        target()


def test_the_library_s_version_is_part_of_what_a_result_is_keyed_by(library: Any) -> None:
    assert target().identity()["library"] == library.__version__
