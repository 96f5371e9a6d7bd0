"""`seatrial report`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli import options

if TYPE_CHECKING:
    from seatrial.verdicts.records import TrialReport


@click.command()
@click.argument("what", metavar="[FILE|TRIAL]", required=False)
@options.store
@options.out
@options.exit_code
@options.as_json
def report(what: str | None, store_file: Path | None, outs: tuple[Path, ...], as_json: bool, exit_code: bool) -> int:
    """Show a decision record or a trial, on the terminal and as HTML, Markdown, JSON or text.

    A record's file is rendered from itself alone, without a store, years later if need be. Else the trial of that id
    is drawn from the store; the newest where none is named.
    """
    options.check_outs(outs)
    drawn = _from_record(Path(what)) if what is not None and _is_file(what) else _from_store(what, store_file)
    return options.show_report(drawn, outs, as_json=as_json, use_exit_code=exit_code)


def _is_file(what: str) -> bool:
    """Whether it names a file: one that is there, or what no trial's id looks like."""
    try:
        return Path(what).is_file() or what.endswith(".json") or "/" in what or "\\" in what
    except (OSError, ValueError):
        return False


def _from_record(path: Path) -> TrialReport:
    from seatrial.trials.verify import read_report
    from seatrial.verdicts.artefacts.record import read

    return read_report(read(path), datetime.now(UTC).date())


def _from_store(trial: str | None, store_file: Path | None) -> TrialReport:
    from seatrial.trials.trial import compare

    return compare(trial, store=store_file)
