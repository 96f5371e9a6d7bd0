"""Numbers in answers: where the final one stands, what it is, and whether it is near enough."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from decimal import Context, Decimal, DecimalException
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, Text
from seatrial.core.score import Evidence, Score, ScorerInfo, verdict
from seatrial.scorers.base import SHOWN, OneOrMore, Real, ReferenceScorer, shown
from seatrial.scorers.card import Card, Example

BOXED = "\\boxed{"
MARKERS = ("A:", "Answer:", "answer is", "####", BOXED)
MAX_DIGITS = 1000
MAX_EXPONENT = 1000
TAIL = 200
"""So much of a text before its last digit is searched for its last number, before all of it is."""
AFTER_MARKER = 1000
BEFORE_DIGIT = 5
"""A number's sign, currency, space, second sign and point: all that may stand before its first digit."""
DOUBLE = Decimal("1e-12")
_REAL = (int, float)

Decimals = Literal["point", "comma"]
Percent = Literal["number", "share"]

_CONTEXT = Context(prec=2 * MAX_DIGITS)
_CURRENCY = "$€£¥₹₩₽₺₫₴฿¢"
_VULGAR = {
    "¼": (1, 4), "½": (1, 2), "¾": (3, 4), "⅓": (1, 3), "⅔": (2, 3), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
    "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8),
}  # fmt: skip
_SCALES = {
    "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "lakh": 5, "crore": 7, "k": 3, "mn": 6, "bn": 9,
}  # fmt: skip
_AFTER_MONEY = {"m": 6, "b": 9}
_SIGNS = str.maketrans("−－–", "---")


def _head(separators: str, point: str) -> re.Pattern[str]:
    """A number's sign, currency and digits; a sign counts only where no word or number ends before it."""
    digits = rf"\d{{1,3}}(?:[{separators}]\d{{3}})+(?!\d)|\d+"
    return re.compile(
        rf"(?:(?<![A-Za-z0-9_)\]])([-+−－–])(?=[\d.,{_CURRENCY}¼-¾⅓-⅞]))?"
        rf"(?:([{_CURRENCY}])\s?([-−])?)?"
        rf"(?<![A-Za-z0-9_./])((?:{digits})(?:{point}\d+)?|{point}\d+|[¼-¾⅓-⅞])"
    )


_HEADS: dict[Decimals, re.Pattern[str]] = {
    "point": _head(",'’_\u00a0\u2009\u202f", r"\."),
    "comma": _head(".'’_\u00a0\u2009\u202f", ","),
}
_BARE = re.compile(r"-?[0-9]{1,300}(?:\.[0-9]{1,300})?")
_ALONE = re.compile(r"[ \t]*([0-9]{1,300}(?:\.[0-9]{1,300})?)[ \t]*\Z")
"""A line that is nothing but a plain number."""
_DIGIT = re.compile(r"[\d¼-¾⅓-⅞]")
_ASCII_DIGIT = re.compile("[0-9]")
_OUTSIDE = rf"[^\d\s¼-¾⅓-⅞{_CURRENCY}.,/'’_+−－–×xX*·^{{}}()eE-]"
_UP_TO_LAST_CLUSTER = re.compile(f".*{_OUTSIDE}", re.DOTALL)
"""Up to the last character that no number holds before its last digit, where no LaTeX is about."""
_PLAIN_BACKWARDS = re.compile(rf"([0-9]{{1,30}}(?:\.[0-9]{{1,30}})?)(?:[ \t]{_OUTSIDE}|[:=\"]|-[A-DF-Za-df-z0-9])")
"""A plain number, and before it what none goes on from, in a text turned round.

A dash between is no sign, and no part of a power (1e-5): 2026-01-02.
"""
_GOES_ON = re.compile(r"[/eE]|\s?[×xX*·\\%％¼-¾⅓-⅞pP]|\s\d|[\s-]?[tmblkcTMBLKC\u212a]")
"""What may stand behind digits that are no number by themselves."""
_POWER = re.compile(r"[eE]([-+−]?\d{1,9})(?!\w)|\s?(?:[×xX*·]|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?\{?([-+−]?\d{1,9})")
_FRACTION = re.compile(r"/(\d+)(?![\d/.])|\s(\d{1,9})/(\d{1,9})(?![\d/.])|\s?([¼-¾⅓-⅞])")
_SCALE = re.compile(rf"[\s-]?({'|'.join(_SCALES)}|m|b)s?(?![A-Za-z])", re.IGNORECASE)
_DATE = re.compile(r"/\d+/\d")
_PERCENT = re.compile(r"\s?(?:\\?%|％|percent\b|per cent\b)", re.IGNORECASE)
_NOT_DIGIT = re.compile(r"[^\d.]")


