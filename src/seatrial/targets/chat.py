"""The wire format of OpenAI's chat completions, both ways. Pure: no I/O, and every answer's bytes are hostile.

Written from the public API reference (platform.openai.com/docs/api-reference/chat).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seatrial.core.identity import canonical
from seatrial.core.message import BlobPart, Message, Part, TextPart, ToolCall
from seatrial.core.output import Request, Usage
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.outcomes import Answer
from seatrial.targets.params import Table, only_one
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
)

AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
PARAMS: Table = {"n": only_one}
RESERVED = frozenset({"model", "messages", "stream", "stream_options"})


def body(model: str, request: Request, params: Mapping[str, Json], stream: bool) -> dict[str, Json]:
    """The JSON body of a request. Parameters go in as they are; the case's tools come after the parameters' own."""
    sent: dict[str, Json] = {"model": model, "messages": [_message(m) for m in request.messages], **params}
    if request.tools:
        own = as_list(params.get("tools")) or []
        sent["tools"] = [*own, *(_tool(t.name, t.description, t.parameters) for t in request.tools)]
    if request.seed is not None:
        sent["seed"] = request.seed
    if stream:
        sent |= {"stream": True, "stream_options": {"include_usage": True}}
    return sent


def _tool(name: str, description: str, parameters: Mapping[str, Json]) -> dict[str, Json]:
    function: dict[str, Json] = {"name": name}
    if description:
        function["description"] = description
    if parameters:
        function["parameters"] = dict(parameters)
    return {"type": "function", "function": function}


def _message(message: Message) -> dict[str, Json]:
    sent: dict[str, Json] = {"role": message.role}
    content = message.content
    if isinstance(content, str):
        sent["content"] = None if message.tool_calls and not content else content
    else:
        sent["content"] = [_part(part) for part in content]
    if message.tool_calls:
        sent["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        sent["tool_call_id"] = message.tool_call_id
    if message.name:
        sent["name"] = message.name
    return sent


def _call(call: ToolCall) -> dict[str, Json]:
    arguments = call.arguments if isinstance(call.arguments, str) else canonical(call.arguments)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _part(part: Part) -> dict[str, Json]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    data_url = part.url or f"data:{part.media_type or _default_media(part)};base64,{part.data}"
    if part.type == "image":
        return {"type": "image_url", "image_url": {"url": data_url}}
    if part.type == "audio":
        if part.url:  # not OpenAI's, but what vLLM and others take
            return {"type": "audio_url", "audio_url": {"url": part.url}}
        kind = AUDIO_FORMATS.get(part.media_type, part.media_type.rpartition("/")[2] or "wav")
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": kind}}
    if part.url:
        return {"type": "file", "file": {"file_url": part.url}}
    return {"type": "file", "file": {"filename": part.name or "file", "file_data": data_url}}


def _default_media(part: BlobPart) -> str:
    return "image/png" if part.type == "image" else "application/octet-stream"


def read(completion: dict[str, Any]) -> Answer:
    """The answer in a completion. Raises Fault, and nothing else, for whatever else it holds."""
    choice = _first_choice(completion)
    message = an_object(choice.get("message"), "choices[0].message")
    calls = [_read_call(call, i) for i, call in enumerate(an_array(message.get("tool_calls"), "tool_calls"))]
    return _answer(
        completion,
        text=_content(message.get("content")),
        refusal=a_text(message.get("refusal"), "refusal"),
        thought=_thought(message),
        calls=tuple(calls),
        finish_reason=a_text(choice.get("finish_reason"), "finish_reason"),
        tokens=as_list((as_dict(choice.get("logprobs")) or {}).get("content")),
    )


def _answer(
    envelope: dict[str, Any],
    *,
    text: str,
    refusal: str,
    thought: str,
    calls: tuple[ToolCall, ...],
    finish_reason: str,
    tokens: Sequence[Any] | None,
) -> Answer:
    refused = refusal and not text and finish_reason == "stop"
    return Answer(
        message=Message(role="assistant", content=text or refusal, tool_calls=calls),
        finish_reason="refusal" if refused else finish_reason,
        usage=_usage(envelope.get("usage")),
        thought=thought,
        logprobs=log_probabilities(tokens),
        served_model=a_text(envelope.get("model"), "model"),
        fingerprint=a_text(envelope.get("system_fingerprint"), "system_fingerprint"),
        metadata={**({"refusal": refusal} if refusal else {}), **first_alternatives(tokens)},
    )


def _first_choice(answer: dict[str, Any]) -> dict[str, Any]:
    choices = an_array(answer.get("choices"), "choices")
    if not choices:
        raise Fault("malformed", "choices is empty")
    choice = an_object(choices[0], "choices[0]")
    if choice.get("error"):
        raise _choice_error(choice["error"])
    return choice


def _choice_error(error: Any) -> Fault:
    message = (as_dict(error) or {}).get("message", error)
    return Fault("server_error", message if isinstance(message, str) else "the choice holds an error")


def _content(value: Any) -> str:
    if isinstance(value, list):
        parts = [an_object(part, "a content part") for part in as_list(value) or []]
        return "\n".join(a_text(part.get("text"), "a content part's text") for part in parts if "text" in part)
    return a_text(value, "content")


def _thought(message: dict[str, Any]) -> str:
    """What reasoning models show of their reasoning, under the two names in use."""
    for key in ("reasoning_content", "reasoning"):
        text = message.get(key)
        if isinstance(text, str) and text:
            return text
    return ""


def _read_call(value: Any, index: int) -> ToolCall:
    where = f"tool_calls[{index}]"
    call = an_object(value, where)
    if call.get("type") == "custom":
        custom = an_object(call.get("custom"), f"{where}.custom")
        return a_tool_call(custom.get("name"), custom.get("input"), call.get("id"), where)
    function = an_object(call.get("function"), f"{where}.function")
    return a_tool_call(function.get("name"), function.get("arguments"), call.get("id"), where)


def _usage(value: Any) -> Usage:
    if value is None:
        return Usage()
    usage = an_object(value, "usage")
    asked = an_object(usage.get("prompt_tokens_details") or {}, "usage.prompt_tokens_details")
    wrote = an_object(usage.get("completion_tokens_details") or {}, "usage.completion_tokens_details")
    return Usage(
        input=a_count(usage.get("prompt_tokens"), "usage.prompt_tokens"),
        cached=a_count(asked.get("cached_tokens"), "usage.prompt_tokens_details.cached_tokens"),
        output=a_count(usage.get("completion_tokens"), "usage.completion_tokens"),
        reasoning=a_count(wrote.get("reasoning_tokens"), "usage.completion_tokens_details.reasoning_tokens"),
    )


class CompletionStream(EventStream):
    """Puts a streamed completion together."""

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        """Start empty. `clean` sees the bytes of each event first."""
        super().__init__(clean)
        self._envelope: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {"content": [], "refusal": [], "reasoning_content": [], "reasoning": []}
        self._calls: dict[int, dict[str, Any]] = {}
        self._logprobs: list[Any] = []
        self._finish_reason = ""

    def take(self, event: dict[str, Any]) -> None:
        """Take the next chunk. Raises Fault."""
        for key in ("model", "system_fingerprint", "usage"):
            if event.get(key) is not None:
                self._envelope[key] = event[key]
        choices = an_array(event.get("choices"), "choices")
        if not choices:
            return
        choice = an_object(choices[0], "choices[0]")
        if choice.get("error"):
            raise _choice_error(choice["error"])
        self._finish_reason = a_text(choice.get("finish_reason"), "finish_reason") or self._finish_reason
        self._logprobs += an_array(as_dict(choice.get("logprobs")) and choice["logprobs"].get("content"), "logprobs")
        delta = an_object(choice.get("delta") or {}, "delta")
        for key, pieces in self._texts.items():
            if text := a_text(delta.get(key), key):
                pieces.append(text)
                self.started = True
        for position, call in enumerate(an_array(delta.get("tool_calls"), "tool_calls")):
            self._take_call(an_object(call, "a tool call"), position)

    def _take_call(self, call: dict[str, Any], position: int) -> None:
        index = a_count(call.get("index"), "tool_calls.index")
        kept = self._calls.setdefault(position if index is None else index, {"name": "", "id": "", "arguments": []})
        function = an_object(call.get("function") or {}, "tool_calls.function")
        kept["id"] = kept["id"] or a_text(call.get("id"), "tool_calls.id")
        kept["name"] = kept["name"] or a_text(function.get("name"), "tool_calls.name")
        kept["arguments"].append(a_text(function.get("arguments"), "tool_calls.arguments"))
        self.started = True

    def answer(self) -> Answer:
        """The whole answer. Raises Fault `truncated` when the stream ended before the model did."""
        if not self._done and not self._finish_reason:
            raise Fault("truncated", "the stream ended before the answer did")
        calls = [
            a_tool_call(call["name"], "".join(call["arguments"]), call["id"], f"tool_calls[{index}]")
            for index, call in sorted(self._calls.items())
        ]
        text = {key: "".join(pieces) for key, pieces in self._texts.items()}
        return _answer(
            self._envelope,
            text=text["content"],
            refusal=text["refusal"],
            thought=text["reasoning_content"] or text["reasoning"],
            calls=tuple(calls),
            finish_reason=self._finish_reason,
            tokens=self._logprobs or None,
        )
