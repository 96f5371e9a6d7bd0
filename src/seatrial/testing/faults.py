"""What each fault puts on the wire."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, cast

from seatrial.core.identity import encode
from seatrial.testing.dialects import bedrock
from seatrial.testing.dialects.base import Asked, Dialect, Given, dump
from seatrial.testing.http import Action, End, chunk, head, response
from seatrial.testing.script import BodyKind, ErrorKind, Fault

PIECE = 64 * 1024
DEPTH = 100_000
_STATUS = {"redirect": 307, "html": 502}
REDIRECTED = "/_fake/redirected"
JSON = "application/json"
STREAM = "text/event-stream; charset=utf-8"

_ERRORS: Mapping[ErrorKind, tuple[int, str]] = {
    "rate_limit": (429, "Rate limit reached for requests."),
    "quota": (429, "You exceeded your current quota, please check your plan and billing details."),
    "unauthorized": (401, "Incorrect API key provided."),
    "not_found": (404, "The model does not exist or you do not have access to it."),
    "bad_request": (400, "The request is invalid."),
    "context_length": (400, "This model's maximum context length is 8192 tokens."),
    "timeout": (408, "The request timed out."),
    "server_error": (500, "The server had an error while processing your request."),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One request with the answer it would get; `waits` gives the seconds before each event of a stream."""

    asked: Asked
    given: Given
    dialect: Dialect
    chunked: bool
    waits: Callable[[], float]


def status_of(fault: Fault) -> str:
    """The HTTP status that a client sees, or the fault's name where it sees none."""
    if fault.kind in _ERRORS:
        return str(fault.status or _ERRORS[cast("ErrorKind", fault.kind)][0])
    if fault.kind in _STATUS:
        return str(fault.status or _STATUS[fault.kind])
    return fault.kind if fault.kind in {"close", "reset", "hang"} else "200"


def retry_headers(after: float | None, form: str) -> dict[str, str]:
    """Retry-After as a provider may write it: whole seconds, a date, or milliseconds beside it."""
    if after is None:
        return {}
    if form == "date":
        return {"retry-after": formatdate(time.time() + math.ceil(after), usegmt=True)}
    if form == "ms":
        return {"retry-after-ms": str(math.ceil(after * 1000))}
    return {"retry-after": str(math.ceil(after))}


def error(dialect: Dialect, status: int, kind: str, message: str, **headers: str) -> bytes:
    """An error response in the dialect's form."""
    if isinstance(dialect, bedrock.Converse):
        headers["x-amzn-errortype"] = bedrock.ERRORS.get(status, "InternalServerException")
    return response(status, dump(dialect.error(status, kind, message)), **headers)


def healthy(turn: Turn) -> Iterator[Action]:
    """The answer as it should be."""
    if turn.asked.stream:
        return _stream(turn, dump)
    return iter((response(200, dump(turn.dialect.body(turn.asked, turn.given))),))


def faulty(turn: Turn, fault: Fault) -> Iterator[Action]:
    """The answer with its fault."""
    if fault.kind in _ERRORS:
        return iter((_error(turn, fault),))
    if fault.kind in _PAYLOADS:
        return _spoilt(turn, _PAYLOADS[cast("BodyKind", fault.kind)])
    if fault.kind in _BODIES:
        return _with_body(turn, _BODIES[cast("BodyKind", fault.kind)])
    return _OTHERS[fault.kind](turn, fault)


def _error(turn: Turn, fault: Fault) -> bytes:
    status, message = _ERRORS[cast("ErrorKind", fault.kind)]
    headers = retry_headers(fault.retry_after, fault.retry_form)
    return error(turn.dialect, fault.status or status, fault.kind, message, **headers)


def _stream_type(turn: Turn) -> str:
    return bedrock.EVENTS if isinstance(turn.dialect, bedrock.Converse) else STREAM


