"""Judging one answer to a case of any fields."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.scorers import build, judge


@pytest.fixture(scope="session")
def judged() -> Callable[..., Score]:
    """Judge one output (or text) by a scorer's name and settings; keywords are the case's fields."""

    def call(name: str, settings: Mapping[str, Any], output: Output | str, **case: Any) -> Score:
        record = Case.model_validate({"id": "1", "input": "question", **case})
        given = Output.of(output) if isinstance(output, str) else output
        return asyncio.run(judge(build(name, settings, Path()), record.view(), given))

    return call
