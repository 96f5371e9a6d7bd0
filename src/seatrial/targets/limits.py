"""What a provider can take: requests in flight, requests and tokens per minute, and pauses it asks for.

Concurrency starts at its cap and follows additive increase, multiplicative decrease (Chiu and Jain 1989): a refusal
(429) cuts it, at most once per round trip; answers raise it again. Near the level that was last refused it holds for
a while before it tries more, as CUBIC does (RFC 9438). Once it was cut, sends are spread over the time that an answer
takes: what is refused only because two came at once says nothing of how many may be in flight. Where refusals show that
a rate is limited instead, sends are spaced at a rate that is learnt (see `pacing`).

The wait that a refusal asks for is its own request's. It holds the whole target where several were refused and none was
answered between: a provider that still takes others did not mean them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from seatrial.targets.pacing import GRACE, Evidence, Pace

CUT = 0.9
DEEP_CUT = 0.5
HOLD = 1.0
TICK = 1e-6
LOOK_EVERY = 0.05
FEW = 4
SOON = 2.0
SPREAD = 0.8
"""The share of an answer's time over which as many requests as may be in flight are sent."""


@dataclass(slots=True)
class Bucket:
    """A token bucket that may go into debt: admits while its level is not negative.

    It refills at `rate` per second and holds at most one second's worth (or 1), so that no minute sees a burst.
    """

    rate: float
    level: float
    at: float

    @classmethod
    def per_minute(cls, amount: float, now: float) -> Bucket:
        """A full bucket for so many a minute."""
        return cls(amount / 60, max(amount / 60, 1.0), now)

    def wait(self, now: float, need: float) -> float:
        """Seconds until `need` may be taken (of a large need, only what the bucket can hold must be there)."""
        most = max(self.rate, 1.0)
        self.level = min(most, self.level + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (min(need, most) - self.level) / self.rate)

    def take(self, amount: float) -> None:
        """Take, or with a negative amount give back."""
        self.level -= amount


@dataclass(slots=True, eq=False)
class Slot:
    """Leave to send one request: when it was given, the tokens reserved for it, and how many answers came before."""

    started: float
    tokens: float
    answers: int = 0


