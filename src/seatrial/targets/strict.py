"""Reading JSON that strangers wrote: each reader gives a value of the right type or raises Fault, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from seatrial.core.identity import loads
from seatrial.core.message import ToolCall
from seatrial.core.output import FIRST_ALTERNATIVES
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.retry import Fault, classify

T = TypeVar("T")

MOST_TOKENS = 1 << 64
DEEPEST = 64

STATUS_OF = {
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "requests": 429,
    "RESOURCE_EXHAUSTED": 429,
    "overloaded_error": 529,
}
"""The HTTP status that an error has when it comes inside a good answer; 500 where it is not known."""


def parsed(raw: bytes, what: str) -> dict[str, Any]:
    """The JSON object in the bytes."""
    try:
        found: Any = loads(raw)
    except ValueError as cause:
        raise Fault("malformed", f"{what} is not JSON: {cause}") from None
    return an_object(found, what)


def whole(raw: bytes, read: Callable[[dict[str, Any]], T]) -> T:
    """What `read` makes of a body."""
    found = parsed(raw, "the body")
    refuse_error(found, raw)
    return read(found)


def refuse_error(answer: dict[str, Any], raw: bytes) -> None:
    """Raise the Fault that an answer with an `error` means: some providers answer 200 and put it into the body."""
    error = answer.get("error")
    if not error:
        return
    fields = as_dict(error) or {}
    code = fields.get("code")
    words = (fields.get(key) for key in ("type", "code", "status"))
    known = next((STATUS_OF[word] for word in words if isinstance(word, str) and word in STATUS_OF), 500)
    raise classify(code if isinstance(code, int) and 400 <= code < 600 else known, {}, raw)


def an_object(value: Any, where: str) -> dict[str, Any]:
    """The value, which must be an object."""
    found = as_dict(value)
    if found is None:
        raise Fault("malformed", f"{where} is not an object")
    return found


def an_array(value: Any, where: str) -> list[Any]:
    """The value, which must be an array; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Fault("malformed", f"{where} is not an array")
    return as_list(value) or []


def a_text(value: Any, where: str) -> str:
    """The value, which must be text; null is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Fault("malformed", f"{where} is not text")
    return value


def a_count(value: Any, where: str) -> int | None:
    """The value, which must be a count of tokens or the like; null is unknown."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_TOKENS:
        raise Fault("malformed", f"{where} is not a count")
    return value


def total(*counts: int | None) -> int | None:
    """The sum of the counts that are known, None when none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def a_tool_call(name: Any, arguments: Any, identity: Any, where: str) -> ToolCall:
    """A tool call. Arguments may be an object or text, which is parsed where it holds an object."""
    read = arguments if as_dict(arguments) is not None else a_text(arguments, f"{where}.arguments")
    if not isinstance(name, str) or not name:
        raise Fault("malformed", f"{where} has no name")
    return ToolCall(name=name, arguments=_arguments(read), id=a_text(identity, f"{where}.id"))


def _arguments(read: Json) -> Json:
    """The parsed object, or the text as it came where it is none or is nested too deep to be kept."""
    found: Any = read
    if isinstance(read, str):
        try:
            found = loads(read)
        except ValueError:
            return read
    if as_dict(found) is not None and not is_deep(found):
        return found
    if not isinstance(read, str):
        raise Fault("malformed", f"a tool call's arguments are nested deeper than {DEEPEST} levels")
    return read


def is_deep(value: Any, levels: int = DEEPEST) -> bool:
    """Whether a JSON value is nested deeper than so many levels."""
    layer: list[Any] = [value]
    for _ in range(levels):
        layer = [child for item in layer for child in _children(item)]
        if not layer:
            return False
    return True


def _children(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list((as_dict(item) or {}).values())
    return as_list(item) or []


MOST_ALTERNATIVES = 50
"""Of the tokens that could have stood first, as many are kept."""


def first_alternatives(tokens: Sequence[Any] | None) -> dict[str, Json]:
    """The likeliest first tokens of an answer in OpenAI's form, for its metadata; empty where they are not given."""
    if not tokens:
        return {}
    first = as_dict(tokens[0]) or {}
    rows = [row for row in map(as_dict, as_list(first.get("top_logprobs")) or []) if row is not None]
    said = [(row.get("token"), log_probabilities([row])) for row in rows[:MOST_ALTERNATIVES]]
    found: dict[str, Json] = {token: p[0] for token, p in said if isinstance(token, str) and p}
    return {FIRST_ALTERNATIVES: found} if found else {}


def log_probabilities(tokens: Sequence[Any] | None, key: str = "logprob") -> tuple[float, ...] | None:
    """The log probability of each token, or None where they are not all finite numbers under `key`."""
    if tokens is None:
        return None
    found = [(as_dict(token) or {}).get(key) for token in tokens]
    numbers = [p for p in found if isinstance(p, int | float) and not isinstance(p, bool)]
    finite = [float(p) for p in numbers if -1e300 < p < 1e300 and math.isfinite(p)]
    return tuple(finite) if len(finite) == len(found) else None
