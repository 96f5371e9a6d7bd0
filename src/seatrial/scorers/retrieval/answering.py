"""Whether an answer answers: summaries against their source, relevance to the question, completeness of the parts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, field_validator

from seatrial.core.case import Case, Document
from seatrial.core.output import Output
from seatrial.core.record import Json, Text, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, OneOrMore, Share, encodable, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Criterion, Material, ask
from seatrial.scorers.judged.base import JudgedScorer, evidence_of
from seatrial.scorers.retrieval._checking import Finding, Sources, check
from seatrial.scorers.retrieval._claims import plain, statements
from seatrial.scorers.retrieval._reading import language_of, read, stem
from seatrial.scorers.retrieval.grounding import GroundedScorer, Source, evidence, sources_of, summary, verdict_of

MAX_POINTS = 50


class Point(NamedTuple):
    """A key point: any one of its wordings will do."""

    wordings: tuple[str, ...]

    @property
    def name(self) -> str:
        """The first wording."""
        return self.wordings[0]


def points_of(case: Case) -> list[Point]:
    """The key points of a case: each of its expected answers; one that is a list gives a point's wordings."""
    found: list[Point] = []
    for answer in () if case.expected is None else case.expected.answers:
        wordings = tuple(
            str(a) for a in (as_list(answer) or [answer]) if isinstance(a, str | int | float) and str(a).strip()
        )
        if wordings:
            found.append(Point(wordings))
    return found[:MAX_POINTS]


def covered(point: Point, text: str, answer: Sources, synonyms: Sequence[Sequence[str]] = ()) -> Finding:
    """Whether an answer holds a key point in one of its wordings, as a sentence of its own or word for word."""
    folded = " ".join(text.casefold().split())
    best = Finding("not decided", "no such sentence")
    for wording in (w for given in point.wordings for w in _worded(given, synonyms)):
        plainly = " ".join(wording.casefold().split()).rstrip(".")
        match = re.search(rf"(?<!\w){re.escape(plainly)}(?!\w)", folded) if len(plainly) < SHOWN else None
        taken = statements(wording, "", answer.language)
        findings = [check(s.claim, answer) for s in taken.items if s.claim is not None]
        if findings and all(f.verdict == "supported" for f in findings):
            return findings[0]
        if match is not None and (len(plainly.split()) <= 3) and not _denied(answer, plainly):
            return Finding("supported", "stands there word for word")
        if any(f.verdict == "contradicted" for f in findings):
            best = next(f for f in findings if f.verdict == "contradicted")
    return best


def _denied(answer: Sources, wording: str) -> bool:
    """Whether the words stand in a clause that is turned round."""
    for _, unit in answer.units:
        text = answer.readings[0].text[unit.start : unit.end].casefold()
        if wording in " ".join(text.split()) and unit.negative:
            return True
    return False


def _worded(given: str, synonyms: Sequence[Sequence[str]]) -> list[str]:
    """A wording and the same with a word or phrase put for its synonym."""
    made = [given]
    for group in synonyms:
        for old in group:
            pattern = re.compile(rf"(?<!\w){re.escape(old)}(?!\w)", re.IGNORECASE)
            if pattern.search(given):
                made += [pattern.sub(lambda _, new=new: new, given) for new in group if new != old]
    return made[:20]


def _answer_sources(text: str, beside: str) -> Sources:
    return sources_of([Source("text", Document(text=plain(text)))], beside)


