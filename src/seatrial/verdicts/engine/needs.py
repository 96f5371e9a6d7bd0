"""How many further cases would settle what is open. A normal approximation (Connor 1987), as for any plan."""

from __future__ import annotations

import math
from typing import NamedTuple

from seatrial.core.suite import RubricSpec
from seatrial.stats import clopper_pearson
from seatrial.stats.distributions import special
from seatrial.verdicts.engine.outcomes import Outcomes

TOO_MANY = 1_000_000
"""Beyond this many cases no number is named: the answer would turn on a hair."""


class Need(NamedTuple):
    """How many further cases, of what sort; or no number, and why. `against`: they would likely end in a block."""

    cases: int | None
    note: str
    against: bool = False


def named(need: Need | None, rubric: RubricSpec, *, new_seeds: bool = False) -> Need | None:
    """The need with the sort of cases that the rubric takes: probes, of which strata, and whether of new seeds."""
    if need is None or need.cases is None:
        return need
    note = need.note.replace("cases", "probes") if rubric.selection == "probes" else need.note
    wanted = (f"{key} {value if isinstance(value, str) else ' or '.join(value)}" for key, value in rubric.where.items())
    strata = " and ".join(wanted)
    parts = [note, *(["of new seeds"] if new_seeds else []), *([f"with {strata}"] if strata else [])]
    return need._replace(note=" ".join(parts))


def one_cluster(cases: int) -> Need:
    """That nothing is known of the spread between clusters."""
    if cases == 1:
        return Need(None, "there is only one case")
    return Need(None, "all cases form one cluster: more of the same say nothing, other seeds would")


def cure(outcomes: Outcomes, *, lacking: bool) -> Need | None:
    """What to do where missing results keep a rubric open (`lacking`: too few are left); None: more cases may help."""
    scorer_failed = outcomes.judge_errors and outcomes.too_much_missing
    if not outcomes.missing or not (lacking or scorer_failed):
        return None
    if outcomes.untimed:
        names = ", ".join(outcomes.untimed)
        measured = f"leave `batch` out for {names} and run with --fresh to measure it"
        return Need(None, f"answers by batch have no latency; {measured}")
    if outcomes.judge_errors:
        plural = "s" if outcomes.judge_errors > 1 else ""
        return Need(None, f"the scorer gave no verdict on {outcomes.judge_errors:,} answer{plural}")
    return Need(None, "results are missing: run again with --retry-errors")


def cases_to_tell(variance: float, distance: float, *, alpha: float, power: float) -> float:
    """How many cases in all tell an estimate from a line at `distance`, with the given power; infinite at 0.

    `variance` is of one case, its design effect included; `distance` is in the estimate's unit. Agrees with
    `stats.n_noninferior` for variance = psi and distance = margin.
    """
    if distance == 0:
        return math.inf
    factor = float(special.ndtri(1 - alpha)) + float(special.ndtri(power))
    return factor * factor * variance / (distance * distance)


def identical_to_tell(margin: float, *, alpha: float) -> float:
    """How many clusters show non-inferiority when the arms never differ: Tango's bound z²/(n + z²) below the margin."""
    zz = float(special.ndtri(1 - alpha)) ** 2
    return zz * (1 - margin) / margin


def further(total: float, have: int) -> Need:
    """The cases still lacking, at least one; none when the total is beyond all reason."""
    if total > TOO_MANY:
        return Need(None, "it lies so close to the line that no realistic number of cases would settle it")
    return Need(max(1, math.ceil(total * (1 - 1e-12)) - have), "further cases")


def clean_to_pass(failed: float, have: float, limit: float, *, alpha: float) -> Need:
    """How many further clean cases bring the one-sided upper bound of the failure rate down to `limit`.

    `failed` of `have` independent cases failed so far. With none failed this completes `stats.n_zero_failures`.
    """

    def kept(total: float) -> bool:
        return clopper_pearson(failed, total, alpha=alpha, side="upper").high <= limit

    if limit >= 1:
        return Need(1, "further cases")
    low, high = int(have), max(1, int(have))
    while not kept(high):
        low, high = high, 2 * high
        if high > TOO_MANY:
            return Need(None, "no realistic number of clean cases would show it")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if kept(middle) else (middle, high)
    return Need(max(1, high - math.floor(have)), "further clean cases")
