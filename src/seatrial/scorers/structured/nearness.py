"""How near two JSON values are, path by path: what is missing, what is additional, what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, cast

import orjson
from rapidfuzz import fuzz

from seatrial.core.record import Json, as_dict, as_list
from seatrial.scorers.answers.numeric import near, to_decimal
from seatrial.scorers.base import encodable, same
from seatrial.scorers.structured.pairing import Pair, in_any_order, in_sequence

MOST_COMPARISONS = 1_000_000
"""Beyond so many comparisons of leaves, the items of lists are taken as they stand."""

Note = Literal["missing", "extra", "changed"]
Path = tuple[str | int, ...]


class Rules(NamedTuple):
    """What counts as the same. `unordered` and `ignore` are JSON Pointers in parts, `*` standing for any one part."""

    abs: float = 0.0
    rel: float = 0.0
    ignore_case: bool = False
    graded: bool = False
    any_order: bool = False
    unordered: tuple[tuple[str, ...], ...] = ()
    ignore: tuple[tuple[str, ...], ...] = ()
    extra_keys: bool = True


class Change(NamedTuple):
    """A path that is not the same. `path` is the expected value's, or of what is extra the found one's."""

    path: Path
    note: Note
    expected: Json = None
    found: Json = None
    found_at: Path | None = None


class Near(NamedTuple):
    """How much agrees, of how much: leaves of either value, a pair of leaves counted once."""

    right: float
    total: int


def pointer(path: Path) -> str:
    """A path as a JSON Pointer (RFC 6901); the whole value is the empty text."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def parts_of(text: str) -> tuple[str, ...]:
    """A JSON Pointer in parts. Raises ValueError for what is none."""
    if not text:
        return ()
    if not text.startswith("/"):
        raise ValueError("must be a JSON Pointer, like /lines/0/id or /lines/*/id")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def is_at(path: Path, patterns: Sequence[tuple[str, ...]]) -> bool:
    """Whether one of the patterns is this path."""
    return any(
        len(pattern) == len(path) and all(p in ("*", str(part)) for p, part in zip(pattern, path, strict=True))
        for pattern in patterns
    )


def pruned(value: Json, patterns: Sequence[tuple[str, ...]], path: Path = ()) -> Json:
    """The value without what stands at the patterns; items of lists go, too."""
    if not patterns:
        return value
    entries, items = as_dict(value), as_list(value)
    if entries is not None:
        return {k: pruned(v, patterns, (*path, k)) for k, v in entries.items() if not is_at((*path, k), patterns)}
    if items is not None:
        return [pruned(v, patterns, (*path, i)) for i, v in enumerate(items) if not is_at((*path, i), patterns)]
    return value


