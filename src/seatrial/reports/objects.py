"""The JSON rendering: one object, ASCII only, every number unrounded, all that the report holds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from seatrial.core.record import Record
from seatrial.reports.text import DEEPEST
from seatrial.verdicts.records import TrialReport

FORMAT = "seatrial.report/1"
"""Stands first in the object; another number means other keys."""


def json_text(report: TrialReport) -> str:
    """The report as one JSON object, keys as the records declare them, after `format`.

    Lone surrogates stay as their escapes, so every reader gets what the provider sent. Numbers that JSON cannot
    hold become the texts `nan`, `inf`, `-inf`.
    """
    return json.dumps({"format": FORMAT, **plain(report)}, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def object_text(record: Record, form: str) -> str:
    """Any record as such an object, after its `format`."""
    return json.dumps({"format": form, **_plain(record, 0)}, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def plain(record: Record) -> dict[str, Any]:
    """A record as values that JSON holds, with the names of its fields."""
    return _plain(record, 0)


def _plain(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        return "…"
    if isinstance(value, Record):
        return {name: _plain(getattr(value, name), depth + 1) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)
