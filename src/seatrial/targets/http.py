"""One HTTP client a target: bounded bodies, no redirects, no proxy from the environment, no cookies, no secrets out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from seatrial.targets.retry import Fault, classify

MOST_BYTES = 16 << 20
"""A body may have at most 16 MiB, streamed or not, after decompression."""

MOST_ERROR_BYTES = 64 << 10
SHORTEST_SECRET = 8
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer. `streamed`: the body went to the reader, piece by piece."""

    body: bytes
    streamed: bool


class Secret:
    """Text that shows up nowhere but where it is asked for."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret('***')"


class Client:
    """Posts to one endpoint. The secret goes out in one header and is cut from all that comes back."""

    def __init__(self, url: str, headers: Mapping[str, str], concurrency: int, timeout: float) -> None:
        self._url = URL(url)
        self._headers = CIMultiDict(headers)
        self._concurrency = concurrency
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._secret = Secret("")
        self._session: aiohttp.ClientSession | None = None

    async def open(self, secret: Secret, header: str = "Authorization", prefix: str = "Bearer ") -> None:
        """Open the session on the running loop. An empty secret is not sent."""
        headers = self._headers.copy()
        if secret.value:
            headers[header] = f"{prefix}{secret.value}"
        self._secret = secret
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
        """The bytes without our key, should an endpoint echo it."""
        secret = self._secret.value.encode()
        return raw.replace(secret, b"***") if len(secret) >= SHORTEST_SECRET and secret in raw else raw

    async def post(self, body: bytes, reader: Callable[[bytes], None] | None = None) -> Reply:
        """Send the body once. Event streams go to `reader` in pieces.

        Raises Fault for everything but a 2xx answer that was received in full.
        """
        assert self._session is not None, "the target is not open"
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                if not 200 <= response.status < 300:
                    raw = await _head(response)
                    raise classify(response.status, response.headers, self.scrub(raw))
                if reader is not None and response.content_type == EVENT_STREAM:
                    await _stream(response, reader)
                    return Reply(b"", streamed=True)
                return Reply(self.scrub(await _whole(response)), streamed=False)
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


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
