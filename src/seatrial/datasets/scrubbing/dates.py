"""Dates moved by a session's constant number of days, into the 18th and 19th century.

Nobody alive was born there: a moved date is known as one whatever the key, order and distances in days stay, and
moving is never done twice. A year of two digits is written with four, which is the one change of form.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

OLDEST = date(1900, 1, 1)
LEAST, SPREAD = 54_000, 1_461
"""A date moves back by 54,000 days (148 years) and up to four years more, as the session's key says."""

_MONTHS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
)
_TABLES = tuple(tuple(names.split()) for names in _MONTHS)
_NUMERIC = re.compile(r"(\d{1,4})(\s?[-./年 ]\s?)(\d{1,2})(\s?[-./月 ]\s?)(\d{1,4})")
_DAY_FIRST = re.compile(r"(\d{1,2})(st|nd|rd|th|\.|er|º)?((?: of| de)? )([^\W\d_]{3,10})(\.?(?: de|,)? )(\d{4})")
_TIME = re.compile(r"(?<=\d)[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?\Z")
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,10})(\.? )(\d{1,2})(st|nd|rd|th)?(,? )(\d{4})")


def moved(written: str, days: int) -> str | None:
    """A date moved back by `days`, in its own form; None where it is no date or no day of the calendar."""
    for pattern, move in ((_NUMERIC, _numeric), (_DAY_FIRST, _day_first), (_MONTH_FIRST, _month_first)):
        match = pattern.search(written)
        new = move(match, days) if match else None
        if match and new is not None:
            return written[: match.start()] + new + written[match.end() :]
    return None


def is_one(written: str) -> bool:
    """Whether a text is a date, or a date and a time, and nothing else."""
    day = _TIME.sub("", written)
    return any(pattern.fullmatch(day) is not None for pattern in (_NUMERIC, _DAY_FIRST, _MONTH_FIRST))


def is_moved(written: str) -> bool:
    """Whether a date's year, written with four digits, lies before 1900."""
    year = re.search(r"(?<!\d)1[5-8]\d\d(?!\d)", written)
    return year is not None and re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", written) is None


def _back(year: int, month: int, day: int, days: int) -> date | None:
    try:
        return date(year + 1900 if year < 100 else year, month, day) - timedelta(days)
    except (ValueError, OverflowError):
        return None


def _numeric(match: re.Match[str], days: int) -> str | None:
    a, first, b, second, c = match.groups()
    if len(a) == 4:
        new = _back(int(a), int(b), int(c), days)
        return new and f"{new.year}{first}{_as(new.month, b)}{second}{_as(new.day, c)}"
    if len(c) not in (2, 4) or len(a) > 2:
        return None
    month_first = int(a) <= 12 < int(b)
    day, month = (b, a) if month_first else (a, b)
    new = _back(int(c), int(month), int(day), days)
    if new is None:
        return None
    parts = (_as(new.month, a), _as(new.day, b)) if month_first else (_as(new.day, a), _as(new.month, b))
    return f"{parts[0]}{first}{parts[1]}{second}{new.year}"


def _as(number: int, like: str) -> str:
    return f"{number:02d}" if len(like) == 2 else str(number)


def _day_first(match: re.Match[str], days: int) -> str | None:
    day, suffix, gap, word, link, year = match.groups()
    new, name = _named(int(year), word, int(day), days)
    return new and f"{new.day}{_suffix(new.day, suffix)}{gap}{name}{link}{new.year}"


def _month_first(match: re.Match[str], days: int) -> str | None:
    word, gap, day, suffix, link, year = match.groups()
    new, name = _named(int(year), word, int(day), days)
    return new and f"{name}{gap}{new.day}{_suffix(new.day, suffix)}{link}{new.year}"


def _suffix(day: int, suffix: str | None) -> str:
    if suffix in ("st", "nd", "rd", "th"):
        return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return suffix or ""


def _named(year: int, word: str, day: int, days: int) -> tuple[date | None, str]:
    """The moved date, and its month in the language of `word`."""
    low = word.lower()
    for table in _TABLES:
        if low in table:
            new = _back(year, table.index(low) + 1, day, days)
            name = table[new.month - 1] if new else ""
            return new, name.capitalize() if word[0].isupper() else name
    return None, ""
