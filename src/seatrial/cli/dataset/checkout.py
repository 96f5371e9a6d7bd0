"""`seatrial dataset checkout`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared


@click.command()
@_shared.folder
@click.argument("version")
@click.option("--force", is_flag=True, help="Also where the files hold changes that no version has: they are lost.")
@_shared.store
@options.as_json
def checkout(folder: Path, version: str, force: bool, store_file: Path | None, as_json: bool) -> None:
    """Put the files of a VERSION back into FOLDER, from the store or from git's history.

    Changes that no version has are never overwritten, unless you say --force.
    """
    from seatrial.core.identity import short
    from seatrial.datasets.versions.restoring import checkout as restore

    made = restore(folder, version, store=_shared.store_of(store_file), force=force)
    if as_json:
        click.echo(json.dumps(made.entry))
        return
    counts = ", ".join(f"{count:,} {split}" for split, count in made.cases.items() if count)
    click.echo(f"{made.name} is version {short(made.version)} now: {counts}")
