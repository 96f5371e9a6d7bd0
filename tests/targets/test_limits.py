"""Limits, against simulated providers on a clock that only runs when all wait."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.message import Message
from seatrial.targets.limits import Aimd, Limits
from seatrial.targets.outcomes import Answer
from seatrial.targets.retry import Fault, Retries, Tried

GOOD = Tried(answer=Answer(Message(role="assistant", content="ok")))
ROUND_TRIP = 0.01
Virtual = Callable[[Any], Any]


class Provider(Protocol):
    served: int
    refused: int

    async def __call__(self) -> Tried: ...


class Slots:
    """Answers at most `most` at once."""

    def __init__(self, most: int, seconds: float, wait: float | None) -> None:
        self.most, self.seconds, self.wait = most, seconds, wait
        self.busy = self.served = self.refused = 0
        self.capacity = most / (seconds + ROUND_TRIP)
        self.draw = random.Random(1)

    async def __call__(self) -> Tried:
        await asyncio.sleep(ROUND_TRIP)
        if self.busy >= self.most:
            self.refused += 1
            raise Fault("rate_limited", reaction="slow_down", wait=self.wait)
        self.busy += 1
        await asyncio.sleep(self.seconds * self.draw.uniform(0.7, 1.3))
        self.busy -= 1
        self.served += 1
        return GOOD


class Rate:
    """Takes so many a second, with a token bucket of one second; may say exactly when the next one fits."""

    def __init__(self, rate: float, seconds: float, wait: float | str | None) -> None:
        self.capacity, self.seconds, self.wait = rate, seconds, wait
        self.level, self.at = rate, 0.0
        self.served = self.refused = 0
        self.draw = random.Random(1)

    async def __call__(self) -> Tried:
        await asyncio.sleep(ROUND_TRIP)
        now = asyncio.get_running_loop().time()
        self.level = min(self.capacity, self.level + (now - self.at) * self.capacity)
        self.at = now
        if self.level < 1:
            self.refused += 1
            wait = (1 - self.level) / self.capacity if self.wait == "exact" else self.wait
            raise Fault("rate_limited", reaction="slow_down", wait=wait)  # type: ignore[arg-type]
        self.level -= 1
        await asyncio.sleep(self.seconds * self.draw.uniform(0.7, 1.3))
        self.served += 1
        return GOOD


async def storm(provider: Any, concurrency: int = 64, warm: float = 20, span: float = 60) -> tuple[float, int]:
    """The share of the provider's capacity used after `warm` seconds, and how many requests failed for good."""
    loop = asyncio.get_running_loop()
    retries = Retries(Limits(concurrency, clock=loop.time), 5, draw=random.Random(2).random)
    failed = 0

    async def work() -> None:
        nonlocal failed
        while True:
            failed += (await retries.run(provider, 0)).answer is None

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    await asyncio.sleep(warm)
    before = provider.served
    await asyncio.sleep(span)
    share = (provider.served - before) / span / provider.capacity
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    return share, failed


@pytest.mark.parametrize("wait", [None, 0.0, 1.0], ids=["silent", "retry-after-0", "retry-after-1"])
@pytest.mark.parametrize(("most", "seconds"), [(4, 0.3), (8, 2), (20, 0.3), (50, 2)])
def test_a_storm_over_slots_finds_the_capacity(most: int, seconds: float, wait: float | None, virtual: Virtual) -> None:
    share, failed = virtual(storm(Slots(most, seconds, wait)))
    assert share >= 0.9
    assert failed == 0


@pytest.mark.parametrize(("most", "seconds"), [(1, 0.02), (2, 0.02), (1, 1)])
def test_a_wait_longer_than_needed_costs_few_slots_nothing(most: int, seconds: float, virtual: Virtual) -> None:
    share, failed = virtual(storm(Slots(most, seconds, 1.0), warm=20, span=60))
    assert share >= 0.9
    assert failed == 0


@pytest.mark.parametrize("wait", [None, "exact", 1.0], ids=["silent", "exact", "retry-after-1"])
@pytest.mark.parametrize(("rate", "seconds"), [(10, 0.1), (10, 0.5), (50, 0.1), (50, 0.5), (100, 0.5)])
def test_a_storm_over_a_rate_finds_the_capacity(rate: float, seconds: float, wait: Any, virtual: Virtual) -> None:
    share, failed = virtual(storm(Rate(rate, seconds, wait)))
    assert share >= 0.9
    assert failed == 0


def test_capacity_that_comes_back_is_found(virtual: Virtual) -> None:
    async def go() -> float:
        provider = Slots(4, 0.3, None)

        async def widen() -> None:
            await asyncio.sleep(20)
            provider.most, provider.capacity = 40, 40 / (0.3 + ROUND_TRIP)

        task = asyncio.create_task(widen())
        share, _ = await storm(provider, warm=60)
        await task
        return share

    assert virtual(go()) >= 0.9


def test_a_storm_on_one_target_costs_another_nothing(virtual: Virtual) -> None:
    async def go() -> float:
        other = asyncio.create_task(storm(Slots(4, 0.3, 1.0)))
        share, _ = await storm(Slots(100, 0.3, None), concurrency=64)
        await other
        return share * 100 / 64

    assert virtual(go()) >= 0.99


