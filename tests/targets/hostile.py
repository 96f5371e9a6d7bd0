"""Answers that no client can use, whatever its dialect, and what each must end as."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from tests.targets.raw_server import Got, completion, http

OK = http(completion())


def raw(body: bytes, head: str = "HTTP/1.1 200 OK", *lines: str) -> bytes:
    return "\r\n".join([head, *lines, "", ""]).encode("latin-1") + body


async def hang(_: Got, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)
    writer.write(OK)


async def drip(_: Got, writer: asyncio.StreamWriter) -> None:
    for byte in OK:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.01)


async def vanish(_: Got, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


DEEP = b"[" * 100_000
SEVENTEEN_MIB = b'{"choices":"' + b"x" * (17 << 20) + b'"}'

HOSTILE = [
    pytest.param(http(b""), "malformed", id="empty-body"),
    pytest.param(http(b"<html>Bad gateway</html>"), "malformed", id="html"),
    pytest.param(http(b"null"), "malformed", id="null"),
    pytest.param(http(b"[]"), "malformed", id="array"),
    pytest.param(http(b'"text"'), "malformed", id="string"),
    pytest.param(http(b'{"choices": NaN'), "malformed", id="cut-nan"),
    pytest.param(http(b"\xff\xfe{\x00}\x00"), "malformed", id="utf-16"),
    pytest.param(http(b'{"choices":[{"message":{"content":"\xe9"}}]}'), "malformed", id="latin-1"),
    pytest.param(http(DEEP), "malformed", id="deep"),
    pytest.param(http(b"1" * 50_000), "malformed", id="long-number"),
    pytest.param(http(b'{"a":' * 5_000 + b"1" + b"}" * 5_000), "malformed", id="deep-objects"),
    pytest.param(http(completion(), length=5_000), "truncated", id="truncated"),
    pytest.param(http(SEVENTEEN_MIB), "too_large", id="17-mib"),
    pytest.param(raw(b"", "HTTP/1.1 200 OK", "content-length: 99999999999"), "too_large", id="claims-100-gb"),
    pytest.param(http(gzip.compress(b" " * (40 << 20)), content_encoding="gzip"), "too_large", id="decompression-bomb"),
    pytest.param(http(b"no gzip", content_encoding="gzip"), "truncated", id="no-gzip"),
    pytest.param(b"garbage\r\n\r\n", "malformed", id="no-http"),
    pytest.param(raw(b"", "HTTP/1.1 999999 ?"), "malformed", id="status-999999"),
    pytest.param(raw(b"", "HTTP/1.1 200 OK", "x: " + "y" * 100_000), "malformed", id="huge-header"),
    pytest.param(raw(b"{}", "HTTP/1.1 200 OK", "content-length: -5"), "malformed", id="negative-length"),
    pytest.param(
        raw(b"zz\r\n{}\r\n", "HTTP/1.1 200 OK", "transfer-encoding: chunked"), "malformed", id="chunk-size-zz"
    ),
    pytest.param(vanish, "connection", id="connection-reset"),
    pytest.param(b"", "connection", id="closed-without-a-byte"),
    pytest.param(hang, "timeout", id="hangs"),
    pytest.param(drip, "timeout", id="drips"),
    pytest.param(http(b"", 302, location="http://127.0.0.1:9/"), "redirect", id="redirect"),
    pytest.param(http(b"", 304), "redirect", id="not-modified"),
    pytest.param(http(b"<html>", 502), "server_error", id="502-html"),
    pytest.param(http(DEEP, 500), "server_error", id="500-deep"),
    pytest.param(http(b"x" * (1 << 20), 500), "server_error", id="500-huge"),
    pytest.param(http({"error": [[[]]]}, 400), "rejected", id="400-odd-error"),
    pytest.param(http(b"\xff", 400), "rejected", id="400-no-utf-8"),
    pytest.param(http(completion(), 500, length=5_000), "server_error", id="500-truncated"),
    pytest.param(http({"error": {"message": "overloaded", "code": 503}}), "server_error", id="error-in-200"),
    pytest.param(http({"error": "overloaded"}), "server_error", id="error-text-in-200"),
]
"""Bytes or a script, and the code of the failure that they must end in."""
