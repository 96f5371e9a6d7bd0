"""Settings of the verdict tests: laws are checked without a time limit, cores being shared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from seatrial.store.store import Store

settings.register_profile("verdicts", deadline=None)
settings.load_profile("verdicts")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with Store(tmp_path / "seatrial.db") as opened:
        yield opened
