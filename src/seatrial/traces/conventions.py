"""What a span's attributes mean: OpenTelemetry GenAI (old and new names), OpenInference, traceAI, OpenLLMetry.

Each table is read from left to right, and the first name that is present wins. Conventions change slowly and programs
that follow the old ones stay for years, so every generation is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from seatrial.core.record import as_dict, as_list
from seatrial.traces.messages import chat, offered, one, parsed
from seatrial.traces.observation import KINDS, MalformedError, Observation, Raw
from seatrial.traces.otlp import Event, LogEvent, Span

KIND_NAMES = ("openinference.span.kind", "gen_ai.span.kind", "traceloop.span.kind", "fi.span.kind")
OPERATIONS = {
    "chat": "llm", "text_completion": "llm", "generate_content": "llm", "responses": "llm", "completion": "llm",
    "embeddings": "embedding", "retrieval": "retriever", "execute_tool": "tool",
    "create_agent": "agent", "invoke_agent": "agent", "invoke_workflow": "chain", "plan": "chain",
    "ai.generateText.doGenerate": "llm", "ai.streamText.doStream": "llm", "ai.toolCall": "tool",
}  # fmt: skip
SESSION = (
    "gen_ai.conversation.id", "session.id", "langfuse.session.id", "traceloop.association.properties.session_id",
    "traceloop.association.properties.thread_id", "ai.telemetry.metadata.sessionId", "langsmith.trace.session_id",
)  # fmt: skip
MODEL = ("gen_ai.request.model", "llm.request.model_name", "ai.model.id", "llm.model_name")
SERVED = (
    "gen_ai.response.model", "llm.response.model_name", "llm.model_name", "ai.response.model",
    "embedding.model_name", "reranker.model_name",
)  # fmt: skip
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
FINISH = ("gen_ai.response.finish_reasons", "llm.finish_reason", "ai.response.finishReason", "gen_ai.finish_reason")
COST = ("llm.cost.total", "gen_ai.cost.total", "gen_ai.usage.cost", "langfuse.observation.cost_details.total")
USAGE: Mapping[str, tuple[str, ...]] = {
    "input": (
        "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens",
        "ai.usage.promptTokens", "ai.usage.inputTokens",
    ),
    "output": (
        "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
        "llm.usage.completion_tokens", "ai.usage.completionTokens", "ai.usage.outputTokens",
    ),
    "cached": (
        "gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read",
        "gen_ai.usage.cache_read_tokens", "gen_ai.usage.input_tokens.cache_read",
        "gen_ai.usage.cache_read_input_tokens", "ai.usage.cachedInputTokens",
    ),
    "cache_write": (
        "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
        "llm.token_count.prompt_details.cache_write", "gen_ai.usage.cache_write_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    "reasoning": (
        "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens", "ai.usage.reasoningTokens",
        "llm.token_count.completion_details.reasoning", "gen_ai.usage.output_tokens.reasoning",
    ),
}  # fmt: skip
PARAMS = {
    f"gen_ai.request.{name}": name
    for name in ("temperature", "top_p", "top_k", "max_tokens", "seed", "frequency_penalty", "presence_penalty")
} | {"gen_ai.request.stop_sequences": "stop", "gen_ai.request.choice.count": "n"}
PARAMS_JSON = ("llm.invocation_parameters", "gen_ai.request.parameters")
NOT_PARAMS = frozenset({"messages", "tools", "model", "input", "stream", "stream_options"})

INPUT_WHOLE = ("gen_ai.input.messages", "ai.prompt.messages", "langfuse.observation.input")
INPUT_PARTS = ("llm.input_messages.", "gen_ai.input.messages.", "gen_ai.prompt.")
INPUT_LOOSE = ("input.value", "traceloop.entity.input", "gen_ai.prompt", "ai.prompt", "mlflow.spanInputs")
OUTPUT_WHOLE = ("gen_ai.output.messages", "langfuse.observation.output")
OUTPUT_PARTS = ("llm.output_messages.", "gen_ai.output.messages.", "gen_ai.completion.")
OUTPUT_LOOSE = (
    "output.value", "traceloop.entity.output", "gen_ai.completion", "ai.response.text", "mlflow.spanOutputs",
)  # fmt: skip
TOOLS_WHOLE = ("gen_ai.tool.definitions", "gen_ai.request.tools")
TOOLS_PARTS = ("llm.tools.", "gen_ai.tool.definitions.", "llm.request.functions.")
DOCUMENTS_PARTS = ("retrieval.documents.", "gen_ai.retrieval.documents.", "reranker.output_documents.")

DETAILS = "gen_ai.client.inference.operation.details"
EVENT_ROLES = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}


def first(attributes: Raw, names: tuple[str, ...]) -> Any:
    """The value of the first of these names that is present and says something, else None."""
    return next((attributes[name] for name in names if attributes.get(name) not in (None, "")), None)


def text(attributes: Raw, names: tuple[str, ...]) -> str:
    """The same as text; numbers are written out, lists give their first item."""
    value = first(attributes, names)
    items = as_list(value)
    value = items[0] if items else value
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)


def count(value: Any, where: str) -> int | None:
    """A number of tokens, None where it is not given. Raises MalformedError for what cannot be one."""
    if type(value) is int and 0 <= value < 10**15:
        return value
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**15 or value != int(value):
        raise MalformedError("must be a number of tokens", where, repr(value)[:80])
    return int(value)


def unflatten(attributes: Raw, prefix: str) -> list[Any]:
    """The list that attributes like `prefix0.message.role` spell out; positions sort as numbers, gaps close."""
    tree: dict[str, Any] = {}
    for key, value in attributes.items():
        if not key.startswith(prefix):
            continue
        *way, last = key[len(prefix) :].split(".")
        if len(way) > 40:
            raise MalformedError("is nested deeper than 40 levels", key[:80])
        node = tree
        for step in way:
            inner = node.setdefault(step, {})
            if not isinstance(inner, dict):
                raise MalformedError("is given as a whole and in parts", key[:80])
            node = cast("dict[str, Any]", inner)
        if isinstance(node.get(last), dict):
            raise MalformedError("is given as a whole and in parts", key[:80])
        node[last] = value
    found = _listed(tree)
    return cast("list[Any]", found) if isinstance(found, list) else []


def _listed(node: Any) -> Any:
    held = as_dict(node)
    if held is None:
        return node
    inner = {key: _listed(value) for key, value in held.items()}
    if inner and all(key.isdecimal() and len(key) < 10 for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def kind_of(span: Span) -> str:
    """The kind of a span: as it says, else as its attributes suggest."""
    said = text(span.attributes, KIND_NAMES).lower()
    if said in KINDS:
        return said
    operation = text(span.attributes, ("gen_ai.operation.name", "ai.operationId"))
    if operation in OPERATIONS:
        return OPERATIONS[operation]
    if said in ("workflow", "task"):
        return "chain"
    held = span.attributes
    if "gen_ai.tool.name" in held or "gen_ai.tool.call.id" in held or "tool.name" in held:
        return "tool"
    if any(key.startswith((*DOCUMENTS_PARTS, "gen_ai.retrieval.")) for key in held):
        return "retriever"
    if any(key.startswith(("gen_ai.", "llm.")) for key in held) and first(held, (*MODEL, *SERVED)) is not None:
        return "llm"
    return "chain"


def read(span: Span) -> Observation:
    """What a span says. Raises MalformedError where its attributes break their convention."""
    held = span.attributes
    found = Observation(
        kind_of(span), span.trace_id, span.span_id, span.parent_id, text(held, SESSION), span.name,
        span.start, span.end, error=span.error, attributes={**span.resource, **held},
    )  # fmt: skip
    if found.kind == "llm":
        _fill(found, span)
    elif found.kind in ("retriever", "reranker"):
        found.documents = documents(held)
    elif found.kind == "tool":
        found.messages = _tool_call(held)
    return found


def _fill(found: Observation, span: Span) -> None:
    held = span.attributes
    found.messages = _input(held) or _from_events(span.events)[0] or _loose(held, INPUT_LOOSE, "user")
    found.answer = _output(held) or _from_events(span.events)[1] or _loose(held, OUTPUT_LOOSE, "assistant")
    found.messages = with_system(held, found.messages)
    whole = first(held, TOOLS_WHOLE)
    found.tools = offered(whole, TOOLS_WHOLE[0]) if whole is not None else _parts(held, TOOLS_PARTS, offered)
    found.model, found.served_model = text(held, MODEL), text(held, SERVED)
    found.provider, found.finish_reason = text(held, PROVIDER), text(held, FINISH)
    found.params = _params(held)
    for name, names in USAGE.items():
        number = count(first(held, names), names[0])
        if number is not None:
            found.usage[name] = number
    cost = first(held, COST)
    found.cost = float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) and cost >= 0 else None


def _parts(held: Raw, prefixes: tuple[str, ...], make: Any) -> list[Raw]:
    for prefix in prefixes:
        if any(key.startswith(prefix) for key in held):
            made = make(unflatten(held, prefix), prefix.rstrip("."))
            if made:
                return made
    return []


def _input(held: Raw) -> list[Raw]:
    whole = first(held, INPUT_WHOLE)
    return chat(whole, INPUT_WHOLE[0]) if whole is not None else _parts(held, INPUT_PARTS, chat)


def _output(held: Raw) -> list[Raw]:
    whole = first(held, OUTPUT_WHOLE)
    if whole is not None:
        return chat(whole, OUTPUT_WHOLE[0], "assistant")
    return _parts(held, OUTPUT_PARTS, _said)


def _said(items: list[Any], where: str) -> list[Raw]:
    return chat(items, where, "assistant")


def with_system(held: Raw, messages: list[Raw]) -> list[Raw]:
    """The messages behind the instructions that the conventions keep in an attribute of their own."""
    given = parsed(held.get("gen_ai.system_instructions"))
    if given is None or given == "" or any(m["role"] in ("system", "developer") for m in messages):
        return messages
    said = one({"role": "system", "content": given}, "gen_ai.system_instructions")
    return [*said, *messages]


def _loose(held: Raw, names: tuple[str, ...], role: str) -> list[Raw]:
    """Messages out of an attribute that may be a request's body, a chat, or plain text."""
    value = parsed(first(held, names))
    raw = as_dict(value)
    if raw is None:
        items = as_list(value)
        if items is not None and not all(isinstance(item, dict) and "role" in item for item in items):
            return []
        return chat(value, names[0], role) if value is not None else []
    for key in ("messages", "input", "prompt", "choices", "output", "content"):
        if raw.get(key) is not None:
            inner = raw[key]
            if key == "choices":
                inner = [as_dict(as_dict(item) or {}) or {} for item in as_list(inner) or []]
                inner = [choice.get("message") or choice.get("text") or "" for choice in inner]
            return chat(inner, f"{names[0]}.{key}", role) if isinstance(inner, str | list) else []
    return one(raw, names[0], role) if "role" in raw else []


