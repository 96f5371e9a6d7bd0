"""`seatrial verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli import options

if TYPE_CHECKING:
    from seatrial.trials.verify import Verification

NOT_EQUAL = 4
SHOWN = 20


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw it again from this bundle alone, without a store.",
)
@options.store
@options.as_json
def verify(file: Path, bundle: Path | None, store_file: Path | None, as_json: bool) -> int:
    """Draw a decision record again, and name every field that differs.

    From the store, or from a bundle that `seatrial export` wrote on another machine. Exits with 0 when every field is
    equal, else with 4: altered after it was written, or drawn otherwise from what is there.
    """
    from seatrial.trials.verify import verify as draw_again

    if bundle is not None and store_file is not None:
        raise click.UsageError("name --store or --bundle, not both.")
    found = draw_again(file, store=store_file, packed=bundle)
    click.echo(json.dumps(found.plain()) if as_json else _told(found))
    return 0 if found.result == "equal" else NOT_EQUAL


def _told(found: Verification) -> str:
    from seatrial.errors import safe

    lines = [f"{found.result}: {found.said}", f"trial {safe(found.trial_id)}, stands until {safe(found.expires_at)}"]
    lines += [f"  {d.path}: recorded {d.recorded}, now {d.recomputed}" for d in found.differences[:SHOWN]]
    more = max(0, len(found.differences) - SHOWN) + found.left_out
    lines += [f"  … and {more:,} more fields"] if more else []
    lines += [f"  rows that differ: {place}" for place in found.located[:SHOWN]]
    if found.result != "equal":
        lines += [f"  software: {text}" for text in found.software]
    return "\n".join(lines)
