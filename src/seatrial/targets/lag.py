"""Whether our own event loop was late: a latency measured meanwhile says little about the provider."""

from __future__ import annotations

import asyncio

INTERVAL = 0.05
LATE = 0.1


class LagMonitor:
    """A timer that notes when it comes more than 100 ms too late. Costs 20 wake-ups a second while it runs."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._late_at = float("-inf")

    def start(self) -> None:
        """Start on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._schedule()

    def stop(self) -> None:
        """Stop; harmless when it does not run."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def late_since(self, started: float) -> bool:
        """Whether the loop was late at any time since `started` (on the loop's clock)."""
        if self._loop is None or self._timer is None:
            return False
        return self._late_at >= started or self._loop.time() - self._due > LATE

    def _schedule(self) -> None:
        assert self._loop is not None
        self._due = self._loop.time() + INTERVAL
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        assert self._loop is not None
        now = self._loop.time()
        if now - self._due > LATE:
            self._late_at = now
        self._schedule()
