"""What the documentation says of a scorer beside its docstring. Every example is run as a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from seatrial.core.record import Json
from seatrial.core.score import Status


class Example(NamedTuple):
    """One judgement: a case and an output (their fields, or a text alone), the settings, and the score that results.

    `value` and `passed` are what the score says; `note` tells the reader what to see in it. `judge` holds what the
    judge answers each time it is asked, for scorers that ask one: its text, or its verdicts by the questions' keys (see
    `judged.scripted.answer_to`); the last is repeated. `vectors` gives the embedder's vector for a text.
    """

    case: str | Mapping[str, Any]
    output: str | Mapping[str, Any]
    value: float | None
    passed: bool | None
    settings: Mapping[str, Json] = {}
    status: Status = "scored"
    note: str = ""
    judge: Sequence[str | Mapping[str, Json]] = ()
    vectors: Mapping[str, Sequence[float]] = {}


class Card(NamedTuple):
    """What a scorer's page says.

    `formula`: how the value comes about, in one or two sentences. `examples`: at least one that passes and one that
    fails. `fails`: where it misleads or is of no help, one sentence each. `sources`: papers and standards.
    `also_called`: what other tools call it, like `deepeval:AnswerRelevancyMetric`, `ragas:faithfulness`,
    `promptfoo:is-json`, `futureagi:groundedness`, `article:Groundedness`.
    """

    formula: str
    examples: tuple[Example, ...]
    fails: tuple[str, ...]
    sources: tuple[str, ...] = ()
    also_called: tuple[str, ...] = ()