class Number(NamedTuple):
    """A number in a text: its value and where it stands."""

    value: Decimal
    start: int
    end: int


def numbers(text: str, decimals: Decimals = "point", percent: Percent = "number") -> list[Number]:
    """Every number in a text, from left to right.

    Read: signs (Unicode minus too), currencies, thousands separators, fractions (3/4, 1 3/4, ½), scientific notation
    (1e3, 1.2 × 10^3), scales (5k, 2 million; M and B after a currency), percent. Not read: numbers inside words
    (A1, x2), number words, dates as such, numbers of more than 1,000 digits or powers beyond 10^1000.
    """
    return list(_numbers(text, decimals, percent))


def _numbers(
    text: str, decimals: Decimals, percent: Percent, position: int = 0, end: int = sys.maxsize
) -> Iterator[Number]:
    """The numbers whose first digit stands from `position` to `end`."""
    head = _HEADS[decimals]
    while (digit := _DIGIT.search(text, position, end)) is not None:
        match = head.search(text, max(position, digit.start() - BEFORE_DIGIT))
        if match is None:
            break
        number = _read(text, match, decimals, percent)
        position = match.end() if number is None else number.end
        if number is not None:
            yield number


def _read(text: str, match: re.Match[str], decimals: Decimals, percent: Percent) -> Number | None:
    sign, money, inner, digits = match.groups()
    end = match.end()
    try:
        value = _digits(digits, decimals)
        if value is None:
            return None
        goes_on = _GOES_ON.match(text, end) is not None
        if goes_on and digits not in _VULGAR:
            value, end = _fraction(text, end, value)
            value, end = _scaled(text, end, value, money is not None)
    except (DecimalException, ZeroDivisionError):
        return None
    per = _PERCENT.match(text, end) if goes_on else None
    if per is not None:
        end = per.end()
        value = _CONTEXT.divide(value, Decimal(100)) if percent == "share" else value
    negative = (sign is not None and sign != "+") != (inner is not None)
    return Number(-value if negative else value, match.start(), end)


def _digits(digits: str, decimals: Decimals) -> Decimal | None:
    if digits in _VULGAR:
        top, bottom = _VULGAR[digits]
        return _CONTEXT.divide(Decimal(top), Decimal(bottom))
    if len(digits) > MAX_DIGITS:
        return None
    if digits.isdecimal():
        return Decimal(digits)
    if decimals == "comma":
        digits = digits.replace(".", "").replace(",", ".")
    return Decimal(_NOT_DIGIT.sub("", digits))


def _fraction(text: str, end: int, value: Decimal) -> tuple[Decimal, int]:
    match = _FRACTION.match(text, end)
    if match is None:
        if _DATE.match(text, end):
            raise DecimalException
        return value, end
    bottom, top, under, vulgar = match.groups()
    if bottom is not None:
        return (value, end) if len(bottom) > MAX_DIGITS else (_CONTEXT.divide(value, Decimal(bottom)), match.end())
    part = _VULGAR[vulgar] if vulgar else (int(top), int(under))
    return _CONTEXT.add(value, _CONTEXT.divide(Decimal(part[0]), Decimal(part[1]))), match.end()


