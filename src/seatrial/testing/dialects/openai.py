"""OpenAI chat completions, whole and streamed, as the public API reference describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from seatrial.core.record import Json, as_dict
from seatrial.testing.dialects.base import (
    Asked,
    Given,
    SentCall,
    Usage,
    asked_of,
    json_body,
    message_list,
    model_name,
    pieces,
    token_logprobs,
    whole_number,
)
from seatrial.testing.http import HttpRequest

CREATED = 1_767_225_600
"""2026-01-01: a constant, so that the same script gives the same bytes."""

_ERRORS: Mapping[str, tuple[str, str | None]] = {
    "rate_limit": ("requests", "rate_limit_exceeded"),
    "quota": ("insufficient_quota", "insufficient_quota"),
    "unauthorized": ("invalid_request_error", "invalid_api_key"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "context_length": ("invalid_request_error", "context_length_exceeded"),
    "bad_request": ("invalid_request_error", None),
    "timeout": ("timeout", None),
    "unsupported_value": ("invalid_request_error", "unsupported_value"),
    "unsupported_parameter": ("invalid_request_error", "unsupported_parameter"),
}


class ChatCompletions:
    """`POST …/chat/completions`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and path.endswith("/chat/completions") and "/openai/deployments/" not in path

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        body = json_body(request)
        asked = asked_of(model_name(body), message_list(body.get("messages")), body)
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        options = as_dict(body.get("stream_options")) or {}
        return replace(
            asked,
            stream=body.get("stream") is True,
            choices=whole_number(body.get("n"), "n", 128) or 1,
            max_tokens=whole_number(limit, "max_tokens", 2**31),
            logprobs=body.get("logprobs") is True,
            stream_usage=options.get("include_usage") is True,
        )

    def body(self, asked: Asked, given: Given) -> dict[str, Any]:
        """The answer's JSON."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": given.text if _speaks(given) else None,
            "refusal": given.refusal,
        }
        if given.tool_calls:
            message["tool_calls"] = [_tool_call(call) for call in given.tool_calls]
        choice = {"message": message, "logprobs": _logprobs(asked, given), "finish_reason": given.finish_reason}
        body = _envelope(given, "chat.completion")
        body["choices"] = [{"index": index, **choice} for index in range(asked.choices)]
        if given.usage is not None:
            body["usage"] = _usage(given.usage)
        return body

    def events(self, asked: Asked, given: Given) -> Iterator[dict[str, Any]]:
        """A streamed answer's JSON, event by event."""
        base = _envelope(given, "chat.completion.chunk")
        if asked.stream_usage:
            base["usage"] = None
        for index in range(asked.choices):
            for delta, logprobs in _deltas(asked, given):
                yield base | {"choices": [_part(index, delta, logprobs, None)]}
            yield base | {"choices": [_part(index, {}, None, given.finish_reason)]}
        if asked.stream_usage and given.usage is not None:
            yield base | {"choices": [], "usage": _usage(given.usage)}

    def event(self, payload: bytes) -> bytes:
        """One server-sent event."""
        return b"data: " + payload + b"\n\n"

    def done(self) -> bytes:
        """What ends a stream."""
        return b"data: [DONE]\n\n"

    def error(self, status: int, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
        """An error's JSON."""
        return error_body(status, kind, message, param)


def error_body(status: int, kind: str, message: str, param: str | None) -> dict[str, Any]:
    """An error as all of OpenAI's APIs write it."""
    type_, code = _ERRORS.get(kind, ("server_error" if status >= 500 else "invalid_request_error", None))
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def models(names: tuple[str, ...]) -> dict[str, Any]:
    """The model list's JSON."""
    return {"object": "list", "data": [model(name) for name in names]}


def model(name: str) -> dict[str, Any]:
    """One model's JSON."""
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "seatrial"}


def _envelope(given: Given, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{given.id}",
        "object": kind,
        "created": CREATED,
        "model": given.model,
        "system_fingerprint": given.fingerprint,
    }


def _speaks(given: Given) -> bool:
    return bool(given.text) or not (given.tool_calls or given.refusal is not None)


def _tool_call(call: SentCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _logprobs(asked: Asked, given: Given) -> dict[str, Any] | None:
    return {"content": token_logprobs(given), "refusal": None} if asked.logprobs else None


def _part(index: int, delta: dict[str, Any], logprobs: Json, finish: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}


def _deltas(asked: Asked, given: Given) -> Iterator[tuple[dict[str, Any], Json]]:
    yield {"role": "assistant", "content": "" if _speaks(given) else None, "refusal": None}, None
    size = given.tokens_per_event
    detail = token_logprobs(given) if asked.logprobs else []
    for at, piece in enumerate(pieces(given.text, size)):
        part = {"content": detail[at * size : (at + 1) * size], "refusal": None} if asked.logprobs else None
        yield {"content": piece}, part
    for piece in pieces(given.refusal or "", size):
        yield {"refusal": piece}, None
    for index, call in enumerate(given.tool_calls):
        yield {"tool_calls": [{"index": index, **_tool_call(SentCall(call.id, call.name, ""))}]}, None
        for piece in pieces(call.arguments, size):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, None
