"""`seatrial dataset tag`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared


@click.command()
@_shared.folder
@click.argument("name")
@click.argument("version", default="HEAD")
@click.option("--force", is_flag=True, help="Move a tag that names another version.")
@options.as_json
def tag(folder: Path, name: str, version: str, force: bool, as_json: bool) -> None:
    """Give a VERSION of a set a NAME, like v3; the version in set.lock where none is given."""
    from seatrial.core.identity import short
    from seatrial.datasets.versions.committing import tag as make

    made = make(folder, name, version, move=force)
    click.echo(json.dumps(made.model_dump()) if as_json else f"{made.tag} is version {short(made.version)}")