def _stream_head(turn: Turn) -> bytes:
    framing = {"transfer-encoding": "chunked"} if turn.chunked else {"connection": "close"}
    return head(200, {"content-type": _stream_type(turn), "cache-control": "no-cache", **framing})


def _framed(turn: Turn, data: bytes) -> bytes:
    return chunk(data) if turn.chunked and data else data


def _events(turn: Turn, write: Callable[[Any], bytes] = dump) -> Iterator[bytes]:
    for payload in turn.dialect.events(turn.asked, turn.given):
        yield turn.dialect.event(write(payload))


def _stream(turn: Turn, write: Callable[[Any], bytes], *, done: bool = True) -> Iterator[Action]:
    ready = bytearray(_stream_head(turn))
    events = _events(turn, write)
    if not (done or turn.dialect.done()):  # then the last event is what ends it
        events = iter(list(events)[:-1])
    for at, event in enumerate(events):
        wait = turn.waits() if at else 0.0
        if wait > 0 or len(ready) > PIECE:
            yield bytes(ready)
            yield wait
            ready.clear()
        ready += _framed(turn, event)
    ready += _framed(turn, turn.dialect.done()) if done else b""
    ready += chunk(b"") if turn.chunked else b""
    yield bytes(ready)
    if not turn.chunked:
        yield End.CLOSE


def _spoilt(turn: Turn, spoil: Callable[[Any], Any]) -> Iterator[Action]:
    if turn.asked.stream:
        return _stream(turn, lambda payload: encode(spoil(payload)))
    return iter((response(200, encode(spoil(turn.dialect.body(turn.asked, turn.given)))),))


def _with_body(turn: Turn, make: Callable[[bytes], bytes]) -> Iterator[Action]:
    if not turn.asked.stream:
        return iter((response(200, make(dump(turn.dialect.body(turn.asked, turn.given)))),))
    payload = make(dump(next(turn.dialect.events(turn.asked, turn.given))))
    whole = turn.dialect.event(payload) + turn.dialect.done() if payload else b""
    return iter((response(200, whole, _stream_type(turn)),))


def _leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _leaves(item, change) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_leaves(item, change) for item in cast("list[Any]", value)]
    return change(value)


def _wrong_type(value: Any) -> Any:
    if isinstance(value, list):
        return {"0": "not a list"}
    if isinstance(value, dict):
        return ["not an object"]
    return 42 if isinstance(value, str) else "not a number"


def _wrong_leaf(value: Any) -> Any:
    return 42 if isinstance(value, str) else "not a number" if isinstance(value, int) else {"null": []}


def _numbers(value: float) -> Callable[[Any], Any]:
    return lambda leaf: value if isinstance(leaf, int) and not isinstance(leaf, bool) else leaf


_PAYLOADS: Mapping[BodyKind, Callable[[Any], Any]] = {
    "wrong_types": lambda payload: {key: _wrong_type(item) for key, item in payload.items()},
    "wrong_values": lambda payload: _leaves(payload, _wrong_leaf),
    "surrogates": lambda payload: _leaves(payload, lambda x: x + "\ud800" if isinstance(x, str) else x),
    "big_int": lambda payload: _leaves(payload, _numbers(2**63)),
    "nan": lambda payload: _leaves(payload, _numbers(math.nan)),
}

_HTML = b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"

_BODIES: Mapping[BodyKind, Callable[[bytes], bytes]] = {
    "malformed_json": lambda body: body[:-1] + b",,]",
    "invalid_utf8": lambda body: body[:-1] + b',"x":"\xff\xfe"}',
    "deep": lambda _body: b'{"choices":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "empty": lambda _body: b"",
}


def _html(_turn: Turn, fault: Fault) -> Iterator[Action]:
    return iter((response(fault.status or _STATUS["html"], _HTML, "text/html"),))


def _content_type(turn: Turn, _fault: Fault) -> Iterator[Action]:
    return iter((response(200, dump(turn.dialect.body(turn.asked, turn.given)), "text/plain"),))


