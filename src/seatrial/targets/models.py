"""Models behind their providers' APIs: a row for each dialect, and the one adapter that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from seatrial.core.case import Case
from seatrial.core.message import without_bytes
from seatrial.core.output import Request
from seatrial.core.protocols import Batches
from seatrial.core.record import Json
from seatrial.core.suite import Batching, TargetSpec, Unsupported
from seatrial.errors import Problem, safe
from seatrial.targets import anthropic, catalogue, chat, gemini, responses
from seatrial.targets.catalogue import Provider
from seatrial.targets.endpoint import Endpoint, Wire
from seatrial.targets.line import FIELDS, Address, line_problems
from seatrial.targets.outcomes import Answer
from seatrial.targets.params import Table, Unfit, at
from seatrial.targets.prices import price_problems
from seatrial.targets.settings import fail, problem
from seatrial.targets.sse import EventStream
from seatrial.targets.support import Parameters, Support

if TYPE_CHECKING:
    from seatrial.targets.batches import Asking
    from seatrial.targets.listing import Listing

DROP = ", or set unsupported: drop, which leaves it out and says so, or send, which lets the provider decide"
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/:-]*")


@dataclass(frozen=True, slots=True)
class Dialect:
    """A provider's wire format.

    `adapter` with its version enters every identity. `ending` of the URL may hold `{model}` and, where a streamed
    request goes elsewhere, `streamed` is that. `params` is the table of parameters, which may depend on the headers
    that the user sends. `needs` are parameters of which the API asks for one.
    `batches` is its batch API.
    """

    adapter: str
    address: Address
    body: Callable[[str, Request, Mapping[str, Json], bool], dict[str, Json]]
    read: Callable[[dict[str, Any]], Answer]
    stream: Callable[[Callable[[bytes], bytes]], EventStream]
    params: Callable[[Mapping[str, str]], Table]
    reserved: frozenset[str]
    streamed: str = ""
    needs: tuple[str, ...] = ()
    batches: Callable[[Asking, Batching], Batches] | None = None


class Model(Endpoint):
    """A model behind an endpoint of its provider's API."""

    dialect: Dialect
    reads: ClassVar[frozenset[str]] = FIELDS | {"unsupported"}

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError. `folder` is not used."""
        del folder
        dialect, self._model = self.dialect, spec.use.partition(":")[2]
        self._provider = catalogue.at(spec.base_url or dialect.address.home, dialect.adapter.partition("/")[0])
        address = _address(dialect, self._model, spec, self._provider)
        table = {**dialect.params(spec.headers), **_quirks(self._provider)}
        support = Support.of(self.family, dialect.adapter, table, dialect.reserved, spec.unsupported)
        self._first = support.settle(spec.params, {})
        fail(name, [*line_problems(name, spec, address), *_problems(name, dialect, self._first.faults, spec)])
        parameters = Parameters(name, support, spec.params)

        def body(request: Request) -> dict[str, Json]:
            sent = dialect.body(self._model, request, parameters.fitting(request.params), spec.stream)
            return _with_seed(sent, self._provider, spec.unsupported)

        wire = Wire(body, dialect.read, dialect.stream if spec.stream else None, parameters, self.family)
        super().__init__(name, spec, environ, address, wire)
        self.batches = self._batches(wire)

    def _batches(self, wire: Wire) -> Batches | None:
        batching = self._spec.batching
        if batching is None or self.dialect.batches is None:
            return None
        from seatrial.targets.batches import Asking

        parameters = wire.parameters
        asking = Asking(
            line=self._line,
            spec=self._spec,
            identity=self.identity(),
            ending=self.dialect.address.ending,
            body=wire.body,
            read=wire.read,
            output=self.told,
            left_out=lambda: parameters.learnt if parameters is not None else {},
        )
        return self.dialect.batches(asking, batching)

    def identity(self) -> Mapping[str, Json]:
        """Endpoint, model and what goes with every request; limits and keys change no answer."""
        return {
            "adapter": self.dialect.adapter,
            "base_url": self._line.base_url,
            "headers": dict(self._spec.headers),
            "model": self._model,
            "stream": self._spec.stream,
            **({"deadline": self._spec.deadline} if self._spec.deadline is not None else {}),
            **self._left_out(),
        }

    def _left_out(self) -> Mapping[str, Json]:
        """What a policy other than the usual changes: another request than the same one under `fail`."""
        if self._spec.unsupported == "fail":
            return {}
        return {"unsupported": self._spec.unsupported, "dropped": sorted(self._first.sent.dropped)}

    def conditions(self) -> Mapping[str, Json]:
        """What goes with every request besides the prompt."""
        return {
            "adapter": self.dialect.adapter,
            "stream": self._spec.stream,
            "unsupported": self._spec.unsupported,
            "params": dict(self._spec.params),
            "dropped": dict(self._first.sent.dropped),
        }

    async def models(self) -> Listing:
        """What the endpoint says that it serves; the target must be open. Raises Fault."""
        from seatrial.targets.listing import ask_models

        return await ask_models(self._line.get, self.list_url, self.dialect.adapter.partition("/")[0])

    @property
    def list_url(self) -> str:
        """Where the endpoint lists its models, empty where it is not known to."""
        base, kind = self._line.base_url, self.dialect.adapter.partition("/")[0]
        if self._provider is not None:
            return self._provider.list_url(base)
        return f"{base}/models" if kind in catalogue.DIALECTS else ""

    @property
    def key_variable(self) -> str:
        """The environment variable of its key, empty where none is sent."""
        return self._line.variable

    @property
    def family(self) -> str:
        """The model's name by which it is known what it takes."""
        return self._model

    @property
    def asked(self) -> str:
        """The model's name as it is sent."""
        return self._model

    @property
    def base_url(self) -> str:
        """The endpoint, up to and including its version."""
        return self._line.base_url

    async def knows(self, model: str) -> bool:
        """Whether the endpoint tells of a model that it does not list, like an alias. Raises Fault."""
        from seatrial.targets.listing import listed_id

        where = self.list_url.partition("?")[0]
        if not where:
            return False
        found = await self._line.get(f"{where}/{quote(model.encode('utf-8', 'replace'), safe='')}")
        return bool(listed_id(found.body))

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