def test_one_round_trip_cuts_once() -> None:
    aimd = Aimd(64)
    news = [aimd.refused(1.0, started=0.5, in_flight=63 - n) for n in range(60)]
    assert news == [True] + [False] * 59
    assert aimd.cap == pytest.approx(57.6)
    assert aimd.refused(2.0, started=1.5, in_flight=50)
    assert aimd.cap == pytest.approx(57.6 * 0.9)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 10), st.floats(0, 10), st.integers(0, 64))), st.integers(1, 64))
def test_the_cap_stays_in_its_range(events: list[tuple[bool, float, float, int]], most: int) -> None:
    aimd, now = Aimd(most), 0.0
    for refused, passed, age, in_flight in events:
        now += passed
        if refused:
            aimd.refused(now, now - age, in_flight)
        else:
            aimd.answered(now)
        assert 1 <= aimd.cap <= most


async def paced(limits: Limits, count: int, tokens: float = 0, used: float | None = None) -> list[float]:
    """When each of so many requests, all wanted at once, was let go."""
    loop = asyncio.get_running_loop()
    at: list[float] = []

    async def one() -> None:
        slot = await limits.acquire(tokens)
        at.append(loop.time())
        await asyncio.sleep(0.01)
        limits.release(slot, used)

    await asyncio.gather(*(one() for _ in range(count)))
    return at


def most_in_a_minute(at: list[float]) -> int:
    return max(bisect_left(at, start + 60) - i for i, start in enumerate(at))


@pytest.mark.parametrize("rpm", [30, 60, 600, 6000])
def test_requests_per_minute(rpm: int, virtual: Virtual) -> None:
    async def go() -> list[float]:
        return await paced(Limits(4096, rpm=rpm, clock=asyncio.get_running_loop().time), 3 * rpm)

    at = virtual(go())
    assert at == sorted(at)
    assert most_in_a_minute(at) <= rpm + max(1, rpm / 60) + 1
    assert at[-1] <= 180


def test_tokens_per_minute_are_corrected_by_what_was_used(virtual: Virtual) -> None:
    async def go(used: float | None) -> float:
        limits = Limits(4, tpm=60_000, clock=asyncio.get_running_loop().time)
        return (await paced(limits, 200, tokens=500, used=used))[-1]

    assert virtual(go(None)) == pytest.approx(200 * 500 / 1000, rel=0.03)
    assert virtual(go(100)) == pytest.approx(200 * 100 / 1000, rel=0.1)
    assert virtual(go(2000)) == pytest.approx(200 * 2000 / 1000, rel=0.03)


def test_a_request_above_the_bucket_is_let_through_in_debt(virtual: Virtual) -> None:
    async def go() -> list[float]:
        limits = Limits(4, tpm=600, clock=asyncio.get_running_loop().time)
        return await paced(limits, 3, tokens=1000)

    assert virtual(go()) == pytest.approx([0, 100, 200], abs=0.1)


def test_a_pause_holds_all(virtual: Virtual) -> None:
    async def go() -> list[float]:
        limits = Limits(4, clock=asyncio.get_running_loop().time)
        limits.pause(3)
        limits.pause(1)
        return await paced(limits, 4)

    assert virtual(go()) == [3, 3, 3, 3]


@pytest.mark.parametrize(("refusals", "held"), [(3, 0.0), (4, 30.0)])
def test_several_refusals_in_a_row_hold_the_target(refusals: int, held: float, virtual: Virtual) -> None:
    async def go() -> float:
        loop = asyncio.get_running_loop()
        limits = Limits(8, clock=loop.time)
        for _ in range(refusals):
            slot = await limits.acquire()
            limits.refused(slot, 30)
            limits.release(slot)
        await limits.acquire()
        return loop.time()

    assert virtual(go()) == pytest.approx(held)


def test_an_answer_between_refusals_holds_nothing(virtual: Virtual) -> None:
    async def go() -> float:
        loop = asyncio.get_running_loop()
        limits = Limits(8, clock=loop.time)
        for number in range(12):
            slot = await limits.acquire()
            if number % 3:
                limits.refused(slot, 30)
            else:
                limits.answered(slot)
            limits.release(slot)
        return loop.time()

    assert virtual(go()) < 1


def test_concurrency_is_kept(virtual: Virtual) -> None:
    async def go() -> list[float]:
        return await paced(Limits(2, clock=asyncio.get_running_loop().time), 6)

    assert virtual(go()) == pytest.approx([0, 0, 0.01, 0.01, 0.02, 0.02])


def test_those_who_stop_waiting_do_not_hold_the_queue(virtual: Virtual) -> None:
    async def go() -> tuple[int, list[float]]:
        limits = Limits(1, clock=asyncio.get_running_loop().time)
        slot = await limits.acquire()
        waiting = [asyncio.create_task(limits.acquire()) for _ in range(3)]
        await asyncio.sleep(1)
        limits.release(slot)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return limits.in_flight, await paced(limits, 1)

    assert virtual(go()) == (0, [1.0])
