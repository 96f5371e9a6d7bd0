"""How often verdicts err: would-be swaps of a known truth through the verdict engine itself, all rubrics at once.

`python -m bench.swaps [--swaps 2000] [--cases 1200] [--write]` judges every world's swaps with `compare_arrays`, as a
trial is judged: quality rubrics with Holm's adjustment, a gate, a limit, cases in clusters of unequal size. It prints
shares with their standard errors beside what is promised, and with `--write` makes docs/certification/swaps.md. Every
world has a seed of its own, so the table can be made again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seatrial.core.suite import Suite
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes
from seatrial.verdicts.engine.simulate import Truth, draw

PAGE = Path(__file__).parents[1] / "docs" / "certification" / "swaps.md"
MARGIN, LIMIT, RATIO = 0.03, 0.02, 1.2
ALPHA, GATE_ALPHA, SHIP = 0.05, 0.10, 0.06
PSI, ICC = 0.08, 0.2
NOISE = 2.5
"""A share counts as above what is promised where it is so by more than this many standard errors."""

EQUAL, AT_MARGIN = Truth.of(PSI, icc=ICC), Truth.of(PSI, -MARGIN, icc=ICC)
BETTER, WORSE = Truth.of(PSI, 0.04, icc=ICC), Truth.of(0.12, -0.09, icc=ICC)
KEPT = Truth(0.0, 0.0, 0.0005)


@dataclass(frozen=True, slots=True)
class World:
    """What is true: every quality rubric's pair of arms, the gate's, and the candidate's mean cost over the other's.

    `ship` and `block`: what is promised of their shares; None: not promised anything. `sizes`: of clusters, in turn.
    `heavy`: the weight of every third cluster, against 1.
    """

    name: str
    quality: tuple[Truth, ...]
    gate: Truth = KEPT
    cost: float = 1.0
    ship: float | None = None
    block: float | None = None
    sizes: tuple[int, ...] = (1, 1, 2, 3, 8)
    epochs: int = 1
    heavy: float = 1.0


def worlds() -> list[World]:
    """Where an error rate is promised, and where a verdict should come out."""
    alone = (1,)
    one_way = Truth(0.0, MARGIN, icc=ICC)
    flickers = Truth(0.005, 0.005)
    fine = (BETTER, BETTER)
    return [
        World("A/A: 3 rubrics", (EQUAL,) * 3, block=ALPHA),
        World("A/A: 5 rubrics, every case by itself", (Truth.of(PSI),) * 5, block=ALPHA, sizes=alone),
        World("A/A: 3 rubrics, 3 epochs", (EQUAL,) * 3, block=ALPHA, epochs=3),
        World("A/A: 3 rubrics, weighted to traffic", (EQUAL,) * 3, block=ALPHA, heavy=4),
        World("A/A: 3 rubrics, a gate that flickers", (EQUAL,) * 3, gate=flickers, block=GATE_ALPHA),
        World("one of 3 at its margin", (AT_MARGIN, *fine), ship=SHIP, block=ALPHA),
        World(
            "one of 3 at its margin, by itself", (Truth.of(PSI, -MARGIN), *fine), ship=SHIP, block=ALPHA, sizes=alone
        ),
        World("one of 3 at its margin, losses one way", (one_way, *fine), ship=SHIP, block=ALPHA),
        World("one of 3 at its margin, 3 epochs", (AT_MARGIN, *fine), ship=SHIP, block=ALPHA, epochs=3),
        World("one of 3 at its margin, weighted", (AT_MARGIN, *fine), ship=SHIP, block=ALPHA, heavy=4),
        World("one of 5 at its margin", (AT_MARGIN, *fine, *fine), ship=SHIP, block=ALPHA),
        World("5 of 5 at their margin", (AT_MARGIN,) * 5, ship=SHIP, block=ALPHA),
        World(
            "gate at its limit, 3 rubrics better", (BETTER, *fine), gate=Truth(0.0, 0.0, LIMIT), ship=SHIP, block=ALPHA
        ),
        World("cost at its limit, 3 rubrics better", (BETTER, *fine), cost=RATIO, ship=SHIP, block=ALPHA),
        World("better by 4 points on 3 rubrics", (BETTER, *fine)),
        World("worse by 9 points on one of 3", (WORSE, *fine)),
        World("gate fails 6%, 3 rubrics better", (BETTER, *fine), gate=Truth(0.0, 0.06)),
        World("cost 1.5 times, 3 rubrics better", (BETTER, *fine), cost=1.5),
    ]


@dataclass(frozen=True, slots=True)
class Found:
    """How a world's swaps ended."""

    world: World
    swaps: int
    ship: int
    block: int

    def share(self, kind: str) -> tuple[float, float]:
        """A share with its standard error; that of an error-free run is the rule of three's, a third of its bound."""
        count = self.ship if kind == "ship" else self.block
        p = count / self.swaps
        return p, max((p * (1 - p) / self.swaps) ** 0.5, 1 / self.swaps)

    def exceeds(self, kind: str) -> bool:
        """Whether a promised share is exceeded beyond the simulation's own noise."""
        promised = self.world.ship if kind == "ship" else self.world.block
        if promised is None:
            return False
        share, _ = self.share(kind)
        return share > promised + NOISE * (promised * (1 - promised) / self.swaps) ** 0.5


