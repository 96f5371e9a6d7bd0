"""The adapter `any-llm:PROVIDER/MODEL`: the long tail of providers by the library any-llm, the extra `providers`."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

import orjson

from seatrial.core.case import Case
from seatrial.core.message import without_bytes
from seatrial.core.output import Output, Request, Timing
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import MissingSecretError, Problem, TargetDownError, safe
from seatrial.targets import chat
from seatrial.targets.account import Account
from seatrial.targets.auth import Auth, odd_secret
from seatrial.targets.hosts import is_loopback
from seatrial.targets.http import MOST_BYTES
from seatrial.targets.lag import LagMonitor
from seatrial.targets.limits import Limits
from seatrial.targets.line import HINTS, VARIABLE
from seatrial.targets.outcomes import Answer, answered, failed, outcome
from seatrial.targets.prices import price_problems, prices_of
from seatrial.targets.retry import Fault, Retries, Tried, classify
from seatrial.targets.settings import fail, problem
from seatrial.targets.strict import whole
from seatrial.targets.support import Parameters, Support

ADAPTER = "any-llm/1"
INSTALL = "pip install 'seatrial[providers]'"
RESERVED = chat.RESERVED | {"provider", "api_key", "api_base", "client_args", "timeout"}
STATUS_OF = {
    "AuthenticationError": 401,
    "MissingApiKeyError": 401,
    "InsufficientFundsError": 402,
    "ModelNotFoundError": 404,
    "ContextLengthExceededError": 400,
    "InvalidRequestError": 400,
    "UnsupportedParameterError": 400,
    "RateLimitError": 429,
    "GatewayTimeoutError": 504,
    "UpstreamProviderError": 502,
    "ProviderError": 500,
}
"""The HTTP status that any-llm's own exceptions stand for."""

OURS = (TypeError, ValueError, AttributeError, NotImplementedError, KeyError)
"""What the library raises for a request that it cannot express, which no further attempt mends."""

CLOSERS: Mapping[str, tuple[None, ...]] = {"aclose": (), "close": (), "__aexit__": (None, None, None)}
"""How a provider's client is closed, with its arguments: the first that it has. Some beside it leave sockets open."""


