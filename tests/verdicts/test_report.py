"""From a real store to a report: populations, clusters, missing results, flips, arms, and what cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from tests.verdicts.made_trials import Answer, Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Failure, Output
from seatrial.core.score import Score
from seatrial.errors import NotFoundError, StoreError, UsageError
from seatrial.store.store import RunItem, RunRow, Store, TrialRow, now
from seatrial.verdicts.artefacts.flips import LONGEST, MOST_FLIPS, allot
from seatrial.verdicts.compare import report
from seatrial.verdicts.reading.frame import load
from seatrial.verdicts.records import RubricResult, TrialReport

PASSED, FAILED = Score.binary(True, "as expected"), Score.binary(False, "something else")
GONE, UNJUDGED = Score(status="infra_error"), Score(status="judge_error")
REFUSED = Score(status="not_applicable")
BROKEN = Score(status="model_failure", passed=False, value=0.0, reason="empty")


def some_cases(n: int, **fields: Any) -> list[Case]:
    return [Case(id=f"c{i}", input=f"question {i}", expected=f"answer {i}", **fields) for i in range(n)]


def answers(failed: set[int], *, prefix: str, rubrics: int = 1) -> Answer:
    """Every rubric fails on the cases of these numbers and passes on the others."""

    def answer(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
        bad = int(case.id[1:]) in failed
        score = FAILED if bad else PASSED
        return Output.of(f"{prefix} to {case.id}, {epoch}: {'wrong' if bad else 'right'}"), [score] * rubrics

    return answer


def scripted(script: Mapping[int, Score | None], *, prefix: str) -> Answer:
    """One rubric: the score by case number, else passed."""
    return lambda case, _: (Output.of(f"{prefix} {case.id}"), [script.get(int(case.id[1:]), PASSED)])


def only(found: TrialReport) -> RubricResult:
    (verdict,) = found.verdicts
    (rubric,) = verdict.rubrics
    return rubric


def test_a_trial_from_its_store_to_its_verdict(store: Store):
    suite = make_suite(
        {"name": "right", "margin_points": 3},
        {"name": "leak", "kind": "gate", "limit_points": 3, "cases": "probes"},
        {"name": "time", "scorer": "latency", "kind": "limit", "at_most": 3, "statistic": "p95"},
        {"name": "polite", "kind": "advisory", "where": {"intent": ["refund", "other"]}},
        description="the whole of it",
        policy={"slices": ["intent"]},
    )
    traffic = [
        Case(
            id=f"t{i}",
            input=f"question {i}",
            expected="yes",
            seed_id=f"seed {i // 2}",
            strata={"intent": ("refund", "order", "other")[i % 3], "ticket": str(i)},
        )
        for i in range(900)
    ]
    probes = [
        Case(id=f"p{i}", input=f"trick {i}", origin="adversarial", probe={"category": "LLM01@owasp"})
        for i in range(120)
    ]
    random = np.random.default_rng(6)

    def arm(right: float, seconds: float) -> Answer:
        def answer(case: Case, _: int) -> tuple[Output, Sequence[Score | None]]:
            took = seconds * float(random.lognormal(0, 0.2))
            probe = case.origin == "adversarial"
            quality = None if probe else (PASSED if random.random() < right else FAILED)
            output = Output.of(f"{right} {case.id}", cost=0.001, timing={"total": took}, served_model=f"m-{right}")
            return output, [
                quality,
                PASSED if probe else None,
                None if probe else Score(value=1, passed=True, measure=took, unit="s"),
                quality,
            ]

        return answer

    Trial(store, suite, [*traffic, *probes]).write(
        {"old": arm(0.90, 1.0), "new": arm(0.97, 1.1)},
        environment={"sample": {"cases": 1020, "of": 5000, "seed": 4}, "author": "a b"},
    )
    found = report(store, "trial")
    (verdict,) = found.verdicts
    right, leak, time, polite = verdict.rubrics
    assert (verdict.candidate, verdict.incumbent, verdict.overall) == ("new", "old", "ship")
    assert verdict.headline == "new may replace old: all 3 deciding rubrics pass."
    assert right.pairs is not None
    assert (right.pairs.n, right.pairs.clusters) == (900, 450)
    assert right.difference is not None
    assert right.difference.method == "Tango at the effective size of the clusters"
    assert leak.candidate is not None
    assert (leak.candidate.n, leak.decision) == (120, "PASS")
    assert time.quantity is not None
    assert time.quantity.unit == "s"
    assert " s " in time.sentence
    assert polite.pairs is not None
    assert polite.pairs.n == 600
    assert [(part.stratum, part.value, part.n) for part in right.slices] == [
        ("intent", "order", 300),
        ("intent", "other", 300),
        ("intent", "refund", 300),
    ]
    assert all(part.p_adjusted is not None and part.p_adjusted >= (part.p_value or 0) for part in right.slices)
    assert leak.slices == ()
    assert (found.cases, found.clusters, found.epochs, found.status) == (1020, 570, 1, "done")
    assert found.composition == {
        "origin": {"adversarial": 120, "production": 900},
        "intent": {"order": 300, "other": 300, "refund": 300},
    }
    assert found.sample is not None
    assert found.sample.of == 5000
    assert (found.suite_hash, found.description) == (suite.hash, "the whole of it")
    assert found.dataset_hash.startswith("dataset:st1:")
    old, new = found.arms
    assert (old.outputs, old.reused, old.statuses) == (1020, 3, {"ok": 1020})
    assert (old.cost, old.cost_unknown) == (pytest.approx(1.02), 0)
    assert (new.served_models, new.input_tokens) == (("m-0.97",), None)
    assert old.latency_p50 == pytest.approx(1.0, abs=0.05)
    assert found.warnings == ()
    assert TrialReport.model_validate_json(json.dumps(found.model_dump(mode="json"))) == found


# populations ----------------------------------------------------------------------------------------------------------


def test_what_counts_and_what_is_missing(store: Store):
    script: dict[int, Score | None] = {0: FAILED, 1: BROKEN, 2: GONE, 3: UNJUDGED, 4: None, 5: REFUSED}
    Trial(store, make_suite({"name": "right"}), some_cases(100)).write(
        {"old": scripted({4: None, 5: REFUSED}, prefix="old"), "new": scripted(script, prefix="new")}
    )
    found = only(report(store, "trial-1"))
    assert found.pairs is not None
    assert (found.pairs.n, found.pairs.lost, found.pairs.both, found.pairs.missing) == (96, 2, 94, 2)
    assert found.candidate is not None
    assert (found.candidate.passed, found.candidate.n, found.candidate.missing) == (94, 96, 2)
    assert found.incumbent is not None
    assert (found.incumbent.n, found.incumbent.missing) == (98, 0)
    left_out, failed = found.warnings
    assert left_out == "2 of 100 cases are left out: the scorer does not apply to them."
    assert failed.startswith("The scorer failed on 1 answer. ")


def test_a_case_that_nobody_could_judge_is_missing_unless_it_does_not_apply(store: Store):
    Trial(store, make_suite({"name": "right"}), some_cases(50)).write(
        {"old": scripted({0: GONE, 1: None}, prefix="old"), "new": scripted({0: UNJUDGED, 1: GONE}, prefix="new")}
    )
    found = only(report(store, "trial-1"))
    assert found.pairs is not None
    assert (found.pairs.n, found.pairs.missing) == (48, 1)


def test_a_scorer_cannot_drop_one_arms_pairs(store: Store):
    Trial(store, make_suite({"name": "right"}), some_cases(100)).write(
        {"old": scripted({}, prefix="old"), "new": scripted({0: REFUSED, 1: None}, prefix="new")}
    )
    found = only(report(store, "trial-1"))
    assert found.pairs is not None
    assert (found.pairs.n, found.pairs.missing) == (98, 2)
    assert "missing" in found.flags
    assert "2 cases not applicable for one arm" in found.warnings[0]


def test_a_score_that_says_nothing_is_missing(store: Store):
    Trial(store, make_suite({"name": "right"}), some_cases(40)).write(
        {"old": scripted({}, prefix="old"), "new": scripted({0: Score(value=0.4)}, prefix="new")}
    )
    found = only(report(store, "trial-1"))
    assert found.pairs is not None
    assert found.pairs.missing == 1
    assert "left open whether 1 result passed" in found.warnings[0]


def test_only_what_was_run_counts_and_cases_one_arm_lacks_are_missing(store: Store):
    positions = {"old": [3, 5, 7, 60, 80], "new": [3, 5, 7, 60]}
    Trial(store, make_suite({"name": "right"}), some_cases(100)).write(
        {"old": scripted({}, prefix="old"), "new": scripted({}, prefix="new")}, positions=positions
    )
    found = report(store, "trial-1")
    assert found.cases == 5
    pairs = only(found).pairs
    assert pairs is not None
    assert (pairs.n, pairs.missing) == (4, 1)
    assert only(found).flags == ("few_cases", "missing")


def test_clusters_join_by_seed_and_by_input_across_the_whole_dataset(store: Store):
    inputs = ["a", "a", "b", "c", "d", "d", "e"]
    seeds = ["", "x", "x", "y", "y", "z", ""]
    cases = [
        Case(id=f"c{i}", input=text, seed_id=seed) for i, (text, seed) in enumerate(zip(inputs, seeds, strict=True))
    ]
    # 0-1 by input, 1-2 by seed; 3-4 by seed, 4-5 by input; 6 alone. Without 1 and 4 the chains still hold.
    Trial(store, make_suite({"name": "right"}), cases).write(
        {name: answers(set(), prefix=name) for name in ("old", "new")},
        positions={"old": [0, 2, 3, 5, 6], "new": [0, 2, 3, 5, 6]},
    )
    cluster = load(store, "trial-1").cases.cluster.tolist()
    assert cluster[0] == cluster[1]
    assert cluster[2] == cluster[3]
    assert len(set(cluster)) == 3


def test_equal_outputs_share_one_score(store: Store):
    """A score is kept once for equal outputs; both arms' manifests then name the same one."""

    def same(case: Case, _: int) -> tuple[Output, Sequence[Score]]:
        return Output.of("the same answer"), [PASSED]

    Trial(store, make_suite({"name": "right"}), some_cases(50)).write({"old": same, "new": same})
    found = only(report(store, "trial-1"))
    assert found.pairs is not None
    assert (found.pairs.n, found.pairs.both) == (50, 50)


