"""Live progress on standard error: a table of bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from seatrial.runs.progress import ArmProgress, Progress

LINE_SECONDS = 5.0
WAITING_SECONDS = 600.0
"""A batch may take a day: a line that says nothing new is said again after this long."""


@contextmanager
def display(*, quiet: bool) -> Generator[Callable[[Progress], None]]:
    """A function to show progress with."""
    if quiet:
        yield lambda _progress: None
    elif sys.stderr.isatty():
        with _bars() as show:
            yield show
    else:
        yield _Lines()


class _Lines:
    """A line every few seconds, and one at the end."""

    def __init__(self) -> None:
        self._last = 0.0
        self._noted = 0
        self._said: str = ""

    def __call__(self, progress: Progress) -> None:
        for note in progress.notes[self._noted :]:
            click.echo(note, err=True)
        self._noted = len(progress.notes)
        if progress.finished or progress.seconds - self._last >= LINE_SECONDS:
            line, waiting = summary(progress), any(arm.waiting for arm in progress.arms)
            if waiting and line == self._said and progress.seconds - self._last < WAITING_SECONDS:
                return
            self._last, self._said = progress.seconds, line
            click.echo(line, err=True)


def summary(progress: Progress) -> str:
    """One line: done, rate, time to go, reuse, errors and cost."""
    reused = sum(arm.reused for arm in progress.arms)
    errors = sum(arm.errors + arm.judge_errors for arm in progress.arms)
    parts = [f"{progress.done:,} of {progress.total:,} results"]
    if reused:
        parts.append(f"{reused:,} reused")
    if progress.generated:
        parts.append(f"{progress.rate:,.0f}/s")
    if progress.eta is not None and not progress.finished:
        parts.append(f"{duration(progress.eta)} to go")
    if errors:
        parts.append(f"{errors:,} errors")
    if twice := sum(arm.twice for arm in progress.arms):
        parts.append(f"{twice:,} answered twice beside another process")
    if not progress.finished:
        parts += [f"{arm.name}: {arm.waiting}" for arm in progress.arms if arm.waiting]
    calls = sum(judge.calls for judge in progress.judges)
    if calls:
        judging = sum(judge.cost for judge in progress.judges)
        unpriced = sum(judge.cost_unknown for judge in progress.judges)
        money = f" for ${judging:,.4f}" if judging else ""
        parts.append(f"{calls:,} calls to judges{money}" + (f" ({unpriced:,} of unknown cost)" if unpriced else ""))
    spent = sum(arm.cost for arm in progress.arms)
    if spent:
        unknown = sum(arm.cost_unknown for arm in progress.arms)
        parts.append(f"${spent:,.4f}" + (f" ({unknown:,} of unknown cost)" if unknown else ""))
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Seconds for people: `42 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@contextmanager
def _bars() -> Generator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TextColumn("{task.fields[details]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}
        noted = 0

        def show(progress: Progress) -> None:
            nonlocal noted
            for arm in progress.arms:
                if arm.name not in tasks:
                    tasks[arm.name] = bars.add_task(arm.name, total=arm.total, details="")
                bars.update(tasks[arm.name], completed=arm.done, details=_details(arm, progress))
            for note in progress.notes[noted:]:
                bars.console.print(note, highlight=False, markup=False)
            noted = len(progress.notes)

        yield show


def _details(arm: ArmProgress, progress: Progress) -> str:
    parts = [f"{arm.reused:,} reused"] if arm.reused else []
    if arm.generated and progress.seconds:
        parts.append(f"{arm.generated / progress.seconds:,.0f}/s")
        if arm.done < arm.total:
            parts.append(f"{duration((arm.total - arm.done) * progress.seconds / arm.generated)} to go")
    if arm.waiting:
        parts.append(arm.waiting)
    if arm.errors:
        parts.append(f"{arm.errors:,} errors")
    if arm.cost:
        parts.append(f"${arm.cost:,.4f}")
    return " · ".join(parts)