def _params(held: Raw) -> Raw:
    given = as_dict(parsed(first(held, PARAMS_JSON))) or {}
    found = {key: value for key, value in given.items() if key not in NOT_PARAMS and value is not None}
    return found | {name: held[key] for key, name in PARAMS.items() if held.get(key) is not None}


def documents(held: Raw) -> list[Raw]:
    """What a retriever found, as documents of a case; one without content keeps an empty text."""
    whole = parsed(held.get("gen_ai.retrieval.documents"))
    items = as_list(whole) if whole is not None else None
    if whole is not None and items is None:
        raise MalformedError("must be a list of documents", "gen_ai.retrieval.documents", repr(whole)[:80])
    for prefix in reversed(DOCUMENTS_PARTS):
        items = items or unflatten(held, prefix)
    items = items or []
    return [document(item, f"documents[{at}]") for at, item in enumerate(items)]


def document(item: Any, where: str) -> Raw:
    """One document in any form."""
    if isinstance(item, str):
        return {"text": item}
    raw = as_dict(item)
    if raw is None:
        raise MalformedError("must be a document", where, repr(item)[:80])
    raw = as_dict(raw.get("document")) or raw
    names = ("content", "text", "page_content", "pageContent", "body")
    said = next((raw[name] for name in names if isinstance(raw.get(name), str)), "")
    found: Raw = {"text": said}
    if raw.get("id") is not None:
        found["id"] = str(raw["id"])
    score = raw.get("score")
    if isinstance(score, int | float) and not isinstance(score, bool):
        found["score"] = float(score)
    metadata = as_dict(parsed(raw.get("metadata")))
    if metadata:
        found["metadata"] = metadata
        source = metadata.get("source")
        found |= {"source": source} if isinstance(source, str) else {}
    return found


