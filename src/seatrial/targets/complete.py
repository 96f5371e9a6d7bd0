"""The same call from Python for every provider: `complete`, and `acomplete` on a running loop.

What a call opens is kept for the next one of the same settings on the same event loop, and closed when the loop
shuts its asynchronous generators down, as `asyncio.run` does at its end: each kept target is owned by one.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from seatrial.core import wire
from seatrial.core.case import Case
from seatrial.core.message import Message
from seatrial.core.output import Failure, Output, Request
from seatrial.core.protocols import Target
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.suite import TargetSpec
from seatrial.errors import Problem, TargetDownError, UsageError, safe
from seatrial.targets import build
from seatrial.targets.outcomes import now
from seatrial.targets.retry import Fault

T = TypeVar("T")
Messages = str | Sequence[Message | Mapping[str, Json]]

SETTINGS = frozenset(TargetSpec.model_fields) - {"use", "params"}
"""Keywords that say where and how a model is asked: the fields of a suite's target."""

KEYS = frozenset({"api_key", "apikey", "api_token", "auth_token"})
NEAR = 0.8
MOST_CHECKED = 1024
STOP_SECONDS = 5.0


async def acomplete(model: str | Target, messages: Messages, **given: Any) -> Output:
    """Ask a model once, with retries: any `use` of a suite, or a target that was built and is not open.

    `messages`: text, or OpenAI's chat messages (images, tool calls and results included), or Message records.
    `tools`, `seed` and the settings of a suite's target (`base_url`, `api_key_env`, `timeout`, `stream` …) are read
    as such, `params` and all other keywords are parameters of the model, like `temperature`. Connections and limits
    are kept for later calls with the same settings on this loop.

    What a provider does is an Output, with a `failure` where there is no usable answer. Raises ConfigError where the
    call itself is wrong (UsageError, TargetConfigError, UnknownPluginError, MissingSecretError …).
    """
    asked = _Asked.of(given)
    request = _request(messages, asked)
    return await _kept(model, asked).ask(request)


def complete(model: str | Target, messages: Messages, **given: Any) -> Output:
    """`acomplete` for code without an event loop, and inside a running one like Jupyter's, which waits meanwhile.

    All calls share one background thread with its own loop, so that connections are kept; it ends with the process.
    """
    return _background.run(acomplete(model, messages, **given))


async def aclose() -> None:
    """Close all that `acomplete` keeps open on this loop, once no call is under way.

    Only a loop that lives on without asking needs it: `asyncio.run` does so at its end.
    """
    for kept in list(_house().open.values()):
        await kept.close()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call's keywords, sorted."""

    settings: dict[str, Any]
    params: dict[str, Json]
    tools: Any = ()
    seed: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> _Asked:
        rest = dict(given)
        tools, seed = rest.pop("tools", None) or (), rest.pop("seed", None)
        params = as_dict(rest.pop("params", {}))
        if params is None:
            raise UsageError("params is no dict of parameters.", hint="write params={'top_p': 0.9}")
        settings = {key: rest.pop(key) for key in given if key in SETTINGS}
        problems = [
            *(_misplaced(key) for key in rest if key.lower() in KEYS),
            *_misspelt(rest),
            *(Problem("is given twice", key=key, hint="leave it out of params") for key in rest if key in params),
        ]
        if problems:
            raise UsageError("The call cannot be made as it is written.", problems=problems)
        return cls(settings, {**params, **rest}, tools, seed)


def _misplaced(key: str) -> Problem:
    return Problem("a key is no argument", key=key, hint="name its environment variable under api_key_env")


def _misspelt(rest: Mapping[str, Any]) -> list[Problem]:
    near = {key: get_close_matches(key, SETTINGS, n=1, cutoff=NEAR) for key in rest}
    hint = "write that, or hand a parameter that is really named so over in params={…}"
    return [
        Problem(f"is no setting; did you mean {found[0]}?", key=key, hint=hint) for key, found in near.items() if found
    ]


def _request(messages: Messages, asked: _Asked) -> Request:
    said: Any = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    if not isinstance(said, Sequence) or not said:
        raise UsageError("There is no message to send.", hint="give text, or a list of messages with role and content")
    fields = {
        "messages": wire.messages(list(cast("Sequence[Any]", said))),
        "tools": wire.tools(as_list(asked.tools) or asked.tools),
        "params": asked.params,
        "seed": asked.seed,
    }
    return _valid(Request, fields, "The messages, tools or parameters cannot be sent.")


def _valid(record: type[T], fields: Mapping[str, Any], problem: str) -> T:
    try:
        return cast("Any", record).model_validate(fields)
    except ValidationError as cause:
        faults = cause.errors(include_url=False, include_context=False, include_input=False)
        problems = [
            Problem(fault["msg"].removeprefix("Value error, "), key=".".join(map(str, fault["loc"])))
            for fault in faults
        ]
        raise UsageError(problem, problems=problems) from None


