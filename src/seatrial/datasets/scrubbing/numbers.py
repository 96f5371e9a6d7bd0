"""Numbers of the same form as real ones: valid by their checksum, in ranges kept for tests where such exist.

A layout is written over a number's letters and digits, separators left out:
`#` a free digit, `@` a free letter, `%` a digit and `&` a letter that follow from the free ones, `yy mm dd` a date that
follows from them, `c` what makes the checksum right; all else stands for itself. Whether the places that follow do
follow is what tells a surrogate from a real number, whatever the key.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache
from importlib import import_module

from seatrial.datasets.scrubbing.drawing import Draw, check
from seatrial.scorers.safety._detecting import luhn_digit, validator
from seatrial.scorers.safety._national_ids import FORMS
from seatrial.scorers.safety._payment import issuer
from seatrial.scorers.safety.personal import GROUPS

LAYOUTS: dict[str, tuple[str, ...]] = {
    "us_ssn": ("9##0#####",),  # 9xx was never given out; ITINs have no 0 in that place
    "us_itin": ("9##7#%%%%",),
    "gb_nino": ("QQ######C",),  # QQ is kept for examples
    "gb_nhs": ("999######c",),  # 999: test patients
    "de_steuer_id": ("0#########c",),  # a leading 0: test numbers
    "fr_nir": ("7yymm99###%%%cc",),
    "es_dni": ("####%%%%c",),
    "es_nie": ("X###%%%%c",),
    "it_codice_fiscale": ("XX@@@@yyAddZ%%%c",),
    "nl_bsn": ("9999####c",),
    "br_cpf": ("####%%%%%cc",),
    "in_aadhaar": ("9######%%%%c",),
    "in_pan": ("@@@P@%%%%&",),
    "pl_pesel": ("yymmdd###%c",),
    "se_personnummer": ("yymmdd###c", "19yymmdd###c"),
    "fi_hetu": ("ddmmyy9##c", "ddmmyyA9##c"),  # 900 to 999: never given out
    "dk_cpr": ("ddmmyy0##%",),
    "no_fodselsnummer": ("ddmmyy###cc",),
    "pt_nif": ("2###%%%%c",),
    "mx_curp": ("X@@@yymmddHNE@@@0c",),
    "ca_sin": ("0#####%%c",),  # a leading 0 is not given out
    "au_tfn": ("####%%%%c", "###%%%%c"),
    "ch_ahv": ("756####%%%%%c",),
    "cn_ric": ("11010119yymmdd###c",),
    "kr_rrn": ("yymmdd1###%%c",),
    "be_nn": ("yymmdd###cc",),
    "za_id": ("yymmdd####08c",),
    "tr_kimlik": ("9####%%%%cc",),
    "ie_pps": ("###%%%%c", "###%%%%cA"),
    "my_nric": ("yymmdd71###%",),
    "cz_rc": ("yymmdd###c", "yymmdd##c"),
    "th_pin": ("8######%%%%%c",),
    "cl_rut": ("####%%%%c", "###%%%%c"),
    "ro_cnp": ("1yymmdd52###c",),
    "hr_oib": ("######%%%%c",),
    "gr_amka": ("ddmmyy###%c",),
    "il_id": ("####%%%%c",),
    "at_svnr": ("###cddmmyy",),
    "jp_my_number": ("#######%%%%c",),
}
"""National ids, by kind; where there are several, the one as long as the number."""

BINS = {
    "visa": "400000", "mastercard": "555555", "amex": "378282", "discover": "601111", "diners": "305693",
    "jcb": "353011", "unionpay": "620000", "mir": "220000", "rupay": "508500", "maestro": "676770",
}  # fmt: skip
"""First six digits that payment providers use for test cards, or that no issuer is known for."""

TRIES = 5_000
_CHECKS = {form.kind: form.check for form in FORMS}
_CHECK_CHARS = string.digits + string.ascii_uppercase
_SEPARATORS = re.compile("[^A-Z0-9]+")
_NO_DIGITS = re.compile("[^0-9]+")
_NO_ALNUM = re.compile("[^A-Za-z0-9]+")


def compact(text: str) -> str:
    """The ASCII letters and digits of a number, in capitals."""
    return _SEPARATORS.sub("", text.upper())


def respelled(digits: str, like: str) -> str:
    """Characters put where another text has its letters and digits; separators and case stay."""
    if len(digits) == len(like) and like.isascii() and like.isdigit():
        return digits
    given = iter(digits)
    out = [(next(given) if c.isascii() and c.isalnum() else c, c) for c in like]
    return "".join([new.lower() if old.islower() else new for new, old in out])


def layout_of(kind: str, number: str) -> str | None:
    """The layout for a compact number; None where the kind has none of that length."""
    if kind == "card":
        prefix = BINS.get(issuer(number) if number.isdigit() and len(number) > 11 else "")
        return f"{prefix}{'#' * (len(number) - 10)}%%%c" if prefix else None
    return next((one for one in LAYOUTS.get(kind, ()) if len(one) == len(number)), None)


@lru_cache(maxsize=128)
def _steps(layout: str) -> tuple[str, ...]:
    return tuple(re.findall("yy|mm|dd|[#@%&c]|[A-Z0-9]+", layout))


@lru_cache(maxsize=128)
def _free(layout: str) -> tuple[tuple[int, str], ...]:
    """The places that are drawn, each with what it is drawn from."""
    found: list[tuple[int, str]] = []
    at = 0
    for step in _steps(layout):
        if step in _DRAWN:
            found.append((at, _DRAWN[step]))
        at += len(step)
    return tuple(found)


@lru_cache(maxsize=128)
def _fixed(layout: str) -> re.Pattern[str]:
    """What numbers look like whose fixed places are those of the layout."""
    open_places = {*_DRAWN, *_FOLLOWING, "c"}
    return re.compile("".join("." * len(s) if s in open_places else re.escape(s) for s in _steps(layout)), re.DOTALL)


_DRAWN = {"#": string.digits, "@": string.ascii_uppercase}
_FOLLOWING = {"%": (10, 0, 1), "&": (26, 0, 1), "yy": (50, 50, 2), "mm": (12, 1, 2), "dd": (28, 1, 2)}
"""How many values a place has that follows from others, the least of them, and its width."""


def _follows(kind: str, layout: str, free: str) -> str:
    """The number with all but `c` filled in: the free places given, the others following from them."""
    left, given, out = check(kind, free), iter(free), ""
    for step in _steps(layout):
        if step in _DRAWN:
            out += next(given)
        elif step in _FOLLOWING:
            base, low, size = _FOLLOWING[step]
            left, value = divmod(left, base)
            out += string.ascii_uppercase[value] if step == "&" else f"{value + low:0{size}d}"
        else:
            out += step
    return out


_LUHN = ("card", "ca_sin")
"""Kinds whose last digit is the check digit of the others by ISO/IEC 7812-1, and all of whose places are digits."""


def _holds(kind: str, number: str) -> bool:
    if kind == "de_steuer_id":
        return import_module("stdnum.iso7064.mod_11_10").is_valid(number)
    if kind == "fi_hetu":
        hetu = import_module("stdnum.fi.hetu")
        spelled = number if len(number) == 11 else f"{number[:6]}-{number[6:]}"
        try:
            return bool(hetu.validate(spelled, allow_temporary=True))
        except Exception:  # noqa: BLE001  # the library's own errors: the number is none
            return False
    if kind in ("us_ssn", "gb_nino"):
        return True
    if kind == "se_personnummer":
        number = f"{number[:-4]}-{number[-4:]}"
    return not _CHECKS[kind] or validator(_CHECKS[kind])(number)


def made(kind: str, real: str, draw: Draw) -> str | None:
    """A surrogate in the form of a card or national id; None where its form has no layout."""
    layout = layout_of(kind, compact(real))
    if layout is None:
        return None
    for _ in range(TRIES):
        number = _follows(kind, layout, draw.text([choices for _, choices in _free(layout)]))
        found = _completed(kind, number, layout, draw)
        if found:
            return respelled(found, real)
    return None


def _completed(kind: str, number: str, layout: str, draw: Draw) -> str | None:
    """The number with its check characters; None where none fits or it is no valid date."""
    if kind in _LUHN:
        return number[:-1] + luhn_digit(number[:-1])
    missing = layout.count("c")
    if not missing:
        return number if _holds(kind, number) else None
    if missing == 1:
        options: list[str] = list(_CHECK_CHARS)
    else:
        at = draw.below(100)
        options = [f"{(at + step) % 100:02d}" for step in range(100)]
    at = layout.index("c")
    for option in options:
        candidate = number[:at] + option + number[at + missing :]
        if _holds(kind, candidate):
            return candidate
    return None


def is_made(kind: str, text: str) -> bool:
    """Whether a card or id is a surrogate: its fixed places are ours, and what must follow does."""
    number = compact(text)
    layout = layout_of(kind, number)
    if layout is None or not _fixed(layout).fullmatch(number):
        return False
    expected = _follows(kind, layout, "".join([number[at] for at, _ in _free(layout)]))
    return len(expected) == len(number) and all(
        e == n for e, n, mark in zip(expected, number, layout, strict=True) if mark != "c"
    )


def iban(real: str, draw: Draw) -> str | None:
    """An account number of the same country: mod 97 and the country's own checks hold, four digits follow."""
    number = compact(real)
    for _ in range(TRIES):
        bban = "".join(draw.of(string.digits) if c.isdigit() else draw.of(string.ascii_uppercase) for c in number[4:])
        bban = _checked_bban(number[:2], bban)
        value = int("".join(str(int(c, 36)) for c in bban + number[:2] + "00"))
        candidate = f"{number[:2]}{98 - value % 97:02d}{bban}"
        if validator("iban")(candidate):
            return respelled(candidate, real)
    return None


