"""The fake provider: requests in, scripted answers out, everything counted."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Self

from seatrial.core.identity import loads
from seatrial.errors import UsageError, nearest, safe
from seatrial.testing import modellists
from seatrial.testing.answers import Answer, Answers, choose_fault, decide, draw, seconds
from seatrial.testing.batches import Desk
from seatrial.testing.capacity import Limits
from seatrial.testing.control import ROOT, control
from seatrial.testing.counters import Call, Counters, PerInput, Stats
from seatrial.testing.dialects import anthropic, azure, bedrock, embeddings, gemini, openai, responses, vertex
from seatrial.testing.dialects.base import Asked, BadRequest, Dialect, Messages, dump, input_key
from seatrial.testing.faults import REDIRECTED, Turn, error, faulty, healthy, retry_headers, status_of
from seatrial.testing.http import Connection, Exchange, HttpRequest, response
from seatrial.testing.rejections import rejection
from seatrial.testing.script import Behaviour, Capacity, Fault, Reply, Script

if TYPE_CHECKING:
    from seatrial.testing.process import FakeProcess

DIALECTS: Sequence[Dialect] = (
    openai.ChatCompletions(),
    anthropic.Messages(),
    gemini.GenerateContent(),
    responses.Responses(),
    embeddings.Embeddings(),
    azure.Deployment(),
    bedrock.Converse(),
    vertex.RawPredict(),
)
FORMS: Mapping[modellists.Form, Dialect] = {
    "openai": openai.ChatCompletions(),
    "anthropic": anthropic.Messages(),
    "gemini": gemini.GenerateContent(),
}
_LOG = logging.getLogger(__name__)
IN_BATCHES: Mapping[str, Dialect] = {
    "/v1/chat/completions": DIALECTS[0],
    "/v1/messages": DIALECTS[1],
    "/v1/responses": DIALECTS[3],
}
HARMLESS = frozenset({"", "drip"})
_KEYS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


class FakeProvider:
    """A model provider on this machine that does what its script says.

    `async with FakeProvider(script) as fake` serves on the running loop, `with FakeProvider(script).in_thread() as
    fake` on a thread, `with FakeProvider(script).in_process() as fake` in a process of its own. `base_url` is what a
    client needs; `port` 0 takes a free one. `answer` is a Python function that is asked before the rules. Raises
    UsageError when the address cannot be served.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        answer: Answer | None = None,
        log_size: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.script = script or Script()
        self.host, self.port = host, port
        self._answer, self._clock, self._log_size = answer, clock, log_size
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self.load(self.script)

    def load(self, script: Script) -> None:
        """Follow another script from now on, with counters at zero."""
        self.script = script
        self._behaviours: dict[str, tuple[Behaviour, Answers]] = {}
        self._variant = ""
        self._behaviour("")
        self.reset()

    def reset(self) -> None:
        """Forget every count, the attempts seen and any switch made."""
        self._counters = Counters(self._log_size)
        self._limits: dict[str, Limits] = {}
        self._desk = Desk(self.script.batches, self.script.seed, self._answer_in_batch, self._clock)
        self._variant = ""

    def switch(self, variant: str = "") -> None:
        """Answer by another variant from now on, silently; empty is the script's own. Raises UsageError."""
        if variant and variant not in self.script.variants:
            near = nearest(variant, self.script.variants)
            known = f"the variants are: {', '.join(self.script.variants) or 'none'}"
            raise UsageError(
                f"The script has no variant {safe(variant)!r}.", hint=f"did you mean {near!r}?" if near else known
            )
        self._variant = variant

    # ---- what was seen

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
        return self._counters.stats(self._variant, batches=self._desk.accepted)

    @property
    def calls(self) -> int:
        """Requests for an answer, refused ones included."""
        return self._counters.numbers["calls"]

    @property
    def log(self) -> Sequence[Call]:
        """The last calls as they were decided, oldest first; at most `log_size`."""
        return tuple(self._counters.log.copy())

    def per_input(self, messages: Messages | str, model: str | None = None) -> PerInput:
        """The counts of one prompt, given as messages or as the text of one user message."""
        return self._counters.per_input(input_key(messages), model)

    def calls_for(self, messages: Messages | str, model: str | None = None) -> int:
        """How often a prompt was asked."""
        return self.per_input(messages, model).calls

    def all_inputs(self) -> list[dict[str, Any]]:
        """The counts of every model and input: model, key, calls, served, again."""
        return self._counters.all_inputs()

    @property
    def batches(self) -> list[dict[str, Any]]:
        """Every batch that came: its id, requests, how often it was looked at, and its results read."""
        return self._desk.shown

    # ---- serving

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Connection(self._handle, self._connections), self.host, self.port, backlog=4096
            )
        except (OSError, OverflowError, UnicodeError) as cause:
            raise UsageError(
                f"The fake provider cannot serve on {safe(self.host)}:{self.port}: {cause}.",
                hint="choose another port, or 0 for a free one",
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)  # the connections learn that they are lost

    @contextmanager
    def in_thread(self) -> Generator[Self, None, None]:
        """Serve on a thread of its own until the block ends."""
        started = threading.Event()
        state: dict[str, Any] = {}

        async def run() -> None:
            state["loop"], state["stop"] = asyncio.get_running_loop(), asyncio.Event()
            async with self:
                started.set()
                await state["stop"].wait()

        def main() -> None:
            try:
                asyncio.run(run())
            except UsageError as cause:
                state["error"] = cause
            finally:
                started.set()

        thread = threading.Thread(target=main, name="fake-provider", daemon=True)
        thread.start()
        started.wait()
        if "error" in state:
            thread.join()
            raise state["error"]
        try:
            yield self
        finally:
            state["loop"].call_soon_threadsafe(state["stop"].set)
            thread.join()

    def in_process(self) -> AbstractContextManager[FakeProcess]:
        """Serve in a process of its own until the block ends; it also ends with this process, however that ends."""
        from seatrial.testing.process import FakeProcess  # it imports this module

        if self._answer is not None:
            raise UsageError("A Python function cannot answer in another process.", hint="use in_thread()")
        return FakeProcess(self.script, self.host, self.port)

    # ---- answering

    def _behaviour(self, variant: str) -> tuple[Behaviour, Answers]:
        if variant not in self._behaviours:
            behaviour = self.script.behaviour(variant)
            self._behaviours[variant] = behaviour, Answers(behaviour)
        return self._behaviours[variant]

    def _handle(self, request: HttpRequest) -> Exchange:
        path = request.path
        dialect = next((d for d in DIALECTS if d.serves(request.method, path)), None)
        if dialect is not None:
            return self._ask(request, dialect)
        if path == REDIRECTED:
            self._counters.numbers["redirected"] += 1
            return _at_once(response(200, b"{}"))
        if path.startswith(ROOT):
            return _at_once(control(self, request))
        if self._desk.serves(path):
            if not self._key_fits(request):
                return _at_once(error(DIALECTS[0], 401, "unauthorized", "Incorrect API key provided."))
            return self._desk.handle(request)
        return _at_once(self._models(request))

    def _models(self, request: HttpRequest) -> bytes:
        name, form = modellists.asked(request), modellists.form_of(request)
        dialect: Dialect = FORMS[form]
        if request.method != "GET" or name is None:
            known = "it serves chat completions, responses, messages, generateContent, embeddings, and GET /v1/models"
            return error(dialect, 404, "unknown_url", f"Nothing is at {safe(request.path)}; {known}.")
        if not self._key_fits(request):
            return error(dialect, 401, "unauthorized", "Incorrect API key provided.")
        names = self.script.models or tuple(dict.fromkeys(self._counters.by_model))
        if not name:
            return response(200, dump(modellists.listed(request, names)))
        if name not in names:
            return error(dialect, 404, "not_found", f"The model {safe(name)!r} does not exist.")
        return response(200, dump(modellists.about(form, name)))

    def _key_fits(self, request: HttpRequest) -> bool:
        return not self.script.api_keys or _api_key(request) in self.script.api_keys

    def _answer_in_batch(self, kind: str, request: HttpRequest) -> tuple[int, dict[str, Any]]:
        """The status and body that a request of a batch gets: by the same rules, at once, and without rate limits."""
        exchange = self._ask(request, IN_BATCHES[kind], Limits(Capacity(), self._clock()))
        raw = b"".join(action for action in exchange.actions if isinstance(action, bytes))
        exchange.finished(True)
        head, _, body = raw.partition(b"\r\n\r\n")
        try:
            return int(head.split(b" ", 2)[1]), loads(body)
        except (ValueError, IndexError):
            return 500, IN_BATCHES[kind].error(500, "server_error", "The request failed.")

    def _ask(self, request: HttpRequest, dialect: Dialect, limits: Limits | None = None) -> Exchange:
        try:
            asked = dialect.parse(request)
        except BadRequest as bad:
            body = dump(dialect.error(400, "bad_request", bad.problem, bad.param))
            return self._refuse(request, Asked("", "", ""), 400, "", response(400, body))
        signed = isinstance(dialect, bedrock.Converse) and bedrock.is_signed(request)
        if not signed and not self._key_fits(request):
            refusal = error(dialect, 401, "unauthorized", "Incorrect API key provided.")
            return self._refuse(request, asked, 401, "unauthorized", refusal)
        if signed and (wrong := bedrock.refuses(request)):
            refusal = error(dialect, 403, "unauthorized", wrong)
            return self._refuse(request, asked, 403, "unauthorized", refusal)
        if self.script.models and asked.model not in self.script.models:
            refusal = error(dialect, 404, "not_found", f"The model {safe(asked.model)!r} does not exist.")
            return self._refuse(request, asked, 404, "not_found", refusal)
        rejected = rejection(asked, dialect, self._behaviour(self._variant)[0].rejects)
        if rejected is not None:
            refusal = response(400, dump(dialect.error(400, rejected.kind, rejected.problem, rejected.param)))
            return self._refuse(request, asked, 400, "unsupported", refusal)
        limits = limits or self._limits_for(request)
        wait = limits.admit(asked.input_tokens + (asked.max_tokens or 0), self._clock())
        if wait is not None:
            self._counters.numbers["refused"] += 1
            exact = self.script.capacity.retry_after == "exact"
            headers = retry_headers(wait, "seconds") | retry_headers(wait, "ms") if exact else {}
            refusal = error(dialect, 429, "rate_limit", "Rate limit reached for requests.", **headers)
            return self._refuse(request, asked, 429, "capacity", refusal)
        return self._admitted(request, asked, dialect, limits)

    def _limits_for(self, request: HttpRequest) -> Limits:
        key = _api_key(request) if self.script.capacity.per_key else ""
        if key not in self._limits:
            self._limits[key] = Limits(self.script.capacity, self._clock())
        return self._limits[key]

    def _refuse(self, request: HttpRequest, asked: Asked, status: int, fault: str, answer: bytes) -> Exchange:
        self._counters.arrive(asked.model, asked.key)
        self._note(request, asked, 0, str(status), fault)
        return _at_once(answer)

    def _admitted(self, request: HttpRequest, asked: Asked, dialect: Dialect, limits: Limits) -> Exchange:
        counters = self._counters
        counters.arrive(asked.model, asked.key)
        attempt = counters.admit(asked.model, asked.key)
        if self.script.switch is not None and counters.admitted == self.script.switch.after + 1:
            self._variant = self.script.switch.to
        behaviour, answers = self._behaviour(self._variant)
        reply = self._reply(asked, answers, attempt)
        drawn = ("seed", self.script.seed, asked.model, asked.key, attempt)
        faults = behaviour.faults if reply.fault is None else (reply.fault,)
        fault = choose_fault(faults, attempt, asked.stream, draw("fault", *drawn)) if faults else None
        given = decide(asked, reply, behaviour, attempt)
        turn = Turn(asked, given, dialect, request.chunks, _waits(behaviour, drawn))
        actions = healthy(turn) if fault is None else faulty(turn, fault)
        kind = fault.kind if fault is not None else ""
        self._note(request, asked, attempt, status_of(fault) if fault is not None else "200", kind)

        def finished(complete: bool) -> None:
            limits.release()
            counters.leave(asked.model, asked.key, complete, kind in HARMLESS)

        first = behaviour.stream.first_token if asked.stream and reply.latency is None else None
        latency = reply.latency or first or behaviour.latency
        wait = seconds(latency, 0.5 if latency.constant is not None else draw("latency", *drawn))
        return Exchange(chain((wait,), actions) if wait > 0 else actions, finished)

    def _reply(self, asked: Asked, answers: Answers, attempt: int) -> Reply:
        if self._answer is None:
            return answers.reply(asked, attempt)
        try:
            given = self._answer(asked)
        except Exception:  # noqa: BLE001  # the caller's own function may raise anything; its client gets a 500
            _LOG.exception("the answer function failed")
            return Reply(fault=Fault(kind="server_error"))
        if given is None:
            return answers.reply(asked, attempt)
        return Reply(text=given) if isinstance(given, str) else given

    def _note(self, request: HttpRequest, asked: Asked, attempt: int, status: str, fault: str) -> None:
        number = self._counters.numbers["calls"]
        self._counters.note(
            Call(number, asked.key, asked.model, attempt, status, fault, self._variant, request.headers, asked.body)
        )


def _at_once(answer: bytes) -> Exchange:
    return Exchange(iter((answer,)))


def _api_key(request: HttpRequest) -> str:
    found = next((request.headers[name] for name in _KEYS if name in request.headers), "")
    return found.removeprefix("Bearer ")


def _waits(behaviour: Behaviour, drawn: tuple[object, ...]) -> Callable[[], float]:
    between = behaviour.stream.between
    if between.constant is not None:
        fixed = between.constant
        return lambda: fixed
    numbers = count()
    return lambda: seconds(between, draw("between", *drawn, next(numbers)))
