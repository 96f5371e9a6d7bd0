"""Whether an answer is well-formed XML, read without entities and without anything from outside."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, ClassVar
from xml.parsers import expat  # every declaration is refused before it is used

from pydantic import Field, field_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, Flag, OneOrMore, Whole, encodable, shown
from seatrial.scorers.card import Card, Example

NEAR = 40
_FENCED = re.compile(r"[^\S\n]*```[a-zA-Z]*[^\S\n]*\n(.*)\n[^\S\n]*```", re.DOTALL)
_PATH = re.compile(r"(?://)?(?:\*|[^\W\d][\w.-]*)(?:/(?:\*|[^\W\d][\w.-]*))*(?:/@[^\W\d][\w.-]*)?|//@[^\W\d][\w.-]*")


class _RefusedError(Exception):
    """What this scorer does not read."""


def inside_fence(text: str) -> tuple[str, int]:
    """What a code fence around the whole text holds, and where it starts; the text itself where there is none."""
    lead = len(text) - len(text.lstrip())
    match = _FENCED.fullmatch(text.rstrip(), lead) if text.startswith("```", lead) else None
    return (match[1], match.start(1)) if match else (text, 0)


class _Reader:
    """Walks a document; notes which of the wanted paths it has."""

    def __init__(self, wanted: dict[str, tuple[bool, tuple[str, ...], str]], max_depth: int) -> None:
        self.left = dict(wanted)
        self.max_depth = max_depth
        self.stack: list[str] = []
        self.root = ""
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def read(self, text: str) -> None:
        """Read a whole document. Raises ExpatError and _RefusedError."""
        self.parser.Parse(text.encode(), True)

    def _doctype(self, *_: object) -> None:
        raise _RefusedError("holds a document type declaration, which is not read: it can define entities")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self.root = self.root or local
        self.stack.append(local)
        if len(self.stack) > self.max_depth:
            raise _RefusedError(f"is nested deeper than {self.max_depth} levels")
        if self.left:
            names = {key.rpartition(" ")[2] for key in attributes}
            for path in [p for p, step in self.left.items() if self._is_at(*step, names)]:
                del self.left[path]

    def _is_at(self, anywhere: bool, steps: tuple[str, ...], attribute: str, names: set[str]) -> bool:
        if attribute and attribute not in names:
            return False
        here = self.stack[-len(steps) :] if steps and anywhere else self.stack if steps else []
        return len(here) == len(steps) and all(want in ("*", name) for want, name in zip(steps, here, strict=True))

    def _end(self, name: str) -> None:
        del name
        self.stack.pop()


class XmlValid(BuiltinScorer):
    """Whether the answer is well-formed XML, and has the elements and attributes that it must have.

    Well-formed with namespaces, by expat. Nothing is loaded and nothing expanded: a document type declaration (and
    with it every entity of one's own) fails, and so does nesting beyond `max_depth`. `require` lists paths from the
    root: `order/item/@id`, with `*` for any name, `//item` for one at any depth, `//@id` for an attribute anywhere;
    names are compared without their prefix. `root` is the name of the outermost element. White space around the
    document is ignored; `fenced: true` also takes one code fence around it.
    Example: `{root: order, require: [order/item, order/@id]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("xml_valid", "1")
    card: ClassVar[Card] = Card(
        formula="0 where it is not well-formed, else the share of `root` and `require` that are there (1 where neither "
        "is given). Passes at 1.",
        examples=(
            Example("q", '<order id="7"><item/></order>', 1.0, True, {"require": ["order/item", "order/@id"]}),
            Example("q", "<a><b></a></b>", 0.0, False, note="tags that cross"),
            Example("q", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 0.0, False, note="entities are not read"),
            Example("q", "<order/>", 0.5, False, {"root": "order", "require": "order/item"}),
        ),
        fails=(
            "Well-formed is not valid: no schema is applied, so text of the wrong kind or order passes.",
            "A document that needs entities of its own (`&nbsp;` of XHTML) fails.",
        ),
        sources=("Extensible Markup Language (XML) 1.0, fifth edition", "Namespaces in XML 1.0"),
        also_called=("promptfoo:is-xml", "promptfoo:contains-xml"),
    )
    root: Text = Field(default="", description="The name of the outermost element")
    require: Annotated[tuple[Text, ...], OneOrMore] = Field(default=(), description="Paths that must be there")
    fenced: Flag = Field(default=False, description="Take one code fence around the document")
    max_depth: Whole = Field(default=100, ge=1, le=10_000)

    @field_validator("require")
    @classmethod
    def _are_paths(cls, require: tuple[str, ...]) -> tuple[str, ...]:
        for path in require:
            if not _PATH.fullmatch(path):
                raise ValueError(f"{shown(path, 60)} is no path like order/item/@id, //item or order/*/name")
        return require

    @cached_property
    def _wanted(self) -> dict[str, tuple[bool, tuple[str, ...], str]]:
        wanted: dict[str, tuple[bool, tuple[str, ...], str]] = {}
        for path in self.require:
            steps, _, attribute = path.partition("@")
            names = tuple(name for name in steps.split("/") if name)
            wanted[path] = (path.startswith("//"), names or ("*",), attribute)
        return wanted

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        text, offset = inside_fence(output.text) if self.fenced else (output.text, 0)
        offset += len(text) - len(text.lstrip())
        text = encodable(text.strip())
        reader = _Reader(self._wanted, self.max_depth)
        try:
            reader.read(text)
        except expat.ExpatError as cause:
            return _broken(text, offset, reader, f"is not well-formed: {expat.ErrorString(cause.code)}")
        except _RefusedError as cause:
            return _broken(text, offset, reader, str(cause))
        missing = [f"has no {path}" for path in reader.left]
        if self.root and reader.root != self.root:
            missing.insert(0, f"the root is {shown(reader.root, 60)}, expected {shown(self.root, 60)}")
        asked = len(self.require) + bool(self.root)
        evidence = tuple(Evidence(where="text", note=note[:SHOWN]) for note in missing)
        reason = shown(missing[0])[1:-1] if missing else "is well-formed"
        return Score.graded(1 - len(missing) / asked if asked else 1.0, 1.0, reason, evidence=evidence)


def _broken(text: str, offset: int, reader: _Reader, why: str) -> Score:
    data = text.encode()
    at = max(0, min(reader.parser.CurrentByteIndex, len(data)))
    start = len(data[:at].decode(errors="ignore"))
    quote = text[start : start + NEAR] or text[-NEAR:]
    start = min(start, max(0, len(text) - len(quote)))
    span = Evidence(where="text", quote=quote, start=offset + start, end=offset + start + len(quote), note=why)
    return Score.binary(False, why, evidence=(span,))
