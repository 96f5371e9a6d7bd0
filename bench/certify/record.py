"""What a simulation gives back, and what is asked of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

FLOOR, BAND_LOW, BAND_HIGH = 0.925, 0.93, 0.97


@dataclass(frozen=True)
class Row:
    """One number of one cell: a share (or a mean) with its standard error and the range asked of it."""

    section: str
    cell: str
    method: str
    value: float
    se: float
    low: float | None = None
    high: float | None = None
    peer: bool = False
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the value lies in the range asked of it."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    def as_dict(self) -> dict[str, object]:
        """Plain data, for the file of results."""
        return {**asdict(self), "ok": self.ok}


def share(section: str, cell: str, method: str, hits: Iterable[bool], **asked: Any) -> Row:
    """A row from single outcomes."""
    outcomes = [bool(h) for h in hits]
    value = sum(outcomes) / len(outcomes)
    se = math.sqrt(max(value * (1 - value), 1 / len(outcomes) / 4) / len(outcomes))
    return Row(section, cell, method, value, se, **asked)


def certain(section: str, cell: str, method: str, outcomes: Iterable[tuple[float, bool]], **asked: Any) -> Row:
    """A row from all outcomes with their chances: no simulation, no error. What is left out is a miss."""
    return Row(section, cell, method, math.fsum(chance for chance, hit in outcomes if hit), 0.0, **asked)


def coverage_asked(failures: float, clusters: float, *, at_least: bool = False) -> dict[str, Any]:
    """At least 92.5% anywhere; 93 to 97% where 10 failures and 10 discordant clusters are expected."""
    enough = min(failures, clusters) >= 10 - 1e-9
    note = f"{failures:.3g} failures, {clusters:.3g} clusters expected"
    if at_least:
        return {"low": BAND_LOW if enough else FLOOR, "note": note + "; at least 95% by design"}
    return {"low": BAND_LOW if enough else FLOOR, "high": BAND_HIGH if enough else None, "note": note}
