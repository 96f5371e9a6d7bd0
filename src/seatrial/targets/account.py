"""One target's money: what its answers cost, and what its attempts are paid from when a run has a budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from seatrial.core.message import BlobPart, Message
from seatrial.core.output import Request, Usage
from seatrial.core.protocols import Amount, Meter
from seatrial.core.record import Json
from seatrial.targets.bounds import most_input, most_output
from seatrial.targets.outcomes import Answer
from seatrial.targets.prices import Media, Prices
from seatrial.targets.retry import Fault, Tried

NOTHING = Amount(0, 0.0)
UNKNOWN = Amount(None, None)
REPORTED = "as the target reports it"
"""What prices an output whose target says itself what it cost."""

Once = Callable[[], Awaitable[Tried[Answer]]]


class Account:
    """Prices answers; reserves and settles attempts from the moment that there is a `meter`."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self.meter: Meter | None = None

    def priced(self, answer: Answer, request: Request, *, batch: bool = False) -> tuple[float | None, str]:
        """US dollars and what priced them: the target's own word, else the prices. None and empty where unknown."""
        if answer.cost is not None:
            return answer.cost, REPORTED
        media = media_of((*request.messages, answer.message))
        dollars = self.prices.cost(answer.usage, batch=batch, media=media)
        return dollars, self.prices.source if dollars is not None else ""

    def most(self, request: Request, body: Json, size: int) -> Amount:
        """An upper bound of what one attempt with this body of `size` bytes may use."""
        tokens_in, tokens_out = most_input(body, size, request), most_output(body)
        if tokens_in is None or tokens_out is None:
            return UNKNOWN
        dollars = self.prices.worst(tokens_in, tokens_out, media=media_of(request.messages))
        return Amount(tokens_in + tokens_out, dollars, tokens_out)

    def paying(self, once: Once, request: Request, body: Json, size: int) -> Once:
        """The attempt, paid for where there is a meter."""
        meter = self.meter
        if meter is None:
            return once
        most = self.most(request, body, size)
        return lambda: self._paid(once, meter, request, most)

    async def _paid(self, once: Once, meter: Meter, request: Request, most: Amount) -> Tried[Answer]:
        """Raises BudgetError, and what `once` raises."""
        reserved = await meter.reserve(most)
        used = UNKNOWN  # whoever was reached may bill, unless it is known better
        try:
            tried = await once()
            if tried.answer is not None:
                used = Amount(_tokens(tried.answer.usage), self.priced(tried.answer, request)[0])
            return tried
        except Fault as fault:
            used = NOTHING if _is_free(fault) else UNKNOWN
            raise
        finally:
            meter.settle(reserved, used)


def media_of(messages: tuple[Message, ...]) -> Media:
    """The types of parts other than text."""
    parts = (part for message in messages if not isinstance(message.content, str) for part in message.content)
    return frozenset(part.type for part in parts if isinstance(part, BlobPart))


def _tokens(usage: Usage) -> int | None:
    return None if usage.input is None or usage.output is None else usage.input + usage.output


def _is_free(fault: Fault) -> bool:
    """Whether an attempt surely cost nothing: nobody was reached, or the request was refused before any work.

    Not so where a filter refused it (that may be billed), a server failed, or an answer broke off or came too late.
    """
    refused = fault.status is not None and 300 <= fault.status < 500 and fault.status != 408
    return fault.code == "unreachable" or (refused and fault.code != "content_filter")
