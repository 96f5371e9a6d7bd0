"""The example, its cases and what its models really do: made once for all tests."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seatrial.examples import REFUND

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture(scope="session")
def tools() -> Path:
    folder = ROOT / "tools"
    if not folder.exists():
        pytest.skip("tools/ is not here; it is no part of the package")
    return folder


@pytest.fixture(scope="session")
def example(tools: Path) -> Any:
    from refund_example.measure import example as read

    return read(REFUND)


@pytest.fixture(scope="session")
def outputs(example: Any) -> Mapping[str, Any]:
    requests = example.requests()
    return {name: example.outputs(name, requests) for name in example.suite.targets}


@pytest.fixture(scope="session")
def scores(example: Any, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: example.score(got) for name, got in outputs.items()}
