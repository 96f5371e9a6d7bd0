"""A target that answers over HTTP: one request, one answer, timed, priced and judged, whatever its format."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from seatrial.core.case import Case
from seatrial.core.output import Output, Request, Sent, Timing, Usage
from seatrial.core.protocols import Amount, Meter
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.targets.account import NOTHING, UNKNOWN, Account
from seatrial.targets.line import Address, Line, encoded
from seatrial.targets.outcomes import Answer, answered, failed, outcome
from seatrial.targets.params import Unfit
from seatrial.targets.prices import prices_of
from seatrial.targets.retry import Fault, Tried
from seatrial.targets.sse import EventStream
from seatrial.targets.strict import whole
from seatrial.targets.support import TOKEN_LIMITS, Parameters

DEFAULT_ANSWER_TOKENS = 256
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests become JSON, and JSON answers; pure functions, and every answer is hostile.

    `body` raises Unfit for what the format cannot express, `read` raises Fault. `stream` makes the reader of a
    streamed answer. `parameters` settles what goes out of those asked; None where that is not known. `model` is what
    the price list is asked for.
    """

    body: Callable[[Request], Json]
    read: Callable[[dict[str, Json]], Answer]
    stream: Callable[[Callable[[bytes], bytes]], EventStream] | None = None
    parameters: Parameters | None = None
    model: str = ""


class Endpoint:
    """What all targets over HTTP do alike. A subclass adds `identity` and `sent`."""

    def __init__(self, name: str, spec: TargetSpec, environ: Mapping[str, str], address: Address, wire: Wire) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError."""
        self.name = name
        self.concurrency = spec.concurrency
        self._spec, self._wire = spec, wire
        self._line = Line(name, spec, address, environ)
        self.account = Account(prices_of(spec, model=wire.model, url=self._line.base_url))

    async def open(self) -> None:
        """Open the connection pool. Raises MissingSecretError; a loopback endpoint needs no key."""
        await self._line.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._line.close()

    async def generate(self, case: Case, request: Request) -> Output:
        """Ask, with retries. Raises TargetDownError when no further request can succeed."""
        del case
        parameters, attempts = self._wire.parameters, 0
        while True:
            sent = parameters.settled(request.params).sent if parameters is not None else None
            tried = await self._ask(request)
            attempts += tried.attempts
            if tried.fault is None or parameters is None or sent is None:
                break
            if not parameters.learn(self._line.redactor.fault(tried.fault), request.params, sent):
                break
        tried = tried if attempts == tried.attempts else replace(tried, attempts=attempts)
        return self._told(tried, request, sent)

    def told(self, tried: Tried[Answer], request: Request, left_out: Mapping[str, str]) -> Output | None:
        """What asking in a batch ended in, as an output at the batch's price; `left_out` as refused at that time.

        None where it is worth asking again without a parameter that the provider refuses. Raises TargetDownError.
        """
        parameters = self._wire.parameters
        sent = parameters.sent(request.params, left_out) if parameters is not None else None
        if tried.fault is None or parameters is None or sent is None:
            return self._told(tried, request, sent, batch=True)
        again = parameters.learn(self._line.redactor.fault(tried.fault), request.params, sent)
        return None if again else self._told(tried, request, sent, batch=True)

    def _told(self, tried: Tried[Answer], request: Request, sent: Sent | None, *, batch: bool = False) -> Output:
        tried = self._masked(tried)
        if tried.answer is None:
            return failed(tried, sent)
        cost, source = self.account.priced(tried.answer, request, batch=batch)
        output = answered(tried, tried.answer, sent, cost, source)
        return outcome(output, self._spec.deadline)

    def _masked(self, tried: Tried[Answer]) -> Tried[Answer]:
        """The same end without any secret of ours, should the endpoint have echoed one."""
        redactor = self._line.redactor
        if tried.answer is None:
            return tried if tried.fault is None else replace(tried, fault=redactor.fault(tried.fault))
        try:
            answer = redactor.answer(tried.answer)
        except Fault as fault:
            return replace(tried, answer=None, fault=fault)
        return tried if answer is tried.answer else replace(tried, answer=answer)

    def most(self, request: Request) -> Amount:
        """An upper bound of what one attempt may use; nothing where the request cannot be sent at all."""
        if self._spec.batching is not None:
            return UNKNOWN  # a batch is handed in whole and cannot be stopped half way
        try:
            raw = encoded(body := self._wire.body(request))
        except (ValueError, TypeError, RecursionError):
            return NOTHING
        return self.account.most(request, body, len(raw))

    def price(self, usage: Usage) -> tuple[float | None, str]:
        """What so many tokens would cost, and what they are priced by."""
        dollars = self.account.prices.cost(usage, batch=self._spec.batching is not None)
        return dollars, self.account.prices.source if dollars is not None else ""

    def pay_from(self, meter: Meter) -> None:
        """Reserve and settle every attempt there from now on."""
        self.account.meter = meter

    async def _ask(self, request: Request) -> Tried[Answer]:
        """Send the request as it stands now, with retries."""
        try:
            raw = encoded(body := self._wire.body(request))
        except Unfit as unfit:
            return Tried(fault=Fault("unsendable", f"the request cannot be expressed: {unfit}"))
        except (ValueError, TypeError, RecursionError) as cause:
            return Tried(fault=Fault("unsendable", f"the request cannot be written as JSON: {cause}"))
        tokens = _estimate(request) if self._line.limits.counts_tokens else 0
        once = self.account.paying(partial(self._attempt, raw), request, body, len(raw))
        return await self._line.run(once, tokens)

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

        reply = await (client.post(raw) if stream is None else client.post(raw, read, stream.media_type))
        total = loop.time() - started
        answer = stream.answer() if stream is not None and reply.streamed else whole(reply.body, self._wire.read)
        timing = Timing(total=total, first_token=first, lagged=self._line.lag.late_since(started))
        used = (answer.usage.input or 0) + (answer.usage.output or 0)
        return Tried(answer=answer, timing=timing, tokens=used or None)


def _estimate(request: Request) -> float:
    characters = sum(len(message.text) for message in request.messages)
    asked = (request.params.get(key) for key in TOKEN_LIMITS)
    most = next((n for n in asked if isinstance(n, int) and n > 0), DEFAULT_ANSWER_TOKENS)
    return characters / CHARACTERS_PER_TOKEN + most
