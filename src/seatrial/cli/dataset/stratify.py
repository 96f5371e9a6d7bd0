"""`seatrial dataset stratify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared

NOT_EVALUABLE = 4


@click.command()
@click.argument("cases", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="The set's folder.")
@click.option("--stratum", required=True, help="The stratum to fill, like intent.")
@click.option(
    "--fit",
    required=True,
    type=click.Choice(["clusters", "classifier", "judge"]),
    help="What to fit to the cases; judge: have the judge that set.yaml declares name some of them.",
)
@click.option("--count", type=click.IntRange(min=2, max=200), help="How many clusters; else by the number of cases.")
@click.option(
    "--confidence",
    type=click.FloatRange(min=0, max=1),
    default=0.5,
    show_default=True,
    help="A classifier's least probability; below it a case is unknown.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--suite",
    type=click.Path(path_type=Path, dir_okay=False),
    default="seatrial.yaml",
    show_default=True,
    help="The suite under whose `judges` the judge stands.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the cases go that a judge named (JSONL).",
)
@click.option("--cases", "many", type=click.IntRange(min=1), default=300, show_default=True, help="Asked of a judge.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="The most US dollars a judge may cost.")
@click.option("--budget-tokens", type=click.IntRange(min=1), help="The most tokens a judge may take, in and out.")
@click.option("--dry-run", is_flag=True, help="Ask no judge; tell what asking may cost.")
@_shared.store
@options.as_json
def stratify(cases: Path, into: Path, stratum: str, fit: str, as_json: bool, **asked: Any) -> int:
    """Fit a stratifier to cases, and declare it in the set.yaml of the set.

    Clusters need no labels; a classifier learns from cases whose strata hold the stratum, and its accuracy on examples
    held out is told. `dataset sample --by` then uses it. A judge is asked one question a case, its cost told first; the
    cases that it named are what a classifier can learn from.
    """
    if fit == "judge":
        return _judged(cases, into, stratum, as_json=as_json, **asked)
    from seatrial.datasets.sampling.fitting import Fitting, declare
    from seatrial.datasets.versions.alone import alone

    with alone(into):
        found = declare(cases, into, Fitting(stratum, fit, asked["count"], asked["confidence"], asked["seed"]))
    _tell(found, as_json=as_json)
    return 0


def _judged(pool: Path, into: Path, stratum: str, *, as_json: bool, **asked: Any) -> int:
    from seatrial.trials.stratifying import Cost, Naming, name_by_judge

    if asked["out"] is None:
        raise click.UsageError("Missing option '-o': the file for the cases that the judge names.")
    caps = (asked["budget"], asked["budget_tokens"])
    what = Naming(stratum, asked["suite"], asked["out"], asked["many"], asked["seed"], *caps)
    dry = asked["dry_run"]
    store = asked["store_file"]
    found = name_by_judge(
        pool, into, what, store=store, dry_run=dry, show=lambda cost: None if dry else click.echo(cost.line(), err=True)
    )
    if isinstance(found, Cost):
        click.echo(found.model_dump_json(indent=2) if as_json else found.line())
        return 0
    _tell(found, as_json=as_json)
    if not as_json:
        click.echo(f"wrote {what.out}")
    return NOT_EVALUABLE if found.unasked else 0


def _tell(found: Any, *, as_json: bool) -> None:
    click.echo(found.model_dump_json(indent=2) if as_json else "\n".join(found.lines()))
