"""Charts on continuous values: printed run lengths, and laws that tie the charts to each other."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.stats import arl_ewma, arl_normal_cusum, arl_shewhart, arl_siegmund


@pytest.mark.parametrize(
    ("k", "h", "mean", "sides", "printed", "digits"),
    [
        (0.5, 3, 0, 1, 117.60, 0.005),
        (0.5, 3, 1.5, 1, 3.75, 0.005),
        (0.5, 4, 0, 2, 167.68, 0.005),
        (0.5, 4, 0.5, 2, 26.6, 0.05),
        (0.5, 4, 1, 2, 8.38, 0.005),
        (0.5, 4, 2, 2, 3.34, 0.005),
        (0, 10, 0, 1, 124.66, 0.005),
        (0, 10, 0.5, 1, 20.37, 0.005),
        (0.25, 8, 2.5, 1, 4.15008, 5e-6),
        (0.5, 5, 0, 2, 465.4, 0.05),
        (0.5, 5, 1, 2, 10.38, 0.005),
        (0.5, 4, 0, 1, 335.4, 0.05),
        (0.5, 5, 0, 1, 930.9, 0.05),
    ],
)
def test_printed_run_lengths_of_normal_charts(k, h, mean, sides, printed, digits):
    assert arl_normal_cusum(k, h, mean, sides=sides) == pytest.approx(printed, abs=digits)


@pytest.mark.parametrize(
    ("head_start", "printed"), [pytest.param(0, 4.15008, id="none"), pytest.param(0.1, 4.10616, id="head start")]
)
def test_printed_head_start(head_start, printed):
    got = arl_normal_cusum(0.25, 8, 2.5, head_start=head_start)
    assert got == pytest.approx(printed, abs=5e-6)


def test_printed_run_length_of_two_sides_to_three_digits():
    assert round(arl_normal_cusum(0.5, 4, sides=2)) == 168


@pytest.mark.parametrize(("mean", "printed", "digits"), [(0, 499.6, 0.05), (1, 10.33, 0.005)])
def test_printed_run_lengths_of_moving_averages(mean, printed, digits):
    assert arl_ewma(0.1, 2.814, mean) == pytest.approx(printed, abs=digits)


def test_printed_run_length_of_three_sigma():
    assert arl_shewhart() == pytest.approx(370.40, abs=0.005)


@pytest.mark.parametrize(("h", "printed", "exact"), [(4, 338.1, 335.4), (5, 938.2, 930.9)])
def test_printed_approximation_beside_the_exact_run_length(h, printed, exact):
    assert arl_siegmund(0.5, h) == pytest.approx(printed, abs=0.05)
    assert arl_normal_cusum(0.5, h) == pytest.approx(exact, abs=0.05)


@settings(max_examples=30)
@given(st.floats(0.25, 0.75), st.floats(3, 8), st.floats(0, 1))
def test_approximation_is_close_for_usual_charts(k, h, mean):
    assert arl_siegmund(k, h, mean) == pytest.approx(arl_normal_cusum(k, h, mean), rel=0.05)


@settings(max_examples=30)
@given(st.floats(1, 4), st.floats(-3, 3))
def test_moving_average_of_weight_one_is_a_shewhart_chart(limit, mean):
    assert arl_ewma(1.0, limit, mean) == pytest.approx(arl_shewhart(limit, mean), rel=1e-9)


@settings(max_examples=30)
@given(st.floats(0.05, 1), st.floats(1, 3.5), st.floats(0, 2))
def test_two_sided_charts_do_not_know_left_from_right(weight, limit, mean):
    assert arl_ewma(weight, limit, -mean) == pytest.approx(arl_ewma(weight, limit, mean), rel=1e-6)
    assert arl_shewhart(limit, -mean) == pytest.approx(arl_shewhart(limit, mean), rel=1e-12)
    up, down = arl_normal_cusum(0.5, 3, mean, sides=2), arl_normal_cusum(0.5, 3, -mean, sides=2)
    assert up == pytest.approx(down, rel=1e-9)


@settings(max_examples=30)
@given(st.floats(0.1, 1), st.floats(2, 6), st.floats(0, 1), st.floats(0.01, 0.9))
def test_a_head_start_and_a_larger_shift_alarm_sooner(k, h, mean, share):
    plain = arl_normal_cusum(k, h, mean)
    assert 1 <= arl_normal_cusum(k, h, mean, head_start=share * h) <= plain
    assert arl_normal_cusum(k, h, mean + 0.5) < plain < arl_normal_cusum(k, h + 0.5, mean)


def test_approximation_where_the_drift_vanishes():
    assert arl_siegmund(0.5, 4, 0.5) == pytest.approx(5.166**2)
    assert arl_siegmund(0.5, 4, 0.5 + 1e-4) == pytest.approx(5.166**2, rel=1e-3)
    assert arl_siegmund(0, 10) == pytest.approx(124.66, rel=0.01)
    assert math.isfinite(arl_siegmund(0.5, 4, 40))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: arl_normal_cusum(-1, 2), "^k must not be negative"),
        (lambda: arl_normal_cusum(1, 2, sides=3), "^sides must be 1 or 2"),
        (lambda: arl_normal_cusum(1, 2, head_start=2), "^head_start must be from 0 to below h = 2"),
        (lambda: arl_normal_cusum(1, 2, sides=2, head_start=1), "^head_start must be .* 0 with two sides"),
        (lambda: arl_siegmund(math.nan, 2), "^k must not be negative"),
        (lambda: arl_siegmund(1, 0), "^h must be"),
        (lambda: arl_ewma(0, 3), "^weight must be above 0"),
        (lambda: arl_ewma(0.1, -3), "^limit must be"),
        (lambda: arl_ewma(0.1, 3, nodes=2), "^nodes must be"),
        (lambda: arl_shewhart(0), "^limit must be"),
        (lambda: arl_shewhart(3, math.inf), "^mean must be finite"),
        (lambda: arl_siegmund(0.5, 4, math.nan), "^mean must be finite"),
        (lambda: arl_ewma(0.1, 3, math.nan), "^mean must be finite"),
        (lambda: arl_normal_cusum(0.5, 4, math.nan), "^mean must be finite"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
