import asyncio
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.testing import FakeProvider, Reply, Rule, Script
from seatrial.testing.http import HttpError, Reader

SIZED = b"POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /b HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;e=1\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
BARE = b"\r\nGET /c HTTP/1.0\r\nX: 1\r\nx: 2\r\n\r\n"


def pull_all(parts: list[bytes]) -> list[tuple[str, str, bytes, bool]]:
    reader, found = Reader(), []
    for part in parts:
        reader.feed(part)
        while (got := reader.pull()) is not None:
            found.append((got.method, got.path, got.body, got.keep_alive))
    return found


WHOLE = [
    ("POST", "/a", b"hello", True),
    ("POST", "/b", b"hello", True),
    ("GET", "/c", b"", False),
    ("POST", "/a", b"hello", True),
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, len(SIZED + CHUNKED + BARE + SIZED)), max_size=30))
def test_requests_are_the_same_however_the_bytes_are_cut(cuts):
    stream = SIZED + CHUNKED + BARE + SIZED
    edges = [0, *sorted(cuts), len(stream)]
    assert pull_all([stream[a:b] for a, b in pairwise(edges)]) == WHOLE


def test_byte_by_byte():
    assert pull_all([bytes([b]) for b in SIZED + CHUNKED + BARE + SIZED]) == WHOLE


def test_header_values_are_joined_and_names_lowered():
    reader = Reader()
    reader.feed(BARE)
    got = reader.pull()
    assert got is not None
    assert got.headers == {"x": "1, 2"}
    assert got.chunks is False


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader_otherwise_than_by_an_http_error(data):
    reader = Reader()
    reader.feed(data + b"\r\n\r\n")
    statuses: list[int] = []
    try:
        while reader.pull() is not None:
            pass
    except HttpError as error:
        statuses.append(error.status)
    assert all(400 <= status < 600 for status in statuses)


BAD = [
    pytest.param(b"nonsense\r\n\r\n", 400, id="no-request-line"),
    pytest.param(b"GET  / HTTP/1.1\r\n\r\n", 400, id="two-spaces"),
    pytest.param(b"G\x01T / HTTP/1.1\r\n\r\n", 400, id="control-character-in-method"),
    pytest.param(b"GET / HTTP/2.0\r\n\r\n", 505, id="version"),
    pytest.param(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, id="header-without-colon"),
    pytest.param(b"GET / HTTP/1.1\r\n: x\r\n\r\n", 400, id="header-without-name"),
    pytest.param(b"GET / HTTP/1.1\r\na : x\r\n\r\n", 400, id="space-before-colon"),
    pytest.param(b"GET / HTTP/1.1\r\na: x\r\n b\r\n\r\n", 400, id="folded-header"),
    pytest.param(b"GET / HTTP/1.1\r\na: \x00\r\n\r\n", 400, id="null-byte"),
    pytest.param(b"GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n", 400, id="bare-line-feed"),
    pytest.param(b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400, id="negative-length"),
    pytest.param(b"POST / HTTP/1.1\r\ncontent-length: 1e3\r\n\r\n", 400, id="length-not-digits"),
    pytest.param("POST / HTTP/1.1\r\ncontent-length: ²\r\n\r\n".encode("latin-1"), 400, id="superscript-length"),
    pytest.param(b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400, id="two-lengths"),
    pytest.param(b"POST / HTTP/1.1\r\ncontent-length: 999999999999999\r\n\r\n", 413, id="length-too-large"),
    pytest.param(b"POST / HTTP/1.1\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n", 400, id="length-huge-digits"),
    pytest.param(
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400, id="length-and-chunked"
    ),
    pytest.param(b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", 400, id="other-encoding"),
    pytest.param(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400, id="chunk-size-no-number"),
    pytest.param(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n", 400, id="chunk-size-negative"),
    pytest.param(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n", 400, id="chunk-too-long"),
    pytest.param(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfffffffffff\r\n", 413, id="chunk-too-large"),
    pytest.param(b"GET / HTTP/1.1\r\na: " + b"x" * 70_000, 431, id="header-too-large"),
]


@pytest.mark.parametrize(("data", "status"), BAD)
def test_a_malformed_request_is_answered_and_the_connection_closed(talk, data, status):
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, data)
        assert got.startswith(b"HTTP/1.1 %d " % status)
        assert b"connection: close" in got
        json.loads(got.partition(b"\r\n\r\n")[2])
        assert fake.calls == 0


def test_pipelined_requests_are_answered_in_order(talk, make_chat):
    script = Script(answers=(Rule(when={"input": "slow"}, text="first", latency=0.05),))
    data = make_chat("slow", headers="") + make_chat("two", headers="") + make_chat("three")
    with FakeProvider(script).in_thread() as fake:
        got = talk(fake.port, data)
    bodies = [json.loads(part.partition(b"\r\n\r\n")[2]) for part in got.split(b"HTTP/1.1 200 OK")[1:]]
    assert [b["choices"][0]["message"]["content"] for b in bodies] == ["first", "two", "three"]


def test_http_1_0_streams_without_chunks_and_closes(talk, make_chat):
    data = make_chat("a b", stream=True, headers="").replace(b"HTTP/1.1", b"HTTP/1.0")
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, data)
    assert b"transfer-encoding" not in got
    assert got.endswith(b"data: [DONE]\n\n")


def test_a_client_that_expects_100_continue_gets_it(talk, make_chat):
    data = make_chat("x", headers="expect: 100-continue\r\nconnection: close\r\n")
    head, _, body = data.partition(b"\r\n\r\n")

    async def run() -> bytes:
        async with FakeProvider() as fake:
            reader, writer = await asyncio.open_connection("127.0.0.1", fake.port)
            writer.write(head + b"\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(body)
            got = await reader.read()
            writer.close()
            await writer.wait_closed()
            return got

    assert asyncio.run(run()).startswith(b"HTTP/1.1 200 OK")


def test_a_large_body_and_a_large_answer_pass_whole(talk, make_chat):
    text = "é" * 3_000_000
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, make_chat(text))
    assert json.loads(got.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"] == text


@pytest.mark.parametrize("path", ["/", "/v1/unknown", "/v1/models/x/../y", "/%00", "/_fake/", "/_fake/unknown"])
def test_unknown_paths_are_404_with_what_there_is(talk, make_request, path):
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, make_request(b"", path=path, method="GET", headers="connection: close\r\n"))
    assert got.startswith(b"HTTP/1.1 404 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["error"]["message"]


@pytest.mark.parametrize("kind", ["huge", "endless"])
def test_a_client_that_does_not_read_costs_no_memory(make_chat, kind):
    async def run() -> int:
        async with FakeProvider(Script(default=Reply(text="x" * 50_000, fault=kind))) as fake:
            reader, writer = await asyncio.open_connection("127.0.0.1", fake.port, limit=1024)
            writer.write(make_chat("a", stream=kind == "endless"))
            await reader.readexactly(100)
            for _ in range(200):
                await asyncio.sleep(0.001)
            (connection,) = fake._connections
            held = connection._transport.get_write_buffer_size()
            writer.close()
            await writer.wait_closed()
            return held

    assert asyncio.run(run()) < 2**20
