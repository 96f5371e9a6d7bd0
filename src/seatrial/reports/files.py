"""Writing a report into a file, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

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


RENDERERS: dict[str, Callable[[TrialReport], str]] = {
    ".html": _html,
    ".json": _json,
    ".md": _markdown,
    ".txt": _text,
}
"""File ending: what renders it."""


def render(report: TrialReport, suffix: str) -> str:
    """The report as the text of a file with that ending. Raises UsageError for an ending that is not known."""
    return _renderer(suffix)(report)


def _renderer(suffix: str) -> Callable[[TrialReport], str]:
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
    """Write the report as HTML, Markdown, JSON or text, as the file's ending says; an older file is replaced.

    The file appears whole or not at all. Raises UsageError when the ending is not known or the path is not writable.
    """
    target = Path(path)
    data = render(report, target.suffix).encode("utf-8")
    try:
        _replace(target, data)
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise UsageError(
            f"The report cannot be written to {safe(str(target), 200)}: {safe(why)}.",
            hint="name a file in a folder that you may write to",
        ) from fault
    return target


def _replace(target: Path, data: bytes) -> None:
    if target.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(_mode(target))
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The older file's permissions, else what the umask leaves a new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
