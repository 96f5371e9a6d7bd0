"""Models behind the clouds' own addresses and authentication: Azure OpenAI, Amazon Bedrock, Google Vertex AI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit

from seatrial.core.output import Request
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import Problem, safe
from seatrial.targets import anthropic, chat, converse, gemini
from seatrial.targets.auth import Auth, AwsSignature, Bearer, ReadyToken
from seatrial.targets.google import fetch_token
from seatrial.targets.hosts import is_loopback
from seatrial.targets.line import Address
from seatrial.targets.models import MODEL, Dialect, Model
from seatrial.targets.params import Table, Unfit
from seatrial.targets.settings import fail, problem, unknown_keys
from seatrial.targets.sigv4 import Credentials, Scope

LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""What may stand in a host's name or as a step of a path: nothing that could lead elsewhere."""

AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
GOOGLE_HOSTS = (".googleapis.com",)
VERTEX_VERSION = "vertex-2023-10-16"
MULTI_REGIONS = ("us", "eu")
ENTRA_TOKEN = "AZURE_OPENAI_AD_TOKEN"  # noqa: S105  # a variable's name
GOOGLE_HINT = "check the credentials that GOOGLE_APPLICATION_CREDENTIALS names, and what they may use in the project"


@dataclass(frozen=True, slots=True)
class Site:
    """A target's entry, what its cloud's options are settled to, and the environment."""

    spec: TargetSpec
    options: Mapping[str, str]
    environ: Mapping[str, str]

    @property
    def model(self) -> str:
        """The model, deployment or profile that is asked."""
        return self.spec.use.partition(":")[2]

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine, which needs no credentials."""
        return is_loopback(_host(self.spec.base_url))

    def home(self, url: str, hosts: tuple[str, ...]) -> str:
        """The cloud's own base URL for this target: the one that is set, where it is of the cloud's own hosts."""
        given = self.spec.base_url
        return given if given.startswith("https://") and f".{_host(given)}".endswith(hosts) else url

    def secret(self, variable: str) -> str:
        """A variable's value."""
        return self.environ.get(variable, "").strip()


@dataclass(frozen=True, slots=True)
class Option:
    """A setting under `options`. `variables` of the environment stand in for it; `needed` where no base URL is set."""

    name: str
    variables: tuple[str, ...] = ()
    default: str = ""
    needed: bool = False


class Cloud(Model):
    """A model in a cloud. A subclass says which options there are, and makes a dialect's row of what they hold."""

    reads: ClassVar[frozenset[str]] = Model.reads | {"options"}
    options: ClassVar[tuple[Option, ...]] = ()

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError. `folder` is not used."""
        settled, found = _settled(name, spec, environ, self.options)
        self._settled = settled
        site = Site(spec, settled, environ)
        if not MODEL.fullmatch(site.model) or ".." in site.model:
            found.append(
                problem(name, "use", "no model is named so", safe(site.model), "letters, digits and . _ @ / : -")
            )
        fail(name, [*found, *self.problems(name, site)])
        self.dialect = self.row(site)
        super().__init__(name, spec, folder, environ)

    @classmethod
    def row(cls, site: Site) -> Dialect:
        """The dialect's row for this target."""
        raise NotImplementedError

    @classmethod
    def problems(cls, name: str, site: Site) -> list[Problem]:
        """What else is wrong with the target's entry."""
        del name, site
        return []

    @property
    def family(self) -> str:
        """The model that `options.model` names: a deployment, profile or ARN may be called anything."""
        return self._settled.get("model") or super().family

    def identity(self) -> Mapping[str, Json]:
        """As every model's, and the options."""
        return {**super().identity(), "options": dict(self._settled)}


