"""Behaviour: refusals, personal data, secrets, leaks, injections, harm, bias, policy."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "refusal": "seatrial.scorers.safety.refusal:Refusal",
}
"""Name: `module:class`."""
