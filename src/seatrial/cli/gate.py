"""`seatrial gate`."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options
from seatrial.cli.recording import days_of

if TYPE_CHECKING:
    from seatrial.errors import SeatrialError
    from seatrial.verdicts.artefacts.gating import GateReport

FORMAT = "seatrial.gate/1"
FILE = click.Path(path_type=Path, dir_okay=False)


class Age(click.ParamType[timedelta]):
    """A span of time like `7d`, `36h` or `90m`."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span."""
        if isinstance(value, timedelta):
            return value
        days = days_of(value)
        if days is None:
            self.fail(f"{value!r} is no span of time of at most ten years: write 90m, 36h, 7d or 4w.", param, ctx)
        return timedelta(days=days)


@click.command()
@click.argument("suite", type=FILE, default="seatrial.yaml")
@click.option("--trial", default="", help="Judge this trial of the store instead of running the suite.")
@click.option("--base", default="", metavar="COMMIT", help="What decides is read from this commit, like origin/main.")
@click.option("--head", default="", metavar="COMMIT", help="Judge this commit's targets and prompt, read as data.")
@click.option("--bless", is_flag=True, help="Write the results as the baseline, if nothing blocks.")
@click.option("--baseline", type=FILE, help="The baseline's file, in place of the suite's.")
@click.option("--quarantine", type=FILE, help="The quarantine's file, in place of the suite's.")
@click.option("--target", default="", help="Whose results are blessed, or held against the baseline.")
@click.option("--candidate", "candidates", multiple=True, help="Only this candidate. Repeatable.")
@click.option("--max-age", type=Age(), help="The oldest an answer may be: 7d, 36h, 90m.")
@click.option("--allow-inconclusive", is_flag=True, help="Exit with 0 where nothing blocks and something is open.")
@click.option("--require-record", is_flag=True, help="A changed target needs a valid decision record.")
@click.option("--watch", multiple=True, metavar="GLOB", help="Changing such files needs a record too. Repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="A stratified sample of so many cases.")
@click.option("--epochs", type=click.IntRange(min=1), default=1, show_default=True, help="Answers to each case.")
@click.option("--fresh", is_flag=True, help="Ask every target again, in a new series.")
@click.option("--retry-errors", is_flag=True, help="Ask again where nobody answered or a judge failed.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="The most US dollars this run may cost.")
@click.option("--junit", type=FILE, help="Write JUnit XML.")
@click.option("--comment", type=FILE, help="Write Markdown for a comment on the change.")
@click.option("--code-quality", type=FILE, help="Write GitLab's code quality report.")
@options.store
@options.out
@options.as_json
def gate(suite: Path, store_file: Path | None, outs: tuple[Path, ...], as_json: bool, **given: Any) -> int:
    """Let a change in, or not: 0 ship, 1 blocked, 3 inconclusive, 4 not evaluable.

    Runs the suite and judges its candidates; its running target is held against the blessed baseline, or against the
    base branch. No data, too few cases, stale or interrupted results never pass.
    """
    from seatrial.cli.progress import display
    from seatrial.core.files import check_writable
    from seatrial.errors import SeatrialError
    from seatrial.trials.change.gate import Wanted
    from seatrial.trials.change.gate import gate as judge
    from seatrial.trials.trial import Asked

    options.check_outs(outs)
    files = {name: given.pop(name) for name in ("junit", "comment", "code_quality")}
    for path in (file for file in files.values() if file is not None):
        check_writable(path, "The file")
    names = ("limit", "epochs", "fresh", "retry_errors", "budget")
    asked = Asked(**{name: given.pop(name) for name in names})
    if given["trial"] and any(getattr(asked, name) not in (None, False, 1) for name in names):
        raise click.UsageError("--trial judges what was done: leave the options of a run out.")
    try:
        with display(quiet=as_json) as show:
            found = judge(suite, store=store_file, show=show, wanted=Wanted(**given, asked=asked))
    except SeatrialError as error:
        _failed(error, str(suite), files, as_json=as_json)
        raise
    _shown(found, outs, as_json=as_json)
    try:
        _written(found, files)
    except SeatrialError as error:
        again = f"`seatrial gate --trial {found.report.trial_id}` judges it again, and asks nothing"
        return options.say_late(error, again)
    return options.write_outs(found.report, outs, quiet=as_json) or found.exit_code


def _on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _written(found: GateReport, files: dict[str, Path | None]) -> None:
    from seatrial.reports import github
    from seatrial.reports.junit import junit

    texts = {"junit": junit, "comment": github.comment, "code_quality": github.code_quality}
    for name, path in files.items():
        if path is not None:
            _write(path, texts[name](found))
    summary = os.environ.get("GITHUB_STEP_SUMMARY", "") if _on_github() else ""
    if summary:
        with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(github.comment(found))


def _shown(found: GateReport, outs: tuple[Path, ...], *, as_json: bool) -> None:
    from seatrial import reports
    from seatrial.reports import github
    from seatrial.reports.objects import object_text

    if as_json:
        said = object_text(found, FORMAT)
        click.echo(said.replace("##", "#\\u0023") if _on_github() else said, nl=False)  # `##[` would be a command
    else:
        tty = sys.stdout.isatty()
        report = reports.terminal(found.report, width=None if tty else 100, colour=tty, hint=not outs)
        said = f"{report}\n\n{github.text(found)}"
        click.echo(github.inert(said) if _on_github() else said, color=tty)
    if _on_github():
        click.echo(github.marks(found), nl=False, err=as_json)


def _failed(error: SeatrialError, suite: str, files: dict[str, Path | None], *, as_json: bool) -> None:
    """Leave what a reader of CI looks at, where the gate could not be judged."""
    from seatrial.reports import github
    from seatrial.reports.junit import junit_error

    texts = {"junit": junit_error(error, suite), "comment": github.comment_of(error), "code_quality": "[]\n"}
    for name, path in files.items():
        if path is not None:
            _write(path, texts[name])
    if _on_github():
        click.echo(github.annotation_of(error, suite), nl=False, err=as_json)


def _write(path: Path, text: str) -> None:
    from seatrial.core.files import write_whole

    data = text.encode("utf-8", "backslashreplace")
    write_whole(path, lambda out: out.write(data), "The file")
