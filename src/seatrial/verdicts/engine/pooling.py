"""One number over all scores of a run: a suite's own statistic, or one over counterfactual pairs, as it is called."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np

from seatrial.core.score import Score
from seatrial.errors import AggregateError, safe
from seatrial.verdicts.engine.counterfactual import demographic_parity, pair_consistency, pair_of
from seatrial.verdicts.engine.outcomes import Bools, Codes, Floats, Ints

FAILED = Score(status="model_failure", value=0.0, passed=False, reason="no result, counted as a failure")
PERFECT = Score(value=1.0, passed=True, reason="no result, counted as a success")
GONE, BEST = -1, -2
"""Codes of results that are not there: counted as `FAILED`, and as `PERFECT`."""
NO_NUMBERS: tuple[type, ...] = (bool, str, bytes, np.bool_)
MOST_KEPT = 100_000
OWN_LIMITS = (-1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreAggregate:
    """A function of all scores of an arm, in the order of cases, that gives one number; more is better.

    `limits`: the least and most that it may give. `weighted`: it takes `weights` beside the scores, one each. `tie`:
    what a score says of cases that stand and fall together, beyond their clusters; empty text for nothing.
    """

    name: str
    function: Callable[..., float | None]
    limits: tuple[float, float] = OWN_LIMITS
    weighted: bool = False
    tie: Callable[[Score], str] | None = None

    def __call__(self, scores: Sequence[Score], /, weights: Sequence[float] | None = None) -> float:
        """The number; NaN where the function gives None, for undefined. Raises AggregateError for all else."""
        more = {"weights": [1.0] * len(scores) if weights is None else list(weights)} if self.weighted else {}
        try:
            found = self.function(list(scores), **more)
        except Exception as cause:  # it is the user's
            why = f"{type(cause).__name__}: {safe(str(cause), 200)}"
            raise self._fault(f"raised {why}, over {len(scores):,} scores") from cause
        return math.nan if found is None else self._number(found, len(scores))

    def _number(self, found: Any, count: int) -> float:
        try:
            number = None if isinstance(found, NO_NUMBERS) else float(found)
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is None:
            if inspect.iscoroutine(found):
                found.close()  # nobody will wait for it
            raise self._fault(f"gave {type(found).__name__}, which is no number, over {count:,} scores")
        low, high = self.limits
        if not low - 1e-9 <= number <= high + 1e-9:
            raise self._fault(f"gave {number:g} over {count:,} scores, outside [{low:g}, {high:g}]")
        return min(high, max(low, number))

    def _fault(self, what: str) -> AggregateError:
        low, high = self.limits
        return AggregateError(
            f"The aggregate {safe(self.name)} {what}.",
            hint=f"it must give a number in [{low:g}, {high:g}] for any list of scores, None where that is undefined",
        )


PAIRED = {
    "counterfactual_consistency": ScoreAggregate(
        "counterfactual_consistency", pair_consistency, (0.0, 1.0), tie=lambda score: (pair_of(score) or ("", ""))[0]
    ),
    "demographic_parity": ScoreAggregate(
        "demographic_parity", demographic_parity, (0.0, 1.0), tie=lambda score: (pair_of(score) or ("", ""))[0]
    ),
}
"""The aggregates over counterfactual pairs, as `bias_pairs` names them."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What each arm's scores are, by case and epoch: codes of `scores`, below 0 where there is none.

    `tie`: one code a case, the same for cases that stand and fall together; -1 for none. `numbers`: what was
    computed, by a digest of the codes it was computed over.
    """

    of: ScoreAggregate
    scores: Sequence[Score]
    candidate: Codes
    incumbent: Codes | None
    tie: Codes
    numbers: dict[bytes, float] = field(default_factory=dict[bytes, float])

    @property
    def aggregate(self) -> str:
        """Its name."""
        return self.of.name

    def take(self, kept: Bools) -> Scored:
        """The cases where `kept` is True."""
        second = None if self.incumbent is None else self.incumbent[kept]
        return replace(self, candidate=self.candidate[kept], incumbent=second, tie=self.tie[kept])

    def filled(self, gone: Sequence[Bools], *, worst: bool) -> Scored:
        """Failures where an arm is to be put down, successes where it is to be flattered."""
        first, second = (GONE, BEST) if worst else (BEST, GONE)
        other = None if self.incumbent is None else np.where(gone[1], second, self.incumbent)
        return replace(self, candidate=np.where(gone[0], first, self.candidate), incumbent=other)

    def number(self, codes: Ints, weight: Floats | None) -> float:
        """The number over scores by their codes, each selection computed once."""
        key = sha256(codes.tobytes() + (b"" if weight is None else weight.tobytes())).digest()
        if key not in self.numbers:
            if len(self.numbers) >= MOST_KEPT:
                self.numbers.clear()
            chosen = [self._score(code) for code in codes.tolist()]
            self.numbers[key] = self.of(chosen, None if weight is None else weight.tolist())
        return self.numbers[key]

    def _score(self, code: int) -> Score:
        return FAILED if code == GONE else PERFECT if code == BEST else self.scores[code]
