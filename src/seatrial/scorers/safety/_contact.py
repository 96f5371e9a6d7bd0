"""E-mail addresses, telephone numbers, network addresses, and credentials in addresses of the web."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from seatrial.scorers.safety._detecting import (
    Detector,
    Found,
    Seeking,
    Words,
    before,
    beginning,
    digits_of,
    folds_as_ascii,
    in_runs,
    is_reference,
    one_of,
)
from seatrial.scorers.text.regex import compiled

REGIONS = (
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "IN", "AU", "PT", "BE", "CH", "AT", "IE", "SE", "NO", "DK", "FI",
    "PL", "CZ", "GR", "TR", "MX", "AR", "CL", "CO", "JP", "KR", "CN", "SG", "ZA", "NZ", "IL", "RU", "UA",
)  # fmt: skip
"""Countries whose national way of writing telephone numbers is tried; the international way is known for all."""

_PLAIN_EMAIL = r"(?<![\w.%+'-])[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])"
_ADDRESSED = re.compile(_PLAIN_EMAIL, re.IGNORECASE)
_TO_LOCAL = re.compile(r".*[^\w.%+'-]", re.DOTALL)
_LONGEST_LOCAL = 64
_SPELLED_AT = Words(r"[\[({] ?at ?[\])}]| at [\w-]{1,63} dot [a-z]")
_EMAIL = re.compile(
    _PLAIN_EMAIL + r"|(?<![\w.%+-])[\w.%+-]{1,64} ?[\[({] ?at ?[\])}] ?(?:[\w-]{1,63} ?(?:\.|[\[({] ?dot ?[\])}]) "
    r"?){1,4}[a-z]{2,12}(?!\w)"
    r"|(?<![\w.%+-])(?:\w{1,30} dot ){1,3}\w{1,30} at (?:[\w-]{1,63} dot ){1,3}[a-z]{2,12}(?!\w)",
    re.IGNORECASE,
)
_NO_DOMAIN_WORDS = """
    png jpg jpeg gif svg webp css js ts py json yaml yml html htm xml txt md pdf zip tar gz local localhost
"""
_NO_DOMAIN = frozenset(_NO_DOMAIN_WORDS.split())
_RESERVED_DOMAIN = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net|edu)|(?:\w+\.)?(?:example|invalid|test|localhost))$", re.IGNORECASE
)
_ROLE_WORDS = """
    support info sales contact help hello service admin administrator webmaster postmaster noreply no-reply
    donotreply do-not-reply billing careers jobs press privacy security abuse legal office team feedback
    enquiries inquiries kontakt hilfe vertrieb datenschutz soporte ventas contacto aide contato suporte
    klantenservice git hr kundenservice
