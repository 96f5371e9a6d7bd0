"""Google's access tokens, by google-auth: the extra `vertex`, imported when the first token is needed."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from seatrial.core.identity import loads
from seatrial.core.record import as_dict
from seatrial.errors import safe
from seatrial.targets.auth import Token
from seatrial.targets.retry import Fault

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
INSTALL = "pip install 'seatrial[vertex]'"


def fetch_token(path: str) -> Token:
    """A new access token. Blocks. Raises Fault.

    `path` is a file of a service account or of `gcloud auth application-default login`; empty: Google's own search,
    which also finds the machine's account.
    """
    try:
        refused, transport = map(importlib.import_module, ("google.auth.exceptions", "google.auth.transport.requests"))
    except ImportError:
        raise Fault("auth", f"google-auth is not installed: {INSTALL}", reaction="down") from None
    try:
        credentials = _from_file(path) if path else importlib.import_module("google.auth").default([SCOPE])[0]
        credentials.refresh(transport.Request())
    except refused.TransportError as cause:
        raise Fault("unreachable", f"no access token: {_said(cause)}") from None
    except (refused.GoogleAuthError, OSError, ValueError, KeyError) as cause:
        raise Fault("auth", f"no access token: {_said(cause)}", reaction="down") from None
    ends = credentials.expiry
    return Token(str(credentials.token), math.inf if ends is None else ends.replace(tzinfo=UTC).timestamp())


def _from_file(path: str) -> Any:
    """The credentials in a file, of the two kinds that say nothing of where else to ask. Raises ValueError, OSError."""
    found: Mapping[str, Any] = as_dict(loads(Path(path).read_bytes())) or {}
    kind = found.get("type")
    if kind == "service_account":
        module = importlib.import_module("google.oauth2.service_account")
        return module.Credentials.from_service_account_info(found, scopes=[SCOPE])
    if kind == "authorized_user":
        return importlib.import_module("google.oauth2.credentials").Credentials.from_authorized_user_info(
            found, [SCOPE]
        )
    raise ValueError(f"the file's type is {safe(kind)}, and must be service_account or authorized_user")


def _said(cause: Exception) -> str:
    return safe(f"{type(cause).__name__}: {cause}", 200)
