"""What the naive methods and other tools really give: their printed values, and exact coverage over all outcomes."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats
from scipy.special import gammaln
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from seatrial.stats import (
    arl_exact,
    bernoulli_cusum,
    clopper_pearson,
    cusum_path,
    e_sr,
    ewma_path,
    jeffreys,
    miettinen_nurminen,
    newcombe_paired,
    rogan_gladen,
    tango_bounds,
    wilson,
)
from seatrial.stats.distributions import binomial_cdf, binomial_pmf

Z = 1.959963984540054


def wald(k, n, *, add=0.0, more=0.0):
    p = (k + add) / (n + more)
    half = Z * math.sqrt(p * (1 - p) / (n + more))
    return p - half, p + half


def coverage(method, n, p):
    """Exact: the chance of all numbers of passes whose interval holds p."""
    return sum(binomial_pmf(k, n, p) for k in range(n + 1) if method(k, n)[0] <= p <= method(k, n)[1])


@pytest.mark.parametrize(
    ("n", "p", "printed"),
    [
        pytest.param(50, 0.95, {wald: 0.920, wilson: 0.962, clopper_pearson: 0.988, jeffreys: 0.885}, id="50 at .95"),
        pytest.param(100, 0.98, {wald: 0.866, wilson: 0.949, clopper_pearson: 0.985}, id="100 at .98"),
        pytest.param(200, 0.99, {wald: 0.865, wilson: 0.948}, id="200 at .99"),
        pytest.param(30, 0.98, {wilson: 0.978}, id="30 at .98: above 97 by the steps of the counts"),
    ],
)
def test_printed_coverage_of_one_rate(n, p, printed):
    for method, value in printed.items():
        assert coverage(method, n, p) == pytest.approx(value, abs=6e-4), method.__name__
    assert coverage(clopper_pearson, n, p) >= 0.95


def test_a_wald_interval_has_no_width_when_everything_passes():
    assert wald(300, 300) == (1, 1)
    assert wald(1, 1) == (1, 1)
    assert wilson(300, 300).low == pytest.approx(0.98736, abs=5e-6)


def test_the_bootstrap_breaks_near_one():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that the distribution is degenerate
        every = scipy.stats.bootstrap((np.ones(100),), np.mean, method="BCa", rng=1).confidence_interval
    assert math.isnan(every.low)
    assert math.isnan(every.high)
    most = np.append(np.ones(99), 0.0)
    got = scipy.stats.bootstrap((most,), np.mean, method="BCa", rng=1).confidence_interval
    assert got.high == 1.0
    assert got.low == pytest.approx(0.94, abs=0.011)  # .94 or .95, by the seed


def test_statsmodels_jeffreys_has_no_zero_end():
    low, high = proportion_confint(0, 30, method="jeffreys")
    assert low == pytest.approx(1.6e-5, abs=5e-7)
    assert high == pytest.approx(jeffreys(0, 30).high, abs=1e-9)
    assert jeffreys(0, 30).low == 0


def test_statsmodels_solves_a_wrong_cubic():
    wrong = confint_proportions_2indep(56, 70, 48, 80, method="score", compare="diff")
    assert wrong == pytest.approx((0.0526, 0.3440), abs=6e-5)
    assert miettinen_nurminen(56, 70, 48, 80) == pytest.approx((0.0528, 0.3382), abs=5e-5)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("counts", [(5, 56, 0, 29), (9, 10, 3, 10)])
def test_statsmodels_finds_no_end_at_all(counts):
    with pytest.raises(ValueError, match="different signs"):
        confint_proportions_2indep(*counts, method="score", compare="diff")
    assert miettinen_nurminen(*counts).width > 0


def pairs(n, won, lost):
    """All numbers of won and lost cases that occur, and their chances."""
    b, c = (grid.ravel() for grid in np.meshgrid(np.arange(90), np.arange(90)))
    b, c = b[b + c <= n].astype(float), c[b + c <= n].astype(float)
    rest = n - b - c
    ways = gammaln(n + 1) - gammaln(b + 1) - gammaln(c + 1) - gammaln(rest + 1)
    return b, c, np.exp(ways + b * math.log(won) + c * math.log(lost) + rest * math.log(1 - won - lost))


def paired_wald(b, c, n, add):
    """Wald's interval of a paired difference with `add` cases more of each discordant kind, 4·add in all."""
    size = n + 2 * (add > 0)
    d = (b - c) / size
    half = Z * np.sqrt(((b + c + 2 * add) / size - d * d) / size)
    return d - half, d + half


@pytest.mark.parametrize(
    ("n", "won", "lost", "plain", "score", "half_added", "one_added"),
    [
        pytest.param(200, 0.04, 0.02, 0.949, 0.953, 0.955, 0.968, id="200"),
        pytest.param(50, 0.05, 0.05, 0.940, 0.953, 0.975, 0.987, id="50"),
    ],
)
def test_printed_coverage_of_a_paired_difference(n, won, lost, plain, score, half_added, one_added):
    # .955 and .975 are printed for Bonett and Price, who add one to each discordant count; they are the values
    # of Agresti and Min's half. One added covers more.
    b, c, chance = pairs(n, won, lost)
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    truth = won - lost

    def covers(ends):
        return float(chance[(ends[0] <= truth) & (truth <= ends[1])].sum())

    assert covers(paired_wald(b, c, n, 0)) == pytest.approx(plain, abs=6e-4)
    assert covers(tango_bounds(b, c, n, z=Z)) == pytest.approx(score, abs=6e-4)
    assert covers(paired_wald(b, c, n, 0.5)) == pytest.approx(half_added, abs=6e-4)
    assert covers(paired_wald(b, c, n, 1)) == pytest.approx(one_added, abs=6e-4)