def _checked_bban(country: str, bban: str) -> str:
    places = [at for at, c in enumerate(bban) if c.isdigit()][:4]
    rest = "".join(c for at, c in enumerate(bban) if at not in places)
    left, out = check("iban", country + rest), list(bban)
    for at in places:
        left, value = divmod(left, 10)
        out[at] = str(value)
    return "".join(out)


def is_iban(text: str) -> bool:
    """Whether an account number is a surrogate."""
    number = compact(text)
    return number[4:] == _checked_bban(number[:2], number[4:])


SHORTEST = 8
"""Values with fewer letters and digits cannot carry a check: a typed mark stands for them."""


def _body(kind: str, text: str, start: int) -> str:
    """The characters of a text that vary: all of a secret, of others the digits alone where there are enough."""
    tail = text[start:]
    digits = "" if kind in _SECRETS else _NO_DIGITS.sub("", tail)
    return digits if len(digits) >= SHORTEST else _NO_ALNUM.sub("", tail)


_SECRETS = frozenset(GROUPS["secret"])
_ALNUM = frozenset(string.ascii_letters + string.digits)
_HEX = re.compile("[0-9a-f]{20,}")
_BASE32 = re.compile("A[A-Z]{3}[A-Z2-7]{16}$")


def _alphabets(text: str, body: str, last: int = 0) -> list[str]:
    """What each of the last characters that vary is of; of all of them where `last` is 0."""
    tail = body[-last:]
    digits = "234567" if text.startswith("A") and _BASE32.match(text) else string.digits
    if tail.isdigit():
        return [digits] * len(tail)
    lower = "abcdef" if _HEX.fullmatch(body) else string.ascii_lowercase
    return [digits if c in string.digits else lower if c.islower() else string.ascii_uppercase for c in tail]


