"""A project in an empty folder, and a provider to ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.trials.project import Project

from seatrial.testing import FakeProvider


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def fake():
    with FakeProvider().in_thread() as provider:
        yield provider
