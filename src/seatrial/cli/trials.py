"""`seatrial trials`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options
from seatrial.errors import safe


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@options.store
@options.as_json
def trials(limit: int, store_file: Path | None, as_json: bool) -> None:
    """List the trials in the store, newest first."""
    from seatrial.store.alive import state
    from seatrial.store.store import Store
    from seatrial.trials.trial import existing, store_path

    with Store(existing(store_path(Path(), store_file))) as store:
        rows = store.trials(limit=limit)
    if as_json:
        kept = ("id", "name", "started_at", "finished_at", "environment")
        listed = [{key: getattr(row, key) for key in kept} | {"status": state(row)} for row in rows]
        click.echo(json.dumps({"trials": listed}))
        return
    for row in rows:
        about = row.environment
        details = [safe(row.name)]
        if "sample" in about:
            details.append(f"{about['sample']['cases']:,} of {about['sample']['of']:,} cases")
        details += [safe(text) for text in (about.get("series", ""), about.get("note", "")) if text]
        click.echo(f"{row.id}  {row.started_at[:19].replace('T', ' ')}  {state(row):<12} {' · '.join(details)}")
    if not rows:
        click.echo("no trial yet: `seatrial run` makes one")
