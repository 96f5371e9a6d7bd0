"""JSON and tables: whether they are well formed, keep to a schema, and hold the right values."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "fields": "seatrial.scorers.structured.fields:Fields",
    "json_diff": "seatrial.scorers.structured.diff:JsonDiff",
    "json_schema": "seatrial.scorers.structured.schema:JsonSchema",
    "json_valid": "seatrial.scorers.structured.schema:JsonValid",
    "table": "seatrial.scorers.structured.table:Table",
}
"""Name: `module:class`."""
