"""Metrics of other libraries as scorers: `autoevals:Name`, `deepeval:Name`, `ragas:Name`, `langchain:name`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.plugins import UserFunction, load_function
from seatrial.core.record import Json, as_dict
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import BrokenPluginError, Problem, ScorerConfigError, safe
from seatrial.scorers.base import answers, encodable, shown
from seatrial.scorers.own.libraries import LIBRARIES, Given, Library, NoMetric, Told
from seatrial.scorers.own.results import DEFAULT_THRESHOLD, as_score

SHOWN = 300
ROUNDING = 1e-9
"""So far beyond [0, 1] a score is a rounding error of the library's."""
OURS = ("arguments", "lower_is_better", "threshold")


@dataclass(frozen=True)
class WrappedScorer:
    """A metric of another library as a scorer.

    It is given the case's input, the answer, the expected answer (each accepted one in turn, the best counts) and the
    context: what the target retrieved, else the case's. What it raises, and a score that is no number in [0, 1], is
    `judge_error`. It passes from `threshold` on (0.5), or by the metric's own verdict where it gives one;
    `lower_is_better: true` turns the score round (a distance). `arguments: module:function` names a function of
    yours, whose dict is given to the metric beside the other settings: a judge's client, an embedder.

    It asks whatever service the library asks, past the budget, the cache and the limits of a run. Its identity holds
    the library's version and the source of `arguments`.
    """

    info: ScorerInfo
    library: Library
    metric: str
    settings: Mapping[str, Json]
    arguments: UserFunction | None
    threshold: float
    lower_is_better: bool

    def identity(self) -> Mapping[str, Json]:
        """The settings, the threshold and direction, and the source that makes further arguments."""
        made = {} if self.arguments is None else {"source": self.arguments.source}
        turned = {"lower_is_better": True} if self.lower_is_better else {}
        return {"settings": dict(self.settings), "threshold": self.threshold, **turned, **made}

    def applies(self, case: Case) -> str:
        """Empty when the case has an expected answer, or the metric needs none."""
        return "" if answers(case) or not self.expects else "the case has no expected answers"

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises what the metric raises, and ValueError for what is no score."""
        context = tuple(encodable(document.text) for document in (output.context or case.context))
        scores: list[Score] = []
        for expected in answers(case) or (None,):
            goal = None if expected is None else encodable(expected)
            given = Given(encodable(case.text), encodable(output.text), goal, context)
            told = await self.library.ask(self.make() if self.library.fresh else self._made, given)
            scores.append(self._score(told))
            if scores[-1].passed or not self.expects:
                break
        return max(scores, key=lambda score: (bool(score.passed), score.value or 0.0))

    def make(self) -> Any:
        """A metric with all of its settings. Raises what the library raises, TypeError where `arguments` fails."""
        more = {} if self.arguments is None else as_dict(self.arguments.function())
        if more is None:
            raise TypeError("arguments must name a function that returns a dict")
        return self.library.make(self.metric, {**self.settings, **more})

    @cached_property
    def _made(self) -> Any:
        return self.make()

    @cached_property
    def expects(self) -> bool:
        """Whether the metric needs an expected answer. Raises what making it raises."""
        return self.library.expects(self._made)

    def _score(self, told: Told) -> Score:
        value = _number(told.value)
        if not -ROUNDING <= value <= 1 + ROUNDING:
            raise ValueError(f"the metric gave {shown(told.value, 60)}, which is no score from 0 to 1")
        value = min(1.0, max(0.0, value))
        good = 1 - value if self.lower_is_better else value
        reason = f"{self.metric} {value:.3f}" + (f": {safe(told.reason, SHOWN)}" if told.reason else "")
        parts: dict[str, Any] = {"score": good, "reason": reason, "details": told.details}
        return as_score(parts if told.passed is None else {**parts, "passed": told.passed}, self.threshold)


def _number(value: object) -> float:
    try:
        return math.nan if value is None or isinstance(value, str) else float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, OverflowError):
        return math.nan


def wrapped_scorer(name: str, settings: dict[str, Json], folder: Path) -> WrappedScorer:
    """The scorer of `library:metric`; `settings` become the metric's arguments, but for `OURS`.

    `threshold` is the metric's own where it takes one. Raises BrokenPluginError when the library is not installed or
    cannot be imported, ScorerConfigError when it has no such metric or the settings do not fit.
    """
    prefix, _, metric = name.partition(":")
    library = LIBRARIES[prefix]
    threshold, lower = settings.get("threshold", DEFAULT_THRESHOLD), settings.get("lower_is_better", False)
    problems: list[Problem] = []
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        problems.append(Problem(rule="must be a number from 0 to 1", key="threshold", value=shown(threshold)))
    if not isinstance(lower, bool):
        problems.append(Problem(rule="must be true or false", key="lower_is_better", value=shown(lower)))
    reference = settings.get("arguments")
    if reference is not None and not isinstance(reference, str):
        problems.append(Problem(rule="must name a function, like module:function", key="arguments"))
    if problems:
        raise ScorerConfigError(f"The settings of scorer {safe(name)!r} cannot be used.", problems=problems)
    made = WrappedScorer(
        info=ScorerInfo(name, _version(prefix, library), cost="heavy"),
        library=library,
        metric=metric,
        settings=_passed_on(prefix, settings),
        arguments=None if reference is None else load_function(str(reference), folder),
        threshold=float(threshold),
        lower_is_better=bool(lower),
    )
    _check(made, prefix)
    return made


def _passed_on(prefix: str, settings: Mapping[str, Json]) -> dict[str, Json]:
    own = {"threshold"} if prefix == "deepeval" else set[str]()  # its metrics give a verdict by their own threshold
    return {key: value for key, value in settings.items() if key not in OURS or key in own}


def _version(prefix: str, library: Library) -> str:
    for package in (library.package, prefix):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    raise BrokenPluginError(
        f"Scorers named {prefix}: need the package {library.package}, which is not installed.",
        hint=f"pip install 'seatrial[{prefix}]'",
    )


def _check(scorer: WrappedScorer, prefix: str) -> None:
    """Make the metric once, so that what is wrong with it is said before a run."""
    name, metric = scorer.info.name, safe(scorer.metric)
    try:
        _ = scorer.expects
    except NoMetric:
        raise ScorerConfigError(
            f"{prefix} {scorer.info.version} has no metric that is named {metric!r}.",
            hint=f"its names are written as in {prefix}, letter for letter",
        ) from None
    except ImportError as cause:
        raise BrokenPluginError(
            f"The scorer {safe(name)!r} cannot be imported: {safe(str(cause), SHOWN)}.",
            hint=f"pip install 'seatrial[{prefix}]' again; a metric may need a further package",
        ) from cause
    except Exception as cause:  # a library may raise anything while a metric of it is made
        raise ScorerConfigError(
            f"The scorer {safe(name)!r} cannot be made: {type(cause).__name__}: {safe(str(cause), SHOWN)}.",
            hint="its settings become the metric's arguments; `arguments: module:function` gives what is no JSON",
        ) from cause
