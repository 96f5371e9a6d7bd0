"""At least fifty malformed inputs per family: each is told with its record, and never half-imported."""
# ruff: noqa: E501  # tables of records read better in long lines

import copy
import gzip
import json

import pytest
from tests.datasets.importing.golden import (
    FAMILIES,
    MAPPING,
    NEW,
    OPENINFERENCE,
    ROOT,
    SPAN,
    TRACE,
    WRITTEN,
    export,
    run,
    span,
)  # fmt: skip

from seatrial.errors import DatasetError

BOMB = "[" * 20_000 + "]" * 20_000


BYTES = {
    "cut off": b'{"id": "r9", "request": {"mess',
    "no JSON": b"hello there",
    "single quotes": b"{'id': 1}",
    "two objects in a line": b'{"a": 1} {"b": 2}',
    "a trailing comma": b'{"a": 1,}',
    "an array": b"[1, 2]",
    "a number": b"17",
    "a text": b'"hello"',
    "null": b"null",
    "true": b"true",
    "NaN": b"NaN",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16-le").replace(b"\n", b""),
    "null bytes": b"\x00\x00\x00\x00",
    "an empty object": b"{}",
    "an unknown shape": b'{"hello": "world"}',
    "a nested bomb": b'{"messages": ' + BOMB.encode() + b"}",
    "a bomb of objects": b'{"a":' * 600 + b"1" + b"}" * 600,
    "a control character": b'{"a": "\x01"}',
    "a number of 5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "YAML": b"id: 1",
    "a log line of text": b"2026-03-01 12:00:00 INFO request done",
}
CHATS = {
    "a number": 5,
    "true": True,
    "a message that is a number": [5],
    "a message that is null": [None],
    "a message that is a list in a list": [[[{"role": "user"}]]],
    "an unknown role": [{"role": "alien", "content": "x"}],
    "a role that is a number": [{"role": 5, "content": "x"}],
    "a role that is a list": [{"role": ["user"], "content": "x"}],
    "content that is a number": [{"role": "user", "content": 5}],
    "content that is true": [{"role": "user", "content": True}],
    "a part that is a number": [{"role": "user", "content": [5]}],
    "a part that is null": [{"role": "user", "content": [None]}],
    "a text part without text": [{"role": "user", "content": [{"type": "text"}]}],
    "a text part of a number": [{"role": "user", "content": [{"type": "text", "text": 5}]}],
    "calls that are text": [{"role": "assistant", "tool_calls": "x"}],
    "calls that are an object": [{"role": "assistant", "tool_calls": {"a": 1}}],
    "a call that is a number": [{"role": "assistant", "tool_calls": [5]}],
    "a call without a name": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {}}]}],
    "a call whose name is a number": [{"role": "assistant", "tool_calls": [{"function": {"name": 5}}]}],
    "a picture that is no base64": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,!!"}}]}
    ],
}
NO_TIMES = {
    "words": "soon", "a negative number": -5, "true": True, "infinity in text": "inf", "a list": [], "an object": {"a": 1},
    "no such day": "2026-02-31T00:00:00Z", "before 1970": "1800-01-01", "a huge number": 10**40, "year 9999": "9999-12-31",
}  # fmt: skip
NO_NAMES = {
    "a list": ["x"],
    "an object": {"a": 1},
    "a fraction": 1.5,
    "true": True,
    "a long text": "x" * 2000,
    "huge": 10**60,
}
NO_COUNTS = {"negative": -1, "words": "many", "a fraction": 1.5, "true": True, "huge": 10**30}
NO_TOOLS = {
    "a number": 5, "text": "x", "a number inside": [5], "an empty one": [{}], "a number as name": [{"function": {"name": 5}}],
}  # fmt: skip

