"""What holds of all that people said: one person's word, what two agree on, or the last word on what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from seatrial.core.identity import canonical
from seatrial.core.record import Json
from seatrial.datasets.labelling.journal import Entry
from seatrial.datasets.labelling.units import Mode, Section, Task, Unit, draw

State = Literal["single", "agreed", "adjudicated", "disputed"]


@dataclass(frozen=True, slots=True)
class Final:
    """What holds of one unit. `entry` is the newest line behind it, None while disputed; `said` all that count."""

    unit: str
    state: State
    entry: Entry | None
    said: tuple[Entry, ...]

    @property
    def who(self) -> str:
        """The people behind it."""
        if self.state == "adjudicated" and self.entry is not None:
            return self.entry.by
        return ", ".join(sorted({entry.by for entry in self.said}))


def standing(entries: Iterable[Entry]) -> dict[tuple[str, str, str], Entry]:
    """The line that counts by (unit, person, role): the last one, where it was not taken back."""
    found: dict[tuple[str, str, str], Entry] = {}
    for entry in entries:
        key = (entry.unit, entry.by, entry.role)
        found.pop(key, None)
        if entry.value is not None:
            found[key] = entry
    return found


def meaning(mode: Mode, value: Mapping[str, Json] | None) -> str:
    """What a value comes to, for telling whether two people agree: reasons and strata may differ."""
    held: Mapping[str, Any] = value or {}
    if mode == "verdict":
        return str(held.get("verdict", ""))
    if mode == "curate":
        return str(held.get("decision", ""))
    return canonical({key: item for key, item in held.items() if key != "strata"})


def finals(entries: Iterable[Entry]) -> dict[str, Final]:
    """What holds of each unit, by its key, in the order in which they were first judged."""
    said: dict[str, list[Entry]] = {}
    decided: dict[str, Entry] = {}
    for entry in standing(entries).values():
        if not entry.says:
            continue
        if entry.role == "adjudication":
            before = decided.get(entry.unit)
            decided[entry.unit] = entry if before is None or entry.at >= before.at else before
        else:
            said.setdefault(entry.unit, []).append(entry)
    keys = dict.fromkeys([*said, *decided])
    return {key: _final(key, said.get(key, []), decided.get(key)) for key in keys}


def _final(unit: str, said: Sequence[Entry], decided: Entry | None) -> Final:
    if decided is not None:
        return Final(unit, "adjudicated", decided, tuple(said))
    newest = max(said, key=lambda entry: entry.at)
    if len({meaning(entry.mode, entry.value) for entry in said}) > 1:
        return Final(unit, "disputed", None, tuple(said))
    return Final(unit, "agreed" if len(said) > 1 else "single", newest, tuple(said))


def disputes(task: Task, entries: Iterable[Entry], seed: int = 0) -> Task:
    """The units that people differ on, settled ones too, so that a last word can be taken back.

    What each of them said stands with the case, in an order drawn by the seed; who said it does not.
    """
    found = finals(entries)
    units: list[Unit] = []
    for unit in task.units:
        final = found.get(unit.key)
        if final is None or len({meaning(task.mode, entry.value) for entry in final.said}) < 2:
            continue
        shuffled = sorted(final.said, key=lambda entry: draw(seed, "said", unit.key, entry.by))
        told = tuple(Section(f"One person, {i} of {len(shuffled)}", told_of(e)) for i, e in enumerate(shuffled, 1))
        units.append(replace(unit, read=_with(unit, told)))
    return replace(task, units=tuple(units))


def _with(unit: Unit, told: tuple[Section, ...]) -> Any:
    return lambda: [*unit.read(), *told]


def told_of(entry: Entry) -> str:
    """What a person said, in words, without the person."""
    value: Mapping[str, Any] = entry.value or {}
    words = [str(value[key]) for key in ("verdict", "decision", "reason") if key in value]
    words += [f"behaviour: {value['behaviour']}"] if "behaviour" in value else []
    words += [item if isinstance(item, str) else canonical(item) for item in value.get("answers", [])]
    words += [f"calls: {canonical(value['tool_calls'])}"] if "tool_calls" in value else []
    words += [" ".join(f"{k}={v}" for k, v in value.get("strata", {}).items())] if value.get("strata") else []
    words += [f"note: {entry.note}"] if entry.note else []
    return "\n".join(words)
