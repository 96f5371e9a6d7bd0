"""Writing a report into a file, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seatrial.core.files import write_whole
from seatrial.errors import UsageError, nearest, safe
from seatrial.verdicts.records import TrialReport

TEXT_COLUMNS = 100


def _html(report: TrialReport) -> str:
    from seatrial.reports.page import html

    return html(report)


def _markdown(report: TrialReport) -> str:
    from seatrial.reports.pullrequest import markdown

    return markdown(report)


def _json(report: TrialReport) -> str:
    from seatrial.reports.objects import json_text

    return json_text(report)


def _text(report: TrialReport) -> str:
    from seatrial.reports.tables import terminal

    return terminal(report, width=TEXT_COLUMNS, colour=False)


def _png(report: TrialReport) -> bytes:
    from seatrial.reports.plots import png

    return png(report)


RENDERERS: dict[str, Callable[[TrialReport], str | bytes]] = {
    ".html": _html,
    ".json": _json,
    ".md": _markdown,
    ".png": _png,
    ".txt": _text,
}
"""File ending: what renders it."""


def render(report: TrialReport, suffix: str) -> str | bytes:
    """The report as what a file with that ending holds. Raises UsageError for an ending that is not known."""
    return _renderer(suffix)(report)


def _renderer(suffix: str) -> Callable[[TrialReport], str | bytes]:
    known = suffix.lower()
    if known not in RENDERERS:
        near = nearest(known, RENDERERS)
        hint = f"did you mean {near}?" if near else f"end the name in one of {', '.join(RENDERERS)}"
        ending = f"files that end in {safe(suffix)!r}" if suffix else "a file without an ending"
        raise UsageError(f"A report cannot be written as {ending}.", hint=hint)
    return RENDERERS[known]


def check(path: str | Path) -> None:
    """Raise UsageError now for a path whose ending `write` would refuse later."""
    _renderer(Path(path).suffix)


def write(report: TrialReport, path: str | Path) -> Path:
    """Write the report as HTML, Markdown, JSON, PNG or text, as the file's ending says; an older file is replaced.

    The file appears whole or not at all. Raises UsageError when the ending is not known or the path is not writable.
    """
    target = Path(path)
    found = render(report, target.suffix)
    data = found.encode("utf-8") if isinstance(found, str) else found
    write_whole(target, lambda out: out.write(data), "The report")
    return target
