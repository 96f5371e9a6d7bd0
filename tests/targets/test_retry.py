"""Which faults pass, how long to wait, and the loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.message import Message
from seatrial.targets.limits import Limits
from seatrial.targets.outcomes import Answer
from seatrial.targets.retry import Fault, Retries, Tried, backoff, classify, retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
GOOD = Tried(answer=Answer(Message(role="assistant", content="ok")))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"retry-after": "7"}, 7, id="seconds"),
        pytest.param({"retry-after": "0.5"}, 0.5, id="fraction"),
        pytest.param({"retry-after-ms": "250"}, 0.25, id="milliseconds"),
        pytest.param({"retry-after-ms": "250", "retry-after": "9"}, 0.25, id="milliseconds-first"),
        pytest.param({"retry-after-ms": "soon", "retry-after": "9"}, 9, id="odd-milliseconds"),
        pytest.param({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30, id="date"),
        pytest.param({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0, id="past-date"),
        pytest.param({"retry-after": "Sun, 01 Mar 2026 12:00:30"}, 30, id="date-without-zone"),
        pytest.param({"retry-after": "99999"}, 120, id="capped"),
        pytest.param({"retry-after": "inf"}, 120, id="infinite"),
        pytest.param({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 120, id="date-capped"),
        pytest.param({"retry-after": "-3"}, 0, id="negative"),
        pytest.param({"retry-after": "nan"}, None, id="nan"),
        pytest.param({"retry-after": "later"}, None, id="word"),
        pytest.param({"retry-after": ""}, None, id="empty"),
        pytest.param({"retry-after": "Mon, 99 Foo 2026 99:99:99 GMT"}, None, id="odd-date"),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text())
def test_any_header_gives_seconds_in_range_or_none(text: str) -> None:
    found = retry_after({"retry-after": text, "retry-after-ms": text[::-1]}, NOW)
    assert found is None or 0 <= found <= 120


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_is_jittered_and_capped(retry: int, draw: float) -> None:
    assert 0 <= backoff(retry, lambda: draw) <= min(30, 0.5 * 2 ** min(retry - 1, 16))


def body(code: str | None = None, kind: str = "x", message: str = "m", **fields: Any) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "code": code, **fields}}).encode()


def google(status: str, **detail: Any) -> bytes:
    return json.dumps({"error": {"code": 429, "message": "m", "status": status, "details": [detail]}}).encode()


@pytest.mark.parametrize(
    ("delay", "wait"),
    [
        pytest.param("13s", 13.0, id="seconds"),
        pytest.param("0.5s", 0.5, id="fraction"),
        pytest.param("9999s", 120.0, id="capped"),
        pytest.param("-4s", 0.0, id="negative"),
        pytest.param("soon", None, id="words"),
        pytest.param(13, None, id="number"),
        pytest.param(["13s"], None, id="list"),
    ],
)
def test_googles_retry_delay_is_kept(delay: Any, wait: float | None) -> None:
    raw = google("RESOURCE_EXHAUSTED", retryDelay=delay)
    assert classify(429, {}, raw).wait == wait
    assert classify(429, {"retry-after": "2"}, raw).wait == 2.0


@pytest.mark.parametrize(
    ("status", "raw", "code", "reaction"),
    [
        pytest.param(400, body(), "rejected", "reject", id="400"),
        pytest.param(401, body(), "auth", "down", id="401"),
        pytest.param(402, body(), "quota", "down", id="402"),
        pytest.param(403, body(), "auth", "down", id="403"),
        pytest.param(403, body(metadata={"flagged_input": "…"}), "content_filter", "reject", id="403-moderation"),
        pytest.param(404, body(), "rejected", "reject", id="404"),
        pytest.param(404, body("model_not_found"), "unknown_model", "down", id="404-model"),
        pytest.param(404, body(message="The model `x` does not exist."), "unknown_model", "down", id="404-message"),
        pytest.param(
            404, b'{"error":"model \\"x\\" not found, try pulling it first"}', "unknown_model", "down", id="ollama"
        ),
        pytest.param(408, body(), "timeout", "retry", id="408"),
        pytest.param(409, body(), "conflict", "retry", id="409"),
        pytest.param(413, body(), "rejected", "reject", id="413"),
        pytest.param(418, b"teapot", "rejected", "reject", id="418"),
        pytest.param(422, b'{"detail":[{"msg":"x"}]}', "rejected", "reject", id="422-fastapi"),
        pytest.param(425, body(), "too_early", "retry", id="425"),
        pytest.param(429, body("rate_limit_exceeded"), "rate_limited", "slow_down", id="429"),
        pytest.param(429, b"", "rate_limited", "slow_down", id="429-empty"),
        pytest.param(429, body("insufficient_quota"), "quota", "down", id="quota-code"),
        pytest.param(429, body(kind="insufficient_quota"), "quota", "down", id="quota-type"),
        pytest.param(429, body(7, kind=["insufficient_quota"]), "rate_limited", "slow_down", id="odd-types"),  # type: ignore[arg-type]
        pytest.param(500, body(), "server_error", "retry", id="500"),
        pytest.param(529, b"\xff", "server_error", "retry", id="529"),
        pytest.param(301, b"", "redirect", "reject", id="301"),
        pytest.param(400, body("content_filter"), "content_filter", "reject", id="azure-filter"),
        pytest.param(400, body(message="Your credit balance is too low to …"), "quota", "down", id="anthropic-credit"),
        pytest.param(403, body(kind="billing_error"), "quota", "down", id="anthropic-billing"),
        pytest.param(
            404, body(kind="not_found_error", message="model: c"), "unknown_model", "down", id="anthropic-model"
        ),
        pytest.param(400, google("INVALID_ARGUMENT", reason="API_KEY_INVALID"), "auth", "down", id="google-key"),
        pytest.param(429, google("RESOURCE_EXHAUSTED"), "rate_limited", "slow_down", id="google-429"),
        pytest.param(
            429,
            google("RESOURCE_EXHAUSTED", violations=[{"quotaId": "RequestsPerDay"}]),
            "quota",
            "down",
            id="google-day",
        ),
        pytest.param(
            429,
            google("RESOURCE_EXHAUSTED", violations=[{"quotaId": "RequestsPerMinute"}]),
            "rate_limited",
            "slow_down",
            id="google-minute",
        ),
        pytest.param(404, b"[" + google("NOT_FOUND") + b"]", "rejected", "reject", id="google-list"),
        pytest.param(
            400, body(details=[7, {"reason": 3, "violations": [None]}]), "rejected", "reject", id="odd-details"
        ),
    ],
)
def test_classify(status: int, raw: bytes, code: str, reaction: str) -> None:
    fault = classify(status, {}, raw)
    assert (fault.code, fault.reaction, fault.status) == (code, reaction, status)
    assert fault.kind == ("model" if code == "content_filter" else "infra")


@given(st.integers(300, 999), st.binary(max_size=60))
def test_any_error_body_is_classified(status: int, raw: bytes) -> None:
    assert classify(status, {"retry-after": "1"}, raw).code


class Clock:
    """Counts what was slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def run(faults: list[Fault | None], most: int = 5) -> tuple[Tried, list[float]]:
    """The end of a request whose attempts end like this, and the sleeps between them."""
    clock, ends = Clock(), iter(faults)

    async def once() -> Tried:
        fault = next(ends)
        if fault is not None:
            raise fault
        return GOOD

    async def go() -> Tried:
        return await Retries(Limits(4), most, draw=lambda: 1.0, sleep=clock.sleep).run(once, 0)

    return asyncio.run(go()), clock.slept


