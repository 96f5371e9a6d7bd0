"""A plain Python function as a scorer: `python:module:function`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.plugins import load_function
from seatrial.core.record import Json
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import BrokenPluginError, Problem, ScorerConfigError, safe
from seatrial.scorers.base import shown
from seatrial.scorers.own.declared import Declared, declared_by
from seatrial.scorers.own.results import DEFAULT_THRESHOLD, as_score
from seatrial.scorers.own.signatures import PLAIN, NoSuchForm, Signature, arguments, misfits, references, signature_of

__all__ = ["FunctionScorer", "as_score", "function_scorer"]


@dataclass(frozen=True, slots=True)
class FunctionScorer:
    """A function, sync or async, as a scorer.

    It takes (case, output). Or its parameters name an answer (`predicted`, `output` …) and what is `expected`
    (`reference`, `target` …), like article A2's scorers: then it is called with each accepted answer, and the best
    result counts. There a parameter annotated `dict`, `list`, `float` or `str` is given the JSON object, JSON array,
    final number or text of the answer; an answer that holds none is 0.

    It may give a bool (passed or not), a number in [0, 1] (passed from `threshold` on), a tuple of such a one with a
    reason, a verdict or details, a dict with `score`, `passed`, `reason` and `details`, an object with such attributes
    (like article A2's `ScoreResult`), or a `Score`. `passed` wins over the threshold. Whatever else it gives, and
    whatever it raises, is `judge_error`. A sync function is `heavy`, so that a run may keep it off the event loop,
    unless it declares otherwise with `@seatrial.scorer`.

    Its identity holds the sha256 of its module's source: editing the file re-scores. Other modules that it imports
    are not covered.
    """

    info: ScorerInfo
    function: Callable[..., Any]
    source: str
    settings: Mapping[str, Json]
    threshold: float = DEFAULT_THRESHOLD
    signature: Signature = PLAIN

    def identity(self) -> Mapping[str, Json]:
        """The settings, the threshold where it is not the default, and the source's fingerprint."""
        given = {} if self.threshold == DEFAULT_THRESHOLD else {"threshold": self.threshold}
        return {**given, "settings": dict(self.settings), "source": self.source}

    def applies(self, case: Case) -> str:
        """Empty when the case has what the function declares to need, and what its parameters are to be given."""
        needs = self.info.needs
        if "expected" in needs and case.expected is None:
            return "the case has nothing expected"
        if "context" in needs and not case.context:
            return "the case has no context"
        if "tools" in needs and not case.tools:
            return "the case has no tools"
        if self.signature.roles and not references(self.signature, case):
            return "the case has no expected answer that the function takes"
        return ""

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises what the function raises, and TypeError or ValueError for what is no score."""
        if not self.signature.roles:
            return await self._result(case, output, **self.settings)
        scores: list[Score] = []
        for expected in references(self.signature, case):
            try:
                given = arguments(self.signature, case, output, expected)
            except NoSuchForm as why:
                scores.append(Score.binary(False, str(why)))
            else:
                scores.append(await self._result(**given, **self.settings))
        return max(scores, key=lambda score: (bool(score.passed), score.value or 0.0))

    async def _result(self, *positional: Any, **named: Any) -> Score:
        result = self.function(*positional, **named)
        return as_score(await result if inspect.isawaitable(result) else result, self.threshold)


def function_scorer(reference: str, settings: dict[str, Json], folder: Path) -> FunctionScorer:
    """The scorer of `module:function`; `settings` become its keyword arguments, `threshold` is for its numbers.

    Raises BrokenPluginError when it cannot be imported, ScorerConfigError when the settings do not fit it.
    """
    function, source = load_function(reference, folder)
    if not source:
        raise BrokenPluginError(
            f"{safe(reference)} has no source file, so a change of it could not be noticed.",
            hint="wrap it in a function in a file of your own",
        )
    declared = declared_by(function)
    signature = signature_of(function, reference, settings)
    threshold = settings.get("threshold", declared.threshold)
    given = dict(settings)
    if "threshold" not in signature.settings:
        given.pop("threshold", None)
    problems = misfits(given, signature.settings)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        problems.append(Problem(rule="must be a number from 0 to 1", key="threshold", value=shown(threshold)))
    if problems:
        known = ", ".join([*(name for name in signature.settings if not name.startswith("*")), "threshold"])
        raise ScorerConfigError(
            f"The settings of {safe(reference)} cannot be used.", hint=f"it takes {known}", problems=problems
        )
    info = _info(reference, function, declared, signature)
    return FunctionScorer(info, function, source, given, float(threshold), signature)


def _info(reference: str, function: Callable[..., Any], declared: Declared, signature: Signature) -> ScorerInfo:
    needs = declared.needs | ({"expected"} if signature.roles else frozenset[str]())
    cost = declared.cost or ("cheap" if _is_async(function) else "heavy")
    return ScorerInfo(f"python:{reference}", declared.version, unit=declared.unit, needs=needs, cost=cost)


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
