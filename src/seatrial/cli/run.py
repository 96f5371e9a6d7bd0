"""`seatrial run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seatrial.cli import options
from seatrial.cli.recording import Wanted, keep, recorded


@click.command()
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False), default="seatrial.yaml")
@click.option("--target", "targets", multiple=True, help="Run only this target of the suite. Repeatable.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="A stratified sample of so many cases, marked on the verdict."
)
@click.option("--epochs", type=click.IntRange(min=1), default=1, show_default=True, help="Answers to each case.")
@click.option("--fresh", is_flag=True, help="Ask every target again, in a new series.")
@click.option("--series", help="Go on with a named series, like one that --fresh began.")
@click.option("--retry-errors", is_flag=True, help="Ask again where nobody answered or a judge failed.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="The most US dollars this run may cost.")
@click.option("--budget-tokens", type=click.IntRange(min=1), help="The most tokens this run may take, in and out.")
@click.option("--dry-run", is_flag=True, help="Send nothing; tell what would be sent, and what it may cost and take.")
@click.option(
    "--serving-defaults",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Production requests (JSONL): their most common parameters go to targets that do not set them.",
)
@click.option(
    "--aa",
    is_flag=False,
    flag_value="",
    metavar="[TARGET]",
    help="Compare a target (the incumbent, unless one is named) with itself, asked again in a series of its own.",
)
@click.option(
    "--no-early-stopping",
    "early_stopping",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Go on to the end of the dataset, whatever the policy's looks find.",
)
@click.option("--note", default="", help="A remark kept with the trial.")
@options.store
@options.out
@options.exit_code
@recorded
@options.as_json
def run(
    suite: Path,
    store_file: Path | None,
    outs: tuple[Path, ...],
    as_json: bool,
    exit_code: bool,
    record: Wanted | None,
    **asked: Any,
) -> int:
    """Run a suite and give its verdicts.

    Every target is asked, every answer scored, every candidate compared with the incumbent. What was done before
    is reused, by content: running again is resuming. Ctrl-C saves what is done.
    """
    from seatrial.cli.progress import display
    from seatrial.trials import trial

    if asked["fresh"] and asked["series"]:
        raise click.UsageError("--fresh opens a new series, --series goes on with one: give either.")
    if Path(asked["aa"] or "").suffix in (".yaml", ".yml", ".json"):
        raise click.UsageError("--aa takes the name of a target; name the suite before it: seatrial run SUITE --aa")
    options.check_outs(outs)
    if asked.pop("dry_run"):
        return options.show_forecast(trial.estimate(suite, store=store_file, **asked), as_json=as_json)
    options.say_defaults(asked["serving_defaults"])
    with display(quiet=as_json) as show:
        report = trial.run(suite, store=store_file, show=show, **asked)
    code = options.show_report(report, outs, as_json=as_json, use_exit_code=exit_code)
    kept = keep(record, report, trial.store_path(suite.absolute().parent, store_file), quiet=as_json)
    return kept or code
