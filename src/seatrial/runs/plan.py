"""Which cases to run, and in which order. Pure functions of the dataset's facts and a seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from seatrial.core.case import Case
from seatrial.core.suite import RubricSpec
from seatrial.store.store import CaseFacts

Positions = NDArray[np.int32]


def allocate(sizes: Mapping[str, int], limit: int) -> dict[str, int]:
    """How many of `limit` each stratum gets: proportional, largest remainders first, never more than it has.

    Ties go to the larger stratum, then to the name, so that the order of input is irrelevant.
    """
    total = sum(sizes.values())
    limit = min(limit, total)
    exact = {name: limit * size / total for name, size in sizes.items()}
    share = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(sizes, key=lambda name: (share[name] - exact[name], -sizes[name], name))
    for name in by_remainder[: limit - sum(share.values())]:
        share[name] += 1
    return share


def sample(facts: Iterable[CaseFacts], limit: int, seed: int) -> Positions:
    """A seeded sample, stratified by origin and all strata, in dataset order.

    Within a stratum, cases are drawn by the hash of seed, id and input: the same cases whatever their order.
    """
    strata: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for case in facts:
        name = "|".join([case.origin, *(f"{key}={case.strata[key]}" for key in sorted(case.strata))])
        draw = sha256(f"{seed}|{case.key}|".encode("utf-8", "backslashreplace") + case.input_hash).digest()
        strata[name].append((draw, case.position))
    share = allocate({name: len(members) for name, members in strata.items()}, limit)
    chosen = [position for name, members in strata.items() for _, position in sorted(members)[: share[name]]]
    return np.array(sorted(chosen), dtype=np.int32)


def order(cases: int, epochs: int, seed: int) -> NDArray[np.int64]:
    """A seeded random order of all slots, a slot being `case * epochs + epoch`; the same for every arm."""
    return np.random.default_rng(seed).permutation(cases * epochs)


def in_parts(cluster: NDArray[np.intp], stratum: NDArray[np.intp], looks: int, seed: int) -> list[NDArray[np.intp]]:
    """The rows of a table of cases in at most `looks` parts of about equal size, each a sample of all strata.

    Clusters stay whole, so that what one part says is independent of the others. Within a stratum (that of a
    cluster's first case) clusters come in a seeded random order, and strata are interleaved in proportion.
    """
    names, first, inverse = np.unique(cluster, return_index=True, return_inverse=True)
    random = np.random.default_rng(seed)
    place = np.empty(len(names))
    of_cluster = stratum[first]
    for value in np.unique(of_cluster):
        members = np.flatnonzero(of_cluster == value)
        place[members] = (random.permutation(len(members)) + random.random(len(members))) / len(members)
    rank = np.empty(len(names), dtype=np.intp)
    rank[np.argsort(place, kind="stable")] = np.arange(len(names))
    by_rank = np.argsort(rank[inverse], kind="stable")
    reached = np.cumsum(np.bincount(rank[inverse], minlength=len(names)))
    wanted = np.arange(1, looks + 1) * len(cluster) / looks
    ends = np.unique(reached[np.searchsorted(reached, wanted - 1e-9)])
    return np.split(by_rank, ends[:-1])


def selected(rubric: RubricSpec, case: Case) -> bool:
    """Whether a rubric takes a case: by its selection of traffic or probes, and its strata."""
    if rubric.selection != "all" and (case.origin == "adversarial") != (rubric.selection == "probes"):
        return False
    for stratum, wanted in rubric.where.items():
        if case.strata.get(stratum) not in ((wanted,) if isinstance(wanted, str) else wanted):
            return False
    return True