def test_pairs_are_by_case_and_epoch(store: Store):
    suite = make_suite({"name": "right"})

    def flaky(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
        return Output.of(f"new {case.id} {epoch}"), [FAILED if epoch == 2 else PASSED]

    Trial(store, suite, some_cases(40), epochs=3).write({"old": answers(set(), prefix="old"), "new": flaky})
    found = report(store, "trial-1")
    result = only(found)
    assert found.epochs == 3
    assert result.pairs is not None
    assert (result.pairs.n, result.pairs.lost, result.pairs.clusters) == (120, 40, 40)
    assert result.difference is not None
    assert result.difference.value == pytest.approx(-1 / 3)
    assert {flip.epoch for flip in found.verdicts[0].flips} == {2}


# flips ----------------------------------------------------------------------------------------------------------------


def test_flips_show_both_outputs_gates_and_losses_first(store: Store):
    suite = make_suite({"name": "right"}, {"name": "leak", "kind": "gate", "limit_points": 50})
    cases = some_cases(60, strata={"intent": "refund"}, probe={"category": "LLM01@owasp"})

    def new(case: Case, _: int) -> tuple[Output, Sequence[Score]]:
        number = int(case.id[1:])
        calls = (ToolCall(name="refund", arguments={"order": number, "lone": "\ud800"}),)
        message = Message(role="assistant", content="Done." if number else "x" * 9000, tool_calls=calls)
        return Output(messages=(message,)), [FAILED if number < 3 else PASSED, FAILED if number == 1 else PASSED]

    Trial(store, suite, cases).write({"old": answers({5, 6}, prefix="old", rubrics=2), "new": new})
    found = report(store, "trial-1").verdicts[0]
    assert [(flip.rubric, flip.direction, flip.case_id) for flip in found.flips] == [
        ("leak", "lost", "c1"),
        ("leak", "gained", "c5"),
        ("leak", "gained", "c6"),
        ("right", "lost", "c0"),
        ("right", "lost", "c1"),
        ("right", "lost", "c2"),
        ("right", "gained", "c5"),
        ("right", "gained", "c6"),
    ]
    first, long = found.flips[0], found.flips[3]
    assert first.candidate == 'Done.\nrefund({"order": 1, "lone": "\ud800"})'
    assert (first.incumbent, first.input, first.expected) == ("old to c1, 0: right", "question 1", "answer 1")
    assert (first.incumbent_reason, first.candidate_reason) == ("as expected", "something else")
    assert (first.strata, first.probe) == ({"intent": "refund"}, "LLM01@owasp")
    assert len(long.candidate) == LONGEST
    assert long.candidate.endswith("…")
    assert found.flips_left_out == 0


def test_flips_of_failures_say_what_happened(store: Store):
    failed = Output(failure=Failure(kind="model", code="empty", message="nothing came"))
    Trial(store, make_suite({"name": "right"}), some_cases(40)).write(
        {"old": answers(set(), prefix="old"), "new": lambda _case, _epoch: (failed, [BROKEN])}
    )
    flip = report(store, "trial-1").verdicts[0].flips[0]
    assert flip.candidate == "(model failure: empty: nothing came)"
    assert flip.candidate_reason == "empty"


def test_too_many_flips_are_counted(store: Store):
    suite = make_suite({"name": "right"}, {"name": "other"})
    Trial(store, suite, some_cases(300)).write(
        {"old": answers(set(), prefix="old", rubrics=2), "new": answers(set(range(250)), prefix="new", rubrics=2)}
    )
    found = report(store, "trial-1").verdicts[0]
    assert (len(found.flips), found.flips_left_out) == (MOST_FLIPS, 500 - MOST_FLIPS)
    assert sum(flip.rubric == "right" for flip in found.flips) == MOST_FLIPS // 2


@pytest.mark.parametrize(
    ("sizes", "total", "shares"),
    [
        pytest.param([5, 3], 200, [5, 3], id="all-fit"),
        pytest.param([500, 3], 200, [197, 3], id="what-one-leaves-goes-to-the-other"),
        pytest.param([500, 500, 500], 200, [67, 67, 66], id="earlier-groups-get-the-rest"),
        pytest.param([], 200, [], id="no-groups"),
        pytest.param([9, 9], 1, [1, 0], id="one-for-the-first"),
    ],
)
def test_shares_of_flips(sizes, total, shares):
    assert allot(sizes, total) == shares


# arms -----------------------------------------------------------------------------------------------------------------


def test_arms_count_each_output_once_and_survive_absurd_numbers(store: Store):
    def new(case: Case, _: int) -> tuple[Output, Sequence[Score]]:
        number = int(case.id[1:])
        usage = {"input": 2**63, "output": 2**70}
        if number == 0:
            return Output(failure=Failure(kind="infra", code="refused")), [GONE]
        if number == 1:
            return Output(failure=Failure(kind="model", code="empty"), usage=usage, served_model="m\x00\ud800"), [
                BROKEN
            ]
        return Output.of(f"n {number}", usage=usage, cost=0.5 if number > 2 else None, timing={"total": number}), [
            PASSED
        ]

    Trial(store, make_suite({"name": "right"}), some_cases(40)).write({"old": answers(set(), prefix="o"), "new": new})
    arm = report(store, "trial-1").arms[1]
    assert arm.statuses == {"infra_error": 1, "model_failure": 1, "ok": 38}
    assert (arm.cost, arm.cost_unknown) == (18.5, 2)
    assert arm.input_tokens == pytest.approx(39 * 2.0**63)
    assert (arm.latency_p50, arm.latency_p95) == (20, 38)
    assert arm.served_models == ("m\\x00\\ud800",)


# other arms, no arms, broken stores -----------------------------------------------------------------------------------


@pytest.fixture
def three_arms(store: Store) -> Store:
    targets = {name: {"use": f"replay:{name}.jsonl"} for name in ("old", "new", "third")}
    suite = make_suite({"name": "right"}, targets=targets)
    Trial(store, suite, some_cases(200)).write(
        {
            "old": answers({1, 2}, prefix="old"),
            "new": answers({3}, prefix="new"),
            "third": answers(set(range(60)), prefix="t"),
        }
    )
    return store


def test_every_candidate_gets_its_verdict(three_arms: Store):
    found = report(three_arms, "trial-1")
    assert [(v.candidate, v.overall) for v in found.verdicts] == [("new", "ship"), ("third", "block")]
    assert found.verdicts[1].headline == "third must not replace old: blocked by right."


def test_other_arms_may_be_chosen(three_arms: Store):
    found = report(three_arms, "trial-1", incumbent="third", candidates=["old"])
    (verdict,) = found.verdicts
    assert (verdict.candidate, verdict.incumbent, verdict.overall) == ("old", "third", "ship")
    assert found.warnings == ("The suite's incumbent is old; third was chosen for this report.",)


@pytest.mark.parametrize(
    ("incumbent", "candidates", "said"),
    [
        pytest.param("odl", [], "did you mean 'old'?", id="unknown-incumbent"),
        pytest.param(None, ["zzz"], "its targets are old, new, third", id="unknown-candidate"),
        pytest.param(None, ["old"], "cannot be both", id="both"),
    ],
)
def test_arms_that_do_not_fit_are_usage_errors(three_arms: Store, incumbent, candidates, said):
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        report(three_arms, "trial-1", incumbent=incumbent, candidates=candidates)


def test_one_arm_alone_has_rates_and_no_verdict(store: Store):
    suite = make_suite(
        {"name": "right"},
        {"name": "leak", "kind": "gate", "limit_points": 3},
        targets={"new": {"use": "replay:n"}},
        incumbent=None,
    )
    cases = some_cases(200, strata={"intent": "refund"})
    cases[0] = cases[0].model_copy(update={"strata": {"intent": "other"}})
    Trial(store, suite, cases).write({"new": answers({0}, prefix="new", rubrics=2)})
    found = report(store, "trial-1")
    assert found.verdicts == ()
    right, leak = found.rates
    assert right.sentence == "It passes 199 of 200 (99.5%, 95% interval 97.2 to 99.9)."
    assert (right.decision, leak.decision) == ("SHOWN", "PASS")
    assert [(part.value, part.candidate, part.difference.value) for part in right.slices] == [
        ("other", 0.0, None),
        ("refund", 1.0, None),
    ]
    with pytest.raises(UsageError, match="no incumbent to compare with"):
        report(store, "trial-1", candidates=["new"])


def test_an_interrupted_trial_is_not_evaluable(store: Store):
    Trial(store, make_suite({"name": "right"}), some_cases(40)).write(
        {"old": answers(set(), prefix="old"), "new": answers(set(), prefix="new")},
        positions={"old": [], "new": []},
        status="interrupted",
    )
    found = report(store, "trial-1")
    assert found.verdicts[0].overall == "not_evaluable"
    assert found.verdicts[0].headline == "No verdict on new against old: no results."
    assert found.warnings == ("The trial is interrupted, not done: this is what it left.",)
    assert (found.cases, found.clusters, only(found).decision) == (0, 0, "INCONCLUSIVE")


def test_an_arm_without_one_result_is_not_evaluable(store: Store):
    gone = dict.fromkeys(range(40), GONE)
    Trial(store, make_suite({"name": "right"}), some_cases(40)).write(
        {"old": scripted({}, prefix="old"), "new": scripted(gone, prefix="new")}
    )
    assert report(store, "trial-1").verdicts[0].overall == "not_evaluable"


def test_a_target_that_was_not_run_is_not_evaluable(store: Store):
    Trial(store, make_suite({"name": "right"}), some_cases(40)).write({"old": answers(set(), prefix="old")})
    verdict = report(store, "trial-1").verdicts[0]
    assert (verdict.overall, verdict.rubrics) == ("not_evaluable", ())
    assert "new was not run" in verdict.headline


def test_an_unknown_trial_is_not_found(store: Store):
    with pytest.raises(NotFoundError):
        report(store, "nothing")


TWEAKS = [
    pytest.param(
        lambda item: item._replace(score_ids=b"\0" * 16), "2 scores at case 0, the suite has 1", id="too-many"
    ),
    pytest.param(
        lambda item: item._replace(score_ids=np.array([10**9 + item.position], dtype="<i8").tobytes()),
        "names 40 scores that the store",
        id="unknown-ids",
    ),
]


@pytest.mark.parametrize(("tweak", "said"), TWEAKS)
def test_a_manifest_that_cannot_be_right_is_a_store_error(store: Store, tweak, said):
    def change(name: str, item: RunItem) -> RunItem:
        return tweak(item) if name == "new" else item

    Trial(store, make_suite({"name": "right"}), some_cases(40)).write(
        {"old": answers(set(), prefix="old"), "new": answers(set(), prefix="new")}, tweak=change
    )
    with pytest.raises(StoreError, match=said):
        report(store, "trial-1")


def test_a_suite_that_this_version_cannot_read_is_a_store_error(store: Store):
    suite = make_suite({"name": "right"})
    dataset = Trial(store, suite, some_cases(3)).dataset
    plain = {**suite.model_dump(by_alias=True, exclude_defaults=True), "seed": -1}
    row = TrialRow("bad", "s", b"\0" * 32, plain, dataset.id, {}, "done", now(), None)
    store.start_trial(row, [RunRow(0, "bad", "old", {"use": "replay:o"}, "main", 1, b"", {})])
    with pytest.raises(StoreError, match="seed"):
        report(store, "bad")


# hostile strata -------------------------------------------------------------------------------------------------------


def test_strata_that_do_not_group_are_no_slices(store: Store):
    cases = [
        Case(
            id=f"c{i}", input=f"q {i}", strata={"id": str(i), f"only {i}": "x", "one": "same", "odd\ud800": str(i % 2)}
        )
        for i in range(120)
    ]
    Trial(store, make_suite({"name": "right"}), cases).write(
        {"old": answers(set(), prefix="old"), "new": answers({1, 3}, prefix="new")}
    )
    found = only(report(store, "trial-1"))
    assert [(part.stratum, part.value, part.n) for part in found.slices] == [
        ("odd\ud800", "0", 60),
        ("odd\ud800", "1", 60),
    ]


def test_slices_named_by_the_policy_may_have_many_values_up_to_a_bound(store: Store):
    cases = [Case(id=f"c{i}", input=f"q {i}", strata={"id": str(i)}) for i in range(250)]
    Trial(store, make_suite({"name": "right"}, policy={"slices": ["id"]}), cases).write(
        {"old": answers(set(), prefix="old"), "new": answers({1, 3}, prefix="new")}
    )
    found = only(report(store, "trial-1"))
    assert len(found.slices) == 200
    assert "50 slices left out" in found.warnings[0]
