"""The wire format of OpenAI's chat completions, both ways. Pure: no I/O, and every answer's bytes are hostile.

Written from the public API reference (platform.openai.com/docs/api-reference/chat).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from seatrial.core.identity import canonical, loads
from seatrial.core.message import BlobPart, Message, Part, TextPart, ToolCall
from seatrial.core.output import Request, Usage
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.outcomes import Answer
from seatrial.targets.retry import Fault, classify
from seatrial.targets.sse import Events

AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
MOST_TOKENS = 1 << 64
DEEPEST = 64
RESERVED = frozenset({"model", "messages", "stream", "stream_options"})


def body(model: str, request: Request, stream: bool) -> dict[str, Json]:
    """The JSON body of a request. Parameters go in as they are; the case's tools come after the parameters' own."""
    sent: dict[str, Json] = {"model": model, "messages": [_message(m) for m in request.messages], **request.params}
    if request.tools:
        own = as_list(request.params.get("tools")) or []
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


def parse_completion(raw: bytes) -> Answer:
    """The answer in a completion's body. Raises Fault, and nothing else, for whatever else the bytes hold."""
    try:
        parsed: Any = loads(raw)
    except ValueError as cause:
        raise Fault("malformed", f"the body is not JSON: {cause}") from None
    answer = _object(parsed, "the body")
    _refuse_error(answer, raw)
    choice = _first_choice(answer)
    message = _object(choice.get("message"), "choices[0].message")
    calls = tuple(_read_call(call, i) for i, call in enumerate(_array(message.get("tool_calls"), "tool_calls")))
    return _answer(
        answer,
        text=_content(message.get("content")),
        refusal=_string(message.get("refusal"), "refusal"),
        thought=_thought(message),
        calls=calls,
        finish_reason=_string(choice.get("finish_reason"), "finish_reason"),
        logprobs=_logprobs(choice.get("logprobs")),
    )


def _answer(
    envelope: dict[str, Any],
    *,
    text: str,
    refusal: str,
    thought: str,
    calls: tuple[ToolCall, ...],
    finish_reason: str,
    logprobs: tuple[float, ...] | None,
) -> Answer:
    return Answer(
        message=Message(role="assistant", content=text or refusal, tool_calls=calls),
        finish_reason=finish_reason,
        usage=_usage(envelope.get("usage")),
        thought=thought,
        logprobs=logprobs,
        served_model=_string(envelope.get("model"), "model"),
        fingerprint=_string(envelope.get("system_fingerprint"), "system_fingerprint"),
        metadata={"refusal": refusal} if refusal else {},
    )


def _refuse_error(answer: dict[str, Any], raw: bytes) -> None:
    """Some gateways answer 200 and put the error into the body."""
    error = answer.get("error")
    if error:
        code = (as_dict(error) or {}).get("code")
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        raise classify(status, {}, raw)


def _first_choice(answer: dict[str, Any]) -> dict[str, Any]:
    choices = _array(answer.get("choices"), "choices")
    if not choices:
        raise Fault("malformed", "choices is empty")
    choice = _object(choices[0], "choices[0]")
    if choice.get("error"):
        raise _choice_error(choice["error"])
    return choice


def _choice_error(error: Any) -> Fault:
    message = (as_dict(error) or {}).get("message", error)
    return Fault("server_error", message if isinstance(message, str) else "the choice holds an error")


def _object(value: Any, where: str) -> dict[str, Any]:
    found = as_dict(value)
    if found is None:
        raise Fault("malformed", f"{where} is not an object")
    return found


