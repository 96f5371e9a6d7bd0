"""What a function of the user's gave, as a score."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any, cast

from seatrial.core.identity import encode
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.score import Evidence, Score
from seatrial.errors import safe
from seatrial.scorers.base import clip, shown

DEFAULT_THRESHOLD = 0.5
RESULT_KEYS = ("score", "passed", "reason", "details")
MAX_DETAILS = 10_000


def as_score(result: object, threshold: float = DEFAULT_THRESHOLD) -> Score:
    """What a function gave, as a Score. Raises TypeError or ValueError for what is none."""
    if isinstance(result, Score):
        return result
    if isinstance(result, bool):
        return Score.binary(result)
    number = _number(result)
    if number is not None:
        return _graded(number, None, threshold, "", None)
    parts = as_dict(result)
    if parts is None:
        parts = {key: getattr(result, key) for key in RESULT_KEYS if hasattr(result, key)}
        if not parts.keys() & {"score", "passed"}:
            parts = _from_tuple(result)
    unknown = [key for key in parts if key not in RESULT_KEYS]
    if unknown or not parts.keys() & {"score", "passed"}:
        raise ValueError(f"the function returned the keys {shown(list(parts))}; known are {', '.join(RESULT_KEYS)}")
    return _from_parts(parts, threshold)


def _from_tuple(result: object) -> dict[str, Any]:
    """A tuple of a score (or verdict) and, in any order, at most one verdict, one reason and one dict of details."""
    kind = type(result).__name__
    items = None if isinstance(result, list) else as_list(result)
    if not items:
        raise TypeError(
            f"the function returned {kind}; give a bool, a number in [0, 1], a dict, a tuple of a "
            "score and a reason, or a Score"
        )
    first, *rest = items
    parts: dict[str, Any] = {"passed" if isinstance(first, bool | _numpy_bool()) else "score": first}
    for item in rest:
        key = "passed" if isinstance(item, bool | _numpy_bool()) else "reason" if isinstance(item, str) else "details"
        if key in parts or (key == "details" and as_dict(item) is None):
            raise TypeError(f"the function returned a tuple: what is {shown(item)}?")
        parts[key] = item
    return parts


def _from_parts(parts: Mapping[str, Any], threshold: float) -> Score:
    passed = parts.get("passed")
    if passed is not None and not isinstance(passed, bool | _numpy_bool()):
        raise TypeError(f"passed must be true or false, not {shown(passed)}")
    raw = parts.get("score")
    number = float(raw) if isinstance(raw, bool) else _number(raw)
    if raw is not None and number is None:
        raise TypeError(f"score must be a number, not {shown(raw)}")
    if number is None and passed is None:
        raise ValueError("the function returned neither a score nor a verdict")
    reason = parts.get("reason")
    text = "" if reason is None else safe(reason, 1000)
    return _graded(number, None if passed is None else bool(passed), threshold, text, parts.get("details"))


def _numpy_bool() -> type:
    numpy = sys.modules.get("numpy")
    return bool if numpy is None else cast("type", numpy.bool_)


def _number(value: object) -> float | None:
    """A float from an int, a float, or what turns into one (numpy's scalars); None for all else."""
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        return None
    try:
        return float(cast("Any", value))
    except (TypeError, ValueError, OverflowError):
        return None


def _graded(value: float | None, passed: bool | None, threshold: float, reason: str, details: object) -> Score:
    if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
        raise ValueError(f"the function returned the score {value}, outside [0, 1]")
    evidence = () if not details else (Evidence(where="details", found=_kept(details)),)
    if value is None:
        return Score.binary(bool(passed), reason, evidence=evidence)
    good = value >= threshold if passed is None else passed
    return Score(value=value, passed=good, reason=reason, evidence=evidence)


def _kept(details: object) -> Json:
    try:
        return details if len(encode(details)) <= MAX_DETAILS else clip(details, MAX_DETAILS)
    except (TypeError, ValueError, RecursionError):
        return shown(details, MAX_DETAILS)