def _address(dialect: Dialect, model: str, spec: TargetSpec, provider: Provider | None) -> Address:
    """Where the model is asked: an endpoint of the catalogue is at home where it is, with its own key."""
    home = dialect.address
    ending = (dialect.streamed if spec.stream and dialect.streamed else home.ending).replace("{model}", model)
    if provider is None:
        return replace(home, ending=ending)
    return replace(
        home,
        home=spec.base_url or home.home,
        key=provider.key_env,
        ending=ending,
        key_header=provider.key_header,
        key_prefix=provider.key_prefix,
    )


def _with_seed(body: dict[str, Json], provider: Provider | None, policy: Unsupported) -> dict[str, Json]:
    """The body with its seed, which is no parameter of the suite's, under the endpoint's own name."""
    if provider is None or "seed" not in body:
        return body
    if "seed" in provider.refuse and policy != "send":
        raise Unfit(f"{provider.label} takes no seed")
    return {provider.rename.get(key, key) if key == "seed" else key: value for key, value in body.items()}


def _quirks(provider: Provider | None) -> Table:
    """What an endpoint calls otherwise, or answers with an error."""
    if provider is None:
        return {}
    return {**{key: at(own) for key, own in provider.rename.items()}, **dict.fromkeys(provider.refuse)}


def _problems(name: str, dialect: Dialect, faults: Mapping[str, Unfit], spec: TargetSpec) -> list[Problem]:
    model = spec.use.partition(":")[2]
    found = [
        problem(name, f"params.{key}", unfit.rule, safe(spec.params[key]), unfit.hint + (DROP if unfit.lacking else ""))
        for key, unfit in faults.items()
    ]
    if "{model}" in dialect.address.ending and (not MODEL.fullmatch(model) or ".." in model):
        found.append(problem(name, "use", "no model is named so", safe(model), "letters, digits and . _ @ / : -"))
    if spec.batching is not None:
        found += _batch_problems(name, spec)
    if dialect.needs and not spec.params.keys() & set(dialect.needs):
        rule = "is needed by this API"
        found.append(problem(name, f"params.{dialect.needs[0]}", rule, hint="give every target the same"))
    return [*found, *price_problems(name, spec)]


