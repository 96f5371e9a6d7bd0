"""Scorers that ask a model, a judge: criteria, grades, decision trees, juries, cascades, pairs."""

from __future__ import annotations

BUILTIN: dict[str, str] = {}
"""Name: `module:class`."""
