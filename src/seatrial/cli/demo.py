"""`seatrial demo` and `seatrial init`: the embedded example."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli import options


@click.command()
@click.option("--limit", type=click.IntRange(min=1), help="A stratified sample of so many cases.")
@options.store
@options.out
@options.as_json
def demo(limit: int | None, store_file: Path | None, outs: tuple[Path, ...], as_json: bool) -> int:
    """Run the embedded example: three verdicts.

    A refund-support agent with four simulated models. Needs no key and no network. `seatrial init` copies the
    same example into a folder of yours.
    """
    from seatrial.cli.progress import display
    from seatrial.examples import REFUND
    from seatrial.trials import trial

    options.check_outs(outs)
    with display(quiet=as_json) as show:
        store = trial.store_path(Path(), store_file)
        report = trial.run(REFUND / "seatrial.yaml", store=store, show=show, limit=limit)
    return options.show_report(report, outs, as_json=as_json, use_exit_code=False)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(folder: Path) -> None:
    """Copy the example as a start of your own.

    It is written into FOLDER, which is made where it is missing.
    """
    from seatrial.examples import copy_refund

    for path in copy_refund(folder):
        click.echo(f"wrote {path}")
    where = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"next: {where}seatrial run, then put your own cases and models into seatrial.yaml")
