"""Which reply a request gets, and everything about it that is decided by seed, model, input and attempt."""

from __future__ import annotations

import math
from collections.abc import Callable
from hashlib import blake2b, sha256
from statistics import NormalDist

from seatrial.testing.dialects.base import Asked, Given, SentCall, Usage, dump, tokens
from seatrial.testing.script import (
    STREAM_ONLY,
    Behaviour,
    CalledTool,
    Fault,
    Latency,
    Match,
    Reply,
    Rule,
    fill,
    pattern,
)

Answer = Callable[[Asked], Reply | str | None]
"""A Python function that answers; None leaves it to the rules."""

Matcher = Callable[[str], bool]

_NORMAL = NormalDist()


def draw(*parts: object) -> float:
    """A number in (0, 1) that depends on nothing but the parts."""
    raw = blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(raw, "big") + 0.5) / 2**64


def seconds(latency: Latency, u: float) -> float:
    """The latency's quantile at `u` in (0, 1)."""
    if latency.lognormal is not None:
        at = latency.lognormal
        return min(86_400.0, at.median * math.exp(at.sigma * _NORMAL.inv_cdf(u)))
    low, high = latency.uniform or (latency.constant, latency.constant)
    return (low or 0.0) + u * ((high or 0.0) - (low or 0.0))


def choose_fault(faults: tuple[Fault, ...], attempt: int, stream: bool, u: float) -> Fault | None:
    """The fault that this request meets; at most one."""
    edge = 0.0
    for fault in faults:
        edge += fault.probability
        if u < edge:
            late = fault.attempts is not None and attempt > fault.attempts
            return None if late or (fault.kind in STREAM_ONLY and not stream) else fault
    return None


def _matcher(match: Match) -> Matcher:
    if match.exact is not None:
        return match.exact.__eq__
    if match.contains is not None:
        wanted = match.contains
        return lambda text: wanted in text
    if match.regex is not None:
        compiled = pattern(match.regex)
        return lambda text: compiled.search(text.encode("utf-8", "replace").decode()) is not None
    digits = match.sha256 or ""
    return lambda text: sha256(text.encode("utf-8", "surrogatepass")).hexdigest().startswith(digits)


class Answers:
    """A behaviour's rules, ready to be asked: rules for one exact input are found without a search."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._default = behaviour.default
        self._by_input: dict[str, list[int]] = {}
        self._open: list[int] = []
        self._rules: list[tuple[Rule, list[tuple[str, Matcher]]]] = []
        for at, rule in enumerate(behaviour.answers):
            exact = rule.when.input.exact if rule.when.input is not None else None
            self._open.append(at) if exact is None else self._by_input.setdefault(exact, []).append(at)
            tests = {"text": rule.when.input, "system": rule.when.system, "model": rule.when.model}
            self._rules.append((rule, [(name, _matcher(m)) for name, m in tests.items() if m is not None]))

    def reply(self, asked: Asked, attempt: int) -> Reply:
        """The first rule that fits, or the default."""
        exact = self._by_input.get(asked.text)
        places = self._open if exact is None else sorted(self._open + exact)
        for at in places:
            rule, tests = self._rules[at]
            if all(fits(getattr(asked, name)) for name, fits in tests):
                return rule.sequence[min(attempt, len(rule.sequence)) - 1] if rule.sequence else rule
        return self._default


def decide(asked: Asked, reply: Reply, behaviour: Behaviour, attempt: int) -> Given:
    """The reply with everything filled in: ids, counted tokens, and the output limit that was asked."""
    text = reply.text or ""
    if reply.echo is not None:
        values = {"input": asked.text, "system": asked.system, "model": asked.model, "call": str(attempt)}
        text = fill(reply.echo, values)
    id_ = blake2b(f"{asked.key}\0{attempt}\0{asked.model}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    calls = tuple(_sent(call, f"call_{id_[:16]}_{at}") for at, call in enumerate(reply.tool_calls))
    pieces = tokens(text)
    cut = asked.max_tokens is not None and len(pieces) > asked.max_tokens
    if cut:
        pieces = pieces[: asked.max_tokens]
        text = "".join(pieces)
    written = len(pieces) + sum(len(tokens(call.name + call.arguments)) for call in calls)
    return Given(
        id=id_,
        model=behaviour.served_model or asked.model,
        fingerprint=behaviour.fingerprint,
        text=text,
        tool_calls=calls,
        refusal=reply.refusal,
        finish_reason="length" if cut else reply.finish_reason or ("tool_calls" if calls else "stop"),
        usage=_usage(asked, reply, written + len(tokens(reply.refusal or ""))),
        logprobs=reply.logprobs,
        top_logprobs=tuple(reply.top_logprobs.items()) if asked.body.get("top_logprobs") else (),
        tokens_per_event=behaviour.stream.tokens,
    )


def _sent(call: CalledTool, id_: str) -> SentCall:
    arguments = call.arguments if isinstance(call.arguments, str) else dump(call.arguments).decode()
    return SentCall(call.id or id_, call.name, arguments)


def _usage(asked: Asked, reply: Reply, written: int) -> Usage | None:
    if reply.usage is False:
        return None
    said = reply.usage
    answer = written * asked.choices + said.reasoning
    return Usage(
        input=asked.input_tokens if said.input is None else said.input,
        cached=said.cached,
        output=answer if said.output is None else said.output,
        reasoning=said.reasoning,
    )