class Azure(Cloud):
    """A deployment of Azure OpenAI: chat completions by the v1 API, or by a dated `api_version`."""

    options = (
        Option("resource", ("AZURE_OPENAI_RESOURCE",)),
        Option("api_version"),
        Option("auth", default="key"),
        Option("model"),
    )

    @classmethod
    def problems(cls, name: str, site: Site) -> list[Problem]:
        """The resource or a base URL is needed, and `auth` is one of two words."""
        found: list[Problem] = []
        if not site.options.get("resource") and not site.spec.base_url:
            hint = "name the resource, or set base_url to https://RESOURCE.openai.azure.com"
            found.append(problem(name, "options.resource", "is needed", hint=hint))
        if site.options["auth"] not in ("key", "entra"):
            found.append(problem(name, "options.auth", "is neither key nor entra", site.options["auth"]))
        return found

    @classmethod
    def row(cls, site: Site) -> Dialect:
        """Chat completions at the deployment."""
        version, deployment = site.options.get("api_version"), quote(site.model, safe="")
        dated = f"/openai/deployments/{deployment}/chat/completions?api-version={version}"
        entra = site.options["auth"] == "entra"
        variable = site.spec.api_key_env or ENTRA_TOKEN
        return Dialect(
            adapter="azure/1",
            address=Address(
                site.home(f"https://{site.options.get('resource') or 'resource'}.openai.azure.com", AZURE_HOSTS),
                ENTRA_TOKEN if entra else "AZURE_OPENAI_API_KEY",
                dated if version else "/openai/v1/chat/completions",
                key_header="api-key",
                key_prefix="",
                auth=_ready(site, variable) if entra else None,
            ),
            body=chat.body,
            read=chat.read,
            stream=chat.CompletionStream,
            params=lambda _: chat.PARAMS,
            reserved=chat.RESERVED,
        )


class Bedrock(Cloud):
    """A model, inference profile or its ARN in Amazon Bedrock, by the Converse API."""

    options = (Option("region", ("AWS_REGION", "AWS_DEFAULT_REGION"), needed=True), Option("model"))

    @classmethod
    def problems(cls, name: str, site: Site) -> list[Problem]:
        """AWS credentials are for AWS alone."""
        return _foreign(name, site, AWS_HOSTS)

    @classmethod
    def row(cls, site: Site) -> Dialect:
        """Converse, signed, or with a Bedrock API key where `api_key_env` names one."""
        region, model = site.options.get("region", ""), quote(site.model, safe="")
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        credentials = Credentials(*map(site.secret, names))
        auth: Auth | None = AwsSignature(credentials, Scope(region or "us-east-1", "bedrock"))
        if site.is_local and not credentials.access_key and not credentials.secret_key:
            auth = Auth()
        return Dialect(
            adapter="bedrock/1",
            address=Address(
                site.home(f"https://bedrock-runtime.{region}.{_aws_domain(region)}", AWS_HOSTS),
                ending=f"/model/{model}/converse",
                auth=None if site.spec.api_key_env else auth,
            ),
            streamed=f"/model/{model}/converse-stream",
            body=converse.body,
            read=converse.read,
            stream=converse.ConverseStream,
            params=lambda _: converse.PARAMS,
            reserved=converse.RESERVED,
        )


class Vertex(Cloud):
    """Gemini, or a Claude model, on Google's Vertex AI."""

    options = (
        Option("project", ("GOOGLE_CLOUD_PROJECT",), needed=True),
        Option("location", ("GOOGLE_CLOUD_LOCATION",), "global"),
        Option("anthropic_version"),
    )

    @classmethod
    def problems(cls, name: str, site: Site) -> list[Problem]:
        """Google's credentials are for Google alone; a publisher other than these two speaks another format."""
        found = _foreign(name, site, GOOGLE_HOSTS)
        if "/" in site.model:
            found.append(problem(name, "use", "names a model by its path", safe(site.model), "give its name alone"))
        if "anthropic_version" in site.options and not site.model.startswith("claude"):
            found.append(problem(name, "options.anthropic_version", "is read for models named claude… alone"))
        if not site.options.get("project"):
            found.append(problem(name, "options.project", "is needed", hint="or set GOOGLE_CLOUD_PROJECT"))
        return found

    @classmethod
    def row(cls, site: Site) -> Dialect:
        """generateContent, or Anthropic's messages for a model whose name starts with `claude`."""
        if site.model.startswith("claude"):
            return Dialect(
                adapter="vertex-anthropic/1",
                address=_vertex(site, "anthropic", "rawPredict"),
                streamed=_vertex(site, "anthropic", "streamRawPredict").ending,
                body=partial(_claude_body, site.options.get("anthropic_version") or anthropic.VERSION),
                read=anthropic.read,
                stream=anthropic.MessageStream,
                params=lambda _: _claude_params(site.options.get("anthropic_version") or anthropic.VERSION),
                reserved=anthropic.RESERVED | {"anthropic_version"},
                needs=("max_tokens", "max_completion_tokens"),
            )
        return Dialect(
            adapter="vertex/1",
            address=_vertex(site, "google", "generateContent"),
            streamed=_vertex(site, "google", "streamGenerateContent?alt=sse").ending,
            body=gemini.body,
            read=gemini.read,
            stream=gemini.ContentStream,
            params=lambda _: gemini.PARAMS,
            reserved=gemini.RESERVED,
        )


