"""The parameters that production sends: the most common value of each, from a sample of its requests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.core.identity import canonical, loads
from seatrial.core.plugins import find
from seatrial.core.record import Json, as_dict
from seatrial.core.suite import Suite
from seatrial.errors import Problem, UsageError, safe
from seatrial.targets import BUILTIN
from seatrial.targets.catalogue import adapter_of
from seatrial.targets.params import common_name

SAMPLED = (
    *("temperature", "top_p", "top_k", "min_p", "max_tokens", "stop", "presence_penalty", "frequency_penalty"),
    *("repetition_penalty", "response_format", "reasoning_effort", "verbosity", "logprobs", "top_logprobs"),
    *("logit_bias", "parallel_tool_calls", "tool_choice"),
)
"""What is taken, by the common names. A seed, a user or metadata belong to one request and are not."""

HOLDERS = ("request", "params", "invocation_parameters", "body")
"""Where a row holds its request or its parameters, as an object or as JSON text; else the row itself is the request."""

A_REQUEST = frozenset({"messages", "model", "input", "contents", "prompt"})
MOST_PROBLEMS = 100
HINT = f"write one request a line: an OpenAI-style body, or an object that holds it under {', '.join(HOLDERS)}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A parameter's most common value, and how many of the requests had it."""

    name: str
    value: Json
    requests: int


@dataclass(frozen=True, slots=True)
class ServingDefaults:
    """What a sample of requests says: `taken` from how many, and `left`, what most of them do not set."""

    file: str
    requests: int
    taken: tuple[Taken, ...]
    left: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What was taken, with its share, a line each."""
        found = [
            f"{t.name} {safe(canonical(t.value))} ({t.requests / self.requests:.0%}, n {t.requests:,})"
            for t in self.taken
        ]
        return [*found, *(f"{name} not set (most requests do not)" for name in self.left)]


def read(path: Path) -> ServingDefaults:
    """The most common value of each parameter in a JSONL sample of production requests.

    Where more requests leave a parameter unset than give it any one value, it is left unset. Raises UsageError that
    lists every line that holds no request.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in SAMPLED}
    problems: list[Problem] = []
    requests = 0
    for number, line in _lines(path):
        found = _params(line)
        if isinstance(found, str):
            if len(problems) < MOST_PROBLEMS:
                problems.append(Problem(found, file=safe(path.name), line=number))
            continue
        requests += 1
        for name, value in found.items():
            counts[name][canonical(value)] += 1
    if problems:
        raise UsageError(f"The sample of requests {safe(str(path), 300)} cannot be used.", hint=HINT, problems=problems)
    if not requests:
        raise UsageError(f"The sample of requests {safe(str(path), 300)} holds no request.", hint=HINT)
    taken, left = _most_common(counts, requests)
    return ServingDefaults(path.name, requests, taken, left)


def _lines(path: Path) -> Iterable[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if text.strip():
                    yield number, text
    except (OSError, ValueError) as cause:
        reason = (cause.strerror if isinstance(cause, OSError) else "") or "it is no file's name"
        raise UsageError(f"The file {safe(str(path), 300)} cannot be read: {reason}.", hint="check the path") from None


def _params(line: bytes) -> dict[str, Json] | str:
    """The parameters of one row by their common names, or what is wrong with it."""
    try:
        row = as_dict(loads(line))
    except ValueError:
        return "is not JSON"
    if row is None:
        return "is no object"
    holder = next((key for key in HOLDERS if key in row), None)
    held = row if holder is None else _held(row[holder])
    if held is None:
        return f"{holder} holds no object"
    config = as_dict(held.get("generationConfig")) or {}
    given = {common_name(key): value for key, value in {**config, **held}.items() if value is not None}
    if holder is None and not given.keys() & (A_REQUEST | set(SAMPLED)):
        return "holds no request"
    return {name: _plain(name, given[name]) for name in SAMPLED if name in given}


def _held(value: Json) -> dict[str, Any] | None:
    if isinstance(value, str):  # as tracing writes it
        try:
            value = loads(value)
        except ValueError:
            return None
    return as_dict(value)


def _plain(name: str, value: Json) -> Json:
    """One spelling a value: 1.0 is 1, and one stop text is a list."""
    if name == "stop" and isinstance(value, str):
        return [value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _most_common(counts: Mapping[str, Counter[str]], requests: int) -> tuple[tuple[Taken, ...], tuple[str, ...]]:
    taken: list[Taken] = []
    left: list[str] = []
    for name, values in counts.items():
        if not values:
            continue
        text, most = min(values.items(), key=lambda item: (-item[1], item[0]))
        if most < requests - values.total():
            left.append(name)
        else:
            taken.append(Taken(name, json.loads(text), most))
    return tuple(taken), tuple(left)


def apply(suite: Suite, defaults: ServingDefaults) -> Suite:
    """The suite with these parameters for every target that does not set them itself.

    Targets without parameters, like recorded outputs, stay as they are.
    """
    targets = dict(suite.targets)
    for name, spec in suite.targets.items():
        reads = getattr(find("target", adapter_of(spec), BUILTIN), "reads", None)
        if reads is None or "params" in reads:
            given = {common_name(key) for key in spec.params}
            added = {t.name: t.value for t in defaults.taken if t.name not in given}
            targets[name] = spec.model_copy(update={"params": {**added, **spec.params}})
    return suite.model_copy(update={"targets": targets})


def about(suite: Suite, defaults: ServingDefaults) -> Mapping[str, Json]:
    """What is kept with the trial: what was taken, and where the suite (with or without it) says otherwise."""
    kept: dict[str, list[str]] = {}
    for name, spec in suite.targets.items():
        given = {common_name(key): value for key, value in spec.params.items()}
        own = [t.name for t in defaults.taken if t.name in given and _plain(t.name, given[t.name]) != t.value]
        if own:
            kept[name] = [f"{key} {safe(canonical(given[key]))}" for key in own]
    return {"file": defaults.file, "requests": defaults.requests, "taken": defaults.lines(), "kept": kept}