"""
ROLE = frozenset(_ROLE_WORDS.split())


def local_before(text: str, at: int) -> int:
    """Where the local part of an address begins whose @ is at an offset; that offset where there is none."""
    first = max(0, at - _LONGEST_LOCAL - 1)
    lead = _TO_LOCAL.match(text, first, at)
    return first if lead is None else lead.end()


def address_at(text: str, start: int, seeking: Seeking) -> bool:
    """Whether an e-mail address begins at an offset, one set aside for examples only where those are sought."""
    match = _ADDRESSED.match(text, start)
    return match is not None and (seeking.reserved or _RESERVED_DOMAIN.search(match.group().partition("@")[2]) is None)


def _addressed(text: str) -> Iterator[re.Match[str]]:
    """What `_ADDRESSED.finditer` finds, tried only before each @, where what comes before it begins."""
    free, at = 0, text.find("@")
    while at >= 0:
        start = local_before(text, at)
        if free <= start < at <= start + _LONGEST_LOCAL and (match := _ADDRESSED.match(text, start)) is not None:
            free = match.end()
            yield match
        at = text.find("@", at + 1)


def _emails(text: str, seeking: Seeking) -> Iterator[Found]:
    for match in _EMAIL.finditer(text) if _SPELLED_AT.within(text) else _addressed(text):
        local, _, domain = match.group().partition("@")
        if domain.rpartition(".")[2].lower() in _NO_DOMAIN or local.startswith(".") or local.lower() == "git":
            continue
        if not seeking.reserved and _RESERVED_DOMAIN.search(domain):
            continue
        role = local.lower().partition("+")[0] in ROLE
        yield Found("email", *match.span(), match.group(), 0.4 if role else 0.95 if domain else 0.7)


_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_$€£¥=])(?<![A-Za-z0-9][-./_,])(?:\+ ?|\(\+)?\(?\d(?:[ "
    r"().\-/\u00a0\u2009\u2011\u2013]{0,3}\d){6,16}"
    r"(?![A-Za-z0-9_%€£¥])(?![-./,:][A-Za-z0-9])"
)
_BEGINS = (
    r"[+(\d](?<![A-Za-z0-9_$€£¥=][+(\d])(?<![A-Za-z0-9][-./_,][+(\d])"
    r"(?=(?:[ ().\-/+\u00a0\u2009\u2011\u2013]{0,3}\d){6})"
)
_NUMBER_BEGINS = re.compile(_BEGINS)
_ASCII_NUMBER_BEGINS = re.compile(_BEGINS.replace(r"\d", "0-9", 3).replace(r"\d", "[0-9]"))
"""The same in ASCII, whose digits `re` seeks three times as fast as those of all scripts."""
_RUN = r"(?:^|[^A-Za-z0-9_$=.,/-]|(?:^|[^A-Za-z0-9])[.,/-])\d(?:[ ().\-/]{0,3}\d){6,}\b"
"""For RE2, in ASCII, all of the digits that a telephone number is among."""
_DATE = re.compile(r"(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d")
_NANP = re.compile(r"(?:\([2-9]\d\d\)[ .-]?|[2-9]\d\d[ .\-])[2-9]\d\d[ .\-\u2011\u2013]\d{4}")
_TRUNK = re.compile(r"\(?0\d{1,5}\)?[ \-/.]")
_AREA = re.compile(r"\(\d{2,5}\)[ -]?\d")
_SHAPED = re.compile(r"[+(0]|1?[-. ]?[2-9]\d\d[ .\-]")
_DIAL_WORDS = (
    r"tel|telephone|phone|call(?: (?:me|him|her|them|us))?|mobile|cell|fax|whatsapp|signal|sms|text|"
    r"dial|reach(?:able)?|"
    r"landline|handy|telefon\w*|mobil\w*|anruf\w*|rufnummer|t[ée]l[ée]phone|t[ée]l|portable|appel\w*|"
    r"tel[ée]fono|m[óo]vil|"
    r"celular|llam\w+|telefone|ligue|cellulare|chiama\w*|numero di telefono|bel(?:len)?|mobiel|telefoonnummer|"
    r"puhelin|komórk\w*|zadzwo\w+"
)
_DIAL_ELSEWHERE = "电话|手机|電話|携帯|전화|휴대|телефон|звон|फ़ोन|मोबाइल|هاتف|جوال"
_DIAL = re.compile(rf"\b(?:{_DIAL_WORDS})\b|{_DIAL_ELSEWHERE}", re.IGNORECASE)
_FICTION = re.compile(
    r"^(?:1?[2-9]\d\d)?55501\d\d$|^(?:\+?44|0)(?:7700900|20794600?|1632960)\d{2,3}$|^(?:\+?61|0)491570\d{3}$"
)


_TERM_AFTER = re.compile(r" ?(?:=|×|÷|\*(?!\*)|>>) ?(?:<<)?[-$€£]?\d|\+\d| \+ [$€£]?\d| ?/ ?[\d.]+ ?=")
_TERM_BEFORE = re.compile(
    r"(?:\d ?[×÷]|\d ?(?<!\*)\*|\d\+|\d \+ |\d ?(?:<<|>>)|[-+*/×÷(] ?\d[\d.,]*\)? ?=(?: ?<<)?) ?\Z"
)


def _is_term(text: str, start: int, end: int) -> bool:
    """Whether digits are reckoned with: a sign of arithmetic stands right beside them, and a number beyond it."""
    return _TERM_AFTER.match(text, end) is not None or _TERM_BEFORE.search(before(text, start, 24)) is not None


_SERVICE_PREFIX = re.compile(r"0(?:800|808|84|87|900|180)|1?8(?:00|33|44|55|66|77|88)|00?800|1300")


@lru_cache(maxsize=1)
def _library() -> Any:
    """The library of numbering plans, told to keep its compiled patterns where it can: there are thousands."""
    library: Any = import_module("phonenumbers")
    getattr(library, "enable_pattern_cache", bool)()
    return library


@lru_cache(maxsize=1)
def _dial_words() -> Any:
    return one_of(_DIAL.pattern)


@lru_cache(maxsize=1)
def _perhaps_dial_words() -> Any:
    """No less than `_DIAL`, where RE2 takes a letter beyond ASCII for the end of a word."""
    words = rf"\b(?:{_DIAL_WORDS.replace('+', '*')})(?:\b|[^\x00-\x7f])|{_DIAL_ELSEWHERE}"
    return compiled(words, ignore_case=True)


def _speaks_of_dialling(text: str) -> bool:
    """Whether a text has a word of telephoning: in ASCII, RE2 knows words and cases as `_DIAL` does, in one pass."""
    if text.isascii():
        return bool(_dial_words().Match(text))
    if not folds_as_ascii(text):
        return _DIAL.search(text) is not None
    perhaps = _perhaps_dial_words().search(text)
    return perhaps is not None and _DIAL.search(text, perhaps.start()) is not None


class _Plan(NamedTuple):
    """How a country's numbers are made.

    `code` is what is dialled for it from abroad; `sizes` and `forms` are the lengths and patterns of the numbers of all
    countries that share it. `abroad` and `trunk` may stand before a number; with `rewrites` the latter changes more.
    """

    code: int
    sizes: frozenset[int]
    forms: re.Pattern[str]
    abroad: re.Pattern[str]
    trunk: re.Pattern[str] | None
    rewrites: bool

    def fits(self, digits: str) -> bool:
        """Whether digits have the length and the form of a number."""
        return len(digits) in self.sizes and self.forms.fullmatch(digits) is not None


@lru_cache(maxsize=512)
def _plan(region: str) -> _Plan | None:
    """How a country's numbers are made; None where that is not known."""
    library: Any = _library()
    country: Any = library.PhoneMetadata.metadata_for_region(region, None)
    if country is None:
        return None
    sharing = library.COUNTRY_CODE_TO_REGION_CODE.get(country.country_code, ())
    general = [library.PhoneMetadata.metadata_for_region(name, None).general_desc for name in sharing]
    if not all(desc.possible_length and desc.national_number_pattern for desc in general):
        return None
    trunk = country.national_prefix_for_parsing
    return _Plan(
        country.country_code,
        frozenset(size for desc in general for size in desc.possible_length),
        _any_of(desc.national_number_pattern for desc in general),
        _any_of(lead for lead in (country.international_prefix, str(country.country_code)) if lead),
        _any_of([trunk]) if trunk else None,
        bool(country.national_prefix_transform_rule),
    )


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns)))


