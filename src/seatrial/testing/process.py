"""The fake provider in a process of its own, and as a command."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any, Self

from seatrial.core.identity import encode, loads
from seatrial.core.record import Json
from seatrial.errors import UsageError
from seatrial.testing.counters import PerInput, Stats
from seatrial.testing.dialects.base import Messages, input_key
from seatrial.testing.provider import FakeProvider
from seatrial.testing.script import Script

STOP_SECONDS = 5.0


def serve(
    script: Script,
    host: str = "127.0.0.1",
    port: int = 0,
    announce: Callable[[str], None] = print,
) -> Stats:
    """Serve until Ctrl-C or SIGTERM. `announce` gets the base URL. Gives the final counts; raises UsageError."""
    return asyncio.run(_serve(FakeProvider(script, host=host, port=port), announce))


async def _serve(provider: FakeProvider, announce: Callable[[str], None]) -> Stats:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with provider:
        announce(provider.base_url)
        await stop.wait()
        return provider.stats


class FakeProcess:
    """A fake provider in a process of its own, with the same questions and commands as FakeProvider.

    It ends with its block, by its own process id, and by itself when this process is gone.
    """

    def __init__(self, script: Script, host: str = "127.0.0.1", port: int = 0) -> None:
        self.script, self.host, self.port = script, host, port
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "seatrial.testing.process"]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # our own module
        self._child = child
        assert child.stdin is not None
        assert child.stdout is not None
        order = {"script": self.script.portable(), "host": self.host, "port": self.port}
        with suppress(BrokenPipeError):
            child.stdin.write(encode(order) + b"\n")
            child.stdin.flush()
        line = child.stdout.readline()
        said = loads(line) if line else {"error": "The fake provider's process ended at once."}
        if "error" in said:
            self._stop()
            raise UsageError(said["error"], hint=said.get("hint", ""))
        self.port = int(said["port"])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        child, self._child = self._child, None
        assert child is not None
        with child:  # closes its pipes and waits for it
            if child.stdin is not None:
                with suppress(BrokenPipeError):
                    child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._child is not None
        return self._child.pid

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """What OpenAI clients call the base URL."""
        return f"{self.url}/v1"

    @property
    def stats(self) -> Stats:
        """A snapshot of the counters."""
        counts: dict[str, Any] = self._control("GET", "stats")
        return Stats(**counts)

    @property
    def calls(self) -> int:
        """Requests for an answer, refused ones included."""
        return self.stats.calls

    @property
    def log(self) -> Sequence[Mapping[str, Json]]:
        """The last calls, oldest first, as plain values without their headers."""
        return self._control("GET", "log")

    def per_input(self, messages: Messages | str, model: str | None = None) -> PerInput:
        """The counts of one prompt, given as messages or as the text of one user message."""
        key = input_key(messages)
        rows = self._control("GET", "stats?inputs")["per_input"]
        found = [row for row in rows if row["key"] == key and model in (None, row["model"])]
        return PerInput(*(sum(row[name] for row in found) for name in ("calls", "served", "again")))

    def calls_for(self, messages: Messages | str, model: str | None = None) -> int:
        """How often a prompt was asked."""
        return self.per_input(messages, model).calls

    def switch(self, variant: str = "") -> None:
        """Answer by another variant from now on, silently. Raises UsageError."""
        self._control("POST", "switch", {"to": variant})

    def reset(self) -> None:
        """Forget every count, the attempts seen and any switch made."""
        self._control("POST", "reset", {})

    def load(self, script: Script) -> None:
        """Follow another script from now on, with counters at zero."""
        self._control("POST", "script", script.portable())
        self.script = script

    def _control(self, method: str, command: str, body: Mapping[str, Any] | None = None) -> Any:
        connection = HTTPConnection(self.host, self.port, timeout=STOP_SECONDS * 6)
        try:
            connection.request(method, f"/_fake/{command}", None if body is None else encode(body))
            answer = connection.getresponse()
            said = loads(answer.read())
        except (OSError, HTTPException) as cause:
            raise UsageError(f"The fake provider's process does not answer: {cause}.") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise UsageError(said["error"]["message"])
        return said


async def _child() -> None:
    """Serve what the first line of standard input orders, until standard input ends."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=2**30)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C is for the parent, which then ends this process
    order = loads(await orders.readline())
    stop = asyncio.create_task(orders.read())
    loop.add_signal_handler(signal.SIGTERM, stop.cancel)
    try:
        provider = FakeProvider(Script.model_validate(order["script"]), host=order["host"], port=order["port"])
        async with provider as fake:
            _say({"port": fake.port, "pid": os.getpid()})
            with suppress(asyncio.CancelledError):
                await stop
    except UsageError as cause:
        _say({"error": cause.problem, "hint": cause.hint})
    transport.close()


def _say(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_child())
