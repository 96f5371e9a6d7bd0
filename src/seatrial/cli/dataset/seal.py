"""`seatrial dataset seal`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared

if TYPE_CHECKING:
    from seatrial.datasets.sealing.leftovers import Leftovers

SHOWN = 20


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--new-key", is_flag=True, help="Print a new random key, and do nothing else.")
@click.option(
    "--rekey", is_flag=True, help="Exchange the key in $SEATRIAL_SEAL_KEY_OLD for the one in $SEATRIAL_SEAL_KEY."
)
@_shared.store
@options.as_json
def seal(folder: Path | None, new_key: bool, rekey: bool, store_file: Path | None, as_json: bool) -> None:
    """Encrypt the sealed split of the set in FOLDER: sealed.jsonl becomes sealed.bin.

    The key comes from $SEATRIAL_SEAL_KEY. From then on only a run with that key opens the split, and every such run is
    written into ledger.jsonl before anything is sent. The set is committed. Lost keys cannot be replaced.
    """
    if new_key:
        from seatrial.core.vault import new_key as make

        if folder is not None or rekey:
            raise click.UsageError("--new-key prints a key and takes nothing else.")
        click.echo(json.dumps({"key": make()}) if as_json else make())
        return
    if folder is None:
        raise click.UsageError("Missing argument 'FOLDER'.")
    store = _shared.store_of(store_file)
    (_exchange if rekey else _seal)(folder, store, as_json=as_json)


def _exchange(folder: Path, store: Path, *, as_json: bool) -> None:
    from seatrial.datasets.sealing.seal import rekey

    header, payloads, commit = rekey(folder, store=store)
    if as_json:
        click.echo(json.dumps({"key_id": header.key_id, "payloads": payloads, "version": commit.version}))
        return
    click.echo(
        f"{header.cases:,} sealed cases are under the key {header.key_id} now, and {payloads:,} values of the store"
    )
    click.echo("git history still holds the file under the old key: who has both can read it")


def _seal(folder: Path, store: Path, *, as_json: bool) -> None:
    from seatrial.core.identity import short
    from seatrial.datasets.sealing.seal import seal

    header, new, left, commit, forgotten = seal(folder, store=store)
    if as_json:
        about: dict[str, Any] = {"cases": header.cases, "new": new, "key_id": header.key_id, "canary": header.canary}
        about |= {"version": commit.version, "left": left._asdict(), "forgotten": forgotten}
        click.echo(json.dumps(about))
        return
    click.echo(f"{header.cases:,} cases are sealed, {new:,} of them new, under the key {header.key_id}")
    click.echo(f"canary {header.canary}")
    if forgotten:
        click.echo(f"what people wrote about them is taken out of labels/: {forgotten:,} lines")
    click.echo(f"committed as {short(commit.version)}; the key is nowhere but in your environment: keep it safe")
    for line in _open(folder, left):
        click.echo(line)


def _open(folder: Path, left: Leftovers) -> list[str]:
    """Where their text still lies open, in words."""
    from seatrial.errors import safe

    check = f"git log --all --oneline -- {folder}/sealed.jsonl"
    said = [f"git history may still hold the plain file: `{check}` tells"]
    if left.commits:
        said = [f"git history still holds the plain file, in {left.commits:,} commits: `{check}`"]
    said += [f"{safe(name)} still holds their text or ids, in {_named(lines)}" for name, lines in left.lines.items()]
    if left.lines:
        said.append(
            "look at them: delete the lines that are copies, then commit; leave those that say the same by chance"
        )
    if left.stored:
        said.append(f"the store still holds {left.stored:,} cases with the same input in plain, from earlier runs")
    return said


def _named(lines: Sequence[int]) -> str:
    """Numbers of lines in words, the first of many."""
    shown = ", ".join(str(number) for number in lines[:SHOWN])
    more = f" and {len(lines) - SHOWN:,} more" if len(lines) > SHOWN else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"