def suite_of(world: World) -> Suite:
    """The world's rubrics, a gate and a limit on the ratio of mean costs, under the policy as it is unless said."""
    quality = [{"name": f"q{at}", "scorer": "exact"} for at in range(len(world.quality))]
    gate = {"name": "gate", "scorer": "exact", "kind": "gate", "limit_points": 100 * LIMIT}
    cost = {"name": "cost", "scorer": "cost", "kind": "limit", "statistic": "mean", "at_most_ratio": RATIO}
    return Suite.model_validate(
        {
            "name": "swaps",
            "dataset": {"path": "x.jsonl"},
            "targets": {"old": {"use": "python:m:old"}, "new": {"use": "python:m:new"}},
            "incumbent": "old",
            "rubrics": [*quality, gate, cost],
            "policy": {"margin_points": 100 * MARGIN, "alpha": ALPHA, "gate_alpha": GATE_ALPHA},
        }
    )


def clusters(cases: int, sizes: tuple[int, ...]) -> Ints:
    """Labels of clusters of these sizes, in turn."""
    rounds = cases // sum(sizes) + 1
    held = np.tile(np.array(sizes), rounds)
    return np.repeat(np.arange(len(held)), held)[:cases]


def costs(random: np.random.Generator, cluster: Ints, ratio: float, epochs: int) -> Outcomes:
    """Lognormal costs that a case's arms, and a cluster's cases, share in part."""
    shape = (len(cluster), epochs)
    shared = 0.3 * random.normal(size=cluster.max() + 1)[cluster][:, None] + 0.4 * random.normal(size=(len(cluster), 1))
    own = [np.exp(shared + 0.2 * random.normal(size=shape)) for _ in range(2)]
    return Outcomes.of(ratio * own[0], own[1], cluster)


def swap(random: np.random.Generator, world: World, cluster: Ints, weight: Floats | None) -> Mapping[str, Outcomes]:
    """One would-be swap's outcomes by rubric."""
    drawn = {
        f"q{at}": replace(draw(random, cluster, truth, world.epochs), weight=weight)
        for at, truth in enumerate(world.quality)
    }
    drawn["gate"] = draw(random, cluster, world.gate, world.epochs)
    drawn["cost"] = costs(random, cluster, world.cost, world.epochs)
    return drawn


def simulate(world: World, swaps: int, cases: int, seed: int = 1) -> Found:
    """Draw and judge so many swaps."""
    suite, cluster = suite_of(world), clusters(cases, world.sizes)
    random = np.random.default_rng([seed, *world.name.encode()])
    weight = None
    if world.heavy != 1:
        weight = np.where(cluster % 3 == 0, world.heavy, 1.0)
        weight /= weight.mean()
    ended = [compare_arrays(suite, swap(random, world, cluster, weight))[0].overall for _ in range(swaps)]
    return Found(world, swaps, ended.count("ship"), ended.count("block"))


def row(found: Found) -> str:
    """A line of the table."""
    cells: list[str] = [found.world.name]
    for kind, promised in (("ship", found.world.ship), ("block", found.world.block)):
        share, error = found.share(kind)
        said = "" if promised is None else f"≤ {100 * promised:g}"
        cells += [f"{100 * share:.2f} ± {100 * error:.2f}", f"{said}{' **exceeded**' if found.exceeds(kind) else ''}"]
    return f"| {' | '.join(cells)} |"


def page(found: list[Found], cases: int) -> str:
    """The table with what it says."""
    swaps = found[0].swaps
    exceeded = [one.world.name for one in found if one.exceeds("ship") or one.exceeds("block")]
    said = f"Exceeded in: {'; '.join(exceeded)}." if exceeded else "None is exceeded beyond the simulation's own noise."
    lines = [
        "# Whole verdicts on simulated swaps",
        "",
        f"{swaps:,} swaps a row with known truth, each judged by the engine as a trial is: quality rubrics with a",
        f"margin of {100 * MARGIN:g} points (Holm), a gate of {100 * LIMIT:g}%, and a mean cost of at most",
        f"{RATIO:g} times the incumbent's; alpha {100 * ALPHA:g}%, `gate_alpha` {100 * GATE_ALPHA:g}%.",
        f"{cases:,} cases a swap, in clusters of 1, 1, 2, 3 and 8 unless said (intraclass correlation {ICC:g}),",
        f"on {100 * PSI:g}% of which the arms differ. Shares in percent ± their standard error,",
        "beside what is promised. A gate's comparison with the incumbent errs up to `gate_alpha`: a",
        "block of equal arms is held to alpha where the gate does not flicker.",
        f"**exceeded** marks what is above its promise by more than {NOISE:g} standard errors. All is at one look; for",
        "several looks, and what they save, see `bench/early_stopping.py`.",
        "",
        "| truth | ship | promised | block | promised |",
        "|---|--:|--:|--:|--:|",
        *map(row, found),
        "",
        f"{said} Made by `python -m bench.swaps --swaps {swaps} --cases {cases} --write`.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table; exit with 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swaps", type=int, default=2000)
    parser.add_argument("--cases", type=int, default=1200)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    asked = parser.parse_args()
    found: list[Found] = []
    for world in worlds():
        started = time.perf_counter()
        found.append(simulate(world, asked.swaps, asked.cases))
        print(f"{row(found[-1])} {time.perf_counter() - started:.0f} s", flush=True)
    if asked.write:
        PAGE.write_text(page(found, asked.cases), encoding="utf-8")
    sys.exit(any(one.exceeds("ship") or one.exceeds("block") for one in found))


if __name__ == "__main__":
    main()
