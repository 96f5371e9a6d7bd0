"""Exports of other tools: Langfuse, LangSmith, Phoenix, Braintrust, Helicone, LiteLLM. One function each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seatrial.core.record import as_dict, as_list
from seatrial.datasets.importing import openai
from seatrial.datasets.importing.values import moment, money, name, session, usage
from seatrial.traces import conventions
from seatrial.traces.conventions import document
from seatrial.traces.messages import chat, offered, parsed
from seatrial.traces.observation import MalformedError, Observation, Raw
from seatrial.traces.otlp import Event, Span


def _ask(found: Observation, value: Any, where: str) -> None:
    """Fill in what a model was asked: a chat, a request's body, or text."""
    value = parsed(value)
    held = as_dict(value)
    if held is not None and not isinstance(held.get("role"), str):
        if held.get("messages") is not None:
            value = held["messages"]
        elif any(isinstance(held.get(key), str) for key in ("input", "prompt", "question", "query")):
            value = next(held[k] for k in ("input", "prompt", "question", "query") if isinstance(held.get(k), str))
        else:
            raise MalformedError("holds no messages", where, f"an object with {', '.join(list(held)[:6])}"[:80])
        found.tools = found.tools or offered(held.get("tools"), f"{where}.tools")
    found.messages = chat(value, where)


def _answer(found: Observation, value: Any, where: str) -> None:
    value = parsed(value)
    held = as_dict(value)
    if held is None or isinstance(held.get("role"), str):
        found.answer = chat(value, where, "assistant")
    elif held:
        openai.answer(found, held)


def _documents(value: Any, where: str) -> list[Raw]:
    value = parsed(value)
    held = as_dict(value)
    if held is not None:
        value = next((held[k] for k in ("documents", "docs", "output", "results") if as_list(held.get(k))), [held])
    found = as_list([value] if isinstance(value, str) else value) or []
    return [document(item, f"{where}[{at}]") for at, item in enumerate(found)]


def _tool_result(found: Observation, value: Any) -> None:
    value = parsed(value)
    if value is not None:
        said = value if isinstance(value, str) else str((as_dict(value) or {}).get("output", value))
        found.messages = [{"role": "tool", "content": said, **({"name": found.name} if found.name else {})}]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _by_kind(found: Observation, given: Any, got: Any) -> None:
    """Fill in what went in and what came out, as the kind of step asks for."""
    if found.kind == "llm":
        if given is not None:
            _ask(found, given, "input")
        if got is not None:
            _answer(found, got, "output")
    elif found.kind in ("retriever", "reranker"):
        found.documents = _documents(got, "output")
    elif found.kind == "tool":
        _tool_result(found, got)


# ------------------------------------------------------------------------------------------------- Langfuse


LANGFUSE = {
    "GENERATION": "llm", "SPAN": "chain", "EVENT": "chain", "RETRIEVER": "retriever", "TOOL": "tool",
    "AGENT": "agent", "CHAIN": "chain", "EMBEDDING": "embedding", "EVALUATOR": "evaluator", "GUARDRAIL": "guardrail",
}  # fmt: skip


def is_langfuse(raw: Raw) -> bool:
    """An observation, or a trace with its observations."""
    return (
        ("traceId" in raw and "type" in raw)
        or ("trace_id" in raw and raw.get("type") in LANGFUSE)
        or (as_list(raw.get("observations")) is not None)
    )


def langfuse(raw: Raw) -> Iterator[Observation]:
    """An observation of Langfuse, or a trace with all of its observations."""
    inner = as_list(raw.get("observations"))
    if inner is None:
        yield _langfuse_one(raw, {})
        return
    for at, item in enumerate(inner):
        held = as_dict(item)
        if held is None:
            raise MalformedError("must be an observation", f"observations[{at}]", repr(item)[:80])
        yield _langfuse_one({"traceId": raw.get("id"), **held}, raw)


