"""Quantities that were recorded: latency, cost, tokens."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "cost": "seatrial.scorers.measured.quantities:Cost",
    "first_token": "seatrial.scorers.measured.quantities:FirstToken",
    "inter_token": "seatrial.scorers.measured.quantities:InterToken",
    "latency": "seatrial.scorers.measured.quantities:Latency",
    "tokens": "seatrial.scorers.measured.quantities:Tokens",
}
"""Name: `module:class`."""
