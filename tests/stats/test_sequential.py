"""Looking early: confidence sequences, mixture boundaries, group-sequential bounds."""

import math

import numpy as np
import pytest
import ville
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.stats import (
    Interval,
    ab_difference,
    bernoulli_cs,
    betting_cs,
    clopper_pearson,
    crossing_probability,
    normal_mixture_bound,
    obrien_fleming_bounds,
    sub_bernoulli_cs,
)

counts = st.integers(1, 3_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("k", "n", "ends"),
    [
        (700, 1000, (0.646985, 0.749662)),
        (190, 200, (0.876585, 0.987060)),
        (0, 100, (0, 0.073284)),
        (0, 300, (0, 0.028593)),
        (900, 1000, (0.861633, 0.931220)),
    ],
)
def test_printed_confidence_sequences(k, n, ends):
    assert bernoulli_cs(k, n) == pytest.approx(ends, abs=6e-7)


@settings(max_examples=30)
@given(counts, st.sampled_from([0.01, 0.05, 0.2]))
def test_bernoulli_cs_laws(count, alpha):
    k, n = count
    at = bernoulli_cs(k, n, alpha=alpha)
    assert 0 <= at.low <= k / n <= at.high <= 1
    assert at.width > 0
    mirror = bernoulli_cs(n - k, n, alpha=alpha)
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at, abs=1e-9)
    wider = bernoulli_cs(k, n, alpha=alpha / 2)
    assert wider.low <= at.low
    assert wider.high >= at.high
    fixed = clopper_pearson(k, n, alpha=alpha)
    assert at.width > 0.9 * fixed.width
    assert bernoulli_cs(k, n, alpha=alpha, side="lower") == Interval(at.low, 1)
    assert bernoulli_cs(k, n, alpha=alpha, side="upper") == Interval(0, at.high)


def test_bernoulli_cs_edges():
    assert bernoulli_cs(0, 0) == Interval(0, 1)
    assert bernoulli_cs(0, 300, prior=(0.5, 0.5)).high < bernoulli_cs(0, 300).high
    assert bernoulli_cs(500_000, 1_000_000) == pytest.approx((0.5, 0.5), abs=0.003)


def test_printed_sub_bernoulli_sequence():
    assert sub_bernoulli_cs(700, 1000, t_opt=100) == pytest.approx((0.651629, 0.745949), abs=1.1e-6)


@settings(max_examples=30)
@given(counts, st.sampled_from([0.01, 0.05, 0.2]), st.floats(5, 5_000))
def test_sub_bernoulli_cs_laws(count, alpha, t_opt):
    k, n = count
    at = sub_bernoulli_cs(k, n, t_opt=t_opt, alpha=alpha)
    assert 0 <= at.low <= k / n <= at.high <= 1
    assert at.width > 0
    mirror = sub_bernoulli_cs(n - k, n, t_opt=t_opt, alpha=alpha)
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx(at, abs=1e-9)
    wider = sub_bernoulli_cs(k, n, t_opt=t_opt, alpha=alpha / 2)
    assert wider.low <= at.low + 1e-12
    assert wider.high >= at.high - 1e-12


def test_sub_bernoulli_cs_is_tightest_where_it_is_asked_to_be():
    widths = {t: sub_bernoulli_cs(700, 1000, t_opt=t).width for t in (10, 100, 1000, 10_000, 100_000)}
    assert min(widths, key=widths.__getitem__) == 1000
    assert sub_bernoulli_cs(0, 0, t_opt=10) == Interval(0, 1)
    assert sub_bernoulli_cs(500_000, 1_000_000, t_opt=1e6) == pytest.approx((0.5, 0.5), abs=0.002)


def test_printed_price_of_looking_at_any_time():
    v = np.array([1000.0, 250.0, 8000.0])
    got = normal_mixture_bound(v, v_opt=1000) / (1.959964 * np.sqrt(v))
    assert got == pytest.approx([1.55, 1.66, 1.64], abs=6e-3)