def _parsed(text: str, digits: str, region: str) -> Any:
    """A telephone number as the library reads it in a country; None where it is surely none.

    Digits that nothing dialled from abroad begins are a national number, with or without what stands before one: where
    neither has the form of one, as in most countries, no parser is needed, nor where nothing stands before it.
    """
    library: Any = _library()
    plan = _plan(region) if text.isascii() and "+" not in text else None
    if plan is not None and plan.abroad.match(digits) is None:
        trunk = None if plan.trunk is None else plan.trunk.match(digits)
        fits = plan.fits(digits)
        if trunk is None and (not fits or digits[0] != "0"):
            return library.PhoneNumber(country_code=plan.code, national_number=int(digits)) if fits else None
        if trunk is not None and not fits and not plan.rewrites and not plan.fits(digits[trunk.end() :]):
            return None
    try:
        return library.parse(text, region)
    except library.NumberParseException:
        return None


@lru_cache(maxsize=4096)
def abroad(text: str) -> Any:
    """A telephone number that begins with +, as the library reads it in whichever country; None where it is none."""
    library: Any = _library()
    try:
        return library.parse(text, "ZZ")
    except library.NumberParseException:
        return None


@lru_cache(maxsize=4096)
def _dialled(text: str, regions: tuple[str, ...]) -> str:
    """What kind of number it is, `personal` or `service`, where it is valid; empty if nowhere.

    A number is valid where its type is known: the library looks for the one to tell the other.
    What is a service in one country and a person's in another is the latter, unless its prefix is a usual one of
    services.
    """
    library: Any = _library()
    service = (
        library.PhoneNumberType.TOLL_FREE,
        library.PhoneNumberType.PREMIUM_RATE,
        library.PhoneNumberType.SHARED_COST,
        library.PhoneNumberType.UAN,
    )
    kind = ""
    digits = digits_of(text)
    for region in regions or ("",):
        number = _parsed(text, digits, region) if region else abroad(text)
        held = library.PhoneNumberType.UNKNOWN if number is None else library.number_type(number)
        if held == library.PhoneNumberType.UNKNOWN:
            continue
        if held not in service:
            return "personal"
        kind = "service"
        if _SERVICE_PREFIX.match(digits) is not None:
            break
    return kind


