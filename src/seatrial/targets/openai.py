"""The adapter `openai:MODEL`: chat completions at any base URL that speaks them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

import orjson

from seatrial.core.case import Case
from seatrial.core.identity import encode
from seatrial.core.message import without_bytes
from seatrial.core.output import Failure, Output, Request, Step, Timing
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import MissingSecretError, Problem, TargetDownError, safe
from seatrial.targets.chat import RESERVED, CompletionStream, body, parse_completion
from seatrial.targets.http import Client, Secret, is_loopback
from seatrial.targets.lag import LagMonitor
from seatrial.targets.limits import Limits
from seatrial.targets.outcomes import Answer, cost, now, outcome
from seatrial.targets.retry import Fault, Retries, Tried
from seatrial.targets.settings import fail, problem

ADAPTER = "openai/1"
DEFAULT_URL = "https://api.openai.com/v1"
DEFAULT_KEY = "OPENAI_API_KEY"
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key"})
OWN_HEADERS = frozenset(
    {"content-type", "content-length", "transfer-encoding", "host", "connection", "accept-encoding"}
)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DEFAULT_ANSWER_TOKENS = 256
CHARACTERS_PER_TOKEN = 4

HINTS = {
    "auth": "check the key and what it may use",
    "quota": "top up the account, or use another key",
    "unknown_model": "check the model's name at this endpoint",
}


class OpenAI:
    """A model behind an endpoint of OpenAI's chat completions."""

    reads: ClassVar[frozenset[str]] = frozenset(
        {"params", "concurrency", "rpm", "tpm", "timeout", "deadline", "retries", "price"}
        | {"base_url", "api_key_env", "headers", "stream"}
    )

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError. `folder` is not used."""
        del folder
        self.name = name
        self.concurrency = spec.concurrency
        self._spec = spec
        self._model = spec.use.partition(":")[2]
        self._url = (spec.base_url or DEFAULT_URL).rstrip("/")
        problems = [*_url_problems(name, self._url), *_key_problems(name, spec.api_key_env)]
        fail(name, [*problems, *_header_problems(name, spec), *_param_problems(name, spec)])
        self._variable = spec.api_key_env or ("" if is_loopback(urlsplit(self._url).hostname or "") else DEFAULT_KEY)
        self._key = Secret(environ.get(self._variable, "").strip() if self._variable else "")
        self._client: Client | None = None
        self._limits = Limits(spec.concurrency, spec.rpm, spec.tpm)
        self._retries = Retries(self._limits, spec.retries)
        self._lag = LagMonitor()

    def identity(self) -> Mapping[str, Json]:
        """Endpoint, model and what goes with every request; limits and keys change no answer."""
        return {
            "adapter": ADAPTER,
            "base_url": self._url,
            "headers": dict(self._spec.headers),
            "model": self._model,
            "stream": self._spec.stream,
            **({"deadline": self._spec.deadline} if self._spec.deadline is not None else {}),
        }

    def sent(self, case: Case, request: Request) -> Mapping[str, Json]:
        """The request without secrets; the bytes of images and files stand by their sha256."""
        del case
        return {
            **self.identity(),
            "messages": without_bytes([message.plain() for message in request.messages]),
            "tools": [tool.plain() for tool in request.tools],
            "params": dict(request.params),
            "seed": request.seed,
        }

    async def open(self) -> None:
        """Open the connection pool. Raises MissingSecretError; a loopback endpoint needs no key."""
        self._check_key()
        headers = {**self._spec.headers, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        client = Client(f"{self._url}/chat/completions", headers, self.concurrency, self._spec.timeout)
        await client.open(self._key)
        self._client = client
        self._lag.start()

    async def close(self) -> None:
        """Close all connections."""
        self._lag.stop()
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def generate(self, case: Case, request: Request) -> Output:
        """Ask the model, with retries. Raises TargetDownError when no further request can succeed."""
        del case
        try:
            raw = _encode(body(self._model, request, self._spec.stream))
        except (ValueError, TypeError, RecursionError) as cause:
            return _failed(Tried(fault=Fault("unsendable", f"the request cannot be written as JSON: {cause}")))
        tokens = self._estimate(request) if self._limits.counts_tokens else 0
        tried = await self._retries.run(lambda: self._attempt(raw), tokens)
        if tried.answer is None:
            self._raise_if_down(tried)
            return _failed(tried)
        return outcome(self._output(tried, tried.answer), self._spec.deadline)

    def _check_key(self) -> None:
        key = self._key.value
        if not self._variable or (key and key.isascii() and key.isprintable() and " " not in key):
            return
        rule = "holds characters that no key has" if key else "is not set"
        variable = safe(self._variable) if self._variable.isupper() else "that it names"  # it may be a key by mistake
        raise MissingSecretError(
            f"Target {self.name!r} cannot send its key.",
            hint="put the key into that variable, or name another one under api_key_env",
            problems=[problem(self.name, "api_key_env", f"the environment variable {variable} {rule}")],
        )

    async def _attempt(self, raw: bytes) -> Tried:
        assert self._client is not None, "the target is not open"
        loop = asyncio.get_running_loop()
        started = loop.time()
        first: float | None = None
        stream = CompletionStream(self._client.scrub)

        def read(piece: bytes) -> None:
            nonlocal first
            stream.feed(piece)
            if first is None and stream.started:
                first = loop.time() - started

        reply = await self._client.post(raw, read if self._spec.stream else None)
        total = loop.time() - started
        answer = stream.answer() if reply.streamed else parse_completion(reply.body)
        timing = Timing(total=total, first_token=first, lagged=self._lag.late_since(started))
        used = (answer.usage.input or 0) + (answer.usage.output or 0)
        return Tried(answer=answer, timing=timing, tokens=used or None)

    def _estimate(self, request: Request) -> float:
        characters = sum(len(message.text) for message in request.messages)
        asked = (request.params.get(key) for key in ("max_completion_tokens", "max_tokens"))
        most = next((n for n in asked if isinstance(n, int) and n > 0), DEFAULT_ANSWER_TOKENS)
        return characters / CHARACTERS_PER_TOKEN + most

    def _output(self, tried: Tried, answer: Answer) -> Output:
        return Output(
            messages=(answer.message,),
            steps=(Step(kind="thought", output=answer.thought),) if answer.thought else (),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            cost=cost(answer.usage, self._spec.price),
            timing=tried.timing,
            logprobs=answer.logprobs,
            served_model=answer.served_model,
            fingerprint=answer.fingerprint,
            metadata=answer.metadata,
            attempts=tried.attempts,
            finished_at=now(),
        )

    def _raise_if_down(self, tried: Tried) -> None:
        fault = tried.fault
        assert fault is not None
        if fault.reaction != "down":
            return
        status = f"HTTP {fault.status}, " if fault.status else ""
        raise TargetDownError(
            f"Target {self.name!r} at {self._url} refuses every request ({status}{fault.code}): "
            f"{safe(fault.message, 200) or 'no reason given'}.",
            hint=HINTS.get(fault.code, ""),
        )


def _failed(tried: Tried) -> Output:
    fault = tried.fault
    assert fault is not None
    failure = Failure(kind=fault.kind, code=fault.code, message=fault.message, http_status=fault.status)
    return Output(failure=failure, attempts=tried.attempts, finished_at=now())


def _encode(sent: Mapping[str, Json]) -> bytes:
    try:
        return orjson.dumps(sent)
    except TypeError:  # lone surrogates and integers beyond 64 bits
        return encode(sent)


def _url_problems(name: str, url: str) -> list[Problem]:
    key = "base_url"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return [problem(name, key, "is no URL", hint="write it like https://host/v1")]
    if parts.username is not None or parts.password is not None:
        return [problem(name, key, "holds credentials", hint="put the key into the variable that api_key_env names")]
    return _form_problems(name, url, parts)


def _form_problems(name: str, url: str, parts: SplitResult) -> list[Problem]:
    key = "base_url"
    if parts.query or parts.fragment:
        return [problem(name, key, "holds a query or fragment", hint="give the endpoint up to and including /v1")]
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
        return [problem(name, key, "is no http or https URL", url, "write it like https://host/v1")]
    if parts.path.endswith("/chat/completions"):
        return [problem(name, key, "ends with /chat/completions", url, "leave that off: it is added")]
    return []


def _key_problems(name: str, variable: str) -> list[Problem]:
    """A key in place of its variable's name is refused, and not shown."""
    if not variable or VARIABLE.fullmatch(variable):
        return []
    return [problem(name, "api_key_env", "is no variable's name", hint="give the name, never the key itself")]


def _header_problems(name: str, spec: TargetSpec) -> list[Problem]:
    found: list[Problem] = []
    for header, value in spec.headers.items():
        key = f"headers.{safe(header)}"
        if header.lower() in SECRET_HEADERS:
            found.append(problem(name, key, "may hold a secret", hint="name the key's variable under api_key_env"))
        elif header.lower() in OWN_HEADERS:
            found.append(problem(name, key, "is set by Seatrial", hint="leave it out"))
        elif not TOKEN.fullmatch(header) or not value.isprintable() or not value.isascii():
            found.append(problem(name, key, "is no valid HTTP header", value))
    return found


def _param_problems(name: str, spec: TargetSpec) -> list[Problem]:
    found = [
        problem(name, f"params.{key}", "is set by Seatrial", hint="leave it out")
        for key in spec.params
        if key in RESERVED
    ]
    if spec.params.get("n", 1) != 1:
        hint = "run several epochs instead"
        found.append(problem(name, "params.n", "only one answer is read", safe(spec.params["n"]), hint))
    return found
