"""One good record of every family, written from the documented names of its fields, and how to import some."""
# ruff: noqa: E501  # tables of records read better in long lines

import copy
import json

from seatrial.datasets.importing.pipeline import import_logs
from seatrial.datasets.importing.settings import Settings

TRACE, SPAN, ROOT, FOUND = (
    "0af7651916cd43dd8448eb211c80319c",
    "b7ad6b7169203331",
    "00f067aa0ba902b7",
    "53995c3f42cd8ad8",
)
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is my parcel?"}]
SAID = {"role": "assistant", "content": "On its way."}
CALL = {"id": "c1", "type": "function", "function": {"name": "track", "arguments": '{"number": 7}'}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOOLS = [{"type": "function", "function": {"name": "track", "description": "Track", "parameters": {"type": "object"}}}]
START, END = 1772366400_000000000, 1772366401_500000000  # 2026-03-01T12:00:00Z, a second and a half later
COMPLETION = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1772366401, "model": "gpt-x-2026",
    "choices": [{"index": 0, "message": SAID, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8},
              "completion_tokens_details": {"reasoning_tokens": 2}},
}  # fmt: skip
REQUEST = {"model": "gpt-x", "messages": ASKED, "tools": TOOLS, "temperature": 0.5}


def value(plain):
    """A plain value as OTLP's AnyValue."""
    # ruff: noqa: E501  # tables of records read better in long lines
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(item) for item in plain]}}
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": [{"key": k, "value": value(v)} for k, v in plain.items()]}}
    return {"stringValue": plain}


def attributes(plain):
    return [{"key": key, "value": value(held)} for key, held in plain.items()]


def span(held, span_id=SPAN, parent=ROOT, trace=TRACE, start=START, end=END, **more):
    return {
        "traceId": trace, "spanId": span_id, "parentSpanId": parent, "name": "chat gpt-x",
        "startTimeUnixNano": str(start), "endTimeUnixNano": str(end), "attributes": attributes(held), **more,
    }  # fmt: skip


def export(*spans, **resource):
    held = {"service.name": "shop", **resource}
    return {
        "resourceSpans": [
            {"resource": {"attributes": attributes(held)}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}
        ]
    }


def logs(*records):
    return {"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"logRecords": list(records)}]}]}


COUNTS = {"gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 5}
NEW = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-x",
    "gen_ai.response.model": "gpt-x-2026", "gen_ai.response.finish_reasons": ["stop"], "gen_ai.conversation.id": "s1",
    "gen_ai.request.temperature": 0.5, **COUNTS, "gen_ai.usage.cache_read.input_tokens": 8,
    "gen_ai.usage.reasoning.output_tokens": 2,
}  # fmt: skip
PARTS_IN = [{"role": "user", "parts": [{"type": "text", "content": "Where is my parcel?"}]}]
PARTS_OUT = [{"role": "assistant", "parts": [{"type": "text", "content": "On its way."}], "finish_reason": "stop"}]
INSTRUCTIONS = [{"type": "text", "content": "Be brief."}]
STRUCTURED = {
    "gen_ai.input.messages": PARTS_IN, "gen_ai.output.messages": PARTS_OUT, "gen_ai.system_instructions": INSTRUCTIONS,
    "gen_ai.tool.definitions": json.dumps(TOOLS),
}  # fmt: skip
WRITTEN = {k: v if isinstance(v, str) else json.dumps(v) for k, v in STRUCTURED.items()}
OPENINFERENCE = {
    "openinference.span.kind": "LLM", "llm.model_name": "gpt-x-2026", "llm.request.model_name": "gpt-x",
    "llm.system": "openai", "session.id": "s1", "llm.invocation_parameters": '{"temperature": 0.5, "model": "gpt-x"}',
    "llm.token_count.prompt": 20, "llm.token_count.completion": 5, "llm.token_count.total": 25,
    "llm.token_count.prompt_details.cache_read": 8, "llm.token_count.completion_details.reasoning": 2,
    "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.content": "Where is my parcel?",
    "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "On its way.",
    "llm.tools.0.tool.json_schema": json.dumps(TOOLS[0]), "llm.finish_reason": "stop",
}  # fmt: skip
TRACEAI = {
    "gen_ai.span.kind": "LLM", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-x",
    "gen_ai.response.model": "gpt-x-2026", "session.id": "s1", **COUNTS, "gen_ai.usage.cache_read_tokens": 8,
    "gen_ai.usage.output_tokens.reasoning": 2, "gen_ai.request.parameters": '{"temperature": 0.5}',
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.input.messages.0.message.role": "system", "gen_ai.input.messages.0.message.content": "Be brief.",
    "gen_ai.input.messages.1.message.role": "user", "gen_ai.input.messages.1.message.content": "Where is my parcel?",
    "gen_ai.output.messages.0.message.role": "assistant", "gen_ai.output.messages.0.message.content": "On its way.",
    "gen_ai.tool.definitions.0.tool.json_schema": json.dumps(TOOLS[0]),
}  # fmt: skip
OPENLLMETRY = {
    "traceloop.span.kind": "workflow", "gen_ai.operation.name": "chat", "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-x", "gen_ai.response.model": "gpt-x-2026",
    "gen_ai.usage.prompt_tokens": 20, "gen_ai.usage.completion_tokens": 5,
    "gen_ai.usage.cache_read_input_tokens": 8, "gen_ai.usage.reasoning_tokens": 2, "gen_ai.request.temperature": 0.5,
    "traceloop.association.properties.session_id": "s1", "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "Where is my parcel?",
    "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "On its way.",
    "llm.request.functions.0.name": "track", "llm.request.functions.0.description": "Track",
    "llm.request.functions.0.parameters": '{"type": "object"}',
}  # fmt: skip
EVENTS = [
    {"name": "gen_ai.system.message", "timeUnixNano": str(START), "attributes": attributes({"content": "Be brief."})},
    {"name": "gen_ai.user.message", "timeUnixNano": str(START), "attributes": attributes({"content": "Where is my parcel?"})},
    {"name": "gen_ai.choice", "timeUnixNano": str(END),
     "attributes": attributes({"index": 0, "finish_reason": "stop", "message": json.dumps(SAID)})},
]  # fmt: skip
OLD = {k: v for k, v in NEW.items() if k != "gen_ai.provider.name"} | {"gen_ai.system": "openai"}
DETAILS = {
    "eventName": "gen_ai.client.inference.operation.details", "traceId": TRACE, "spanId": SPAN,
    "timeUnixNano": str(END), "attributes": attributes(STRUCTURED),
}  # fmt: skip
OLD_LOGS = [
    {"eventName": f"gen_ai.{m['role']}.message", "traceId": TRACE, "spanId": SPAN, "timeUnixNano": str(START + at),
     "body": value({"content": m["content"]})}
    for at, m in enumerate(ASKED)
] + [
    {"eventName": "gen_ai.choice", "traceId": TRACE, "spanId": SPAN, "timeUnixNano": str(END),
     "body": value({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "On its way."}})}
]  # fmt: skip

