"""Whether an answer is a well-formed piece of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import accumulate
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, field_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, Flag, OneOrMore, Whole, encodable, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.text.xml_valid import inside_fence

MAX_LENGTH = 500_000
MAX_FAULTS = 20
MAX_DEPTH = 512

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
_MAY_STAY_OPEN = frozenset(
    [
        "html",
        "head",
        "body",
        "p",
        "li",
        "dt",
        "dd",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "colgroup",
        "caption",
        "option",
        "optgroup",
        "rt",
        "rp",
    ]
)
_BLOCKS = [
    "address",
    "article",
    "aside",
    "blockquote",
    "details",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
]
_ELEMENTS = (
    VOID
    | _MAY_STAY_OPEN
    | frozenset(_BLOCKS)
    | frozenset(
        [
            "a",
            "abbr",
            "audio",
            "b",
            "bdi",
            "bdo",
            "button",
            "canvas",
            "cite",
            "code",
            "data",
            "datalist",
            "del",
            "dfn",
            "dialog",
            "em",
            "i",
            "iframe",
            "ins",
            "kbd",
            "label",
            "legend",
            "map",
            "mark",
            "math",
            "meter",
            "noscript",
            "object",
            "output",
            "picture",
            "progress",
            "q",
            "ruby",
            "s",
            "samp",
            "script",
            "search",
            "section",
            "select",
            "slot",
            "small",
            "span",
            "strong",
            "style",
            "sub",
            "summary",
            "sup",
            "svg",
            "template",
            "textarea",
            "time",
            "title",
            "u",
            "var",
            "video",
        ]
    )
)
_CLOSES: dict[str, frozenset[str]] = {
    **dict.fromkeys(_BLOCKS, frozenset({"p"})),
    "li": frozenset({"li", "p"}),
    "dt": frozenset({"dt", "dd", "p"}),
    "dd": frozenset({"dt", "dd", "p"}),
    "td": frozenset({"td", "th", "p"}),
    "th": frozenset({"td", "th", "p"}),
    "tr": frozenset({"tr", "td", "th", "p", "colgroup", "caption"}),
    **dict.fromkeys(
        ("thead", "tbody", "tfoot"),
        frozenset(["thead", "tbody", "tfoot", "tr", "td", "th", "p", "colgroup", "caption"]),
    ),
    "option": frozenset({"option"}),
    "optgroup": frozenset({"option", "optgroup"}),
    "rt": frozenset({"rt", "rp"}),
    "rp": frozenset({"rt", "rp"}),
    "body": frozenset({"head"}),
}
"""What an opening tag ends, where it is open right around it."""

_LINKS = frozenset({"href", "src", "action", "formaction", "data", "poster", "xlink:href"})
_SCRIPT_LINK = re.compile(r"[\x00-\x20]*(?:j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t|vbscript)\s*:", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MALFORMED = re.compile(r"</(?![a-z])|<!(?!--|doctype\b|\[cdata\[)|<\?", re.IGNORECASE)
_NEVER_CLOSED = (("<!--", "-->", "a comment"), ("<![CDATA[", "]]>", "a CDATA section"))


class Fault(NamedTuple):
    """What is wrong at an offset."""

    rule: str
    note: str
    at: int
    quote: str


class _Reader(HTMLParser):
    """Keeps the stack of open elements; collects faults."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.faults: list[Fault] = []
        self.tags: set[str] = set()
        self.open: list[tuple[str, int]] = []
        self.foreign = 0
        self.ids: set[str] = set()
        self.starts = list(accumulate((len(line) for line in text.split("\n")), lambda a, n: a + n + 1, initial=0))
        self.feed(text)
        self.close()
        for tag, at in self.open:
            if tag not in _MAY_STAY_OPEN:
                self._fault("nesting", f"<{tag}> is never closed", at)

    def at(self) -> int:
        """The offset of what is being read."""
        line, column = self.getpos()
        return self.starts[line - 1] + column

    def _fault(self, rule: str, note: str, at: int | None = None) -> None:
        if len(self.faults) < MAX_FAULTS * 5:
            at = self.at() if at is None else at
            end = self.text.find(">", at) + 1 or len(self.text)
            self.faults.append(Fault(rule, note, at, self.text[at : min(end, at + SHOWN)]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens."""
        self._attributes(tag, attrs)
        self.tags.add(tag)
        if tag in VOID:
            return
        ends = _CLOSES.get(tag, frozenset())
        while self.open and self.open[-1][0] in ends:
            self.open.pop()
        self.foreign += tag in ("svg", "math")
        if len(self.open) >= MAX_DEPTH:
            self._fault("nesting", f"nested deeper than {MAX_DEPTH} levels")
        else:
            self.open.append((tag, self.at()))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag with a slash at its end: that closes it in SVG and MathML only."""
        if tag in VOID or self.foreign:
            self._attributes(tag, attrs)
            self.tags.add(tag)
        else:
            self._fault("nesting", f"<{tag}/> does not close itself")
            self.handle_starttag(tag, attrs)
            if self.open and self.open[-1][0] == tag:
                self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """An element ends, and with it what may stay open inside."""
        if tag in VOID:
            if tag != "br":
                self._fault("nesting", f"</{tag}>: this element has no end tag")
            return
        depth = next((i for i in range(len(self.open) - 1, -1, -1) if self.open[i][0] == tag), -1)
        if depth < 0:
            self._fault("nesting", f"</{tag}> closes nothing")
            return
        for inner, at in self.open[depth + 1 :]:
            if inner not in _MAY_STAY_OPEN:
                self._fault("nesting", f"<{inner}> is still open at </{tag}>", at)
        self.foreign -= sum(name in ("svg", "math") for name, _ in self.open[depth:])
        del self.open[depth:]

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ELEMENTS and "-" not in tag and not self.foreign:
            self._fault("elements", f"<{tag}> is no HTML element")
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self._fault("attributes", f"<{tag}> has an attribute twice")
        for name, value in attrs:
            if name == "id":
                if value in self.ids:
                    self._fault("ids", f"the id {shown(value, 60)} is there twice")
                self.ids.add(value or "")
            if (name.startswith("on") and len(name) > 3) or (name in _LINKS and _SCRIPT_LINK.match(value or "")):
                self._fault("scripts", f"<{tag}> runs a script by its {shown(name, 40)}")


def _cut_off(text: str) -> Fault | None:
    """What is opened and never ends, so that the rest of the text could be read as anything."""
    for start, end, name in _NEVER_CLOSED:
        at = text.find(start, text.rfind(end) + 1)
        if at >= 0:
            return Fault("syntax", f"{name} is never closed", at, text[at : at + SHOWN])
    match = re.compile(r"</?[a-zA-Z!]").search(text, text.rfind(">") + 1)
    if match:
        return Fault("syntax", "a tag is cut off", match.start(), text[match.start() :][:SHOWN])
    match = _MALFORMED.search(_COMMENT.sub(lambda found: " " * len(found.group()), text))
    return Fault("syntax", "a malformed tag", match.start(), text[match.start() :][: SHOWN // 4]) if match else None


Tags = Annotated[tuple[Text, ...], OneOrMore]


class HtmlValid(BuiltinScorer):
    """Whether the answer is a well-formed piece of HTML with nothing in it that must not be there.

    Rules, each kept or broken: `syntax` (no tag or comment cut off or malformed, at least one element, and with
    `only: true` nothing around it), `nesting` (every element closed, in order; end tags that HTML lets one leave
    out may be), `elements` (known to HTML, or with a hyphen; `forbidden` and `allowed` tags), `attributes` (none
    twice), `ids` (none twice), `scripts` (no on… attribute and no javascript: address), `required` (tags that must
    be there). `fenced: true` takes one code fence around it. Read by Python's html.parser; nothing is loaded or
    run.
    Example: `{required: [table], forbidden: [script, style]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("html_valid", "1", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="kept rules / all rules (syntax, nesting, elements, attributes, ids, scripts, and required where "
        "given); 0 where the syntax rule is broken. Passes when all are kept.",
        examples=(
            Example("q", '<ul><li>One<li>Two</ul><p id="end">Done', 1.0, True, note="li and p need no end tag"),
            Example("q", "<b><i>both</b></i>", 5 / 6, False, note="misnested"),
            Example("q", '<p onclick="x()">Hi</p>', 5 / 6, False),
            Example("q", "no markup at all", 0.0, False),
            Example("q", "<p>Hi</p>", 6 / 7, False, {"required": "table"}),
        ),
        fails=(
            "Content models are not checked: a <div> in a <span>, or a <td> outside a table, passes.",
            "html.parser forgives some faults inside a tag, like a missing space between attributes.",
            "It is no sanitiser: what passes here can still be unsafe to show to others.",
        ),
        sources=("HTML Living Standard, section 13 (the HTML syntax)",),
        also_called=("promptfoo:is-html", "promptfoo:contains-html"),
    )
    required: Tags = Field(default=(), description="Tags that must be there")
    forbidden: Tags = Field(default=("script", "iframe", "object", "embed"), description="Tags that must not be there")
    allowed: Tags | None = Field(default=None, description="The only tags that may be there")
    scripts: Flag = Field(default=False, description="Let on… attributes and javascript: addresses pass")
    only: Flag = Field(default=False, description="Nothing but HTML: no words before the first tag or after the last")
    fenced: Flag = Field(default=False, description="Take one code fence around it")
    max_length: Whole = Field(default=MAX_LENGTH, ge=1, le=MAX_LENGTH, description="In characters; longer fails")

    @field_validator("required", "forbidden", "allowed")
    @classmethod
    def _lower(cls, tags: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if tags is None else tuple(tag.strip("<>/ ").lower() for tag in tags)

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        text, offset = inside_fence(output.text) if self.fenced else (output.text, 0)
        text = encodable(text)
        rules = 6 + bool(self.required)
        fault = self._syntax(text)
        if fault is not None:
            return _score(0.0, [fault], offset)
        reader = _Reader(text)
        if not reader.tags:
            return _score(0.0, [Fault("syntax", "holds no element", 0, "")], offset)
        faults = [f for f in reader.faults if f.rule != "scripts" or not self.scripts]
        faults += self._elements(reader)
        return _score(1 - len({f.rule for f in faults}) / rules, faults, offset)

    def _syntax(self, text: str) -> Fault | None:
        if len(text) > self.max_length:
            return Fault("syntax", f"longer than {self.max_length} characters", 0, "")
        bare = text.strip()
        if self.only and not (bare.startswith("<") and bare.endswith(">")):
            return Fault("syntax", "there is text around the HTML", 0, bare[:SHOWN])
        return _cut_off(text)

    def _elements(self, reader: _Reader) -> Iterable[Fault]:
        for tag in sorted(reader.tags):
            if tag in self.forbidden or (self.allowed is not None and tag not in self.allowed):
                match = re.search(rf"<{re.escape(tag)}\b", reader.text, re.IGNORECASE)
                at = match.start() if match else 0
                yield Fault("elements", f"<{tag}> is not allowed", at, reader.text[at : at + SHOWN // 4])
        for tag in self.required:
            if tag not in reader.tags:
                yield Fault("required", f"has no <{tag}>", 0, "")


def _score(value: float, faults: list[Fault], offset: int) -> Score:
    evidence = tuple(
        Evidence(where="text", quote=f.quote, start=offset + f.at, end=offset + f.at + len(f.quote), note=f.note)
        for f in sorted(faults, key=lambda f: f.at)[:MAX_FAULTS]
    )
    reason = shown(f"{faults[0].note}; {len(faults)} faults in all")[1:-1] if faults else "is well-formed"
    return Score.graded(value, 1.0, reason, evidence=evidence)
