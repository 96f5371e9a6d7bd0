"""Quantities of an output: latency and its parts, cost, tokens. They read what the target recorded."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score, ScorerInfo
from seatrial.scorers.base import BuiltinScorer, Real
from seatrial.scorers.card import Card, Example


class Quantity(BuiltinScorer):
    """A measured quantity of an output, lower is better.

    Without `at_most` the score is the bare measure: `value` and `passed` stay None. With it the score is 1 and passed
    when the measure is at most that. An output without the datum (a recording without timing, a target without a
    price) is `judge_error`: neither a 0 nor a pass, and no reason to ask the provider again.
    """

    unit: ClassVar[str]
    at_most: Real | None = Field(default=None, ge=0, description="Passes up to this much, in the scorer's unit")

    def read(self, output: Output) -> float | None:
        """The quantity, or None where the target did not record it."""
        raise NotImplementedError

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        measure = self.read(output)
        if measure is None or not math.isfinite(measure):
            return Score(status="judge_error", reason=f"the output has no {self.about.name}; {self.missing}")
        reason = f"{measure:.6g} {self.unit}"
        if self.at_most is None:
            return Score(measure=measure, unit=self.unit, reason=reason)
        bound = f"{reason}, at most {self.at_most:.6g} allowed"
        return Score.binary(measure <= self.at_most, bound, measure=measure, unit=self.unit)

    missing: ClassVar[str] = "its target did not record it"


class Latency(Quantity):
    """Seconds from sending the request to the whole answer: the last attempt, without queue and back-off.

    Where requests arrive on a schedule (`arrival: {poisson: 5}`) it counts from the arrival, as a user would: waiting
    for a place, retries and back-off included.

    Example: `{at_most: 2.5}` fails an answer that took 3 s. Needs `timing.total`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("latency", "1", higher_is_better=False)
    card: ClassVar[Card] = Card(
        formula="measure = queued + total seconds; with `at_most` 1 when that is no more, else 0.",
        examples=(
            Example("…", {"text": "Yes.", "timing": {"total": 1.2}}, 1.0, True, {"at_most": 2.5}),
            Example("…", {"text": "Yes.", "timing": {"total": 3.0}}, 0.0, False, {"at_most": 2.5}),
            Example(
                "…",
                {"text": "Yes.", "timing": {"total": 1.2, "queued": 2.0}},
                0.0,
                False,
                {"at_most": 2.5},
                note="It arrived on a schedule and had to wait for a place.",
            ),
            Example(
                "…",
                "Yes.",
                None,
                None,
                {"at_most": 2.5},
                status="judge_error",
                note="Nothing was measured, which is neither slow nor fast.",
            ),
        ),
        fails=(
            "Where recordings come from another machine or hour: compare latencies of interleaved runs only.",
            "Without a schedule of arrivals it does not see what users wait for in a queue.",
        ),
        also_called=("promptfoo:latency", "futureagi:latency_check", "article:latency"),
    )
    unit: ClassVar[str] = "s"

    def read(self, output: Output) -> float | None:
        """Seconds to the whole answer."""
        total = output.timing.total
        return None if total is None else output.timing.waited + total


