"""How hard English prose is to read."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

from pydantic import model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score, ScorerInfo
from seatrial.scorers.base import BuiltinScorer, Real
from seatrial.scorers.card import Card, Example
from seatrial.scorers.text._languages import read, wanted_language
from seatrial.scorers.text._prose import WORD, sentences, without_code

READ = 200_000
FEW_WORDS = 100

_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(
    r"(?<=[^aeiouytd])ed$(?<!led)|(?<=[aeiouyrwl]l)ed$"  # walked, but wanted; called, but handled
    r"|(?<=[^aeiouysxzcgh])es$(?<!les)|(?<=th)es$|(?<=[aeiouyrwl]l)es$"  # makes, but boxes; rules, but tables
    r"|(?<=[^aeiouyl])e$|(?<=[aeiouyrwl]l)e$"  # cake, but table
    r"|(?<=[gq])ues?$"  # league
    r"|(?<=[^aeiouyl])e(?=(?:ly|ment|ful|less|ness)s?$)"  # statement, but element
    r"|(?<=^som)e(?=[^aeiouy])|(?<=^wher)e(?=[^aeiouy])|(?<=^ther)e(?=[^aeiouy])|(?<=^her)e(?=[^aeiouyr])"  # someone
)
_PARTED = re.compile(
    r"(?<![cstg])ia(?!ge)|(?<=st)ia"  # material, but social and marriage
    r"|(?<![cstxgn])(?<!ll)io|iu|(?<=n)iou"  # radio, genius, but nation and million
    r"|(?<![ct])ie(?=n[ct]|t$|ty)|(?<=sc)ie(?=n)|ier$"  # client, science, easier, but friend and patient
    r"|[aeiou][^aeiouy]+ea$|crea(?=t)|rea(?=ct|li[stz])|(?<=id)ea(?=l)|thea(?=t)"  # idea, create, but tea and great
    r"|eo$|eum$|(?<![qg])ua(?=l|t|r[yi])|(?<![bgqsr])ui(?=d$|t[oy])|(?<=r)ui(?=n)"  # video, museum, usual, fluid
    r"|oe(?=[mt])|oo(?=perat|rdinat)|[aeiouy]ing|[aeo]y(?=e[re]|a)"  # poem, playing, player
    r"|(?:is|as|th)m$"  # capitalism, rhythm
)
_IRREGULAR = {"every": 2, "everyone": 3, "everything": 3, "everybody": 4, "business": 2, "businesses": 3, "argue": 2,
              "evening": 2, "clothes": 1, "aged": 1, "been": 1, "recipe": 3, "maybe": 2, "create": 2}  # fmt: skip


@lru_cache(maxsize=20_000)
def syllables(word: str) -> int:
    """The syllables of an English word, by rules: vowel groups, without silent endings, and with vowels that part."""
    low = word.lower().replace("’", "'").removesuffix("'s").replace("'", "")
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    return max(1, len(_VOWELS.findall(_SILENT.sub("", low))) + len(_PARTED.findall(low)))


class Counts(NamedTuple):
    """What the formulas are made of."""

    words: int
    sentences: int
    syllables: int

    @property
    def grade(self) -> float:
        """Flesch-Kincaid grade: years of school in the United States; may be negative."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59

    @property
    def ease(self) -> float:
        """Flesch reading ease: about 0 (hard) to 100 (easy), unbounded."""
        return 206.835 - 1.015 * self.words / self.sentences - 84.6 * self.syllables / self.words


def count(text: str) -> Counts:
    """The words, sentences and syllables of a text's prose."""
    prose = without_code(text[:READ])
    words: list[str] = WORD.findall(prose)
    spans = [s for s in sentences(prose) if WORD.search(prose, s.start, s.end)]
    parts = (part for word in words for part in word.split("-"))
    return Counts(len(words), len(spans), sum(syllables(part) for part in parts if part))


class ReadingLevel(BuiltinScorer):
    """How hard the answer is to read, for English: the school grade it takes, or Flesch's reading ease.

    `formula: grade` is Flesch-Kincaid, 0.39 words/sentences + 11.8 syllables/words − 15.59, the measure in US school
    grades; `ease` is 206.835 − 1.015 words/sentences − 84.6 syllables/words, higher being easier. Code, addresses and
    tags are left out; a list item or heading is a sentence. Syllables are counted by rules. Not applicable where the
    case asks for another language than English; an answer in another language, or without words, gets no verdict.
    Without bounds the score is the bare measure. Example: `{max: 8}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("reading_level", "1", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="1 when the grade (or ease) is within `min` and `max`, else 0; the measure is the grade (or ease).",
        examples=(
            Example("q", "The dog ran home. It was wet. We gave it some food.", 1.0, True, {"max": 5}),
            Example(
                "q",
                "Notwithstanding the aforementioned considerations, reimbursement necessitates comprehensive "
                "documentation of expenditures.",
                0.0,
                False,
                {"max": 12},
            ),
            Example("q", "```py\nprint(1)\n```", None, None, {"max": 8}, "judge_error", "code is not prose"),
        ),
        fails=(
            "It sees word and sentence length alone: short words that nobody knows read as easy, nonsense too.",
            f"Below about {FEW_WORDS} words one long word or one list moves the grade by years.",
            "Syllables by rules are wrong for about one longer word in ten: names, compounds, vowels that part.",
            "It is for English; the constants mean nothing in other languages.",
        ),
        sources=(
            "Flesch 1948, A new readability yardstick",
            "Kincaid et al. 1975, Derivation of new readability formulas for Navy enlisted personnel",
        ),
    )
    formula: Literal["grade", "ease"] = "grade"
    min: Real | None = None
    max: Real | None = None

    @model_validator(mode="after")
    def _in_order(self) -> ReadingLevel:
        if self.min is not None and self.max is not None and not self.min <= self.max:
            raise ValueError(f"min ({self.min}) is above max ({self.max})")
        return self

    def applies(self, case: Case) -> str:
        """Empty, unless the case asks for an answer in another language than English."""
        code = wanted_language(case).code
        return "" if code in ("", "en") else f"only English is measured, and the case asks for {code}"

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        found = count(output.text)
        if not found.words or not found.sentences:
            return Score(status="judge_error", reason="there are no words to measure")
        language = read(output.text, frozenset({"en"})).code
        if language not in ("", "en"):
            return Score(status="judge_error", reason=f"the answer is in {language}, and only English is measured")
        measure = found.grade if self.formula == "grade" else found.ease
        few = ", which is few" if found.words < FEW_WORDS else ""
        reason = f"{self.formula} {measure:.1f} over {found.words} words{few}"
        if self.min is None and self.max is None:
            return Score(measure=measure, unit=self.formula, reason=reason)
        low, high = self.min is not None and measure < self.min, self.max is not None and measure > self.max
        bound = f", at least {self.min:g} wanted" if low else f", at most {self.max:g} allowed" if high else ""
        return Score.binary(not (low or high), reason + bound, measure=measure, unit=self.formula)
