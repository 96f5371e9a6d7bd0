"""What the detectors of personal data share: what is found, what a detector is, and the words around a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from importlib import import_module
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple
from unicodedata import normalize

from seatrial.scorers.text.regex import compiled, searched

LEFT = r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9][-./_])"
"""A number or code begins here: it is no tail of a word, a path, a decimal or a hyphenated code."""

LEFT_EXACT = r"(?:^|[^A-Za-z0-9_./-]|(?:^|[^A-Za-z0-9])[./-])"
"""The same for RE2, in ASCII: with what stands before."""

RIGHT = r"(?![A-Za-z0-9_])(?![-./_][A-Za-z0-9])"
"""A number or code ends here."""

BEFORE = 60
AFTER = 30


class Words:
    """A pattern, in any case, of words to be found in short texts: of ASCII RE2 tells in a tenth of the time of `re`.

    It has none of what the two read in another way there: look-around, white space as a class, `$`.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern, re.IGNORECASE)

    @cached_property
    def _plain(self) -> Any:
        return one_of(self._pattern.pattern.replace(r"\Z", r"\z"))

    def within(self, text: str) -> bool:
        """Whether a text holds one of the words."""
        return bool(self._plain.Match(text)) if text.isascii() else self._pattern.search(text) is not None


_NOT_PERSONAL = Words(
    r"\b(?:order|invoice|tracking|ticket|case|ref(?:erence)?|sku|serial|isbn|ean|gtin|upc|imei|commit|hash|build|"
    r"version|transaction|shipment|parcel|article|item|model|part|job|request|booking|confirmation|batch|lot|po|"
    r"bestell\w*|rechnungs?\w*|sendungs?\w*|auftrags?\w*|pedido|factura|commande|facture|ordine|fattura|bestelling|"
    r"timestamp|epoch|id|uuid)\W{0,3}(?:n[or°º]\.?|num(?:ber|m?er|ero|éro)?|id|code|#)?\W{0,4}(?:is|was|"
    r"ist|es|est)?\W{0,3}\Z"
)


class Found(NamedTuple):
    """A piece of personal data: `start` and `end` are offsets, `text` is what stands there, `confidence` in [0, 1]."""

    kind: str
    start: int
    end: int
    text: str
    confidence: float


class Seeking(NamedTuple):
    """What a detector is asked for: regions (ISO 3166 codes, empty: all) and whether reserved examples count."""

    regions: frozenset[str] = frozenset()
    reserved: bool = False


Finder = Callable[[str, Seeking], Iterator[Found]]


class Detector(NamedTuple):
    """One kind: `hint` is an RE2 pattern, any case, without which it cannot occur; `region` is empty for all.

    All hints are one automaton, so what counts (`{1,5}`) costs every text: a hint had better say too little. `exact`,
    where it is given, says more than the hint of texts of ASCII alone: with digits and letters of one alphabet only,
    it can tell where a number begins and ends.
    """

    kind: str
    group: str
    hint: str
    finder: Finder
    region: str = ""
    exact: str = ""


def beginning(pattern: re.Pattern[str], starts: Any, text: str) -> Iterator[re.Match[str]]:
    """What `pattern.finditer` finds, tried only where `starts` says that it can begin: many times as fast.

    `starts`, of `re` or RE2, must match at every place where `pattern` does; one of `re` had better begin with a set of
    characters.
    """
    free = 0
    for start in starts.finditer(text if isinstance(starts, re.Pattern) else searched(text)):
        if start.start() >= free and (match := pattern.match(text, start.start())) is not None:
            free = match.end()
            yield match


def in_runs(pattern: re.Pattern[str], starts: re.Pattern[str], run: str, text: str) -> Iterator[re.Match[str]]:
    """What `beginning` gives for a text of ASCII, tried only in its runs of digits, which RE2 seeks faster.

    `run`, for RE2, must match all of a run that `pattern` could match a part of, save the two signs it may begin with.
    """
    free = 0
    for found in compiled(run).finditer(text.encode("ascii")):
        for start in starts.finditer(text, max(free, found.start() - 2), found.end()):
            if start.start() >= free and (match := pattern.match(text, start.start())) is not None:
                free = match.end()
                yield match


