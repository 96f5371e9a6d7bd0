"""Single values as logs write them: times, token counts, identities."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from seatrial.core.record import as_dict, as_list
from seatrial.traces.conventions import count
from seatrial.traces.observation import MalformedError, Raw
from seatrial.traces.otlp import LATEST

SESSIONS = ("session_id", "sessionId", "conversation_id", "conversationId", "thread_id", "threadId", "chat_id")
_SESSIONS = frozenset(SESSIONS)
USAGE: dict[str, tuple[str, ...]] = {
    "input": ("prompt_tokens", "input_tokens", "promptTokens", "inputTokens", "input"),
    "output": ("completion_tokens", "output_tokens", "completionTokens", "outputTokens", "output"),
    "cached": ("prompt_cached_tokens", "cache_read_input_tokens", "input_cached_tokens", "cached_tokens"),
    "cache_write": ("prompt_cache_creation_tokens", "cache_creation_input_tokens"),
    "reasoning": ("completion_reasoning_tokens", "output_reasoning_tokens", "reasoning_tokens"),
}
DETAILS = {
    "cached": (
        ("prompt_tokens_details", "input_tokens_details", "input_token_details"),
        ("cached_tokens", "cache_read"),
    ),
    "reasoning": (
        ("completion_tokens_details", "output_tokens_details", "output_token_details"),
        ("reasoning_tokens", "reasoning"),
    ),
}
_CLASSES = {
    **{key: name for name, names in USAGE.items() for key in names},
    **{key: name for name, (groups, _) in DETAILS.items() for key in groups},
}
"""The class of tokens that a key counts, or whose details it holds."""
_NUMBER = re.compile(r"[0-9]{9,20}(\.[0-9]{1,9})?")


def moment(value: Any, where: str) -> int | None:
    """Nanoseconds since 1970 out of an ISO 8601 text or a number of seconds, milli-, micro- or nanoseconds.

    A time without a zone is read as UTC. Raises MalformedError for what is no time between 1970 and 2100.
    """
    if value is None or value == "":
        return None
    number: float | int | None = None
    if isinstance(value, str):
        if not (value[:9].isdigit() and _NUMBER.fullmatch(value)):
            return _written(value, where)
        number = float(value) if "." in value else int(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    if number is None or not math.isfinite(number) or number <= 0:
        raise MalformedError("must be a time", where, repr(value)[:80], "like 2026-03-01T12:00:00Z")
    scale = next((scale for limit, scale in ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3)) if number < limit), 1)
    if number * scale < LATEST:
        return number * scale if isinstance(number, int) else round(number * scale)
    raise MalformedError("must be a time before the year 2100", where, repr(value)[:80])


def _written(value: str, where: str) -> int:
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        raise MalformedError("must be a time", where, value[:80], "like 2026-03-01T12:00:00Z") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        seconds = found.timestamp()
    except (OverflowError, ValueError):
        seconds = -1.0
    if not 0 <= seconds < LATEST / 1e9:
        raise MalformedError("must be a time between 1970 and 2100", where, value[:80])
    return int(seconds) * 10**9 + found.microsecond * 1000


def iso(nanoseconds: int | None) -> str | None:
    """A moment as ISO 8601 in UTC, to the millisecond."""
    if nanoseconds is None:
        return None
    seconds, rest = divmod(nanoseconds, 10**9)
    minutes, second = divmod(seconds, 60)
    text = f"{_minute(minutes)}:{second:02d}"
    return f"{text}.{rest // 10**6:03d}Z" if rest >= 10**6 else f"{text}Z"


@lru_cache(maxsize=1024)
def _minute(minutes: int) -> str:
    """The date and the time so many minutes after the first of 1970; requests of one time share it."""
    return datetime.fromtimestamp(minutes * 60, UTC).isoformat()[:16]


def usage(*places: Any) -> Raw:
    """Token counts by class out of the first place that has each."""
    found: Raw = {}
    for place in places:
        held = as_dict(place)
        if not held:
            continue
        told = {_CLASSES[key] for key in held if key in _CLASSES}
        for name, names in USAGE.items():
            value = _counted(held, name, names) if name in told else None
            if value is None or isinstance(value, (dict, list)):
                continue
            number = count(value, f"usage.{name}")
            if number is not None:
                found.setdefault(name, number)
    return found


def _counted(held: Raw, name: str, names: tuple[str, ...]) -> Any:
    """What is written for a class of tokens, by itself or inside the details of another."""
    key = present(held, names)
    if key is not None or name not in DETAILS:
        return held[key] if key is not None else None
    groups, keys = DETAILS[name]
    inner = next(filter(None, map(as_dict, map(held.get, groups))), None)
    key = present(inner, keys) if inner else None
    return inner[key] if inner and key is not None else None


def present(held: Raw, names: tuple[str, ...]) -> str | None:
    """The first of these keys that holds anything."""
    for name in names:
        if held.get(name) is not None:
            return name
    return None


def money(value: Any) -> float | None:
    """A cost in US dollars, None where it is not given or makes no sense."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    return None


def name(value: Any, where: str = "id") -> str:
    """An identity: text, or a whole number as text; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= 1000:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
        return str(value)
    raise MalformedError("must be a short text or a number", where, repr(value)[:80])


def session(*places: Any) -> str:
    """The session that the first of these objects names."""
    for place in places:
        held = as_dict(place)
        if not held or _SESSIONS.isdisjoint(held):
            continue
        for key in SESSIONS:
            if held.get(key) not in (None, ""):
                return name(held[key], key)
    return ""


def need(value: Any, where: str) -> Raw:
    """An object. Raises MalformedError for anything else."""
    held = as_dict(value)
    if held is None:
        raise MalformedError("must be an object", where, repr(value)[:80])
    return held


def items(value: Any, where: str) -> list[Any]:
    """A list. Raises MalformedError for anything else."""
    held = as_list(value)
    if held is None:
        raise MalformedError("must be a list", where, repr(value)[:80])
    return held
