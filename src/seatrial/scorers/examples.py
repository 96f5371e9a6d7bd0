"""The examples of a scorer's card, judged: for its page, and for the test that they are true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.protocols import NeedsServices
from seatrial.core.record import Json
from seatrial.core.score import Score
from seatrial.scorers.card import Example
from seatrial.scorers.judged.scripted import answer_to
from seatrial.scorers.judging import judge
from seatrial.scorers.registry import build


class Scripted:
    """Services whose judge says what an example has it say, and whose embedder knows the example's texts."""

    def __init__(self, example: Example) -> None:
        self._says = example.judge
        self._vectors = example.vectors
        self._asked = 0

    async def complete(self, target: str, request: Request) -> Output:
        """The next of the judge's answers; the last one again when there is no other."""
        del target
        if not self._says:
            raise LookupError("the example does not say what its judge answers")
        self._asked += 1
        says = self._says[min(self._asked, len(self._says)) - 1]
        return Output.of(says if isinstance(says, str) else answer_to(request, says))

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """The example's vectors at length 1."""
        return [_unit(self._vectors[text]) for text in texts]


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.hypot(*vector)
    return [part / length for part in vector]


def case_of(given: str | Mapping[str, Any]) -> Case:
    """An example's case; text alone is its input."""
    fields = {"input": given} if isinstance(given, str) else dict(given)
    return Case.model_validate({"id": "example", "input": "…", **fields})


def output_of(given: str | Mapping[str, Json]) -> Output:
    """An example's output: text alone is what the model said, as is the field `text`."""
    if isinstance(given, str):
        return Output.of(given)
    fields = dict(given)
    text = fields.pop("text", None)
    return Output.model_validate(fields) if text is None else Output.of(str(text), **fields)


async def judged(name: str, example: Example) -> Score:
    """The score of an example, through the same `build` and `judge` as in a run."""
    scorer = build(name, example.settings, Path())
    if isinstance(scorer, NeedsServices) and (example.judge or example.vectors):
        scorer = scorer.bind(Scripted(example))
    return await judge(scorer, case_of(example.case).view(), output_of(example.output))
