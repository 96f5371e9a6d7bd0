"""A target that answers over HTTP: one request, one answer, timed, priced and judged, whatever its format."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seatrial.core.case import Case
from seatrial.core.output import Failure, Output, Request, Step, Timing
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.targets.line import Address, Line, encoded
from seatrial.targets.outcomes import Answer, cost, now, outcome
from seatrial.targets.params import Unfit
from seatrial.targets.retry import Fault, Tried
from seatrial.targets.sse import EventStream
from seatrial.targets.strict import whole

DEFAULT_ANSWER_TOKENS = 256
CHARACTERS_PER_TOKEN = 4
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "maxOutputTokens")


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests become JSON, and JSON answers; pure functions, and every answer is hostile.

    `body` raises Unfit for what the format cannot express, `read` raises Fault. `stream` makes the reader of a
    streamed answer. `renamed` says of parameters where in the body they went, where that is not under their name.
    """

    body: Callable[[Request], Json]
    read: Callable[[dict[str, Json]], Answer]
    stream: Callable[[Callable[[bytes], bytes]], EventStream] | None = None
    renamed: Callable[[Mapping[str, Json]], Mapping[str, str]] = lambda _: {}


class Endpoint:
    """What all targets over HTTP do alike. A subclass adds `identity` and `sent`."""

    def __init__(self, name: str, spec: TargetSpec, environ: Mapping[str, str], address: Address, wire: Wire) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError."""
        self.name = name
        self.concurrency = spec.concurrency
        self._spec, self._wire = spec, wire
        self._line = Line(name, spec, address, environ)

    async def open(self) -> None:
        """Open the connection pool. Raises MissingSecretError; a loopback endpoint needs no key."""
        await self._line.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._line.close()

    async def generate(self, case: Case, request: Request) -> Output:
        """Ask, with retries. Raises TargetDownError when no further request can succeed."""
        del case
        try:
            raw = encoded(self._wire.body(request))
        except Unfit as unfit:
            return _failed(Tried(fault=Fault("unsendable", f"the request cannot be expressed: {unfit}")))
        except (ValueError, TypeError, RecursionError) as cause:
            return _failed(Tried(fault=Fault("unsendable", f"the request cannot be written as JSON: {cause}")))
        tokens = _estimate(request) if self._line.limits.counts_tokens else 0
        tried = await self._line.run(lambda: self._attempt(raw), tokens)
        if tried.answer is None:
            return _failed(tried)
        return outcome(self._output(tried, tried.answer, request), self._spec.deadline)

    async def _attempt(self, raw: bytes) -> Tried[Answer]:
        loop = asyncio.get_running_loop()
        client = self._line.client
        started = loop.time()
        first: float | None = None
        stream = self._wire.stream(client.scrub) if self._wire.stream is not None else None

        def read(piece: bytes) -> None:
            nonlocal first
            assert stream is not None
            stream.feed(piece)
            if first is None and stream.started:
                first = loop.time() - started

        reply = await client.post(raw, read if stream is not None else None)
        total = loop.time() - started
        answer = stream.answer() if stream is not None and reply.streamed else whole(reply.body, self._wire.read)
        timing = Timing(total=total, first_token=first, lagged=self._line.lag.late_since(started))
        used = (answer.usage.input or 0) + (answer.usage.output or 0)
        return Tried(answer=answer, timing=timing, tokens=used or None)

    def _output(self, tried: Tried[Answer], answer: Answer, request: Request) -> Output:
        renamed = self._wire.renamed(request.params)
        thought = (Step(kind="thought", output=answer.thought),) if answer.thought else ()
        return Output(
            messages=(answer.message,),
            context=answer.context,
            steps=(*thought, *answer.steps),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            cost=answer.cost if answer.cost is not None else cost(answer.usage, self._spec.price),
            timing=tried.timing,
            logprobs=answer.logprobs,
            served_model=answer.served_model,
            fingerprint=answer.fingerprint,
            metadata={**answer.metadata, **({"renamed": dict(renamed)} if renamed else {})},
            attempts=tried.attempts,
            finished_at=now(),
        )


def _estimate(request: Request) -> float:
    characters = sum(len(message.text) for message in request.messages)
    asked = (request.params.get(key) for key in LIMITS)
    most = next((n for n in asked if isinstance(n, int) and n > 0), DEFAULT_ANSWER_TOKENS)
    return characters / CHARACTERS_PER_TOKEN + most


def _failed(tried: Tried[Answer]) -> Output:
    fault = tried.fault
    assert fault is not None
    failure = Failure(kind=fault.kind, code=fault.code, message=fault.message, http_status=fault.status)
    return Output(failure=failure, attempts=tried.attempts, finished_at=now())