def _scaled(text: str, end: int, value: Decimal, money: bool) -> tuple[Decimal, int]:
    match = _POWER.match(text, end)
    if match is not None:
        power = int((match.group(1) or match.group(2)).translate(_SIGNS))
        if abs(power) > MAX_EXPONENT:
            raise DecimalException
        return value.scaleb(power, _CONTEXT), match.end()
    match = _SCALE.match(text, end)
    if match is None:
        return value, end
    word = match.group(1).lower()
    power = _SCALES.get(word) or (_AFTER_MONEY.get(word) if money else None)
    return (value, end) if power is None else (value.scaleb(power, _CONTEXT), match.end())


_LATEX = (
    (re.compile(r"\\[dt]?frac\s?\{([^{}]{1,40})\}\s?\{([^{}]{1,40})\}"), r"\1/\2"),
    (re.compile(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s?\{([^{}]{0,80})\}"), r" \1 "),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;:! ]"), ""),
    (re.compile(r"\\([$%#])"), r"\1"),
)


def without_latex(text: str) -> str:
    r"""The text with the LaTeX that stands around numbers undone: \frac{3}{4} is 3/4, 1{,}234 is 1,234."""
    if "\\" not in text and "{,}" not in text:
        return text
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return text


def last_marker(text: str, markers: tuple[str, ...]) -> tuple[int, str] | None:
    """Where the last marker ends, and which it is.

    A marker that begins with a letter does not begin inside a word. One of up to two characters is taken as written,
    a longer one in any case.
    """
    lowered = text.lower()
    folded = lowered if len(lowered) == len(text) else text
    best: tuple[int, str] | None = None
    for marker, what, as_written, word in _needles(markers):
        where = text if as_written else folded
        at = where.rfind(what)
        if at < 0:
            continue
        while at > 0 and word and where[at - 1].isalnum():
            at = where.rfind(what, 0, at)
        if at >= 0 and (best is None or at + len(what) > best[0]):
            best = (at + len(what), marker)
    return best


@lru_cache(maxsize=64)
def _needles(markers: tuple[str, ...]) -> list[tuple[str, str, bool, bool]]:
    """Each marker with what to seek, whether as it is written, and whether it begins with a letter or digit."""
    sought = [marker if len(marker) <= 2 else marker.lower() for marker in markers]
    return [(m, what, len(m) <= 2, what[0].isalnum()) for m, what in zip(markers, sought, strict=True)]


@lru_cache(maxsize=64)
def _after(marker: str) -> str:
    return f"after {shown(marker)}"


def after_marker(text: str, end: int, marker: str) -> str:
    """What a marker introduces: the content of the braces, else the rest of its line or the next line with text."""
    rest = text[end : end + AFTER_MARKER]
    if marker.endswith("{"):
        depth = 1
        for at, char in enumerate(rest):
            depth += (char == "{") - (char == "}")
            if depth == 0:
                return rest[:at]
        return rest
    return next((line for line in rest.splitlines() if line.strip(" *_:`")), "")


class Final(NamedTuple):
    """The final number of a text, or why there is none."""

    value: Decimal | None
    quote: str
    how: str


def final_number(
    text: str,
    markers: tuple[str, ...] = MARKERS,
    fallback: bool = True,
    decimals: Decimals = "point",
    percent: Percent = "number",
) -> Final:
    """The number that a text gives as its final answer.

    After the last marker: in its line the first number behind the last "=" (where that line has one), else the
    line's first number; nothing else is searched then. Without a marker: the last number of the text.
    """
    found = last_marker(text, markers)
    if found is not None:
        line = without_latex(after_marker(text, *found))
        if decimals == "point" and (alone := _ALONE.match(line)) is not None:
            return Final(Decimal(alone[1]), alone[1], _after(found[1]))
        behind = line.rpartition("=")
        for part in (behind[2], line) if behind[1] else (line,):
            if (first := next(_numbers(part, decimals, percent), None)) is not None:
                return Final(first.value, part[first.start : first.end], _after(found[1]))
        return Final(None, line[:SHOWN], f"no number stands {_after(found[1])}")
    return _last_number(text, decimals, percent) if fallback else _NO_MARKER


