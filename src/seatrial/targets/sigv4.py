"""AWS Signature Version 4: what proves to AWS, request by request, that the sender has a secret that is never sent.

Written from the public description (docs.aws.amazon.com/IAM, "Create a signed AWS API request").
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
STAMP = "%Y%m%dT%H%M%SZ"
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """An access key; `session_token` is empty where the key is a lasting one."""

    access_key: str
    secret_key: str
    session_token: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for. `encodes_twice`: the path is encoded once more, as every service but S3 asks."""

    region: str
    service: str
    encodes_twice: bool = True


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A request before it is signed: its URL as it goes over the wire, and the headers that are to be signed too."""

    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] | None = None


def signed(credentials: Credentials, scope: Scope, request: Unsigned, at: datetime) -> dict[str, str]:
    """The headers that sign a request at a moment: date, session token where there is one, and `Authorization`."""
    stamp = at.astimezone(UTC).strftime(STAMP)
    token = {"X-Amz-Security-Token": credentials.session_token} if credentials.session_token else {}
    added = {"X-Amz-Date": stamp, **token}
    covered = {**(request.headers or {}), "Host": host_of(request.url), **added}
    lowered = {name.lower(): " ".join(value.split()) for name, value in covered.items()}
    named = ";".join(sorted(lowered))
    to_sign = string_to_sign(canonical(request, lowered, scope), stamp, scope)
    key = signing_key(credentials.secret_key, stamp[:8], scope)
    signature = hmac.new(key, to_sign.encode(), sha256).hexdigest()
    credential = f"{credentials.access_key}/{_place(stamp, scope)}"
    authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={named}, Signature={signature}"
    return {**added, "Authorization": authorization}


def canonical(request: Unsigned, lowered: Mapping[str, str], scope: Scope) -> str:
    """The request in the one form that both sides hash; `lowered` are the signed headers, names in lower case."""
    parts = urlsplit(request.url)
    path = quote(parts.path, safe="/~") if scope.encodes_twice else parts.path
    return "\n".join(
        (
            request.method.upper(),
            path or "/",
            _query(parts.query),
            *(f"{name}:{lowered[name]}" for name in sorted(lowered)),
            "",
            ";".join(sorted(lowered)),
            sha256(request.body).hexdigest(),
        )
    )


def string_to_sign(canonical_request: str, stamp: str, scope: Scope) -> str:
    """What is signed: algorithm, moment, scope and the request's hash."""
    digest = sha256(canonical_request.encode("utf-8", "surrogatepass")).hexdigest()
    return "\n".join((ALGORITHM, stamp, _place(stamp, scope), digest))


def signing_key(secret_key: str, date: str, scope: Scope) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


def host_of(url: str) -> str:
    """The `Host` header that goes with a URL: without a port that is the scheme's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return shown if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f"{shown}:{parts.port}"


def _place(stamp: str, scope: Scope) -> str:
    return f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"


def _query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = ((quote(unquote(name), safe="~"), quote(unquote(value), safe="~")) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))
