"""What came back: an answer, when it is the model's own failure, and when it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from seatrial.core.case import Document, Step
from seatrial.core.message import BlobPart, Message
from seatrial.core.output import Failure, Output, Sent, Usage
from seatrial.core.record import Json, assembled
from seatrial.targets.retry import Tried


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider's bytes said, in our words, before it is timed, priced and judged an outcome."""

    message: Message
    finish_reason: str = ""
    usage: Usage = field(default_factory=Usage)
    thought: str = ""
    logprobs: tuple[float, ...] | None = None
    served_model: str = ""
    fingerprint: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])
    context: tuple[Document, ...] = ()
    steps: tuple[Step, ...] = ()
    cost: float | None = None


def answered(tried: Tried[Answer], answer: Answer, sent: Sent | None, cost: float | None, source: str) -> Output:
    """The output that holds an answer, for so many dollars by that price list; `sent` is which parameters went out."""
    thought = (Step(kind="thought", output=answer.thought),) if answer.thought else ()
    fields = {
        "messages": (answer.message,),
        "context": answer.context,
        "steps": (*thought, *answer.steps),
        "finish_reason": answer.finish_reason,
        "usage": answer.usage,
        "cost": cost,
        "price_source": source,
        "timing": tried.timing,
        "logprobs": answer.logprobs,
        "served_model": answer.served_model,
        "fingerprint": answer.fingerprint,
        "state": None,
        "metadata": answer.metadata,
        "failure": None,
        "attempts": tried.attempts,
        "finished_at": now(),
        "sent": sent,
    }
    return assembled(Output, fields, set(fields))  # whoever read the answer has checked each


def failed(tried: Tried[Answer], sent: Sent | None = None) -> Output:
    """The output of a request that no attempt answered."""
    fault = tried.fault
    assert fault is not None
    failure = Failure(kind=fault.kind, code=fault.code, message=fault.message, http_status=fault.status)
    return Output(failure=failure, attempts=tried.attempts, finished_at=now(), sent=sent)


def outcome(output: Output, deadline: float | None) -> Output:
    """The output, with a model failure where it holds no usable answer.

    In this order: `content_filter` and `length` (the finish reasons), `empty` (no text, tool call, file or state),
    `deadline` (slower than `deadline` seconds). A refusal may be wordless: it is for rubrics to judge. An output that
    already failed stays as it is. Every adapter ends with this, so that no failure of a model depends on who carried
    it.
    """
    if output.failure is not None:
        return output
    found = _fault(output, deadline)
    if found is None:
        return output
    code, message = found
    return output.model_copy(update={"failure": Failure(kind="model", code=code, message=message)})


def _fault(output: Output, deadline: float | None) -> tuple[str, str] | None:
    if output.finish_reason == "content_filter":
        return "content_filter", "the provider's filter cut the answer"
    if output.finish_reason == "length":
        return "length", "the answer was cut at the output token limit"
    if _is_empty(output):
        return "empty", "the answer has neither text nor a tool call"
    if deadline is not None and output.timing.total is not None and output.timing.total > deadline:
        return "deadline", f"took {output.timing.total:.3f} s, the deadline is {deadline:g} s"
    return None


def _is_empty(output: Output) -> bool:
    if output.text.strip() or output.tool_calls or output.state is not None or output.finish_reason == "refusal":
        return False
    blobs = (part for m in output.messages if not isinstance(m.content, str) for part in m.content)
    return not any(isinstance(part, BlobPart) for part in blobs)


def now() -> str:
    """The time in UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat()
