"""The one place where a score's status is decided."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

from seatrial.core.case import Case
from seatrial.core.identity import encode
from seatrial.core.output import Output
from seatrial.core.protocols import NamesLabels, Scorer
from seatrial.core.score import Evidence, Score
from seatrial.errors import SeatrialError, safe
from seatrial.scorers.base import BuiltinScorer
from seatrial.scorers.measured.quantities import Quantity

SHOWN_MESSAGE = 300


async def judge(scorer: Scorer, case: Case, output: Output) -> Score:
    """Judge one output of one case by one scorer: `judge_each` of one."""
    return (await judge_each((scorer,), case, output))[0]


async def judge_each(scorers: Iterable[Scorer], case: Case, output: Output) -> list[Score]:
    """Judge one output of one case by each scorer, in order; never raises (cancellation excepted).

    `case` is the view that scorers may read. In this order: a case that the scorer does not take is `not_applicable`;
    an output with a failure of the infrastructure is `infra_error`; one with a failure of the model, or one that
    holds nothing at all, is `model_failure` (0, failed); a scorer that raises, or that gives what is no score, is
    `judge_error`. A quantity (latency, cost, tokens) that was measured is kept on a `model_failure`.
    """
    failed = output.failure is not None or _is_empty(output)
    scores: list[Score] = []
    known: Any  # the same scorer, where its class is known to have a `score`
    score: Score
    for scorer in scorers:
        try:
            if why_not := scorer.applies(case):
                score = Score(status="not_applicable", reason=why_not)
            elif failed:
                score = _failed(scorer, case, output)
            else:
                kind, known = _kind(type(scorer)), scorer
                score = known.score(case, output) if kind == "plain" else await scorer(case, output)
                if kind == "foreign" and (fault := _fault(score)):
                    score = _error(fault)
        except (Exception, SystemExit) as cause:  # noqa: BLE001  # a scorer, a stranger's too, may raise anything
            said = f"{cause.problem} [{cause.code}]" if isinstance(cause, SeatrialError) else str(cause)
            score = _error(f"{type(cause).__name__}: {safe(said, SHOWN_MESSAGE)}")
        scores.append(score)
    return scores


@lru_cache(maxsize=256)
def _kind(made: type) -> Literal["plain", "waiting", "foreign"]:
    """`plain` and `waiting` are ours, whose scores need no check; a plain one needs no coroutine: it has a `score`."""
    if not issubclass(made, BuiltinScorer):
        return "foreign"
    return "plain" if made.__call__ is BuiltinScorer.__call__ else "waiting"


def _error(reason: str) -> Score:
    return Score(status="judge_error", reason=reason)


def _failed(scorer: Scorer, case: Case, output: Output) -> Score:
    failure = output.failure
    if failure is not None and failure.kind == "infra":
        return Score(status="infra_error", reason=_named(failure.code, failure.message))
    reason = "the output is empty" if failure is None else _named(failure.code, failure.message)
    measure, unit = (scorer.read(output), scorer.unit) if isinstance(scorer, Quantity) else (None, "")
    named = isinstance(scorer, NamesLabels)
    evidence = (Evidence(where="text", expected=scorer.expected_label(case)),) if named else ()
    return Score(
        status="model_failure",
        value=0.0,
        passed=False,
        reason=reason,
        evidence=evidence,
        measure=measure,
        unit=unit,
    )


def _named(code: str, message: str) -> str:
    return f"{code}: {safe(message, SHOWN_MESSAGE)}" if message else code


def _is_empty(output: Output) -> bool:
    """Whether an output holds nothing at all."""
    if output.text and not output.text.isspace():
        return False
    said = any(
        m.tool_calls or not isinstance(m.content, str) or (m.content.strip())
        for m in output.messages
        if m.role == "assistant"
    )
    return not said and not output.steps and output.state is None


def _fault(score: object) -> str:
    """Why what a stranger's scorer returned is no score; empty when it is one."""
    if not isinstance(score, Score):
        return f"returned {type(score).__name__}, not a Score"
    if score.status == "not_applicable":
        return "returned not_applicable; only `applies` may say so, from the case alone"
    value, measure = score.value, score.measure
    if value is not None and not 0 <= value <= 1:
        return f"returned the value {value}, outside [0, 1]"
    if measure is not None and not math.isfinite(measure):
        return f"returned the measure {measure}"
    if score.status == "scored" and value is None and score.passed is None and measure is None:
        return "returned a score without value, verdict and measure"
    if score.status in ("infra_error", "judge_error") and (value is not None or score.passed is not None):
        return f"returned {score.status} with a value"
    try:
        encode(score.plain())
    except (TypeError, ValueError, RecursionError) as cause:
        return f"returned a score that cannot be kept as JSON: {safe(str(cause))}"
    return ""
