"""`seatrial compare`."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli import options


@click.command()
@click.argument("trial", required=False)
@click.option("--incumbent", help="Compare against this target instead of the suite's incumbent.")
@click.option("--candidate", "candidates", multiple=True, help="Only this candidate. Repeatable.")
@options.store
@options.out
@options.exit_code
@options.as_json
def compare(
    trial: str | None,
    incumbent: str | None,
    candidates: tuple[str, ...],
    store_file: Path | None,
    outs: tuple[Path, ...],
    as_json: bool,
    exit_code: bool,
) -> int:
    """Draw a trial's verdicts again.

    From the store alone: nothing is asked. TRIAL is an id or the beginning of one (`seatrial trials` lists them);
    the newest where none is given.
    """
    from seatrial.trials.trial import compare as draw

    options.check_outs(outs)
    report = draw(trial, store=store_file, incumbent=incumbent, candidates=candidates)
    return options.show_report(report, outs, as_json=as_json, use_exit_code=exit_code)
