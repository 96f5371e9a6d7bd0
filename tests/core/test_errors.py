"""What is shown of many faults."""

from __future__ import annotations

import pytest

from seatrial.errors import SHOWN_PROBLEMS, DatasetError, Problem


def _alike(count: int, rule: str = "is required", start: int = 1) -> list[Problem]:
    return [Problem(rule, "cases.jsonl", line, "input") for line in range(start, start + count)]


@pytest.mark.parametrize(
    ("problems", "lines"),
    [
        pytest.param(_alike(2), ["cases.jsonl:1: input: is required", "cases.jsonl:2: input: is required"], id="few"),
        pytest.param(
            _alike(SHOWN_PROBLEMS),
            [f"cases.jsonl:{line}: input: is required" for line in range(1, SHOWN_PROBLEMS + 1)],
            id="as many as are shown: every line is told",
        ),
        pytest.param(
            [*_alike(1_200), *_alike(1, "is no text", 1_201)],
            ["cases.jsonl:1: input: is required (and 1,199 more like it)", "cases.jsonl:1201: input: is no text"],
            id="too many alike hide no other",
        ),
        pytest.param(
            [problem for at in range(30) for problem in _alike(1, f"breaks rule {at}", at)],
            [f"cases.jsonl:{at or ''}: input: breaks rule {at}".replace("::", ":") for at in range(SHOWN_PROBLEMS)]
            + ["… and 10 more"],
            id="too many of all kinds",
        ),
    ],
)
def test_faults_are_shown_with_their_lines_as_far_as_they_can(problems, lines):
    error = DatasetError("The dataset is bad.", hint="mend it", problems=problems)
    assert str(error).splitlines() == ["The dataset is bad. [E200]", *(f"  {line}" for line in lines), "  try: mend it"]
    assert error.problems == tuple(problems)
