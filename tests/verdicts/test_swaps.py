"""Whole verdicts on would-be swaps: the error rates that are promised, by the simulation that makes the table."""

from __future__ import annotations

import pytest
from bench.swaps import PAGE, Found, World, page, row, simulate, worlds

from seatrial.verdicts.engine.simulate import Truth

HELD = [world for world in worlds() if world.ship is not None or world.block is not None]


@pytest.mark.heavy
@pytest.mark.parametrize("world", [pytest.param(world, id=world.name) for world in HELD])
def test_no_promise_is_broken(world: World) -> None:
    found = simulate(world, 2000, 1200)
    assert not found.exceeds("ship"), found
    assert not found.exceeds("block"), found


def test_what_is_clear_comes_out_clearly() -> None:
    better, worse = Truth.of(0.08, 0.05), Truth.of(0.25, -0.2)
    assert simulate(World("better", (better,)), 5, 900).ship == 5
    assert simulate(World("worse", (worse, better)), 5, 900).block == 5
    assert simulate(World("leaks", (better,), gate=Truth(0.0, 0.1)), 5, 900).block == 5
    assert simulate(World("dear", (better,), cost=2), 5, 900).block == 5


def test_a_broken_promise_is_marked() -> None:
    world = World("too often", (Truth.of(0.1),), ship=0.06, block=0.05)
    assert [Found(world, 2000, ship, 0).exceeds("ship") for ship in (120, 140, 160)] == [False, False, True]
    assert row(Found(world, 2000, 160, 0)).endswith("| 8.00 ± 0.61 | ≤ 6 **exceeded** | 0.00 ± 0.05 | ≤ 5 |")
    assert "Exceeded in: too often." in page([Found(world, 2000, 160, 0)], 1200)


def test_the_page_is_of_these_worlds() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line.split(" | ")[0][2:] for line in lines if line.startswith("| ")][1:] == [w.name for w in worlds()]
    assert lines[2].startswith("2,000 swaps")