def _langfuse_one(raw: Raw, trace: Raw) -> Observation:
    said = raw.get("type")
    kind = LANGFUSE.get(said) if isinstance(said, str) else None
    if kind is None:
        raise MalformedError("is not a type of observation", "type", repr(said)[:80], f"types: {', '.join(LANGFUSE)}")
    get = _either(raw)
    metadata = as_dict(parsed(raw.get("metadata"))) or {}
    found = Observation(
        kind,
        trace_id=name(get("traceId"), "traceId"), span_id=name(raw.get("id")),
        parent_id=name(get("parentObservationId"), "parentObservationId"),
        session_id=session(raw, trace, metadata), name=_text(raw.get("name")),
        start=moment(get("startTime"), "startTime"), end=moment(get("endTime"), "endTime"),
        error=_text(get("statusMessage")) if raw.get("level") == "ERROR" else "",
        attributes={**{f"trace.{k}": v for k, v in trace.items() if k != "observations"}, **raw, **metadata},
    )  # fmt: skip
    _by_kind(found, raw.get("input"), raw.get("output"))
    if kind == "llm":
        found.model = _text(raw.get("model")) or _text(get("providedModelName"))
        found.usage = usage(get("usageDetails"), raw.get("usage"), raw)
        found.params = as_dict(parsed(get("modelParameters"))) or {}
        found.cost = money((as_dict(get("costDetails")) or {}).get("total"))
        found.cost = money(get("calculatedTotalCost")) if found.cost is None else found.cost
    return found


def _either(raw: Raw) -> Any:
    """Keys in camelCase, or in the snake_case of exports from the database."""

    def get(key: str) -> Any:
        if key in raw:
            return raw[key]
        return raw.get("".join(f"_{c.lower()}" if c.isupper() else c for c in key))

    return get


# ------------------------------------------------------------------------------------------------ LangSmith


LANGSMITH = {
    "llm": "llm", "chain": "chain", "tool": "tool", "retriever": "retriever", "embedding": "embedding",
    "prompt": "chain", "parser": "chain",
}  # fmt: skip


def is_langsmith(raw: Raw) -> bool:
    """A run."""
    return "run_type" in raw and ("inputs" in raw or "dotted_order" in raw or "trace_id" in raw)


def langsmith(raw: Raw) -> Iterator[Observation]:
    """A run of LangSmith. Its `session_id` is the project; the session is the thread that its metadata names."""
    said = raw.get("run_type")
    kind = LANGSMITH.get(said) if isinstance(said, str) else None
    if kind is None:
        raise MalformedError("is not a type of run", "run_type", repr(said)[:80], f"types: {', '.join(LANGSMITH)}")
    extra = as_dict(parsed(raw.get("extra"))) or {}
    metadata = as_dict(extra.get("metadata")) or {}
    found = Observation(
        kind,
        trace_id=name(raw.get("trace_id"), "trace_id"), span_id=name(raw.get("id")),
        parent_id=name(raw.get("parent_run_id"), "parent_run_id"), session_id=session(metadata),
        name=_text(raw.get("name")), start=moment(raw.get("start_time"), "start_time"),
        end=moment(raw.get("end_time"), "end_time"), error=_text(raw.get("error")), attributes={**raw, **metadata},
    )  # fmt: skip
    given, got = as_dict(parsed(raw.get("inputs"))), as_dict(parsed(raw.get("outputs")))
    if raw.get("inputs") is not None and given is None:
        raise MalformedError("must be an object", "inputs", repr(raw["inputs"])[:80])
    _by_kind(found, given or None, _langchain(got))
    if kind == "llm":
        params = as_dict(extra.get("invocation_params")) or {}
        found.model = _text(metadata.get("ls_model_name")) or _text(params.get("model"))
        found.provider = _text(metadata.get("ls_provider"))
        found.tools = found.tools or offered(params.get("tools"), "extra.invocation_params.tools")
        found.params = {k: v for k, v in params.items() if k in openai.PARAMS and v is not None}
        found.usage = usage((got or {}).get("usage_metadata"), raw, _llm_output(got).get("token_usage")) | found.usage
        found.cost = money(raw.get("total_cost"))
    yield found


def _llm_output(got: Raw | None) -> Raw:
    return as_dict((got or {}).get("llm_output")) or {}


def _langchain(got: Raw | None) -> Any:
    """The message inside LangChain's generations, else the outputs as they are."""
    if got is None:
        return None
    batches = as_list(got.get("generations"))
    if not batches:
        return got or None
    first = as_list(batches[0])
    generation = as_dict((first or batches)[0]) or {}
    said = as_dict(generation.get("message"))
    return {"messages": [said], "choices": [{"message": _bare(said)}]} if said else generation.get("text")


