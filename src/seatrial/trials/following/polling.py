"""Reading endpoints' lists of models, keeping them, and saying what changed since the last time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from seatrial.core.suite import TargetSpec
from seatrial.errors import ConfigError, safe
from seatrial.store import modellists
from seatrial.store.store import Store

if TYPE_CHECKING:
    from seatrial.targets.models import Model

SECONDS = 10.0
AT_ONCE = 16


class Place(NamedTuple):
    """Where a target's model is listed."""

    endpoint: str
    model: str


def poll(asked: Mapping[str, TargetSpec], folder: Path, store: Store) -> list[dict[str, Any]]:
    """Read and keep the list of every endpoint of these targets, each once.

    One report an endpoint: `endpoint`, and `error`, or `models`, `polled_at` and, where it was polled before, `since`,
    `new`, `retired` and `changed`. Raises the errors of a target that cannot be built.
    """
    read = asyncio.run(_read_all(_models(asked, folder)))
    return [_kept(store, endpoint, found) for endpoint, found in read.items()]


def places(asked: Mapping[str, TargetSpec], folder: Path) -> dict[str, Place]:
    """Where each target's model is listed; targets that are no models are left out."""
    return {name: Place(m.base_url, str(m.identity().get("model", ""))) for name, m in _models(asked, folder).items()}


def _models(asked: Mapping[str, TargetSpec], folder: Path) -> dict[str, Model]:
    from seatrial.targets import build
    from seatrial.targets.models import Model

    found: dict[str, Model] = {}
    for name, spec in asked.items():
        target = build(name, spec.model_copy(update={"timeout": SECONDS, "batch": False}), folder, os.environ)
        if isinstance(target, Model):
            found[name] = target
    return found


async def _read_all(models: Mapping[str, Model]) -> dict[str, Any]:
    """The listing, or what went wrong, of each endpoint once."""
    at_once = asyncio.Semaphore(AT_ONCE)
    by_endpoint: dict[str, Model] = {}
    for target in models.values():
        by_endpoint.setdefault(target.base_url, target)

    async def one(target: Model) -> Any:
        async with at_once:
            return await _read(target)

    read = await asyncio.gather(*(one(target) for target in by_endpoint.values()))
    return dict(zip(by_endpoint, read, strict=True))


async def _read(target: Model) -> Any:
    from seatrial.targets.retry import Fault

    try:
        await target.open()
    except ConfigError as fault:
        return "; ".join(problem.rule for problem in fault.problems) or fault.problem
    try:
        async with asyncio.timeout(2 * SECONDS):
            return await target.models()
    except Fault as fault:
        status = f"HTTP {fault.status}, " if fault.status else ""
        return f"{status}{fault.code}: {safe(fault.message, 160)}"
    except TimeoutError:
        return "timeout: no full answer in time"
    finally:
        await target.close()


def _kept(store: Store, endpoint: str, found: Any) -> dict[str, Any]:
    """Keep a list that could be read, and report how it differs from the one before."""
    if isinstance(found, str):
        return {"endpoint": endpoint, "error": found}
    listed = {name: model.plain() for name, model in found.models.items()}
    before = modellists.last_poll(store, endpoint)
    report: dict[str, Any] = {"endpoint": endpoint, "models": list(listed.values())}
    report["polled_at"] = modellists.keep_poll(store, endpoint, list(listed.values()))
    if before is None:
        return report
    change = modellists.difference(before.models, listed)
    return report | {"since": before.polled_at, **modellists.plain(change)}
