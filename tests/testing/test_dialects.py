"""The wire formats beyond chat completions: what is refused, what is counted, and every fault in each of them."""

import json
from typing import get_args

import pytest

from seatrial.testing import FakeProvider, Fault, Reply, Rule, Script
from seatrial.testing.script import STREAM_ONLY, FaultKind

CLOSE = "connection: close\r\n"
WORDS = "one two three four"


def messages(text, stream):
    return "/v1/messages", {
        "model": "m",
        "max_tokens": 99,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    }


def responses(text, stream):
    return "/v1/responses", {"model": "m", "stream": stream, "input": text}


def contents(text, stream):
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/v1beta/models/m:{verb}", {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def embeddings(text, stream):
    return "/v1/embeddings", {"model": "m", "input": text}


STREAMED = {"messages": messages, "responses": responses, "contents": contents}
DIALECTS = {**STREAMED, "embeddings": embeddings}


@pytest.fixture
def send(talk, make_request):
    def exchange(fake, dialect, text="hi", stream=False, **options):
        path, body = DIALECTS[dialect](text, stream)
        return talk(fake.port, make_request(body, path=path, headers=CLOSE), **options)

    return exchange


def body(got):
    return json.loads(got.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_prompt_has_one_key_in_every_dialect(send, dialect):
    with FakeProvider().in_thread() as fake:
        assert send(fake, dialect, "Where is it?").startswith(b"HTTP/1.1 200 OK")
        assert fake.calls_for("Where is it?", model="m") == 1
        assert fake.stats.served == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", STREAMED)
@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_every_fault_differs_from_the_good_answer_or_is_harmless(send, kind, dialect, stream):
    fault = Fault(kind=kind, **({"size": 5000} if kind == "huge" else {"seconds": 0.0} if kind == "drip" else {}))
    got = []
    for reply in (Reply(text=WORDS, fault=fault), Reply(text=WORDS)):
        with FakeProvider(Script(default=reply)).in_thread() as fake:
            got.append(send(fake, dialect, stream=stream, silence=0.05, most=20_000))
            harmless = reply.fault is None or kind == "drip" or (kind in STREAM_ONLY and not stream)
            assert fake.stats.served == harmless
    assert (got[0] == got[1]) == (kind == "drip" or (kind in STREAM_ONLY and not stream))


@pytest.mark.parametrize("dialect", STREAMED)
def test_the_same_script_gives_the_same_bytes(send, dialect):
    script = Script(seed=3, faults=[Fault(kind="rate_limit", probability=0.5)], default=Reply(echo="{call} {input}"))

    def run():
        with FakeProvider(script).in_thread() as fake:
            return [send(fake, dialect, f"q{i % 5}", stream=i % 2 == 0) for i in range(20)]

    assert run() == run()


ERRORS = {
    "messages": lambda status, error: error["error"]["type"],
    "responses": lambda status, error: error["error"]["code"],
    "embeddings": lambda status, error: error["error"]["code"],
    "contents": lambda status, error: (error["error"]["status"], error["error"]["code"] == status),
}
WORD = {
    "rate_limit": (429, "rate_limit_error", "rate_limit_exceeded", ("RESOURCE_EXHAUSTED", True)),
    "quota": (429, "billing_error", "insufficient_quota", ("RESOURCE_EXHAUSTED", True)),
    "unauthorized": (401, "authentication_error", "invalid_api_key", ("UNAUTHENTICATED", True)),
    "not_found": (404, "not_found_error", "model_not_found", ("NOT_FOUND", True)),
    "bad_request": (400, "invalid_request_error", None, ("INVALID_ARGUMENT", True)),
    "server_error": (500, "api_error", None, ("INTERNAL", True)),
}


@pytest.mark.parametrize("kind", WORD)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_errors_have_the_dialects_form(send, dialect, kind):
    status, *words = WORD[kind]
    with FakeProvider(Script(default=Reply(fault=kind))).in_thread() as fake:
        got = send(fake, dialect)
    assert got.startswith(b"HTTP/1.1 %d " % status)
    expected = dict(zip(("messages", "responses", "contents"), words, strict=True)) | {"embeddings": words[1]}
    assert ERRORS[dialect](status, body(got)) == expected[dialect]


BAD = [
    *(pytest.param(path, raw, id=f"{name}-{id_}")
      for name, path in (("messages", "/v1/messages"), ("responses", "/v1/responses"), ("embeddings", "/v1/embeddings"),
                         ("contents", "/v1beta/models/m:generateContent"))
      for id_, raw in (("empty", b""), ("cut", b"{"), ("not-utf8", b"\xff"), ("deep", b"[" * 100_000), ("array", b"[]"),
                       ("nothing", b"{}"))),
    pytest.param("/v1/messages", b'{"model":"m","messages":[{"role":"user"}]}', id="messages-no-limit"),
    pytest.param("/v1/messages", b'{"model":"m","max_tokens":1,"messages":[]}', id="messages-none"),
    pytest.param("/v1/messages", b'{"model":"m","max_tokens":1,"messages":[{"role":"tool"}]}', id="messages-role"),
    pytest.param("/v1/responses", b'{"model":"m","input":[{"role":7}]}', id="responses-role"),
    pytest.param("/v1/responses", b'{"model":"m","input":"a","max_output_tokens":0}', id="responses-limit"),
    pytest.param("/v1/embeddings", b'{"model":"m","input":[1,2]}', id="embeddings-tokens"),
    pytest.param("/v1/embeddings", b'{"model":"m","input":"a","encoding_format":"x"}', id="embeddings-format"),
    pytest.param("/v1/embeddings", b'{"model":"m","input":"a","dimensions":-1}', id="embeddings-dimensions"),
    pytest.param("/v1beta/models/m:generateContent", b'{"contents":[7]}', id="contents-number"),
    pytest.param("/v1beta/models/m:generateContent", b'{"contents":[{"role":["user"]}]}', id="contents-role"),
    pytest.param("/v1beta/models/m:streamGenerateContent", b'{"contents":[{"parts":[]}]}', id="contents-no-sse"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "raw"), BAD)
def test_a_request_that_makes_no_sense_is_400(talk, make_request, path, raw):
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, make_request(raw, path=path, headers=CLOSE))
        assert got.startswith(b"HTTP/1.1 400 ")
        assert body(got)["error"]["message"]
        assert fake.stats.by_status == {"400": 1}


