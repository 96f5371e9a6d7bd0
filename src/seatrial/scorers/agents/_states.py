"""Two states held against what must, must not and may change: JSON Pointers, a typed diff, and a verdict a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from seatrial.core.record import Json, as_dict, as_list
from seatrial.scorers.base import clip, same

MAX_CHANGES = 10_000
RULES = ("must", "must_not", "may", "before", "one_of")
Path = tuple[str, ...]
Equal = Callable[[Json, Json], bool]


class _Absent:
    """What stands where a pointer leads nowhere; it equals no JSON value."""


ABSENT: Any = _Absent()


@lru_cache(maxsize=4096)
def parts(pointer: str) -> Path:
    """The keys of a JSON Pointer (RFC 6901), `*` standing for any one key. Raises ValueError where it is none."""
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"{pointer[:60]!r} is no JSON Pointer: it must begin with /")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def pointer(path: Sequence[str]) -> str:
    """The JSON Pointer of keys."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def at(value: Json, path: Path) -> Json:
    """What stands at a path, ABSENT where nothing does. A number is a place in a list, as it is written there."""
    for part in path:
        value = _child(value, part)
        if value is ABSENT:
            return ABSENT
    return value


def _child(value: Json, part: str) -> Json:
    entries = as_dict(value)
    if entries is not None:
        return entries.get(part, ABSENT)
    items = as_list(value)
    if items is None or not part.isascii() or not part.isdigit() or (len(part) > 1 and part[0] == "0"):
        return ABSENT
    return items[int(part)] if len(part) < 10 and int(part) < len(items) else ABSENT


def places(value: Json, path: Path) -> list[Path]:
    """The places that a path with `*` stands for in a value; the path itself where it has none."""
    if "*" not in path:
        return [path]
    found: list[tuple[Path, Json]] = [((), value)]
    for part in path:
        found = [
            ((*place, key), child)
            for place, here in found
            for key, child in (_members(here) if part == "*" else [(part, _child(here, part))])
            if child is not ABSENT
        ]
    return [place for place, _ in found]


def _members(value: Json) -> list[tuple[str, Json]]:
    entries, items = as_dict(value), as_list(value)
    if entries is not None:
        return list(entries.items())
    return [] if items is None else [(str(index), item) for index, item in enumerate(items)]


class Change(NamedTuple):
    """A place where two states differ."""

    path: Path
    before: Json
    after: Json

    @property
    def said(self) -> str:
        """What happened there."""
        return "was added" if self.before is ABSENT else "was removed" if self.after is ABSENT else "was changed"


def changes(before: Json, after: Json, equal: Equal | None = None) -> Iterator[Change]:
    """Where two states differ, at the deepest place that both have. Lists are compared place by place."""
    compare = equal or same
    waiting: list[tuple[Path, Json, Json]] = [((), before, after)]
    while waiting:
        path, old, new = waiting.pop()
        entries, fresh = as_dict(old), as_dict(new)
        if entries is not None and fresh is not None:
            keys = [*entries, *(key for key in fresh if key not in entries)]
            waiting += [((*path, key), entries.get(key, ABSENT), fresh.get(key, ABSENT)) for key in reversed(keys)]
            continue
        items, given = as_list(old), as_list(new)
        if items is not None and given is not None:
            both = [*enumerate(zip_longest(items, given, fillvalue=ABSENT))]
            waiting += [((*path, str(index)), one, other) for index, (one, other) in reversed(both)]
        elif old is ABSENT or new is ABSENT or not compare(new, old):
            yield Change(path, old, new)


def covers(pattern: Path, path: Path) -> bool:
    """Whether a pattern names a place or something above it."""
    return len(pattern) <= len(path) and all(a in ("*", b) for a, b in zip(pattern, path, strict=False))


