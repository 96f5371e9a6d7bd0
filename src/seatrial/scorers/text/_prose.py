"""What of an answer is prose: code, quotations and addresses left out, and the rest cut into sentences and words.

Everything keeps its offsets: what is left out becomes spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_CODE = (
    r"^[ \t>]{0,12}(?P<fence>`{3,}|~{3,})[^\n]*"
    r"(?:\n(?:(?![ \t>]{0,12}(?P=fence)).*(?:\n|\Z))*(?:[ \t>]{0,12}(?P=fence)[^\n]*)?)?"
)
_INLINE = r"(?<!`)`[^`\n]{1,500}`(?!`)"
_ADDRESS = (
    r"\b[a-z][a-z0-9+.-]{1,15}://[^\s<>\"]+"
    r"|\bwww\.[^\s<>\"]+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,100}"
)
_TAG = r"</?[a-z!][^<>\n]{0,300}>"
_QUOTED = (
    r"“[^“”\n]{1,1000}”|„[^„“”\n]{1,1000}[“”]|«[^«»\n]{1,1000}»|»[^«»\n]{1,1000}«|「[^「」\n]{1,1000}」|『[^『』\n]{1,1000}』"
    r"|(?<!\w)\"[^\"\n]{1,1000}\"(?!\w)|^[ \t]{0,3}>[^\n]*"
)
_FLAGS = re.MULTILINE | re.IGNORECASE
_NO_CODE = re.compile("|".join((_CODE, _INLINE, _ADDRESS, _TAG)), _FLAGS)
_OWN_WORDS = re.compile("|".join((_CODE, _INLINE, _ADDRESS, _TAG, _QUOTED)), _FLAGS)
_NOT_BREAK = re.compile(r"[^\n]")
_MARKS = frozenset('`~@<:“„«»「『">w')


def without_code(text: str) -> str:
    """The text with code, addresses and tags as spaces; offsets stay."""
    return _blank(_NO_CODE, text)


def own_words(text: str) -> str:
    """The text with code, addresses, tags and quotations as spaces: what its author says; offsets stay."""
    return _blank(_OWN_WORDS, text)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    if _MARKS.isdisjoint(text):
        return text
    return pattern.sub(lambda match: _NOT_BREAK.sub(" ", match.group()), text)


class Span(NamedTuple):
    """A stretch of a text."""

    start: int
    end: int


_BREAK = re.compile(r"\n(?:[^\S\n]*\n)+|\n(?=[^\S\n]{0,12}(?:[-*+•–#|>]|\d{1,3}[.)])(?:\s|$|[#|]))")
_HEADING = re.compile(r"^[ ]{0,3}#{1,6}[ \t][^\n]*$", re.MULTILINE)
_STOP = re.compile(
    r"(?<![.!?…])[.!?…]+[\"'”’»)\]*_]*(?=\s)|[。！？]+[」』”）]*|(?<![؟।۔])[؟।۔]+(?=\s)"
)  # from the start of a run alone, or a long run would be read once for each of its characters
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“„«]+$")
_LIST_MARK = re.compile(r"[^\S\n]*(?:#{1,6}|>+|[-*+•–]|\d{1,3}[.)])[ \t]+")
_ABBREVIATIONS = frozenset(
    [
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "st",
        "jr",
        "sr",
        "vs",
        "etc",
        "inc",
        "ltd",
        "co",
        "no",
        "nr",
        "fig",
        "approx",
        "dept",
        "est",
        "al",
        "e.g",
        "i.e",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "cf",
        "ca",
        "resp",
        "bzw",
        "z.b",
        "d.h",
        "usw",
        "u.a",
        "evtl",
        "ggf",
        "inkl",
        "str",
        "abs",
        "art",
        "s.o",
        "hr",
        "fr",
        "m",
        "mme",
        "mlle",
        "p.ex",
        "c.-à-d",
        "env",
        "av",
        "sra",
        "dra",
        "ud",
        "uds",
        "p.ej",
        "pág",
        "núm",
        "ej",
    ]
)


def sentences(text: str) -> list[Span]:
    """The sentences of a text that hold a letter or digit, by rules.

    Blank lines, list items, headings and table rows end one; so do . ! ? … before white space, but not after an
    abbreviation or an initial, nor where the text goes on in lower case; and the full stops of Chinese, Japanese,
    Hindi, Urdu and Arabic.
    """
    return [span for block in _blocks(text) for span in _cut(text, block) if _says_something(text, span)]


def _blocks(text: str) -> Iterator[Span]:
    ends = {match.start(): match.end() for match in _BREAK.finditer(text)}
    ends.update({m.end(): m.end() for m in _HEADING.finditer(text) if m.end() not in ends})
    start = 0
    for end, following in sorted(ends.items()):
        yield Span(start, end)
        start = following
    yield Span(start, len(text))


def _cut(text: str, block: Span) -> Iterator[Span]:
    mark = _LIST_MARK.match(text, block.start, block.end)
    start = mark.end() if mark else block.start
    for stop in _STOP.finditer(text, start, block.end):
        if _goes_on(text, start, stop, block.end):
            continue
        yield Span(start, stop.end())
        start = stop.end()
    yield Span(start, block.end)


def _goes_on(text: str, start: int, stop: re.Match[str], end: int) -> bool:
    rest = text[stop.end() : min(end, stop.end() + 20)].lstrip()
    if rest[:1].islower():
        return True
    if stop.group() != ".":
        return False
    before = _WORD_BEFORE.search(text, max(start, stop.start() - 20), stop.start())
    word = before.group() if before else ""
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isupper() and word.isascii() and word != "I")


def _says_something(text: str, span: Span) -> bool:
    return any(c.isalnum() for c in text[span.start : span.end])


WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
"""A word: letters, joined by apostrophes and hyphens."""
