"""What is said where bad records keep an import from being made."""

from __future__ import annotations

from seatrial.errors import DatasetError, Problem, folded

SHOWN_BAD = 100
"""So many faults beyond what may be skipped are collected before the import gives up."""


def refused(bad: int, allowed: int, problems: list[Problem], hint: str) -> DatasetError:
    """More bad records than the `allowed` ones: nothing is imported. `hint` is for logs in which no record fits."""
    more = bad >= allowed + SHOWN_BAD
    many = f"at least {bad:,}" if more else f"{bad:,}"
    skipped = f", {allowed:,} may be skipped" if allowed else ""
    word = "record is" if bad == 1 else "records are"
    do = hint or f"mend them, or leave {'more of them' if more else 'them'} out with --skip-bad {'N' if more else bad}"
    return DatasetError(f"{many} {word} bad{skipped}; nothing was imported.", hint=do, problems=folded(problems))
