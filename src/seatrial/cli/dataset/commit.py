"""`seatrial dataset commit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared


@click.command()
@_shared.folder
@click.option("-m", "--message", required=True, help="What changed, and why.")
@click.option("--author", default="", help="Who commits; git's author where not given.")
@click.option("--date", default="", help="When, in ISO 8601; now where not given.")
@click.option("--allow-unlabelled", is_flag=True, help="Commit cases whose label is still to come.")
@_shared.store
@options.as_json
def commit(folder: Path, message: str, store_file: Path | None, as_json: bool, **asked: Any) -> None:
    """Make what the FOLDER of a set holds a version, in set.lock and versions.jsonl.

    Every case is checked, files are brought into order, and the store keeps the open cases. Commit the folder to git
    afterwards. After a merge of two branches, keep the lines of both sides and commit: the new version follows both.
    """
    from seatrial.core.identity import short
    from seatrial.datasets.versions.committing import commit as make

    made, new, rebuilt = make(folder, message, store=_shared.store_of(store_file), **asked)
    if as_json:
        click.echo(json.dumps({"new": new, "rebuilt": rebuilt, **made.entry}))
        return
    if rebuilt:
        click.echo("set.lock was missing and is written anew, from versions.jsonl and ledger.jsonl")
    counts = ", ".join(f"{count:,} {split}" for split, count in made.cases.items() if count)
    if not new:
        click.echo(f"nothing new: the set is version {short(made.version)} ({counts})")
        return
    merged = f", follows {len(made.parents)} commits" if len(made.parents) > 1 else ""
    click.echo(f"{made.name} {short(made.version)}: {counts}{merged}")
    click.echo(f"version {made.version}")
