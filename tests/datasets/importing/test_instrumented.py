"""Real spans of a real client: two instrumentors, against the fake provider, in JSON and in protobuf."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.datasets.importing.pipeline import import_logs
from seatrial.datasets.importing.settings import Settings
from seatrial.testing import FakeProcess, Rule, Script, UsageCounts, When

HERE = Path(__file__).parent
MODES = {
    "openinference": {},
    "otel-spans-and-events": {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
    },
    "otel-spans": {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    },
    "both": {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    },
    "otel-events": {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY",
    },
}
SCRIPT = Script(
    answers=(
        Rule(
            when=When(input={"contains": "order A-17"}),
            tool_calls=({"name": "find_order", "arguments": {"order": "A-17"}},),
            usage=UsageCounts(input=41, output=9),
        ),
        Rule(
            when=When(input="When will it come?"),
            text="It has been shipped.",
            usage=UsageCounts(input=60, output=7),
        ),
    )
)


@pytest.fixture(scope="module", params=sorted(MODES))
def recorded(request, tmp_path_factory):
    for needed in (
        "openai",
        "google.protobuf",
        "opentelemetry.sdk",
        "opentelemetry.exporter.otlp.proto.common",
        "opentelemetry.instrumentation.openai_v2",
        "openinference.instrumentation.openai",
    ):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install 'seatrial[dev]'")
    folder = tmp_path_factory.mktemp(request.param)
    mode = request.param.split("-")[0]
    with FakeProcess(SCRIPT) as fake:
        subprocess.run(
            [sys.executable, HERE / "instrumented.py", mode, fake.base_url, folder],
            env={**os.environ, **MODES[request.param]},
            check=True,
            timeout=120,
        )
    return folder, request.param


def cases(logs, pool, **settings):
    report = import_logs(logs, pool, Settings(scrub="none", **settings))
    return [json.loads(line) for line in pool.read_text().splitlines()], report


def check(found):
    first, second = found
    assert [m["role"] for m in first["input"]] == ["system", "user"]
    assert [m["role"] for m in second["input"]] == ["system", "user", "assistant", "tool", "user"]
    assert first["input"][1]["content"] == "Where is order A-17?"
    call = second["input"][2]["tool_calls"][0]
    assert (call["name"], call["arguments"]) == ("find_order", {"order": "A-17"})
    assert second["input"][3] == {"role": "tool", "content": "shipped", "tool_call_id": call["id"]}
    told = first["metadata"]["answer"]
    assert told["messages"][0]["tool_calls"][0]["arguments"] == {"order": "A-17"}
    assert second["metadata"]["answer"]["messages"] == [{"role": "assistant", "content": "It has been shipped."}]
    assert told["model"] == told["served_model"] == "gpt-test"
    assert [told["usage"][k] for k in ("input", "output")] == [41, 9]
    assert [second["metadata"]["answer"]["usage"][k] for k in ("input", "output")] == [60, 7]
    assert told["params"]["temperature"] == 0.25
    assert told["finish_reason"] == "tool_calls"
    for case in found:
        assert case["session_id"] == "s-1"
        assert len(case["trace_id"]) == 32
        assert len(case["span_id"]) == 16
        assert case["strata"] == {"service": "shop", "env": "live"}
        assert case["created_at"].startswith("20")
        assert case["metadata"]["answer"]["seconds"] > 0


FIELDS = {"strata.service": "service.name", "strata.env": "deployment.environment.name"}


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_both_requests_of_the_session_become_cases_with_everything_right(recorded, form, tmp_path):
    folder, mode = recorded
    files = [folder / "spans.jsonl"] if form == "json" else [folder / "spans.pb"]
    if form == "protobuf" and (folder / "logs.pb").stat().st_size:
        files.append(folder / "logs.pb")
    found, report = cases(files, tmp_path / "pool.jsonl", turns="all", fields=FIELDS)
    check(found)
    assert report.sessions == 1
    assert report.requests == (4 if mode == "both" else 2)
    if mode in ("openinference", "both"):
        assert found[0]["tools"][0]["name"] == "find_order"
        assert found[0]["tools"][0]["parameters"]["required"] == ["order"]


def test_the_last_turn_alone_is_the_default(recorded, tmp_path):
    found, _ = cases([recorded[0] / "spans.jsonl"], tmp_path / "pool.jsonl")
    assert len(found) == 1
    assert found[0]["input"][-1]["content"] == "When will it come?"
