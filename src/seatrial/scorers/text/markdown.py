"""Whether Markdown renders as it was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from typing import Annotated, ClassVar, Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, OneOrMore, Whole
from seatrial.scorers.card import Card, Example

MAX_LENGTH = 200_000
MAX_FAULTS = 20

Element = Literal[
    "heading", "list", "ordered_list", "bullet_list", "code_block", "indented_code", "quote", "table", "link", "image",
    "emphasis", "strong", "strikethrough", "code", "rule", "html",
]  # fmt: skip
Check = Literal["fences", "tables", "html", "links", "emphasis", "code_spans", "bare_code"]
_DEFAULT: tuple[Check, ...] = ("fences", "tables", "html", "links", "emphasis", "code_spans")

_NAMES: dict[str, tuple[Element, ...]] = {
    "heading_open": ("heading",),
    "ordered_list_open": ("list", "ordered_list"),
    "bullet_list_open": ("list", "bullet_list"),
    "fence": ("code_block",),
    "code_block": ("indented_code",),
    "blockquote_open": ("quote",),
    "table_open": ("table",),
    "link_open": ("link",),
    "image": ("image",),
    "em_open": ("emphasis",),
    "strong_open": ("strong",),
    "s_open": ("strikethrough",),
    "code_inline": ("code",),
    "hr": ("rule",),
    "html_block": ("html",),
    "html_inline": ("html",),
}


class Fault(NamedTuple):
    """What is wrong at a place of a text."""

    check: str
    note: str
    start: int
    end: int


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # `text_join` would merge escaped characters into the text around them, and they are no fault
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")


class _Document:
    """A parsed text, with the places of its lines."""

    def __init__(self, text: str) -> None:
        # what the parser counts as lines: \r\n and \r are one break each, and offsets stay
        self.text = text
        self.starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
        self.lines = [text[a:b].rstrip("\r\n") for a, b in pairwise([*self.starts, len(text)])]
        self.tokens: Sequence[Token] = _parser().parse(text)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The offsets of a range of lines, the last one left out."""
        last = min(last, len(self.lines))
        end = self.starts[last - 1] + len(self.lines[last - 1]) if last > first else self.starts[first]
        return self.starts[first], end

    def inline(self) -> Iterator[tuple[Token, tuple[int, int]]]:
        """Every run of inline content with the lines it stands in."""
        for token in self.tokens:
            if token.type == "inline" and token.map is not None:
                yield token, (token.map[0], token.map[1])


_CONTAINER = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*[ \t>]*")


def open_fences(doc: _Document) -> Iterator[Fault]:
    """Code fences that nothing closes: all that follows them is shown as code."""
    for token in doc.tokens:
        if token.type != "fence" or token.map is None:
            continue
        first, last = token.map
        mark = token.markup
        closing = _CONTAINER.sub("", doc.lines[last - 1]).strip() if last - 1 > first else ""
        if len(closing) < len(mark) or set(closing) != {mark[0]}:
            yield Fault("fences", "the code fence is never closed", *doc.span(first, last))


_DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?|\|[ \t]*:?-+:?[ \t]*\|")
_ROW = re.compile(r"\|.*\|")


def _cells(row: str) -> int:
    """How many cells a row has; a pipe counts unless a backslash stands before it, in code spans too."""
    bare = row.strip().replace("\\\\", "").replace("\\|", "")
    return bare.removeprefix("|").removesuffix("|").count("|") + 1


def broken_tables(doc: _Document) -> Iterator[Fault]:
    """Rows whose cells are not as many as the header's, and text that looks like a table and is none."""
    header, cells = 0, set[int]()
    for token in doc.tokens:
        if token.type == "table_open" and token.map is not None:
            header = _cells(_CONTAINER.sub("", doc.lines[token.map[0]]))
            cells.update(range(*token.map))
        elif token.type == "tr_open" and token.map is not None and (n := _row_cells(doc, token.map[0])) != header:
            yield Fault("tables", f"the row has {n} cells, the header {header}", *doc.span(*token.map))
    for token, (first, last) in doc.inline():
        if "|" in token.content and first not in cells:
            lines = [_CONTAINER.sub("", line).strip() for line in doc.lines[first:last]]
            for at, line in enumerate(lines, first):
                if _DELIMITER.fullmatch(line) and len(lines) > 1:
                    yield Fault("tables", "the delimiter row does not fit the row above it", *doc.span(at, at + 1))
                elif _ROW.fullmatch(line) and len(line) > 2 and line.count("|") > 2:
                    yield Fault("tables", "a row that belongs to no table", *doc.span(at, at + 1))


def _row_cells(doc: _Document, line: int) -> int:
    return _cells(_CONTAINER.sub("", doc.lines[line]))


_TAG = re.compile(r"<(?:/?([a-zA-Z][a-zA-Z0-9-]*)|(!--|!|\?))")


