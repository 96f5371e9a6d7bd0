"""What a report warns of: broken arms, failed scorers, cases left out, names that no case has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.verdicts.made_trials import Answer, Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.output import Failure, Output
from seatrial.core.score import Score
from seatrial.store.store import Store
from seatrial.verdicts.compare import report
from seatrial.verdicts.records import TrialReport

PASSED, FAILED = Score.binary(True), Score.binary(False)
BROKEN = Score(status="model_failure", passed=False, value=0.0, reason="empty")
EMPTY = Output(failure=Failure(kind="model", code="empty"))


def some_cases(n: int, **fields: Any) -> list[Case]:
    return [Case(id=f"c{i}", input=f"question {i}", expected=f"answer {i}", **fields) for i in range(n)]


def always(prefix: str, *scores: Score | None) -> Answer:
    return lambda case, _: (Output.of(f"{prefix} {case.id}"), scores)


def drawn(store: Store, suite: Any, cases: Sequence[Case], old: Answer, new: Answer, **more: Any) -> TrialReport:
    Trial(store, suite, cases).write({"old": old, "new": new}, **more)
    return report(store, "trial-1")


def test_strata_without_one_result_are_no_crash(store: Store):
    cases = some_cases(60, strata={"intent": "refund"})
    suite = make_suite({"name": "right", "where": {"intent": "nothing like it"}}, {"name": "plain"})
    found = drawn(store, suite, cases, always("old", None, PASSED), always("new", None, PASSED))
    right, plain = found.verdicts[0].rubrics
    assert (right.decision, right.slices, plain.decision) == ("INCONCLUSIVE", (), "INCONCLUSIVE")


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_a_trial_that_left_no_manifest_is_no_crash(store: Store, status: str):
    cases = some_cases(60, strata={"intent": "refund"})
    arms = always("old", PASSED), always("new", PASSED)
    suite = make_suite({"name": "right", "where": {"intent": "rfund"}}, policy={"slices": ["lang"]})
    found = drawn(store, suite, cases, *arms, positions={"old": [], "new": []}, status=status)
    assert found.verdicts[0].overall == "not_evaluable"
    assert found.warnings == (f"The trial is {status}, not done: this is what it left.",)


def test_names_that_no_case_has_are_told_with_the_nearest(store: Store):
    cases = [
        c.model_copy(update={"strata": {"intent": ("refund", "order")[i % 2]}}) for i, c in enumerate(some_cases(60))
    ]
    suite = make_suite(
        {"name": "a", "where": {"intnt": "refund"}},
        {"name": "b", "where": {"intent": ["refunds", "order"]}},
        {"name": "c", "where": {"intent": "zzz"}},
        policy={"slices": ["intent", "intents", "qqq"]},
    )
    arms = [always(name, None, PASSED, None) for name in ("old", "new")]
    assert drawn(store, suite, cases, *arms).warnings == (
        "Policy slices name the stratum 'intents', which no case has; did you mean 'intent'?",
        "Policy slices name the stratum 'qqq', which no case has; there is intent.",
        "Rubric a: its where names the stratum 'intnt', which no case has; did you mean 'intent'?",
        "Rubric b: its where asks for intent 'refunds', which no case has; did you mean 'refund'?",
        "Rubric c: its where asks for intent 'zzz', which no case has; there is order, refund.",
    )


def test_a_name_only_in_cases_that_were_not_run_is_told(store: Store):
    cases = [c.model_copy(update={"strata": {"intent": "ab"[i < 30]}}) for i, c in enumerate(some_cases(60))]
    suite = make_suite({"name": "right", "where": {"intent": "a"}})
    arms = always("old", PASSED), always("new", PASSED)
    found = drawn(store, suite, cases, *arms, positions={"old": range(30), "new": range(30)})
    assert found.warnings == ("Rubric right: its where asks for intent 'a', which no case has; there is b.",)


def test_arms_that_only_fail_do_not_ship(store: Store):
    suite = make_suite({"name": "right"})
    found = drawn(store, suite, some_cases(120), *[lambda _case, _epoch: (EMPTY, [BROKEN])] * 2)
    (verdict,) = found.verdicts
    assert (verdict.overall, verdict.needed) == ("inconclusive", None)
    assert "no answer of either arm passes" in verdict.headline
    cause = "are model failures (empty, filtered or cut): check prompt and settings."
    assert found.warnings == (f"All 120 outputs of old {cause}", f"All 120 outputs of new {cause}")


@pytest.mark.parametrize(("failed", "said"), [pytest.param(60, False, id="half"), pytest.param(61, True, id="most")])
def test_an_arm_that_mostly_fails_is_told(store: Store, failed: int, said: bool):
    def new(case: Case, _: int) -> tuple[Output, Sequence[Score]]:
        return (EMPTY, [BROKEN]) if int(case.id[1:]) < failed else (Output.of(case.id), [PASSED])

    found = drawn(store, make_suite({"name": "right"}), some_cases(120), always("old", PASSED), new)
    assert any("61 of 120 outputs of new are model failures" in text for text in found.warnings) == said


def test_cases_the_scorer_does_not_apply_to_are_counted_within_the_population(store: Store):
    cases = [*some_cases(120, strata={"intent": "refund"}), Case(id="c120", input="other", strata={"intent": "order"})]
    suite = make_suite({"name": "right", "where": {"intent": "refund"}})

    def arm(case: Case, _: int) -> tuple[Output, Sequence[Score | None]]:
        return Output.of(case.id), [None if int(case.id[1:]) < 10 or case.id == "c120" else PASSED]

    (verdict,) = drawn(store, suite, cases, arm, arm).verdicts
    (right,) = verdict.rubrics
    assert right.warnings == ("10 of 120 cases are left out: the scorer does not apply to them.",)


@pytest.mark.parametrize("kind", ["quality", "gate"])
def test_a_scorer_that_fails_says_why_and_asks_for_no_cases(store: Store, kind: str):
    limit = {"limit_points": 3} if kind == "gate" else {}
    wrong = Score(status="judge_error", reason="KeyError: 'total'")
    arms = always("old", wrong, PASSED), always("new", wrong, PASSED)
    suite = make_suite({"name": "right", "kind": kind, **limit}, {"name": "other"})
    right = drawn(store, suite, some_cases(120), *arms).verdicts[0].rubrics[0]
    (warning,) = right.warnings
    assert warning.startswith("The scorer failed on 240 answers, for example: KeyError: 'total'. These results are")
    assert warning.endswith("missing: mend the scorer, then run again with --retry-errors.")
    assert right.needed is None
    assert "the scorer gave no verdict on 240 answers" in right.sentence
    assert "retry-errors" not in right.sentence
    assert "would settle it" not in right.sentence


@pytest.mark.parametrize(
    ("reason", "starts", "advice"),
    [
        pytest.param(
            r"BudgetError: The budget of judging is spent: 5 of 5 requests. [E125]\n  try: more",
            "The budget of judging was spent before 240 answers, for example: BudgetError: The budget of",
            "raise judging.budget",
            id="spent",
        ),
        pytest.param(
            "JudgeError: The judge 'j' gave no usable verdict, asked twice: it was empty.",
            "The judge gave no usable verdict on 240 answers",
            "look at the judge's model",
            id="unusable",
        ),
        pytest.param(
            "JudgeError: The judge 'j' gave no answer (timeout).",
            "The judge gave no answer for 240 answers",
            "--retry-errors",
            id="silent",
        ),
        pytest.param(
            "the judge is undecided on insult", "The judge was undecided on 240 answers", "says the same", id="open"
        ),
    ],
)
def test_no_verdict_is_told_with_the_advice_for_its_cause(store: Store, reason: str, starts: str, advice: str):
    wrong = Score(status="judge_error", reason=reason)
    arms = always("old", wrong, PASSED), always("new", wrong, PASSED)
    right = (
        drawn(store, make_suite({"name": "right"}, {"name": "other"}), some_cases(120), *arms).verdicts[0].rubrics[0]
    )
    (warning,) = right.warnings
    assert warning.startswith(starts)
    assert advice in warning
    assert "mend the scorer" not in warning
    assert "\\n" not in warning


@pytest.mark.parametrize(
    ("series", "again"), [("main", "--retry-errors"), ("fresh-1", "--series fresh-1 --retry-errors")]
)
def test_answers_that_nobody_gave_are_told_with_the_cure(store: Store, series: str, again: str):
    def new(case: Case, _: int) -> tuple[Output, Sequence[Score]]:
        if int(case.id[1:]) < 7:
            return Output(failure=Failure(kind="infra", code="refused")), [Score(status="infra_error")] * 2
        return Output.of(case.id), [PASSED, PASSED]

    suite = make_suite({"name": "right"}, {"name": "other"})
    trial = Trial(store, suite, some_cases(120), series=series)
    trial.write({"old": always("old", PASSED, PASSED), "new": new})
    (warning,) = report(store, "trial-1").warnings
    assert warning == f"Nobody answered for 7 outputs of new, missing in every count: run again with {again}."


def test_cases_that_differ_are_counted_once(store: Store):
    suite = make_suite(*({"name": name, "kind": "gate", "limit_points": 50} for name in ("leak", "safe")))

    def new(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
        bad = int(case.id[1:]) < 3
        return Output.of(f"new {case.id} {epoch}"), [FAILED if bad else PASSED] * 2

    Trial(store, suite, some_cases(60), epochs=2).write({"old": always("old", PASSED, PASSED), "new": new})
    (verdict,) = report(store, "trial-1").verdicts
    assert (len(verdict.flips), verdict.differing_cases) == (12, 3)


@pytest.mark.parametrize(
    ("key", "near"),
    [
        pytest.param("temprature", "temperature", id="a letter gone"),
        pytest.param("max_token", "max_tokens", id="singular"),
        pytest.param("Temperature", "temperature", id="capital"),
        pytest.param("temperature", "", id="right"),
        pytest.param("maxOutputTokens", "", id="another provider's"),
        pytest.param("draft_model_path", "", id="one's own"),
        pytest.param("n", "", id="short"),
    ],
)
def test_a_misspelt_parameter_is_named_with_the_right_one(store: Store, key: str, near: str):
    suite = make_suite({"name": "right"})
    spec = suite.targets["new"].model_copy(update={"use": "openai:m", "params": {key: 0}})
    suite = suite.model_copy(update={"targets": {**suite.targets, "new": spec}})
    found = drawn(store, suite, some_cases(120), always("old", PASSED), always("new", PASSED))
    said = [text for text in found.warnings if "did you mean" in text]
    expected = f"new is sent the parameter {key}, which no known provider has: did you mean {near!r}?"
    assert said == ([expected] if near else [])
