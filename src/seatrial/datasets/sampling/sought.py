"""Strata that a set shall be drawn by: each must be defined by set.yaml or be in some record of the pool."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.core.record import Json, as_dict
from seatrial.datasets.sampling.pool import Row
from seatrial.errors import UsageError, nearest, safe

MOST_KNOWN = 1000
"""Names of strata that are kept to find one near a misspelt one."""
MOST_SHOWN = 12


class Sought:
    """The strata `by` that nothing has told of yet, looked for in one record after the other."""

    def __init__(self, declared: Sequence[Json], by: Sequence[str]) -> None:
        self._known = dict.fromkeys(str((as_dict(one) or {}).get("stratum")) for one in declared)
        self.missing = [name for name in by if name not in self._known]
        """Those not seen so far, in the order of `by`."""

    def look(self, row: Row) -> None:
        """Take a record of the pool."""
        strata = as_dict(row.get("strata")) or {}
        self.missing = [name for name in self.missing if name not in strata]
        if len(self._known) < MOST_KNOWN:
            self._known.update(dict.fromkeys(strata))

    def check(self) -> None:
        """Raise UsageError where one is missing still; the hint names the stratum that may have been meant."""
        if not self.missing:
            return
        name, known = self.missing[0], self._known
        near = nearest(name[:256], known)
        there = f"there are {', '.join(safe(one, 40) for one in list(known)[:MOST_SHOWN])}"
        none = "`seatrial dataset import` fills strata with --field strata.NAME=PATH"
        hint = f"did you mean {safe(near)!r}?" if near else there if known else none
        raise UsageError(f"--by {safe(name)}: no record of the pool has that stratum.", hint=hint)