def shaped(kind: str, real: str, draw: Draw, start: int = 0) -> str | None:
    """A text of the same shape after its first `start` characters; half of its places, six at most, follow.

    None where it is too short to carry a check.
    """
    body = _body(kind, real, start)
    if len(body) < SHORTEST:
        return None
    alphabets = _alphabets(real, body)
    size = _following(len(body))
    free = draw.text(alphabets[:-size])
    given = iter(free + _tag(kind, free, alphabets[-size:]))
    varying = string.digits if body.isdigit() and kind not in _SECRETS else _ALNUM
    return real[:start] + "".join([next(given) if c in varying else c for c in real[start:]])


def _following(count: int) -> int:
    """How many of so many places follow from the others."""
    return min(6, count // 2)


def _tag(kind: str, free: str, alphabets: list[str]) -> str:
    """The characters that follow from those before them."""
    left, out = check(kind, free), ""
    for alphabet in alphabets:
        left, value = divmod(left, len(alphabet))
        out += alphabet[value]
    return out


def is_shaped(kind: str, text: str, start: int = 0) -> bool:
    """Whether a text carries the check of its kind."""
    body = _body(kind, text, start)
    if len(body) < SHORTEST:
        return False
    size = _following(len(body))
    return _tag(kind, body[:-size], _alphabets(text, body, size)) == body[-size:]
