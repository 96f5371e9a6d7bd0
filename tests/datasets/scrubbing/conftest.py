"""A scrubber under the usual policy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from seatrial.datasets.scrubbing.policy import preset
from seatrial.datasets.scrubbing.scrub import Scrubber

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def basic() -> Scrubber:
    return Scrubber(preset("basic"), b"0123456789abcdef-one")
