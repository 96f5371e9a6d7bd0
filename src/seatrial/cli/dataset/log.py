"""`seatrial dataset log`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared


@click.command()
@_shared.folder
@click.option("--limit", type=click.IntRange(min=1), help="At most so many, the newest.")
@options.as_json
def log(folder: Path, limit: int | None, as_json: bool) -> None:
    """List the versions of a set, newest first, and check the chain of their hashes.

    A line of versions.jsonl that was altered or removed is an error that names it.
    """
    from seatrial.core.identity import short
    from seatrial.datasets.versions.log import log as read
    from seatrial.errors import safe

    found = read(folder)
    shown = found.versions[:limit]
    if as_json:
        entries = [{**one.commit.entry, "tags": list(one.tags), "current": one.current} for one in shown]
        click.echo(json.dumps({"name": found.name, "versions": entries, "heads": list(found.heads)}))
        return
    for one in shown:
        made = one.commit
        marks = "".join(f" [{safe(tag)}]" for tag in one.tags) + (" *" if one.current else "")
        counts = ", ".join(f"{count:,} {split}" for split, count in made.cases.items() if count)
        click.echo(f"{short(made.version)}  {made.date[:19].replace('T', ' ')}  {counts}{marks}")
        follows = f" (merges {len(made.parents)})" if len(made.parents) > 1 else ""
        click.echo(f"    {safe(made.message, 200)}{follows}; {safe(made.author, 100)}")
    if len(found.heads) > 1:
        click.echo(f"{len(found.heads)} branches: {', '.join(map(short, found.heads))}; the next commit follows them")
    if not found.versions:
        click.echo('no version yet: `seatrial dataset commit -m "…"` makes one')
