"""A small program with the OpenAI client under real instrumentors. Run: instrumented.py MODE BASE_URL FOLDER."""

import base64
import json
import sys
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Look an order up",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
    },
}


def instrument(mode, tracers, loggers):
    if mode in ("otel", "both"):
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

        OpenAIInstrumentor().instrument(tracer_provider=tracers, logger_provider=loggers)
    if mode in ("openinference", "both"):
        from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference

        OpenInference().instrument(tracer_provider=tracers)


def talk(base_url):
    """One session of two requests: a tool call, then the answer from its result."""
    client = OpenAI(base_url=base_url, api_key="sk-test", max_retries=0)
    messages = [
        {"role": "system", "content": "You help with orders."},
        {"role": "user", "content": "Where is order A-17?"},
    ]
    with trace.get_tracer("app").start_as_current_span("answer", attributes={"session.id": "s-1", "tier": "gold"}):
        first = client.chat.completions.create(model="gpt-test", messages=messages, tools=[TOOL], temperature=0.25)
        said = first.choices[0].message
        messages.append(said.model_dump(exclude_none=True))
        messages.append({"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "shipped"})
        messages.append({"role": "user", "content": "When will it come?"})
        client.chat.completions.create(model="gpt-test", messages=messages, tools=[TOOL], temperature=0.25)


def hexed(node):
    """Protobuf's JSON writes bytes in base64; OTLP's JSON wants ids in hexadecimal."""
    if isinstance(node, dict):
        ids = ("traceId", "spanId", "parentSpanId")
        return {k: base64.b64decode(v).hex() if k in ids else hexed(v) for k, v in node.items()}
    return [hexed(item) for item in node] if isinstance(node, list) else node


def main(mode, base_url, folder):
    resource = Resource.create({"service.name": "shop", "deployment.environment.name": "live"})
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    trace.set_tracer_provider(tracers)
    instrument(mode, tracers, loggers)
    talk(base_url)
    out = Path(folder)
    exports = [encode_spans([span]) for span in spans.get_finished_spans()]
    told = [encode_logs([record]) for record in logs.get_finished_logs()]
    lines = [json.dumps(hexed(MessageToDict(message))) for message in exports + told]
    (out / "spans.jsonl").write_text("\n".join(lines) + "\n")
    (out / "spans.pb").write_bytes(b"".join(message.SerializeToString() for message in exports))
    (out / "logs.pb").write_bytes(b"".join(message.SerializeToString() for message in told))


if __name__ == "__main__":
    main(*sys.argv[1:])
