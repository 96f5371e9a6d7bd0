"""Personal data and secrets in a text: pure functions, for scorers, for scrubbing, for anybody.

`find` gives what stands where. Numbers count by form and checksum, weak ones only near words that say what they are;
names and addresses only in patterns that hardly anything else has. It misses what has no pattern: names in running
text ("Anna said"), places, nicknames, numbers spelled out, data in pictures.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from seatrial.scorers.base import encodable
from seatrial.scorers.safety import _contact, _named_addresses, _national_ids, _payment, _people, _secrets
from seatrial.scorers.safety._detecting import Detector, Found, Seeking, one_of, without_overlap

__all__ = ["GROUPS", "KINDS", "Found", "find", "hinted", "is_clean", "masked", "resolved"]

_ALL: tuple[Detector, ...] = (
    *_contact.DETECTORS,
    *_payment.DETECTORS,
    *_people.DETECTORS,
    *_named_addresses.DETECTORS,
    *_national_ids.DETECTORS,
    *_secrets.DETECTORS,
)
KINDS: tuple[str, ...] = tuple(dict.fromkeys(detector.kind for detector in _ALL))
"""Every kind that can be found."""

GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(dict.fromkeys(d.kind for d in _ALL if d.group == group))
    for group in dict.fromkeys(d.group for d in _ALL)
}
"""Groups of kinds, whose names may be given where kinds are: contact, network, payment, person, national_id, secret."""

MOST = 1000


def resolved(kinds: Collection[str]) -> frozenset[str]:
    """Kinds and groups as kinds; empty stands for all. Raises ValueError for a name that is neither."""
    unknown = [kind for kind in kinds if kind not in KINDS and kind not in GROUPS]
    if unknown:
        raise ValueError(f"knows no kind {unknown[0]!r}; groups are {', '.join(GROUPS)}")
    return frozenset(k for kind in (kinds or KINDS) for k in GROUPS.get(kind, (kind,)))


def find(
    text: str, kinds: Collection[str] = (), regions: Collection[str] = (), *, reserved: bool = False
) -> list[Found]:
    """Personal data and secrets in a text, in its order, none overlapping; at most 1,000.

    `kinds` are of `KINDS` or `GROUPS` (empty: all). `regions` are ISO 3166 codes of the countries whose national ids,
    telephone numbers and addresses are looked for (empty: all that are known). `reserved` finds values, too, that are
    set aside for examples and belong to nobody: example.com, 555-01xx, private and documentation networks,
    placeholders. Offsets are characters of `text`. Raises ValueError for an unknown kind.
    """
    wanted = _selection(frozenset(kinds), frozenset(regions))
    said = encodable(text)
    hits = _hinted(said)
    if not hits:
        return []
    seeking = Seeking(frozenset(regions), reserved)
    found = chain.from_iterable([_ALL[index].finder(said, seeking) for index in hits if index in wanted])
    return without_overlap(islice(found, MOST))


def _hinted(text: str) -> list[int]:
    """The detectors that could find anything in a text without lone surrogates."""
    return _prefilter(text.isascii()).Match(text.encode()) or []


def hinted(text: str) -> frozenset[str]:
    """The kinds that a text's words and forms hint at: no other kind can be found in it."""
    return frozenset([_ALL[index].kind for index in _hinted(encodable(text))])


def is_clean(texts: Collection[str]) -> bool:
    """Whether nothing at all can be found in any of some texts, by one look at all of them.

    No hint spans a line break where it is not in a text, nor asks for a text's beginning or end where a line's would
    not do: what none of them holds together, none holds alone. False says nothing.
    """
    return not _hinted(encodable("\n".join(texts)))


@lru_cache(maxsize=64)
def _selection(kinds: frozenset[str], regions: frozenset[str]) -> frozenset[int]:
    chosen = resolved(kinds)
    return frozenset(
        index
        for index, detector in enumerate(_ALL)
        if detector.kind in chosen and (not regions or not detector.region or detector.region in regions)
    )


@lru_cache(maxsize=2)
def _prefilter(plain: bool) -> Any:
    """One pass over a text that tells which detectors could find anything; `plain` is for texts of ASCII alone."""
    return one_of(*((plain and detector.exact) or detector.hint for detector in _ALL), memory=64)


def masked(text: str) -> str:
    """A value with all but its first and last two characters hidden, as reports show it."""
    inner = max(0, len(text) - 4)
    return f"{text[:2]}{'•' * min(inner, 12)}{text[-2:]}" if inner > 2 else "•" * len(text)
