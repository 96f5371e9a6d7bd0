"""A settings sweep as tables: for the terminal, and as Markdown. All text in it is treated as hostile."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seatrial.core.files import write_whole
from seatrial.errors import UsageError, safe
from seatrial.reports import format as f
from seatrial.reports.objects import plain
from seatrial.reports.pullrequest import prose
from seatrial.reports.text import clean, one_line
from seatrial.verdicts.questions.sweep import Cell, Movement, RubricSweep, SweepReport

FORMAT = "seatrial.sweep/1"
NAME = 60
COLUMNS = 100
MOVED_HEADS = ("what moves", "up to", "at least", "at most", "typically", "most between")


def sweep_text(report: SweepReport, *, width: int | None = None) -> str:
    """The sweep for a terminal: for each rubric its pass rates, what moves them, and two sentences."""
    shown = clean(report)
    out = Console(file=StringIO(), width=width or Console().width, highlight=False, no_color=True)
    out.print(Text(f"{_head(shown)}\n"))
    for rubric in shown.rubrics:
        out.print(Text(one_line(rubric.name, NAME), style="bold"))
        out.print(Text(f"{rubric.sentence} {rubric.ranking}\n"))
        out.print(_table(("", *shown.targets), _rates(shown, rubric)))
        out.print()
        out.print(_table(MOVED_HEADS, [_moved(movement) for movement in rubric.movements]))
        for warning in rubric.warnings:
            out.print(Text(f"! {warning}"))
        out.print()
    for warning in shown.warnings:
        out.print(Text(f"! {warning}"))
    out.print(Text(f"{_method(shown)}", style="dim"))
    assert isinstance(out.file, StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())


def sweep_markdown(report: SweepReport) -> str:
    """The sweep as GitHub-flavoured Markdown."""
    shown = clean(report)
    lines = [f"## {prose(f'Settings sweep of {shown.suite}')}", "", prose(_head(shown)), ""]
    for rubric in shown.rubrics:
        lines += [f"### {prose(rubric.name)}", "", *_prose(f"{rubric.sentence} {rubric.ranking}"), ""]
        lines += _rows(("", *shown.targets), _rates(shown, rubric))
        lines += ["", *_rows(MOVED_HEADS, [_moved(movement) for movement in rubric.movements]), ""]
        lines += [f"- {prose(warning)}" for warning in rubric.warnings]
    lines += [f"- {prose(warning)}" for warning in shown.warnings]
    return "\n".join([*lines, "", *_prose(_method(shown)), ""])


def sweep_json(report: SweepReport) -> str:
    """The sweep as one JSON object, numbers unrounded."""
    return json.dumps({"format": FORMAT, **plain(report)}, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


RENDERERS: dict[str, Callable[[SweepReport], str]] = {
    ".json": sweep_json,
    ".md": sweep_markdown,
    ".txt": lambda report: sweep_text(report, width=COLUMNS) + "\n",
}
"""File ending: what renders it."""


def check_sweep(path: Path) -> None:
    """Raise UsageError for a path whose ending `write_sweep` would refuse."""
    if path.suffix.lower() not in RENDERERS:
        raise UsageError(
            f"A sweep cannot be written into {safe(str(path), 200)}.",
            hint=f"end the name in one of {', '.join(RENDERERS)}",
        )


def write_sweep(report: SweepReport, path: Path) -> None:
    """Write the sweep as its ending says, whole or not at all. Raises UsageError."""
    check_sweep(path)
    data = RENDERERS[path.suffix.lower()](report).encode("utf-8", "backslashreplace")
    write_whole(path, lambda out: out.write(data), "The sweep")


def _head(report: SweepReport) -> str:
    cases = f"{f.plural(report.cases, 'case')} of {one_line(report.dataset, NAME)}"
    if report.clusters != report.cases:
        cases += f" in {f.plural(report.clusters, 'cluster')}"
    if report.epochs > 1:
        cases += f", {f.plural(report.epochs, 'answer')} each"
    grid = f"{f.plural(len(report.settings), 'setting')} of {', '.join(report.factors)}"
    return f"{one_line(report.suite, NAME)}: {f.plural(len(report.targets), 'target')} under {grid}; {cases}."


def _method(report: SweepReport) -> str:
    return (
        "Differences are paired over cases, between cells that differ in one thing alone, with Tango's interval (at "
        f"the effective size where cases share a cluster). All of a rubric's hold together at {f.level(report.level)} "
        "(Bonferroni). “At least” and “at most” bound the largest true difference; “typically” is the root of the mean "
        "squared one, without what chance adds."
    )


def _rates(report: SweepReport, rubric: RubricSweep) -> list[tuple[str, ...]]:
    by_setting: dict[int, list[Cell]] = {}
    for cell in rubric.cells:
        by_setting.setdefault(cell.setting, []).append(cell)
    return [(one_line(report.settings[at].label, NAME), *map(_rate, cells)) for at, cells in sorted(by_setting.items())]


def _rate(cell: Cell) -> str:
    missing = f", {f.count(cell.rate.missing)} missing" if cell.rate.missing else ""
    estimate = cell.rate.estimate
    return f"{f.percent(estimate.value)} {f.percent_interval(estimate)}".strip() + missing


def _moved(movement: Movement) -> tuple[str, ...]:
    sizes = (movement.largest, movement.low, movement.high, movement.typical)
    return (movement.factor, *(f.points(size, sign=False) for size in sizes), one_line(movement.between, COLUMNS))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(Text(one_line(head, NAME)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    return table


def _rows(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    written = [" | ".join(prose(text) for text in row) for row in (heads, *rows)]
    return [f"| {written[0]} |", f"|{'---|' * len(heads)}", *(f"| {row} |" for row in written[1:])]


def _prose(text: str) -> list[str]:
    """Sentences, each by itself, as one of them may be too long for a line."""
    return [prose(sentence if sentence.endswith(".") else f"{sentence}.") for sentence in text.split(". ")]
