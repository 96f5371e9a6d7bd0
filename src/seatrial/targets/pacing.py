"""Requests a second, learnt from refusals, for providers that limit a rate rather than what is in flight.

A limit on requests in flight refuses only what comes on top of so many. A provider that refused a request while few
were out, and later holds more, limits something else: a rate. `Evidence` tells the two apart. `Pace` then spaces the
sends evenly (a bucket without room for bursts refuses half of what comes in clumps) and searches the rate as BIC
searches a window (Xu, Harfoush and Rhee 2004): half-way between what worked and what was refused, a while at the best
that is known, then a careful step beyond. Pure: both are told the time.
"""

from __future__ import annotations

import math
from collections import deque

RECENT = 0.9
RECENT_PER_PAUSE = 5.0
RECENT_PER_ANSWER = 2.0
"""For how long a refusal is evidence: in seconds, in waits that it asks for, or in an answer's times, whichever is the
most. A level is not tried again sooner."""
UNLIKELY = 6
LONELY_WITHIN = 30.0
"""So many refusals that a limit on requests in flight would hardly give prove a rate. A refusal of the only request out
counts for so many seconds."""

GRACE = 3.0
"""A request out for so many times a refusal's round trip has been taken."""

SETTLING = 0.02
EPOCH_SENDS = 8
EPOCH_SECONDS = 0.25
USED = 0.7
FASTER = 1.5
SLOWER = 0.8
CLOSE = 0.97
STEP = 1.06
FIRST_HOLD = 5.0
LONGEST_HOLD = 60.0
CATCH_UP = 0.005


class Evidence:
    """Whether refusals can be explained by a limit on requests in flight.

    At a refusal at most so many were being answered: those still out, and those answered since it was sent. When more
    than the least such number are later held at once, no limit on requests in flight can have refused it.
    """

    def __init__(self) -> None:
        self.round_trip = 0.0
        self.answer_time = 0.0
        self._least = math.inf
        self._until = -math.inf
        self._since = -math.inf
        self._before = 0
        self._answered = 0
        self._recent: deque[float] = deque()
        self._unlikely: list[float] = []

    def answers(self, now: float) -> int:
        """How many answers there were, to be noted when a request is sent.

        Those of the last round trip are left out: the provider may not have freed their places yet.
        """
        window = max(SETTLING, self.round_trip)
        while self._recent and self._recent[0] < now - window:
            self._recent.popleft()
        return self._answered - len(self._recent)

    def answered(self, now: float, age: float) -> None:
        """An answer came, `age` seconds after its request was sent."""
        self.answer_time = _smoothed(self.answer_time, age)
        self._answered += 1
        self._recent.append(now)
        self.answers(now)

    def waits(self, now: float) -> bool:
        """Whether there was a refusal that later answers may explain."""
        return now <= self._until

    def refused(self, now: float, age: float, others: int, answers: int, pause: float) -> None:
        """A refusal came, `age` seconds after it was sent; `answers` as noted then, `others` are still out now."""
        self.round_trip = _smoothed(self.round_trip, age)
        if not self.waits(now):
            self._least, self._since, self._before = math.inf, now, self._answered
        if not others and not (self._recent and self._recent[-1] > now - age):
            self.unlikely(now, LONELY_WITHIN)
        bound = others + self._answered - answers
        if bound <= self._least:
            recent = max(RECENT, RECENT_PER_PAUSE * pause, RECENT_PER_ANSWER * self.answer_time)
            self._least, self._until = bound, now + recent

    def unlikely(self, now: float, within: float) -> None:
        """A refusal came that a limit on requests in flight would hardly give; it counts for so many seconds."""
        self._unlikely = [*(end for end in self._unlikely if end > now), now + within]

    def contradicted(self, now: float, held: int) -> bool:
        """Whether the provider certainly works on more now (`held`) than when it refused; which is then forgotten.

        Nor can such a limit refuse the only request out, time and again.
        """
        if len(self._unlikely) >= UNLIKELY or (self.waits(now) and held > self._least):
            self._until, self._unlikely = -math.inf, []
            return True
        return False

    def rate(self, now: float, fresh: int, last: float) -> float:
        """The rate a second at which requests were taken since the first refusal of this kind.

        `fresh` of those still out were sent since then, the last at `last`.
        """
        answers = self._answered - self._before
        span = max((now if answers > 1 else last) - self._since, self.round_trip, 1e-3)
        return max(1, answers + fresh) / span

    @property
    def since(self) -> float:
        """When the first refusal came that is not explained yet."""
        return self._since


def _smoothed(known: float, seconds: float) -> float:
    """The moving average with one more value; the first one is taken as it is."""
    return known + 0.2 * (seconds - known) if known else seconds


class Pace:
    """How many requests a second to send: infinite until it is learnt that there is such a limit."""

    def __init__(self) -> None:
        self.rate = math.inf
        self._next = -math.inf
        self._good = 0.0
        self._bad = math.inf
        self._cut_at = -math.inf
        self._hold = FIRST_HOLD
        self._hold_until = -math.inf
        self._began = 0.0
        self._sent = 0
        self._refused = 0

    @property
    def learnt(self) -> bool:
        """Whether there is a limit."""
        return self.rate < math.inf

    def start(self, now: float, rate: float) -> None:
        """Begin at a rate that was seen to be taken."""
        self.rate, self._cut_at, self._next = rate, now, now + 1 / rate
        self._begin(now)

    @property
    def at(self) -> float:
        """When the next request may be sent."""
        return self._next

    def sent(self, now: float, round_trip: float) -> None:
        """A request is sent: go faster where a stretch of sends at this rate went well."""
        if not self.learnt:
            return
        self._next = max(self._next, now - CATCH_UP) + 1 / self.rate
        self._sent += 1
        if self._sent > EPOCH_SENDS and now - self._began > max(EPOCH_SECONDS, 2 * round_trip):
            self._judge(now)

    def _judge(self, now: float) -> None:
        used = self._sent > USED * self.rate * (now - self._began)
        if used and not self._refused:
            self._good = max(self._good, self.rate)
            if self.rate < CLOSE * self._bad:
                self.rate = min(self.rate * FASTER, (self.rate + self._bad) / 2)
            elif now >= self._hold_until:
                self._bad *= STEP
                self.rate = self._bad * CLOSE
        self._begin(now)

    def refused(self, now: float, started: float) -> bool:
        """A refusal came; true when it is news: sent after the last cut."""
        if started < self._cut_at:
            return False
        self._refused += 1
        if self._refused < 2 and self._sent > EPOCH_SENDS:
            return True
        self._bad = self.rate
        if self.rate <= self._good:
            self._good = 0.0
        self.rate = max(self._good, self.rate * SLOWER)
        self._hold = min(LONGEST_HOLD, self._hold * 1.5)
        self._hold_until = now + self._hold
        self._cut_at = now
        self._begin(now)
        return True

    def _begin(self, now: float) -> None:
        self._began, self._sent, self._refused = now, 0, 0