class Aimd:
    """How many requests may be in flight, learnt from refusals. Pure: it is told the time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.cap = float(most)
        self.again = False
        self._step = 1.0
        self._ceiling = float("inf")
        self._cut_at = float("-inf")
        self._hold_until = float("-inf")
        self._floor = 1.0

    def reset(self) -> None:
        """Forget what was learnt: the refusals had another cause."""
        self.cap, self._ceiling, self._hold_until = float(self.most), float("inf"), float("-inf")

    def answered(self, now: float) -> None:
        """An answer came: grow by one per round trip, but hold below the level that was refused."""
        if self.cap >= self.most:
            return
        limit = float(self.most)
        if self.cap + 1 >= self._ceiling:
            if now < self._hold_until:
                return
            if self.cap > self._ceiling:
                self._ceiling = float("inf")
        if self._ceiling == float("inf"):
            self._step *= 1 + 1 / self.cap
        self.cap = min(limit, self.cap + self._step / self.cap)

    def refused(self, now: float, started: float, in_flight: int) -> bool:
        """A refusal came. True when it is news: sent after the last cut. `in_flight` are those still out.

        The first of a round trip cuts by a tenth, by one at least. When the level that should have been safe was
        refused, its companions cut on, down to how many the provider holds on to, by half at most.
        """
        if started < self._cut_at:
            self.cap = max(self._floor, min(self.cap, float(in_flight)))
            return False
        self._ceiling, self._step = self.cap, 1.0
        self.again = now < self._hold_until
        self._floor = max(1.0, self.cap * (DEEP_CUT if self.again else CUT))
        self.cap = max(1.0, min(self.cap * CUT, math.ceil(self.cap) - 1))
        self._cut_at = now
        self._hold_until = now + HOLD
        return True


class Limits:
    """Gives out leave to send. One per target; not for several threads.

    `concurrency`: the most in flight. `rpm`, `tpm`: requests and tokens per minute, or None. `clock`: seconds.
    """

    def __init__(
        self,
        concurrency: int,
        rpm: float | None = None,
        tpm: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._aimd = Aimd(concurrency)
        now = clock()
        self._requests = None if rpm is None else Bucket.per_minute(rpm, now)
        self._tokens = None if tpm is None else Bucket.per_minute(tpm, now)
        self._out: dict[Slot, None] = {}
        self._look_at = float("-inf")
        self._evidence, self._pace = Evidence(), Pace()
        self._refused_in_a_row = 0
        self._spread_until = self._paused_until = float("-inf")
        self._queue: deque[tuple[asyncio.Future[Slot], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def counts_tokens(self) -> bool:
        """Whether a reservation of tokens is wanted."""
        return self._tokens is not None

    @property
    def cap(self) -> float:
        """How many may be in flight now."""
        return self._aimd.cap

    @property
    def in_flight(self) -> int:
        """How many are out."""
        return len(self._out)

    async def acquire(self, tokens: float = 0) -> Slot:
        """Wait for leave to send a request of about so many tokens. Every slot must be released."""
        now = self._clock()
        if not self._queue and len(self._out) < int(self._aimd.cap) and self._wait(now, tokens) <= 0:
            return self._give(now, tokens)
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, tokens))
        self._pump()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(turn.result(), used=0)
            raise

    def release(self, slot: Slot, used: float | None = None) -> None:
        """Give the slot back. `used`: the tokens that really went through; None keeps the estimate."""
        self._out.pop(slot, None)
        if self._tokens is not None and used is not None:
            self._tokens.take(used - slot.tokens)
        if self._queue:
            self._pump()

    def answered(self, slot: Slot) -> None:
        """Tell that the provider took the request."""
        now = self._clock()
        self._refused_in_a_row = 0
        self._evidence.answered(now, now - slot.started)
        if now >= self._look_at:
            self._look(now)
        if self._aimd.cap < self._aimd.most:
            self._aimd.answered(now)

    def refused(self, slot: Slot, pause: float | None = None) -> bool:
        """Tell of a refusal for too many requests, with the provider's Retry-After in seconds.

        Returns whether it was news; a refusal of what was sent before the last cut is not.
        """
        now, pause = self._clock(), pause or 0.0
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= FEW:
            self.pause(pause)
        if self._pace.learnt:
            return self._pace.refused(now, slot.started)
        others = len(self._out) - 1
        self._evidence.refused(now, now - slot.started, others, slot.answers, pause)
        if self._look(now, slot):
            return True
        news = self._aimd.refused(now, slot.started, others)
        if news and self._aimd.again and self._aimd.cap < FEW:
            self._evidence.unlikely(now, SOON)
        return news

    def _look(self, now: float, refused: Slot | None = None) -> bool:
        """Whether what is out shows that a rate is limited; from then on sends are paced."""
        evidence = self._evidence
        if self._pace.learnt:
            return False
        self._look_at = now + LOOK_EVERY
        taken = now - GRACE * evidence.round_trip
        held = [out.started for out in takewhile(lambda out: out.started < taken, self._out) if out is not refused]
        if not evidence.contradicted(now, len(held)):
            return False
        fresh = sum(1 for started in held if started > evidence.since)
        self._pace.start(now, evidence.rate(now, fresh, held[-1] if held else now))
        self._aimd.reset()
        return True

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _wait(self, now: float, tokens: float) -> float:
        wait = max(self._paused_until, self._spread_until, self._pace.at) - now
        if self._requests is not None:
            wait = max(wait, self._requests.wait(now, 1))
        if self._tokens is not None:
            wait = max(wait, self._tokens.wait(now, tokens))
        return wait if wait > TICK else 0.0

    def _give(self, now: float, tokens: float) -> Slot:
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(tokens)
        self._pace.sent(now, self._evidence.round_trip)
        if self._aimd.cap < self._aimd.most:
            self._spread_until = now + SPREAD * self._evidence.answer_time / self._aimd.cap
        slot = Slot(now, tokens, self._evidence.answers(now))
        self._out[slot] = None
        return slot

    def _pump(self) -> None:
        """Give leave to those who wait, in order, as far as the limits allow; come back when more time has passed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and len(self._out) < int(self._aimd.cap):
            turn, tokens = self._queue[0]
            if turn.done():
                self._queue.popleft()
                continue
            now = self._clock()
            wait = self._wait(now, tokens)
            if wait > 0:
                self._timer = asyncio.get_running_loop().call_later(wait, self._pump)
                return
            self._queue.popleft()
            turn.set_result(self._give(now, tokens))
        if self._queue and not self._pace.learnt and self._evidence.waits(self._clock()):
            self._timer = asyncio.get_running_loop().call_later(2 * LOOK_EVERY, self._peek)

    def _peek(self) -> None:
        """Look whether the provider took more than it seemed to allow, then go on."""
        self._timer = None
        self._look(self._clock())
        self._pump()
