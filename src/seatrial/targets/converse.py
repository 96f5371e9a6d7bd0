"""The wire format of Amazon Bedrock's Converse, both ways. Pure: no I/O, and every answer's bytes are hostile.

Written from the public API reference (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, and
ConverseStream beside it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from seatrial.core.case import Tool
from seatrial.core.identity import loads
from seatrial.core.message import BlobPart, Message, Part, TextPart, ToolCall
from seatrial.core.output import Request, Usage
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets import eventstream
from seatrial.targets.outcomes import Answer
from seatrial.targets.params import Table, Unfit, as_list_at, at, only_one, response_format, tool_choice
from seatrial.targets.retry import Fault, classify
from seatrial.targets.sse import EventStream
from seatrial.targets.strict import a_count, a_text, a_tool_call, an_array, an_object, parsed, total

CONFIG = "inferenceConfig"
RESERVED = frozenset({"modelId", "model", "messages", "system", "stream"})
SYSTEM = ("system", "developer")
FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9()\[\] -]+")
CHOICES: Mapping[str, str] = {"auto": "auto", "required": "any"}


def _format(value: Json) -> dict[str, Json]:
    given = response_format(value)
    if given.kind == "text":
        return {}
    if given.kind == "json_object":
        raise Unfit("this dialect has no JSON without a schema in its output format", "use a json_schema")
    about = {"description": given.description} if given.description else {}
    schema = {"schema": _json_text(given.schema), "name": given.name, **about}
    return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}}


def _json_text(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        raise Unfit("holds what JSON cannot") from None


def _choice(value: Json) -> dict[str, Json]:
    kind, name = tool_choice(value)
    if kind == "none":
        raise Unfit("this dialect has no tool choice none", "leave the tools out", lacking=True)
    return {"toolConfig": {"toolChoice": {"tool": {"name": name}} if kind == "function" else {CHOICES[kind]: {}}}}


def _parallel(value: Json) -> dict[str, Json]:
    if value is not True:
        raise Unfit("this dialect cannot forbid parallel tool calls", "leave it out", lacking=True)
    return {}


PARAMS: Table = {
    "max_tokens": at(CONFIG, "maxTokens"),
    "max_completion_tokens": at(CONFIG, "maxTokens"),
    "temperature": at(CONFIG, "temperature"),
    "top_p": at(CONFIG, "topP"),
    "stop": as_list_at(CONFIG, "stopSequences"),
    **{name: at(CONFIG, name) for name in ("maxTokens", "topP", "stopSequences")},
    "response_format": _format,
    "tool_choice": _choice,
    "parallel_tool_calls": _parallel,
    "n": only_one,
    **dict.fromkeys(("seed", "top_k", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs")),
    **dict.fromkeys(("logit_bias", "reasoning_effort")),
}
"""What becomes of the common parameters; a model's own go under `additionalModelRequestFields`."""


def body(model: str, request: Request, params: Mapping[str, Json], stream: bool) -> dict[str, Json]:
    """The JSON body of a request; the model is in the URL. Raises Unfit for what Converse cannot express."""
    del model, stream
    sent = dict(params)
    if request.seed is not None:
        raise Unfit("Converse takes no seed")
    messages = list(request.messages)
    first = next((i for i, message in enumerate(messages) if message.role not in SYSTEM), len(messages))
    if first:
        sent["system"] = [block for message in messages[:first] for block in _system(message)]
    sent["messages"] = _messages(messages[first:])
    config = as_dict(sent.get("toolConfig")) or {}
    tools = [*(as_list(config.get("tools")) or []), *map(_tool, request.tools)]
    if tools:
        sent["toolConfig"] = {**config, "tools": tools}
    elif config:
        raise Unfit("Converse takes a tool choice only beside tools")
    return sent


def _system(message: Message) -> list[Json]:
    parts = [TextPart(type="text", text=message.content)] if isinstance(message.content, str) else message.content
    if not all(isinstance(part, TextPart) for part in parts):
        raise Unfit("Converse takes only text as system messages")
    return [{"text": part.text} for part in parts if isinstance(part, TextPart)]


def _tool(tool: Tool) -> dict[str, Json]:
    about = {"description": tool.description} if tool.description else {}
    schema = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {"toolSpec": {"name": tool.name, **about, "inputSchema": {"json": schema}}}


