"""One endpoint with its key, its connections, its limits and its retries: what every adapter over HTTP stands on."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import orjson

from seatrial.core.identity import encode
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import MissingSecretError, Problem, TargetDownError, safe
from seatrial.targets.auth import Auth, Key, Secret
from seatrial.targets.hosts import is_loopback
from seatrial.targets.http import Client, Reply
from seatrial.targets.lag import LagMonitor
from seatrial.targets.limits import Limits
from seatrial.targets.redact import Redactor
from seatrial.targets.retry import Fault, Retries, Tried
from seatrial.targets.settings import fail, problem

T = TypeVar("T")

FIELDS = frozenset(
    {"params", "arrival", "concurrency", "rpm", "tpm", "timeout", "deadline", "retries", "price"}
    | {"base_url", "api_key_env", "headers", "stream"}
)
"""What an adapter of models over HTTP reads of a target's settings."""

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-goog-api-key"})
SECRET_PARAMS = frozenset({"api_key", "apikey", "api_token", "authorization", "x_api_key", "password", "secret"})
OWN_HEADERS = frozenset(
    {"content-type", "content-length", "transfer-encoding", "host", "connection", "accept-encoding"}
)
SECRET_NAMED = re.compile(r"(?:^|[-_])(?:auth\w*|token|\w*key|secret|password|credentials?|cookie)$", re.IGNORECASE)
SECRET_LIKE = re.compile(
    r"^(?:Bearer|Basic) |\b(?:sk|pk|rk|gsk|ghp|hf|nvapi|xai|AIza|AKIA)[-_]?(?=[\w-]*\d)\w[\w-]{15,}", re.IGNORECASE
)
"""What keys look like: in a header or a URL, where they would be kept."""

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

