"""`seatrial lint`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import cast

import click

from seatrial.cli import options
from seatrial.errors import UsageError, safe

NOT_EVALUABLE = 4


@click.command()
@click.argument("suite", type=click.Path(path_type=Path), default="seatrial.yaml")
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

    if suite.is_dir():
        raise _is_folder(suite)
    found = look(suite, store=store_file, against=against, stage=cast("StageName | None", stage))
    if as_json:
        click.echo(found.json_text())
    else:
        from seatrial.trials.linting.telling import lint_text

        tty = sys.stdout.isatty()
        click.echo(lint_text(found, width=None if tty else 80, colour=tty))
    return NOT_EVALUABLE if exit_code and not found.fit else 0


def _is_folder(path: Path) -> UsageError:
    """What to do where a folder is named: lint reads a set through a suite, which says how its answers are judged."""
    from seatrial.datasets.versions.folder import is_set

    shown = safe(str(path), 200)
    if (path / "seatrial.yaml").is_file():
        return UsageError(f"{shown} is a folder.", hint=f"seatrial lint {safe(str(path / 'seatrial.yaml'), 200)}")
    if not is_set(path):
        return UsageError(f"{shown} is a folder, and no set.", hint="name a suite file")
    name = re.sub(r"[^A-Za-z0-9]+", "-", path.resolve().name)[:80].strip("-") or "mine"
    lines = (
        f"name: {json.dumps(name)}",
        f"dataset: {{path: {json.dumps(path.as_posix())}}}",
        'targets: {today: {use: "openai:MODEL"}}',
        "rubrics: [{name: right, scorer: exact}]",
    )
    pasted = "\n".join(f"    {line}" for line in lines)
    hint = f"paste these lines into a suite file, and lint that: nobody is asked\n{pasted}"
    return UsageError(f"{shown} is a set, and lint needs a suite that says how its answers are judged.", hint=hint)
