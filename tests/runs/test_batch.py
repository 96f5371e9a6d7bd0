"""Batches from end to end: the same scores as live, merged by content, whatever the provider does with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trials.project import Project, question

from seatrial.cli.progress import summary
from seatrial.core.output import Output
from seatrial.errors import ConfigError, TargetDownError
from seatrial.runs.batch import BatchStage, content_key, custom_id
from seatrial.runs.progress import ArmProgress, Progress
from seatrial.testing import FakeProvider, Fault, Script
from seatrial.testing.script import BatchScript

USES = [
    pytest.param("openai:m", id="openai"),
    pytest.param("responses:m", id="responses"),
    pytest.param("anthropic:m", id="anthropic"),
]
QUICK = {"poll": 0.02, "settle": 0.05}
PRICE = {"input": 2.0, "output": 8.0}
NAMES = st.text("0123456789abcdef", min_size=12, max_size=12)
KEYS = st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 99_999))


@given(KEYS, NAMES)
def test_a_custom_id_gives_its_content_key_back(key: tuple[bytes, int], name: str):
    text = custom_id(key, name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", text)
    assert content_key(text, name) == key


@given(KEYS, NAMES, NAMES)
def test_another_batchs_custom_id_gives_nothing(key: tuple[bytes, int], name: str, other: str):
    assert (content_key(custom_id(key, name), other) is None) == (name != other)


@given(st.text(max_size=80), NAMES)
def test_any_other_text_gives_nothing(text: str, name: str):
    assert content_key(text, name) is None
    assert content_key(f"{text}-{name}", name) is None


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def target(use: str, **more: Any) -> dict[str, Any]:
    return {"use": use, "params": {"max_tokens": 50}, "price": PRICE, **more}


def outputs(project: Project, trial_id: str, name: str = "model") -> list[Output]:
    with project.store() as store:
        run = next(run for run in store.runs(trial_id) if run.target == name)
        found = store.load_outputs(item.output_id for item in store.run_items(run.id))
        return [found[item.output_id] for item in store.run_items(run.id)]


def counts(project: Project, trial_id: str) -> dict[str, Any]:
    with project.store() as store:
        return dict(store.runs(trial_id)[0].counts)


@pytest.mark.parametrize("use", USES)
def test_a_batch_gives_the_same_scores_as_live_at_half_the_price_and_without_a_latency(project: Project, use: str):
    cases = [question(i) for i in range(30)] + [question(3, id="twin")]
    with FakeProvider().in_thread() as fake:
        project.suite["targets"] = {"model": target(use)}
        project.at(fake.base_url)
        project.write(cases)
        live = project.run(epochs=2)
        project.at(fake.base_url, batch=QUICK)
        project.write(cases)
        batched = project.run(epochs=2, fresh=True)
        assert (fake.stats.batches, fake.stats.calls) == (1, 120)
    assert project.values(batched.trial_id) == project.values(live.trial_id)
    for one, other in zip(outputs(project, live.trial_id), outputs(project, batched.trial_id), strict=True):
        assert other.text == one.text
        assert other.cost == pytest.approx(one.cost / 2)
        assert (other.timing.total, other.timing.first_token) == (None, None)
        assert other.metadata["batch"] == "batch_000002" or use.startswith("anthropic")
        assert "batch" not in one.metadata


@pytest.mark.parametrize("use", USES)
def test_answers_are_shared_between_live_and_batch(project: Project, use: str):
    with FakeProvider().in_thread() as fake:
        project.suite["targets"] = {"model": target(use, batch=QUICK)}
        project.at(fake.base_url)
        project.write([question(i) for i in range(20)])
        project.run()
        project.suite["targets"]["model"].pop("batch")
        project.write([question(i) for i in range(25)])
        project.run()
        assert (fake.stats.calls, fake.stats.again, fake.stats.batches) == (25, 0, 1)


def test_an_incumbent_in_batches_and_a_live_candidate_meet_in_one_trial(project: Project):
    with FakeProvider(Script(batches=BatchScript(running=0.3))).in_thread() as fake:
        project.suite["targets"] = {"old": target("openai:old", batch=QUICK), "new": target("openai:new")}
        project.at(fake.base_url)
        project.write([question(i) for i in range(60)], incumbent="old")
        report = project.run()
        assert (fake.stats.batches, fake.stats.by_model) == (1, {"old": 60, "new": 60})
    assert project.values(report.trial_id, "old") == project.values(report.trial_id, "new")


NUISANCES = [
    pytest.param(BatchScript(repeat=4, stray=True), {}, id="repeated-and-stray-results"),
    pytest.param(BatchScript(truncate=2), {}, id="results-cut-mid-line"),
    pytest.param(BatchScript(poll_faults=("rate_limit", "server_error", "rate_limit")), {}, id="polling-faults"),
    pytest.param(BatchScript(validating=0.1, running=0.2, finalizing=0.1), {}, id="slow"),
    pytest.param(BatchScript(), {"requests": 7}, id="many-small-batches"),
    pytest.param(BatchScript(), {"bytes": 4000}, id="batches-of-few-bytes"),
]


@pytest.mark.parametrize("use", [USES[0], USES[2]])
@pytest.mark.parametrize(("script", "batch"), NUISANCES)
def test_what_a_provider_does_with_a_batch_changes_no_result(
    project: Project, use: str, script: BatchScript, batch: dict[str, Any]
):
    with FakeProvider(Script(batches=script)).in_thread() as fake:
        project.suite["targets"] = {"model": target(use, batch=QUICK | batch)}
        project.at(fake.base_url)
        project.write([question(i) for i in range(40)])
        report = project.run()
        assert (fake.stats.served, fake.stats.again) == (40, 0)
        sizes = [made["requests"] for made in fake.batches]
    assert project.values(report.trial_id) == {f"c{i}": float(i % 2 == 0) for i in range(40)}
    assert counts(project, report.trial_id).get("ignored", 0) == (script.repeat + 2 if script.stray else 0)
    if "requests" in batch:
        assert sizes == [7, 7, 7, 7, 7, 5]
    elif "bytes" in batch:
        assert len(sizes) == 3


@pytest.mark.parametrize("use", USES)
def test_requests_that_fail_are_missing_and_asked_again_when_wanted(project: Project, use: str):
    faults = (Fault(kind="server_error", probability=0.2, attempts=1), Fault(kind="bad_request", probability=0.1))
    with FakeProvider(Script(faults=faults, seed=4, batches=BatchScript(expire=0.2))).in_thread() as fake:
        project.suite["targets"] = {"model": target(use, batch=QUICK)}
        project.at(fake.base_url)
        project.write([question(i) for i in range(150)])
        report = project.run()
        codes = [output.failure.code for output in outputs(project, report.trial_id) if output.failure]
        assert set(codes) == {"expired", "server_error", "rejected"}
        served = fake.stats.served
        assert served == 150 - len(codes)
        fake.load(Script())
        again = project.run(retry_errors=True)
        assert (fake.stats.calls, fake.stats.batches) == (len(codes), 1)
    assert project.values(again.trial_id) == {f"c{i}": float(i % 2 == 0) for i in range(150)}


@pytest.mark.parametrize("use", [USES[0], USES[2]])
def test_a_parameter_that_is_refused_in_a_batch_stops_the_arm_and_keeps_what_was_answered(project: Project, use: str):
    with FakeProvider(Script(rejects={"m": ("stop", "stop_sequences")})).in_thread() as fake:
        project.suite["targets"] = {"model": target(use, batch=QUICK, params={"max_tokens": 50, "stop": ["x"]})}
        project.at(fake.base_url)
        project.write([question(i) for i in range(30)])
        for batches in (1, 2):
            with pytest.raises(TargetDownError) as caught:
                project.run()
            assert "does not take the parameter stop (HTTP 400)" in str(caught.value)
            assert "unsupported: drop" in str(caught.value)
            assert fake.stats.batches == batches, "what was refused is asked anew when it may have been mended"
        fake.load(Script())
        assert len(project.values(project.run().trial_id)) == 30


@pytest.mark.parametrize("use", [USES[0], USES[2]])
@pytest.mark.parametrize("size", [pytest.param(100, id="one-batch"), pytest.param(8, id="many")])
def test_a_parameter_that_is_refused_in_a_batch_is_dropped_and_named(project: Project, use: str, size: int):
    with FakeProvider(Script(rejects={"m": ("stop", "stop_sequences")})).in_thread() as fake:
        batch = {**QUICK, "requests": size}
        params = {"max_tokens": 50, "stop": ["x"]}
        project.suite["targets"] = {"model": target(use, batch=batch, params=params, unsupported="drop")}
        project.at(fake.base_url)
        project.write([question(i) for i in range(30)])
        report = project.run(epochs=2)
        served = fake.stats.served
        again = project.run(epochs=2)
        assert (served, fake.stats.served) == (60, 60), "nothing is answered twice"
    found = outputs(project, report.trial_id)
    assert len(found) == 60
    for output in found:
        assert output.failure is None
        assert output.sent is not None
        assert list(output.sent.dropped) == ["stop"]
        assert "HTTP 400" in output.sent.dropped["stop"]
        assert "batch" in output.metadata
    assert report.arms[0].dropped == again.arms[0].dropped == {"stop": 60}


def test_what_was_left_out_is_known_to_the_run_that_picks_a_batch_up(project: Project, monkeypatch: pytest.MonkeyPatch):
    script = Script(rejects={"m": ("stop", "stop_sequences")})
    with FakeProvider(script).in_thread() as fake:
        params = {"max_tokens": 50, "stop": ["x"]}
        project.suite["targets"] = {"model": target("openai:m", batch=QUICK, params=params, unsupported="drop")}
        project.at(fake.base_url, retries=0)
        project.write([question(i) for i in range(10)])
        submit, calls = BatchStage._submit, []

        async def left_at_the_provider(stage: Any, spool: Any) -> Any:
            running = await submit(stage, spool)
            calls.append(spool.left_out)
            if spool.left_out:
                stage._arm.stop()
            return running

        monkeypatch.setattr(BatchStage, "_submit", left_at_the_provider)
        project.run()
        monkeypatch.undo()
        assert [bool(left_out) for left_out in calls] == [False, True]
        report = project.run()
        assert fake.stats.served == 10, "what the first run paid for is picked up"
    assert all(output.sent and list(output.sent.dropped) == ["stop"] for output in outputs(project, report.trial_id))


def test_a_batch_has_no_latency_and_nobody_is_told_to_mend_a_scorer(project: Project):
    with FakeProvider().in_thread() as fake:
        project.suite["targets"] = {"old": target("openai:old", batch=QUICK), "new": target("openai:new")}
        project.at(fake.base_url)
        limit = {"name": "fast", "scorer": "latency", "kind": "limit", "at_most_ratio": 2}
        rubrics = [{"name": "right", "scorer": "exact"}, limit]
        project.write([question(i) for i in range(40)], incumbent="old", rubrics=rubrics, policy={"min_cases": 10})
        (verdict,) = project.run().verdicts
    right, fast = verdict.rubrics
    assert right.pairs.n == 40
    assert "answers by batch have no latency; leave `batch` out for old" in fast.sentence
    said = " ".join(fast.warnings)
    assert "old is asked by batch, and such answers have no latency: 40 results are missing." in said
    assert "scorer failed" not in f"{said} {fast.sentence}"
    (difference,) = verdict.parity.differences
    assert (difference.what, difference.incumbent, difference.candidate) == ("by batch", "yes", "no, live")
    assert difference.allowed


@pytest.mark.parametrize("use", [USES[0], USES[2]])
def test_a_refused_batch_is_said_and_submitted_anew_once_that_is_mended(project: Project, use: str):
    with FakeProvider(Script(batches=BatchScript(refuse="Enqueued token limit reached."))).in_thread() as fake:
        project.suite["targets"] = {"model": target(use, batch=QUICK)}
        project.at(fake.base_url)
        project.write([question(i) for i in range(10)])
        with pytest.raises(TargetDownError, match="Enqueued token limit reached"):
            project.run()
        fake.load(Script())
        report = project.run()
        assert (fake.stats.served, fake.stats.again) == (10, 0)
    assert len(project.values(report.trial_id)) == 10


def test_an_endpoint_without_a_batch_api_is_said(project: Project):
    with FakeProvider().in_thread() as fake:
        project.suite["targets"] = {"model": target("openai:m", batch=QUICK)}
        project.at(f"{fake.url}/elsewhere/v1")
        project.write([question(i) for i in range(3)])
        done = project.call("run")
    assert done.returncode == 4
    assert "HTTP 404" in done.stderr
    assert "leave `batch` out" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_batch_that_another_key_cannot_see_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch):
    with FakeProvider(Script(batches=BatchScript(running=60))).in_thread() as fake:
        project.suite["targets"] = {"model": target("openai:m", batch=QUICK)}
        project.at(fake.base_url)
        project.write([question(i) for i in range(3)])
        monkeypatch.setattr("seatrial.runs.batch.MISSES", 0)
        fake.load(Script(batches=BatchScript(running=60, poll_faults=("server_error",) * 50)))
        project.at(fake.base_url, retries=0)
        project.write([question(i) for i in range(3)])
        with pytest.raises(TargetDownError, match="no longer says"):
            project.run()
        fake.reset()
        for _ in range(2):
            with pytest.raises(TargetDownError, match="not known to its provider"):
                project.run()
        assert fake.stats.calls == 0


def test_a_request_that_cannot_be_expressed_fails_alone(project: Project):
    sound = {"role": "user", "content": [{"type": "audio", "data": "AAAA", "media_type": "audio/wav"}]}
    with FakeProvider().in_thread() as fake:
        project.suite["targets"] = {"model": target("anthropic:m", batch=QUICK)}
        project.at(fake.base_url)
        project.write([question(0), {"id": "heard", "input": [sound], "expected": "x"}, question(2)])
        report = project.run()
        assert fake.stats.calls == 2
    assert project.values(report.trial_id) == {"c0": 1.0, "heard": None, "c2": 1.0}


def test_no_key_is_in_what_a_batch_leaves_behind(project: Project, monkeypatch: pytest.MonkeyPatch):
    key = "sk-batch-0123456789abcdef"
    monkeypatch.setenv("BATCH_KEY", key)
    with FakeProvider(Script(api_keys=(key,))).in_thread() as fake:
        project.suite["targets"] = {"model": target("openai:m", batch=QUICK, api_key_env="BATCH_KEY")}
        project.at(fake.base_url)
        project.write([question(i) for i in range(3)])
        project.run()
    left = [path for path in project.folder.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert left == []


UNFIT = [
    pytest.param(target("openai:m", batch=True, stream=True), "stream", id="stream"),
    pytest.param(target("openai:m", batch=True, deadline=3), "deadline", id="deadline"),
    pytest.param(target("openai:m", batch=True, arrival={"poisson": 3}), "arrival", id="arrival"),
    pytest.param(target("gemini:m", batch=True), "anthropic, openai and responses", id="gemini"),
    pytest.param({"use": "replay:x.jsonl", "batch": True}, "anthropic, openai and responses", id="replay"),
    pytest.param(target("openai:m", batch={"poll": 0}), "poll", id="no-wait"),
    pytest.param(target("openai:m", batch={"polls": 3}), "polls", id="unknown-key"),
]


@pytest.mark.parametrize(("entry", "word"), UNFIT)
def test_what_does_not_go_with_batches_is_refused(project: Project, entry: dict[str, Any], word: str):
    project.suite["targets"] = {"model": entry}
    project.write([question(0)])
    with pytest.raises(ConfigError) as caught:
        project.run()
    assert word in " ".join(map(str, (caught.value, *caught.value.problems)))


def test_a_budget_does_not_go_with_batches(project: Project):
    with FakeProvider().in_thread() as fake:
        project.suite["targets"] = {"model": target("openai:m", batch=QUICK)}
        project.at(fake.base_url)
        project.write([question(0)], budget={"dollars": 1})
        with pytest.raises(ConfigError) as caught:
            project.run()
        assert "batches" in str(caught.value.problems[0])
        assert fake.calls == 0


def test_progress_says_what_a_batch_waits_for():
    arm = ArmProgress("old", 5000, waiting="batch 2 of 3: 1,240 of 5,000 done, submitted 14:02")
    assert "old: batch 2 of 3: 1,240 of 5,000 done, submitted 14:02" in summary(Progress("t", [arm]))
