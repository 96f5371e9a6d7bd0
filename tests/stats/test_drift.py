"""Alarms on a stream: designs, exact run lengths and paths."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.stats import arl_exact, bernoulli_cusum, cusum_path, e_sr, ewma_path


@pytest.mark.parametrize(
    ("limit", "arl0", "arl1"),
    [
        (62, 1028.0, 247.4),
        (107, 5099.9, 503.4),
        (130, 10201.4, 637.7),
        (154, 20172.2, 778.4),
    ],
)
def test_printed_run_lengths(limit, arl0, arl1):
    assert arl_exact(0.10, 8, limit) == pytest.approx(arl0, abs=0.05)
    assert arl_exact(0.13, 8, limit) == pytest.approx(arl1, abs=0.05)


@pytest.mark.parametrize(
    ("p0", "p1", "target", "up", "limit", "arl0", "arl1"),
    [
        (0.10, 0.13, 10_000, 8, 130, 10201.4, 637.7),
        (0.05, 0.08, 5_000, 15, 118, 5128.3, 338.9),
        (0.05, 0.08, 10_000, 15, 140, 10202.2, 416.7),
    ],
)
def test_printed_designs(p0, p1, target, up, limit, arl0, arl1):
    got = bernoulli_cusum(p0, p1, target)
    assert got.up == up
    assert got.limit <= limit
    assert got.arl0 >= target > arl_exact(p0, up, got.limit - 1)
    assert arl_exact(p0, up, limit) == pytest.approx(arl0, abs=0.06)
    assert arl_exact(p1, up, limit) == pytest.approx(arl1, abs=0.06)


def test_printed_sensitivity_to_the_baseline():
    got = [arl_exact(p, 8, 130) for p in (0.0933, 0.1067, 0.0866, 0.1134)]
    assert got == pytest.approx([39_197, 3_668, 202_536, 1_770], abs=0.6)


@given(st.floats(0.02, 0.9), st.integers(1, 6), st.integers(1, 25), st.data())
def test_run_length_solves_the_chain(p, up, limit, data):
    matrix = np.zeros((limit, limit))
    for s in range(limit):
        matrix[s, max(0, s - 1)] += 1 - p
        if s + up < limit:
            matrix[s, s + up] += p
    start = data.draw(st.integers(0, limit - 1))
    want = np.linalg.solve(np.eye(limit) - matrix, np.ones(limit))[start]
    if 0 < want < 1e7:  # beyond, the oracle's matrix is too ill-conditioned
        assert arl_exact(p, up, limit, start=start) == pytest.approx(want, rel=1e-6)


def test_run_length_edges():
    assert arl_exact(1.0, 1, 5) == 5
    assert arl_exact(0.25, 9, 5) == pytest.approx(4)
    assert arl_exact(0.001, 3, 200) > 1e100


@given(st.lists(st.integers(0, 1), max_size=200), st.integers(0, 20))
def test_path_is_the_recursion(failures, start):
    design = bernoulli_cusum(0.2, 0.4, 50)
    state, want = start, []
    for x in failures:
        state = state + design.up if x else max(0, state - 1)
        want.append(state)
        if state >= design.limit:
            break
    got = cusum_path(failures, design, start=start)
    assert got.values.tolist() == want
    assert got.alarm == (len(want) - 1 if want and want[-1] >= design.limit else None)


@given(st.lists(st.integers(0, 1), max_size=200), st.floats(0.02, 1))
def test_moving_average_is_the_weighted_sum(failures, weight):
    got = ewma_path(failures, 0.2, weight=weight, limit=1e6)
    assert got.alarm is None
    for t in range(0, len(failures), 17):
        age = np.arange(t, -1, -1)
        want = (1 - weight) ** (t + 1) * 0.2 + np.sum(weight * (1 - weight) ** age * np.array(failures[: t + 1]))
        assert got.values[t] == pytest.approx(want, abs=1e-12)


def test_moving_average_alarms_on_a_rise():
    rng = np.random.default_rng(5)
    failures = np.concatenate((rng.random(500) < 0.1, rng.random(500) < 0.3)).astype(int)
    got = ewma_path(failures, 0.1)
    assert got.alarm is not None
    assert 500 < got.alarm < 600
    assert got.values.size == got.alarm + 1
    edge = 0.1 + 2.7 * math.sqrt(0.09 * 0.01 / 1.99)
    assert got.values[-1] > edge >= got.values[:-1].max()


def test_shiryaev_roberts_recursion():
    x = [1, 0, 1, 1, 0, 0]
    got = e_sr(x, 0.9, bets=[0.3, 1.0], threshold=1e9)
    wealth = [0.0, 0.0]
    for t, value in enumerate(x):
        wealth = [(1 + m) * (1 + b * (0.9 - value)) for m, b in zip(wealth, (0.3, 1.0), strict=True)]
        assert got.values[t] == pytest.approx(sum(wealth) / 2)
    assert got.alarm is None


def test_shiryaev_roberts_alarms_on_a_drop():
    rng = np.random.default_rng(3)
    x = np.concatenate((rng.random(1000) < 0.9, rng.random(2000) < 0.75)).astype(float)
    got = e_sr(x, 0.9)
    assert got.alarm is not None
    assert 1000 < got.alarm < 1400
    assert got.values.size == got.alarm + 1


def test_rivers_page_hinkley_is_far_slower():
    drift = pytest.importorskip("river.drift", exc_type=ImportError)
    rng = np.random.default_rng(11)
    x = np.concatenate((rng.random(2000) < 0.10, rng.random(3000) < 0.20)).astype(float)
    detector, fired = drift.PageHinkley(), None
    for t, value in enumerate(x):
        detector.update(float(value))
        if detector.drift_detected and fired is None:
            fired = t
    ours = cusum_path(x, bernoulli_cusum(0.10, 0.13, 10_000)).alarm
    assert ours is not None
    assert 2000 < ours < 2400
    assert fired is None or fired > ours


def test_rivers_documented_alarms():
    drift = pytest.importorskip("river.drift", exc_type=ImportError)
    import random

    rng = random.Random(12345)
    stream = rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)
    adwin, page = drift.ADWIN(), drift.PageHinkley()
    at = {"adwin": 0, "page": 0}
    for i, value in enumerate(stream):
        adwin.update(value)
        page.update(value)
        if adwin.drift_detected and not at["adwin"]:
            at["adwin"] = i
        if page.drift_detected and not at["page"]:
            at["page"] = i
    assert at == {"adwin": 1023, "page": 1006}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bernoulli_cusum(0.2, 0.1, 100), "^p0 must be between 0 and 0.1"),
        (lambda: bernoulli_cusum(0.1, 1, 100), "^p1 must be"),
        (lambda: bernoulli_cusum(0.1, 0.2, 0.5), "^arl0 must be at least 1"),
        (lambda: arl_exact(0, 1, 2), "^p must be above 0"),
        (lambda: arl_exact(0.1, 0, 2), "^up must be"),
        (lambda: arl_exact(0.1, 1, 2, start=2), "^start must be from 0 to 1"),
        (lambda: cusum_path([2], bernoulli_cusum(0.1, 0.2, 10)), "^failures must hold"),
        (lambda: cusum_path([0.5], bernoulli_cusum(0.1, 0.2, 10)), "^failures must hold only 0 and 1"),
        (lambda: e_sr([1], 1), "^p0 must be"),
        (lambda: e_sr([1], 0.5, bets=[2.0]), r"^bets must be below 1/\(1 − p0\) = 2"),
        (lambda: e_sr([1], 0.5, threshold=1), "^threshold must be above 1"),
        (lambda: ewma_path([2], 0.1), "^failures must hold"),
        (lambda: ewma_path([0], 1), "^p0 must be"),
        (lambda: ewma_path([0], 0.1, weight=0), "^weight must be above 0"),
        (lambda: ewma_path([0], 0.1, limit=-1), "^limit must be"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_empty_streams():
    assert cusum_path([], bernoulli_cusum(0.1, 0.2, 10)).alarm is None
    assert e_sr([], 0.9).values.size == 0
    assert ewma_path([], 0.1).values.size == 0
    assert math.isfinite(bernoulli_cusum(0.01, 0.02, 100_000).arl0)