def test_backoff_doubles_between_attempts() -> None:
    tried, slept = run([Fault("server_error")] * 4 + [None])
    assert (tried.answer is not None, tried.attempts, slept) == (True, 5, [0.5, 1, 2, 4])


def test_attempts_run_out() -> None:
    tried, slept = run([Fault("server_error")] * 9, most=2)
    assert tried.fault is not None
    assert (tried.fault.code, tried.attempts, len(slept)) == ("server_error", 3, 2)


@pytest.mark.parametrize("reaction", ["reject", "down"])
def test_what_does_not_pass_is_not_tried_again(reaction: Any) -> None:
    tried, slept = run([Fault("x", reaction=reaction), None])
    assert (tried.answer, tried.attempts, slept) == (None, 1, [])


def test_no_retries_means_one_attempt_even_in_a_storm() -> None:
    assert run([Fault("rate_limited", reaction="slow_down")], most=0)[0].attempts == 1


def test_a_wait_that_was_asked_for_comes_before_the_jitter(virtual: Callable[[Any], Any]) -> None:
    ends: list[Fault | None] = [Fault("rate_limited", reaction="slow_down", wait=8), None]

    async def once() -> Tried:
        fault = ends.pop(0)
        if fault is not None:
            raise fault
        return GOOD

    async def go() -> float:
        loop = asyncio.get_running_loop()
        await Retries(Limits(4, clock=loop.time), 5, draw=lambda: 0.5).run(once, 0)
        return loop.time()

    assert virtual(go()) == pytest.approx(8.25)


def test_a_wait_that_was_asked_for_holds_the_whole_target(virtual: Callable[[Any], Any]) -> None:
    async def go() -> float:
        loop = asyncio.get_running_loop()
        retries = Retries(Limits(4, clock=loop.time), 5)
        ends: list[Fault] = [Fault("server_error", wait=8)]

        async def first() -> Tried:
            if ends:
                raise ends.pop()
            return GOOD

        async def second() -> Tried:
            return Tried(answer=GOOD.answer, tokens=loop.time())

        waiting = asyncio.create_task(retries.run(first, 0))
        await asyncio.sleep(1)
        sent_at = (await retries.run(second, 0)).tokens
        await waiting
        return sent_at or 0

    assert virtual(go()) == pytest.approx(8)


def test_a_cancelled_request_gives_its_place_back(virtual: Callable[[Any], Any]) -> None:
    async def go() -> int:
        limits = Limits(1)

        async def once() -> Tried:
            await asyncio.sleep(100)
            return GOOD

        task = asyncio.create_task(Retries(limits, 5).run(once, 0))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return limits.in_flight

    assert virtual(go()) == 0