_NO_MARKER = Final(None, "", "no marker introduces a final answer")
_NO_NUMBER = Final(None, "", "the answer holds no number")


def _last_number(text: str, decimals: Decimals, percent: Percent) -> Final:
    """The last number of a text; most often it is a plain one."""
    backwards = text[::-1]
    digit = (_ASCII_DIGIT if text.isascii() else _DIGIT).search(backwards)
    if digit is None:
        return _NO_NUMBER
    end = len(text) - digit.start()
    start = end - TAIL
    latex = text.find("\\", max(0, start)) >= 0 or text.find("{,}", max(0, start)) >= 0
    if not latex and decimals == "point" and _GOES_ON.match(text, end) is None:
        plain = _PLAIN_BACKWARDS.match(backwards, digit.start())
        if plain is not None:
            quote = plain[1][::-1]
            return Final(Decimal(quote), quote, "the last number")
    last = None if latex else _last_in_cluster(text, max(0, start), end, decimals, percent)
    if last is not None:
        return Final(last.value, text[last.start : last.end], "the last number")
    for part in (text[start:], text) if start > 0 else (text,):
        plain = without_latex(part)
        read = numbers(plain, decimals, percent)
        if len(read) > 1 or (read and part is text):  # of a tail's first number, the beginning may be cut off
            return Final(read[-1].value, plain[read[-1].start : read[-1].end], "the last number")
    return _NO_NUMBER


def _last_in_cluster(text: str, start: int, end: int, decimals: Decimals, percent: Percent) -> Number | None:
    """The last number before `end`, read from the last character at which none can go on, or None to look further."""
    cluster = _UP_TO_LAST_CLUSTER.match(text, start, end)
    if cluster is None:
        return None
    last = None
    for last in _numbers(text, decimals, percent, cluster.end(), end):  # noqa: B007  # the last of them
        pass
    return last


def to_decimal(value: Json) -> Decimal | None:
    """A JSON number as a Decimal; None for all else."""
    if not isinstance(value, _REAL) or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() <= 3 * MAX_DIGITS else None
    number = Decimal(repr(value))
    return number if number.is_finite() else None


def near(found: Decimal, wanted: Decimal, absolute: float = 0.0, relative: float = 0.0) -> bool:
    """Whether |found − wanted| ≤ max(absolute, relative × |wanted|).

    Two whole numbers are compared exactly; otherwise a relative 1e-12, about what a double holds, is forgiven.
    """
    if found == wanted:
        return True
    difference = abs(_CONTEXT.subtract(found, wanted))
    if absolute and difference <= _exactly(absolute):
        return True
    size = abs(wanted)
    if relative and difference <= _exactly(relative) * size:
        return True
    return difference <= DOUBLE * size and not (_is_whole(found) and _is_whole(wanted))


@lru_cache(maxsize=256)
def _exactly(tolerance: float) -> Decimal:
    return Decimal(repr(tolerance))


def _is_whole(value: Decimal) -> bool:
    return value == value.to_integral_value()


