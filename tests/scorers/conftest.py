"""Short ways to judge one answer, for all tests of scorers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.scorers import build, judge

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def judged() -> Callable[..., Score]:
    """Judge one output (or text) by a scorer's name and settings; other keywords are the case's fields."""

    def call(name: str, settings: Mapping[str, Any], output: Output | str, expected: Any = None, **case: Any) -> Score:
        record = Case(id="1", input="question", expected=expected, **case)
        given = Output.of(output) if isinstance(output, str) else output
        return asyncio.run(judge(build(name, settings, Path()), record.view(), given))

    return call