def _array(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Fault("malformed", f"{where} is not an array")
    return as_list(value) or []


def _string(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Fault("malformed", f"{where} is not text")
    return value


def _count(value: Any, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_TOKENS:
        raise Fault("malformed", f"{where} is not a count")
    return value


def _content(value: Any) -> str:
    if isinstance(value, list):
        parts = [_object(part, "a content part") for part in as_list(value) or []]
        return "\n".join(_string(part.get("text"), "a content part's text") for part in parts if "text" in part)
    return _string(value, "content")


def _thought(message: dict[str, Any]) -> str:
    """What reasoning models show of their reasoning, under the two names in use."""
    found = (message.get(key) for key in ("reasoning_content", "reasoning"))
    return next((text for text in found if isinstance(text, str) and text), "")


def _read_call(value: Any, index: int) -> ToolCall:
    where = f"tool_calls[{index}]"
    call = _object(value, where)
    if call.get("type") == "custom":
        custom = _object(call.get("custom"), f"{where}.custom")
        return _tool_call(custom.get("name"), custom.get("input"), call.get("id"), where)
    function = _object(call.get("function"), f"{where}.function")
    return _tool_call(function.get("name"), function.get("arguments"), call.get("id"), where)


def _tool_call(name: Any, arguments: Any, identity: Any, where: str) -> ToolCall:
    read = arguments if as_dict(arguments) is not None else _string(arguments, f"{where}.arguments")
    if not isinstance(name, str) or not name:
        raise Fault("malformed", f"{where} has no name")
    return ToolCall(name=name, arguments=_arguments(read), id=_string(identity, f"{where}.id"))


def _arguments(read: Json) -> Json:
    """The parsed object, or the text as it came where it is none or is nested too deep to be kept."""
    parsed: Any = read
    if isinstance(read, str):
        try:
            parsed = loads(read)
        except ValueError:
            return read
    if as_dict(parsed) is not None and not _deeper(parsed, DEEPEST):
        return parsed
    if not isinstance(read, str):
        raise Fault("malformed", f"a tool call's arguments are nested deeper than {DEEPEST} levels")
    return read


def _deeper(value: Any, levels: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(levels):
        layer = [child for item in layer for child in _children(item)]
        if not layer:
            return False
    return True


def _children(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list((as_dict(item) or {}).values())
    return as_list(item) or []


def _usage(value: Any) -> Usage:
    if value is None:
        return Usage()
    usage = _object(value, "usage")
    read = _object(usage.get("prompt_tokens_details") or {}, "usage.prompt_tokens_details")
    wrote = _object(usage.get("completion_tokens_details") or {}, "usage.completion_tokens_details")
    return Usage(
        input=_count(usage.get("prompt_tokens"), "usage.prompt_tokens"),
        cached=_count(read.get("cached_tokens"), "usage.prompt_tokens_details.cached_tokens"),
        output=_count(usage.get("completion_tokens"), "usage.completion_tokens"),
        reasoning=_count(wrote.get("reasoning_tokens"), "usage.completion_tokens_details.reasoning_tokens"),
    )


def _logprobs(value: Any) -> tuple[float, ...] | None:
    """The tokens' log probabilities, or None where they are not given in OpenAI's form."""
    tokens = as_list((as_dict(value) or {}).get("content"))
    if tokens is None:
        return None
    found = [(as_dict(token) or {}).get("logprob") for token in tokens]
    numbers = [p for p in found if isinstance(p, int | float) and not isinstance(p, bool)]
    finite = [float(p) for p in numbers if -1e300 < p < 1e300 and math.isfinite(p)]
    return tuple(finite) if len(finite) == len(found) else None


class CompletionStream:
    """Puts a streamed completion together. `feed` bytes; `started` once there is a first token; then `answer`."""

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        """Start empty. `clean` sees the bytes of each event first."""
        self.started = False
        self._clean = clean
        self._events = Events()
        self._envelope: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {"content": [], "refusal": [], "reasoning_content": [], "reasoning": []}
        self._calls: dict[int, dict[str, Any]] = {}
        self._logprobs: list[Any] = []
        self._finish_reason = ""
        self._done = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises Fault for what is no completion chunk, and for an error sent as one."""
        for event in map(self._clean, self._events.feed(piece)):
            if self._done or event.strip() == b"[DONE]":
                self._done = True
                return
            try:
                parsed: Any = loads(event)
            except ValueError as cause:
                raise Fault("malformed", f"an event is not JSON: {cause}") from None
            self._take(_object(parsed, "an event"), event)

    def _take(self, chunk: dict[str, Any], raw: bytes) -> None:
        _refuse_error(chunk, raw)
        for key in ("model", "system_fingerprint", "usage"):
            if chunk.get(key) is not None:
                self._envelope[key] = chunk[key]
        choices = _array(chunk.get("choices"), "choices")
        if not choices:
            return
        choice = _object(choices[0], "choices[0]")
        if choice.get("error"):
            raise _choice_error(choice["error"])
        self._finish_reason = _string(choice.get("finish_reason"), "finish_reason") or self._finish_reason
        self._logprobs += _array(as_dict(choice.get("logprobs")) and choice["logprobs"].get("content"), "logprobs")
        delta = _object(choice.get("delta") or {}, "delta")
        for key, pieces in self._texts.items():
            if text := _string(delta.get(key), key):
                pieces.append(text)
                self.started = True
        for position, call in enumerate(_array(delta.get("tool_calls"), "tool_calls")):
            self._take_call(_object(call, "a tool call"), position)

    def _take_call(self, call: dict[str, Any], position: int) -> None:
        index = _count(call.get("index"), "tool_calls.index")
        kept = self._calls.setdefault(position if index is None else index, {"name": "", "id": "", "arguments": []})
        function = _object(call.get("function") or {}, "tool_calls.function")
        kept["id"] = kept["id"] or _string(call.get("id"), "tool_calls.id")
        kept["name"] = kept["name"] or _string(function.get("name"), "tool_calls.name")
        kept["arguments"].append(_string(function.get("arguments"), "tool_calls.arguments"))
        self.started = True

    def answer(self) -> Answer:
        """The whole answer. Raises Fault `truncated` when the stream ended before the model did."""
        if not self._done and not self._finish_reason:
            raise Fault("truncated", "the stream ended before the answer did")
        calls = [
            _tool_call(call["name"], "".join(call["arguments"]), call["id"], f"tool_calls[{index}]")
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
            logprobs=_logprobs({"content": self._logprobs}) if self._logprobs else None,
        )
