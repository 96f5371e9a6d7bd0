"""The control endpoints under `/_fake/`: what other processes may ask of the fake provider, and tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from seatrial.core.identity import loads
from seatrial.core.record import Json, as_dict
from seatrial.errors import ConfigError, UsageError
from seatrial.testing.dialects.base import dump
from seatrial.testing.http import HttpRequest, response

if TYPE_CHECKING:
    from seatrial.testing.provider import FakeProvider

ROOT = "/_fake/"


def control(fake: FakeProvider, request: HttpRequest) -> bytes:
    """Answer a control request."""
    if "origin" in request.headers:
        return _problem(403, "Pages in a browser may not control the fake provider.")
    command = _COMMANDS.get((request.method, request.path.removeprefix(ROOT)))
    if command is None:
        known = ", ".join(f"{method} {ROOT}{name}" for method, name in _COMMANDS)
        return _problem(404, f"No such command; there are {known}.")
    try:
        return response(200, dump(command(fake, request)))
    except ConfigError as cause:
        return _problem(400, str(cause))


def _stats(fake: FakeProvider, request: HttpRequest) -> dict[str, Any]:
    shown = asdict(fake.stats)
    if "inputs" in parse_qs(request.query, keep_blank_values=True):
        shown["per_input"] = fake.all_inputs()
    return shown


def _log(fake: FakeProvider, _request: HttpRequest) -> list[dict[str, Any]]:
    hidden = {"headers"}  # they hold keys
    return [{name: value for name, value in asdict(call).items() if name not in hidden} for call in fake.log]


def _reset(fake: FakeProvider, _request: HttpRequest) -> dict[str, Any]:
    fake.reset()
    return {}


def _switch(fake: FakeProvider, request: HttpRequest) -> dict[str, Any]:
    variant = _json_object(request).get("to", "")
    if not isinstance(variant, str):
        raise UsageError("`to` must be a variant's name.", hint='send {"to": "name"}')
    fake.switch(variant)
    return {"variant": variant}


def _script(fake: FakeProvider, request: HttpRequest) -> dict[str, Any]:
    from seatrial.testing.scriptfile import validate  # brings the YAML parser

    fake.load(validate(_json_object(request)))
    return {}


_COMMANDS: Mapping[tuple[str, str], Callable[[FakeProvider, HttpRequest], Any]] = {
    ("GET", "stats"): _stats,
    ("GET", "log"): _log,
    ("POST", "reset"): _reset,
    ("POST", "switch"): _switch,
    ("POST", "script"): _script,
}


def _problem(status: int, message: str) -> bytes:
    return response(status, dump({"error": {"message": message}}))


def _json_object(request: HttpRequest) -> dict[str, Json]:
    try:
        found = as_dict(loads(request.body or b"{}"))
    except ValueError:
        found = None
    if found is None:
        raise UsageError("The body must be a JSON object.")
    return found
