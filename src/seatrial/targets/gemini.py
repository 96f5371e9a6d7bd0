"""The wire format of Gemini's generateContent, both ways. Pure: no I/O, and every answer's bytes are hostile.

Written from the public API reference (ai.google.dev/api/generate-content).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from seatrial.core.case import Tool
from seatrial.core.identity import loads
from seatrial.core.message import BlobPart, Message, Part, TextPart, ToolCall
from seatrial.core.output import Request, Usage
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.outcomes import Answer
from seatrial.targets.params import Table, Unfit, as_list_at, at, only_one, response_format, tool_choice
from seatrial.targets.retry import Fault
from seatrial.targets.sse import EventStream
from seatrial.targets.strict import a_count, a_text, a_tool_call, an_array, an_object, log_probabilities, total

CONFIG = "generationConfig"
RESERVED = frozenset({"model", "contents", "systemInstruction"})
SYSTEM = ("system", "developer")
FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}
FILTERED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "JAILBREAK"}
    | {"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
)
OWN_CONFIG = (
    *("topK", "temperature", "topP", "maxOutputTokens", "stopSequences", "seed", "frequencyPenalty", "presencePenalty"),
    *("responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities", "responseLogprobs"),
    *("thinkingConfig", "mediaResolution", "speechConfig", "imageConfig", "enableEnhancedCivicAnswers"),
)
MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY"}


def _format(value: Json) -> dict[str, Json]:
    given = response_format(value)
    if given.kind == "text":
        return {}
    if given.description:
        raise Unfit("this dialect has no description in its output format", "put it into the schema")
    schema = {"responseJsonSchema": given.schema} if given.kind == "json_schema" else {}
    return {CONFIG: {"responseMimeType": "application/json", **schema}}


def _choice(value: Json) -> dict[str, Json]:
    kind, name = tool_choice(value)
    calling = {"mode": "ANY", "allowedFunctionNames": [name]} if kind == "function" else {"mode": MODES[kind]}
    return {"toolConfig": {"functionCallingConfig": calling}}


def _parallel(value: Json) -> dict[str, Json]:
    if value is not True:
        raise Unfit("this dialect cannot forbid parallel tool calls", "leave it out")
    return {}


PARAMS: Table = {
    **{name: at(CONFIG, name) for name in OWN_CONFIG},
    "top_p": at(CONFIG, "topP"),
    "top_k": at(CONFIG, "topK"),
    "max_tokens": at(CONFIG, "maxOutputTokens"),
    "max_completion_tokens": at(CONFIG, "maxOutputTokens"),
    "stop": as_list_at(CONFIG, "stopSequences"),
    "frequency_penalty": at(CONFIG, "frequencyPenalty"),
    "presence_penalty": at(CONFIG, "presencePenalty"),
    "logprobs": at(CONFIG, "responseLogprobs"),
    "top_logprobs": at(CONFIG, "logprobs"),
    "response_format": _format,
    "tool_choice": _choice,
    "parallel_tool_calls": _parallel,
    "n": only_one,
    "candidateCount": only_one,
    **dict.fromkeys(("logit_bias", "reasoning_effort")),
}
"""What becomes of the common parameters, and of its own that belong to `generationConfig`."""


def body(model: str, request: Request, params: Mapping[str, Json], stream: bool) -> dict[str, Json]:
    """The JSON body of a request; the model and the streaming are in the URL. Raises Unfit."""
    del model, stream
    sent = dict(params)
    if request.seed is not None:
        config = as_dict(sent.setdefault(CONFIG, {})) or {}
        sent[CONFIG] = {**config, "seed": request.seed}
    messages = list(request.messages)
    first = next((i for i, message in enumerate(messages) if message.role not in SYSTEM), len(messages))
    if first:
        sent["systemInstruction"] = {"parts": [part for message in messages[:first] for part in _parts(message)]}
    sent["contents"] = _contents(messages[first:])
    if request.tools:
        declared = {"functionDeclarations": [_tool(tool) for tool in request.tools]}
        sent["tools"] = [*(as_list(sent.get("tools")) or []), declared]
    return sent


def _tool(tool: Tool) -> dict[str, Json]:
    about = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **about, **({"parametersJsonSchema": tool.parameters} if tool.parameters else {})}


def _contents(messages: Sequence[Message]) -> list[dict[str, Json]]:
    sent: list[dict[str, Json]] = []
    names: dict[str, str] = {}
    results: list[Json] | None = None
    for message in messages:
        if message.role == "tool":
            if results is None:
                results = []
                sent.append({"role": "user", "parts": results})
            results.append(_result(message, names))
            continue
        results = None
        if message.role in SYSTEM:
            raise Unfit("generateContent takes system messages only at the start")
        if message.name:
            raise Unfit("generateContent has no names of speakers")
        names |= {call.id: call.name for call in message.tool_calls if call.id}
        parts = [*_parts(message), *map(_call, message.tool_calls)]
        sent.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})
    return sent


def _parts(message: Message) -> list[Json]:
    if isinstance(message.content, str):
        return [{"text": message.content}] if message.content or not message.tool_calls else []
    return [_part(part) for part in message.content]


def _part(part: Part) -> dict[str, Json]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    media_type = part.media_type or ("image/png" if part.type == "image" and part.data else "")
    kind = {"mimeType": media_type} if media_type else {}
    if part.url:
        return {"fileData": {**kind, "fileUri": part.url}}
    if not media_type:
        raise Unfit(f"generateContent needs the media type of the {part.type}")
    return {"inlineData": {**kind, "data": part.data}}


def _call(call: ToolCall) -> dict[str, Json]:
    if as_dict(call.arguments) is None:
        raise Unfit("a tool call needs an object as its arguments")
    return {"functionCall": {**({"id": call.id} if call.id else {}), "name": call.name, "args": call.arguments}}


def _result(message: Message, names: Mapping[str, str]) -> dict[str, Json]:
    """A tool's result: an object as it is, other text as `output`, as Google's clients send it."""
    name = message.name or names.get(message.tool_call_id, "")
    if not name or not isinstance(message.content, str):
        raise Unfit("a tool's result must be text, and needs its function's name or the id of a call before it")
    try:
        given = as_dict(loads(message.content))
    except ValueError:
        given = None
    identity = {"id": message.tool_call_id} if message.tool_call_id else {}
    response = {"output": message.content} if given is None else given
    return {"functionResponse": {**identity, "name": name, "response": response}}


def read(response: dict[str, Any]) -> Answer:
    """The answer in a response. Raises Fault, and nothing else, for whatever else it holds."""
    candidates = an_array(response.get("candidates"), "candidates")
    blocked = _blocked(response)
    if not candidates and not blocked:
        raise Fault("malformed", "there is neither a candidate nor a reason why not")
    candidate = an_object(candidates[0], "candidates[0]") if candidates else {}
    content = an_object(candidate.get("content") or {}, "candidates[0].content")
    parts = [an_object(part, f"parts[{i}]") for i, part in enumerate(an_array(content.get("parts"), "parts"))]
    calls = [_read_call(part["functionCall"], i) for i, part in enumerate(parts) if part.get("functionCall")]
    reason = a_text(candidate.get("finishReason"), "finishReason")
    said = a_text(candidate.get("finishMessage"), "finishMessage")
    return Answer(
        message=_message(parts, calls),
        finish_reason="content_filter" if blocked else _finish_reason(reason, bool(calls)),
        usage=_usage(response.get("usageMetadata")),
        thought=_text(parts, thought=True),
        logprobs=_logprobs(candidate.get("logprobsResult")),
        served_model=a_text(response.get("modelVersion"), "modelVersion"),
        metadata={key: value for key, value in (("block_reason", blocked), ("finish_message", said)) if value},
    )


def _blocked(response: Mapping[str, Any]) -> str:
    feedback = an_object(response.get("promptFeedback") or {}, "promptFeedback")
    return a_text(feedback.get("blockReason"), "promptFeedback.blockReason")


def _finish_reason(reason: str, calls: bool) -> str:
    if reason in FILTERED:
        return "content_filter"
    common = FINISH.get(reason, reason.lower())
    return "tool_calls" if calls and common == "stop" else common


def _text(parts: Sequence[Mapping[str, Any]], *, thought: bool) -> str:
    return "".join(a_text(part.get("text"), "text") for part in parts if bool(part.get("thought")) is thought)


def _message(parts: Sequence[Mapping[str, Any]], calls: Sequence[ToolCall]) -> Message:
    text = _text(parts, thought=False)
    blobs = [_blob(an_object(part["inlineData"], "inlineData")) for part in parts if part.get("inlineData")]
    shown = [TextPart(type="text", text=text)] if text else []
    return Message(role="assistant", content=(*shown, *blobs) if blobs else text, tool_calls=tuple(calls))


def _blob(data: Mapping[str, Any]) -> BlobPart:
    kind = a_text(data.get("mimeType"), "inlineData.mimeType")
    found = kind.partition("/")[0]
    type_ = found if found in ("image", "audio") else "file"
    try:
        return BlobPart.model_validate({"type": type_, "media_type": kind, "data": data.get("data")})
    except ValidationError:
        raise Fault("malformed", "inlineData.data is not base64") from None


def _read_call(value: Any, index: int) -> ToolCall:
    call = an_object(value, f"parts[{index}].functionCall")
    return a_tool_call(call.get("name"), call.get("args") or {}, call.get("id"), f"parts[{index}].functionCall")


def _usage(value: Any) -> Usage:
    """Token classes. A count of zero is left out on the wire, so the total says whether anything was counted."""
    if value is None:
        return Usage()
    usage = an_object(value, "usageMetadata")
    names = ("promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount", "candidatesTokenCount")
    asked, tools, cached, written = (a_count(usage.get(name), f"usageMetadata.{name}") for name in names)
    thinking = a_count(usage.get("thoughtsTokenCount"), "usageMetadata.thoughtsTokenCount")
    counted = a_count(usage.get("totalTokenCount"), "usageMetadata.totalTokenCount")
    output = total(written, thinking, None if counted is None else 0)
    return Usage(input=total(asked, tools), cached=cached, output=output, reasoning=thinking)


def _logprobs(value: Any) -> tuple[float, ...] | None:
    chosen = as_list((as_dict(value) or {}).get("chosenCandidates"))
    return log_probabilities(chosen, "logProbability")


class ContentStream(EventStream):
    """Puts a streamed response together: each event is a response whose parts follow those before."""

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        """Start empty. `clean` sees the bytes of each event first."""
        super().__init__(clean)
        self._response: dict[str, Any] = {}
        self._candidate: dict[str, Any] = {}
        self._parts: list[Any] = []
        self._chosen: list[Any] = []

    def take(self, event: dict[str, Any]) -> None:
        """Take the next event. Raises Fault."""
        for key in ("promptFeedback", "usageMetadata", "modelVersion"):
            if event.get(key) is not None:
                self._response[key] = event[key]
        candidates = an_array(event.get("candidates"), "candidates")
        if not candidates:
            return
        candidate = an_object(candidates[0], "candidates[0]")
        for key in ("finishReason", "finishMessage"):
            if candidate.get(key) is not None:
                self._candidate[key] = candidate[key]
        content = an_object(candidate.get("content") or {}, "candidates[0].content")
        parts = an_array(content.get("parts"), "parts")
        self._parts += parts
        self.started = self.started or any(as_dict(part) not in (None, {}, {"text": ""}) for part in parts)
        result = an_object(candidate.get("logprobsResult") or {}, "logprobsResult")
        self._chosen += an_array(result.get("chosenCandidates"), "chosenCandidates")

    def answer(self) -> Answer:
        """The whole answer. Raises Fault `truncated` when the stream ended before the model did."""
        if not self._candidate.get("finishReason") and not self._response.get("promptFeedback"):
            raise Fault("truncated", "the stream ended before the answer did")
        logprobs = {"logprobsResult": {"chosenCandidates": self._chosen}} if self._chosen else {}
        candidate = {**self._candidate, "content": {"parts": self._parts}, **logprobs}
        blocked = bool(_blocked(self._response)) and not self._parts
        return read({**self._response, "candidates": [] if blocked else [candidate]})
