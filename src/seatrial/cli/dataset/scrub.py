"""`seatrial dataset scrub`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seatrial.cli import options
from seatrial.cli.dataset._shared import less_sure
from seatrial.errors import safe


@click.command()
@click.argument("pool", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--into", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The pool to write (JSONL)."
)
@click.option(
    "--policy",
    default="basic",
    show_default=True,
    help="basic, hipaa, none (nothing is replaced), or a policy's YAML file.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also keep what stood where, encrypted under $SEATRIAL_MAPPING_KEY.",
)
@options.as_json
def scrub(pool: Path, into: Path, policy: str, mapping: Path | None, as_json: bool) -> None:
    """Replace personal data and secrets in a pool that comes from elsewhere.

    Records that cannot be scrubbed surely are refused and counted, never written. The review report is written beside
    the pool, as POOL.scrub.json; nothing real is in it.
    """
    from seatrial.datasets.scrubbing.pool import report_of, scrub_pool

    report = scrub_pool(pool, into, policy=policy, mapping=mapping)
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    for line in _lines(report):
        click.echo(line)
    click.echo(f"wrote {safe(str(into), 200)}")
    click.echo(f"wrote {safe(str(report_of(into)), 200)}")
    if mapping is not None:
        click.echo(f"wrote {safe(str(mapping), 200)} (encrypted)")


def _lines(report: dict[str, Any]) -> list[str]:
    """What was done, in a few lines."""
    refused = report["refused"]
    counts = f"{report['passed']:,} passed, {report['changed']:,} changed"
    lines = [f"{report['records']:,} records, policy {report['policy']}: {counts}"]
    if report["policy"] == "none":
        lines.append("nothing was looked for: the pool holds whatever its source held")
    lines += [
        f"  {kind:<24} {told['replaced']:>8,} in {told['records']:,} records" for kind, told in report["kinds"].items()
    ]
    if refused["count"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in refused["reasons"].items())
        lines.append(f"{refused['count']:,} refused and not written: {reasons}")
    return lines + less_sure(report["review"]["count"])
