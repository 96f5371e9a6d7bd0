"""Whole sessions: what is remembered, which role is kept, whether the matter is settled."""

from __future__ import annotations

BUILTIN: dict[str, str] = {}
"""Name: `module:class`."""
