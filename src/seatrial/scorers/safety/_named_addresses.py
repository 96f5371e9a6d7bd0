"""Names right before e-mail addresses that spell them: "Maria Keller (maria.keller@…)", "Keller, Maria <mk@…>"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from seatrial.scorers.safety._contact import ROLE, address_at, local_before
from seatrial.scorers.safety._detecting import Detector, Found, Seeking, folded, german
from seatrial.scorers.safety._people import NOBODY, ORGANISATION

_REACH = 100
"""How far before an address its name may begin, in characters."""

_BETWEEN = " \xa0\t\r\n,;:(<[{\"'|*–—-"
_LONGEST_BETWEEN = 6
_MOST_WORDS = 4
_LEAST_SHARED = 3
_ALONE = re.compile(r"[<(\[\"'*]*[\w.%+'-]*")
_LABELS = frozenset(("email", "e-mail", "mail", "mailto"))
_LABEL = re.compile(r"(?<!\w)(?:e-?mail|mail|mailto)\Z", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PARTICLE_WORDS = "de la los van der den von della del di da dos du le bin al el ter ten das"
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_OTHER_WORDS = """
    from to cc bcc by via von an reply sent contact email e-mail mail write ask call kontakt absender empfänger
    regards cheers wishes many grüßen grüße gruß freundlichen besten herzlichen vielen viele beste liebe lieben mit
    cordialement saludos cordiales atentamente atenciosamente saluti cordiali distinti groet groeten pozdrawiam
    dear hi hey hallo mr mrs ms mx miss dr prof herr herrn frau mme mlle
    order orders booking bookings refund refunds return returns claim claims payment payments accounts invoice
    invoices reservation reservations complaint complaints shop store hotel newsletter news media marketing
"""
_NO_NAME = frozenset(_OTHER_WORDS.split()) | NOBODY | ROLE


def _named(text: str, seeking: Seeking) -> Iterator[Found]:
    at = text.find("@")
    while at >= 0:
        start = local_before(text, at) if _may_be_named(text, at) else at
        name = _name_before(text, start, text[start:at]) if start < at else None
        if name is not None and address_at(text, start, seeking):
            said = text[slice(*name)]
            if ORGANISATION.search(said) is None:
                yield Found("person_name", *name, said, 0.8)
        at = text.find("@", at + 1)


def _may_be_named(text: str, at: int) -> bool:
    """Whether a name may stand before an address: most have a small word there, as in "write to a@b.de"."""
    space = text.rfind(" ", max(0, at - _REACH), at)
    word = text[text.rfind(" ", max(0, space - _REACH), space) + 1 : space] if space > 0 else ""
    if not (word.islower() and word.isalpha()) or word in _LABELS:
        return True
    return _ALONE.fullmatch(text, space + 1, at) is None


def _name_before(text: str, start: int, local: str) -> tuple[int, int] | None:
    """Where the name stands that an address spells, right before it; None where there is none."""
    begin = max(0, start - _REACH)
    lead = text[begin:start]
    before = lead.rstrip(_BETWEEN)
    gap = lead[len(before) :]
    if not gap:
        return None
    last = (before.rsplit(None, 1) or [""])[-1].lstrip(_BETWEEN)
    label = _LABEL.search(before) if last.lower() in _LABELS else None
    if label is None and not last[:1].isupper():
        return None
    if label is not None:
        before = before[: label.start()].rstrip(_BETWEEN)
        gap = lead[len(before) : label.start()]
    if len(gap) > _LONGEST_BETWEEN or gap.count("\n") > 1 or not before[-1:].isalpha():
        return None
    tokens = [token for token in re.findall(r"[^\W\d_]+", folded(local)) if token not in _NO_NAME]
    words = _words_at_end(before, tokens) if tokens else []
    shared = [_is_shared(word[0], tokens) for word in words]
    if True not in shared:
        return None
    first = _first(words, shared, tokens, displayed="<" in gap)
    return begin + words[first].start(), begin + len(before)


def _words_at_end(text: str, tokens: list[str]) -> list[re.Match[str]]:
    """Up to four words of a name at a text's end, with its particles, in their order."""
    words: list[re.Match[str]] = []
    edge = len(text)
    for word in reversed(list(_WORD.finditer(text))):
        between = text[word.end() : edge]
        told = word[0]
        if words and between != " " and not _continues(told, between, tokens):
            break
        if told not in _PARTICLES and (not told[0].isupper() or told.casefold() in _NO_NAME):
            break
        words.append(word)
        edge = word.start()
        if sum(w[0][0].isupper() for w in words) == _MOST_WORDS:
            break
    while words and words[-1][0] in _PARTICLES:
        words.pop()
    return words[::-1]


def _continues(word: str, between: str, tokens: list[str]) -> bool:
    """Whether a name goes on over a sign: "Maria J. Keller", "Keller, Maria"."""
    return (between == ". " and len(word) == 1) or (between == ", " and _is_shared(word, tokens))


def _is_shared(word: str, tokens: list[str]) -> bool:
    """Whether an address spells a word, at the beginning or end of one of its own, or begins it."""
    for spelled in {folded(word).replace("-", ""), german(word).replace("-", ""), *folded(word).split("-")}:
        for token in tokens:
            if len(spelled) >= _LEAST_SHARED and (token.startswith(spelled) or token.endswith(spelled)):
                return True
            if len(token) >= _LEAST_SHARED and spelled.startswith(token):
                return True
    return False


def _first(words: list[re.Match[str]], shared: list[bool], tokens: list[str], *, displayed: bool) -> int:
    """Which word begins the name: the first that is shared, or before it one whose initial the address has.

    All of them where they are displayed for an address in angle brackets; one more where it has the surname alone.
    """
    first = shared.index(True)
    if displayed:
        return 0
    spelled = [folded(word[0]) for word, is_shared in zip(words, shared, strict=True) if is_shared]
    initials = {token[0] for token in tokens if len(token) == 1}
    initials |= {
        token[0] for token in tokens for word in spelled if token.endswith(word) and 1 <= len(token) - len(word) <= 2
    }
    if first and tokens == spelled and len(spelled) == 1:
        first -= 1
    return next((at for at in range(first) if folded(words[at][0])[:1] in initials), first)


DETECTORS = (Detector("person_name", "person", "@", _named),)