PLACES = {
    "openai": {
        "request.messages": CHATS, "response.choices.0.message.tool_calls": {"a number": [5]}, "created_at": NO_TIMES,
        "id": NO_NAMES, "session_id": NO_NAMES, "response.usage.prompt_tokens": NO_COUNTS, "request.tools": NO_TOOLS,
        "request.model": {"a list": [1]}, "response.choices": {"text": "x", "a number inside": [5]}, "request": {"null": None},
    },
    "langfuse": {
        "input": CHATS, "startTime": NO_TIMES, "endTime": NO_TIMES, "traceId": NO_NAMES, "sessionId": NO_NAMES,
        "usageDetails.input": NO_COUNTS, "type": {"unknown": "THOUGHT", "a number": 5, "null": None},
    },
    "langsmith": {
        "inputs.messages": CHATS, "start_time": NO_TIMES, "trace_id": NO_NAMES, "parent_run_id": NO_NAMES,
        "extra.metadata.thread_id": NO_NAMES, "outputs.usage_metadata.output_tokens": NO_COUNTS,
        "extra.invocation_params.tools": NO_TOOLS, "run_type": {"unknown": "thought", "a number": 5},
        "inputs": {"a list": [1], "text": "x"},
    },
    "phoenix": {
        "start_time": NO_TIMES, "end_time": NO_TIMES, "context.trace_id": NO_NAMES, "context.span_id": NO_NAMES,
        "parent_id": NO_NAMES, "attributes.llm.token_count.prompt": NO_COUNTS,
        "attributes.llm.input_messages": {k: [{"message": v[0]}] for k, v in CHATS.items() if isinstance(v, list)
                                          and isinstance(v[0], dict) and "calls" not in k and "base64" not in k},
        "attributes.llm.tools": {"an empty name": [{"tool": {"json_schema": '{"function": {"name": 5}}'}}]},
        "context": {"empty": {"trace_id": "", "span_id": ""}},
    },
    "braintrust": {
        "input": CHATS, "metrics.start": NO_TIMES, "metrics.end": NO_TIMES, "root_span_id": NO_NAMES, "span_id": NO_NAMES,
        "metrics.prompt_tokens": NO_COUNTS, "metadata.tools": NO_TOOLS,
    },
    "helicone": {
        "request_body.messages": CHATS, "request_created_at": NO_TIMES, "response_created_at": NO_TIMES,
        "request_id": NO_NAMES, "completion_tokens": NO_COUNTS, "request_body.tools": NO_TOOLS,
        "request_body": {"a list": [1], "text": "x", "null": None},
    },
    "litellm": {
        "messages": CHATS, "startTime": NO_TIMES, "endTime": NO_TIMES, "id": NO_NAMES, "trace_id": NO_NAMES,
        "prompt_tokens": NO_COUNTS, "model_parameters.tools": NO_TOOLS, "call_type": {"a number": 5},
    },
    "rows": {
        "question": CHATS, "when": NO_TIMES, "until": NO_TIMES, "chat": NO_NAMES, "id": NO_NAMES, "tools": NO_TOOLS,
        "usage.input": NO_COUNTS, "docs": {"a number inside": [5]},
    },
}  # fmt: skip


def changed(record, path, new):
    record = copy.deepcopy(record)
    node = record
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        node = node[step]
    node[last] = new
    return record


def line(record):
    return json.dumps(record).encode()


