"""What was observed: one request to a model with its answer, one retrieval, or one tool call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

Raw = dict[str, Any]

KINDS = ("llm", "embedding", "retriever", "reranker", "tool", "agent", "chain", "guardrail", "evaluator", "event")
"""`event` is a log event that belongs to a span of another record; what is none of these is a `chain`."""


class MalformedError(ValueError):
    """A record that does not say what its format promises: which rule at which key, the value, and what to do."""

    def __init__(self, rule: str, key: str = "", value: str | None = None, hint: str = "") -> None:
        super().__init__(rule)
        self.rule, self.key, self.value, self.hint = rule, key, value, hint


_none = cast("Callable[[], list[Raw]]", list)
_bare = cast("Callable[[], Raw]", dict)


@dataclass(slots=True)
class Observation:
    """One thing that a program did, in one vocabulary whatever recorded it.

    `messages` is what the model was sent and `answer` what it said, both as plain messages of a case; `conversation`
    says that `messages` is a whole recorded conversation, answers and all. `documents` are what a retriever gave.
    Times are nanoseconds since 1970, None where they were not recorded. `usage` has the keys of an output's usage;
    `attributes` is what strata are taken from.
    """

    kind: str
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    session_id: str = ""
    name: str = ""
    start: int | None = None
    end: int | None = None
    messages: list[Raw] = field(default_factory=_none)
    answer: list[Raw] = field(default_factory=_none)
    conversation: bool = False
    tools: list[Raw] = field(default_factory=_none)
    documents: list[Raw] = field(default_factory=_none)
    model: str = ""
    served_model: str = ""
    provider: str = ""
    params: Raw = field(default_factory=_bare)
    usage: Raw = field(default_factory=_bare)
    cost: float | None = None
    finish_reason: str = ""
    error: str = ""
    attributes: Raw = field(default_factory=_bare)
    expected: Any = None
    context: list[Raw] = field(default_factory=_none)

    @property
    def seconds(self) -> float | None:
        """How long it took, None where that was not recorded or makes no sense."""
        if self.start is None or self.end is None or self.end < self.start:
            return None
        return round((self.end - self.start) / 1e9, 6)
