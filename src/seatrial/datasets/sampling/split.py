"""Which split each drawn case goes to: oldest to build, newest to sealed, in every stratum, clusters whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seatrial.datasets.sampling.allocate import Floats, Ints

FREE = -1


class Dealt(NamedTuple):
    """What is dealt, in arrays of one item a case.

    `cells`: its stratum. `groups`: its cluster. `times`: seconds, NaN where not known. `ranks`: a number in [0, 1) made
    from its content, which settles ties and places the undated. `fixed`: the split it must go to, else `FREE`.
    """

    cells: Ints
    groups: Ints
    times: Floats
    ranks: Floats
    fixed: Ints


def deal(what: Dealt, shares: Sequence[float]) -> Ints:
    """The split of every case.

    Inside each stratum the clusters are laid in order of time and cut where the shares say; what one stratum rounds
    away the next, larger one makes up, so that the splits are as large as their shares say within a cluster. A cluster
    belongs to the stratum that most of its cases are in, and to the time of its earliest case.
    """
    cluster, of = _clusters(what)
    dealt = np.full(len(cluster.size), FREE, dtype=np.int64)
    owed = np.zeros(len(shares))
    share = np.asarray(shares, dtype=np.float64)
    homes, counts = np.unique(cluster.home, return_counts=True)
    for home in homes[np.lexsort((homes, counts))].tolist():
        inside = np.flatnonzero(cluster.home == home)
        wanted = float(cluster.size[inside].sum()) * share + owed
        dealt[inside] = _cut(cluster, inside, wanted)
        got = np.bincount(dealt[inside], weights=cluster.size[inside], minlength=len(share))
        owed = wanted - got
    return dealt[of]


class _Clusters(NamedTuple):
    size: Ints
    home: Ints
    time: Floats
    rank: Floats
    fixed: Ints


def _clusters(what: Dealt) -> tuple[_Clusters, Ints]:
    """The clusters of what is dealt, and for each case the place of its own."""
    groups, of = np.unique(what.groups, return_inverse=True)
    count = len(groups)
    times, ranks = np.full(count, np.inf), np.ones(count)
    np.minimum.at(times, of, np.where(np.isnan(what.times), np.inf, what.times))
    np.minimum.at(ranks, of, what.ranks)
    fixed = np.full(count, FREE, dtype=np.int64)
    np.maximum.at(fixed, of, what.fixed)
    pairs, held = np.unique(np.stack([of, what.cells]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -held, pairs[0]))
    _, first = np.unique(pairs[0][order], return_index=True)
    home = pairs[1][order][first]
    return _Clusters(np.bincount(of, minlength=count), home, times, ranks, fixed), of


def _cut(cluster: _Clusters, inside: Ints, wanted: Floats) -> Ints:
    """The splits of one stratum's clusters: cut at the running sums of what is wanted."""
    found = cluster.fixed[inside].copy()
    free = np.flatnonzero(found == FREE)
    if not len(free):
        return found
    held = np.bincount(found[found != FREE], weights=cluster.size[inside][found != FREE], minlength=len(wanted))
    room = np.maximum(wanted - held, 0.0)
    order = free[_in_time(cluster.time[inside][free], cluster.rank[inside][free])]
    sizes = cluster.size[inside][order]
    if room.sum() <= 0:
        room = np.maximum(wanted, 0.0)
    edges = np.cumsum(_whole(room, int(sizes.sum())))
    middles = np.cumsum(sizes) - sizes / 2
    found[order] = np.searchsorted(edges, middles, side="right").clip(max=len(wanted) - 1)
    return found


def _whole(room: Floats, total: int) -> Ints:
    """Whole numbers in proportion to the room, that sum to the total; the largest remainders get the rest."""
    parts = room * (total / room.sum())
    whole = np.floor(parts + 1e-9).astype(np.int64)
    rest = np.argsort(-(parts - whole), kind="stable")[: total - int(whole.sum())]
    whole[rest] += 1
    return whole


def _in_time(times: Floats, ranks: Floats) -> Ints:
    """The order by time; what has none lies anywhere among the rest, by its rank."""
    dated = np.isfinite(times)
    order = np.lexsort((ranks, times))
    place = np.empty(len(times))
    place[order] = (np.arange(len(times)) + 0.5) / max(1, int(dated.sum()))
    place[~dated] = ranks[~dated]
    return np.lexsort((ranks, place))


def parse(text: str) -> dict[str, float]:
    """Shares of splits as they are written: `build=.2,test=.6,sealed=.2`. Raises ValueError for anything else."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        if name in found:
            raise ValueError(f"names {name!r} twice")
        try:
            found[name] = float(value)
        except ValueError:
            raise ValueError("must be written like build=.2,test=.6,sealed=.2") from None
    return found
