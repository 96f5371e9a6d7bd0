"""What a target is asked, and what it gave."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field

from seatrial.core.case import Document, Step, Tool
from seatrial.core.identity import digest
from seatrial.core.message import Message, ToolCall
from seatrial.core.record import Json, Record, Text, altered, lazy
from seatrial.errors import NoAnswerError, safe

SHOWN_MESSAGE = 500

FIRST_ALTERNATIVES = "first_top_logprobs"
"""Where an output's metadata says which tokens could have stood first: each with its log probability."""


class Request(Record):
    """What a target is asked: the rendered prompt and the parameters, before any wire format.

    `epoch`: which try at the case this is, from 0; nothing that is sent says so.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    params: Mapping[str, Json] = Field(default_factory=dict)
    context: tuple[Document, ...] = ()
    seed: int | None = None
    epoch: int = 0

    @property
    def text(self) -> str:
        """The last user message's text."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")


class Usage(Record):
    """Token counts by class. None: not reported.

    `input` includes `cached` (read from a cache) and `cache_write`, which includes `cache_write_1h` (kept for an hour,
    which costs more); `output` includes `reasoning`.
    """

    input: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
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
    """Seconds of the last attempt, without queue and back-off. `lagged`: our own loop was late, distrust it.

    `load` is the arrival pattern under which it was measured, empty where that is not known. With scheduled arrivals
    `queued` is what passed between a request's arrival and the sending of its last attempt (waiting for a free place
    and for the target's limits, earlier attempts and their back-off), and `late` says that at its arrival the
    target's `concurrency` was taken.
    """

    total: float | None = None
    first_token: float | None = None
    lagged: bool = False
    load: Text = ""
    queued: float | None = None
    late: bool = False

    @property
    def waited(self) -> float:
        """Seconds that a user waited before the last attempt: 0 where nobody arrives on a schedule."""
        return self.queued or 0.0


class Sent(Record):
    """A request's parameters as they went out.

    `params` are in the words of the wire format. `renamed` says of parameters where in the body they went, where that
    is not under their name; `dropped` which were left out, each with the reason.
    """

    params: Mapping[Text, Json] = Field(default_factory=dict)
    renamed: Mapping[Text, Text] = Field(default_factory=dict)
    dropped: Mapping[Text, Text] = Field(default_factory=dict)


class Output(Record):
    """What a target gave for one request.

    `messages` are the assistant's (and its tools') turns; `context` what the target itself retrieved; `steps` what
    it did on the way. `cost` is in US dollars, None where a price is unknown; `price_source` says what priced it.
    `served_model` is the model that the
    provider says answered. `attempts` counts tries, retries included. `sent` is None where an adapter does not know
    what its target was sent.
    """

    messages: tuple[Message, ...] = ()
    context: tuple[Document, ...] = ()
    steps: tuple[Step, ...] = ()
    finish_reason: Text = ""
    usage: Usage = Usage()
    cost: float | None = Field(default=None, ge=0)
    price_source: Text = ""
    timing: Timing = Timing()
    logprobs: tuple[float, ...] | None = None
    served_model: Text = ""
    fingerprint: Text = ""
    state: Mapping[str, Json] | None = None
    metadata: Mapping[str, Json] = Field(default_factory=dict)
    failure: Failure | None = None
    attempts: int = 1
    finished_at: Text = ""
    sent: Sent | None = None

    @classmethod
    def of(cls, text: str, **fields: Json) -> Self:
        """An output that is one assistant message."""
        return cls(messages=(Message(role="assistant", content=text),), **fields)

    def timed(self, timing: Timing) -> Self:
        """The same with another timing."""
        return altered(self, {"timing": timing}, "recorded", "hash")

    @property
    def inter_token(self) -> float | None:
        """Seconds per output token after the first, (total - first token) / (output tokens - 1).

        None without streaming, without a token count, and for fewer than two tokens.
        """
        timing, tokens = self.timing, self.usage.output
        if timing.total is None or timing.first_token is None or tokens is None or tokens < 2:
            return None
        return max(0.0, timing.total - timing.first_token) / (tokens - 1)

    @lazy
    def text(self) -> str:
        """The last assistant message's text."""
        for message in reversed(self.messages):
            if message.role == "assistant":
                return message.text
        return ""

    @lazy
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Every call the assistant made, in order."""
        return tuple([call for message in self.messages for call in message.tool_calls])

    def raise_for_failure(self) -> Self:
        """The output itself where its answer is usable. Raises NoAnswerError where it has a failure."""
        if self.failure is None:
            return self
        status = f", HTTP {self.failure.http_status}" if self.failure.http_status else ""
        said = safe(self.failure.message, SHOWN_MESSAGE) or "no reason given"
        raise NoAnswerError(f"There is no usable answer ({self.failure.code}{status}): {said.rstrip('.')}.")

    @lazy
    def recorded(self) -> dict[str, Json]:
        """The whole recorded output as plain values: what is hashed, and what is kept."""
        return self.plain()

    @lazy
    def hash(self) -> str:
        """Identity of the whole recorded output."""
        return digest("output", self.recorded)
