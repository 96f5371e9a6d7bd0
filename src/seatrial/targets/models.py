"""Models behind their providers' APIs: a row for each dialect, and the one adapter that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from seatrial.core.case import Case
from seatrial.core.message import without_bytes
from seatrial.core.output import Request
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import Problem, safe
from seatrial.targets import anthropic, chat, gemini, responses
from seatrial.targets.endpoint import Endpoint, Wire
from seatrial.targets.line import FIELDS, Address, line_problems
from seatrial.targets.outcomes import Answer
from seatrial.targets.params import Table, translate, translated
from seatrial.targets.settings import fail, problem
from seatrial.targets.sse import EventStream

MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/:-]*")


@dataclass(frozen=True, slots=True)
class Dialect:
    """A provider's wire format.

    `adapter` with its version enters every identity. `ending` of the URL may hold `{model}` and, where a streamed
    request goes elsewhere, `streamed` is that. `params` is the table of parameters, which may depend on the headers
    that the user sends. `needs` are parameters of which the API asks for one.
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


class Model(Endpoint):
    """A model behind an endpoint of its provider's API."""

    dialect: ClassVar[Dialect]
    reads: ClassVar[frozenset[str]] = FIELDS

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError. `folder` is not used."""
        del folder
        dialect, self._model = self.dialect, spec.use.partition(":")[2]
        address = _address(dialect, self._model, spec.stream)
        table = dialect.params(spec.headers)
        fail(name, [*line_problems(name, spec, address), *_problems(name, dialect, table, spec)])

        def body(request: Request) -> dict[str, Json]:
            params = translated(request.params, table, dialect.reserved)
            return dialect.body(self._model, request, params, spec.stream)

        wire = Wire(
            body=body,
            read=dialect.read,
            stream=dialect.stream if spec.stream else None,
            renamed=lambda params: translate(params, table, dialect.reserved).renamed,
        )
        super().__init__(name, spec, environ, address, wire)

    def identity(self) -> Mapping[str, Json]:
        """Endpoint, model and what goes with every request; limits and keys change no answer."""
        return {
            "adapter": self.dialect.adapter,
            "base_url": self._line.base_url,
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


def _address(dialect: Dialect, model: str, stream: bool) -> Address:
    ending = dialect.streamed if stream and dialect.streamed else dialect.address.ending
    at = dialect.address
    return Address(at.home, at.key, ending.replace("{model}", model), at.key_header, at.key_prefix, at.headers)


def _problems(name: str, dialect: Dialect, table: Table, spec: TargetSpec) -> list[Problem]:
    model = spec.use.partition(":")[2]
    faults = translate(spec.params, table, dialect.reserved).faults
    found = [
        problem(name, f"params.{key}", unfit.rule, safe(spec.params[key]), unfit.hint) for key, unfit in faults.items()
    ]
    if "{model}" in dialect.address.ending and (not MODEL.fullmatch(model) or ".." in model):
        found.append(problem(name, "use", "no model is named so", safe(model), "letters, digits and . _ @ / : -"))
    if dialect.needs and not spec.params.keys() & set(dialect.needs):
        rule = "is needed by this API"
        found.append(problem(name, f"params.{dialect.needs[0]}", rule, hint="give every target the same"))
    return found


class OpenAI(Model):
    """OpenAI's chat completions, at any base URL that speaks them."""

    dialect = Dialect(
        adapter="openai/1",
        address=Address("https://api.openai.com/v1", "OPENAI_API_KEY", "/chat/completions"),
        body=chat.body,
        read=chat.read,
        stream=chat.CompletionStream,
        params=lambda _: chat.PARAMS,
        reserved=chat.RESERVED,
    )


class Anthropic(Model):
    """Anthropic's messages API."""

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

    dialect = Dialect(
        adapter="responses/1",
        address=Address("https://api.openai.com/v1", "OPENAI_API_KEY", "/responses"),
        body=responses.body,
        read=responses.read,
        stream=responses.ResponseStream,
        params=lambda _: responses.PARAMS,
        reserved=responses.RESERVED,
    )
