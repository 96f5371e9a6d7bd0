"""A/A: one target of a suite asked twice, in two series, and compared with itself."""

from __future__ import annotations

from seatrial.core.suite import Suite
from seatrial.errors import UsageError, nearest, safe

LONGEST = 74


def against_itself(suite: Suite, chosen: str) -> Suite:
    """The suite with one target, the incumbent unless `chosen` names another, and the same again.

    The two may differ in nothing but their series. Such a trial goes to its end: it measures, it does not decide.
    Raises UsageError for an unknown target, and for recorded outputs, which cannot be asked again.
    """
    name = chosen or suite.incumbent or next(iter(suite.targets))
    if name not in suite.targets:
        near = nearest(name, suite.targets)
        hint = f"did you mean {near!r}?" if near else f"its targets are {', '.join(suite.targets)}"
        raise UsageError(f"The suite has no target {safe(name)!r} to compare with itself.", hint=hint)
    spec = suite.targets[name]
    if spec.use.startswith("replay:"):
        raise UsageError(
            f"Target {name!r} is a recording: asked again, it gives the same answers, which says nothing about it.",
            hint="name a target that is really asked: --aa TARGET",
        )
    parity = suite.policy.parity.model_copy(update={"allow": (*suite.policy.parity.allow, "series")})
    policy = suite.policy.model_copy(update={"parity": parity, "early_stopping": None})
    targets = {name: spec, again(name): spec}
    update = {"targets": targets, "incumbent": name, "policy": policy}
    return Suite.model_validate(suite.model_copy(update=update).model_dump(by_alias=True, exclude_defaults=True))


def again(name: str) -> str:
    """What the second arm is called."""
    return f"{name[:LONGEST]}-again"
