"""`seatrial trials`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@options.store
@options.as_json
def trials(limit: int, store_file: Path | None, as_json: bool) -> None:
    """List the trials in the store, newest first."""
    from seatrial.store.store import Store
    from seatrial.trials.trial import existing, store_path

    with Store(existing(store_path(Path(), store_file))) as store:
        rows = store.trials(limit=limit)
    if as_json:
        kept = ("id", "name", "status", "started_at", "finished_at", "environment")
        click.echo(json.dumps({"trials": [{key: getattr(row, key) for key in kept} for row in rows]}))
        return
    for row in rows:
        note = row.environment.get("note", "")
        click.echo(f"{row.id}  {row.started_at[:19].replace('T', ' ')}  {row.status:<12} {row.name}  {note}".rstrip())
    if not rows:
        click.echo("no trial yet: `seatrial run` makes one")