def folds_as_ascii(text: str) -> bool:
    """Whether no letter beyond ASCII counts as one of ASCII where case is ignored, as İ, ı, ſ and the kelvin sign do.

    RE2 and `re` read ASCII's letters alike then.
    """
    return text.isascii() or not ("\u0130" in text or "\u0131" in text or "\u017f" in text or "\u212a" in text)


def before(text: str, start: int, reach: int = BEFORE) -> str:
    """What stands before an offset on the same line."""
    return text[max(0, start - reach, text.rfind("\n", 0, start) + 1) : start]


def near(text: str, start: int, end: int, words: re.Pattern[str]) -> bool:
    """Whether one of the words stands shortly before or after a span."""
    return words.search(text, max(0, start - BEFORE), start) is not None or (
        words.search(text, end, min(len(text), end + AFTER)) is not None
    )


def is_reference(text: str, start: int) -> bool:
    """Whether the words before a number say that it is an order, an invoice, a version or the like."""
    return _NOT_PERSONAL.within(before(text, start, 40))


@lru_cache(maxsize=128)
def validator(module: str) -> Callable[[str], bool]:
    """The `is_valid` of a module of python-stdnum."""
    return import_module(f"stdnum.{module}").is_valid


_DOUBLED = bytes(sum(divmod(2 * digit, 10)) for digit in range(10)).ljust(256, b"\0")


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    values = bytes(map(int, digits))
    return (sum(values[::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


def luhn_digit(digits: str) -> str:
    """The check digit of a number without one (ISO/IEC 7812-1)."""
    values = bytes(map(int, digits))
    return str(-(sum(values[-2::-2]) + sum(values[::-2].translate(_DOUBLED))) % 10)


def one_of(*patterns: str, cased: bool = False, memory: int = 16) -> Any:
    """Patterns for RE2, whose `Match` tells in one pass which of them a text without lone surrogates holds.

    `memory` is what its automaton may take, in MB.
    """
    re2: Any = import_module("re2")
    options = re2.Options()
    options.case_sensitive = cased
    options.log_errors = False
    options.max_mem = memory << 20
    held = re2.Set.SearchSet(options)
    for pattern in patterns:
        held.Add(pattern)
    held.Compile()
    return held


_NO_DIGITS = re.compile("[^0-9]+")


def digits_of(text: str) -> str:
    """The ASCII digits of a text."""
    return text if text.isascii() and text.isdigit() else _NO_DIGITS.sub("", text)


_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "œ": "oe", "æ": "ae", "'": "", "’": ""})
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")


def folded(words: str) -> str:
    """Words as addresses spell them: in lower case, Latin letters without accents, no apostrophes."""
    low = words.casefold()
    if low.isascii():
        return low.replace("'", "")
    return _ACCENTED.sub(lambda m: normalize("NFKD", m[0])[0], normalize("NFC", low).translate(_STROKES))


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def german(words: str) -> str:
    """Words as `folded` gives them, but ä, ö and ü as ae, oe and ue."""
    return folded(words if words.isascii() else normalize("NFC", words.casefold()).translate(_UMLAUTS))


_START = attrgetter("start")


def without_overlap(found: Iterable[Found]) -> list[Found]:
    """The surest of those that overlap, the longer one of equals, in the order of the text."""
    found = sorted(found, key=_START)
    if all(one.end <= other.start for one, other in pairwise(found)):
        return found
    kept: list[Found] = []
    taken: list[tuple[int, int]] = []
    for item in sorted(found, key=lambda f: (-f.confidence, f.start - f.end, f.start, f.kind)):
        if all(item.end <= start or end <= item.start for start, end in taken):
            kept.append(item)
            taken.append((item.start, item.end))
    return sorted(kept, key=_START)
