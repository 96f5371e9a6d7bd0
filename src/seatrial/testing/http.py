"""A lean HTTP/1.1 server (RFC 9112): keep-alive, pipelining, chunked bodies, and answers that may misbehave.

An answer is a stream of actions: bytes to write, seconds to wait, or an end other than the usual one. That is what
lets a fault be plain data. A request costs about a quarter of the CPU that aiohttp's low-level server takes for it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

MAX_HEAD = 64 * 1024
MAX_BODY = 256 * 2**20
MAX_AHEAD = 1 << 20
CRLF = b"\r\n"


class End(Enum):
    """An end of an answer other than waiting for the next request."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


Action = bytes | float | End
"""Bytes to write, seconds to wait, or how to end."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool
    chunks: bool

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]


class HttpError(Exception):
    """A request that is not HTTP; the connection is closed after the answer."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


def _nothing(_complete: bool) -> None:
    return


@dataclass(slots=True)
class Exchange:
    """An answer under way. `finished` is told whether it went out whole."""

    actions: Iterator[Action]
    finished: Callable[[bool], None] = _nothing


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """A status line and headers."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {_reason(status)}\r\n{lines}\r\n".encode("latin-1", "replace")


def response(status: int, body: bytes, content_type: str = "application/json", **headers: str) -> bytes:
    """A whole response; an underscore in a header's name stands for a hyphen."""
    if status == 200 and content_type == "application/json" and not headers:
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return head(status, {"content-type": content_type, "content-length": str(len(body)), **named}) + body


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; empty data ends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in _STATUSES else "Unknown"


_STATUSES = frozenset(HTTPStatus)


@dataclass(slots=True)
class _Head:
    method: str
    target: str
    headers: dict[str, str]
    keep_alive: bool
    chunks: bool
    chunked: bool
    length: int

    def request(self, body: bytes) -> HttpRequest:
        return HttpRequest(self.method, self.target, self.headers, body, self.keep_alive, self.chunks)


def _parse_head(raw: bytes) -> _Head:
    first, *lines = raw.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[0].isalpha() or not parts[1] or not parts[2].startswith("HTTP/"):
        raise HttpError(400, "the request line is not HTTP")
    if parts[2] not in {"HTTP/1.1", "HTTP/1.0"}:
        raise HttpError(505, "only HTTP/1.0 and HTTP/1.1 are spoken")
    if b"\0" in raw or len(lines) != raw.count(b"\n") or len(lines) != raw.count(b"\r"):
        raise HttpError(400, "a header line holds a control character")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name[0] in " \t" or name[-1] in " \t":
            raise HttpError(400, "a header line is not HTTP")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    new = parts[2] == "HTTP/1.1"
    wish = headers.get("connection", "").lower()
    keep = "close" not in wish if new else "keep-alive" in wish
    chunked, length = _framing(headers)
    return _Head(parts[0], parts[1], headers, keep, new, chunked, length)


def _framing(headers: Mapping[str, str]) -> tuple[bool, int]:
    encoding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if encoding is not None:
        if length is not None or encoding.lower() != "chunked":
            raise HttpError(400, "a body has either a content-length or the transfer-encoding chunked")
        return True, 0
    if length is None:
        return False, 0
    if not (length.isascii() and length.isdigit() and len(length) < 16):
        raise HttpError(400, "content-length is not a number")
    if int(length) > MAX_BODY:
        raise HttpError(413, "the body is too large")
    return False, int(length)


