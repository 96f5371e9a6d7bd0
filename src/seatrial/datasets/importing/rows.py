"""Rows of any shape, by a mapping: which column is the input, the answer, the session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.core.record import as_dict, as_list
from seatrial.datasets.importing.openai import answer as answered
from seatrial.datasets.importing.values import moment, money, name, usage
from seatrial.datasets.reading.faults import shown
from seatrial.datasets.reading.fields import MISSING, PROMPTS, pick, steps
from seatrial.errors import Problem, nearest
from seatrial.traces.conventions import document
from seatrial.traces.messages import chat, offered, one, parsed
from seatrial.traces.observation import MalformedError, Observation, Raw

ROW_FIELDS = (
    "input", "conversation", "answer", "system", "context", "tools", "expected", "trace_id", "span_id", "parent_id",
    "session_id", "created_at", "ended_at", "model", "usage", "cost",
)  # fmt: skip
ANY_FIELDS = ("strata.NAME", "metadata.NAME", "session_id")


def check(fields: Mapping[str, str]) -> list[Problem]:
    """What is wrong with a mapping."""
    found: list[Problem] = []
    for key, path in fields.items():
        head, _, rest = key.partition(".")
        if key not in ROW_FIELDS and not (head in ("strata", "metadata") and rest):
            near = nearest(key, [*ROW_FIELDS, "strata", "metadata"])
            hint = f"did you mean {near!r}?" if near else f"fields: {', '.join((*ROW_FIELDS, *ANY_FIELDS[:2]))}"
            found.append(Problem("is not a field that a log fills", key=f"--field {key}", hint=hint))
        if not steps(path):
            found.append(Problem("must name a column or a dotted path", key=f"--field {key}", value=path))
    if "input" in fields and "conversation" in fields:
        found.append(Problem("is given beside input", key="--field conversation", hint="keep one of them"))
    return found


def is_mapped(fields: Mapping[str, str]) -> bool:
    """Whether a mapping says where the input is: then rows are read by it, whatever they look like."""
    return "input" in fields or "conversation" in fields


def read(raw: Raw, fields: Mapping[str, str]) -> Iterator[Observation]:
    """A row as the mapping says. Raises MalformedError where it has no input."""
    key = "conversation" if "conversation" in fields else "input"
    path = fields.get(key, "input")
    value = pick(raw, path)
    if value is MISSING or value is None or value == "":
        near = next((column for column in PROMPTS if column in raw), None)
        hint = f"did you mean --field {key}={near}?" if near and near != path else f"the row is {shown(raw)}"
        raise MalformedError("is required", path, None, hint)
    found = Observation("llm", messages=chat(value, path))
    if not found.messages:
        raise MalformedError("must not be empty", path)
    found.conversation = key == "conversation"
    _fill(found, raw, fields)
    yield found


def _fill(found: Observation, raw: Raw, fields: Mapping[str, str]) -> None:
    def get(field: str) -> Any:
        value = pick(raw, fields[field]) if field in fields else None
        return None if value is MISSING or value == "" else value

    if get("system") is not None:
        found.messages[:0] = one({"role": "system", "content": get("system")}, fields["system"])
    if get("answer") is not None:
        said = parsed(get("answer"))
        held = as_dict(said)
        if held is not None and "role" not in held:
            answered(found, held)
        else:
            found.answer = chat(said, fields["answer"], "assistant")
    found.tools = offered(get("tools"), fields.get("tools", ""))
    found.expected = get("expected")
    context = parsed(get("context"))
    listed = as_list(context)
    listed = listed if listed is not None else [] if context is None else [context]
    found.context = [document(item, fields["context"]) for item in listed]
    for field in ("trace_id", "span_id", "parent_id", "session_id"):
        setattr(found, field, name(get(field), fields.get(field, field)))
    found.start = moment(get("created_at"), fields.get("created_at", ""))
    found.end = moment(get("ended_at"), fields.get("ended_at", ""))
    found.model = str(get("model") or "")
    found.usage = usage(parsed(get("usage"))) | found.usage
    found.cost = money(get("cost"))
    found.attributes = raw
