"""Logs of requests and responses, as OpenAI's and Anthropic's APIs write them.

A record holds the request and the response, in any of the usual wrappers; or only a request; or a conversation that
ends with an answer; or a line of a batch's input or output file, which are joined by `custom_id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from seatrial.core.identity import loads
from seatrial.core.record import as_dict, as_list
from seatrial.datasets.importing.values import items, moment, money, name, need, present, session, usage
from seatrial.traces.messages import call, chat, offered, one, parsed
from seatrial.traces.observation import MalformedError, Observation, Raw

REQUESTS = ("request", "request_body", "requestBody", "req", "body", "kwargs", "input")
RESPONSES = ("response", "response_body", "responseBody", "resp", "completion", "output")
TIMES = ("created_at", "timestamp", "time", "start_time", "startTime", "request_time", "created")
IDS = ("span_id", "id", "request_id", "requestId")
LATENCY_SECONDS = ("latency", "latency_s", "duration", "latency_seconds")
LATENCY_MILLISECONDS = ("latency_ms", "duration_ms", "latencyMs", "response_time_ms")
_LATENCIES = frozenset((*LATENCY_SECONDS, *LATENCY_MILLISECONDS))
PARAMS = frozenset((
    "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "max_output_tokens", "seed", "stop",
    "n", "frequency_penalty", "presence_penalty", "response_format", "text", "reasoning", "reasoning_effort",
    "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs", "stop_sequences", "thinking",
))  # fmt: skip


def fits(raw: Raw) -> bool:
    """Whether a record looks like one of these."""
    if "messages" in raw or ("custom_id" in raw and ("body" in raw or "response" in raw)):
        return True
    return _asking(raw) is not None


def _asking(raw: Raw) -> Raw | None:
    """The request that a record wraps; none where it wraps none."""
    for key in REQUESTS:
        held = as_dict(parsed(raw[key])) if key in raw else None
        request = _asks(held) if held is not None else None
        if request is not None:
            return request
    return None


def _asks(held: Raw) -> Raw | None:
    """The request that an object is or, as a whole HTTP request does, holds as its body."""
    inner = as_dict(parsed(held["body"])) if "body" in held else None
    if inner is not None and _asks(inner) is not None:
        return inner
    if "messages" in held or ("model" in held and ("input" in held or "prompt" in held)):
        return held
    return None


def read(raw: Raw) -> Iterator[Observation]:
    """The request that a record holds, with its answer. Raises MalformedError for a record that holds none."""
    if "custom_id" in raw:
        yield _batch(raw)
        return
    request = _request(raw)
    key = present(raw, RESPONSES)
    answered = parsed(raw[key]) if key is not None else None
    found = asked(request)
    if answered is not None:
        answer(found, answered)
    elif found.messages and found.messages[-1]["role"] == "assistant":
        found.conversation = True
    told(found, raw, request)
    yield found


def _batch(raw: Raw) -> Observation:
    joined = f"batch:{name(raw['custom_id'], 'custom_id')}"
    if "body" in raw and "response" not in raw:
        found = asked(need(raw["body"], "body"))
    else:
        found = Observation("event")
        response = need(raw.get("response"), "response")
        body = need(response.get("body"), "response.body")
        status = response.get("status_code", 200)
        if status == 200:
            answer(found, body)
        else:
            found.error = f"HTTP {status}"
    found.trace_id = found.span_id = joined
    return found


def _request(raw: Raw) -> Raw:
    found = _asking(raw)
    if found is not None:
        return found
    if "messages" in raw:
        return raw
    raise MalformedError("holds no request", "", None, "a request has `messages`, or `model` with `input` or `prompt`")


def asked(request: Raw) -> Observation:
    """A request's body: chat completions, responses, completions, or Anthropic's messages."""
    key = present(request, ("messages", "input", "prompt"))
    if key is None:
        raise MalformedError("is required", "messages", None, "a request has messages")
    found = Observation("llm", messages=chat(request[key], key))
    if not found.messages:
        raise MalformedError("must not be empty", key)
    for extra in ("system", "instructions"):
        if request.get(extra):
            found.messages[:0] = one({"role": "system", "content": request[extra]}, extra)
    given = request.get("tools") if request.get("tools") is not None else request.get("functions")
    if given is not None:
        found.tools = offered(given, "tools")
    found.model = _model(request.get("model"))
    if not PARAMS.isdisjoint(request):
        found.params = {k: v for k, v in request.items() if k in PARAMS and v is not None}
    return found


def _model(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise MalformedError("must be text", "model", repr(value)[:80])


def answer(found: Observation, value: Any) -> None:
    """Fill in what the model answered, from a response's body, its chunks, or plain text."""
    if isinstance(value, str):
        value = _streamed(value) if value.lstrip().startswith("data:") else value
    chunks = as_list(value)
    if chunks is not None and any("choices" in (as_dict(c) or {}) for c in chunks):
        value = joined(chunks)
    held = as_dict(value)
    if held is None:
        found.answer = chat(value, "response", "assistant")
        return
    inner = as_dict(parsed(held["body"])) if "body" in held else None
    if inner is not None and "choices" not in held:
        held = inner
    error = held.get("error")
    if error and isinstance(error, (dict, str)):
        said = as_dict(held["error"])
        found.error = str(said.get("message") or said.get("code") or "error") if said else str(held["error"])
        return
    found.answer = _said(held, found)
    found.served_model = _model(held.get("model"))
    if held.get("usage") is not None:
        found.usage |= usage(held["usage"])
    reason = held.get("stop_reason")
    found.finish_reason = found.finish_reason or (reason if isinstance(reason, str) else "")
    if found.start is None and held.get("created") is not None:
        found.start = moment(held["created"], "response.created")