class SummaryFaithfulness(GroundedScorer):
    """Whether a summary says only what its source says, and says what matters.

    The source is the case's input. Every claim of the summary is held against it as `groundedness` does, with `judge`
    for what comparison leaves open; the case's expected answers, where it has some, are the key facts that a summary
    must hold (a list inside the list gives the wordings of one). The value is the lower of the two shares; it passes
    when every claim is supported and the share of key facts reaches `coverage`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("summary_faithfulness", "3", cost="heavy")
    coverage: Share = Field(default=1.0, description="The share of key facts that must be there")
    strict: bool = Field(default=False, strict=True, description="Whether claims that are not decided count against it")
    card: ClassVar[Card] = Card(
        formula="min(supported claims / claims, key facts there / key facts); passed when all and enough.",
        examples=(
            Example(
                {"input": "Sales rose by 4 percent in 2023. Two stores close.", "expected": ["sales rose by 4 %"]},
                "In 2023 sales rose by 4 percent.", 1.0, True,
            ),
            Example({"input": "Sales rose by 4 percent in 2023."}, "Sales fell by 4 percent in 2023.", 0.0, False),
        ),
        fails=(
            "A faithful summary in words of its own is not decided without a judge.",
            "Without key facts a summary of one true sentence is faithful.",
        ),
        also_called=(
            "deepeval:SummarizationMetric", "ragas:SummaryScore", "futureagi:summary_quality",
            "futureagi:is_good_summary", "autoevals:Summary", "article:Summary Faithfulness",
        ),
    )  # fmt: skip

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        text = "\n\n".join(m.text for m in case.input if m.role == "user" and m.text.strip())
        if not text:
            return Score.binary(False, "the case's input holds no text to check the summary against")
        found = [Source("input", Document(text=text))]
        checked, sources = await self.decided(output.text, "", found)
        total = len(checked.findings)
        if not total:
            return Score.binary(False, summary(output.text, checked))
        points = points_of(case)
        said = _answer_sources(output.text, text)
        missed = [p for p in points if covered(p, output.text, said).verdict != "supported"]
        share = 1 - len(missed) / len(points) if points else 1.0
        passed = verdict_of(checked, strict=self.strict) if share >= self.coverage else False
        faithful = checked.count("supported") / (total + (not checked.statements.whole))
        lost = tuple(Evidence(where="text", expected=p.name[:SHOWN], note="key fact not found") for p in missed)
        reason = summary(output.text, checked)
        reason += (
            f"; {len(missed)} of {len(points)} key facts missing, the first {shown(missed[0].name, 60)}"
            if missed
            else ""
        )
        return Score(
            value=min(faithful, share),
            passed=passed,
            reason=reason,
            evidence=evidence(output.text, checked, found, sources) + lost,
        )


class AnswerRelevance(JudgedScorer):
    """Whether an answer addresses the question that was asked, by a judge.

    The judge is asked whether the answer speaks to the question, whether it answers it rather than something near it,
    and whether it keeps to it. The value is the share of yes; it passes from `threshold`. How many of the question's
    words the answer takes up is told in the evidence and decides nothing. Whether the answer is true is not asked.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("answer_relevance", "1", needs=frozenset({"judge"}), cost="model")
    threshold: Share = Field(default=1.0, description="The share of yes from which it passes")
    card: ClassVar[Card] = Card(
        formula="criteria that the judge affirms / 3; passed from the threshold.",
        examples=(
            Example(
                "What does delivery cost?", "Delivery costs $4.", 1.0, True, {"judge": "strict"},
                judge=({"addresses": {"verdict": "yes", "quote": "costs $4", "where": "answer"}, "*": "yes"},),
            ),
            Example("What does delivery cost?", "We were founded in 1990.", 0.0, False, {"judge": "strict"},
                    judge=({"*": "no"},)),
        ),
        fails=("An answer that is to the point and wrong is relevant: look at groundedness beside it.",),
        sources=("Es et al. 2023, RAGAS (answer relevance)",),
        also_called=(
            "article:Answer Relevance", "deepeval:AnswerRelevancyMetric", "ragas:answer_relevancy",
            "promptfoo:answer-relevance", "futureagi:answer_relevancy", "autoevals:AnswerRelevancy",
        ),
    )  # fmt: skip

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        text, question = output.text, case.text
        criteria = [
            Criterion("addresses", "Does the answer say something that the question asks for?", quoted=True),
            Criterion("answers", "Does the answer answer the question itself rather than another one near it?"),
            Criterion("keeps_to_it", "Is the answer free of long passages that the question does not call for?"),
        ]
        materials = [Material("question", question, quotable=False), Material("answer", text)]
        told = await ask(self.services, self.judge, criteria, materials)
        yes = [c for c in criteria if told[c.key].verdict == "yes"]
        open_ones = [c for c in criteria if told[c.key].verdict == "undecided"]
        value = len(yes) / len(criteria)
        could = (len(yes) + len(open_ones)) / len(criteria)
        passed = True if value >= self.threshold else None if could >= self.threshold else False
        shared = _shared_words(question, text)
        seen = tuple(evidence_of(c.question, told[c.key], judge=self.judge) for c in criteria)
        lexical = Evidence(where="text", found=round(shared, 3), note="share of the question's words in the answer")
        bad = [c.key for c in criteria if c not in yes]
        return Score(
            value=value,
            passed=passed,
            reason=f"not affirmed: {', '.join(bad)}" if bad else "answers the question",
            evidence=(*seen, lexical),
        )


def _shared_words(question: str, answer: str) -> float:
    language = language_of(f"{question} {answer}")
    asked = {w.key for unit in read(question, language).units for w in unit.words}
    said = {w.key for unit in read(answer, language).units for w in unit.words}
    return len(asked & said) / len(asked) if asked else 0.0


