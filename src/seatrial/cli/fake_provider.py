"""`seatrial fake-provider`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="fake-provider")
@click.argument("script", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; a free one where none is given.")
def fake_provider(script: Path | None, host: str, port: int) -> None:
    """Serve scripted answers on this machine.

    A provider for tests, benchmarks and CI without a key. SCRIPT is a YAML or JSON file of answers, latency and
    faults (docs/fake-provider.md); without one, it echoes.
    """
    from seatrial.testing import Script, serve

    serve(Script.load(script) if script else Script(), host, port, click.echo)