@pytest.mark.parametrize(
    ("looks", "difference", "printed"),
    [(4, 0.0, 1156), (4, -0.06, 1155), (4, -0.10, 566), (10, 0.0, 1001), (10, -0.06, 1003), (10, -0.10, 507)],
)
def test_cases_used_when_stopping_early(looks, difference, printed):
    # 2,000 pairs, 10% discordant, margin 3 points, 5% each way; printed from a simulation
    drift = abs(difference + 0.03) * math.sqrt(2000 / 0.10)
    stops = crossing_probability(obrien_fleming_bounds(looks, alpha=0.10), drift=drift)
    used = float(stops @ np.arange(1, looks + 1)) * 2000 / looks + 2000 * (1 - stops.sum())
    assert used == pytest.approx(printed, rel=0.04)
    fixed = 0.5 * math.erfc((1.6448536 - drift) / math.sqrt(2))
    assert fixed - 0.013 <= stops.sum() <= fixed + 1e-9  # at most 1.3 points of power are lost


def test_printed_mixture_boundary():
    assert normal_mixture_bound(100, v_opt=100) == pytest.approx(30.35209, abs=5e-6)
    rho = 100 / (2 * math.log(20) + math.log1p(2 * math.log(20)))
    assert rho == pytest.approx(12.60056, abs=5e-6)
    for mean, printed, digits in ((0.03, 3.27872, 5e-6), (0.05, 133.1075, 5e-5)):
        v, tau = 0.18, 0.0009  # the mixture sequential test is the same boundary
        likelihood = math.sqrt(v / (v + 1000 * tau)) * math.exp(1000**2 * tau * mean**2 / (2 * v * (v + 1000 * tau)))
        assert likelihood == pytest.approx(printed, abs=digits)
        alpha = 1 / likelihood
        ratio = v / tau * (2 * math.log(1 / alpha) + math.log1p(2 * math.log(1 / alpha)))
        assert normal_mixture_bound(1000, v_opt=ratio, alpha=alpha) == pytest.approx(
            1000 * mean / math.sqrt(v), rel=1e-9
        )


def test_mixture_boundary_shapes():
    got = normal_mixture_bound([0, 1, 10, 100], v_opt=10)
    assert got.shape == (4,)
    assert got[0] > 0
    assert np.all(np.diff(got) > 0)
    assert np.all(normal_mixture_bound([1, 10], v_opt=10, alpha=0.01) > got[1:3])


@given(counts, counts)
def test_ab_difference_laws(one, two):
    at = ab_difference(*one, *two)
    swapped = ab_difference(*two, *one)
    assert (-swapped.interval.high, -swapped.interval.low) == pytest.approx(at.interval)
    assert -1 <= at.interval.low <= at.estimate <= at.interval.high <= 1
    assert at.interval.width > 0
    assert ab_difference(*one, *two, alpha=0.01).interval.width >= at.interval.width


def test_ab_difference_edges():
    assert ab_difference(0, 0, 1, 2).interval == Interval(-1, 1)
    assert not ab_difference(90, 99, 90, 99).ready
    assert ab_difference(170, 200, 180, 200).ready


def test_printed_betting_sequence():
    x = np.tile([1.0] * 9 + [0.0], 100)
    low, high = betting_cs(x, grid=2000, intersect=False)
    for t, ends in ((100, (0.799, 0.976)), (500, (0.854, 0.945)), (1000, (0.866, 0.936))):
        assert (low[t - 1] + 1 / 2000, high[t - 1] - 1 / 2000) == pytest.approx(ends, abs=6e-4)