def bad_spans():
    """Malformed OTLP, as the line it is on."""
    # ruff: noqa: E501  # tables of records read better in long lines
    good = NEW | WRITTEN
    found = {}
    for name, new in {"empty": "", "short": "0af7", "not hex": "z" * 32, "zero": "0" * 32, "null": None, "number": 5,
                      "long": "a" * 64, "list": ["a" * 32], "base64": "CvdlGRbNQ92ESOsCHIAxnA=="}.items():  # fmt: skip
        found[f"trace id, {name}"] = export(span(good) | {"traceId": new})
        found[f"span id, {name}"] = export(span(good) | {"spanId": new})
    for name, new in {"short": "0a", "not hex": "z" * 16, "number": 5, "object": {"a": 1}}.items():
        found[f"parent, {name}"] = export(span(good) | {"parentSpanId": new})
    for name, new in {"words": "soon", "negative": -5, "fraction": 1.5, "true": True, "far": 10**20, "ISO": "2026-03-01",
                      "list": [1], "negative text": "-5"}.items():  # fmt: skip
        found[f"start, {name}"] = export(span(good) | {"startTimeUnixNano": new})
        found[f"end, {name}"] = export(span(good) | {"endTimeUnixNano": new})
    for name, new in {"text": "x", "object": {"a": 1}, "number": 5, "a number inside": [5], "no key": [{"value": {}}],
                      "key of a number": [{"key": 5, "value": {"stringValue": "x"}}]}.items():  # fmt: skip
        found[f"attributes, {name}"] = export(span(good) | {"attributes": new})
    for name, new in {"plain text": "x", "list": [1], "int of words": {"intValue": "x"}, "int of a fraction": {"intValue": 1.5},
                      "double of words": {"doubleValue": "x"}, "text of a number": {"stringValue": 5},
                      "bool of text": {"boolValue": "true"}}.items():  # fmt: skip
        found[f"value, {name}"] = export(span(good) | {"attributes": [{"key": "a", "value": new}]})
    deep = {"stringValue": "x"}
    for _ in range(150):
        deep = {"arrayValue": {"values": [deep]}}
    found["a value that is nested deep"] = export(span(good) | {"attributes": [{"key": "a", "value": deep}]})
    for name, new in CHATS.items():
        if name not in ("a picture that is no base64", "a message that is a list in a list", "a number", "true"):
            found[f"messages, {name}"] = export(span(good | {"gen_ai.input.messages": json.dumps(new)}))
    for name, new in NO_COUNTS.items():
        if name != "huge":
            found[f"tokens, {name}"] = export(span(good | {"gen_ai.usage.input_tokens": new}))
    found["spans that are no list"] = {"resourceSpans": [{"scopeSpans": [{"spans": {"a": 1}}]}]}
    found["a span that is a number"] = export(5)
    found["a scope that is a number"] = {"resourceSpans": [{"scopeSpans": [5]}]}
    found["resources that are text"] = {"resourceSpans": "x"}
    found["a name that is a number"] = export(span(good) | {"name": 5})
    held = {k: v for k, v in OPENINFERENCE.items() if "input_messages" not in k}
    found["as a whole and in parts"] = export(
        span(held | {"llm.input_messages.0": "x", "llm.input_messages.0.a.b": "y"})
    )
    found["a log without a time"] = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "x"}]}]}]}
    found["an event without a place"] = export(span(good) | {"events": [5]})
    return {name: line(record) for name, record in found.items()}


def table():
    cases = [pytest.param("otlp", raw, id=f"otlp-{name}") for name, raw in (BYTES | bad_spans()).items()]
    for family, places in PLACES.items():
        bad = dict(BYTES)
        for path, values in places.items():
            bad |= {f"{path}: {name}": line(changed(FAMILIES[family], path, new)) for name, new in values.items()}
        cases += [pytest.param(family, raw, id=f"{family}-{name}") for name, raw in bad.items()]
    return cases


TABLE = table()
FOUND = "53995c3f42cd8ad8"
OWN = {"phoenix": "context.span_id", "braintrust": "span_id", "helicone": "request_id"}
GOOD = {name: [line(record), line(changed(record, OWN.get(name, "id"), FOUND))] for name, record in FAMILIES.items()}
GOOD["otlp"] = [line(export(span(NEW | WRITTEN))), line(export(span(NEW | WRITTEN, FOUND)))]


def test_every_family_has_fifty():
    for family in GOOD:
        assert sum(param.values[0] == family for param in TABLE) >= 50, family


