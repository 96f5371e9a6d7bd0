"""Judge error: corrections with human labels, juries, and agreement."""

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from seatrial.stats import (
    Interval,
    calibration_split,
    cohen_kappa,
    effective_voters,
    gwet_ac1,
    krippendorff_alpha,
    majority_accuracy,
    observed_agreement,
    ppi_mean,
    ratings_from_table,
    rogan_gladen,
    two_phase,
    wilson,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("counts", "low", "high", "digits"),
    [
        ((4060, 11284, 178, 179, 358, 359), 0.349, 0.372, 5e-4),
        ((51, 2971, 32, 33, 20, 20), 0, 0.053, 5e-4),
        ((0.06 * 11862, 11862, 8, 10, 12, 12), 0, 0.147, 5e-4),
        ((259, 509, 84, 127, 96, 109), 0.58, 0.87, 5.2e-3),
        ((51, 509, 23, 41, 187, 195), 0.037, 0.195, 5e-4),
        ((850, 1000, 190, 200, 40, 50), 0.8147, 0.9182, 5e-5),
    ],
)
def test_printed_rogan_gladen_intervals(counts, low, high, digits):
    assert rogan_gladen(*counts).interval == pytest.approx((low, high), abs=digits)


def test_rogan_gladen_estimate_and_refusal():
    assert rogan_gladen(850, 1000, 190, 200, 40, 50).estimate == pytest.approx(0.8667, abs=5e-5)
    weak = rogan_gladen(50, 100, 12, 20, 12, 20)
    assert weak.estimate is None
    assert weak.interval == Interval(0, 1)
    assert weak.youden == pytest.approx(0.2)


@given(st.integers(0, 200), st.integers(35, 50), st.integers(35, 50))
def test_rogan_gladen_laws(k, se, sp):
    at = rogan_gladen(k, 200, se, 50, sp, 50)
    if at.estimate is None:  # no rate fits: fewer passes than false positives alone, or the reverse
        assert k / 200 < 1 - sp / 50 or k / 200 > se / 50
        assert at.interval == Interval(0, 1)
        return
    assert 0 <= at.interval.low <= at.estimate <= at.interval.high <= 1
    assert at.interval.width > 0
    mirror = rogan_gladen(200 - k, 200, sp, 50, se, 50).interval
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at.interval, abs=1e-9)
    wider = rogan_gladen(k, 200, se, 50, sp, 50, alpha=0.01).interval
    assert wider.low <= at.interval.low + 1e-9
    assert wider.high >= at.interval.high - 1e-9


def test_calibration_labels_go_where_they_count():
    even = calibration_split(100, 500, 1000, 45, 50, 45, 50)
    assert even == 50
    assert calibration_split(100, 950, 1000, 45, 50, 45, 50) > 80
    assert calibration_split(1, 500, 1000, 45, 50, 45, 50) == 1


Y = [1, 1, 0, 1, 0, 1, 1, 1, 0, 1] * 10
Y_HAT = [1, 1, 1, 1, 0, 1, 1, 0, 0, 1] * 10
Y_OTHER = ([1] * 80 + [0] * 20) * 10


@pytest.mark.parametrize(
    ("lam", "estimate", "ends"),
    [
        (0, 0.70, (0.61018, 0.78982)),
        (1, 0.80, (0.70891, 0.89109)),
        (None, 0.760415, (0.682120, 0.838709)),
    ],
)
def test_printed_ppi_means(lam, estimate, ends):
    got = ppi_mean(Y, Y_HAT, Y_OTHER, lam=lam)
    assert got.estimate == pytest.approx(estimate, abs=5e-7)
    assert got.normal == pytest.approx(ends, abs=5.1e-6)


@given(st.integers(0, 10_000))
def test_ppi_agrees_with_ppi_python(seed):
    ppi_py = pytest.importorskip("ppi_py", exc_type=ImportError)
    rng = np.random.default_rng(seed)
    truth = (rng.random(600) < 0.8).astype(float)
    judge = np.where(rng.random(600) < 0.85, truth, 1 - truth)
    got = ppi_mean(truth[:100], judge[:100], judge[100:])
    low, high = ppi_py.ppi_mean_ci(truth[:100], judge[:100], judge[100:], alpha=0.05)
    assert got.normal == pytest.approx((float(low[0]), float(high[0])), abs=1e-9)


