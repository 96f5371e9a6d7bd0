import json
import re
from typing import get_args

import pytest

from seatrial.core.identity import loads
from seatrial.testing import FakeProvider, Fault, Reply, Script
from seatrial.testing.faults import DEPTH
from seatrial.testing.script import FaultKind

WORDS = "one two three four"


def get(talk, data, fault, **talk_options) -> tuple[bytes, bytes, FakeProvider]:
    """Head, body, and the provider that sent them."""
    with FakeProvider(Script(default=Reply(text=WORDS, fault=fault))).in_thread() as fake:
        got = talk(fake.port, data, **talk_options)
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body, fake


def events(body: bytes) -> bytes:
    """A chunked body without its framing, whether or not it is whole."""
    out, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not size or int(size, 16) == 0:
            break
        out, rest = out + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return out


ERRORS = [
    pytest.param("rate_limit", 429, "requests", "rate_limit_exceeded", id="rate_limit"),
    pytest.param("quota", 429, "insufficient_quota", "insufficient_quota", id="quota"),
    pytest.param("unauthorized", 401, "invalid_request_error", "invalid_api_key", id="unauthorized"),
    pytest.param("not_found", 404, "invalid_request_error", "model_not_found", id="not_found"),
    pytest.param("bad_request", 400, "invalid_request_error", None, id="bad_request"),
    pytest.param("context_length", 400, "invalid_request_error", "context_length_exceeded", id="context_length"),
    pytest.param("timeout", 408, "timeout", None, id="timeout"),
    pytest.param("server_error", 500, "server_error", None, id="server_error"),
    pytest.param(Fault(kind="server_error", status=502), 502, "server_error", None, id="502"),
    pytest.param(Fault(kind="server_error", status=503), 503, "server_error", None, id="503"),
    pytest.param(Fault(kind="server_error", status=529), 529, "server_error", None, id="529"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fault", "status", "type_", "code"), ERRORS)
def test_errors(talk, make_chat, fault, status, type_, code, stream):
    head, body, fake = get(talk, make_chat(stream=stream), fault)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/json" in head
    error = json.loads(body)["error"]
    assert (error["type"], error["code"]) == (type_, code)
    assert error["message"]
    assert fake.stats.by_status == {str(status): 1}
    assert fake.stats.served == 0


RETRIES = [
    pytest.param({}, None, id="none"),
    pytest.param({"retry_after": 1.2}, b"retry-after: 2\r\n", id="whole-seconds"),
    pytest.param({"retry_after": 1.2, "retry_form": "ms"}, b"retry-after-ms: 1200\r\n", id="milliseconds"),
    pytest.param(
        {"retry_after": 5, "retry_form": "date"},
        rb"retry-after: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n",
        id="date",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), RETRIES)
def test_retry_after(talk, make_chat, fields, expected):
    head, _, _ = get(talk, make_chat(), Fault(kind="rate_limit", **fields))
    found = re.search(expected, head + b"\r\n") if expected else None
    assert bool(found) == (expected is not None)
    assert (b"retry-after" in head) == (expected is not None)


def test_malformed_json(talk, make_chat):
    head, body, _ = get(talk, make_chat(), "malformed_json")
    assert head.startswith(b"HTTP/1.1 200 OK")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_malformed_json_in_a_stream(talk, make_chat):
    _, body, _ = get(talk, make_chat(stream=True), "malformed_json")
    first, done = body.split(b"\n\n")[:2]
    assert done == b"data: [DONE]"
    with pytest.raises(json.JSONDecodeError):
        json.loads(first.removeprefix(b"data: "))


def test_invalid_utf8(talk, make_chat):
    _, body, _ = get(talk, make_chat(), "invalid_utf8")
    with pytest.raises(UnicodeDecodeError):
        body.decode()


def test_deep(talk, make_chat):
    _, body, _ = get(talk, make_chat(), "deep")
    assert body.count(b"[") == DEPTH
    with pytest.raises(ValueError, match="nested too deep"):
        loads(body)


@pytest.mark.parametrize("stream", [False, True])
def test_empty(talk, make_chat, stream):
    head, body, _ = get(talk, make_chat(stream=stream), "empty")
    assert b"content-length: 0" in head
    assert body == b""


def test_html(talk, make_chat):
    head, body, fake = get(talk, make_chat(), "html")
    assert head.startswith(b"HTTP/1.1 502 Bad Gateway")
    assert b"content-type: text/html" in head
    assert body.startswith(b"<!DOCTYPE html>")
    assert fake.stats.by_status == {"502": 1}
    assert get(talk, make_chat(), Fault(kind="html", status=200))[0].startswith(b"HTTP/1.1 200 ")


def test_content_type(talk, make_chat):
    head, body, _ = get(talk, make_chat(), "content_type")
    assert b"content-type: text/plain" in head
    assert json.loads(body)["choices"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(talk, make_chat, make_request, status):
    script = Script(default=Reply(fault=Fault(kind="redirect", status=status)))
    with FakeProvider(script).in_thread() as fake:
        got = talk(fake.port, make_chat())
        assert got.startswith(b"HTTP/1.1 %d " % status)
        where = re.search(rb"location: (\S+)", got)[1].decode()
        assert fake.stats.redirected == 0
        talk(fake.port, make_request(b"", path=where, headers="connection: close\r\n"))
        assert (fake.stats.redirected, fake.stats.by_status) == (1, {str(status): 1})


@pytest.mark.parametrize("stream", [False, True])
def test_huge(talk, make_chat, stream):
    size = 20 * 2**20
    head, body, _ = get(talk, make_chat(stream=stream), Fault(kind="huge", size=size))
    assert b"content-length: %d" % size in head
    assert len(body) == size
    assert json.loads(body.removeprefix(b"data: "))["padding"]


def test_wrong_types(talk, make_chat):
    _, body, _ = get(talk, make_chat(), "wrong_types")
    got = json.loads(body)
    assert got["choices"] == {"0": "not a list"}
    assert (got["id"], got["created"], got["usage"]) == (42, "not a number", ["not an object"])


def test_wrong_values(talk, make_chat):
    _, body, _ = get(talk, make_chat(), "wrong_values")
    got = json.loads(body)
    assert got["choices"][0]["message"]["content"] == 42
    assert got["choices"][0]["logprobs"] == {"null": []}
    assert got["usage"]["prompt_tokens"] == "not a number"


LITERALS = [
    pytest.param("surrogates", rb'three four\\ud800"', id="surrogates"),
    pytest.param("nan", rb'"completion_tokens":NaN', id="nan"),
    pytest.param("big_int", rb'"completion_tokens":9223372036854775808', id="big-int"),
]


@pytest.mark.parametrize(("kind", "literal"), LITERALS)
def test_odd_json_goes_out_literally(talk, make_chat, kind, literal):
    assert re.search(literal, get(talk, make_chat(), kind)[1])


@pytest.mark.parametrize("kind", ["surrogates", "nan", "big_int", "wrong_types", "wrong_values"])
def test_odd_json_in_streams_keeps_the_framing(talk, make_chat, kind):
    _, body, _ = get(talk, make_chat(stream=True), kind)
    healthy = events(get(talk, make_chat(stream=True), None)[1])
    spoilt = events(body)
    assert spoilt.count(b"data: ") == healthy.count(b"data: ")
    assert spoilt != healthy
    assert spoilt.endswith(b"data: [DONE]\n\n")


def test_truncated(talk, make_chat):
    head, body, fake = get(talk, make_chat(headers=""), "truncated")
    promised = int(re.search(rb"content-length: (\d+)", head)[1])
    assert len(body) == promised // 2
    assert fake.stats.by_fault == {"truncated": 1}


def test_truncated_stream_ends_inside_a_chunk(talk, make_chat):
    _, body, _ = get(talk, make_chat(headers="", stream=True), "truncated")
    assert not body.endswith(b"0\r\n\r\n")
    last = body.rsplit(b"data: ", 1)[1]
    with pytest.raises(json.JSONDecodeError):
        json.loads(last)


def test_close(talk, make_chat):
    assert get(talk, make_chat(headers=""), "close")[:2] == (b"", b"")


def test_reset(talk, make_chat):
    head, _, fake = get(talk, make_chat(headers=""), "reset")
    assert head == b"<reset>"
    assert fake.stats.by_status == {"reset": 1}


def test_hang_says_nothing_until_the_client_gives_up(talk, make_chat):
    head, _, fake = get(talk, make_chat(), "hang", silence=0.1)
    assert head == b"<silence>"
    stats = fake.stats
    assert (stats.abandoned, stats.served, stats.in_flight, stats.by_status) == (1, 0, 0, {"hang": 1})


@pytest.mark.parametrize("stream", [False, True])
def test_stall_begins_an_answer_and_stops(talk, make_chat, stream):
    head, body, fake = get(talk, make_chat(stream=stream), "stall", silence=0.1)
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body.endswith(b"<silence>")
    assert len(body) > len(b"<silence>")
    assert fake.stats.abandoned == 1


@pytest.mark.parametrize("stream", [False, True])
def test_drip_is_slow_and_whole(talk, make_chat, stream):
    dripped = get(talk, make_chat(stream=stream), Fault(kind="drip", seconds=0.001))
    whole = get(talk, make_chat(stream=stream), None)
    assert dripped[1] == whole[1]
    assert dripped[2].stats.served == 1


def test_endless_stream(talk, make_chat):
    _, body, _ = get(talk, make_chat(stream=True), "endless", most=20_000)
    assert body.count(b'"content":"one"') + body.count(b'"delta"') > 50
    assert b"[DONE]" not in body


def test_no_done(talk, make_chat):
    _, body, _ = get(talk, make_chat(stream=True), "no_done")
    assert body.endswith(b"0\r\n\r\n")
    assert b"[DONE]" not in body
    assert events(body) + b"data: [DONE]\n\n" == events(get(talk, make_chat(stream=True), None)[1])


def test_cut_ends_properly_inside_an_event(talk, make_chat):
    _, body, _ = get(talk, make_chat(stream=True), "cut")
    assert body.endswith(b"0\r\n\r\n")
    *whole, last = events(body).split(b"\n\n")
    assert whole
    for event in whole:
        json.loads(event.removeprefix(b"data: "))
    with pytest.raises(json.JSONDecodeError):
        json.loads(last.removeprefix(b"data: "))


def test_stream_error(talk, make_chat):
    _, body, _ = get(talk, make_chat(stream=True), "stream_error")
    *_, last, _ = events(body).split(b"\n\n")
    assert json.loads(last.removeprefix(b"data: "))["error"]["type"] == "server_error"
    assert b"[DONE]" not in body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_every_fault_differs_from_the_good_answer_or_is_harmless(talk, make_chat, kind, stream):
    fault = Fault(kind=kind, **({"size": 5000} if kind == "huge" else {"seconds": 0.0} if kind == "drip" else {}))
    head, body, fake = get(talk, make_chat(stream=stream), fault, silence=0.05, most=20_000)
    whole = get(talk, make_chat(stream=stream), None)
    harmless = kind == "drip" or (kind in {"endless", "no_done", "cut", "stream_error"} and not stream)
    assert ((head, body) == whole[:2]) == harmless
    assert fake.stats.served == harmless
