"""Paired comparison of independent cases: known answers, oracles, edges and laws."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as oracle

from seatrial.stats import (
    Interval,
    mcnemar,
    mcnemar_one_sided,
    newcombe_paired,
    tango,
    tango_bounds,
    tango_p,
    tango_z,
    wilson,
)
from seatrial.stats.pairs import tango_ends


@st.composite
def tables(draw, most=300):
    a, b, c, d = (draw(st.integers(0, most)) for _ in range(4))
    return a, b, c, d + (a + b + c + d == 0)


# (a, b, c, d), Tango, Newcombe method 10, exact and mid-p: R's ratesci and contingencytables
PRINTED = [
    ((59, 6, 16, 80), (-0.1240, -0.0054), (-0.1186, -0.0046), (0.052479, 0.034690)),
    ((4, 9, 3, 16), (-0.027, 0.390), (-0.0273, 0.3807), (0.145996, 0.092285)),
    ((53, 16, 8, 9), (-0.020, 0.207), (-0.0201, 0.2039), (0.151590, 0.107752)),
    ((1, 1, 7, 12), (-0.517, -0.026), (-0.5069, -0.0256), (0.070313, 0.0390625)),
]


@pytest.mark.parametrize(("table", "score", "square", "p"), PRINTED)
def test_printed_tables(table, score, square, p):
    a, b, c, d = table
    digits = 1e-4 if b == 6 else 1e-3
    assert tango(b, c, a + b + c + d) == pytest.approx(score, abs=0.51 * digits)
    assert newcombe_paired(a, b, c, d) == pytest.approx(square, abs=0.51e-4)
    assert mcnemar(b, c) == pytest.approx(p, abs=6e-7)


def test_more_known_answers():
    assert tango(0, 1, 44, alpha=0.1) == pytest.approx((-0.096, 0.037), abs=5e-4)
    assert tango_z(0, 1, 44, -0.1) == pytest.approx(1.7086, abs=5e-5)
    assert tango_p(0, 1, 44, -0.1, tail="greater") == pytest.approx(0.04377, abs=5e-5)
    assert tango(3, 0, 3) == pytest.approx((-0.1230, 1.0), abs=5e-5)
    assert newcombe_paired(1, 0, 0, 1) == pytest.approx((-0.5734, 0.5734), abs=5e-5)
    assert tango(0, 0, 100).high == pytest.approx(0.036993, abs=5e-7)
    assert tango(0, 0, 100).high == pytest.approx(wilson(0, 100).high, abs=1e-12)
    assert mcnemar(6, 16).exact == pytest.approx(0.0524787902832, abs=1e-13)


def test_printed_asymptotic_test():
    z = tango_z(6, 16, 161, 0.0)  # at a difference of 0 Tango's statistic is McNemar's
    assert z == pytest.approx(-2.132, abs=5e-4)
    assert 2 * tango_p(6, 16, 161, 0.0, tail="less") == pytest.approx(0.033006, abs=5e-7)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_score_statistic_at_no_difference_is_mcnemars(b, c, rest):
    want = (b - c) / math.sqrt(b + c) if b != c else 0.0
    assert tango_z(b, c, b + c + rest, 0.0) == pytest.approx(want, abs=1e-9)


def test_three_way_verdict_examples():
    low, high = tango(60, 75, 1500, alpha=0.1)
    assert (low, high) == pytest.approx((-0.02291, 0.00277), abs=5e-6)
    assert tango_z(60, 75, 1500, -0.03) == pytest.approx(2.5155, abs=5e-5)
    assert mcnemar(60, 75).mid_p == pytest.approx(0.1982, abs=5e-5)
    assert tango(8, 12, 200, alpha=0.1) == pytest.approx((-0.05935, 0.01776), abs=5e-6)
    assert tango_z(8, 12, 200, -0.03) == pytest.approx(0.4434, abs=5e-5)


def test_rewrite_example():
    assert tango(48, 22, 500) == pytest.approx((0.0197, 0.0858), abs=5e-5)
    assert mcnemar(48, 22) == pytest.approx((0.002548, 0.001820), abs=6e-7)
    assert mcnemar_one_sided(22, 48).exact == pytest.approx(0.001274, abs=5e-7)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_agrees_with_statsmodels(b, c):
    got = mcnemar(b, c)
    want = oracle(np.array([[5, b], [c, 7]]), exact=True).pvalue if b + c else 1.0
    assert got.exact == pytest.approx(want, abs=1e-9)
    assert 0 < got.mid_p <= got.exact <= 1
    assert mcnemar(c, b) == got


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_exact_mcnemar_is_the_sign_flip_permutation_test(count):
    b, n = count
    observed = abs(2 * b - n)
    flips = [abs(sum(signs)) for signs in itertools.product((-1, 1), repeat=n)]
    share = sum(f >= observed for f in flips) / len(flips)
    assert mcnemar(b, n - b).exact == pytest.approx(share, abs=1e-12)


@given(st.integers(0, 60), st.integers(0, 60))
def test_one_sided_p_values_add_up(b, c):
    if b + c == 0:
        assert mcnemar_one_sided(0, 0) == (1, 1)
        return
    worse, better = mcnemar_one_sided(b, c), mcnemar_one_sided(c, b)
    assert worse.mid_p + better.mid_p == pytest.approx(1, abs=1e-9)
    assert min(1, 2 * min(worse.exact, better.exact)) == pytest.approx(mcnemar(b, c).exact, abs=1e-9)


@settings(max_examples=40)
@given(tables(), st.floats(0.001, 0.5))
def test_tango_laws(table, alpha):
    a, b, c, d = table
    n = a + b + c + d
    at = tango(b, c, n, alpha=alpha)
    estimate = (b - c) / n
    assert -1 <= at.low <= estimate + 1e-12
    assert estimate - 1e-12 <= at.high <= 1
    assert at.width > 0
    mirror = tango(c, b, n, alpha=alpha)
    assert (-mirror.high, -mirror.low) == pytest.approx(at, abs=1e-12)
    wider = tango(b, c, n, alpha=alpha / 2)
    assert wider.low <= at.low + 1e-12
    assert wider.high >= at.high - 1e-12


@settings(max_examples=40)
@given(tables(), st.floats(0.01, 0.4))
def test_tango_interval_inverts_its_test(table, alpha):
    a, b, c, d = table
    n = a + b + c + d
    at = tango(b, c, n, alpha=alpha)
    if at.low > -0.999:
        assert tango_p(b, c, n, at.low, tail="greater") == pytest.approx(alpha / 2, abs=1e-6)
    if at.high < 0.999:
        assert tango_p(b, c, n, at.high, tail="less") == pytest.approx(alpha / 2, abs=1e-6)


@given(tables(), st.floats(0.01, 0.4))
def test_newcombe_laws(table, alpha):
    a, b, c, d = table
    at = newcombe_paired(a, b, c, d, alpha=alpha)
    estimate = (b - c) / (a + b + c + d)
    assert -1 <= at.low <= estimate + 1e-12
    assert estimate - 1e-12 <= at.high <= 1
    assert at.width > 0
    swapped = newcombe_paired(a, c, b, d, alpha=alpha)
    assert (-swapped.high, -swapped.low) == pytest.approx(at, abs=1e-12)
    relabelled = newcombe_paired(d, c, b, a, alpha=alpha)
    assert (-relabelled.high, -relabelled.low) == pytest.approx(at, abs=1e-12)


def test_bounds_take_arrays():
    b, c = np.array([6, 9, 0]), np.array([16, 3, 0])
    n = np.array([161, 32, 100])
    low, high = tango_bounds(b, c, n, z=1.959963984540054)
    for i in range(3):
        assert (low[i], high[i]) == pytest.approx(tango(int(b[i]), int(c[i]), int(n[i])), abs=1e-12)


def test_large_samples_reach_the_wald_limit():
    n, b, c = 400_000, 20_000, 16_000
    d = (b - c) / n
    half = 1.959964 * math.sqrt((b + c) / n - d * d) / math.sqrt(n)
    assert tango(b, c, n) == pytest.approx((d - half, d + half), abs=1e-5)
    assert newcombe_paired(n - 50_000, b, c, 14_000) == pytest.approx((d - half, d + half), abs=1e-4)


def test_edges():
    assert tango(0, 0, 0) == Interval(-1, 1)
    assert tango(5, 0, 5).high == pytest.approx(1)
    assert tango(0, 5, 5).low == -1
    assert tango(0, 0, 1) == pytest.approx((-0.79345, 0.79345), abs=1e-4)
    assert newcombe_paired(0, 0, 0, 0) == Interval(-1, 1)
    assert mcnemar(0, 0) == (1, 1)
    assert tango_z(0, 0, 0, 0.1) == 0
    assert tango_z(0, 0, 10, 0) == 0
    assert tango(2.5, 0.5, 30.5).width > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tango(3, 4, 6), "^b \\+ c must be at most n = 6; got b = 3 and c = 4"),
        (lambda: tango(-1, 4, 6), "^b must be a count"),
        (lambda: tango(1, 7, 6), "^c must be a count"),
        (lambda: tango(1, 1, math.nan), "^n must be a count"),
        (lambda: tango(1, 1, 5, alpha=1), "^alpha must be between 0 and 1"),
        (lambda: tango_z(1, 1, 5, -1), "^delta0 must be between -1 and 1"),
        (lambda: tango_p(1, 1, 5, 0, tail="both"), "^tail must be 'greater' or 'less'; got 'both'"),
        (lambda: mcnemar(1.5, 1), "^b must be a whole number"),
        (lambda: mcnemar(1, -1), "^c must be a whole number"),
        (lambda: mcnemar_one_sided(1, math.inf), "^c must be a whole number"),
        (lambda: newcombe_paired(1, -1, 1, 1), "^b must be a count"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(tables(), st.floats(0.5, 4))
def test_one_table_and_many_give_the_same_ends(table, z):
    _, b, c, _ = table
    n = max(1, sum(table))
    low, high = tango_bounds(b, c, n, z=z)
    assert tango_ends(b, c, n, z=z) == (float(low), float(high))
