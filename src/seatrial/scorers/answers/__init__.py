"""Answers that are one thing: a label, an option, a number."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "choice": "seatrial.scorers.answers.labels:Choice",
    "label": "seatrial.scorers.answers.labels:Label",
    "numeric": "seatrial.scorers.answers.numeric:Numeric",
}
"""Name: `module:class`."""
