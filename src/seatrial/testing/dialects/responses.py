"""OpenAI responses, whole and streamed, as the public API reference describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from seatrial.core.record import Json, as_dict, as_list
from seatrial.testing.dialects import openai
from seatrial.testing.dialects.base import (
    Asked,
    BadRequest,
    Given,
    Usage,
    asked_of,
    json_body,
    model_name,
    named_event,
    pieces,
    token_logprobs,
    whole_number,
)
from seatrial.testing.http import HttpRequest

_LOGPROBS = "message.output_text.logprobs"


class Responses:
    """`POST …/responses`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and path.endswith("/responses")

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        body = json_body(request)
        given = body.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else as_list(given)
        if not items:
            raise BadRequest("Missing required parameter: 'input'.", "input")
        system = [{"role": "system", "content": body["instructions"]}] if body.get("instructions") else []
        asked = asked_of(model_name(body), [*system, *map(_heard, items)], body)
        limit = whole_number(body.get("max_output_tokens"), "max_output_tokens", 2**31)
        logprobs = _LOGPROBS in (as_list(body.get("include")) or [])
        return replace(asked, stream=body.get("stream") is True, max_tokens=limit, logprobs=logprobs)

    def body(self, asked: Asked, given: Given) -> dict[str, Any]:
        """The answer's JSON."""
        return _response(asked, given, [_whole(asked, given, item) for item in _items(given)], _status(given))

    def events(self, asked: Asked, given: Given) -> Iterator[dict[str, Any]]:
        """A streamed answer's JSON, event by event; the last holds the whole response."""
        numbers = count()

        def event(kind: str, **fields: Any) -> dict[str, Any]:
            return {"type": f"response.{kind}", "sequence_number": next(numbers), **fields}

        begun = _response(asked, given, [], "in_progress") | {"usage": None, "incomplete_details": None}
        yield event("created", response=begun)
        yield event("in_progress", response=begun)
        for index, item in enumerate(_items(given)):
            yield event("output_item.added", output_index=index, item=_started(item))
            for kind, fields in _changes(asked, given, item):
                yield event(kind, item_id=item["id"], output_index=index, **fields)
            yield event("output_item.done", output_index=index, item=_whole(asked, given, item))
        yield event("incomplete" if _status(given) == "incomplete" else "completed", response=self.body(asked, given))

    def event(self, payload: bytes) -> bytes:
        """One server-sent event, named by its type."""
        return named_event(payload)

    def done(self) -> bytes:
        """Nothing: the last event says it."""
        return b""

    def error(self, status: int, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
        """An error's JSON."""
        return openai.error_body(status, kind, message, param)


def _heard(item: Json) -> dict[str, Json]:
    """An item in the form that keys are made of. Raises BadRequest."""
    found = as_dict(item) or {}
    kind = found.get("type", "message")
    if kind == "message" and isinstance(found.get("role"), str):
        return {"role": found["role"], "content": found.get("content")}
    if kind == "function_call_output":
        return {"role": "tool", "content": found.get("output"), "tool_call_id": found.get("call_id")}
    if not isinstance(kind, str) or kind == "message":
        raise BadRequest("An input item must be a message with a role, or have another type.", "input")
    return {"role": "assistant", "item": found}


def _status(given: Given) -> str:
    return "incomplete" if given.finish_reason in ("length", "content_filter") else "completed"


def _items(given: Given) -> list[dict[str, Any]]:
    """The output items, without what is said in them."""
    items: list[dict[str, Any]] = []
    if given.text or given.refusal is not None or not given.tool_calls:
        items.append({"type": "message", "id": f"msg_{given.id}", "role": "assistant", "status": "completed"})
    for at, call in enumerate(given.tool_calls):
        identity = {"type": "function_call", "id": f"fc_{given.id}_{at}", "call_id": call.id, "name": call.name}
        items.append({**identity, "arguments": call.arguments, "status": "completed"})
    return items


def _started(item: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
    return {**item, **empty, "status": "in_progress"}


def _whole(asked: Asked, given: Given, item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "content": [_part(asked, given)]} if item["type"] == "message" else dict(item)


def _part(asked: Asked, given: Given) -> dict[str, Any]:
    if given.refusal is not None:
        return {"type": "refusal", "refusal": given.refusal}
    detail = token_logprobs(given) if asked.logprobs else []
    return {"type": "output_text", "text": given.text, "annotations": [], "logprobs": detail}


def _changes(asked: Asked, given: Given, item: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is added to an item: kind of event, and its fields."""
    size = given.tokens_per_event
    if item["type"] == "function_call":
        for piece in pieces(item["arguments"], size):
            yield "function_call_arguments.delta", {"delta": piece}
        yield "function_call_arguments.done", {"arguments": item["arguments"], "name": item["name"]}
        return
    at, part = {"content_index": 0}, _part(asked, given)
    refused = given.refusal is not None
    yield (
        "content_part.added",
        {**at, "part": {**part, **({"refusal": ""} if refused else {"text": "", "logprobs": []})}},
    )
    said, kind = (given.refusal or "", "refusal") if refused else (given.text, "output_text")
    for index, piece in enumerate(pieces(said, size)):
        logprobs = {} if refused else {"logprobs": part["logprobs"][index * size : (index + 1) * size]}
        yield f"{kind}.delta", {**at, "delta": piece, **logprobs}
    yield f"{kind}.done", {**at, **({"refusal": said} if refused else {"text": said, "logprobs": part["logprobs"]})}
    yield "content_part.done", {**at, "part": part}


def _response(asked: Asked, given: Given, output: list[dict[str, Any]], status: str) -> dict[str, Any]:
    reason = {"length": "max_output_tokens"}.get(given.finish_reason, given.finish_reason)
    return {
        "id": f"resp_{given.id}",
        "object": "response",
        "created_at": openai.CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "instructions": None,
        "max_output_tokens": asked.max_tokens,
        "model": given.model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "text": {"format": {"type": "text"}},
        "usage": _usage(given.usage),
        "metadata": {},
    }


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