class AnyLLM:
    """A model that any-llm reaches. The library makes the request and reads the answer; limits and faults are ours."""

    reads: ClassVar[frozenset[str]] = frozenset(
        {"params", "arrival", "concurrency", "rpm", "tpm", "timeout", "deadline", "retries", "price"}
        | {"base_url", "api_key_env", "unsupported"}
    )

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError. `folder` is not used."""
        del folder
        self.name, self.concurrency, self._spec = name, spec.concurrency, spec
        self._provider, _, self._model = spec.use.partition(":")[2].partition("/")
        self._library = _library(name)
        support = Support.of(self._model, ADAPTER, chat.PARAMS, RESERVED, spec.unsupported)
        self._parameters = Parameters(name, support, spec.params)
        fail(name, [*self._problems(), *price_problems(name, spec)])
        self._variable = spec.api_key_env or ("" if self._is_local else self._usual_variable())
        self._key = environ.get(self._variable, "").strip() if self._variable else ""
        self._auth = Auth()
        self._auth.hide(self._key)
        self._client: Any = None
        self.limits = Limits(spec.concurrency, spec.rpm, spec.tpm)
        self._retries = Retries(self.limits, spec.retries)
        self._lag = LagMonitor()
        self.account = Account(prices_of(spec, model=self._model, url=spec.base_url, provider=self._provider))

    @property
    def _is_local(self) -> bool:
        return is_loopback(_split(self._spec.base_url).hostname or "")

    def _problems(self) -> list[Problem]:
        name, spec = self.name, self._spec
        known = self._library.AnyLLM.get_supported_providers()
        found: list[Problem] = []
        if self._provider not in known or not self._model:
            found.append(
                problem(name, "use", "names no provider of any-llm and model", safe(spec.use), "PROVIDER/MODEL")
            )
        if self._provider == "bedrock":
            rule = "tries again behind any-llm, unseen and uncounted"
            found.append(problem(name, "use", rule, safe(spec.use), f"write it like bedrock:{self._model or 'MODEL'}"))
        if spec.api_key_env and not VARIABLE.fullmatch(spec.api_key_env):
            hint = "give the name, never the key itself"
            found.append(problem(name, "api_key_env", "is no variable's name", hint=hint))
        url = _split(spec.base_url)
        if spec.base_url and (url.scheme not in ("http", "https") or not url.hostname or url.username or url.query):
            found.append(
                problem(name, "base_url", "is no plain http or https URL", hint="write it like https://host/v1")
            )
        elif spec.base_url and not spec.api_key_env and not self._is_local:
            found.append(problem(name, "api_key_env", "is needed: the usual key is not for every host"))
        if spec.unsupported == "drop":
            rule, hint = "is not kept track of behind any-llm", "leave the parameter out of params, or set send"
            found.append(problem(name, "unsupported", rule, "drop", hint))
        faults = self._parameters.settled(spec.params).faults
        return [*found, *(problem(name, f"params.{key}", fault.rule, hint=fault.hint) for key, fault in faults.items())]

    def _usual_variable(self) -> str:
        variable = self._library.AnyLLM.get_provider_class(self._provider).get_provider_metadata().env_key
        return variable if isinstance(variable, str) and VARIABLE.fullmatch(variable) and variable.isupper() else ""

    def identity(self) -> Mapping[str, Json]:
        """Provider, model and endpoint, and the library's version: it decides what is sent."""
        return {
            "adapter": ADAPTER,
            "library": str(self._library.__version__),
            "provider": self._provider,
            "model": self._model,
            "base_url": self._spec.base_url,
            **({"deadline": self._spec.deadline} if self._spec.deadline is not None else {}),
            **({"unsupported": self._spec.unsupported} if self._spec.unsupported != "fail" else {}),
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
        """Make the library's client. Raises MissingSecretError."""
        odd = odd_secret(self._variable, self._key)
        if odd or (self._spec.api_key_env and not self._key):
            self._refuse(odd or f"the environment variable {safe(self._variable)} is not set")
        key = self._key or ("none" if self._is_local else None)
        try:
            self._client = self._made(key)
        except Exception as cause:  # noqa: BLE001  # a provider's module may raise anything
            self._refuse(self._clean(cause))
        self._lag.start()

    def _made(self, key: str | None) -> Any:
        """The library's client, which shall leave retries to us where it can be told so."""
        fields = {"api_key": key, "api_base": self._spec.base_url or None}
        try:
            return self._library.AnyLLM.create(self._provider, **fields, max_retries=0)
        except TypeError:
            return self._library.AnyLLM.create(self._provider, **fields)

    def _refuse(self, rule: str) -> None:
        raise MissingSecretError(
            f"Target {self.name!r} cannot be opened.",
            hint="see docs/targets.md, Clouds",
            problems=[problem(self.name, "use", rule)],
        ) from None

    async def close(self) -> None:
        """Close every client that the library's own keeps, each in its own way."""
        self._lag.stop()
        library, self._client = self._client, None
        for part in _parts(library):
            with contextlib.suppress(Exception):  # a stranger's clean-up must not hide what the run found
                done = _closed(part)
                if inspect.isawaitable(done):
                    await done

    async def generate(self, case: Case, request: Request) -> Output:
        """Ask, with retries. Raises TargetDownError when no further request can succeed."""
        del case
        try:
            body = chat.body(self._model, request, self._parameters.fitting(request.params), stream=False)
            size = len(orjson.dumps(body))
        except (ValueError, TypeError, RecursionError) as cause:
            return failed(Tried(fault=Fault("unsendable", f"the request cannot be expressed: {cause}")))
        once = self.account.paying(lambda: self._attempt(body), request, body, size)
        tried = await self._retries.run(once, size / 4 if self.limits.counts_tokens else 0)
        if tried.fault is not None and tried.fault.reaction == "down":
            said = safe(tried.fault.message, 200)
            raise TargetDownError(
                f"Target {self.name!r} refuses every request ({tried.fault.code}): {said or 'no reason given'}.",
                hint=HINTS.get(tried.fault.code, ""),
            ) from tried.fault
        if tried.answer is None:
            return failed(tried)
        cost, source = self.account.priced(tried.answer, request)
        output = answered(tried, tried.answer, None, cost, source)
        return outcome(output, self._spec.deadline)

    async def _attempt(self, body: Mapping[str, Any]) -> Tried[Answer]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self._spec.timeout):
                completion = await self._client.acompletion(**body)
        except TimeoutError:
            raise Fault("timeout", "no full answer within the time limit") from None
        except Exception as cause:  # noqa: BLE001  # each provider's library has its own exceptions
            raise self._auth.redactor.fault(self._fault(cause)) from None
        total = loop.time() - started
        answer = self._auth.redactor.answer(whole(self._auth.scrub(_dumped(completion)), chat.read))
        used = (answer.usage.input or 0) + (answer.usage.output or 0)
        timing = Timing(total=total, lagged=self._lag.late_since(started))
        return Tried(answer=answer, timing=timing, tokens=used or None)

    def _fault(self, cause: Exception) -> Fault:
        inner = getattr(cause, "original_exception", None) or cause
        kind, said = type(cause).__name__, self._clean(inner)
        status = getattr(inner, "status_code", None) or getattr(inner, "code", None)
        status = status if isinstance(status, int) else STATUS_OF.get(kind)
        if isinstance(status, int) and 300 <= status < 600:  # HTTP
            response = getattr(inner, "response", None)
            raw = getattr(response, "content", None)
            body = self._auth.scrub(raw) if isinstance(raw, bytes) and raw else said.encode("utf-8", "replace")
            return classify(status, dict(getattr(response, "headers", None) or {}), body)
        if "Timeout" in kind:
            return Fault("timeout", said)
        if isinstance(cause, OURS):
            return Fault("exception", said, reaction="reject")
        return Fault("connection", said)

    def _clean(self, cause: Exception) -> str:
        text = f"{type(cause).__name__}: {cause}".encode("utf-8", "replace")
        return safe(self._auth.scrub(text).decode("utf-8", "replace"), 300)


