"""Seatrial: may this model replace what you run today, on your own work?

`run` executes a suite and gives its report, `compare` draws the verdict of an earlier trial again, `complete` and
`acomplete` ask any one model. Records, errors and the Protocols to plug into are offered here too; everything is
imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.core.case import Case, Document, Expected, ExpectedCall, Tool
    from seatrial.core.message import Message, ToolCall
    from seatrial.core.output import Failure, Output, Request, Timing, Usage
    from seatrial.core.protocols import Scorer, Services, Target
    from seatrial.core.score import Evidence, Score, ScorerInfo
    from seatrial.core.suite import Suite
    from seatrial.errors import SeatrialError
    from seatrial.scorers.own.declared import scorer
    from seatrial.targets.complete import aclose, acomplete, complete
    from seatrial.trials.check import check
    from seatrial.trials.linting.lint import lint
    from seatrial.trials.running.planning import plan
    from seatrial.trials.running.sweep import estimate_sweep, sweep
    from seatrial.trials.trial import compare, estimate, run
    from seatrial.verdicts.records import TrialReport, Verdict

__version__ = "0.1.0"

_HOMES = {
    "seatrial.core.case": ("Case", "Document", "Expected", "ExpectedCall", "Tool"),
    "seatrial.core.message": ("Message", "ToolCall"),
    "seatrial.core.output": ("Failure", "Output", "Request", "Timing", "Usage"),
    "seatrial.core.protocols": ("Scorer", "Services", "Target"),
    "seatrial.core.score": ("Evidence", "Score", "ScorerInfo"),
    "seatrial.core.suite": ("Suite",),
    "seatrial.errors": ("SeatrialError",),
    "seatrial.scorers.own.declared": ("scorer",),
    "seatrial.targets.complete": ("aclose", "acomplete", "complete"),
    "seatrial.trials.check": ("check",),
    "seatrial.trials.linting.lint": ("lint",),
    "seatrial.trials.running.planning": ("plan",),
    "seatrial.trials.running.sweep": ("estimate_sweep", "sweep"),
    "seatrial.trials.trial": ("compare", "estimate", "run"),
    "seatrial.verdicts.records": ("TrialReport", "Verdict"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Case",
    "Document",
    "Evidence",
    "Expected",
    "ExpectedCall",
    "Failure",
    "Message",
    "Output",
    "Request",
    "Score",
    "Scorer",
    "ScorerInfo",
    "SeatrialError",
    "Services",
    "Suite",
    "Target",
    "Timing",
    "Tool",
    "ToolCall",
    "TrialReport",
    "Usage",
    "Verdict",
    "aclose",
    "acomplete",
    "check",
    "compare",
    "complete",
    "estimate",
    "estimate_sweep",
    "lint",
    "plan",
    "run",
    "scorer",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'seatrial' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
