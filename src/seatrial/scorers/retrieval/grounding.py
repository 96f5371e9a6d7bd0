"""Groundedness: every claim of an answer held against the context, by comparison, then by a judge if there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from seatrial.core.case import Case, Document
from seatrial.core.output import Output
from seatrial.core.record import Json
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, Flag, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Criterion, Material, ask
from seatrial.scorers.judged.base import JudgedScorer
from seatrial.scorers.retrieval._checking import Finding, Sources, check
from seatrial.scorers.retrieval._claims import Statements, shown_kinds, statements
from seatrial.scorers.retrieval._reading import language_of, read

Against = Literal["retrieved", "frozen", "both"]
MAX_ASKED = 40
MAX_EVIDENCE = 50
MAX_KEPT = 50_000
_RANK = {"contradicted": 0, "unsupported": 1, "not decided": 2, "supported": 3}
_GUIDANCE = (
    "Each question asks whether one numbered claim follows from the source documents alone. yes: the documents state it"
    " or it follows from them beyond doubt. no: the documents contradict it. undecided: the documents do not tell; what"
    " is true in the world but not in the documents is undecided. Another number, date, name or negation is a no."
)


class Source(NamedTuple):
    """A document to hold claims against, under the name that evidence gives it."""

    name: str
    document: Document


class Checked(NamedTuple):
    """An answer's claims, each with its finding."""

    statements: Statements
    findings: tuple[Finding, ...]

    def count(self, *verdicts: str) -> int:
        """How many claims ended with one of the verdicts."""
        return sum(f.verdict in verdicts for f in self.findings)


def documents(case: Case, output: Output, against: Against) -> list[Source]:
    """What an answer is held against: what the target retrieved, what the case froze, or both."""
    found: list[Source] = []
    if against in ("retrieved", "both"):
        found += [Source(f"context:{d.id or i}", d) for i, d in enumerate(output.context)]
    if against in ("frozen", "both"):
        seen = {s.document.text for s in found}
        fresh = [d for d in case.context if d.text not in seen]
        found += [Source(f"context:{d.id or i}", d) for i, d in enumerate(fresh)]
    return [s for s in found if s.document.text.strip()]


@lru_cache(maxsize=64)
def _sources(texts: tuple[tuple[str, str], ...], language: str) -> Sources:
    return Sources([read(text, language, title) for title, text in texts])


def title_of(document: Document) -> str:
    """A document's title, where its metadata has one."""
    title = document.metadata.get("title")
    return title if isinstance(title, str) else ""


def sources_of(found: Sequence[Source], beside: str = "") -> Sources:
    """The documents, read in the language that they and the text beside them are written in."""
    texts = tuple((title_of(s.document), s.document.text) for s in found)
    language = language_of(" ".join((*(text[:800] for _, text in texts[:3]), beside[:800])))
    if sum(len(text) for _, text in texts) > MAX_KEPT:
        return Sources([read(text, language, title) for title, text in texts])
    return _sources(texts, language)


def examine(answer: str, question: str, sources: Sources) -> Checked:
    """Every claim of an answer with what comparison says of it."""
    taken = statements(answer, question, language_of(answer, sources.language))
    return Checked(taken, tuple(check(s.claim, sources) for s in taken.items if s.claim is not None))


def evidence(answer: str, checked: Checked, found: Sequence[Source], sources: Sources) -> tuple[Evidence, ...]:
    """The claims as evidence: contradicted ones first, then what is not borne out, then the rest."""
    rows = sorted(
        zip(checked.statements.claims, checked.findings, strict=True),
        key=lambda row: (_RANK[row[1].verdict], row[0].start),
    )
    made: list[Evidence] = []
    for statement, finding in rows[:MAX_EVIDENCE]:
        said = answer[statement.start : statement.end].strip()
        start = statement.start + answer[statement.start : statement.end].find(said) if said else statement.start
        there: dict[str, str] = {}
        if finding.source >= 0:
            text = sources.readings[finding.source].text[finding.start : finding.end]
            there = {"document": found[finding.source].name, "quote": text.strip()[:SHOWN]}
        made.append(
            Evidence(
                where="text",
                quote=said[:SHOWN],
                start=start,
                end=start + len(said),
                found=finding.verdict,
                expected=there or None,
                note=finding.why,
            )
        )
    return tuple(made)