def _bare(said: Raw) -> Raw:
    found = chat([said], "outputs.generations", "assistant")
    return found[0] if found else {"role": "assistant"}


# -------------------------------------------------------------------------------------------------- Phoenix


def is_phoenix(raw: Raw) -> bool:
    """A span of Phoenix, or of OpenTelemetry's console exporter."""
    context = as_dict(raw.get("context"))
    return (context is not None and "trace_id" in context) or "context.trace_id" in raw


def phoenix(raw: Raw) -> Iterator[Observation]:
    """A span as Phoenix exports it: columns like `attributes.llm.model_name`, or nested attributes."""
    context = as_dict(raw.get("context")) or {}
    trace = name(raw.get("context.trace_id", context.get("trace_id")), "context.trace_id")
    span_id = name(raw.get("context.span_id", context.get("span_id")), "context.span_id")
    if not trace or not span_id:
        raise MalformedError("needs a trace id and a span id", "context")
    attributes: Raw = {}
    _flatten(as_dict(parsed(raw.get("attributes"))) or {}, "", attributes, 0)
    for key, value in raw.items():
        if key.startswith("attributes.") and value is not None:
            _flatten({key.removeprefix("attributes."): parsed(value)}, "", attributes, 0)
    if isinstance(raw.get("span_kind"), str):
        attributes.setdefault("openinference.span.kind", raw["span_kind"])
    status = as_dict(raw.get("status"))
    failed = raw.get("status_code") == "ERROR" or (status or {}).get("status_code") == "ERROR"
    resource = as_dict((as_dict(raw.get("resource")) or {}).get("attributes")) or {}
    yield conventions.read(
        Span(
            trace.removeprefix("0x"), span_id.removeprefix("0x"),
            name(raw.get("parent_id"), "parent_id").removeprefix("0x"), _text(raw.get("name")),
            moment(raw.get("start_time"), "start_time"), moment(raw.get("end_time"), "end_time"),
            attributes, _phoenix_events(raw.get("events")), resource,
            (_text(raw.get("status_message")) or "error") if failed else "",
        )
    )  # fmt: skip


def _phoenix_events(value: Any) -> list[Event]:
    held = [as_dict(item) or {} for item in as_list(parsed(value)) or []]
    return [Event(_text(e.get("name")), None, as_dict(e.get("attributes")) or {}) for e in held]


def _flatten(node: Raw, prefix: str, into: Raw, depth: int) -> None:
    """Nested attributes under their dotted names, as OpenInference writes them on the wire."""
    if depth > 30:
        raise MalformedError("is nested deeper than 30 levels", prefix[:80])
    for key, value in node.items():
        held, listed = as_dict(value), as_list(value)
        if held is not None and key not in ("metadata", "json_schema"):
            _flatten(held, f"{prefix}{key}.", into, depth + 1)
        elif listed and any(isinstance(item, dict) for item in listed):
            _flatten({str(at): item for at, item in enumerate(listed)}, f"{prefix}{key}.", into, depth + 1)
        else:
            into[prefix + key] = value


# ----------------------------------------------------------------------------------------------- Braintrust


BRAINTRUST = {"llm": "llm", "tool": "tool", "function": "chain", "task": "chain", "score": "evaluator"}


def is_braintrust(raw: Raw) -> bool:
    """A row of logs."""
    return "root_span_id" in raw and ("span_attributes" in raw or "input" in raw)


