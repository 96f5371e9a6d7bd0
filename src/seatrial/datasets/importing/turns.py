"""From observations to cases: the turns of a session, and what each of them has before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, get_args

from seatrial.core.message import Role
from seatrial.datasets.importing.spool import Entry
from seatrial.datasets.importing.values import iso
from seatrial.errors import UsageError, safe
from seatrial.traces.observation import Observation, Raw

REDACTED = "__REDACTED__"
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_NOTHING: tuple[Any, ...] = (None, "", [], {}, False)
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
    names: tuple[str, ...] = ()
    if found.kind == "llm":
        names = (
            "messages", "answer", "conversation", "tools", "model", "served_model", "provider", "params", "usage",
            "cost", "finish_reason", "error", "expected", "context", "trace_id", "span_id", "parent_id", "seconds",
            "start",
        )  # fmt: skip
    elif found.kind == "event":
        names = ("messages", "answer", "tools", "error", "usage", "served_model", "finish_reason")
    elif found.kind in ("retriever", "reranker"):
        names = ("documents",)
    elif found.kind == "tool":
        names = ("messages",)
    held: Raw = {}
    for name in names:
        value: Any = getattr(found, name)
        if value or value not in _NOTHING:
            held[name] = value
    return {**held, **labels} if held else None


def turns(entries: list[Entry], step: int) -> list[Turn]:
    """The chosen turns of a group whose entries are in the order of time."""
    asked = _innermost(entries)
    found = [Turn(entry, at) for entry in asked for at in range(entry.turns)]
    return found[-1:] if step == 0 else found[step - 1 :: step]


def _innermost(entries: list[Entry]) -> list[Entry]:
    """The requests to models, without those that only wrap another one: two instrumentors may record one request."""
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
        self.entries = self._with_events(entries)
        self._all = entries
        self._load = load
        self._session = session
        self._strip = strip

    def _with_events(self, entries: list[Entry]) -> list[Entry]:
        """Requests whose messages came in log events of their own have turns as well."""
        told = {(e.trace, e.span) for e in entries if e.kind == "event"}
        if not told:
            return entries
        return [
            e._replace(turns=1) if e.kind == "llm" and not e.turns and (e.trace, e.span) in told else e for e in entries
        ]

    def fields(self, turn: Turn) -> Raw | None:
        """The fields of the case at a turn, but for its id; None where its content was not recorded."""
        entry = turn.entry
        held = self._told(entry, self._load(entry))
        messages, answer = held.get("messages", []), held.get("answer", [])
        if held.get("conversation"):
            at = cuts(messages)[turn.position]
            messages, answer = messages[:at], messages[at : at + 1]
        if self._strip:
            messages = [message for message in messages if message["role"] not in ("system", "developer")]
        if not messages or any(message.get("content") == REDACTED for message in messages):
            return None
        documents = [*held.get("context", []), *self._retrieved(entry)]
        case: Raw = {
            "input": messages,
            "context": _once([d for d in documents if d.get("text")]),
            "tools": held.get("tools", []),
            "strata": held.get("strata", {}),
            "trace_id": held.get("trace_id", ""),
            "span_id": held.get("span_id", ""),
            "parent_id": "",
            "session_id": self._session,
            "metadata": {**held.get("metadata", {}), **self._metadata(held, answer, documents, entry)},
        }
        if held.get("expected") is not None:
            case["expected"] = held["expected"]
        if entry.start is not None:
            case["created_at"] = iso(entry.start)
        return {key: value for key, value in case.items() if value or value not in ("", [], {})}

    def _told(self, entry: Entry, held: Raw) -> Raw:
        """A request with what log events told of it."""
        for other in self._all:
            if other.kind == "event" and (other.trace, other.span) == (entry.trace, entry.span):
                told = self._load(other)
                for name in ("messages", "answer"):
                    if told.get(name) and not held.get(name):
                        held.setdefault(f"told_{name}", []).extend(told[name])
                for name in ("tools", "error", "usage", "served_model", "finish_reason"):
                    if told.get(name) and not held.get(name):
                        held[name] = told[name]
        for name in ("messages", "answer"):
            held[name] = held.get(name) or held.pop(f"told_{name}", [])
        return held

    def _before(self, entry: Entry, kinds: tuple[str, ...]) -> Iterator[Entry]:
        """What of these kinds the same trace did before a request."""
        for other in self._all:
            if other.kind not in kinds or other.trace is None or other.trace != entry.trace:
                continue
            if entry.start is None or other.start is None or other.start <= entry.start:
                yield other

    def _retrieved(self, entry: Entry) -> list[Raw]:
        """The documents that the last reranker gave, else those of every retriever."""
        ranked = list(self._before(entry, ("reranker",)))
        held = ranked[-1:] or list(self._before(entry, ("retriever",)))
        return [document for other in held for document in self._load(other).get("documents", [])]

    def _metadata(self, held: Raw, answer: list[Raw], documents: list[Raw], entry: Entry) -> Raw:
        """The answer that production gave, and what it took."""
        told: Raw = {
            "messages": answer,
            "model": held.get("model", ""),
            "served_model": held.get("served_model", ""),
            "provider": held.get("provider", ""),
            "params": held.get("params", {}),
            "usage": held.get("usage", {}),
            "cost": held.get("cost"),
            "seconds": held.get("seconds"),
            "finish_reason": held.get("finish_reason", ""),
            "error": held.get("error", ""),
        }
        found: Raw = {"answer": {key: value for key, value in told.items() if value or value not in _EMPTY}}
        unread = [d.get("id", "") for d in documents if not d.get("text")]
        if unread:
            found["documents_without_text"] = unread
        ran = [m for o in self._before(entry, ("tool",)) for m in self._load(o).get("messages", [])]
        if ran:
            said = {m.get("content") for m in held.get("messages", []) if isinstance(m.get("content"), str)}
            apart = [m for m in ran if m.get("content") not in said]
            if apart:
                found["tool_results"] = apart
        return found if any(found.values()) else {}


_SPEAKERS = frozenset(get_args(Role))
_CHAT = {"role", "content"}
_USUAL = ("id", "input", "strata", "trace_id", "span_id", "session_id", "created_at", "source", "metadata")
_FIELDS = frozenset(_USUAL)


def usual(fields: Raw) -> Raw | None:
    """The plain values of the case that these fields make, where it is of the usual kind: a chat of text, and labels.

    None where only validation can tell them. `created_at` is one that `iso` wrote.
    """
    if not fields.keys() <= _FIELDS:
        return None
    for message in fields["input"]:
        if message.keys() != _CHAT or message["role"] not in _SPEAKERS:
            return None
        if not isinstance(message["content"], str) or not message["content"]:
            return None
    labels = fields.get("strata", {}).items()
    if not all(isinstance(name, str) and isinstance(value, str) for name, value in labels):
        return None
    chat = [{"role": message["role"], "content": message["content"]} for message in fields["input"]]
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
