"""The trail of an output: what was called, what came back, and what was said, from its steps or its messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from seatrial.core.case import Case, Expected, ExpectedCall, Step
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.core.record import Json, as_dict, as_list
from seatrial.scorers.base import clip, encodable, is_deep, parse_json, shown

MAX_NESTING = 200
ERROR_READ = 2000

CALL_KINDS = frozenset({"tool", "tool_call", "toolcall", "function", "function_call", "call", "action", "tool_use"})
RESULT_KINDS = frozenset({"tool_result", "tool_output", "function_call_output", "observation", "result"})
SAID_KINDS = frozenset({"message", "assistant", "answer", "say", "response", "final"})
_VERBS = frozenset({
    "browse", "calculate", "check", "compare", "compute", "convert", "count", "describe", "estimate", "fetch", "find",
    "get", "has", "inspect", "is", "list", "load", "look", "lookup", "preview", "query", "read", "retrieve", "search",
    "select", "show", "think", "translate", "validate", "verify", "view",
})  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ERROR = re.compile(
    r"\s*[\[(<*]{0,2}(?:[A-Za-z_.]{0,60}(?:Error|Exception)|error|exception|fatal|failure|failed)[\])>*]{0,2}"
    r"(?:\s[\w-]{1,30}){0,4}\s?[:!(]"
    r"|\s*Traceback \(most recent call last\)|\s*(?:HTTP(?:/[\d.]+)?\s)?[45]\d\d\s[A-Z][a-z]+",
    re.IGNORECASE,
)
_BAD_STATUS = frozenset({"error", "failed", "failure", "err", "fail", "timeout", "denied", "rejected"})


class Call(NamedTuple):
    """A tool call as it happened. `at` orders it among all that happened; `error` is empty where it went well.

    `result` is None where none was recorded, which `answered` tells from a result that is null.
    """

    name: str
    arguments: Json
    where: str
    at: int
    result: Json = None
    answered: bool = False
    error: str = ""

    @property
    def tool_call(self) -> ToolCall:
        """The call as a message holds it."""
        return ToolCall.model_construct(name=self.name, arguments=self.arguments, id="")


class Said(NamedTuple):
    """What the assistant (or the user, in a session) said; `at` orders it among all that happened."""

    role: str
    text: str
    where: str
    at: int


class Trail(NamedTuple):
    """Everything that happened, in order."""

    calls: tuple[Call, ...]
    said: tuple[Said, ...]

    @property
    def turns(self) -> int:
        """How many turns the assistant took to say something."""
        return sum(said.role == "assistant" for said in self.said)


def trail(output: Output) -> Trail:
    """The calls and words of an output: from its steps where they hold as many calls as its messages, else from those.

    A trace is steps, a session is messages, and many outputs hold both of the same; the fuller one is read.
    """
    from_messages = _of_messages(output.messages)
    if not output.steps:
        return from_messages
    from_steps = _of_steps(output.steps)
    if len(from_steps.calls) < len(from_messages.calls) or not from_steps.calls:
        return from_messages
    if from_steps.said:
        return from_steps
    end = len(output.steps)  # steps seldom say the final answer: it comes after them
    return from_steps._replace(said=tuple(s._replace(at=end + s.at) for s in from_messages.said))


def _of_messages(messages: Sequence[Message]) -> Trail:
    calls: list[Call] = []
    said: list[Said] = []
    open_ids: dict[str, int] = {}
    waiting: list[int] = []
    for at, message in enumerate(messages):
        if message.role == "tool":
            index = open_ids.pop(message.tool_call_id, None) if message.tool_call_id else None
            index = next(iter(waiting), None) if index is None and not message.tool_call_id else index
            if index is not None:
                if index in waiting:
                    waiting.remove(index)
                calls[index] = _answered(calls[index], _parsed(message.text))
            continue
        if message.text.strip() and message.role in ("assistant", "user"):
            said.append(Said(message.role, message.text, f"message:{at}", at))
        for call in message.tool_calls:
            if call.id:
                open_ids[call.id] = len(calls)
            waiting.append(len(calls))
            calls.append(Call(call.name, call.arguments, f"call:{len(calls)}", at))
    return Trail(tuple(calls), tuple(said))


def _of_steps(steps: Sequence[Step]) -> Trail:
    calls: list[Call] = []
    said: list[Said] = []
    for at, step in enumerate(steps):
        kind = step.kind.lower()
        if kind in CALL_KINDS:
            call = Call(step.name, {} if step.input is None else step.input, f"step:{at}", at)
            given = step.output is not None or bool(step.error)
            calls.append(_answered(call, _parsed(step.output), step.error) if given else call)
        elif kind in RESULT_KINDS:
            index = next((i for i, c in enumerate(calls) if not c.answered and step.name in ("", c.name)), None)
            if index is not None:
                calls[index] = _answered(calls[index], _parsed(step.output), step.error)
        elif kind in SAID_KINDS or kind == "user":
            text = next((t for t in (step.output, step.input) if isinstance(t, str) and t.strip()), "")
            if text:
                said.append(Said("user" if kind == "user" else "assistant", text, f"step:{at}", at))
    return Trail(tuple(calls), tuple(said))


def _answered(call: Call, result: Json, error: str = "") -> Call:
    return call._replace(result=result, answered=True, error=error or error_in(result))


def _parsed(result: Json) -> Json:
    if not isinstance(result, str) or result.lstrip()[:1] not in ("{", "["):
        return result
    try:
        value = parse_json(encodable(result))
    except ValueError:
        return result
    return result if is_deep(value, MAX_NESTING) else value


def error_in(result: Json) -> str:
    """The error that a tool's result reports, empty where it reports none.

    Text that opens with an error's name and a colon, a traceback or an HTTP status of 400 and more; an object whose
    `error`, `errors` or `exception` holds something, whose `isError` is true, whose `success` or `ok` is false, or
    whose `status` is an error's. "No errors were found" and `{"error": null}` are none.
    """
    if isinstance(result, str):
        found = _ERROR.match(result[:ERROR_READ])
        return result[:200] if found else ""
    entries = as_dict(result)
    if entries is None:
        return ""
    for key in ("error", "errors", "exception", "error_message"):
        if entries.get(key) not in (None, False, "", 0) and entries.get(key) != [] and entries.get(key) != {}:
            return f"{key}: {_short(entries[key])}"
    if entries.get("isError") is True or entries.get("is_error") is True:
        return "isError: true"
    if entries.get("success") is False or entries.get("ok") is False:
        return f"success: false {_short(entries.get('message', ''))}".rstrip()
    status = entries.get("status")
    if isinstance(status, str) and status.lower() in _BAD_STATUS:
        return f"status: {status[:60]}"
    code = entries.get("status_code", entries.get("statusCode", status))
    return f"status {code}" if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else ""


def _short(value: Json) -> str:
    return value[:160] if isinstance(value, str) else str(clip(value, 160))


def named(name: str, patterns: Iterable[str]) -> bool:
    """Whether a tool's name is one of the names, in which `*` and `?` stand for anything."""
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def is_read(name: str, reads: Sequence[str] = (), writes: Sequence[str] = ()) -> bool:
    """Whether a tool only looks: as declared, else by the first word of its name (get, search, calculate …)."""
    if named(name, reads):
        return True
    if named(name, writes) or (writes and not reads):
        return not named(name, writes)
    if reads:
        return False
    words = _WORD.findall(name[:200].rpartition(".")[2])
    return bool(words) and words[0].lower() in _VERBS


