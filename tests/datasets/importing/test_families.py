"""The same conversation out of every family and convention of logs gives the same case."""
# ruff: noqa: E501  # tables of records read better in long lines

import gzip
import json

import pytest
from tests.datasets.importing.golden import (
    ASKED,
    CALL,
    CALLED,
    COMPLETION,
    FAMILIES,
    FOUND,
    MAPPING,
    OPENINFERENCE,
    OTLP,
    REQUEST,
    ROOT,
    SAID,
    SPAN,
    START,
    USAGE,
    export,
    fresh,
    run,
    span,
)  # fmt: skip

from seatrial.core.case import Case

PARAMS = {name: {"record": [record]} for name, record in FAMILIES.items()} | {n: {"record": r} for n, r in OTLP.items()}


@pytest.mark.parametrize("name", sorted(PARAMS))
def test_every_family_gives_the_same_case(name, tmp_path):
    fields = MAPPING if name == "rows" else {}
    (case,), report = run(tmp_path, PARAMS[name]["record"], fields=fields)
    Case.model_validate(case)
    assert case["input"] == ASKED
    assert case["tools"] == [{"name": "track", "description": "Track", "parameters": {"type": "object"}}]
    assert case["session_id"] == "s1"
    assert case["created_at"] == "2026-03-01T12:00:00Z"
    assert case["span_id"] == (SPAN if name in OTLP or name == "phoenix" else "r1")
    assert "expected" not in case
    told = case["metadata"]["answer"]
    assert told["messages"] == [SAID]
    assert told["model"] == "gpt-x"
    assert told["usage"] == USAGE
    assert told["seconds"] == 1.5
    if name != "rows":
        assert told["params"] == {"temperature": 0.5}
    assert (report.records, report.requests, report.cases) == (len(PARAMS[name]["record"]), 1, 1)


def with_call(name):
    """A family's record whose history holds a call and its result, and whose answer is a call."""
    # ruff: noqa: E501  # tables of records read better in long lines
    record = fresh(name)
    chat = [*ASKED, CALLED, {"role": "tool", "tool_call_id": "c1", "content": "shipped"}]
    done = {**COMPLETION, "choices": [{"message": CALLED, "finish_reason": "tool_calls"}]}
    match name:
        case "openai":
            record["request"] = REQUEST | {"messages": chat}
            record["response"] = done
        case "langfuse":
            record["input"], record["output"] = {"messages": chat}, CALLED
        case "phoenix":
            held = record["attributes"]["llm"]
            call = {"tool_call": {"id": "c1", "function": CALL["function"]}}
            held["input_messages"] = [
                *[{"message": m} for m in ASKED],
                {"message": {"role": "assistant", "tool_calls": [call]}},
                {"message": {"role": "tool", "tool_call_id": "c1", "content": "shipped"}},
            ]
            held["output_messages"] = [{"message": {"role": "assistant", "tool_calls": [call]}}]
        case "braintrust":
            record["input"], record["output"] = chat, [{"message": CALLED}]
        case "helicone":
            record["request_body"], record["response_body"] = REQUEST | {"messages": chat}, done
        case "litellm":
            record["messages"], record["response"] = chat, done
    return record


@pytest.mark.parametrize("name", ["openai", "langfuse", "phoenix", "braintrust", "helicone", "litellm"])
def test_calls_and_their_results_stay_intact(name, tmp_path):
    (case,), _ = run(tmp_path, [with_call(name)])
    call = {"name": "track", "arguments": {"number": 7}, "id": "c1"}
    assert case["input"][2] == {"role": "assistant", "tool_calls": [call]}
    assert case["input"][3] == {"role": "tool", "tool_call_id": "c1", "content": "shipped"}
    assert case["metadata"]["answer"]["messages"] == [{"role": "assistant", "tool_calls": [call]}]


