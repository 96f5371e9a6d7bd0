"""Which language an answer is in: a given one, or the user's."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.base import SHOWN, BuiltinScorer, OneOrMore, Share, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.text._languages import family, known, read, script_rules_out, wanted_language

_SOURCES = ("Lui and Baldwin 2011, Cross-domain Feature Selection for Language Identification", "py3langid 0.4")
_FAILS = (
    "Serbian, Croatian and Bosnian count as one language, so do Malay and Indonesian, and Bokmål and Nynorsk.",
    "A variety is not told apart: Brazilian and European Portuguese, simplified and traditional Chinese.",
    "Languages outside the 75 or so it knows are taken for a neighbour or stay undecided.",
    "A sentence that mixes two languages is given to one of them.",
    "A short answer, a name or a number has no language: no verdict, unless `undecided` says otherwise.",
)


class _InLanguage(BuiltinScorer):
    """What both share: how an answer's sentences are held against a language."""

    min_share: Share = Field(default=0.8, gt=0, description="How much of the answer must be in it")
    undecided: Literal["missing", "pass", "fail"] = Field(
        default="missing", description="What to make of an answer whose language cannot be told, like `42`"
    )

    def _held(self, output: Output, codes: frozenset[str]) -> Score:
        text = output.text
        names = " or ".join(sorted(codes))
        script = script_rules_out(text, codes)
        if script:
            return Score.binary(False, f"is in {script} script, which {names} is not written in")
        found = read(text, codes)
        if not found.code:
            return self._open(f"cannot tell the language: too short or too even, wanted {names}")
        share = found.share_of(codes)
        strays = [part for part in found.parts if part.code and part.code not in codes]
        evidence = tuple(
            Evidence(
                where="text",
                quote=text[part.start : part.end][:SHOWN],
                start=part.start,
                end=part.end,
                expected=names,
                found=part.code,
            )
            for part in strays[:10]
        )
        reason = f"{share:.0%} in {names}" + (f", the rest mostly in {strays[0].code}" if strays else "")
        return Score.graded(share, self.min_share, reason, evidence=evidence)

    def _open(self, reason: str) -> Score:
        if self.undecided == "missing":
            return Score(status="judge_error", reason=reason)
        return Score.binary(self.undecided == "pass", reason)


class Language(_InLanguage):
    """How much of the answer is in a given language (or one of several), and whether that is enough.

    Sentence by sentence; code, quotations, addresses, numbers and identifiers are left out, and a sentence that could
    well be in a wanted language counts for it or not at all. Codes are ISO 639-1; a region (`pt-BR`) is ignored.
    An answer whose language cannot be told gets no verdict (`judge_error`), or what `undecided` says.
    Example: `{languages: [de]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("language", "1", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="letters of the sentences in a wanted language / letters of all sentences whose language is decided; "
        "0 where the script rules the language out. Passes at `min_share`.",
        examples=(
            Example("q", "Ihre Bestellung ist unterwegs und kommt morgen an.", 1.0, True, {"languages": "de"}),
            Example("q", "Your order is on its way and arrives tomorrow.", 0.0, False, {"languages": "de"}),
            Example("q", "42", None, None, {"languages": "de"}, "judge_error", "a number has no language"),
        ),
        fails=_FAILS,
        sources=_SOURCES,
        also_called=("futureagi:language-detection",),
    )
    languages: Annotated[tuple[Text, ...], OneOrMore] = Field(min_length=1, description="ISO 639-1 codes")

    @field_validator("languages")
    @classmethod
    def _are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for code in languages:
            if not known(code):
                raise ValueError(f"{shown(code, 20)} is no code of a language that can be told apart, like en or pt-BR")
        return languages

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        return self._held(output, frozenset(family(code) for code in self.languages))


class SameLanguage(_InLanguage):
    """Whether the model answered in the language it should: the user's, unless another one was asked for.

    The language is, in this order, what the case's strata or metadata say (`answer_language`, `language`, `lang`,
    `locale`), what the last user message asks for ("answer in French"), what the system message asks for, and the
    language of the last user message. Not applicable where that cannot be told, or where the message names a language
    without clearly asking for it ("how do I say thanks in Japanese?"). The answer is judged as `language` does.
    Example: `{}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("same_language", "1", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="as `language`, with the language that the case asks for.",
        examples=(
            Example("Wo bleibt denn meine Bestellung?", "Sie ist unterwegs und kommt morgen an.", 1.0, True),
            Example("Wo bleibt denn meine Bestellung?", "It is on its way and arrives tomorrow.", 0.0, False),
            Example(
                "Wo bleibt meine Bestellung? Antworte bitte auf Englisch.",
                "It is on its way and arrives tomorrow.",
                1.0,
                True,
                note="the message asks for another language",
            ),
            Example("Hi", "It is on its way.", None, None, {}, "not_applicable"),
        ),
        fails=(
            "A wish for a language is found by its wording, in a dozen languages: an unusual one is missed.",
            "Asked to translate several texts into several languages, it does not apply.",
            *_FAILS,
        ),
        sources=_SOURCES,
    )

    def applies(self, case: Case) -> str:
        """Empty where the case tells what language the answer is to be in."""
        return safe(wanted_language(case).why)

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        return self._held(output, frozenset({wanted_language(case).code}))