def _messages(messages: Sequence[Message]) -> list[dict[str, Json]]:
    sent: list[dict[str, Json]] = []
    results: list[Json] | None = None
    for number, message in enumerate(messages):
        if message.role == "tool":
            if results is None:
                results = []
                sent.append({"role": "user", "content": results})
            results.append(_result(message))
            continue
        results = None
        if message.role in SYSTEM:
            raise Unfit("Converse takes system messages only at the start")
        if message.name:
            raise Unfit("Converse has no names of speakers")
        sent.append({"role": message.role, "content": [*_blocks(message, number), *map(_call, message.tool_calls)]})
    return sent


def _blocks(message: Message, number: int) -> list[Json]:
    if isinstance(message.content, str):
        return [{"text": message.content}] if message.content or not message.tool_calls else []
    return [_part(part, f"document {number + 1}-{place + 1}") for place, part in enumerate(message.content)]


def _part(part: Part, unnamed: str) -> dict[str, Json]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if part.type == "audio":
        raise Unfit("Converse takes audio of few models, and in a form that is not written here")
    if part.type == "image":
        return {"image": {"format": _kind(part, part.media_type or "image/png", IMAGES), "source": _source(part)}}
    name = " ".join(NOT_IN_NAMES.sub(" ", part.name).split()) or unnamed
    return {"document": {"format": _kind(part, part.media_type, DOCUMENTS), "name": name, "source": _source(part)}}


def _kind(part: BlobPart, media_type: str, known: Mapping[str, str]) -> str:
    found = known.get(media_type.partition(";")[0].strip().lower())
    if found is None:
        raise Unfit(f"Converse takes no {part.type} of the type {media_type or 'unknown'}")
    return found


def _source(part: BlobPart) -> dict[str, Json]:
    if not part.url:
        return {"bytes": part.data}
    if part.url.startswith("s3://"):
        return {"s3Location": {"uri": part.url}}
    raise Unfit("Converse reads no web addresses: give the bytes, or an s3:// address")


def _call(call: ToolCall) -> dict[str, Json]:
    if as_dict(call.arguments) is None or not call.id:
        raise Unfit("a tool call needs an id, and an object as its arguments")
    return {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}}


def _result(message: Message) -> dict[str, Json]:
    """A tool's result: an object as JSON, everything else as it is."""
    if not message.tool_call_id:
        raise Unfit("a tool's result needs the id of its call")
    content = _blocks(message, 0)
    if isinstance(message.content, str):
        try:
            found = as_dict(loads(message.content))
        except ValueError:
            found = None
        content = [{"text": message.content}] if found is None else [{"json": found}]
    return {"toolResult": {"toolUseId": message.tool_call_id, "content": content}}


def read(response: dict[str, Any]) -> Answer:
    """The answer in a response. Raises Fault, and nothing else, for whatever else it holds."""
    message = an_object(an_object(response.get("output"), "output").get("message"), "output.message")
    if not isinstance(message.get("content"), list):
        raise Fault("malformed", "output.message.content is not an array")
    text: list[str] = []
    thought: list[str] = []
    calls: list[ToolCall] = []
    for index, value in enumerate(an_array(message["content"], "content")):
        where = f"content[{index}]"
        block = an_object(value, where)
        text.append(a_text(block.get("text"), f"{where}.text"))
        thought.append(_thought(block.get("reasoningContent"), where))
        if (use := block.get("toolUse")) is not None:
            use = an_object(use, f"{where}.toolUse")
            calls.append(a_tool_call(use.get("name"), use.get("input") or {}, use.get("toolUseId"), where))
    reason = a_text(response.get("stopReason"), "stopReason")
    if not reason:
        raise Fault("malformed", "there is no stopReason")
    return Answer(
        message=Message(role="assistant", content="".join(text), tool_calls=tuple(calls)),
        finish_reason=FINISH.get(reason, reason.lower()),
        usage=_usage(response.get("usage")),
        thought="\n".join(filter(None, thought)),
        served_model=_routed(response.get("trace")),
        metadata={"stop_reason": reason} if reason == "guardrail_intervened" else {},
    )


def _thought(value: Any, where: str) -> str:
    reasoning = an_object(value or {}, f"{where}.reasoningContent")
    inner = an_object(reasoning.get("reasoningText") or {}, f"{where}.reasoningContent.reasoningText")
    return a_text(inner.get("text"), f"{where}.reasoningContent.reasoningText.text")


def _routed(value: Any) -> str:
    """The model that a prompt router chose; who asks a model by name is not told it again."""
    router = an_object(an_object(value or {}, "trace").get("promptRouter") or {}, "trace.promptRouter")
    return a_text(router.get("invokedModelId"), "trace.promptRouter.invokedModelId")


