"""Which faults pass, how long to wait, and the loop that tries again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Literal, TypeVar

from seatrial.core.identity import loads
from seatrial.core.output import FailureKind, Timing
from seatrial.core.record import as_dict
from seatrial.targets.limits import Limits

T = TypeVar("T")

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
LONGEST_RETRY_AFTER = 120.0
LONGEST_MESSAGE = 500
SENDS_PER_RETRY = 4

PASSING = {408: "timeout", 409: "conflict", 425: "too_early"}
QUOTA = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_balance",
        "credit_balance_too_low",
        "account_deactivated",
        "billing_error",
    }
)
UNKNOWN_MODEL = frozenset({"model_not_found", "invalid_model", "unknown_model", "DeploymentNotFound"})
FILTERED = frozenset({"content_filter", "content_policy_violation"})
BAD_KEY = frozenset({"API_KEY_INVALID", "ACCESS_TOKEN_EXPIRED"})

Reaction = Literal["retry", "slow_down", "reject", "down"]


class Fault(Exception):  # noqa: N818  # what an attempt ended in; it never leaves this room
    """One attempt's end without an answer.

    `code` is stable and short. `reaction`: `retry` it, `slow_down` and retry, `reject` this request for good, or
    the whole target is `down`. `wait` is what the provider asked for, in seconds.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int | None = None,
        reaction: Reaction = "retry",
        wait: float | None = None,
        kind: FailureKind = "infra",
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message[:LONGEST_MESSAGE]
        self.status = status
        self.reaction: Reaction = reaction
        self.wait = wait
        self.kind: FailureKind = kind


def backoff(retry: int, draw: Callable[[], float]) -> float:
    """Seconds before the n-th retry (from 1): full jitter over an exponential, as Brooker (AWS, 2015) advises."""
    return draw() * min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(retry - 1, 16))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `retry-after-ms` or `Retry-After` (RFC 9110 §10.2.3, seconds or a date) ask for, at most 120."""
    seconds = _number(headers.get("retry-after-ms"), 1e-3)
    if seconds is None:
        text = headers.get("retry-after")
        seconds = _number(text, 1.0)
        if seconds is None and text is not None:
            seconds = _until(text, now)
    return None if seconds is None else min(LONGEST_RETRY_AFTER, max(0.0, seconds))


def _number(text: str | None, scale: float) -> float | None:
    try:
        value = float(text or "") * scale
    except ValueError:
        return None
    return value if value == value else None  # NaN is no number


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Fault:
    """What an HTTP answer that is no success means. Never raises, whatever the bytes are."""
    codes, message, flagged = _error_of(body)
    wait = retry_after(headers, datetime.now(UTC))
    if flagged or codes & FILTERED:
        return Fault("content_filter", message, status=status, reaction="reject", kind="model")
    if codes & QUOTA or status == 402:
        return Fault("quota", message, status=status, reaction="down")
    if 400 <= status < 500 and (codes & UNKNOWN_MODEL or (status == 404 and _names_model(message))):
        return Fault("unknown_model", message, status=status, reaction="down")
    if status in (401, 403):
        return Fault("auth", message, status=status, reaction="down")
    if status == 429:
        return Fault("rate_limited", message, status=status, reaction="slow_down", wait=wait)
    if status in PASSING or status >= 500:
        return Fault(PASSING.get(status, "server_error"), message, status=status, wait=wait)
    if 300 <= status < 400:
        return Fault("redirect", "redirects are not followed", status=status, reaction="reject")
    return Fault("rejected", message, status=status, reaction="reject")


def _names_model(message: str) -> bool:
    text = message.lower()
    return "model" in text and ("not exist" in text or "not found" in text)


def _error_of(body: bytes) -> tuple[frozenset[str], str, bool]:
    """The codes, the message, and whether a moderation flagged the input, of an error body in any known shape."""
    try:
        parsed: Any = loads(body)
    except ValueError:
        return frozenset(), body.decode("utf-8", "replace").strip(), False
    outer = as_dict(parsed)
    if outer is None:
        return frozenset(), parsed if isinstance(parsed, str) else "", False
    found = outer.get("error", outer)
    error = as_dict(found)
    if error is None:
        return frozenset(), found if isinstance(found, str) else "", False
    codes = frozenset(error[key] for key in ("code", "type") if isinstance(error.get(key), str))
    texts = (error.get(key) for key in ("message", "detail"))
    message = next((text for text in texts if isinstance(text, str)), "")
    flagged = bool((as_dict(error.get("metadata")) or {}).get("flagged_input"))
    return codes, message, flagged


@dataclass(frozen=True, slots=True)
class Tried(Generic[T]):
    """How a request ended: with an answer or with the last fault, and after how many sends.

    `tokens`: what the answer used, None where the provider does not say.
    """

    answer: T | None = None
    fault: Fault | None = None
    attempts: int = 1
    tokens: float | None = None
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True, slots=True)
class Retries:
    """Tries until there is an answer, the fault does not pass, or `most` further attempts are spent.

    A refusal of what was sent before the target last slowed down is no news and spends no attempt, up to four sends
    for each attempt allowed: a burst that found a provider smaller than hoped loses nobody.
    """

    limits: Limits
    most: int
    draw: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self, once: Callable[[], Awaitable[Tried[T]]], tokens: float) -> Tried[T]:
        """The last attempt's end, with the count of attempts. `once` raises Fault for an attempt that failed."""
        sends = spent = 0
        while True:
            fault, news = None, True
            slot = await self.limits.acquire(tokens)
            sends += 1
            used: float | None = None
            try:
                tried = await once()
                used = tried.tokens
                self.limits.answered()
                return replace(tried, attempts=sends)
            except Fault as found:
                fault = found
                used = 0
                if fault.reaction == "slow_down":
                    news = self.limits.refused(slot, fault.wait)
                if fault.wait is not None:
                    self.limits.pause(fault.wait)
            finally:
                self.limits.release(slot, used)
            spent += news or self.most == 0
            if fault.reaction in ("reject", "down") or spent > self.most or sends >= SENDS_PER_RETRY * (self.most + 1):
                return Tried(fault=fault, attempts=sends)
            await self.sleep((fault.wait or 0.0) + backoff(max(spent, 1), self.draw))
