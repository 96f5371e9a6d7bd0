"""Would-be trials: outcomes drawn from a known truth, judged by the engine itself, looks included. Pure and seeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seatrial.core.suite import Suite
from seatrial.verdicts.engine.judging import judge
from seatrial.verdicts.engine.looks import Look, stop
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes
from seatrial.verdicts.records import Overall


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a rubric, as shares of the cases: `gained` only the candidate passes, `lost` only the incumbent.

    `failing` is what both fail; the rest both pass. `icc` is how alike the cases of a cluster are, 0 to below 1.
    """

    gained: float
    lost: float
    failing: float = 0.0
    icc: float = 0.0

    @classmethod
    def of(cls, discordance: float, difference: float = 0.0, *, failing: float = 0.0, icc: float = 0.0) -> Truth:
        """Arms that differ on a share of the cases, the candidate's pass rate being `difference` above the incumbent's.

        Raises ValueError when the difference is larger than the discordance, or the shares do not fit into 1.
        """
        gained, lost = (discordance + difference) / 2, (discordance - difference) / 2
        if min(gained, lost, failing) < -1e-12 or discordance + failing > 1 + 1e-12:
            raise ValueError(f"no arms differ by {difference!r} on {discordance!r} of their cases")
        return cls(max(0.0, gained), max(0.0, lost), failing, icc)


class Ended(NamedTuple):
    """How a would-be trial ended, and the share of its cases that it took."""

    overall: Overall
    look: int
    share: float


def draw(random: np.random.Generator, cluster: Ints, truth: Truth, epochs: int = 1) -> Outcomes:
    """Outcomes of cases with these labels; cases of a cluster share their chances (a Dirichlet distribution)."""
    names, group = np.unique(cluster, return_inverse=True)
    shares = np.array([truth.gained, truth.lost, truth.failing, 1 - truth.gained - truth.lost - truth.failing])
    chances = _chances(random, np.maximum(0.0, shares), truth.icc, len(names))
    edges = np.cumsum(chances, axis=1)[group][:, None, :]
    kind = (random.random((len(cluster), epochs))[:, :, None] >= edges[:, :, :3]).sum(axis=2)
    return Outcomes.of(((kind == 0) | (kind == 3)) * 1.0, ((kind == 1) | (kind == 3)) * 1.0, cluster)


def _chances(random: np.random.Generator, mean: Floats, icc: float, clusters: int) -> Floats:
    if icc <= 0:
        return np.broadcast_to(mean, (clusters, len(mean)))
    weight = random.gamma(np.maximum(mean * (1 - icc) / icc, 1e-9), size=(clusters, len(mean)))
    total = weight.sum(axis=1, keepdims=True)
    return np.where(total > 0, weight / np.where(total > 0, total, 1), mean)


def run(suite: Suite, outcomes: Mapping[str, Outcomes], part: Mapping[str, Ints], cases: Sequence[int]) -> Ended:
    """Judge one would-be trial as `seatrial run` would: look by look where `cases` names several.

    `part`: by rubric, in which part of the trial (from 0) each of its cases comes. `cases`: how many are complete after
    each part, of the whole trial.
    """
    looks = tuple(cases)
    for number in range(1, len(looks)):
        seen = {name: held.take(part[name] < number) for name, held in outcomes.items()}
        left = {name: int((part[name] >= number).sum()) * held.candidate.shape[1] for name, held in outcomes.items()}
        ended = stop(suite, seen, Look(number, looks), left)
        if ended is not None:
            overall: Overall = "inconclusive" if ended.why == "cannot_pass" else ended.why
            return Ended(overall, number, looks[number - 1] / looks[-1])
    last = Look(len(looks), looks)
    return Ended(judge(last.at(suite), outcomes, last.holm(suite.policy.alpha)).overall, len(looks), 1.0)