def _usage(value: Any) -> Usage:
    """Token classes. Bedrock counts what was read from and written to the cache beside the input, not in it."""
    if value is None:
        return Usage()
    usage = an_object(value, "usage")
    names = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "outputTokens")
    fresh, cached, written, output = (a_count(usage.get(name), f"usage.{name}") for name in names)
    kept: list[int | None] = []
    for index, item in enumerate(an_array(usage.get("cacheDetails"), "usage.cacheDetails")):
        detail = an_object(item, f"usage.cacheDetails[{index}]")
        if detail.get("ttl") == "1h":
            kept.append(a_count(detail.get("inputTokens"), f"usage.cacheDetails[{index}].inputTokens"))
    asked = None if fresh is None else total(fresh, cached, written)
    return Usage(input=asked, cached=cached, cache_write=written, cache_write_1h=total(*kept), output=output)


STATUS_OF = {
    "validationException": 400,
    "accessDeniedException": 403,
    "resourceNotFoundException": 404,
    "modelTimeoutException": 408,
    "throttlingException": 429,
    "modelNotReadyException": 429,
    "serviceUnavailableException": 503,
}
"""The HTTP status that an exception in a stream stands for; 500 where it is not known."""


class ConverseStream(EventStream):
    """Puts a ConverseStream together: text, thoughts and tool calls come in pieces of numbered blocks."""

    media_type = eventstream.MEDIA_TYPE

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        """Start empty. `clean` sees the bytes of each event first."""
        super().__init__(clean)
        self._frames = eventstream.Frames()
        self._response: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises Fault for what is no event, and for an exception sent as one."""
        for frame in self._frames.feed(piece):
            payload = self._clean(frame.payload)
            kind = frame.text(":message-type")
            if kind != "event":
                name = frame.text(":exception-type") or frame.text(":error-code")
                told = orjson.dumps({"message": frame.text(":error-message")}) if kind == "error" else payload
                raise classify(STATUS_OF.get(name, 500), {}, self._clean(told))
            name = frame.text(":event-type")
            if name in EVENTS:
                self.take({name: parsed(payload, name)})

    def take(self, event: dict[str, Any]) -> None:
        """Take the next event, under its type's name. Raises Fault."""
        ((name, value),) = event.items()
        if name == "messageStop":
            self._response["stopReason"] = value.get("stopReason")
        elif name == "metadata":
            self._response |= {key: value[key] for key in ("usage", "trace") if value.get(key) is not None}
        else:
            index = a_count(value.get("contentBlockIndex"), f"{name}.contentBlockIndex")
            block = self._blocks.setdefault(index or 0, _Block())
            block.take(an_object(value.get("start") or value.get("delta") or {}, name))
            self.started = self.started or block.begun

    def answer(self) -> Answer:
        """The whole answer. Raises Fault `truncated` when the stream ended before the model did."""
        if "stopReason" not in self._response or self._frames.cut:
            raise Fault("truncated", "the stream ended before the answer did")
        content = [part for _, block in sorted(self._blocks.items()) for part in block.parts()]
        return read({**self._response, "output": {"message": {"content": content}}})


EVENTS = frozenset({"contentBlockStart", "contentBlockDelta", "messageStop", "metadata"})
"""The events of a stream that say something; others are passed over."""


class _Block:
    """One block of a streamed answer, in pieces."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thought: list[str] = []
        self._input: list[str] = []
        self._use: dict[str, Any] | None = None

    @property
    def begun(self) -> bool:
        """Whether the model has said anything here."""
        return bool(self._text or self._thought or self._input or self._use is not None)

    def take(self, piece: dict[str, Any]) -> None:
        """The start of a tool call, or more text, thought or JSON of a tool call's input."""
        reasoning = an_object(piece.get("reasoningContent") or {}, "reasoningContent")
        use = piece.get("toolUse")
        found = an_object({} if use is None else use, "toolUse")
        for pieces, text in (
            (self._text, piece.get("text")),
            (self._thought, reasoning.get("text")),
            (self._input, found.get("input")),
        ):
            if said := a_text(text, "a piece of a block"):
                pieces.append(said)
        if use is not None:
            self._use = {**(self._use or {}), **found}

    def parts(self) -> list[dict[str, Any]]:
        """The block as a whole answer has it."""
        thought = {"reasoningContent": {"reasoningText": {"text": "".join(self._thought)}}}
        use = {"toolUse": {**(self._use or {}), "input": "".join(self._input)}}
        return [
            *([thought] if self._thought else []),
            *([{"text": "".join(self._text)}] if self._text else []),
            *([use] if self._use is not None else []),
        ]
