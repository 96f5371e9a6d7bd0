"""A stratifier that asks a judge: one question a case, answered with one of the names it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from seatrial.core.protocols import Services
from seatrial.core.record import Filled, Text
from seatrial.datasets.sampling.duplicates import said
from seatrial.datasets.sampling.stratify import UNKNOWN, Definition, Row

MOST_READ = 20_000
"""Characters of a conversation that the judge is shown."""


class Judged(Definition):
    """What a judge says a case is, of `values`: names with their meanings. It may always answer `unknown`.

    A judge cannot name the records of a pool while it is read: label a part of them with `ask`, train a classifier on
    that, and sample by the classifier.
    """

    use: Literal["judge"]
    judge: Filled
    values: Annotated[Mapping[Filled, Filled], Field(min_length=2)]
    question: Text = "What is the user's request about?"

    @field_validator("values")
    @classmethod
    def _unknown_is_ours(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if UNKNOWN in value:
            raise ValueError(f"{UNKNOWN} is always among the values: leave it out")
        return value

    def name(self, row: Row) -> str:
        """What was answered before, where the case keeps it."""
        from seatrial.datasets.sampling.stratify import Given

        return Given(stratum=self.stratum).name(row)

    async def ask(self, services: Services, row: Row) -> str:
        """The judge's name for a case. Raises JudgeError when it gave no usable one, asked twice."""
        from seatrial.scorers.judged.asking import Material, Question, choose

        words = {**self.values, UNKNOWN: "none of the others, or the conversation does not tell"}
        question = Question(self.stratum, self.question)
        material = Material("conversation", said(row["input"])[:MOST_READ])
        found = await choose(services, self.judge, [question], words, [material])
        return found[self.stratum].word