ODD = [
    pytest.param("messages", b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":17}]}', id="messages"),
    pytest.param("responses", b'{"model":"m\\ud800","input":[{"role":"user","content":[7]}],"x":NaN}', id="responses"),
    pytest.param("contents", b'{"contents":[{"parts":[{"text":7}, 8]}],"seed":9223372036854775808}', id="contents"),
    pytest.param("embeddings", b'{"model":"m","input":["\\ud800\\u0000",""]}', id="embeddings"),
]


@pytest.mark.parametrize(("dialect", "raw"), ODD)
def test_odd_content_is_answered(talk, make_request, dialect, raw):
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, make_request(raw, path=DIALECTS[dialect]("", False)[0], headers=CLOSE))
    assert got.startswith(b"HTTP/1.1 200 OK")


def test_rules_fit_whatever_the_dialect(send):
    rule = Rule(when={"input": "tools"}, text="I look.", tool_calls=[{"name": "f", "arguments": {"a": 1}, "id": "c"}])
    with FakeProvider(Script(answers=[rule])).in_thread() as fake:
        message = body(send(fake, "messages", "tools"))
        content = body(send(fake, "contents", "tools"))["candidates"][0]
        response = body(send(fake, "responses", "tools"))
    assert [b["type"] for b in message["content"]] == ["text", "tool_use"]
    assert (message["content"][1]["input"], message["stop_reason"]) == ({"a": 1}, "tool_use")
    assert content["content"]["parts"][1]["functionCall"] == {"id": "c", "name": "f", "args": {"a": 1}}
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]
    assert response["output"][1]["arguments"] == '{"a":1}'


def test_events_are_named_where_the_dialect_names_them(send):
    with FakeProvider().in_thread() as fake:
        got = {name: send(fake, name, "hi", stream=True) for name in STREAMED}
    assert b"event: message_stop\ndata: " in got["messages"]
    assert b"event: response.completed\ndata: " in got["responses"]
    assert b"event:" not in got["contents"]
