"""Text against accepted text: equal, contained, at the start, at the end; and how long it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text, lazy
from seatrial.core.score import Evidence, Score, ScorerInfo, verdict
from seatrial.scorers.base import SHOWN, BuiltinScorer, Flag, OneOrMore, ReferenceScorer, Whole, answers, shown
from seatrial.scorers.card import Card, Example

MAX_BITS = 10_000
_EXPECTED = frozenset({"expected"})
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def _of_any(wanted: Sequence[str]) -> str:
    more = f" or {len(wanted) - 1} more" if len(wanted) > 1 else ""
    return f"{shown(wanted[0], 80)}{more}"


class Exact(ReferenceScorer):
    r"""1 when the answer equals an expected answer character for character, else 0.

    Formula: any(text == answer). `strip` (on) drops white space around both; nothing else is forgiven, not even
    Unicode normalisation. An expected answer that is no text is compared as JSON (`42`, `true`). Fails to help where
    many wordings are right: use `normalized`, `contains` or `fuzzy`.
    Example: expected `Paris`: "Paris\n" passes, "paris" does not.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("exact", "1", needs=_EXPECTED)
    card: ClassVar[Card] = Card(
        formula="1 when the answer is one of the expected answers, character for character, else 0.",
        examples=(
            Example({"input": "Capital of France?", "expected": "Paris"}, "Paris\n", 1.0, True),
            Example({"input": "Capital of France?", "expected": "Paris"}, "paris", 0.0, False),
            Example(
                {"input": "How many?", "expected": 42}, "42", 1.0, True, note="what is no text is compared as JSON"
            ),
        ),
        fails=("Where many wordings are right, all but the listed ones fail: use normalized, contains or a judge.",),
        also_called=(
            "deepeval:ExactMatchMetric",
            "ragas:ExactMatch",
            "promptfoo:equals",
            "autoevals:ExactMatch",
            "article:Exact Match",
        ),
    )
    strip: Flag = True

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        wanted = answers(case)
        text = output.text.strip() if self.strip else output.text
        if text in wanted or (self.strip and text in [a.strip() for a in wanted]):
            return verdict(True, "equals an expected answer")
        return Score.binary(False, f"is {shown(text, 80)}, expected {_of_any(wanted)}")


class Normalized(ReferenceScorer):
    """1 when the answer equals an expected answer after both are normalised, else 0.

    Each step is an option, all on: `unicode` (NFKC, so that full-width and composed forms agree), `ignore_case`
    (casefold), `punctuation` (dropped, in every script), `articles` (English a, an, the dropped), `whitespace`
    (collapsed). An expected answer that is nothing but what is dropped ("The", "?") is compared without dropping.
    Fails to help where punctuation carries meaning ("1.5" and "15" become equal): use `numeric`.
    Example: expected `The Eiffel Tower`: "eiffel tower." passes.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("normalized", "1", needs=_EXPECTED)
    card: ClassVar[Card] = Card(
        formula="1 when the normalised answer is one of the normalised expected answers, else 0.",
        examples=(
            Example({"input": "Which tower?", "expected": "The Eiffel Tower"}, "eiffel tower.", 1.0, True),
            Example({"input": "Which tower?", "expected": "The Eiffel Tower"}, "It is the Eiffel Tower.", 0.0, False),
        ),
        fails=(
            "Dropped punctuation can carry meaning: 1.5 and 15 become equal, so use numeric for numbers.",
            "Articles are dropped in English only.",
        ),
        sources=("Rajpurkar et al. 2016, SQuAD (the normalisation of its exact match)", "Unicode NFKC, UAX #15"),
        also_called=("promptfoo:equals", "openai-evals:FuzzyMatch"),
    )
    unicode: Flag = True
    ignore_case: Flag = True
    punctuation: Flag = True
    articles: Flag = True
    whitespace: Flag = True

    def normalize(self, text: str, *, drop: bool = True) -> str:
        """The text after the steps that are on; without `drop`, no punctuation and no article is lost."""
        text = unicodedata.normalize("NFKC", text) if self.unicode else text
        text = text.casefold() if self.ignore_case else text
        if drop and self.punctuation:
            text = without_punctuation(text)
        if drop and self.articles:
            text = _ARTICLES.sub(" ", text)
        return " ".join(text.split()) if self.whitespace else text.strip()

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        wanted = answers(case)
        text = self.normalize(output.text)
        for answer in wanted:
            goal = self.normalize(answer)
            if goal == text if goal else self.normalize(answer, drop=False) == self.normalize(output.text, drop=False):
                return Score.binary(True, "equals an expected answer after normalisation")
        return Score.binary(False, f"is {shown(text, 80)} after normalisation, expected {_of_any(wanted)}")


_ASCII_PUNCTUATION = str.maketrans("", "", "!\"#%&'()*,-./:;?@[\\]_{}")


def without_punctuation(text: str) -> str:
    """The text without the characters of Unicode's categories P*; symbols like $, + and = stay."""
    if text.isascii():
        return text.translate(_ASCII_PUNCTUATION)
    return "".join(c for c in text if not unicodedata.category(c).startswith("P"))