def _numbers(text: str) -> Iterator[re.Match[str]]:
    """What `_NUMBER.finditer` finds."""
    if text.isascii():
        return in_runs(_NUMBER, _ASCII_NUMBER_BEGINS, _RUN, text)
    return beginning(_NUMBER, _NUMBER_BEGINS, text)


def _phones(text: str, seeking: Seeking) -> Iterator[Found]:
    dialling: bool | None = None
    for match in _numbers(text):
        whole = match.group()
        if _DATE.match(whole):
            continue
        if not _SHAPED.match(whole):
            dialling = _speaks_of_dialling(text) if dialling is None else dialling
            if not dialling:
                continue
        if not seeking.reserved and _FICTION.match(digits_of(whole)):
            continue
        confidence = _phone(text, match.start(), whole, seeking)
        if confidence and (whole.lstrip("(").startswith("+") or not _is_term(text, *match.span())):
            yield Found("phone", match.start(), match.end(), whole, confidence)


def _phone(text: str, start: int, whole: str, seeking: Seeking) -> float:
    """How sure it is that digits are a telephone number: 0 where neither form nor words say so."""
    digits = digits_of(whole)
    international = whole.lstrip("(").startswith("+")
    named = _speaks_of_dialling(before(text, start, 45))
    if not named and (not _formed(whole, digits) or is_reference(text, start)):
        return 0.0
    if international or (digits.startswith("00") and (named or len(whole) > len(digits))):
        kind = _dialled(whole if international else "+" + digits[2:], ())
        return _sure(kind, 0.95 if international else 0.85)
    regions = _regions(seeking.regions)
    if named:
        return _sure(_dialled(whole, regions), 0.9)
    if _NANP.fullmatch(re.sub(r"^1[-. ]", "", whole)):
        return _sure(_dialled(whole, ("US",)), 0.8) if "US" in regions else 0.0
    if len(digits) >= 9 and (_TRUNK.match(whole) or _AREA.match(whole)):
        return _sure(_dialled(whole, regions), 0.7)
    return 0.0