@given(st.integers(0, 10_000), st.floats(0.02, 0.98))
def test_ppi_laws(seed, rate):
    rng = np.random.default_rng(seed)
    truth = (rng.random(300) < rate).astype(float)
    judge = np.where(rng.random(300) < 0.85, truth, 1 - truth)
    at = ppi_mean(truth[:60], judge[:60], judge[60:])
    assert 0 <= at.interval.low <= at.estimate <= at.interval.high <= 1
    assert at.interval.width > 0
    mirror = ppi_mean(1 - truth[:60], 1 - judge[:60], 1 - judge[60:])
    assert (1 - mirror.interval.high, 1 - mirror.interval.low) == pytest.approx(at.interval, abs=1e-9)
    order = rng.permutation(60)
    again = ppi_mean(truth[:60][order], judge[:60][order], judge[60:])
    assert again.interval == pytest.approx(at.interval, abs=1e-9)
    alone = ppi_mean(truth[:60], judge[:60], judge[60:], lam=0)
    assert alone.estimate == pytest.approx(truth[:60].mean())
    full = ppi_mean(truth[:60], judge[:60], judge[60:], lam=1)
    shift = judge[60:].mean() + (truth[:60] - judge[:60]).mean()
    assert full.estimate == pytest.approx(np.clip(shift, 0, 1))


def test_ppi_without_spread_keeps_a_width():
    ones = ppi_mean([1, 1, 1], [1, 1, 1], [1, 1, 1, 1])
    assert ones.interval == pytest.approx(wilson(3, 3))
    same = ppi_mean([0, 0, 0], [0, 0, 0], [0, 0], limits=(-1, 1))
    assert same.interval == pytest.approx((-0.5615, 0.5615), abs=1e-4)
    pairs = ppi_mean([0, 1, -1, 0], [0, 1, 0, 0], [0, 1, 1, -1, 0], limits=(-1, 1))
    assert pairs.interval == pairs.normal


def test_printed_two_phase():
    got = two_phase(1700, 2000, 95, 100, 30, 100)
    assert got.estimate == pytest.approx(0.8525)
    assert got.interval == pytest.approx((0.7977, 0.8824), abs=5e-5)
    assert got.ppv == wilson(95, 100)
    assert got.npv == pytest.approx(wilson(70, 100))


def test_two_phase_edges():
    unlabelled = two_phase(1700, 2000, 95, 100, 0, 0)
    assert unlabelled.estimate is None
    assert unlabelled.interval.width > 0.15
    every = two_phase(2000, 2000, 95, 100, 0, 0)
    assert every.estimate == pytest.approx(0.95)
    assert every.interval == pytest.approx(wilson(95, 100))
    perfect = two_phase(900, 1000, 50, 50, 0, 50)
    assert perfect.interval.width > 0


@given(st.integers(0, 500), st.integers(0, 40), st.integers(0, 40))
def test_two_phase_laws(passed, good, bad):
    passed = max(40, min(460, passed))
    at = two_phase(passed, 500, good, 40, bad, 40)
    assert at.estimate is not None
    assert 0 <= at.interval.low <= at.estimate <= at.interval.high <= 1
    mirror = two_phase(500 - passed, 500, 40 - bad, 40, 40 - good, 40).interval
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at.interval, abs=1e-9)


def test_juries():
    assert [round(majority_accuracy(0.8, n), 4) for n in (3, 5, 7)] == [0.896, 0.9421, 0.9667]
    assert majority_accuracy(1, 3) == 1
    assert majority_accuracy(0, 3) == 0
    assert effective_voters(5, 0.5) == pytest.approx(1.67, abs=0.005)
    assert effective_voters(5, 0) == 5


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[20, 5], [10, 15]], 0.4000),
        ([[45, 15], [25, 15]], 0.1304),
        ([[25, 35], [5, 35]], 0.2593),
        ([[118, 5], [2, 0]], -0.0234),
    ],
)
def test_printed_kappas(table, kappa):
    assert cohen_kappa(ratings_from_table(table)) == pytest.approx(kappa, abs=5e-5)


def test_kappa_collapses_where_ac1_does_not():
    ratings = ratings_from_table([[118, 5], [2, 0]])
    assert observed_agreement(ratings) == pytest.approx(0.944)
    assert gwet_ac1(ratings) == pytest.approx(0.9408, abs=5e-5)


# units × raters: the twelve units of Krippendorff's four observers
FOUR = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T
THREE = np.array(
    [
        [NAN, NAN, NAN, NAN, NAN, 3, 4, 1, 2, 1, 1, 3, 3, NAN, 3],
        [1, NAN, 2, 1, 3, 3, 4, 3, NAN, NAN, NAN, NAN, NAN, NAN, NAN],
        [NAN, NAN, 2, 1, 3, 4, 4, NAN, 2, 1, 1, 3, 3, NAN, 4],
    ]
).T


def test_printed_agreement_of_several_raters():
    assert gwet_ac1(FOUR) == pytest.approx(0.77544, abs=5e-6)
    assert krippendorff_alpha(FOUR) == pytest.approx(0.74342, abs=5e-6)
    assert krippendorff_alpha(THREE) == pytest.approx(0.691358, abs=5e-7)
    assert krippendorff_alpha(THREE, level="interval") == pytest.approx(0.810845, abs=5e-7)