class Comparison:
    """One comparison of two values under rules; remembers what it has compared, so that lists can be aligned."""

    def __init__(self, rules: Rules, leaf: Callable[[Json, Json], float] | None = None) -> None:
        self.rules = rules
        self.leaf = leaf or self._leaf
        self.left = MOST_COMPARISONS
        self._sizes: dict[int, int] = {}
        self._near: dict[tuple[int, int, Path], Near] = {}
        self._pairs: dict[tuple[int, int, Path], list[Pair]] = {}

    def near(self, found: Json, wanted: Json, path: Path = ()) -> Near:
        """How near two values are. They must stay alive, and unchanged, as long as this comparison."""
        key = self._key(found, wanted, path)
        container = isinstance(found, dict | list | tuple) and isinstance(wanted, dict | list | tuple)
        if container and key in self._near:
            return self._near[key]
        made = self._compared(found, wanted, path)
        if container:
            self._near[key] = made
        return made

    def _key(self, found: Json, wanted: Json, path: Path) -> tuple[int, int, Path]:
        return id(found), id(wanted), path if self.rules.unordered else ()

    def _compared(self, found: Json, wanted: Json, path: Path) -> Near:
        have, want = as_dict(found), as_dict(wanted)
        if have is not None and want is not None:
            return self._objects(have, want, path)
        items, goals = as_list(found), as_list(wanted)
        if items is not None and goals is not None:
            return self._lists(items, goals, self.pairs(found, wanted, path), path)
        self.left -= 1
        if have is None and want is None and items is None and goals is None:
            return Near(self.leaf(found, wanted), 1)
        return Near(0.0, max(self.size(found), self.size(wanted)))

    def _objects(self, have: dict[str, Json], want: dict[str, Json], path: Path) -> Near:
        if not have and not want:
            return Near(1.0, 1)
        right, total = 0.0, 0
        for key, value in want.items():
            if key in have:
                one = self.near(have[key], value, (*path, key))
                right, total = right + one.right, total + one.total
            else:
                total += self.size(value)
        if self.rules.extra_keys or not want:
            total += sum(self.size(value) for key, value in have.items() if key not in want)
        return Near(right, total)

    def _lists(self, items: list[Json], goals: list[Json], pairs: Sequence[Pair], path: Path) -> Near:
        if not items and not goals:
            return Near(1.0, 1)
        right, total = 0.0, 0
        for at, goal in pairs:
            one = self.near(items[at], goals[goal], (*path, goal))
            right, total = right + one.right, total + one.total
        paired, met = {pair.first for pair in pairs}, {pair.second for pair in pairs}
        total += sum(self.size(item) for at, item in enumerate(items) if at not in paired)
        return Near(right, total + sum(self.size(goal) for at, goal in enumerate(goals) if at not in met))

    def pairs(self, found: Json, wanted: Json, path: Path) -> list[Pair]:
        """Which item of a found list stands for which expected one."""
        key = self._key(found, wanted, path)
        if key not in self._pairs:
            self._pairs[key] = self._paired(list(found), list(wanted), path)
        return self._pairs[key]

    def _paired(self, items: list[Json], goals: list[Json], path: Path) -> list[Pair]:
        any_order = self.rules.any_order or is_at(path, self.rules.unordered)
        equal = _equal_items(items, goals) if any_order else _equal_ends(items, goals)
        taken, met = {pair.first for pair in equal}, {pair.second for pair in equal}
        firsts = [at for at in range(len(items)) if at not in taken]
        seconds = [at for at in range(len(goals)) if at not in met]

        def gain(first: int, second: int) -> float:
            item, goal = items[first], goals[second]
            one = self.near(item, goal, (*path, second))
            saved = self.size(item) + self.size(goal) - one.total
            return one.right + saved * 1e-6  # of equally good pairs, those that leave fewer paths over

        if self.left <= 0:
            rest = [Pair(*both) for both in zip(firsts, seconds, strict=False)]
        else:
            rest = (in_any_order if any_order else in_sequence)(firsts, seconds, gain)
        return sorted((*equal, *rest), key=lambda pair: pair.second)

    def size(self, value: Json) -> int:
        """The leaves of a value; an empty object or list is one."""
        if not isinstance(value, dict | list | tuple):
            return 1
        key = id(cast("object", value))
        if key not in self._sizes:
            entries = as_dict(value)
            inner = list(entries.values()) if entries is not None else as_list(value) or []
            self._sizes[key] = sum(self.size(item) for item in inner) or 1
        return self._sizes[key]

    def _leaf(self, found: Json, wanted: Json) -> float:
        rules = self.rules
        if isinstance(found, str) and isinstance(wanted, str):
            a, b = (found.casefold(), wanted.casefold()) if rules.ignore_case else (found, wanted)
            if a == b or not rules.graded:
                return float(a == b)
            return min(fuzz.ratio(encodable(a), encodable(b)) / 100, 1 - 1e-9)
        if same(found, wanted):
            return 1.0
        one, other = to_decimal(found), to_decimal(wanted)
        if one is None or other is None:
            return 0.0
        if near(one, other, rules.abs, rules.rel):
            return 1.0
        return float(1 - abs(one - other) / (abs(one) + abs(other))) if rules.graded else 0.0

    def changes(self, found: Json, wanted: Json, path: Path = (), found_at: Path = ()) -> list[Change]:
        """Every path at which the values differ, in the order of the expected value."""
        have, want = as_dict(found), as_dict(wanted)
        made: list[Change] = []
        if have is not None and want is not None:
            for key, value in want.items():
                if key in have:
                    made += self.changes(have[key], value, (*path, key), (*found_at, key))
                else:
                    made.append(Change((*path, key), "missing", expected=value))
            if self.rules.extra_keys:
                more = (key for key in have if key not in want)
                made += [Change((*found_at, key), "extra", found=have[key]) for key in more]
            return made
        items, goals = as_list(found), as_list(wanted)
        if items is not None and goals is not None:
            return self._changed_items(items, goals, self.pairs(found, wanted, path), path, found_at)
        good = self.near(found, wanted, path).right
        return [] if good == 1 else [Change(path, "changed", wanted, found, None if path == found_at else found_at)]

    def _changed_items(
        self, items: list[Json], goals: list[Json], pairs: Sequence[Pair], path: Path, found_at: Path
    ) -> list[Change]:
        at = {pair.second: pair.first for pair in pairs}
        made: list[Change] = []
        for place, goal in enumerate(goals):
            if place in at:
                made += self.changes(items[at[place]], goal, (*path, place), (*found_at, at[place]))
            else:
                made.append(Change((*path, place), "missing", expected=goal))
        taken = set(at.values())
        extra = (place for place in range(len(items)) if place not in taken)
        return [*made, *(Change((*found_at, place), "extra", found=items[place]) for place in extra)]


def _key(value: Json) -> bytes | str:
    """What equal values share; values that differ only as 5 and 5.0 do have different keys."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):
        return repr(value)


def _equal_ends(items: Sequence[Json], goals: Sequence[Json]) -> list[Pair]:
    """The pairs at both ends of two lists that are equal as they stand."""
    first, second = [_key(item) for item in items], [_key(goal) for goal in goals]
    shorter, head = min(len(first), len(second)), 0
    while head < shorter and first[head] == second[head]:
        head += 1
    tail = 0
    while tail < shorter - head and first[-1 - tail] == second[-1 - tail]:
        tail += 1
    ends = [Pair(len(first) - at, len(second) - at) for at in range(1, tail + 1)]
    return [*(Pair(at, at) for at in range(head)), *ends]


def _equal_items(items: Sequence[Json], goals: Sequence[Json]) -> list[Pair]:
    """A pair for every expected item that is there as it is, wherever it stands."""
    places: dict[bytes | str, list[int]] = {}
    for at in range(len(items) - 1, -1, -1):
        places.setdefault(_key(items[at]), []).append(at)
    return [Pair(places[key].pop(), at) for at, goal in enumerate(goals) if places.get(key := _key(goal))]


def kinds(changes: Sequence[Change]) -> str:
    """The changes counted by kind, in words."""
    counted = Counter(change.note for change in changes)
    return ", ".join(f"{number} {note}" for note, number in counted.items())
