"""Facts that can be compared without understanding: numbers with units, dates, times, weekdays, codes, quotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from seatrial.scorers.retrieval._lexicon import LANGUAGES, MONTHS, WEEKDAYS
from seatrial.scorers.retrieval._numerals import SCALES, UNITS, spelled, words_of

Relation = Literal["same", "other", "apart", "near"]
"""`same`: one bears the other out. `other`: both cannot be. `near`: neither. `apart`: they measure different things."""


class Fact(NamedTuple):
    """A comparable thing in a text.

    `kind`: number, date, weekday, clock, code. `value`: low and high end of a number (in the unit's base), (year,
    month, day) of a date with 0 for what is open, or text. `unit`: a number's dimension. `bound`: "", "<", ">" or "~".
    `role`: the preposition before it, where that matters (from, to, by, per). `other`: a second reading.
    """

    kind: str
    value: tuple[float | str, ...]
    start: int
    end: int
    unit: str = ""
    bound: str = ""
    role: str = ""
    other: tuple[float | str, ...] | None = None


_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DATE = re.compile(
    rf"(?<![\w/-])(?:(?P<y1>\d{{4}})[-/](?P<m1>\d{{1,2}})[-/](?P<d1>\d{{1,2}})(?!\d)"
    r"|(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<y2>\d{4}|\d{2})(?!\d)"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?\s(?:of\s|de\s)?(?P<m3>{_MONTH})\b\.?(?:,?\s(?:de\s|del\s)?(?P<y3>\d{{4}}))?"
    rf"|(?P<m4>{_MONTH})\b\.?\s(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?![\d%])(?:,?\s(?P<y4>\d{{4}}))?"
    rf"|(?P<m5>{_MONTH})\b\.?,?\s(?:de\s|del\s)?(?P<y5>\d{{4}})(?!\d)"
    r"|(?P<q>[QqT][1-4])\s?(?P<y6>\d{4}))",
    re.IGNORECASE,
)
_MONTH_ALONE = re.compile(
    rf"\b(?:in|since|by|until|from|im|seit|bis|ab|en|depuis|desde|hasta)\s(?P<m>{_MONTH})\b", re.IGNORECASE
)
_YEAR = re.compile(
    r"(?:\b(?:in|since|by|until|till|from|to|of|year|early|late|mid|during|before|after|and|around|through|im|seit|bis|ab"
    r"|jahr|jahre|vor|nach|en|depuis|avant|après|desde|hasta|año|de|del|und|et|y|fall|spring|summer|winter|for)[\s-]"
    r"|[(/–,]\s?|^)(?P<y>1[5-9]\d\d|20\d\d|21\d\d)(?![\d%]|[.,]\d|\s?(?:€|\$|£))",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<![\w:.])(?P<h>\d{1,2})(?:[:.h](?P<m>\d{2}))?(?::\d{2})?\s?(?P<half>[ap]\.?m\b\.?)"
    r"|(?<![\w:.])(?P<h2>[01]?\d|2[0-3])[:](?P<m2>[0-5]\d)(?![\d:])"
    r"|(?<![\w:.])(?P<h3>[01]?\d|2[0-4])(?:[.:h](?P<m3>[0-5]\d))?\s?(?:uhr|heures?|h)\b|\b(?P<noon>noon|midnight)\b",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]+(?:[-_/.:@#][A-Za-z0-9]+)*")
_LINK = re.compile(r"https?://[^\s<>)\]\"']+|www\.[^\s<>)\]\"']+")
_MONEY = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₺": "TRY", "₽": "RUB", "₪": "ILS"}
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w)\]])[-−+](?=[\d.$€£¥]))?(?P<money>US\$|[$€£¥₹₩₺₽₪]|\b(?:USD|EUR|GBP|CHF|JPY|INR)(?=\s?\d))?\s?"
    r"(?:(?<![\w.,])|(?<=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]))(?P<digits>\d{1,3}(?:[\u00a0\u2009\u202f'’]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*|[.]\d+)"
    r"(?P<half>[½¼¾])?"
)
_SPACED_NUMBER = re.compile(_NUMBER.pattern.replace("202f'", "202f '"))  # French has spaces between thousands
_RANGE = re.compile(r"\s?(?:[-–—]|to|and|bis|und|à|et|a|y|or|oder)\s?$", re.IGNORECASE)
_AFTER = re.compile(r"[\s\u00a0\u202f-]?\s?([^\W\d_]+(?:/[^\W\d_]+)?|[%€$£¥₹₩°][CF]?)(?:[\s-]([^\W\d_]+))?")
_BOUNDS = (
    (">", re.compile(
        r"(?:at least|minimum(?: of)?|no (?:less|fewer) than|(?<!no )(?<!not )more than|over|above|exceed(?:s|ing)?"
        r"|mindestens"
        r"|mehr als|über"
        r"|au moins|plus de|minimum|al menos|más de|como mínimo)\s*$", re.IGNORECASE)),
    ("<", re.compile(
        r"(?:up to|at most|maximum(?: of)?|no more than|not more than|(?<!no )(?<!not )(?:less|fewer) than|under|below"
        r"|höchstens|maximal"
        r"|bis zu|weniger als|au plus|jusqu['’]à|moins de|maximum|hasta|como máximo|menos de)\s*$", re.IGNORECASE)),
    ("~", re.compile(
        r"(?:about|approximately|around|roughly|nearly|almost|some|circa|ca\.?|~|≈|etwa|rund|ungefähr|knapp"
        r"|environ|près de"
        r"|unos|unas|aproximadamente|cerca de|alrededor de)\s*$", re.IGNORECASE)),
)  # fmt: skip
_LABEL = re.compile(r"(?<![\w.])([A-ZÀ-Þ][^\W\d_]+) $")
_FROM = re.compile(r"\b(?:from|von|desde|de)\s*\W?$", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|zwischen|entre)\s*\W?$", re.IGNORECASE)
_ROLE = re.compile(r"\b(out of|from|to|by|per|von|auf|um|pro|de|à|desde|per|por)\s(?:\D{0,2})$", re.IGNORECASE)
_ROLES = {"out of": "of", "from": "from", "von": "from", "desde": "from", "to": "to", "auf": "to", "à": "to",
          "by": "by", "um": "by", "por": "by"}  # fmt: skip
_STOP = re.compile(r"[.!?](?:\s|$)|\n|\x1e")
_CODE_WORD = re.compile(r"[a-z]+-\d+$")
LOOK_BACK = 24
_FRACTIONS = {
    "en": (
        (
            re.compile(
                r"\b(?:(?P<n>a|one|two|three|four)[ -])?(?P<d>half|thirds?|quarters?|fifths?)(?= of\b)", re.IGNORECASE
            ),
            {"": 1, "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "half": 2, "third": 3, "thirds": 3, "quarter": 4,
             "quarters": 4, "fifth": 5, "fifths": 5},
        ),
    ),
    "de": (
        (
            re.compile(r"\b(?P<n>die|ein|zwei|drei|vier) (?P<d>Hälfte|Drittel|Viertel|Fünftel)\b", re.IGNORECASE),
            {"die": 1, "ein": 1, "zwei": 2, "drei": 3, "vier": 4, "hälfte": 2, "drittel": 3, "viertel": 4,
             "fünftel": 5},
        ),
    ),
}  # fmt: skip
_PLACES = ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth")
_ORDINAL = re.compile(
    rf"\b(?:(?P<n>\d{{1,3}})(?:st|nd|rd|th)|(?P<w>{'|'.join(_PLACES)}))\b(?! (?:of|party)\b)", re.IGNORECASE
)


def facts(text: str, language: str) -> list[Fact]:
    """Every fact of a text, from left to right, none inside another."""
    taken = bytearray(len(text))
    found: list[Fact] = []
    for finder in (_links, _dates, _clocks, _parts, _codes, _years, _weekdays):
        for fact in finder(text, language):
            if not any(taken[fact.start : fact.end]):
                taken[fact.start : fact.end] = b"\1" * (fact.end - fact.start)
                found.append(fact)
    found += _numbers(text, language, taken)
    return sorted(found, key=lambda f: f.start)


def _links(text: str, language: str) -> Iterator[Fact]:
    del language
    if "://" in text or "www." in text:
        for match in _LINK.finditer(text):
            yield Fact("code", (match.group().rstrip(".,;:!?").casefold(),), match.start(), match.end(), "link")


def _dates(text: str, language: str) -> Iterator[Fact]:
    for match in _DATE.finditer(text):
        found = match.groupdict()
        other = None
        if found["y1"]:
            value = (int(found["y1"]), int(found["m1"]), int(found["d1"]))
        elif found["sep"]:
            a, b, year = int(found["a"]), int(found["b"]), int(found["y2"])
            year += 2000 if year < 100 else 0
            value, other = (year, b, a), (year, a, b)
            if language == "en" and found["sep"] == "/":
                value, other = other, value
            value, other = (value, other if other[1] <= 12 else None) if value[1] <= 12 else (other, None)
        elif found["q"]:
            value = (int(found["y6"]), -int(found["q"][1]), 0)
        else:
            month = MONTHS[(found["m3"] or found["m4"] or found["m5"]).casefold()]
            year = found["y3"] or found["y4"] or found["y5"]
            value = (int(year or 0), month, int(found["d3"] or found["d4"] or 0))
        if abs(value[1]) <= 12 and value[2] <= 31:
            yield Fact("date", value, match.start(), match.end(), other=other)
    for match in _MONTH_ALONE.finditer(text):
        if match["m"] not in ("may", "mar", "mars", "sept", "dec"):
            yield Fact("date", (0, MONTHS[match["m"].casefold()], 0), *match.span("m"))


def _years(text: str, language: str) -> Iterator[Fact]:
    for match in _YEAR.finditer(text):
        after = _AFTER.match(text, match.end())
        unit = after and (after[1].casefold() in UNITS or after[1].casefold() in SCALES.get(language, {}))
        if not unit:
            yield Fact("date", (int(match["y"]), 0, 0), *match.span("y"))


def _clocks(text: str, language: str) -> Iterator[Fact]:
    del language
    for match in _CLOCK.finditer(text):
        hour = match["h"] or match["h2"] or match["h3"] or (12 if match["noon"] == "noon" else 0)
        minute = match["m"] or match["m2"] or match["m3"] or 0
        half = (match["half"] or "").casefold().replace(".", "")
        shown = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour) % 24
        yield Fact("clock", (shown * 60 + int(minute),), match.start(), match.end(), role=_role(text, match.start()))


def _parts(text: str, language: str) -> Iterator[Fact]:
    """Fractions of a whole, in per cent, and places in an order."""
    for pattern, wholes in _FRACTIONS.get(language, ()):
        for match in pattern.finditer(text):
            share = 100.0 * wholes[(match["n"] or "").casefold()] / wholes[match["d"].casefold()]
            yield Fact("number", (share, share), match.start(), match.end(), "percent")
    if language == "en":
        for match in _ORDINAL.finditer(text):
            place = float(match["n"] or 3 + _PLACES.index(match["w"].casefold()))
            yield Fact("number", (place, place), match.start(), match.end(), "place")


def _weekdays(text: str, language: str) -> Iterator[Fact]:
    del language
    for match in _WEEKDAY.finditer(text):
        if match.group() not in ("mars", "sun"):
            yield Fact("weekday", (WEEKDAYS[match.group().casefold()],), match.start(), match.end())


def _codes(text: str, language: str) -> Iterator[Fact]:
    del language
    for match in _WORD.finditer(text):
        word = match.group()
        if word.isalpha() or (not word[0].isalpha() and "@" not in word):
            continue
        mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
        if (mixed and _CODE_WORD.match(word) is None) or "@" in word:
            shape = "".join("9" if c.isdigit() else "A" if c.isalpha() else c for c in word)
            yield Fact("code", (word.casefold(),), match.start(), match.end(), shape)


@lru_cache(maxsize=4096)
def parse_digits(digits: str, language: str) -> tuple[float, float | None]:
    """A number's value as a language writes it, and the other reading where one separator can be either."""
    digits = re.sub("[\u00a0\u2009\u202f '’]", "", digits)[:300]
    marks = [c for c in digits if c in ".,"]
    if not marks:
        return float(digits), None
    last, tail = marks[-1], len(digits) - 1 - digits.rfind(marks[-1])
    if len(set(marks)) == 2:
        return float(digits.replace("," if last == "." else ".", "").replace(",", ".")), None
    grouped = digits.replace(last, "")
    if len(marks) > 1:
        return float(grouped), None
    pointed = float(digits.replace(",", "."))
    if tail != 3 or digits.startswith((".", ",", "0")):
        return pointed, None
    english = language not in ("de", "fr", "es")
    thousands = (last == ",") == english
    return (float(grouped), pointed) if thousands else (pointed, float(grouped))