class Numeric(ReferenceScorer):
    r"""1 when the answer's final number is an expected one within the tolerance, else 0.

    The final number is the one after the last marker ("A:", "Answer:", "answer is", "####", \boxed{}), in that line
    behind the last "=" where there is one; without a marker the last number (`without_marker: fail` turns that off).
    Expected answers are numbers, or texts read in the same way, such as a worked solution ending in "#### 18".
    Formula: |x − y| ≤ max(abs, rel × |y|), y the expected number; whole numbers are compared exactly by default.
    `decimals: comma` reads 1.234,5. `percent: share` makes 50% equal 0.5; otherwise it equals 50.
    Example: `{abs: 0.01}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("numeric", "1", needs=frozenset({"expected"}))
    card: ClassVar[Card] = Card(
        formula="1 when |x − y| ≤ max(abs, rel × |y|), x the answer's final number and y an expected one; else 0. "
        "Whole numbers are compared exactly unless a tolerance is set; of all others a relative 1e-12 is forgiven.",
        examples=(
            Example(
                {"input": "16 eggs, 3 eaten, 4 baked, the rest sold at $2 each?", "expected": 18},
                "16 - 3 - 4 = 9 eggs\n9 * 2 = $18\nA: 18",
                1.0,
                True,
            ),
            Example(
                {"input": "What do 1,250 units at 4 EUR cost?", "expected": 5000},
                "The total comes to €5,000.00.",
                1.0,
                True,
                note="Currency, separators and decimals are read; without a marker the last number counts.",
            ),
            Example(
                {"input": "What is 7 times 6?", "expected": 42},
                "It is 42, or possibly 48.",
                0.0,
                False,
                note="An answer that gives several numbers is held to its last.",
            ),
            Example({"input": "What is a third of 2?", "expected": 0.6667}, "Answer: 2/3", 1.0, True, {"abs": 0.0001}),
        ),
        fails=(
            'Where the answer spells numbers ("eighteen"): they are not read.',
            (
                "Where a remark with a number follows the answer and nothing introduces the answer: set `markers`, and "
                "`without_marker: fail`."
            ),
            "It does not compare units: 5 km equals 5 miles.",
        ),
        sources=("Cobbe et al. 2021, Training Verifiers to Solve Math Word Problems (GSM8K)",),
        also_called=("futureagi:numeric_similarity", "autoevals:NumericDiff", "inspect:match", "inspect:math"),
    )
    abs: Real = Field(default=0.0, ge=0, description="Absolute tolerance")
    rel: Real = Field(default=0.0, ge=0, description="Tolerance relative to the expected number")
    markers: Annotated[tuple[Text, ...], OneOrMore] = Field(default=MARKERS, description="What introduces the answer")
    without_marker: Literal["last", "fail"] = "last"
    decimals: Decimals = "point"
    percent: Percent = "number"

    @model_validator(mode="after")
    def _has_markers(self) -> Numeric:
        if not all(marker.strip() for marker in self.markers):
            raise ValueError("markers must not be blank")
        if not self.markers and self.without_marker == "fail":
            raise ValueError("without_marker: fail needs markers")
        return self

    def wanted(self, case: Case) -> tuple[Decimal, ...]:
        """The expected numbers."""
        return self.once(case, self._wanted)

    def _wanted(self, case: Case) -> tuple[Decimal, ...]:
        found: list[Decimal] = []
        for answer in () if case.expected is None else case.expected.answers:
            if isinstance(answer, str):
                number = _expected(answer, self.markers, self.decimals, self.percent)
            else:
                number = to_decimal(answer)
            if number is not None:
                found.append(number)
        return tuple(found)

    def applies(self, case: Case) -> str:
        """Empty when an expected answer holds a number."""
        if self.once(case, self._wanted):
            return ""
        return super().applies(case) or "no expected answer holds a number"

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        final = final_number(output.text, self.markers, self.without_marker == "last", self.decimals, self.percent)
        if final.value is None:
            return verdict(False, final.how)
        reason = f"{_short(final.value)}, {final.how}"
        evidence = (Evidence.of("text", final.quote, note=final.how),)
        goals = self.once(case, self._wanted)
        for goal in goals:
            if near(final.value, goal, self.abs, self.rel):
                return Score.binary(True, reason, evidence)
        return Score.binary(False, f"{reason}; expected {' or '.join([_short(goal) for goal in goals[:3]])}", evidence)


@lru_cache(maxsize=8192)
def _expected(text: str, markers: tuple[str, ...], decimals: Decimals, percent: Percent) -> Decimal | None:
    if decimals == "point" and _BARE.fullmatch(text):
        return Decimal(text)
    return final_number(text, markers, decimals=decimals, percent=percent).value


def _short(value: Decimal) -> str:
    text = str(value)
    if "E" in text or len(text) > 20:
        text = f"{value:f}" if abs(value.adjusted()) <= 20 else f"{value:.6e}"
    return text if len(text) <= 30 else f"{value:.12g}"
