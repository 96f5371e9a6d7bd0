"""Limits on measures: known answers, decisions, and coverage."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import make_suite

from seatrial.stats import paired_cluster, quantile_interval
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.records import RubricResult

NAN = math.nan


def draw(outcomes: Outcomes, unit: str = "s", **limit: Any) -> RubricResult:
    suite = make_suite({"name": "time", "kind": "limit", **limit}, seed=7)
    return compare_arrays(suite, {"time": outcomes}, [unit])[1][0]


def seconds(n: int, factor: float = 1.0, seed: int = 0) -> np.ndarray:
    return factor * np.random.default_rng(seed).lognormal(0, 0.5, n)


def ladder(n: int) -> np.ndarray:
    """1, 2, …, n in a fixed disorder."""
    return np.random.default_rng(2).permutation(n) + 1.0


def test_the_interval_of_a_p95_is_that_of_order_statistics():
    found = draw(Outcomes.of(ladder(500)), statistic="p95", at_most=500)
    assert found.quantity is not None
    candidate = found.quantity.candidate
    assert candidate.value == 475
    assert (candidate.low, candidate.high) == quantile_interval(ladder(500), 0.95, alpha=0.10)
    assert candidate.method == "p95, order statistics"
    assert candidate.level == pytest.approx(0.90)


@pytest.mark.parametrize(
    ("at_most", "decision"),
    [
        pytest.param(484, "PASS", id="above-the-upper-rank"),
        pytest.param(480, "INCONCLUSIVE", id="inside"),
        pytest.param(466, "BLOCK", id="below-the-lower-rank"),
    ],
)
def test_a_p95_is_decided_by_its_bounds(at_most, decision):
    low, high = quantile_interval(ladder(500), 0.95, alpha=0.10)
    assert (low, high) == (467, 484)
    found = draw(Outcomes.of(ladder(500)), statistic="p95", at_most=at_most)
    assert found.decision == decision


def test_a_mean_is_decided_by_its_bounds():
    values = seconds(400)
    ends = paired_cluster(values, np.arange(400), alpha=0.10, limits=(-math.inf, math.inf)).interval
    for at_most, decision in ((ends.high + 1e-9, "PASS"), (values.mean(), "INCONCLUSIVE"), (ends.low - 1e-9, "BLOCK")):
        found = draw(Outcomes.of(values), statistic="mean", at_most=float(at_most))
        assert found.decision == decision
        assert found.quantity is not None
        assert (found.quantity.candidate.low, found.quantity.candidate.high) == pytest.approx(ends)


EDGES = [
    pytest.param(Outcomes.of(seconds(29)), {"at_most": 99}, "INCONCLUSIVE", ("few_cases",), id="few-cases"),
    pytest.param(Outcomes.of([]), {"at_most": 99}, "INCONCLUSIVE", ("few_cases",), id="no-cases"),
    pytest.param(Outcomes.of([NAN] * 50), {"at_most": 9}, "INCONCLUSIVE", ("few_cases", "missing"), id="all-missing"),
    pytest.param(Outcomes.of(np.zeros(60)), {"at_most": 0}, "PASS", (), id="all-zero-and-none-allowed"),
    pytest.param(Outcomes.of(np.full(60, 0.002)), {"at_most": 0.01, "statistic": "mean"}, "PASS", (), id="all-equal"),
    pytest.param(Outcomes.of(np.full(60, 2.0)), {"at_most": 1, "statistic": "mean"}, "BLOCK", (), id="all-equal-above"),
    pytest.param(
        Outcomes.of(seconds(60), cluster=np.zeros(60)),
        {"at_most": 99},
        "INCONCLUSIVE",
        ("few_clusters",),
        id="one-cluster",
    ),
    pytest.param(
        Outcomes.of(seconds(60), cluster=np.zeros(60)),
        {"at_most": 99, "statistic": "mean"},
        "INCONCLUSIVE",
        ("few_clusters",),
        id="one-cluster-mean",
    ),
    pytest.param(Outcomes.of(seconds(58)), {"at_most": 1e9}, "INCONCLUSIVE", (), id="too-few-to-bound-a-p95"),
    pytest.param(Outcomes.of(seconds(59)), {"at_most": 1e9}, "PASS", (), id="just-enough-to-bound-a-p95"),
    pytest.param(
        Outcomes.of(np.ones(60), np.zeros(60)), {"at_most_ratio": 2}, "INCONCLUSIVE", (), id="incumbent-takes-nothing"
    ),
    pytest.param(
        Outcomes.of(np.ones(60), np.zeros(60)),
        {"at_most_ratio": 2, "statistic": "mean"},
        "INCONCLUSIVE",
        (),
        id="incumbent-takes-nothing-on-average",
    ),
    pytest.param(
        Outcomes.of(np.full(60, 1e300), np.full(60, 1e-300)), {"at_most": 1e301}, "PASS", (), id="huge-and-tiny"
    ),
]


@pytest.mark.parametrize(("outcomes", "limit", "decision", "flags"), EDGES)
def test_limits_at_the_edges(outcomes, limit, decision, flags):
    found = draw(outcomes, **limit)
    assert (found.decision, found.flags) == (decision, flags)
    assert found.sentence.endswith(".")
    assert (found.needed_note != "") == (decision == "INCONCLUSIVE")
    assert "inf" not in found.sentence
    assert "nan" not in found.sentence


@pytest.mark.parametrize("statistic", ["mean", "p50", "p95"])
def test_a_relative_limit_follows_the_ratio(statistic):
    base = seconds(1500)
    slower = base * 1.5 * np.random.default_rng(9).lognormal(0, 0.05, 1500)
    found = {at: draw(Outcomes.of(slower, base), statistic=statistic, at_most_ratio=at) for at in (1.3, 1.5, 1.8)}
    assert [result.decision for result in found.values()] == ["BLOCK", "INCONCLUSIVE", "PASS"]
    quantity = found[1.8].quantity
    assert quantity is not None
    assert quantity.ratio is not None
    assert quantity.ratio.value == pytest.approx(1.5, abs=0.06)
    assert quantity.incumbent is not None
    assert "times the incumbent's" in found[1.8].sentence
    assert found[1.5].needed is not None
    again = draw(Outcomes.of(slower, base), statistic=statistic, at_most_ratio=1.8)
    assert again == found[1.8]


@pytest.mark.parametrize("statistic", ["mean", "p95"])
def test_pairs_with_a_side_missing_leave_a_ratio(statistic):
    base, other = seconds(400), seconds(400, 1.1, seed=1)
    holed = other.copy()
    holed[:40] = NAN
    found = draw(Outcomes.of(holed, base), statistic=statistic, at_most_ratio=2)
    plain = draw(Outcomes.of(other[40:], base[40:]), statistic=statistic, at_most_ratio=2)
    assert found.quantity == plain.quantity
    assert found.flags == ("missing",)


def test_missing_measures_make_a_quantile_fragile_and_too_many_forbid_a_pass():
    values = ladder(500)
    values[values == 1] = NAN
    assert draw(Outcomes.of(values), statistic="p95", at_most=486).flags == ("missing",)
    values[np.argsort(values)[:9]] = NAN
    found = draw(Outcomes.of(values), statistic="p95", at_most=486)
    assert (found.decision, set(found.flags)) == ("PASS", {"missing", "fragile"})
    values[:200] = NAN
    found = draw(Outcomes.of(values), statistic="p95", at_most=1000)
    assert (found.decision, found.needed) == ("INCONCLUSIVE", None)


def test_a_limit_that_cannot_be_bounded_says_so():
    found = draw(Outcomes.of(seconds(3), seconds(3, seed=1)), statistic="p95", at_most_ratio=1)
    assert "unbounded" not in found.sentence
    assert "too few results for a 90% interval; at most as much as the incumbent's is allowed" in found.sentence
    half = draw(Outcomes.of(seconds(40)), statistic="p95", at_most=9)
    assert "without an upper end" in half.sentence


def test_equal_times_are_as_much():
    base = seconds(400)
    found = draw(Outcomes.of(base, base), statistic="mean", at_most_ratio=1)
    assert "as much as the incumbent's (90% interval 1 to 1; at most as much as" in found.sentence


def test_copies_do_not_tighten_a_quantile():
    values = seconds(300)
    once = draw(Outcomes.of(values), statistic="p90", at_most=9).quantity
    copied = draw(
        Outcomes.of(np.repeat(values, 10), cluster=np.repeat(np.arange(300), 10)), statistic="p90", at_most=9
    ).quantity
    assert once is not None
    assert copied is not None
    assert once.candidate.high is not None
    assert copied.candidate.high is not None
    assert (copied.candidate.low or 0) <= (once.candidate.low or 0)
    assert copied.candidate.high >= once.candidate.high
    assert copied.candidate.method.endswith("effective size of the clusters")


def test_tiny_measures_keep_their_spread():
    dollars = seconds(400) * 1e-13
    found = draw(Outcomes.of(dollars, dollars[::-1]), unit="USD", statistic="mean", at_most=1.2e-13)
    assert found.quantity is not None
    assert found.quantity.candidate.method == "mean, cluster-robust t"
    assert (found.quantity.candidate.low or 0) < (found.quantity.candidate.high or 0)


def test_the_bootstrap_of_a_ratio_covers_it():
    """Equal arms in clusters: the true ratio of p90s is 1; a 90% interval may miss it in one of ten."""
    rng = np.random.default_rng(4)
    missed = 0
    for _ in range(60):
        seed = np.repeat(rng.normal(0, 0.3, 100), 3)
        arms = [np.exp(seed + rng.normal(0, 0.4, 300)) for _ in range(2)]
        found = draw(Outcomes.of(*arms, np.repeat(np.arange(100), 3)), statistic="p90", at_most_ratio=9)
        assert found.quantity is not None
        assert found.quantity.ratio is not None
        missed += not (found.quantity.ratio.low or 0) <= 1 <= (found.quantity.ratio.high or math.inf)
    assert missed <= 13


def test_needed_cases_settle_a_quantile_more_often_than_not():
    """At the share seen within the limit, so many cases in all pass with about the policy's power."""
    rng = np.random.default_rng(8)
    first = rng.random(400)
    allowed = float(np.quantile(first, 0.96))
    found = draw(Outcomes.of(first), statistic="p95", at_most=allowed)
    assert found.decision == "INCONCLUSIVE"
    assert found.needed is not None
    share = float((first <= allowed).mean())
    total = 400 + found.needed
    passed = sum(
        draw(Outcomes.of(rng.random(total) * allowed / share), statistic="p95", at_most=allowed).decision == "PASS"
        for _ in range(60)
    )
    assert 0.65 <= passed / 60 <= 0.97


@given(
    st.lists(st.floats(-1.7e308, 1.7e308) | st.floats(0, 100), min_size=1, max_size=60),
    st.floats(1e-300, 1.7e308),
    st.sampled_from(["mean", "p50", "p99"]),
    st.booleans(),
)
def test_any_measures_can_be_judged(values, at_most, statistic, relative):
    arm = np.array(values)
    key = "at_most_ratio" if relative else "at_most"
    found = draw(Outcomes.of(arm, arm[::-1]), statistic=statistic, **{key: at_most})
    assert found.decision in {"PASS", "BLOCK", "INCONCLUSIVE"}
    assert found == RubricResult.model_validate(found.model_dump())
