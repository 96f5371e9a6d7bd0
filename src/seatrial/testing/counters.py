"""What was asked and answered, counted."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seatrial.core.record import Json


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in. `status` is the HTTP status, or the fault's name where there was none."""

    number: int
    key: str
    model: str
    attempt: int
    status: str
    fault: str
    variant: str
    headers: Mapping[str, str]
    body: Json


@dataclass(slots=True)
class PerInput:
    """Counts of one input: `calls`, answers `served` whole, and calls that came `again` after one was served."""

    calls: int = 0
    served: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True)
class Stats:
    """A snapshot of the counters.

    `calls`: requests for an answer. `served`: good answers handed whole to the socket. `again`: calls of an
    input (with the same model) after it had been served. `refused`: beyond capacity. `abandoned`: the client went
    away first. `redirected`: redirects that a client followed. `in_flight`, `max_in_flight`: requests being answered.
    `batches`: those that were accepted; their requests count as calls.
    """

    calls: int = 0
    served: int = 0
    again: int = 0
    refused: int = 0
    abandoned: int = 0
    redirected: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    inputs: int = 0
    batches: int = 0
    variant: str = ""
    by_status: Mapping[str, int] = field(default_factory=dict[str, int])
    by_model: Mapping[str, int] = field(default_factory=dict[str, int])
    by_fault: Mapping[str, int] = field(default_factory=dict[str, int])


class Counters:
    """The provider's books. Written on the event loop; the snapshots may be read from any thread."""

    def __init__(self, log_size: int) -> None:
        self.log: deque[Call] = deque(maxlen=log_size)
        self.admitted = 0
        self.numbers: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_model: Counter[str] = Counter()
        self.by_fault: Counter[str] = Counter()
        self._inputs: dict[tuple[str, str], PerInput] = {}
        self._attempts: dict[tuple[str, str], int] = {}

    def arrive(self, model: str, key: str) -> None:
        """A request for an answer came in."""
        self.numbers["calls"] += 1
        self.by_model[model] += 1
        counts = self._inputs.setdefault((model, key), PerInput())
        counts.calls += 1
        if counts.served:
            counts.again += 1
            self.numbers["again"] += 1

    def admit(self, model: str, key: str) -> int:
        """It will be answered: how many times this input was, this one included."""
        self.admitted += 1
        self.numbers["in_flight"] += 1
        self.numbers["max_in_flight"] = max(self.numbers["max_in_flight"], self.numbers["in_flight"])
        attempt = self._attempts[model, key] = self._attempts.get((model, key), 0) + 1
        return attempt

    def leave(self, model: str, key: str, complete: bool, good: bool) -> None:
        """Its answer is over."""
        self.numbers["in_flight"] -= 1
        if not complete:
            self.numbers["abandoned"] += 1
        elif good:
            self.numbers["served"] += 1
            self._inputs.setdefault((model, key), PerInput()).served += 1

    def note(self, call: Call) -> None:
        """Keep what was decided."""
        self.log.append(call)
        self.by_status[call.status] += 1
        if call.fault:
            self.by_fault[call.fault] += 1

    def per_input(self, key: str, model: str | None = None) -> PerInput:
        """The counts of one input, of one model or of all."""
        found = [v for (m, k), v in self._inputs.copy().items() if k == key and model in (None, m)]
        return PerInput(sum(v.calls for v in found), sum(v.served for v in found), sum(v.again for v in found))

    def all_inputs(self) -> list[dict[str, Any]]:
        """The counts of every model and input, as plain values."""
        return [
            {"model": m, "key": k, "calls": v.calls, "served": v.served, "again": v.again}
            for (m, k), v in self._inputs.copy().items()
        ]

    def stats(self, variant: str, batches: int = 0) -> Stats:
        """A snapshot."""
        names = ("calls", "served", "again", "refused", "abandoned", "redirected", "in_flight", "max_in_flight")
        numbers = {name: self.numbers[name] for name in names}
        return Stats(
            **numbers,
            inputs=len(self._inputs),
            batches=batches,
            variant=variant,
            by_status=dict(self.by_status),
            by_model=dict(self.by_model),
            by_fault=dict(self.by_fault),
        )
