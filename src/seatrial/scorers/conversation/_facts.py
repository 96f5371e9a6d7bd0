"""Facts that users state of themselves, by rules: what was given, asked for again, and said back wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from seatrial.scorers.agents.recovery import tells_of_failure
from seatrial.scorers.base import encodable
from seatrial.scorers.conversation._session import Turn

READ = 8_000

_MINE = r"(?:my|our|mi|mis|mein|meine|mon|ma|meu|minha|il mio|la mia|mijn)"
_YOURS = r"(?:your|su|sus|tu|ihre?n?|deine?n?|votre|vos|ton|ta|seu|sua|il suo|la sua|il tuo|la tua|uw|je|the)"
_IS = r"(?:\s(?:is|are|es|son|ist|lautet|est|é|è)\s{1,3}|\s?[:=]\s{0,3})"
_WORD = r"[^\W\d_][\w'’-]{0,30}"
_NOUN = rf"(?P<noun>{_WORD}(?: {_WORD}){{0,3}}?)"
_VALUE = r"(?P<value>[^\s.,;:!?][^,;!?\n]{0,80}?)(?=[,;!?\n]|\.(?:\s|$)|\s(?:and|but|y|und|et|e|en)\s|$)"
_CAPITAL = r"[A-ZÀ-Þ][\w'’-]{1,30}"

_STATED = re.compile(rf"\b{_MINE} {_NOUN}{_IS}{_VALUE}", re.IGNORECASE)
_SAID_BACK = re.compile(rf"\b{_YOURS} {_NOUN}{_IS}(?P<no>not\s|no\s|nicht\s|pas\s|não\s|non\s)?{_VALUE}", re.IGNORECASE)
_NAMED = re.compile(
    r"\b(?:[Cc]all me|[Tt]his is|[Mm]e llamo|[Ii]ch heiße|[Jj]e m['’]appelle)"
    rf" (?P<value>{_CAPITAL}(?: {_CAPITAL})?)(?= (?:here|speaking|calling|from)\b|[.,!?\n]|$)"
)
_GREETED = re.compile(rf"\A\s*(?:Hi|Hello|Hey|Dear|Hola|Hallo|Bonjour|Olá|Ciao) (?P<value>{_CAPITAL})(?=[,!.\n])")
_SALUTED = frozenset({
    "there", "all", "team", "sir", "madam", "again", "everyone", "everybody", "folks", "customer", "guest", "friend",
    "valued", "user",
})  # fmt: skip

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_DATE = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2}(?:st|nd|rd|th)?\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\w#])#?(?=[A-Za-z_-]{0,24}\d)[A-Za-z0-9][A-Za-z0-9_-]{2,39}(?!\w)")
_SHAPES = (_EMAIL, _DATE, _CODE)
_TELLING = re.compile(r"\d|\A[A-ZÀ-Þ][\w'’-]")
"""What makes a value one that could be asked for again: a number in it, or a capital in front."""

_REQUEST = re.compile(
    r"\?\s*\Z|\b(?:please|kindly|could you|can you|would you|may i|can i|i(?:.ll| will)? (?:also |still )?need"
    r"|let me know|provide|share|send me|tell me|enter|what(?:.s| is| are)|which|por favor|puede|podría|cuál|bitte"
    r"|können sie|wie lautet|quel(?:le)?|pouvez|s'il vous|poderia|qual|può|kunt u|graag)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(rf"\b{_YOURS} (?P<nouns>[^.?!;\n]{{1,200}})", re.IGNORECASE)
_ASIDE = r"and|or|so|to|for|in|on|please|associated|again|with|that|we|you|is|as|at|y|o|und|oder|et|ou|e"
_PIECE = re.compile(
    r"\s*(?:your |the )?(?P<noun>[^\W\d_][\w'’#-]{0,30}(?: [^\W\d_#][\w'’#-]{0,30}){0,3}?)"
    rf"(?=\s*(?:[.,;:?!)\n]|\Z|(?:{_ASIDE})\b))",
    re.IGNORECASE,
)
_NO_NOUN = re.compile(rf"(?:{_ASIDE}|thanks?|kindly|first|too|now)(?:\s.*)?", re.IGNORECASE)
_SPLIT = re.compile(r",| and | or | y | und | et ")
_EXCUSED = re.compile(
    r"\b(?:confirm|verif(?:y|ied)|double.?check|check (?:again|that|whether|if)|correct|another|other|different|new"
    r"|updated?|second|next|change|spell\w*|instead|alternative|additional|also have|still (?:at|on|the same)"
    r"|would you like|do you want|confirmar|bestätigen|confirmer|neue?r?|nouve\w+|nuev\w+)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:don.?t (?:know|have|remember)|not sure|no idea|can.?t (?:find|remember)|lost|why do you|no sé|weiß nicht)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.?!\n]{0,2000}(?:[.?!]{1,20}|\n|\Z)|[^.?!\n]{2000}")

_SAME = {
    "email": (
        "email", "e-mail", "email address", "e-mail address", "mail address", "correo", "correo electrónico", "mail",
    ),
    "phone": ("phone", "phone number", "mobile", "mobile number", "telephone number", "cell number", "contact number"),
    "name": ("name", "full name", "first name", "nombre", "nombre completo", "nom"),
    "date of birth": ("birthday", "birth date", "dob", "geburtsdatum", "fecha de nacimiento"),
    "zip": ("zip code", "postcode", "postal code", "post code", "plz", "postleitzahl"),
    "order number": ("order id", "order no", "order #", "bestellnummer", "número de pedido"),
    "booking number": (
        "booking reference", "reservation number", "reservation id", "reservation code", "confirmation number",
        "confirmation code", "booking id", "booking code", "pnr", "buchungsnummer",
    ),
    "user id": ("customer id", "customer number", "user name", "username", "kundennummer"),
}  # fmt: skip
_CANON = {noun: canon for canon, nouns in _SAME.items() for noun in nouns}
_NO_FACT = frozenset({
    "question", "problem", "issue", "concern", "point", "goal", "guess", "plan", "understanding", "order", "request",
    "friend", "opinion",
})  # fmt: skip


class Fact(NamedTuple):
    """Something the user stated. `slot` is what of it, `value` as it was written."""

    slot: str
    value: str
    where: str


class Breach(NamedTuple):
    """Where the assistant forgot a fact: `kind` is `asked again` or `contradicted`."""

    kind: str
    fact: Fact
    where: str
    start: int
    end: int
    quote: str


def slot_of(noun: str) -> str:
    """One name for the nouns of one thing."""
    plain = " ".join(noun.casefold().replace("’", "'").split())
    plain = re.sub(r"^(?:current|registered|actual) ", "", plain)
    return _CANON.get(plain, plain)


def retained(turns: Sequence[Turn]) -> tuple[dict[str, Fact], list[Breach]]:
    """The facts that the user stated, the last value of each, and where the assistant forgot one afterwards."""
    facts: dict[str, Fact] = {}
    breaches: list[Breach] = []
    pending: list[str] = []
    for turn in turns:
        text = encodable(turn.text[:READ])
        if turn.role == "user":
            for fact in (*_stated(text, turn.where), *_answered(text, turn.where, pending)):
                facts[fact.slot] = fact
            pending = []
        elif turn.role == "assistant":
            breaches += _forgotten(text, turn.where, facts)
            pending = [slot for _, _, slots in _requests(text) for slot in slots]
    return facts, breaches


def _stated(text: str, where: str) -> Iterator[Fact]:
    for match in _STATED.finditer(text):
        slot = slot_of(match["noun"])
        if slot not in _NO_FACT and (slot in _SAME or _TELLING.search(match["value"])):
            yield Fact(slot, _core(match["value"]), where)
    for match in _NAMED.finditer(text):
        yield Fact("name", match["value"], where)
    email = _EMAIL.search(text)
    if email is not None:
        yield Fact("email", email.group(), where)


def _answered(text: str, where: str, pending: Sequence[str]) -> Iterator[Fact]:
    """What an answer gives of the things just asked for: of one thing anything that is not a question or a shrug."""
    if not pending or _UNKNOWN.search(text):
        return
    if len(pending) == 1 and "?" not in text and len(text) <= 200:
        shaped = next((found.group() for shape in _SHAPES if (found := shape.search(text)) is not None), "")
        short = text.strip().strip(".!") if len(text.split()) <= 4 else ""
        if shaped or short:
            yield Fact(pending[0], shaped or short, where)


def _core(value: str) -> str:
    """The telling part of a value: an address, date or code in it where there is one."""
    found = next((match.group() for shape in _SHAPES if (match := shape.search(value)) is not None), None)
    return found or value.strip().strip("\"'“”")


def _requests(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Sentences that ask the user for something of theirs, with what they ask for."""
    for sentence in _SENTENCE.finditer(text):
        said = sentence.group()
        if not said.strip() or not _REQUEST.search(said) or _EXCUSED.search(said):
            continue
        slots: list[str] = []
        for match in _ASKED.finditer(said):
            pieces = (_PIECE.match(piece + " ") for piece in _SPLIT.split(match["nouns"]))
            nouns = [piece["noun"] for piece in pieces if piece is not None]
            slots += [slot_of(noun) for noun in nouns if not _NO_NOUN.fullmatch(noun)]
        if slots:
            yield sentence.start(), sentence.end(), slots


