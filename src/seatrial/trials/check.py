"""One assertion on one answer: `check`, for any ordinary test."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import ValidationError

from seatrial.core.case import Case, Expected
from seatrial.core.output import Output
from seatrial.core.protocols import NeedsServices, Scorer, Target
from seatrial.core.record import Json
from seatrial.core.score import Evidence, Score
from seatrial.errors import NoAnswerError, NotEvaluableError, Problem, UsageError, safe

if TYPE_CHECKING:
    from seatrial.runs.panel import Judge, Panel

T = TypeVar("T")
Answer = Output | str
Judges = str | Target | Mapping[str, Any]
Model = Callable[[Case], Answer | Awaitable[Answer]]

SHOWN_EVIDENCE = 10
SHOWN_LINES = 40
SHOWN_WIDTH = 500


def check(
    answer: Answer | Model | None = None,
    /,
    *,
    scorer: str = "contains",
    expected: Any = None,
    case: Case | str | Mapping[str, Any] | None = None,
    target: str | Target | None = None,
    judges: Judges | None = None,
    embedder: str | Mapping[str, Any] | None = None,
    **settings: Json,
) -> Score:
    """Judge one answer with one scorer; gives its Score where it passes.

    `answer`: text, an Output, or a model: a function, sync or async, that is called with the Case. With `target` (a
    `use` of a suite, or a built target) the case's input is sent there instead, nothing being kept in a store.
    `expected`: an accepted value, a list of them, or the fields of Expected as a dict; it stands in place of the
    case's. `case`: a Case, its fields, or its input as text. `scorer` and `settings` are as in a suite's rubric; files
    and the modules of `python:` are looked for in the working folder first.

    `judges`: the model that a judged scorer asks, a `use` of a suite, a built target, or the fields of a suite's judge
    as a dict with `use`; or several by name, each of these. `embedder` is as in a suite. What they answer is not kept.

    Raises AssertionError with the scorer's reason and evidence where the answer fails. What says nothing of the answer
    is no failure and no pass: NoAnswerError where the infrastructure gave none, NotEvaluableError where the scorer
    failed, UsageError where it does not take the case or has no bound to judge by, and the scorer's and target's own
    ConfigErrors.
    """
    __tracebackhide__ = True
    asked = _case(case, expected)
    if (answer is None) == (target is None):
        raise UsageError("An answer is to be checked.", hint="give text, an Output or a function, or else target=")
    panel = _panel(judges, embedder)
    made = panel.build(scorer, settings, Path.cwd())
    given = _asked(target, asked) if target is not None else answer
    output, score = _wait(_judged(made, asked, given, panel))
    _refuse(scorer, score)
    if not score.passed:
        raise AssertionError(explained(scorer, asked, output, score))
    return score


def explained(name: str, case: Case, output: Output | None, score: Score) -> str:
    """Why an answer failed: the reason, the evidence, and what was asked, expected and said; safe to print anywhere."""
    from seatrial.verdicts.artefacts.flips import expected_text, input_text, output_text

    lines = [f"{name}: {safe(score.reason, SHOWN_WIDTH) or 'failed'}"]
    lines += [f"  {_evidence(one)}" for one in score.evidence[:SHOWN_EVIDENCE]]
    if len(score.evidence) > SHOWN_EVIDENCE:
        lines.append(f"  … and {len(score.evidence) - SHOWN_EVIDENCE} more")
    parts = {"input": input_text(case), "expected": expected_text(case), "answer": output_text(output)}
    lines += [f"{label + ':':<9} {_block(text)}" for label, text in parts.items() if text.strip()]
    return "\n".join(lines)


def _evidence(one: Evidence) -> str:
    span = "" if one.start is None else f" at {one.start}"
    parts = [f"{safe(one.quote, SHOWN_WIDTH)!r}" if one.quote else "", safe(one.note, SHOWN_WIDTH)]
    if one.expected is not None:
        parts.append(f"expected {safe(one.expected, SHOWN_WIDTH)}")
    if one.found is not None:
        parts.append(f"found {safe(one.found, SHOWN_WIDTH)}")
    return f"{safe(one.where)}{span}: {', '.join(part for part in parts if part)}".removesuffix(": ")


def _block(text: str) -> str:
    lines = text.splitlines()
    shown = [safe(line, SHOWN_WIDTH) for line in lines[:SHOWN_LINES]]
    if len(lines) > SHOWN_LINES:
        shown.append(f"… and {len(lines) - SHOWN_LINES} more lines")
    return "\n          ".join(shown)


def _case(given: Case | str | Mapping[str, Any] | None, expected: Any) -> Case:
    if isinstance(given, Case):
        fields: dict[str, Any] = {}
        made = given
    else:
        fields = {"input": given or ""} if given is None or isinstance(given, str) else dict(given)
        made = _valid(Case, {"id": "check", "input": "", **fields}, "The case cannot be used.")
    if expected is None:
        return made
    reference = _valid(
        Expected, expected, "What is expected cannot be used.", hint="write an answer that is a dict as {'answer': {…}}"
    )
    return made.model_copy(update={"expected": reference})


def _valid(record: type[T], fields: Any, problem: str, hint: str = "") -> T:
    try:
        return cast("Any", record).model_validate(fields)
    except ValidationError as cause:
        faults = cause.errors(include_url=False, include_context=False, include_input=False)
        problems = [
            Problem(fault["msg"].removeprefix("Value error, "), key=".".join(map(str, fault["loc"])))
            for fault in faults
        ]
        raise UsageError(problem, hint=hint, problems=problems) from None


def _panel(judges: Judges | None, embedder: str | Mapping[str, Any] | None) -> Panel:
    """Whom the scorer may ask."""
    from seatrial.core.suite import EmbedderSpec
    from seatrial.runs.panel import Panel
    from seatrial.targets import build_embedder

    one = not isinstance(judges, Mapping) or "use" in judges
    given = cast("Mapping[str, Any]", {} if judges is None else {"judge": judges} if one else judges)
    fields = {"use": embedder} if isinstance(embedder, str) else embedder or {}
    spec = _valid(EmbedderSpec, fields, "The embedder cannot be used.")
    return Panel({name: _judge(name, one) for name, one in given.items()}, build_embedder(spec, os.environ))


def _judge(name: str, given: str | Target | Mapping[str, Any]) -> Judge:
    from seatrial.core.suite import TargetSpec
    from seatrial.runs.panel import Judge, judge_of

    if not isinstance(given, str | Mapping):
        return Judge(given)
    fields: dict[str, Any] = {"use": given} if isinstance(given, str) else dict(given)
    return judge_of(
        name, _valid(TargetSpec, fields, f"The judge {safe(name)!r} cannot be used."), Path.cwd(), os.environ
    )


def _asked(target: str | Target, case: Case) -> Output:
    from seatrial.targets.complete import complete

    return complete(target, case.input, tools=case.tools)


async def _judged(scorer: Scorer, case: Case, given: Answer | Model | None, panel: Panel) -> tuple[Output, Score]:
    from seatrial.runs.services import Helpers
    from seatrial.scorers import judge

    said: Any = given
    if callable(given):
        said = given(case)
        said = await said if inspect.isawaitable(said) else said
    if not isinstance(said, Output | str):
        hint = "give text, an Output, or a function that gives one of these"
        raise UsageError(f"A {type(said).__name__} is no answer.", hint=hint)
    output = Output.of(said) if isinstance(said, str) else said
    if not isinstance(scorer, NeedsServices):
        return output, await judge(scorer, case.view(), output)
    helpers = Helpers(panel)
    async with helpers.opened([scorer]):
        return output, await judge(helpers.bind(scorer), case.view(), output)


def _wait(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, inside a running event loop too, which waits meanwhile."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result()


def _refuse(name: str, score: Score) -> None:
    """Raise where a score says nothing of the answer."""
    why = safe(score.reason, SHOWN_WIDTH).rstrip(".")
    if score.status == "not_applicable":
        raise UsageError(
            f"The scorer {safe(name)!r} does not take this case: {why}.",
            hint="give expected= or case=, or what the scorer needs",
        )
    if score.status == "infra_error":
        raise NoAnswerError(f"There is no usable answer: {why}.")
    if score.status == "judge_error":
        raise NotEvaluableError(f"The scorer {safe(name)!r} failed: {why}.")
    if score.passed is None and "not decided" in why:
        hint = "give judge= and judges=, who reads what rules cannot decide, or strict=True, which fails it"
        raise NotEvaluableError(f"The scorer {safe(name)!r} did not decide: {why}.", hint=hint)
    if score.passed is None:
        hint = "give it a bound, like at_most= or threshold="
        raise UsageError(f"The scorer {safe(name)!r} only measures: {why}.", hint=hint)
