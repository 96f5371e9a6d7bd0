"""The preset `hipaa`: the 18 identifiers of the Safe Harbor method, 45 CFR 164.514(b)(2), as far as text shows them."""

from __future__ import annotations

from typing import NamedTuple

from seatrial.datasets.scrubbing.policy import Pattern, Policy


class Identifier(NamedTuple):
    """One class of identifiers: its letter in the regulation, what is done, and what a text alone cannot show."""

    letter: str
    name: str
    kinds: tuple[str, ...]
    done: str
    missed: str


IDENTIFIERS = (
    Identifier(
        "A",
        "names",
        ("person_name", "username"),
        "names behind titles, labels, greetings and closings, and before e-mail addresses that spell them, become "
        "invented ones, all over the record",
        "names in running text that nothing introduces, nicknames, relatives and employers named in passing",
    ),
    Identifier(
        "B",
        "geographic subdivisions smaller than a state",
        ("street_address", "zip"),
        "streets and P.O. boxes become invented ones; US ZIP codes keep three digits, or none of a small area",
        "cities, counties, precincts, landmarks, coordinates",
    ),
    Identifier(
        "C",
        "dates (but for the year), and ages over 89",
        ("date_of_birth", "date", "age"),
        "dates move by a session's constant number of days; ages over 90 become 90; a case's own date becomes its year",
        "dates without a year, days of the week, holidays, 'the day after surgery', ages in words",
    ),
    Identifier(
        "D", "telephone numbers", ("phone",), "numbers of the same country that nobody has", "numbers spelled out"
    ),
    Identifier("E", "fax numbers", ("phone",), "as telephone numbers", "as telephone numbers"),
    Identifier("F", "e-mail addresses", ("email",), "addresses at example.com, .org, .net", "addresses spelled out"),
    Identifier(
        "G",
        "social security numbers",
        ("us_ssn", "us_itin"),
        "numbers that were never given out",
        "the last four digits alone",
    ),
    Identifier(
        "H",
        "medical record numbers",
        ("medical_record",),
        "numbers behind such words",
        "numbers that no word introduces",
    ),
    Identifier(
        "I",
        "health plan beneficiary numbers",
        ("health_plan",),
        "numbers behind such words",
        "numbers that no word introduces",
    ),
    Identifier(
        "J",
        "account numbers",
        ("account_number", "card", "iban"),
        "cards and IBANs by checksum, others behind such words",
        "numbers that no word introduces",
    ),
    Identifier(
        "K",
        "certificate and licence numbers",
        ("licence", "passport"),
        "numbers behind such words",
        "numbers that no word introduces",
    ),
    Identifier(
        "L", "vehicle identifiers", ("vehicle",), "VINs and plates behind such words", "plates that no word introduces"
    ),
    Identifier(
        "M",
        "device identifiers",
        ("device", "mac_address"),
        "serial numbers and IMEIs behind such words, MAC addresses",
        "numbers that no word introduces",
    ),
    Identifier(
        "N", "web addresses", ("url",), "every http address becomes one at example.com", "addresses without a scheme"
    ),
    Identifier("O", "IP addresses", ("ip_address",), "addresses of networks kept for documentation", "none known"),
    Identifier(
        "P",
        "biometric identifiers",
        (),
        "images, audio and files refuse the record, or are dropped",
        "descriptions of a voice or finger in words",
    ),
    Identifier(
        "Q",
        "full-face photographs",
        (),
        "images refuse the record, or are dropped",
        "a link to one, unless it is an http address",
    ),
    Identifier(
        "R",
        "any other unique number, characteristic or code",
        ("national_id", "secret"),
        "national ids of 38 countries, keys and passwords, and patterns of your own",
        "rare diagnoses, occupations, events: what only a person can judge",
    ),
)
"""What is done for each of the 18, and what is not."""

_BEHIND = r"(?:\s{0,2}(?:no|nr|num|number|id|code)\b\.?)?(?:\s+is)?[\s:#=]{1,4}"
_CODE = r"(?P<value>[A-Z0-9][A-Z0-9-]{3,24}[A-Z0-9])"


def _labelled(kind: str, words: str, code: str = _CODE) -> Pattern:
    return Pattern(kind=kind, pattern=rf"(?i)\b(?:{words}){_BEHIND}{code}\b", confidence=0.8)


_MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    "Nov(?:ember)?|Dec(?:ember)?)"
)
_DIGIT_CODE = r"(?P<value>[A-Z]{0,4}-?\d[A-Z0-9-]{3,24})"

PATTERNS = (
    Pattern(
        kind="date", pattern=r"\b(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])", confidence=0.8
    ),
    Pattern(
        kind="date",
        pattern=r"\b(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d\b",
        confidence=0.8,
    ),
    Pattern(kind="date", pattern=rf"\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d\b", confidence=0.8),
    Pattern(kind="date", pattern=rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\.?,? (?:19|20)\d\d\b", confidence=0.8),
    Pattern(kind="zip", pattern=r"\b[A-Z]{2},? (?P<value>\d{5}(?:-\d{4})?)\b", confidence=0.8),
    Pattern(kind="zip", pattern=r"(?i)\bzip(?: ?code)?[\s:=]{1,3}(?P<value>\d{5}(?:-\d{4})?)\b", confidence=0.9),
    Pattern(
        kind="age",
        pattern=r"(?i)\b(?P<value>9[1-9]|1[0-2]\d)(?:[ -]?years?[ -]?old|[ -]?y/?o\b|[ -]year)"
        r"|\bage[ds]?:? {1,2}(?P<other>9[1-9]|1[0-2]\d)\b",
        confidence=0.8,
    ),
    _labelled("medical_record", r"mrn|medical record|patient id|chart|hospital", _DIGIT_CODE),
    _labelled(
        "health_plan", r"member|beneficiary|subscriber|policy|insurance|medicare|medicaid|health plan", _DIGIT_CODE
    ),
    _labelled("account_number", r"account|acct", _DIGIT_CODE),
    _labelled("licence", r"licen[cs]e|certificate|dea|npi", _DIGIT_CODE),
    _labelled("vehicle", r"vin|licen[cs]e plate|plate|registration", r"(?P<value>[A-Z0-9][A-Z0-9-]{3,15}[A-Z0-9])"),
    _labelled("device", r"serial|imei|device|implant|udi", _DIGIT_CODE),
    Pattern(kind="url", pattern=r"(?i)\bhttps?://[^\s\"'<>)\]]+", confidence=0.8),
)

POLICY = Policy(
    policy="hipaa",
    times="year",
    patterns=PATTERNS,
    fields={
        "zip": "zip",
        "zip_code": "zip",
        "postal_code": "zip",
        "mrn": "medical_record",
        "medical_record_number": "medical_record",
        "patient_id": "medical_record",
        "member_id": "health_plan",
        "account_number": "account_number",
        "license_number": "licence",
        "vin": "vehicle",
        "license_plate": "vehicle",
        "serial_number": "device",
        "device_id": "device",
        "imei": "device",
    },
)
"""The preset."""