def test_newcombe_is_within_the_band_where_few_cases_are_discordant():
    # 500 cases, pass rate .98 in both arms, 2% discordant: ten failures and ten discordant cases expected
    b, c, chance = pairs(500, 0.01, 0.01)
    keep = chance > 1e-10
    total = 0.0
    for won, lost, of_pair in zip(b[keep], c[keep], chance[keep], strict=True):
        agreed = int(500 - won - lost)
        for neither in range(30):
            both = agreed - neither
            low, high = newcombe_paired(both, won, lost, neither)
            if low <= 0 <= high:
                total += of_pair * binomial_pmf(neither, agreed, 0.01 / 0.98)
    assert total == pytest.approx(0.9698, abs=5e-5)


@pytest.mark.parametrize(
    ("p", "sizes", "printed", "digits"),
    [
        pytest.param(0.9, (100, 200, 300, 500), (19.8, 10.0, 5.5, 1.8), 1, id=".9"),
        pytest.param(0.9, (1000,), (0.13,), 2, id=".9 long"),
        pytest.param(0.8, (100,), (26,), 0, id=".8 short"),
        pytest.param(0.8, (200, 300, 500, 1000), (16.5, 11.1, 5.4, 1.1), 1, id=".8"),
        pytest.param(0.95, (100, 200, 300), (12.8, 4.4, 1.7), 1, id=".95"),
        pytest.param(0.95, (500,), (0.27,), 2, id=".95 long"),
        pytest.param(0.95, (1000,), (0.003,), 3, id=".95 longest"),
    ],
)
def test_printed_false_alarms_of_a_three_point_rule(p, sizes, printed, digits):
    got = [100 * binomial_cdf(math.floor(n * (p - 0.03) + 1e-9), n, p) for n in sizes]
    assert [round(x, digits) for x in got] == list(printed)


def test_printed_false_alarm_of_a_three_point_rule_on_pairs():
    b, c, chance = pairs(200, 0.05, 0.05)
    assert chance[c - b >= 6].sum() == pytest.approx(0.108, abs=5e-4)


def test_printed_chances_of_small_suites():
    # 300 cases, 11% discordant, no difference: how often the lower end of the 90% interval passes −3 points
    b, c, chance = pairs(300, 0.055, 0.055)
    low, _ = tango_bounds(b, c, 300, z=1.6448536269514722)
    one = float(chance[low > -0.03].sum())
    assert one == pytest.approx(0.47, abs=0.02)
    assert one**5 == pytest.approx(0.02, abs=0.005)
    assert 1.6448536 * math.sqrt(0.11 / 300) == pytest.approx(0.032, abs=6e-4)
    assert round(clopper_pearson(0, 30, side="upper").high, 3) == 0.095


def test_a_judge_that_differs_by_model_fakes_a_gain():
    true_rate, se = 0.9, 0.95
    read = [true_rate * se + (1 - true_rate) * (1 - sp) for sp in (0.80, 0.60)]
    assert read == pytest.approx([0.875, 0.895])
    for k, sp in zip(read, (80, 60), strict=True):  # calibrated per model, both are .90 again
        assert rogan_gladen(1000 * k, 1000, 95, 100, sp, 100).estimate == pytest.approx(true_rate)


def streams(rate_after, cases, seed, count=200):
    """Failures (0, 1) of many streams: 10% for 1,000 cases, then another rate."""
    rng = np.random.default_rng(seed)
    chance = np.where(np.arange(cases) < 1000, 0.1, rate_after)
    return (rng.random((count, cases)) < chance).astype(np.int64)


def rolling(x, window):
    """The case (from 0) after which the last `window` cases first failed more than 3 points too often, or None."""
    seen = np.cumsum(np.append(0, x))
    over = np.flatnonzero(seen[window:] - seen[:-window] > window * 0.13 + 1e-9)
    return int(over[0]) + window - 1 if over.size else None


DESIGN = bernoulli_cusum(0.10, 0.13, 10_000)
DETECTORS = {
    "rolling 200": (lambda x: rolling(x, 200), 207, 70),
    "rolling 500": (lambda x: rolling(x, 500), 513, 161),
    "CUSUM": (lambda x: cusum_path(x, DESIGN).alarm, 541, 130),
    "EWMA": (lambda x: ewma_path(x, 0.1).alarm, 417, 74),
    "e-SR": (lambda x: e_sr(1 - x, 0.9).alarm, 606, 113),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_simulated_delays_after_a_drop(name):
    alarm, three, ten = DETECTORS[name]
    for rate, cases, printed, digits in ((0.2, 1800, ten, 0.2), (0.13, 4000, three, 0.25)):
        found = [at if (at := alarm(x)) is not None else cases for x in streams(rate, cases, seed=8, count=80)]
        delays = [at - 999 for at in found if at >= 1000]  # an alarm before the drop is a false one
        assert np.mean(delays) == pytest.approx(printed, rel=digits)


def test_simulated_run_to_a_false_alarm():
    quiet = streams(0.1, 12_000, seed=9, count=150)
    fast = np.array([rolling(x, 200) or 12_000 for x in quiet])
    assert fast.mean() == pytest.approx(1005, rel=0.2)
    assert np.mean(fast < 1000) == pytest.approx(0.63, abs=0.1)
    slow = np.mean([ewma_path(x, 0.1).alarm or 12_000 for x in quiet])
    assert slow == pytest.approx(3002, rel=0.25)
    assert arl_exact(0.1, DESIGN.up, DESIGN.limit) > 3 * slow  # at about the same delay