def key_of(value: Json) -> str:
    """A text that equal JSON values share: sorted keys, 1 as 1.0, true unlike 1; all too deep to follow are one."""
    if is_deep(value, MAX_NESTING):
        return f"deep {type(value).__name__}"
    try:
        return json.dumps(_plain(value), sort_keys=True, default=repr)
    except (ValueError, OverflowError):  # a number of thousands of digits
        return shown(value)


def _plain(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return encodable(value) if not value.isascii() else value
    entries = as_dict(value)
    if entries is not None:
        return {str(key): _plain(item) for key, item in entries.items()}
    items = as_list(value)
    return value if items is None else [_plain(item) for item in items]


def alternatives(expected: Expected | None) -> tuple[tuple[ExpectedCall, ...], ...]:
    """The accepted call sequences; empty where the case has none."""
    return () if expected is None or expected.tool_calls is None else expected.tool_calls


def brief(call: Call) -> Mapping[str, Json]:
    """A call as evidence shows it."""
    return {"name": call.name[:100], "arguments": clip(call.arguments)}


def lacks_calls(case: Case) -> str:
    """Why a case has no expected calls to hold others against; empty where it has some."""
    if case.expected is None or case.expected.tool_calls is None:
        return "the case has no expected tool calls"
    return "" if case.expected.tool_calls else "the case has no alternative of tool calls"
