"""Looking at a trial before it is complete: what a look may spend of the error rate, and what ends the trial.

Group-sequential, with the spending of O'Brien and Fleming's type (Lan and DeMets 1983): at every look all tests are
taken at a stricter level, so that all looks together err no more often than one look would. Intervals at that level are
repeated confidence intervals (Jennison and Turnbull 1989): they hold at every look, whatever made the trial stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from seatrial.core.record import as_dict
from seatrial.core.suite import Suite
from seatrial.stats import clopper_pearson, obrien_fleming_bounds, tango_z
from seatrial.stats.distributions import normal_cdf, special
from seatrial.verdicts.engine.gates import GateFinding
from seatrial.verdicts.engine.judging import Finding, judge
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.engine.quality import QualityFinding
from seatrial.verdicts.engine.weighing import tables

LEAST = 5e-6
"""No look is held to a stricter level than this: beyond it approximations, not chance, would decide."""

METHOD = "repeated confidence interval, Lan–DeMets O'Brien–Fleming spending"

Why = Literal["ship", "block", "cannot_pass"]


@dataclass(frozen=True, slots=True)
class Look:
    """Look `number` (from 1) of those planned; `cases`: how many are complete at each, the last being all."""

    number: int
    cases: tuple[int, ...]

    @property
    def last(self) -> bool:
        """Whether nothing comes after it."""
        return self.number == len(self.cases)

    def level(self, alpha: float) -> float:
        """The one-sided level of a test at this look, such that all looks together err with chance `alpha`."""
        return _level(self.cases[: self.number], self.cases[-1], alpha)

    def holm(self, alpha: float) -> Callable[[int], float]:
        """The level at this look of the smallest of so many p-values, for Holm's procedure at `alpha`."""
        return lambda tested: self.level(alpha / tested)

    def at(self, suite: Suite) -> Suite:
        """The suite with its policy's levels as they stand at this look."""
        policy = suite.policy
        spent = {"alpha": self.level(policy.alpha), "gate_alpha": self.level(policy.gate_alpha)}
        return suite.model_copy(update={"policy": policy.model_copy(update=spent)})


@lru_cache(maxsize=4096)
def _level(cases: tuple[int, ...], planned: int, alpha: float) -> float:
    if cases == (planned,):
        return alpha
    shares = [seen / planned for seen in cases]
    bound = obrien_fleming_bounds(len(cases), alpha=alpha, sides=1, information=shares)[-1]
    return min(alpha, max(LEAST, normal_cdf(-float(bound))))


class Stop(NamedTuple):
    """Why a trial needs no further case, and which rubrics say so."""

    why: Why
    rubrics: tuple[str, ...]


def stop(suite: Suite, outcomes: Mapping[str, Outcomes], look: Look, left: Mapping[str, int]) -> Stop | None:
    """Whether a trial may end at a look; None: go on.

    It ends when the verdict at this look's level is ship or block, or when a rubric cannot pass any more even if every
    result to come (`left`, at most so many a rubric) were the best for the candidate: then no ship is possible.
    """
    judgement = judge(look.at(suite), outcomes, look.holm(suite.policy.alpha))
    if judgement.overall in ("ship", "block"):
        wanted = "PASS" if judgement.overall == "ship" else "BLOCK"
        names = tuple(name for name, found in judgement.findings.items() if found.decision == wanted)
        return Stop(judgement.overall, names)
    if judgement.overall == "not_evaluable":
        return None
    final = Look(len(look.cases), look.cases).level(suite.policy.alpha)
    names = tuple(name for name, found in judgement.findings.items() if hopeless(found, left.get(name, 0), final))
    return Stop("cannot_pass", names) if names else None


def hopeless(finding: Finding, left: int, alpha: float) -> bool:
    """Whether a rubric cannot pass at one-sided level `alpha`, even if all `left` results to come were the best.

    Related cases only widen what is compared here, so that the answer holds for them too.
    """
    match finding:
        case GateFinding():
            failures = finding.failures
            most = finding.outcomes.candidate.size + left
            return bool(failures.failed) and _kept_out(failures.failed, most, finding.limit, alpha)
        case QualityFinding() if (evidence := tables(finding.evidence)) is not None and not evidence.weighted:
            paired = evidence.paired
            more = left + paired.missing
            line = max(-finding.margin, -1 + 1e-9)
            best = tango_z(paired.gained + more, paired.lost, paired.pairs + more, line)
            return best <= float(special.ndtri(1 - alpha))
        case _:
            return False


def _kept_out(failed: int, results: int, limit: float, alpha: float) -> bool:
    return clopper_pearson(failed, results, alpha=alpha, side="upper").high > limit


# what is kept with a trial --------------------------------------------------------------------------------------------


def planned(environment: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The cases complete at each look, as they were written down before anything was asked; None without looks."""
    kept = as_dict(environment.get("early_stopping"))
    cases = kept.get("cases") if kept else None
    return tuple(int(seen) for seen in cases) if cases else None


def look_of(environment: Mapping[str, Any], counts: Mapping[str, Any]) -> Look | None:
    """The look at which an arm's answers ended; the last one where nothing stopped it; None without looks."""
    cases = planned(environment)
    if cases is None:
        return None
    stopped = as_dict(counts.get("stopped"))
    return Look(int(stopped["look"]) if stopped else len(cases), cases)
