"""What the simulated models really do on the cases: every rubric of the suite, with the scorers that a run uses."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
from ruamel.yaml import YAML

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.plugins import load_function
from seatrial.core.score import Score
from seatrial.core.suite import RubricSpec, Suite
from seatrial.scorers import build, judge
from seatrial.stats import Interval
from seatrial.targets.prompt import Prompt
from seatrial.verdicts.engine.gates import judge_gate
from seatrial.verdicts.engine.limits import judge_limit
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.engine.quality import QualityFinding, adjust, judge_quality, need

Scores = Mapping[str, list[Score | None]]
"""Rubric: one score a case, None where the rubric does not take the case or does not apply to it."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """The example as it is shipped."""

    folder: Path
    suite: Suite
    cases: tuple[Case, ...]
    models: ModuleType

    def requests(self, seed: int = 0) -> list[Request]:
        """What every target is asked, in the order of the cases."""
        prompt = Prompt(self.suite.prompt, self.suite.variables)
        return [prompt.request(case, {}, seed) for case in self.cases]

    def outputs(self, target: str, requests: list[Request]) -> list[Output]:
        """What a target answers."""
        function = load_function(self.suite.targets[target].use.removeprefix("python:"), self.folder).function

        async def ask() -> list[Output]:
            return [await function(request) for request in requests]

        return asyncio.run(ask())

    def taken(self, rubric: RubricSpec) -> list[bool]:
        """Which cases a rubric takes."""
        probes = {"probes": (True,), "traffic": (False,), "all": (True, False)}[rubric.selection]
        return [(case.origin == "adversarial") in probes for case in self.cases]

    def score(self, outputs: list[Output]) -> Scores:
        """Every rubric of the suite on a target's outputs."""
        return asyncio.run(self._score(outputs))

    async def _score(self, outputs: list[Output]) -> Scores:
        scores: dict[str, list[Score | None]] = {}
        for rubric in self.suite.rubrics:
            scorer = build(rubric.scorer, rubric.settings, self.folder)
            column: list[Score | None] = []
            for case, output, take in zip(self.cases, outputs, self.taken(rubric), strict=True):
                score = await judge(scorer, case.view(), output) if take else None
                column.append(None if score is None or score.status == "not_applicable" else score)
            scores[rubric.name] = column
        return scores

    def measured(self, seed: int = 0) -> dict[str, Scores]:
        """Every target's scores under the suite, at a seed of the requests."""
        requests = self.requests(seed)
        return {name: self.score(self.outputs(name, requests)) for name in self.suite.targets}


@cache
def example(folder: Path) -> Example:
    """Read the example."""
    spec = YAML(typ="safe").load(folder / "seatrial.yaml")
    suite = Suite.model_validate(spec)
    rows = map(json.loads, (folder / suite.dataset.path).read_bytes().splitlines())
    cases = tuple(Case.model_validate({**suite.dataset.defaults, **row}) for row in rows)
    respond = load_function("models:respond", folder).function
    return Example(folder, suite, cases, sys.modules[respond.__module__])


class Finding(NamedTuple):
    """One rubric, candidate against incumbent: rates of passes or measures, what is decided, and on what ground."""

    decision: str
    candidate: float
    incumbent: float
    difference: float
    interval: Interval | None
    more: int | None
    flags: tuple[str, ...]


def findings(at: Example, scores: Mapping[str, Scores], candidate: str) -> dict[str, Finding]:
    """Every deciding rubric of a candidate, as the policy engine sees it."""
    found: dict[str, Finding] = {}
    quality: dict[str, QualityFinding] = {}
    incumbent = at.suite.incumbent or ""
    for rubric in at.suite.rubrics:
        pairs = list(zip(at.cases, scores[candidate][rubric.name], scores[incumbent][rubric.name], strict=True))
        rows = [(case.seed_id, a, b) for case, a, b in pairs if a is not None and b is not None]
        clusters = np.unique([seed for seed, _, _ in rows], return_inverse=True)[1]
        first, second = (np.array([_number(row[side], rubric) for row in rows]) for side in (1, 2))
        outcomes = Outcomes.of(first, second, clusters)
        means = (float(first.mean()), float(second.mean()))
        match rubric.kind:
            case "quality":
                quality[rubric.name] = judge_quality(outcomes, at.suite.margin(rubric), at.suite.policy)
                found[rubric.name] = Finding("", *means, means[0] - means[1], None, None, ())
            case "gate":
                gate = judge_gate(outcomes, (rubric.limit_points or 0) / 100, at.suite.policy)
                bounds = Interval(gate.failures.low, gate.failures.high)
                found[rubric.name] = Finding(gate.decision, *means, means[0] - means[1], bounds, None, gate.flags)
            case "limit":
                limit = judge_limit(outcomes, rubric, at.suite.policy)
                shown = limit.candidate.value if limit.candidate else math.nan
                was = limit.incumbent.value if limit.incumbent else math.nan
                found[rubric.name] = Finding(limit.decision, shown, was, shown - was, None, None, limit.flags)
            case _:
                continue
    for name, finding in adjust(quality, at.suite.policy.alpha).items():
        assert finding.evidence is not None
        interval = finding.evidence.interval(2 * at.suite.policy.alpha)
        more = need(finding, at.suite.policy).cases if finding.decision == "INCONCLUSIVE" else None
        decided = found[name]._replace(decision=finding.decision, interval=interval, more=more, flags=finding.flags)
        found[name] = decided
    return found


def _number(score: Score, rubric: RubricSpec) -> float:
    if rubric.kind == "limit":
        return math.nan if score.measure is None else score.measure
    return math.nan if score.passed is None else float(score.passed)


def verdict(found: Mapping[str, Finding]) -> str:
    """Ship when everything passes, block when anything is blocked, else inconclusive."""
    decisions = {finding.decision for finding in found.values()}
    return "block" if "BLOCK" in decisions else "inconclusive" if "INCONCLUSIVE" in decisions else "ship"
