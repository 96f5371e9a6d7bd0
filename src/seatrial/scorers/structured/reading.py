"""Where the JSON stands in an answer: the whole of it, its only code block, or the only value within prose."""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple

from seatrial.core.record import Json
from seatrial.scorers.base import no_constant, parse_json, shown, tried_json
from seatrial.scorers.structured.schema import unfenced

Where = Literal["whole", "fenced", "embedded"]
Kind = Literal["object", "array", "any"]

MAX_CANDIDATES = 50
_FENCED = re.compile(r"```[A-Za-z0-9]*[ \t]*\r?\n(.*?)\r?\n[ \t]*```", re.DOTALL)
_DECODER = json.JSONDecoder(parse_constant=no_constant)
_TYPES: dict[Kind, tuple[type, ...]] = {"object": (dict,), "array": (list,), "any": (object,)}
_NAMES: dict[Kind, str] = {"object": "object", "array": "array", "any": "value"}
_BRACKETS: dict[Kind, str] = {"object": "{", "array": "[", "any": "{["}
_STARTS = {kind: re.compile("[" + re.escape(brackets) + "]") for kind, brackets in _BRACKETS.items()}


class ReadJson(NamedTuple):
    """A JSON value that was read from an answer; `why` says why there is none, and is empty where there is one."""

    value: Json
    why: str = ""


_NOTHING = {kind: ReadJson(None, f"the answer holds no JSON {name}") for kind, name in _NAMES.items()}


def read_json(text: str, where: Where = "embedded", kind: Kind = "any") -> ReadJson:
    """The JSON value of an answer, of the kind that is wanted. Two of them within prose are ambiguous: none."""
    value, fault = tried_json(unfenced(text) if where != "whole" else text)
    if fault:
        if where != "embedded":
            return ReadJson(None, f"the answer is no JSON: {shown(fault, 100)}")
        return _only(text, kind)
    if isinstance(value, _TYPES[kind]):
        return ReadJson(value)
    return ReadJson(None, f"the answer is JSON, but a {type(value).__name__}, no {_NAMES[kind]}")


def _only(text: str, kind: Kind) -> ReadJson:
    name, brackets = _NAMES[kind], _BRACKETS[kind]
    if brackets[0] not in text and brackets[-1] not in text and "```" not in text:
        return _NOTHING[kind]
    found = _in_fences(text, kind) or _in_prose(text, kind)
    if len(found) == 1:
        return ReadJson(found[0])
    return ReadJson(None, f"the answer holds {len(found)} JSON {name}s") if found else _NOTHING[kind]


def fenced_blocks(text: str) -> list[str]:
    """What stands inside the Markdown code blocks, at most 50 of them."""
    blocks = [match.group(1) for match in _FENCED.finditer(text)] if "```" in text else []
    return blocks[:MAX_CANDIDATES]


def _in_fences(text: str, kind: Kind) -> list[Json]:
    found: list[Json] = []
    for block in fenced_blocks(text):
        try:
            value = parse_json(block)
        except ValueError:
            continue
        found += [value] if isinstance(value, _TYPES[kind]) else []
    return found


def _in_prose(text: str, kind: Kind) -> list[Json]:
    """The outermost objects or arrays within prose, tried from at most 50 brackets."""
    starts = _STARTS[kind]
    found: list[Json] = []
    match = starts.search(text)
    for _ in range(MAX_CANDIDATES):
        if match is None:
            break
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            match = starts.search(text, match.start() + 1)
            continue
        found.append(value)
        match = starts.search(text, end)
    return found
