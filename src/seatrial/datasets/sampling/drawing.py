"""Which records of a surveyed pool become cases, what each stands for, and which cluster it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seatrial.core.case import Case
from seatrial.datasets.sampling import allocate
from seatrial.datasets.sampling.allocate import Floats, Ints
from seatrial.datasets.sampling.settings import Sampling
from seatrial.errors import UsageError

Keys = NDArray[np.uint64]
Cell = tuple[str, ...]
WEIGHT_DIGITS = 6


class Units(NamedTuple):
    """What is drawn from: one of each cluster in each stratum.

    `cell`: its stratum. `size`: records of the pool. `chosen`: the record that is drawn for it. `anchored`: an anchor
    stands for it already. They are in an order that content and seed alone decide.
    """

    cell: Ints
    size: Ints
    chosen: Ints
    anchored: NDArray[np.bool_]


class Plan(NamedTuple):
    """By stratum: records of traffic, units there are, what the rule wants, the quota that can be, what is taken."""

    cells: list[Cell]
    traffic: Ints
    available: Ints
    wanted: Floats
    quota: Floats
    taken: Ints


def units_of(clusters: Ints, cells: Ints, ranks: Keys, pool: int) -> Units:
    """The units of a pool whose first `pool` records are traffic and whose others are anchors."""
    order = np.lexsort((ranks, cells, clusters))
    c, h = clusters[order], cells[order]
    starts = np.flatnonzero(np.concatenate([[True], (c[1:] != c[:-1]) | (h[1:] != h[:-1])]))
    traffic = order < pool
    size = np.add.reduceat(traffic.astype(np.int64), starts)
    anchored = np.logical_or.reduceat(~traffic, starts)
    chosen = order[starts]
    by_rank = np.argsort(ranks[chosen], kind="stable")
    return Units(h[starts][by_rank], size[by_rank], chosen[by_rank], anchored[by_rank])


def ranks_of(keys: Keys, seed: int) -> Keys:
    """A pseudo-random 64-bit number of each content under a seed."""
    start = int(allocate.generator(seed, "rank").integers(0, 2**63))
    mixed = (keys ^ np.uint64(start)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def plan(settings: Sampling, cells: list[Cell], held: Ints, traffic: Ints, available: Ints) -> Plan:
    """How many cases each stratum gives, its anchors (`held`) counted. Raises UsageError where the floors ask more."""
    shape = _shape(settings, cells, traffic)
    floor = np.full(len(cells), settings.floor if settings.allocation == "floored" else 0)
    low = np.maximum(np.minimum(floor, available), held).astype(np.float64)
    if low.sum() > settings.size:
        raise UsageError(
            f"The anchors and floors of {len(cells)} strata come to {int(low.sum()):,} cases, more than the size of "
            f"{settings.size:,}.",
            hint=f"raise --size to at least {int(low.sum())}, or lower the floor",
        )
    total = float(settings.size)
    wanted = allocate.clamped(total, shape, np.maximum(floor, held).astype(np.float64), np.full(len(cells), total))
    quota = allocate.clamped(total, shape, low, available.astype(np.float64))
    taken = allocate.whole(quota, allocate.generator(settings.seed, "remainders"), settings.remainders)
    return Plan(cells, traffic, available, wanted, quota, taken)


def _shape(settings: Sampling, cells: list[Cell], traffic: Ints) -> Floats:
    if settings.allocation == "equal":
        return (traffic > 0).astype(np.float64)
    if settings.allocation != "neyman":
        return traffic.astype(np.float64)
    names = [",".join(cell) for cell in cells]
    if not set(settings.past) & set(names):
        raise UsageError(
            "Neyman allocation needs past pass rates, and those given name none of the strata.",
            hint=f"give rates in [0, 1] by name, like {{{names[0]!r}: 0.9}}, with --past",
        )
    rates = np.array([settings.past.get(name, np.nan) for name in names])
    return allocate.neyman(traffic.astype(np.float64), rates)


def choose(settings: Sampling, found: Plan, units: Units, held: Ints) -> tuple[Ints, Floats]:
    """The records drawn, and how many records of traffic each stands for, before anchors take their part."""
    indexes: list[Ints] = []
    weights: list[Floats] = []
    order = np.argsort(units.cell, kind="stable")
    edges = np.searchsorted(units.cell[order], np.arange(len(found.cells) + 1))
    for at, cell in enumerate(found.cells):
        inside = order[edges[at] : edges[at + 1]]
        free = inside[~units.anchored[inside]]
        random = allocate.generator(settings.seed, "draw", *cell)
        places, weight = allocate.draw(units.size[free], int(found.taken[at] - held[at]), random)
        indexes.append(units.chosen[free[places]])
        weights.append(weight)
    return np.concatenate(indexes), np.concatenate(weights)


def weighted(cells: Ints, drawn: Floats, anchors: int, found: Plan) -> Floats:
    """What each case stands for, the last `anchors` being anchors: in each stratum they sum to its records.

    An anchor counts as a draw of average weight; then the stratum is brought to its records. A stratum without traffic
    counts one a case.
    """
    weight = np.concatenate([drawn, np.full(anchors, np.nan)])
    for cell in np.unique(cells).tolist():
        inside = np.flatnonzero(cells == cell)
        own = weight[inside]
        total = float(found.traffic[cell])
        if not total:
            weight[inside] = 1.0
            continue
        known = own[~np.isnan(own)]
        own = np.where(np.isnan(own), known.mean() if len(known) else 1.0, own)
        weight[inside] = own * (total / own.sum())
    return weight / weight.mean()


def seed_ids(cases: Sequence[Case], groups: Ints, all_groups: Ints, keys: Keys) -> list[str]:
    """The cluster of each case: the one its cluster's cases name, else one made from the cluster's content.

    A record that is alone in its cluster keeps what it has.
    """
    sizes = np.bincount(all_groups)
    lowest = np.full(len(sizes), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(lowest, all_groups, keys)
    named: dict[int, set[str]] = {}
    for case, group in zip(cases, groups.tolist(), strict=True):
        if case.seed_id:
            named.setdefault(group, set()).add(case.seed_id)
    found: list[str] = []
    for case, group in zip(cases, groups.tolist(), strict=True):
        given = named.get(group, set())
        made = f"seed-{int(lowest[group]):016x}"
        found.append(case.seed_id if sizes[group] == 1 else next(iter(given)) if len(given) == 1 else made)
    return found


def finished(case: Case, strata: dict[str, str], seed_id: str, weight: float) -> Case:
    """The case as the set holds it."""
    rounded = float(f"{weight:.{WEIGHT_DIGITS}g}")
    update = {"strata": {**case.strata, **strata}, "seed_id": seed_id, "weight": rounded}
    return Case.model_validate({**case.recorded, **update})
