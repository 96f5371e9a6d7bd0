"""The openai adapter against exact bytes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.targets.hostile import hang, vanish
from tests.targets.raw_server import CASE, KEY, REQUEST, Got, RawServer, answer, ask, completion, error, http, spec, sse

from seatrial.core.case import Case
from seatrial.core.identity import canonical
from seatrial.core.output import Output, Request
from seatrial.errors import MissingSecretError, TargetConfigError, TargetDownError
from seatrial.targets import build

OK = http(completion())
CHUNK = {"model": "m", "choices": [{"delta": {"content": "Paris"}, "finish_reason": None}]}
LAST = {"choices": [{"delta": {}, "finish_reason": "stop"}]}


async def never(_: Got, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    while True:
        writer.write(f"data: {json.dumps(CHUNK)}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(0.01)


async def flood(_: Got, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    event = b"data: " + json.dumps(CHUNK).encode().replace(b"Paris", b"x" * 500_000) + b"\n\n"
    for _ in range(60):
        writer.write(event)
        await writer.drain()


HOSTILE = [
    pytest.param(http(b"{}"), "malformed", id="no-choices"),
    pytest.param(http({"choices": None}), "malformed", id="choices-null"),
    pytest.param(http({"choices": {}}), "malformed", id="choices-object"),
    pytest.param(http({"choices": []}), "malformed", id="choices-empty"),
    pytest.param(http({"choices": [7]}), "malformed", id="choice-number"),
    pytest.param(http({"choices": [{}]}), "malformed", id="no-message"),
    pytest.param(http({"choices": [{"message": "hi"}]}), "malformed", id="message-text"),
    pytest.param(http(completion(7)), "malformed", id="content-number"),
    pytest.param(http(completion({"a": 1})), "malformed", id="content-object"),
    pytest.param(http(completion(["a"])), "malformed", id="content-part-text"),
    pytest.param(http(completion([{"type": "text", "text": 5}])), "malformed", id="content-part-number"),
    pytest.param(http(completion(message={"refusal": True})), "malformed", id="refusal-bool"),
    pytest.param(http(completion(message={"tool_calls": "f"})), "malformed", id="calls-text"),
    pytest.param(http(completion(message={"tool_calls": [None]})), "malformed", id="call-null"),
    pytest.param(http(completion(message={"tool_calls": [{"function": []}]})), "malformed", id="function-array"),
    pytest.param(http(completion(message={"tool_calls": [{"function": {"name": 1}}]})), "malformed", id="name-number"),
    pytest.param(
        http(completion(message={"tool_calls": [{"function": {"name": "f", "arguments": 3}}]})),
        "malformed",
        id="arguments-number",
    ),
    pytest.param(http(completion(choice={"finish_reason": 4})), "malformed", id="finish-number"),
    pytest.param(http(completion(usage=[1])), "malformed", id="usage-array"),
    pytest.param(http(completion(usage={"prompt_tokens": "12"})), "malformed", id="tokens-text"),
    pytest.param(http(completion(usage={"prompt_tokens": -1})), "malformed", id="tokens-negative"),
    pytest.param(http(completion(usage={"prompt_tokens": True})), "malformed", id="tokens-bool"),
    pytest.param(http(completion(usage={"completion_tokens": 1.5})), "malformed", id="tokens-fraction"),
    pytest.param(http(completion(usage={"completion_tokens": 10**30})), "malformed", id="tokens-huge"),
    pytest.param(http(completion(usage={"prompt_tokens_details": 9})), "malformed", id="details-number"),
    pytest.param(http(completion(model=9)), "malformed", id="model-number"),
    pytest.param(http(completion(system_fingerprint=[])), "malformed", id="fingerprint-array"),
    pytest.param(http({"choices": [{"error": {"message": "no"}}]}), "server_error", id="error-in-choice"),
]

HOSTILE_STREAMS = [
    pytest.param(never, "timeout", id="never-ends"),
    pytest.param(flood, "too_large", id="flood"),
    pytest.param(sse(CHUNK, done=False), "truncated", id="no-end"),
    pytest.param(sse(done=False), "truncated", id="no-event"),
    pytest.param(sse("{oops"), "malformed", id="event-no-json"),
    pytest.param(sse("[]"), "malformed", id="event-array"),
    pytest.param(sse({"choices": "x"}), "malformed", id="choices-text"),
    pytest.param(sse({"choices": [{"delta": "x"}]}), "malformed", id="delta-text"),
    pytest.param(sse({"choices": [{"delta": {"content": 1}}]}), "malformed", id="content-number"),
    pytest.param(sse({"choices": [{"logprobs": {"content": 1}}]}), "malformed", id="logprobs-number"),
    pytest.param(sse({"choices": [{"delta": {"tool_calls": [1]}}]}), "malformed", id="call-number"),
    pytest.param(sse({"choices": [{"delta": {"tool_calls": [{"index": -1}]}}]}), "malformed", id="index-negative"),
    pytest.param(sse({"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}), "malformed", id="call-without-name"),
    pytest.param(sse(CHUNK, {"error": {"message": "died"}}), "server_error", id="error-event"),
    pytest.param(sse(CHUNK, {"choices": [{"error": "died"}]}), "server_error", id="error-in-choice"),
    pytest.param(sse(CHUNK, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")), "malformed", id="no-utf-8"),
    pytest.param(http(b"{}"), "malformed", id="json-instead"),
]


def check_typed(output: Output, code: str) -> None:
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code) == ("infra", code)
    assert output.messages == ()
    assert len(output.failure.message) <= 500
    canonical(output.plain())


@pytest.mark.parametrize(("script", "code"), HOSTILE)
def test_hostile_answers_end_in_a_typed_failure(script: Any, code: str) -> None:
    check_typed(answer(script, timeout=0.3 if code == "timeout" else 20)[0], code)


@pytest.mark.parametrize(("script", "code"), HOSTILE_STREAMS)
def test_hostile_streams_end_in_a_typed_failure(script: Any, code: str) -> None:
    check_typed(answer(script, stream=True, timeout=0.3 if code == "timeout" else 20)[0], code)


def test_an_answer_becomes_an_output() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40}}
    output, got = answer(
        http(completion(usage=usage)), price={"input": 2, "output": 8, "cached": 0.5}, params={"temperature": 0}
    )
    assert output.failure is None
    assert (output.text, output.finish_reason, output.served_model, output.fingerprint) == (
        "Paris",
        "stop",
        "gpt-test-2026-01-01",
        "fp_1",
    )
    assert output.cost == pytest.approx((60 * 2 + 40 * 0.5 + 10 * 8) / 1e6)
    assert output.timing.total is not None
    assert output.timing.total > 0
    assert output.timing.first_token is None
    assert output.finished_at.endswith("+00:00")
    assert (got[0].method, got[0].path) == ("POST", "/v1/chat/completions")
    assert "authorization" not in got[0].headers


@pytest.mark.parametrize(
    ("usage", "price", "cost"),
    [
        pytest.param({"prompt_tokens": 10, "completion_tokens": 1}, None, None, id="no-price"),
        pytest.param(None, {"input": 1, "output": 1}, None, id="no-usage"),
        pytest.param({"prompt_tokens": 10}, {"input": 1, "output": 1}, None, id="half-a-usage"),
        pytest.param(
            {"prompt_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 4}},
            {"input": 1, "output": 1},
            1e-5,
            id="cached-at-input-price",
        ),
    ],
)
def test_cost(usage: Any, price: Any, cost: float | None) -> None:
    output = answer(http(completion(usage=usage)), **({"price": price} if price else {}))[0]
    assert output.cost == (None if cost is None else pytest.approx(cost))


def test_a_stream_measures_the_first_token() -> None:
    async def script(_: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(sse(CHUNK, done=False))
        await writer.drain()
        await asyncio.sleep(0.6)  # longer than a busy machine takes to read what came first
        writer.write(f"data: {json.dumps(LAST)}\n\ndata: [DONE]\n\n".encode())
        writer.close()

    output = answer(script, stream=True)[0]
    assert output.text == "Paris"
    assert output.timing.total is not None
    assert output.timing.first_token is not None
    assert output.timing.total - output.timing.first_token > 0.1


def test_a_server_that_does_not_stream_is_read_all_the_same() -> None:
    output = answer(OK, stream=True)[0]
    assert output.text == "Paris"
    assert output.timing.first_token is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(completion(""), "empty", id="empty-text"),
        pytest.param(completion(" \n"), "empty", id="blank-text"),
        pytest.param(completion(None), "empty", id="null"),
        pytest.param(completion("", choice={"finish_reason": "length"}), "length", id="length"),
        pytest.param(completion("half", choice={"finish_reason": "length"}), "length", id="length-with-text"),
        pytest.param(completion("x", choice={"finish_reason": "content_filter"}), "content_filter", id="filter"),
    ],
)
def test_model_failures(body: Any, code: str) -> None:
    failure = answer(http(body))[0].failure
    assert failure is not None
    assert (failure.kind, failure.code) == ("model", code)


def test_a_late_answer_is_kept_and_is_the_models_failure() -> None:
    async def late(_: Got, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.06)
        writer.write(OK)

    output = answer(late, deadline=0.05)[0]
    assert output.text == "Paris"
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code) == ("model", "deadline")


def test_a_prompt_refused_by_the_providers_filter_is_the_models_failure() -> None:
    failure = answer(http(error("content_filter"), 400), retries=2)[0].failure
    assert failure is not None
    assert (failure.kind, failure.code, failure.http_status) == ("model", "content_filter", 400)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        pytest.param(http(error(None), 400), "rejected", id="400"),
        pytest.param(http(error(None), 404), "rejected", id="404"),
        pytest.param(http(error(None), 413), "rejected", id="413"),
        pytest.param(http(error(None), 422), "rejected", id="422"),
        pytest.param(http(b"", 307, location="/elsewhere"), "redirect", id="307"),
    ],
)
def test_terminal_faults_are_not_retried(first: bytes, code: str) -> None:
    output, got = answer(first, OK, retries=5)
    assert output.failure is not None
    assert (output.failure.code, output.attempts, len(got)) == (code, 1, 1)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(http(error(None), 408), id="408"),
        pytest.param(http(error(None), 409), id="409"),
        pytest.param(http(error(None), 425), id="425"),
        pytest.param(http(error("rate_limit_exceeded"), 429, retry_after_ms="1"), id="429"),
        pytest.param(http(error(None), 500), id="500"),
        pytest.param(http(b"", 599), id="599"),
        pytest.param(http(completion(), length=5000), id="truncated"),
        pytest.param(http(b"{"), id="malformed"),
        pytest.param(vanish, id="reset"),
        pytest.param(hang, id="timeout"),
    ],
)
def test_passing_faults_are_retried(first: Any) -> None:
    output, got = answer(first, OK, retries=1, timeout=0.3)
    assert output.failure is None
    assert (output.text, output.attempts, len(got)) == ("Paris", 2, 2)
    assert output.timing.total is not None
    assert output.timing.total < 0.3


def test_retries_run_out() -> None:
    output, got = answer(http(error(None, "still broken"), 503, retry_after="0"), retries=2)
    assert output.failure is not None
    assert output.failure.code == "server_error"
    assert output.failure.http_status == 503
    assert output.failure.message == "still broken"
    assert (output.attempts, len(got)) == (3, 3)


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        pytest.param(error("invalid_api_key"), 401, "auth", id="401"),
        pytest.param(error(None), 403, "auth", id="403"),
        pytest.param(error("insufficient_quota", kind="insufficient_quota"), 429, "quota", id="quota"),
        pytest.param(error(None), 402, "quota", id="402"),
        pytest.param(error("model_not_found"), 404, "unknown_model", id="model-code"),
        pytest.param(error(None, "The model `x` does not exist."), 404, "unknown_model", id="model-message"),
    ],
)
def test_a_target_that_is_down_says_so_at_once(body: Any, status: int, word: str) -> None:
    async def go() -> int:
        async with RawServer([http(body, status)]) as server:
            with pytest.raises(TargetDownError, match=word):
                await ask(server, retries=5)
            return len(server.got)

    assert asyncio.run(go()) == 1


def test_no_listener_is_an_infra_failure_after_its_retries() -> None:
    async def go() -> Output:
        async with RawServer([OK]) as server:
            pass
        return await ask(server, retries=1)

    output = asyncio.run(go())
    assert output.failure is not None
    assert (output.failure.code, output.attempts) == ("unreachable", 2)


def test_connections_are_reused() -> None:
    async def go() -> RawServer:
        async with RawServer([OK]) as server:
            target = build("t", spec(server, concurrency=2), Path(), {})
            await target.open()
            for _ in range(4):
                await asyncio.gather(target.generate(CASE, REQUEST), target.generate(CASE, REQUEST))
            await target.close()
            return server

    server = asyncio.run(go())
    assert (len(server.got), server.connections) == (8, 2)


def test_a_blocked_loop_is_marked_on_the_latency() -> None:
    async def go() -> Output:
        async with RawServer([block]) as server:
            return await ask(server)

    async def block(_: Got, writer: asyncio.StreamWriter) -> None:
        import time

        time.sleep(0.25)  # noqa: ASYNC251  # this is the point
        writer.write(OK)

    assert asyncio.run(go()).timing.lagged
    assert not all(answer(OK)[0].timing.lagged for _ in range(20)), "a busy machine may block one or another"


KEYED = {"api_key_env": "MY_KEY"}


def keyed(*scripts: Any, **fields: Any) -> tuple[Output | str, list[Got], Any]:
    """What came back, what was sent, and the target, with a key in the environment."""

    async def go() -> tuple[Output | str, list[Got], Any]:
        async with RawServer(list(scripts)) as server:
            target = build("t", spec(server, **KEYED, **fields), Path(), {"MY_KEY": f" {KEY}\n"})
            await target.open()
            try:
                return await target.generate(CASE, REQUEST), server.got, target
            except TargetDownError as down:
                return str(down), server.got, target
            finally:
                await target.close()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("script", "fields"),
    [
        pytest.param(OK, {}, id="ok"),
        pytest.param(http(completion(f"your key is {KEY}")), {}, id="echoed-in-the-answer"),
        pytest.param(http(error(None, f"bad key {KEY}"), 400), {}, id="echoed-in-400"),
        pytest.param(http(error(None, f"bad key {KEY}"), 401), {}, id="echoed-in-401"),
        pytest.param(http(f"plain {KEY}".encode(), 500), {}, id="echoed-in-500"),
        pytest.param(f"{KEY}\r\n\r\n".encode(), {}, id="echoed-as-status-line"),
        pytest.param(http(b"", 302, location=f"http://x/?key={KEY}"), {}, id="echoed-in-location"),
        pytest.param(
            sse({"choices": [{"delta": {"content": KEY}, "finish_reason": "stop"}]}),
            {"stream": True},
            id="echoed-in-sse",
        ),
        pytest.param(sse({"error": {"message": KEY}}), {"stream": True}, id="echoed-in-sse-error"),
        pytest.param(sse(KEY), {"stream": True}, id="echoed-as-event"),
        pytest.param(hang, {"timeout": 0.1}, id="timeout"),
    ],
)
def test_the_key_goes_into_one_header_and_nowhere_else(
    script: Any, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    result, got, target = keyed(script, **fields)
    assert got[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in got[0].path
    assert KEY.encode() not in got[0].raw
    shown = [repr(result), repr(target), repr(vars(target)), canonical(target.sent(CASE, REQUEST)), caplog.text]
    assert all(KEY not in text for text in shown)


def test_a_key_in_place_of_its_variables_name_is_not_shown() -> None:
    target = build("t", spec(api_key_env="gsk_hunter2"), Path(), {})
    with pytest.raises(MissingSecretError) as caught:
        asyncio.run(target.open())
    assert "hunter2" not in str(caught.value)


def test_redirects_do_not_carry_the_key_elsewhere() -> None:
    async def go() -> tuple[Output, int, int]:
        async with RawServer([OK]) as other, RawServer([http(b"", 307, location=other.url)]) as server:
            output = await ask(server, environ={"MY_KEY": KEY}, **KEYED)
            return output, len(server.got), len(other.got)

    output, first, second = asyncio.run(go())
    assert output.failure is not None
    assert (output.failure.code, first, second) == ("redirect", 1, 0)


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert answer(OK)[0].text == "Paris"


def test_cookies_are_not_sent_back() -> None:
    async def go() -> list[Got]:
        async with RawServer([http(b"", 500, set_cookie="a=b; Path=/"), OK]) as server:
            server.url = server.url.replace("127.0.0.1", "localhost")
            await ask(server, retries=1)
            return server.got

    got = asyncio.run(go())
    assert len(got) == 2
    assert "cookie" not in got[1].headers


@pytest.mark.parametrize(
    ("environ", "fields"),
    [
        pytest.param({}, {}, id="default-key-not-set"),
        pytest.param({"OPENAI_API_KEY": "  "}, {}, id="blank"),
        pytest.param({"OPENAI_API_KEY": "sk-a\nX-Evil: 1"}, {}, id="line-break-inside"),
        pytest.param({"OPENAI_API_KEY": "sk-é"}, {}, id="not-ascii"),
        pytest.param({"OPENAI_API_KEY": KEY}, {"api_key_env": "OTHER"}, id="named-key-not-set"),
        pytest.param({}, {"api_key_env": "OTHER", "base_url": "http://localhost:1/v1"}, id="named-for-loopback"),
    ],
)
def test_a_missing_key_is_found_before_anything_is_sent(environ: dict[str, str], fields: dict[str, Any]) -> None:
    target = build("t", spec(**fields), Path(), environ)
    with pytest.raises(MissingSecretError) as caught:
        asyncio.run(target.open())
    assert caught.value.exit_code == 2
    for value in environ.values():
        assert value.strip() == "" or value not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"base_url": "https://user:hunter2@host/v1"}, "holds credentials", id="credentials"),
        pytest.param({"base_url": "https://host/v1?api-key=hunter2"}, "holds a query", id="query"),
        pytest.param({"base_url": "ftp://host/v1"}, "is no http or https URL", id="ftp"),
        pytest.param({"base_url": "host/v1"}, "is no http or https URL", id="no-scheme"),
        pytest.param({"base_url": "http://[::1/v1"}, "is no URL", id="bracket"),
        pytest.param({"base_url": "http://host:99999/v1"}, "is no URL", id="port"),
        pytest.param({"base_url": "http://ho\nst/v1"}, "is no", id="line-break"),
        pytest.param({"base_url": "https://host/v1/chat/completions"}, "leave that off", id="full-path"),
        pytest.param({"headers": {"Authorization": "Bearer hunter2"}}, "may hold a secret", id="authorization"),
        pytest.param({"headers": {"X-A": "a\r\nX-B: b"}}, "no valid HTTP header", id="header-injection"),
        pytest.param({"headers": {"Host": "x"}}, "is set by Seatrial", id="host"),
        pytest.param({"params": {"stream": True, "model": "x"}}, "params.model", id="reserved"),
        pytest.param({"api_key_env": "sk-hunter2"}, "never the key itself", id="key-for-its-name"),
        pytest.param({"params": {"n": 3}}, "only one answer", id="n"),
        pytest.param({"join": "id", "options": {"a": 1}}, "belongs to replay targets", id="replays-field"),
    ],
)
def test_settings_that_cannot_work(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(TargetConfigError) as caught:
        build("t", spec(**fields), Path(), {})
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "targets.t." in str(caught.value)


def test_sent_covers_what_decides_the_answer_and_nothing_else() -> None:
    def sent(request: Request = REQUEST, **fields: Any) -> str:
        made = spec(**{"base_url": "http://localhost/v1", **fields})
        return canonical(build("t", made, Path(), {}).sent(CASE, request))

    base = sent()
    assert sent(base_url="http://localhost/v1/") == base
    assert sent(concurrency=1, retries=3, rpm=5, price={"input": 1, "output": 1}, api_key_env="X") == base
    different = [
        sent(use="openai:other"),
        sent(base_url="http://localhost/v2"),
        sent(headers={"OpenAI-Beta": "x"}),
        sent(stream=True),
        sent(REQUEST.model_copy(update={"seed": 3})),
        sent(REQUEST.model_copy(update={"params": {"temperature": 1}})),
        sent(Request(messages=Case(id="x", input="Other?").input)),
    ]
    assert len({base, *different}) == 1 + len(different)


def test_sent_holds_blobs_by_their_hash() -> None:
    blob = {"type": "image", "media_type": "image/png", "data": "aGVsbG8="}
    request = Request.model_validate({"messages": [{"role": "user", "content": [blob, {"type": "text", "text": "?"}]}]})
    text = canonical(build("t", spec(base_url="http://localhost/v1"), Path(), {}).sent(CASE, request))
    assert "aGVsbG8=" not in text
    assert "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" in text


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"x": 2**70}, id="beyond-64-bits"),
        pytest.param({"x": "\ud800"}, id="lone-surrogate"),
        pytest.param({"x": float("nan")}, id="nan"),
    ],
)
def test_parameters_that_orjson_refuses_are_sent_all_the_same(params: dict[str, Any]) -> None:
    output, got = answer(OK, request=REQUEST.model_copy(update={"params": params}))
    assert output.text == "Paris"
    assert got[0].body["x"] == params["x"] or params["x"] != params["x"]
