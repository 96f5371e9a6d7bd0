"""A brand's voice as lints: what must and must not be written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import islice
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.base import SHOWN, BuiltinScorer, Flag, OneOrMore, Whole, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.text._languages import family, read
from seatrial.scorers.text._prose import WORD, Span, own_words, sentences, without_code
from seatrial.scorers.text._voice import CONTRACTIONS, EMOJI, FAMILIAR, PERSONS, POLITE, SLANG, Person, words

READ = 200_000
PER_LINT = 10
_KNOWN = ("en", "de", "fr", "es")
_NO_SPACES = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)


class Hit(NamedTuple):
    """What breaks a lint, and where; a `start` below 0 is nowhere."""

    start: int
    end: int
    note: str


@lru_cache(maxsize=512)
def phrase(text: str) -> re.Pattern[str]:
    """A pattern for a phrase as whole words, in any case, spacing and kind of apostrophe, accents as written.

    Where a script writes no spaces, or joins endings to words, the phrase may stand inside a longer stretch.
    """
    parts = (re.escape(part).replace("’", "'").replace("'", "['’]") for part in text.split())
    first, last = text.strip()[0], text.strip()[-1]
    before = r"(?<!\w)" if first.isalnum() and not _NO_SPACES.match(first) else ""
    after = r"(?![\w\u0300-\u036f])" if last.isalnum() and not _NO_SPACES.match(last) else ""
    return re.compile(before + r"\s+".join(parts) + after, re.IGNORECASE)


_CAPS = re.compile(r"(?<![\w-])[^\W\d_a-z](?:[^\W\d_a-z]|['’-](?=[^\W\d_a-z]))+(?![\w-])")
_ROMAN = re.compile(r"[IVXLCDM]+")
Phrases = Annotated[tuple[Text, ...], OneOrMore]


class BrandVoice(BuiltinScorer):
    """How well the answer keeps to a house style that rules can check; each rule given is a lint.

    `banned` and `required` phrases (whole words in any case; of `required`, all); `avoid_persons` (first_singular,
    first_plural, second, third_singular); `formality` (formal: no contractions, no slang, no du, tu or tú; informal: no
    Sie, vous or usted); `contractions: forbid`; `max_emoji` (0 forbids them); `max_exclamations`; `all_caps: false`
    (no shouted words of four letters or more but for `caps`, and no two shouted words in a row);
    `max_sentence_words`. Persons, formality and slang know English, German, French and Spanish; the language is
    `language`, else that of the answer; where it is none of these or cannot be told, the score is no verdict. What is
    quoted, code and addresses count only for `banned`, `required` and emoji. Every violation is evidence.
    Example: `{banned: [cheap, unfortunately], formality: formal, max_emoji: 0}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("brand_voice", "1", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="kept lints / lints given. Passes when all are kept.",
        examples=(
            Example("q", "Thank you for your order.", 1.0, True, {"banned": "cheap", "max_exclamations": 0}),
            Example("q", "It's a cheap deal!!", 0.0, False, {"banned": "cheap", "max_exclamations": 1}),
            Example("q", "A cheapskate would wait.", 1.0, True, {"banned": "cheap"}, note="whole words"),
            Example("q", "Kannst du mir deine Nummer schicken?", 0.0, False, {"formality": "formal", "language": "de"}),
            Example("q", "Great 👍🏽 news 🎉", 0.5, False, {"max_emoji": 1, "required": "great"}),
        ),
        fails=(
            "It sees words, not tone: a rude answer in polite words passes.",
            "A banned phrase must be listed in each of its forms: `refund` does not cover `refunds`.",
            "Lists of slang are short; add your own with `banned`.",
            (
                "A verb alone can address the reader (Spanish imperatives, French `viens`): that is not seen. A German "
                "`Sie` that opens a sentence is not held against informality."
            ),
        ),
        also_called=("article:Brand Voice", "article:Tone"),
    )
    banned: Phrases = ()
    required: Phrases = ()
    avoid_persons: Annotated[tuple[Person, ...], OneOrMore] = ()
    formality: Literal["any", "formal", "informal"] = "any"
    contractions: Literal["any", "forbid"] = "any"
    max_emoji: Whole | None = Field(default=None, ge=0)
    max_exclamations: Whole | None = Field(default=None, ge=0)
    all_caps: Flag = Field(default=True, description="Whether words may be written in capitals")
    caps: Phrases = Field(default=(), description="Words that may always be in capitals")
    max_sentence_words: Whole | None = Field(default=None, ge=1)
    language: Text = Field(default="", description="en, de, fr or es; the answer's where left out")

    @field_validator("banned", "required")
    @classmethod
    def _say_something(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if not all(text.strip() for text in phrases):
            raise ValueError("must not hold empty text")
        return phrases

    @field_validator("language")
    @classmethod
    def _is_known(cls, language: str) -> str:
        if language and family(language) not in _KNOWN:
            raise ValueError(f"must be one of {', '.join(_KNOWN)}")
        return family(language) if language else ""

    @model_validator(mode="after")
    def _lints_something(self) -> BrandVoice:
        if not self._lints:
            raise ValueError("give at least one lint, like banned, formality or max_emoji")
        return self

    @cached_property
    def _lints(self) -> dict[str, Callable[[_Text], Iterable[Hit]]]:
        given: dict[str, tuple[bool, Callable[[_Text], Iterable[Hit]]]] = {
            "banned": (bool(self.banned), self._banned),
            "required": (bool(self.required), self._required),
            "avoid_persons": (bool(self.avoid_persons), self._persons),
            "formality": (self.formality != "any", self._formality),
            "contractions": (self.contractions == "forbid", _contractions),
            "max_emoji": (self.max_emoji is not None, self._emoji),
            "max_exclamations": (self.max_exclamations is not None, self._exclamations),
            "all_caps": (not self.all_caps, self._shouted),
            "max_sentence_words": (self.max_sentence_words is not None, self._long),
        }
        return {name: lint for name, (on, lint) in given.items() if on}

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        text = _Text(output.text[:READ], self.language)
        if (self.avoid_persons or self.formality != "any") and text.language not in _KNOWN:
            found = f"is {text.language}" if text.language else "cannot be told"
            return Score(status="judge_error", reason=f"person and formality need a language, and the answer's {found}")
        broken: dict[str, list[Hit]] = {}
        for name, lint in self._lints.items():
            hits = list(islice(lint(text), PER_LINT))
            if hits:
                broken[name] = hits
        evidence = tuple(_evidence(text.raw, name, hit) for name, hits in broken.items() for hit in hits)
        reason = "keeps every lint"
        if broken:
            name, hits = next(iter(broken.items()))
            reason = f"breaks {', '.join(broken)}: {shown(hits[0].note, 80)[1:-1]}"
        return Score.graded(1 - len(broken) / len(self._lints), 1.0, reason, evidence=evidence)

    def _banned(self, text: _Text) -> Iterator[Hit]:
        for banned in self.banned:
            for match in phrase(banned).finditer(text.raw):
                yield Hit(*match.span(), f"{shown(banned, 60)} is banned")

    def _required(self, text: _Text) -> Iterator[Hit]:
        for required in self.required:
            if not phrase(required).search(text.raw):
                yield Hit(-1, -1, f"lacks {shown(required, 60)}")

    def _persons(self, text: _Text) -> Iterator[Hit]:
        for person in self.avoid_persons:
            pattern = words(PERSONS[text.language][person])
            yield from _hits(pattern, text.own, f"speaks in the {person.replace('_', ' person ')}")

    def _formality(self, text: _Text) -> Iterator[Hit]:
        if self.formality == "informal":
            if text.language in POLITE:
                yield from _hits(words(POLITE[text.language]), text.own, "addresses the reader formally")
            return
        if text.language == "en":
            yield from _contractions(text)
        if text.language in FAMILIAR:
            yield from _hits(words(FAMILIAR[text.language]), text.own, "addresses the reader familiarly")
        yield from _hits(words(SLANG[text.language], ignore_case=True), text.own, "slang")

    def _emoji(self, text: _Text) -> Iterable[Hit]:
        return _beyond(EMOJI, text.raw, self.max_emoji or 0, "emoji")

    def _exclamations(self, text: _Text) -> Iterable[Hit]:
        return _beyond(re.compile("[!！]"), text.own, self.max_exclamations or 0, "exclamation marks")

    def _shouted(self, text: _Text) -> Iterator[Hit]:
        allowed = {word.casefold() for word in self.caps}
        before: re.Match[str] | None = None
        for match in _CAPS.finditer(text.own):
            word = match.group()
            if not word.isupper() or word.casefold() in allowed or _ROMAN.fullmatch(word):
                before = None
                continue
            follows = before is not None and not text.own[before.end() : match.start()].strip()
            if len(word) >= 4 or follows:
                yield Hit(*match.span(), "in capitals")
            before = match

    def _long(self, text: _Text) -> Iterator[Hit]:
        for span in text.sentences:
            count = len(WORD.findall(text.own, span.start, span.end))
            if self.max_sentence_words is not None and count > self.max_sentence_words:
                yield Hit(
                    span.start, span.end, f"a sentence of {count} words, at most {self.max_sentence_words} allowed"
                )


class _Text:
    """An answer, whole and as its author's own words; its language and sentences where a lint asks for them."""

    def __init__(self, raw: str, language: str) -> None:
        self.raw = raw
        self._language = language

    @cached_property
    def own(self) -> str:
        return own_words(self.raw)

    @cached_property
    def language(self) -> str:
        return self._language or read(self.raw).code

    @cached_property
    def sentences(self) -> list[Span]:
        return sentences(without_code(self.raw))


def _contractions(text: _Text) -> Iterator[Hit]:
    return _hits(words(CONTRACTIONS), text.own, "a contraction")


def _hits(pattern: re.Pattern[str], text: str, note: str) -> Iterator[Hit]:
    return (Hit(*match.span(), note) for match in pattern.finditer(text))


def _beyond(pattern: re.Pattern[str], text: str, most: int, name: str) -> Iterator[Hit]:
    found = [match.span() for match in islice(pattern.finditer(text), most + PER_LINT)]
    note = f"more than {most} {name}" if most else f"{name} are not allowed"
    return (Hit(*span, note) for span in found[most:])


def _evidence(raw: str, lint: str, hit: Hit) -> Evidence:
    note = safe(f"{lint}: {hit.note}", SHOWN)
    if hit.start < 0:
        return Evidence(where="text", note=note)
    return Evidence(where="text", quote=raw[hit.start : hit.end][:SHOWN], start=hit.start, end=hit.end, note=note)
