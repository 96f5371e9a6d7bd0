"""A plan for the terminal and as Markdown: what cannot be decided first, then every rubric, then the costs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size

from seatrial.core.files import write_whole
from seatrial.errors import UsageError
from seatrial.reports import format as f
from seatrial.reports.pullrequest import prose
from seatrial.reports.text import clean, one_line
from seatrial.verdicts.questions.plan import Plan, RubricPlan

NARROWEST, WIDEST = 60, 120
ENDINGS = (".md", ".json", ".txt")
SENTENCE = 1_200


def plan_text(plan: Plan, *, width: int | None = None) -> str:
    """The plan for a terminal of `width` columns, the terminal's own where None."""
    shown = clean(plan)
    columns = max(NARROWEST, min(width or get_terminal_size((100, 24)).columns, WIDEST))
    lines = [_wrapped(_head(shown), columns), ""]
    if shown.problems:
        lines += [_item(text, columns, "! ") for text in shown.problems] + [""]
    lines += [_item(rubric.sentence, columns) for rubric in shown.rubrics if rubric.sentence]
    if shown.sentences:
        lines += ["", *(_item(text, columns) for text in shown.sentences)]
    lines += ["", _wrapped(_costs(shown), columns)]
    return "\n".join(lines)


def _wrapped(text: str, columns: int) -> str:
    return textwrap.fill(one_line(text, SENTENCE), columns)


def _item(text: str, columns: int, mark: str = "  ") -> str:
    return textwrap.fill(one_line(text, SENTENCE), columns, initial_indent=mark, subsequent_indent=" " * 4)


def _head(plan: Plan) -> str:
    clusters = "" if plan.clusters == plan.cases else f" in {f.plural(plan.clusters, 'cluster')}"
    epochs = "" if plan.epochs == 1 else f", {f.count(plan.epochs)} answers each"
    looks = "" if plan.looks == 1 else f", {f.count(plan.looks)} looks"
    asked = f"{f.plural(plan.cases, 'case')} of {one_line(plan.dataset, 60)}{clusters}{epochs}{looks}"
    return f"{one_line(plan.suite, 80)}: {asked}. Nothing was sent."


def _costs(plan: Plan) -> str:
    found = plan.forecast
    if found is None:
        return "What it costs is not known."
    dollars = f.dollars(found.dollars)
    if found.dollars_unknown and found.dollars is not None:
        dollars = f"at least {dollars}"
    took = "an unknown time" if found.seconds is None else f"about {f.seconds(found.seconds)}"
    asked = f"{f.plural(found.requests, 'request')} to send, {f.count(found.reused)} reused"
    return f"Running it: {asked}; cost {dollars}, {took} (as `seatrial run --dry-run` has it)."


def plan_markdown(plan: Plan) -> str:
    """The plan as GitHub-flavoured Markdown."""
    shown = clean(plan)
    lines = [f"## {prose(_head(shown))}", ""]
    lines += [f"- **{prose(text)}**" for text in shown.problems]
    head = "| rubric | kind | cases | clusters | smallest visible drop | needed | needed for all |"
    lines += ["", head, "|---|---|---:|---:|---:|---:|---:|", *map(_row, shown.rubrics), ""]
    lines += [f"- {prose(rubric.sentence)}" for rubric in shown.rubrics if rubric.sentence]
    lines += ["", *(f"- {prose(text)}" for text in shown.sentences), "", prose(_costs(shown)), ""]
    return "\n".join(lines)


def _row(rubric: RubricPlan) -> str:
    visible = f.points(rubric.visible, sign=False) if rubric.kind == "quality" else f.UNKNOWN
    counts = (_count(rubric.needed), _count(rubric.needed_jointly))
    cells = (prose(rubric.name), rubric.kind, f.count(rubric.cases), f.count(rubric.clusters), visible, *counts)
    return f"| {' | '.join(cells)} |"


def _count(value: int | None) -> str:
    return f.UNKNOWN if value is None else f.count(value)


def check_plan(paths: Sequence[Path]) -> None:
    """Raise UsageError for a path in which a plan cannot be written."""
    for path in paths:
        if path.suffix.lower() not in ENDINGS:
            raise UsageError(
                f"A plan cannot be written as {path.suffix or 'a file without an ending'}.",
                hint=f"end the name in one of {', '.join(ENDINGS)}",
            )


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan as its file's ending says; the file appears whole or not at all. Raises UsageError."""
    check_plan([path])
    match path.suffix.lower():
        case ".json":
            text = plan.model_dump_json(indent=2) + "\n"
        case ".md":
            text = plan_markdown(plan)
        case _:
            text = plan_text(plan, width=100) + "\n"
    data = text.encode("utf-8", "backslashreplace")
    write_whole(path, lambda out: out.write(data), "The plan")
