"""`seatrial dataset show`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared


@click.command()
@_shared.folder
@click.argument("version", default="HEAD", metavar="VERSION[:CASE]")
@_shared.store
@options.as_json
def show(folder: Path, version: str, store_file: Path | None, as_json: bool) -> None:
    """Show a version of a set, or one of its open cases.

    VERSION is a hash, the start of one, a tag, or HEAD. Sealed cases are not shown.
    """
    from seatrial.datasets.versions.log import show as find
    from seatrial.errors import safe

    found = find(folder, version, store=_shared.store_of(store_file))
    made = found.version.commit
    if found.case is not None:
        plain = {"version": made.version, "split": found.split, "case": found.case.recorded}
        click.echo(json.dumps(plain) if as_json else json.dumps(plain["case"], indent=2, sort_keys=True))
        return
    if as_json:
        click.echo(json.dumps({**made.entry, "tags": list(found.version.tags), "current": found.version.current}))
        return
    rows = {
        "version": made.version,
        "name": made.name,
        "tags": ", ".join(found.version.tags),
        "parent": made.parent or "",
        "merged": ", ".join(made.parents[1:]),
        "author": made.author,
        "date": made.date,
        "message": made.message,
        "cases": ", ".join(f"{count:,} {split}" for split, count in made.cases.items() if count),
        "stratifier": made.stratifier,
        "shares": json.dumps(made.shares, sort_keys=True) if made.shares else "",
        "evolution": json.dumps(made.evolution, sort_keys=True) if made.evolution else "",
        "canary": made.canary,
    }
    for key, value in rows.items():
        if value:
            click.echo(f"{key:<11} {safe(value, 2000)}")
