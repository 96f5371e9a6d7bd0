"""`seatrial dataset verify`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared

BROKEN = 4


@click.command()
@_shared.folder
@_shared.store
@options.as_json
def verify(folder: Path, store_file: Path | None, as_json: bool) -> int:
    """Prove that the set in FOLDER is what its lock, its history and its ledger of exposures say.

    Exits with 4 where anything was altered, removed, moved or cut off. With $SEATRIAL_SEAL_KEY the sealed cases are
    opened and checked too; nothing of them is printed.
    """
    from seatrial.core.identity import short
    from seatrial.datasets.sealing.verify import verify as check
    from seatrial.errors import safe

    found = check(folder, store=_shared.store_of(store_file))
    code = 0 if found.sound else BROKEN
    if as_json:
        click.echo(json.dumps(found.plain()))
        return code
    click.echo(f"{safe(found.name)} {short(found.version) if found.version else 'without a version'}")
    words = {True: "ok", False: "BROKEN", None: "not checked"}
    for one in found.checks:
        click.echo(f"  {one.name}: {words[one.ok]}: {safe(one.said, 400)}")
        for fault in one.faults:
            click.echo(f"    {safe(fault, 400)}")
    for model, count in sorted(found.exposures.items()):
        over = f", more than the {found.most:,} that set.yaml allows" if found.most and count > found.most else ""
        click.echo(f"  {safe(model, 200)} saw the sealed split in {count:,} runs{over}")
    return code
