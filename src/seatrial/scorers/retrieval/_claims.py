"""From an answer to its claims: what it states, apart from questions, doubts, courtesies and refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from seatrial.scorers.base import encodable
from seatrial.scorers.retrieval._checking import Claim
from seatrial.scorers.retrieval._facts import quotations
from seatrial.scorers.retrieval._reading import Reading, Unit, language_of, read

Kind = Literal["claim", "question", "hedge", "meta", "refusal", "empty"]
MAX_CLAIMS = 300

_META = re.compile(
    r"^\W*(?:i hope (?:this|that)|hope this helps|let me know|feel free|please (?:let me know|feel free"
    r"|don't hesitate|do not"
    r" hesitate)|is there anything|thank(?:s| you)|you'?re welcome|sure\b|certainly\b|of course\b"
    r"|great question|good question"
    r"|happy to help|i(?:'d| would) be happy|here (?:is|are|'s)|here you go|in summary\W*$"
    r"|to summari[sz]e\W*$|in conclusion\W*$"
    r"|hello|hi\b|dear |best regards|kind regards|sincerely|i(?:'m| am) (?:glad|happy)|below (?:is|are)|the following"
    r"|ich hoffe|gerne|bei (?:weiteren )?fragen|vielen dank|guten tag|hallo|mit freundlichen|hier (?:ist"
    r"|sind)|lassen sie mich"
    r"|j'espère|n'hésitez|bonjour|merci|bien sûr|cordialement|voici|espero que|no dude|hola|gracias|claro"
    r"|saludos|aquí (?:está|tiene)"
    r"|por supuesto)",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"^\W*(?:i(?:'m| am) not (?:sure|certain)|i could be wrong|i may be wrong|i might be wrong|this may vary|it depends"
    r"|ich bin (?:mir )?nicht sicher|je ne suis pas sûre?|no estoy segur[oa])\W*(?:about (?:this|that))?\W*$",
    re.IGNORECASE,
)
_ABSTAINS = re.compile(
    r"^\W*(?:(?:i(?:'m| am) )?sorry\W|unfortunately\W|i (?:do not|don't|cannot|can't|could not|couldn't"
    r"|am unable to|am not able to)"
    r" (?:know|find|say|answer|tell|help|provide|determine|see)|(?:the|this) (?:context|documents?"
    r"|sources?|text|information|"
    r"passages?) (?:provided )?(?:do(?:es)? not|don't|doesn't) (?:say|mention|contain|state|specify"
    r"|include|provide|tell)"
    r"|i(?:'m| am) afraid (?:i|that|this|the|there)\b|(?:that|this|the) (?:information|detail|figure) (?:is not|isn't)"
    r"|(?:dazu|darüber|hierzu) (?:steht|finde|habe|liegen|gibt)|there is no information"
    r"|no information|(?:das|dies) (?:weiß ich nicht|geht aus)|ich weiß (?:es )?nicht|leider"
    r"|je ne (?:sais|peux|trouve)|désolé|lo siento|no (?:sé|puedo|encuentro)\b)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"\W*(?:(?:according to|based on|as (?:stated|noted|mentioned|described) in|per|from) (?:the |your "
    r"|this )?(?:provided |given |"
    r"retrieved )?(?:context|documents?|sources?|text|passages?|information|article"
    r"|knowledge base|documentation|manual|guide|policy|page|website|notes?|records?|report"
    r"|terms)(?: provided| given| above)?"
    r"|(?:laut|gemäß) (?:dem |den )?(?:kontext|text|dokument|quellen?)|selon (?:le |les )?(?:contexte"
    r"|documents?|texte|sources?)"
    r"|según (?:el |los )?(?:contexto|documentos?|texto|fuentes?)|yes|no|ja|nein|oui|non|sí|si)\s*[,:.!–—-]\s*",
    re.IGNORECASE,
)
_MARKER = re.compile(
    r"\[\^?[\w:./#, -]{1,80}\]|【[^】]{1,80}】|\((?:doc|source|document|quelle"
    r"|fuente)[-_ :#]?[\w./-]{0,60}\)",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"[*_`]{1,3}")
_ONLY = re.compile(
    r"^\W*(?:yes|no|ja|nein|oui|non|sí|si|okay|ok|correct|true|false|right|maybe|done|n/?a|none)\W*$", re.IGNORECASE
)
_SPLIT = re.compile(
    r";\s+|,\s+(?=(?:and|but|while|whereas|although|und|aber|während|et|mais|tandis que|y|pero"
    r"|mientras)\s)",
    re.IGNORECASE,
)


class Statement(NamedTuple):
    """A piece of an answer: what kind it is, its span in the answer, and the claim where it is one."""

    kind: Kind
    start: int
    end: int
    claim: Claim | None = None


class Statements(NamedTuple):
    """An answer taken apart. `whole`: whether all of it was read."""

    items: tuple[Statement, ...]
    whole: bool
    language: str

    @property
    def claims(self) -> list[Statement]:
        """The statements that claim something."""
        return [item for item in self.items if item.claim is not None]


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda m: " " * len(m.group()), text)


def plain(text: str) -> str:
    """The answer without citation markers and emphasis, which are no content; offsets stay."""
    text = encodable(text)
    if "[" in text or "【" in text or "(" in text:
        text = _blank(_MARKER, text)
    return _blank(_EMPHASIS, text) if "*" in text or "_" in text or "`" in text else text


def statements(answer: str, question: str = "", language: str = "") -> Statements:
    """Takes an answer apart into claims and the rest. `question` tells what a bare value is about."""
    text = _split(plain(answer))
    language = language or language_of(f"{text} {question}")
    reading = read(text, language)
    asked = read(question, language) if question else None
    keys, names = (frozenset[str](), frozenset[str]()) if asked is None else _of(asked)
    found: list[Statement] = []
    for unit in reading.units:
        kind = classify(text[unit.start : unit.end], unit)
        if kind == "claim" and _is_lead_in(reading, unit):
            kind = "meta"
        claim = _claim(text, unit, keys, names) if kind == "claim" else None
        found.append(Statement(kind, unit.start, unit.end, claim))
    claims = [i for i, item in enumerate(found) if item.claim is not None]
    cut = len(claims) > MAX_CLAIMS
    return Statements(tuple(found[: claims[MAX_CLAIMS]] if cut else found), reading.whole and not cut, language)


def _of(asked: Reading) -> tuple[frozenset[str], frozenset[str]]:
    keys = frozenset[str]().union(*(u.keys for u in asked.units)) if asked.units else frozenset[str]()
    names = frozenset[str]().union(*(u.names for u in asked.units)) if asked.units else frozenset[str]()
    return keys, names


def _split(text: str) -> str:
    """Ends a sentence where a clause of its own begins, in as many characters."""
    pieces: list[str] = []
    at = 0
    for match in _SPLIT.finditer(text):
        left = text[max(at, match.start() - 300) : match.start()]
        right = text[match.end() : match.end() + 300]
        if _own(left) and _own(right):
            pieces.append(text[at : match.start()] + "\x1e" + text[match.start() + 1 : match.end()])
            at = match.end()
    pieces.append(text[at:])
    return "".join(pieces)


def _own(side: str) -> bool:
    words = re.split(r"[.!?;,\n\x1e]", side)[0 if side[:1].isalpha() else -1].split()
    return len(words) >= 4


def _is_lead_in(reading: Reading, unit: Unit) -> bool:
    """Whether a unit only introduces a list: its words count with every item."""
    return (
        unit.kind == "sentence"
        and reading.text[unit.start : unit.end].rstrip().endswith((":", "："))
        and not unit.facts
    )


def classify(text: str, unit: Unit) -> Kind:
    """What a unit of an answer is."""
    said = text.strip()
    if unit.kind == "heading" or not any(c.isalnum() for c in said):
        return "empty"
    if said.endswith(("?", "？", "؟")) and not said.casefold().startswith("did you know"):
        return "question"
    if not unit.facts and _ONLY.match(said):
        return "meta"
    bare = not unit.facts and len(unit.names) < 2
    if bare and _HEDGE.match(said):
        return "hedge"
    if bare and _ABSTAINS.match(said):
        return "refusal"
    if bare and _META.match(said) and len(unit.keys) <= 8:
        return "meta"
    return "claim" if unit.keys or unit.facts else "empty"


def _claim(text: str, unit: Unit, asked: frozenset[str], asked_names: frozenset[str]) -> Claim:
    lead = _LEAD.match(text, unit.start, unit.end)
    if lead is not None and lead.end() < unit.end:
        words = tuple(w for w in unit.words if w.start >= lead.end())
        unit = unit._replace(
            words=words,
            keys=frozenset(w.key for w in words),
            names=frozenset(w.key for w in words if w.name),
            negative=unit.negative if _says_no(text, lead, unit) else frozenset(),
        )
    fragment = unit.kind == "sentence" and bool(unit.facts) and unit.keys <= asked
    quotes = tuple(q for q, *_ in quotations(text[unit.start : unit.end]))
    return Claim(unit, asked, asked_names, fragment, quotes)


def _says_no(text: str, lead: re.Match[str], unit: Unit) -> bool:
    """Whether a negation stands after the opening, which itself may be a "no"."""
    rest = read(text[lead.end() : unit.end])
    return any(u.negative for u in rest.units)


def shown_kinds(items: tuple[Statement, ...]) -> Iterator[str]:
    """The kinds that a text without claims consists of."""
    yield from dict.fromkeys(item.kind for item in items if item.kind != "empty")
