"""What every wire format must do, and what a request means whatever its format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

import orjson

from seatrial.core.identity import canonical, loads
from seatrial.core.record import Json, as_dict, as_list
from seatrial.testing.http import HttpRequest

Messages = Sequence[Mapping[str, Json]]

SYSTEM = frozenset({"system", "developer"})
PER_MESSAGE = 3

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+\Z")
_NAMED = re.compile(rb'\{"type":"([\w.]+)"')


def tokens(text: str) -> list[str]:
    """The text in tokens: words and signs, each with the white space before it. Joined, they are the text."""
    return _TOKEN.findall(text)


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of so many tokens."""
    found = tokens(text)
    return ["".join(found[at : at + size]) for at in range(0, len(found), size)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, whatever its wire format. `text` is the last user message's, `key` the identity of all messages."""

    model: str
    key: str
    text: str
    system: str = ""
    stream: bool = False
    choices: int = 1
    max_tokens: int | None = None
    logprobs: bool = False
    stream_usage: bool = False
    input_tokens: int = 0
    body: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class SentCall:
    """A tool call as it goes out; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as they go out."""

    input: int
    cached: int
    output: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class Given:
    """An answer with everything decided, whatever its wire format."""

    id: str
    model: str
    fingerprint: str
    text: str
    tool_calls: tuple[SentCall, ...]
    refusal: str | None
    finish_reason: str
    usage: Usage | None
    logprobs: tuple[float, ...]
    top_logprobs: tuple[tuple[str, float], ...] = ()
    tokens_per_event: int = 1


class BadRequest(Exception):  # noqa: N818  # named for what it answers
    """The request cannot be understood; the provider answers 400."""

    def __init__(self, problem: str, param: str | None = None) -> None:
        super().__init__(problem)
        self.problem, self.param = problem, param


class Dialect(Protocol):
    """A wire format: pure functions between bytes' meaning and `Asked` and `Given`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request for an answer comes in this format."""
        ...

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        ...

    def body(self, asked: Asked, given: Given) -> dict[str, Any]:
        """The answer's JSON."""
        ...

    def events(self, asked: Asked, given: Given) -> Iterator[dict[str, Any]]:
        """A streamed answer's JSON, event by event."""
        ...

    def event(self, payload: bytes) -> bytes:
        """One event as it is written into the stream."""
        ...

    def done(self) -> bytes:
        """What ends a stream, empty where nothing does."""
        ...

    def error(self, status: int, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
        """An error's JSON; `kind` is a fault's name."""
        ...


def dump(value: Any) -> bytes:
    """JSON bytes of anything that JSON, or Python's reading of it, can hold."""
    try:
        return orjson.dumps(value)
    except TypeError:  # lone surrogates, integers beyond 64 bits
        import json  # rare

        return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def text_of(content: Json) -> str:
    """The text of a message's content, whose parts may be of other kinds too."""
    if isinstance(content, str):
        return content
    parts = [as_dict(part) for part in as_list(content) or []]
    return "\n".join(p["text"] for p in parts if p is not None and isinstance(p.get("text"), str))


def input_key(messages: Messages | str) -> str:
    """The identity of a prompt: 64 hex digits. Plain text is one user message.

    Nulls and empty lists count as absent, and a content of one text part as that text.
    """
    plain = [{"role": "user", "content": messages}] if isinstance(messages, str) else [_simple(m) for m in messages]
    try:
        raw = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raw = canonical(plain).encode("ascii")
    return sha256(raw).hexdigest()


def _simple(message: Mapping[str, Json]) -> dict[str, Json]:
    kept = {key: value for key, value in message.items() if value is not None and value != []}
    parts = as_list(kept.get("content"))
    if parts is not None and len(parts) == 1:
        only = as_dict(parts[0])
        if only is not None and set(only) == {"type", "text"}:
            kept["content"] = only["text"]
    return kept


def json_body(request: HttpRequest) -> dict[str, Json]:
    """The request's body, which must be an object. Raises BadRequest."""
    try:
        body = as_dict(loads(request.body))
    except ValueError as cause:
        raise BadRequest("We could not parse the JSON body of your request.") from cause
    if body is None:
        raise BadRequest("The JSON body must be an object.")
    return body


def model_name(body: Mapping[str, Json]) -> str:
    """The model that is asked. Raises BadRequest."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("You must provide a model parameter.", "model")
    return model


def message_list(raw: Json, name: str = "messages") -> list[dict[str, Json]]:
    """Messages, each an object with a role. Raises BadRequest."""
    items = as_list(raw)
    if not items:
        raise BadRequest(f"{name} must be an array of at least one message.", name)
    found: list[dict[str, Json]] = []
    for at, item in enumerate(items):
        message = as_dict(item)
        if message is None or not isinstance(message.get("role"), str):
            raise BadRequest("A message must be an object with a role.", f"{name}[{at}]")
        found.append(message)
    return found


def whole_number(value: Json, name: str, most: int) -> int | None:
    """A whole number from 1 to `most`, or None where it is not given. Raises BadRequest."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise BadRequest(f"{name} must be a whole number from 1 to {most}.", name)
    return value


def asked_of(model: str, messages: Messages, body: Mapping[str, Json]) -> Asked:
    """A request whose messages have OpenAI's roles; what else it asks is the dialect's to say."""
    texts = [text_of(message.get("content")) for message in messages]
    users = [text for message, text in zip(messages, texts, strict=True) if message["role"] == "user"]
    system = [text for message, text in zip(messages, texts, strict=True) if message["role"] in SYSTEM]
    offered = len(tokens(dump(body["tools"]).decode("utf-8", "replace"))) if body.get("tools") else 0
    return Asked(
        model=model,
        key=input_key(messages),
        text=users[-1] if users else "",
        system="\n".join(system),
        input_tokens=sum(len(tokens(text)) + PER_MESSAGE for text in texts) + offered,
        body=body,
    )


def named_event(payload: bytes) -> bytes:
    """A server-sent event that is named by its payload's type, where that comes first."""
    found = _NAMED.match(payload)
    return (b"event: %b\n" % found[1] if found else b"") + b"data: " + payload + b"\n\n"


def token_logprobs(given: Given) -> list[dict[str, Any]]:
    """Each token of the answer with its log probability, in OpenAI's form."""
    values = given.logprobs or (-0.1,)
    return [
        {
            "token": token,
            "logprob": values[min(at, len(values) - 1)],
            "bytes": list(token.encode("utf-8", "replace")),
            "top_logprobs": [{"token": t, "logprob": p} for t, p in given.top_logprobs] if at == 0 else [],
        }
        for at, token in enumerate(tokens(given.text))
    ]