HINTS = {
    "auth": "check the key and what it may use",
    "quota": "top up the account, or use another key",
    "unknown_model": "check the model's name at this endpoint",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a target is reached, and how its key is shown there.

    `home` is the provider's own base URL: only there `key` is the key's variable without having been named. `ending`
    is what follows the base URL; `headers`, in lower case, go with every request
    where the user sends none of that name. `setting` is where the URL is
    written. `auth` is how requests are authorised where that is not one key in one header.
    """

    home: str = ""
    key: str = ""
    ending: str = ""
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    setting: str = "base_url"
    auth: Auth | None = None

    def base(self, spec: TargetSpec) -> str:
        """The base URL that a target has: without a slash at its end where something follows."""
        url = spec.base_url or self.home
        return url.rstrip("/") if self.ending else url


class Line:
    """Sends bodies to one address. Opened once, used concurrently, closed once."""

    def __init__(self, name: str, spec: TargetSpec, address: Address, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError."""
        self.base_url = address.base(spec)
        fail(name, line_problems(name, spec, address))
        self._name, self._spec, self._address = name, spec, address
        self._variable = spec.api_key_env or ("" if _is_local(self.base_url) else address.key)
        self._key = Secret(environ.get(self._variable, "").strip() if self._variable else "")
        self._auth = address.auth or Key(self._key, address.key_header, address.key_prefix)
        self._client: Client | None = None
        self.limits = Limits(spec.concurrency, spec.rpm, spec.tpm)
        self._retries = Retries(self.limits, spec.retries)
        self.lag = LagMonitor()

    @property
    def client(self) -> Client:
        """The HTTP client."""
        assert self._client is not None, "the target is not open"
        return self._client

    async def open(self) -> None:
        """Open the connection pool. Raises MissingSecretError; a loopback endpoint needs no key."""
        self._check_key()
        address = self._address
        own = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        given = {header.lower() for header in self._spec.headers}
        usual = {header: value for header, value in address.headers.items() if header not in given}
        headers = {**usual, **self._spec.headers, **own}
        client = Client(f"{self.base_url}{address.ending}", headers, self._spec.concurrency, self._spec.timeout)
        await client.open(self._auth)
        self._client = client
        self.lag.start()

    async def close(self) -> None:
        """Close all connections."""
        self.lag.stop()
        if self._client is not None:
            await self._client.close()
            self._client = None

    @property
    def redactor(self) -> Redactor:
        """Masks the secrets in what came back."""
        return self._auth.redactor

    @property
    def variable(self) -> str:
        """The environment variable of its key, empty where none is sent."""
        return self._variable

    async def get(self, url: str) -> Reply:
        """Read another address of the same host, with the key. Raises Fault."""
        await self._auth.prepare()
        return await self.client.get(url)

    async def run(self, once: Callable[[], Awaitable[Tried[T]]], tokens: float) -> Tried[T]:
        """Try within the limits until it works or it is hopeless. Raises TargetDownError."""

        async def authorised() -> Tried[T]:
            await self._auth.prepare()
            return await once()

        tried = await self._retries.run(authorised if self._address.auth is not None else once, tokens)
        if tried.fault is not None:
            self.redactor.fault(tried.fault)
        if tried.fault is not None and tried.fault.reaction == "down":
            raise self._down(tried.fault) from tried.fault
        return tried

    def _check_key(self) -> None:
        if self._address.auth is not None:
            self._check_auth(self._address.auth)
            return
        key = self._key.value
        if not self._variable or (key and key.isascii() and key.isprintable() and " " not in key):
            return
        rule = "holds characters that no key has" if key else "is not set"
        variable = safe(self._variable) if self._variable.isupper() else "that it names"  # it may be a key by mistake
        raise MissingSecretError(
            f"Target {self._name!r} cannot send its key.",
            hint="put the key into that variable, or name another one under api_key_env",
            problems=[problem(self._name, "api_key_env", f"the environment variable {variable} {rule}")],
        )

    def _check_auth(self, auth: Auth) -> None:
        missing = auth.missing()
        if missing:
            raise MissingSecretError(
                f"Target {self._name!r} cannot authorise its requests.",
                hint="see docs/targets.md, Clouds",
                problems=[problem(self._name, "use", rule) for rule in missing],
            )

    def _down(self, fault: Fault) -> TargetDownError:
        status = f"HTTP {fault.status}, " if fault.status else ""
        return TargetDownError(
            f"Target {self._name!r} at {self.base_url} refuses every request ({status}{fault.code}): "
            f"{safe(fault.message, 200) or 'no reason given'}.",
            hint=(self._auth.hint if fault.code == "auth" else "") or HINTS.get(fault.code, ""),
        )


def encoded(body: Json) -> bytes:
    """A body's bytes. Raises ValueError, TypeError or RecursionError for what JSON cannot hold."""
    try:
        return orjson.dumps(body)
    except TypeError:  # lone surrogates and integers beyond 64 bits
        return encode(body)


def line_problems(name: str, spec: TargetSpec, address: Address) -> list[Problem]:
    """All that is wrong with where a target is, what key it has, and its headers."""
    url = address.base(spec)
    wrong = [
        problem(name, address.setting, rule, shown, hint) for rule, shown, hint in _url_faults(url, address.ending)
    ]
    keys = _key_problems(name, spec.api_key_env) or ([] if wrong else _stranger_problems(name, spec, url, address))
    return [*wrong, *keys, *_header_problems(name, spec, address), *_parameter_problems(name, spec)]


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def _url_faults(url: str, ending: str) -> list[tuple[str, str | None, str]]:
    """What is wrong with a URL: the rule, the URL where it may be shown, and what to do."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return [("is no URL", None, "write it like https://host/v1")]
    if parts.username is not None or parts.password is not None:
        return [("holds credentials", None, "put the key into the variable that api_key_env names")]
    if SECRET_LIKE.search(parts.path):
        return [("holds a key", None, "put it into the variable that api_key_env names")]
    if parts.query or parts.fragment:
        return [("holds a query or fragment", None, "leave it off: what it says belongs into the body or a header")]
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
        return [("is no http or https URL", url, "write it like https://host/v1")]
    added = ending.partition("?")[0]
    if added and parts.path.endswith(added):
        return [(f"ends with {added}", url, "leave that off: it is added")]
    return []


def _key_problems(name: str, variable: str) -> list[Problem]:
    """A key in place of its variable's name is refused, and not shown."""
    if not variable or VARIABLE.fullmatch(variable):
        return []
    return [problem(name, "api_key_env", "is no variable's name", hint="give the name, never the key itself")]


def _stranger_problems(name: str, spec: TargetSpec, url: str, address: Address) -> list[Problem]:
    """A provider's key goes to that provider: any other host must be told which key it gets."""
    if spec.api_key_env or not address.key or _is_local(url) or _origin(url) == _origin(address.home):
        return []
    rule = f"is needed for {safe(urlsplit(url).hostname or url)}: the key in {address.key} is not for every host"
    return [problem(name, "api_key_env", rule, hint="name the environment variable that holds this endpoint's key")]


def _origin(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname


def _parameter_problems(name: str, spec: TargetSpec) -> list[Problem]:
    """A key among the parameters would be sent in the body, kept and shown."""
    keys = [
        key
        for key, value in spec.params.items()
        if key.lower().replace("-", "_") in SECRET_PARAMS or (isinstance(value, str) and SECRET_LIKE.match(value))
    ]
    hint = "name the key's variable under api_key_env"
    return [problem(name, f"params.{safe(key)}", "may hold a secret", hint=hint) for key in keys]


def _header_problems(name: str, spec: TargetSpec, address: Address) -> list[Problem]:
    found: list[Problem] = []
    secret = SECRET_HEADERS | {address.key_header.lower()}
    for header, value in spec.headers.items():
        key = f"headers.{safe(header)}"
        if header.lower() in secret or SECRET_NAMED.search(header) or SECRET_LIKE.search(value):
            found.append(problem(name, key, "may hold a secret", hint="name the key's variable under api_key_env"))
        elif header.lower() in OWN_HEADERS:
            found.append(problem(name, key, "is set by Seatrial", hint="leave it out"))
        elif not TOKEN.fullmatch(header) or not value.isprintable() or not value.isascii():
            found.append(problem(name, key, "is no valid HTTP header"))
    return found
