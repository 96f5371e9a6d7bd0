"""A plain Python function as a scorer: `python:module:function`."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from seatrial.core.case import Case
from seatrial.core.identity import encode
from seatrial.core.output import Output
from seatrial.core.plugins import load_function
from seatrial.core.record import Json, as_dict
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import BrokenPluginError, Problem, ScorerConfigError, nearest, safe
from seatrial.scorers.base import clip, shown

DEFAULT_THRESHOLD = 0.5
RESULT_KEYS = ("score", "passed", "reason", "details")
MAX_DETAILS = 10_000


@dataclass(frozen=True, slots=True)
class FunctionScorer:
    """A function of (case, output), sync or async, as a scorer.

    It may give a bool (passed or not), a number in [0, 1] (passed from `threshold` on), a dict with `score`, `passed`,
    `reason` and `details`, an object with such attributes (like article A2's `ScoreResult`), or a `Score`. `passed`
    wins over the threshold. Whatever else it gives, and whatever it raises, is `judge_error`. A sync function is
    declared `heavy`, so that a run may keep it off the event loop.

    Its identity holds the sha256 of its module's source: editing the file re-scores. Other modules that it imports
    are not covered.
    """

    info: ScorerInfo
    function: Callable[..., Any]
    source: str
    settings: Mapping[str, Json]
    threshold: float = DEFAULT_THRESHOLD

    def identity(self) -> Mapping[str, Json]:
        """The settings, the threshold where it is not the default, and the source's fingerprint."""
        given = {} if self.threshold == DEFAULT_THRESHOLD else {"threshold": self.threshold}
        return {**given, "settings": dict(self.settings), "source": self.source}

    def applies(self, case: Case) -> str:
        """Always: a function that cannot judge a case should raise."""
        del case
        return ""

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises what the function raises, and TypeError or ValueError for what is no score."""
        result = self.function(case, output, **self.settings)
        if inspect.isawaitable(result):
            result = await result
        return as_score(result, self.threshold)


def as_score(result: object, threshold: float = DEFAULT_THRESHOLD) -> Score:
    """What a function gave, as a Score. Raises TypeError or ValueError for what is none."""
    if isinstance(result, Score):
        return result
    if isinstance(result, bool):
        return Score.binary(result)
    number = _number(result)
    if number is not None:
        return _graded(number, None, threshold, "", None)
    parts = as_dict(result)
    if parts is None:
        found = {key: getattr(result, key) for key in RESULT_KEYS if hasattr(result, key)}
        if not found.keys() & {"score", "passed"}:
            raise TypeError(
                f"the function returned {type(result).__name__}; give a bool, a number in [0, 1], a dict or a Score"
            )
        parts = found
    unknown = [key for key in parts if key not in RESULT_KEYS]
    if unknown or not parts.keys() & {"score", "passed"}:
        raise ValueError(f"the function returned the keys {shown(list(parts))}; known are {', '.join(RESULT_KEYS)}")
    return _from_parts(parts, threshold)


def _from_parts(parts: Mapping[str, Any], threshold: float) -> Score:
    passed = parts.get("passed")
    if passed is not None and not isinstance(passed, bool | _numpy_bool()):
        raise TypeError(f"passed must be true or false, not {shown(passed)}")
    raw = parts.get("score")
    number = float(raw) if isinstance(raw, bool) else _number(raw)
    if raw is not None and number is None:
        raise TypeError(f"score must be a number, not {shown(raw)}")
    if number is None and passed is None:
        raise ValueError("the function returned neither a score nor a verdict")
    reason = parts.get("reason")
    text = "" if reason is None else safe(reason, 1000)
    return _graded(number, None if passed is None else bool(passed), threshold, text, parts.get("details"))


def _numpy_bool() -> type:
    numpy = sys.modules.get("numpy")
    return bool if numpy is None else cast("type", numpy.bool_)


def _number(value: object) -> float | None:
    """A float from an int, a float, or what turns into one (numpy's scalars); None for all else."""
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        return None
    try:
        return float(cast("Any", value))
    except (TypeError, ValueError, OverflowError):
        return None


def _graded(value: float | None, passed: bool | None, threshold: float, reason: str, details: object) -> Score:
    if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
        raise ValueError(f"the function returned the score {value}, outside [0, 1]")
    evidence = () if not details else (Evidence(where="details", found=_kept(details)),)
    if value is None:
        return Score.binary(bool(passed), reason, evidence=evidence)
    good = value >= threshold if passed is None else passed
    return Score(value=value, passed=good, reason=reason, evidence=evidence)


def _kept(details: object) -> Json:
    try:
        return details if len(encode(details)) <= MAX_DETAILS else clip(details, MAX_DETAILS)
    except (TypeError, ValueError, RecursionError):
        return shown(details, MAX_DETAILS)


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
    parameters = _parameters(function, reference)
    threshold = settings.get("threshold", DEFAULT_THRESHOLD)
    arguments = dict(settings)
    if "threshold" not in parameters:
        arguments.pop("threshold", None)
    problems = _misfits(arguments, parameters)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        problems.append(Problem(rule="must be a number from 0 to 1", key="threshold", value=shown(threshold)))
    if problems:
        known = ", ".join([*(name for name in parameters if not name.startswith("*")), "threshold"])
        raise ScorerConfigError(
            f"The settings of {safe(reference)} cannot be used.", hint=f"it takes {known}", problems=problems
        )
    cost = "cheap" if _is_async(function) else "heavy"
    info = ScorerInfo(f"python:{reference}", "1", cost=cost)
    return FunctionScorer(info, function, source, arguments, float(threshold))


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _parameters(function: Callable[..., Any], reference: str) -> dict[str, bool]:
    """The function's parameters after (case, output): name to whether it must be given; `**` stands for any."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise BrokenPluginError(
            f"{safe(reference)} has no signature that can be read.", hint="wrap it in a function of (case, output)"
        ) from None
    positional = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) < 2 and not any(p.kind is p.VAR_POSITIONAL for p in found):
        raise BrokenPluginError(
            f"{safe(reference)} takes {len(positional)} positional arguments.", hint="it must take (case, output)"
        )
    taken = positional[:2]
    rest = [p for p in found if p not in taken and p.kind is not p.VAR_POSITIONAL]
    return {("**" if p.kind is p.VAR_KEYWORD else p.name): p.default is p.empty for p in rest}


def _misfits(arguments: Mapping[str, Json], parameters: Mapping[str, bool]) -> list[Problem]:
    problems = [
        Problem(rule="is required", key=name)
        for name, required in parameters.items()
        if required and name != "**" and name not in arguments
    ]
    if "**" in parameters:
        return problems
    for name in arguments:
        if name not in parameters:
            near = nearest(name, [*parameters, "threshold"])
            hint = f"did you mean {near!r}?" if near else ""
            problems.append(Problem(rule="is no parameter of the function", key=name, hint=hint))
    return problems
