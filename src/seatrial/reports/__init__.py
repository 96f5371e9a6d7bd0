"""Rendering what a trial found: terminal tables, Markdown for pull requests, JSON, and one self-contained HTML page.

Every renderer is a pure function from a `TrialReport` to text; `write` puts that text into a file. All text in a
report may come from a model and is treated as hostile. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.reports.files import check, render, write
    from seatrial.reports.forecasts import forecast_text
    from seatrial.reports.objects import json_text
    from seatrial.reports.page import html
    from seatrial.reports.plots import png
    from seatrial.reports.pullrequest import markdown
    from seatrial.reports.tables import terminal

_HOME = {
    "check": "files",
    "forecast_text": "forecasts",
    "html": "page",
    "json_text": "objects",
    "markdown": "pullrequest",
    "png": "plots",
    "render": "files",
    "terminal": "tables",
    "write": "files",
}

__all__ = ["check", "forecast_text", "html", "json_text", "markdown", "png", "render", "terminal", "write"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