def _parts(library: Any) -> list[Any]:
    """The clients within the library's one. Google's keeps its asynchronous half, with the sockets, in `aio`."""
    held = list(getattr(library, "__dict__", {}).values())
    return [*(half for client in held if (half := getattr(client, "aio", None)) is not None), *held]


def _closed(client: Any) -> Any:
    """What closing gives, perhaps to be awaited. None for what cannot be closed."""
    ways = ((getattr(client, name, None), given) for name, given in CLOSERS.items())
    return next((close(*given) for close, given in ways if callable(close)), None)


def _split(url: str) -> SplitResult:
    """The parts of a URL, all empty where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _library(name: str) -> Any:
    try:
        return importlib.import_module("any_llm")
    except ImportError:
        rule = "needs the library any-llm, which is not installed"
        fail(name, [problem(name, "use", rule, hint=INSTALL)])
        raise


def _dumped(completion: Any) -> bytes:
    try:
        raw = orjson.dumps(completion.model_dump(mode="json"))
    except (AttributeError, TypeError, ValueError, RecursionError) as cause:
        raise Fault("malformed", f"the library gave what is no completion: {type(cause).__name__}") from None
    if len(raw) > MOST_BYTES:
        raise Fault("too_large", f"the answer exceeds {MOST_BYTES} bytes", reaction="reject")
    return raw