class _Raw(NamedTuple):
    start: int
    end: int
    low: float
    high: float
    other: float | None
    money: str


def _numbers(text: str, language: str, taken: bytearray) -> Iterator[Fact]:
    raw: list[_Raw] = []
    for match in (_SPACED_NUMBER if language == "fr" else _NUMBER).finditer(text):
        start, end = match.span("digits")
        if any(taken[start:end]):
            continue
        end = match.end()
        value, other = parse_digits(match["digits"], language)
        value += {"½": 0.5, "¼": 0.25, "¾": 0.75}.get(match["half"] or "", 0)
        sign = -1 if match["sign"] in ("-", "−") else 1
        mark = match["money"] or ""
        money = mark if len(mark) == 3 and mark.isalpha() else _MONEY.get(mark[-1:], "")
        start = match.start("sign") if match["sign"] else match.start("money") if money else start
        raw.append(_Raw(start, end, sign * value, sign * value, None if other is None else sign * other, money))
    digits = bytearray(taken)
    for item in raw:
        digits[item.start : item.end] = b"\1" * (item.end - item.start)
    for start, end, value in spelled(text, language):
        if not any(digits[start:end]):
            raw.append(_Raw(start, end, value, value, None, ""))
    last: Fact | None = None
    scale = 1.0
    for item in _ranges(text, sorted(raw)):
        fact = _measured(text, language, item)
        if last is not None and not fact.unit and _elliptic(text, last, fact):
            fact = fact._replace(unit=last.unit, value=(item.low * scale, item.high * scale))
        elif fact.kind == "number" and fact.unit and item.low:
            last, scale = fact, float(fact.value[0]) / item.low
        yield fact


