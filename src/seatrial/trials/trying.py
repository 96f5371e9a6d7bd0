"""One scorer on one pasted answer, with a judge where it asks one; nothing is kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json
from seatrial.core.score import Score
from seatrial.core.suite import EmbedderSpec, TargetSpec
from seatrial.errors import Problem, UsageError, safe

ONLY = "judge"
"""The name of a judge that is given without one."""


def attempt(
    name: str,
    settings: Mapping[str, Json],
    case: Case,
    output: Output,
    judges: Mapping[str, Mapping[str, Any]] | None = None,
) -> Score:
    """The score that a run would give this output of this case.

    `judges`: the fields of a target for each judge that the scorer asks, by name. Texts are embedded by the embedder
    that needs no model. Raises UsageError where a judge is asked and none is given, and the errors of scorers, targets
    and judges' settings.
    """
    from seatrial.runs.panel import Panel, judge_of
    from seatrial.runs.services import Helpers
    from seatrial.scorers import build, judge
    from seatrial.targets import build_embedder

    folder = Path.cwd()
    built = {key: judge_of(key, _spec(fields), folder, os.environ) for key, fields in (judges or {}).items()}
    scorer = build(name, settings, folder)
    if "judge" in scorer.info.needs and not built and scorer.info.cost == "model":
        raise UsageError(f"The scorer {safe(name)!r} asks a judge.", hint="name a model with --judge PROVIDER/MODEL")
    panel = Panel(built, build_embedder(EmbedderSpec(), os.environ))
    scorer = panel.build(name, settings, folder) if built else scorer

    async def judged() -> Score:
        helpers = Helpers(panel)
        async with helpers.opened([scorer]):
            return await judge(helpers.bind(scorer), case.view(), output)

    return asyncio.run(judged())


def _spec(fields: Mapping[str, Any]) -> TargetSpec:
    try:
        return TargetSpec.model_validate(dict(fields))
    except ValidationError as cause:
        problems = [
            Problem(error["msg"].removeprefix("Value error, "), key=".".join(map(str, error["loc"])))
            for error in cause.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise UsageError("The judge cannot be used.", problems=problems) from None
