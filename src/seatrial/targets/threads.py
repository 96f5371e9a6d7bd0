"""Daemon threads for calls that cannot be cancelled: one that hangs neither costs a place nor stops the exit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class Threads:
    """Runs functions off the loop, each in an idle thread or a new one: whoever calls bounds how many at once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = 0
        self._started = 0
        self._lock = threading.Lock()

    async def run(self, function: Callable[[], Any]) -> Any:
        """The function's result, or what it raises. A call that is given up goes on in its thread, unheard."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            fresh = self._idle == 0
            if fresh:
                self._started += 1
            else:
                self._idle -= 1
        self._jobs.put((loop, done, function))
        if fresh:
            threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        returned, value = await done
        if returned:
            return value
        raise value

    def close(self) -> None:
        """Let idle threads end; a busy one ends after its call."""
        with self._lock:
            for _ in range(self._started):
                self._jobs.put(None)
            self._started = self._idle = 0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, done, function = job
            try:
                result = True, function()
            except BaseException as cause:  # noqa: BLE001  # it is raised again where it is awaited
                result = False, cause
            with self._lock:
                self._idle += 1
            try:
                loop.call_soon_threadsafe(_settle, done, result)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return


def _settle(done: asyncio.Future[Any], result: tuple[bool, Any]) -> None:
    if not done.done():
        done.set_result(result)