def _redirect(_turn: Turn, fault: Fault) -> Iterator[Action]:
    return iter((response(fault.status or _STATUS["redirect"], b"", location=REDIRECTED),))


def _huge(turn: Turn, fault: Fault) -> Iterator[Action]:
    around = dump(turn.dialect.body(turn.asked, turn.given))
    before, after = around[:-1] + b',"padding":"', b'"}'
    size = max(fault.size, len(before) + len(after))
    if turn.asked.stream:
        before, after = b'data: {"padding":"', b'"}\n\n'
    padding = size - len(before) - len(after)
    yield head(200, {"content-type": STREAM if turn.asked.stream else JSON, "content-length": str(size)})
    yield before
    for start in range(0, padding, PIECE):
        yield b"x" * min(PIECE, padding - start)
    yield after


def _parts(turn: Turn) -> tuple[bytes, bytes]:
    """A healthy answer cut in two inside its body, within an event when it is streamed."""
    if not turn.asked.stream:
        body = dump(turn.dialect.body(turn.asked, turn.given))
        start = head(200, {"content-type": JSON, "content-length": str(len(body))})
        return start + body[: len(body) // 2], body[len(body) // 2 :]
    events = [_framed(turn, event) for event in _events(turn)]
    half = len(events) // 2
    cut = len(events[half]) // 2
    rest = [events[half][cut:], *events[half + 1 :], _framed(turn, turn.dialect.done())]
    rest += [chunk(b"")] if turn.chunked else []
    return b"".join([_stream_head(turn), *events[:half], events[half][:cut]]), b"".join(rest)


def _truncated(turn: Turn, _fault: Fault) -> Iterator[Action]:
    return iter((_parts(turn)[0], End.CLOSE))


def _stall(turn: Turn, _fault: Fault) -> Iterator[Action]:
    return iter((_parts(turn)[0], End.HANG))


def _drip(turn: Turn, fault: Fault) -> Iterator[Action]:
    whole = b"".join(_parts(turn))
    size = -(-len(whole) // 16)
    for start in range(0, len(whole), size):
        if start:
            yield fault.seconds
        yield whole[start : start + size]
    if turn.asked.stream and not turn.chunked:
        yield End.CLOSE


def _cut(turn: Turn, _fault: Fault) -> Iterator[Action]:
    """Half the events, then part of one, then a proper end of the body: only the event is cut."""
    events = list(_events(turn))
    half = len(events) // 2
    yield _stream_head(turn)
    yield _framed(turn, b"".join(events[:half]) + events[half][: len(events[half]) // 2])
    yield chunk(b"") if turn.chunked else End.CLOSE


def _stream_error(turn: Turn, _fault: Fault) -> Iterator[Action]:
    events = list(_events(turn))
    broken = turn.dialect.error(500, "server_error", _ERRORS["server_error"][1])
    yield _stream_head(turn)
    yield _framed(turn, b"".join(events[: len(events) // 2]) + turn.dialect.event(dump(broken)))
    yield chunk(b"") if turn.chunked else End.CLOSE


def _endless(turn: Turn, _fault: Fault) -> Iterator[Action]:
    yield _stream_head(turn)
    *_, middle = list(_events(turn))[:2]
    while True:
        yield _framed(turn, middle)
        yield max(turn.waits(), 0.001)


_OTHERS: Mapping[str, Callable[[Turn, Fault], Iterator[Action]]] = {
    "html": _html,
    "content_type": _content_type,
    "redirect": _redirect,
    "huge": _huge,
    "truncated": _truncated,
    "stall": _stall,
    "drip": _drip,
    "cut": _cut,
    "stream_error": _stream_error,
    "endless": _endless,
    "no_done": lambda turn, _fault: _stream(turn, dump, done=False),
    "close": lambda _turn, _fault: iter((End.CLOSE,)),
    "reset": lambda _turn, _fault: iter((End.RESET,)),
    "hang": lambda _turn, _fault: iter((End.HANG,)),
}
