"""Probes of contamination: known answers, laws and edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.stats import (
    canary_exposure,
    difference_in_differences,
    lsh_probability,
    miettinen_nurminen_z,
    min_k,
    min_k_plus_plus,
)

ROWS = np.log([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.5, 0.25], [0.05, 0.05, 0.9]])
TOKENS = ROWS[np.arange(4), [0, 0, 1, 2]]


def test_printed_min_k():
    assert min_k(TOKENS, share=0.5) == pytest.approx(-1.497866, abs=5e-7)


def test_printed_min_k_plus_plus():
    each = [min_k_plus_plus(TOKENS[i : i + 1], ROWS[i : i + 1]) for i in range(4)]
    assert each == pytest.approx([0.63309, -2, 1, 0.33333], abs=5e-6)
    assert min_k_plus_plus(TOKENS, ROWS, share=0.5) == pytest.approx(-0.833333, abs=5e-7)


def test_positions_without_spread_are_skipped():
    sure = np.log([[1.0, 1e-300], [0.5, 0.5], [0.9, 0.1]])
    with np.errstate(divide="ignore"):
        impossible = np.log([[1.0, 0.0], [0.9, 0.1]])
    assert min_k_plus_plus(sure[:, 0], sure, share=1) == pytest.approx(1 / 3)
    assert min_k_plus_plus(impossible[:, 0], impossible, share=1) == pytest.approx(1 / 3)
    assert math.isnan(min_k([]))
    assert math.isnan(min_k_plus_plus([], np.empty((0, 3))))


@given(st.lists(st.floats(-20, 0), min_size=1, max_size=30), st.floats(0.01, 1))
def test_lowest_tokens_lie_below_the_mean(logprobs, share):
    got = min_k(logprobs, share=share)
    assert min(logprobs) - 1e-9 <= got <= sum(logprobs) / len(logprobs) + 1e-9
    assert min_k(logprobs[::-1], share=share) == got
    assert min_k(logprobs, share=1) == pytest.approx(sum(logprobs) / len(logprobs))


def test_printed_exposure():
    assert canary_exposure(1, 2**20) == 20
    assert canary_exposure(2**20, 2**20) == 0
    assert canary_exposure(3, 3) == pytest.approx(0)


@pytest.mark.parametrize(
    ("similarity", "bands", "rows", "printed", "digits"),
    [
        (0.7, 16, 8, 0.613, 3),
        (0.8, 16, 8, 0.947, 3),
        (0.9, 16, 8, 0.9999, 4),
        (0.7, 20, 6, 0.918, 3),
        (0.8, 20, 6, 0.998, 3),
    ],
)
def test_printed_chances_of_finding_near_duplicates(similarity, bands, rows, printed, digits):
    assert round(lsh_probability(similarity, bands=bands, rows=rows), digits) == printed


@given(st.floats(0, 1), st.integers(1, 40), st.integers(1, 20))
def test_more_bands_find_more_and_more_rows_less(similarity, bands, rows):
    got = lsh_probability(similarity, bands=bands, rows=rows)
    assert 0 <= got <= 1
    assert lsh_probability(similarity, bands=bands + 1, rows=rows) >= got
    assert lsh_probability(similarity, bands=bands, rows=rows + 1) <= got
    assert lsh_probability(1.0, bands=bands, rows=rows) == 1
    assert lsh_probability(0.0, bands=bands, rows=rows) == 0


def test_printed_difference_in_differences():
    got = difference_in_differences((450, 500, 410, 500), [(440, 500, 430, 500)])
    assert got.estimate == pytest.approx(0.06)
    assert got.se == pytest.approx(0.0304, abs=5e-5)
    assert got.z == pytest.approx(1.97, abs=5e-3)
    alone = miettinen_nurminen_z(450, 500, 410, 500, 0.0)  # without the references it looks far surer
    assert alone > 3.6


counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts, counts, counts)
def test_laws_of_difference_in_differences(a, b, c, d):
    target, other = (*a, *b), (*c, *d)
    got = difference_in_differences(target, [other])
    swapped = difference_in_differences(other, [target])
    assert swapped.estimate == pytest.approx(-got.estimate)
    assert swapped.se == pytest.approx(got.se)
    twice = difference_in_differences(target, [other, other])
    assert twice.estimate == pytest.approx(got.estimate)
    assert twice.se <= got.se + 1e-12
    assert difference_in_differences(target, [target]).estimate == pytest.approx(0)


def test_differences_without_spread():
    assert difference_in_differences((5, 5, 0, 5), [(5, 5, 5, 5)]).z == math.inf
    assert difference_in_differences((0, 5, 5, 5), [(5, 5, 5, 5)]).z == -math.inf
    assert math.isnan(difference_in_differences((5, 5, 5, 5), [(5, 5, 5, 5)]).z)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: min_k([0.1]), "^logprobs must hold"),
        (lambda: min_k([-1.0], share=0), "^share must be above 0"),
        (lambda: min_k_plus_plus([-1.0], [[-1.0], [-1.0]]), "^vocabulary must have 1 rows"),
        (lambda: min_k_plus_plus([-1.0], [[math.nan]]), "^vocabulary must hold log-probabilities"),
        (lambda: canary_exposure(0, 5), "^rank must be"),
        (lambda: canary_exposure(6, 5), "^rank must be from 1 to 5"),
        (lambda: lsh_probability(1.5, bands=2, rows=2), "^similarity must be"),
        (lambda: lsh_probability(0.5, bands=0, rows=2), "^bands must be"),
        (lambda: difference_in_differences((1, 2, 1, 2), []), "^references must hold"),
        (lambda: difference_in_differences((3, 2, 1, 2), [(1, 2, 1, 2)]), "^passes must be"),
        (lambda: difference_in_differences((1, 2, 1, 0), [(1, 2, 1, 2)]), "^cases must be"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
