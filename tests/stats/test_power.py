"""Sample sizes, multiplicity and quantile intervals: known answers and laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import power_proportions_2indep

from seatrial.stats import (
    benjamini_hochberg,
    benjamini_yekutieli,
    clopper_pearson,
    design_effect,
    holm,
    hommel,
    mde_paired,
    mde_unpaired,
    n_graded,
    n_noninferior,
    n_paired,
    n_unpaired,
    n_zero_failures,
    power_paired,
    power_unpaired,
    quantile_interval,
    quantile_ranks,
)

PSI = (0.05, 0.08, 0.10, 0.15, 0.20, 0.30)


def test_printed_sizes_for_a_three_point_drop():
    assert [n_paired(0.03, psi) for psi in PSI] == [434, 696, 870, 1306, 1742, 2614]
    assert [n_paired(0.03, psi, sides=1) for psi in PSI] == [342, 548, 685, 1029, 1372, 2059]
    assert [n_noninferior(psi, 0.03) for psi in PSI] == [344, 550, 687, 1031, 1374, 2061]


def test_joint_power_of_six_rubrics():
    assert n_noninferior(0.10, 0.03, power=0.8 ** (1 / 6)) == 1314
    assert n_noninferior(0.15, 0.03, power=0.8 ** (1 / 6)) == 1970


MDE = {
    100: (None, 8.8, 10.7, 12.4, 15.2),
    200: (4.4, 6.2, 7.6, 8.8, 10.8),
    300: (3.6, 5.1, 6.2, 7.2, 8.8),
    500: (2.8, 4.0, 4.8, 5.6, 6.8),
    750: (2.3, 3.2, 4.0, 4.6, 5.6),
    1000: (2.0, 2.8, 3.4, 4.0, 4.8),
    1500: (1.6, 2.3, 2.8, 3.2, 4.0),
    2000: (1.4, 2.0, 2.4, 2.8, 3.4),
    2500: (1.3, 1.8, 2.2, 2.5, 3.1),
}


@pytest.mark.parametrize(("n", "points"), MDE.items())
def test_printed_detectable_differences(n, points):
    got = [mde_paired(n, psi) for psi in (0.05, 0.10, 0.15, 0.20, 0.30)]
    assert [None if x is None else round(100 * x, 1) for x in got] == list(points)


def test_published_examples():
    # MESS (p = .05, odds 9) prints 22 and 17, rounded; the sizes are 22.01 and 17.02
    assert (n_paired(0.4, 0.5), n_paired(0.4, 0.5, sides=1)) == (23, 18)
    assert mde_paired(22, 0.5) == pytest.approx(0.4, abs=1e-3)
    assert mde_paired(17, 0.5, sides=1) == pytest.approx(0.4, abs=2e-3)


def test_printed_exact_power():
    # MESS: n = 144, p = .25, odds 1.8, exact, one-sided .025
    assert power_paired(0.25, 0.45, 144, alpha=0.025, sides=1) == pytest.approx(0.8009, abs=5e-5)
    assert power_paired(0.065, 0.035, 860) == pytest.approx(0.770, abs=5e-4)
    assert power_paired(0.065, 0.035, 860, mid_p=True) == pytest.approx(0.799, abs=5e-4)
    assert power_paired(0.065, 0.035, 920) == pytest.approx(0.80, abs=5e-4)
    assert power_paired(0.05, 0.05, 200) < 0.05
    assert power_paired(0, 0, 10) == 0
    assert power_paired(0.5, 0.0, 40) == pytest.approx(1, abs=1e-3)


def test_printed_sizes_for_different_cases():
    assert [n_unpaired(p - 0.03, p) for p in (0.95, 0.9, 0.8, 0.7)] == [1059, 1774, 2943, 3763]
    points = {100: (15.0, 17.9), 200: (10.0, 12.3), 300: (7.9, 9.9), 500: (5.9, 7.5), 750: (4.8, 6.1)}
    points |= {1000: (4.1, 5.2), 1500: (3.3, 4.2), 2000: (2.8, 3.7), 2500: (2.5, 3.3)}
    for n, printed in points.items():
        got = tuple(round(100 * mde_unpaired(n, p), 1) for p in (0.9, 0.8))
        assert got == printed
    assert mde_unpaired(2, 0.9) is None


@pytest.mark.parametrize(("ratio", "total"), [pytest.param(9, 9471, id="10%"), pytest.param(19, 17847, id="5%")])
def test_printed_requests_for_a_share_of_live_traffic(ratio, total):
    # printed before rounding up to whole cases: 947 for the candidate, 8,524 for the incumbent at 10%
    exactly = total / (ratio + 1)
    assert n_unpaired(0.87, 0.90, ratio=ratio) == math.ceil(exactly)
    for n, enough in ((exactly - 0.5 / (ratio + 1), False), (exactly + 0.5 / (ratio + 1), True)):
        assert (power_unpaired(0.87, 0.90, n, ratio=ratio, sides=2) >= 0.8) == enough
    if ratio == 9:
        assert (int(exactly), round(9 * exactly)) == (947, 8524)


def test_statas_power():
    # `power twoproportions .015 .001, n(1100)`: both directions of the score test count
    assert power_unpaired(0.001, 0.015, 550) == pytest.approx(0.7415600, abs=5e-8)
    assert power_unpaired(0.001, 0.015, 550, alpha=0.025, sides=1) == pytest.approx(0.7415576, abs=5e-8)


@settings(max_examples=30)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.integers(10, 2_000), st.floats(1, 9))
def test_unpaired_power_laws(p1, p2, n, ratio):
    got = power_unpaired(p1, p2, n, ratio=ratio)
    assert 0 < got <= 1
    assert power_unpaired(1 - p1, 1 - p2, n, ratio=ratio) == pytest.approx(got, abs=1e-9)
    assert power_unpaired(p1, p1, n, ratio=ratio) == pytest.approx(0.05)
    assert power_unpaired(p1, p2, n) == pytest.approx(power_unpaired(p2, p1, n), abs=1e-9)
    theirs = power_proportions_2indep(p1 - p2, p2, n, ratio=ratio, return_results=False)
    assert got == pytest.approx(theirs, abs=1e-9)
    if abs(p1 - p2) > 0.01:
        size = n_unpaired(p1, p2, ratio=ratio)
        assert power_unpaired(p1, p2, size, ratio=ratio) >= 0.8 - 1e-9


def test_printed_sizes_for_graded_scores():
    assert n_graded(0.03, 1 / 9, 0) == 969
    assert n_graded(0.03, 1 / 9, 1 / 6) == 3876
    assert n_graded(0.03, 1 / 9, 1 / 6, epochs=10) == 1260
    assert n_graded(0.1327, 1 / 9, 1 / 6) == pytest.approx(198, abs=1)
    assert n_graded(0.0757, 1 / 9, 1 / 6, epochs=10) == pytest.approx(198, abs=1)


def test_uncorrected_rubrics_raise_false_alarms():
    assert round(0.8**6, 2) == 0.26  # six rubrics that each pass with chance .8, if independent
    assert [round(1 - 0.95**r, 3) for r in (6, 10, 20)] == [0.265, 0.401, 0.642]


@given(st.floats(0.01, 0.3), st.floats(0.3, 1), st.floats(0.5, 0.99))
def test_size_and_detectable_difference_are_inverse(delta, psi, power):
    n = n_paired(delta, psi, power=power)
    found = mde_paired(n, psi, power=power)
    assert found is not None
    assert found <= delta * (1 + 1e-9)
    if n > 1:
        before = mde_paired(n - 1, psi, power=power)
        assert before is None or before >= delta * (1 - 1e-9)


def test_clusters_inflate():
    assert design_effect(5, 0.2) == pytest.approx(1.8)
    assert n_paired(0.03, 0.1, deff=2) in {2 * 870 - 1, 2 * 870}
    assert mde_paired(2000, 0.1, deff=2) == pytest.approx(mde_paired(1000, 0.1))


def test_clean_cases_for_a_limit():
    assert [n_zero_failures(p) for p in (0.1391089, 0.05, 0.02, 0.01)] == [20, 59, 149, 299]


@given(st.floats(0.001, 0.9), st.floats(0.01, 0.3))
def test_clean_cases_are_the_smallest_that_do(limit, alpha):
    n = n_zero_failures(limit, alpha=alpha)
    assert clopper_pearson(0, n, alpha=alpha, side="upper").high <= limit * (1 + 1e-9)
    if n > 1:
        assert clopper_pearson(0, n - 1, alpha=alpha, side="upper").high >= limit * (1 - 1e-9)


BH_1995 = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]


def test_printed_adjustments():
    assert np.sum(holm(BH_1995) <= 0.05) == 3
    assert np.sum(benjamini_hochberg(BH_1995) <= 0.05) == 4
    assert np.sum(hommel(BH_1995) <= 0.05) == 3
    assert np.sum(benjamini_yekutieli(BH_1995) <= 0.05) == 3
    assert np.sum(15 * np.array(BH_1995) <= 0.05) == 3  # Bonferroni
    assert benjamini_hochberg(BH_1995)[:4] == pytest.approx([0.0015, 0.0030, 0.0095, 0.03562], abs=5e-6)


@settings(max_examples=10)  # the oracle takes 50 ms
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjustments_agree_with_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-12)
    assert benjamini_yekutieli(p) == pytest.approx(multipletests(p, method="fdr_by")[1], abs=1e-12)
    assert hommel(p) == pytest.approx(multipletests(p, method="hommel")[1], abs=1e-12)
    assert np.all(holm(p) >= benjamini_hochberg(p) - 1e-12)
    assert np.all(holm(p) >= hommel(p) - 1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms(use_true_random=False))
@pytest.mark.parametrize("method", [holm, hommel, benjamini_hochberg, benjamini_yekutieli])
def test_adjusted_values_keep_the_order_and_never_shrink(method, p, random):
    got = method(p)
    assert np.all(got >= np.array(p) - 1e-12)
    assert np.all(got <= 1)
    order = list(range(len(p)))
    random.shuffle(order)
    assert method([p[i] for i in order]) == pytest.approx(got[order], abs=1e-12)
    ranked = got[np.argsort(p, kind="stable")]
    assert np.all(np.diff(ranked) >= -1e-12)


def test_adjustment_edges():
    assert holm([]).size == 0
    assert benjamini_hochberg([]).size == 0
    assert hommel([]).size == benjamini_yekutieli([]).size == 0
    assert hommel([0.3]) == benjamini_yekutieli([0.3]) == pytest.approx([0.3])
    assert holm([0.3]) == pytest.approx([0.3])
    assert holm([0.5, 0.5]) == pytest.approx([1, 1])


def test_printed_ranks():
    assert quantile_ranks(200, 0.95)[:2] == (184, 197)
    assert round(quantile_ranks(200, 0.95).coverage, 3) == 0.967
    assert quantile_ranks(500, 0.95)[:2] == (465, 485)
    assert quantile_ranks(1000, 0.95)[:2] == (936, 964)


@given(st.integers(1, 500), st.floats(0.01, 0.99), st.sampled_from([0.01, 0.05, 0.2]))
def test_quantile_laws(n, q, alpha):
    low, high, coverage = quantile_ranks(n, q, alpha=alpha)
    assert 0 <= low < high <= n + 1
    assert coverage >= 1 - alpha - 1e-9
    values = np.arange(1.0, n + 1)
    at = quantile_interval(values, q, alpha=alpha)
    wider = quantile_interval(values[::-1], q, alpha=alpha / 2)
    assert wider.low <= at.low <= at.high <= wider.high


def test_quantile_edges():
    assert quantile_interval([], 0.5) == (-math.inf, math.inf)
    assert quantile_interval([3.0], 0.5) == (-math.inf, math.inf)
    assert quantile_interval(np.arange(72.0), 0.95).high == 71
    assert quantile_interval(np.arange(71.0), 0.95).high == math.inf
    assert quantile_interval([7.0] * 100, 0.5) == (7, 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: n_paired(0, 0.1), "^delta must be between 0 and 1"),
        (lambda: n_paired(0.2, 0.1), r"^psi must be from \|delta\| = 0.2 to 1; got 0.1"),
        (lambda: n_paired(0.1, 0.2, sides=3), "^sides must be 1 or 2; got 3"),
        (lambda: n_paired(0.1, 0.2, power=1), "^power must be between"),
        (lambda: n_paired(0.1, 0.2, deff=0.5), "^deff must be at least 1"),
        (lambda: n_noninferior(0.1, 0.03, delta=-0.03), "^delta must be between -0.03 and 1"),
        (lambda: n_noninferior(0, 0.03), "^psi must be above 0"),
        (lambda: mde_paired(0, 0.1), "^n must be at least 1"),
        (lambda: mde_paired(10, 2), "^psi must be from 0 to 1"),
        (lambda: n_zero_failures(0), "^limit must be between"),
        (lambda: n_unpaired(0.9, 0.9), "^p2 must differ from p1"),
        (lambda: n_unpaired(0.8, 0.9, ratio=0.5), "^ratio must be at least 1"),
        (lambda: power_unpaired(0, 0.9, 5), "^p1 must be"),
        (lambda: power_unpaired(0.8, 0.9, 0), "^n must be at least 1"),
        (lambda: power_unpaired(0.8, 0.9, 5, ratio=0), "^ratio must be at least 1"),
        (lambda: hommel([1.2]), "^p must hold"),
        (lambda: benjamini_yekutieli([math.nan]), "^p must hold"),
        (lambda: mde_unpaired(0, 0.9), "^n must be at least 1"),
        (lambda: n_graded(0, 1, 1), "^delta must not be 0"),
        (lambda: power_paired(0.6, 0.6, 10), r"^b \+ c must be at most 1"),
        (lambda: design_effect(0.5, 0.1), "^mean_size must be at least 1"),
        (lambda: holm([0.1, 1.2]), "^p must hold finite numbers from 0 to 1; got .*1.2.* at index 1"),
        (lambda: quantile_ranks(0, 0.5), "^n must be a whole number of at least 1"),
        (lambda: quantile_ranks(5, 1), "^q must be between"),
        (lambda: quantile_interval([math.nan], 0.5), "^values must hold finite"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