@pytest.mark.parametrize(("family", "raw"), TABLE)
def test_a_malformed_record_is_told_and_nothing_is_imported(family, raw, tmp_path):
    fields = MAPPING if family == "rows" else {}
    first, second = GOOD[family]
    data = first + b"\n" + raw + b"\n" + second + b"\n"
    with pytest.raises(DatasetError) as caught:
        run(tmp_path, data, fields=fields)
    assert any(problem.line == 2 and problem.file.endswith("log.jsonl") for problem in caught.value.problems)
    assert len(str(caught.value)) < 2000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl"]
    found, report = run(tmp_path, data, fields=fields, skip_bad=1, turns="all")
    assert len(found) == 2
    assert report.bad == 1
    assert ":2:" in report.problems[0]


def test_an_older_pool_stays_when_an_import_fails(tmp_path):
    pool = tmp_path / "pool.jsonl"
    pool.write_text("old\n")
    with pytest.raises(DatasetError):
        run(tmp_path, b"{}\n")
    assert pool.read_text() == "old\n"


def test_one_more_than_may_be_skipped_stops(tmp_path):
    with pytest.raises(DatasetError, match="3 records are bad, 2 may be skipped"):
        run(tmp_path, GOOD["openai"][0] + b"\n{}\n{}\n{}\n", skip_bad=2)


def test_a_log_of_the_wrong_kind_is_given_up_before_its_end(tmp_path):
    with pytest.raises(DatasetError, match=r"^at least 100 records are bad") as caught:
        run(tmp_path, b'{"hello": 1}\n' * 100_000)
    (problem,) = caught.value.problems
    assert (problem.line, problem.rule) == (1, "is of no known format (and 99 more like it)")


FORMATS = [
    pytest.param({}, b'{"hello": 1}\n', "name the format with --format", id="nothing given"),
    pytest.param({"format": "openai"}, b'{"hello": 1}\n', "is openai the right --format", id="a format given"),
    pytest.param({"fields": {"input": "x"}}, b'{"hello": 1}\n', "does the mapping name", id="a mapping given"),
    pytest.param({}, b"hello\n", "name the format with --format", id="no JSON"),
]


@pytest.mark.parametrize("count", [1, 4, 250])
@pytest.mark.parametrize(("settings", "line", "hint"), FORMATS)
def test_logs_in_which_no_record_fits_are_told_once_and_with_a_hint_for_what_was_given(
    settings, line, hint, count, tmp_path
):
    with pytest.raises(DatasetError) as caught:
        run(tmp_path, line * count, **settings)
    told = min(count, 100)
    (problem,) = caught.value.problems
    assert f"{told} record{'s are' if told > 1 else ' is'} bad" in caught.value.problem
    assert problem.line == 1
    assert problem.rule.endswith(f"(and {told - 1} more like it)") is (told > 1)
    assert hint in caught.value.hint
    assert "--skip-bad" not in caught.value.hint


def test_faults_of_many_kinds_are_told_apart_and_add_up(tmp_path):
    with pytest.raises(DatasetError, match=r"^8 records are bad") as caught:
        run(tmp_path, GOOD["openai"][0] + b"\n" + b"{}\n" * 5 + b"[]\n{]\n[]\n")
    assert [problem.line for problem in caught.value.problems] == [2, 7, 9, 8]
    assert "(and 4 more like it)" in caught.value.problems[0].rule
    assert "--skip-bad 8" in caught.value.hint


def test_values_are_not_shown_where_personal_data_is_scrubbed(tmp_path):
    bad = changed(FAMILIES["openai"], "request.messages", [{"role": "user", "content": [["ada@example.org"]]}])
    with pytest.raises(DatasetError) as caught:
        run(tmp_path, [bad], scrub="basic")
    assert "ada@example.org" not in str(caught.value)


def test_mixed_formats_in_one_log_are_told(tmp_path):
    with pytest.raises(DatasetError) as caught:
        run(tmp_path, [FAMILIES["openai"], FAMILIES["braintrust"]])
    assert "it looks like a row of Braintrust's logs" in str(caught.value)


BODY = gzip.compress(GOOD["openai"][0] + b"\n" + GOOD["openai"][1] + b"\n" * 5000)


