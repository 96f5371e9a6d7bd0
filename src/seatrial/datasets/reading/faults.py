"""Validation errors of records as plain sentences: where, which rule, which value, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from seatrial.errors import nearest, safe

Steps = tuple[str | int, ...]

RULES = {
    "missing": "is required",
    "extra_forbidden": "is not a key that belongs here",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "too_short": "must not be empty",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "model_type": "must be an object of keys and values",
    "model_attributes_type": "must be an object of keys and values",
    "dict_type": "must be an object of keys and values",
    "mapping_type": "must be an object of keys and values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "union_tag_not_found": "needs a type: text, image, audio or file",
    "union_tag_invalid": "must have one of the types {expected_tags}",
    "string_unicode": "holds half of a surrogate pair where a name is wanted",
}
PATTERNS = {
    r"^[A-Za-z0-9]": "must be a name of letters, digits, `_`, `.`, `@` and `-` that starts with a letter or digit",
}
OBJECT = frozenset({"model_type", "model_attributes_type", "dict_type", "mapping_type"})


class Fault(NamedTuple):
    """One broken rule at a place inside a value; `path` is empty for the value itself."""

    path: Steps
    rule: str
    value: str | None = None
    hint: str = ""


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it: `rubrics[2].margin_points`, `targets["gpt-4.1"].use`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[^\s.\[\]\"]+", part):
            text += f".{safe(part)}" if text else safe(part)
        else:
            text += f'["{safe(part)}"]'
    return text


def shown(value: Any) -> str:
    """A value in a few words: text and numbers as they are, lists and objects by their size and keys."""
    if isinstance(value, str):
        return value[:200] if value else "empty text"
    if isinstance(value, Mapping):
        keys = list(cast("Mapping[str, Any]", value))
        return f"an object with {', '.join(map(str, keys[:6]))}" if keys else "an empty object"
    if isinstance(value, Sequence):
        return f"a list of {len(cast('Sequence[Any]', value))}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return repr(value)


def belongs(key: str, known: Sequence[str], synonyms: Mapping[str, str] | None = None) -> str:
    """What to do about a key nobody knows: the nearest valid one, or all of them."""
    fitting = {word: meant for word, meant in (synonyms or {}).items() if meant in known}
    near = nearest(key[:256], [*known, *fitting])
    near = fitting.get(near or "", near)
    return f"did you mean {near!r}?" if near else f"the keys here are {', '.join(known)}"


def keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that a model allows at a path inside it; none where keys are free."""
    places: list[Any] = [model]
    for part in path:
        places = [inner for place in places for inner in _inside(place, part)]
    return [key for place in places for key in _fields(place)]


def _inside(place: Any, part: str | int) -> list[Any]:
    if isinstance(place, type) and issubclass(place, BaseModel):
        fields = place.model_fields.items()
        return [kind for name, f in fields if part in (name, f.alias) for kind in _kinds(f.annotation)]
    args = get_args(place)
    if not args:
        return []
    return _kinds(args[0] if isinstance(part, int) else args[-1])


def _kinds(annotation: Any) -> list[Any]:
    """The kinds of value an annotation allows, with unions and annotations opened."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [kind for arg in get_args(annotation) for kind in _kinds(arg)]
    return [annotation]


def _fields(place: Any) -> list[str]:
    if not (isinstance(place, type) and issubclass(place, BaseModel)):
        return []
    return [field.alias or name for name, field in place.model_fields.items()]


def translate(
    error: ValidationError, model: type[BaseModel], raw: Any, synonyms: Mapping[str, str] | None = None
) -> list[Fault]:
    """Every broken rule, at its place in what the user wrote (`raw`), in plain words.

    The alternatives of a union become one fault; where one of them got further into the value than the others, only
    its faults are told.
    """
    found: dict[tuple[Steps, str], tuple[ErrorDetails, Any]] = {}
    for item in error.errors(include_url=False):
        path, value = _place(item["loc"], raw, item["type"])
        rule = "key" if item["loc"][-1:] == ("[key]",) else item["type"]
        found.setdefault((path, rule), (item, value))
    faults: dict[Steps, Fault] = {}
    for (path, _), (item, value) in found.items():
        deeper = any(other[: len(path)] == path and len(other) > len(path) for other, _ in found)
        if deeper and item["type"] not in ("missing", "extra_forbidden") and _is_branch(item, value):
            continue
        if item["type"] == "too_short" and value not in ([], (), {}):
            continue
        fault = _fault(item, path, value, model, synonyms)
        faults[path] = _joined(faults[path], fault) if path in faults else fault
    return list(faults.values())


def _place(loc: Sequence[str | int], raw: Any, kind: str) -> tuple[Steps, Any]:
    """Where an error is in what the user wrote: without the names of union branches."""
    path: list[str | int] = []
    node = raw
    for index, part in enumerate(loc):
        if isinstance(node, dict) and part in node:
            node = cast("dict[Any, Any]", node)[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(cast("list[Any]", node)):
            node = cast("list[Any]", node)[part]
        elif not (index == len(loc) - 1 and kind == "missing"):
            continue
        path.append(part)
    return tuple(path), cast("Any", node)


def _is_branch(item: ErrorDetails, value: Any) -> bool:
    """An error that only says which other shape would have done."""
    return isinstance(value, list | dict) and item["type"] in {*OBJECT, "value_error", "tuple_type", "literal_error"}


def _joined(first: Fault, second: Fault) -> Fault:
    if first.rule == second.rule or not second.rule.startswith("must be "):
        return first
    return first._replace(rule=f"{first.rule} or {second.rule.removeprefix('must be ')}")


def _fault(
    item: ErrorDetails, path: Steps, value: Any, model: type[BaseModel], synonyms: Mapping[str, str] | None
) -> Fault:
    kind = item["type"]
    if item["loc"][-1:] == ("[key]",):
        return Fault(path, _rule(item), shown(path[-1]) if path else None)
    if kind == "missing":
        return Fault(path, RULES[kind])
    if kind == "extra_forbidden":
        return Fault(path, RULES[kind], None, belongs(str(path[-1]), keys_at(model, path[:-1]), synonyms))
    hint = ""
    if kind == "literal_error" and isinstance(value, str):
        near = nearest(value, re.findall(r"'([^']+)'", item.get("ctx", {}).get("expected", "")))
        hint = f"did you mean {near!r}?" if near else ""
    told = None if kind == "value_error" and isinstance(value, list | dict) else shown(value)
    return Fault(path, _rule(item), told, hint)


def _rule(item: ErrorDetails) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error") or item["msg"].removeprefix("Value error, "))
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern"))
        near = next((words for start, words in PATTERNS.items() if pattern.startswith(start)), None)
        return near or f"must match {pattern}"
    if kind in RULES:
        return RULES[kind].format(**context)
    return item["msg"].replace("Input should be", "must be")
