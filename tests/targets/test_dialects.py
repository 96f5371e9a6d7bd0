"""What each dialect's bytes mean, by the providers' references, and what each can and cannot be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.targets.answers import (
    FIELDS,
    STREAMED,
    block,
    content,
    message,
    piece,
    response,
    said,
    streamed_message,
    text_block,
)
from tests.targets.raw_server import KEY, REQUEST, RawServer, answer, completion, http, sse

from seatrial.core.identity import canonical
from seatrial.core.message import ToolCall
from seatrial.core.output import Request, Usage
from seatrial.core.suite import TargetSpec
from seatrial.errors import TargetConfigError
from seatrial.targets import build

CHAT_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
RESPONSE_CALL = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'}
MESSAGE_CALL = {"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}
CONTENT_CALL = {"functionCall": {"id": "c1", "name": "f", "args": {"x": 1}}}
SECOND = ToolCall(name="g", arguments={}, id="c2")

TEXTS = [
    pytest.param("openai", completion(), id="openai"),
    pytest.param("responses", response(), id="responses"),
    pytest.param("anthropic", message(), id="anthropic"),
    pytest.param("gemini", content(), id="gemini"),
]


@pytest.mark.parametrize(("kind", "body"), TEXTS)
def test_text_usage_and_served_model(kind: str, body: Any) -> None:
    output, got = answer(http(body), **FIELDS[kind], price={"input": 1, "output": 2})
    assert (output.text, output.finish_reason, output.failure) == ("Paris", "stop", None)
    assert (output.usage.input, output.usage.output) == (12, 3)
    assert output.cost == pytest.approx(18e-6)
    assert "test" in output.served_model
    assert got[0].headers["content-type"] == "application/json"


CALLS = [
    pytest.param(
        "openai",
        completion(
            None,
            message={
                "tool_calls": [
                    CHAT_CALL,
                    {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                ]
            },
            choice={"finish_reason": "tool_calls"},
        ),
        id="openai",
    ),
    pytest.param(
        "responses",
        response(RESPONSE_CALL, {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"}),
        id="responses",
    ),
    pytest.param(
        "anthropic",
        message(MESSAGE_CALL, {"type": "tool_use", "id": "c2", "name": "g", "input": {}}, stop_reason="tool_use"),
        id="anthropic",
    ),
    pytest.param("gemini", content(CONTENT_CALL, {"functionCall": {"id": "c2", "name": "g"}}), id="gemini"),
]


@pytest.mark.parametrize(("kind", "body"), CALLS)
def test_parallel_tool_calls(kind: str, body: Any) -> None:
    output = answer(http(body), **FIELDS[kind])[0]
    assert output.tool_calls == (ToolCall(name="f", arguments={"x": 1}, id="c1"), SECOND)
    assert (output.finish_reason, output.failure) == ("tool_calls", None)


FINISHES = [
    pytest.param("openai", completion(choice={"finish_reason": "length"}), "length", "length", id="openai-length"),
    pytest.param(
        "openai",
        completion(choice={"finish_reason": "content_filter"}),
        "content_filter",
        "content_filter",
        id="openai-filter",
    ),
    pytest.param("openai", completion(None, message={"refusal": "No."}), "refusal", None, id="openai-refusal"),
    pytest.param(
        "responses",
        response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        "length",
        "length",
        id="responses-length",
    ),
    pytest.param(
        "responses",
        response(status="incomplete", incomplete_details={"reason": "content_filter"}),
        "content_filter",
        "content_filter",
        id="responses-filter",
    ),
    pytest.param(
        "responses", response(said({"type": "refusal", "refusal": "No."})), "refusal", None, id="responses-refusal"
    ),
    pytest.param("anthropic", message(stop_reason="stop_sequence"), "stop", None, id="anthropic-stop"),
    pytest.param("anthropic", message(stop_reason="max_tokens"), "length", "length", id="anthropic-length"),
    pytest.param(
        "anthropic", message(stop_reason="model_context_window_exceeded"), "length", "length", id="anthropic-window"
    ),
    pytest.param(
        "anthropic",
        message(content=[], stop_reason="refusal", stop_details={"type": "refusal", "explanation": "No."}),
        "refusal",
        None,
        id="anthropic-refusal",
    ),
    pytest.param(
        "anthropic", message(content=[], stop_reason="refusal"), "refusal", None, id="anthropic-refusal-without-a-word"
    ),
    pytest.param("anthropic", message(content=[]), "stop", "empty", id="anthropic-empty"),
    pytest.param("anthropic", message(stop_reason="pause_turn"), "pause_turn", None, id="anthropic-pause"),
    pytest.param("gemini", content(candidate={"finishReason": "MAX_TOKENS"}), "length", "length", id="gemini-length"),
    pytest.param(
        "gemini",
        content(candidate={"finishReason": "SAFETY", "content": {}}),
        "content_filter",
        "content_filter",
        id="gemini-safety",
    ),
    pytest.param(
        "gemini",
        content(candidate={"finishReason": "RECITATION"}),
        "content_filter",
        "content_filter",
        id="gemini-recitation",
    ),
    pytest.param(
        "gemini",
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 4}},
        "content_filter",
        "content_filter",
        id="gemini-blocked-prompt",
    ),
    pytest.param(
        "gemini",
        content(candidate={"finishReason": "MALFORMED_FUNCTION_CALL", "content": {}}),
        "malformed_function_call",
        "empty",
        id="gemini-malformed-call",
    ),
]


@pytest.mark.parametrize(("kind", "body", "reason", "failure"), FINISHES)
def test_finish_reasons(kind: str, body: Any, reason: str, failure: str | None) -> None:
    output = answer(http(body), **FIELDS[kind])[0]
    assert output.finish_reason == reason
    assert (output.failure and (output.failure.kind, output.failure.code)) == (failure and ("model", failure))
    if reason == "refusal":
        assert output.metadata["refusal"]


@pytest.mark.parametrize(
    ("kind", "body", "usage"),
    [
        pytest.param(
            "responses",
            response(
                usage={
                    "input_tokens": 90,
                    "input_tokens_details": {"cached_tokens": 40},
                    "output_tokens": 30,
                    "output_tokens_details": {"reasoning_tokens": 20},
                }
            ),
            Usage(input=90, cached=40, output=30, reasoning=20),
            id="responses",
        ),
        pytest.param(
            "anthropic",
            message(
                usage={
                    "input_tokens": 40,
                    "cache_creation_input_tokens": 10,
                    "cache_read_input_tokens": 40,
                    "output_tokens": 30,
                    "output_tokens_details": {"thinking_tokens": 20},
                }
            ),
            Usage(input=90, cached=40, cache_write=10, output=30, reasoning=20),
            id="anthropic",
        ),
        pytest.param("anthropic", message(usage={"output_tokens": 3}), Usage(output=3), id="anthropic-half"),
        pytest.param("anthropic", message(usage=None), Usage(), id="anthropic-none"),
        pytest.param(
            "gemini",
            content(
                usageMetadata={
                    "promptTokenCount": 80,
                    "toolUsePromptTokenCount": 10,
                    "cachedContentTokenCount": 40,
                    "candidatesTokenCount": 10,
                    "thoughtsTokenCount": 20,
                    "totalTokenCount": 120,
                }
            ),
            Usage(input=90, cached=40, output=30, reasoning=20),
            id="gemini",
        ),
        pytest.param(
            "gemini",
            content(usageMetadata={"promptTokenCount": 8, "totalTokenCount": 8}),
            Usage(input=8, output=0),
            id="gemini-zero-is-left-out",
        ),
        pytest.param("gemini", content(usageMetadata=None), Usage(), id="gemini-none"),
    ],
)
def test_token_classes(kind: str, body: Any, usage: Usage) -> None:
    assert answer(http(body), **FIELDS[kind])[0].usage == usage


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(
            "responses", response({"type": "reasoning", "summary": [{"text": "hm"}]}, said()), id="responses-summary"
        ),
        pytest.param(
            "responses",
            response({"type": "reasoning", "summary": [{"text": "short"}], "content": [{"text": "hm"}]}, said()),
            id="responses-content",
        ),
        pytest.param(
            "anthropic",
            message(
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "Par"},
                {"type": "text", "text": "is"},
            ),
            id="anthropic",
        ),
        pytest.param("gemini", content({"text": "hm", "thought": True}, {"text": "Par"}, {"text": "is"}), id="gemini"),
    ],
)
def test_reasoning_is_kept_apart_and_texts_are_joined(kind: str, body: Any) -> None:
    output = answer(http(body), **FIELDS[kind])[0]
    assert output.text == "Paris"
    assert [(step.kind, step.output) for step in output.steps] == [("thought", "hm")]


def test_an_image_in_an_answer_is_kept() -> None:
    blob = {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}}
    output = answer(http(content({"text": "Here."}, blob)), **FIELDS["gemini"])[0]
    assert output.failure is None
    assert output.text == "Here."
    assert output.messages[0].content[1].media_type == "image/png"


@pytest.mark.parametrize("kind", FIELDS)
def test_a_stream_is_put_together(kind: str) -> None:
    output, got = answer(sse(*STREAMED[kind], done=kind == "openai"), stream=True, **FIELDS[kind])
    assert output.text == "Paris"
    assert output.tool_calls[0].arguments == {"x": 1}
    assert (output.usage.input, output.usage.output) == (12, 3)
    assert output.timing.first_token is not None
    assert "test" in output.served_model
    assert (
        got[0].path
        == {
            "openai": "/v1/chat/completions",
            "responses": "/v1/responses",
            "anthropic": "/v1/messages",
            "gemini": "/v1/models/m:streamGenerateContent?alt=sse",
        }[kind]
    )


STREAMS = [
    pytest.param(
        "anthropic", [*streamed_message(text_block("a"))[:-1]], ("a", "stop", None), id="anthropic-without-message-stop"
    ),
    pytest.param(
        "anthropic",
        streamed_message(text_block("a"), stop_reason="max_tokens"),
        ("a", "length", "length"),
        id="anthropic-length",
    ),
    pytest.param(
        "anthropic",
        streamed_message(stop_reason="refusal", stop_details={"type": "refusal", "explanation": "No."}),
        ("No.", "refusal", None),
        id="anthropic-refusal",
    ),
    pytest.param(
        "anthropic",
        streamed_message(block(0, {"type": "new_block"}, {"type": "new_delta"}), text_block("a", index=1)),
        ("a", "stop", None),
        id="anthropic-unknown-kinds",
    ),
    pytest.param(
        "gemini",
        [piece("a"), content({"text": "b"}, candidate={"finishReason": "SAFETY"})],
        ("ab", "content_filter", "content_filter"),
        id="gemini-safety",
    ),
    pytest.param(
        "gemini",
        [{"promptFeedback": {"blockReason": "SAFETY"}}],
        ("", "content_filter", "content_filter"),
        id="gemini-blocked-prompt",
    ),
    pytest.param(
        "responses",
        [
            {
                "type": "response.incomplete",
                "response": response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            }
        ],
        ("Paris", "length", "length"),
        id="responses-length",
    ),
]


@pytest.mark.parametrize(("kind", "events", "expected"), STREAMS)
def test_streams_end_as_they_should(kind: str, events: Any, expected: Any) -> None:
    output = answer(sse(*events, done=False), stream=True, **FIELDS[kind])[0]
    assert (output.text, output.finish_reason, output.failure and output.failure.code) == expected


ERROR_EVENTS = [
    pytest.param(
        "anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "server_error", id="529"
    ),
    pytest.param("anthropic", {"type": "error", "error": {"type": "rate_limit_error"}}, "rate_limited", id="429"),
    pytest.param("anthropic", {"type": "error", "error": {"type": "invalid_request_error"}}, "rejected", id="400"),
    pytest.param("responses", {"type": "error", "code": "server_error", "message": "x"}, "server_error", id="event"),
    pytest.param("responses", {"type": "error", "code": "rate_limit_exceeded"}, "rate_limited", id="event-429"),
    pytest.param(
        "responses",
        {"type": "response.failed", "response": response(status="failed", error={"code": "server_error"})},
        "server_error",
        id="failed",
    ),
    pytest.param("gemini", {"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}}, "server_error", id="503"),
]


@pytest.mark.parametrize(("kind", "event", "code"), ERROR_EVENTS)
def test_errors_inside_a_stream(kind: str, event: Any, code: str) -> None:
    failure = answer(sse(*STREAMED[kind][:2], event, done=False), stream=True, **FIELDS[kind])[0].failure
    assert failure is not None
    assert (failure.kind, failure.code) == ("infra", code)


CANNOT = [
    pytest.param("anthropic", {"seed": 1}, "cannot express", id="anthropic-seed"),
    pytest.param("anthropic", {"logprobs": True}, "cannot express", id="anthropic-logprobs"),
    pytest.param("anthropic", {"frequency_penalty": 1}, "cannot express", id="anthropic-penalty"),
    pytest.param("anthropic", {"temperature": 0}, "anthropic-version: 2023-06-01", id="anthropic-temperature"),
    pytest.param("anthropic", {"top_k": 4}, "no longer taken", id="anthropic-top-k"),
    pytest.param("anthropic", {"response_format": {"type": "json_object"}}, "without a schema", id="anthropic-json"),
    pytest.param("anthropic", {"tool_choice": "maybe"}, "is no tool choice", id="anthropic-choice"),
    pytest.param("anthropic", {"max_completion_tokens": 5}, "which another parameter sets", id="anthropic-both-limits"),
    pytest.param("anthropic", {"system": "x"}, "is set by Seatrial", id="anthropic-system"),
    pytest.param("anthropic", {"n": 2}, "only one answer", id="anthropic-n"),
    pytest.param("gemini", {"logit_bias": {"1": 2}}, "cannot express", id="gemini-bias"),
    pytest.param("gemini", {"parallel_tool_calls": False}, "cannot forbid", id="gemini-parallel"),
    pytest.param("gemini", {"candidateCount": 2}, "only one answer", id="gemini-n"),
    pytest.param("gemini", {"contents": []}, "is set by Seatrial", id="gemini-contents"),
    pytest.param("gemini", {"top_p": 1, "topP": 1}, "generationConfig.topP", id="gemini-twice"),
    pytest.param("gemini", {"response_format": 7}, "is no response format", id="gemini-format"),
    pytest.param("responses", {"stop": ["x"]}, "cannot express", id="responses-stop"),
    pytest.param("responses", {"seed": 1}, "cannot express", id="responses-seed"),
    pytest.param("responses", {"background": True}, "is set by Seatrial", id="responses-background"),
    pytest.param("responses", {"logprobs": 3}, "neither true nor false", id="responses-logprobs"),
    pytest.param(
        "responses",
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}, "shape": 1}}},
        "json_schema.shape",
        id="responses-format",
    ),
]


@pytest.mark.parametrize(("kind", "params", "words"), CANNOT)
def test_what_a_dialect_cannot_express_is_said_before_anything_is_sent(kind: str, params: Any, words: str) -> None:
    params = {**FIELDS[kind].get("params", {}), **params}
    with pytest.raises(TargetConfigError) as caught:
        build("t", TargetSpec(use=f"{kind}:m", params=params), Path(), {})
    assert words in str(caught.value)
    assert "targets.t.params." in str(caught.value)


def test_all_that_cannot_be_expressed_is_said_at_once() -> None:
    with pytest.raises(TargetConfigError) as caught:
        build("t", TargetSpec(use="anthropic:m", params={"seed": 1, "temperature": 0, "n": 2}), Path(), {})
    assert len(caught.value.problems) == 4  # and max_tokens is missing


@pytest.mark.parametrize("header", ["anthropic-version", "Anthropic-Version"])
def test_an_older_version_of_the_messages_api_still_samples(header: str) -> None:
    params = {"max_tokens": 9, "temperature": 0.5, "top_p": 1, "top_k": 3}
    request = REQUEST.model_copy(update={"params": params})
    headers = {header: "2023-06-01"}
    got = answer(http(message()), request=request, use="anthropic:m", params=params, headers=headers)[1]
    assert {key: got[0].body[key] for key in params} == params
    assert got[0].headers["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize(
    ("kind", "params", "renamed"),
    [
        pytest.param("openai", {"max_tokens": 9, "temperature": 0}, None, id="openai"),
        pytest.param("responses", {"max_tokens": 9}, {"max_tokens": "max_output_tokens"}, id="responses"),
        pytest.param(
            "anthropic",
            {"max_tokens": 9, "stop": "x", "response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
            {"stop": "stop_sequences", "response_format": "output_config.format"},
            id="anthropic",
        ),
        pytest.param(
            "gemini",
            {"top_p": 1, "response_format": {"type": "json_object"}},
            {"top_p": "generationConfig.topP", "response_format": "generationConfig.responseMimeType"},
            id="gemini",
        ),
    ],
)
def test_each_output_says_which_parameters_were_renamed(kind: str, params: Any, renamed: Any) -> None:
    bodies = {"openai": completion(), "responses": response(), "anthropic": message(), "gemini": content()}
    request = REQUEST.model_copy(update={"params": params})
    output = answer(http(bodies[kind]), request=request, use=f"{kind}:m", params=params)[0]
    assert output.sent is not None
    assert output.sent.renamed == (renamed or {})


AUDIO = [{"role": "user", "content": [{"type": "audio", "media_type": "audio/wav", "data": "aGk="}]}]
WORD = [{"role": "user", "content": [{"type": "file", "media_type": "application/msword", "data": "aGk="}]}]
RAW_CALL = [{"role": "assistant", "tool_calls": [{"name": "f", "arguments": "not json", "id": "c"}]}]
LOOSE_RESULT = [{"role": "tool", "content": "x"}]
LATE_SYSTEM = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]


@pytest.mark.parametrize(
    ("kind", "messages", "fields"),
    [
        pytest.param("anthropic", AUDIO, {}, id="anthropic-audio"),
        pytest.param("anthropic", WORD, {}, id="anthropic-word-file"),
        pytest.param("anthropic", RAW_CALL, {}, id="anthropic-raw-arguments"),
        pytest.param("anthropic", LOOSE_RESULT, {}, id="anthropic-result-without-id"),
        pytest.param("anthropic", [{"role": "user", "content": "a", "name": "Ann"}], {}, id="anthropic-name"),
        pytest.param("anthropic", LATE_SYSTEM, {"seed": 4}, id="anthropic-seed"),
        pytest.param("gemini", RAW_CALL, {}, id="gemini-raw-arguments"),
        pytest.param("gemini", LOOSE_RESULT, {}, id="gemini-result-without-name"),
        pytest.param("gemini", LATE_SYSTEM, {}, id="gemini-late-system"),
        pytest.param("responses", AUDIO, {}, id="responses-audio"),
        pytest.param("responses", LOOSE_RESULT, {}, id="responses-result-without-id"),
        pytest.param("responses", LATE_SYSTEM, {"params": {"stop": "x"}}, id="responses-stop"),
    ],
)
def test_a_request_that_cannot_be_expressed_is_not_sent(kind: str, messages: Any, fields: Any) -> None:
    request = Request.model_validate({"messages": messages, **fields})
    output, got = answer(http(b"{}"), request=request, **FIELDS[kind])
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code, got) == ("infra", "unsendable", [])


@pytest.mark.parametrize(
    ("kind", "variable", "header", "shown"),
    [
        pytest.param("openai", "OPENAI_API_KEY", "authorization", f"Bearer {KEY}", id="openai"),
        pytest.param("responses", "OPENAI_API_KEY", "authorization", f"Bearer {KEY}", id="responses"),
        pytest.param("anthropic", "ANTHROPIC_API_KEY", "x-api-key", KEY, id="anthropic"),
        pytest.param("gemini", "GEMINI_API_KEY", "x-goog-api-key", KEY, id="gemini"),
    ],
)
def test_the_key_goes_into_the_providers_header_and_only_to_the_provider(
    kind: str, variable: str, header: str, shown: str
) -> None:
    import asyncio

    environ = {variable: KEY}

    async def got(**fields: Any) -> Any:
        async with RawServer([http(b"{}")]) as server:
            spec = TargetSpec.model_validate({**FIELDS[kind], "base_url": server.url, "retries": 0, **fields})
            target = build("t", spec, Path(), environ)
            await target.open()
            output = await target.generate(None, Request(messages=REQUEST.messages, params=spec.params))
            await target.close()
            assert KEY not in repr([output, vars(target), canonical(target.identity())])
            return server.got[0]

    named = asyncio.run(got(api_key_env=variable))
    assert named.headers[header] == shown
    assert KEY not in named.path
    assert KEY.encode() not in named.raw
    assert KEY not in repr(asyncio.run(got()).headers)  # a loopback endpoint gets none unless it is named
    for url in ("https://gateway.example/v1", "http://api.openai.com/v1", "https://api.openai.com.evil.example/v1"):
        with pytest.raises(TargetConfigError, match="api_key_env"):
            build("t", TargetSpec.model_validate({**FIELDS[kind], "base_url": url}), Path(), environ)
        build("t", TargetSpec.model_validate({**FIELDS[kind], "base_url": url, "api_key_env": "X"}), Path(), environ)
    build("t", TargetSpec.model_validate(FIELDS[kind]), Path(), environ)


@pytest.mark.parametrize("model", ["../../etc", "a b", "m?x=1", "é", "m#f", "\ud800"])
def test_a_model_that_would_change_the_url_is_refused(model: str) -> None:
    with pytest.raises(TargetConfigError, match="no model is named so"):
        build("t", TargetSpec(use=f"gemini:{model}"), Path(), {})


@pytest.mark.parametrize("kind", FIELDS)
def test_identity_tells_dialects_models_and_streams_apart(kind: str) -> None:
    def identity(**fields: Any) -> str:
        return canonical(build("t", TargetSpec.model_validate({**FIELDS[kind], **fields}), Path(), {}).identity())

    same = [identity(), identity(concurrency=3, retries=1, api_key_env="X")]
    others = [identity(stream=True), identity(use=f"{kind}:n"), identity(deadline=3), identity(headers={"x-a": "b"})]
    assert len({*same, *others}) == 1 + len(others)
    assert f'"adapter":"{kind}/1"' in same[0]


def test_parameters_of_the_suite_are_not_changed_by_sending() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    params = {"text": {"verbosity": "low"}, "response_format": schema}
    request = REQUEST.model_copy(update={"params": params})
    got = answer(http(response()), request=request, use="responses:m", params=params)[1]
    assert got[0].body["text"]["verbosity"] == "low"
    assert got[0].body["text"]["format"]["name"] == "n"
    assert params["text"] == {"verbosity": "low"}
