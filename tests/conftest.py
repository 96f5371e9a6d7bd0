"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # nothing here is judged by the clock
settings.load_profile("shared machine")

gc.set_threshold(200_000, 20, 100)  # tests make many records and few cycles, as commands do

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """The path of a file of real data nobody here wrote; skips where the folder is absent."""
    folder = Path(os.environ.get("SEATRIAL_TEST_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"{name} is not in {folder}; set SEATRIAL_TEST_DATA to the folder that holds it")
        return path

    return find