class GroundedScorer(JudgedScorer):
    """What the scorers share that hold an answer's claims against documents."""

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself; with a judge it calls a model."""
        about = self.about
        return replace(about, cost="model", needs=about.needs | {"judge"}) if self.judge else about

    def identity(self) -> Mapping[str, Json]:
        """The settings that differ from their defaults, and with a judge the form in which it is asked."""
        return super().identity() if self.judge else BuiltinScorer.identity(self)

    async def decided(self, answer: str, question: str, found: Sequence[Source]) -> tuple[Checked, Sources]:
        """The claims compared with the documents, the undecided ones given to the judge where there is one."""
        sources = sources_of(found, answer)
        checked = examine(answer, question, sources)
        open_ones = [i for i, f in enumerate(checked.findings) if f.verdict == "not decided"]
        if not self.judge or not open_ones:
            return checked, sources
        findings = list(checked.findings)
        for at in range(0, len(open_ones), MAX_ASKED):
            await self._ask(answer, question, checked, findings, open_ones[at : at + MAX_ASKED], found)
        return checked._replace(findings=tuple(findings)), sources

    async def _ask(  # one call, all of it needed
        self,
        answer: str,
        question: str,
        checked: Checked,
        findings: list[Finding],
        numbers: Sequence[int],
        found: Sequence[Source],
    ) -> None:
        claims = checked.statements.claims
        listed = "\n".join(f"{i + 1}. {answer[claims[i].start : claims[i].end].strip()}" for i in numbers)
        criteria = [
            Criterion(f"claim_{i + 1}", f"Does claim {i + 1} follow from the documents?", quoted=True) for i in numbers
        ]
        materials = [Material(f"document {i + 1}", s.document.text) for i, s in enumerate(found)]
        materials += [Material("question", question, quotable=False)] if question else []
        materials += [Material("answer", answer, quotable=False), Material("claims", listed, quotable=False)]
        said = await ask(self.services, self.judge, criteria, materials, guidance=_GUIDANCE)
        names = {f"document {i + 1}": i for i in range(len(found))}
        for i in numbers:
            told = said[f"claim_{i + 1}"]
            source = names.get(told.where, -1)
            verdict = {"yes": "supported", "no": "contradicted"}.get(told.verdict, "unsupported")
            if verdict == "supported" and (source < 0 or not told.quote):
                verdict = "unsupported"  # a yes that rests on no document is none
            findings[i] = Finding(
                verdict,  # pyright: ignore[reportArgumentType]  # one of the four
                f"the judge: {told.reason}",
                source,
                told.start or 0,
                told.end or 0,
            )


def summary(answer: str, checked: Checked) -> str:
    """What is wrong with an answer's claims, the worst first."""
    total = len(checked.findings)
    if not total:
        kinds = ", ".join(shown_kinds(checked.statements.items))
        return f"makes no claim to check ({kinds or 'no words'})"
    parts: list[str] = []
    for verdict in ("contradicted", "unsupported", "not decided"):
        rows = [s for s, f in zip(checked.statements.claims, checked.findings, strict=True) if f.verdict == verdict]
        if rows:
            first = shown(" ".join(answer[rows[0].start : rows[0].end].split()), 80)
            several = f"{len(rows)} of {total} claims {verdict}, the first {first}"
            parts.append(several if total > 1 else f"the only claim is {verdict}: {first}")
    if not checked.statements.whole:
        parts.append("the answer is too long to be read to its end")
    return (
        "; ".join(parts)
        if parts
        else f"all {total} claims are supported"
        if total > 1
        else "the only claim is supported"
    )


def verdict_of(checked: Checked, *, strict: bool) -> bool | None:
    """Passed when every claim is supported, failed when one is not; None when that hangs on claims not decided."""
    if checked.count("contradicted", "unsupported"):
        return False
    if checked.count("not decided") or not checked.statements.whole:
        return False if strict else None
    return True


def lacks_context(case: Case, against: Against) -> str:
    """Why a case has nothing to check against: only its own context counts and it has none; empty otherwise."""
    frozen = any(d.text.strip() for d in case.context)
    return "the case has no context" if against == "frozen" and not frozen else ""


class _AgainstContext(GroundedScorer):
    against: Against = "both"
    allow_no_claims: Flag = Field(default=False, description="Whether an answer without any claim passes")
    strict: Flag = Field(default=False, description="Whether claims that are not decided count against the answer")

    def applies(self, case: Case) -> str:
        """Empty, unless only the case's own context counts and it has none."""
        return lacks_context(case, self.against)


_REFUNDS = {"input": "How long does a refund take?", "context": ["Refunds are paid within five business days."]}
_CAPITALS = {"input": "q", "context": ["Paris is the capital of France. Berlin is the capital of Germany."]}


