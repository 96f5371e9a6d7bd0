"""Recorded solutions of four models to GSM8K's test questions, each with the official verdict on its final answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from seatrial.core.case import Case

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
MARKER = "A:"


class Solution(NamedTuple):
    """A model's solution: the case, all that it wrote, and whether its final answer is right."""

    case: Case
    model: str
    text: str
    right: bool


def final(text: str) -> str:
    """What stands behind the last marker."""
    return text.rpartition(MARKER)[2].strip()


def solutions(path: Path) -> Iterator[Solution]:
    """Every solution in the file."""
    for number, row in enumerate(map(json.loads, path.read_text("utf-8").splitlines())):
        case = Case(id=str(number), input=row["question"], expected=final(row["ground_truth"]))
        for model in MODELS:
            yield Solution(case, model, row[model]["solution"], row[model]["is_correct"])
