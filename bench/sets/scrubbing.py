# ruff: noqa: E501  # one text a line
"""Texts that scrubbing needs beyond pii.jsonl: several countries, several forms of one person, and hard negatives.

Every value is made up: drawn by a fixed seed, and valid by its checksum where its kind has one.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Iterator

Row = tuple[str, str, bool, tuple[str, ...]]

_FIRST_TEXT = "Annika Bruno Carla Denis Elena Fabian Greta Hugo Irina Jakub Katrin Luis Monika Nils Olivia Paul"
_FIRST = _FIRST_TEXT.split()
_LAST_TEXT = "Albrecht Bernard Castillo Dvorak Eklund Ferreira Gruber Hansen Jansson Kovac Lindgren Marchetti Nowak"
_LAST = _LAST_TEXT.split()
_DOMAINS_TEXT = "posteo.de orange.fr libero.it telenet.be bluewin.ch seznam.cz onet.pl uol.com.br rediffmail.com"
_DOMAINS = _DOMAINS_TEXT.split()


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def _luhn(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def _iban(country: str, bban: str) -> str:
    value = int("".join(str(int(c, 36)) for c in bban + country + "00"))
    return f"{country}{98 - value % 97:02d}{bban}"


def _people(rng: random.Random) -> Iterator[Row]:
    for _ in range(14):
        first, last, domain = rng.choice(_FIRST), rng.choice(_LAST), rng.choice(_DOMAINS)
        mail = f"{first}.{last}@{domain}".lower()
        yield (
            f"My name is {first} {last}. {last} is spelled with one l, ask {first}.",
            "one person, several forms",
            True,
            (first, last),
        )
        yield f"Mrs {last} wrote from {mail} this morning.", "one person, several forms", True, (last, mail)
        yield (
            f'{{"customer_name": "{first} {last}", "contact": {{"email": "{mail}"}}, "total": 12.50}}',
            "json",
            True,
            (last, mail),
        )
        yield f'{{"first_name": "{first}", "last_name": "{last}", "qty": 2}}', "json", True, (first, last)


def _numbers(rng: random.Random) -> Iterator[Row]:
    for prefix in ("4539", "5412", "3714", "6011", "2221", "4716", "5105"):
        card = _luhn(prefix + _digits(rng, (15 if prefix == "3714" else 16) - 5))
        yield f"please charge {card} instead", "card", True, (card,)
    for country, bban in (
        ("DE", 18),
        ("AT", 16),
        ("CH", 17),
        ("FI", 14),
        ("DK", 14),
        ("PT", 21),
        ("SE", 20),
        ("PL", 24),
    ):
        number = _iban(country, "1" + _digits(rng, bban - 1))
        if country in ("DE", "AT", "CH", "DK", "SE"):
            yield f"send it to {number} by Friday", "iban", True, (number,)
    for _ in range(10):
        address = ".".join(str(rng.randint(1, 220)) for _ in range(3))
        yield f"login from 62.{address} was blocked", "ip_address", True, (f"62.{address}",)
        mac = ":".join(f"{rng.randint(16, 255):02x}" for _ in range(6))
        yield f"device {mac} joined", "mac_address", True, (mac,)
        y, m, d = rng.randint(1950, 2003), rng.randint(1, 12), rng.randint(13, 28)
        for form, value in (("date of birth: {}", f"{d:02d}.{m:02d}.{y}"), ('{{"dob": "{}"}}', f"{y}-{m:02d}-{d:02d}")):
            yield form.format(value), "date_of_birth", True, (value,)
        phone = rng.choice((f"+49 171 {_digits(rng, 7)}", f"+33 6 4{_digits(rng, 1)} {_digits(rng, 2)} {_digits(rng, 2)} {_digits(rng, 2)}",
                            f"+46 70 {_digits(rng, 3)} {_digits(rng, 2)} {_digits(rng, 2)}"))  # fmt: skip
        yield f"reach me at {phone}", "phone", True, (phone,)


def _clean(rng: random.Random) -> Iterator[Row]:
    for _ in range(9):
        for kind, text in (
            ("uuid", f"request {uuid.UUID(int=rng.getrandbits(128), version=4)} failed"),
            ("order number", f"order {_digits(rng, 3)}-{_digits(rng, 7)}-{_digits(rng, 7)} was shipped"),
            ("order number", f"invoice no. {_digits(rng, 10)} is open"),
            (
                "version",
                f"upgrade from {rng.randint(1, 9)}.{rng.randint(10, 40)}.{rng.randint(0, 9)} to 10.{rng.randint(0, 20)}.3",
            ),
            ("commit", f"fixed in commit {rng.getrandbits(160):040x}"),
            ("tracking", f"tracking number 1Z{_digits(rng, 3)}AA{_digits(rng, 10)}"),
            (
                "timestamp",
                f"at 2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T1{rng.randint(0, 9)}:22:07.{_digits(rng, 6)}Z",
            ),
            ("amount", f"the total is ${rng.randint(1000, 9999)}.{_digits(rng, 2)} for {rng.randint(100, 999)} items"),
            ("isbn", f"ISBN 978-3-{_digits(rng, 2)}-{_digits(rng, 6)}-{_digits(rng, 1)}"),
            (
                "product",
                f"does the {rng.choice(('Brown', 'Summer', 'Frank'))} sofa {_digits(rng, 3)}.{_digits(rng, 3)}.{_digits(rng, 2)} come in grey?",
            ),
        ):
            yield text, kind, False, ()


def texts() -> list[Row]:
    """Text, kind, whether it holds personal data, and the words that must go."""
    rng = random.Random(7_2026)
    return [*_people(rng), *_numbers(rng), *_clean(rng)]
