"""The rubric library: scorers that judge one output of one case, one file a family.

`build` makes a scorer from a name and its settings, `judge` applies it and decides the status, `scorer_hash` is its
identity. `BUILTIN` lists the names; a family is imported when one of its scorers is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.scorers.judging import judge
    from seatrial.scorers.registry import build, scorer_hash

BUILTIN: dict[str, str] = {
    "choice": "seatrial.scorers.labels:Choice",
    "contains": "seatrial.scorers.text:Contains",
    "cost": "seatrial.scorers.operational:Cost",
    "ends_with": "seatrial.scorers.text:EndsWith",
    "exact": "seatrial.scorers.text:Exact",
    "fields": "seatrial.scorers.fields:Fields",
    "first_token": "seatrial.scorers.operational:FirstToken",
    "fuzzy": "seatrial.scorers.similarity:Fuzzy",
    "inter_token": "seatrial.scorers.operational:InterToken",
    "json_schema": "seatrial.scorers.structured:JsonSchema",
    "json_valid": "seatrial.scorers.structured:JsonValid",
    "label": "seatrial.scorers.labels:Label",
    "latency": "seatrial.scorers.operational:Latency",
    "length": "seatrial.scorers.text:Length",
    "normalized": "seatrial.scorers.text:Normalized",
    "numeric": "seatrial.scorers.numeric:Numeric",
    "refusal": "seatrial.scorers.refusal:Refusal",
    "regex": "seatrial.scorers.regex:Regex",
    "starts_with": "seatrial.scorers.text:StartsWith",
    "tokens": "seatrial.scorers.operational:Tokens",
    "tool_calls": "seatrial.scorers.tool_calls:ToolCalls",
}
"""Name: `module:class` of every scorer that comes with Seatrial."""

_HOME = {"build": "registry", "judge": "judging", "scorer_hash": "registry"}

__all__ = ["BUILTIN", "build", "judge", "scorer_hash"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
