"""Two arms on different cases, variance components and resampling."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from seatrial.stats import (
    Interval,
    bootstrap_t,
    cluster_bootstrap,
    jackknife,
    miettinen_nurminen,
    miettinen_nurminen_z,
    newcombe_unpaired,
    paired_cluster,
    variance_components,
)

arms = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_printed_differences():
    assert newcombe_unpaired(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert newcombe_unpaired(7, 34, 1, 34) == pytest.approx((0.0189, 0.3404), abs=5e-5)
    assert newcombe_unpaired(5, 56, 0, 29) == pytest.approx((-0.0381, 0.1926), abs=5e-5)
    assert miettinen_nurminen(56, 70, 48, 80) == pytest.approx((0.0528, 0.3382), abs=5e-5)
    assert miettinen_nurminen(7, 34, 1, 34) == pytest.approx((0.0270416, 0.3452912), abs=5e-8)
    assert miettinen_nurminen(5, 56, 0, 29) == pytest.approx((-0.0326, 0.1933), abs=5e-5)


def test_before_and_after_a_cutoff():
    assert newcombe_unpaired(450, 500, 410, 500) == pytest.approx((0.0371, 0.1230), abs=6e-5)
    assert miettinen_nurminen(450, 500, 410, 500) == pytest.approx((0.0373, 0.1233), abs=6e-5)
    pooled = miettinen_nurminen_z(450, 500, 410, 500, 0.0) * math.sqrt(1000 / 999)
    assert pooled == pytest.approx(3.645, abs=5e-4)
    assert 0.5 * math.erfc(pooled / math.sqrt(2)) == pytest.approx(0.000133, abs=1e-6)


@given(arms, arms)
def test_newcombe_agrees_with_statsmodels(one, two):
    want = confint_proportions_2indep(*one, *two, method="newcomb", compare="diff")
    assert newcombe_unpaired(*one, *two) == pytest.approx(want, abs=1e-9)


@pytest.mark.parametrize("method", [newcombe_unpaired, miettinen_nurminen])
@given(one=arms, two=arms, alpha=st.floats(0.01, 0.4))
def test_laws_of_unpaired_differences(method, one, two, alpha):
    at = method(*one, *two, alpha=alpha)
    estimate = one[0] / one[1] - two[0] / two[1]
    assert -1 <= at.low <= estimate + 1e-12
    assert estimate - 1e-12 <= at.high <= 1
    assert at.width > 0
    swapped = method(*two, *one, alpha=alpha)
    assert (-swapped.high, -swapped.low) == pytest.approx(at, abs=1e-9)
    relabelled = method(one[1] - one[0], one[1], two[1] - two[0], two[1], alpha=alpha)
    assert (-relabelled.high, -relabelled.low) == pytest.approx(at, abs=1e-7)
    wider = method(*one, *two, alpha=alpha / 2)
    assert wider.low <= at.low + 1e-12
    assert wider.high >= at.high - 1e-12


@given(arms, arms)
def test_miettinen_nurminen_inverts_its_statistic(one, two):
    at = miettinen_nurminen(*one, *two, alpha=0.1)
    if at.low > -0.99:
        assert miettinen_nurminen_z(*one, *two, at.low) == pytest.approx(1.6448536, abs=1e-4)
    if at.high < 0.99:
        assert miettinen_nurminen_z(*one, *two, at.high) == pytest.approx(-1.6448536, abs=1e-4)


def test_wald_limit_of_unpaired_differences():
    half = 1.959964 * math.sqrt((0.09 + 0.16) / 500_000)
    for method in (newcombe_unpaired, miettinen_nurminen):
        got = method(450_000, 500_000, 400_000, 500_000)
        assert got == pytest.approx((0.1 - half, 0.1 + half), abs=1e-5)


def test_edges_of_unpaired_differences():
    assert miettinen_nurminen(0, 0, 3, 5) == Interval(-1, 1)
    assert newcombe_unpaired(0, 0, 0, 0) == Interval(-1, 1)
    assert miettinen_nurminen(9, 10, 3, 10).low > 0
    assert miettinen_nurminen(5, 5, 0, 5).high == pytest.approx(1)
    assert miettinen_nurminen_z(1, 2, 2, 4, 0.0) == 0


EPOCHS = [[int(x) for x in row] for row in ["1111", "1101", "0010", "1111", "0000", "1011"]]


def test_variance_components_known_answer():
    got = variance_components(EPOCHS)
    assert got.mean == 0.625
    assert got.se == pytest.approx(0.167705, abs=5e-7)
    assert (got.between, got.within) == pytest.approx((0.1375, 0.125))
    assert got.icc == pytest.approx(0.52381, abs=5e-6)
    assert 4 * got.se**2 * 6 == pytest.approx(0.675)  # between cases mean square
    assert np.std(EPOCHS, ddof=1) / math.sqrt(24) == pytest.approx(0.100947, abs=5e-7)  # the wrong one


def test_epochs_shrink_only_the_variance_within():
    share = [(1 / 9 + 1 / 6 / k) / (1 / 9 + 1 / 6) for k in (2, 4, 8, math.inf)]
    assert share == pytest.approx([0.70, 0.55, 0.475, 0.40])


def test_unequal_epochs_weigh_cases_alike():
    got = variance_components([[1, 0, math.nan], [1, 1, 1], [0, math.nan, math.nan]])
    assert got.mean == pytest.approx((0.5 + 1 + 0) / 3)
    assert got.within == pytest.approx((0.5 + 0) / 2)
    flat = variance_components([[1, 1], [1, 1]])
    assert (flat.between, flat.within, flat.se) == (0, 0, 0)
    assert math.isnan(flat.icc)


def test_jackknife_finds_the_cluster_that_moves_most():
    got = jackknife([1, 1, 0, 0, 0.9, 1], ["a", "a", "b", "b", "c", "c"])
    assert got.estimate == pytest.approx(0.65)
    assert got.means == pytest.approx([0.475, 0.975, 0.5])
    assert got.most == 1
    assert got.shift == pytest.approx(0.325)


@given(st.integers(0, 10_000))
def test_jackknife_of_equal_clusters_is_the_robust_error(seed):
    d = np.random.default_rng(seed).uniform(-1, 1, 40)
    cluster = np.repeat(np.arange(10), 4)
    assert jackknife(d, cluster).se == pytest.approx(paired_cluster(d, cluster).se, rel=1e-9)


def test_bootstraps_are_seeded_and_close_to_the_t_interval():
    rng = np.random.default_rng(7)
    values, cluster = rng.normal(0, 0.2, 400), np.repeat(np.arange(100), 4)
    t = paired_cluster(values, cluster, limits=(-9, 9)).interval
    for at in (
        bootstrap_t(values, cluster, seed=1),
        cluster_bootstrap(lambda rows: float(values[rows].mean()), cluster, seed=1, draws=4000),
    ):
        assert at == pytest.approx(t, abs=0.004)
    assert bootstrap_t(values, cluster, seed=3) == bootstrap_t(values, cluster, seed=3)
    assert bootstrap_t(values, cluster, seed=3) != bootstrap_t(values, cluster, seed=4)


def test_bootstrap_edges():
    nothing = Interval(-math.inf, math.inf)
    assert bootstrap_t([1, 2], ["a", "a"]) == nothing
    assert bootstrap_t([2, 2], ["a", "b"]) == nothing
    assert bootstrap_t([], []) == nothing
    assert cluster_bootstrap(lambda rows: float(rows.size), ["a", "a"]) == nothing
    assert cluster_bootstrap(lambda _: math.nan, ["a", "b"]) == nothing


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: miettinen_nurminen(3, 2, 1, 2), "^k1 must be a count"),
        (lambda: newcombe_unpaired(1, 2, 1, -2), "^n2 must be a count"),
        (lambda: miettinen_nurminen_z(0, 0, 1, 2, 0), "^n1 must be a finite number above 0"),
        (lambda: miettinen_nurminen_z(1, 2, 1, 2, 1), "^delta0 must be"),
        (lambda: variance_components([1, 2]), "^scores must have two dimensions"),
        (lambda: variance_components([[1], [2]]), "^scores must have one epoch a case and two"),
        (lambda: variance_components([[1, math.inf], [2, 1]]), "^scores must be finite or NaN"),
        (lambda: jackknife([1, 2], ["a", "a"]), "^cluster must name at least 2 clusters"),
        (lambda: cluster_bootstrap(float, [1, 2], draws=3), "^draws must be a whole number of at least 100"),
        (lambda: bootstrap_t([math.nan], [1]), "^values must hold finite"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
