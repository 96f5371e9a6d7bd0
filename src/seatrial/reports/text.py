"""Making hostile text safe to show: what cannot be seen is made visible, what is too long is cut visibly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from seatrial.core.record import Record
from seatrial.verdicts.records import Flip

LONGEST = 4_000
"""Characters of one text that a report shows."""

DEEPEST = 40
"""Levels of nested values that a report shows."""

MOST_ALIKE = 3
"""Of a longer run of one invisible character only the first is shown, and the count."""

FREE_TEXTS = ("input", "expected", "incumbent", "candidate", "incumbent_reason", "candidate_reason")
"""The fields of a flip that hold what people and models wrote, line breaks included."""

_R = TypeVar("_R", bound=Record)

# Controls, soft hyphen, zero-width and bidirectional marks, line separators, tag characters and supplementary
# variation selectors (both can smuggle text), noncharacters and surrogates. The zero-width joiners stay: emoji and
# several scripts need them.
_HIDDEN = re.compile(
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff\ud800-\udfff])\\1*"
)


def _picture(match: re.Match[str]) -> str:
    code, times = ord(match[1]), len(match[0])
    shown = chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
    return shown * times if times <= MOST_ALIKE else f"{shown}×{times:,} "


def visible(text: str) -> str:
    """The text with every character that a reader cannot see, or UTF-8 cannot hold, written out.

    Line feeds and tabs stay, CR LF becomes LF. Control characters become their pictures (␛), others `⟨U+202E⟩`; a
    long run of one of them is counted.
    """
    return _HIDDEN.sub(_picture, text.replace("\r\n", "\n"))


def cut(text: str, limit: int) -> str:
    """The first `limit` characters, saying how many more there were."""
    return text if len(text) <= limit else f"{text[:limit]}… [{len(text) - limit:,} more characters]"


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, its line breaks shown as ⏎."""
    flat = re.sub(r"[ \t]+", " ", text[: limit * 4].strip().replace("\n", " ⏎ "))
    return flat if len(flat) <= limit and len(text) <= limit * 4 else f"{flat[: limit - 1].rstrip()}…"


def clean(record: _R) -> _R:
    """A copy of the record whose every text, keys included, is visible, on one line and at most LONGEST long.

    Only the texts of a flip keep their line breaks: elsewhere a line break could forge a line of the report.
    """
    return cast("_R", _clean(record, 0, lines=False))


def _text(value: str, *, lines: bool) -> str:
    shown = visible(value[:LONGEST])
    if len(value) > LONGEST or len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}… [cut here, {len(value):,} characters in all]"
    return shown if lines else shown.strip().replace("\n", " ⏎ ").replace("\t", " ")


def _clean(value: Any, depth: int, *, lines: bool) -> Any:
    if isinstance(value, str):
        return _text(value, lines=lines)
    if depth > DEEPEST:
        return "…"
    if isinstance(value, Record):
        texts = FREE_TEXTS if isinstance(value, Flip) else ()
        names = type(value).model_fields
        return value.model_copy(
            update={name: _clean(getattr(value, name), depth + 1, lines=name in texts) for name in names}
        )
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {_text(str(key), lines=False): _clean(item, depth + 1, lines=False) for key, item in items}
    if isinstance(value, list | tuple):
        return tuple(_clean(item, depth + 1, lines=False) for item in cast("list[Any]", value))
    return value