def _elliptic(text: str, last: Fact, fact: Fact) -> bool:
    """Whether a bare number that ends its clause is measured as the one before it in the sentence: "30 days, 20."."""
    ends = text[fact.end : fact.end + 1] in ("", ".", ",", ";", ")") and not text[fact.end + 1 : fact.end + 2].isdigit()
    return fact.kind == "number" and ends and _STOP.search(text, last.end, fact.start) is None


def _ranges(text: str, found: list[_Raw]) -> list[_Raw]:
    """Joins two numbers that a dash or "to" makes a range, unless the first stands after "from" as a change does."""
    joined: list[_Raw] = []
    for item in found:
        last = joined[-1] if joined else None
        if last is not None and last.low == last.high and item.start - last.end < 6 and _is_range(text, last, item):
            joined[-1] = _Raw(last.start, item.end, last.low, abs(item.high), None, last.money or item.money)
        else:
            joined.append(item)
    return joined


def _is_range(text: str, last: _Raw, item: _Raw) -> bool:
    gap = text[last.end : item.start]
    dash = item.low < 0 and not gap
    if not dash and _RANGE.fullmatch(gap) is None:
        return False
    if abs(item.high) <= last.low:
        return False
    word = gap.strip().casefold()
    before = text[max(0, last.start - 10) : last.start]
    if word in ("to", "a", "à", "bis", "") or word in "-–—":
        return dash or word in "-–—" or _FROM.search(before) is None
    return _BETWEEN.search(before) is not None


