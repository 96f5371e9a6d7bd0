"""`seatrial compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seatrial.cli import options
from seatrial.cli.recording import Wanted, keep, recorded
from seatrial.errors import UsageError


@click.command()
@click.argument("trial", required=False)
@click.option("--incumbent", help="Compare against this target instead of the suite's incumbent.")
@click.option("--candidate", "candidates", multiple=True, help="Only this candidate. Repeatable.")
@click.option(
    "--suite",
    "suite_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Judge by this suite file's rubrics, policy and labels; the change stands at the top.",
)
@options.store
@options.out
@options.exit_code
@recorded
@options.as_json
def compare(
    trial: str | None,
    suite_file: Path | None,
    store_file: Path | None,
    outs: tuple[Path, ...],
    as_json: bool,
    exit_code: bool,
    record: Wanted | None,
    **arms: Any,
) -> int:
    """Draw a trial's verdicts again.

    From the store alone: nothing is asked. TRIAL is an id or the beginning of one (`seatrial trials` lists them);
    the newest where none is given.
    """
    from seatrial.trials.trial import compare as draw
    from seatrial.trials.trial import store_path

    options.check_outs(outs)
    if suite_file is not None and record is not None:
        said = "A record is of the policy that was registered: --record and --suite do not go together."
        raise UsageError(said, hint="run the suite, then record its trial")
    report = draw(trial, store=store_file, suite=suite_file, **arms)
    code = options.show_report(report, outs, as_json=as_json, use_exit_code=exit_code)
    kept = keep(record, report, store_path(Path(), store_file), **arms, quiet=as_json)
    return kept or code
