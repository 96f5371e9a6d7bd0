"""`seatrial dataset diff`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared
from seatrial.core.identity import short
from seatrial.errors import safe

if TYPE_CHECKING:
    from seatrial.datasets.versions.diffing import FieldChange, SetDiff

AROUND = 40
SHOWN = 2000


@click.command()
@_shared.folder
@click.argument("before", default="HEAD")
@click.argument("after", default="")
@_shared.store
@options.as_json
def diff(folder: Path, before: str, after: str, store_file: Path | None, as_json: bool) -> None:
    """Compare two versions of a set, or a version with the files in FOLDER.

    BEFORE and AFTER are hashes, the start of one, tags, or HEAD, the version in set.lock. Without AFTER the files are
    compared, without either the files with HEAD. Of sealed cases only their number and hash are told.
    """
    from seatrial.datasets.versions.diffing import diff as compare

    found = compare(folder, before, after, store=_shared.store_of(store_file))
    if as_json:
        click.echo(json.dumps(_plain(found)))
    else:
        click.echo("\n".join(_lines(found)))


def _plain(found: SetDiff) -> dict[str, Any]:
    return {
        "before": found.before,
        "after": found.after,
        "added": [{"id": name, "split": split} for split, name in found.added],
        "removed": [{"id": name, "split": split} for split, name in found.removed],
        "changed": [
            {
                "id": one.id,
                "split": one.split,
                "moved_from": one.moved_from,
                "fields": [{**f._asdict(), "words": [[w.kind, w.text] for w in f.words]} for f in one.fields],
            }
            for one in found.changed
        ],
        "sealed": found.sealed and [one and one._asdict() for one in found.sealed],
        "shares": found.shares,
    }


def _lines(found: SetDiff) -> Iterator[str]:
    if found.is_empty:
        yield "no difference"
        return
    parts = {"added": found.added, "removed": found.removed, "changed": found.changed}
    yield ", ".join(f"{len(items):,} {word}" for word, items in parts.items() if items) or "no open case differs"
    yield from (f"+ {safe(name)} ({split})" for split, name in found.added)
    yield from (f"- {safe(name)} ({split})" for split, name in found.removed)
    for one in found.changed:
        moved = f"{one.moved_from} → {one.split}" if one.moved_from else one.split
        yield f"~ {safe(one.id)} ({moved})"
        yield from (f"    {field.field}: {_told(field)}" for field in one.fields)
    if found.sealed:
        sides = (f"{one.cases:,} cases {short(one.hash)}" if one else "none" for one in found.sealed)
        yield f"sealed: {' → '.join(sides)}"
    if found.shares:
        yield "traffic shares: " + " → ".join(json.dumps(one, sort_keys=True) for one in found.shares)


def _told(field: FieldChange) -> str:
    """A field's change in a line: of texts the words that differ with a few around them."""
    if not field.words:
        before, after = (safe(json.dumps(one, ensure_ascii=False), 200) for one in (field.before, field.after))
        return f"{before} → {after}"
    told = ""
    for at, (kind, text) in enumerate(field.words):
        if kind == "same":
            told += _short(text, first=at == 0, last=at == len(field.words) - 1)
        else:
            told += f"[-{text}-]" if kind == "removed" else f"{{+{text}+}}"
    return safe(told, SHOWN)


def _short(text: str, *, first: bool, last: bool) -> str:
    if len(text) <= 2 * AROUND:
        return text
    return ("" if first else text[:AROUND]) + "…" + ("" if last else text[-AROUND:])