def raw_html(doc: _Document, allowed: frozenset[str]) -> Iterator[Fault]:
    """Tags, comments and declarations outside code, but for the allowed tags."""
    for token in doc.tokens:
        if token.type == "html_block" and token.map is not None:
            yield from _tags(doc, token.content, token.map[0], token.map[1], allowed)
    for token, (first, last) in doc.inline():
        for child in token.children or ():
            if child.type == "html_inline":
                yield from _tags(doc, child.content, first, last, allowed)


def _tags(doc: _Document, content: str, first: int, last: int, allowed: frozenset[str]) -> Iterator[Fault]:
    begin, end = doc.span(first, last)
    for match in _TAG.finditer(content):
        name = (match[1] or {"!--": "comment"}.get(match[2], "declaration")).lower()
        if name not in allowed:
            at = doc.text.find(match.group(), begin, end)
            place = (at, at + len(match.group())) if at >= 0 else (begin, end)
            yield Fault("html", f"raw HTML: {name}", *place)


_LITERAL_LINK = re.compile(r"(?<![\w\])])!?\[[^\[\]\n]{0,300}\](?:\(|\[[^\[\]\n]{1,100}\])")
_MAY_BE_LINK = re.compile(r"\]\(|\]\[")
_STRONG = re.compile(r"\*\*")
_NOT_MEANT = re.compile(r"\*\*(?:kw)?args\b|\*\*/|/\*\*")


def literal_marks(doc: _Document, checks: frozenset[str]) -> Iterator[Fault]:
    """Links, strong emphasis and code spans that are shown as the characters they are written with."""
    for token, (first, last) in doc.inline():
        for child in token.children or ():
            if child.type == "link_open" and "links" in checks and not child.attrs.get("href"):
                yield Fault("links", "the link leads nowhere", *doc.span(first, last))
            if child.type == "text":
                for check, note, found in _literals(child.content):
                    if check in checks:
                        yield _placed(doc, found, first, last, check, note)


def _literals(text: str) -> Iterator[tuple[str, str, str]]:
    if _MAY_BE_LINK.search(text):
        for match in _LITERAL_LINK.finditer(text):
            yield "links", "the link is not closed, or its target holds spaces or is not defined", match.group()
    for match in _STRONG.finditer(text):
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        if not before.strip() and not after.strip():
            continue  # an operator, or a blank to fill in
        if _is_name(before) and _is_name(after):
            continue  # 2**3
        if _NOT_MEANT.search(text, max(0, match.start() - 1), match.end() + 8) or "*" in (before, after):
            continue
        yield "emphasis", "emphasis that is opened or closed but not both", match.group()
    if "`" in text:
        yield "code_spans", "a backtick that opens no code", "`"


