"""The fake provider: a local HTTP server that behaves like a model provider, well or badly, as scripted.

`script` is what it shall do (frozen records), `scriptfile` reads that from YAML or JSON, `http` is a lean HTTP/1.1
server, `dialects` are the wire formats, `answers`, `faults`, `capacity` and `counters` decide and record, `provider`
puts them together, `process` runs it beside the caller or on its own, `judges` has it answer as a judge.

Beside it, `plugin` makes a suite's cases tests of pytest, with `session`, which is pytest's side of it, and `tested`,
the store's. It is not imported here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.testing.counters import Call, Stats
    from seatrial.testing.dialects.base import Asked
    from seatrial.testing.judges import Said, Sheet, scripted_judge
    from seatrial.testing.process import FakeProcess, serve
    from seatrial.testing.provider import FakeProvider
    from seatrial.testing.script import (
        Behaviour,
        Capacity,
        Fault,
        Latency,
        Match,
        Pacing,
        Reply,
        Rule,
        Script,
        Switch,
        UsageCounts,
        When,
    )

__all__ = [
    "Asked",
    "Behaviour",
    "Call",
    "Capacity",
    "FakeProcess",
    "FakeProvider",
    "Fault",
    "Latency",
    "Match",
    "Pacing",
    "Reply",
    "Rule",
    "Said",
    "Script",
    "Sheet",
    "Stats",
    "Switch",
    "UsageCounts",
    "When",
    "scripted_judge",
    "serve",
]

_HOMES = {
    "Asked": "dialects.base",
    "Call": "counters",
    "FakeProcess": "process",
    "FakeProvider": "provider",
    "Said": "judges",
    "Sheet": "judges",
    "Stats": "counters",
    "scripted_judge": "judges",
    "serve": "process",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'script')}"), name)
