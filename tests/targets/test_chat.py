"""The chat completions wire format, without I/O."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.targets.raw_server import completion

from seatrial.core.case import Tool
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Request, Usage
from seatrial.targets.chat import CompletionStream, body, read
from seatrial.targets.retry import Fault
from seatrial.targets.sse import Events
from seatrial.targets.strict import whole

HI = Message(role="user", content="hi")
PNG = "iVBORw0KGgo="


def asked(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    request = Request.model_validate({"messages": messages, **fields})
    return body("m", request, request.params, stream=False)


def part(**fields: Any) -> dict[str, Any]:
    sent = asked({"role": "user", "content": [{"type": "text", "text": "see"}, fields]})
    return sent["messages"][0]["content"][1]


def test_body_holds_model_messages_and_parameters_verbatim() -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}
    sent = asked({"role": "user", "content": "hi"}, params={"temperature": 0, "response_format": shape}, seed=7)
    assert sent == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0,
        "response_format": shape,
        "seed": 7,
    }


def test_streaming_asks_for_usage() -> None:
    sent = body("m", Request(messages=(HI,)), {}, stream=True)
    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        pytest.param(
            {"type": "image", "media_type": "image/jpeg", "data": PNG},
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PNG}"}},
            id="image-data",
        ),
        pytest.param(
            {"type": "image", "url": "https://x/y.png"},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            id="image-url",
        ),
        pytest.param(
            {"type": "audio", "media_type": "audio/mpeg", "data": PNG},
            {"type": "input_audio", "input_audio": {"data": PNG, "format": "mp3"}},
            id="audio-mp3",
        ),
        pytest.param(
            {"type": "audio", "media_type": "audio/wav", "data": PNG},
            {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
            id="audio-wav",
        ),
        pytest.param(
            {"type": "file", "media_type": "application/pdf", "name": "a.pdf", "data": PNG},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"}},
            id="file",
        ),
    ],
)
def test_parts(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert part(**given) == sent


def test_a_tool_conversation() -> None:
    call = {"name": "look_up", "arguments": {"order": 7, "b": "é"}, "id": "call_1"}
    sent = asked(
        {"role": "assistant", "tool_calls": [call, {"name": "raw", "arguments": "not json", "id": "call_2"}]},
        {"role": "tool", "content": "gone", "tool_call_id": "call_1"},
        tools=[{"name": "look_up", "description": "d", "parameters": {"type": "object"}}, {"name": "bare"}],
        params={"tools": [{"type": "web_search"}]},
    )
    calls = sent["messages"][0]["tool_calls"]
    assert sent["messages"][0]["content"] is None
    assert json.loads(calls[0]["function"]["arguments"]) == {"order": 7, "b": "é"}
    assert calls[1]["function"]["arguments"] == "not json"
    assert sent["messages"][1] == {"role": "tool", "content": "gone", "tool_call_id": "call_1"}
    assert sent["tools"] == [
        {"type": "web_search"},
        {"type": "function", "function": {"name": "look_up", "description": "d", "parameters": {"type": "object"}}},
        {"type": "function", "function": {"name": "bare"}},
    ]


def parsed(value: Any) -> Any:
    return whole(json.dumps(value).encode(), read)


def tool_call(arguments: Any, **fields: Any) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}, **fields}
    return completion(None, message={"tool_calls": [call]})


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        pytest.param('{"a": 1}', {"a": 1}, id="object"),
        pytest.param("{}", {}, id="empty-object"),
        pytest.param("", "", id="empty-text"),
        pytest.param("[1]", "[1]", id="array-stays-text"),
        pytest.param('{"a": ', '{"a": ', id="cut-stays-text"),
        pytest.param('{"a": 9223372036854775808}', {"a": 2**63}, id="beyond-64-bits"),
        pytest.param({"a": 1}, {"a": 1}, id="already-an-object"),
        pytest.param('{"a":' * 200 + "1" + "}" * 200, '{"a":' * 200 + "1" + "}" * 200, id="deep-stays-text"),
    ],
)
def test_tool_call_arguments(arguments: Any, kept: Any) -> None:
    assert parsed(tool_call(arguments)).message.tool_calls == (ToolCall(name="f", arguments=kept, id="c"),)


def test_custom_tool_call_keeps_its_text() -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    assert parsed(completion(None, message={"tool_calls": [call]})).message.tool_calls[0].arguments == "select 1"


def test_usage_classes() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20.0,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }
    assert parsed(completion(usage=usage)).usage == Usage(input=100, cached=60, output=20, reasoning=8)
    assert parsed(completion(usage=None)).usage == Usage()
    assert parsed(completion(usage={"prompt_tokens": 2**63})).usage.input == 2**63


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(
            {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": 0}]}, (-0.5, 0.0), id="ok"
        ),
        pytest.param(None, None, id="null"),
        pytest.param({"tokens": ["a"], "token_logprobs": [-1]}, None, id="another-dialect"),
        pytest.param({"content": [{"logprob": "x"}]}, None, id="wrong-type"),
        pytest.param({"content": [{"logprob": float("nan")}]}, None, id="nan"),
        pytest.param({"content": [{"logprob": 10**400}]}, None, id="huge"),
    ],
)
def test_logprobs(given: Any, kept: Any) -> None:
    assert parsed(completion(choice={"logprobs": given})).logprobs == kept


def test_refusal_is_text_and_noted() -> None:
    answer = parsed(completion(None, message={"refusal": "I cannot."}))
    assert answer.message.text == "I cannot."
    assert answer.metadata == {"refusal": "I cannot."}


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart(key: str) -> None:
    assert parsed(completion("7", message={key: "hmm"})).thought == "hmm"


def test_content_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert parsed(completion(parts)).message.text == "a\nb"


def test_lone_surrogates_and_nulls_survive() -> None:
    assert whole(rb'{"choices":[{"message":{"content":"\ud83d \u0000 x"}}]}', read).message.text == "\ud83d \0 x"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["choices", "usage", "model", "system_fingerprint", "error"]
MESSAGE_KEYS = ["content", "tool_calls", "refusal", "reasoning"]


@given(st.binary(max_size=200) | ANYTHING.map(lambda v: json.dumps(v).encode()))
def test_whatever_the_bytes_are_parsing_gives_an_answer_or_a_fault(raw: bytes) -> None:
    with suppress(Fault):
        whole(raw, read)


@given(st.sampled_from(KEYS), st.sampled_from(MESSAGE_KEYS), ANYTHING, ANYTHING)
def test_a_wrong_type_anywhere_gives_an_answer_or_a_fault(key: str, inner: str, outer_value: Any, value: Any) -> None:
    for raw in (
        completion(**{key: outer_value}),
        completion(message={inner: value}),
        completion(choice={inner: value}),
    ):
        with suppress(Fault):
            parsed(raw)


def chunk(delta: Any = None, **fields: Any) -> str:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": fields.pop("finish_reason", None)}
    return json.dumps({"model": "m-1", "choices": [choice], **fields})


def streamed(*events: str, end: str = "\n\n", size: int = 7) -> Any:
    raw = "".join(f"data: {event}{end}" for event in events).encode()
    stream = CompletionStream()
    for at in range(0, len(raw), size):
        stream.feed(raw[at : at + size])
    return stream.answer()


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_stream_is_put_together(end: str, size: int) -> None:
    calls = [
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}},
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}},
    ]
    answer = streamed(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Bon"}),
        chunk({"content": "jour é"}),
        chunk({"tool_calls": calls}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
        chunk({}, finish_reason="tool_calls"),
        json.dumps({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}}),
        "[DONE]",
        end=end,
        size=size,
    )
    assert answer.message.text == "Bonjour é"
    assert answer.message.tool_calls == (
        ToolCall(name="f", arguments={"x": 1}, id="a"),
        ToolCall(name="g", arguments="", id="b"),
    )
    assert (answer.finish_reason, answer.served_model) == ("tool_calls", "m-1")
    assert answer.usage == Usage(input=5, output=6)


def test_a_stream_that_ends_early_is_truncated() -> None:
    with pytest.raises(Fault) as caught:
        streamed(chunk({"content": "Bon"}))
    assert caught.value.code == "truncated"


def test_nothing_after_done_is_read() -> None:
    assert streamed(chunk({"content": "a"}), "[DONE]", "not json").message.text == "a"


def test_events_pass_over_comments_and_join_data_lines() -> None:
    raw = b"\xef\xbb\xbf: ping\nevent: x\ndata: a\ndata: b\n\nid: 3\n\ndata:c\n\ndata: unfinished"
    assert Events().feed(raw) == [b"a\nb", b"c"]


PIECES = st.sampled_from([b"data: a", b"data:b", b"\r", b"\n", b"\r\n", b": c", b"\xff"])


@example([b"data: a", b"\r", b"\n", b"data:b"])
@given(st.lists(PIECES | st.binary(max_size=5)))
def test_any_cut_of_a_stream_gives_the_same_events(pieces: list[bytes]) -> None:
    one, many = Events(), Events()
    whole = one.feed(b"".join(pieces) + b"\n\n")
    assert [e for piece in (*pieces, b"\n\n") for e in many.feed(piece)] == whole


def test_a_tool_of_the_records_is_unchanged_by_sending() -> None:
    tool = Tool(name="f", parameters={"type": "object"})
    sent = body("m", Request(messages=(HI,), tools=(tool,)), {}, stream=False)
    sent["tools"][0]["function"]["parameters"]["type"] = "changed"
    assert tool.parameters == {"type": "object"}
