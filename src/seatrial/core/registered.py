"""What of a suite decides a verdict: registered with a trial before any answer exists, compared when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from seatrial.core.identity import canonical, digest, short
from seatrial.core.record import Json
from seatrial.core.suite import Policy, RubricSpec, Suite

UNDECIDING = ("slices", "record_days")
"""Keys of the policy that change what is shown, or how long it stands, and never what is decided."""
LONGEST = 80


class Change(NamedTuple):
    """A key that decides, with what it was and what it is, as text."""

    key: str
    old: str
    new: str


def terms(suite: Suite, scorers: Mapping[str, str]) -> dict[str, Json]:
    """All that decides, by dotted key: policy, rubrics with their scorers' hashes, traffic shares; defaults left out.

    `scorers`: hash by rubric name. A rubric's name has no dot of its own here: dots in it become `·`.
    """
    found = _flat("policy", {k: v for k, v in suite.policy.plain().items() if k not in UNDECIDING})
    for rubric in suite.rubrics:
        plain = rubric.model_dump(by_alias=True, exclude_defaults=True)
        place = f"rubrics.{plain.pop('name').replace('.', '·')}"
        found |= _flat(place, plain)
        if hashed := scorers.get(rubric.name):
            found[f"{place}.version"] = short(hashed)
    return found | (_flat("dataset.shares", suite.dataset.shares) if suite.dataset.shares else {})


def terms_hash(suite: Suite, scorers: Mapping[str, str]) -> str:
    """The identity of all that decides."""
    return digest("policy", terms(suite, scorers))


def changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[Change]:
    """What differs between two sets of terms, by key; a rubric that came or went is one change.

    A scorer's version is named only where its name and settings stayed.
    """
    rubrics = sorted({key.split(".")[1] for key in (*old, *new) if key.startswith("rubrics.")})
    rest = [{k: v for k, v in side.items() if not k.startswith("rubrics.")} for side in (old, new)]
    return _differing(*rest) + [change for name in rubrics for change in _rubric(f"rubrics.{name}", old, new)]


def _rubric(place: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> list[Change]:
    sides = [{k: v for k, v in side.items() if k.startswith(f"{place}.")} for side in (old, new)]
    if not all(sides):
        return [Change(place, *("there" if side else "not there" for side in sides))]
    found = _differing(*sides)
    if any(change.key.startswith((f"{place}.with", f"{place}.scorer")) for change in found):
        return [change for change in found if change.key != f"{place}.version"]
    return found


def _differing(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[Change]:
    pairs = [(key, *(_said(side.get(key, _default(key))) for side in (old, new))) for key in sorted({*old, *new})]
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def _default(key: str) -> Json:
    """What a key that was left out stands for."""
    if key.startswith("policy."):
        return _flat("policy", Policy().model_dump()).get(key)
    if key.startswith("rubrics."):
        blank = RubricSpec(name="any", scorer="any").model_dump(by_alias=True)
        return blank.get(key.split(".", 2)[2])
    return None


def _flat(place: str, value: Any) -> dict[str, Json]:
    """Objects by dotted keys, empty ones by none; what is no object stands for itself."""
    if not isinstance(value, Mapping):
        return {place: value}
    held = cast("Mapping[str, Any]", value)
    return {key: inner for name in held for key, inner in _flat(f"{place}.{name}", held[name]).items()}


def _said(value: Json) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
