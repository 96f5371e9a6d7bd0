"""One HTTP client a target: bounded bodies, no redirects, no proxy from the environment, no cookies, no secrets out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from seatrial.targets.auth import Auth
from seatrial.targets.retry import Fault, classify

MOST_BYTES = 16 << 20
"""A body may have at most 16 MiB, streamed or not, after decompression."""

MOST_ERROR_BYTES = 64 << 10


Body = Callable[[], AsyncIterator[bytes] | bytes] | None
"""What makes a request's body, once for each attempt."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer. `streamed`: the body went to the reader, piece by piece. `date`: the endpoint's clock."""

    body: bytes
    streamed: bool
    date: str = ""


class Client:
    """Posts to one endpoint. Secrets go out in headers alone and are cut from all that comes back."""

    def __init__(self, url: str, headers: Mapping[str, str], concurrency: int, timeout: float) -> None:
        self._url = URL(url, encoded="%" in url)  # what holds escapes is signed as it stands
        self._headers = CIMultiDict(headers)
        self._concurrency = concurrency
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._auth = Auth()
        self._session: aiohttp.ClientSession | None = None

    async def open(self, auth: Auth) -> None:
        """Open the session on the running loop."""
        headers = self._headers.copy()
        headers.update(auth.fixed)
        self._auth = auth
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            headers=headers,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections; harmless when it is not open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def scrub(self, raw: bytes) -> bytes:
        """The bytes without our secrets, should an endpoint echo one."""
        return self._auth.scrub(raw)

    async def post(self, body: bytes, reader: Callable[[bytes], None] | None = None, streams: str = "") -> Reply:
        """Send the body once. An answer of the media type `streams` goes to `reader` in pieces.

        Raises Fault for everything but a 2xx answer that was received in full.
        """
        assert self._session is not None, "the target is not open"
        own = self._auth.headers("POST", str(self._url), body)
        try:
            async with self._session.post(self._url, data=body, headers=own, allow_redirects=False) as response:
                if not 200 <= response.status < 300:
                    raw = await _head(response)
                    raise classify(response.status, response.headers, self.scrub(raw))
                if reader is not None and response.content_type == streams:
                    await _stream(response, reader)
                    return Reply(b"", streamed=True)
                return Reply(self.scrub(await _whole(response)), streamed=False)
        except (aiohttp.ClientError, OSError, ValueError, EOFError) as cause:
            raise _fault(cause, self.scrub) from None

    async def get(self, url: str) -> Reply:
        """Read another address of the same host, like a list of models. Raises Fault as `post` does."""
        assert self._session is not None, "the target is not open"
        try:
            where, own = URL(url, encoded=True), self._auth.headers("GET", url, b"")
            async with self._session.get(where, headers=own, allow_redirects=False) as response:
                if not 200 <= response.status < 300:
                    raise classify(response.status, response.headers, self.scrub(await _head(response)))
                body = self.scrub(await _whole(response))
                return Reply(body, streamed=False, date=response.headers.get("Date", ""))
        except (aiohttp.ClientError, OSError, ValueError, EOFError) as cause:
            raise _fault(cause, self.scrub) from None

    async def exchange(
        self, method: str, url: str, *, data: Body = None, headers: Mapping[str, str] | None = None, seconds: float = 0
    ) -> bytes:
        """One exchange with another address of the same endpoint, within `seconds` where given.

        `data` makes the body anew. Raises Fault as `post` does.
        """
        assert self._session is not None, "the target is not open"
        timeout = aiohttp.ClientTimeout(total=seconds) if seconds else self._timeout
        body = data() if data is not None else None
        try:
            async with self._session.request(
                method, URL(url, encoded=True), data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    raise classify(response.status, response.headers, self.scrub(await _head(response)))
                return self.scrub(await _whole(response))
        except (aiohttp.ClientError, OSError, ValueError, EOFError) as cause:
            raise _fault(cause, self.scrub) from None

    async def lines(self, url: str, idle: float) -> AsyncIterator[bytes]:
        """The lines of a long answer as they come, at most `idle` seconds between two pieces of it.

        A line may have 16 MiB. Raises Fault as `post` does, also after some lines.
        """
        assert self._session is not None, "the target is not open"
        timeout = aiohttp.ClientTimeout(sock_connect=idle, sock_read=idle)
        try:
            async with self._session.get(URL(url, encoded=True), timeout=timeout, allow_redirects=False) as response:
                if not 200 <= response.status < 300:
                    raise classify(response.status, response.headers, self.scrub(await _head(response)))
                rest = bytearray()
                while piece := await response.content.readany():
                    *whole, tail = piece.split(b"\n")
                    for part in whole:
                        rest += part
                        yield self.scrub(bytes(rest))
                        rest.clear()
                    rest += tail
                    if len(rest) > MOST_BYTES:
                        raise _too_large(response)
                if rest:
                    yield self.scrub(bytes(rest))
        except (aiohttp.ClientError, OSError, ValueError, EOFError) as cause:
            raise _fault(cause, self.scrub) from None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    if (response.content_length or 0) > MOST_BYTES:
        raise _too_large(response)
    pieces: list[bytes] = []
    size = 0
    while piece := await response.content.readany():
        size += len(piece)
        if size > MOST_BYTES:
            raise _too_large(response)
        pieces.append(piece)
    return b"".join(pieces)


async def _stream(response: aiohttp.ClientResponse, reader: Callable[[bytes], None]) -> None:
    size = 0
    while piece := await response.content.readany():
        size += len(piece)
        if size > MOST_BYTES:
            raise _too_large(response)
        reader(piece)


async def _head(response: aiohttp.ClientResponse) -> bytes:
    """The first bytes of an error body; whatever goes wrong with the rest, the status stands."""
    pieces: list[bytes] = []
    size = 0
    try:
        while size < MOST_ERROR_BYTES and (piece := await response.content.readany()):
            pieces.append(piece)
            size += len(piece)
    except (aiohttp.ClientError, OSError):
        pass
    if size >= MOST_ERROR_BYTES:
        response.close()
    return b"".join(pieces)[:MOST_ERROR_BYTES]


def _too_large(response: aiohttp.ClientResponse) -> Fault:
    response.close()
    return Fault("too_large", f"the body exceeds {MOST_BYTES} bytes", status=response.status, reaction="reject")


def _fault(cause: Exception, scrub: Callable[[bytes], bytes]) -> Fault:
    text = scrub(f"{type(cause).__name__}: {cause}".encode("utf-8", "replace")).decode("utf-8", "replace")
    if isinstance(cause, TimeoutError):
        return Fault("timeout", "no full answer within the time limit")
    if isinstance(cause, aiohttp.ClientPayloadError):
        return Fault("truncated", text)
    if isinstance(cause, aiohttp.ClientConnectorError):
        return Fault(
            "unreachable", f"{cause.host}:{cause.port}: {cause.os_error.strerror or type(cause.os_error).__name__}"
        )
    if isinstance(cause, aiohttp.ClientConnectionError | OSError):
        return Fault("connection", text)
    return Fault("malformed", text)
