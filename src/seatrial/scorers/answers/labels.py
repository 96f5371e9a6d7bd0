"""One of several: class labels, and options of a multiple-choice question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.answers.numeric import BOXED, after_marker, last_marker
from seatrial.scorers.base import BuiltinScorer, Flag, OneOrMore, ReferenceScorer, answers, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.structured.fields import MISSING, at_path, read_object

_TRIM = " \t\r\n\u00a0\"'`“”‘’«»*_.,;:!()[]{}<>"
LONGEST_LABEL_TEXT = 20_000
LONGEST_LABEL = 200


def bare(text: str) -> str:
    """A label without the quotes, brackets, emphasis and final stops around it, white space collapsed."""
    return " ".join(text.split()).strip(_TRIM)


class Label(ReferenceScorer):
    """1 when the label in the answer is the expected one, else 0; a label that is not valid is flagged.

    `labels` lists the valid ones (without it, no label is called invalid). `extract` says where the label stands:
    `whole` answer (white space, quotes, emphasis, final stops around it ignored), `last_line`, after the last
    `marker`, in a JSON `field`, or `mention`: the only valid label that occurs as words; two different ones are
    ambiguous and fail. Case is ignored unless `ignore_case: false`.
    Needs an expected answer, which must itself be valid. An `aggregate` of a rubric (`macro_f1`, `mcc`, `f1:fraud` …)
    reads the labels found, written in lower case where case is ignored. Example: `{labels: [refund, exchange, other]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("label", "2", needs=frozenset({"expected"}))
    card: ClassVar[Card] = Card(
        formula="1 when the label found is valid and equals an expected one, else 0.",
        examples=(
            Example(
                {"input": "My parcel came broken.", "expected": "refund"},
                "**Refund.**",
                1.0,
                True,
                {"labels": ["refund", "exchange", "other"]},
                note="Emphasis, the final stop and case do not count.",
            ),
            Example(
                {"input": "My parcel came broken.", "expected": "refund"},
                "complaint",
                0.0,
                False,
                {"labels": ["refund", "exchange", "other"]},
                note="The label is none of the valid ones, which the evidence says.",
            ),
            Example(
                {"input": "My parcel came broken.", "expected": "refund"},
                "It could be a refund or an exchange.",
                0.0,
                False,
                {"labels": ["refund", "exchange", "other"], "extract": "mention"},
                note="Two different labels are mentioned, which is ambiguous.",
            ),
            Example(
                {"input": "My parcel came broken.", "expected": "refund"},
                '{"result": {"intent": "refund"}, "confidence": 0.93}',
                1.0,
                True,
                {"labels": ["refund", "other"], "extract": "field", "field": "result.intent"},
            ),
        ),
        fails=(
            (
                'With `extract: mention`, where one label is part of another\'s denial: "not fraud" mentions "fraud". '
                "Use `whole`."
            ),
            (
                'Where the model words the label in another way ("money back"): list what it may say as expected, '
                "or give the labels in the prompt."
            ),
        ),
        also_called=("article:classification_scorer", "promptfoo:classifier"),
    )
    labels: Annotated[tuple[Text, ...], OneOrMore] = ()
    extract: Literal["whole", "last_line", "marker", "field", "mention"] = "whole"
    marker: Text = "Label:"
    field: Text = "label"
    ignore_case: Flag = True

    @model_validator(mode="after")
    def _fits(self) -> Label:
        if not all(bare(label) for label in self.labels):
            raise ValueError("labels must not be blank")
        if len(self._valid) < len(self.labels):
            raise ValueError("two labels are the same")
        if self.extract == "mention" and not self.labels:
            raise ValueError("extract: mention needs labels")
        if not self.marker.strip() or not self.field:
            raise ValueError("marker and field must not be blank")
        return self

    def key(self, label: str) -> str:
        """What two equal labels share."""
        label = bare(label)
        return label.casefold() if self.ignore_case else label

    @cached_property
    def _valid(self) -> frozenset[str]:
        return frozenset(self.key(label) for label in self.labels)

    def applies(self, case: Case) -> str:
        """Empty when an expected label is valid."""
        why = super().applies(case)
        if why:
            return why
        wanted = [self.key(answer) for answer in answers(case)]
        if not any(wanted):
            return "the expected label is blank"
        return (
            ""
            if not self._valid or any(w in self._valid for w in wanted)
            else "the expected label is none of the valid labels"
        )

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        found, why = self._found(output.text)
        wanted = [key for answer in answers(case) if (key := self.key(answer))]
        goal = f"expected {shown(answers(case)[0], 80)}"
        expected = self.expected_label(case)
        if found is None:
            return Score.binary(False, f"{why}; {goal}", evidence=(Evidence(where="text", expected=expected),))
        key = self.key(found)
        valid = not self._valid or key in self._valid
        good = valid and key in wanted
        evidence = Evidence(
            where="text",
            quote=found[:200],
            note="" if valid else "not a valid label",
            expected=key[:LONGEST_LABEL] if good else expected,
            found=key[:LONGEST_LABEL] if valid else None,
        )
        reason = f"label {shown(found, 80)}" + ("" if valid else " is not valid")
        return Score.binary(good, reason if good else f"{reason}; {goal}", evidence=(evidence,))

    def expected_label(self, case: Case, /) -> str:
        """The first accepted label that is valid, written as labels are compared."""
        keys = (self.key(answer) for answer in answers(case))
        return next((key for key in keys if key and (not self._valid or key in self._valid)), "")[:LONGEST_LABEL]

    def _found(self, text: str) -> tuple[str | None, str]:
        if self.extract == "mention":
            return self._mentioned(text)
        if self.extract == "field":
            read = read_object(text)
            value: Any = MISSING if read.value is None else at_path(read.value, self.field)
            why = read.why or f"field {shown(self.field)} is {'missing' if value is MISSING else 'no text'}"
            return (bare(value), "") if isinstance(value, str) and bare(value) else (None, why)
        if self.extract == "marker":
            at = last_marker(text, (self.marker,))
            if at is None:
                return None, f"{shown(self.marker)} does not occur"
            text = after_marker(text, *at)
        elif self.extract == "last_line":
            text = next((line for line in reversed(text.splitlines()) if bare(line)), "")
        label = bare(text)
        return (label, "") if label else (None, "no label stands there")

    def _mentioned(self, text: str) -> tuple[str | None, str]:
        hits = mentions(text[:LONGEST_LABEL_TEXT], self.labels, self.ignore_case)
        if len(hits) == 1:
            return self.labels[hits[0]], ""
        names = ", ".join(shown(self.labels[i], 40) for i in hits[:5])
        return None, f"ambiguous: mentions {names}" if hits else "mentions no valid label"


def mentions(text: str, names: Sequence[str], ignore_case: bool = True) -> list[int]:
    """Which names occur as whole words; one inside a longer one that occurs there does not count."""
    found = _any_of(tuple(names), ignore_case).finditer(text)
    return sorted({int(match.lastgroup[1:]) for match in found if match.lastgroup})


@lru_cache(maxsize=1024)
def _any_of(names: tuple[str, ...], ignore_case: bool) -> re.Pattern[str]:
    """Alternatives, the longest first, each bounded where it begins or ends with a letter or digit."""
    parts: list[str] = []
    for index, name in sorted(enumerate(names), key=lambda item: -len(item[1])):
        words = r"\s+".join(re.escape(word) for word in name.split())
        if words:
            before = r"(?<![^\W_])" if name.strip()[0].isalnum() else ""
            after = r"(?![^\W_])" if name.strip()[-1].isalnum() else ""
            parts.append(f"(?P<_{index}>{before}{words}{after})")
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE if ignore_case else 0)


CHOICE_MARKERS = ("answer is", "answer:", "choice:", "choice is", "option:", "option is", BOXED)
_LETTER = re.compile(r"[\s\"'`*_:([{<]*(?:option\s+)?([A-Za-z])(?=[\s\"'`*_.,;:)\]}>]|\Z)", re.IGNORECASE)
_ITEM = re.compile(r"[\s*_`>-]*(?:\(([A-Z])\)|([A-Z])[.)])(?:[\s*_`]|\Z)")
_BRACKETED = re.compile(r"[(\[]([A-Z])[)\]]")
_LIST = re.compile(
    r"[\s\"'`*_:([{<]*[A-Z](?:[)\]*.]{0,2}\s*(?:,|;|&|/|and|or)+\s*[*(\[]{0,2}[A-Z])*[\s\"'`*_.:)\]}>]*", re.IGNORECASE
)
_ONE = re.compile(r"(?<![A-Za-z])[A-Z](?![A-Za-z])", re.IGNORECASE)


class Picked(NamedTuple):
    """The options that an answer names, and how that was seen."""

    options: frozenset[int]
    how: str


class Choice(BuiltinScorer):
    r"""1 when the answer picks a right option of a multiple-choice question, else 0.

    The pick is, in this order: the whole answer (a letter, or an option's text); what follows the last "answer is",
    "Answer:" or \boxed{}; a first or last line like "B) …" or "(B) …"; the only option whose text occurs; the only
    letter in brackets. Two different picks, or a letter beside another option's text, are ambiguous and fail.
    `pick: one` (default): exactly one option, and one of the right ones. `pick: all`: all right ones, no other.
    Needs `expected.choice`, as letters or texts, and `expected.choices` where texts are to be understood.
    Example: `{pick: one}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("choice", "1", needs=frozenset({"expected"}))
    card: ClassVar[Card] = Card(
        formula="`one`: 1 when exactly one option is picked, and it is a right one. `all`: 1 when the options picked "
        "are exactly the right ones. Else 0.",
        examples=(
            Example(
                {"input": "Which is a metal?", "expected": {"choices": ["sulphur", "copper", "argon"], "choice": "B"}},
                "Sulphur is brittle and argon is a gas, so the answer is (B).",
                1.0,
                True,
                note="Options named on the way do not count where the answer is introduced.",
            ),
            Example(
                {"input": "Which is a metal?", "expected": {"choices": ["sulphur", "copper", "argon"], "choice": "B"}},
                "The answer is B, argon.",
                0.0,
                False,
                note="The letter says one option and the text another.",
            ),
            Example(
                {"input": "Which are metals?", "expected": {"choices": ["tin", "zinc", "argon"], "choice": ["A", "B"]}},
                "A and B",
                1.0,
                True,
                {"pick": "all"},
            ),
        ),
        fails=("Where the answer argues its way to an option without naming it.",),
        also_called=("inspect:choice", "openai-evals:MultipleChoice", "lm-eval:multi_choice_regex"),
    )
    pick: Literal["one", "all"] = "one"

    def applies(self, case: Case) -> str:
        """Empty when the right options are known."""
        if case.expected is None or not case.expected.choice:
            return "the case has no expected choice"
        unknown = [c for c in case.expected.choice if _option(c, case.expected.choices) is None]
        return f"the expected choice {shown(unknown[0], 60)} is no option" if unknown else ""

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        expected = case.expected
        assert expected is not None
        right = frozenset(i for c in expected.choice if (i := _option(c, expected.choices)) is not None)
        picked = pick(output.text, expected.choices, many=self.pick == "all")
        goal = f"expected {_letters(right)}"
        if not picked.options:
            return Score.binary(False, f"{picked.how}; {goal}")
        name = _letters(picked.options)
        if self.pick == "one":
            if len(picked.options) > 1:
                return Score.binary(False, f"ambiguous: picks {name} ({picked.how}); {goal}")
            good = picked.options <= right
        else:
            good = picked.options == right
        return Score.binary(good, f"picks {name} ({picked.how})" + ("" if good else f"; {goal}"))


def _letters(options: Iterable[int]) -> str:
    return ", ".join(chr(65 + i) if i < 26 else f"option {i + 1}" for i in sorted(options))


def _option(name: str, choices: Sequence[str]) -> int | None:
    """The option that a text or a letter names; its text goes before its letter."""
    key = bare(name).casefold()
    for index, text in enumerate(choices):
        if key and bare(text).casefold() == key:
            return index
    return _by_letter(key, len(choices) or 26) if len(key) == 1 else None


def _by_letter(letter: str, count: int) -> int | None:
    index = ord(letter.upper()) - 65
    return index if 0 <= index < min(count, 26) else None


def pick(text: str, choices: Sequence[str], many: bool = False) -> Picked:
    """The options that an answer names; more than one means it is ambiguous, unless many may be picked."""
    text = text[:LONGEST_LABEL_TEXT] if len(text) <= LONGEST_LABEL_TEXT else text[-LONGEST_LABEL_TEXT:]
    whole = _option(text, choices)
    if whole is not None:
        return Picked(frozenset({whole}), "the whole answer")
    at = last_marker(text, CHOICE_MARKERS)
    if at is not None:
        found = _stated(after_marker(text, *at), choices)
        if found:
            return Picked(found, f"after {shown(at[1])}")
    if _LIST.fullmatch(text):
        return Picked(_all_letters(text, choices), "the letters listed")
    lines = [line for line in text.splitlines() if line.strip()]
    items = {i for line in (lines if many else lines[:1] + lines[-1:]) for i in _item(line, choices)}
    if items:
        return Picked(frozenset(items), "a line that begins with its letter")
    named = mentions(text, choices)
    if named:
        return Picked(frozenset(named), "its text")
    letters = _bracketed(text, choices)
    return Picked(letters, "a letter in brackets") if letters else Picked(frozenset(), "names no option")


def _bracketed(text: str, choices: Sequence[str]) -> frozenset[int]:
    found = (_by_letter(m.group(1), len(choices) or 26) for m in _BRACKETED.finditer(text))
    return frozenset(i for i in found if i is not None)


def _all_letters(text: str, choices: Sequence[str]) -> frozenset[int]:
    found = (_by_letter(m.group(), len(choices) or 26) for m in _ONE.finditer(text))
    return frozenset(i for i in found if i is not None)


def _stated(rest: str, choices: Sequence[str]) -> frozenset[int]:
    """The options named right behind a marker: letters, or texts; both together must agree."""
    whole = _option(rest, choices)
    if whole is not None:
        return frozenset({whole})
    if _LIST.fullmatch(rest):
        return _all_letters(rest, choices)
    letter = _LETTER.match(rest)
    named = frozenset(mentions(rest, choices))
    if letter is None or (letter.group(1) in "aAiI" and not _delimited(rest, letter)):
        return named
    index = _by_letter(letter.group(1), len(choices) or 26)
    return named if index is None else named | {index}


def _delimited(rest: str, letter: re.Match[str]) -> bool:
    """Whether a letter that is also a word (a, I) stands as an option: followed by a mark, or alone."""
    after = rest[letter.end() : letter.end() + 1]
    return not after or not after.isspace()


def _item(line: str, choices: Sequence[str]) -> frozenset[int]:
    match = _ITEM.match(line)
    if match is None:
        return frozenset()
    index = _by_letter(match.group(1) or match.group(2), len(choices) or 26)
    if index is None:
        return frozenset()
    return frozenset({index, *_bracketed(line, choices), *mentions(line[match.end() :], choices)})