OTHER_FORMS = {
    "body and response.body": {"body": REQUEST, "response": {"status_code": 200, "body": COMPLETION}},
    "request.body": {"request": {"url": "/v1", "body": REQUEST}, "response": {"body": COMPLETION}},
    "bodies as JSON text": {"request_body": json.dumps(REQUEST), "response_body": json.dumps(COMPLETION)},
    "request and answer in one": {**REQUEST, "response": "On its way."},
    "responses API": {
        "request": {"model": "gpt-x", "instructions": "Be brief.", "input": "Where is my parcel?"},
        "response": {
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "On its way."}]},
            ]
        },
    },
    "Anthropic": {
        "request": {"model": "c", "system": "Be brief.", "messages": [{"role": "user", "content": "Where is my parcel?"}]},
        "response": {"role": "assistant", "content": [{"type": "text", "text": "On its way."}], "stop_reason": "end_turn"},
    },
    "streamed chunks": {
        "request": REQUEST,
        "response": [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("On ", "its ", "way.")],
    },
    "server-sent events as text": {
        "request": REQUEST,
        "response": 'data: {"choices": [{"delta": {"content": "On its way."}}]}\n\ndata: [DONE]\n\n',
    },
    "a conversation that ends with its answer": {"messages": [*ASKED, SAID]},
}  # fmt: skip


@pytest.mark.parametrize("form", sorted(OTHER_FORMS))
def test_requests_and_responses_in_other_wrappers(form, tmp_path):
    (case,), _ = run(tmp_path, [OTHER_FORMS[form]])
    assert case["input"] == ASKED
    assert case["metadata"]["answer"]["messages"] == [SAID]


def test_streamed_tool_calls_are_joined(tmp_path):
    chunks = [
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "track"}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"num'}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": 'ber": 7}'}}]}}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
    ]
    (case,), _ = run(tmp_path, [{"request": REQUEST, "response": chunks}])
    told = case["metadata"]["answer"]
    assert told["messages"][0]["tool_calls"] == [{"name": "track", "arguments": {"number": 7}, "id": "c1"}]
    assert told["usage"] == {"input": 3, "output": 4}


def test_a_batch_joins_its_input_file_with_its_output_file(tmp_path):
    asked = [{"custom_id": f"q{at}", "method": "POST", "url": "/v1", "body": REQUEST} for at in range(2)]
    got = [{"id": "b", "custom_id": "q1", "response": {"status_code": 200, "body": COMPLETION}, "error": None}]
    first, second = run(tmp_path, asked + got)[0]
    assert "messages" not in first["metadata"].get("answer", {})
    assert second["metadata"]["answer"]["messages"] == [SAID]


def test_openinference_indices_have_gaps_and_sort_as_numbers(tmp_path):
    held = {k: v for k, v in OPENINFERENCE.items() if "input_messages" not in k}
    for at in (0, 2, 3, 11, 9, 10):
        held[f"llm.input_messages.{at}.message.role"] = "user"
        held[f"llm.input_messages.{at}.message.content"] = str(at)
    (case,), _ = run(tmp_path, [export(span(held))])
    assert [m["content"] for m in case["input"]] == ["0", "2", "3", "9", "10", "11"]


def retrieval(text="Parcels take two days.", start=START - 10**9):
    held = {
        "openinference.span.kind": "RETRIEVER", "retrieval.documents.0.document.id": "d1",
        "retrieval.documents.0.document.score": 0.9, "retrieval.documents.1.document.id": "d2",
        "retrieval.documents.0.document.content": text,
    }  # fmt: skip
    return span(held, FOUND, start=start, end=start + 5)


def test_what_a_retriever_found_is_the_context(tmp_path):
    late = retrieval("Too late.", START + 10**8) | {"spanId": "1" * 16}
    (case,), _ = run(tmp_path, [export(span(OPENINFERENCE)), export(retrieval(), late)])
    assert case["context"] == [{"text": "Parcels take two days.", "id": "d1", "score": 0.9}]
    assert case["metadata"]["documents_without_text"] == ["d2"]


