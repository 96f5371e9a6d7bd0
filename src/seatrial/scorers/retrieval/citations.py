"""Citations: present where a claim is made, pointing at a document that exists, which bears the claim out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, Flag, Share, Whole, encodable, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.retrieval._checking import Finding, check
from seatrial.scorers.retrieval._claims import Statement, statements
from seatrial.scorers.retrieval.grounding import Against, GroundedScorer, Source, documents, lacks_context, sources_of

_MARKER = re.compile(
    r"\[\^?(?P<many>\d{1,4}(?:\s?[,;–-]\s?\d{1,4}){0,20})\](?!\()"
    r"|[\[(【](?P<word>(?:doc|source|document|quelle|fuente)[-_ :#]{0,2}[\w./-]{1,60})[\])】]"
    r"|\[(?P<id>[A-Za-z][\w./:-]{0,80})\](?!\()"
    r"|\]\((?P<link>https?://[^\s)]{1,500})\)|(?P<url>https?://[^\s)>\]\"']{1,500})",
    re.IGNORECASE,
)
_LINKED = re.compile(r"\[[^\]\n]{0,200}\]\(https?://[^\s)]{1,500}\)|\(https?://[^\s)]{1,500}\)")
_PREFIX = re.compile(r"^(?:doc|source|document|quelle|fuente)[-_ :#]*", re.IGNORECASE)
_FOOTNOTE = re.compile(r"^[ \t]*\[\^?(\d{1,4})\][:.]?[ \t]+(\S[^\n]{0,500})$", re.MULTILINE)
MAX_MARKERS = 200


class Cited(NamedTuple):
    """A citation: its span, what it says, and the number of the document that it points at, -1 where none."""

    start: int
    end: int
    name: str
    source: int


def citations(text: str, found: Sequence[Source], first: int) -> list[Cited]:
    """Every citation in an answer. `first` is the number that the first document goes by."""
    notes = {m[1]: m[2].strip() for m in _FOOTNOTE.finditer(text)}
    told = [m.span() for m in _FOOTNOTE.finditer(text)]
    ids = _names(found)
    made: list[Cited] = []
    for match in _MARKER.finditer(text):
        if len(made) >= MAX_MARKERS:
            break
        if any(start <= match.start() < end for start, end in told):
            continue
        if match["many"] is not None:
            made += [Cited(*match.span(), n, _numbered(n, notes, ids, found, first)) for n in _numbers(match["many"])]
            continue
        name = match["word"] or match["id"] or (match["link"] or match["url"]).rstrip(".,;:!?")
        source = _named(name, ids, found, first)
        if source >= 0 or match["id"] is None:
            made.append(Cited(*match.span(), name, source))
    return made


def _numbers(text: str) -> list[str]:
    found: list[str] = []
    for part in re.split(r"\s?[,;]\s?", text):
        low, _, high = re.sub(r"\s", "", part).replace("–", "-").partition("-")
        last = int(high) if high else int(low)
        found += [str(n) for n in range(int(low), last + 1)][:20] if last >= int(low) else [low, high]
    return found


def _names(found: Sequence[Source]) -> dict[str, int]:
    names: dict[str, int] = {}
    for i, (_, document) in enumerate(found):
        title = document.metadata.get("title")
        for name in (document.id, document.source, title if isinstance(title, str) else ""):
            if name:
                names.setdefault(name.casefold().rstrip("/"), i)
    return names


def _numbered(number: str, notes: dict[str, str], ids: dict[str, int], found: Sequence[Source], first: int) -> int:
    if number in notes:
        note = notes[number].casefold().rstrip("/.")
        return next((i for name, i in ids.items() if name in note), -1)
    if number in ids:
        return ids[number]
    at = int(number) - first
    return at if 0 <= at < len(found) else -1


def _named(name: str, ids: dict[str, int], found: Sequence[Source], first: int) -> int:
    folded = name.casefold().rstrip("/")
    bare = _PREFIX.sub("", folded)
    for form in (folded, bare, folded.replace(" ", "-"), folded.replace(" ", "_"), folded.replace(" ", "")):
        if form in ids:
            return ids[form]
    at = int(bare) - first if bare.isdecimal() and len(bare) < 6 else -1
    return at if 0 <= at < len(found) else -1


class _Fault(NamedTuple):
    kind: str
    start: int
    end: int
    note: str
    name: str = ""


class Citations(GroundedScorer):
    """Whether claims cite their source: a citation where there should be one, of a document that bears the claim out.

    Read are `[1]`, `[1, 3]`, `[2-4]`, `[^1]` with its note, `(doc-3)`, `[source: handbook]`, a document's own id in
    brackets, links and bare addresses. A number counts from `first`, a document's own id stands before it. Each claim
    is missing (no citation), dangling (of no document), wrong (another document bears it out, or this one says
    otherwise), not decided (the cited one does not tell, as `groundedness` sees it; a judge decides it), or good. With
    `required: false` claims without a citation are left alone; with `check_support: false` only presence and existence
    count.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("citations", "3", needs=frozenset({"context"}), cost="heavy")
    against: Against = "both"
    required: Flag = Field(default=True, description="Whether every claim needs a citation")
    check_support: Flag = Field(default=True, description="Whether the cited document must bear the claim out")
    first: Whole = Field(default=1, ge=0, le=1, description="The number that the first document goes by")
    threshold: Share = Field(default=1.0, description="The share of good claims from which it passes")
    card: ClassVar[Card] = Card(
        formula="claims with good citations / claims that need or have one; passed from the threshold, 1.",
        examples=(
            Example(
                {"context": ["Delivery costs $4.", "Returns are free."]},
                "Delivery costs $4 [1]. Returns are free [2].", 1.0, True,
            ),
            Example(
                {"context": ["Delivery costs $4.", "Returns are free."]},
                "Delivery costs $4 [2]. Returns are free [3].", 0.0, False, note="a wrong and a dangling one",
            ),
            Example({"context": ["Delivery costs $4."]}, "Delivery costs $4.", 0.0, False, note="missing"),
        ),
        fails=(
            "What `groundedness` cannot decide of a claim, it cannot decide of its citation.",
            "A citation at a paragraph's end counts for its last sentence only.",
        ),
        sources=("Gao et al. 2023, Enabling Large Language Models to Generate Text with Citations",),
        also_called=("futureagi:source_attribution", "futureagi:citation_presence", "article:Citation Accuracy"),
    )  # fmt: skip

    def applies(self, case: Case) -> str:
        """Empty, unless only the case's own context counts and it has none."""
        return lacks_context(case, self.against)

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        text = encodable(output.text)
        found = documents(case, output, self.against)
        cited = citations(text, found, self.first)
        bare = text
        for pattern in (_FOOTNOTE, _LINKED, _MARKER):
            bare = pattern.sub(lambda m: " " * len(m.group()), bare)
        taken = statements(bare, case.text)
        faults: list[_Fault] = []
        good = open_ones = 0
        for i, statement in enumerate(taken.claims):
            following = taken.claims[i + 1].end if i + 1 < len(taken.claims) else len(text)
            begin = (
                statement.start
                + len(bare[statement.start : statement.end])
                - len(bare[statement.start : statement.end].lstrip())
            )
            mine = [c for c in cited if begin <= c.start < _reach(text, statement.end, following)]
            if not mine and not self.required:
                continue
            fault = self._first_fault(statement, mine) or await self._unsupported(text, case, statement, mine, found)
            good += fault is None
            open_ones += fault is not None and fault.kind == "not decided"
            faults += [fault] if fault is not None else []
        total = good + len(faults)
        if not total:
            return Score.binary(False, "makes no claim whose citation could be checked")
        evidence = tuple(
            Evidence(where="text", quote=text[f.start : f.end].strip()[:SHOWN], start=f.start, end=f.end, found=f.kind,
                     expected=f.name or None, note=f.note)
            for f in sorted(faults, key=lambda f: (f.kind == "not decided", f.start))[:50]
        )  # fmt: skip
        value = good / total
        passed = True if value >= self.threshold else None if (good + open_ones) / total >= self.threshold else False
        worst = evidence[0] if evidence else None
        reason = f"{good} of {total} claims are cited well" + (
            f"; {worst.found}: {shown(' '.join(worst.quote.split()), 80)}" if worst is not None else ""
        )
        passed = None if passed and not taken.whole else passed
        return Score(value=value, passed=passed, reason=reason, evidence=evidence)

    def _first_fault(self, statement: Statement, mine: Sequence[Cited]) -> _Fault | None:
        if not mine:
            return _Fault("missing", statement.start, statement.end, "a claim without a citation")
        for one in mine:
            if one.source < 0:
                return _Fault("dangling", one.start, one.end, "there is no such document", one.name)
        return None

    async def _unsupported(
        self, text: str, case: Case, statement: Statement, mine: Sequence[Cited], found: Sequence[Source]
    ) -> _Fault | None:
        """A claim is borne out when one of the documents that it cites does so."""
        if not self.check_support or statement.claim is None:
            return None
        cited = [found[one.source] for one in mine]
        finding = check(statement.claim, sources_of(cited))
        if finding.verdict == "not decided":
            everywhere: Finding = check(statement.claim, sources_of(found))
            if everywhere.verdict == "supported":
                name = found[everywhere.source].name
                return _Fault("wrong", statement.start, statement.end, "another document bears it out", name)
            if self.judge:
                checked, _ = await self.decided(text[statement.start : statement.end], case.text, cited)
                if checked.findings and checked.count("supported") == len(checked.findings):
                    return None
                return _Fault(
                    "wrong", statement.start, statement.end, "the judge finds it not borne out", cited[0].name
                )
            return _Fault("not decided", statement.start, statement.end, finding.why, cited[0].name)
        if finding.verdict == "supported":
            return None
        return _Fault("wrong", statement.start, statement.end, finding.why, cited[0].name)


def _reach(text: str, end: int, following: int) -> int:
    """Where a claim's citations end: those right after its full stop are still its own."""
    match = re.compile(r"(?:\s{0,2}[\[(【][^\])】]{1,100}[\])】]){0,10}").match(text, end, max(end, following))
    return match.end() if match is not None else end
