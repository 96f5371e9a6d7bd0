"""`seatrial doctor`: can this suite be run, here and now?"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options

if TYPE_CHECKING:
    from seatrial.core.suite import TargetSpec
    from seatrial.targets.checks import Check

SICK = 4
AT_ONCE = 16
OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 31)
MARKS = {"ok": "ok", "warning": "warning", "failed": "FAILED"}


@click.command()
@click.option(
    "--suite", type=click.Path(path_type=Path, dir_okay=False), help="Examine this suite's targets, and its store."
)
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(min=0.1, max=120),
    default=5.0,
    show_default=True,
    help="Seconds that an endpoint has for one answer.",
)
@options.store
@options.as_json
def doctor(suite: Path | None, seconds: float, store_file: Path | None, as_json: bool) -> int:
    """Look whether everything is there that a run needs. No model is asked, so that it costs nothing.

    For each target: is its key set and accepted, does its endpoint answer, is its model known, do the clocks agree.
    Without --suite, every endpoint of the catalogue whose key is in the environment. Exits with 4 when something
    failed.
    """
    from seatrial.trials.suite.suitefile import load
    from seatrial.trials.trial import store_path

    loaded = load(suite) if suite else None
    folder = loaded.folder if loaded else Path()
    here = _here(store_path(folder, store_file))
    found = asyncio.run(_examined(_asked(loaded), folder, seconds, named=loaded is not None))
    failed = any(check.state == "failed" for checks in (here, *found.values()) for check in checks)
    if as_json:
        plain = {name: [check.plain() for check in checks] for name, checks in found.items()}
        click.echo(json.dumps({"ok": not failed, "here": [check.plain() for check in here], "targets": plain}))
    else:
        for name, checks in (("", here), *found.items()):
            for check in checks:
                click.echo(_line(name, check))
        if not found:
            click.echo("no provider's key is in the environment: name a suite with --suite")
    return SICK if failed else 0


def _asked(loaded: Any) -> dict[str, TargetSpec]:
    from seatrial.cli.targets import chosen

    return {**loaded.suite.targets, **loaded.suite.judges} if loaded is not None else chosen(())


def _here(store: Path) -> list[Check]:
    """Python, SQLite and the store of the machine at hand."""
    from seatrial.store.health import examine
    from seatrial.targets.checks import Check

    old = sqlite3.sqlite_version_info < OLDEST_SQLITE
    needs = f"{'.'.join(map(str, OLDEST_SQLITE))} or newer is needed" if old else ""
    state = "failed" if sys.version_info < OLDEST_PYTHON else "ok"
    return [
        Check("python", state, f"Python {platform.python_version()}"),
        Check("sqlite", "failed" if old else "ok", f"SQLite {sqlite3.sqlite_version}", needs),
        Check("store", *examine(store)),
    ]


async def _examined(
    asked: dict[str, TargetSpec], folder: Path, seconds: float, *, named: bool
) -> dict[str, list[Check]]:
    from seatrial.targets.checks import examine

    places = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, spec: TargetSpec) -> list[Check]:
        async with places:
            return await examine(name, spec, folder, os.environ, seconds=seconds, model=named)

    found = await asyncio.gather(*(one(name, spec) for name, spec in asked.items()))
    return dict(zip(asked, found, strict=True))


def _line(name: str, check: Check) -> str:
    do = f"; {check.hint}" if check.hint else ""
    return (
        f"{MARKS[check.state]:<8} {' '.join(part for part in (name, check.about) if part) + ':':<24} {check.says}{do}"
    )