def test_a_reranker_has_the_last_word_on_the_context(tmp_path):
    held = {"openinference.span.kind": "RERANKER", "reranker.output_documents.0.document.content": "The best."}
    ranked = span(held, "2" * 16, start=START - 10, end=START - 5)
    (case,), _ = run(tmp_path, [export(retrieval(), ranked, span(OPENINFERENCE))])
    assert [d["text"] for d in case["context"]] == ["The best."]


def test_one_request_recorded_by_two_spans_is_one_turn(tmp_path):
    outer = span(OPENINFERENCE, ROOT, "")
    inner = span(OPENINFERENCE, SPAN, ROOT)
    cases, report = run(tmp_path, [export(outer, inner)], turns="all")
    assert [case["span_id"] for case in cases] == [SPAN]
    assert report.requests == 2


def test_a_circle_of_parents_ends(tmp_path):
    spans = [span(OPENINFERENCE, SPAN, ROOT), span(OPENINFERENCE, ROOT, SPAN), span(OPENINFERENCE, FOUND, FOUND)]
    cases, _ = run(tmp_path, [export(*spans)], turns="all")
    assert cases


def test_the_same_export_twice_is_kept_once(tmp_path):
    cases, report = run(tmp_path, [export(span(OPENINFERENCE))] * 3, turns="all")
    assert len(cases) == 1
    assert report.duplicates == 2


def test_redacted_messages_are_no_case(tmp_path):
    held = OPENINFERENCE | {"llm.input_messages.1.message.content": "__REDACTED__"}
    other = span(OPENINFERENCE | {"session.id": "s2"}, FOUND, trace="1" * 32)
    cases, report = run(tmp_path, [export(span(held)), export(other)])
    assert [case["session_id"] for case in cases] == ["s2"]
    assert report.without_content == 1


@pytest.mark.parametrize("unpacked", [True, False], ids=["plain", "gzip"])
def test_protobuf_as_the_collector_and_as_an_exporter_write_it(unpacked, tmp_path):
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    raw = json.dumps(export(span(OPENINFERENCE)))
    message = Parse(raw, ExportTraceServiceRequest())
    held = message.resource_spans[0].scope_spans[0].spans[0]
    held.trace_id, held.span_id, held.parent_span_id = (bytes.fromhex(x) for x in ("0af7" * 8, SPAN, ROOT))
    body = message.SerializeToString()
    pack = bytes if unpacked else gzip.compress
    found = [
        run(tmp_path, pack(data), name)[0]
        for name, data in (("bare.pb", body), ("framed.pb", len(body).to_bytes(4, "big") + body))
    ]
    assert found[0][0]["input"] == found[1][0]["input"] == ASKED
    assert found[0][0]["trace_id"] == "0af7" * 8


@pytest.mark.parametrize("name", ["spans.json", "spans.jsonl", "spans.jsonl.gz", "spans"])
def test_a_log_may_be_lines_or_one_document_packed_or_not(name, tmp_path):
    data = json.dumps(export(span(OPENINFERENCE)), indent=2 if name == "spans.json" else None).encode()
    (case,), _ = run(tmp_path, gzip.compress(data) if name.endswith("gz") else data, name)
    assert case["input"] == ASKED


def test_csv_and_parquet_by_a_mapping(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    data = b"q,a,tier\nWhere?,There.,gold\nWhen?,Now.,\n"
    fields = {"input": "q", "answer": "a", "strata.tier": "tier"}
    found, _ = run(tmp_path, data, "log.csv", fields=fields)
    assert [case["input"][0]["content"] for case in found] == ["Where?", "When?"]
    assert found[0]["strata"] == {"tier": "gold"}
    table = pyarrow.table({"q": ["Where?", "When?"], "a": ["There.", "Now."], "tier": ["gold", None]})
    parquet.write_table(table, tmp_path / "t.parquet")
    again, _ = run(tmp_path, (tmp_path / "t.parquet").read_bytes(), "log.parquet", fields=fields)
    assert [c["input"] for c in again] == [c["input"] for c in found]