def _measured(text: str, language: str, raw: _Raw) -> Fact:
    """A number with the scale and the unit that follow it, in the unit's base, and what stands before it."""
    start, end, factor, unit = raw.start, raw.end, 1.0, raw.money
    after = _AFTER.match(text, end)
    if after is not None and (scale := SCALES.get(language, {}).get(after[1].casefold())) is not None:
        word = after[1].casefold()
        glued = text[end : end + 1] == after[1][0]
        if word not in ("m", "b", "k", "md") or raw.money or (glued and word != "m"):
            factor, end = scale, after.end(1)
            after = _AFTER.match(text, end)
    if after is not None:
        one, two = after[1].casefold(), f"{after[1]} {after[2]}".casefold() if after[2] else ""
        base = one.partition("/")[0]
        for name, stop in ((two, after.end()), (one, after.end(1)), (base, after.start(1) + len(base))):
            if name and name in UNITS and (not unit or UNITS[name][0] == unit):
                unit, size = UNITS[name]
                factor, end = factor * size, stop
                break
    label = _LABEL.search(text, max(0, start - LOOK_BACK), start) if not unit and raw.low == raw.high else None
    if label is not None and factor == 1.0 and label[1].casefold() not in LANGUAGES[language].stop:
        return Fact("code", (f"{label[1].casefold()} {raw.low:g}",), start, end, "name")
    before = text[max(0, start - LOOK_BACK) : start]
    role = _role(text, start)
    bound, lead = next(((mark, m) for mark, pattern in _BOUNDS if (m := pattern.search(before))), ("", None))
    start -= len(before) - lead.start() if lead is not None else 0
    other = None if raw.other is None else (raw.other * factor, raw.other * factor)
    return Fact("number", (raw.low * factor, raw.high * factor), start, end, unit, bound, role, other)


def _role(text: str, start: int) -> str:
    match = _ROLE.search(text[max(0, start - 10) : start])
    return _ROLES.get(match[1].casefold(), "") if match else ""