OTLP = {
    "GenAI, messages as JSON text": [export(span(NEW | WRITTEN))],
    "GenAI, messages as structured values": [export(span(NEW | STRUCTURED))],
    "GenAI until 1.36, span events": [export(span(OLD | {"gen_ai.request.tools": json.dumps(TOOLS)}, events=EVENTS))],
    "GenAI, details in a log event": [export(span(NEW)), logs(DETAILS)],
    "GenAI, the log event before its span": [logs(DETAILS), export(span(NEW))],
    "GenAI until 1.36, messages in log events": [
        logs(*OLD_LOGS), export(span(OLD | {"gen_ai.request.tools": json.dumps(TOOLS)}))
    ],
    "OpenInference": [export(span(OPENINFERENCE))],
    "traceAI": [export(span(TRACEAI))],
    "traceAI with LangChain's JSON": [
        export(span({k: v for k, v in TRACEAI.items() if ".messages." not in k}
                    | {"gen_ai.input.messages": json.dumps(ASKED), "gen_ai.output.messages": json.dumps([SAID])}))
    ],
    "OpenLLMetry": [export(span(OPENLLMETRY))],
}  # fmt: skip

USAGE = {"input": 20, "output": 5, "cached": 8, "reasoning": 2}
TIMES = {"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T12:00:01.500Z"}
FAMILIES = {
    "openai": {
        "id": "r1", "session_id": "s1", "created_at": TIMES["start"], "latency_ms": 1500, "request": REQUEST,
        "response": COMPLETION,
    },
    "langfuse": {
        "id": "r1", "traceId": "t1", "type": "GENERATION", "name": "answer", "parentObservationId": None,
        "sessionId": "s1", "startTime": TIMES["start"], "endTime": TIMES["end"], "model": "gpt-x",
        "modelParameters": {"temperature": 0.5}, "input": {"messages": ASKED, "tools": TOOLS}, "output": SAID,
        "usageDetails": {"input": 20, "output": 5, "cache_read_input_tokens": 8, "reasoning_tokens": 2}, "level": "DEFAULT",
        "metadata": {},
    },
    "langsmith": {
        "id": "r1", "trace_id": "t1", "run_type": "llm", "name": "ChatOpenAI", "dotted_order": "2026", "session_id": "p1",
        "parent_run_id": None, "start_time": TIMES["start"], "end_time": TIMES["end"], "error": None,
        "extra": {
            "metadata": {"thread_id": "s1", "ls_model_name": "gpt-x", "ls_provider": "openai"},
            "invocation_params": {"model": "gpt-x", "temperature": 0.5, "tools": TOOLS},
        },
        "inputs": {"messages": [[
            {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "SystemMessage"],
             "kwargs": {"content": "Be brief.", "type": "system"}},
            {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"],
             "kwargs": {"content": "Where is my parcel?", "type": "human"}},
        ]]},
        "outputs": {
            "generations": [[{"text": "On its way.", "message": {
                "lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"],
                "kwargs": {"content": "On its way.", "type": "ai"}}}]],
            "usage_metadata": {"input_tokens": 20, "output_tokens": 5, "input_token_details": {"cache_read": 8},
                               "output_token_details": {"reasoning": 2}},
        },
    },
    "phoenix": {
        "name": "ChatCompletion", "span_kind": "LLM", "parent_id": ROOT, "start_time": TIMES["start"],
        "end_time": TIMES["end"], "status_code": "OK", "context": {"trace_id": TRACE, "span_id": SPAN},
        "attributes": {
            "openinference": {"span": {"kind": "LLM"}}, "session": {"id": "s1"},
            "llm": {
                "model_name": "gpt-x-2026", "request": {"model_name": "gpt-x"}, "system": "openai",
                "invocation_parameters": '{"temperature": 0.5}', "finish_reason": "stop",
                "token_count": {"prompt": 20, "completion": 5, "prompt_details": {"cache_read": 8},
                                "completion_details": {"reasoning": 2}},
                "input_messages": [{"message": message} for message in ASKED],
                "output_messages": [{"message": SAID}],
                "tools": [{"tool": {"json_schema": json.dumps(TOOLS[0])}}],
            },
        },
    },
    "braintrust": {
        "id": "e1", "span_id": "r1", "root_span_id": "t1", "span_parents": ["p1"], "created": TIMES["start"],
        "span_attributes": {"name": "Chat Completion", "type": "llm"}, "input": ASKED,
        "output": [{"index": 0, "message": SAID, "finish_reason": "stop"}],
        "metadata": {"model": "gpt-x", "temperature": 0.5, "tools": TOOLS, "session_id": "s1"},
        "metrics": {"start": 1772366400.0, "end": 1772366401.5, "prompt_tokens": 20, "completion_tokens": 5,
                    "prompt_cached_tokens": 8, "completion_reasoning_tokens": 2, "tokens": 25},
    },
    "helicone": {
        "request_id": "r1", "request_created_at": TIMES["start"], "response_created_at": TIMES["end"],
        "response_status": 200, "request_body": REQUEST, "response_body": COMPLETION, "request_model": "gpt-x",
        "prompt_tokens": 20, "completion_tokens": 5, "cost_usd": 0.001,
        "request_properties": {"Helicone-Session-Id": "s1"},
    },
    "litellm": {
        "id": "r1", "call_type": "acompletion", "status": "success", "model": "gpt-x", "trace_id": "t1",
        "session_id": "s1", "messages": ASKED, "response": COMPLETION, "response_cost": 0.001, "startTime": 1772366400.0,
        "endTime": 1772366401.5, "model_parameters": {"temperature": 0.5, "tools": TOOLS}, "metadata": {},
        "prompt_tokens": 20, "completion_tokens": 5,
    },
    "rows": {
        "question": "Where is my parcel?", "system": "Be brief.", "answer": "On its way.", "when": TIMES["start"],
        "until": TIMES["end"], "model": "gpt-x", "chat": "s1", "id": "r1", "tools": TOOLS, "price": 0.001,
        "usage": {"input": 20, "output": 5, "cached_tokens": 8, "reasoning_tokens": 2}, "docs": ["doc one"],
    },
}  # fmt: skip
MAPPING = {
    "input": "question", "system": "system", "answer": "answer", "created_at": "when", "ended_at": "until",
    "model": "model", "session_id": "chat", "span_id": "id", "tools": "tools", "usage": "usage", "context": "docs",
    "cost": "price",
}  # fmt: skip


def fresh(name):
    """A copy of a family's record, to be changed."""
    return copy.deepcopy(FAMILIES[name])


def written(records):
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def run(folder, data, name="log.jsonl", **settings):
    """Import bytes or records; gives the cases and the report."""
    log, pool = folder / name, folder / "pool.jsonl"
    log.write_bytes(data if isinstance(data, bytes) else written(data))
    report = import_logs([log], pool, Settings(**{"scrub": "none", **settings}))
    return [json.loads(line) for line in pool.read_text().splitlines()], report
