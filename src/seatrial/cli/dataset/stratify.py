"""`seatrial dataset stratify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seatrial.cli import options


@click.command()
@click.argument("cases", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="The set's folder.")
@click.option("--stratum", required=True, help="The stratum to fill, like intent.")
@click.option("--fit", required=True, type=click.Choice(["clusters", "classifier"]), help="What to fit to the cases.")
@click.option("--count", type=click.IntRange(min=2, max=200), help="How many clusters; else by the number of cases.")
@click.option(
    "--confidence",
    type=click.FloatRange(min=0, max=1),
    default=0.5,
    show_default=True,
    help="A classifier's least probability; below it a case is unknown.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@options.as_json
def stratify(cases: Path, into: Path, stratum: str, fit: str, count: int | None, as_json: bool, **asked: Any) -> None:
    """Fit a stratifier to cases, and declare it in the set.yaml of the set.

    Clusters need no labels; a classifier learns from cases whose strata hold the stratum, and its accuracy on examples
    held out is told. `dataset sample --by` then uses it.
    """
    from seatrial.datasets.sampling.fitting import Fitting, declare

    found = declare(cases, into, Fitting(stratum, fit, count, **asked))
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    for line in found.lines():
        click.echo(line)