def relation(claimed: Fact, stated: Fact) -> Relation:
    """How a claimed fact stands to a stated one."""
    if claimed.kind != stated.kind:
        return "apart"
    if claimed.kind == "number":
        return _number_relation(claimed, stated)
    if claimed.kind == "date":
        readings = [r for r in (claimed.value, claimed.other) if r is not None]
        stated_readings = [r for r in (stated.value, stated.other) if r is not None]
        found = {_date_relation(a, b) for a in readings for b in stated_readings}
        return next(r for r in ("same", "near", "other", "apart") if r in found)
    if claimed.kind == "code" and claimed.value != stated.value:
        return "apart"
    return "same" if claimed.value == stated.value else "other"


def _date_relation(claimed: tuple[float | str, ...], stated: tuple[float | str, ...]) -> Relation:
    missing = False
    compared = False
    for a, b in zip(claimed, stated, strict=True):
        if a and b:
            if a != b:
                return "apart" if (float(a) < 0) != (float(b) < 0) else "other"
            compared = True
        elif a:
            missing = True
    return "apart" if not compared else "near" if missing else "same"


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-300)


_DAY = 86400.0
_LONG = {"time": (1 / _DAY, 1 / _DAY), "workday": (1.0, 1.7), "month": (28.0, 31.0)}
"""How many calendar days one of a unit's base is, at least and at most."""


def _kindred(claimed: Fact, stated: Fact) -> Relation:
    """Values in units that are not converted exactly: days and working days, months and days, degrees."""
    a, b = float(claimed.value[0]), float(stated.value[0])
    if {claimed.unit, stated.unit} == {"celsius", "fahrenheit"}:
        c, f = (a, b) if claimed.unit == "celsius" else (b, a)
        return "same" if abs(c * 1.8 + 32 - f) < 1 else "other"
    if claimed.unit in _LONG and stated.unit in _LONG:
        mine, theirs = _LONG[claimed.unit], _LONG[stated.unit]
        far = a * mine[1] < 0.7 * b * theirs[0] or a * mine[0] > 1.5 * b * theirs[1] + 2
        return "other" if far and not claimed.bound else "near"
    if {claimed.unit, stated.unit} == {"percent", "points"}:
        return "near"
    money = all(len(unit) == 3 and unit.isupper() for unit in (claimed.unit, stated.unit))
    return "other" if money else "apart"


def _number_relation(claimed: Fact, stated: Fact) -> Relation:
    if claimed.unit != stated.unit:
        return _kindred(claimed, stated)
    low, high = float(claimed.value[0]), float(claimed.value[1])
    for value in (stated.value, stated.other):
        if value is None:
            continue
        for mine in (claimed.value, claimed.other):
            if mine is not None and _close(float(mine[0]), float(value[0])) and _close(float(mine[1]), float(value[1])):
                return "other" if {claimed.bound, stated.bound} == {"<", ">"} else _bounded(claimed, stated)
    least, most = float(stated.value[0]), float(stated.value[1])
    if claimed.bound == "~" and abs(low - least) <= 0.05 * abs(least) and abs(high - most) <= 0.05 * abs(most):
        return "same"
    if claimed.bound == ">" and not stated.bound:
        return "same" if least >= low else "other"
    if claimed.bound == "<" and not stated.bound:
        return "same" if most <= high else "other"
    if least < most and least <= low and high <= most:
        return "near"
    if stated.bound and stated.bound == claimed.bound:
        return "other"
    if (stated.bound == ">" and low >= least) or (stated.bound == "<" and high <= most):
        return "near"
    return "other"


def _bounded(claimed: Fact, stated: Fact) -> Relation:
    """Equal numbers: a claim without the bound that its source has says more."""
    dropped = stated.bound in ("<", ">") and claimed.bound != stated.bound
    return "near" if dropped else "same"


_QUOTE = re.compile(r"“([^”]{1,1000})”|„([^“”]{1,1000})[“”]|«\s?([^»]{1,1000}?)\s?»|(?<!\w)\"([^\"]{1,1000})\"(?!\w)")
_SPACES = re.compile(r"\s+")
MIN_QUOTED = 3


def quotations(text: str) -> Iterator[tuple[str, int, int]]:
    """Quoted spans of three words and more (six characters where words are not spaced): the text, start and end."""
    if not any(mark in text for mark in '“„«"'):
        return
    for match in _QUOTE.finditer(text):
        group = next(i for i in range(1, 5) if match[i] is not None)
        if len(words_of(match[group])) >= MIN_QUOTED:
            yield match[group], match.start(group), match.end(group)


def flat(text: str) -> str:
    """Text as quotations are compared: one space between words, plain quotation marks, any case, no end mark."""
    text = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return _SPACES.sub(" ", text).strip().rstrip(".,;:!?…").casefold()