class Reader:
    """Turns received bytes into requests, however they were cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._body = bytearray()
        self._told = False

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        self._buffer += data

    @property
    def waiting(self) -> int:
        """Bytes received and not yet read."""
        return len(self._buffer)

    def wants_continue(self) -> bool:
        """True once when the client waits for `100 Continue` before it sends its body."""
        at = self._head
        if at is None or self._told or "100-continue" not in at.headers.get("expect", "").lower():
            return False
        self._told = True
        return True

    def pull(self) -> HttpRequest | None:
        """The next request that is complete, else None. Raises HttpError."""
        if self._head is None:
            self._head = self._next_head()
        at = self._head
        if at is None:
            return None
        body = self._chunked_body() if at.chunked else self._sized_body(at.length)
        if body is None:
            return None
        self._head, self._told = None, False
        return at.request(body)

    def _next_head(self) -> _Head | None:
        while self._buffer.startswith(CRLF):
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise HttpError(431, "the header is too large")
            return None
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        return _parse_head(raw)

    def _sized_body(self, length: int) -> bytes | None:
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _chunked_body(self) -> bytes | None:
        while True:
            end = self._buffer.find(CRLF)
            if end < 0:
                if len(self._buffer) > MAX_HEAD:
                    raise HttpError(400, "a chunk has no size")
                return None
            size = _chunk_size(bytes(self._buffer[:end]))
            if len(self._body) + size > MAX_BODY:
                raise HttpError(413, "the body is too large")
            if size == 0:
                return self._trailers(end)
            if len(self._buffer) < end + 2 + size + 2:
                return None
            if not self._buffer.startswith(CRLF, end + 2 + size):
                raise HttpError(400, "a chunk is longer than its size")
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 4 + size]

    def _trailers(self, end: int) -> bytes | None:
        last = end if self._buffer.startswith(CRLF, end + 2) else self._buffer.find(b"\r\n\r\n", end + 2)
        if last < 0:
            if len(self._buffer) > MAX_HEAD:
                raise HttpError(431, "the trailer is too large")
            return None
        del self._buffer[: last + 4]
        body, self._body = bytes(self._body), bytearray()
        return body


_HEX = frozenset(b"0123456789abcdefABCDEF")


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or not _HEX.issuperset(digits):
        raise HttpError(400, "a chunk's size is not a number")
    return int(digits, 16)


class Connection(asyncio.Protocol):
    """One client. Requests are answered in order, one at a time; what can be written at once needs no task."""

    def __init__(self, answer: Callable[[HttpRequest], Exchange], open_ones: set[Connection]) -> None:
        self._answer = answer
        self._open = open_ones
        self._reader = Reader()
        self._transport: asyncio.Transport
        self._exchange: Exchange | None = None
        self._last = False
        self._task: asyncio.Task[None] | None = None
        self._writable: asyncio.Event | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Forget what was under way."""
        self._open.discard(self)
        if self._task is not None:
            self._task.cancel()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.finished(False)

    def pause_writing(self) -> None:
        """The client reads too slowly: hold back."""
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        """Go on writing."""
        if self._writable is not None:
            self._writable.set()
        self._writable = None

    def close(self) -> None:
        """Close without a word."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read requests and answer them."""
        self._reader.feed(data)
        if self._exchange is None:
            self._serve()
        elif self._reader.waiting > MAX_AHEAD:
            self._transport.pause_reading()

    def _serve(self) -> None:
        while self._exchange is None and not self._transport.is_closing():
            try:
                request = self._reader.pull()
            except HttpError as error:
                body = b'{"error":{"message":"%b","type":"invalid_request_error"}}' % str(error).encode("ascii")
                self._transport.write(response(error.status, body, connection="close"))
                self._transport.close()
                return
            if request is None:
                if self._reader.wants_continue():
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self._transport.resume_reading()
                return
            self._last = not request.keep_alive
            self._exchange = self._answer(request)
            wait = self._advance(self._exchange)
            if wait is not None:
                self._task = asyncio.get_running_loop().create_task(self._go_on(self._exchange, wait))

    def _advance(self, exchange: Exchange) -> float | None:
        """Write until the answer must wait (for how many seconds), or is over or hangs (None)."""
        for action in exchange.actions:
            if isinstance(action, bytes):
                self._transport.write(action)
                if self._writable is not None:
                    return 0.0
            elif isinstance(action, float | int):
                if action > 0:
                    return action
            else:
                self._end(action)
                return None
        self._exchange = None
        exchange.finished(True)
        if self._last:
            self._transport.close()
        return None

    async def _go_on(self, exchange: Exchange, wait: float | None) -> None:
        while wait is not None:
            await asyncio.sleep(wait)
            if self._writable is not None:
                await self._writable.wait()
            wait = self._advance(exchange)
        self._task = None
        self._serve()

    def _end(self, end: End) -> None:
        if end is End.CLOSE:
            self._transport.close()
        elif end is End.RESET:
            raw: socket.socket | None = self._transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
