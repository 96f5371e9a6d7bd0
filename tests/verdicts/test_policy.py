"""The policy's keys through the real pipeline: margins in points, ages, clusters, benchmarks aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tests.verdicts.made_trials import Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.core.suite import Policy, seconds_of
from seatrial.errors import SuiteError
from seatrial.store.store import Store
from seatrial.trials.suite.suitefile import load
from seatrial.verdicts.compare import compare_arrays, report
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.records import TrialReport

PASSED = Score(status="scored", value=1.0, passed=True)

# written --------------------------------------------------------------------------------------------------------------

SHARES = [
    pytest.param({"margin_points": 0.03}, {}, "policy.margin_points", "write margin_points: 3, and say", id="a-share"),
    pytest.param(
        {"margin_points_strict": 0.015}, {}, "policy.margin_points_strict", "1.5, and say points", id="strict"
    ),
    pytest.param({}, {"margin_points": 0.05}, "rubrics[0].margin_points", "write margin_points: 5", id="rubric"),
    pytest.param({"margin_points": "3%"}, {}, "policy.margin_points", "write margin_points: 3, and say", id="percent"),
    pytest.param(
        {"margin_percent": 3}, {}, "policy.margin_percent", "write margin_points: 3, and say points", id="key"
    ),
    pytest.param({}, {"margin_pct": 3}, "rubrics[0].margin_pct", "write margin_points: 3, and say points", id="pct"),
]


@pytest.mark.parametrize(("policy", "rubric", "key", "said"), SHARES)
def test_a_margin_that_is_not_in_points_is_refused(tmp_path: Path, policy: dict, rubric: dict, key: str, said: str):
    file = tmp_path / "seatrial.yaml"
    plain = {
        "name": "s",
        "dataset": {"path": "c.jsonl"},
        "targets": {"m": {"use": "replay:m.jsonl"}},
        "rubrics": [{"name": "right", "scorer": "exact", **rubric}],
        "policy": policy,
    }
    file.write_text(json.dumps(plain))
    with pytest.raises(SuiteError) as caught:
        load(file)
    (problem,) = [problem for problem in caught.value.problems if problem.key == key]
    assert problem.rule.startswith("must be percentage points, not")
    assert said in str(problem)


@pytest.mark.parametrize("age", ["30", "0d", "1y", "d30", "-3d", "1.5d", "", "999999d", "3 d"])
def test_an_age_is_written_with_its_unit(age: str):
    with pytest.raises(ValidationError):
        Policy.model_validate({"max_age": {"outputs": age}})


@pytest.mark.parametrize(("age", "seconds"), [("36h", 129_600), ("30d", 2_592_000), ("26w", 15_724_800)])
def test_ages_in_seconds(age: str, seconds: float):
    assert seconds_of(Policy.model_validate({"max_age": {"dataset": age}}).max_age.dataset) == seconds


# ages -----------------------------------------------------------------------------------------------------------------


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")


def drawn(store: Store, policy: dict, *, answered: str = "", created: str | None = None, **case: object) -> TrialReport:
    """150 cases that both arms pass, all answered at one time."""
    suite = make_suite({"name": "right"}, {"name": "safe", "kind": "gate", "limit_points": 5}, policy=policy)
    cases = [
        Case(id=f"c{i}", input=f"question {i}", created_at=created, **{k: v[i % len(v)] for k, v in case.items()})
        for i in range(150)
    ]

    def answer(case: Case, epoch: int) -> tuple[Output, list[Score | None]]:
        return Output.of(f"answer {case.id}", finished_at=answered), [PASSED, PASSED]

    return report(store, Trial(store, suite, cases).write({"old": answer, "new": answer}))


def test_stale_answers_are_not_evaluable_and_say_what_to_do(store: Store):
    (verdict,) = drawn(store, {"max_age": {"outputs": "30d"}}, answered=days_ago(31)).verdicts
    assert verdict.overall == "not_evaluable"
    assert verdict.headline.startswith(
        "No verdict on new against old: 150 of 150 answers of new are older than 30d (the oldest of "
    )


STALE = [
    pytest.param({}, "Record new and old again: a recording stays as old as it is.", id="two-recordings"),
    pytest.param({"new": "openai:m", "old": "openai:n"}, "Run again with --fresh.", id="two-models"),
    pytest.param(
        {"new": "openai:m"},
        "Run again with --fresh. Record old again: a recording stays as old as it is.",
        id="a-model-and-a-recording",
    ),
]


@pytest.mark.parametrize(("uses", "to_do"), STALE)
def test_what_to_do_about_stale_answers_depends_on_where_they_come_from(store: Store, uses: dict, to_do: str):
    suite = make_suite({"name": "right"}, policy={"max_age": {"outputs": "30d"}})
    specs = {n: t.model_copy(update={"use": uses[n]}) if n in uses else t for n, t in suite.targets.items()}
    suite = suite.model_copy(update={"targets": specs})
    cases = [Case(id=f"c{i}", input=f"question {i}") for i in range(40)]

    def answer(case: Case, _epoch: int) -> tuple[Output, list[Score | None]]:
        return Output.of(f"answer {case.id}", finished_at=days_ago(90)), [PASSED]

    (verdict,) = report(store, Trial(store, suite, cases).write({"old": answer, "new": answer})).verdicts
    assert verdict.overall == "not_evaluable"
    assert verdict.headline.endswith(to_do)


@pytest.mark.parametrize(
    ("policy", "answered"),
    [
        pytest.param({"max_age": {"outputs": "30d"}}, days_ago(29), id="young-enough"),
        pytest.param({}, days_ago(4000), id="no-age-asked"),
        pytest.param({}, "", id="no-time-known"),
    ],
)
def test_answers_that_are_young_enough_decide(store: Store, policy: dict, answered: str):
    assert drawn(store, policy, answered=answered).verdicts[0].overall == "ship"


def test_answers_of_which_nobody_knows_the_time_do_not_pass_for_young(store: Store):
    (verdict,) = drawn(store, {"max_age": {"outputs": "30d"}}).verdicts
    assert verdict.overall == "not_evaluable"
    assert "of 150 answers of old nobody recorded the time" in verdict.headline


def test_an_old_dataset_makes_its_rubrics_advisory_with_the_reason(store: Store):
    (verdict,) = drawn(store, {"max_age": {"dataset": "180d"}}, created=days_ago(200)[:10]).verdicts
    assert verdict.overall == "not_evaluable"
    assert "the dataset is older than 180d: its newest case is of" in verdict.headline
    assert {(rubric.kind, rubric.decision, rubric.needed) for rubric in verdict.rubrics} == {
        ("advisory", "SHOWN", None)
    }
    assert all("Shown only: the dataset is older than 180d" in rubric.sentence for rubric in verdict.rubrics)
    assert verdict.fragility is None


@pytest.mark.parametrize("created", [days_ago(100)[:10], None])
def test_a_young_dataset_decides_also_where_no_case_has_a_date(store: Store, created: str | None):
    assert drawn(store, {"max_age": {"dataset": "180d"}}, created=created).verdicts[0].overall == "ship"


# clusters -------------------------------------------------------------------------------------------------------------

CLUSTERS = [
    pytest.param("seed_id", 150, id="default"),
    pytest.param("intent", 3, id="a-stratum"),
    pytest.param("metadata.customer.id", 50, id="metadata"),
    pytest.param("session_id", 10, id="a-field"),
]


@pytest.mark.parametrize(("field", "clusters"), CLUSTERS)
def test_clusters_are_formed_by_the_field_that_the_policy_names(store: Store, field: str, clusters: int):
    found = drawn(
        store,
        {"cluster": field},
        strata=[{"intent": name} for name in "abc"],
        metadata=[{"customer": {"id": number}} for number in range(50)],
        session_id=[f"s{number}" for number in range(10)],
    )
    assert found.clusters == clusters
    assert not any("cluster names" in warning for warning in found.warnings)


def test_a_cluster_field_that_no_case_has_is_named(store: Store):
    found = drawn(store, {"cluster": "metadata.custmer"})
    assert found.clusters == 150
    assert "The policy's cluster names metadata.custmer, which no case has" in found.warnings[0]


# what would settle it -------------------------------------------------------------------------------------------------

NOTES = [
    pytest.param({}, False, "further clean cases", id="plain"),
    pytest.param({"cases": "probes"}, False, "further clean probes", id="probes"),
    pytest.param({"cases": "probes"}, True, "further clean probes of new seeds", id="clusters"),
    pytest.param({"where": {"risk": ("high", "top")}}, False, "further clean cases with risk high or top", id="strata"),
]


@pytest.mark.parametrize(("rubric", "clustered", "note"), NOTES)
def test_what_would_settle_a_gate_names_the_sort_of_cases(rubric: dict, clustered: bool, note: str):
    suite = make_suite({"name": "safe", "kind": "gate", "limit_points": 3, **rubric})
    ones = np.ones(60)
    cluster = np.arange(60) // 2 if clustered else None
    _, (found,) = compare_arrays(suite, {"safe": Outcomes.of(ones, ones, cluster)})
    assert (found.decision, found.needed_note) == ("INCONCLUSIVE", note)
    clean = 99 - (30 if clustered else 60)  # with no failure 99 seeds show 3 points
    assert found.needed == clean
    assert f"About {clean} {note} would settle it." in found.sentence
