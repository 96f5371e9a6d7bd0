"""What is personal in a text, as a policy has it. Texts that come again, as most of a log's do, are not read again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from seatrial.datasets.scrubbing import dates, names, surrogates
from seatrial.datasets.scrubbing.policy import Pattern, Policy, compiled, plain_key
from seatrial.datasets.scrubbing.walk import Place, RefusedError
from seatrial.scorers.base import encodable
from seatrial.scorers.safety import personal
from seatrial.scorers.safety._detecting import without_overlap
from seatrial.scorers.safety.personal import Found

MOST = 1_000
"""A text with so many findings is refused: the detectors stop there, so more might follow."""

FIXED = frozenset(("role", "type", "media_type", "sha256"))
"""Keys whose values are words of a format."""

REMEMBERED = 8_000_000
"""Characters of texts, and what goes with them, that are remembered before the older half is forgotten."""

_BLOB = r"data:[\w.+/-]{1,60};base64,[A-Za-z0-9+/=]{16,}|[A-Za-z0-9+/]{512,}={0,2}|(?:[A-Za-z0-9+/]{60,80}\r?\n){7,}"
_BLOB_SIZE = 400
_BLOB_LINE = 60
_PROSE = frozenset(("", "content", "text", "input"))
_PROBED = 200
_COST = 200
"""About what remembering a text costs beside its characters, findings left out."""

Findings = tuple[Found, ...]


class Looker:
    """Finds what a policy looks for."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._recent: dict[Place, Findings] = {}
        self._older: dict[Place, Findings] = {}
        self._held = 0

    def found(self, text: str, key: str) -> Findings:
        """What is personal in a text, surrogates and allowed values left out. Raises RefusedError beyond the bounds."""
        place = (text, key)
        known = self._recent.get(place)
        if known is None:
            known = self._older.get(place)
            known = self._read(text, key) if known is None else known
            self._remember(place, known)
        return known

    def hits(self, places: Iterable[Place]) -> list[tuple[Place, Findings]]:
        """Those places in which anything is found, with it, in their order."""
        recent = self._recent
        out: list[tuple[Place, Findings]] = []
        for place in places:
            known = recent.get(place)
            if known is None:
                known = self.found(*place)
                recent = self._recent
            if known:
                out.append((place, known))
        return out

    def _remember(self, place: Place, found: Findings) -> None:
        self._held += len(place[0]) + _COST * (1 + len(found))
        if self._held > REMEMBERED:
            self._recent, self._older, self._held = {}, self._recent, 0
        self._recent[place] = found

    def _read(self, text: str, key: str) -> Findings:
        policy = self._policy
        if len(text) > policy.max_chars:
            raise RefusedError("text_too_long")
        if key in FIXED:
            return ()
        found = personal.find(text, policy.kinds, policy.regions)
        if len(found) >= MOST:
            raise RefusedError("too_many_findings")
        if key not in _PROSE and len(text) <= _PROBED:
            found = without_overlap(found + self._by_key(text, key, found)) if text else found
        searched = policy.searched if _names_account(text) else policy.patterns
        if searched:
            found = without_overlap(found + _own(text, searched))
        if policy.blobs != "keep" and (";base64," in text or (len(text) >= _BLOB_SIZE and _is_unbroken(text))):
            _check_blobs(text, found)
        if not found:
            return ()
        allow = policy.allowed
        return tuple([f for f in found if not surrogates.is_surrogate(f.kind, f.text) and f.text not in allow])

    def _by_key(self, text: str, key: str, found: list[Found]) -> list[Found]:
        """What the key says of its value: its kind, or words that make a weak number a sure one.

        A value that holds more than that, in which something else was `found` or stands in words, is taken whole.
        """
        kind = self._policy.keys.get(plain_key(key))
        if kind and any(c.isalnum() for c in text) and _fits(kind, text):
            whole = Found(kind, 0, len(text), text, 0.9)
            return [whole if _is_one(kind, text, found) else whole._replace(kind=surrogates.MIXED, confidence=1.0)]
        lead = len(key) + 2
        probed = personal.find(f"{key}: {text}", self._policy.kinds, self._policy.regions)
        return [f._replace(start=f.start - lead, end=f.end - lead) for f in probed if f.start >= lead]


def _own(text: str, searched: Iterable[Pattern]) -> list[Found]:
    """What patterns of one's own find. Raises RefusedError where that is too much."""
    found: list[Found] = []
    said = encodable(text)
    for pattern in searched:
        for match in pattern.regex.finditer(said):
            group = next((n for n in pattern.groups if match.group(n) is not None), 0)
            start, end = match.span(group)
            found.append(Found(pattern.kind, start, end, text[start:end], pattern.confidence))
            if len(found) >= MOST:
                raise RefusedError("too_many_findings")
    return [f for f in found if f.end > f.start]


def _names_account(text: str) -> bool:
    """Whether one of the words stands in a text that stand in whatever the policies' `USER_NAME` finds."""
    folded = text.casefold()
    return "user" in folded or "login" in folded or "account" in folded


def _is_unbroken(text: str) -> bool:
    """Whether as many characters as a line of a blob has stand somewhere in a text without a space."""
    at = 0
    while at + _BLOB_LINE <= len(text):
        at = text.rfind(" ", at, at + _BLOB_LINE) + 1
        if not at:
            return True
    return False


@lru_cache(maxsize=1)
def _blob() -> Any:
    return compiled(_BLOB)


def _check_blobs(text: str, found: list[Found]) -> None:
    """Raises RefusedError for base64 that nothing found covers: what is in it was not read."""
    for match in _blob().finditer(encodable(text)):
        if not any(f.start < match.end() and match.start() < f.end for f in found):
            raise RefusedError("blob_in_text")


def _fits(kind: str, text: str) -> bool:
    """Whether a value could be what its key says: a user name has words, a name has letters, a number digits."""
    if kind == "person_name":
        return len(text) <= 80 and bool(names.pieces(text)) and not any(c.isdigit() for c in text)
    if kind == "username":
        return len(re.findall(r"[^\W\d_]{2,}", text)) >= 2 and re.fullmatch(r"[\w.-]+", text) is not None
    if kind == "email":
        return "@" in text and " " not in text.strip()
    if kind in ("street_address", "generic_secret"):
        return text.strip() not in ("", "null", "none")
    if kind == "ip_address":
        return re.fullmatch(r"[0-9a-fA-F.:]{7,45}", text) is not None
    return any(c.isdigit() for c in text)


_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")
_OF_PHONES = frozenset(("tel", "fax", "ext", "mob", "mobile", "cell", "phone", "home", "work", "office", "telefon"))
_IN_ADDRESSES = frozenset(("street_address", "person_name", "zip", "phone", "age", *surrogates.DATES))
_ALL_REPLACED = frozenset(("person_name", "email", "username", "ip_address", "generic_secret", "iban", "age"))


def _is_one(kind: str, text: str, found: list[Found]) -> bool:
    """Whether a value holds nothing beside what its key says; all of what is replaced whole is one."""
    if kind in surrogates.DATES:
        return dates.is_one(text.strip())
    if kind == "street_address":
        return "@" not in text and all(item.kind in _IN_ADDRESSES for item in found)
    return kind in _ALL_REPLACED or all(word.lower() in _OF_PHONES for word in _WORD.findall(text))
