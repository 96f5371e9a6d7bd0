"""`seatrial dataset refresh`."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared
from seatrial.errors import safe


@click.command()
@_shared.folder
@click.argument("pool", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--share", type=float, default=0.15, show_default=True, help="The share of each split to replace.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the new cases.")
@click.option("--sealed", is_flag=True, help="Also the sealed split, while it lies open.")
@options.as_json
def refresh(folder: Path, pool: Path, share: float, seed: int, sealed: bool, as_json: bool) -> None:
    """Replace part of the set in FOLDER by new cases of the same strata from POOL.

    The oldest and least typical cases leave, anchors stay, ids stay. New cases are labelled where those they replace
    had a reference, then committed.
    """
    from seatrial.core.vault import ENVIRONMENT
    from seatrial.datasets.versions.refreshing import refresh as renew

    found = renew(folder, pool, share=share, seed=seed, sealed=sealed)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    click.echo(f"{safe(found.name)}: {len(found.replaced):,} cases replaced, {found.anchors:,} anchors kept")
    for cell, count in found.short.items():
        click.echo(f"    {count:,} of {safe(cell) or 'the set'} stay: the pool has no new ones")
    if found.sealed and found.compared:
        click.echo(f"no new case is one of the {found.sealed:,} sealed ones, or nearly")
    elif found.sealed:
        told = f"the new cases were not compared with the {found.sealed:,} sealed ones: {ENVIRONMENT} is not set"
        click.echo(f"{told}, so some may equal these")
    if found.unlabelled:
        click.echo(f"{found.unlabelled:,} wait for a label: `seatrial label outcome {folder}`")
    click.echo(f"`seatrial dataset diff {folder}` shows them; `seatrial dataset commit {folder} -m …` makes a version")
