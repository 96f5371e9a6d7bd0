"""Retrieved context and what is made of it: ranking, grounding, citations, completeness."""

from __future__ import annotations

BUILTIN: dict[str, str] = {}
"""Name: `module:class`."""
