"""What moves pass rates: known grids, laws of the decomposition, and the coverage of what it claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seatrial.verdicts.questions.sweep import MODEL, Grid, RubricSweep, contrasts, decompose

NAN = float("nan")


def shares(*parts: tuple[float, int]) -> Any:
    """A column of passes and failures: `(1, 30), (0, 10)` is 30 passes, then 10 failures."""
    return np.concatenate([np.full(count, value) for value, count in parts])[:, None]


def grid(results: dict[tuple[str, int], Any], shown: list[dict[str, str]], **more: Any) -> Grid:
    targets = list(dict.fromkeys(target for target, _ in results))
    cases = len(next(iter(results.values())))
    return Grid(targets, shown, results, more.pop("cluster", np.arange(cases)), **more)


TWO = [{"temperature": "0"}, {"temperature": "0.7"}]


def movement(found: RubricSweep, factor: str) -> Any:
    return next(m for m in found.movements if m.factor == factor)


def test_what_moves_is_told_apart_from_what_does_not() -> None:
    cold, warm = shares((1, 180), (0, 20)), shares((0, 60), (1, 120), (0, 20))
    found = decompose("right", grid({("a", 0): cold, ("b", 0): cold, ("a", 1): warm, ("b", 1): warm}, TWO), 0.05)
    hot, model = movement(found, "temperature"), movement(found, MODEL)
    assert (hot.largest, hot.differences, hot.between) == (pytest.approx(0.3), 2, "0 over 0.7, a")
    assert 0.15 < hot.low < 0.3 < hot.high < 0.45
    assert hot.typical == pytest.approx(0.3, abs=0.01)
    assert (model.largest, model.low, model.typical) == (0, 0, 0)
    assert found.sentence.startswith("Temperature moves pass rates by up to 30.0 points (")
    assert "the model by up to 0 (0 to " in found.sentence
    assert "That the model moves them at all is not shown. Ranges hold together at 95%." in found.sentence
    assert found.ranking == "The ranking of the targets is the same under every setting."


def test_a_ranking_that_turns_is_shown_with_both_leads() -> None:
    good, bad = shares((1, 180), (0, 20)), shares((1, 100), (0, 100))
    found = decompose("right", grid({("a", 0): good, ("b", 0): bad, ("a", 1): bad, ("b", 1): good}, TWO), 0.05)
    (swap,) = found.swaps
    assert (swap.first, swap.second, swap.first_leads, swap.second_leads) == (
        "a",
        "b",
        "temperature 0",
        "temperature 0.7",
    )
    assert (swap.lead, swap.behind, swap.shown) == (pytest.approx(0.4), pytest.approx(-0.4), True)
    assert found.ranking.startswith("The ranking depends on the setting: a leads b by 40.0 points (")
    assert ") at temperature 0, and trails by 40.0 (" in found.ranking


def test_places_changed_by_a_hair_are_not_shown_to_change() -> None:
    one, two = shares((1, 101), (0, 99)), shares((0, 1), (1, 100), (0, 99))
    found = decompose("right", grid({("a", 0): one, ("b", 0): two, ("a", 1): two, ("b", 1): one}, TWO), 0.05)
    assert [swap.shown for swap in found.swaps] == [False]
    assert found.ranking == (
        "The ranking is not shown to depend on the setting: a and b change places, by no more than chance may do."
    )


def test_only_cells_that_differ_in_one_thing_are_compared() -> None:
    shown = [{"t": t, "p": p} for t in ("0", "1", "2") for p in ("a", "b")]
    results = {(target, s): shares((1, 5)) for target in ("x", "y") for s in range(6)}
    pairs = contrasts(grid(results, shown))
    counts = {factor: sum(p.factor == factor for p in pairs) for factor in (MODEL, "t", "p")}
    assert counts == {MODEL: 6, "t": 2 * 2 * 3, "p": 2 * 3}
    assert len(pairs) == sum(counts.values())


def test_a_setting_that_never_reached_a_target_is_not_compared_there() -> None:
    results = {(target, s): shares((1, 40)) for target in ("x", "y") for s in range(2)}
    pairs = contrasts(grid(results, TWO, unmoved=frozenset({("temperature", "y")})))
    assert {p.one[0] for p in pairs if p.factor == "temperature"} == {"x"}


def test_clusters_widen_what_is_claimed() -> None:
    results = {("a", 0): shares((1, 160), (0, 40)), ("a", 1): shares((1, 120), (0, 80))}
    alone = movement(decompose("r", grid(results, TWO), 0.05), "temperature")
    together = movement(decompose("r", grid(results, TWO, cluster=np.arange(200) // 10), 0.05), "temperature")
    assert together.low < alone.low < alone.high < together.high
    assert alone.largest == together.largest


def test_missing_results_are_told_and_left_out_pair_by_pair() -> None:
    one, two = shares((1, 60), (0, 40)), shares((1, 50), (NAN, 30), (0, 20))
    found = decompose("r", grid({("a", 0): one, ("a", 1): two}, TWO), 0.05)
    assert movement(found, "temperature").largest == pytest.approx(0)
    assert [cell.rate.missing for cell in found.cells] == [0, 30]
    assert found.warnings == (
        "More than 20% of the results are missing for a at temperature 0.7: do not rely on those.",
    )


def test_nothing_in_common_says_nothing() -> None:
    found = decompose("r", grid({("a", 0): shares((NAN, 9)), ("a", 1): shares((1, 9))}, TWO), 0.05)
    assert found.movements == ()
    assert found.sentence.startswith("No two cells of the grid have a case in common")


def test_epochs_are_no_further_cases() -> None:
    one, two = shares((1, 40), (0, 10)), shares((1, 30), (0, 20))
    once = movement(decompose("r", grid({("a", 0): one, ("a", 1): two}, TWO), 0.05), "temperature")
    thrice = {("a", 0): np.repeat(one, 3, axis=1), ("a", 1): np.repeat(two, 3, axis=1)}
    often = movement(decompose("r", grid(thrice, TWO), 0.05), "temperature")
    assert often.largest == once.largest
    assert often.low <= once.low + 0.01


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (4, 12, 1), elements=st.sampled_from([0.0, 1.0, NAN])), st.integers(1, 6))
def test_laws(cells: Any, size: int) -> None:
    results = {(target, s): cells[2 * i + s] for i, target in enumerate("ab") for s in range(2)}
    found = decompose("r", grid(results, TWO, cluster=np.arange(12) // size), 0.05)
    for one in found.movements:
        assert 0 <= one.low <= one.largest + 1e-9 <= one.high + 2e-9 <= 1 + 3e-9
        assert 0 <= one.typical <= 1
    swapped = {("b" if target == "a" else "a", s): cell for (target, s), cell in results.items()}
    other = decompose("r", grid(swapped, TWO, cluster=np.arange(12) // size), 0.05)
    assert [m.factor for m in other.movements] == [m.factor for m in found.movements]
    for one, two in zip(found.movements, other.movements, strict=True):
        assert (one.largest, one.low, one.high) == pytest.approx((two.largest, two.low, two.high))


def drawn(rng: np.random.Generator, n: int, size: int) -> dict[tuple[str, int], Any]:
    """Results of 2 targets × 4 settings that all pass 70%: variants of a seed share half of what decides them."""
    found = {}
    for key in ((target, s) for target in "ab" for s in range(4)):
        own, shared = rng.random((n, 1)), np.repeat(rng.random((n // size, 1)), size, axis=0)
        found[key] = (np.where(rng.random((n, 1)) < 0.5, shared, own) < 0.7).astype(float)
    return found


@pytest.mark.parametrize("size", [pytest.param(1, id="independent"), pytest.param(4, id="clusters-of-4")])
def test_where_nothing_moves_a_movement_is_seldom_shown(size: int) -> None:
    """Of 120 grids of 16 differences, all truly none: any is shown in at most about alpha; each by itself, in many."""
    rng, n = np.random.default_rng(7), 120
    shown = [{"t": str(t)} for t in range(4)]
    together = apart = 0
    for _ in range(120):
        made = grid(drawn(rng, n, size), shown, cluster=np.arange(n) // size)
        together += any(m.low > 0 for m in decompose("r", made, 0.05).movements)
        apart += any(m.low > 0 for m in decompose("r", made, 0.05 * len(contrasts(made))).movements)
    assert together <= 13
    assert apart >= 25, "the adjustment is what holds it"
