"""Tool calls against the JSON Schemas of the tools offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from seatrial.core.case import Case, ExpectedCall, Tool
from seatrial.core.identity import canonical, loads
from seatrial.core.message import ToolCall
from seatrial.core.record import Json, as_dict, as_list
from seatrial.scorers.base import is_deep, shown
from seatrial.scorers.structured.schema import validator, violations

MAX_TRIED = 1000
_DIALECT = {"dict": "object", "float": "number", "tuple": "array", "list": "array", "str": "string", "int": "integer"}


def standard(schema: Json) -> Json:
    """A schema in the dialect of BFCL and Python (`dict`, `float`, `tuple`, `any`) as JSON Schema."""
    items = as_list(schema)
    if items is not None:
        return [standard(item) for item in items]
    entries = as_dict(schema)
    if entries is None:
        return schema
    plain = {key: standard(value) for key, value in entries.items()}
    kind = plain.get("type")
    if kind == "any":
        del plain["type"]
    elif isinstance(kind, str):
        plain["type"] = _DIALECT.get(kind, kind)
    if not isinstance(plain.get("required", []), list):
        del plain["required"]
    return plain


@lru_cache(maxsize=1024)
def _validator(parameters: str) -> Any:
    """A closed validator of a tool's parameters, or None where its schema is none."""
    schema = as_dict(standard(loads(parameters)))
    if schema is None:
        return None
    closed = {"type": "object", **schema}
    if "properties" in closed:
        closed.setdefault("additionalProperties", False)
    try:
        return validator(closed)
    except ValueError:
        return None


def schema_faults(call: ToolCall, tools: Sequence[Tool], limit: int = 5) -> list[str]:
    """Why a call is no valid call of the tools offered; empty when it is, or when none are listed.

    An argument that the tool's `properties` do not name is a fault, unless the schema allows it in so many words. A
    tool whose parameters are no usable JSON Schema is checked by name only.
    """
    if not tools:
        return []
    tool = next((tool for tool in tools if tool.name == call.name), None)
    if tool is None:
        return [f"{shown(call.name, 60)} is none of the tools offered"]
    if as_dict(call.arguments) is None:
        return ["its arguments are no JSON object"]
    if is_deep(call.arguments, 200):
        return ["its arguments are nested too deep"]
    check = _validator(canonical(tool.parameters)) if tool.parameters else None
    if check is None:
        return []
    return [
        f"argument {path}: {message}" if path else message for path, message in violations(check, call.arguments, limit)
    ]


def contradictions(case: Case) -> list[str]:
    """Where the case accepts calls that its own tools' schemas refuse: a fault of the data, not of any model.

    Each accepted value of each argument is tried, and each optional argument is left out.
    """
    alternatives = () if case.expected is None else case.expected.tool_calls or ()
    found: dict[str, None] = {}
    for alternative in alternatives:
        for goal in alternative:
            for arguments in _accepted(goal):
                call = ToolCall(name=goal.name, arguments=arguments)
                found.update(dict.fromkeys(f"{goal.name}: {fault}" for fault in schema_faults(call, case.tools)))
    return list(found)


def _accepted(goal: ExpectedCall) -> list[Mapping[str, Json]]:
    """Calls that together show every accepted value once, and every optional argument absent once."""
    first = {name: values[0] for name, values in goal.arguments.items() if values}
    required = {name: value for name, value in first.items() if name not in goal.optional}
    tried: list[Mapping[str, Json]] = [first, required]
    for name, values in goal.arguments.items():
        tried += [{**first, name: value} for value in values[1:MAX_TRIED]]
        tried += [{k: v for k, v in first.items() if k != name}] if name in goal.optional else []
    return tried