def _claude_body(
    version: str, model: str, request: Request, params: Mapping[str, Json], stream: bool
) -> dict[str, Json]:
    """Anthropic's body as Vertex takes it: the model is in the URL, the version in the body."""
    sent = anthropic.body(model, request, params, stream)
    del sent["model"]
    return {**sent, "anthropic_version": version}


def _claude_params(version: str) -> Table:
    """Anthropic's table; before its version of 2026-10-21 with the sampling parameters."""
    if version == VERTEX_VERSION:
        return anthropic.PARAMS

    def gone(value: Json) -> dict[str, Json]:
        del value
        hint = f"leave it out, or set options.anthropic_version to {VERTEX_VERSION} for a model that still takes it"
        raise Unfit(f"is no longer taken as of {version}", hint, lacking=True)

    return {**anthropic.PARAMS, **dict.fromkeys(("temperature", "top_p", "top_k"), gone)}


def _vertex(site: Site, publisher: str, verb: str) -> Address:
    location = site.options["location"]
    host = "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"
    if publisher == "anthropic" and location in MULTI_REGIONS:
        host = f"aiplatform.{location}.rep.googleapis.com"
    place = f"/projects/{site.options.get('project')}/locations/{location}"
    return Address(
        site.home(f"https://{host}/v1", GOOGLE_HOSTS),
        ending=f"{place}/publishers/{publisher}/models/{quote(site.model, safe='@')}:{verb}",
        auth=_google_auth(site),
    )


def _google_auth(site: Site) -> Auth:
    """A ready token where `api_key_env` names one, none on this machine, else the credentials' own."""
    if site.spec.api_key_env:
        return _ready(site, site.spec.api_key_env)
    if site.is_local:
        return Auth()
    return Bearer(partial(fetch_token, site.secret("GOOGLE_APPLICATION_CREDENTIALS")), GOOGLE_HINT)


def _ready(site: Site, variable: str) -> Auth:
    if site.is_local and not site.spec.api_key_env:
        return Auth()
    return ReadyToken(variable, site.secret(variable))


def _settled(
    name: str, spec: TargetSpec, environ: Mapping[str, str], known: tuple[Option, ...]
) -> tuple[dict[str, str], list[Problem]]:
    """What the options are, from the suite, the environment or by default, and what is wrong with them."""
    found = unknown_keys(name, "options", spec.options, [option.name for option in known])
    settled: dict[str, str] = {}
    for option in known:
        given = spec.options.get(option.name)
        key = f"options.{option.name}"
        from_environ = next((environ[v].strip() for v in option.variables if environ.get(v, "").strip()), "")
        value = given if given is not None else from_environ or option.default
        shape, signs = (MODEL, ". _ @ / : -") if option.name == "model" else (LABEL, ". _ -")
        if not isinstance(value, str) or (value and not shape.fullmatch(value)):
            found.append(problem(name, key, f"may have letters, digits and {signs} alone", safe(value)))
        elif value:
            settled[option.name] = value
        elif option.needed and not spec.base_url:
            found.append(problem(name, key, "is needed", hint=f"or set {option.variables[0]}"))
    return settled, found


def _foreign(name: str, site: Site, hosts: tuple[str, ...]) -> list[Problem]:
    """A cloud's credentials go to that cloud, and to this machine."""
    url = site.spec.base_url
    own = not url or site.is_local or bool(site.spec.api_key_env) or site.home("", hosts) == url
    if own or not _host(url):
        return []
    rule = f"is needed for {safe(_host(url))}: this cloud's credentials are not for every host"
    return [problem(name, "api_key_env", rule, hint="name the variable that holds this endpoint's key or token")]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _aws_domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
