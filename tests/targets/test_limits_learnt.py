"""Whether limits find what a provider can take, over a table of providers, in virtual time and over real sockets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.message import Message
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.targets import build
from seatrial.targets.limits import Limits
from seatrial.targets.outcomes import Answer
from seatrial.targets.retry import Fault, Retries, Tried
from seatrial.testing import FakeProcess, Script

GOOD = Tried(answer=Answer(Message(role="assistant", content="ok")))
TRIP = 0.005
Virtual = Callable[[Any], Any]


class Rate:
    """Takes so many a second from a bucket of `burst` seconds (at least one request), and refuses the rest."""

    def __init__(self, rate: float, seconds: float, burst: float, wait: Any) -> None:
        self.rate, self.seconds, self.wait, self.size = rate, seconds, wait, max(1.0, rate * burst)
        self.level, self.at, self.served = self.size, 0.0, 0
        self.draw = random.Random(1)

    async def __call__(self) -> Tried[Answer]:
        await asyncio.sleep(TRIP * self.draw.uniform(0.8, 1.2))
        now = asyncio.get_running_loop().time()
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1 - 1e-9:
            wait = (1 - self.level) / self.rate if self.wait == "exact" else self.wait
            await asyncio.sleep(TRIP * self.draw.uniform(0.8, 1.2))
            raise Fault("rate_limited", reaction="slow_down", wait=wait)
        self.level -= 1
        await asyncio.sleep(self.seconds * self.draw.uniform(0.7, 1.3))
        self.served += 1
        return GOOD


async def storm(provider: Rate, warm: float = 20, span: float = 40) -> tuple[float, int]:
    """The share of the rate used after `warm` seconds, and how many requests failed for good."""
    loop = asyncio.get_running_loop()
    workers = int(max(32, 1.6 * provider.rate * (provider.seconds + 2 * TRIP) + 4))
    retries = Retries(Limits(workers, clock=loop.time), 5, draw=random.Random(2).random)
    failed = 0

    async def work() -> None:
        nonlocal failed
        while True:
            failed += (await retries.run(provider, 0)).answer is None

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    await asyncio.sleep(warm)
    before = provider.served
    await asyncio.sleep(span)
    share = (provider.served - before) / span / provider.rate
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return share, failed


TABLE = [
    pytest.param(rate, seconds, burst, id=f"{rate}-a-second-{seconds}s-burst-{burst}s")
    for rate, seconds in [(5, 0.01), (5, 1), (20, 0.1), (20, 5), (100, 0.01), (100, 0.3)]
    for burst in (0, 0.1, 60)
    # at 100 a second a bucket of one request is refilled in less than the network's jitter: see the test below
    if rate < 100 or burst
]


@pytest.mark.parametrize("wait", [None, "exact", 0.0], ids=["silent", "exact", "retry-after-0"])
@pytest.mark.parametrize(("rate", "seconds", "burst"), TABLE)
def test_a_rate_is_learnt(rate: float, seconds: float, burst: float, wait: Any, virtual: Virtual) -> None:
    share, failed = virtual(storm(Rate(rate, seconds, burst, wait)))
    assert share >= 0.9
    assert failed == 0


@pytest.mark.parametrize("seconds", [0.01, 0.1, 1])
def test_a_bucket_of_one_that_refills_within_the_jitter_is_used_at_two_thirds(seconds: float, virtual: Virtual) -> None:
    share, failed = virtual(storm(Rate(100, seconds, 0, None)))
    assert share >= 0.65
    assert failed == 0


@pytest.mark.parametrize(
    ("rate", "seconds", "burst"),
    [(5, 1, 0.1), (20, 1, 0.1), (20, 0.1, 0.1), (10, 0.5, 0), (50, 0.3, 0.1), (100, 0.3, 0.1)],
)
def test_a_retry_after_that_is_longer_than_needed_costs_the_others_nothing(
    rate: float, seconds: float, burst: float, virtual: Virtual
) -> None:
    share, failed = virtual(storm(Rate(rate, seconds, burst, 1.0)))
    assert share >= 0.9
    assert failed == 0


def test_answers_that_take_as_long_as_the_limiter_may_take_to_learn_are_used_in_part(virtual: Virtual) -> None:
    shares = [virtual(storm(Rate(5, 5, burst, None))) for burst in (0, 1)]
    assert all(share >= 0.55 and failed == 0 for share, failed in shares), shares


async def _stormed(base_url: str, fast_url: str, warm: float, span: float) -> tuple[float, float]:
    """Answers a second after `warm` seconds of two targets side by side."""
    request = Request(messages=(Message(role="user", content="hello"),))
    case = Case(id="1", input="hello")
    done = [0, 0]

    async def work(target: Any, at: int) -> None:
        while True:
            output: Output = await target.generate(case, request)
            done[at] += output.failure is None

    specs = [TargetSpec(use="openai:m", base_url=base_url, concurrency=32, retries=8),
             TargetSpec(use="openai:m", base_url=fast_url, concurrency=4)]  # fmt: skip
    targets = [build(f"t{at}", spec, Path(), {}) for at, spec in enumerate(specs)]
    for target in targets:
        await target.open()
    tasks = [asyncio.create_task(work(t, at)) for at, t in enumerate(targets) for _ in range(specs[at].concurrency)]
    await asyncio.sleep(warm)
    before = list(done)
    await asyncio.sleep(span)
    rates = [(after - start) / span for after, start in zip(done, before, strict=True)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for target in targets:
        await target.close()
    return rates[0], rates[1]


@pytest.mark.heavy
@pytest.mark.parametrize("wait", [None, "exact", 0.0], ids=["silent", "exact", "retry-after-0"])
@pytest.mark.parametrize(("rate", "seconds", "burst"), [(500, 0.1, 0.1), (500, 1, 1), (100, 5, 0.1), (100, 1, 10)])
def test_a_fast_rate_is_learnt(rate: float, seconds: float, burst: float, wait: Any, virtual: Virtual) -> None:
    share, failed = virtual(storm(Rate(rate, seconds, burst, wait)))
    assert share >= 0.9
    assert failed == 0


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("capacity", "true"),
    [
        pytest.param({"rps": 20, "retry_after": "none", "burst_seconds": 0.1}, 20, id="rate-silent"),
        pytest.param({"rps": 20, "retry_after": "exact"}, 20, id="rate-exact"),
        pytest.param({"concurrency": 6, "retry_after": "none"}, 6 / 0.2, id="slots"),
    ],
)
def test_a_real_storm_finds_the_capacity_and_costs_the_other_target_nothing(capacity: Any, true: float) -> None:
    throttled = Script.model_validate({"latency": 0.2, "capacity": capacity})
    other = Script.model_validate({"latency": 0.2})
    with FakeProcess(throttled) as one, FakeProcess(other) as two:
        got, beside = asyncio.run(_stormed(one.base_url, two.base_url, warm=20, span=10))
    assert got >= 0.9 * true * 0.95  # the last twentieth is the loopback's own round trip
    assert beside >= 0.9 * 4 / 0.2


@pytest.mark.heavy
def test_a_thousand_slow_streams_take_less_than_300_mb() -> None:
    import json
    import subprocess
    import sys

    script = Path(__file__).parents[2] / "bench" / "streams.py"
    ran = subprocess.run([sys.executable, str(script), "--tokens", "40"], capture_output=True, timeout=300, check=True)
    found = json.loads(ran.stdout)
    assert found["ends"] == {"ok": 1000}
    assert found["at_once"] == 1000
    assert found["peak_mb"] < 300
