"""Amazon Bedrock's Converse, as the public API reference describes it, with signatures and binary event streams."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import unquote
from zlib import crc32

from seatrial.core.identity import loads
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.sigv4 import Credentials, Scope, Unsigned, signed
from seatrial.testing.dialects.base import (
    Asked,
    BadRequest,
    Given,
    Usage,
    asked_of,
    json_body,
    message_list,
    pieces,
    whole_number,
)
from seatrial.testing.http import HttpRequest

ACCESS_KEY = "AKIDFAKEPROVIDER0001"
SECRET_KEY = "fake/provider+secret/key0123456789abcdef"  # noqa: S105  # of the fake provider alone
"""The access key whose requests are served; the signature of every signed request is checked against it."""

EVENTS = "application/vnd.amazon.eventstream"
ERRORS: Mapping[int, str] = {
    400: "ValidationException",
    401: "AccessDeniedException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
"""What a status is called; `InternalServerException` where it is not here."""

_PATH = re.compile(r"/model/([^/]+)/converse(-stream)?\Z")
_NAMED = re.compile(rb'\{"(\w+)":')
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)"
)
_FINISH: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}


class Converse:
    """`POST /model/MODEL/converse`, and `converse-stream`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and _PATH.search(path) is not None

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        body = json_body(request)
        found = _PATH.search(request.path)
        assert found is not None
        system = [{"role": "system", "content": _heard(body.get("system"))}] if body.get("system") else []
        messages = message_list(body.get("messages"))
        if any(message["role"] not in ("user", "assistant") for message in messages):
            raise BadRequest("A role must be user or assistant.", "messages")
        heard = [_common(message) for message in messages]
        config = as_dict(body.get("inferenceConfig")) or {}
        limit = whole_number(config.get("maxTokens"), "inferenceConfig.maxTokens", 2**31)
        asked = asked_of(unquote(found[1]), [*system, *heard], body)
        return replace(asked, max_tokens=limit, stream=found[2] is not None)

    def body(self, asked: Asked, given: Given) -> dict[str, Any]:
        """The answer's JSON."""
        del asked
        said = given.text or given.refusal or ""
        content: list[dict[str, Any]] = [{"text": said}] if said or not given.tool_calls else []
        for call in given.tool_calls:
            try:
                arguments: Any = loads(call.arguments)
            except ValueError:
                arguments = call.arguments
            content.append({"toolUse": {"toolUseId": call.id, "name": call.name, "input": arguments}})
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _FINISH.get(given.finish_reason, given.finish_reason),
            "metrics": {"latencyMs": 1},
            **_usage(given.usage),
        }

    def events(self, asked: Asked, given: Given) -> Iterator[dict[str, Any]]:
        """A streamed answer's JSON, event by event, each under its type's name."""
        del asked
        yield {"messageStart": {"role": "assistant"}}
        for index, (start, deltas) in enumerate(_blocks(given)):
            if start:
                yield {"contentBlockStart": {"start": start, "contentBlockIndex": index}}
            for delta in deltas:
                yield {"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}}
            yield {"contentBlockStop": {"contentBlockIndex": index}}
        yield {"messageStop": {"stopReason": _FINISH.get(given.finish_reason, given.finish_reason)}}
        yield {"metadata": {**_usage(given.usage), "metrics": {"latencyMs": 1}}}

    def event(self, payload: bytes) -> bytes:
        """One message of the event stream: an error as an exception, all else as an event of its name."""
        found = _NAMED.match(payload)
        name = found[1].decode() if found is not None else ""
        if found is None or name == "message":
            return message({":message-type": "exception", ":exception-type": "internalServerException"}, payload)
        headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
        return message(headers, payload[found.end() : -1])

    def done(self) -> bytes:
        """Nothing: the last event ends it."""
        return b""

    def error(self, status: int, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
        """An error's JSON."""
        del status, kind, param
        return {"message": message}


def is_signed(request: HttpRequest) -> bool:
    """Whether a request carries a signature, which stands in for a key."""
    return request.headers.get("authorization", "").startswith("AWS4-")


def refuses(request: HttpRequest) -> str:
    """Why a request's signature is wrong, empty where it is right."""
    authorization = request.headers.get("authorization", "")
    found = _SIGNED.fullmatch(authorization)
    if found is None or found[1] != ACCESS_KEY:
        return "The security token included in the request is invalid."
    right = _authorization(request, found[2], found[3], found[4].split(";"))
    same = compare_digest(right.encode(), authorization.replace(",", ", ").replace(",  ", ", ").encode())
    return "" if same else "The request signature we calculated does not match the signature you provided."


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message of Amazon's event stream, whose headers are text."""
    named = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(named) + len(payload), len(named))
    framed = prelude + struct.pack("!I", crc32(prelude)) + named + payload
    return framed + struct.pack("!I", crc32(framed))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", 7, len(value)) + value  # 7: text


def _blocks(given: Given) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each content block's start, empty where it has none, and its deltas."""
    said = given.text or given.refusal or ""
    if said or not given.tool_calls:
        yield {}, [{"text": piece} for piece in pieces(said, given.tokens_per_event)]
    for call in given.tool_calls:
        inputs = pieces(call.arguments, given.tokens_per_event)
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield start, [{"toolUse": {"input": piece}} for piece in inputs]


def _authorization(request: HttpRequest, region: str, service: str, names: list[str]) -> str:
    """The header that the right secret makes of a request as it came."""
    of_its_own = {"host", "x-amz-date", "x-amz-security-token"}
    covered = {name: request.headers.get(name, "") for name in names if name not in of_its_own}
    token = request.headers.get("x-amz-security-token", "") if "x-amz-security-token" in names else ""
    try:
        at = datetime.strptime(request.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return ""
    url = f"http://{request.headers.get('host', '')}{request.target}"
    sent = Unsigned(request.method, url, request.body, covered)
    return signed(Credentials(ACCESS_KEY, SECRET_KEY, token), Scope(region, service), sent, at)["Authorization"]


def _heard(content: Json) -> Json:
    """Content in the form that keys are made of: one block of text is that text."""
    blocks = [as_dict(block) or {} for block in as_list(content) or []]
    return blocks[0]["text"] if len(blocks) == 1 and set(blocks[0]) == {"text"} else _parts(blocks)


def _parts(blocks: list[dict[str, Json]]) -> list[dict[str, Json]]:
    return [{"type": "text", "text": block["text"]} if set(block) == {"text"} else block for block in blocks]


def _common(message: Mapping[str, Json]) -> dict[str, Json]:
    blocks = [as_dict(block) or {} for block in as_list(message.get("content")) or []]
    if not blocks:
        raise BadRequest("The content field of a message must hold at least one block.", "messages")
    if any("toolResult" in block for block in blocks):
        return {"role": "tool", "content": blocks}
    return {"role": message["role"], "content": _heard(blocks)}


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    counts = {"inputTokens": usage.input - usage.cached, "outputTokens": usage.output}
    cached = {"cacheReadInputTokens": usage.cached} if usage.cached else {}
    return {"usage": {**counts, "totalTokens": usage.input + usage.output, **cached}}
