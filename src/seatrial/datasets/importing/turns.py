"""From observations to cases: the turns of a session, and what each of them has before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple, get_args

from seatrial.core.message import Role
from seatrial.datasets.importing.spool import Entry
from seatrial.datasets.importing.values import iso
from seatrial.errors import UsageError, safe
from seatrial.traces.observation import Observation, Raw

REDACTED = "__REDACTED__"
_TOLD = ("tools", "error", "usage", "served_model", "finish_reason")
_CARRIED = ("tools", "strata", "trace_id", "span_id", "expected")
_ANSWER = ("model", "served_model", "provider", "params", "usage", "cost", "seconds", "finish_reason", "error")


def _reading(*names: str) -> tuple[tuple[str, ...], Callable[[Observation], tuple[Any, ...]]]:
    """Names of an observation's fields, and what reads them all at once."""
    only = names[0]
    return names, attrgetter(*names) if len(names) > 1 else lambda found: (getattr(found, only),)


_KEPT = {
    "llm": _reading(
        "messages", "answer", "conversation", "tools", "model", "served_model", "provider", "params", "usage",
        "cost", "finish_reason", "error", "expected", "context", "trace_id", "span_id", "parent_id", "seconds",
        "start",
    ),
    "event": _reading("messages", "answer", *_TOLD),
    "retriever": _reading("documents"),
    "reranker": _reading("documents"),
    "tool": _reading("messages"),
}  # fmt: skip
Load = Callable[[Entry], Raw]


class Turn(NamedTuple):
    """One answer of a model: the observation it is in, and which of a whole conversation's answers it is."""

    entry: Entry
    position: int


def every(text: str) -> int:
    """The step of a choice of turns: 0 is the last only, 1 all, N every Nth. Raises UsageError for other words."""
    found = re.fullmatch(r"last|all|every:([1-9][0-9]{0,5})", text)
    if found is None:
        raise UsageError(f"--turns {safe(text)} is not a choice of turns.", hint="last, all, or every:N, like every:3")
    return 0 if text == "last" else int(found[1] or 1)


def cuts(messages: list[Raw]) -> list[int]:
    """Where a recorded conversation can be cut: before each answer that something was said before."""
    roles = [message["role"] for message in messages]
    start = next((at for at, role in enumerate(roles) if role in ("user", "tool")), len(roles))
    return [at for at, role in enumerate(roles) if role == "assistant" and at > start]


def weight(found: Observation) -> int:
    """How many turns an observation is."""
    if found.kind != "llm" or not found.messages:
        return 0
    return len(cuts(found.messages)) if found.conversation else 1


def payload(found: Observation, labels: Raw) -> Raw | None:
    """What of an observation is needed later: nothing where it only links others."""
    kept = _KEPT.get(found.kind)
    if kept is None:
        return None
    names, values = kept
    held: Raw = {name: value for name, value in zip(names, values(found), strict=True) if value}
    return held | labels if held and labels else held or None


def turns(entries: list[Entry], step: int) -> list[Turn]:
    """The chosen turns of a group whose entries are in the order of time."""
    asked = _innermost(entries)
    found = [Turn(entry, at) for entry in asked for at in range(entry.turns)]
    return found[-1:] if step == 0 else found[step - 1 :: step]


def _innermost(entries: list[Entry]) -> list[Entry]:
    """The requests to models, without those that only wrap another one: two instrumentors may record one request."""
    if len(entries) == 1:
        return [entry for entry in entries if entry.kind == "llm" and entry.turns]
    spans = {(entry.trace, entry.span): entry for entry in entries if entry.span is not None}
    outer: set[int] = set()
    done: set[int] = set()
    for entry in entries:
        if entry.kind != "llm" or not entry.turns:
            continue
        above = spans.get((entry.trace, entry.parent)) if entry.parent else None
        while above is not None and above.id not in done and above.id != entry.id:
            done.add(above.id)
            if above.kind == "llm":
                outer.add(above.id)
            above = spans.get((above.trace, above.parent)) if above.parent else None
    return [entry for entry in entries if entry.kind == "llm" and entry.turns and entry.id not in outer]