class Rules(NamedTuple):
    """What is expected of a state.

    `must`: places with the value that they must have afterwards. `kept`: places that must not change. `never`: places
    with a value that they must not have. `may`: places that may change as they like.
    """

    must: tuple[tuple[Path, Json], ...] = ()
    kept: tuple[Path, ...] = ()
    never: tuple[tuple[Path, Json], ...] = ()
    may: tuple[Path, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is demanded."""
        return not (self.must or self.kept or self.never)


def read_rules(stated: Mapping[str, Json]) -> tuple[tuple[Rules, ...], Json]:
    """The accepted ends (one is enough), and the state before, ABSENT where it is not stated.

    Raises ValueError for rules of another shape.
    """
    if not stated or not set(stated) <= set(RULES):
        return (Rules(must=tuple(_plain(stated))),), ABSENT
    ends = as_list(stated.get("one_of"))
    if ends is None:
        return (_rules(stated),), stated.get("before", ABSENT)
    shared = {key: value for key, value in stated.items() if key not in ("one_of", "before")}
    found: list[Rules] = []
    for end in ends:
        entries = as_dict(end)
        if entries is None:
            raise ValueError("one_of lists accepted states, each an object")
        own = _rules(entries) if entries and set(entries) <= set(RULES) else Rules(must=tuple(_plain(entries)))
        common = _rules(shared)
        found.append(
            Rules(common.must + own.must, common.kept + own.kept, common.never + own.never, common.may + own.may)
        )
    if not found:
        raise ValueError("one_of lists no accepted state")
    return tuple(found), stated.get("before", ABSENT)


def _plain(stated: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
    """Plain expectations: a key that begins with / is a pointer; objects are gone into, so that more keys may stand."""
    for key, value in stated.items():
        yield from _leaves(parts(key) if key.startswith("/") else (key,), value)


def _leaves(path: Path, value: Json) -> Iterator[tuple[Path, Json]]:
    waiting = [(path, value)]
    while waiting:
        here, found = waiting.pop(0)
        entries = as_dict(found)
        if entries:
            waiting = [((*here, key), child) for key, child in entries.items()] + waiting
        else:
            yield here, found


def _rules(stated: Mapping[str, Json]) -> Rules:
    must = as_dict(stated.get("must", {}))
    if must is None:
        raise ValueError("must maps JSON Pointers to values")
    banned = stated.get("must_not", [])
    values = as_dict(banned)
    never = tuple((parts(key), value) for key, value in values.items()) if values is not None else ()
    kept = () if values is not None else _pointers(banned, "must_not")
    return Rules(tuple(_plain(must)), kept, never, _pointers(stated.get("may", []), "may"))


def _pointers(listed: Json, name: str) -> tuple[Path, ...]:
    items = [listed] if isinstance(listed, str) else as_list(listed)
    if items is None or not all(isinstance(item, str) for item in items):
        raise ValueError(f"{name} lists JSON Pointers")
    return tuple(parts(item) for item in items)


class Verdict(NamedTuple):
    """How a state did. `broken` holds what is wrong as (pointer, sentence, expected, found)."""

    met: int
    demanded: int
    extra: int
    broken: tuple[tuple[str, str, Json, Json], ...]

    @property
    def value(self) -> float:
        """The share of all that was demanded, and of all changes beyond it, that is right."""
        total = self.demanded + self.extra
        return self.met / total if total else 1.0


def hold(rules: Rules, before: Json, after: Json, equal: Equal | None = None, *, strict: bool = True) -> Verdict:
    """Hold a state against rules. `strict`: changes that no rule names are wrong; not looked for without a `before`."""
    compare = equal or same
    broken: list[tuple[str, str, Json, Json]] = []
    demanded = 0
    for path, wanted in rules.must:
        found_at = places(after, path)
        demanded += max(1, len(found_at))
        if not found_at:
            broken.append((pointer(path), "is absent", clip(wanted), None))
        for place in found_at:
            found = at(after, place)
            if found is ABSENT or not compare(found, wanted):
                said = "is absent" if found is ABSENT else "has another value"
                broken.append((pointer(place), said, clip(wanted), _shown(found)))
    for path, banned in rules.never:
        demanded += 1
        held = [p for p in places(after, path) if (v := at(after, p)) is not ABSENT and compare(v, banned)]
        broken += [(pointer(p), "has a value that it must not have", None, clip(banned)) for p in held[:1]]
    differences = [] if before is ABSENT else _some(changes(before, after, equal))
    for path in rules.kept:
        demanded += 1
        moved = [change for change in differences if covers(path, change.path) or covers(change.path, path)]
        broken += [(pointer(c.path), f"{c.said}, and must not", _shown(c.before), _shown(c.after)) for c in moved[:1]]
    met = demanded - len(broken)
    extra = [c for c in differences if strict and not _allowed(c, rules)]
    broken += [
        (pointer(c.path), f"{c.said}, which was not asked for", _shown(c.before), _shown(c.after)) for c in extra
    ]
    return Verdict(met, demanded, len(extra), tuple(broken))


def _some(found: Iterator[Change]) -> list[Change]:
    return list(islice(found, MAX_CHANGES))


def _allowed(change: Change, rules: Rules) -> bool:
    """Whether a change is one that a rule names, or the making of something that holds no more than rules name."""
    named = [*(path for path, _ in rules.must), *rules.may, *rules.kept]
    if any(covers(path, change.path) for path in named):
        return True
    if change.after is ABSENT:
        return False
    inner = [(*change.path, *path) for path in leaf_paths(change.after)]
    return bool(inner) and all(any(covers(path, leaf) for path in named) for leaf in inner)


def leaf_paths(value: Json) -> list[Path]:
    """The paths of all values that hold nothing further; empty objects and lists are such."""
    found: list[Path] = []
    waiting: list[tuple[Path, Json]] = [((), value)]
    while waiting:
        path, here = waiting.pop()
        inner = _members(here)
        if inner:
            waiting += [((*path, key), child) for key, child in inner]
        else:
            found.append(path)
    return found


def _shown(value: Json) -> Json:
    return None if value is ABSENT else clip(value)