class Completeness(JudgedScorer):
    """Whether an answer covers all that it should: the key points of the case, or the parts of the question.

    Key points are the case's `criteria` and expected answers (a list inside the list gives the wordings of one).
    An expected answer is found by comparison, in any of its wordings and of the `synonyms` of their words; those
    not found, and all criteria, go to the `judge`. Without one a case needs expected answers; a point that is not found
    is then missing. Where a case has neither, the judge is asked about each part of the question.
    The value is the share of points covered; it passes from `threshold`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("completeness", "3", needs=frozenset({"expected"}), cost="heavy")
    synonyms: tuple[Annotated[tuple[Text, ...], OneOrMore], ...] = Field(
        default=(), description="Lists of words or phrases that mean the same"
    )
    threshold: Share = Field(default=1.0, description="The share of points from which it passes")
    card: ClassVar[Card] = Card(
        formula="points covered / points; passed from the threshold, 1.",
        examples=(
            Example(
                {"input": "Hours and phone?", "expected": [["open until 6 pm", "closes at 18:00"], "555-0100"]},
                "We are open until 6 pm. Call 555-0100.", 1.0, True,
            ),
            Example({"input": "q", "expected": ["bring an ID card", "arrive by 9 am"]}, "Arrive by 9 am.", 0.5, False),
        ),
        fails=(
            "Without a judge a point in other words than those listed counts as missing.",
            "Whether what is said beyond the points is true or wanted is not looked at.",
        ),
        also_called=("futureagi:completeness", "article:Completeness", "ragas:FactualCorrectness"),
    )  # fmt: skip

    @field_validator("synonyms")
    @classmethod
    def _at_least_two(cls, groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        if any(len(group) < 2 or not all(word.strip() for word in group) for group in groups):
            raise ValueError("synonyms must be lists of at least two words that are not blank")
        return groups

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself; with a judge it calls a model."""
        return replace(self.about, cost="model", needs=frozenset({"judge"})) if self.judge else self.about

    def identity(self) -> Mapping[str, Json]:
        """The settings that differ from their defaults, and with a judge the form in which it is asked."""
        return super().identity() if self.judge else BuiltinScorer.identity(self)

    def applies(self, case: Case) -> str:
        """Empty where there is a judge, or expected answers to look for."""
        if self.judge or points_of(case):
            return ""
        return "the case has no expected answers, and there is no judge for its parts"

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        text = encodable(output.text)
        said = _answer_sources(text, case.text)
        points = points_of(case)
        seen = [covered(p, text, said, self.synonyms) for p in points]
        told = [self._found(p, f, said) for p, f in zip(points, seen, strict=True)]
        good = sum(f.verdict == "supported" for f in seen)
        total, open_ones = len(points), 0
        if self.judge:
            rest = [p.name for p, f in zip(points, seen, strict=True) if f.verdict != "supported"]
            parts = [*rest, *case.criteria[:MAX_POINTS]] or ([] if points else _parts(case.text))
            told = [t for t, f in zip(told, seen, strict=True) if f.verdict == "supported"]
            yes, open_ones, more = await self._ask(case, text, parts) if parts else (0, 0, [])
            good, told, total = good + yes, told + more, good + len(parts)
        value = good / total if total else 0.0
        passed = True if value >= self.threshold else None if (good + open_ones) / total >= self.threshold else False
        missing = [t.note for t in told if t.found not in ("covered", "yes")]
        reason = f"{good} of {total} points are covered" + (f"; {shown(missing[0], 120)}" if missing else "")
        return Score(value=value, passed=passed, reason=reason, evidence=tuple(told))

    def _found(self, point: Point, finding: Finding, said: Sources) -> Evidence:
        good = finding.verdict == "supported"
        quote = said.readings[0].text[finding.start : finding.end].strip()[:SHOWN] if finding.source >= 0 else ""
        note = point.name[:SHOWN] + (
            "" if good else " is missing" if finding.verdict != "contradicted" else " is contradicted"
        )
        return Evidence(
            where="text", quote=quote, expected=point.name[:SHOWN], found="covered" if good else "missing", note=note
        )

    async def _ask(self, case: Case, text: str, parts: Sequence[str]) -> tuple[int, int, list[Evidence]]:
        """How many parts the judge finds covered, how many it leaves open, and what it rests on."""
        listed = "\n".join(f"{i}. {part}" for i, part in enumerate(parts, 1))
        criteria = [
            Criterion(f"point_{i}", f"Does the answer cover point {i} of the list?", quoted=True)
            for i in range(1, len(parts) + 1)
        ]
        materials = [
            Material("question", case.text, quotable=False),
            Material("points", listed, quotable=False),
            Material("answer", text),
        ]
        told = await ask(self.services, self.judge, criteria, materials)
        verdicts = [told[c.key].verdict for c in criteria]
        seen = [
            evidence_of(part[:SHOWN], told[c.key], judge=self.judge) for c, part in zip(criteria, parts, strict=True)
        ]
        return verdicts.count("yes"), verdicts.count("undecided"), seen


_PART = re.compile(r"[^?？؟]*[?？؟]")


def _parts(question: str) -> list[str]:
    """The questions inside a question; all of it where it has no two."""
    found = [m.group().strip() for m in _PART.finditer(question[:20_000])]
    found = [part for part in found if stem(part[:1], "en") or len(part) > 1][:MAX_POINTS]
    return found if len(found) > 1 else [question]
