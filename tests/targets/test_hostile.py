"""Hostile answers end in a typed failure, in every dialect."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.targets.answers import FIELDS, STREAMED, WHOLE, content, message, response, said
from tests.targets.hostile import HOSTILE
from tests.targets.raw_server import CASE, REQUEST, Got, RawServer, answer, http, sse

from seatrial.core.identity import canonical
from seatrial.core.output import Output
from seatrial.core.suite import TargetSpec
from seatrial.targets import build, models
from seatrial.targets.mapping import Mapped
from seatrial.targets.outcomes import Answer
from seatrial.targets.retry import Fault
from seatrial.targets.strict import whole

DIALECTS = {
    "openai": models.OpenAI.dialect,
    "responses": models.Responses.dialect,
    "anthropic": models.Anthropic.dialect,
    "gemini": models.Gemini.dialect,
}


def check_typed(output: Output, code: str) -> None:
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code) == ("infra", code)
    assert output.messages == ()
    assert len(output.failure.message) <= 500
    canonical(output.plain())


@pytest.mark.parametrize(("script", "code"), HOSTILE)
@pytest.mark.parametrize("kind", FIELDS)
def test_answers(kind: str, script: Any, code: str) -> None:
    check_typed(answer(script, timeout=0.3 if code == "timeout" else 20, **FIELDS[kind])[0], code)


@pytest.mark.parametrize(("script", "code"), HOSTILE)
def test_answers_of_a_service(script: Any, code: str, tmp_path: Any) -> None:
    async def go() -> Output:
        async with RawServer([script]) as server:
            fields = {"timeout": 0.3 if code == "timeout" else 20, "retries": 0}
            options = {"body": {"q": "{{ input }}"}, "response": {"text": "choices.0.message.content"}}
            target = build("t", TargetSpec(use=server.url, options=options, **fields), tmp_path, {})
            await target.open()
            try:
                return await target.generate(CASE, REQUEST)
            finally:
                await target.close()

    check_typed(asyncio.run(go()), code)


SHAPES = [
    pytest.param("anthropic", {}, id="anthropic-no-content"),
    pytest.param("anthropic", message(content=None), id="anthropic-content-null"),
    pytest.param("anthropic", message(content="Paris"), id="anthropic-content-text"),
    pytest.param("anthropic", message({"text": "x"}), id="anthropic-block-without-type"),
    pytest.param("anthropic", message({"type": "text", "text": 5}), id="anthropic-text-number"),
    pytest.param("anthropic", message({"type": "tool_use", "input": {}}), id="anthropic-call-without-name"),
    pytest.param("anthropic", message({"type": "tool_use", "name": "f", "input": 3}), id="anthropic-input-number"),
    pytest.param("anthropic", message(stop_reason=4), id="anthropic-reason-number"),
    pytest.param("anthropic", message(stop_details="x"), id="anthropic-details-text"),
    pytest.param("anthropic", message(usage={"input_tokens": -1}), id="anthropic-tokens-negative"),
    pytest.param("anthropic", message(usage={"output_tokens": "3"}), id="anthropic-tokens-text"),
    pytest.param("anthropic", message(model=[]), id="anthropic-model-array"),
    pytest.param("gemini", {}, id="gemini-nothing"),
    pytest.param("gemini", {"candidates": []}, id="gemini-no-candidate"),
    pytest.param("gemini", {"candidates": {}}, id="gemini-candidates-object"),
    pytest.param("gemini", {"candidates": [7]}, id="gemini-candidate-number"),
    pytest.param("gemini", content(candidate={"content": "x"}), id="gemini-content-text"),
    pytest.param("gemini", content(candidate={"content": {"parts": {}}}), id="gemini-parts-object"),
    pytest.param("gemini", content({"text": 5}), id="gemini-text-number"),
    pytest.param("gemini", content({"functionCall": {"args": {}}}), id="gemini-call-without-name"),
    pytest.param("gemini", content({"functionCall": {"name": "f", "args": 3}}), id="gemini-args-number"),
    pytest.param("gemini", content({"inlineData": {"mimeType": "a/b", "data": "!"}}), id="gemini-no-base64"),
    pytest.param("gemini", content(candidate={"finishReason": 1}), id="gemini-reason-number"),
    pytest.param("gemini", content(usageMetadata={"promptTokenCount": 1.5}), id="gemini-tokens-fraction"),
    pytest.param("gemini", content(promptFeedback=[]) | {"candidates": []}, id="gemini-feedback-array"),
    pytest.param("responses", {}, id="responses-no-output"),
    pytest.param("responses", response(output=None), id="responses-output-null"),
    pytest.param("responses", response(output=[7]), id="responses-item-number"),
    pytest.param("responses", response(said({"type": "output_text", "text": 1})), id="responses-text-number"),
    pytest.param("responses", response({"type": "message", "content": "x"}), id="responses-content-text"),
    pytest.param("responses", response({"type": "function_call", "arguments": "{}"}), id="responses-call-without-name"),
    pytest.param("responses", response({"type": "reasoning", "summary": 3}), id="responses-summary-number"),
    pytest.param("responses", response(status=1), id="responses-status-number"),
    pytest.param("responses", response(incomplete_details=3, status="incomplete"), id="responses-details-number"),
    pytest.param("responses", response(usage=[1]), id="responses-usage-array"),
    pytest.param("responses", response(usage={"input_tokens": True}), id="responses-tokens-bool"),
]


@pytest.mark.parametrize(("kind", "body"), SHAPES)
def test_shapes_that_no_reference_shows(kind: str, body: Any) -> None:
    check_typed(answer(http(body), **FIELDS[kind])[0], "malformed")


async def never_ends(kind: str, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    first, again = STREAMED[kind][:2]
    writer.write(f"data: {json.dumps(first)}\n\n".encode())
    while True:
        writer.write(f"data: {json.dumps(again)}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", FIELDS)
def test_a_stream_that_never_ends(kind: str) -> None:
    async def script(_: Got, writer: asyncio.StreamWriter) -> None:
        await never_ends(kind, writer)

    check_typed(answer(script, stream=True, timeout=0.3, **FIELDS[kind])[0], "timeout")


@pytest.mark.parametrize("kind", FIELDS)
def test_a_stream_that_floods(kind: str) -> None:
    async def script(_: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        padded = {**STREAMED[kind][1], "padding": "x" * 500_000}
        for _ in range(60):
            writer.write(f"data: {json.dumps(padded)}\n\n".encode())
            await writer.drain()

    check_typed(answer(script, stream=True, timeout=20, **FIELDS[kind])[0], "too_large")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
ZIPPED = gzip.compress(b": nothing\n" * (4 << 20))


async def comments_for_ever(_: Got, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b": still here\n\n")
        await writer.drain()
        await asyncio.sleep(0.01)


def chunked(piece: bytes, times: int) -> bytes:
    return b"transfer-encoding: chunked\r\n\r\n" + (b"%x\r\n%s\r\n" % (len(piece), piece)) * times + b"0\r\n\r\n"


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(comments_for_ever, "timeout", id="comments-for-ever"),
        pytest.param(HEAD + b"\r\n" + b": nothing\n\n" * (2 << 20), "too_large", id="a-flood-of-comments"),
        pytest.param(HEAD + b"\r\ndata: " + b"x" * (17 << 20), "too_large", id="one-line-without-end"),
        pytest.param(HEAD + chunked(b"data: \n" * 10_000, 300), "too_large", id="a-flood-in-chunks"),
        pytest.param(HEAD + b"content-encoding: gzip\r\n\r\n" + ZIPPED, "too_large", id="a-zipped-flood"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + chunked(b" " * 100_000, 200),
            "too_large",
            id="a-body-in-chunks",
        ),
    ],
)
def test_streams_that_are_too_long(kind: str, script: Any, code: str) -> None:
    check_typed(answer(script, stream=True, timeout=0.5 if code == "timeout" else 30, **FIELDS[kind])[0], code)


@pytest.mark.parametrize(
    ("events", "code"),
    [
        pytest.param(lambda kind: [], "truncated", id="no-event"),
        pytest.param(
            lambda kind: [json.dumps(STREAMED[kind][0]).encode("utf-16").decode("latin-1")], "malformed", id="utf-16"
        ),
        pytest.param(lambda kind: ["\ufeff" + json.dumps(STREAMED[kind][0])], "truncated", id="bom-in-an-event"),
        pytest.param(lambda kind: ["\0"], "malformed", id="nul"),
        pytest.param(lambda kind: ['{"a":' * 2_000 + "1" + "}" * 2_000], "malformed", id="deep-object"),
        pytest.param(lambda kind: ['{"a":1,"a":' + "[" * 5_000 + "]" * 5_000 + "}"], "malformed", id="deep-twin"),
        pytest.param(lambda kind: STREAMED[kind][:2], "truncated", id="no-end"),
        pytest.param(lambda kind: ["{oops"], "malformed", id="no-json"),
        pytest.param(lambda kind: ["[]"], "malformed", id="array"),
        pytest.param(lambda kind: ["null"], "malformed", id="null"),
        pytest.param(lambda kind: ['"' + "\x80"], "malformed", id="no-utf-8"),
        pytest.param(lambda kind: ["[" * 100_000], "malformed", id="deep"),
        pytest.param(lambda kind: [STREAMED[kind][0], {"error": {"message": "died"}}], "server_error", id="error"),
        pytest.param(lambda kind: [{"error": {"type": "rate_limit_error"}}], "rate_limited", id="limit"),
        pytest.param(lambda kind: [{"error": 7}], "server_error", id="error-number"),
    ],
)
@pytest.mark.parametrize("kind", FIELDS)
def test_streams(kind: str, events: Any, code: str) -> None:
    script = sse(*events(kind), done=False).replace("\x80".encode(), b"\x80")
    check_typed(answer(script, stream=True, **FIELDS[kind])[0], code)


ODD = [None, True, -1, 1.5, 10**30, "x", "\ud800\0", [], [1], {}, {"a": 1}, [[[]]]]


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in paths(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    key, *rest = path
    if isinstance(value, dict):
        return {**value, key: replaced(value[key], tuple(rest), odd)}
    return [*value[:key], replaced(value[key], tuple(rest), odd), *value[key + 1 :]]


def kept(found: Answer) -> None:
    """What was read can be hashed and kept."""
    canonical([found.message.plain(), found.usage.plain(), found.finish_reason, found.served_model, found.metadata])


@pytest.mark.parametrize("kind", FIELDS)
def test_an_odd_value_anywhere_in_an_answer_gives_an_answer_or_a_fault(kind: str) -> None:
    tried = 0
    for path in paths(WHOLE[kind]):
        for odd in ODD:
            with suppress(Fault):
                kept(whole(json.dumps(replaced(WHOLE[kind], path, odd)).encode(), DIALECTS[kind].read))
            tried += 1
    assert tried > 300


@pytest.mark.parametrize("kind", FIELDS)
def test_an_odd_value_anywhere_in_a_stream_gives_an_answer_or_a_fault(kind: str) -> None:
    tried = 0
    for path in paths(STREAMED[kind]):
        for odd in ODD:
            stream = DIALECTS[kind].stream(bytes)
            events = replaced(STREAMED[kind], path, odd)
            with suppress(Fault):
                for event in events if isinstance(events, list) else [events]:
                    stream.feed(f"data: {json.dumps(event)}\n\n".encode())
                kept(stream.answer())
            tried += 1
    assert tried > 300


@pytest.mark.parametrize("kind", FIELDS)
def test_the_answers_above_are_read_whole(kind: str) -> None:
    found = whole(json.dumps(WHOLE[kind]).encode(), DIALECTS[kind].read)
    assert found.message.text == "Paris"
    assert found.message.tool_calls[0].arguments == {"x": 1}
    assert found.thought == "hm"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(DIALECTS)), st.binary(max_size=200) | ANYTHING.map(lambda v: json.dumps(v).encode()))
def test_whatever_the_bytes_are_reading_gives_an_answer_or_a_fault(kind: str, raw: bytes) -> None:
    with suppress(Fault):
        whole(raw, DIALECTS[kind].read)
    with suppress(Fault):
        stream = DIALECTS[kind].stream(bytes)
        stream.feed(b"data: " + raw + b"\n\n")
        stream.answer()


MAPPED = Mapped(
    "t",
    {
        "text": "a.text",
        "tool_calls": {"at": "calls", "name": "n", "arguments": "args"},
        "context": {"at": "docs", "text": "body"},
        "steps": "steps",
        "usage.input": "tokens.0",
        "cost": "price",
    },
)
MAPPABLE = {
    "a": {"text": "x"},
    "calls": [{"n": "f", "args": {"x": 1}}],
    "docs": [{"body": "b", "id": "1", "score": 0.5, "metadata": {"k": "v"}}],
    "steps": [{"kind": "search", "input": 1, "output": [2], "seconds": 0.5}],
    "tokens": [3],
    "price": 0.01,
}


def test_an_odd_value_anywhere_in_a_mapped_answer_gives_an_answer_or_a_fault() -> None:
    for path in paths(MAPPABLE):
        for odd in [*ODD, float("nan")]:
            with suppress(Fault):
                kept(whole(json.dumps(replaced(MAPPABLE, path, odd)).encode(), MAPPED.read))
