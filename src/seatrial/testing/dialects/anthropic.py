"""Anthropic's messages, whole and streamed, as the public API reference describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from seatrial.core.identity import loads
from seatrial.core.record import Json, as_dict, as_list
from seatrial.testing.dialects.base import (
    Asked,
    BadRequest,
    Given,
    Usage,
    asked_of,
    json_body,
    message_list,
    model_name,
    named_event,
    pieces,
    whole_number,
)
from seatrial.testing.http import HttpRequest

_FINISH: Mapping[str, str] = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}

_ERRORS: Mapping[str, str] = {
    "rate_limit": "rate_limit_error",
    "quota": "billing_error",
    "unauthorized": "authentication_error",
    "not_found": "not_found_error",
    "timeout": "timeout_error",
}
_STATUSES: Mapping[int, str] = {504: "timeout_error", 529: "overloaded_error"}


class Messages:
    """`POST …/messages`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and path.endswith("/messages")

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        body = json_body(request)
        model = model_name(body)
        limit = whole_number(body.get("max_tokens"), "max_tokens", 2**31)
        if limit is None:
            raise BadRequest("max_tokens: Field required", "max_tokens")
        messages = message_list(body.get("messages"))
        if any(message["role"] not in ("user", "assistant", "system") for message in messages):
            raise BadRequest("messages: Unexpected role.", "messages")
        system = [{"role": "system", "content": body["system"]}] if body.get("system") else []
        asked = asked_of(model, [*system, *map(_common, messages)], body)
        return replace(asked, max_tokens=limit, stream=body.get("stream") is True)

    def body(self, asked: Asked, given: Given) -> dict[str, Any]:
        """The answer's JSON."""
        del asked
        content = [{**block, **_filling(block, text)} for block, text in _blocks(given)]
        return _message(given) | {"content": content} | _end(given) | _usage(given.usage)

    def events(self, asked: Asked, given: Given) -> Iterator[dict[str, Any]]:
        """A streamed answer's JSON, event by event."""
        del asked
        start = _usage(given.usage and replace(given.usage, output=1, reasoning=0))
        yield {"type": "message_start", "message": _message(given) | start}
        for index, (block, text) in enumerate(_blocks(given)):
            yield {"type": "content_block_start", "index": index, "content_block": block}
            for piece in pieces(text, given.tokens_per_event):
                yield {"type": "content_block_delta", "index": index, "delta": _delta(block, piece)}
            yield {"type": "content_block_stop", "index": index}
        yield {"type": "message_delta", "delta": _end(given), **_usage(given.usage)}

    def event(self, payload: bytes) -> bytes:
        """One server-sent event, named by its type."""
        return named_event(payload)

    def done(self) -> bytes:
        """What ends a stream."""
        return named_event(b'{"type":"message_stop"}')

    def error(self, status: int, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
        """An error's JSON."""
        del param
        type_ = _ERRORS.get(kind) or _STATUSES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": type_, "message": message}, "request_id": "req_fake"}


def _common(message: Mapping[str, Json]) -> dict[str, Json]:
    """A message in the form that keys are made of: a tool's result is text of its own message."""
    blocks = [as_dict(block) or {} for block in as_list(message.get("content")) or []]
    results = [block for block in blocks if block.get("type") == "tool_result"]
    return {"role": "tool", "content": message["content"]} if results else dict(message)


def _message(given: Given) -> dict[str, Any]:
    return {
        "type": "message",
        "id": f"msg_{given.id}",
        "role": "assistant",
        "model": given.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _blocks(given: Given) -> Iterator[tuple[dict[str, Any], str]]:
    """Each content block as it starts, and the text that it gets."""
    if given.text or not (given.tool_calls or given.refusal is not None):
        yield {"type": "text", "text": ""}, given.text
    for call in given.tool_calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, call.arguments


def _filling(block: Mapping[str, Any], text: str) -> dict[str, Any]:
    if block["type"] == "text":
        return {"text": text}
    try:
        return {"input": loads(text)}
    except ValueError:
        return {"input": text}


def _delta(block: Mapping[str, Any], piece: str) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text_delta", "text": piece}
    return {"type": "input_json_delta", "partial_json": piece}


def _end(given: Given) -> dict[str, Any]:
    if given.refusal is not None:
        details = {"type": "refusal", "category": None, "explanation": given.refusal}
        return {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}
    return {"stop_reason": _FINISH.get(given.finish_reason, given.finish_reason), "stop_sequence": None}


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    counts = {
        "input_tokens": usage.input - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }
    return {"usage": counts}
