"""Quantities of an output: latency and its parts, cost, tokens. They read what the target recorded."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score, ScorerInfo
from seatrial.scorers.base import BuiltinScorer, Real


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

    Example: `{at_most: 2.5}` fails an answer that took 3 s. Needs `timing.total`. Fails to help where recordings
    come from another machine or hour: compare latencies of interleaved runs only.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("latency", "1", higher_is_better=False)
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
    unit: ClassVar[str] = "s"
    missing: ClassVar[str] = "set `stream: true` on its target"

    def read(self, output: Output) -> float | None:
        """Seconds to the first token."""
        first = output.timing.first_token
        return None if first is None else output.timing.waited + first


class InterToken(Quantity):
    """Milliseconds per output token after the first: (total - first token) / (output tokens - 1).

    What serving benchmarks call time per output token (TPOT), or the mean inter-token latency: how fast an answer
    reads. Needs streaming, a token count from the provider, and at least two tokens. Misleads where the provider
    holds text back and sends it in a few large pieces, or thinks unseen after its first token.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("inter_token", "1", higher_is_better=False)
    unit: ClassVar[str] = "ms"
    missing: ClassVar[str] = "it needs `stream: true` on its target, a token count and two tokens"

    def read(self, output: Output) -> float | None:
        """Milliseconds per output token after the first."""
        gap = output.inter_token
        return None if gap is None else 1000 * gap


class Cost(Quantity):
    """US dollars an answer cost. Needs a `price` on the target; an unknown price is missing, never free."""

    about: ClassVar[ScorerInfo] = ScorerInfo("cost", "1", higher_is_better=False)
    unit: ClassVar[str] = "USD"
    missing: ClassVar[str] = "give its target a `price`"

    def read(self, output: Output) -> float | None:
        """US dollars."""
        return output.cost


class Tokens(Quantity):
    """Tokens as the provider counted them: output, input, their total, or the reasoning and cached parts.

    Providers count differently, so compare models of two providers by cost instead.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("tokens", "1", higher_is_better=False)
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