def test_printed_agreement_of_the_same_raters_by_other_coefficients():
    # each is (agreement − chance)/(1 − chance); only the chance differs
    seen = observed_agreement(FOUR)
    share = np.array([[np.mean(unit[np.isfinite(unit)] == v) for v in range(1, 6)] for unit in FOUR])
    moved = FOUR.copy()  # irrCAC's copy of the data has the lone rating of the last unit from the third rater
    moved[11] = [NAN, NAN, 3, NAN]
    rater = np.array([[np.mean(one[np.isfinite(one)] == v) for v in range(1, 6)] for one in moved.T])
    fleiss = float(np.sum(share.mean(axis=0) ** 2))
    conger = float(np.sum(rater.mean(axis=0) ** 2) - np.sum(rater.var(axis=0, ddof=1)) / 4)
    for chance, printed in ((fleiss, 0.76117), (conger, 0.76282), (1 / 5, 0.77273)):
        assert (seen - chance) / (1 - chance) == pytest.approx(printed, abs=5.1e-6)


@given(st.integers(0, 10_000), st.sampled_from(["nominal", "ordinal", "interval", "ratio"]))
def test_alpha_agrees_with_krippendorff(seed, level):
    rng = np.random.default_rng(seed)
    ratings = rng.integers(1, 5, (20, 3)).astype(float)
    ratings[rng.random((20, 3)) < 0.2] = NAN
    known = ratings[np.isfinite(ratings).sum(axis=1) >= 2]
    assume(np.unique(known[np.isfinite(known)]).size > 1)
    want = krippendorff.alpha(reliability_data=ratings.T, level_of_measurement=level)
    assert krippendorff_alpha(ratings, level=level) == pytest.approx(want, abs=1e-9)


@given(st.lists(st.integers(0, 30), min_size=9, max_size=9))
def test_kappa_agrees_with_statsmodels(cells):
    table = np.array(cells).reshape(3, 3)
    share = table / max(1, table.sum())
    assume(table.sum() > 0)
    assume(float(share.sum(axis=0) @ share.sum(axis=1)) < 0.999)
    want = cohens_kappa(table, return_results=False)
    assert cohen_kappa(ratings_from_table(table)) == pytest.approx(want, abs=1e-9)


def test_agreement_edges():
    same = ratings_from_table([[9, 0], [0, 0]])
    for coefficient in (cohen_kappa, gwet_ac1, krippendorff_alpha):
        assert math.isnan(coefficient(same))
        assert math.isnan(coefficient(np.full((3, 2), NAN)))
    assert observed_agreement(same) == 1
    assert math.isnan(observed_agreement([[1, NAN], [NAN, 2]]))
    perfect = ratings_from_table([[9, 0], [0, 4]])
    for coefficient in (cohen_kappa, gwet_ac1, krippendorff_alpha):
        assert coefficient(perfect) == pytest.approx(1)
    assert krippendorff_alpha([[0, 0], [0, 1]], level="ratio") == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rogan_gladen(3, 2, 1, 2, 1, 2), "^k must be a count"),
        (lambda: rogan_gladen(1, 2, 1, 0, 1, 2), "^n_se must be a finite number above 0"),
        (lambda: ppi_mean([1, 0], [1], [1, 0]), "^y_hat must have 2 entries"),
        (lambda: ppi_mean([1], [1], [1, 0]), "^y must hold at least 2 values"),
        (lambda: ppi_mean([1, 0], [1, 0], [1]), "^y_hat_unlabelled must hold at least 2"),
        (lambda: ppi_mean([1, 0], [1, 0], [1, 0], lam=2), "^lam must be from 0 to 1"),
        (lambda: ppi_mean([2, 0], [1, 0], [1, 0]), "^y must hold finite numbers from 0 to 1"),
        (lambda: two_phase(3, 2, 0, 0, 0, 0), "^judged_pass must be"),
        (lambda: two_phase(1, 2, 2, 2, 0, 0), "^labels_pass must be a count"),
        (lambda: majority_accuracy(0.8, 4), "^judges must be odd; got 4"),
        (lambda: effective_voters(3, 2), "^rho must be"),
        (lambda: calibration_split(0, 1, 2, 1, 2, 1, 2), "^labels must be"),
        (lambda: cohen_kappa([[1, 2, 3]]), "^ratings must have two columns"),
        (lambda: gwet_ac1([1, 2]), "^ratings must have two dimensions"),
        (lambda: krippendorff_alpha([[1, math.inf]]), "^ratings must be finite or NaN"),
        (lambda: krippendorff_alpha([[1, 2]], level="x"), "^level must be 'nominal'"),
        (lambda: ratings_from_table([[1, 2]]), "^table must be square"),
        (lambda: ratings_from_table([[0.5]]), "^table must hold whole counts"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
