"""What differs between two texts, word by word."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from seatrial.reports.text import one_line

Kind = Literal["same", "changed", "skipped"]

MOST_WORDS = 4_500
"""Longer texts (white space and punctuation count) are shown without marks: comparing them could take seconds."""

MOST_PAIRS = 30_000
"""Equal words may be paired in so many ways; beyond, a text is so repetitive that marks would say little."""

ALIKE = 0.25
"""Below this share of common words, marks would be noise."""

CONTEXT = 25
"""Words kept on each side of a long stretch that both texts share."""

_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text: in both, in this one only, or left out because both share it."""

    kind: Kind
    text: str


def word_diff(old: str, new: str, *, limit: int) -> tuple[list[Part], list[Part]]:
    """The two texts in parts, those that only one of them has being `changed`.

    A side longer than `limit` characters is shortened: first long common stretches are left out, then its end.
    """
    a, b = _WORD.findall(old), _WORD.findall(new)
    if max(len(a), len(b)) > MOST_WORDS or _pairs(a, b) > MOST_PAIRS:
        return _fit([Part("same", old)], limit), _fit([Part("same", new)], limit)
    matcher = SequenceMatcher(None, a, b, autojunk=True)
    if not _alike(matcher, a, b):
        return _fit([Part("same", old)], limit), _fit([Part("same", new)], limit)
    left: list[Part] = []
    right: list[Part] = []
    skip = max(len(old), len(new)) > limit
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        if op == "equal":
            common = _common(a[i1:i2], skip=skip)
            left += common
            right += common
        else:
            left += [Part("changed", "".join(a[i1:i2]))] if i2 > i1 else []
            right += [Part("changed", "".join(b[j1:j2]))] if j2 > j1 else []
    return _fit(left, limit), _fit(right, limit)


def _pairs(a: list[str], b: list[str]) -> int:
    """In how many ways words of both texts can be paired, without those so frequent that the matcher skips them."""
    counts = Counter(b)
    frequent = len(b) // 100 + 1 if len(b) >= 200 else len(b)
    return sum(n for word in a if (n := counts[word]) <= frequent)


def _alike(matcher: SequenceMatcher[str], a: list[str], b: list[str]) -> bool:
    """Whether enough of the words, white space aside, are common."""
    words = sum(not word.isspace() for word in (*a, *b))
    common = sum(not word.isspace() for i, _, n in matcher.get_matching_blocks() for word in a[i : i + n])
    return 2 * common >= ALIKE * words


def _common(words: list[str], *, skip: bool) -> list[Part]:
    left_out = len(words) - 2 * CONTEXT
    if not skip or left_out < 2 * CONTEXT:
        return [Part("same", "".join(words))]
    count = sum(1 for word in words[CONTEXT:-CONTEXT] if not word.isspace())
    return [
        Part("same", "".join(words[:CONTEXT])),
        Part("skipped", f"… {count:,} words alike …"),
        Part("same", "".join(words[-CONTEXT:])),
    ]


def _fit(parts: list[Part], limit: int) -> list[Part]:
    kept: list[Part] = []
    total = sum(len(p.text) for p in parts)
    room = limit
    for part in parts:
        if len(part.text) > room:
            kept.append(Part(part.kind, part.text[:room]))
            kept.append(Part("skipped", f"… {total - limit:,} more characters"))
            break
        kept.append(part)
        room -= len(part.text)
    return kept


def excerpts(old: str, new: str, room: int) -> tuple[str, str]:
    """Both texts on one line of at most `room` characters, begun shortly before they first differ."""
    same = next((i for i, (x, y) in enumerate(zip(old, new, strict=False)) if x != y), min(len(old), len(new)))
    start = same - room // 3
    if max(len(old), len(new)) <= room or start <= 0:
        return one_line(old, room), one_line(new, room)
    space = old.find(" ", start, same)
    start = space + 1 if space >= 0 else start
    return f"…{one_line(old[start:], room - 1)}", f"…{one_line(new[start:], room - 1)}"
