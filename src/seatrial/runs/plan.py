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


def selected(rubric: RubricSpec, case: Case) -> bool:
    """Whether a rubric takes a case: by its selection of traffic or probes, and its strata."""
    if rubric.selection != "all" and (case.origin == "adversarial") != (rubric.selection == "probes"):
        return False
    for stratum, wanted in rubric.where.items():
        if case.strata.get(stratum) not in ((wanted,) if isinstance(wanted, str) else wanted):
            return False
    return True
