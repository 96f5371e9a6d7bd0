"""The adapter `python:module:function`: your own code as a target."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from seatrial.core.case import Case
from seatrial.core.message import without_bytes
from seatrial.core.output import Failure, Output, Request, Usage
from seatrial.core.plugins import load_function
from seatrial.core.record import Json, as_dict
from seatrial.core.suite import TargetSpec
from seatrial.errors import safe
from seatrial.targets.account import REPORTED
from seatrial.targets.lag import LagMonitor
from seatrial.targets.limits import Limits
from seatrial.targets.outcomes import now, outcome
from seatrial.targets.prices import prices_of
from seatrial.targets.redact import Redactor
from seatrial.targets.settings import fail, unknown_keys
from seatrial.targets.threads import Threads

ADAPTER = "python/1"
LONGEST_MESSAGE = 500
SHOWN_FAULTS = 3


class PythonFunction:
    """A function, sync (run in a thread) or async, called with one `Request`.

    It may return text; an Output; or a dict of an Output's fields, where `text` and `tool_calls` stand for one
    assistant message. What it raises, and anything else it returns, is an infra failure: it is not called again.
    """

    reads: ClassVar[frozenset[str]] = frozenset(
        {"params", "arrival", "concurrency", "rpm", "tpm", "timeout", "deadline", "price", "options"}
    )

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Import the function. Raises BrokenPluginError and TargetConfigError.

        Secrets in `environ` are masked in what the function raises. `options` may hold a `version`: what
        else the function's answers depend on.
        """
        self._redactor = Redactor.of_environment(environ)
        fail(name, unknown_keys(name, "options", spec.options, ["version"]))
        self.name = name
        self.concurrency = spec.concurrency
        self._spec = spec
        self._reference = spec.use.partition(":")[2]
        self._function, self._source = load_function(self._reference, folder)
        self._is_async = inspect.iscoroutinefunction(self._function) or inspect.iscoroutinefunction(
            getattr(self._function, "__call__", None)  # noqa: B004  # the method itself is looked at
        )
        self._limits = Limits(spec.concurrency, spec.rpm, spec.tpm)
        self._threads = Threads(f"seatrial-{name}")
        self._lag = LagMonitor()

    def identity(self) -> Mapping[str, Json]:
        """The function's reference, the sha256 of its module's source, and its version where one is given."""
        return {
            "adapter": ADAPTER,
            "function": self._reference,
            "source": self._source,
            "options": dict(self._spec.options),
            **({"deadline": self._spec.deadline} if self._spec.deadline is not None else {}),
        }

    def sent(self, case: Case, request: Request) -> Mapping[str, Json]:
        """The whole request, and what the function is."""
        del case
        return {
            **self.identity(),
            "messages": without_bytes([message.plain() for message in request.messages]),
            "tools": [tool.plain() for tool in request.tools],
            "params": dict(request.params),
            "context": [document.plain() for document in request.context],
            "seed": request.seed,
        }

    async def open(self) -> None:
        """Watch the loop."""
        self._lag.start()

    async def close(self) -> None:
        """Let the threads end."""
        self._lag.stop()
        self._threads.close()

    async def generate(self, case: Case, request: Request) -> Output:
        """Call the function once. A time-out leaves a sync function running in its thread, unheard."""
        del case
        tokens = len(request.text) / 4 if self._limits.counts_tokens else 0
        slot = await self._limits.acquire(tokens)
        used: float | None = None
        try:
            output = self._masked(await self._call(request))
            counts = (output.usage.input, output.usage.output)
            used = float(sum(n for n in counts if n)) or None
        finally:
            self._limits.release(slot, used)
        return outcome(output, self._spec.deadline)

    async def _call(self, request: Request) -> Output:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self._spec.timeout) as limit:
                try:
                    returned = await self._invoke(request)
                except TimeoutError as cause:
                    if limit.expired():
                        raise
                    return _failed("exception", _describe(cause))
        except TimeoutError:
            return _failed("timeout", f"no answer within {self._spec.timeout:g} s")
        except asyncio.CancelledError as cause:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return _failed("exception", _describe(cause))
        except (Exception, SystemExit) as cause:  # noqa: BLE001  # user code may raise anything
            return _failed("exception", _describe(cause))
        total = loop.time() - started
        return self._finish(returned, total, self._lag.late_since(started))

    def _masked(self, output: Output) -> Output:
        """An exception's text may hold what the function read from the environment."""
        failure = output.failure
        if failure is None or (message := self._redactor.text(failure.message)) == failure.message:
            return output
        return Output.model_validate({**output.plain(), "failure": {**failure.plain(), "message": message}})

    async def _invoke(self, request: Request) -> Any:
        returned: Any = self._function(request) if self._is_async else await self._off_loop(request)
        return await returned if inspect.isawaitable(returned) else returned

    async def _off_loop(self, request: Request) -> Any:
        return await self._threads.run(lambda: self._function(request))

    def _finish(self, returned: Any, total: float, lagged: bool) -> Output:
        try:
            output = as_output(returned)
            own = output.timing
            timing = own if own.total is not None else own.model_copy(update={"total": total, "lagged": lagged})
            output = self._priced(output)
            finished_at = output.finished_at or now()
            output = output.model_copy(update={"timing": timing, "finished_at": finished_at})
            _ = output.hash  # what cannot be hashed cannot be kept
        except (ValueError, TypeError, RecursionError, OverflowError) as cause:
            return _failed("bad_return", _describe(cause))
        return output

    def price(self, usage: Usage) -> tuple[float | None, str]:
        """What so many tokens would cost by the suite's price."""
        prices = prices_of(self._spec)
        dollars = prices.cost(usage)
        return dollars, prices.source if dollars is not None else ""

    def _priced(self, output: Output) -> Output:
        """With its own cost where it says one, else by the suite's price."""
        if output.cost is not None:
            return output if output.price_source else output.model_copy(update={"price_source": REPORTED})
        dollars, source = self.price(output.usage)
        return output.model_copy(update={"cost": dollars, "price_source": source})


def as_output(returned: Any) -> Output:
    """What a function returned, as an Output. Raises ValueError (pydantic's included) or TypeError."""
    if isinstance(returned, Output):
        return returned
    if isinstance(returned, str):
        return Output.of(returned)
    fields = as_dict(returned)
    if fields is None:
        raise TypeError(f"returned {type(returned).__name__}; it may return text, a dict or an Output")
    if "text" not in fields and "tool_calls" not in fields:
        return Output.model_validate(fields)
    if "messages" in fields:
        raise ValueError("returned messages beside text or tool_calls; give one or the other")
    rest = {key: value for key, value in fields.items() if key not in ("text", "tool_calls")}
    message = {"role": "assistant", "content": fields.get("text", ""), "tool_calls": fields.get("tool_calls") or ()}
    return Output.model_validate({**rest, "messages": [message]})


def _describe(cause: BaseException) -> str:
    if isinstance(cause, ValidationError):
        faults = cause.errors(include_url=False, include_context=False)
        shown = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults[:SHOWN_FAULTS])
        return safe(f"the returned value is no Output: {shown}", LONGEST_MESSAGE)
    try:
        text = str(cause)
    except Exception:  # noqa: BLE001  # a broken __str__ is the user's too
        text = ""
    return safe(f"{type(cause).__name__}: {text}", LONGEST_MESSAGE)


def _failed(code: str, message: str) -> Output:
    return Output(failure=Failure(kind="infra", code=code, message=message), finished_at=now())
