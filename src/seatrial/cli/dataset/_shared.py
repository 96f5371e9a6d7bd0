"""What the commands of a set share."""

from __future__ import annotations

from pathlib import Path

import click

folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
store = click.option(
    "--store",
    "store_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The store's file; default .seatrial/seatrial.db in the current folder, or $SEATRIAL_STORE.",
)


def store_of(chosen: Path | None) -> Path:
    """The store in use."""
    from seatrial.trials.trial import store_path

    return store_path(Path(), chosen)


def less_sure(count: int) -> list[str]:
    """What is said of findings for a person to look at: a line, or none."""
    from seatrial.datasets.linting.finding import many

    return [f"{many(count, 'finding is', 'findings are')} less sure: look in the report"] if count else []