Values = Annotated[tuple[Text, ...], OneOrMore]


class _TextParts(BuiltinScorer):
    """Settings of the scorers that look for pieces of text, from the settings or the case."""

    values: Values = Field(default=(), description="What to look for; the case's expected answers where left out")
    ignore_case: Flag = True

    def wanted(self, case: Case) -> tuple[str, ...]:
        """The pieces to look for in this case's outputs."""
        return self.values or answers(case)

    def applies(self, case: Case) -> str:
        """Empty when there is something to look for."""
        if self.values or any(self.wanted(case)):
            return ""
        return "the case has no expected answers, and the settings no values"

    @model_validator(mode="after")
    def _no_empty_values(self) -> _TextParts:
        if not all(self.values):
            raise ValueError("values must not hold empty text, which every answer contains")
        return self

    def fold(self, text: str) -> str:
        """The text as it is compared."""
        return text.casefold() if self.ignore_case else text


class Contains(_TextParts):
    """Whether the answer contains pieces of text: `any` of them, `all`, or `none`.

    The value is 1 or 0; for `all` it is the share found, which passes at 1. The pieces are `values`, or the case's
    expected answers, or with `values_from: canary` the secret of the case's probe, which must not leak. `any` and
    `all` look in the last answer; `none` looks in everything the model said, tool-call arguments too. `whole_words`
    keeps "no" from being found in "know". Fails to help against paraphrase and encoded leaks (base64, spaced
    letters). Example: `{mode: none, values: [guarantee, lawsuit]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("contains", "1", needs=_EXPECTED)
    card: ClassVar[Card] = Card(
        formula="any: 1 when a piece is found, else 0. all: the share of the pieces found, passing at 1. none: 1 when "
        "no piece is found, else 0.",
        examples=(
            Example("q", "Your order RF-7 is on its way.", 1.0, True, {"values": "rf-7"}),
            Example("q", "We ship on Monday.", 0.5, False, {"values": ["Monday", "Tuesday"], "mode": "all"}),
            Example("q", "We guarantee it.", 0.0, False, {"values": "guarantee", "mode": "none"}),
            Example("q", "I know.", 0.0, False, {"values": "no", "whole_words": True}),
        ),
        fails=(
            "A paraphrase is not found, nor a leak in base64 or with spaced letters: see canary_leak.",
            "A piece is found in its denial too: `guarantee` in `we cannot guarantee it`.",
        ),
        also_called=(
            "promptfoo:contains",
            "promptfoo:icontains",
            "promptfoo:contains-any",
            "promptfoo:contains-all",
            "promptfoo:icontains-any",
            "promptfoo:icontains-all",
            "ragas:StringPresence",
            "inspect:includes",
            "openai-evals:Includes",
        ),
    )
    mode: Literal["any", "all", "none"] = "any"
    values_from: Literal["expected", "canary"] = "expected"
    whole_words: Flag = False

    @model_validator(mode="after")
    def _one_source(self) -> Contains:
        if self.values_from == "canary" and self.values:
            raise ValueError("give either values or values_from: canary")
        if self.values_from == "canary" and self.mode != "none":
            raise ValueError("values_from: canary needs mode: none, because a canary must not appear")
        return self

    def wanted(self, case: Case) -> tuple[str, ...]:
        """The pieces to look for in this case's outputs."""
        if self.values_from == "canary":
            return (case.probe.canary,) if case.probe is not None and case.probe.canary else ()
        return super().wanted(case)

    def applies(self, case: Case) -> str:
        """Empty when there is something to look for."""
        if self.values_from == "canary":
            return "" if self.wanted(case) else "the case has no probe with a canary"
        return super().applies(case)

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        mode = self.mode
        wanted = self.values or tuple([w for w in self.wanted(case) if w])
        text = everything_said(output) if mode == "none" else output.text
        folded = self.fold(text)
        find = self._find if self.whole_words else str.find
        hits: dict[str, int] = {}
        for piece, sought in self._folded or [(w, self.fold(w)) for w in wanted]:
            at = find(folded, sought)
            if at >= 0:
                hits[piece] = at
        if not hits and mode == "any":
            return _lacks(self.values) if self.values else verdict(False, f"does not contain {_of_any(wanted)}")
        evidence = tuple([_span(text, folded, at, w) for w, at in hits.items()]) if hits else ()
        if mode == "none":
            bad = f"contains {shown(next(iter(hits)), 80)}" if hits else "contains none of the values"
            return Score.binary(not hits, bad, evidence=evidence)
        if mode == "any":
            return Score.binary(True, f"contains {shown(next(iter(hits)), 80)}", evidence)
        missing = [w for w in wanted if w not in hits]
        reason = f"lacks {shown(missing[0], 80)}" if missing else "contains every value"
        return Score.graded(1 - len(missing) / len(wanted), 1.0, reason, evidence=evidence)

    @lazy
    def _folded(self) -> tuple[tuple[str, str], ...]:
        return tuple([(value, self.fold(value)) for value in self.values])

    def _find(self, text: str, piece: str) -> int:
        at = text.find(piece)
        while at >= 0 and not _is_word(text, at, at + len(piece)):
            at = text.find(piece, at + 1)
        return at


