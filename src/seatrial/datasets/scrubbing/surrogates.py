"""What is put in the place of personal data: the same kind, the same form, nobody's.

`Maker.make` is a function of key, session, kind and value; `is_surrogate` knows what it makes, without a key. So no
surrogate ever equals a real value (real: found, and not known as a surrogate), and replacing twice changes nothing.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import string
from functools import cached_property

from seatrial.datasets.scrubbing import dates, names, numbers, phones
from seatrial.datasets.scrubbing.drawing import Draw, derived
from seatrial.scorers.safety._detecting import folded, german

DATES = frozenset(("date_of_birth", "date"))
MIXED = "mixed"
"""A value whose key says its kind, and that holds more: a mark stands for all of it."""

SECRET_URLS = frozenset(("url_credentials", "connection_string"))
MARK = re.compile(r"\[[A-Z][A-Z0-9_]{0,30}-[0-9A-F]{8}\]")
"""A typed mark, for values that have no form to keep: `[ACCOUNT-1F20A7C3]`."""

_V4 = ("192.0.2.", "198.51.100.", "203.0.113.")
_EMAIL_DOMAINS = ("example.com", "example.org", "example.net")
_AT = re.compile(r"@| ?[\[({] ?at ?[\])}] ?", re.IGNORECASE)
_DOT = re.compile(r"\.| ?[\[({] ?dot ?[\])}] ?", re.IGNORECASE)
_PREFIX = re.compile(
    r"(?:https://[^/]+/(?:services|workflows|api/webhooks)/|AccountKey=|github_pat_|pypi-AgE|[a-z]+_(?:live|test)_"
    r"|sk-ant-(?:api\d\d-)?|sk-(?:proj-|svcacct-|admin-|or-v1-)?|GOCSPX-|ya29\.|AIza|SG\.|AKIA|ASIA|ABIA|ACCA|xapp-\d-"
    r"|xox[a-z]-|do[opr]_v1_|dapi|SK(?=[0-9a-f]{32})|[A-Za-z]{2,8}[-_]|\d{8,10}:AA)"
)
_RESTRICTED_ZIP = frozenset(
    (
        "036",
        "059",
        "063",
        "102",
        "203",
        "556",
        "692",
        "790",
        "821",
        "823",
        "830",
        "831",
        "878",
        "879",
        "884",
        "890",
        "893",
    )
)
"""Areas of up to 20,000 people, whose first three digits may not stay (HHS guidance on de-identification, 2012)."""

_ADDRESS_WORDS_TEXT = """
    street st avenue ave road rd boulevard blvd drive dr lane ln court ct way place pl terrace ter circle cir parkway
    pkwy highway hwy square sq trail close crescent gardens grove mews row hill box po north south east west
    am an der im auf unter den calle avenida avda paseo plaza carrera camino ronda via viale corso piazza piazzale
    vicolo largo rua av travessa alameda praça estrada ul al os rue chemin impasse allée quai route cours bd bis straße
    strasse platz ул улица просп проспект пер дом д núm n
    """
_ADDRESS_WORDS = frozenset(_ADDRESS_WORDS_TEXT.split())
_GERMAN = re.compile(
    r"(straße|strasse|str|weg|platz|allee|gasse|damm|ufer|ring|straat|laan|plein|gracht|kade|singel|dijk|hof)$"
)


class Maker:
    """Surrogates of one session under one key."""

    def __init__(self, key: bytes, session: str) -> None:
        self._key = derived(key, session)
        self._taken: dict[tuple[str, str], str] = {}
        self._kept: dict[tuple[str, str], str] = {}
        self._people: dict[tuple[str, str], str] = {}
        self._words: dict[str, str] = {}
        self._spelled: dict[str, str] = {}

    def make(self, kind: str, real: str) -> str:
        """What stands for a value: always the same, and never the same for two values of a record."""
        place = (kind, real)
        if place not in self._kept:
            self._kept[place] = self._made(kind, real)
        return self._kept[place]

    @cached_property
    def _days(self) -> int:
        return dates.LEAST + Draw(self._key, "days").below(dates.SPREAD)

    def meet(self, name: str) -> None:
        """Note a person by full name, so that initials and ae, oe, ue in an e-mail or user name can be linked to it."""
        pieces = names.pieces(" ".join(reversed(name.split(", "))))
        words = [folded(word) for word in pieces]
        if not name.isascii():
            both = zip(map(german, pieces), words, strict=True)
            self._spelled.update((spelled, word) for spelled, word in both if spelled != word)
        if len(words) < 2:
            return
        for place in ((words[0][0], words[-1]), (words[0][0] + words[-1], "")):
            other = self._people.setdefault(place, words[0])
            if other != words[0]:
                self._people[place] = ""  # two people could be meant, so nothing is provable

    def _made(self, kind: str, real: str) -> str:
        if kind == "person_name":
            return self.name(real)
        if kind in ("email", "username"):
            return self._email(real) if kind == "email" else self._local(real)
        if kind == "street_address":
            return self._address(real)
        if kind in DATES:
            return dates.moved(real, self._days) or self._mark(kind, real)
        if kind == "zip":
            return ("000" if real[:3] in _RESTRICTED_ZIP else real[:3]) + re.sub(r"\d", "0", real[3:])
        if kind == "age":
            return "90"
        if kind == MIXED:
            return self._mark(kind, real)
        return self._unique(kind, real)

    def _unique(self, kind: str, real: str) -> str:
        """A drawn value, the next one where another real value of the record has it already."""
        normal = numbers.compact(real) or real
        for counter in range(10_000):
            found = _drawn(kind, real, Draw(self._key, kind, normal, str(counter)))
            holder = self._taken.setdefault((kind, found), normal)
            if holder == normal and found != real:
                return found
        raise ValueError("no surrogate is left")

    def _mark(self, kind: str, real: str) -> str:
        return mark(kind, Draw(self._key, "mark", kind, real))

    def word(self, real: str) -> str:
        """The invented word for a word of a name, an e-mail or an address."""
        known = self._words.get(real)
        if known is not None:
            return known
        low = folded(real)
        if names.is_invented(real):
            return real
        for counter in range(10_000):
            found = names.invented(Draw(self._key, "word", low, str(counter)), real)
            if self._taken.setdefault(("word", found.lower()), low) == low:
                self._words[real] = found
                return found
        raise ValueError("no surrogate is left")

    def name(self, real: str) -> str:
        """A name with each telling word replaced; particles and titles stay, initials are drawn."""
        keep = set(names.pieces(real))
        return names.PIECE.sub(
            lambda m: (
                self.word(m[0]) if m[0] in keep else self._initial(m[0]) if len(m[0]) == 1 and m[0].isupper() else m[0]
            ),
            real,
        )

    def _initial(self, letter: str) -> str:
        return Draw(self._key, "initial", letter).of(string.ascii_uppercase)

    def _local(self, local: str) -> str:
        """The part of an e-mail before the @, or a user name: words as in names, digits drawn."""
        digits = Draw(self._key, "local", local.casefold())
        parts = [folded(word) for word in re.findall(r"[^\W\d_]{2,}", local)]
        words = re.sub(r"[^\W\d_]+(?:['’][^\W\d_]+)*", lambda m: self._local_word(m[0], parts), local)
        return re.sub(r"\d", lambda _: digits.of(string.digits), words) if words != local else local

    def _local_word(self, word: str, parts: list[str]) -> str:
        """A word of a local part; an initial becomes that of the one person it can stand for."""
        low = folded(word)
        if len(word) > 1:
            first = self._people.get((low, ""))
            if first:
                return self.word(first)[0] + self.word(low[1:])
            known = self._spelled.get(low)
            return self.word(word) if known is None else names.in_case(self.word(known), word)
        first = next((f for p in parts if (f := self._people.get((low, p)))), "")
        return self.word(first)[0] if first else self._initial(low.upper()).lower()

    def _email(self, real: str) -> str:
        at = _AT.search(real)
        if at is None:
            return self._mark("email", real)
        local, domain = real[: at.start()], real[at.end() :]
        chosen = _EMAIL_DOMAINS[Draw(self._key, "domain", domain.casefold()).below(3)]
        dot = _DOT.search(domain)
        made = local if local.lower().partition("+")[0] in ROLES else self._unlike(local)
        return made + at[0] + chosen.replace(".", dot[0] if dot and "@" not in at[0] else ".")

    def _unlike(self, local: str) -> str:
        """A local part that no other address of the record has."""
        found, low, counter = self._local(local), local.casefold(), 0
        if found == local:
            found = self.word(local).lower()
        while self._taken.setdefault(("local", found.lower()), low) != low:
            counter += 1
            found = f"{found.rstrip(string.digits)}{counter}"
        return found

    def _address(self, real: str) -> str:
        digits = Draw(self._key, "address", real.casefold())
        if re.match(r"P\.? ?O\.? Box", real):
            return re.sub(r"\d+", lambda m: "0" + "".join(digits.of(string.digits) for _ in m[0][1:]), real)
        cjk = re.match(r"([\u4e00-\u9fff]+?)(路|街|大道|巷)(\d+号)$", real)
        if cjk:
            return f"{self.word(cjk[1])}{cjk[2]}{1 + digits.below(299)}号"
        new = re.sub(r"\b\d+(?:st|nd|rd|th)\b", lambda m: self.word(m[0] + "Street").capitalize(), real)
        new = re.sub(r"[^\W\d_][^\W\d_'’-]*", lambda m: self._street_word(m[0]), new)
        return re.sub(r"\d+", lambda m: str(1 + digits.below(max(9, 10 ** len(m[0]) - 1))), new)

    def _street_word(self, word: str) -> str:
        if word.lower() in _ADDRESS_WORDS or not word[0].isupper() or len(word) < 2:
            return word
        tail = _GERMAN.search(word)
        if tail and tail.start() > 0:
            return self.word(word[: tail.start()]) + tail[0]
        return self.word(word)


_ROLES_TEXT = """
    support info sales contact help hello service admin webmaster postmaster noreply no-reply billing careers jobs press
    privacy security legal office team feedback kontakt vertrieb soporte ventas hr
    """
ROLES = frozenset(_ROLES_TEXT.split())


def mark(kind: str, draw: Draw) -> str:
    """A typed mark in brackets."""
    name = re.sub(r"[^A-Z0-9]+", "_", kind.upper()).strip("_")[:30] or "VALUE"
    return f"[{name}-{draw.below(1 << 32):08X}]"


def _drawn(kind: str, real: str, draw: Draw) -> str:
    """A candidate for a value that has no words in it."""
    found: str | None = None
    if kind == "phone":
        return phones.made(real, draw) or mark(kind, draw)
    if kind == "card" or kind in numbers.LAYOUTS:
        found = numbers.made(kind, real, draw)
    elif kind == "iban":
        found = numbers.iban(real, draw)
    elif kind == "ip_address":
        found = _ip(real, draw)
    elif kind == "mac_address":
        found = numbers.respelled(f"00005E0053{draw.below(256):02X}", real)
    elif kind == "jwt":
        found = _jwt(draw)
    elif kind == "private_key":
        found = _private_key(real, draw)
    elif kind == "url":
        found = f"https://example.com/{draw.below(1 << 40):010x}"
    elif kind in SECRET_URLS:
        found = _with_secret(real, draw)
    if found is None:
        found = numbers.shaped(kind, real, draw, prefix_of(real))
    return found if found is not None else mark(kind, draw)


def prefix_of(secret: str) -> int:
    """How many characters say what kind of key it is, and stay."""
    match = _PREFIX.match(secret)
    return match.end() if match else 0


def _ip(real: str, draw: Draw) -> str:
    if ":" not in real:
        return f"{_V4[draw.below(3)]}{1 + draw.below(254)}"
    address = ipaddress.IPv6Address((0x20010DB8 << 96) | (draw.below(1 << 48) << 16) | 1)
    return address.compressed


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _jwt(draw: Draw) -> str:
    signature = "".join(draw.of(string.ascii_letters + string.digits) for _ in range(43))
    return (
        f"{_b64({'alg': 'HS256', 'typ': 'JWT'})}.{_b64({'sub': f'surrogate-{draw.below(1 << 40):010x}'})}.{signature}"
    )


def _is_jwt(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 3 and parts[1].startswith(_b64({"sub": "surrogate-"})[:20])


def _private_key(real: str, draw: Draw) -> str:
    head = real[: real.index("KEY") + real[real.index("KEY") :].index("-----") + 5]
    line = "EXAMPLE" + "".join(draw.of("01234567") for _ in range(12))
    return f"{head}\n{line}\n{'EXAMPLE' * 6}"


_SECRET = re.compile(r"(?<=://)([^\s/:@\"'<>]*):([^\s/@\"'<>]+)(?=@|$)|(?i:(?<=password=)|(?<=pwd=))([^;\s\"']+)")


def _with_secret(real: str, draw: Draw) -> str:
    word = f"EXAMPLE{draw.below(1 << 32):08x}"
    return _SECRET.sub(lambda m: word if m[3] else f"{'user' if m[1] else ''}:{word}", real)


def is_surrogate(kind: str, text: str) -> bool:
    """Whether a value of a kind is one that a scrubber made, under whatever key."""
    if text.startswith("[") and MARK.fullmatch(text):
        return True
    if kind == "person_name":
        return names.is_name(text)
    if kind == "username":
        found = re.findall(r"[^\W\d_]{2,}", text)
        return all(names.is_invented(word) for word in found)
    if kind == "email":
        at = _AT.search(text)
        return at is not None and _DOT.sub(".", text[at.end() :]).strip().lower() in _EMAIL_DOMAINS
    if kind == "street_address":
        return _is_address(text)
    return _is_number(kind, text)


def _is_address(text: str) -> bool:
    if re.match(r"P\.? ?O\.? Box 0\d", text):
        return True
    words = [
        w for w in re.findall(r"[^\W\d_][^\W\d_'’-]*", text) if len(w) > 1 and (w[0].isupper() or not w[0].islower())
    ]
    telling = [_GERMAN.sub("", w) for w in words if w.lower() not in _ADDRESS_WORDS]
    return bool(telling) and all(names.is_invented(w) for w in telling)


def _is_number(kind: str, text: str) -> bool:
    if kind in DATES:
        return dates.is_moved(text)
    if kind == "phone":
        return phones.is_made(text)
    if kind == "zip":
        return re.fullmatch(r"\d{3}00(?:-0000)?", text) is not None and text[:3] not in _RESTRICTED_ZIP
    if kind == "age":
        return text == "90"
    if kind == "ip_address":
        return text.startswith(_V4) or text.lower().startswith("2001:db8:")
    if kind == "mac_address":
        return numbers.compact(text).startswith("00005E0053")
    if kind == "iban":
        return numbers.is_iban(text)
    if kind == "url":
        return re.match(r"https?://(?:[\w-]+\.)*example\.(?:com|org|net)(?:[/?#:]|$)", text) is not None
    if kind == "jwt":
        return _is_jwt(text)
    if kind == "private_key" or kind in SECRET_URLS:
        return re.search(r"EXAMPLE[0-9a-f]{8}", text) is not None
    if kind in numbers.LAYOUTS or kind == "card":
        return numbers.is_made(kind, text) or numbers.is_shaped(kind, text)
    return numbers.is_shaped(kind, text, prefix_of(text))
