"""`seatrial plan`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from seatrial.cli import options


@click.command()
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False), default="seatrial.yaml")
@click.option("--target", "targets", multiple=True, help="Plan for this target and the incumbent only. Repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="For a stratified sample of so many cases.")
@click.option("--epochs", type=click.IntRange(min=1), default=1, show_default=True, help="Answers to each case.")
@click.option(
    "--discordance",
    type=click.FloatRange(min=0, max=100, min_open=True),
    help="Percentage points of the cases on which the arms will differ; else what earlier trials say, else 10.",
)
@options.store
@click.option(
    "-o",
    "--out",
    "outs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the plan: .md, .json or .txt. Repeatable.",
)
@options.as_json
def plan(suite: Path, store_file: Path | None, outs: tuple[Path, ...], as_json: bool, **asked: Any) -> None:
    """Tell what a suite's dataset can decide, before anything is paid for.

    For every rubric: the smallest drop that would show, the cases or clean probes that its margin or limit takes; for
    all of them: how an equal candidate and a bad one would likely fare, and what the run costs. Nobody is asked.
    """
    from seatrial.reports import plans
    from seatrial.trials.running.planning import plan as draw

    plans.check_plan(outs)
    found = draw(suite, store=store_file, **asked)
    for path in outs:
        plans.write_plan(found, path)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    tty = sys.stdout.isatty()
    click.echo(plans.plan_text(found, width=None if tty else 100))
    for path in outs:
        click.echo(f"wrote {path}")
