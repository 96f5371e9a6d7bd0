"""Images, audio and files that a row names beside its dataset."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, cast

from seatrial.core.record import as_dict, as_list
from seatrial.datasets.reading.faults import Fault, Steps
from seatrial.datasets.reading.fields import RowError

MAX_BLOB = 20 * 1024 * 1024

MEDIA_TYPES = {
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".flac": "audio/flac",
    ".gif": "image/gif",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""A table of our own: the system's differs from machine to machine, and with it a case's hash would."""


def embed(messages: list[Any], folder: Path) -> list[Any]:
    """The messages with each part's `path` replaced by the file's bytes in base64.

    Raises RowError for files that are missing, outside `folder`, or larger than `MAX_BLOB`.
    """
    faults: list[Fault] = []
    filled: list[Any] = []
    for index, message in enumerate(messages):
        parts = as_list((as_dict(message) or {}).get("content"))
        if parts is not None:
            where = ("input", index, "content")
            found = [_part(part, folder, (*where, at), faults) for at, part in enumerate(parts)]
            filled.append({**message, "content": found})
        else:
            filled.append(message)
    if faults:
        raise RowError(faults)
    return filled


def _part(raw: Any, folder: Path, where: Steps, faults: list[Fault]) -> Any:
    if not isinstance(raw, dict) or "path" not in raw:
        return cast("Any", raw)
    part = cast("dict[str, Any]", raw)
    name = part["path"]
    if not isinstance(name, str) or part.get("data") or part.get("url"):
        rule = "must be one of path, data or url" if isinstance(name, str) else "must be a file's name"
        faults.append(Fault((*where, "path"), rule))
        return part
    found = _read(name, folder)
    if isinstance(found, str):
        faults.append(Fault((*where, "path"), found, name))
        return part
    media = part.get("media_type") or MEDIA_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
    kept = {key: value for key, value in part.items() if key not in ("path", "data", "url")}
    return {**kept, "media_type": media, "data": base64.b64encode(found).decode("ascii")}


def _read(name: str, folder: Path) -> bytes | str:
    """The bytes of a file inside the folder, or what is wrong with it."""
    root = folder.resolve()
    try:
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            return "leaves the dataset's folder"
        if not file.is_file():
            return "is not a file beside the dataset"
        with file.open("rb") as stream:
            content = stream.read(MAX_BLOB + 1)
    except (OSError, ValueError, RuntimeError):
        return "is not a file that can be read"
    if not content:
        return "is an empty file"
    return content if len(content) <= MAX_BLOB else f"is larger than {MAX_BLOB // 1024 // 1024} MiB"
