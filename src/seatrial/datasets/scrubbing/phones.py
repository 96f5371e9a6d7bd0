"""Telephone numbers of the same country that nobody has: ranges kept for fiction, else numbers that no plan assigns."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

from seatrial.datasets.scrubbing.drawing import Draw
from seatrial.scorers.safety._contact import REGIONS, abroad
from seatrial.scorers.safety._detecting import digits_of

FICTION: dict[str, dict[int, str]] = {
    "US": {10: "###55501##"},  # North America: 555-0100 to 555-0199 in every area
    "GB": {10: "7700900###"},  # Ofcom's numbers for drama
    "AU": {9: "491570###"},  # ACMA's numbers for fiction
    "FR": {9: "63998####"},  # ARCEP's numbers for audiovisual works
}
"""National numbers, by country and length, that a regulator keeps for fiction."""

TRIES = 5
"""So many numbers are drawn in a form before another one is taken."""

_NANP = 1
_PLUS = re.compile(r"\+|^00")


@lru_cache(maxsize=1)
def _library() -> Any:
    return import_module("phonenumbers")


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[int, str, str] | None:
    """Country calling code, country and national number in the first country where it is valid."""
    library: Any = _library()
    text = "+" + text.strip()[2:] if text.startswith("00") else text
    known = abroad(text) if text.startswith("+") else None  # whose country is told, whichever it is tried in
    for region in REGIONS:
        try:
            number = known or library.parse(text, region)
        except library.NumberParseException:
            continue
        if library.is_valid_number(number):
            zeros = "0" * (number.number_of_leading_zeros or 1) if number.italian_leading_zero else ""
            return (
                number.country_code,
                library.region_code_for_number(number) or region,
                zeros + str(number.national_number),
            )
        if text.startswith(f"+{number.country_code}"):
            return None  # with its country's code it is the same number in every region
    return None


def made(real: str, draw: Draw) -> str | None:
    """A number in the same form; None where none is found that `is_made` knows.

    Its country code and trunk prefix stay, all else is drawn; where none is found that way, they are drawn, too.
    """
    digits = digits_of(real)
    parsed = _parsed(real)
    national = parsed[2] if parsed and digits.endswith(parsed[2]) else digits.lstrip("0") or digits
    region = "US" if parsed and parsed[0] == _NANP else parsed[1] if parsed else ""
    usual = digits[: len(digits) - len(national)], FICTION.get(region, {}).get(len(national)) or _unassigned(national)
    for lead, pattern in (*[usual] * TRIES, ("", _unassigned(digits))):
        given = iter(lead + _drawn(pattern, draw))
        found = "".join(next(given) if "0" <= c <= "9" else c for c in real)
        if is_made(found):
            return found
    return None


def _unassigned(national: str) -> str:
    return "000" + "#" * (len(national) - 3)


def _drawn(pattern: str, draw: Draw) -> str:
    out = ""
    for at, place in enumerate(pattern):
        out += draw.of("23456789" if at == 0 and pattern.startswith("###") else "0123456789") if place == "#" else place
    return out


_OURS = re.compile(
    r"^(?:00)?1?[2-9]\d\d55501\d\d$|^(?:(?:00)?44|0)?0?7700900\d{3}$|^(?:(?:00)?61|0)?0?491570\d{3}$"
    r"|^(?:(?:00)?33|0)?0?63998\d{4}$|^(?:00)?\d{0,4}?000\d{3,}$"
)


def is_made(text: str) -> bool:
    """Whether a telephone number is a surrogate."""
    digits = digits_of(text)
    return _OURS.match(digits) is not None and (not re.match(r"^(?:00)?\d{0,4}?000", digits) or _parsed(text) is None)