def braintrust(raw: Raw) -> Iterator[Observation]:
    """A row of Braintrust's logs: a span. `expected`, where people gave it, is kept as the reference."""
    attributes = as_dict(parsed(raw.get("span_attributes"))) or {}
    metrics = as_dict(parsed(raw.get("metrics"))) or {}
    metadata = as_dict(parsed(raw.get("metadata"))) or {}
    said = attributes.get("type")
    kind = BRAINTRUST.get(said, "chain") if isinstance(said, str) else "chain"
    parents = as_list(raw.get("span_parents")) or []
    found = Observation(
        kind,
        trace_id=name(raw.get("root_span_id"), "root_span_id"), span_id=name(raw.get("span_id") or raw.get("id")),
        parent_id=name(parents[0] if parents else "", "span_parents"), session_id=session(metadata),
        name=_text(attributes.get("name")), start=moment(metrics.get("start", raw.get("created")), "metrics.start"),
        end=moment(metrics.get("end"), "metrics.end"), error=_text(raw.get("error")), attributes={**raw, **metadata},
    )  # fmt: skip
    given, got = raw.get("input"), parsed(raw.get("output"))
    first = (as_list(got) or [None])[0]
    if isinstance(first, dict) and "message" in first:
        got = {"choices": got}
    _by_kind(found, given, got)
    if kind == "llm":
        found.model = _text(metadata.get("model"))
        found.tools = found.tools or offered(metadata.get("tools"), "metadata.tools")
        found.params = {k: v for k, v in metadata.items() if k in openai.PARAMS and v is not None}
        found.usage = usage(metrics) | found.usage
        found.cost = money(metrics.get("estimated_cost"))
        found.expected = raw.get("expected")
    yield found


# ------------------------------------------------------------------------------------------------- Helicone


def is_helicone(raw: Raw) -> bool:
    """A request."""
    return "request_id" in raw and ("request_body" in raw or "request_created_at" in raw or "response_status" in raw)


def helicone(raw: Raw) -> Iterator[Observation]:
    """A request of Helicone's export, with its response."""
    body = as_dict(parsed(raw.get("request_body")))
    if body is None:
        raise MalformedError("must be an object", "request_body", repr(raw.get("request_body"))[:80])
    found = openai.asked(body)
    if raw.get("response_body") is not None:
        openai.answer(found, parsed(raw["response_body"]))
    status = raw.get("response_status")
    if isinstance(status, int) and status >= 400:
        found.error = found.error or f"HTTP {status}"
    properties = as_dict(parsed(raw.get("request_properties"))) or as_dict(parsed(raw.get("properties"))) or {}
    found.session_id = name(properties.get("Helicone-Session-Id")) or session(properties)
    found.span_id = name(raw.get("request_id"), "request_id")
    found.start = moment(raw.get("request_created_at"), "request_created_at")
    found.end = moment(raw.get("response_created_at"), "response_created_at")
    found.usage = usage(raw) | found.usage
    found.model = found.model or _text(raw.get("request_model"))
    found.cost = money(raw.get("cost_usd", raw.get("cost")))
    found.attributes = {**raw, **properties}
    yield found


# -------------------------------------------------------------------------------------------------- LiteLLM


def is_litellm(raw: Raw) -> bool:
    """A record of the standard logging payload, or a row of the spend logs."""
    return "call_type" in raw and ("messages" in raw or "startTime" in raw or "response" in raw)


def litellm(raw: Raw) -> Iterator[Observation]:
    """A call as LiteLLM logs it. Calls that are no chat (embeddings, images) are left aside."""
    kind = raw.get("call_type")
    if not isinstance(kind, str):
        raise MalformedError("must be text", "call_type", repr(kind)[:80])
    if not any(word in kind for word in ("completion", "responses", "anthropic_messages")):
        yield Observation("chain", name=kind, attributes=raw)
        return
    metadata = as_dict(parsed(raw.get("metadata"))) or {}
    optional = as_dict(parsed(raw.get("model_parameters"))) or {}
    request = as_dict(parsed(raw.get("proxy_server_request")))
    body = as_dict((request or {}).get("body")) or request or {}
    messages = parsed(raw.get("messages"))
    found = openai.asked({**body, **optional, "messages": messages or body.get("messages")})
    if raw.get("response"):
        openai.answer(found, parsed(raw["response"]))
    inner = as_dict(raw.get("error_information"))
    if raw.get("status") == "failure":
        found.error = _text(raw.get("error_str")) or _text((inner or {}).get("error_message")) or "error"
    found.model = _text(raw.get("model")) or found.model
    found.trace_id = name(raw.get("trace_id"), "trace_id")
    found.span_id = name(raw.get("id") or raw.get("request_id"))
    found.session_id = session(raw, metadata, metadata.get("requester_metadata"))
    found.start, found.end = moment(raw.get("startTime"), "startTime"), moment(raw.get("endTime"), "endTime")
    found.usage = usage(raw) | found.usage
    found.cost = money(raw.get("response_cost", raw.get("spend")))
    found.attributes = {**raw, **metadata}
    yield found
