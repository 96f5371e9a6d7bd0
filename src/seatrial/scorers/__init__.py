"""The rubric library: scorers that judge one output of one case. A folder is a family, a file a kind of scorer.

`build` makes a scorer from a name and its settings, `judge` applies it and decides the status, `scorer_hash` is its
identity. `BUILTIN` lists the names of all families; a scorer's own module is imported when it is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial.scorers import agents, answers, conversation, judged, measured, retrieval, safety, structured, text

if TYPE_CHECKING:
    from seatrial.scorers.judging import judge, judge_each
    from seatrial.scorers.registry import build, scorer_hash

BUILTIN: dict[str, str] = {
    **agents.BUILTIN,
    **answers.BUILTIN,
    **conversation.BUILTIN,
    **judged.BUILTIN,
    **measured.BUILTIN,
    **retrieval.BUILTIN,
    **safety.BUILTIN,
    **structured.BUILTIN,
    **text.BUILTIN,
}
"""Name: `module:class` of every scorer that comes with Seatrial."""

_HOME = {"build": "registry", "judge": "judging", "judge_each": "judging", "scorer_hash": "registry"}

__all__ = ["BUILTIN", "build", "judge", "judge_each", "scorer_hash"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
