"""Which faults pass, how long to wait, and the loop that tries again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Literal, TypeVar

from seatrial.core.identity import loads
from seatrial.core.output import FailureKind, Timing
from seatrial.core.record import as_dict, as_list
from seatrial.targets.limits import Limits

T = TypeVar("T")

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
LONGEST_RETRY_AFTER = 120.0
LONGEST_MESSAGE = 500
SENDS_PER_RETRY = 4

PASSING = {408: "timeout", 409: "conflict", 424: "server_error", 425: "too_early"}
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
UNKNOWN_MODEL = frozenset(
    {"model_not_found", "invalid_model", "unknown_model", "DeploymentNotFound", "ResourceNotFoundException"}
)
BAD_MODEL_ID = ("model identifier is invalid", "with on-demand throughput")
"""What Bedrock says, by a code that it has for other faults too, of a model id that can never be asked."""

FILTERED = frozenset({"content_filter", "content_policy_violation"})
BAD_KEY = frozenset({"API_KEY_INVALID", "ACCESS_TOKEN_EXPIRED"})
LOW_CREDIT = "credit balance is too low"

Reaction = Literal["retry", "slow_down", "reject", "down"]


class Fault(Exception):  # noqa: N818  # what an attempt ended in; it never leaves this room
    """One attempt's end without an answer.

    `code` is stable and short. `reaction`: `retry` it, `slow_down` and retry, `reject` this request for good, or
    the whole target is `down`. `wait` is what the provider asked for, in seconds. `param` is the parameter that it
    blames.
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
        param: str = "",
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message[:LONGEST_MESSAGE]
        self.status = status
        self.reaction: Reaction = reaction
        self.wait = wait
        self.kind: FailureKind = kind
        self.param = param


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
    said = _said(body, headers.get("x-amzn-errortype", ""))
    wait = retry_after(headers, datetime.now(UTC))
    if said.flagged or said.codes & FILTERED:
        return Fault("content_filter", said.message, status=status, reaction="reject", kind="model")
    if said.codes & QUOTA or status == 402 or LOW_CREDIT in said.message.lower():
        return Fault("quota", said.message, status=status, reaction="down")
    if 400 <= status < 500 and (said.codes & UNKNOWN_MODEL or _names_model(status, said.message)):
        return Fault("unknown_model", said.message, status=status, reaction="down")
    if status in (401, 403) or said.codes & BAD_KEY:
        return Fault("auth", said.message, status=status, reaction="down")
    if status == 429:
        wait = said.wait if wait is None else wait
        return Fault("rate_limited", said.message, status=status, reaction="slow_down", wait=wait)
    if status in PASSING or status >= 500:
        return Fault(PASSING.get(status, "server_error"), said.message, status=status, wait=wait)
    if 300 <= status < 400:
        return Fault("redirect", "redirects are not followed", status=status, reaction="reject")
    return Fault("rejected", said.message, status=status, reaction="reject", param=said.param)


def _names_model(status: int, message: str) -> bool:
    """Whether a message says that there is no such model."""
    text = message.lower()
    if status != 404:
        return any(words in text for words in BAD_MODEL_ID)
    return text.startswith("model:") or ("model" in text and ("not exist" in text or "not found" in text))


@dataclass(frozen=True, slots=True)
class _Said:
    """What an error body says: codes, message, blamed parameter, whether the input was flagged, how long to wait."""

    codes: frozenset[str] = frozenset()
    message: str = ""
    param: str = ""
    flagged: bool = False
    wait: float | None = None


def _said(body: bytes, aws: str) -> _Said:
    """An error body in any known shape. `aws`: the code that AWS puts into a header."""
    try:
        parsed: Any = loads(body)
    except ValueError:
        return _Said(message=body.decode("utf-8", "replace").strip())
    alone = as_list(parsed)
    outer = as_dict(alone[0] if alone else parsed)
    if outer is None:
        return _Said(message=parsed if isinstance(parsed, str) else "")
    found = outer.get("error", outer)
    error = as_dict(found)
    if error is None:
        return _Said(message=found if isinstance(found, str) else "")
    details = [d for item in as_list(error.get("details")) or [] if (d := as_dict(item)) is not None]
    words = [error.get(key) for key in ("code", "type", "status")] + [detail.get("reason") for detail in details]
    words.append(aws.partition(":")[0])
    texts = (error.get("message"), error.get("detail"), _listed(error.get("detail")))
    param = error.get("param")
    return _Said(
        codes=frozenset(word for word in words if isinstance(word, str)) | _exhausted(details),
        message=next((text for text in texts if isinstance(text, str)), ""),
        param=param if isinstance(param, str) else "",
        flagged=bool((as_dict(error.get("metadata")) or {}).get("flagged_input")),
        wait=next((w for detail in details if (w := _delay(detail.get("retryDelay"))) is not None), None),
    )


def _listed(detail: Any) -> str:
    """What FastAPI's endpoints say of a body: a list of places, each with its fault."""
    faults = [fault for item in as_list(detail) or [] if (fault := as_dict(item)) is not None]
    places = ([str(step) for step in as_list(fault.get("loc")) or []] for fault in faults)
    return "; ".join(f"'{place[-1]}': {fault.get('msg')}" for place, fault in zip(places, faults, strict=True) if place)


def _delay(value: Any) -> float | None:
    """Google's RetryInfo (google.rpc): seconds as text, like `13s`."""
    seconds = _number(value.removesuffix("s"), 1.0) if isinstance(value, str) else None
    return None if seconds is None else min(LONGEST_RETRY_AFTER, max(0.0, seconds))


def _exhausted(details: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Google's QuotaFailure (google.rpc) of a daily quota: the same status as a passing limit, but it will not pass."""
    violations = [as_dict(v) or {} for detail in details for v in as_list(detail.get("violations")) or []]
    daily = any("PerDay" in str(violation.get("quotaId", "")) for violation in violations)
    return frozenset({"insufficient_quota"}) if daily else frozenset()


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
                self.limits.answered(slot)
                return tried if sends == 1 else replace(tried, attempts=sends)
            except Fault as found:
                fault = found
                used = 0
                if fault.reaction == "slow_down":
                    news = self.limits.refused(slot, fault.wait)
                elif fault.wait is not None:
                    self.limits.pause(fault.wait)
            finally:
                self.limits.release(slot, used)
            spent += news or self.most == 0
            if fault.reaction in ("reject", "down") or spent > self.most or sends >= SENDS_PER_RETRY * (self.most + 1):
                return Tried(fault=fault, attempts=sends)
            await self.sleep((fault.wait or 0.0) + backoff(max(spent, 1), self.draw))
