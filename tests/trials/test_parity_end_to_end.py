"""Five models under the same conditions, one of which does not take a temperature: nothing of it stays silent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.trials.project import Project, question

import seatrial
from seatrial import reports
from seatrial.errors import SuiteError, TargetDownError
from seatrial.testing import FakeProvider, Script

MODELS = ("claude-opus-4", "gpt-nova", "llama-4-405b", "deepseek-v3", "gemini-2.5-pro")
PICKY = "deepseek-v3"
CASES = [question(i) for i in range(40)]


@pytest.fixture
def picky():
    """A provider that stands in for all, one model of which does not take a temperature."""
    with FakeProvider(Script(rejects={PICKY: ("temperature",)})).in_thread() as provider:
        yield provider


def five(project: Project, fake: FakeProvider, *, unsupported: str = "fail", **policy: Any) -> None:
    """The five models over the same cases, the first of them in use."""
    targets = {
        name: {
            "use": f"openai:{name}",
            "base_url": fake.base_url,
            "params": {"temperature": 0, "max_tokens": 400},
            "concurrency": 4,
            "unsupported": unsupported,
        }
        for name in MODELS
    }
    project.write(CASES, targets=targets, incumbent=MODELS[0], policy={"min_cases": 10, **policy})


def verdict_on(report: Any, name: str) -> Any:
    return next(v for v in report.verdicts if v.candidate == name)


def test_all_five_are_equal_where_all_take_everything(project: Project, fake: FakeProvider) -> None:
    five(project, fake)
    report = project.run()
    assert {v.parity.result for v in report.verdicts} == {"equal"}
    text = reports.terminal(report, width=120)
    assert "Parity: equal: temperature 0, at most 400 tokens, same prompt, same tools, asked 0 s apart" in text
    assert "Parity: equal: temperature 0" in reports.html(report)


def test_a_refused_parameter_stops_the_arm_at_once(project: Project, picky: FakeProvider) -> None:
    five(project, picky)
    with pytest.raises(TargetDownError) as caught:
        project.run()
    said = str(caught.value)
    assert "Target 'deepseek-v3' does not take the parameter temperature (HTTP 400): Unsupported value" in said
    assert "unsupported: drop" in said
    assert "policy.parity.allow: [temperature]" in said
    refused = [call for call in picky.log if call.model == PICKY]
    assert 1 <= len(refused) <= 4, "only what was in flight"


def test_a_dropped_parameter_is_named_and_refuses_the_verdict(project: Project, picky: FakeProvider) -> None:
    five(project, picky, unsupported="drop")
    report = project.run()
    verdict = verdict_on(report, PICKY)
    assert verdict.overall == "not_evaluable"
    assert verdict.headline == (
        "No verdict on deepseek-v3 against claude-opus-4: they were not asked under the same conditions: temperature "
        "is 0 for claude-opus-4 and not sent (0 was asked) for deepseek-v3. To compare them, give both the same, or "
        "allow it with policy.parity.allow: [temperature]."
    )
    assert {v.overall for v in report.verdicts if v.candidate != PICKY}.isdisjoint({"not_evaluable"})
    arm = next(a for a in report.arms if a.target == PICKY)
    assert arm.dropped == {"temperature": 40}
    assert all(not a.dropped for a in report.arms if a.target != PICKY)
    for text in (reports.terminal(report, width=140), reports.markdown(report), reports.html(report)):
        assert "temperature: 0 → not sent (0 was asked) (not allowed)" in text
        assert "temperature not sent 40 times" in text
    sent = [call.body for call in picky.log if call.model == PICKY and call.status == "200"]
    assert len(sent) == 40
    assert all("temperature" not in body and body["max_tokens"] == 400 for body in sent)


def test_every_output_made_without_it_says_so(project: Project, picky: FakeProvider) -> None:
    five(project, picky, unsupported="drop")
    report = project.run()
    with project.store() as store:
        run = next(run for run in store.runs(report.trial_id) if run.target == PICKY)
        outputs = store.load_outputs([item.output_id for item in store.run_items(run.id)])
    assert len(outputs) == 40
    for output in outputs.values():
        assert output.sent is not None
        assert dict(output.sent.params) == {"max_tokens": 400}
        assert list(output.sent.dropped) == ["temperature"]
        assert output.sent.dropped["temperature"].startswith("refused by the provider (HTTP 400): Unsupported value")


def test_the_suite_may_declare_it(project: Project, picky: FakeProvider) -> None:
    five(project, picky, unsupported="drop", parity={"allow": ["temperature"]})
    report = project.run()
    verdict = verdict_on(report, PICKY)
    assert verdict.overall != "not_evaluable"
    assert verdict.parity.result == "differs"
    assert [(d.what, d.allowed) for d in verdict.parity.differences] == [("temperature", True)]
    text = reports.terminal(report, width=140)
    assert "Parity: differs, as the suite allows: at most 400 tokens" in text
    assert "temperature: 0 → not sent (0 was asked) (allowed)" in text


def test_declaring_it_later_asks_nobody_again(project: Project, picky: FakeProvider) -> None:
    five(project, picky, unsupported="drop")
    project.run()
    calls = picky.calls
    five(project, picky, unsupported="drop", parity={"allow": ["temperature"]})
    report = project.run()
    assert picky.calls == calls
    assert verdict_on(report, PICKY).parity.result == "differs", "reused outputs say what they were sent"
    assert next(a for a in report.arms if a.target == PICKY).dropped == {"temperature": 40}


def test_another_policy_is_another_request(project: Project, fake: FakeProvider) -> None:
    five(project, fake)
    project.run()
    calls = fake.calls
    five(project, fake, unsupported="drop")
    project.run()
    assert fake.calls == 2 * calls


def test_what_the_table_knows_is_refused_before_anything_is_sent(project: Project, fake: FakeProvider) -> None:
    five(project, fake)
    project.suite["targets"]["gpt-nova"]["use"] = "openai:gpt-5"
    project.write(CASES)
    with pytest.raises(SuiteError) as caught:
        project.run()
    said = str(caught.value)
    assert "targets.gpt-nova: params.temperature: is taken by reasoning models only as 1 (got 0)" in said
    assert "set unsupported: drop" in said
    assert fake.calls == 0


def test_a_limit_under_its_other_name_is_the_same_limit(project: Project, fake: FakeProvider) -> None:
    five(project, fake)
    target = project.suite["targets"]["gpt-nova"]
    target |= {"use": "openai:gpt-5", "params": {"max_tokens": 400, "temperature": 0}, "unsupported": "drop"}
    project.write(CASES, policy={"parity": {"allow": ["temperature"]}})
    report = project.run()
    found = verdict_on(report, "gpt-nova").parity
    assert [d.what for d in found.differences] == ["temperature"]
    assert "at most 400 tokens" in found.same
    sent = [call.body for call in fake.log if call.model == "gpt-5"]
    assert sent
    assert all(body["max_completion_tokens"] == 400 and "max_tokens" not in body for body in sent)


@pytest.mark.parametrize(
    ("changes", "what", "texts"),
    [
        pytest.param({"params": {"max_tokens": 400}}, ["temperature"], [("0", "not set")], id="unset"),
        pytest.param({"params": {"temperature": 0.5, "max_tokens": 400}}, ["temperature"], [("0", "0.5")], id="value"),
        pytest.param({"stream": True}, ["stream"], [("off", "on")], id="stream"),
        pytest.param({"params": {"temperature": 0.0, "max_completion_tokens": 400}}, [], [], id="only-spelling"),
        pytest.param({"params": {"temperature": 0, "max_tokens": 9}}, ["max_tokens"], [("400", "9")], id="limit"),
    ],
)
def test_what_differs_as_sent(project: Project, fake: FakeProvider, changes: Any, what: Any, texts: Any) -> None:
    five(project, fake)
    project.suite["targets"] = {name: project.suite["targets"][name] for name in MODELS[:2]}
    project.suite["targets"]["gpt-nova"] |= changes
    project.write(CASES)
    (verdict,) = project.run().verdicts
    assert [d.what for d in verdict.parity.differences] == what
    assert [(d.incumbent, d.candidate) for d in verdict.parity.differences] == texts
    assert (verdict.overall == "not_evaluable") == bool(what)


def test_arms_whose_requests_nobody_knows_are_compared_all_the_same(project: Project, fake: FakeProvider) -> None:
    five(project, fake)
    rows = [{"input": case["input"], "output": case["input"]} for case in CASES]
    (project.folder / "recorded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project.suite["targets"] = {
        MODELS[0]: project.suite["targets"][MODELS[0]],
        "recorded": {"use": "replay:recorded.jsonl"},
    }
    project.write(CASES)
    report = project.run()
    (verdict,) = report.verdicts
    assert verdict.overall != "not_evaluable"
    assert (verdict.parity.result, verdict.parity.unknown) == ("unknown", ("recorded",))
    assert "Parity: unknown: what recorded was sent is not recorded" in reports.terminal(report, width=120)


def test_answers_far_apart_in_time_are_no_comparison(project: Project, fake: FakeProvider) -> None:
    five(project, fake)
    project.suite["targets"] = {name: project.suite["targets"][name] for name in MODELS[:2]}
    project.write(CASES)
    first = project.run()
    with project.store() as store, store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE outputs SET finished_at = '2026-01-01T00:00:00+00:00' WHERE id IN "
            "(SELECT output_id FROM run_items WHERE run_id IN (SELECT id FROM runs WHERE target = 'gpt-nova'))"
        )
    again = seatrial.compare(first.trial_id, store=project.folder / ".seatrial" / "seatrial.db")
    (verdict,) = again.verdicts
    assert verdict.overall == "not_evaluable"
    assert [d.what for d in verdict.parity.differences] == ["time"]
    assert "run with --fresh or raise policy.parity.max_hours_apart" in verdict.headline
    project.write(CASES, policy={"parity": {"max_hours_apart": 1e6}})
    (verdict,) = project.run().verdicts
    assert (verdict.overall != "not_evaluable", verdict.parity.result) == (True, "equal")


def test_the_well_known_five_at_temperature_zero(project: Project) -> None:
    """Each in its own format; two cannot take the temperature by the table, one says so when it is asked."""
    uses = {
        "opus": "anthropic:claude-opus-4",
        "gpt": "openai:gpt-5",
        "llama": "openai:meta-llama/llama-4-405b",
        "deepseek": "openai:deepseek/deepseek-v3",
        "gemini": "gemini:gemini-2.5-pro",
    }
    with FakeProvider(Script(rejects={"deepseek/deepseek-v3": ("temperature",)})).in_thread() as provider:
        targets = {
            name: {
                "use": use,
                "base_url": provider.base_url,
                "params": {"temperature": 0, "max_tokens": 400},
                "unsupported": "drop",
            }
            for name, use in uses.items()
        }
        project.write(CASES, targets=targets, incumbent="llama", policy={"min_cases": 10})
        report = project.run()
        bodies = {call.model: call.body for call in provider.log if call.status == "200"}
    found = {v.candidate: (v.overall == "not_evaluable", v.parity.result) for v in report.verdicts}
    refused = (True, "differs")
    assert found == {"opus": refused, "gpt": refused, "deepseek": refused, "gemini": (False, "equal")}
    assert {a.target: dict(a.dropped) for a in report.arms if a.dropped} == {
        name: {"temperature": 40} for name in ("opus", "gpt", "deepseek")
    }
    warm = {model for model, body in bodies.items() if "temperature" in json.dumps(body)}
    assert warm == {"meta-llama/llama-4-405b", "gemini-2.5-pro"}
    again = seatrial.compare(report.trial_id, store=project.folder / ".seatrial" / "seatrial.db", incumbent="opus")
    alike = {v.candidate: v.parity.result for v in again.verdicts}
    assert alike == {"gpt": "equal", "llama": "differs", "deepseek": "equal", "gemini": "differs"}
