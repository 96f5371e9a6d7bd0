"""Options that several commands share, and how reports are printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seatrial.errors import safe

if TYPE_CHECKING:
    from seatrial.errors import SeatrialError
    from seatrial.runs.forecast import Forecast
    from seatrial.verdicts.records import TrialReport

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
store = click.option(
    "--store",
    "store_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The store's file; default .seatrial/seatrial.db beside the suite, or $SEATRIAL_STORE.",
)
out = click.option(
    "-o",
    "--out",
    "outs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the report: .html, .md, .json, .png or .txt. Repeatable.",
)
exit_code = click.option("--exit-code", is_flag=True, help="Exit with 1 when blocked, 3 when inconclusive.")

COLUMNS = 100
"""The width of what is printed where there is no terminal."""

EXIT_OF = {"ship": 0, "block": 1, "inconclusive": 3, "not_evaluable": 4}
WORST_FIRST = ("block", "not_evaluable", "inconclusive", "ship")


def check_outs(outs: Sequence[Path]) -> None:
    """Refuse a report of unknown kind, and a file that cannot be written, before anything is run."""
    from seatrial import reports
    from seatrial.core.files import check_writable

    for path in outs:
        reports.check(path)
        check_writable(path, "The report")


def say_defaults(path: Path | None) -> None:
    """Say on standard error, before anything is asked, which parameters a sample of production requests gives."""
    if path is None:
        return
    from seatrial.trials.running import serving

    found = serving.read(path)
    said = "; ".join(found.lines()) or "nothing that most requests set"
    click.echo(f"from {found.requests:,} requests in {safe(found.file)}: {said}", err=True)


def show_forecast(forecast: Forecast, *, as_json: bool) -> int:
    """Print what a run would take, and give the command's exit code."""
    from seatrial import reports

    if as_json:
        click.echo(forecast.model_dump_json(indent=2))
    else:
        click.echo(reports.forecast_text(forecast, width=None if sys.stdout.isatty() else 100))
    return 0


def show_report(report: TrialReport, outs: Sequence[Path], *, as_json: bool, use_exit_code: bool) -> int:
    """Print a report, write its files, and give the command's exit code. What is printed does not wait for a file."""
    from seatrial import reports

    if as_json:
        click.echo(reports.json_text(report))
    else:
        tty = sys.stdout.isatty()
        click.echo(reports.terminal(report, width=None if tty else 100, colour=tty, hint=not outs), color=tty)
    if failed := write_outs(report, outs, quiet=as_json):
        return failed
    found = {verdict.overall for verdict in report.verdicts}
    if "not_evaluable" in found:
        return EXIT_OF["not_evaluable"]
    if not use_exit_code:
        return 0
    return next((EXIT_OF[overall] for overall in WORST_FIRST if overall in found), 0)


def write_outs(report: TrialReport, outs: Sequence[Path], *, quiet: bool) -> int:
    """Write a report's files; gives 0, or the exit code of one that cannot be written, which standard error names."""
    from seatrial import reports
    from seatrial.errors import SeatrialError

    failed = 0
    for path in outs:
        try:
            reports.write(report, path)
        except SeatrialError as fault:
            failed = say_late(fault, f"`seatrial report {report.trial_id} -o FILE` draws it again, and asks nothing")
            continue
        if not quiet:
            click.echo(f"wrote {path}")
    return failed


def say_late(fault: SeatrialError, hint: str) -> int:
    """Say on standard error what failed after the report was printed; gives the exit code."""
    fault.hint = hint
    click.echo(f"error: {fault}", err=True)
    return fault.exit_code
