"""The wire format of Anthropic's messages API, both ways. Pure: no I/O, and every answer's bytes are hostile.

Written from the public API reference (platform.claude.com/docs/en/api/messages).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seatrial.core.case import Tool
from seatrial.core.message import BlobPart, Message, Part, TextPart, ToolCall
from seatrial.core.output import Request, Usage
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.outcomes import Answer
from seatrial.targets.params import Table, Unfit, as_list_at, at, only_one, response_format, tool_choice
from seatrial.targets.retry import Fault
from seatrial.targets.sse import EventStream
from seatrial.targets.strict import a_count, a_text, a_tool_call, an_array, an_object, total

VERSION = "2026-10-21"
VERSION_HEADER = "anthropic-version"
RESERVED = frozenset({"model", "messages", "system", "stream"})
SYSTEM = ("system", "developer")
FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
ADDED = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
CUT = "model_context_window_exceeded"


def _format(value: Json) -> dict[str, Json]:
    given = response_format(value)
    if given.kind == "text":
        return {}
    if given.kind == "json_object" or given.description:
        what = "a description" if given.description else "JSON without a schema"
        raise Unfit(f"this dialect has no {what} in its output format", "use a json_schema without a description")
    return {"output_config": {"format": {"type": "json_schema", "schema": given.schema}}}


def _choice(value: Json) -> dict[str, Json]:
    own = as_dict(value)
    if own is not None and own.get("type") in ("auto", "any", "none", "tool"):
        return {"tool_choice": own}
    kind, name = tool_choice(value)
    if kind == "function":
        return {"tool_choice": {"type": "tool", "name": name}}
    return {"tool_choice": {"type": "any" if kind == "required" else kind}}


def _parallel(value: Json) -> dict[str, Json]:
    if not isinstance(value, bool):
        raise Unfit("is neither true nor false")
    return {} if value else {"tool_choice": {"disable_parallel_tool_use": True}}


def _no_sampling(value: Json) -> dict[str, Json]:
    del value
    raise Unfit(
        f"is no longer taken by the messages API as of {VERSION}",
        f"leave it out, or send the header {VERSION_HEADER}: 2023-06-01 to a model that still takes it",
        lacking=True,
    )


PARAMS: Table = {
    "max_completion_tokens": at("max_tokens"),
    "stop": as_list_at("stop_sequences"),
    "response_format": _format,
    "tool_choice": _choice,
    "parallel_tool_calls": _parallel,
    "n": only_one,
    **dict.fromkeys(
        ("seed", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "logit_bias", "reasoning_effort")
    ),
}
"""What becomes of the common parameters; its own names go in as they are."""


def params_at(headers: Mapping[str, str]) -> Table:
    """What becomes of parameters in the API's version that the headers ask for.

    Since 2026-10-21 the sampling parameters are gone, even with their default values.
    """
    asked = next((value for key, value in headers.items() if key.lower() == VERSION_HEADER), VERSION)
    return PARAMS if asked < VERSION else {**PARAMS, **dict.fromkeys(("temperature", "top_p", "top_k"), _no_sampling)}


def body(model: str, request: Request, params: Mapping[str, Json], stream: bool) -> dict[str, Json]:
    """The JSON body of a request. Raises Unfit for what the messages API cannot express."""
    sent = dict(params)
    if request.seed is not None:
        raise Unfit("the messages API takes no seed")
    messages = list(request.messages)
    first = next((i for i, message in enumerate(messages) if message.role not in SYSTEM), len(messages))
    if first:
        sent["system"] = _system(messages[:first])
    sent |= {"model": model, "messages": _messages(messages[first:])}
    if request.tools:
        sent["tools"] = [*(as_list(sent.get("tools")) or []), *map(_tool, request.tools)]
    choice = as_dict(sent.get("tool_choice"))
    if choice is not None:
        sent["tool_choice"] = {"type": "auto", **choice}
    if stream:
        sent["stream"] = True
    return sent


def _system(messages: Sequence[Message]) -> Json:
    if len(messages) == 1 and isinstance(messages[0].content, str):
        return messages[0].content
    return [block for message in messages for block in _blocks(message)]


def _tool(tool: Tool) -> dict[str, Json]:
    about = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **about, "input_schema": dict(tool.parameters) or {"type": "object", "properties": {}}}


def _messages(messages: Sequence[Message]) -> list[dict[str, Json]]:
    sent: list[dict[str, Json]] = []
    results: list[Json] | None = None
    for message in messages:
        if message.name and message.role != "tool":
            raise Unfit("the messages API has no names of speakers")
        if message.role != "tool":
            results = None
            sent.append({"role": "system" if message.role in SYSTEM else message.role, "content": _content(message)})
            continue
        if results is None:
            results = []
            sent.append({"role": "user", "content": results})
        results.append(_result(message))
    return sent


def _content(message: Message) -> Json:
    if isinstance(message.content, str) and not message.tool_calls:
        return message.content
    return [*_blocks(message), *map(_call, message.tool_calls)]


def _blocks(message: Message) -> list[Json]:
    if isinstance(message.content, str):
        return [{"type": "text", "text": message.content}] if message.content else []
    return [_part(part, message.role) for part in message.content]


def _call(call: ToolCall) -> dict[str, Json]:
    if as_dict(call.arguments) is None or not call.id:
        raise Unfit("a tool call needs an id, and an object as its arguments")
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}


def _result(message: Message) -> dict[str, Json]:
    if not message.tool_call_id:
        raise Unfit("a tool's result needs the id of its call")
    content = message.content if isinstance(message.content, str) else _blocks(message)
    return {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": content}


def _part(part: Part, role: str) -> dict[str, Json]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if part.type == "audio":
        raise Unfit("the messages API takes no audio")
    if part.type == "image":
        return {"type": "image", "source": _source(part, part.media_type or "image/png")}
    if role == "assistant":
        raise Unfit("the messages API takes no files in an assistant's message")
    title = {"title": part.name} if part.name else {}
    if part.url or part.media_type == "application/pdf":
        return {"type": "document", "source": _source(part, part.media_type), **title}
    if part.media_type.partition("/")[0] != "text":
        raise Unfit(f"the messages API takes PDF and text files, not {part.media_type or 'files of an unknown type'}")
    text = base64.b64decode(part.data).decode("utf-8", "replace")
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}, **title}


def _source(part: BlobPart, media_type: str) -> dict[str, Json]:
    if part.url:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": media_type, "data": part.data}


def read(message: dict[str, Any]) -> Answer:
    """The answer in a message. Raises Fault, and nothing else, for whatever else it holds."""
    if not isinstance(message.get("content"), list):
        raise Fault("malformed", "content is not an array")
    text: list[str] = []
    thought: list[str] = []
    calls: list[ToolCall] = []
    for index, value in enumerate(an_array(message["content"], "content")):
        where = f"content[{index}]"
        block = an_object(value, where)
        kind = block.get("type")
        if kind == "text":
            text.append(a_text(block.get("text"), f"{where}.text"))
        elif kind == "thinking":
            thought.append(a_text(block.get("thinking"), f"{where}.thinking"))
        elif kind == "tool_use":
            calls.append(a_tool_call(block.get("name"), block.get("input"), block.get("id"), where))
        elif not isinstance(kind, str):
            raise Fault("malformed", f"{where} has no type")
    refusal = _refusal(message)
    return Answer(
        message=Message(role="assistant", content="".join(text) or refusal, tool_calls=tuple(calls)),
        finish_reason=_finish_reason(message),
        usage=_usage(message.get("usage")),
        thought="\n".join(thought),
        served_model=a_text(message.get("model"), "model"),
        metadata={"refusal": refusal or "refused without a reason"} if message.get("stop_reason") == "refusal" else {},
    )


def _finish_reason(message: Mapping[str, Any]) -> str:
    """In the common words. A context that is full cuts the answer as the output limit does."""
    reason = a_text(message.get("stop_reason"), "stop_reason")
    return "length" if reason == CUT else FINISH.get(reason, reason)


def _refusal(message: Mapping[str, Any]) -> str:
    details = an_object(message.get("stop_details") or {}, "stop_details")
    found = (a_text(details.get(key), f"stop_details.{key}") for key in ("explanation", "category"))
    return next((text for text in found if text), "") if message.get("stop_reason") == "refusal" else ""


def _usage(value: Any) -> Usage:
    """Token classes. Anthropic counts what was read from and written to the cache beside the input, not in it."""
    if value is None:
        return Usage()
    usage = an_object(value, "usage")
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    fresh, written, cached, output = (a_count(usage.get(name), f"usage.{name}") for name in names)
    details = an_object(usage.get("output_tokens_details") or {}, "usage.output_tokens_details")
    thinking = a_count(details.get("thinking_tokens"), "usage.output_tokens_details.thinking_tokens")
    asked = None if fresh is None else total(fresh, written, cached)
    made = an_object(usage.get("cache_creation") or {}, "usage.cache_creation")
    for_an_hour = a_count(made.get("ephemeral_1h_input_tokens"), "usage.cache_creation.ephemeral_1h_input_tokens")
    return Usage(
        input=asked,
        cached=cached,
        cache_write=written,
        cache_write_1h=for_an_hour,
        output=output,
        reasoning=thinking,
    )


class MessageStream(EventStream):
    """Puts a streamed message together: its envelope, its blocks by index, what is added to each, and the end."""

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        """Start empty. `clean` sees the bytes of each event first."""
        super().__init__(clean)
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[int, list[str]] = {}

    def take(self, event: dict[str, Any]) -> None:
        """Take the next event. Kinds that are not known are passed over, as the reference asks. Raises Fault."""
        kind = event.get("type")
        if kind == "message_start":
            self._message = dict(an_object(event.get("message"), "message"))
            self._add_usage(self._message.get("usage"))
        elif kind == "content_block_start":
            self._blocks[self._index(event)] = dict(an_object(event.get("content_block"), "content_block"))
        elif kind == "content_block_delta":
            self._add(self._index(event), an_object(event.get("delta"), "delta"))
        elif kind == "message_delta":
            delta = an_object(event.get("delta"), "delta")
            self._message |= {key: value for key, value in delta.items() if value is not None}
            self._add_usage(event.get("usage"))
        elif kind == "message_stop":
            self._done = True
        elif not isinstance(kind, str):
            raise Fault("malformed", "an event has no type")

    def _index(self, event: dict[str, Any]) -> int:
        index = a_count(event.get("index"), "index")
        if index is None:
            raise Fault("malformed", "an event of a block has no index")
        return index

    def _add_usage(self, value: Any) -> None:
        found = an_object(value or {}, "usage")
        self._usage |= {key: count for key, count in found.items() if count is not None}

    def _add(self, index: int, delta: dict[str, Any]) -> None:
        if index not in self._blocks:
            raise Fault("malformed", f"block {index} has no start")
        key = ADDED.get(a_text(delta.get("type"), "delta.type"))
        if key is None:
            return
        if piece := a_text(delta.get(key), f"delta.{key}"):
            self._pieces.setdefault(index, []).append(piece)
            self.started = True

    def answer(self) -> Answer:
        """The whole answer. Raises Fault `truncated` when the stream ended before the model did."""
        if not self._message.get("stop_reason"):
            raise Fault("truncated", "the stream ended before the answer did")
        blocks = [self._block(index) for index in sorted(self._blocks)]
        return read({**self._message, "content": blocks, "usage": self._usage or None})

    def _block(self, index: int) -> dict[str, Any]:
        block, added = self._blocks[index], "".join(self._pieces.get(index, []))
        key = {"text": "text", "thinking": "thinking", "tool_use": "input"}.get(str(block.get("type")))
        return {**block, key: self._begun(block, key) + added} if key and added else block

    @staticmethod
    def _begun(block: dict[str, Any], key: str) -> str:
        """What a block starts with, which for a call's input is an empty object."""
        return "" if key == "input" else a_text(block.get(key), key)