def _forgotten(text: str, where: str, facts: dict[str, Fact]) -> Iterator[Breach]:
    if not facts:
        return
    excused = tells_of_failure(text) is not None  # a value that did not work may be asked for again
    for start, end, slots in () if excused else _requests(text):
        for slot in dict.fromkeys(slots):
            fact = facts.get(slot)
            if fact is not None and not (fact.value and fact.value.casefold() in text[start:end].casefold()):
                yield Breach("asked again", fact, where, start, end, text[start:end].strip())
    for match in _SAID_BACK.finditer(text):
        fact = facts.get(slot_of(match["noun"]))
        if fact is None or match["no"] or _bare(fact.value) in _bare(match["value"]):
            continue
        if _differ(fact.value, _core(match["value"])):
            yield Breach("contradicted", fact, where, match.start(), match.end(), match.group())
    greeted = _GREETED.match(text)
    name = facts.get("name")
    if greeted is not None and name is not None:
        called = greeted["value"].casefold()
        if called not in _SALUTED and called not in name.value.casefold().split():
            yield Breach("contradicted", name, where, greeted.start(), greeted.end(), greeted.group().strip())


def _differ(stated: str, said: str) -> bool:
    """Whether two values contradict: both of one shape, or single words, and different."""
    if not stated or not said:
        return False
    for shape in _SHAPES:
        first, second = shape.fullmatch(stated), shape.fullmatch(said)
        if first is not None and second is not None:
            return _bare(stated) != _bare(said)
    short = len(stated.split()) <= 3 and len(said.split()) <= 3
    apart = _bare(stated) not in _bare(said) and _bare(said) not in _bare(stated)
    return short and apart and stated[:1].isupper() and said[:1].isupper()


def _bare(value: str) -> str:
    return re.sub(r"[\W_]+", "", value.casefold())
