"""The jump test: gains on exposed cases only are suspect, gains everywhere and harder fresh cases are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.core.suite import Policy
from seatrial.store.store import Store
from seatrial.verdicts.checks.jump import jump, recovered
from seatrial.verdicts.compare import report
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.records import Estimate, TrialReport

PASSED, FAILED = Score(status="scored", value=1.0, passed=True), Score(status="scored", value=0.0, passed=False)
CUTOFF = "2025-06-01"


def drawn(
    store: Store, gains: dict[str, float], *, dates: bool = True, benchmark: bool = False, **target: object
) -> TrialReport:
    """600 cases, half of them old; the incumbent is right on 60%, the candidate by more on `old` and `fresh`."""
    suite = make_suite(
        {"name": "right", "margin_points": 10, **({"cases": "all"} if benchmark else {})},
        targets={"old": {"use": "replay:old.jsonl"}, "new": {"use": "replay:new.jsonl", **target}},
    )
    cases = []
    for number in range(600):
        old = number % 2 == 0
        dated = {"published_at": "2024-01-01" if old else "2025-09-01"} if dates else {}
        origin = {"origin": "benchmark"} if benchmark and old else {}
        cases.append(Case(id=f"c{number}", input=f"question {number}", **dated, **origin))

    def answer(share: dict[str, float]):
        def answered(case: Case, epoch: int) -> tuple[Output, list[Score | None]]:
            number = int(case.id[1:])
            right = (number // 2) % 100 < 100 * share["old" if number % 2 == 0 else "fresh"]
            return Output.of(f"answer {number} {right}"), [PASSED if right else FAILED]

        return answered

    better = {side: 0.6 + gain for side, gain in gains.items()}
    made = Trial(store, suite, cases)
    return report(store, made.write({"old": answer({"old": 0.6, "fresh": 0.6}), "new": answer(better)}))


SCENARIOS = [
    pytest.param({"old": 0.2, "fresh": 0.0}, {"cutoff": CUTOFF}, True, id="gains-on-old-only"),
    pytest.param({"old": 0.2, "fresh": -0.05}, {"released": CUTOFF}, True, id="by-its-release"),
    pytest.param({"old": 0.2, "fresh": 0.2}, {"cutoff": CUTOFF}, False, id="gains-everywhere"),
    pytest.param({"old": 0.0, "fresh": 0.0}, {"cutoff": CUTOFF}, False, id="no-gain"),
    pytest.param({"old": 0.0, "fresh": -0.2}, {"cutoff": CUTOFF}, False, id="loses-on-fresh-gains-nowhere"),
    pytest.param({"old": 0.2, "fresh": 0.1}, {"cutoff": CUTOFF}, False, id="gains-more-on-old"),
]


@pytest.mark.parametrize(("gains", "target", "odd"), SCENARIOS)
def test_what_is_suspect(store: Store, gains: dict, target: dict, odd: bool):
    (verdict,) = drawn(store, gains, **target).verdicts
    (told,) = verdict.jumps
    assert (told.exposed_cases, told.fresh_cases) == (300, 300)
    assert told.exposed.value == pytest.approx(gains["old"], abs=1e-9)
    assert told.between.value == pytest.approx(gains["old"] - gains["fresh"], abs=1e-9)
    assert bool(verdict.suspect) == odd == told.gained_there_only
    assert ("Suspect: its gain on right may come from its training data." in verdict.headline) == odd


def test_the_sentence_names_both_sides_and_the_decision_stays(store: Store):
    (verdict,) = drawn(store, {"old": 0.2, "fresh": 0.0}, cutoff=CUTOFF).verdicts
    assert verdict.overall == "ship"
    assert verdict.suspect.startswith(
        "On right it gains 20.0 points on 300 cases older than its training cutoff, 2025-06-01, but 0 on 300 fresh "
        "ones: 20.0 points apart (90% interval"
    )


def test_without_any_date_of_the_target_nothing_is_tested(store: Store):
    (verdict,) = drawn(store, {"old": 0.2, "fresh": 0.0}).verdicts
    assert (verdict.jumps, verdict.suspect) == ((), "")


def test_without_dates_of_the_cases_nothing_is_tested(store: Store):
    (verdict,) = drawn(store, {"old": 0.2, "fresh": 0.0}, dates=False, cutoff=CUTOFF).verdicts
    assert (verdict.jumps, verdict.suspect) == ((), "")


def test_a_public_benchmark_is_exposed_whatever_its_dates(store: Store):
    (verdict,) = drawn(store, {"old": 0.2, "fresh": 0.0}, dates=False, benchmark=True).verdicts
    assert "300 cases from a public benchmark" in verdict.suspect


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(1, 8))
def test_the_difference_is_that_of_both_sides_and_mirrors(b: int, c: int, d: int, e: int, tests: int):
    gap = np.concatenate(
        [np.ones(b), -np.ones(c), np.zeros(100 - b - c), np.ones(d), -np.ones(e), np.zeros(100 - d - e)]
    )
    first, second = np.where(gap > 0, 1.0, 0.0), np.where(gap < 0, 1.0, 0.0)
    exposed = np.arange(200) < 100
    told = jump("right", Outcomes.of(first, second), exposed, ~exposed, Policy(), tests)
    back = jump("right", Outcomes.of(first, second), ~exposed, exposed, Policy(), tests)
    assert told is not None
    assert back is not None
    assert told.between.value == pytest.approx((b - c - d + e) / 100)
    assert told.between.low <= told.between.value <= told.between.high
    assert told.between.low == pytest.approx(-back.between.high)
    assert not (told.gained_there_only and back.gained_there_only)


def test_recovered_intervals_add_squares():
    one = Estimate(value=0.3, low=0.0, high=0.5, level=0.9, method="any")
    two = Estimate(value=0.1, low=-0.3, high=0.2, level=0.9, method="any")
    found = recovered(one, two)
    assert (found.value, found.low, found.high) == pytest.approx(
        (0.2, 0.2 - math.hypot(0.3, 0.1), 0.2 + math.hypot(0.2, 0.4))
    )


def test_few_cases_on_a_side_say_nothing():
    exposed = np.arange(200) < 29
    ones, zeros = np.ones(200), np.zeros(200)
    assert jump("right", Outcomes.of(ones, zeros), exposed, ~exposed, Policy(), 1) is None


def test_chance_alone_is_suspect_in_at_most_alpha_of_trials():
    rng = np.random.default_rng(7)
    exposed = np.arange(300) < 150
    odd = 0
    for _ in range(400):
        first, second = (rng.random(300) < 0.8 for _ in range(2))
        told = jump("right", Outcomes.of(first.astype(float), second.astype(float)), exposed, ~exposed, Policy(), 1)
        odd += told is not None and told.gained_there_only
    assert odd <= 0.05 * 400
