"""What can be found out about a target before anything is asked of it: settings, key, endpoint, model, clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from seatrial.core.protocols import Target
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import ConfigError, MissingSecretError, nearest, safe
from seatrial.targets import build
from seatrial.targets.auth import Auth
from seatrial.targets.catalogue import Provider
from seatrial.targets.http import Client
from seatrial.targets.listing import Listing
from seatrial.targets.models import Model
from seatrial.targets.retry import Fault

State = Literal["ok", "warning", "failed"]

MOST_SKEW = 60.0
"""Seconds by which the clocks may differ before it is said: signatures and dates start to be wrong."""

SILENT = frozenset({"unreachable", "connection", "timeout"})
SAID = {
    "redirect": "it redirects elsewhere: check base_url",
    "rate_limited": "it answers 429: too many requests",
    "quota": "the account's quota is spent",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `settings`, `key`, `endpoint`, `model` or `clock`; how it is, and what to do."""

    about: str
    state: State
    says: str
    hint: str = ""

    def plain(self) -> dict[str, Json]:
        """Plain values."""
        fields = {"about": self.about, "state": self.state, "says": self.says, "hint": self.hint}
        return {key: value for key, value in fields.items() if value}


def probe(provider: Provider) -> TargetSpec:
    """A target that can read the provider's list of models, of no model in particular."""
    return TargetSpec(use=f"{provider.name}/any", params={"max_tokens": 1})


async def examine(
    name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str], *, seconds: float, model: bool = True
) -> list[Check]:
    """Everything about one target, within `2 × seconds`. `model`: whether it names a model to look for."""
    try:
        target = build(name, spec.model_copy(update={"timeout": seconds}), folder, environ)
    except ConfigError as fault:
        rules = [f"{p.key.removeprefix(f'targets.{name}.')}: {p.rule}" for p in fault.problems]
        hints = [p.hint for p in fault.problems if p.hint]
        return [Check("settings", "failed", "; ".join(rules) or fault.problem, "; ".join(hints) or fault.hint)]
    try:
        async with asyncio.timeout(2 * seconds):
            return await _opened(target, spec, seconds, model)
    except TimeoutError:
        return [Check("endpoint", "failed", f"no full answer within {2 * seconds:g} s", "check the network")]


async def _opened(target: Target, spec: TargetSpec, seconds: float, model: bool) -> list[Check]:
    try:
        await target.open()
    except MissingSecretError as fault:
        says = "; ".join(p.rule for p in fault.problems) or fault.problem
        where = target.list_url or target.base_url if isinstance(target, Model) else _url(spec)
        reached = [await _reach(where, seconds)] if where else []
        return [Check("key", "failed", says, fault.hint), *reached]
    except ConfigError as fault:
        return [Check("settings", "failed", fault.problem, fault.hint)]
    try:
        if isinstance(target, Model):
            return await _examined(target, seconds, model)
        where = _url(spec)
        return [await _reach(where, seconds)] if where else [Check("settings", "ok", "it can be built")]
    finally:
        await target.close()


def _url(spec: TargetSpec) -> str:
    return spec.use if spec.use.startswith(("http://", "https://")) else ""


async def _examined(target: Model, seconds: float, model: bool) -> list[Check]:
    variable = target.key_variable
    try:
        listing = await target.models()
    except Fault as fault:
        return await _without_list(target, fault, seconds)
    reached = Check("endpoint", "ok", f"{_host(target)} lists {len(listing.models):,} models")
    checks = [reached]
    if variable:
        public = await _answers(target.list_url, seconds)
        tried = "its list of models is public, so that the key was not tried" if public else "it is accepted"
        checks.insert(0, Check("key", "ok", f"{variable} is set; {tried}"))
    if model:
        checks.append(await _known(target, listing))
    if listing.skew is not None:
        checks.append(_clock(listing.skew))
    return checks


async def _without_list(target: Model, fault: Fault, seconds: float) -> list[Check]:
    """What an endpoint's refusal to list its models says about it."""
    variable, said = target.key_variable, safe(fault.message, 160)
    if fault.code in SILENT:
        hint = "check base_url, the network, and that something listens there"
        return [Check("endpoint", "failed", f"{_host(target)} is not reached: {said}", hint)]
    if fault.code == "auth":
        hint = "make a new key, and check what it may use" if variable else "name the key's variable under api_key_env"
        key = f"{variable} is refused" if variable else "it asks for a key"
        return [Check("key", "failed", f"{key}: {said}", hint), Check("endpoint", "ok", f"{_host(target)} answers")]
    if fault.code == "no_list":
        return [await _reach(target.base_url, seconds), _untold(variable)]
    if fault.status in (404, 405) or fault.code == "unknown_model":
        return [Check("endpoint", "ok", f"{_host(target)} answers, without a list of models"), _untold(variable)]
    status = f"HTTP {fault.status}, " if fault.status else ""
    says = f"{_host(target)} answers, but its list of models cannot be read ({status}{fault.code}): {said}"
    state = "failed" if fault.reaction == "down" else "warning"
    return [Check("endpoint", state, says, SAID.get(fault.code, "")), _untold(variable)]


def _untold(variable: str) -> Check:
    what = f"{variable} is set; neither it nor the model was tried" if variable else "the model was not tried"
    return Check("model", "warning", what, "`seatrial run --limit 1` asks once")


async def _known(target: Model, listing: Listing) -> Check:
    model = target.asked
    shown = safe(model)
    if not listing.models:
        return Check("model", "warning", f"{shown} was not found: the list is empty")
    try:
        if listing.has(model) or await target.knows(model):
            return Check("model", "ok", f"{shown} is known")
    except Fault:
        pass
    near = nearest(model, listing.models)
    hint = f"did you mean {safe(near)}?" if near else "`seatrial targets poll --json` shows what is listed"
    return Check("model", "failed", f"{shown} is not listed", hint)


def _clock(skew: float) -> Check:
    ahead = "behind" if skew > 0 else "ahead of"
    if abs(skew) <= MOST_SKEW:
        return Check("clock", "ok", f"within {max(1, round(abs(skew)))} s of the endpoint's")
    hint = "set this machine's clock: signatures and dates go wrong"
    return Check("clock", "warning", f"this machine's is {abs(skew):,.0f} s {ahead} the endpoint's", hint)


async def _reach(url: str, seconds: float) -> Check:
    """Whether anything answers at a URL, whatever it answers; no key is sent."""
    host = safe(urlsplit(url).netloc)
    fault = await _anonymous(url, seconds)
    if fault is not None and fault.code in SILENT:
        hint = "check the URL, the network, and that something listens there"
        return Check("endpoint", "failed", f"{host} is not reached: {safe(fault.message, 160)}", hint)
    status = f" (HTTP {fault.status})" if fault is not None and fault.status else ""
    return Check("endpoint", "ok", f"{host} answers{status}")


async def _answers(url: str, seconds: float) -> bool:
    return await _anonymous(url, seconds) is None


async def _anonymous(url: str, seconds: float) -> Fault | None:
    client = Client(url, {"Accept-Encoding": "identity"}, 1, seconds)
    await client.open(Auth())
    try:
        await client.get(url)
    except Fault as fault:
        return fault
    finally:
        await client.close()
    return None


def _host(target: Model) -> str:
    return safe(urlsplit(target.base_url).netloc)
