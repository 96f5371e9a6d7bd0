"""`seatrial sweep`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options

if TYPE_CHECKING:
    from seatrial.runs.progress import Progress
    from seatrial.trials.running.sweep import SweepForecast
    from seatrial.verdicts.questions.sweep import SweepReport


@click.command()
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False), default="seatrial.yaml")
@click.option(
    "--over",
    "overs",
    multiple=True,
    required=True,
    metavar="NAME=VALUE,VALUE",
    help="A parameter of all targets, `prompt` (files that hold a template) or `shots`. Repeatable: all combinations.",
)
@click.option(
    "--shots-from",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A dataset file with answers to take shots from; else the suite's own, never from a case's own cluster.",
)
@click.option("--target", "targets", multiple=True, help="Only this target of the suite. Repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="A stratified sample of so many cases.")
@click.option("--epochs", type=click.IntRange(min=1), default=1, show_default=True, help="Answers to each case.")
@click.option("--retry-errors", is_flag=True, help="Ask again where nobody answered or a judge failed.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="The most US dollars the sweep may cost.")
@click.option("--budget-tokens", type=click.IntRange(min=1), help="The most tokens the sweep may take, in and out.")
@click.option(
    "--serving-defaults",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Production requests (JSONL): their most common parameters go to targets that do not set them.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing; tell how many requests there are, and what they may cost.")
@options.store
@click.option(
    "-o",
    "--out",
    "outs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the tables: .md, .json or .txt. Repeatable.",
)
@options.as_json
def sweep(
    suite: Path, overs: tuple[str, ...], store_file: Path | None, outs: tuple[Path, ...], as_json: bool, **asked: Any
) -> int:
    """Tell how much the settings move pass rates, and how much the model.

    Runs the suite under every combination of the settings, each a trial of its own. What was asked before is reused,
    by content: running again is resuming.
    """
    from seatrial.reports.sweeps import check_sweep, sweep_json, sweep_text, write_sweep
    from seatrial.trials.running import sweep as sweeps

    for path in outs:
        check_sweep(path)
    asked["over"] = sweeps.parse_over(overs)
    if asked.pop("dry_run"):
        return _show_forecast(sweeps.estimate_sweep(suite, store=store_file, **asked), as_json=as_json)
    options.say_defaults(asked["serving_defaults"])
    with ExitStack() as stack:
        report: SweepReport = sweeps.sweep(suite, store=store_file, show=_Shown(stack, quiet=as_json), **asked)
    for path in outs:
        write_sweep(report, path)
    if as_json:
        click.echo(sweep_json(report), nl=False)
        return 0
    click.echo(sweep_text(report, width=None if sys.stdout.isatty() else options.COLUMNS))
    for path in outs:
        click.echo(f"wrote {path}")
    return 0


class _Shown:
    """Progress of one setting after the other, each under its own head."""

    def __init__(self, stack: ExitStack, *, quiet: bool) -> None:
        self._stack, self._quiet, self._head = stack, quiet, ""

    def __call__(self, head: str, progress: Progress) -> None:
        from seatrial.cli.progress import display
        from seatrial.errors import safe

        if head != self._head:
            self._stack.close()
            self._head = head
            if not self._quiet:
                click.echo(safe(head, 200), err=True)
            self._show = self._stack.enter_context(display(quiet=self._quiet))
        self._show(progress)


def _show_forecast(forecast: SweepForecast, *, as_json: bool) -> int:
    from seatrial.reports.forecasts import sweep_forecast_text

    if as_json:
        click.echo(forecast.model_dump_json(indent=2))
        return 0
    settings = [(one.label, one.forecast) for one in forecast.settings]
    click.echo(sweep_forecast_text(settings, width=None if sys.stdout.isatty() else options.COLUMNS))
    return 0
