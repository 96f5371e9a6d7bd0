"""When requests arrive: on a schedule that does not wait for answers, or whenever a worker is free.

A closed loop asks slower when answers come slower, and so hides how long users would have waited: Gil Tene's
"coordinated omission" (How NOT to Measure Latency, 2013). A Poisson schedule keeps asking, and every request's time is
counted from when it should have been sent.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from seatrial.core.output import Output
from seatrial.core.protocols import ChecksCases, Target
from seatrial.core.record import Json, altered
from seatrial.core.suite import TargetSpec


class Arrival(NamedTuple):
    """When a request arrives, on the loop's clock, and whether every worker was still busy then."""

    at: float
    late: bool


@dataclass(slots=True)
class Poisson:
    """Arrival times with independent exponential gaps, `rate` a second on average. Pure: it is told the time."""

    rate: float
    draw: random.Random
    at: float | None = None

    @classmethod
    def seeded(cls, rate: float, seed: int, name: str) -> Poisson:
        """The schedule of one target: the same for the same suite and target."""
        return cls(rate, random.Random(f"{seed}|{name}"))  # noqa: S311  # not for secrets

    def next(self, now: float, *, idle: bool) -> float:
        """When the next request arrives. The first arrives one gap after `now`.

        `idle`: a worker was free and no request was ready, so the clock of the schedule stood still until `now`.
        """
        gap = self.draw.expovariate(self.rate)
        self.at = now + gap if self.at is None or (idle and self.at + gap < now) else self.at + gap
        return self.at


@dataclass(slots=True)
class Arrivals:
    """How one target's requests arrive: the pattern in a word, and the schedule where there is one.

    `load` is empty for recordings, whose timing was measured elsewhere.
    """

    load: str = ""
    schedule: Poisson | None = None

    @classmethod
    def of(cls, spec: TargetSpec, target: Target, seed: int) -> Arrivals:
        """What a target's settings say."""
        if isinstance(target, ChecksCases):
            return cls()
        rate = None if spec.arrival == "closed" else spec.arrival.poisson
        return cls(spec.load, None if rate is None else Poisson.seeded(rate, seed, target.name))

    @property
    def identity(self) -> dict[str, Json]:
        """What the pattern adds to a request's identity: nothing in a closed loop."""
        return {} if self.schedule is None else {"arrival": self.load}

    def next(self, now: float, *, idle: bool) -> Arrival | None:
        """The next arrival; None in a closed loop, where a request arrives when a worker takes it."""
        if self.schedule is None:
            return None
        at = self.schedule.next(now, idle=idle)
        return Arrival(at, late=at < now)

    def timed(self, output: Output, arrival: Arrival | None, ended: float) -> Output:
        """The output with the load under which it was measured and, of a scheduled request, what it waited.

        An output that nobody timed stays as it is.
        """
        timing = output.timing
        if timing.total is None or not self.load:
            return output
        update: dict[str, Json] = {"load": self.load}
        if arrival is not None:
            update |= {"queued": max(0.0, ended - arrival.at - timing.total), "late": arrival.late}
        return output.timed(altered(timing, update))
