"""Intervals of one rate: known answers, oracles, edges and laws."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from seatrial.stats import (
    Interval,
    clopper_pearson,
    cluster_clopper_pearson,
    cluster_rate,
    combine_strata,
    jeffreys,
    manski_bounds,
    post_stratify,
    wilson,
)

counts = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
alphas = st.floats(0.001, 0.5)

# k, n, (Wilson), (Clopper–Pearson), (Jeffreys): R's binom package and Newcombe 1998
PRINTED = [
    (81, 263, (0.255289, 0.366210), (0.252737, 0.367622), (0.254522, 0.365647)),
    (15, 148, (0.062386, 0.160487), (0.057844, 0.161650), (0.060449, 0.157643)),
    (18, 20, (0.698966, 0.972134), (0.683017, 0.987651), (0.716147, 0.978628)),
    (4, 200, (0.007804, 0.050287), (0.005476, 0.050414), (0.006788, 0.046847)),
    (0, 20, (0, 0.161125), (0, 0.168433), (0, 0.116639)),
    (0, 30, (0, 0.113513), (0, 0.115703), (0, 0.079678)),
    (13, 16, (0.569911, 0.934084), (0.5435, 0.9595), (0.5792, 0.9442)),
]


@pytest.mark.parametrize(("k", "n", "score", "exact", "bayes"), PRINTED)
def test_printed_intervals(k, n, score, exact, bayes):
    digits = 1e-4 if n == 16 else 1e-6
    assert wilson(k, n) == pytest.approx(score, abs=6e-7)
    assert clopper_pearson(k, n) == pytest.approx(exact, abs=0.6 * digits)
    assert jeffreys(k, n) == pytest.approx(bayes, abs=0.6 * digits)


def test_wilson_to_fifteen_digits():
    assert wilson(19, 38) == pytest.approx((0.348499283643951, 0.651500716356049), abs=1e-14)


@pytest.mark.parametrize(
    ("k", "n", "high", "digits"),
    [
        (0, 20, 0.1391, 4),
        (0, 50, 0.0582, 4),
        (0, 59, 0.0495, 4),
        (0, 100, 0.0295, 4),
        (0, 149, 0.0199, 4),
        (0, 299, 0.00997, 5),
        (0, 300, 0.00994, 5),
        (1, 100, 0.04656, 5),
        (2, 124, 0.0499, 4),
        (5, 300, 0.0347, 4),
        (10, 500, 0.0337, 4),
    ],
)
def test_printed_gate_limits(k, n, high, digits):
    got = clopper_pearson(k, n, side="upper")
    assert got.low == 0
    assert round(got.high, digits) == high
    if k == 0:
        assert got.high == pytest.approx(1 - 0.05 ** (1 / n), rel=1e-12)


@given(counts, alphas)
def test_intervals_agree_with_statsmodels(count, alpha):
    k, n = count
    assert wilson(k, n, alpha=alpha) == pytest.approx(
        np.clip(proportion_confint(k, n, alpha, "wilson"), 0, 1), abs=1e-10
    )
    assert clopper_pearson(k, n, alpha=alpha) == pytest.approx(proportion_confint(k, n, alpha, "beta"), abs=1e-9)
    if 0 < k < n:  # statsmodels does not set the ends at 0 and n
        assert jeffreys(k, n, alpha=alpha) == pytest.approx(proportion_confint(k, n, alpha, "jeffreys"), abs=1e-9)


@given(counts, alphas)
@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys])
def test_interval_holds_the_rate_stays_in_range_mirrors_and_nests(method, count, alpha):
    k, n = count
    at = method(k, n, alpha=alpha)
    assert 0 <= at.low <= k / n <= at.high <= 1
    assert at.width > 0
    mirror = method(n - k, n, alpha=alpha)
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at, abs=1e-10)
    wider = method(k, n, alpha=alpha / 2)
    assert wider.low <= at.low + 1e-12
    assert wider.high >= at.high - 1e-12


@given(counts)
def test_one_sided_limits_are_the_ends_of_a_wider_interval(count):
    k, n = count
    both = clopper_pearson(k, n, alpha=0.1)
    assert clopper_pearson(k, n, side="lower") == Interval(both.low, 1)
    assert clopper_pearson(k, n, side="upper") == Interval(0, both.high)


@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys])
def test_edges(method):
    assert method(0, 0) == Interval(0, 1)
    assert method(0, 1).low == 0
    assert method(1, 1).high == 1
    assert method(3, 3).high == 1


@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys])
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((-1, 10), "k"),
        ((11, 10), "k"),
        ((1, -2), "n"),
        ((1, math.nan), "n"),
        ((1, math.inf), "n"),
        ((math.nan, 3), "k"),
    ],
)
def test_bad_counts_are_named(method, arguments, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        method(*arguments)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, math.nan, 5])
def test_bad_alpha_is_named(alpha):
    with pytest.raises(ValueError, match=r"^alpha must be between 0 and 1, both excluded; got"):
        wilson(1, 2, alpha=alpha)


def test_unknown_side_is_named():
    with pytest.raises(ValueError, match=r"^side must be 'two-sided', 'lower' or 'upper'; got 'left'"):
        clopper_pearson(1, 2, side="left")


SCORES = [1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1]
SEEDS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_cluster_rate_known_answer():
    got = cluster_rate(SCORES, SEEDS)
    assert got.estimate == 0.75
    assert got.se == pytest.approx(0.186339, abs=5e-7)
    assert got.se * math.sqrt(4 / 5) == pytest.approx(0.166667, abs=5e-7)
    assert math.sqrt(0.75 * 0.25 / 11) == pytest.approx(0.130558, abs=5e-7)  # as if the rows were independent
    assert (got.n, got.n_clusters) == (12, 5)


@given(st.integers(0, 10_000))
def test_cluster_se_agrees_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 12, 60)
    values = rng.random(60) ** 2
    fit = sm.OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    n_clusters = len(set(cluster.tolist()))
    want = fit.bse[0] * math.sqrt(n_clusters / (n_clusters - 1))
    assert cluster_rate(values, cluster).se == pytest.approx(want, rel=1e-9)


def test_limits_as_n_grows():
    for method in (wilson, clopper_pearson, jeffreys):
        half = 1.959964 * math.sqrt(0.09 / 1_000_000)
        assert method(900_000, 1_000_000) == pytest.approx((0.9 - half, 0.9 + half), abs=5e-6)
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(20_000), 5)
    passed = (rng.random(100_000) < rng.beta(9, 1, 20_000)[cluster]).astype(float)
    at = cluster_rate(passed, cluster)
    wald = (at.estimate - 1.959964 * at.se, at.estimate + 1.959964 * at.se)
    assert at.interval == pytest.approx(wald, abs=1e-4)


def test_all_pass_counts_clusters_once():
    got = cluster_rate([1] * 40, np.repeat(np.arange(10), 4), alpha=0.05)
    assert got.n_eff == pytest.approx(10)
    assert got.interval == pytest.approx(wilson(10, 10))
    known = cluster_rate([1] * 40, np.repeat(np.arange(10), 4), icc=0.2)
    shrink = (2.0638985616280205 / 2.2621571627409915) ** 2  # Student's t with 24 and with 9 degrees of freedom
    assert known.n_eff == pytest.approx(40 / 1.6 * shrink)


def test_cluster_rate_edges():
    one = cluster_rate([1, 0, 1], ["a", "a", "a"])
    assert one.estimate == pytest.approx(2 / 3)
    assert math.isnan(one.se)
    assert one.interval == Interval(0, 1)
    none = cluster_rate([], [])
    assert math.isnan(none.estimate)
    assert none.interval == Interval(0, 1)
    assert cluster_rate([0.5] * 6, [1, 1, 2, 2, 3, 3]).interval.width > 0.3


def test_weights_of_one_size_change_nothing():
    plain = cluster_rate(SCORES, SEEDS)
    weighted = cluster_rate(SCORES, SEEDS, [3.5] * 12)
    assert weighted.interval == pytest.approx(plain.interval, abs=1e-12)
    heavy = cluster_rate(SCORES, SEEDS, [1] * 4 + [0] * 8)
    assert heavy.estimate == 1


@st.composite
def clustered(draw, low=0):
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=15))
    values = draw(st.lists(st.integers(low, 1), min_size=sum(sizes), max_size=sum(sizes)))
    return np.array(values, dtype=float), np.repeat(np.arange(len(sizes)), sizes)


@given(clustered(), st.randoms(use_true_random=False), st.sampled_from([0.02, 0.1]))
def test_cluster_rate_laws(data, random, alpha):
    values, cluster = data
    at = cluster_rate(values, cluster, alpha=alpha)
    low, high = at.interval
    assert 0 <= low <= at.estimate <= high <= 1
    assert high > low
    mirror = cluster_rate(1 - values, cluster, alpha=alpha).interval
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at.interval, abs=1e-9)
    order = list(range(values.size))
    random.shuffle(order)
    permuted = cluster_rate(values[order], cluster[order], alpha=alpha)
    assert permuted.interval == pytest.approx(at.interval, abs=1e-9)
    wider = cluster_rate(values, cluster, alpha=alpha / 2).interval
    assert wider.low <= low + 1e-12
    assert wider.high >= high - 1e-12


@given(clustered(), st.sampled_from([2, 3]))
def test_duplicated_rows_of_clustered_data_change_nothing(data, times):
    values, cluster = np.repeat(data[0], 5), np.repeat(data[1], 5)
    at = cluster_rate(values, cluster)
    if 0 < at.se**2 < at.estimate * (1 - at.estimate) / values.size:
        return  # less spread than independent rows have: their number is the cap
    again = cluster_rate(np.repeat(values, times), np.repeat(cluster, times))
    assert again.interval == pytest.approx(at.interval, abs=1e-9)
    gate = cluster_clopper_pearson(values, cluster, side="upper")
    assert cluster_clopper_pearson(np.repeat(values, times), np.repeat(cluster, times), side="upper") == pytest.approx(
        gate, abs=1e-9
    )


def test_clean_gate_counts_seeds():
    cluster = np.repeat(np.arange(60), 5)
    got = cluster_clopper_pearson(np.zeros(300), cluster, side="upper")
    assert got == clopper_pearson(0, 60, side="upper")


def test_a_first_failure_never_helps():
    cluster = np.repeat(np.arange(100), 5)
    failures = np.zeros(500)
    clean = cluster_clopper_pearson(failures, cluster, side="upper").high
    failures[0] = 1
    assert cluster_clopper_pearson(failures, cluster, side="upper").high >= clean


@given(clustered())
def test_gate_at_effective_size_is_never_surer_than_independent_cases(data):
    values, cluster = data
    plain = clopper_pearson(values.sum(), values.size, side="upper")
    assert cluster_clopper_pearson(values, cluster, side="upper").high >= plain.high - 1e-9
    assert cluster_clopper_pearson([1.0, 0.0], ["a", "a"]) == Interval(0, 1)


def test_post_stratified_known_answer():
    got = post_stratify([45, 35], [50, 50], [0.7, 0.3])
    assert got.estimate == pytest.approx(0.84)
    assert got.se == pytest.approx(0.035857, abs=5e-7)
    assert got.interval == pytest.approx((0.75042, 0.89132), abs=5e-6)
    assert got.estimate - 1.959964 * got.se == pytest.approx(0.76972, abs=5e-6)
    assert got.estimate + 1.959964 * got.se == pytest.approx(0.91028, abs=5e-6)
    assert got.bounds == (got.estimate, got.estimate)
    assert got.n_eff == pytest.approx(1 / (0.49 / 50 + 0.09 / 50))


def test_empty_stratum_gives_bounds():
    got = post_stratify([9, 0], [10, 0], [0.8, 0.2])
    assert got.estimate is None
    assert got.bounds == pytest.approx((0.72, 0.92))
    assert got.interval.low < 0.72
    assert got.interval.high > 0.92
    assert post_stratify([9, 0], [10, 0], [1, 0]).estimate == pytest.approx(0.9)


def test_printed_missing_bounds():
    assert round(440 / 470, 4) == 0.9362  # what dropping the missing would say
    assert manski_bounds(440, 470, 30) == pytest.approx((0.88, 0.94))
    assert manski_bounds(0, 0, 0) == Interval(0, 1)
    assert manski_bounds(0, 0, 5) == Interval(0, 1)


@given(counts, st.integers(0, 500))
def test_missing_bounds_hold_the_scored_rate_mirror_and_nest(count, missing):
    k, n = count
    at = manski_bounds(k, n, missing)
    assert 0 <= at.low <= k / n <= at.high <= 1
    assert at.width == pytest.approx(missing / (n + missing))
    mirror = manski_bounds(n - k, n, missing)
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at, abs=1e-12)
    assert manski_bounds(k, n, missing + 1).width > at.width


def test_few_failures_take_the_effective_size():
    got = post_stratify([10, 10, 10], [10, 10, 10], [0.6, 0.3, 0.1])
    assert got.interval.low <= wilson(got.n_eff, got.n_eff).low
    sure = post_stratify([400, 200, 100], [400, 200, 101], [0.6, 0.3, 0.1])
    kish = wilson(sure.estimate * sure.n_eff, sure.n_eff)
    assert sure.interval.low == pytest.approx(min(sure.interval.low, kish.low))
    assert sure.interval.high >= kish.high


def test_strata_of_clusters_share_their_degrees_of_freedom():
    alone = cluster_rate(SCORES, SEEDS)
    shared = cluster_rate(SCORES, SEEDS, df=60)
    assert shared.n_eff > alone.n_eff
    assert shared.interval.width < alone.interval.width


def test_estimated_shares_widen():
    known = post_stratify([45, 35], [50, 50], [0.7, 0.3])
    counted = post_stratify([45, 35], [50, 50], [70, 30], traffic=100)
    extra = (0.7 * 0.81 + 0.3 * 0.49 - 0.84**2) / 100
    assert counted.se == pytest.approx(math.sqrt(known.se**2 + extra))
    assert counted.interval.low < known.interval.low
    assert counted.interval.high > known.interval.high


@given(st.lists(st.tuples(counts, st.floats(0.01, 1)), min_size=1, max_size=6))
def test_post_stratify_laws(strata):
    k = np.array([s[0][0] for s in strata])
    n = np.array([s[0][1] for s in strata])
    w = np.array([s[1] for s in strata])
    at = post_stratify(k, n, w)
    assert at.estimate is not None
    assert 0 <= at.interval.low <= at.estimate + 1e-12
    assert at.estimate - 1e-12 <= at.interval.high <= 1
    assert at.interval.width > 0
    mirror = post_stratify(n - k, n, w).interval
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at.interval, abs=1e-9)
    ends = [wilson(int(a), int(b)) for a, b in zip(k, n, strict=True)]
    if min(k.sum(), n.sum() - k.sum()) < 10:  # widened to the effective size
        return
    total, interval = combine_strata(
        np.clip(k / n, [e.low for e in ends], [e.high for e in ends]),
        [e.low for e in ends],
        [e.high for e in ends],
        w,
    )
    assert total == pytest.approx(at.estimate)
    assert np.clip(interval, 0, 1) == pytest.approx(at.interval, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cluster_rate([1, 2], ["a", "b"]), "^values must hold finite numbers from 0 to 1; got"),
        (lambda: cluster_rate([1, 0], ["a"]), "^cluster must hold 2 labels"),
        (lambda: cluster_rate([1, 0], ["a", "b"], [1]), "^weights must have 2 entries"),
        (lambda: cluster_rate([1, 0], ["a", "b"], [0, 0]), "^weights must not all be 0"),
        (lambda: cluster_rate([1, 0], ["a", "b"], [1, -1]), "^weights must hold finite numbers from 0"),
        (lambda: cluster_rate([1, 0], ["a", "b"], df=0), "^df must be a whole number of at least 1"),
        (lambda: cluster_rate([1, 0], ["a", "b"], icc=2), "^icc must be from 0 to 1; got 2"),
        (lambda: cluster_rate([[1]], ["a"]), "^values must have one dimension"),
        (lambda: cluster_rate([math.nan], ["a"]), "^values must hold finite"),
        (lambda: manski_bounds(3, 2, 1), "^k must be a count"),
        (lambda: manski_bounds(1, 2, -1), "^missing must be a count"),
        (lambda: post_stratify([], [], []), "^n must hold at least one stratum"),
        (lambda: post_stratify([3], [2], [1]), r"^k\[0\] must be a count"),
        (lambda: post_stratify([1], [2], [1], traffic=0), "^traffic must be a finite number above 0"),
        (lambda: combine_strata([], [], [], []), "^estimate must hold at least one"),
        (lambda: combine_strata([0.1], [0.2], [0.3], [1]), "^estimate must lie within"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
