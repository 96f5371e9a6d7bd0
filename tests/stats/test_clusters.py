"""Paired comparison of clustered cases."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.stats import (
    Interval,
    clustered_tango,
    paired_cluster,
    tango,
    tango_clustered,
    tango_clustered_p,
    tango_without_each,
    tango_z,
)
from seatrial.stats.clusters import measured_effect

# Psychiatry data of Donner and Petryshen: cases, candidate-only and incumbent-only passes per cluster
N = [7, 6, 7, 6, 4, 6, 5, 8, 4, 7, 3, 6, 7, 6, 5, 4, 6, 5, 4, 3, 5, 4, 4, 2, 3, 2, 2, 3, 1]
B = [0, 1, 1, 1, 0, 3, 3, 3, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0]
C = [4, 2, 3, 2, 1, 3, 0, 2, 2, 4, 2, 4, 3, 2, 1, 3, 1, 2, 0, 0, 0, 2, 1, 2, 2, 0, 0, 1, 1]


def psychiatry():
    d = [x for n, b, c in zip(N, B, C, strict=True) for x in [1] * b + [-1] * c + [0] * (n - b - c)]
    return np.array(d, dtype=float), np.repeat(np.arange(29), N)


def test_psychiatry():
    d, cluster = psychiatry()
    got = paired_cluster(d, cluster)
    assert got.estimate == pytest.approx(-0.214815, abs=5e-7)
    assert got.se == pytest.approx(0.067291, abs=5e-7)
    assert math.sqrt(np.sum((d - d.mean()) ** 2)) / d.size == pytest.approx(0.059615, abs=5e-7)
    sums = np.bincount(cluster, weights=d)
    assert 28 / 29 * sums.sum() ** 2 / np.sum(sums**2) == pytest.approx(7.19, abs=0.005)
    rates = sums / np.bincount(cluster)
    assert rates.sum() ** 2 / np.sum(rates**2) == pytest.approx(7.542, abs=0.0005)
    assert tango_z(21, 50, 135, 0.0) ** 2 == pytest.approx(11.8451, abs=5e-5)  # rows as if independent
    within = np.sum((sums - np.bincount(cluster) * got.estimate) ** 2)
    yang = 28 / 29 * sums.sum() ** 2 / ((within + np.sum(sums**2)) / 2)
    assert yang == pytest.approx(8.43, abs=0.005)
    assert within == pytest.approx(got.se**2 * 135**2 * 28 / 29)


def test_effective_size_follows_its_definition():
    d, cluster = psychiatry()
    got = clustered_tango(d, cluster)
    effect = (0.06729086210864797 / 0.059614845358567745) ** 2
    factor = effect * (2.048407142 / 1.959963985) ** 2
    assert got.design_effect == pytest.approx(effect, rel=1e-6)
    assert got.deflation == pytest.approx(factor, rel=1e-6)
    assert (got.b, got.c, got.n) == (21, 50, 135)
    assert got.interval == pytest.approx(tango(21 / factor, 50 / factor, 135 / factor), abs=1e-7)
    assert (got.n_clusters, got.n_discordant_clusters, got.piled_up) == (29, 27, False)


def test_constant_differences_count_clusters():
    cluster = np.repeat(np.arange(20), 3)
    assert tango_clustered(np.zeros(60), cluster) == pytest.approx(tango(0, 0, 20), abs=1e-12)
    assert tango_clustered(np.ones(60), cluster) == pytest.approx(tango(20, 0, 20), abs=1e-12)
    got = paired_cluster(np.zeros(60), cluster)
    assert got.interval == pytest.approx(tango(0, 0, 20), abs=1e-9)
    assert paired_cluster(np.ones(60), cluster).interval == pytest.approx(tango(20, 0, 20), abs=1e-9)
    assert paired_cluster(np.full(60, 0.1), cluster).interval.width > 0.1
    free = paired_cluster(np.full(6, 2.0), [1, 1, 2, 2, 3, 3], limits=(-math.inf, math.inf))
    assert free.interval == Interval(-math.inf, math.inf)


def test_edges():
    assert tango_clustered([], []) == Interval(-1, 1)
    assert math.isnan(clustered_tango([], []).estimate)
    assert tango_clustered([1, 0, -1], ["a", "a", "a"]) == Interval(-1, 1)
    assert tango_clustered_p([1, 0], ["a", "a"], 0, tail="less") == 1
    assert paired_cluster([0.5, 0.1], ["a", "a"]).interval == Interval(-1, 1)
    assert paired_cluster([], []).interval == Interval(-1, 1)
    two = tango_clustered([0, 0], ["a", "b"])
    assert -1 < two.low < two.high < 1


def test_many_clusters_reach_the_robust_wald_limit():
    rng = np.random.default_rng(9)
    cluster = np.repeat(np.arange(20_000), 5)
    lost = (rng.random(20_000) < 0.2)[cluster] & (rng.random(100_000) < 0.4)
    d = np.where(lost, -1.0, np.where(rng.random(100_000) < 0.06, 1.0, 0.0))
    mean = paired_cluster(d, cluster)
    assert tango_clustered(d, cluster) == pytest.approx(mean.interval, abs=1e-4)
    assert mean.interval == pytest.approx(
        (mean.estimate - 1.959964 * mean.se, mean.estimate + 1.959964 * mean.se), abs=1e-5
    )


def test_single_cases_are_nearly_tango():
    d = np.array([1] * 30 + [-1] * 40 + [0] * 930, dtype=float)
    alone = tango_clustered(d, np.arange(1000))
    assert alone == pytest.approx(tango(30, 40, 1000), abs=1e-4)


def test_piled_up_losses_are_flagged():
    d = np.zeros(500)
    cluster = np.repeat(np.arange(100), 5)
    d[:15] = -1
    got = clustered_tango(d, cluster)
    assert got.losing_clusters == pytest.approx(3)
    assert got.piled_up
    d = np.zeros(500)
    d[::20] = -1
    assert clustered_tango(d, cluster).piled_up  # 25 clusters, but nothing won
    d[1::50] = 1
    assert not clustered_tango(d, cluster).piled_up
    assert not clustered_tango(np.zeros(500), cluster).piled_up


@pytest.mark.parametrize("clusters", [5, 30, 100, 1000])
@pytest.mark.parametrize("size", [2, 5, 20])
def test_a_first_loss_never_helps(clusters, size):
    cluster = np.repeat(np.arange(clusters), size)
    d = np.zeros(clusters * size)
    identical = tango_clustered(d, cluster, alpha=0.1).low
    d[0] = -1
    assert tango_clustered(d, cluster, alpha=0.1).low < identical
    assert tango(0, 1, d.size, alpha=0.1).low > identical  # what counting rows would claim


def test_leaving_out_each_cluster_is_the_same_as_dropping_its_rows():
    d, cluster = psychiatry()
    low, high = tango_without_each(d, cluster)
    for g in range(29):
        rest = cluster != g
        assert (low[g], high[g]) == pytest.approx(tango_clustered(d[rest], cluster[rest]), abs=1e-12)
    low, high = tango_without_each([1, 0, 0, 1, 1, -1], [1, 1, 2, 2, 3, 3])
    assert low[0] == pytest.approx(tango_clustered([0, 1, 1, -1], [2, 2, 3, 3]).low)
    assert tango_without_each([1, 0], ["a", "b"])[0] == pytest.approx([-1, -1])


@st.composite
def differences(draw):
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=15))
    values = draw(st.lists(st.integers(-1, 1), min_size=sum(sizes), max_size=sum(sizes)))
    return np.array(values, dtype=float), np.repeat(np.arange(len(sizes)), sizes)


@settings(max_examples=40)
@given(differences(), st.randoms(use_true_random=False), st.sampled_from([0.02, 0.1]))
def test_tango_clustered_laws(data, random, alpha):
    d, cluster = data
    at = tango_clustered(d, cluster, alpha=alpha)
    assert -1 <= at.low <= d.mean() + 1e-12
    assert d.mean() - 1e-12 <= at.high <= 1
    assert at.width > 0
    mirror = tango_clustered(-d, cluster, alpha=alpha)
    assert (-mirror.high, -mirror.low) == pytest.approx(at, abs=1e-9)
    order = list(range(d.size))
    random.shuffle(order)
    assert tango_clustered(d[order], cluster[order], alpha=alpha) == pytest.approx(at, abs=1e-9)
    wider = tango_clustered(d, cluster, alpha=alpha / 2)
    assert wider.low <= at.low + 1e-12
    assert wider.high >= at.high - 1e-12
    plain = tango(float(np.sum(d > 0)), float(np.sum(d < 0)), d.size, alpha=alpha)
    assert at.low <= plain.low + 1e-12
    assert at.high >= plain.high - 1e-12


@settings(max_examples=40)
@given(differences(), st.sampled_from([2, 3]))
def test_duplicated_rows_of_clustered_data_change_nothing(data, times):
    d, cluster = data
    per_cluster = [np.bincount(cluster, weights=w) for w in (d > 0, d < 0, np.ones(d.size))]
    if measured_effect(*per_cluster)[0] > 1 or d.min() == d.max():
        at = tango_clustered(d, cluster)
        again = tango_clustered(np.repeat(d, times), np.repeat(cluster, times))
        assert again == pytest.approx(at, abs=1e-9)
    mean = paired_cluster(d, cluster).interval
    assert paired_cluster(np.repeat(d, times), np.repeat(cluster, times)).interval == pytest.approx(mean, abs=1e-9)


@settings(max_examples=40)
@given(differences())
def test_p_value_agrees_with_the_interval(data):
    d, cluster = data
    at = tango_clustered(d, cluster, alpha=0.1)
    for delta in (-0.4, -0.03, 0.0, 0.25):
        above = tango_clustered_p(d, cluster, delta, tail="greater")
        below = tango_clustered_p(d, cluster, delta, tail="less")
        assert above + below == pytest.approx(1)
        if abs(at.low - delta) > 1e-6:
            assert (above < 0.05) == (at.low > delta)
        if abs(at.high - delta) > 1e-6:
            assert (below < 0.05) == (at.high < delta)


@settings(max_examples=40)
@given(differences(), st.sampled_from([0.02, 0.1]), st.floats(0.05, 1))
def test_paired_cluster_laws(data, alpha, scale):
    d, cluster = data[0] * scale, data[1]
    at = paired_cluster(d, cluster, alpha=alpha)
    assert -1 <= at.interval.low <= at.estimate + 1e-12
    assert at.estimate - 1e-12 <= at.interval.high <= 1
    assert at.interval.width > 0
    mirror = paired_cluster(-d, cluster, alpha=alpha).interval
    assert (-mirror.high, -mirror.low) == pytest.approx(at.interval, abs=1e-9)
    wider = paired_cluster(d, cluster, alpha=alpha / 2).interval
    assert wider.low <= at.interval.low + 1e-12
    assert wider.high >= at.interval.high - 1e-12
    weighted = paired_cluster(d, cluster, np.full(d.size, 2.5), alpha=alpha).interval
    assert weighted == pytest.approx(at.interval, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tango_clustered([0.5], ["a"]), "^d must hold only −1, 0 and 1; got .*0.5"),
        (lambda: tango_clustered([2], ["a"]), "^d must hold finite numbers from -1 to 1"),
        (lambda: tango_clustered([1, 0], ["a"]), "^cluster must hold 2 labels"),
        (lambda: tango_clustered([1, 0], ["a", "b"], alpha=0), "^alpha must be"),
        (lambda: tango_clustered_p([1], ["a"], 2, tail="less"), "^delta0 must be"),
        (lambda: tango_clustered_p([1], ["a"], 0, tail="x"), "^tail must be"),
        (lambda: paired_cluster([1], ["a"], limits=(1, 1)), "^limits must be"),
        (lambda: paired_cluster([3], ["a"]), "^d must hold finite numbers"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
