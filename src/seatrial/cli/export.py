"""`seatrial export`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options


@click.command()
@click.argument("trial", required=False)
@click.option(
    "-o",
    "--out",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The bundle's file; TRIAL.seatrial where not given.",
)
@options.store
@options.as_json
def export(trial: str | None, out: Path | None, store_file: Path | None, as_json: bool) -> None:
    """Write a trial's bundle: all that its verdict is drawn from, in one file.

    `seatrial verify RECORD --bundle FILE` draws the verdict again from it alone, on any machine. It holds the cases
    and the answers, so treat it as you treat those. The newest finished trial where none is named.
    """
    from seatrial.trials.verify import export as write

    exported, path = write(trial, store_file, out)
    if as_json:
        click.echo(json.dumps({"file": str(path), "digest": exported.digest, "rows": dict(exported.rows)}))
        return
    said = ", ".join(f"{count:,} {name.partition('.')[0]}" for name, count in exported.rows.items())
    click.echo(f"wrote {path} ({path.stat().st_size:,} bytes): {exported.digest}\n{said}")
