"""`seatrial scorers`."""

from __future__ import annotations

import json

import click

from seatrial.cli import options


@click.command()
@click.argument("name", required=False)
@options.as_json
def scorers(name: str | None, as_json: bool) -> None:
    """List the scorers, or describe one."""
    from seatrial.scorers import BUILTIN
    from seatrial.scorers.describe import describe

    described = [describe(known) for known in ([name] if name else [*BUILTIN])]
    if as_json:
        click.echo(json.dumps({"scorers": described}))
        return
    for scorer in described:
        click.echo(f"{scorer['name']:<12} {scorer['summary']}" if name is None else scorer["text"])