def _said(held: Raw, found: Observation) -> list[Raw]:
    if held.get("choices") is not None:
        choices = items(held["choices"], "response.choices")
        if not choices:
            return []
        first = need(choices[0], "response.choices[0]")
        reason = first.get("finish_reason")
        found.finish_reason = reason if isinstance(reason, str) else ""
        if "message" in first:
            message = need(first["message"], "response.choices[0].message")
            return one(message, "response.choices[0].message", "assistant")
        return chat(first.get("text"), "response.choices[0].text", "assistant")
    if as_list(held.get("output")) is not None:
        return _merged(chat(held["output"], "response.output", "assistant"))
    if "content" in held or "role" in held:
        return one({"role": "assistant", **held}, "response", "assistant")
    for key in ("output_text", "text", "completion", "message", "output"):
        if held.get(key) is not None:
            return chat(held[key], f"response.{key}", "assistant")
    raise MalformedError("holds no answer", "response", None, "a response has choices, output or content")


def _merged(said: list[Raw]) -> list[Raw]:
    """The items of one answer of the responses API as one message."""
    if len(said) < 2 or any(message["role"] != "assistant" for message in said):
        return said
    calls = [call for message in said for call in message.get("tool_calls", [])]
    contents = [message["content"] for message in said if message.get("content")]
    merged: Raw = {"role": "assistant"}
    if contents:
        merged["content"] = "\n".join(contents) if all(isinstance(c, str) for c in contents) else contents[0]
    return [{**merged, "tool_calls": calls} if calls else merged]


def _streamed(body: str) -> list[Any]:
    """The chunks of a stream of server-sent events, kept as text."""
    chunks: list[Any] = []
    for line in body.splitlines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data and data != "[DONE]":
            try:
                chunks.append(loads(data))
            except ValueError:
                raise MalformedError("holds a chunk that is not JSON", "response", data[:80]) from None
    return chunks


def joined(chunks: list[Any]) -> Raw:
    """The chunks of a streamed chat completion as the completion that they are."""
    content: list[str] = []
    calls: dict[int, Raw] = {}
    found: Raw = {"role": "assistant"}
    whole: Raw = {}
    reason: Any = None
    for at, item in enumerate(chunks):
        chunk = need(item, f"response[{at}]")
        whole |= {k: chunk[k] for k in ("model", "created", "usage") if chunk.get(k) is not None}
        for choice in as_list(chunk.get("choices")) or []:
            held = as_dict(choice) or {}
            if held.get("index", 0) != 0:
                continue
            reason = held.get("finish_reason") or reason
            delta = as_dict(held.get("delta")) or {}
            if isinstance(delta.get("content"), str):
                content.append(delta["content"])
            for part in as_list(delta.get("tool_calls")) or []:
                _add_call(calls, need(part, f"response[{at}].tool_calls"))
    found |= {"content": "".join(content)} if content else {}
    found |= {"tool_calls": [call(calls[at], "response.tool_calls") for at in sorted(calls)]} if calls else {}
    return {**whole, "choices": [{"message": found, "finish_reason": reason}]}


def _add_call(calls: dict[int, Raw], part: Raw) -> None:
    at = part.get("index", 0)
    held = calls.setdefault(at if isinstance(at, int) else 0, {"function": {"name": "", "arguments": ""}})
    held |= {"id": part["id"]} if isinstance(part.get("id"), str) else {}
    given = as_dict(part.get("function")) or {}
    inner = cast("Raw", held["function"])
    for key in ("name", "arguments"):
        if isinstance(given.get(key), str):
            inner[key] += given[key]


def told(found: Observation, raw: Raw, request: Raw) -> None:
    """Fill in what the record says around the request: when, how long, for whom, at what cost."""
    found.session_id = session(raw, raw.get("metadata"), request.get("metadata"))
    found.trace_id = name(raw.get("trace_id"), "trace_id")
    key = present(raw, IDS)
    found.span_id = name(raw[key]) if key else ""
    key = present(raw, TIMES)
    found.start = moment(raw[key], key) if key else found.start
    seconds = _latency(raw)
    if found.start is not None and seconds is not None:
        found.end = found.start + round(seconds * 1e9)
    cost = money(raw.get("cost"))
    found.cost = money(raw.get("cost_usd")) if cost is None else cost
    found.attributes = raw


def _latency(raw: Raw) -> float | None:
    if _LATENCIES.isdisjoint(raw):
        return None
    for keys, scale in ((LATENCY_SECONDS, 1.0), (LATENCY_MILLISECONDS, 1e-3)):
        value = next((money(raw[key]) for key in keys if raw.get(key) is not None), None)
        if value is not None and value < 1e9:
            return value * scale
    return None
