"""Laws of the intervals that their own tests do not cover: mirror, permute, duplicate, nest, width, limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.stats import (
    ab_difference,
    betting_cs,
    bootstrap_ratings,
    bootstrap_t,
    cluster_bootstrap,
    cluster_clopper_pearson,
    cluster_rate,
    combine_strata,
    newcombe_paired,
    paired_cluster,
    post_stratify,
    ppi_mean,
    quantile_interval,
    rogan_gladen,
    sub_bernoulli_cs,
    tango_clustered,
    tango_without_each,
    two_phase,
)

Z = 1.959963984540054


@st.composite
def clustered(draw, low=0, high=1):
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=15))
    values = draw(st.lists(st.integers(low, high), min_size=sum(sizes), max_size=sum(sizes)))
    return np.array(values, dtype=float), np.repeat(np.arange(len(sizes)), sizes)


def shuffled(random, *columns):
    order = list(range(len(columns[0])))
    random.shuffle(order)
    return tuple(column[order] for column in columns)


def assert_holds(outer, inner, slack=1e-9):
    assert outer[0] <= inner[0] + slack
    assert outer[1] >= inner[1] - slack


chance = st.randoms(use_true_random=False)


@settings(max_examples=50)
@given(clustered(), chance, st.sampled_from(["two-sided", "lower", "upper"]))
def test_gate_on_clusters(data, random, side):
    values, cluster = data
    at = cluster_clopper_pearson(values, cluster, side=side)
    assert 0 <= at.low <= values.mean() <= at.high <= 1
    assert at.width > 0
    other = {"two-sided": "two-sided", "lower": "upper", "upper": "lower"}[side]
    mirror = cluster_clopper_pearson(1 - values, cluster, side=other)
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at, abs=1e-9)
    moved = shuffled(random, values, cluster)
    assert cluster_clopper_pearson(*moved, side=side) == pytest.approx(at, abs=1e-9)
    assert_holds(cluster_clopper_pearson(values, cluster, side=side, alpha=0.02), at)
    names = np.array([f"seed {g}" for g in cluster])
    assert cluster_clopper_pearson(values, names, side=side) == pytest.approx(at, abs=1e-9)


@pytest.mark.parametrize("clusters", [3, 10, 30, 1000])
@pytest.mark.parametrize("size", [1, 2, 5, 20])
def test_a_first_failure_never_helps_a_rate(clusters, size):
    cluster = np.repeat(np.arange(clusters), size)
    passed = np.ones(clusters * size)
    clean = cluster_rate(passed, cluster).interval.low
    passed[0] = 0
    assert cluster_rate(passed, cluster).interval.low < clean


@settings(max_examples=50)
@given(clustered(), st.sampled_from([2, 3]))
def test_duplicated_rows_keep_a_rate_and_its_error(data, times):
    values, cluster = data
    at = cluster_rate(values, cluster)
    again = cluster_rate(np.repeat(values, times), np.repeat(cluster, times))
    assert again.estimate == pytest.approx(at.estimate)
    if not math.isnan(at.se):
        assert again.se == pytest.approx(at.se, abs=1e-12)


strata = st.lists(
    st.tuples(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 1)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=50)
@given(strata, chance)
def test_strata(drawn, random):
    k, n = (np.array([s[0][i] for s in drawn], dtype=float) for i in (0, 1))
    w = np.array([s[1] for s in drawn])
    at = post_stratify(k, n, w)
    moved = post_stratify(*shuffled(random, k, n, w))
    assert moved.interval == pytest.approx(at.interval, abs=1e-9)
    assert post_stratify(k, n, 7 * w).interval == pytest.approx(at.interval, abs=1e-9)
    assert_holds(post_stratify(k, n, w, alpha=0.02).interval, at.interval)
    assert_holds(post_stratify(k, n, w, traffic=200).interval, at.interval)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1)), min_size=1))
def test_combined_strata(drawn):
    mid, down, up, w = (np.array(column) for column in zip(*drawn, strict=True))
    total, at = combine_strata(mid, mid - down, mid + up, w)
    assert at.low < total < at.high
    negated, mirror = combine_strata(-mid, -mid - up, -mid + down, w)
    assert negated == pytest.approx(-total, abs=1e-12)
    assert (-mirror.high, -mirror.low) == pytest.approx(at, abs=1e-9)
    backwards = combine_strata(mid[::-1], (mid - down)[::-1], (mid + up)[::-1], w[::-1])[1]
    assert backwards == pytest.approx(at, abs=1e-9)
    assert_holds(combine_strata(mid, mid - 2 * down, mid + 2 * up, w)[1], at)
    alone = combine_strata(mid[:1], (mid - down)[:1], (mid + up)[:1], w[:1])[1]
    assert alone == pytest.approx((mid[0] - down[0], mid[0] + up[0]))


@given(st.tuples(*[st.integers(0, 300)] * 4).filter(any))
def test_newcombe_nests(table):
    assert_holds(newcombe_paired(*table, alpha=0.02), newcombe_paired(*table))


@settings(max_examples=50)
@given(clustered(low=-1), chance, st.floats(0.05, 1))
def test_paired_means_do_not_know_the_order_of_rows(data, random, scale):
    d, cluster = data[0] * scale, data[1]
    moved = shuffled(random, d, cluster)
    assert paired_cluster(*moved).interval == pytest.approx(paired_cluster(d, cluster).interval, abs=1e-9)


@settings(max_examples=25)
@given(clustered(low=-1), chance)
def test_leaving_out_each(data, random):
    d, cluster = data
    low, high = tango_without_each(d, cluster)
    assert np.all((low >= -1) & (high <= 1) & (high > low))
    mirror_low, mirror_high = tango_without_each(-d, cluster)
    assert (-mirror_high) == pytest.approx(low, abs=1e-9)
    assert (-mirror_low) == pytest.approx(high, abs=1e-9)
    moved = tango_without_each(*shuffled(random, d, cluster))
    assert (moved[0], moved[1]) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))
    wide = tango_without_each(d, cluster, alpha=0.01)
    assert np.all((wide[0] <= low + 1e-9) & (wide[1] >= high - 1e-9))


@settings(max_examples=15)
@given(clustered(low=-1), chance)
def test_bootstraps(data, random):
    d, cluster = data
    d = d + 0.01 * np.arange(d.size)  # costs, no two alike

    def of_rows(alpha=0.05, values=d):
        return cluster_bootstrap(lambda rows: float(values[rows].mean()), cluster, alpha=alpha, draws=200)

    at = bootstrap_t(d, cluster, draws=199)
    moved = bootstrap_t(*shuffled(random, d, cluster), draws=199)
    assert moved == pytest.approx(at, abs=1e-9)
    mirror = bootstrap_t(-d, cluster, draws=199)
    assert (-mirror.high, -mirror.low) == pytest.approx(at, abs=1e-9)
    assert bootstrap_t(np.repeat(d, 3), np.repeat(cluster, 3), draws=199) == pytest.approx(at, abs=1e-9)
    assert_holds(bootstrap_t(d, cluster, alpha=0.02, draws=199), at)
    assert at.width > 1e-6
    if np.unique(cluster).size < 4:  # too few to resample: most draws take one cluster only
        assert math.isinf(at.width)
    assert_holds(of_rows(alpha=0.02), of_rows())
    negated = of_rows(values=-d)
    assert (-negated.high, -negated.low) == pytest.approx(of_rows(), abs=1e-9)


@given(st.integers(0, 10_000), st.floats(0.02, 0.98))
def test_labels_beside_a_judge_nest(seed, rate):
    rng = np.random.default_rng(seed)
    truth = (rng.random(300) < rate).astype(float)
    judge = np.where(rng.random(300) < 0.85, truth, 1 - truth)
    at = ppi_mean(truth[:60], judge[:60], judge[60:])
    assert_holds(ppi_mean(truth[:60], judge[:60], judge[60:], alpha=0.02).interval, at.interval)
    other = ppi_mean(truth[:60], judge[:60], rng.permutation(judge[60:]))
    assert other.interval == pytest.approx(at.interval, abs=1e-9)


@given(st.integers(40, 460), st.integers(0, 40), st.integers(0, 40))
def test_two_phases_nest_and_keep_a_width(passed, good, bad):
    at = two_phase(passed, 500, good, 40, bad, 40)
    assert at.interval.width > 0
    assert_holds(two_phase(passed, 500, good, 40, bad, 40, alpha=0.02).interval, at.interval)


def test_corrected_rates_reach_their_limit():
    # with so many labels only the sampling of the judged cases is left: the correction is linear
    k, n, se, sp = 850_000, 1_000_000, 0.95, 0.80
    slope = 1 / (se + sp - 1)
    got = rogan_gladen(k, n, se * 1e9, 1e9, sp * 1e9, 1e9)
    half = Z * math.sqrt(0.85 * 0.15 / n) * slope
    centre = (0.85 + sp - 1) * slope
    assert got.interval == pytest.approx((centre - half, centre + half), abs=1e-5)
    two = two_phase(850_000, n, 0.96 * 850_000, 850_000, 0.3 * 150_000, 150_000)
    middle, spread = 0.85 * 0.96 + 0.15 * 0.3, 0.85 * 0.96 * 0.04 + 0.15 * 0.3 * 0.7 + 0.85 * 0.15 * 0.66**2
    half = Z * math.sqrt(spread / n)
    assert two.interval == pytest.approx((middle - half, middle + half), abs=1e-5)
    rng = np.random.default_rng(3)
    truth = (rng.random(200_000) < 0.8).astype(float)
    judge = np.where(rng.random(200_000) < 0.9, truth, 1 - truth)
    ppi = ppi_mean(truth[:20_000], judge[:20_000], judge[20_000:])
    assert ppi.interval == pytest.approx(ppi.normal, abs=2e-4)


def test_clustered_limits():
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(20_000), 5)
    failed = (rng.random(100_000) < rng.beta(1, 9, 20_000)[cluster]).astype(float)
    at = cluster_rate(failed, cluster)
    gate = cluster_clopper_pearson(failed, cluster)
    assert gate == pytest.approx((at.estimate - Z * at.se, at.estimate + Z * at.se), abs=3e-4)
    strata = post_stratify([450_000, 350_000], [500_000, 500_000], [0.7, 0.3])
    assert strata.estimate is not None
    ends = strata.estimate - Z * strata.se, strata.estimate + Z * strata.se
    assert strata.interval == pytest.approx(ends, abs=1e-5)
    d = failed - (rng.random(100_000) < 0.1)
    mean = paired_cluster(d, cluster).interval
    assert bootstrap_t(d, cluster, draws=400) == pytest.approx(mean, abs=3e-4)
    assert tango_clustered(d, cluster) == pytest.approx(mean, abs=1e-4)


counts = st.integers(1, 3_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_live_arms_relabel_and_nest(one, two):
    at = ab_difference(*one, *two).interval
    relabelled = ab_difference(one[1] - one[0], one[1], two[1] - two[0], two[1]).interval
    assert (-relabelled.high, -relabelled.low) == pytest.approx(at, abs=1e-12)
    assert_holds(ab_difference(*one, *two, alpha=0.01).interval, at)


def test_anytime_intervals_close_in_on_the_truth():
    widths = [ab_difference(0.87 * n, n, 0.9 * n, n).interval.width for n in (1_000, 100_000, 10_000_000)]
    assert widths[0] > 5 * widths[1] > 25 * widths[2] > 0
    tight = [sub_bernoulli_cs(0.7 * n, n, t_opt=n).width / (2 * Z * math.sqrt(0.21 / n)) for n in (10_000, 1_000_000)]
    assert tight == pytest.approx([1.549, 1.549], abs=0.01)  # the known price of looking at any time
    x = np.tile([1.0, 1.0, 1.0, 0.0], 1500)
    low, high = betting_cs(x, grid=500)
    assert low[-1] <= 0.75 <= high[-1]
    assert high[-1] - low[-1] < 0.06


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=80))
def test_bets_nest_and_never_lose_their_width(x):
    low, high = betting_cs(x, grid=100)
    wide_low, wide_high = betting_cs(x, grid=100, alpha=0.01)
    assert np.all(wide_low <= low + 1e-9)
    assert np.all(wide_high >= high - 1e-9)
    assert np.all((low >= 0) & (high <= 1))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200), st.floats(0.05, 0.95), chance)
def test_quantiles_mirror_and_do_not_know_the_order(values, q, random):
    x = np.array(values)
    at = quantile_interval(x, q)
    assert quantile_interval(*shuffled(random, x), q) == at
    mirror = quantile_interval(-x, 1 - q)
    assert_holds(at, (-mirror.high, -mirror.low), slack=np.ptp(x))
    assert_holds(quantile_interval(x, q, alpha=0.01), at)


def test_resampled_ratings_nest_and_do_not_know_the_order():
    rng = np.random.default_rng(12)
    first, second = np.tile([0, 0, 1], 60), np.tile([1, 2, 2], 60)
    won = (rng.random(180) < 0.6).astype(float)
    case = np.repeat(np.arange(60), 3)
    at = bootstrap_ratings(first, second, won, case, draws=200)
    order = rng.permutation(180)
    moved = bootstrap_ratings(first[order], second[order], won[order], case[order], draws=200)
    assert moved.low == pytest.approx(at.low)
    swapped = bootstrap_ratings(second, first, 1 - won, case, draws=200)
    assert swapped.high == pytest.approx(at.high)
    wide = bootstrap_ratings(first, second, won, case, draws=200, alpha=0.01)
    assert np.all((wide.low <= at.low) & (wide.high >= at.high))
    assert np.all(at.high[1:] > at.low[1:])
