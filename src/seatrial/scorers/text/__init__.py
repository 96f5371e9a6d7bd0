"""Text and its form: equality, pieces, patterns, nearness, Markdown, language, style."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "contains": "seatrial.scorers.text.matching:Contains",
    "ends_with": "seatrial.scorers.text.matching:EndsWith",
    "exact": "seatrial.scorers.text.matching:Exact",
    "fuzzy": "seatrial.scorers.text.similarity:Fuzzy",
    "length": "seatrial.scorers.text.matching:Length",
    "normalized": "seatrial.scorers.text.matching:Normalized",
    "regex": "seatrial.scorers.text.regex:Regex",
    "starts_with": "seatrial.scorers.text.matching:StartsWith",
}
"""Name: `module:class`."""
