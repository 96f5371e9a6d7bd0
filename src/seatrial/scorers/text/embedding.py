"""Nearness in meaning, by embeddings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, PrivateAttr

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.protocols import Services
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import JudgeError
from seatrial.scorers.base import ReferenceScorer, Share, answers, encodable, shown
from seatrial.scorers.card import Card, Example


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """The cosine between two vectors, in [−1, 1]. Raises JudgeError where a vector has no direction."""
    if len(first) != len(second):
        raise JudgeError(f"The embedder gave vectors of {len(first)} and {len(second)} numbers.")
    lengths = [math.hypot(*vector) for vector in (first, second)]
    if not all(length > 0 and math.isfinite(length) for length in lengths):
        raise JudgeError("The embedder gave a vector without a direction: all zero, or not finite.")
    one, other = ([x / length for x in vector] for vector, length in zip((first, second), lengths, strict=True))
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(one, other, strict=True))))


class EmbeddingSimilarity(ReferenceScorer):
    """How near the answer is in meaning to the nearest expected answer: the cosine of their embeddings, in [0, 1].

    Formula: max(0, cos(answer, reference)), the best over the references; the suite's `embedder` makes the vectors. It
    passes from `threshold` on (0.8), which differs by model: choose it on pairs of your own that people judged. An
    embedder that fails, or gives no usable vector, is `judge_error`, never a 0. The measure is the cosine itself.
    Fails to help where a negation, a number or a name decides: such texts are near. Example: `{threshold: 0.85}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo(
        "embedding_similarity", "1", needs=frozenset({"expected", "embedder"}), cost="model"
    )
    card: ClassVar[Card] = Card(
        formula="max(0, cos(embedding of the answer, embedding of the reference)), best of the references",
        examples=(
            Example(
                {"input": "q", "expected": "It arrives on Monday"},
                "Delivery is on Monday",
                0.96,
                True,
                vectors={"It arrives on Monday": (1.0, 0.0), "Delivery is on Monday": (0.96, 0.28)},
            ),
            Example(
                {"input": "q", "expected": "It arrives on Monday"},
                "We sell shoes",
                0.28,
                False,
                vectors={"It arrives on Monday": (1.0, 0.0), "We sell shoes": (0.28, 0.96)},
            ),
            Example({"input": "q", "expected": "a"}, "a", None, None, status="judge_error", note="without an embedder"),
        ),
        fails=(
            "'The refund takes five days' and 'The refund takes thirty days' are nearly one vector.",
            "Values of two embedding models cannot be compared; a new model needs a new threshold.",
            "Text beyond the model's limit is cut off by many services without a word.",
        ),
        sources=("Salton & McGill 1983 (cosine)", "Reimers & Gurevych 2019 (sentence embeddings)"),
        also_called=(
            "autoevals:EmbeddingSimilarity",
            "promptfoo:similar",
            "ragas:SemanticSimilarity",
            "futureagi:embedding_similarity",
        ),
    )
    threshold: Share = Field(default=0.8, gt=0)
    _services: Services | None = PrivateAttr(default=None)

    def bind(self, services: Services) -> Self:
        """The same scorer, able to ask the embedder."""
        bound = self.model_copy()
        bound._services = services  # noqa: SLF001  # a copy of its own
        return bound

    def applies(self, case: Case) -> str:
        """Empty when the case has a reference text."""
        blank = not any(answer.strip() for answer in answers(case))
        return super().applies(case) or ("the expected answers are blank" if blank else "")

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises JudgeError where there is no usable vector, and what the embedder raises."""
        if self._services is None:
            raise JudgeError("No embedder is bound.", hint="name one under the suite's embedder:")
        if not output.text.strip():
            return Score.graded(0.0, self.threshold, "the answer holds no text")
        goals = [encodable(answer) for answer in answers(case) if answer.strip()]
        vectors = await self._services.embed([encodable(output.text), *goals])
        if len(vectors) != len(goals) + 1:
            raise JudgeError(f"The embedder gave {len(vectors)} vectors for {len(goals) + 1} texts.")
        found = [(cosine(vectors[0], vector), goal) for vector, goal in zip(vectors[1:], goals, strict=True)]
        best, goal = max(found, key=lambda one: one[0])
        reason = f"cosine {best:.3f} with {shown(goal, 80)}"
        return Score.graded(max(0.0, best), self.threshold, reason, measure=best, unit="cosine")
