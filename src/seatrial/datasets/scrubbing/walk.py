"""Every text of a record, also in keys, numbers and JSON inside texts: visited, and put back with structure intact."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from operator import is_
from typing import Any, cast

from seatrial.core.identity import loads
from seatrial.core.record import as_list

MAX_DEPTH = 100
SMALLEST = 100_000
"""Whole numbers below it say nothing of a person by themselves."""

Visit = Callable[[str, str, str], str]
"""Called with a text, the key it stands under (empty for none) and its path; gives what takes its place."""

Place = tuple[str, str]
"""A text and the key it stands under."""

_Path = tuple["_Path", str | int] | None
"""A way into a value, its last step first: only the paths of what is found are ever written out."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*|[\[\]{}]', re.DOTALL)


class RefusedError(Exception):
    """A record that cannot be scrubbed surely. `reason` is a short code; no word of the record is in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def rewritten(value: Any, visit: Visit, key: str = "", path: str = "", depth: int = 0) -> Any:
    """A value with every text in it visited; the same object where nothing changed.

    Raises RefusedError for what is nested deeper than 100 levels, for keys that become equal, and for values that are
    no JSON.
    """
    if isinstance(value, str):
        return _text(value, visit, key, path, depth)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -SMALLEST < value < SMALLEST else _number(value, visit, key, path)
    if depth >= MAX_DEPTH:
        raise RefusedError("nested_too_deep")
    if isinstance(value, dict):
        return _object(cast("dict[Any, Any]", value), visit, path, depth)
    items = as_list(value)
    if items is not None:
        new = [rewritten(item, visit, key, f"{path}[{at}]", depth + 1) for at, item in enumerate(items)]
        return value if all(a is b for a, b in zip(new, items, strict=True)) else new
    raise RefusedError("unknown_type")


def replaced(value: Any, wanted: Collection[Place], visit: Visit) -> Any:
    """A value with the texts `wanted` of it visited; the same object where nothing changed.

    It is `rewritten` for a value whose `texts` are known: what is not wanted is passed over, JSON inside texts apart,
    whose texts are all visited. Raises RefusedError as `rewritten` does.
    """
    return _Replacing(wanted, visit).value(value, "", None, 0)


class _Replacing:
    """One walk of `replaced`. No closures: functions that call each other are garbage that only a collector frees."""

    __slots__ = ("_names", "_texts", "_visit", "_wanted")

    def __init__(self, wanted: Collection[Place], visit: Visit) -> None:
        self._wanted, self._visit = wanted, visit
        self._texts = {text for text, _ in wanted}
        self._names = {text for text, key in wanted if not key and len(text) > 2}

    def _is_wanted(self, text: str, key: str) -> bool:
        return (text, key) in self._wanted or (not text[:1].isalnum() and maybe_json(text))

    def value(self, value: Any, key: str, path: _Path, depth: int) -> Any:
        if isinstance(value, dict):
            return self._object(cast("dict[str, Any]", value), path, depth)
        if isinstance(value, str):
            return _text(value, self._visit, key, _written(path), depth) if self._is_wanted(value, key) else value
        if isinstance(value, list | tuple):
            items = cast("list[Any]", value)
            new = [self.value(item, key, (path, at), depth + 1) for at, item in enumerate(items)]
            return items if all(map(is_, new, items)) else new
        return value if _says_nothing(value) else rewritten(value, self._visit, key, _written(path), depth)

    def _object(self, fields: dict[str, Any], path: _Path, depth: int) -> dict[str, Any]:
        if not self._names.isdisjoint(fields):
            return self._renamed(fields, path, depth)
        new = fields
        for key, item in fields.items():
            if isinstance(item, str) and item not in self._texts and item[:1].isalnum():
                continue
            made = self.value(item, key, (path, key), depth + 1)
            if made is not item:
                new = {**fields} if new is fields else new
                new[key] = made
        return new

    def _renamed(self, fields: dict[str, Any], path: _Path, depth: int) -> dict[str, Any]:
        new: dict[str, Any] = {}
        changed = False
        for key, item in fields.items():
            name = self._visit(key, "", f"{_written(path)}{{key}}") if key in self._names else key
            if name in new:
                raise RefusedError("keys_collide")
            new[name] = self.value(item, key, (path, name), depth + 1)
            changed = changed or new[name] is not item or name is not key
        return new if changed else fields


def _says_nothing(value: Any) -> bool:
    """Whether a value that is no text and holds none is too small to be personal."""
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and -SMALLEST < value < SMALLEST)


def _written(path: _Path) -> str:
    """A path as text: `input[0].content`."""
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    out = ""
    for step in reversed(steps):
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else step
    return out


def texts(value: Any) -> list[Place]:
    """Every text of a value with its key, as `rewritten` visits them. Raises RefusedError as that does."""
    found: list[Place] = []
    _gather(value, "", 0, found)
    return found


def _gather(value: Any, key: str, depth: int, found: list[Place]) -> None:
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for name, item in cast("dict[Any, Any]", value).items():
            if not isinstance(name, str):
                raise RefusedError("unknown_type")
            if len(name) > 2:
                found.append((name, ""))
            if isinstance(item, str) and (item[:1].isalnum() or not maybe_json(item)):
                found.append((item, name))
            else:
                _gather(item, name, depth + 1, found)
    elif isinstance(value, list | tuple) and depth < MAX_DEPTH:
        for item in cast("list[Any]", value):
            _gather(item, key, depth + 1, found)
    elif isinstance(value, str) and (value[:1].isalnum() or not maybe_json(value)):
        found.append((value, key))
    elif not _says_nothing(value):

        def visit(text: str, key: str, path: str) -> str:
            del path
            found.append((text, key))
            return text

        rewritten(value, visit, key, "", depth)


def maybe_json(text: str) -> bool:
    """Whether a text may be an object or array of JSON: cheap, by its first and last characters."""
    stripped = text.strip()
    return stripped[:1] in ("{", "[") and stripped[-1:] in ("}", "]") and len(stripped) > 2


def _object(value: dict[Any, Any], visit: Visit, path: str, depth: int) -> dict[Any, Any]:
    new: dict[Any, Any] = {}
    changed = False
    for key, item in value.items():
        if not isinstance(key, str):
            raise RefusedError("unknown_type")
        name = visit(key, "", f"{path}{{key}}") if len(key) > 2 else key
        if name in new:
            raise RefusedError("keys_collide")
        new[name] = rewritten(item, visit, key, f"{path}.{name}" if path else name, depth + 1)
        changed = changed or new[name] is not item or name is not key
    return new if changed else value


def _number(value: int, visit: Visit, key: str, path: str) -> int:
    """A number whose digits are personal: digits of the same count."""
    try:
        written = str(value)
    except ValueError:
        raise RefusedError("number_too_long") from None
    new = visit(written, key, path)
    if new == written:
        return value
    if not new.isdigit() or (new[0] == "0" and new != "0"):
        raise RefusedError("number_without_surrogate")
    return int(new)


def _text(text: str, visit: Visit, key: str, path: str, depth: int) -> str:
    if maybe_json(text):
        try:
            value = loads(text)
        except ValueError:
            return visit(text, key, path)
        if isinstance(value, dict | list):
            if depth >= MAX_DEPTH:
                raise RefusedError("nested_too_deep")
            return _json(text, visit, key, path, depth)
    return visit(text, key, path)


def _json(text: str, visit: Visit, key: str, path: str, depth: int) -> str:
    """JSON text with its strings, keys and numbers visited one by one; white space, order and spelling stay."""
    last = key
    open_keys: list[str] = []

    def token(match: re.Match[str]) -> str:
        nonlocal last
        whole = match[0]
        if whole in "[{":
            open_keys.append(last)
            if len(open_keys) > MAX_DEPTH:
                raise RefusedError("nested_too_deep")
        elif whole in "]}":
            last = open_keys.pop()
        elif whole[0] != '"':
            return _literal(whole, visit, last, path)
        elif match[1]:
            name = json.loads(whole[: -len(match[1])], strict=False)
            last = name
            new = visit(name, "", f"{path}{{key}}") if len(name) > 2 else name
            return whole if new == name else _quoted(new, whole) + match[1]
        else:
            said = json.loads(whole, strict=False)
            new = _text(said, visit, last, f"{path}.{last}" if last else path, depth + 1)
            return whole if new == said else _quoted(new, whole)
        return whole

    new = _TOKEN.sub(token, text)
    return text if new == text else new


def _literal(written: str, visit: Visit, key: str, path: str) -> str:
    if not written.lstrip("-").isdigit() or len(written) < len(str(SMALLEST)):
        return written
    new = visit(written, key, path)
    if new != written and (not new.isdigit() or new[0] == "0"):
        raise RefusedError("number_without_surrogate")
    return new


def _quoted(text: str, like: str) -> str:
    return json.dumps(text, ensure_ascii=like.isascii() or not text.isprintable())