def _batch_problems(name: str, spec: TargetSpec) -> list[Problem]:
    """What does not go together with answers that come within a day."""
    against = {
        "stream": (spec.stream, "a batch's answers are not streamed"),
        "deadline": (spec.deadline is not None, "a batch's answers have no latency to hold against it"),
        "arrival": (spec.arrival != "closed", "a batch's requests are handed in all at once"),
    }
    hint = "leave one of the two out"
    return [problem(name, key, rule, "batch is set too", hint) for key, (given, rule) in against.items() if given]


def _openai_batches(asking: Asking, batching: Batching) -> Batches:
    from seatrial.targets.openai_batches import OpenAIBatches

    return OpenAIBatches(asking, batching)


def _anthropic_batches(asking: Asking, batching: Batching) -> Batches:
    from seatrial.targets.anthropic_batches import AnthropicBatches

    return AnthropicBatches(asking, batching)


class OpenAI(Model):
    """OpenAI's chat completions, at any base URL that speaks them."""

    reads = Model.reads | {"batch"}
    dialect = Dialect(
        adapter="openai/1",
        address=Address("https://api.openai.com/v1", "OPENAI_API_KEY", "/chat/completions"),
        body=chat.body,
        read=chat.read,
        stream=chat.CompletionStream,
        params=lambda _: chat.PARAMS,
        reserved=chat.RESERVED,
        batches=_openai_batches,
    )


class Anthropic(Model):
    """Anthropic's messages API."""

    reads = Model.reads | {"batch"}
    dialect = Dialect(
        adapter="anthropic/1",
        address=Address(
            "https://api.anthropic.com/v1",
            "ANTHROPIC_API_KEY",
            "/messages",
            key_header="x-api-key",
            key_prefix="",
            headers={anthropic.VERSION_HEADER: anthropic.VERSION},
        ),
        body=anthropic.body,
        read=anthropic.read,
        stream=anthropic.MessageStream,
        params=anthropic.params_at,
        reserved=anthropic.RESERVED,
        needs=("max_tokens", "max_completion_tokens"),
        batches=_anthropic_batches,
    )


class Gemini(Model):
    """Gemini's generateContent."""

    dialect = Dialect(
        adapter="gemini/1",
        address=Address(
            "https://generativelanguage.googleapis.com/v1beta",
            "GEMINI_API_KEY",
            "/models/{model}:generateContent",
            key_header="x-goog-api-key",
            key_prefix="",
        ),
        streamed="/models/{model}:streamGenerateContent?alt=sse",
        body=gemini.body,
        read=gemini.read,
        stream=gemini.ContentStream,
        params=lambda _: gemini.PARAMS,
        reserved=gemini.RESERVED,
    )


class Responses(Model):
    """OpenAI's responses API, at any base URL that speaks it."""

    reads = Model.reads | {"batch"}
    dialect = Dialect(
        adapter="responses/1",
        address=Address("https://api.openai.com/v1", "OPENAI_API_KEY", "/responses"),
        body=responses.body,
        read=responses.read,
        stream=responses.ResponseStream,
        params=lambda _: responses.PARAMS,
        reserved=responses.RESERVED,
        batches=_openai_batches,
    )
