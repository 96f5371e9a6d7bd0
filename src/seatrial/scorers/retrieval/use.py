"""How much of what was retrieved an answer draws upon, and how much of the answer is drawn from it."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, Share
from seatrial.scorers.card import Card, Example
from seatrial.scorers.retrieval._claims import plain
from seatrial.scorers.retrieval._reading import Reading, language_of, read
from seatrial.scorers.retrieval.grounding import Against, documents, lacks_context, title_of

MAX_SHOWN = 20


class _Grams(NamedTuple):
    """Pairs of neighbouring words of content and facts, each with the span of an example."""

    spans: dict[str, tuple[int, int]]


def _grams(reading: Reading) -> _Grams:
    found: dict[str, tuple[int, int]] = {}
    for unit in reading.units:
        for a, b in zip(unit.words, unit.words[1:], strict=False):
            found.setdefault(f"{a.key} {b.key}", (a.start, b.end))
        for fact in unit.facts:
            if fact.unit or fact.kind != "number" or abs(float(fact.value[0])) >= 10:
                found.setdefault(f"{fact.kind}:{fact.unit}:{fact.value}", (fact.start, fact.end))
    return _Grams(found)


class ContextUse(BuiltinScorer):
    """How much of its documents an answer uses: the share of them that it draws upon, or the share of it they cover.

    An answer draws upon a document when it shares a pair of neighbouring words of content, a date, a code, or a number
    with it that no other document has, or any where all have it. `of: documents` is the share of documents drawn upon,
    `of: answer` the share of the answer's pairs and facts that stand in any document. Which ones is the evidence.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("context_use", "2", needs=frozenset({"context"}), cost="heavy")
    of: Literal["documents", "answer"] = "documents"
    against: Against = "both"
    threshold: Share = Field(default=0.5, description="The value from which it passes")
    card: ClassVar[Card] = Card(
        formula="documents drawn upon / documents, or the answer's pairs and facts in documents / pairs and facts.",
        examples=(
            Example(
                {"context": ["Standard delivery costs $4.", "Penguins live in the far south."]},
                "Our standard delivery costs $4.", 0.5, True, note="one of two documents",
            ),
            Example({"context": ["Penguins live in the far south."]}, "Delivery takes a week.", 0.0, False),
        ),
        fails=(
            "Words in common are not proof of use, and paraphrase in other words is not seen.",
            "A low share of documents is right where most of what was retrieved is beside the point.",
        ),
        also_called=(
            "futureagi:context_utilization", "futureagi:chunk_utilization", "futureagi:chunk_attribution",
            "ragas:ContextUtilization", "article:Context Utilization",
        ),
    )  # fmt: skip

    def applies(self, case: Case) -> str:
        """Empty, unless only the case's own context counts and it has none."""
        return lacks_context(case, self.against)

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        found = documents(case, output, self.against)
        if not found:
            return Score.binary(False, "there is no document to draw upon")
        language = language_of(" ".join(s.document.text[:1500] for s in found[:4]))
        mine = _grams(read(plain(output.text), language)).spans
        theirs = [_grams(read(s.document.text, language, title_of(s.document))).spans for s in found]
        owners: dict[str, int] = {}
        for grams in theirs:
            for gram in grams.keys() & mine.keys():
                owners[gram] = owners.get(gram, 0) + 1
        drawn: list[tuple[int, str]] = []
        for i, grams in enumerate(theirs):
            shared = sorted(grams.keys() & mine.keys(), key=lambda g: (owners[g], mine[g]))
            if shared and owners[shared[0]] in (1, len(found)):
                drawn.append((i, shared[0]))
        covered = len(owners) / len(mine) if mine else 0.0
        value = len(drawn) / len(found) if self.of == "documents" else covered
        used = tuple(
            Evidence(
                where=found[i].name,
                quote=found[i].document.text[slice(*theirs[i][gram])][:SHOWN],
                start=theirs[i][gram][0],
                end=theirs[i][gram][1],
                found=output.text[slice(*mine[gram])][:SHOWN],
                note="drawn upon",
            )
            for i, gram in drawn[:MAX_SHOWN]
        )
        idle = {i for i, _ in drawn}
        unused = tuple(Evidence(where=s.name, note="not drawn upon") for i, s in enumerate(found) if i not in idle)
        reason = f"draws upon {len(drawn)} of {len(found)} documents, which cover {covered:.0%} of it"
        return Score.graded(value, self.threshold, reason, evidence=used + unused[:MAX_SHOWN])
