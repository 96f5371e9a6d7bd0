"""Gemini's generateContent, whole and streamed, as the public API reference describes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from seatrial.core.identity import loads
from seatrial.core.record import Json, as_dict, as_list
from seatrial.testing.dialects.base import (
    Asked,
    BadRequest,
    Given,
    SentCall,
    Usage,
    asked_of,
    json_body,
    pieces,
    token_logprobs,
    whole_number,
)
from seatrial.testing.http import HttpRequest

_PATH = re.compile(r"/models/([^:]+):(generateContent|streamGenerateContent)\Z")
_FINISH: Mapping[str, str] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}
_STATUSES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_DAILY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}],
}


class GenerateContent:
    """`POST …/models/MODEL:generateContent` and `…:streamGenerateContent`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and _PATH.search(path) is not None

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        body = json_body(request)
        found = _PATH.search(request.path)
        assert found is not None
        streamed = found[2] == "streamGenerateContent"
        if streamed and "alt=sse" not in request.query.split("&"):
            raise BadRequest("Only server-sent events are served; ask with ?alt=sse.")
        contents = as_list(body.get("contents"))
        if not contents:
            raise BadRequest("* GenerateContentRequest.contents: contents is not specified", "contents")
        system = _heard({**(as_dict(body.get("systemInstruction")) or {}), "role": "system"})
        heard = [_heard(as_dict(content)) for content in contents]
        asked = asked_of(unquote(found[1]), [*([system] if system["content"] else []), *heard], body)
        config = as_dict(body.get("generationConfig")) or {}
        limit = whole_number(config.get("maxOutputTokens"), "generationConfig.maxOutputTokens", 2**31)
        return replace(asked, stream=streamed, max_tokens=limit, logprobs=config.get("responseLogprobs") is True)

    def body(self, asked: Asked, given: Given) -> dict[str, Any]:
        """The answer's JSON."""
        said = _said(given)
        parts = [*([{"text": said}] if said or not given.tool_calls else []), *map(_call, given.tool_calls)]
        detail = token_logprobs(given) if asked.logprobs else []
        return _response(given, parts, detail, given.finish_reason) | _usage(given.usage)

    def events(self, asked: Asked, given: Given) -> Iterator[dict[str, Any]]:
        """A streamed answer's JSON, event by event; the last holds the reason of the end."""
        detail = token_logprobs(given) if asked.logprobs else []
        size = given.tokens_per_event
        for at, piece in enumerate(pieces(_said(given), size)):
            yield _response(given, [{"text": piece}], detail[at * size : (at + 1) * size], None)
        for call in given.tool_calls:
            yield _response(given, [_call(call)], [], None)
        yield _response(given, [{"text": ""}], [], given.finish_reason) | _usage(given.usage)

    def event(self, payload: bytes) -> bytes:
        """One server-sent event."""
        return b"data: " + payload + b"\r\n\r\n"

    def done(self) -> bytes:
        """Nothing: the body ends."""
        return b""

    def error(self, status: int, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
        """An error's JSON."""
        del param
        word = _STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
        details = {"details": [_DAILY]} if kind == "quota" else {}
        return {"error": {"code": status, "message": message, "status": word, **details}}


def _heard(content: Mapping[str, Json] | None) -> dict[str, Json]:
    """A content in the form that keys are made of. Raises BadRequest."""
    if content is None:
        raise BadRequest("Invalid value at 'contents'.", "contents")
    role = content.get("role", "user")
    parts = [as_dict(part) or {} for part in as_list(content.get("parts")) or []]
    if role not in ("user", "model", "system", "function"):
        raise BadRequest("Please use a valid role: user, model.", "contents")
    if any("functionResponse" in part for part in parts):
        return {"role": "tool", "content": parts}
    plain = len(parts) == 1 and set(parts[0]) == {"text"}
    return {"role": "assistant" if role == "model" else str(role), "content": parts[0]["text"] if plain else parts}


def _said(given: Given) -> str:
    """The text. A refusal is text too: the format has no field for it."""
    return given.text or given.refusal or ""


def _call(call: SentCall) -> dict[str, Any]:
    try:
        arguments: Any = loads(call.arguments)
    except ValueError:
        arguments = call.arguments
    return {"functionCall": {"id": call.id, "name": call.name, "args": arguments}}


def _response(given: Given, parts: list[Any], detail: list[dict[str, Any]], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = _FINISH.get(finish, finish)
    if detail:
        chosen = [{"token": each["token"], "logProbability": each["logprob"]} for each in detail]
        candidate["logprobsResult"] = {"chosenCandidates": chosen}
    return {"candidates": [candidate], "modelVersion": given.model, "responseId": given.id}


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    counts = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
        "cachedContentTokenCount": usage.cached,
        "thoughtsTokenCount": usage.reasoning,
    }
    return {"usageMetadata": {name: count for name, count in counts.items() if count}}
