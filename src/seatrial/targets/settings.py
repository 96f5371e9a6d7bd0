"""What adapters check of a target's settings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from seatrial.core.record import MAX_DEPTH, as_dict, as_list
from seatrial.core.suite import TargetSpec
from seatrial.errors import Problem, TargetConfigError, nearest
from seatrial.targets import BUILTIN

ABOUT = ("released", "cutoff")
"""Settings that say something of the target, for verdicts: no adapter needs to read them."""


def check_fields(name: str, kind: str, spec: TargetSpec, adapter: Any) -> None:
    """Raise TargetConfigError when the suite sets fields that the adapter would ignore."""
    reads: frozenset[str] | None = getattr(adapter, "reads", None)
    if reads is None:
        return
    unread = [key for key in spec.plain() if key not in reads and key not in ("use", *ABOUT)]
    fail(name, [problem(name, key, f"a {kind} target does not read it; {_owners(key)}") for key in unread])


def check_numbers(name: str, spec: TargetSpec) -> None:
    """Raise TargetConfigError for numbers that are not finite: JSON has none, and null is another value."""
    places = [(f"{key}.{inner}", value) for key in ("params", "options") for inner, value in getattr(spec, key).items()]
    odd = [(place, value) for place, value in places if not _finite(value)]
    rule, hint = "holds a number that is not finite, which JSON cannot say", "give a finite one, or leave it out"
    fail(name, [problem(name, place, rule, repr(value), hint) for place, value in odd])


def _finite(value: Any) -> bool:
    """Whether every number in a value is finite; what is nested too deep to be sent is not looked at."""
    level = [value]
    for _ in range(MAX_DEPTH):
        if any(isinstance(item, float) and not math.isfinite(item) for item in level):
            return False
        inner = (as_list(item) or list((as_dict(item) or {}).values()) for item in level)
        level = [item for items in inner for item in items]
    return True


def _owners(key: str) -> str:
    owners: list[str] = []
    for kind, where in BUILTIN.items():
        module, _, attribute = where.partition(":")
        if key in getattr(import_module(module), attribute).reads:
            owners.append(kind)
    if not owners:
        return "it belongs to plug-in adapters"
    *first, last = owners
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"it belongs to {listed} targets"


def problem(name: str, key: str, rule: str, value: str | None = None, hint: str = "") -> Problem:
    """One fault of a target's entry in the suite."""
    return Problem(rule, key=f"targets.{name}.{key}", value=value, hint=hint)


def unknown_keys(name: str, key: str, given: Iterable[str], known: Iterable[str]) -> list[Problem]:
    """A problem for each given key that is not known, with the nearest that is."""
    allowed = sorted(known)
    found: list[Problem] = []
    for word in given:
        if word not in allowed:
            near = nearest(word, allowed)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(allowed)}"
            found.append(problem(name, f"{key}.{word}", "there is no such key", hint=hint))
    return found


def fail(name: str, problems: list[Problem], hint: str = "") -> None:
    """Raise TargetConfigError when there are problems."""
    if problems:
        raise failure(name, problems, hint)


def failure(name: str, problems: list[Problem], hint: str = "") -> TargetConfigError:
    """The error that names all of a target's problems."""
    return TargetConfigError(f"Target {name!r} cannot be used as it is written.", hint=hint, problems=problems)
