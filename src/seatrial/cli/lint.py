"""`seatrial lint`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import click

from seatrial.cli import options

NOT_EVALUABLE = 4


@click.command()
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False), default="seatrial.yaml")
@options.store
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A pool of cases from production, to hold strata and languages against.",
)
@click.option(
    "--stage",
    type=click.Choice(["starter", "private", "full"]),
    help="The stage that the set should have reached; an error where it has not.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 4 when a finding is an error: the set is not fit to decide.")
@options.as_json
def lint(  # one parameter an option
    suite: Path, store_file: Path | None, against: Path | None, stage: str | None, exit_code: bool, as_json: bool
) -> int:
    """Tell what a suite's set lacks, how far it has come, and what is wrong with it.

    The six parts of a production eval, the stage by size and probes with what it can prove, then findings, each with
    its code and cure. Nobody is asked.
    """
    from seatrial.datasets.linting.stages import StageName
    from seatrial.trials.linting.lint import lint as look

    found = look(suite, store=store_file, against=against, stage=cast("StageName | None", stage))
    if as_json:
        click.echo(found.json_text())
    else:
        from seatrial.trials.linting.telling import lint_text

        tty = sys.stdout.isatty()
        click.echo(lint_text(found, width=None if tty else 80, colour=tty))
    return NOT_EVALUABLE if exit_code and not found.fit else 0