def _is_name(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _placed(doc: _Document, found: str, first: int, last: int, check: str, note: str) -> Fault:
    begin, end = doc.span(first, last)
    at = doc.text.find(found, begin, end) if doc.text.count(found, begin, end) == 1 else -1
    return Fault(check, note, *((at, at + len(found)) if at >= 0 else (begin, end)))


_CODE_LINE = re.compile(
    r"\s*(?:(?:def|class)\s+\w+.{0,200}:|(?:from\s+[\w.]+\s+)?import\s+[\w.{*]|#include\b|(?:const|let|var)\s+\w+\s*=|"
    r"(?:public|private|static|function|func|fn)\s+\w.{0,200}[({]|return\b.{0,200};|\w[\w.\[\]]{0,80}\s*[-+*/]?=\s*\S"
    r"|\w[\w.]{0,80}\(.{0,200}\);?$|.{0,200}[;{]$|[}\])]+[;,]?$|</?\w+[^>]{0,200}>$|\$ \w)"
)


def bare_code(doc: _Document) -> Iterator[Fault]:
    """Paragraphs of two lines or more that look like code and are in no code block."""
    for _, (first, last) in doc.inline():
        lines = doc.lines[first:last]
        if len(lines) > 1 and sum(bool(_CODE_LINE.match(line)) for line in lines) * 3 >= len(lines) * 2:
            yield Fault("bare_code", "code outside a code block", *doc.span(first, last))


Elements = Annotated[tuple[Element, ...], OneOrMore]


class Markdown(BuiltinScorer):
    """Whether the answer's Markdown renders as it was meant, and uses the elements it should.

    CommonMark 0.31 with the tables and strikethrough of GitHub's flavour, by markdown-it-py. Any text is Markdown, so
    what is checked is what goes wrong in the rendering: `fences` (a code fence that nothing closes), `tables` (a row
    with more or fewer cells than the header, rows without a delimiter row), `html` (raw tags and comments, but for
    `allowed_html`; HTML in code is none), `links`, `emphasis` (strong) and `code_spans` whose marks stay visible; and
    `bare_code` (code outside code blocks, by its looks) where `checks` names it. `require`, `allow` and `forbid` name
    elements, `max_heading_level` the deepest heading. Every fault is evidence with its place.
    Example: `{require: [table], max_heading_level: 3}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("markdown", "1", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="kept checks / all checks: those of `checks`, and one each for `require`, `allow`, `forbid` and "
        "`max_heading_level` where given. Passes when all are kept.",
        examples=(
            Example("q", "# Plan\n\n1. Buy\n2. Sell\n\n```py\nprint(1)\n```", 1.0, True),
            Example("q", "Run this:\n\n```py\nprint(1)\n", 5 / 6, False, note="the fence is never closed"),
            Example("q", "| a | b |\n|---|---|\n| 1 | 2 | 3 |", 5 / 6, False, note="a cell too many is dropped"),
            Example("q", "```html\n<script>\n```", 1.0, True, note="HTML in a code block is no raw HTML"),
            Example("q", "plain words", 6 / 7, False, {"require": "table"}),
        ),
        fails=(
            "Single asterisks, and underscores, that stay visible are let pass: footnotes, blanks and names use them.",
            "Extensions (footnotes, math, task lists, definition lists) are plain text to it, and so is front matter.",
            "`bare_code` goes by looks: verse with semicolons may be taken for code, and one line of code never is.",
            "Only the first 200,000 characters are read.",
        ),
        sources=("CommonMark 0.31.2", "GitHub Flavored Markdown 0.29, tables and strikethrough"),
    )
    checks: Annotated[tuple[Check, ...], OneOrMore] = Field(default=_DEFAULT, description="What must not go wrong")
    require: Elements = Field(default=(), description="Elements that must be there")
    allow: Elements | None = Field(default=None, description="The only elements that may be there, beside paragraphs")
    forbid: Elements = Field(default=(), description="Elements that must not be there")
    max_heading_level: Whole | None = Field(default=None, ge=1, le=6)
    allowed_html: Annotated[tuple[Text, ...], OneOrMore] = Field(
        default=("br",), description="Tags that `html` lets pass; `comment` stands for comments"
    )

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        doc = _Document(output.text[:MAX_LENGTH])
        faults = [fault for found in (*self._faults(doc), self._elements(doc)) for fault in islice(found, MAX_FAULTS)]
        asked = {*self.checks, *(name for name in ("require", "forbid") if getattr(self, name))}
        asked |= {name for name in ("allow", "max_heading_level") if getattr(self, name) is not None}
        if not asked:
            return Score.binary(True, "nothing was to be checked")
        broken = {fault.check for fault in faults}
        evidence = tuple(
            Evidence(where="text", quote=doc.text[f.start : f.end][:SHOWN], start=f.start, end=f.end, note=f.note)
            for f in sorted(faults, key=lambda f: f.start)[:MAX_FAULTS]
        )
        reason = f"{faults[0].note}; {len(faults)} faults in all" if faults else "renders as it was meant"
        return Score.graded(1 - len(broken) / len(asked), 1.0, reason, evidence=evidence)

    def _faults(self, doc: _Document) -> Iterator[Iterator[Fault]]:
        checks = frozenset(self.checks)
        if "fences" in checks:
            yield open_fences(doc)
        if "tables" in checks:
            yield broken_tables(doc)
        if "html" in checks:
            yield raw_html(doc, frozenset(name.lower() for name in self.allowed_html))
        if checks & {"links", "emphasis", "code_spans"}:
            yield literal_marks(doc, checks)
        if "bare_code" in checks:
            yield bare_code(doc)

    def _elements(self, doc: _Document) -> Iterator[Fault]:
        found: dict[Element, tuple[int, int]] = {}
        for token, place in _walk(doc):
            for element in _NAMES.get(token.type, ()):
                found.setdefault(element, place)
            level = int(token.tag[1]) if token.type == "heading_open" else 0
            if self.max_heading_level is not None and level > self.max_heading_level:
                note = f"a heading of level {level}, at most {self.max_heading_level} allowed"
                yield Fault("max_heading_level", note, *doc.span(*place))
        for element in self.require:
            if element not in found:
                yield Fault("require", f"has no {element}", 0, 0)
        for element, place in found.items():
            if element in self.forbid:
                yield Fault("forbid", f"has a {element}, which is forbidden", *doc.span(*place))
            if self.allow is not None and not self._allows(element):
                yield Fault("allow", f"has a {element}, which is not allowed", *doc.span(*place))

    def _allows(self, element: Element) -> bool:
        allowed = self.allow or ()
        return (
            element in allowed
            or (element == "list" and bool({"ordered_list", "bullet_list"} & set(allowed)))
            or (element in ("ordered_list", "bullet_list") and "list" in allowed)
        )


def _walk(doc: _Document) -> Iterator[tuple[Token, tuple[int, int]]]:
    place = (0, 1)
    for token in doc.tokens:
        if token.map is not None:
            place = (token.map[0], token.map[1])
        yield token, place
        for child in token.children or ():
            yield child, place
