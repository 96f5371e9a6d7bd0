"""What is said where bad records keep an import from being made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from seatrial.errors import DatasetError, Problem

SHOWN_BAD = 100
"""So many faults beyond what may be skipped are collected before the import gives up."""

APART = 3
"""More faults than these of one rule are told as one, with their count."""


def refused(bad: int, allowed: int, problems: list[Problem], hint: str) -> DatasetError:
    """More bad records than the `allowed` ones: nothing is imported. `hint` is for logs in which no record fits."""
    more = bad >= allowed + SHOWN_BAD
    many = f"at least {bad:,}" if more else f"{bad:,}"
    skipped = f", {allowed:,} may be skipped" if allowed else ""
    word = "record is" if bad == 1 else "records are"
    do = hint or f"mend them, or leave {'more of them' if more else 'them'} out with --skip-bad {'N' if more else bad}"
    return DatasetError(f"{many} {word} bad{skipped}; nothing was imported.", hint=do, problems=folded(problems))


def folded(problems: Iterable[Problem]) -> list[Problem]:
    """The faults in their order; many of one file that break one rule are one, at the first's place."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.file, problem.key, problem.rule), []).append(problem)
    found: list[Problem] = []
    for same in alike.values():
        count = f" (this record and {len(same) - 1:,} more)"
        found += same if len(same) <= APART else [replace(same[0], rule=same[0].rule + count)]
    return found
