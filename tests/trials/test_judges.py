"""Judges in a trial, through a provider over HTTP: what is asked, what is reused, and that nothing passes unjudged."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trials import judged
from tests.trials.project import Project
from tests.trials.test_secrets import KEY, everything, leaks

import seatrial
from seatrial.core import plugins
from seatrial.errors import BudgetError, MissingSecretError, SeatrialError, SuiteError, TargetDownError
from seatrial.reports.forecasts import forecast_text
from seatrial.runs.arm import SLOW_AT_ONCE
from seatrial.runs.shelf import decoded, encoded
from seatrial.testing import FakeProvider, Reply, Script, scripted_judge
from seatrial.trials.suite.suitefile import load
from seatrial.trials.trial import build, estimate

JUDGE: Mapping[str, Any] = {"use": "openai:judge", "retries": 1}
YES = {"answers": [{"when": {"model": {"regex": "^judge"}}, "text": "yes"}]}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judged.install(tmp_path_factory.mktemp("site"))


@pytest.fixture(autouse=True)
def _plugin(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(site))
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", str(site) if not before else f"{site}{os.pathsep}{before}")
    plugins.points.cache_clear()
    yield
    plugins.points.cache_clear()


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Script.model_validate(YES)).in_thread() as fake:
        yield fake


def cases(count: int) -> list[dict[str, Any]]:
    return [{"id": f"c{i}", "input": f"question {i}"} for i in range(count)]


def write(project: Project, fake: FakeProvider, count: int = 12, **changes: Any) -> None:
    """A suite whose only rubric asks a judge."""
    changes = {"judges": {"strict": dict(JUDGE)}, "rubrics": [{"name": "kind", "scorer": "asks"}], **changes}
    for judge in changes["judges"].values():
        judge.setdefault("base_url", fake.base_url)
    targets = changes.pop("targets", {"model": {"use": "openai:m"}})
    for target in targets.values():
        target |= {"base_url": fake.base_url, "retries": 0}
    project.write(cases(count), targets=targets, **changes)


def asked(fake: FakeProvider, model: str = "judge") -> dict[str, int]:
    """How often a model was asked what."""
    return {row["key"]: row["calls"] for row in fake.all_inputs() if row["model"] == model}


def judging(project: Project, trial_id: str) -> Any:
    with project.store() as store:
        return store.trial(trial_id).environment.get("judging", {}).get("judges")


def statuses(project: Project, trial_id: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for scores in project.results(trial_id).values():
        found[scores[0][0]] = found.get(scores[0][0], 0) + 1
    return found


def test_every_answer_is_judged_once_and_a_rerun_asks_nothing(project: Project, provider: FakeProvider) -> None:
    write(project, provider)
    first = project.run()
    assert set(project.values(first.trial_id).values()) == {1.0}
    assert sum(asked(provider).values()) == 12
    assert judging(project, first.trial_id)["strict"]["calls"] == 12
    again = project.run()
    assert sum(asked(provider).values()) == 12
    assert project.values(again.trial_id) == project.values(first.trial_id)


def test_judging_is_no_cost_of_the_candidate(project: Project, provider: FakeProvider) -> None:
    price = {"input": 1_000_000, "output": 0}
    write(
        project,
        provider,
        3,
        judges={"strict": {**JUDGE, "price": price}},
        targets={"model": {"use": "openai:m", "price": {"input": 0, "output": 0}}},
    )
    project.suite["rubrics"].append({"name": "spend", "scorer": "cost", "kind": "limit", "at_most": 0.5})
    write(project, provider, 3, **{key: project.suite[key] for key in ("judges", "targets", "rubrics")})
    report = project.run()
    spent = judging(project, report.trial_id)["strict"]
    assert spent["dollars"] == spent["input_tokens"] > 0
    assert {scores[1][1] for scores in project.results(report.trial_id).values()} <= {None, 1.0}
    with project.store() as store:
        run = store.runs(report.trial_id)[0]
        items = store.load_outputs([item.output_id for item in store.run_items(run.id)])
    assert {output.cost for output in items.values()} == {0.0}
    done = project.call("run", "--json")
    assert json.loads(done.stdout)["suite"] == "project", done.stderr


def test_a_swapped_judge_model_judges_everything_again(project: Project, provider: FakeProvider) -> None:
    write(project, provider)
    project.run()
    write(project, provider, judges={"strict": {**JUDGE, "use": "openai:judge-2"}})
    report = project.run()
    assert sum(asked(provider, "judge-2").values()) == 12
    assert sum(asked(provider, "m").values()) == 12, "no answer is asked again"
    assert judging(project, report.trial_id)["strict"]["calls"] == 12


@pytest.mark.parametrize(
    "change", [{"params": {"max_tokens": 9}}, {"headers": {"x-team": "b"}}], ids=["parameter", "header"]
)
def test_whatever_could_change_a_verdict_is_part_of_the_score(
    change: dict[str, Any], project: Project, provider: FakeProvider
) -> None:
    write(project, provider, 4)
    before = build(load(project.folder / "seatrial.yaml")).hashes
    project.run()
    write(project, provider, 4, judges={"strict": {**JUDGE, **change}})
    assert build(load(project.folder / "seatrial.yaml")).hashes != before
    project.run()
    assert sum(asked(provider).values()) == 8


@pytest.mark.parametrize("change", [{"concurrency": 2}, {"timeout": 9}, {"retries": 4}, {"rpm": 6000}])
def test_how_fast_a_judge_may_be_asked_changes_no_score(
    change: dict[str, Any], project: Project, provider: FakeProvider
) -> None:
    write(project, provider, 4)
    project.run()
    write(project, provider, 4, judges={"strict": {**JUDGE, **change}})
    project.run()
    assert sum(asked(provider).values()) == 4


def test_naming_the_only_judge_changes_nothing(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 4)
    before = build(load(project.folder / "seatrial.yaml")).hashes
    write(project, provider, 4, rubrics=[{"name": "kind", "scorer": "asks", "with": {"judge": "strict"}}])
    assert build(load(project.folder / "seatrial.yaml")).hashes == before


def test_an_edited_case_is_judged_alone(project: Project, provider: FakeProvider) -> None:
    write(project, provider)
    project.run()
    rows = cases(12)
    rows[3]["input"] = "another question"
    project.write(rows)
    project.run()
    assert sum(asked(provider).values()) == 13
    assert provider.calls == 12 + 12 + 2


def test_another_criterion_asks_only_what_is_new(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 5)
    project.run()
    two = [{"name": "kind", "scorer": "asks", "with": {"criteria": ["polite", "short"]}}]
    write(project, provider, 5, rubrics=two)
    project.run()
    assert sum(asked(provider).values()) == 10
    assert max(asked(provider).values()) == 1


def test_equal_questions_are_asked_once_at_the_same_time(project: Project) -> None:
    """Two rubrics, two arms and equal answers: one question."""
    slow = {**YES, "latency": {"constant": 0.1}, "default": {"text": "the same"}}
    with FakeProvider(Script.model_validate(slow)).in_thread() as fake:
        rubrics = [{"name": name, "scorer": "asks"} for name in ("one", "two")]
        targets = {"a": {"use": "openai:m"}, "b": {"use": "openai:n"}}
        write(project, fake, 20, rubrics=rubrics, targets=targets, incumbent="a")
        report = project.run()
        assert list(asked(fake).values()) == [1]
    count = judging(project, report.trial_id)["strict"]
    assert count["calls"] == 1
    assert count["reused"] >= 1


def test_many_questions_share_the_limits_of_the_judge(project: Project) -> None:
    """64 answers under three criteria, at most four at once."""
    slow = {**YES, "latency": {"constant": 0.01}}
    with FakeProvider(Script.model_validate(slow)).in_thread() as judge, FakeProvider().in_thread() as fake:
        three = [{"name": "kind", "scorer": "asks", "with": {"criteria": ["a", "b", "c"]}}]
        strict = {**JUDGE, "base_url": judge.base_url, "concurrency": 4}
        write(project, fake, 64, rubrics=three, judges={"strict": strict})
        report = project.run()
        assert judge.calls == 192
        assert judge.stats.max_in_flight <= 4
    assert set(project.values(report.trial_id).values()) == {1.0}


def test_a_heavy_scorer_asks_from_its_thread(project: Project, provider: FakeProvider) -> None:
    """More of them than the loop has threads for reading and looking up names."""
    write(project, provider, 60, rubrics=[{"name": "kind", "scorer": "heavy_asks"}])
    report = project.run()
    assert set(project.values(report.trial_id).values()) == {1.0}
    assert sum(asked(provider).values()) == 60


# what fails -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [pytest.param(kind, id=kind) for kind in ("server_error", "malformed_json", "hang", "reset")]
)
def test_a_judge_that_fails_leaves_the_score_missing(fault: str, project: Project) -> None:
    """Three of thirty questions fail, tries and all; they are missing, never passed, and asked again when told to."""
    bad = [
        {"when": {"model": "judge", "input": {"regex": f"question {n}$"}}, "fault": {"kind": fault}} for n in (3, 7, 9)
    ]
    script = {"answers": [*bad, *YES["answers"]]}
    with FakeProvider(Script.model_validate(script)).in_thread() as fake:
        write(project, fake, 30, judges={"strict": {**JUDGE, "timeout": 0.5}})
        report = project.run()
        assert statuses(project, report.trial_id) == {"scored": 27, "judge_error": 3}
        rate = report.rates[0].candidate
        assert rate is not None
        assert (rate.n, rate.missing) == (27, 3)
        failed = {key: calls for key, calls in asked(fake).items() if calls > 1}
        assert set(failed.values()) == {2}
        calls = fake.calls
        project.run()
        assert fake.calls == calls, "a failure is kept, and not asked again unasked"
        fake.load(Script.model_validate(YES))
        again = project.run(retry_errors=True)
        assert statuses(project, again.trial_id) == {"scored": 30}
        assert sum(asked(fake).values()) == 3


def test_an_answer_that_cannot_be_used_is_missing_and_cached(project: Project) -> None:
    script = {"answers": [{"when": {"model": "judge"}, "text": "well, maybe"}]}
    with FakeProvider(Script.model_validate(script)).in_thread() as fake:
        write(project, fake, 5)
        report = project.run()
        assert statuses(project, report.trial_id) == {"judge_error": 5}
        calls = fake.calls
        project.run(retry_errors=True)
        assert fake.calls == calls


def test_a_judge_that_refuses_everything_stops_the_run_and_loses_nothing(project: Project) -> None:
    with FakeProvider(Script.model_validate({**YES, "models": ["m"]})).in_thread() as fake:
        write(project, fake, 40)
        with pytest.raises(TargetDownError, match="strict"):
            project.run()
        fake.load(Script.model_validate(YES))
        answered = len(kept_answers(project, "m"))
        report = project.run()
        assert statuses(project, report.trial_id) == {"scored": 40}
        assert sum(asked(fake, "m").values()) == 40 - answered


def test_a_judge_that_answers_nobody_stops_the_run(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 60, judges={"strict": {**JUDGE, "base_url": "http://127.0.0.1:9/v1", "retries": 0}})
    with pytest.raises(TargetDownError, match="answered none of its first 25 questions"):
        project.run()


@pytest.mark.parametrize("chatty", ["well, maybe", ""])
def test_a_judge_without_one_usable_verdict_stops_the_run(chatty: str, project: Project) -> None:
    script = {"answers": [{"when": {"model": "judge"}, "text": chatty}]}
    rubrics = [{"name": "polite", "scorer": "criteria", "with": {"criteria": ["Is it polite?"]}}]
    with FakeProvider(Script.model_validate(script)).in_thread() as fake:
        write(project, fake, 200, rubrics=rubrics)
        with pytest.raises(TargetDownError, match="no usable verdict on any of its first 25 questions"):
            project.run()
        assert sum(asked(fake).values()) < 200


def test_a_judge_with_few_usable_verdicts_goes_on(project: Project) -> None:
    def answer(asked: Any) -> Reply:
        good = asked.model == "judge" and "question 3" in asked.text
        return scripted_judge({"*": "yes"})(asked) if good else Reply(text="well, maybe")

    rubrics = [{"name": "polite", "scorer": "criteria", "with": {"criteria": ["Is it polite?"]}}]
    with FakeProvider(answer=answer).in_thread() as fake:
        write(project, fake, 60, rubrics=rubrics)
        found = statuses(project, project.run().trial_id)
        assert found["judge_error"] > 25
        assert found["scored"] > 0


def test_a_judge_without_its_key_stops_before_anything_is_sent(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 4, judges={"strict": {**JUDGE, "api_key_env": "NO_SUCH_KEY"}})
    with pytest.raises(MissingSecretError):
        project.run()
    assert provider.calls == 0


def kept_answers(project: Project, model: str) -> list[str]:
    with project.store() as store, store.reading() as connection:
        hashes = [row[0] for row in connection.exec_driver_sql("SELECT request_hash FROM outputs")]
        bodies = [store.load_request(raw) for raw in hashes]
    return [body["messages"][-1]["content"] for body in bodies if body["model"] == model]


# the cap --------------------------------------------------------------------------------------------------------------

LIMIT = {"params": {"max_tokens": 10}}
CAPS = [
    pytest.param({"requests": 5}, {}, id="requests"),
    pytest.param({"tokens": 540}, LIMIT, id="tokens"),
    pytest.param({"dollars": 0.00054}, {**LIMIT, "price": {"input": 1, "output": 1}}, id="dollars"),
]


@pytest.mark.parametrize(("budget", "more"), CAPS)
def test_the_cap_leaves_answers_unjudged_and_more_of_it_goes_on(
    budget: dict[str, Any], more: dict[str, Any], project: Project, provider: FakeProvider
) -> None:
    judges = {"strict": {**JUDGE, **more}}
    write(project, provider, 20, judges=judges, judging={"budget": budget})
    report = project.run()
    found = statuses(project, report.trial_id)
    first = sum(asked(provider).values())
    assert 0 < first < 20
    assert found == {"scored": first, "judge_error": 20 - first}
    assert judging(project, report.trial_id)["strict"]["refused"] == 20 - first
    if "requests" in budget:
        assert first == 5
    write(project, provider, 20, judges=judges, judging={"budget": {key: 1000 * most for key, most in budget.items()}})
    again = project.run()
    assert statuses(project, again.trial_id) == {"scored": 20}
    assert sum(asked(provider).values()) == 20
    assert max(asked(provider).values()) == 1


def test_the_budget_of_the_run_covers_its_judges(project: Project, provider: FakeProvider) -> None:
    limit = {"params": {"max_tokens": 10}}
    write(project, provider, 20, judges={"strict": {**JUDGE, **limit}}, targets={"model": {"use": "openai:m", **limit}})
    with pytest.raises(BudgetError):
        project.run(budget_tokens=700)
    used = sum(c["input_tokens"] + c["output_tokens"] for c in [judging(project, newest(project))["strict"]])
    assert 0 < used < 700
    report = project.run()
    assert statuses(project, report.trial_id) == {"scored": 20}
    assert sum(asked(provider).values()) == sum(asked(provider, "m").values()) == 20


def newest(project: Project) -> str:
    with project.store() as store:
        return store.trials()[0].id


def test_a_cap_that_cannot_be_kept_is_refused_before_anything_is_sent(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 4, judging={"budget": {"dollars": 1}})
    with pytest.raises(SuiteError, match=r"judges.strict"):
        project.run()
    assert provider.calls == 0


# pulling the plug -----------------------------------------------------------------------------------------------------


def test_a_killed_run_asks_only_what_is_missing(project: Project) -> None:
    with FakeProvider(Script.model_validate({**YES, "latency": {"uniform": (0.0, 0.05)}})).in_thread() as fake:
        write(project, fake, 300, judges={"strict": {**JUDGE, "concurrency": 8}})
        process = subprocess.Popen(
            project.command("run"), cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        until = time.monotonic() + 60
        while sum(asked(fake).values()) < 60 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()
        held = set(kept_answers(project, "judge"))
        assert held
        seen = asked(fake)
        report = project.run()
        again = {key for key, calls in asked(fake).items() if calls > seen.get(key, 0)}
        assert len(again) == 300 - len(held), "what was committed is not asked again, what was not is"
        assert sum(asked(fake).values()) <= 300 + SLOW_AT_ONCE, "one question a scorer at work may have been lost"
    assert set(project.values(report.trial_id).values()) == {1.0}


# the suite's file -----------------------------------------------------------------------------------------------------


def line_of(project: Project, text: str) -> int:
    lines = (project.folder / "seatrial.yaml").read_text().splitlines()
    return next(at for at, line in enumerate(lines, 1) if text in line)


SUITE = """\
name: judged
dataset: {{path: cases.jsonl}}
targets:
  model: {{use: "openai:m", base_url: "http://127.0.0.1:9/v1"}}