@lru_cache(maxsize=256)
def _lacks(wanted: tuple[str, ...]) -> Score:
    """What is said of each answer that holds none of the pieces which the settings name."""
    return Score.binary(False, f"does not contain {_of_any(wanted)}")


def _is_word(text: str, start: int, end: int) -> bool:
    inside = (start > 0 and text[start].isalnum() and text[start - 1].isalnum()) or (
        end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    )
    return not inside


def _span(text: str, folded: str, at: int, piece: str) -> Evidence:
    """Where a piece was found; without offsets where folding case moved them."""
    if len(text) != len(folded):
        return Evidence(where="text", quote=piece[:SHOWN])
    end = at + len(piece)
    return Evidence.of("text", text[at:end][:SHOWN], (at, end))


def everything_said(output: Output) -> str:
    """All that the model wrote: the last answer first, then its other messages and the arguments of its calls."""
    if len(output.messages) == 1 and not output.messages[0].tool_calls:
        return output.text
    return "\n".join((output.text, *_other_words(output)))


def _other_words(output: Output) -> Iterator[str]:
    for message in output.messages:
        if message.role == "assistant":
            yield message.text
    for call in output.tool_calls:
        yield call.name
        yield from _leaves(call.arguments)


def _leaves(value: object) -> Iterator[str]:
    """Every text in a JSON value, keys included, without recursion."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.keys())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            stack.extend(item.values())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        elif isinstance(item, list | tuple):
            stack.extend(item)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(item, float) or (isinstance(item, int) and item.bit_length() <= MAX_BITS):
            yield repr(item)


class _Edge(_TextParts):
    side: ClassVar[str]
    test: ClassVar[Callable[[str, str], bool]]

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        wanted = tuple(w for w in self.wanted(case) if w.strip())
        text = self.fold(output.text.strip())
        for piece in wanted:
            if type(self).test(text, self.fold(piece.strip())):
                return Score.binary(True, f"{self.side}s with {shown(piece, 80)}")
        return Score.binary(False, f"does not {self.side} with {_of_any(wanted)}")

    def applies(self, case: Case) -> str:
        """Empty when there is something to look for."""
        why = super().applies(case)
        return why or ("" if any(w.strip() for w in self.wanted(case)) else "the expected answers are blank")


class StartsWith(_Edge):
    """1 when the answer starts with one of the values (or expected answers), else 0.

    White space around the answer and the values is ignored, and so is case unless `ignore_case: false`.
    Example: `{values: ["Dear "]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("starts_with", "1", needs=_EXPECTED)
    card: ClassVar[Card] = Card(
        formula="1 when the answer starts with one of the values, else 0.",
        examples=(
            Example("q", "Dear Ms Ito, thank you.", 1.0, True, {"values": "Dear"}),
            Example("q", "Oh, dear Ms Ito.", 0.0, False, {"values": "Dear"}),
        ),
        fails=("It does not look for whole words: `Dear` also fits a longer word at that edge.",),
        also_called=("promptfoo:starts-with",),
    )
    side: ClassVar[str] = "start"
    test: ClassVar[Callable[[str, str], bool]] = str.startswith


class EndsWith(_Edge):
    """1 when the answer ends with one of the values (or expected answers), else 0.

    White space around the answer and the values is ignored, and so is case unless `ignore_case: false`.
    Example: `{values: ["Kind regards"]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("ends_with", "1", needs=_EXPECTED)
    card: ClassVar[Card] = Card(
        formula="1 when the answer ends with one of the values, else 0.",
        examples=(
            Example("q", "Thank you. Kind regards", 1.0, True, {"values": "Kind regards"}),
            Example("q", "Kind regards, and thank you.", 0.0, False, {"values": "Kind regards"}),
        ),
        fails=("It does not look for whole words: `Kind regards` also fits a longer word at that edge.",),
    )
    side: ClassVar[str] = "end"
    test: ClassVar[Callable[[str, str], bool]] = str.endswith


class Length(BuiltinScorer):
    """How long the answer is, in characters, words, sentences or lines; within `min` and `max` where given.

    The measure is the count. Characters are Unicode code points, words are separated by white space (so text without
    spaces, like Chinese, is one word: count characters), sentences are cut by rules that know abbreviations, lists and
    the full stops of several scripts, lines are separated by line breaks. Tokens are counted by `tokens`, from what
    the provider reports. Without bounds the score is the bare measure. Example: `{of: words, max: 120}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("length", "1")
    card: ClassVar[Card] = Card(
        formula="1 when the count is within `min` and `max`, else 0; the measure is the count.",
        examples=(
            Example("q", "Two words", 1.0, True, {"max": 2}),
            Example("q", "One word too many", 0.0, False, {"max": 3}),
            Example("q", "Dr. Ito is in. Please wait.", 1.0, True, {"of": "sentences", "max": 2}),
        ),
        fails=(
            "Words of text without spaces (Chinese, Japanese, Thai) cannot be counted: count characters.",
            "Sentences are cut by rules: an unknown abbreviation counts as an end.",
        ),
        also_called=("promptfoo:word-count", "article:Length"),
    )
    of: Literal["characters", "words", "sentences", "lines"] = "words"
    min: Whole | None = Field(default=None, ge=0)
    max: Whole | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Length:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min}) is above max ({self.max})")
        return self

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        what, least, most = self.of, self.min, self.max
        count = _COUNTS[what](output.text)
        if least is None and most is None:
            return Score(measure=count, unit=what, reason=f"{count} {what}")
        if least is not None and count < least:
            return verdict(False, f"{count} {what}, at least {least} wanted", count, what)
        if most is not None and count > most:
            return verdict(False, f"{count} {what}, at most {most} allowed", count, what)
        return verdict(True, f"{count} {what}", count, what)


def _sentences(text: str) -> int:
    from seatrial.scorers.text._prose import sentences  # its patterns take longer to read than most runs need

    return len(sentences(text))


_COUNTS: dict[str, Callable[[str], int]] = {
    "characters": len,
    "words": lambda text: len(text.split()),
    "sentences": _sentences,
    "lines": lambda text: len(text.splitlines()),
}