def test_sequences_agree_with_ville():
    rng = np.random.default_rng(5)
    for p in (0.3, 0.9, 0.99):
        x = (rng.random(300) < p).astype(float)
        theirs = ville.BettingCS(grid=2000, intersect=False).fit(x).interval()
        low, high = betting_cs(x, grid=2000, intersect=False)
        assert (low[-1], high[-1]) == pytest.approx(theirs, abs=0.0015)
        exact = ville.BernoulliCS(intersect=False).fit(x).interval()
        assert bernoulli_cs(x.sum(), 300) == pytest.approx(exact, abs=1e-9)
    v = np.array([1.0, 50.0, 1000.0])
    rho = 100 / (2 * math.log(20) + math.log1p(2 * math.log(20)))
    assert normal_mixture_bound(v, v_opt=100) == pytest.approx(
        [ville.normal_mixture(float(x), 0.05, rho) for x in v], rel=1e-9
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_betting_laws(x):
    low, high = betting_cs(x, grid=100)
    assert np.all(low <= high)
    assert np.all(high - low > 0)
    assert np.all(np.diff(low) >= -1e-12)
    assert np.all(np.diff(high) <= 1e-12)
    mirror_low, mirror_high = betting_cs(1 - np.array(x), grid=100)
    assert mirror_low == pytest.approx(1 - high, abs=0.011)
    assert mirror_high == pytest.approx(1 - low, abs=0.011)


def test_without_replacement_closes_in():
    x = np.array([1.0] * 90 + [0.0] * 10)
    np.random.default_rng(1).shuffle(x)
    low, high = betting_cs(x, grid=1000, population=100)
    assert low[-1] <= 0.9 <= high[-1]
    assert high[-1] - low[-1] < 0.05
    free_low, free_high = betting_cs(x, grid=1000)
    assert free_high[-1] - free_low[-1] > 3 * (high[-1] - low[-1])
    assert betting_cs([]).low.size == 0


def test_printed_group_sequential_bounds():
    assert np.round(obrien_fleming_bounds(5), 3).tolist() == [4.877, 3.357, 2.680, 2.290, 2.031]
    assert np.round(obrien_fleming_bounds(4, alpha=0.1), 3).tolist() == [3.750, 2.540, 2.016, 1.720]


def test_classic_bounds_spend_five_percent():
    classic = 2.0401 * np.sqrt(5 / np.arange(1, 6))
    assert np.round(classic, 3).tolist() == [4.562, 3.226, 2.634, 2.281, 2.040]
    assert crossing_probability(classic).sum() == pytest.approx(0.05, abs=5e-5)
    assert crossing_probability([2.413] * 5).sum() == pytest.approx(0.05, abs=5e-5)


@pytest.mark.parametrize(
    ("looks", "chance"),
    [(2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193), (20, 0.248), (50, 0.320)],
)
def test_printed_cost_of_repeated_looks(looks, chance):
    assert round(float(crossing_probability([1.96] * looks).sum()), 3) == chance


@settings(max_examples=30)
@given(st.integers(1, 8), st.sampled_from([0.01, 0.05, 0.1]), st.sampled_from([1, 2]))
def test_bounds_spend_exactly_alpha(looks, alpha, sides):
    z = obrien_fleming_bounds(looks, alpha=alpha, sides=sides)
    assert crossing_probability(z, sides=sides).sum() == pytest.approx(alpha, rel=1e-6)
    assert np.all(np.diff(z) < 0)


def test_bounds_edges():
    assert obrien_fleming_bounds(1) == pytest.approx([1.959964], abs=1e-6)
    uneven = obrien_fleming_bounds(3, information=[0.1, 0.9, 1.0])
    assert crossing_probability(uneven, information=[0.1, 0.9, 1.0]).sum() == pytest.approx(0.05, rel=1e-6)
    power = crossing_probability([1.959964], drift=2.801585).sum()
    assert power == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bernoulli_cs(3, 2), "^k must be a count"),
        (lambda: bernoulli_cs(1, 2, prior=(0, 1)), r"^prior\[0\] must be"),
        (lambda: bernoulli_cs(1, 2, side="x"), "^side must be"),
        (lambda: sub_bernoulli_cs(3, 2, t_opt=1), "^k must be a count"),
        (lambda: sub_bernoulli_cs(1, 2, t_opt=0), "^t_opt must be"),
        (lambda: sub_bernoulli_cs(1, 2, t_opt=1, alpha=1), "^alpha must be"),
        (lambda: normal_mixture_bound(-1, v_opt=1), "^v must not be negative"),
        (lambda: normal_mixture_bound(1, v_opt=0), "^v_opt must be"),
        (lambda: ab_difference(3, 2, 1, 2), "^k1 must be"),
        (lambda: betting_cs([2.0]), "^values must hold"),
        (lambda: betting_cs([1.0], cap=1), "^cap must be"),
        (lambda: betting_cs([1.0, 0.0], population=1), "^population must be a whole number of at least 2"),
        (lambda: obrien_fleming_bounds(0), "^looks must be"),
        (lambda: obrien_fleming_bounds(2, sides=3), "^sides must be 1 or 2"),
        (lambda: obrien_fleming_bounds(2, information=[0.5, 0.5]), "^information must increase"),
        (lambda: crossing_probability([]), "^bounds must hold numbers above 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