judges:
  careful: {{use: "openai:j", base_url: "http://127.0.0.1:9/v1"}}
  {second}
rubrics:
  - name: kind
    scorer: asks
    with:
      criteria: [polite]
      {setting}
"""
WRONG = [
    pytest.param("", "judge: carefull", "names no judge", "carefull", "did you mean 'careful'", id="nearest"),
    pytest.param("", "judge: other", "names no judge", "other", "the judges are careful", id="unknown"),
    pytest.param(
        'quick: {use: "openai:k", base_url: "http://127.0.0.1:9/v1"}',
        "",
        "several judges: say which one",
        "with:",
        "careful, quick",
        id="several",
    ),
    pytest.param(
        'model: {use: "openai:k"}', "", "is the name of a target too", 'model: {use: "openai:k"', "rename", id="taken"
    ),
    pytest.param(
        'quick: {use: "openai:k", batch: true}', "judge: quick", "is not for judges", "quick:", "leave", id="batch"
    ),
    pytest.param('quick: {use: "openai:k", top: 1}', "judge: quick", "top", "quick:", "", id="unknown-key"),
    pytest.param(
        'quick: {use: "openai:k", base_url: "ftp://x"}',
        "judge: quick",
        "is no http or https URL",
        "quick:",
        "",
        id="url",
    ),
]


@pytest.mark.parametrize(("second", "setting", "rule", "place", "hint"), WRONG)
def test_what_is_wrong_with_judges_is_told_at_its_line(
    second: str, setting: str, rule: str, place: str, hint: str, project: Project
) -> None:
    text = SUITE.format(second=second, setting=setting)
    (project.folder / "seatrial.yaml").write_text(text)
    (project.folder / "cases.jsonl").write_text('{"id": "a", "input": "q"}\n')
    with pytest.raises(SuiteError) as caught:
        build(load(project.folder / "seatrial.yaml"))
    problem = caught.value.problems[0]
    assert rule in f"{problem.key} {problem.rule}"
    assert hint in problem.hint
    wanted = [at for at, line in enumerate(text.splitlines(), 1) if place in line][-1]
    assert problem.line == wanted, str(caught.value)


def test_a_scorer_that_needs_a_judge_is_refused_without_one(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 1, judges={})
    with pytest.raises(SuiteError, match="asks a judge, and there is none"):
        project.run()


def test_what_no_judge_is_named_for_keeps_its_hash(project: Project) -> None:
    project.write(cases(1), targets={"model": {"use": "openai:m"}})
    loaded = load(project.folder / "seatrial.yaml")
    bare = build(loaded).hashes
    project.write(cases(1), judges={"j": {"use": "openai:j"}})
    assert build(load(project.folder / "seatrial.yaml")).hashes == bare
    assert "judges" not in loaded.suite.model_dump(exclude_defaults=True)
    assert "embedder" not in loaded.suite.model_dump(exclude_defaults=True)


def test_a_parameter_that_a_scorer_adds_is_left_out_where_the_judge_does_not_take_it(
    project: Project, provider: FakeProvider
) -> None:
    strict = {**JUDGE, "use": "openai:o3-judge"}
    with FakeProvider(
        Script.model_validate({"answers": [{"when": {"model": "o3-judge"}, "text": "yes"}]})
    ).in_thread() as fake:
        write(project, fake, 3, judges={"strict": strict})
        report = project.run()
        assert statuses(project, report.trial_id) == {"scored": 3}
        write(project, fake, 3, judges={"strict": {**strict, "params": {"temperature": 0}}})
        with pytest.raises(SuiteError, match="temperature"):
            project.run()


# check, and vectors ---------------------------------------------------------------------------------------------------


def test_check_asks_the_judge_it_is_given(provider: FakeProvider) -> None:
    def j(**more: Any) -> dict[str, Any]:
        return {"use": "openai:judge", "base_url": provider.base_url, **more}

    score = seatrial.check("Thank you", scorer="asks", judges={"one": j()})
    assert score.passed
    two = {"one": j(), "two": {**j(), "use": "openai:m"}}
    assert seatrial.check("Thank you", scorer="asks", judges=two, judge="one").passed
    with pytest.raises(SeatrialError, match="unusable"):
        seatrial.check("Thank you", scorer="asks", judges=two, judge="two")
    with pytest.raises(SuiteError, match="there is none"):
        seatrial.check("Thank you", scorer="asks")


def test_the_embedder_of_the_house_needs_nothing(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 8, rubrics=[{"name": "near", "scorer": "near"}], judges={})
    report = project.run()
    assert [*project.values(report.trial_id).values()] == pytest.approx([1.0] * 8)
    assert provider.calls == 8


def test_an_embedder_is_asked_in_few_requests_and_another_one_scores_again(
    project: Project, provider: FakeProvider
) -> None:
    embedder = {"use": "openai:vectors", "base_url": provider.base_url}
    rubrics = [{"name": "near", "scorer": "near"}]
    write(project, provider, 50, rubrics=rubrics, judges={}, embedder=embedder)
    report = project.run()
    assert [*project.values(report.trial_id).values()] == pytest.approx([1.0] * 50)
    assert 50 < provider.calls <= 75
    with project.store() as store:
        assert store.trial(report.trial_id).environment["judging"]["embedder"]["texts"] == 50
    before = provider.calls
    project.run()
    assert provider.calls == before
    write(project, provider, 50, rubrics=rubrics, judges={}, embedder={**embedder, "use": "openai:others"})
    project.run()
    assert provider.calls > before


def test_a_vector_is_paid_for_once_whatever_scores_again(project: Project, provider: FakeProvider) -> None:
    embedder = {"use": "openai:vectors", "base_url": provider.base_url}
    near = {"name": "near", "scorer": "embedding_similarity", "with": {"threshold": 0.5}}
    made = [{"id": f"c{i}", "input": f"question {i}", "expected": f"answer {i}"} for i in range(20)]

    def run(**changes: Any) -> tuple[dict[str, int], list[float], int]:
        rubric = {**near, "with": {**near["with"], **changes.pop("settings", {})}}
        write(project, provider, 20, rubrics=[rubric], judges={}, embedder={**embedder, **changes})
        (project.folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in made))
        before = provider.calls
        report = project.run()
        with project.store() as store:
            asked = store.trial(report.trial_id).environment["judging"]["embedder"]
        return asked, [*project.values(report.trial_id).values()], provider.calls - before

    asked, first, calls = run()
    assert (asked, calls > 20) == ({"texts": 40, "reused": 0}, True)
    asked, again, calls = run(settings={"threshold": 0.6})
    assert (asked["texts"], calls) == (0, 0)
    assert again == first  # to the last bit
    made[0]["expected"] = "something else"
    asked, _, _ = run(settings={"threshold": 0.7})
    assert asked["texts"] == 1
    asked, _, calls = run(params={"dimensions": 16})
    assert (asked["texts"], calls > 0) == (40, True)  # another embedder's vectors are others


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_kept_vector_is_the_very_same(vector: list[float]) -> None:
    assert list(decoded(encoded(vector))) == vector


@pytest.mark.parametrize("text", [None, "", 5, "%%%", "AAAA", encoded([float("nan")]), "\ud800"])
def test_what_is_no_vector_is_asked_for_again(text: Any) -> None:
    assert decoded(text) == ()


# secrets --------------------------------------------------------------------------------------------------------------


def test_the_key_of_a_judge_is_nowhere(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    script = {
        **YES,
        "answers": [
            {"when": {"model": "judge", "input": {"contains": "question 1"}}, "text": f"no, {KEY}"},
            *YES["answers"],
        ],
    }
    with FakeProvider(Script.model_validate({**script, "api_keys": []})).in_thread() as fake:
        write(project, fake, 6, judges={"strict": {**JUDGE, "api_key_env": "JUDGE_KEY"}})
        done = project.call("run", "-o", "report.html", "-o", "report.json")
        assert done.returncode in (0, 4), done.stderr
        assert sum(asked(fake).values()) == 6
    assert leaks((done.stdout + done.stderr).encode()) == []
    assert [where for where, raw in everything(project.folder) if leaks(raw)] == []


# what it costs, told -------------------------------------------------------------------------------------------------


def test_what_judging_took_is_told_apart(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 6, judges={"strict": {**JUDGE, "price": {"input": 1, "output": 1}}})
    plan = estimate(project.folder / "seatrial.yaml")
    assert [(judge.judge, judge.judgements, judge.dollars) for judge in plan.judges] == [("strict", 6, None)]
    assert "strict: at most 6 scores beside the above; its cost is unknown" in forecast_text(plan)
    done = project.call("run", "-o", "report.md", "-o", "report.html", "-o", "report.json")
    assert done.returncode == 0, done.stderr
    assert "6 calls to judges for $0.00" in done.stderr
    told = "Judging, no cost of a target: strict 6 calls ($0.0000"
    assert told in " ".join(done.stdout.split())
    assert told in (project.folder / "report.html").read_text()
    assert "strict 6 calls" in (project.folder / "report.md").read_text()
    spent = json.loads((project.folder / "report.json").read_text())["environment"]["judging"]["judges"]["strict"]
    assert spent["calls"] == 6
    again = estimate(project.folder / "seatrial.yaml").judges[0]
    assert again.dollars == pytest.approx(spent["dollars"])
    assert provider.calls == 12


def test_doctor_looks_at_judges_too(project: Project, provider: FakeProvider) -> None:
    write(project, provider, 1)
    found = json.loads(project.call("doctor", "--suite", "seatrial.yaml", "--json").stdout)
    assert set(found["targets"]) == {"model", "strict"}


def test_another_suite_judges_a_trial_by_the_same_judges(project: Project, provider: FakeProvider) -> None:
    """`compare --suite` and the change of a policy see a swapped judge."""
    write(project, provider, 40)
    report = project.run()
    same = seatrial.compare(report.trial_id, store=store_of(project), suite=project.folder / "seatrial.yaml")
    assert same.rates[0].candidate == report.rates[0].candidate
    assert provider.calls == 80


def store_of(project: Project) -> Path:
    return project.folder / ".seatrial" / "seatrial.db"


def test_the_scorers_of_the_house_ask_through_the_same_services(project: Project, provider: FakeProvider) -> None:
    """`criteria` asks once more after an answer it cannot use; then the score is missing, and that is kept."""
    rubrics = [{"name": "kind", "scorer": "criteria", "with": {"criteria": ["is polite"]}}]
    write(project, provider, 3, rubrics=rubrics)
    report = project.run()
    assert statuses(project, report.trial_id) == {"judge_error": 3}
    assert sum(asked(provider).values()) == 6
    project.run()
    assert sum(asked(provider).values()) == 6
