"""Counting what a trial does, for whoever shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ArmProgress:
    """One target's counts. Results count once they are committed.

    `ignored`: results of batches that nobody asked for, or that came twice. `waiting`: what a batch is waiting for.
    `stopped`: why it was ended before its end, where a look at the trial said so. `twice`: answers that another process
    had kept its own of first; what they cost is `twice_cost`, which `cost` holds as well.
    """

    name: str
    total: int
    done: int = 0
    reused: int = 0
    generated: int = 0
    model_failures: int = 0
    errors: int = 0
    judge_errors: int = 0
    retries: int = 0
    cost: float = 0.0
    cost_unknown: int = 0
    in_flight: int = 0
    ignored: int = 0
    twice: int = 0
    twice_cost: float = 0.0
    waiting: str = ""
    stopped: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def complete(self) -> bool:
        """Whether every result is there and none is an error."""
        return self.done == self.total and not self.errors and not self.judge_errors

    def counts(self) -> Mapping[str, Any]:
        """What is kept with the run."""
        return {
            "outputs": self.done,
            "reused": self.reused,
            "generated": self.generated,
            "model_failures": self.model_failures,
            "errors": self.errors,
            "judge_errors": self.judge_errors,
            "retries": self.retries,
            **({"ignored": self.ignored} if self.ignored else {}),
            **({"twice": self.twice, "twice_dollars": self.twice_cost} if self.twice else {}),
            **({"stopped": dict(self.stopped)} if self.stopped else {}),
        }


@dataclass(slots=True)
class JudgeCount:
    """What one judge was asked in this execution, and what that took; none of it is a candidate's.

    `calls` were sent, `reused` were at hand, `errors` are calls without an answer, `refused` are questions that the cap
    left unasked. `cost` in US dollars is of the calls whose price is known, `cost_unknown` counts the others.
    """

    name: str
    calls: int = 0
    reused: int = 0
    errors: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    cost_unknown: int = 0

    def plain(self) -> dict[str, Any]:
        """As it is kept with the trial."""
        return {
            "calls": self.calls,
            "reused": self.reused,
            "errors": self.errors,
            "refused": self.refused,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "dollars": self.cost,
            "dollars_unknown": self.cost_unknown,
        }


@dataclass(slots=True)
class Progress:
    """A trial's counts at one moment; `seconds` since it began."""

    trial_id: str
    arms: list[ArmProgress]
    seconds: float = 0.0
    finished: bool = False
    notes: list[str] = field(default_factory=list[str])
    judges: Collection[JudgeCount] = ()

    @property
    def total(self) -> int:
        """All results asked for."""
        return sum(arm.total for arm in self.arms)

    @property
    def done(self) -> int:
        """All results committed."""
        return sum(arm.done for arm in self.arms)

    @property
    def generated(self) -> int:
        """Results that a target gave in this execution."""
        return sum(arm.generated for arm in self.arms)

    @property
    def rate(self) -> float:
        """Generated results a second."""
        return self.generated / max(self.seconds, 0.001)

    @property
    def eta(self) -> float | None:
        """Seconds to go for the slowest arm at its rate so far, None before any is known."""
        waits = [
            (arm.total - arm.done) * self.seconds / arm.generated
            for arm in self.arms
            if arm.done < arm.total and arm.generated
        ]
        return max(waits) if waits and self.seconds > 0 else None