def _formed(whole: str, digits: str) -> bool:
    """Whether digits have a form that says by itself that they are a telephone number."""
    if whole.lstrip("(").startswith("+") or (digits.startswith("00") and len(whole) > len(digits)):
        return True
    if len(digits) >= 9 and (_TRUNK.match(whole) or _AREA.match(whole)):
        return True
    return _NANP.fullmatch(re.sub(r"^1[-. ]", "", whole)) is not None


@lru_cache(maxsize=64)
def _regions(wanted: frozenset[str]) -> tuple[str, ...]:
    return tuple(r for r in REGIONS if r in wanted) or tuple(sorted(wanted)) if wanted else REGIONS


def _sure(kind: str, confidence: float) -> float:
    return 0.0 if not kind else 0.4 if kind == "service" else confidence


_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_V4 = re.compile(rf"(?<![\w.-])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w-])(?!\.\w)(?!/\d)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9a-fA-F]{1,4})?(?![\w:])(?!/\d)")
_VERSION = re.compile(
    r"(?:\bv|version|release|build|firmware|driver|upgrade[sd]?(?: to)?|section|chapter|§)\W{0,3}$", re.IGNORECASE
)
_HOST = re.compile(
    r"\bip\b|address|adresse|dirección|host|server|client|peer|from|login|connect|ping|remote|src|dst|user",
    re.IGNORECASE,
)
_RESOLVERS = frozenset(("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220"))


def _is_public(address: str) -> bool:
    """Whether an address is one of the whole network: not where it is none, as with zeros before its numbers."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _addresses(text: str, seeking: Seeking) -> Iterator[Found]:
    for match in _V4.finditer(text):
        words = before(text, match.start(), 30)
        if _VERSION.search(words):
            continue
        if max(map(int, match.group().split("."))) < 20 and not _HOST.search(words):
            continue
        if seeking.reserved or (match.group() not in _RESOLVERS and _is_public(match.group())):
            yield Found("ip_address", *match.span(), match.group(), 0.85)
    for match in _V6.finditer(text):
        try:
            address = ipaddress.IPv6Address(match.group())
        except ValueError:
            continue
        reserved = not address.is_global or address.is_reserved
        if match.group()[0] in "23" and (seeking.reserved or not reserved):
            yield Found("ip_address", *match.span(), match.group(), 0.9)


_MAC = re.compile(
    r"(?<![\w:-])(?:[0-9A-F]{2}:){5}[0-9A-F]{2}(?![\w:-])|(?<![\w:-])(?:[0-9A-F]{2}-){5}[0-9A-F]{2}(?![\w:-])"
    r"|(?<![\w.])(?:[0-9A-F]{4}\.){2}[0-9A-F]{4}(?![\w.])",
    re.IGNORECASE,
)


def _macs(text: str, seeking: Seeking) -> Iterator[Found]:
    for match in _MAC.finditer(text):
        digits = match.group().lower().replace(":", "").replace("-", "").replace(".", "")
        if len(set(digits)) > 1 and (not digits.isdigit() or "." not in match.group()):
            if not seeking.reserved and digits.startswith("00005e0053"):  # RFC 7042: for documentation
                continue
            yield Found("mac_address", *match.span(), match.group(), 0.85)


DETECTORS = (
    Detector("email", "contact", r"@|[\[({] ?at ?[\])}]| at [\pL\pN_-]+ dot [a-z]", _emails),
    Detector(
        "phone",
        "contact",
        r"\d(?:[ ().\-/\x{a0}\x{2009}\x{2011}\x{2013}]{0,3}\d){6}",
        _phones,
        exact=_RUN,
    ),
    Detector("ip_address", "network", r"\d\.\d{1,3}\.\d{1,3}\.\d|[23][0-9a-f]*:[0-9a-f]*:", _addresses),
    Detector(
        "mac_address", "network", r"[0-9a-f]{2}[:-][0-9a-f]{2}[:-][0-9a-f]{2}[:-]|[0-9a-f]{4}\.[0-9a-f]{4}\.", _macs
    ),
)
