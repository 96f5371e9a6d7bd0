"""What early stopping saves, and that it errs no more often: would-be trials through the verdict engine itself.

`python -m bench.early_stopping [--swaps 2000] [--cases 2000] [--looks 4]` prints a table: worlds in which the candidate
is as good as the incumbent, exactly at its margin, better and worse; cases by themselves and in clusters; one rubric,
and three with a gate. False ships are ships at a margin, false blocks are blocks there (of equal arms even rarer).
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np

from seatrial.core.suite import Suite
from seatrial.runs.plan import in_parts
from seatrial.verdicts.engine.simulate import Ended, Truth, draw, run

MARGIN, LIMIT = 0.03, 0.03
PSI = 0.10


class World(NamedTuple):
    """Rubrics with their truths; those called gate… are gates. `per`: cases a cluster."""

    name: str
    truths: dict[str, Truth]
    per: int = 1


def worlds() -> list[World]:
    """Where error rates are promised, and where time is to be saved."""
    equal, margin = Truth.of(PSI), Truth.of(PSI, -MARGIN)
    far, better = Truth.of(PSI, -0.06), Truth.of(PSI, 0.03)
    kept, flickering = Truth(0.0, 0.0, 0.001), Truth(0.004, 0.004, 0.001)
    leaky = Truth(0.0, 0.06, 0.0)
    alike = {"icc": 0.2}
    return [
        World("as good, one rubric", {"right": equal}),
        World("better by 3 points, one rubric", {"right": better}),
        World("at its margin, one rubric", {"right": margin}),
        World("worse by 6 points, one rubric", {"right": far}),
        World("as good, three rubrics and a gate", {"a": equal, "b": equal, "c": equal, "gate": kept}),
        World("one of three at its margin, gate kept", {"a": margin, "b": equal, "c": equal, "gate": kept}),
        World("three at their margin, gate kept", {"a": margin, "b": margin, "c": margin, "gate": kept}),
        World("as good, a gate that may err 10%", {"gate": flickering}),
        World("as good, a gate that fails 6%", {"a": equal, "gate": leaky}),
        World("as good, clusters of 5", {"right": Truth.of(PSI, **alike)}, per=5),
        World("at its margin, clusters of 5", {"right": Truth.of(PSI, -MARGIN, **alike)}, per=5),
    ]


class Found(NamedTuple):
    """How a world's would-be trials ended: shares, and the mean share of the cases they took."""

    ship: float
    block: float
    taken: float


def suite_of(world: World, looks: int) -> Suite:
    """A suite with the world's rubrics; `looks` 1 is without early stopping."""
    gate = {"kind": "gate", "limit_points": 100 * LIMIT}
    rubrics = [{"name": n, "scorer": "exact", **(gate if n.startswith("gate") else {})} for n in world.truths]
    targets = {"old": {"use": "python:m:old"}, "new": {"use": "python:m:new"}}
    policy = {"margin_points": 100 * MARGIN, **({"early_stopping": {"looks": looks}} if looks > 1 else {})}
    plain = {"name": "s", "dataset": {"path": "x.jsonl"}, "targets": targets, "incumbent": "old"}
    return Suite.model_validate({**plain, "rubrics": rubrics, "policy": policy})


def simulate(world: World, swaps: int, cases: int, looks: int, seed: int = 1) -> Found:
    """Draw and judge so many swaps."""
    suite, random = suite_of(world, looks), np.random.default_rng(seed)
    cluster = np.repeat(np.arange(cases // world.per), world.per)
    parts = in_parts(cluster, np.zeros(len(cluster), dtype=np.intp), looks, seed)
    part = np.empty(len(cluster), dtype=np.intp)
    for number, rows in enumerate(parts):
        part[rows] = number
    ends = np.cumsum([len(rows) for rows in parts]).tolist()
    where = dict.fromkeys(world.truths, part)
    ended: list[Ended] = []
    for _ in range(swaps):
        outcomes = {name: draw(random, cluster, truth) for name, truth in world.truths.items()}
        ended.append(run(suite, outcomes, where, ends))
    overall = [end.overall for end in ended]
    taken = float(np.mean([end.share for end in ended]))
    return Found(overall.count("ship") / swaps, overall.count("block") / swaps, taken)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swaps", type=int, default=2000)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--looks", type=int, default=4)
    asked = parser.parse_args()
    started = time.perf_counter()
    print(f"{asked.swaps:,} swaps of {asked.cases:,} cases a row, {PSI:.0%} discordant, margin {MARGIN:.0%}")
    print(f"{'':40} | one look: ship  block | {asked.looks} looks: ship  block  cases saved")
    for world in worlds():
        one = simulate(world, asked.swaps, asked.cases, 1)
        many = simulate(world, asked.swaps, asked.cases, asked.looks)
        print(
            f"{world.name:40} |      {one.ship:7.1%} {one.block:6.1%} |    {many.ship:9.1%} {many.block:6.1%} "
            f"{1 - many.taken:8.0%}",
            flush=True,
        )
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
