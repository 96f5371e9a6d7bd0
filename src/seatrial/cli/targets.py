"""`seatrial targets`."""

from __future__ import annotations

import json

import click

from seatrial.cli import options


@click.command()
@options.as_json
def targets(as_json: bool) -> None:
    """List the target adapters.

    A name is what stands before the colon of a target's `use`.
    """
    from seatrial.core.plugins import find, points
    from seatrial.targets import BUILTIN

    rows = [{"name": name, "summary": _summary(find("target", name, BUILTIN))} for name in BUILTIN]
    rows += [{"name": point.name, "summary": f"plug-in {point.value}"} for point in points("target")]
    if as_json:
        click.echo(json.dumps({"targets": rows}))
        return
    for row in rows:
        click.echo(f"{row['name']:<10} {row['summary']}")


def _summary(adapter: object) -> str:
    return (adapter.__doc__ or "").strip().partition("\n")[0]
