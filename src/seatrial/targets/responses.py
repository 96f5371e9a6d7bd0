"""The wire format of OpenAI's responses API, both ways. Pure: no I/O, and every answer's bytes are hostile.

Written from the public API reference (platform.openai.com/docs/api-reference/responses).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seatrial.core.case import Tool
from seatrial.core.identity import canonical
from seatrial.core.message import Message, Part, TextPart, ToolCall
from seatrial.core.output import Request, Usage
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.outcomes import Answer
from seatrial.targets.params import Table, Unfit, at, only_one, response_format, tool_choice
from seatrial.targets.retry import Fault
from seatrial.targets.sse import EventStream
from seatrial.targets.strict import (
    a_count,
    a_text,
    a_tool_call,
    an_array,
    an_object,
    first_alternatives,
    log_probabilities,
    refuse_error,
)

RESERVED = frozenset({"model", "input", "stream", "stream_options", "background"})
ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
CALLS = ("function_call", "custom_tool_call")
LOGPROBS = "message.output_text.logprobs"
CUT = {"max_output_tokens": "length", "content_filter": "content_filter"}


def _format(value: Json) -> dict[str, Json]:
    given = response_format(value)
    shape: dict[str, Json] = {"type": given.kind}
    if given.kind == "json_schema":
        shape |= {"name": given.name, "schema": given.schema}
        shape |= {"description": given.description} if given.description else {}
        shape |= {} if given.strict is None else {"strict": given.strict}
    return {"text": {"format": shape}}


def _choice(value: Json) -> dict[str, Json]:
    own = as_dict(value)
    if own is not None and "function" not in own:
        return {"tool_choice": own}
    kind, name = tool_choice(value)
    return {"tool_choice": {"type": "function", "name": name} if kind == "function" else kind}


def _logprobs(value: Json) -> dict[str, Json]:
    if not isinstance(value, bool):
        raise Unfit("is neither true nor false")
    return {"include": [LOGPROBS]} if value else {}


PARAMS: Table = {
    "max_tokens": at("max_output_tokens"),
    "max_completion_tokens": at("max_output_tokens"),
    "response_format": _format,
    "tool_choice": _choice,
    "reasoning_effort": at("reasoning", "effort"),
    "logprobs": _logprobs,
    "n": only_one,
    **dict.fromkeys(("seed", "stop", "frequency_penalty", "presence_penalty", "logit_bias")),
}
"""What becomes of the common parameters; its own names go in as they are."""


def body(model: str, request: Request, params: Mapping[str, Json], stream: bool) -> dict[str, Json]:
    """The JSON body of a request, which the provider is asked not to keep. Raises Unfit."""
    sent: dict[str, Json] = {"store": False, **params}
    if request.seed is not None:
        raise Unfit("the responses API takes no seed")
    sent |= {"model": model, "input": [item for message in request.messages for item in _items(message)]}
    if request.tools:
        sent["tools"] = [*(as_list(sent.get("tools")) or []), *map(_tool, request.tools)]
    if stream:
        sent["stream"] = True
    return sent


def _tool(tool: Tool) -> dict[str, Json]:
    """A function. Not strict, which is what chat completions take for granted and responses do not."""
    about = {"description": tool.description} if tool.description else {}
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {"type": "function", "name": tool.name, **about, "parameters": parameters, "strict": False}


def _items(message: Message) -> list[Json]:
    if message.name and message.role != "tool":
        raise Unfit("the responses API has no names of speakers")
    content = _content(message)
    if message.role == "tool":
        return [{"type": "function_call_output", "call_id": _identity(message.tool_call_id), "output": content}]
    said: list[Json] = [{"role": message.role, "content": content}] if content or not message.tool_calls else []
    return [*said, *map(_call, message.tool_calls)]


def _content(message: Message) -> Json:
    if isinstance(message.content, str):
        return message.content
    return [_part(part, message.role) for part in message.content]


def _part(part: Part, role: str) -> dict[str, Json]:
    if isinstance(part, TextPart):
        return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}
    if part.type == "audio":
        raise Unfit("the responses API takes no audio")
    default = "image/png" if part.type == "image" else "application/octet-stream"
    data = part.url or f"data:{part.media_type or default};base64,{part.data}"
    if part.type == "image":
        return {"type": "input_image", "detail": "auto", "image_url": data}
    if part.url:
        return {"type": "input_file", "file_url": part.url}
    return {"type": "input_file", "filename": part.name or "file", "file_data": data}


def _call(call: ToolCall) -> dict[str, Json]:
    arguments = call.arguments if isinstance(call.arguments, str) else canonical(call.arguments)
    return {"type": "function_call", "call_id": _identity(call.id), "name": call.name, "arguments": arguments}


def _identity(call_id: str) -> str:
    if not call_id:
        raise Unfit("a tool call and its result need an id")
    return call_id


def read(response: dict[str, Any]) -> Answer:
    """The answer in a response. Raises Fault, and nothing else, for whatever else it holds."""
    if not isinstance(response.get("output"), list):
        raise Fault("malformed", "output is not an array")
    items = [an_object(item, f"output[{i}]") for i, item in enumerate(an_array(response["output"], "output"))]
    calls = [_read_call(item, i) for i, item in enumerate(items) if item.get("type") in CALLS]
    parts = [part for item in items if item.get("type") == "message" for part in _objects(item, "content")]
    refusal = "".join(a_text(part.get("refusal"), "refusal") for part in parts if part.get("type") == "refusal")
    spoken = [part for part in parts if part.get("type") == "output_text"]
    text = "".join(a_text(part.get("text"), "text") for part in spoken)
    tokens = [token for part in spoken for token in an_array(part.get("logprobs"), "logprobs")] or None
    return Answer(
        message=Message(role="assistant", content=text or refusal, tool_calls=tuple(calls)),
        finish_reason=_finish_reason(response, calls=bool(calls), refused=bool(refusal and not text)),
        usage=_usage(response.get("usage")),
        thought="\n".join(filter(None, (_thought(item) for item in items if item.get("type") == "reasoning"))),
        logprobs=log_probabilities(tokens),
        served_model=a_text(response.get("model"), "model"),
        metadata={**({"refusal": refusal} if refusal else {}), **first_alternatives(tokens)},
    )


def _objects(item: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [an_object(part, key) for part in an_array(item.get(key), key)]


def _read_call(item: dict[str, Any], index: int) -> ToolCall:
    arguments = item.get("input") if item["type"] == "custom_tool_call" else item.get("arguments")
    return a_tool_call(item.get("name"), arguments, item.get("call_id"), f"output[{index}]")


def _finish_reason(response: dict[str, Any], *, calls: bool, refused: bool) -> str:
    status = a_text(response.get("status"), "status") or "completed"
    if status == "incomplete":
        details = an_object(response.get("incomplete_details") or {}, "incomplete_details")
        reason = a_text(details.get("reason"), "incomplete_details.reason")
        return CUT.get(reason, reason or status)
    if status != "completed":
        raise Fault("server_error", f"the response ended as {status[:80]}")
    return "tool_calls" if calls else "refusal" if refused else "stop"


def _thought(item: dict[str, Any]) -> str:
    """What a model shows of its reasoning: its text where there is one, else the summary."""
    for key in ("content", "summary"):
        if text := "\n".join(a_text(part.get("text"), f"reasoning.{key}") for part in _objects(item, key)):
            return text
    return ""


def _usage(value: Any) -> Usage:
    if value is None:
        return Usage()
    usage = an_object(value, "usage")
    asked = an_object(usage.get("input_tokens_details") or {}, "usage.input_tokens_details")
    wrote = an_object(usage.get("output_tokens_details") or {}, "usage.output_tokens_details")
    return Usage(
        input=a_count(usage.get("input_tokens"), "usage.input_tokens"),
        cached=a_count(asked.get("cached_tokens"), "usage.input_tokens_details.cached_tokens"),
        output=a_count(usage.get("output_tokens"), "usage.output_tokens"),
        reasoning=a_count(wrote.get("reasoning_tokens"), "usage.output_tokens_details.reasoning_tokens"),
    )


class ResponseStream(EventStream):
    """Waits for the last event, which holds the whole response; those before tell when it began."""

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        """Start empty. `clean` sees the bytes of each event first."""
        super().__init__(clean)
        self._response: dict[str, Any] | None = None

    def take(self, event: dict[str, Any]) -> None:
        """Take the next event. Raises Fault, also for an error sent as one."""
        kind = event.get("type")
        if not isinstance(kind, str):
            raise Fault("malformed", "an event has no type")
        if kind == "error":
            _refuse({"code": "unknown", **event})
        if kind.endswith(".delta") and a_text(event.get("delta"), "delta"):
            self.started = True
        if kind in ENDS:
            self._response = an_object(event.get("response"), "response")
            _refuse(self._response.get("error"))
            self._done = True

    def answer(self) -> Answer:
        """The whole answer. Raises Fault `truncated` when the stream ended before the model did."""
        if self._response is None:
            raise Fault("truncated", "the stream ended before the answer did")
        return read(self._response)


def _refuse(error: Any) -> None:
    """Raise the Fault of an error inside an event."""
    said = {key: text for key, text in (as_dict(error) or {}).items() if key in ("code", "message")}
    known = {key: text for key, text in said.items() if isinstance(text, str)}
    refuse_error({"error": known or error}, canonical({"error": known}).encode("ascii"))