class Group:
    """A session, a trace or a single request, whose turns become the fields of cases."""

    def __init__(self, entries: list[Entry], load: Load, session: str, *, strip: bool) -> None:
        self._kinds = {entry.kind for entry in entries}
        self.entries = self._with_events(entries) if "event" in self._kinds else entries
        self._all = entries
        self._load = load
        self._session = session
        self._strip = strip

    def _with_events(self, entries: list[Entry]) -> list[Entry]:
        """Requests whose messages came in log events of their own have turns as well."""
        told = {(e.trace, e.span) for e in entries if e.kind == "event"}
        return [
            e._replace(turns=1) if e.kind == "llm" and not e.turns and (e.trace, e.span) in told else e for e in entries
        ]

    def fields(self, turn: Turn) -> Raw | None:
        """The fields of the case at a turn, but for its id; None where its content was not recorded."""
        entry = turn.entry
        held = self._load(entry)
        if "event" in self._kinds:
            self._tell(entry, held)
        messages, answer = held.get("messages", []), held.get("answer", [])
        if held.get("conversation"):
            at = cuts(messages)[turn.position]
            messages, answer = messages[:at], messages[at : at + 1]
        if self._strip:
            messages = [message for message in messages if message["role"] not in ("system", "developer")]
        if not messages or REDACTED in [message.get("content") for message in messages]:
            return None
        documents = [*held.get("context", []), *self._retrieved(entry)]
        case: Raw = {name: held[name] for name in _CARRIED if name in held}
        case["input"] = messages
        metadata = held.get("metadata", {}) | self._metadata(held, answer, documents, entry)
        if metadata:
            case["metadata"] = metadata
        told = _once([document for document in documents if document.get("text")]) if documents else []
        if told:
            case["context"] = told
        if self._session:
            case["session_id"] = self._session
        if entry.start is not None:
            case["created_at"] = iso(entry.start)
        return case

    def _tell(self, entry: Entry, held: Raw) -> None:
        """Add to a request what log events told of it."""
        for other in self._all:
            if other.kind == "event" and (other.trace, other.span) == (entry.trace, entry.span):
                told = self._load(other)
                for name in ("messages", "answer"):
                    if told.get(name) and not held.get(name):
                        held.setdefault(f"told_{name}", []).extend(told[name])
                for name in _TOLD:
                    if told.get(name) and not held.get(name):
                        held[name] = told[name]
        for name in ("messages", "answer"):
            held[name] = held.get(name) or held.pop(f"told_{name}", [])

    def _before(self, entry: Entry, kinds: tuple[str, ...]) -> Iterator[Entry]:
        """What of these kinds the same trace did before a request."""
        if self._kinds.isdisjoint(kinds):
            return
        for other in self._all:
            if other.kind not in kinds or other.trace is None or other.trace != entry.trace:
                continue
            if entry.start is None or other.start is None or other.start <= entry.start:
                yield other

    def _retrieved(self, entry: Entry) -> list[Raw]:
        """The documents that the last reranker gave, else those of every retriever."""
        if self._kinds.isdisjoint(("reranker", "retriever")):
            return []
        ranked = list(self._before(entry, ("reranker",)))
        held = ranked[-1:] or list(self._before(entry, ("retriever",)))
        return [document for other in held for document in self._load(other).get("documents", [])]

    def _metadata(self, held: Raw, answer: list[Raw], documents: list[Raw], entry: Entry) -> Raw:
        """The answer that production gave, and what it took."""
        told: Raw = {"messages": answer} if answer else {}
        told |= {name: held[name] for name in _ANSWER if name in held}
        found: Raw = {"answer": told}
        unread = [d.get("id", "") for d in documents if not d.get("text")] if documents else []
        if unread:
            found["documents_without_text"] = unread
        ran = [m for o in self._before(entry, ("tool",)) for m in self._load(o).get("messages", [])]
        if ran:
            said = {m.get("content") for m in held.get("messages", []) if isinstance(m.get("content"), str)}
            apart = [m for m in ran if m.get("content") not in said]
            if apart:
                found["tool_results"] = apart
        return found if told or len(found) > 1 else {}


_SPEAKERS = frozenset(get_args(Role))
_USUAL = ("id", "input", "strata", "trace_id", "span_id", "session_id", "created_at", "source", "metadata")
_FIELDS = frozenset(_USUAL)


def usual(fields: Raw) -> Raw | None:
    """The plain values of the case that these fields make, where it is of the usual kind: a chat of text, and labels.

    None where only validation can tell them. `created_at` is one that `iso` wrote.
    """
    if not fields.keys() <= _FIELDS:
        return None
    chat: list[Raw] = []
    for message in fields["input"]:
        role, content = message.get("role"), message.get("content")
        if len(message) != 2 or role not in _SPEAKERS or not content or not isinstance(content, str):
            return None
        chat.append({"role": role, "content": content})
    for name, value in fields["strata"].items() if "strata" in fields else ():
        if not isinstance(name, str) or not isinstance(value, str):
            return None
    return {name: chat if name == "input" else fields[name] for name in _USUAL if name in fields}


def _once(documents: list[Raw]) -> list[Raw]:
    """Documents without those that are there already."""
    seen: set[tuple[str, str]] = set()
    found: list[Raw] = []
    for document in documents:
        key = (str(document.get("id", "")), document["text"])
        if key not in seen:
            seen.add(key)
            found.append(document)
    return found
