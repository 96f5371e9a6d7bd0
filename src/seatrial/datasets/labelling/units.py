"""What a person is asked: one unit is one question about one case or one answer; who is asked which, in which order."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from seatrial.core.case import Tool
from seatrial.core.record import Json

T = TypeVar("T")
Mode = Literal["curate", "outcome", "verdict"]


class Section(NamedTuple):
    """A titled text that a person reads."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Unit:
    """One question.

    `key` tells it apart and names no model; `group` is the case: what is sampled, doubled and shown together.
    `version`: which input or rubric was judged. `outputs`: the answers, by hash, that a verdict holds for. `start`: the
    reference that accepting the model's answer gives. `tools`: those that a reference's calls may name.
    """

    key: str
    case: str
    group: str
    question: str
    read: Callable[[], Sequence[Section]]
    heading: str = ""
    rubric: str = ""
    version: str = ""
    outputs: tuple[str, ...] = ()
    start: Mapping[str, Json] | None = None
    before: Mapping[str, Json] = field(default_factory=dict[str, Any])
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """All units of one mode over one set, pool or trial, and the folder that keeps what people say of them."""

    mode: Mode
    units: tuple[Unit, ...]
    folder: Path
    name: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """How work is shared: `double` of the cases (0 to 1) are seen by two people.

    Where `team` names everybody, each case belongs to one of them (two where it is doubled), whatever the others do;
    else to whoever comes first.
    """

    seed: int = 0
    double: float = 0.0
    team: tuple[str, ...] = ()

    def needed(self, group: str) -> int:
        """How many people see a case."""
        return 2 if draw(self.seed, "double", group) < self.double else 1

    def is_mine(self, group: str, by: str, seen_by: Iterable[str]) -> bool:
        """Whether a person is to see a case that these others have judged."""
        if self.team:
            ranked = sorted(self.team, key=lambda name: draw(self.seed, "team", group, name))
            return by in ranked[: self.needed(group)]
        return len(set(seen_by) - {by}) < self.needed(group)


def draw(seed: int, *words: str) -> float:
    """A number in [0, 1) that a seed and some words fix: no state, the same on any machine."""
    text = "\x1f".join((str(seed), *words)).encode("utf-8", "surrogatepass")
    return int.from_bytes(sha256(text).digest()[:7], "big") / 2**56


def sampled(items: Iterable[T], count: int | None, seed: int, name: Callable[[T], str]) -> list[T]:
    """`count` of the items, drawn by a seed whatever their order; all where it is None. Reads a stream once."""
    if count is None:
        return list(items)
    return heapq.nsmallest(count, items, key=lambda item: draw(seed, "sample", name(item)))


def ordered(units: Sequence[Unit], seed: int, by: str) -> tuple[Unit, ...]:
    """The units in one person's random order: cases shuffled, the answers to one case together and shuffled."""

    def place(unit: Unit) -> tuple[float, str, float, str]:
        answer = unit.heading
        return draw(seed, by, "case", unit.group), unit.group, draw(seed, by, "answer", unit.group, answer), answer

    found = sorted(units, key=place)  # stable: rubrics stay in the suite's order
    shown: list[Unit] = []
    for _, several in groupby(found, key=lambda unit: unit.group):
        held = list(several)
        letters = {heading: _letter(i) for i, heading in enumerate(dict.fromkeys(unit.heading for unit in held))}
        many = len(letters) > 1
        shown += [replace(u, heading=f"answer {letters[u.heading]} of {len(letters)}" if many else "") for u in held]
    return tuple(shown)


def _letter(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else str(index + 1)


def queue(units: Sequence[Unit], sharing: Sharing, by: str, judged: Mapping[str, Iterable[str]]) -> tuple[Unit, ...]:
    """The units that a person is to judge, in that person's order. `judged`: by unit key, who has said something."""
    seen: dict[str, Counter[str]] = {}
    held = Counter(unit.group for unit in units)
    for unit in units:
        seen.setdefault(unit.group, Counter()).update(judged.get(unit.key, ()))
    whole = {group: [who for who, n in count.items() if n >= held[group]] for group, count in seen.items()}
    mine = {group for group in held if sharing.is_mine(group, by, whole[group])}
    kept = [unit for unit in units if unit.group in mine or by in judged.get(unit.key, ())]
    return ordered(kept, sharing.seed, by)