class Groundedness(_AgainstContext):
    """The share of an answer's claims that its context bears out, claim by claim; passes when that is all of them.

    An answer is split into claims; questions, courtesies and refusals are none. Each claim ends as supported,
    contradicted or not decided: its words, numbers with units, dates, names, quotations and negations are looked for
    together in one sentence of one document, which the evidence quotes; words that it says of two different things do
    not bear a claim out. With `judge` the claims left open are put to that judge, whose yes counts with a verbatim
    passage only; without one they stay not decided, which is no pass: the answer is then not judged (missing), and
    failed with `strict`.
    `against`: the documents that the target retrieved, those frozen in the case, or both. An answer without claims
    fails unless `allow_no_claims`, one without any document to check it against always.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("groundedness", "4", needs=frozenset({"context"}), cost="heavy")
    card: ClassVar[Card] = Card(
        formula="supported claims / claims; passed when every claim is supported, failed when one is contradicted.",
        examples=(
            Example(_REFUNDS, "A refund takes 5 business days.", 1.0, True),
            Example(_REFUNDS, "A refund takes thirty business days.", 0.0, False, note="contradicted by the number"),
            Example(_CAPITALS, "Paris is the capital of Germany.", 0.0, False, note="true of another thing"),
            Example(_REFUNDS, "Yes.", 0.0, False, note="no claim is not a pass"),
        ),
        fails=(
            "Paraphrase in other words is not decided without a judge.",
            "Conclusions that need two sentences together, or arithmetic, are not decided without a judge.",
            "Of languages other than English, German, French and Spanish it compares plain words only.",
        ),
        sources=("Min et al. 2023, FActScore (claim-wise precision)", "Es et al. 2023, RAGAS (faithfulness)"),
        also_called=(
            "article:Groundedness", "deepeval:FaithfulnessMetric", "ragas:faithfulness", "ragas:ResponseGroundedness",
            "promptfoo:context-faithfulness", "futureagi:groundedness", "futureagi:faithfulness",
            "futureagi:context_adherence", "autoevals:Faithfulness",
        ),
    )  # fmt: skip

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        found = documents(case, output, self.against)
        if not found:
            return Score.binary(False, "there is no document to check the answer against")
        checked, sources = await self.decided(output.text, case.text, found)
        total = len(checked.findings)
        if not total:
            return Score.binary(self.allow_no_claims, summary(output.text, checked))
        supported = checked.count("supported")
        value = supported / (total if checked.statements.whole else total + 1)
        said = evidence(output.text, checked, found, sources)
        return Score(
            value=value,
            passed=verdict_of(checked, strict=self.strict),
            reason=summary(output.text, checked),
            evidence=said,
        )


class Hallucination(_AgainstContext):
    """How many of an answer's claims its context contradicts; passes when there are none and one at least is supported.

    A claim that the context does not hold counts only with `judge`, by which it is looked for in every document, or
    with `strict`, which counts all that is not decided. Without both it neither passes nor fails the answer: "Refunds
    take 7 days. You also get a free coffee." passes where the context speaks of the refunds alone, and an answer of
    which no claim is supported is not judged (missing). For a pass that every claim must earn use `groundedness`, whose
    claims these are. The value is 1 less the share of hallucinated claims, so higher is better; the measure is their
    number. An answer without claims fails unless `allow_no_claims`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("hallucination", "3", needs=frozenset({"context"}), cost="heavy")
    card: ClassVar[Card] = Card(
        formula="1 - hallucinated claims / claims; passed when none is hallucinated and at least one is supported.",
        examples=(
            Example(_REFUNDS, "A refund takes 5 business days.", 1.0, True),
            Example(_REFUNDS, "A refund takes 3 business days.", 0.0, False),
            Example(_REFUNDS, "A refund takes 5 business days. Penguins cannot fly.", 1.0, True,
                    note="what is not decided counts only in strict mode"),
            Example(_REFUNDS, "A refund takes 5 business days. Penguins cannot fly.", 0.5, False, {"strict": True}),
        ),
        fails=(
            "Without a judge and without `strict`, an invented claim of something the context never speaks of passes.",
            "All that `groundedness` cannot decide.",
        ),
        also_called=(
            "article:Hallucination", "deepeval:HallucinationMetric", "futureagi:detect_hallucination",
            "futureagi:hallucination_score", "futureagi:contradiction_detection",
        ),
    )  # fmt: skip

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        found = documents(case, output, self.against)
        if not found:
            return Score.binary(False, "there is no document to check the answer against")
        checked, sources = await self.decided(output.text, case.text, found)
        total = len(checked.findings)
        if not total:
            return Score.binary(self.allow_no_claims, summary(output.text, checked), measure=0.0, unit="claims")
        bad = checked.count("contradicted", "unsupported", *(("not decided",) if self.strict else ()))
        unread = int(self.strict and not checked.statements.whole)
        passed = False if bad or unread else True if checked.count("supported") else None
        return Score(
            value=1 - (bad + unread) / (total + unread),
            passed=passed,
            reason=summary(output.text, checked),
            evidence=evidence(output.text, checked, found, sources),
            measure=float(bad),
            unit="claims",
        )