@pytest.mark.parametrize("keep", [3, 12, len(BODY) // 2, len(BODY) - 1])
def test_truncated_gzip(keep, tmp_path):
    with pytest.raises(DatasetError):
        run(tmp_path, BODY[:keep], "log.jsonl.gz")
    assert not (tmp_path / "pool.jsonl").exists()


def protobuf():
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = Parse(json.dumps(export(span(NEW | WRITTEN))), ExportTraceServiceRequest())
    held = message.resource_spans[0].scope_spans[0].spans[0]
    held.trace_id, held.span_id, held.parent_span_id = (bytes.fromhex(x) for x in (TRACE, SPAN, ROOT))
    return message


def bad_protobuf():
    message = protobuf()
    good = message.SerializeToString()
    step = max(1, len(good) // 40)
    found = {f"cut at {at}": good[:at] for at in range(1, len(good), step)}
    for name, field, new in (
        ("no trace id", "trace_id", b""), ("short trace id", "trace_id", b"\1"), ("zero trace id", "trace_id", bytes(16)),
        ("no span id", "span_id", b""), ("long span id", "span_id", b"\1" * 9), ("zero span id", "span_id", bytes(8)),
        ("odd parent", "parent_span_id", b"\1"), ("year 2500", "start_time_unix_nano", 2**63 + 7),
    ):  # fmt: skip
        other = protobuf()
        setattr(other.resource_spans[0].scope_spans[0].spans[0], field, new)
        found[name] = other.SerializeToString()
    found |= {
        "a length that never ends": b"\x0a" + b"\xff" * 10,
        "a length of 2 GiB": b"\x0a\xff\xff\xff\xff\x07abc",
        "another field": b"\x12\x01a" + b"\x00" * 10,
        "a frame that is cut": (len(good) + 5).to_bytes(4, "big") + good,
        "a frame of nonsense": b"\x00\x00\x00\x04\x01\x02\x03\x04",
        "a frame cut in its length": len(good).to_bytes(4, "big") + good + b"\x00\x00",
    }
    return found


BAD_PROTOBUF = bad_protobuf()


def test_protobuf_has_fifty():
    assert len(BAD_PROTOBUF) >= 50


@pytest.mark.parametrize("name", sorted(BAD_PROTOBUF))
def test_malformed_protobuf(name, tmp_path):
    with pytest.raises(DatasetError):
        run(tmp_path, BAD_PROTOBUF[name], "log.pb", format="otlp-proto")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.pb"]


ODD = {
    "a lone surrogate": b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
    "a null character": b'{"messages": [{"role": "user", "content": "a\\u0000b"}]}',
    "2 ** 63 in a tool's arguments": b'{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": '
    b'[{"function": {"name": "f", "arguments": "{\\"n\\": 9223372036854775808}"}}]}]}',
    "NaN in what is not read": b'{"score": NaN, "messages": [{"role": "user", "content": "x"}]}',
    "a text of 1 MB": b'{"messages": [{"role": "user", "content": "' + b"x" * 1_000_000 + b'"}]}',
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_what_is_odd_but_good_is_kept(name, tmp_path):
    found, _ = run(tmp_path, ODD[name] + b"\n")
    given = json.loads(ODD[name])["messages"][0]
    assert found[0]["input"][0] == given


ODD_TYPES = {
    "of a message": {"role": "user", "content": "hi", "type": ["text"]},
    "of a part": {"role": "user", "content": [{"type": ["text"], "text": "hi"}]},
    "of an object as a part": {"role": "user", "content": [{"type": {"a": 1}, "text": "hi"}]},
    "of a part of a result": {"role": "tool", "content": [{"type": "tool_result", "content": [{"type": ["text"]}]}]},
}


@pytest.mark.parametrize("message", [pytest.param(held, id=name) for name, held in ODD_TYPES.items()])
def test_a_type_that_is_no_text_is_no_reason_to_fall_over(message, tmp_path):
    (case,), report = run(tmp_path, [{"messages": [message, {"role": "assistant", "content": "yes"}]}])
    assert (report.bad, case["input"][0]["role"]) == (0, message["role"])
    assert case["input"][0]["content"]
