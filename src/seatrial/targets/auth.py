"""How requests are authorised: by one header, by a signature of each request, or by a token that is fetched anew.

Whatever the way, secrets come from the environment, go out in headers and nowhere else, and are cut from what comes
back.
"""

from __future__ import annotations

import asyncio
import base64
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from seatrial.core.identity import loads
from seatrial.core.record import as_dict
from seatrial.errors import safe
from seatrial.targets.redact import Redactor
from seatrial.targets.retry import Fault

if TYPE_CHECKING:
    from seatrial.targets.sigv4 import Credentials, Scope

SHORTEST_SECRET = 8
EARLY = 300.0
"""Seconds before its end at which a token that can be fetched anew is."""

LONGEST_FETCH = 60.0
LAST_MOMENT = 1 << 37


class Secret:
    """Text that shows up nowhere but where it is asked for."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret('***')"


class Auth:
    """How requests to one endpoint are authorised. This one: not at all.

    `fixed` are headers that go with every request. `hint` is what to do when the endpoint refuses them.
    """

    hint = ""

    def __init__(self, fixed: Mapping[str, str] | None = None) -> None:
        self.fixed: Mapping[str, str] = fixed or {}
        self._cut: list[bytes] = []
        self._hidden: set[str] = set()
        self.redactor = Redactor(())

    def missing(self) -> list[str]:
        """What is wrong with the secrets, a rule each: known before anything is sent."""
        return []

    async def prepare(self) -> None:
        """Have what the next request needs. Raises Fault. Not part of a request's latency."""

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002  # for signatures
        """Headers of this one request beside the fixed ones."""
        return {}

    def scrub(self, raw: bytes) -> bytes:
        """The bytes without any secret, should an endpoint echo one."""
        for secret in self._cut:
            if secret in raw:
                raw = raw.replace(secret, b"***")
        return raw

    def hide(self, secret: str) -> None:
        """Cut this text from what comes back from now on, also as JSON and URLs write it."""
        forms = {secret, secret.replace("/", "\\/"), quote(secret, safe="", errors="surrogatepass")}
        new = {form.encode("utf-8", "surrogatepass") for form in forms if len(secret) >= SHORTEST_SECRET}
        self._cut = sorted({*self._cut, *new}, key=len, reverse=True)
        self._hidden.add(secret.encode("utf-8", "replace").decode())
        self.redactor = Redactor(self._hidden)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class Key(Auth):
    """One secret in one header. An empty one is not sent."""

    def __init__(self, secret: Secret, header: str = "Authorization", prefix: str = "Bearer ") -> None:
        super().__init__({header: f"{prefix}{secret.value}"} if secret.value else {})
        self.hide(secret.value)


class AwsSignature(Auth):
    """AWS Signature Version 4 over every request. `clock` gives Unix seconds."""

    hint = (
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, what they may use in this region, "
        "and this machine's clock"
    )

    def __init__(self, credentials: Credentials, scope: Scope, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._credentials, self._scope, self._clock = credentials, scope, clock
        for secret in (credentials.access_key, credentials.secret_key, credentials.session_token):
            self.hide(secret)

    def missing(self) -> list[str]:
        """What is wrong with the three variables."""
        own = self._credentials
        pieces = {"AWS_ACCESS_KEY_ID": own.access_key, "AWS_SECRET_ACCESS_KEY": own.secret_key}
        unset = [f"the environment variable {name} is not set" for name, value in pieces.items() if not value]
        pieces["AWS_SESSION_TOKEN"] = own.session_token
        return unset + [odd for name, value in pieces.items() if (odd := odd_secret(name, value))]

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """Date, session token and signature."""
        from seatrial.targets.sigv4 import Unsigned, signed

        request = Unsigned(method, url, body, {"Content-Type": "application/json"})
        return signed(self._credentials, self._scope, request, datetime.fromtimestamp(self._clock(), UTC))


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An access token and the Unix time of its end, infinite where that is not known."""

    value: str
    ends: float = math.inf


class Bearer(Auth):
    """A token in the header `Authorization`, which `fetch` gives and gives anew before its end.

    `fetch` may block, and runs in a thread; it raises Fault. `clock` gives Unix seconds.
    """

    def __init__(self, fetch: Callable[[], Token], hint: str = "", clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._fetch, self._clock, self.hint = fetch, clock, hint
        self._token: Token | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fetching = asyncio.Lock()

    async def prepare(self) -> None:
        """Fetch the token where there is none or it ends soon. Raises Fault."""
        if self._is_good(EARLY):
            return
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # a lock belongs to the loop that it was first waited on
            self._loop, self._fetching = loop, asyncio.Lock()
        async with self._fetching:
            if self._is_good(EARLY):
                return
            try:
                async with asyncio.timeout(LONGEST_FETCH):
                    token = await asyncio.to_thread(self._fetch)
            except TimeoutError:
                raise Fault("timeout", "no access token came within the time limit") from None
            self.hide(token.value)
            self._token = token
        if not self._is_good(0):
            moment = datetime.fromtimestamp(token.ends, UTC).isoformat(timespec="seconds")
            raise Fault("auth", f"the access token ended at {moment}", reaction="down")

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002  # as Auth's
        """The token's header."""
        assert self._token is not None, "prepare comes first"
        return {"Authorization": f"Bearer {self._token.value}"}

    def _is_good(self, seconds: float) -> bool:
        return self._token is not None and self._token.ends - self._clock() > seconds


class ReadyToken(Bearer):
    """A token that stands in an environment variable. Nobody refreshes it: when it ends, the target is down."""

    def __init__(self, variable: str, value: str, clock: Callable[[], float] = time.time) -> None:
        token = Token(value, end_of(value))
        super().__init__(lambda: token, f"a ready token lasts about an hour: put a new one into {variable}", clock)
        self._variable, self._value = variable, value
        self.hide(value)

    def missing(self) -> list[str]:
        """What is wrong with the variable."""
        if not self._value:
            return [f"the environment variable {self._variable} is not set"]
        return [odd] if (odd := odd_secret(self._variable, self._value)) else []


def end_of(token: str) -> float:
    """When a JSON web token (RFC 7519) ends, in Unix seconds; infinite for a token of another kind.

    Nothing is verified: that is the endpoint's to do.
    """
    pieces = token.split(".")
    if len(pieces) != 3:  # header, claims, signature
        return math.inf
    try:
        claims = as_dict(loads(base64.urlsafe_b64decode(pieces[1] + "==")))
    except ValueError:
        return math.inf
    ends: Any = (claims or {}).get("exp")
    if isinstance(ends, bool) or not isinstance(ends, int | float) or not 0 <= ends < LAST_MOMENT:
        return math.inf
    return float(ends)


def odd_secret(variable: str, value: str) -> str:
    """Why a secret cannot be one, empty where nothing is odd; the secret itself is not shown."""
    odd = value and not (value.isascii() and value.isprintable() and " " not in value)
    return f"the environment variable {safe(variable)} holds characters that no key has" if odd else ""
