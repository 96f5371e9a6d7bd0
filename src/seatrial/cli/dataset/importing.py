"""`seatrial dataset import`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from seatrial.cli import options
from seatrial.cli.dataset._shared import less_sure


@click.command("import")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--into", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The pool: a JSONL file.")
@click.option("--format", default="auto", show_default=True, help="The family of the logs; `auto` looks at them.")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="FIELD=PATH",
    help="A case's field from a column or path: input, conversation, answer, strata.NAME, … Repeatable.",
)
@click.option("--turns", default="last", show_default=True, help="Which answers of a session: last, all, or every:N.")
@click.option("--since", metavar="TIME", help="Only requests from this time on (ISO 8601).")
@click.option("--until", metavar="TIME", help="Only requests before this time.")
@click.option(
    "--system",
    type=click.Choice(["keep", "strip"]),
    default="keep",
    show_default=True,
    help="System prompts stay in the input, or are left to the suite.",
)
@click.option(
    "--scrub", default="basic", show_default=True, help="Replace personal data: basic, hipaa, none, or a policy's file."
)
@click.option(
    "--skip-bad", type=click.IntRange(min=0), default=0, show_default=True, help="Leave out so many bad records."
)
@options.as_json
def import_(logs: tuple[Path, ...], into: Path, fields: tuple[str, ...], as_json: bool, **asked: Any) -> None:
    """Read logs of production into a pool of cases.

    LOGS are JSONL, JSON, CSV, Parquet or OTLP files, gzipped or not: requests and responses, spans, or the exports of
    other tools. Personal data is replaced before anything is stored. Killed and run again, it goes on where it was.
    """
    from seatrial.datasets.importing.pipeline import import_logs
    from seatrial.datasets.importing.settings import Settings
    from seatrial.datasets.linting.finding import many

    settings = Settings(fields=dict(_pair(field) for field in fields), **asked)
    tell = None if as_json or not sys.stderr.isatty() else _tell
    report = import_logs(logs, into, settings, tell=tell)
    if as_json:
        click.echo(json.dumps(report.plain()))
        return
    click.echo(f"{report.cases:,} cases in {into}, from {report.records:,} records and {report.sessions:,} sessions")
    for count, one, several, said in (
        (report.duplicates, "duplicate", "duplicates", "left out"),
        (report.without_content, "request", "requests or sessions", "without recorded messages"),
        (report.outside, "request", "requests", "outside the time asked for"),
        (report.bad, "bad record", "bad records", "left out"),
    ):
        if count:
            click.echo(f"  {many(count, one, several)} {said}")
    if report.scrubbed:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(report.scrubbed.items()))
        click.echo(f"  replaced: {kinds}")
    for line in less_sure(report.review["count"]):
        click.echo(f"  {line}")
    click.echo(f"report: {into}.report.json")


def _pair(text: str) -> tuple[str, str]:
    from seatrial.errors import UsageError, safe

    field, mark, path = text.partition("=")
    if not (field and mark and path):
        raise UsageError(f"--field {safe(text)} is not FIELD=PATH.", hint="like --field input=question")
    return field, path


def _tell(stage: str, count: int) -> None:
    click.echo(f"\r{stage} {count:,}", nl=False, err=True)
