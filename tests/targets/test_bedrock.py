"""Amazon Bedrock: Converse both ways, signed requests, and boto3 beside us at the fake provider."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.targets.hostile import HOSTILE
from tests.targets.raw_server import RawServer, answer, http
from tests.targets.test_hostile import ODD, check_typed, kept, paths, replaced

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import MissingSecretError, TargetConfigError, TargetDownError
from seatrial.targets import build, converse
from seatrial.targets.params import Unfit
from seatrial.targets.retry import Fault
from seatrial.targets.strict import whole
from seatrial.testing import FakeProvider, Reply, Rule, Script
from seatrial.testing.dialects.bedrock import ACCESS_KEY, SECRET_KEY, message

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()
PDF = base64.b64encode(b"%PDF-1.7 nothing").decode()
PROFILE = "us.anthropic.claude-sonnet-4-20250514-v1:0"
ARN = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{PROFILE}"
ENVIRON = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_SESSION_TOKEN": "session/token+0123456789==",
    "AWS_REGION": "eu-central-1",
}
CASE = Case(id="c", input="?")
LOOK_UP = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def request(**fields: Any) -> Request:
    return Request.model_validate({"messages": [{"role": "user", "content": "Paris?"}], **fields})


def target(url: str, use: str = f"bedrock:{PROFILE}", environ: dict[str, str] = ENVIRON, **fields: Any) -> Any:
    spec = TargetSpec.model_validate({"use": use, "base_url": url, "retries": 0, **fields})
    return build("t", spec, Path(), environ)


async def ask(one: Any, asked: Request) -> Output:
    await one.open()
    try:
        return await one.generate(CASE, asked)
    finally:
        await one.close()


@pytest.fixture(scope="module")
def fake():
    rules = [
        Rule(when={"input": "call"}, tool_calls=[{"name": "look_up", "arguments": {"id": 7}}, {"name": "b"}]),
        Rule(when={"input": "cached"}, text="x", usage={"input": 90, "cached": 40, "output": 30}),
        Rule(when={"input": "long"}, text="one two three four five six seven eight"),
        Rule(when={"input": "filtered"}, text="x", finish_reason="content_filter"),
        Rule(when={"input": "limit"}, fault="rate_limit"),
        Rule(when={"input": "broken"}, fault="server_error"),
    ]
    with FakeProvider(Script(answers=rules, default=Reply(echo="You said: {input}"))).in_thread() as running:
        yield running


@pytest.mark.parametrize("model", [PROFILE, ARN, "amazon.nova-pro-v1:0", "a/b:c@d"])
def test_ids_of_every_kind_are_encoded_and_signed(fake: FakeProvider, model: str) -> None:
    output = asyncio.run(ask(target(fake.url, f"bedrock:{model}"), request()))
    assert output.text == "You said: Paris?"
    assert fake.log[-1].model == model
    signed = fake.log[-1].headers["authorization"]
    assert (
        "/eu-central-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token" in signed
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param("AWS_SECRET_ACCESS_KEY", "another/secret0123456789", "does not match", id="secret"),
        pytest.param("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0001", "security token", id="key"),
    ],
)
def test_a_wrong_secret_takes_the_target_down(fake: FakeProvider, name: str, value: str, said: str) -> None:
    with pytest.raises(TargetDownError, match=said) as caught:
        asyncio.run(ask(target(fake.url, environ={**ENVIRON, name: value}), request()))
    assert "clock" in str(caught.value)
    assert value not in str(caught.value)


def test_a_bedrock_api_key_goes_out_as_a_bearer_token(fake: FakeProvider) -> None:
    environ = {"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-01234"}
    one = target(fake.url, environ=environ, api_key_env="AWS_BEARER_TOKEN_BEDROCK")
    assert asyncio.run(ask(one, request())).failure is None
    assert fake.log[-1].headers["authorization"] == "Bearer bedrock-api-key-01234"
    assert "x-amz-date" not in fake.log[-1].headers


def test_the_address_is_the_region_s() -> None:
    spec = TargetSpec(use=f"bedrock:{PROFILE}")
    one = build("t", spec, Path(), ENVIRON)
    assert one.identity()["base_url"] == "https://bedrock-runtime.eu-central-1.amazonaws.com"
    china = TargetSpec(use=f"bedrock:{PROFILE}", options={"region": "cn-north-1"})
    assert build("t", china, Path(), ENVIRON).identity()["base_url"].endswith(".cn-north-1.amazonaws.com.cn")


def test_no_secret_is_in_what_a_result_is_keyed_by(fake: FakeProvider) -> None:
    one = target(fake.url)
    shown = json.dumps([one.identity(), one.sent(CASE, request())]) + repr(one) + repr(vars(one))
    assert not any(ENVIRON[name] in shown for name in ENVIRON if name != "AWS_REGION")


def test_echoed_secrets_are_cut_out() -> None:
    said = " ".join(ENVIRON.values())

    async def go(status: int) -> Output:
        body = (
            {"message": said}
            if status != 200
            else {"output": {"message": {"role": "assistant", "content": [{"text": said}]}}, "stopReason": "end_turn"}
        )
        async with RawServer([http(body, status)]) as server:
            return await ask(target(server.url), request())

    for status in (200, 400):
        output = asyncio.run(go(status))
        shown = json.dumps(output.plain())
        assert not any(ENVIRON[name] in shown for name in ENVIRON if name != "AWS_REGION")
        assert "*** *** ***" in shown


@pytest.mark.parametrize(
    ("fields", "environ", "rules"),
    [
        pytest.param({"use": "bedrock:m"}, {}, ["options.region: is needed"], id="no-region"),
        pytest.param(
            {"use": "bedrock:m", "options": {"regin": "x", "region": "a/b"}},
            {},
            [
                "regin: there is no such key; did you mean region?",
                "alone (got a/b)",
            ],
            id="all-at-once",
        ),
        pytest.param(
            {"use": "bedrock:m", "base_url": "https://evil.example"},
            ENVIRON,
            ["is needed for evil.example"],
            id="stranger",
        ),
        pytest.param(
            {"use": "bedrock:m", "base_url": "https://amazonaws.com.evil.example"},
            ENVIRON,
            ["is needed for"],
            id="look-alike",
        ),
        pytest.param(
            {"use": "bedrock:m", "base_url": "http://x.amazonaws.com"}, ENVIRON, ["is needed for"], id="no-https"
        ),
        pytest.param({"use": "bedrock:../x"}, ENVIRON, ["no model is named so"], id="dots"),
        pytest.param({"use": "bedrock:m", "params": {"seed": 1}}, ENVIRON, ["params.seed"], id="seed"),
        pytest.param({"use": "bedrock:m", "options": {"region": 7}}, ENVIRON, ["options.region"], id="number"),
    ],
)
def test_settings_that_cannot_be_used(fields: dict[str, Any], environ: dict[str, str], rules: list[str]) -> None:
    with pytest.raises(TargetConfigError) as caught:
        build("t", TargetSpec.model_validate(fields), Path(), environ)
    assert all(rule in str(caught.value) for rule in rules), str(caught.value)


def test_missing_credentials_are_named_before_anything_is_sent() -> None:
    one = build("t", TargetSpec(use="bedrock:m", options={"region": "us-east-1"}), Path(), {})
    with pytest.raises(MissingSecretError, match="AWS_ACCESS_KEY_ID is not set") as caught:
        asyncio.run(one.open())
    assert "AWS_SECRET_ACCESS_KEY is not set" in str(caught.value)


@pytest.mark.parametrize(("script", "code"), HOSTILE)
def test_hostile_answers(script: Any, code: str) -> None:
    timeout = 0.5 if code == "timeout" else 20
    check_typed(answer(script, use="bedrock:m", timeout=timeout)[0], code)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("long", {"finish_reason": "length", "failure.code": "length"}, id="length"),
        pytest.param("filtered", {"finish_reason": "content_filter", "failure.code": "content_filter"}, id="filtered"),
        pytest.param("call", {"finish_reason": "tool_calls"}, id="tools"),
        pytest.param("limit", {"failure.code": "rate_limited"}, id="429"),
        pytest.param("broken", {"failure.code": "server_error"}, id="500"),
    ],
)
def test_ends(fake: FakeProvider, text: str, fields: dict[str, str]) -> None:
    asked = request(messages=[{"role": "user", "content": text}], params={"max_tokens": 4})
    output = asyncio.run(ask(target(fake.url), asked))
    for path, expected in fields.items():
        found: Any = output
        for step in path.split("."):
            found = getattr(found, step)
        assert found == expected


# ---- the wire format


WHOLE = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                {"text": "Paris"},
                {"toolUse": {"toolUseId": "tooluse_1", "name": "f", "input": {"x": 1}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {
        "inputTokens": 10,
        "outputTokens": 5,
        "totalTokens": 22,
        "cacheReadInputTokens": 3,
        "cacheWriteInputTokens": 4,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 1}, {"ttl": "5m", "inputTokens": 3}],
    },
    "metrics": {"latencyMs": 100},
    "trace": {"promptRouter": {"invokedModelId": "anthropic.claude-3-haiku"}},
}


def test_an_answer_is_read_whole() -> None:
    found = converse.read(WHOLE)
    assert (found.message.text, found.thought, found.finish_reason) == ("Paris", "hm", "tool_calls")
    assert found.message.tool_calls[0].plain() == {"name": "f", "arguments": {"x": 1}, "id": "tooluse_1"}
    assert found.usage.plain() == {"input": 17, "cached": 3, "cache_write": 4, "cache_write_1h": 1, "output": 5}
    assert found.served_model == "anthropic.claude-3-haiku"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_tool_use", "malformed_tool_use"),
    ],
)
def test_reasons_of_the_end(reason: str, finish: str) -> None:
    assert converse.read({**WHOLE, "stopReason": reason}).finish_reason == finish


def test_an_odd_value_anywhere_in_an_answer_gives_an_answer_or_a_fault() -> None:
    tried = 0
    for path in paths(WHOLE):
        for odd in ODD:
            with suppress(Fault):
                kept(whole(json.dumps(replaced(WHOLE, path, odd)).encode(), converse.read))
            tried += 1
    assert tried > 300


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(ANYTHING, ANYTHING)
def test_whatever_an_answer_holds_reading_gives_an_answer_or_a_fault(content: Any, usage: Any) -> None:
    answer_ = {"output": {"message": {"content": content}}, "stopReason": "end_turn", "usage": usage}
    with suppress(Fault):
        whole(json.dumps(answer_).encode(), converse.read)


def image(**fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "image", **fields}]}


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        pytest.param([image(url="https://a.example/x.png")], "no web addresses", id="image-by-url"),
        pytest.param([image(data=PNG, media_type="image/tiff")], "image/tiff", id="tiff"),
        pytest.param([{"role": "user", "content": [{"type": "audio", "data": PNG}]}], "audio", id="audio"),
        pytest.param([{"role": "user", "content": [{"type": "file", "data": PNG}]}], "unknown", id="file-of-no-type"),
        pytest.param([{"role": "user", "content": "a"}, {"role": "system", "content": "b"}], "start", id="late-system"),
        pytest.param([{"role": "user", "name": "Ann", "content": "a"}], "names", id="name"),
        pytest.param([{"role": "tool", "content": "a"}], "id of its call", id="result-without-id"),
        pytest.param([{"role": "assistant", "tool_calls": [{"name": "f"}]}], "id", id="call-without-id"),
        pytest.param([{**image(data=PNG), "role": "system"}], "only text", id="image-in-system"),
    ],
)
def test_what_converse_cannot_express(messages: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(Unfit, match=said):
        converse.body("m", request(messages=messages), {}, stream=False)


@pytest.mark.parametrize(
    ("name", "sent"),
    [("a.b/c  d.pdf", "a b c d pdf"), ("", "document 1-1"), ("日本", "document 1-1"), ("ok (1) [x]-y", "ok (1) [x]-y")],
)
def test_names_of_documents_are_made_fit(name: str, sent: str) -> None:
    part = {"type": "file", "data": PDF, "media_type": "application/pdf", "name": name}
    body = converse.body("m", request(messages=[{"role": "user", "content": [part]}]), {}, stream=False)
    assert body["messages"][0]["content"][0]["document"]["name"] == sent


# ---- boto3 beside us


SHAPE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CALLS = [
    {"id": "t1", "name": "look_up", "arguments": {"id": 7}},
    {"id": "t2", "name": "look_up", "arguments": {"id": 8}},
]
EXCHANGES = [
    pytest.param(
        {"messages": [{"role": "user", "content": "Paris?"}]},
        {"messages": [{"role": "user", "content": [{"text": "Paris?"}]}]},
        id="plain",
    ),
    pytest.param(
        {
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "long"}],
            "params": {"max_tokens": 4, "temperature": 0.5, "top_p": 0.9, "stop": "END"},
        },
        {
            "system": [{"text": "Be brief."}],
            "messages": [{"role": "user", "content": [{"text": "long"}]}],
            "inferenceConfig": {"maxTokens": 4, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        },
        id="parameters",
    ),
    pytest.param(
        {
            "messages": [{"role": "user", "content": "call"}],
            "tools": [{"name": "look_up", "description": "Find.", "parameters": LOOK_UP}],
            "params": {"tool_choice": "required"},
        },
        {
            "messages": [{"role": "user", "content": [{"text": "call"}]}],
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "look_up", "description": "Find.", "inputSchema": {"json": LOOK_UP}}}],
                "toolChoice": {"any": {}},
            },
        },
        id="tools",
    ),
    pytest.param(
        {
            "messages": [
                {"role": "user", "content": "Orders?"},
                {"role": "assistant", "content": "", "tool_calls": CALLS},
                {"role": "tool", "tool_call_id": "t1", "content": '{"state": "sent"}'},
                {"role": "tool", "tool_call_id": "t2", "content": "lost"},
            ],
            "tools": [{"name": "look_up", "parameters": LOOK_UP}],
        },
        {
            "messages": [
                {"role": "user", "content": [{"text": "Orders?"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"toolUse": {"toolUseId": "t1", "name": "look_up", "input": {"id": 7}}},
                        {"toolUse": {"toolUseId": "t2", "name": "look_up", "input": {"id": 8}}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "t1", "content": [{"json": {"state": "sent"}}]}},
                        {"toolResult": {"toolUseId": "t2", "content": [{"text": "lost"}]}},
                    ],
                },
            ],
            "toolConfig": {"tools": [{"toolSpec": {"name": "look_up", "inputSchema": {"json": LOOK_UP}}}]},
        },
        id="results",
    ),
    pytest.param(
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image", "data": PNG},
                        {"type": "file", "data": PDF, "media_type": "application/pdf", "name": "bill"},
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"text": "What is it?"},
                        {"image": {"format": "png", "source": {"bytes": base64.b64decode(PNG)}}},
                        {"document": {"format": "pdf", "name": "bill", "source": {"bytes": base64.b64decode(PDF)}}},
                    ],
                }
            ]
        },
        id="image-and-document",
    ),
    pytest.param(
        {
            "messages": [{"role": "user", "content": "cached"}],
            "params": {
                "response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SHAPE}},
                "additionalModelRequestFields": {"top_k": 5},
            },
        },
        {
            "messages": [{"role": "user", "content": [{"text": "cached"}]}],
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {"jsonSchema": {"name": "place", "schema": json.dumps(SHAPE, separators=(",", ":"))}},
                }
            },
            "additionalModelRequestFields": {"top_k": 5},
        },
        id="schema-and-usage",
    ),
]


def boto(fake: FakeProvider) -> Any:
    return boto3.client(
        "bedrock-runtime",
        region_name=ENVIRON["AWS_REGION"],
        endpoint_url=fake.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        aws_session_token=ENVIRON["AWS_SESSION_TOKEN"],
    )


@pytest.mark.parametrize("model", [PROFILE, ARN])
@pytest.mark.parametrize(("asked", "fields"), EXCHANGES)
def test_boto3_asks_and_reads_the_same(fake: FakeProvider, asked: Any, fields: Any, model: str) -> None:
    fake.reset()
    theirs = boto(fake).converse(modelId=model, **fields)
    their_call = fake.log[-1]
    fake.reset()
    mine = asyncio.run(ask(target(fake.url, f"bedrock:{model}"), request(**asked)))
    my_call = fake.log[-1]
    assert my_call.body == their_call.body
    assert (my_call.model, my_call.key) == (their_call.model, their_call.key) == (model, their_call.key)
    content = theirs["output"]["message"]["content"]
    assert mine.text == "".join(block.get("text", "") for block in content)
    uses = [block["toolUse"] for block in content if "toolUse" in block]
    assert [(c.id, c.name, c.arguments) for c in mine.tool_calls] == [
        (u["toolUseId"], u["name"], u["input"]) for u in uses
    ]
    usage = theirs["usage"]
    cached = usage.get("cacheReadInputTokens", 0)
    assert (mine.usage.input, mine.usage.cached or 0) == (usage["inputTokens"] + cached, cached)
    assert mine.usage.output == usage["outputTokens"]
    assert mine.finish_reason == converse.FINISH[theirs["stopReason"]]


@pytest.mark.parametrize(("asked", "fields"), EXCHANGES)
def test_boto3_reads_the_same_stream(fake: FakeProvider, asked: Any, fields: Any) -> None:
    fake.reset()
    theirs = list(boto(fake).converse_stream(modelId=PROFILE, **fields)["stream"])
    their_call = fake.log[-1]
    fake.reset()
    mine = asyncio.run(ask(target(fake.url, stream=True), request(**asked)))
    assert fake.log[-1].body == their_call.body
    fake.reset()
    whole = asyncio.run(ask(target(fake.url), request(**asked)))
    deltas = [event["contentBlockDelta"]["delta"] for event in theirs if "contentBlockDelta" in event]
    assert mine.text == "".join(delta.get("text", "") for delta in deltas)
    starts = [event["contentBlockStart"]["start"]["toolUse"] for event in theirs if "contentBlockStart" in event]
    assert [(call.id, call.name) for call in mine.tool_calls] == [(use["toolUseId"], use["name"]) for use in starts]
    (usage,) = (event["metadata"]["usage"] for event in theirs if "metadata" in event)
    assert mine.usage.output == usage["outputTokens"]
    assert mine.timing.first_token is not None
    assert mine.timing.first_token <= (mine.timing.total or 0)
    same = ("messages", "finish_reason", "usage", "steps", "failure")
    assert [getattr(mine, name) for name in same] == [getattr(whole, name) for name in same]


# ---- streams


def events(*pieces: tuple[str, Any], last: bytes = b"") -> bytes:
    framed = [
        message({":message-type": "event", ":event-type": name}, json.dumps(value).encode()) for name, value in pieces
    ]
    return b"".join(framed) + last


def delta(value: Any, index: int = 0) -> tuple[str, Any]:
    return "contentBlockDelta", {"delta": value, "contentBlockIndex": index}


STOP = ("messageStop", {"stopReason": "end_turn"})
USAGE = ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}, "metrics": {"latencyMs": 1}})
STREAM = [
    ("messageStart", {"role": "assistant"}),
    delta({"reasoningContent": {"text": "h"}}),
    delta({"reasoningContent": {"text": "m"}}),
    delta({"reasoningContent": {"signature": "s"}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    delta({"text": "Par"}, 1),
    ("contentBlockStart", {"start": {"toolUse": {"toolUseId": "t1", "name": "f"}}, "contentBlockIndex": 2}),
    delta({"toolUse": {"input": '{"x"'}}, 2),
    ("contentBlockStart", {"start": {"toolUse": {"toolUseId": "t2", "name": "g"}}, "contentBlockIndex": 3}),
    delta({"text": "is"}, 1),
    delta({"toolUse": {"input": ": 1}"}}, 2),
    ("somethingNew", {"p": "abc"}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": WHOLE["usage"], "trace": WHOLE["trace"]}),
]


def streamed(raw: bytes, size: int = 1 << 30) -> Any:
    stream = converse.ConverseStream()
    for at in range(0, len(raw), size):
        stream.feed(raw[at : at + size])
    return stream


@pytest.mark.parametrize("size", [1, 7, 1 << 30])
def test_a_stream_is_put_together(size: int) -> None:
    found = streamed(events(*STREAM), size).answer()
    assert (found.message.text, found.thought, found.finish_reason) == ("Paris", "hm", "tool_calls")
    assert [call.plain() for call in found.message.tool_calls] == [
        {"name": "f", "arguments": {"x": 1}, "id": "t1"},
        {"name": "g", "id": "t2"},
    ]
    assert found.usage == converse.read(WHOLE).usage
    assert found.served_model == "anthropic.claude-3-haiku"


@pytest.mark.parametrize(
    ("piece", "started"),
    [
        pytest.param(("messageStart", {"role": "assistant"}), False, id="role"),
        pytest.param(delta({"text": ""}), False, id="no-text"),
        pytest.param(delta({"text": "a"}), True, id="text"),
        pytest.param(delta({"reasoningContent": {"text": "a"}}), True, id="thought"),
        pytest.param(
            ("contentBlockStart", {"start": {"toolUse": {"name": "f"}}, "contentBlockIndex": 0}), True, id="call"
        ),
    ],
)
def test_the_first_token_is_when_the_model_says_something(piece: Any, started: bool) -> None:
    assert streamed(events(piece)).started is started


def thrown(kind: str, said: str = "why") -> bytes:
    return message({":message-type": "exception", ":exception-type": kind}, json.dumps({"message": said}).encode())


@pytest.mark.parametrize(
    ("raw", "code", "reaction"),
    [
        pytest.param(thrown("throttlingException"), "rate_limited", "slow_down", id="throttled"),
        pytest.param(thrown("validationException"), "rejected", "reject", id="validation"),
        pytest.param(thrown("modelStreamErrorException"), "server_error", "retry", id="model"),
        pytest.param(thrown("internalServerException"), "server_error", "retry", id="server"),
        pytest.param(thrown("modelTimeoutException"), "timeout", "retry", id="timeout"),
        pytest.param(thrown("unheardOfException"), "server_error", "retry", id="unknown"),
        pytest.param(
            message({":message-type": "error", ":error-code": "throttlingException", ":error-message": "m"}, b""),
            "rate_limited",
            "slow_down",
            id="error",
        ),
        pytest.param(message({}, b"{}"), "server_error", "retry", id="no-headers"),
        pytest.param(message({":message-type": "exception"}, b"\xff"), "server_error", "retry", id="no-json"),
        pytest.param(events(delta({"text": 7})), "malformed", "retry", id="text-7"),
        pytest.param(events(delta([])), "truncated", "retry", id="empty-delta"),
        pytest.param(events(delta("x")), "malformed", "retry", id="delta-is-text"),
        pytest.param(
            events(("contentBlockDelta", {"delta": {}, "contentBlockIndex": -1})), "malformed", "retry", id="-1"
        ),
        pytest.param(events(("messageStop", {"stopReason": 3})), "malformed", "retry", id="reason-3"),
        pytest.param(events(("messageStop", [])), "malformed", "retry", id="array"),
        pytest.param(events(*STREAM[:-2]), "truncated", "retry", id="no-end"),
        pytest.param(events(*STREAM)[:-3], "truncated", "retry", id="cut"),
        pytest.param(events(*STREAM, last=b"x" * 20), "malformed", "retry", id="noise-behind"),
        pytest.param(b"", "truncated", "retry", id="nothing"),
    ],
)
def test_streams_that_end_in_a_fault(raw: bytes, code: str, reaction: str) -> None:
    with pytest.raises(Fault) as caught:
        streamed(events(delta({"text": "a"})) + raw).answer()
    assert (caught.value.code, caught.value.reaction) == (code, reaction)


@given(st.lists(st.tuples(st.sampled_from(sorted(converse.EVENTS)), ANYTHING), max_size=4))
def test_whatever_events_hold_a_stream_gives_an_answer_or_a_fault(pieces: list[tuple[str, Any]]) -> None:
    with suppress(Fault):
        streamed(events(*pieces, STOP, USAGE)).answer()


KINDS = [
    *("malformed_json", "invalid_utf8", "deep", "empty", "wrong_types", "wrong_values", "surrogates", "big_int", "nan"),
    *("truncated", "stall", "cut", "stream_error", "no_done", "huge", "html", "content_type", "close", "reset"),
    *("redirect", "hang", "endless", "drip", "rate_limit", "server_error", "timeout"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_of_the_fake_provider_ends_a_stream_in_a_typed_failure(kind: str) -> None:
    script = Script(
        default=Reply(text="one two three", fault={"kind": kind} | ({"seconds": 0.001} if kind == "drip" else {}))
    )

    async def go() -> Output:
        async with FakeProvider(script) as fake:
            one = target(fake.url, stream=True, timeout=1)
            return await ask(one, request())

    output = asyncio.run(go())
    harmless = ("drip", "surrogates", "big_int", "content_type", "nan", "wrong_values", "no_done")
    assert output.failure is not None or kind in harmless, kind
    assert output.failure is None or output.failure.code


def test_a_streamed_error_is_known_by_its_kind(fake: FakeProvider) -> None:
    asked = request(messages=[{"role": "user", "content": "limit"}])
    output = asyncio.run(ask(target(fake.url, stream=True), asked))
    assert output.failure is not None
    assert output.failure.code == "rate_limited"


def test_a_secret_that_a_stream_echoes_is_cut_out() -> None:
    raw = events(delta({"text": " ".join(ENVIRON.values())}), STOP)
    sent = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ncontent-length: %d\r\n\r\n" % len(
        raw
    )

    async def go() -> Output:
        async with RawServer([sent + raw]) as server:
            return await ask(target(server.url, stream=True), request())

    assert asyncio.run(go()).text == "*** *** *** eu-central-1"


# ---- a wrong model, keys, and money


def aws_error(kind: str, said: str, status: int = 400) -> bytes:
    return http({"message": said}, status, x_amzn_errortype=f"{kind}:http://internal.amazon.com/coral/")


@pytest.mark.parametrize(
    ("sent", "down"),
    [
        pytest.param(
            aws_error("ValidationException", "The provided model identifier is invalid."), "unknown_model", id="bad-id"
        ),
        pytest.param(
            aws_error("ResourceNotFoundException", "Could not resolve the foundation model.", 404),
            "unknown_model",
            id="not-found",
        ),
        pytest.param(
            aws_error("ValidationException", "Invocation of model ID m with on-demand throughput isn’t supported."),
            "unknown_model",
            id="needs-a-profile",
        ),
        pytest.param(aws_error("AccessDeniedException", "You don't have access.", 403), "auth", id="no-access"),
        pytest.param(aws_error("ValidationException", "maxTokens is too large."), "", id="another-validation"),
        pytest.param(aws_error("ModelErrorException", "The model failed.", 424), "", id="model-error"),
    ],
)
def test_errors_of_aws(sent: bytes, down: str) -> None:
    async def go() -> Output:
        async with RawServer([sent]) as server:
            return await ask(target(server.url), request())

    if down:
        with pytest.raises(TargetDownError, match=down):
            asyncio.run(go())
    else:
        output = asyncio.run(go())
        assert output.failure is not None
        assert output.failure.code in ("rejected", "server_error")


def test_a_model_that_the_fake_provider_lacks_takes_the_target_down() -> None:
    with FakeProvider(Script(models=["amazon.nova-pro-v1:0"])).in_thread() as fake:
        with pytest.raises(TargetDownError, match="unknown_model"):
            asyncio.run(ask(target(fake.url), request()))
        assert asyncio.run(ask(target(fake.url, "bedrock:amazon.nova-pro-v1:0"), request())).failure is None


def test_a_signature_stands_in_for_a_key() -> None:
    with FakeProvider(Script(api_keys=["a-bedrock-key-01"])).in_thread() as fake:
        assert asyncio.run(ask(target(fake.url), request())).failure is None
        assert asyncio.run(ask(target(fake.url, stream=True), request())).failure is None
        with_key = target(fake.url, environ={"K": "a-bedrock-key-01"}, api_key_env="K")
        assert asyncio.run(ask(with_key, request())).failure is None
        wrong = target(fake.url, environ={**ENVIRON, "AWS_SECRET_ACCESS_KEY": "another/secret0123456789"})
        for refused in (wrong, target(fake.url, environ={"K": "no-such-key-0123"}, api_key_env="K")):
            with pytest.raises(TargetDownError, match="auth"):
                asyncio.run(ask(refused, request()))


LISTED = [
    pytest.param("anthropic.claude-3-haiku-20240307-v1:0", True, id="model"),
    pytest.param(PROFILE, True, id="profile-us"),
    pytest.param("eu.anthropic.claude-sonnet-4-20250514-v1:0", True, id="profile-eu"),
    pytest.param("global.anthropic.claude-sonnet-4-5-20250929-v1:0", True, id="profile-global"),
    pytest.param("amazon.nova-pro-v1:0", True, id="nova"),
    pytest.param(ARN, True, id="arn-of-a-profile"),
    pytest.param("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", True, id="arn-of-a-model"),
    pytest.param("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc123", False, id="arn-provisioned"),
    pytest.param(f"arn:aws:bedrock:us-east-1:123456789012:custom-model/{PROFILE}/x", False, id="arn-custom"),
    pytest.param(
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", False, id="arn-application"
    ),
    pytest.param("nobody.nothing-v1:0", False, id="unlisted"),
]


@pytest.mark.parametrize(("model", "listed"), LISTED)
def test_what_a_model_costs(model: str, listed: bool) -> None:
    one = build("t", TargetSpec(use=f"bedrock:{model}"), Path(), ENVIRON)
    assert bool(one.account.prices.source) is listed
    most = one.most(request(params={"max_tokens": 50}))
    assert most.tokens is not None
    assert (most.dollars is not None) is listed


def test_the_model_behind_an_arn_may_be_named() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    for fields in ({"options": {"model": PROFILE}}, {"price": {"model": f"aws/{PROFILE}"}}):
        one = build("t", TargetSpec.model_validate({"use": f"bedrock:{arn}", **fields}), Path(), ENVIRON)
        assert one.most(request(params={"max_tokens": 50})).dollars is not None


@pytest.mark.parametrize(
    ("params", "tokens"),
    [
        pytest.param({"max_tokens": 50}, True, id="limit"),
        pytest.param({"maxTokens": 50}, True, id="own-name"),
        pytest.param({}, False, id="none"),
        pytest.param({"max_tokens": 50, "additionalModelRequestFields": {"top_k": 5}}, True, id="own-field"),
        pytest.param(
            {"max_tokens": 50, "additionalModelRequestFields": {"tools": [{"type": "web"}]}}, False, id="tools"
        ),
        pytest.param({"max_tokens": 50, "promptVariables": {"a": {"text": "b"}}}, False, id="text-elsewhere"),
    ],
)
def test_the_most_that_a_request_may_take(params: dict[str, Any], tokens: bool) -> None:
    tools = [{"name": "look_up", "parameters": LOOK_UP}]
    one = build("t", TargetSpec(use=f"bedrock:{PROFILE}"), Path(), ENVIRON)
    for asked in (request(params=params), request(params=params, tools=tools)):
        most = one.most(asked)
        assert (most.tokens is not None) is tokens
        assert most.output == (50 if tokens else None)


@pytest.mark.parametrize("name", ["serviceTier", "performanceConfig", "guardrailConfig"])
def test_what_changes_the_price_in_a_way_not_listed_leaves_it_unknown(name: str) -> None:
    spec = TargetSpec(use=f"bedrock:{PROFILE}", params={name: {"x": "y"}, "max_tokens": 5})
    assert not build("t", spec, Path(), ENVIRON).account.prices.source
