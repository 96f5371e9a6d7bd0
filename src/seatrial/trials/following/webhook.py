"""Telling somebody: one JSON object to a URL that only the environment knows."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from seatrial.core.identity import canonical
from seatrial.errors import MissingSecretError, UsageError, safe

MOST_BYTES = 64 * 1024
SECONDS = 10.0
PAUSES = (1.0, 4.0)
"""Seconds before the second and the third try."""

Send = Callable[[str, bytes], None]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        """Follow nothing: what is told goes where it was meant to go."""


def address(variable: str, environ: Mapping[str, str] = os.environ) -> str:
    """The URL that an environment variable holds. It is a secret, and never shown. Raises ConfigErrors."""
    url = environ.get(variable, "").strip()
    if not url:
        raise MissingSecretError(
            f"The webhook's address is not there: {safe(variable)} is not set.",
            hint="set it to the URL, or leave --webhook-env out",
        )
    if not url.startswith(("https://", "http://")):
        raise UsageError(f"What {safe(variable)} holds is no webhook: it must start with https:// or http://.")
    return url


def post(url: str, body: bytes) -> None:
    """One try. Raises OSError, or ValueError for a URL that is none; neither says the URL."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  # checked before
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as refused:
        raise OSError(f"HTTP {refused.code}") from None
    except (urllib.error.URLError, http.client.HTTPException) as fault:
        raise OSError(type(getattr(fault, "reason", fault)).__name__) from None


def tell(url: str, event: Mapping[str, Any], send: Send = post, pause: Callable[[float], None] = time.sleep) -> str:
    """Send an event, at most three times; gives why it did not arrive, empty where it did."""
    body = canonical(bounded(event)).encode("ascii")
    why = ""
    for wait in (0.0, *PAUSES):
        if wait:
            pause(wait)
        try:
            send(url, body)
        except (OSError, ValueError) as fault:
            why = safe(str(fault).replace(url, "…") or type(fault).__name__, 200)
        else:
            return ""
    return why


def bounded(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event in at most 64 KiB: of its lists only as much as fits, and how much was left out."""
    kept = dict(event)
    lists = [key for key, value in kept.items() if isinstance(value, list)]
    total = sum(len(kept[key]) for key in lists)
    while len(canonical(kept)) > MOST_BYTES and any(kept[key] for key in lists):
        longest = max(lists, key=lambda key: len(canonical(kept[key])))
        kept[longest] = kept[longest][: len(kept[longest]) // 2]
        kept["left_out"] = total - sum(len(kept[key]) for key in lists)
    return kept
