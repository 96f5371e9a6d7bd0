"""Pools to label, and the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


@pytest.fixture
def pool(tmp_path: Path) -> Callable[[Sequence[dict]], Path]:
    """A pool of these cases."""

    def make(rows: Sequence[dict], name: str = "pool.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return make