class FirstToken(Quantity):
    """Seconds to the first token of a streamed answer, counted as `latency` is.

    Needs `timing.first_token`, which only streaming records.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("first_token", "1", higher_is_better=False)
    card: ClassVar[Card] = Card(
        formula="measure = queued + seconds to the first token; with `at_most` 1 when that is no more, else 0.",
        examples=(
            Example("…", {"text": "Yes.", "timing": {"total": 2.0, "first_token": 0.4}}, 1.0, True, {"at_most": 0.5}),
            Example("…", {"text": "Yes.", "timing": {"total": 2.0, "first_token": 0.9}}, 0.0, False, {"at_most": 0.5}),
        ),
        fails=(
            "Where a model thinks unseen before or after its first token, it says little of the wait for an answer.",
        ),
    )
    unit: ClassVar[str] = "s"
    missing: ClassVar[str] = "set `stream: true` on its target"

    def read(self, output: Output) -> float | None:
        """Seconds to the first token."""
        first = output.timing.first_token
        return None if first is None else output.timing.waited + first


class InterToken(Quantity):
    """Milliseconds per output token after the first: (total - first token) / (output tokens - 1).

    What serving benchmarks call time per output token (TPOT), or the mean inter-token latency: how fast an answer
    reads. Needs streaming, a token count from the provider, and at least two tokens.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("inter_token", "1", higher_is_better=False)
    card: ClassVar[Card] = Card(
        formula="measure = 1000 × (total − first token) / (output tokens − 1); with `at_most` 1 when that is no more, "
        "else 0.",
        examples=(
            Example(
                "…",
                {"text": "Yes.", "timing": {"total": 2.4, "first_token": 0.4}, "usage": {"output": 101}},
                1.0,
                True,
                {"at_most": 40},
                note="2 s for 100 further tokens: 20 ms each.",
            ),
            Example(
                "…",
                {"text": "Yes.", "timing": {"total": 6.4, "first_token": 0.4}, "usage": {"output": 101}},
                0.0,
                False,
                {"at_most": 40},
            ),
        ),
        fails=(
            "Where the provider holds text back and sends it in a few large pieces.",
            "Where the model thinks unseen after its first token, which its tokens include.",
        ),
    )
    unit: ClassVar[str] = "ms"
    missing: ClassVar[str] = "it needs `stream: true` on its target, a token count and two tokens"

    def read(self, output: Output) -> float | None:
        """Milliseconds per output token after the first."""
        gap = output.inter_token
        return None if gap is None else 1000 * gap


class Cost(Quantity):
    """US dollars an answer cost. Needs a `price` on the target; an unknown price is missing, never free."""

    about: ClassVar[ScorerInfo] = ScorerInfo("cost", "1", higher_is_better=False)
    card: ClassVar[Card] = Card(
        formula="measure = US dollars, as recorded; with `at_most` 1 when that is no more, else 0.",
        examples=(
            Example("…", {"text": "Yes.", "cost": 0.0012}, 1.0, True, {"at_most": 0.002}),
            Example("…", {"text": "Yes.", "cost": 0.0042}, 0.0, False, {"at_most": 0.002}),
            Example(
                "…", "Yes.", None, None, {"at_most": 0.002}, status="judge_error", note="Unknown is missing, not free."
            ),
        ),
        fails=("It is the price of one answer: what failed attempts, people and wrong answers cost is not in it.",),
        also_called=("promptfoo:cost", "article:cost"),
    )
    unit: ClassVar[str] = "USD"
    missing: ClassVar[str] = "give its target a `price`"

    def read(self, output: Output) -> float | None:
        """US dollars."""
        return output.cost


class Tokens(Quantity):
    """Tokens as the provider counted them: output, input, their total, or the reasoning and cached parts.

    `count` says which.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("tokens", "1", higher_is_better=False)
    card: ClassVar[Card] = Card(
        formula="measure = the number of tokens the provider reports; with `at_most` 1 when that is no more, else 0.",
        examples=(
            Example("…", {"text": "Yes.", "usage": {"input": 300, "output": 20}}, 1.0, True, {"at_most": 100}),
            Example(
                "…",
                {"text": "Yes.", "usage": {"input": 300, "output": 20}},
                0.0,
                False,
                {"count": "total", "at_most": 100},
            ),
        ),
        fails=("Providers count differently: compare models of two providers by `cost`.",),
    )
    unit: ClassVar[str] = "tokens"
    count: Literal["output", "input", "total", "reasoning", "cached"] = "output"
    missing: ClassVar[str] = "its provider did not report usage"

    def read(self, output: Output) -> float | None:
        """The number of tokens."""
        usage = output.usage
        if self.count == "total":
            return None if usage.input is None or usage.output is None else float(usage.input + usage.output)
        number: int | None = getattr(usage, self.count)
        return None if number is None else float(number)
