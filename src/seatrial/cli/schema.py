"""`seatrial schema`."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "_as_json", is_flag=True, help="The schema is JSON either way.")
def schema(_as_json: bool) -> None:
    """Print the suite file's JSON Schema.

    In VS Code: save it as seatrial.schema.json and begin the suite with
    `# yaml-language-server: $schema=seatrial.schema.json`.
    """
    from seatrial.trials.suite.suitefile import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
