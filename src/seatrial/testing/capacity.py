"""The provider's true limits: token buckets and a limit of requests being answered at once."""

from __future__ import annotations

from seatrial.testing.script import Capacity


class Bucket:
    """A token bucket: it fills at `rate` a second up to `size`, and starts full."""

    def __init__(self, rate: float, size: float, now: float) -> None:
        self.rate, self.size = rate, size
        self._level, self._at = size, now

    def lacking(self, amount: float, now: float) -> float:
        """Seconds until the amount is there; 0 when it is. An amount above the size needs a full bucket."""
        self._level = min(self.size, self._level + (now - self._at) * self.rate)
        self._at = now
        return max(0.0, (min(amount, self.size) - self._level - 1e-9) / self.rate)

    def take(self, amount: float) -> None:
        """Take the amount; the level may fall below 0 when the amount is larger than the bucket."""
        self._level -= amount


class Limits:
    """One client's share of the capacity."""

    def __init__(self, capacity: Capacity, now: float) -> None:
        self._most = capacity.concurrency
        rates = ((capacity.rps, 1.0), (capacity.rpm, 60.0))
        self._requests = [_bucket(rate / span, capacity, now) for rate, span in rates if rate is not None]
        self._tokens = [] if capacity.tpm is None else [_bucket(capacity.tpm / 60, capacity, now)]
        self.active = 0

    def admit(self, tokens: int, now: float) -> float | None:
        """None when the request may be answered, which is then counted; else seconds until it may be."""
        if self._most is not None and self.active >= self._most:
            return 0.0
        asks = [(bucket, 1.0) for bucket in self._requests] + [(bucket, float(tokens)) for bucket in self._tokens]
        wait = max((bucket.lacking(amount, now) for bucket, amount in asks), default=0.0)
        if wait > 0:
            return wait
        for bucket, amount in asks:
            bucket.take(amount)
        self.active += 1
        return None

    def release(self) -> None:
        """A request that was admitted is over."""
        self.active -= 1


def _bucket(rate: float, capacity: Capacity, now: float) -> Bucket:
    return Bucket(rate, max(1.0, rate * capacity.burst_seconds), now)
