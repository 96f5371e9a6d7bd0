"""What a change proposes: the targets, parameters and prompt of one suite under the rules of another.

Whatever decides (dataset, rubrics, policy, budget, quarantine, baseline) is the base's. A change that comes as data
from a stranger may moreover only name other models of the same access, common parameters and prompt texts: no code,
files, variables, hosts or prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from seatrial.core.identity import canonical
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.suite import Suite, TargetSpec
from seatrial.errors import Problem, ProposalError, safe
from seatrial.targets.params import common_name
from seatrial.trials.running.serving import SAMPLED
from seatrial.trials.suite.suitefile import LoadedSuite

PROPOSED = frozenset({"targets", "incumbent", "prompt", "variables", "description"})
"""What of a suite a change may change; the base's decides for all else."""
ACCESS = ("base_url", "api_key_env", "headers", "options")
MODELS = frozenset({"openai", "responses", "anthropic", "gemini", "azure", "bedrock", "vertex"})
"""The adapters whose object is a model and nothing else."""
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
COMMON = frozenset({*SAMPLED, "seed", "n"})
HINT = "a maintainer adds it on the base branch first"


class Proposal(NamedTuple):
    """The suite to run; in words, what differs in it from the base's, and what the change asked for in vain.

    `served`: the targets whose model, parameters or prompt differ, so that another system would answer.
    """

    suite: Suite
    changes: tuple[str, ...]
    ignored: tuple[str, ...]
    served: tuple[str, ...]


def propose(base: Suite, head: LoadedSuite, *, stranger: bool) -> Proposal:
    """Lay a change under the base's rules. Raises ProposalError with everything that a stranger may not ask for."""
    wanted = head.suite
    targets = {name: _restricted(name, base, spec) if stranger else spec for name, spec in wanted.targets.items()}
    if stranger and (problems := list(_refused(base, head))):
        many = "1 thing" if len(problems) == 1 else f"{len(problems)} things"
        raise ProposalError(f"The change asks for {many} that a change may not.", problems=problems)
    update = {"targets": targets, "incumbent": wanted.incumbent, "prompt": wanted.prompt, "variables": wanted.variables}
    suite = base.model_copy(update=update)
    served = tuple(name for name in targets if _system(suite, name) != _system(base, name))
    return Proposal(suite, tuple(_changes(base, suite)), tuple(_ignored(base, wanted)), served)


def running(suite: Suite) -> str | None:
    """The target that runs today: the incumbent, or the only one."""
    return suite.incumbent or (next(iter(suite.targets)) if len(suite.targets) == 1 else None)


def _system(suite: Suite, name: str) -> str:
    """All that a target's answers depend on as far as the suite says it."""
    spec = suite.targets.get(name)
    if spec is None:
        return ""
    said = {key: getattr(spec, key) for key in ("use", "params", *ACCESS, "unsupported")}
    prompt = [item if isinstance(item, str) else item.plain() for item in suite.prompt]
    return canonical({**said, "prompt": prompt, "variables": suite.variables})


def _restricted(name: str, base: Suite, spec: TargetSpec) -> TargetSpec:
    """A stranger's target: the base's settings with another model and other parameters."""
    like = _like(name, base, spec)
    if like is None:
        return spec
    price = next((known.price for known in base.targets.values() if known.use == spec.use), None)
    return like.model_copy(update={"use": spec.use, "params": spec.params, "price": price})


def _like(name: str, base: Suite, spec: TargetSpec) -> TargetSpec | None:
    """The base's target of that name, else its first of the same access."""
    same = [known for known in base.targets.values() if _access(known) == _access(spec)]
    named = base.targets.get(name)
    return named if named is not None and named in same else next(iter(same), None)


def _access(spec: TargetSpec) -> str:
    """By what a target is reached: adapter or provider, host, key and headers.

    Another object is another access, unless the object is a model's name.
    """
    kind = _kind(spec)
    return canonical({"kind": kind, **{key: getattr(spec, key) for key in ACCESS}})


def _kind(spec: TargetSpec) -> str:
    """What stands before a model's name, with its sign; the whole `use` where its object is no model's name."""
    adapter, colon, _ = spec.use.partition(":")
    provider, slash, _ = spec.use.partition("/")
    if slash and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", provider):
        return f"{provider}/"
    return f"{adapter}:" if colon and adapter in MODELS else spec.use


def is_named(spec: TargetSpec) -> bool:
    """Whether equal settings are an equal system: of models and recordings, not of code and of other endpoints."""
    return _kind(spec) != spec.use or spec.use.startswith("replay:")


def _refused(base: Suite, head: LoadedSuite) -> Iterator[Problem]:
    """What a stranger asked for and may not have."""
    file = str(head.path)

    def at(*path: str | int) -> int:
        return head.line(path)

    for name, spec in head.suite.targets.items():
        like = _like(name, base, spec)
        if like is None:
            rule = (
                "is reached in a way that no target of the base branch is (code, file, host, key, headers or options)"
            )
            yield Problem(rule, file, at("targets", name), f"targets.{name}", spec.use, HINT)
            continue
        _, _, model = spec.use.partition("/" if "/" in spec.use.partition(":")[0] else ":")
        if spec.use != like.use and (not MODEL.fullmatch(model) or ".." in model):
            yield Problem(
                "is no plain name of a model", file, at("targets", name, "use"), f"targets.{name}.use", spec.use
            )
        for key, value in spec.params.items():
            if _same(like.params, key, value):
                continue
            place = at("targets", name, "params", key)
            if common_name(key) not in COMMON:
                yield Problem("is no common parameter", file, place, f"targets.{name}.params.{safe(key)}", hint=HINT)
            elif any("://" in text for text in _texts(value)):
                yield Problem("holds a URL", file, place, f"targets.{name}.params.{safe(key)}", hint=HINT)


def _same(params: Mapping[str, Json], key: str, value: Json) -> bool:
    return key in params and canonical(params[key]) == canonical(value)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner: list[Any] = list((as_dict(value) or {}).values()) + (as_list(value) or [])
    for item in inner:
        yield from _texts(item)


def _changes(base: Suite, suite: Suite) -> Iterator[str]:
    for name in dict.fromkeys((*base.targets, *suite.targets)):
        old, new = base.targets.get(name), suite.targets.get(name)
        if old is None or new is None:
            yield f"target {name} is {'new' if old is None else 'gone'}"
            continue
        if old.use != new.use:
            yield f"target {name}: use {safe(old.use)} → {safe(new.use)}"
        for key in sorted({*old.params, *new.params}):
            was, now = (canonical(p[key]) if key in p else "not set" for p in (old.params, new.params))
            if was != now:
                yield f"target {name}: {safe(key)} {safe(was)} → {safe(now)}"
        others = [k for k in ACCESS if getattr(old, k) != getattr(new, k)]
        if others:
            yield f"target {name}: {', '.join(others)}"
    if base.prompt != suite.prompt:
        yield "the prompt"
    if canonical(base.variables) != canonical(suite.variables):
        yield "the prompt's variables"
    if base.incumbent != suite.incumbent:
        yield f"incumbent {base.incumbent} → {suite.incumbent}"


def _ignored(base: Suite, wanted: Suite) -> Iterator[str]:
    """Which of the keys that decide differ: the base's were taken."""
    for key in Suite.model_fields:
        if key not in PROPOSED and getattr(base, key) != getattr(wanted, key):
            yield f"The change edits {key}; the base branch's {key} was used."
