"""The laws of the split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.datasets.sampling.split import FREE, Dealt, deal, parse

SHARES = [0.2, 0.6, 0.2]


def dealt(cells: list[int], groups: list[int], times: list[float], fixed: list[int] | None = None) -> np.ndarray:
    count = len(cells)
    ranks = np.random.default_rng(5).random(count)
    what = Dealt(
        np.array(cells), np.array(groups), np.array(times, dtype=float), ranks, np.array(fixed or [FREE] * count)
    )  # fmt: skip
    return deal(what, SHARES)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 100)), min_size=1, max_size=120))
def test_a_cluster_is_never_split(rows: list[tuple[int, int, int]]):
    cells, groups, times = (list(part) for part in zip(*rows, strict=True))
    found = dealt(cells, groups, times)
    assert set(found.tolist()) <= {0, 1, 2}
    for group in set(groups):
        assert len({f for f, g in zip(found.tolist(), groups, strict=True) if g == group}) == 1


@given(st.lists(st.integers(0, 5), min_size=1, max_size=200))
def test_without_clusters_sizes_are_as_asked_and_every_stratum_is_in_order_of_time(cells: list[int]):
    count = len(cells)
    times = np.random.default_rng(1).permutation(count).astype(float)
    found = dealt(cells, list(range(count)), times.tolist())
    sizes = np.bincount(found, minlength=3)
    assert (np.abs(sizes - count * np.array(SHARES)) <= 1.5).all()
    for cell in set(cells):
        inside = np.array(cells) == cell
        order = found[inside][np.argsort(times[inside])]
        assert (np.diff(order) >= 0).all()
        held = int(inside.sum())
        if held >= 20:
            assert (np.bincount(order, minlength=3) >= 0.2 * held - 2).all()


def test_what_is_fixed_stays_and_takes_its_cluster_along():
    found = dealt([0] * 10, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8], list(range(10)), [2, FREE, 0] + [FREE] * 7)
    assert found[:3].tolist() == [2, 2, 0]
    assert np.bincount(found).tolist() == [2, 6, 2]


def test_the_undated_are_placed_by_lot():
    found = dealt([0] * 100, list(range(100)), [float("nan")] * 100)
    assert np.bincount(found).tolist() == [20, 60, 20]
    assert np.ptp(found[:30]) > 0


@pytest.mark.parametrize("text", ["", "build", "build=x", "build=.5,build=.5"])
def test_shares_that_cannot_be_read(text: str):
    with pytest.raises(ValueError, match=r"must be|twice"):
        parse(text)
