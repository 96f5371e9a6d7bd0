"""Picks the method that fits a rubric's outcomes: paired or not, passes or values, one number over all labels.

| the outcomes | what compares them |
|---|---|
| labels or scores, for an aggregate | delete-one-cluster jackknife |
| arms that were not asked the same cases | unpaired, over clusters |
| graded values | cluster-robust t of paired differences |
| passes | Tango, at the effective size of clusters and weights |

Traffic of which there is no case makes whatever they say less sure by its share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seatrial.stats import Interval
from seatrial.verdicts.engine.evidence import Evidence, weigh
from seatrial.verdicts.engine.means import graded
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes, pair
from seatrial.verdicts.engine.overall import over_all
from seatrial.verdicts.engine.unpaired import unpaired


class Comparison(Protocol):
    """What outcomes say of the difference of two arms (candidate − incumbent), whatever the method."""

    @property
    def method(self) -> str:
        """The interval's name."""
        ...

    @property
    def test(self) -> str:
        """The name of the p-values against no difference."""
        ...

    @property
    def estimate(self) -> float:
        """The difference."""
        ...

    @property
    def cases(self) -> int:
        """How many cases it rests on."""
        ...

    @property
    def results(self) -> int:
        """How many results it rests on; `variance` is of one of them."""
        ...

    @property
    def clusters(self) -> int:
        """How many independent groups of cases there are."""
        ...

    @property
    def clustered(self) -> bool:
        """Whether some results are related, or count differently."""
        ...

    @property
    def labels(self) -> Ints | None:
        """The clusters that `left_out` leaves out, by label, in that order; None where there are no labels."""
        ...

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        ...

    @property
    def piled_up(self) -> bool:
        """Whether losses sit in so few clusters that the error rate is not held."""
        ...

    @property
    def variance(self) -> float:
        """Of one result, design effect included."""
        ...

    @property
    def design_effect(self) -> float:
        """By how much clusters and weights inflate the variance, where it is not in `variance` by itself."""
        ...

    @property
    def p_worse(self) -> float:
        """One-sided p-value that the candidate is worse at all."""
        ...

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the arms differ."""
        ...

    def decisions(self, delta0: float, alpha: float, *, left_out: bool = False) -> Floats:
        """1 where the difference is shown to be above `delta0`, -1 below, 0 neither, each one-sided at `alpha`."""
        ...

    def interval(self, alpha: float) -> Interval:
        """The two-sided interval at 1 − alpha."""
        ...

    def p_below(self, delta0: float) -> float:
        """One-sided p-value that the true difference is below `delta0`."""
        ...

    def visible(self, alpha: float, power: float) -> float | None:
        """The smallest difference that can be shown with such a power; None where there is none."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PartlySeen:
    """What is said of the traffic that was seen, where a share `unseen` of it has no case: there anything goes.

    The estimate is of what was seen. Ends and decisions hold for all traffic, whatever the difference is in the rest.
    """

    seen: Comparison
    unseen: float

    @property
    def method(self) -> str:
        """The interval's name."""
        return f"{self.seen.method}, bounds for unseen traffic"

    @property
    def test(self) -> str:
        """The name of the p-values, which are of the traffic that was seen."""
        return self.seen.test

    @property
    def estimate(self) -> float:
        """The difference in the traffic that was seen."""
        return self.seen.estimate

    @property
    def cases(self) -> int:
        """How many cases it rests on."""
        return self.seen.cases

    @property
    def results(self) -> int:
        """How many results it rests on."""
        return self.seen.results

    @property
    def clusters(self) -> int:
        """How many independent groups of cases there are."""
        return self.seen.clusters

    @property
    def clustered(self) -> bool:
        """Whether some results are related, or count differently."""
        return self.seen.clustered

    @property
    def labels(self) -> Ints | None:
        """The clusters that are left out in turn."""
        return self.seen.labels

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return self.seen.identical

    @property
    def piled_up(self) -> bool:
        """Whether losses sit in few clusters."""
        return self.seen.piled_up

    @property
    def variance(self) -> float:
        """Of one result."""
        return self.seen.variance

    @property
    def design_effect(self) -> float:
        """As of what was seen."""
        return self.seen.design_effect

    @property
    def p_worse(self) -> float:
        """One-sided p-value that the candidate is worse in the traffic that was seen."""
        return self.seen.p_worse

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the arms differ in the traffic that was seen."""
        return self.seen.p_value

    def _line(self, delta0: float, rest: float) -> float:
        """What the seen traffic must show for all of it to reach `delta0` when the rest differs by `rest`."""
        return (delta0 - self.unseen * rest) / (1 - self.unseen)

    def decisions(self, delta0: float, alpha: float, *, left_out: bool = False) -> Floats:
        """As of what was seen, where it holds whatever the rest is."""
        above, below = self._line(delta0, -1), self._line(delta0, 1)
        nothing = self.seen.decisions(0.0, alpha, left_out=left_out) * 0
        over = self.seen.decisions(above, alpha, left_out=left_out) if above < 1 else nothing
        under = self.seen.decisions(below, alpha, left_out=left_out) if below > -1 else nothing
        return np.where(over > 0, 1.0, np.where(under < 0, -1.0, 0.0))

    def interval(self, alpha: float) -> Interval:
        """The interval of what was seen, widened to whatever the rest may be."""
        low, high = self.seen.interval(alpha)
        return Interval((1 - self.unseen) * low - self.unseen, (1 - self.unseen) * high + self.unseen)

    def p_below(self, delta0: float) -> float:
        """One-sided p-value that all traffic differs by less than `delta0`, whatever the rest is."""
        line = self._line(delta0, 1)
        return self.seen.p_below(line) if line > -1 else 1.0

    def visible(self, alpha: float, power: float) -> float | None:
        """What can be shown: no less than the share that was not seen."""
        told = self.seen.visible(alpha, power)
        return None if told is None else (1 - self.unseen) * told + self.unseen


def compare(outcomes: Outcomes) -> Comparison | None:
    """What the outcomes of two arms say, by the method that fits them; None where they say nothing."""
    found = _seen(outcomes)
    if found is None or not outcomes.unseen:
        return found
    return PartlySeen(found, outcomes.unseen) if outcomes.unseen < 1 else None


def _seen(outcomes: Outcomes) -> Comparison | None:
    if outcomes.labels is not None:
        both = over_all(outcomes)
        return None if both is None else both.difference
    if outcomes.asked is not None:
        return unpaired(outcomes)
    return graded(outcomes) if outcomes.graded else weigh(pair(outcomes))


def tables(comparison: Comparison | None) -> Evidence | None:
    """The counts of pairs behind a comparison; None where it is not one of counted pairs."""
    found = comparison.seen if isinstance(comparison, PartlySeen) else comparison
    return found if isinstance(found, Evidence) else None
