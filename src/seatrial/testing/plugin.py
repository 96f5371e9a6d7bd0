"""Seatrial in pytest: a suite's cases as tests, and its gate at the end of the session.

    pytest -p seatrial.testing.plugin --seatrial seatrial.yaml

Nothing loads this by itself, and without `--seatrial` it only adds options; `session` does the work.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seatrial.errors import safe

NAME = "seatrial-suite"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; all of them are about `--seatrial`."""
    group = parser.getgroup("seatrial", "Seatrial: a suite's cases as tests")
    add = group.addoption
    add("--seatrial", dest="seatrial", metavar="FILE", default="", help="run this suite, its cases are tests")
    add(
        "--seatrial-target",
        dest="seatrial_target",
        metavar="NAME",
        default="",
        help="whose cases are tests, and which candidate decides; all candidates unless given",
    )
    add("--seatrial-store", dest="seatrial_store", metavar="FILE", default="", help="the store, not the suite's own")
    add("--seatrial-strict", dest="seatrial_strict", action="store_true", help="every missed case fails")
    add(
        "--seatrial-allow-inconclusive",
        dest="seatrial_allow_inconclusive",
        action="store_true",
        help="let a suite pass that is open for want of cases",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take part where a suite is named, and have its file collected."""
    named = str(config.option.seatrial)
    if not named:
        return
    path = Path(os.path.normpath(config.invocation_params.dir / named))
    if not path.is_file():
        raise pytest.UsageError(f"--seatrial: there is no suite file {safe(named, 200)}.")
    folder = config.invocation_params.dir
    asked = (Path(os.path.normpath(folder / arg.partition("::")[0])) for arg in config.args)
    if path not in asked:
        config.args.append(str(path))
    from seatrial.testing.session import SuiteSession

    config.pluginmanager.register(SuiteSession(config, path), NAME)
