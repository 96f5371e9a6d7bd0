"""Which files that decide a change edits in vain: the rules' side is taken for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from seatrial.core.suite import Suite
from seatrial.errors import safe

BINARY = (".parquet", ".bin")
SHOWN = 20
"""Edited files that are named; the others are counted."""


def edited(suite: Suite, rules: Path, change: Path, *, stranger: bool) -> list[str]:
    """A sentence for each file of the dataset, quarantine, baseline or labels that the two folders hold differently.

    `suite` is the rules'. A stranger's records are left out as well.
    """
    gate = suite.gate
    names = [suite.dataset.path, gate.quarantine, gate.baseline, suite.labels, *([gate.records] if stranger else [])]
    found = list(dict.fromkeys(line for name in names if name for line in _differences(name, rules, change)))
    more = len(found) - SHOWN
    rest = [f"The change edits {more:,} more such files; the base branch's were used."] if more > 0 else []
    return [*found[:SHOWN], *rest]


def _differences(name: str, rules: Path, change: Path) -> Iterator[str]:
    """What differs under a name, which is a file or a folder."""
    for inner in sorted({*_files(rules / name), *_files(change / name)}):
        old, new = (folder / name / inner if inner else folder / name for folder in (rules, change))
        if said := _edit(old, new):
            shown = safe(f"{name}/{inner}" if inner else name, 200)
            yield f"The change edits {shown}; the base branch's was used ({said})."


def _files(path: Path) -> Iterator[str]:
    """The files below a folder, by their path from there, hidden ones aside; of a file, itself as the empty name."""
    if path.is_file():
        yield ""
    elif path.is_dir():
        inside = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
        yield from (str(file) for file in inside if not any(part.startswith(".") for part in file.parts))


def _edit(old: Path, new: Path) -> str:
    """How two files differ, in words; empty where they do not."""
    if not (old.is_file() and new.is_file()):
        return "a new file" if new.is_file() else "removed"
    if old.suffix in BINARY:
        return "" if old.read_bytes() == new.read_bytes() else "other bytes"
    before, after = _lines(old), _lines(new)
    added, removed = (after - before).total(), (before - after).total()
    if added or removed:
        return f"lines: {added:,} added, {removed:,} removed"
    return "" if old.read_bytes() == new.read_bytes() else "lines in another order"


def _lines(path: Path) -> Counter[bytes]:
    """How often each line is there, by a digest."""
    with path.open("rb") as file:
        return Counter(blake2b(line.rstrip(b"\r\n"), digest_size=16).digest() for line in file)
