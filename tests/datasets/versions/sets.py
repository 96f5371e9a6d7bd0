"""Cases of a set, and what a command told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Lines = Sequence[dict[str, Any]]
FIRST: Lines = (
    {"id": "a", "input": "Where is my parcel?", "expected": "tracking", "strata": {"intent": "delivery"}},
    {"id": "b", "input": "I want my money back.", "expected": "refund", "strata": {"intent": "refund"}},
)


class Told(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Told]


def write_lines(path: Path, lines: Lines) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