def _tool_call(held: Raw) -> list[Raw]:
    """A tool's execution as the message that its result is."""
    result = first(held, ("gen_ai.tool.call.result", "output.value", "traceloop.entity.output"))
    name = text(held, ("gen_ai.tool.name", "tool.name", "traceloop.entity.name"))
    if result is None and not name:
        return []
    said = result if isinstance(result, str) else "" if result is None else str(result)
    message: Raw = {"role": "tool", "content": said}
    message |= {"name": name} if name else {}
    call = text(held, ("gen_ai.tool.call.id", "tool.id", "tool_call.id"))
    return [message | ({"tool_call_id": call} if call else {})]


# -------------------------------------------------------------------------------------------------- events


def _from_events(events: list[Event]) -> tuple[list[Raw], list[Raw]]:
    asked: list[Raw] = []
    answered: list[Raw] = []
    for event in events:
        before, after = _event(event.name, event.attributes, None)
        asked += before
        answered += after
    return asked, answered


def _event(name: str, attributes: Raw, body: Any) -> tuple[list[Raw], list[Raw]]:
    """The messages asked and answered that one event tells."""
    said: Raw = {**attributes, **(as_dict(parsed(body)) or {})}
    if name == DETAILS:
        return with_system(said, _input(said)), _output(said)
    if name == "gen_ai.content.prompt":
        return chat(said.get("gen_ai.prompt"), name), []
    if name == "gen_ai.content.completion":
        return [], chat(said.get("gen_ai.completion"), name, "assistant")
    if name == "gen_ai.choice":
        inner = parsed(said.get("message", said.get("content")))
        held = as_dict(inner)
        message = {"role": "assistant", **held} if held is not None else {"role": "assistant", "content": inner or ""}
        calls = parsed(said.get("tool_calls"))
        return [], one({**message, **({"tool_calls": calls} if calls else {})}, name, "assistant")
    role = EVENT_ROLES.get(name)
    if role is None:
        return [], []
    message = {"role": role, "content": parsed(said.get("content")) or ""}
    message |= {"tool_calls": parsed(said["tool_calls"])} if said.get("tool_calls") else {}
    call = said.get("id") or said.get("tool_call_id")
    return one({**message, **({"tool_call_id": call} if call else {})}, name), []


def read_log(event: LogEvent) -> Iterator[Observation]:
    """The messages that a log event adds to the span which it belongs to; nothing for other events."""
    asked, answered = _event(event.name, event.attributes, event.body)
    if (asked or answered) and event.trace_id and event.span_id:
        yield Observation(
            "event",
            event.trace_id,
            event.span_id,
            start=event.time,
            name=event.name,
            messages=asked,
            answer=answered,
            tools=offered(first(event.attributes, TOOLS_WHOLE), TOOLS_WHOLE[0]),
        )
