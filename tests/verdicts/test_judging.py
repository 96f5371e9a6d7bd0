"""All rubrics of a suite together: what ships, what blocks, and the real swaps of GSM8K."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import from_counts, make_suite

from seatrial.core.suite import Suite
from seatrial.verdicts.artefacts.sentences import headline
from seatrial.verdicts.compare import compare_arrays, needed
from seatrial.verdicts.engine.judging import judge
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.records import RubricResult

NAN = math.nan
SUITE = make_suite(
    {"name": "right"},
    {"name": "leak", "kind": "gate", "limit_points": 3},
    {"name": "time", "kind": "limit", "at_most": 3},
    {"name": "style", "kind": "advisory"},
)
GOOD: dict[str, Outcomes] = {
    "right": from_counts(30, 30, 1500, both=1300),
    "leak": Outcomes.of(np.ones(120), np.ones(120)),
    "time": Outcomes.of(np.ones(200), np.ones(200)),
    "style": from_counts(0, 900, 1000),
}
NOTHING = {name: Outcomes.of([NAN] * 50, np.ones(50)) for name in GOOD}
ONLY_ADVISORY = make_suite({"name": "style", "kind": "advisory"})

OVERALL = [
    pytest.param(SUITE, GOOD, "ship", id="all-pass-and-advisory-never-decides"),
    pytest.param(SUITE, {**GOOD, "right": from_counts(0, 200, 1500)}, "block", id="quality-blocks"),
    pytest.param(
        SUITE,
        {**GOOD, "right": from_counts(200, 0, 1500), "leak": Outcomes.of([0.0] * 4 + [1.0] * 116, np.ones(120))},
        "block",
        id="a-gate-blocks-a-better-average",
    ),
    pytest.param(SUITE, {**GOOD, "time": Outcomes.of(np.full(200, 4.0))}, "block", id="limit-blocks"),
    pytest.param(SUITE, {**GOOD, "leak": Outcomes.of([])}, "inconclusive", id="zero-probes"),
    pytest.param(SUITE, {**GOOD, "right": from_counts(30, 45, 600)}, "inconclusive", id="one-is-open"),
    pytest.param(
        SUITE,
        {**GOOD, "right": from_counts(0, 200, 1500), "leak": Outcomes.of([])},
        "block",
        id="a-block-outweighs-an-open-one",
    ),
    pytest.param(SUITE, NOTHING, "not_evaluable", id="one-arm-missing"),
    pytest.param(SUITE, {name: Outcomes.of([], []) for name in GOOD}, "not_evaluable", id="no-data"),
    pytest.param(ONLY_ADVISORY, {"style": GOOD["right"]}, "not_evaluable", id="nothing-decides"),
]


@pytest.mark.parametrize(("suite", "outcomes", "overall"), OVERALL)
def test_what_follows_from_all_rubrics(suite: Suite, outcomes: dict[str, Outcomes], overall: str):
    judgement, results = compare_arrays(suite, outcomes)
    assert judgement.overall == overall
    assert judge(suite, outcomes).overall == overall
    assert [judgement.decision(rubric.name) for rubric in suite.rubrics] == [result.decision for result in results]
    said = headline("new", "old", judgement.overall, results)
    assert said.endswith(".")
    assert "new" in said
    assert (needed(judgement, results) is not None) == (overall == "inconclusive")


def test_the_headlines():
    def said(**changed: Outcomes) -> str:
        judgement, results = compare_arrays(SUITE, {**GOOD, **changed})
        return headline("new", "old", judgement.overall, results)

    assert said() == "new may replace old: all 3 deciding rubrics pass."
    leaky = Outcomes.of([0.0] * 4 + [1.0] * 116, np.ones(120))
    assert said(leak=leaky).startswith("new must not replace old: blocked by the gate leak.")
    both = said(leak=leaky, right=from_counts(0, 200, 1500))
    assert both.startswith("new must not replace old: blocked by the gate leak, and right.")
    assert said(leak=Outcomes.of([])) == (
        "Whether new may replace old is open: leak needs about 99 further clean cases."
    )


def test_needed_is_the_most_that_any_open_rubric_needs_and_none_when_one_has_no_number():
    few = {**GOOD, "leak": Outcomes.of(np.ones(60), np.ones(60)), "right": from_counts(30, 30, 400)}
    judgement, results = compare_arrays(SUITE, few)
    assert needed(judgement, results) == max(result.needed or 0 for result in results)
    one_cluster = {**few, "right": from_counts(3, 3, 400, cluster=np.zeros(400))}
    assert needed(*compare_arrays(SUITE, one_cluster)) is None


def test_an_advisory_rubric_is_shown_with_its_numbers():
    found = compare_arrays(SUITE, GOOD)[1][3]
    assert (found.decision, found.flags, found.needed) == ("SHOWN", (), None)
    assert found.difference is not None
    assert found.difference.value == pytest.approx(-0.9)
    assert found.sentence.endswith("shown, it decides nothing.")


def test_without_an_incumbent_quality_is_shown():
    alone = {name: outcomes.only_candidate() for name, outcomes in GOOD.items()}
    suite = make_suite(
        {"name": "right"},
        {"name": "leak", "kind": "gate", "limit_points": 3},
        {"name": "time", "kind": "limit", "at_most_ratio": 1.2},
        {"name": "style", "kind": "advisory"},
        targets={"new": {"use": "replay:n"}},
        incumbent=None,
    )
    _, results = compare_arrays(suite, alone)
    assert [result.decision for result in results] == ["SHOWN", "PASS", "SHOWN", "SHOWN"]
    assert results[0].sentence == "It passes 1,330 of 1,500 (88.7%, 95% interval 87.0 to 90.2)."
    assert results[0].candidate is not None
    assert results[0].candidate.estimate.method == "Wilson"


RESULT = st.sampled_from([1.0, 1.0, 1.0, 0.0, NAN])


@st.composite
def any_outcomes(draw):
    n, epochs = draw(st.integers(0, 25)), draw(st.integers(1, 3))
    arms = [
        np.array(draw(st.lists(RESULT, min_size=n * epochs, max_size=n * epochs)), dtype=float).reshape(n, epochs)
        for _ in range(2)
    ]
    cluster = np.array(draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)), dtype=int)
    return Outcomes.of(arms[0], draw(st.sampled_from([arms[1], None])), draw(st.sampled_from([None, cluster])))


@given(
    st.fixed_dictionaries({name: any_outcomes() for name in GOOD}),
    st.fixed_dictionaries(
        {
            "alpha": st.floats(1e-6, 0.499),
            "gate_alpha": st.floats(1e-6, 0.499),
            "margin_points": st.floats(1e-6, 100),
            "power": st.floats(0.01, 0.999),
            "min_cases": st.integers(1, 40),
        }
    ),
)
def test_whatever_comes_is_judged_and_can_be_written_down(outcomes, policy):
    suite = make_suite(
        {"name": "right"},
        {"name": "leak", "kind": "gate", "limit_points": 7},
        {"name": "time", "kind": "limit", "at_most_ratio": 1.5, "statistic": "p50"},
        {"name": "style", "kind": "advisory"},
        policy=policy,
    )
    judgement, results = compare_arrays(suite, outcomes)
    assert judgement.overall in {"ship", "block", "inconclusive", "not_evaluable"}
    for result in results:
        assert result == RubricResult.model_validate_json(json.dumps(result.model_dump(mode="json")))
        assert result.sentence.endswith(".")
        assert result.needed is None or result.needed >= 1
        if result.decision == "PASS":
            assert not {"few_cases"} & set(result.flags)


# real swaps -----------------------------------------------------------------------------------------------------------

SWAPS = [
    pytest.param("6b_verification", "175b_finetuning", 152, 209, "inconclusive", id="6b-verified-to-175b"),
    pytest.param("175b_finetuning", "6b_verification", 209, 152, "ship", id="175b-to-6b-verified"),
    pytest.param("175b_finetuning", "175b_verification", 360, 76, "ship", id="175b-to-175b-verified"),
    pytest.param("175b_verification", "175b_finetuning", 76, 360, "block", id="175b-verified-to-175b"),
]


@pytest.mark.parametrize(("incumbent", "candidate", "gained", "lost", "overall"), SWAPS)
def test_recorded_swaps_of_real_models(shared_data, incumbent, candidate, gained, lost, overall):
    rows: list[Any] = [
        json.loads(line) for line in shared_data("gsm8k_model_solutions.jsonl").read_text("utf-8").splitlines()
    ]
    arms = [np.array([row[model]["is_correct"] for row in rows], dtype=float) for model in (candidate, incumbent)]
    suite = make_suite({"name": "right", "margin_points": 3})
    judgement, (found,) = compare_arrays(suite, {"right": Outcomes.of(*arms)})
    assert found.pairs is not None
    assert (found.pairs.n, found.pairs.gained, found.pairs.lost) == (1319, gained, lost)
    assert judgement.overall == overall
    assert ("regressed" in found.flags) == (lost > gained)


# error rates ----------------------------------------------------------------------------------------------------------


def test_equal_arms_are_never_blocked_more_often_than_alpha():
    rng = np.random.default_rng(21)
    suite = make_suite({"name": "right"})
    label = np.repeat(np.arange(100), 4)
    blocked = shipped = 0
    for _ in range(400):
        ease = rng.beta(9, 1, 100)[label]
        arms = [(rng.random(400) < ease) * 1.0 for _ in range(2)]
        overall = judge(suite, {"right": Outcomes.of(*arms, label)}).overall
        blocked, shipped = blocked + (overall == "block"), shipped + (overall == "ship")
    assert blocked / 400 <= 0.05
    assert shipped / 400 >= 0.2


@pytest.mark.parametrize(("clusters", "size"), [(600, 1), (150, 4)])
def test_a_candidate_at_the_margin_ships_about_alpha_of_the_time(clusters, size):
    """Losses and gains vary by seed; on average the candidate is 5 points behind, which is the margin."""
    rng = np.random.default_rng(22)
    suite = make_suite({"name": "right", "margin_points": 5})
    label = np.repeat(np.arange(clusters), size)
    shipped = 0
    for _ in range(500):
        lose = rng.beta(0.5, 4.5, clusters)[label]
        loses, gains = rng.random(len(label)) < lose, rng.random(len(label)) < 0.05
        candidate, incumbent = np.ones(len(label)), np.ones(len(label))
        candidate[loses] = 0
        incumbent[gains & ~loses] = 0
        # on average 10% lost and 4.5% gained: half a point beyond the margin
        shipped += judge(suite, {"right": Outcomes.of(candidate, incumbent, label)}).overall == "ship"
    assert shipped / 500 <= 0.06