def _refused(down: TargetDownError) -> Output:
    fault = down.__cause__
    code, status = (fault.code, fault.status) if isinstance(fault, Fault) else ("down", None)
    failure = Failure(kind="infra", code=code, message=down.problem, http_status=status)
    return Output(failure=failure, finished_at=now())


class _Kept:
    """A target that is opened once on its loop, asked concurrently, and closed once."""

    def __init__(self, house: _House, key: str, target: Target) -> None:
        self._house, self._key, self._target = house, key, target
        self._opening = asyncio.Lock()
        self._owner: AsyncGenerator[None] | None = None
        self._callers = 0

    async def ask(self, request: Request) -> Output:
        """What the target gives. One that is down is kept no longer: its key may be another one the next time."""
        await self._open()
        self._callers += 1
        try:
            return await self._target.generate(Case(id="call", input=request.messages, tools=request.tools), request)
        except TargetDownError as down:
            self._forget()
            return _refused(down)
        finally:
            self._callers -= 1
            if not self._callers and self._house.open.get(self._key) is not self:
                await self.close()

    async def close(self) -> None:
        """Close the target, if it is open."""
        if self._owner is not None:
            await self._owner.aclose()

    async def _open(self) -> None:
        if self._owner is not None:
            return
        async with self._opening:
            if self._owner is None:
                owner = self._own()
                await anext(owner)
                self._owner = owner

    async def _own(self) -> AsyncGenerator[None]:
        """Holds the target open until it is closed itself: by `close`, or by the loop's end."""
        try:
            await self._target.open()
            yield
        finally:
            self._forget()
            await self._target.close()

    def _forget(self) -> None:
        if self._house.open.get(self._key) is self:
            del self._house.open[self._key]


@dataclass(slots=True)
class _House:
    """What one event loop keeps: targets by their settings, and the calls that were found to be right."""

    open: dict[str, _Kept] = field(default_factory=dict[str, _Kept])
    checked: set[str] = field(default_factory=set[str])


_houses: WeakKeyDictionary[asyncio.AbstractEventLoop, _House] = WeakKeyDictionary()


def _house() -> _House:
    return _houses.setdefault(asyncio.get_running_loop(), _House())


def _kept(model: str | Target, asked: _Asked) -> _Kept:
    """The target for a call. It is checked with the call's parameters, and shared with calls of other parameters."""
    house = _house()
    if not isinstance(model, str):
        return _lent(house, model, asked)
    key = f"{model!r} {sorted(asked.settings.items())!r}"
    call = f"{key} {asked.params!r}"
    kept = house.open.get(key)
    if kept is not None and call in house.checked:
        return kept
    spec = _valid(
        TargetSpec, {"use": model, "params": asked.params, **asked.settings}, f"{safe(model)!r} cannot be asked."
    )
    target = build(safe(model), spec, Path.cwd(), os.environ)
    if len(house.checked) >= MOST_CHECKED:
        house.checked.clear()
    house.checked.add(call)
    return kept or house.open.setdefault(key, _Kept(house, key, target))


def _lent(house: _House, target: Target, asked: _Asked) -> _Kept:
    if not hasattr(target, "generate"):
        raise UsageError(
            f"{safe(target)} is no model.", hint="write it like openai:gpt-4o-mini, or give a built target"
        )
    if asked.settings:
        given = ", ".join(sorted(asked.settings))
        raise UsageError(f"A built target has its settings already, {given} came beside it.", hint="leave them out")
    key = f"target {id(target)}"
    if any(key in other.open for other in list(_houses.values()) if other is not house):
        raise UsageError(
            f"Target {target.name!r} is in use on another event loop.", hint="ask it from one loop, or build another"
        )
    return house.open.get(key) or house.open.setdefault(key, _Kept(house, key, target))


class _Background:
    """A thread with an event loop of its own, begun when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. Whoever stops waiting cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running(coroutine))
        try:
            return future.result()
        finally:
            future.cancel()

    def stop(self) -> None:
        """End the loop, which closes what it keeps, and the thread."""
        if self._loop is not None and self._end is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(STOP_SECONDS)

    def _running(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                begun: Future[asyncio.AbstractEventLoop] = Future()
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._serve(begun)), name="seatrial-complete", daemon=True
                )
                self._thread.start()
                self._loop = begun.result()
                atexit.register(self.stop)
            if threading.current_thread() is self._thread:
                coroutine.close()
                raise UsageError(
                    "complete() would wait for itself here.", hint="await acomplete() in an async function"
                )
            return self._loop

    async def _serve(self, begun: Future[asyncio.AbstractEventLoop]) -> None:
        self._end = asyncio.Event()
        begun.set_result(asyncio.get_running_loop())
        await self._end.wait()


_background = _Background()


def _forked() -> None:
    """A forked process has no threads but one: it begins anew."""
    global _background
    _background = _Background()
    _houses.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
