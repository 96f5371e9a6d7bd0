"""What a target is asked, and what it gave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field

from seatrial.core.case import Document, Step, Tool
from seatrial.core.identity import digest
from seatrial.core.message import Message, ToolCall
from seatrial.core.record import Json, Record, Text


class Request(Record):
    """What a target is asked: the rendered prompt and the parameters, before any wire format."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    params: Mapping[str, Json] = Field(default_factory=dict)
    context: tuple[Document, ...] = ()
    seed: int | None = None

    @property
    def text(self) -> str:
        """The last user message's text."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")


class Usage(Record):
    """Token counts by class. `input` includes `cached`; `output` includes `reasoning`. None: not reported."""

    input: int | None = None
    cached: int | None = None
    output: int | None = None
    reasoning: int | None = None


FailureKind = Literal["model", "infra"]


class Failure(Record):
    """Why there is no usable answer.

    `model`: the model answered badly (empty, filtered, cut at the output limit, past its deadline); that counts
    against it. `infra`: nobody answered; that is missing data. `code` is stable and short, like `rate_limited`.
    """

    kind: FailureKind
    code: Text
    message: Text = ""
    http_status: int | None = None


class Timing(Record):
    """Seconds of the last attempt, without queue and back-off. `lagged`: our own loop was late, distrust it."""

    total: float | None = None
    first_token: float | None = None
    lagged: bool = False


class Output(Record):
    """What a target gave for one request.

    `messages` are the assistant's (and its tools') turns; `context` what the target itself retrieved; `steps` what
    it did on the way. `cost` is in US dollars, None where a price is unknown. `served_model` is the model that the
    provider says answered. `attempts` counts tries, retries included.
    """

    messages: tuple[Message, ...] = ()
    context: tuple[Document, ...] = ()
    steps: tuple[Step, ...] = ()
    finish_reason: Text = ""
    usage: Usage = Usage()
    cost: float | None = Field(default=None, ge=0)
    timing: Timing = Timing()
    logprobs: tuple[float, ...] | None = None
    served_model: Text = ""
    fingerprint: Text = ""
    state: Mapping[str, Json] | None = None
    metadata: Mapping[str, Json] = Field(default_factory=dict)
    failure: Failure | None = None
    attempts: int = 1
    finished_at: Text = ""

    @classmethod
    def of(cls, text: str, **fields: Json) -> Output:
        """An output that is one assistant message."""
        return cls(messages=(Message(role="assistant", content=text),), **fields)

    @cached_property
    def text(self) -> str:
        """The last assistant message's text."""
        return next((m.text for m in reversed(self.messages) if m.role == "assistant"), "")

    @cached_property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Every call the assistant made, in order."""
        return tuple(call for message in self.messages for call in message.tool_calls)

    @cached_property
    def recorded(self) -> dict[str, Json]:
        """The whole recorded output as plain values: what is hashed, and what is kept."""
        return self.plain()

    @cached_property
    def hash(self) -> str:
        """Identity of the whole recorded output."""
        return digest("output", self.recorded)
