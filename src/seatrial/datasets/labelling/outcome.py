"""References as people write them: text, JSON, tool calls, a behaviour; each part checked before it counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast, get_args

from pydantic import ValidationError

from seatrial.core.case import Behaviour, Case, Expected, Tool
from seatrial.core.identity import loads
from seatrial.core.message import ToolCall
from seatrial.core.record import Json, as_dict, as_list, too_deep
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.errors import nearest, safe

Check = Callable[[Json], Sequence[str]]
"""What is wrong with a JSON reference, in words; nothing where it is right."""
KNOWN = get_args(Behaviour)
SHOWN = 3


def NO_SCHEMA(_: Json) -> Sequence[str]:  # noqa: N802  # a constant that happens to be a function
    """Take any JSON."""
    return ()


def schema_check(schema: Mapping[str, Json] | bool) -> Check:
    """Check against a JSON Schema, without opening a file or a socket. Raises ValueError where the schema is none."""
    from seatrial.scorers.structured.schema import validator, violations

    held = validator(schema)

    def check(value: Json) -> Sequence[str]:
        return [f"{path}: {message}" if path else message for path, message in violations(held, value, SHOWN)]

    return check


def accepted(text: str, calls: Sequence[ToolCall] = ()) -> dict[str, Json]:
    """The reference that a model's own answer gives."""
    value: dict[str, Json] = {"answers": [text]} if text or not calls else {}
    if calls:
        value["tool_calls"] = [[_call(call) for call in calls]]
    return value


def _call(call: ToolCall) -> dict[str, Json]:
    arguments = as_dict(call.arguments) or {}
    held = {name: [value] for name, value in arguments.items()}
    return {"name": call.name, **({"arguments": held} if held else {})}


def text_of(kind: str, value: Mapping[str, Json]) -> str:
    """What an editor opens with, for one part of a reference."""
    if kind == "calls":
        calls = as_list(value.get("tool_calls")) or [[]]
        return json.dumps(calls[0], ensure_ascii=False, indent=2)
    answers = as_list(value.get("answers")) or []
    first = answers[0] if answers else ""
    if kind == "text":
        return first if isinstance(first, str) else json.dumps(first, ensure_ascii=False, indent=2)
    if isinstance(first, str):
        try:
            first = loads(first)
        except ValueError:
            return first
    return json.dumps(first, ensure_ascii=False, indent=2)


def with_part(
    held: Mapping[str, Json], kind: str, text: str, tools: Sequence[Tool] = (), check: Check = NO_SCHEMA
) -> dict[str, Json]:
    """A reference with one part set: `text`, `json`, `calls` or `behaviour`; an empty text takes the part away.

    Raises ValueError, in words for the person who wrote it.
    """
    key = {"text": "answers", "json": "answers", "calls": "tool_calls"}.get(kind, kind)
    rest = {name: item for name, item in held.items() if name not in (key, "skip")}
    if not text.strip():
        return rest
    if kind == "text":
        return {**rest, key: [text]}
    if kind == "behaviour":
        return {**rest, key: _behaviour(text.strip())}
    value = _json(text)
    if kind == "json":
        faults = check(value)
        if faults:
            raise ValueError(f"does not fit the schema: {'; '.join(faults)}")
        return {**rest, key: [value]}
    made = {**rest, key: [value if as_list(value) is not None else [value]]}
    if faults := problems(made, tools):
        raise ValueError("; ".join(faults[:SHOWN]))
    return made


def _behaviour(text: str) -> str:
    if text not in KNOWN:
        near = nearest(text, KNOWN)
        known = f"did you mean {near}?" if near else f"it may be {', '.join(KNOWN)}"
        raise ValueError(f"{safe(text, 40)} is no behaviour: {known}")
    return text


def _json(text: str) -> Json:
    try:
        value = loads(text.encode("utf-8", "surrogatepass") if text.isascii() else text)
    except ValueError:
        raise ValueError("is not JSON") from None
    if too_deep(value):
        raise ValueError("is nested too deep")
    return value


def problems(value: Mapping[str, Json], tools: Sequence[Tool] = ()) -> list[str]:
    """What is wrong with a whole reference: its shape, calls of tools that the case does not offer, their arguments."""
    plain = dict(value)
    try:
        expected = Expected.model_validate(plain)
    except ValidationError as cause:
        return [f"{dotted(f.path)}: {f.rule}" if f.path else f.rule for f in translate(cause, Expected, plain)]
    offered = {tool.name: tool for tool in tools}
    found: list[str] = []
    for sequence in expected.tool_calls or ():
        for call in sequence:
            if offered and call.name not in offered:
                near = nearest(call.name, offered)
                found.append(f"{safe(call.name, 60)} is no tool of this case{f': {near}?' if near else ''}")
            elif call.name in offered:
                found += _arguments(call.name, call.arguments, call.optional, offered[call.name])
    return found


def _arguments(name: str, given: Mapping[str, Sequence[Json]], optional: Sequence[str], tool: Tool) -> list[str]:
    """Arguments against the tool's schema: unknown, missing, and accepted values of the wrong kind."""
    shape = as_dict(tool.parameters) or {}
    known = as_dict(shape.get("properties"))
    if known is None:
        return []
    found = [f"{name}: {safe(key, 60)} is no argument of it" for key in given if key not in known]
    needed = [str(key) for key in as_list(shape.get("required")) or []]
    found += [f"{name}: {safe(key, 60)} is missing" for key in needed if key not in given and key not in optional]
    for key, values in given.items():
        part = known.get(key)
        if isinstance(part, dict | bool):
            found += _values(f"{name}.{safe(key, 60)}", cast("dict[str, Any] | bool", part), values)
    return found


def _values(where: str, schema: Mapping[str, Json] | bool, values: Sequence[Json]) -> list[str]:
    try:
        check = schema_check(schema)
    except ValueError:
        return []  # a tool's schema that is none binds nobody
    return [f"{where}: {fault}" for value in values for fault in check(value)]


def applied(case: Case, value: Mapping[str, Json]) -> Case:
    """The case with this reference; the parts that people do not write here (choices, state, tests) stay."""
    before = case.expected.plain() if case.expected is not None else {}
    written = ("answers", "tool_calls", "behaviour")
    kept = {name: item for name, item in before.items() if name not in written}
    made = Expected.model_validate({**kept, **dict(value)})
    return Case.model_validate({**case.plain(), "expected": made.plain()})


def written(expected: Expected | None) -> dict[str, Json]:
    """The parts of a case's reference that people write here."""
    plain = expected.plain() if expected is not None else {}
    return {name: plain[name] for name in ("answers", "tool_calls", "behaviour") if name in plain}
