"""Any endpoint's JSON answer in our words, by dotted paths. Pure, and every answer is hostile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from seatrial.core.case import Document, Step
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Usage
from seatrial.core.record import Json, Record, as_dict, as_list
from seatrial.errors import Problem
from seatrial.targets.outcomes import Answer
from seatrial.targets.recording import MISSING, at, describe
from seatrial.targets.retry import Fault
from seatrial.targets.settings import problem, unknown_keys
from seatrial.targets.strict import a_count, a_text, a_tool_call, is_deep

R = TypeVar("R", bound=Record)

COUNTS = ("usage.input", "usage.cached", "usage.output", "usage.reasoning")
PLAIN = ("text", "finish_reason", "model", "fingerprint", "refusal", "cost", *COUNTS)
LISTS: Mapping[str, tuple[str, ...]] = {
    "tool_calls": ("name", "arguments", "id"),
    "context": ("text", "id", "source", "score", "metadata"),
    "steps": ("kind", "name", "input", "output", "error", "seconds"),
}
NAMES = (*PLAIN, *LISTS)


@dataclass(frozen=True, slots=True)
class Rows:
    """A list in the answer: where it is, and where each field is in one of its items; empty: under its own name."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


class Mapped:
    """A response mapping. `problems` says what is wrong with it."""

    def __init__(self, target: str, written: Json) -> None:
        """Check a mapping: names of an output, each with a dotted path, or for lists `{at: path, field: path …}`."""
        self._target = target
        self.problems: list[Problem] = []
        self._plain: dict[str, str] = {}
        self._lists: dict[str, Rows] = {}
        given = as_dict(written)
        if given is None:
            self._fault("", "must be a mapping of an output's names to paths", "write {text: answer}")
            return
        self.problems += unknown_keys(target, "options.response", given, NAMES)
        for name, value in given.items():
            if name in LISTS:
                self._add_list(name, value)
            elif name in PLAIN:
                self._plain[name] = self._path(name, value)
        if not {"text", "tool_calls"} & given.keys():
            self._fault("", "says neither where the text is nor the tool calls", "write {text: answer}")

    def _fault(self, key: str, rule: str, hint: str = "") -> None:
        self.problems.append(problem(self._target, f"options.response{key}", rule, hint=hint))

    def _path(self, key: str, value: Json) -> str:
        if isinstance(value, str) and value:
            return value
        self._fault(f".{key}", "must be a dotted path, like data.answer or choices.0.text")
        return ""

    def _add_list(self, name: str, value: Json) -> None:
        given = as_dict(value)
        if given is None:
            self._lists[name] = Rows(self._path(name, value))
            return
        self.problems += unknown_keys(self._target, f"options.response.{name}", given, ("at", *LISTS[name]))
        paths = {key: self._path(f"{name}.{key}", path) for key, path in given.items()}
        if "at" not in given:
            self._fault(f".{name}", "needs `at`, the path of the list")
        self._lists[name] = Rows(paths.get("at", ""), {key: path for key, path in paths.items() if key != "at"})

    def read(self, answer: dict[str, Any]) -> Answer:
        """The mapped answer. Raises Fault, and nothing else, for whatever it holds."""
        plain = {name: at(answer, path) for name, path in self._plain.items()}
        lists = {name: at(answer, rows.path) for name, rows in self._lists.items()}
        missing = [name for name, value in {**plain, **lists}.items() if value is MISSING]
        if not {"text", "tool_calls"} & ({*plain, *lists} - set(missing)):
            raise Fault("malformed", f"the answer has no {self._plain.get('text') or self._lists['tool_calls'].path}")
        found = {name: None if value is MISSING else value for name, value in plain.items()}
        rows = {name: self._rows(name, value) for name, value in lists.items()}
        refusal = a_text(found.get("refusal"), "refusal")
        return Answer(
            message=_message(_as_text(found.get("text")) or refusal, rows.get("tool_calls", [])),
            context=tuple(_record(Document, row, "context") for row in rows.get("context", [])),
            steps=tuple(_record(Step, {"kind": "step", **row}, "steps") for row in rows.get("steps", [])),
            finish_reason=a_text(found.get("finish_reason"), "finish_reason"),
            usage=Usage(**{name.partition(".")[2]: a_count(found.get(name), name) for name in COUNTS}),
            cost=_cost(found.get("cost")),
            served_model=a_text(found.get("model"), "model"),
            fingerprint=a_text(found.get("fingerprint"), "fingerprint"),
            metadata={**({"refusal": refusal} if refusal else {}), **({"missing": missing} if missing else {})},
        )

    def _rows(self, name: str, value: Any) -> list[dict[str, Any]]:
        """The items of a list, each by its fields; a plain text stands for the first of them."""
        if value is MISSING or value is None:
            return []
        first, fields = LISTS[name][0], self._lists[name].fields
        items: list[Any] | None = [value] if isinstance(value, str) and name == "context" else as_list(value)
        if items is None or is_deep(items):
            raise Fault("malformed", f"{name} is {'nested too deep' if items is not None else 'not an array'}")
        rows: list[dict[str, Any]] = []
        for index, item in enumerate(items):
            row = as_dict(item)
            if isinstance(item, str):
                found: dict[str, Any] = {first: item}
            elif row is not None:
                found = {key: at(row, fields.get(key, key)) for key in LISTS[name]}
            else:
                raise Fault("malformed", f"{name}[{index}] is not an object")
            rows.append({key: value for key, value in found.items() if value is not MISSING and value is not None})
        return rows


def _message(text: str, calls: list[dict[str, Any]]) -> Message:
    read = [_call(call, index) for index, call in enumerate(calls)]
    return Message(role="assistant", content=text, tool_calls=tuple(read))


def _call(call: Mapping[str, Any], index: int) -> ToolCall:
    return a_tool_call(call.get("name"), call.get("arguments", {}), call.get("id"), f"tool_calls[{index}]")


def _record(kind: type[R], row: Mapping[str, Any], name: str) -> R:
    try:
        return kind.model_validate(row)
    except ValidationError as cause:
        raise Fault("malformed", f"{name}: {describe(cause)}") from None


def _as_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if is_deep(value):
        raise Fault("malformed", "text is nested too deep")
    return json.dumps(value, ensure_ascii=False)


def _cost(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise Fault("malformed", "cost is not a number of US dollars")
    return float(value)
