"""Which parameters a model takes: a dated table by family, and how a provider says that it takes one not.

A model that no row names is sent everything as asked. A row is only as good as its source on its day: what a
provider refuses at run time is recognised as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatrial.core.output import Sent
from seatrial.core.record import Json, as_dict
from seatrial.core.suite import Unsupported
from seatrial.errors import TargetDownError, safe
from seatrial.targets.params import Convert, Table, Unfit, at, translate
from seatrial.targets.retry import Fault

SAMPLING = ("temperature", "top_p")
PENALTIES = ("presence_penalty", "frequency_penalty")
LOGPROBS = ("logprobs", "top_logprobs")
TOKEN_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
"""What limits an answer's length, in every spelling. It is never dropped: without it an answer has no end."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What models of one family do not take.

    `model` is a pattern of the whole name, in lower case and without its maker. `takes` are values of the parameters
    that it takes all the same. `beside`: only together with that parameter. `effort`: only while the model is asked
    to reason, where it can be asked not to. `instead`: the name under which the same thing is taken. `adapters`: only
    in these formats. `source`, read on `as_of`.
    """

    model: str
    params: tuple[str, ...]
    says: str
    source: str
    as_of: str
    takes: tuple[Json, ...] = ()
    beside: str = ""
    effort: bool = False
    instead: str = ""
    adapters: tuple[str, ...] = ()


_MICROSOFT = "learn.microsoft.com/azure/ai-services/openai/how-to/reasoning"
_GPT_5 = "qiita.com/nogataka/items/4913cb7dbc44842ec110"
_CLAUDE_47 = "github.com/mnfst/modelparams.dev/pull/238"
_DEEPSEEK = "deepseekv4pro.com/guides/deepseek-reasoning-model-unsupported-parameters"
_REASONS = r"o[1-9](?:-.*)?|gpt-5(?:-(?!chat).*)?"
_REASONS_IF_ASKED = r"gpt-5\.[1-9](?!-chat).*"
_ONE_SAMPLER = r"claude-(?:opus-4[-.][1-6]|sonnet-4[-.][56]|haiku-4[-.]5)(?:\D.*)?"
_NO_SAMPLER = r"claude-(?:opus-4[-.][78]|(?:sonnet|fable)-5)(?:\D.*)?"
_GEMINI = r"gemini-(?:2\.5|[3-9](?:\.\d+)?)-.*"

RULES: tuple[Rule, ...] = (
    Rule(_REASONS, SAMPLING, "is taken by reasoning models only as 1", _GPT_5, "2025-11-15", takes=(1,)),
    Rule(_REASONS, PENALTIES, "is not taken by reasoning models", _GPT_5, "2025-11-15", takes=(0,)),
    Rule(_REASONS, (*LOGPROBS, "logit_bias"), "is not taken by reasoning models", _GPT_5, "2025-11-15"),
    Rule(
        rf"{_REASONS}|{_REASONS_IF_ASKED}", ("max_tokens",), "is called max_completion_tokens", _MICROSOFT,
        "2026-11-22", instead="max_completion_tokens", adapters=("openai", "azure"),
    ),
    Rule(
        _REASONS_IF_ASKED, (*SAMPLING, *LOGPROBS), "is taken only with reasoning_effort none",
        "github.com/vercel/ai/issues/10932", "2026-11-22", takes=(1,), effort=True,
    ),
    Rule(
        _ONE_SAMPLER, ("top_p",), "is not taken together with temperature",
        "github.com/SalesforceAIResearch/MCP-Universe/issues/49", "2026-01-26", beside="temperature",
    ),
    Rule(_NO_SAMPLER, ("temperature",), "is taken only as 1", _CLAUDE_47, "2026-08-17", takes=(1,)),
    Rule(_NO_SAMPLER, ("top_p", "top_k"), "is no longer taken by this model", _CLAUDE_47, "2026-08-17"),
    Rule(
        r"deepseek-reasoner", (*SAMPLING, *PENALTIES), "is ignored by this model",
        _DEEPSEEK, "2026-07-01",
    ),
    Rule(
        r"deepseek-reasoner", LOGPROBS, "is not taken by this model",
        _DEEPSEEK, "2026-07-01",
    ),
    Rule(
        r"grok-3-mini.*|grok-4.*", PENALTIES, "is not taken by this model",
        "github.com/QuantumNous/new-api/pull/6081", "2026-07-10",
    ),
    Rule(
        _GEMINI, PENALTIES, "is taken by this model only as 0",
        "github.com/google-gemini/cookbook/issues/1290", "2026-07-17", takes=(0,),
    ),
    Rule(
        _GEMINI, LOGPROBS, "is not enabled for this model",
        "github.com/Vela-Research/think-reason-learn/issues/34", "2025-10-22", takes=(False,), adapters=("gemini",),
    ),
)  # fmt: skip

_MAKER = re.compile(r"^(?:[a-z-]{2,6}\.)?(?:anthropic|openai|deepseek|xai|google)\.")


def rules_for(model: str, adapter: str) -> tuple[Rule, ...]:
    """The rows about a model that is reached by an adapter like `openai` or `gemini`."""
    name = _MAKER.sub("", model.lower().rpartition("/")[2])
    return tuple(r for r in RULES if (not r.adapters or adapter in r.adapters) and re.fullmatch(r.model, name))


def lacking(rules: Iterable[Rule], params: Mapping[str, Json]) -> dict[str, Unfit]:
    """Which of the parameters, with these values, the rows rule out."""
    found: dict[str, Unfit] = {}
    for rule in rules:
        if rule.instead or (rule.beside and rule.beside not in params) or (rule.effort and not _reasons(params)):
            continue
        for key in rule.params:
            if key in params and not any(_same(params[key], value) for value in rule.takes):
                hint = f"leave it out, for every target that is compared ({rule.source}, {rule.as_of})"
                found.setdefault(key, Unfit(rule.says, hint, lacking=True))
    return found


def _reasons(params: Mapping[str, Json]) -> bool:
    effort = params.get("reasoning_effort", (as_dict(params.get("reasoning")) or {}).get("effort"))
    return effort not in (None, "none")


def _same(value: Json, taken: Json) -> bool:
    return isinstance(value, bool) is isinstance(taken, bool) and value == taken


@dataclass(frozen=True, slots=True)
class Settled:
    """Parameters ready to send: the body's part, what is kept about them, and what no policy can mend."""

    body: Mapping[str, Json]
    sent: Sent
    faults: Mapping[str, Unfit]


@dataclass(frozen=True, slots=True)
class Support:
    """What one target takes: its dialect's table, its reserved names, the rows about its model, and the policy.

    Under the policy `send` no row and no gap of the dialect's table stands against a parameter: the provider decides.
    """

    table: Table
    reserved: frozenset[str]
    rules: tuple[Rule, ...]
    drop: bool

    @classmethod
    def of(cls, model: str, adapter: str, table: Table, reserved: frozenset[str], policy: Unsupported) -> Support:
        """The support of a model behind an adapter like `openai/1`."""
        rules = rules_for(model, adapter.partition("/")[0])
        renamed = {key: at(rule.instead) for rule in rules if rule.instead for key in rule.params}
        known = {**table, **renamed}
        if policy == "send":
            return cls({key: _insisting(key, convert) for key, convert in known.items()}, reserved, (), drop=False)
        return cls(known, reserved, rules, policy == "drop")

    def settle(self, params: Mapping[str, Json], learnt: Mapping[str, str]) -> Settled:
        """The parameters as they go out. `learnt`: names that the provider refused, with what it said."""
        dropped = {key: learnt[key] for key in params if key in learnt}
        kept = {key: value for key, value in params.items() if key not in dropped}
        faults = lacking(self.rules, kept) | translate(kept, self.table, self.reserved).faults
        gone = {key: unfit.rule for key, unfit in faults.items() if self.drop and unfit.lacking}
        kept = {key: value for key, value in kept.items() if key not in gone}
        done = translate(kept, self.table, self.reserved)
        rest = {key: unfit for key, unfit in (faults | done.faults).items() if key not in gone}
        sent = Sent(params=done.body, renamed=done.renamed, dropped=dropped | gone)
        return Settled(done.body, sent, rest)


def _insisting(key: str, convert: Convert | None) -> Convert:
    """A parameter in the dialect's words, or under its own name where the dialect has none for it."""

    def insisted(value: Json) -> dict[str, Json]:
        if convert is None:
            return {key: value}
        try:
            return convert(value)
        except Unfit as unfit:
            if not unfit.lacking:
                raise
            return {key: value}

    return insisted


class Parameters:
    """One target's parameters as they go out, with what its provider was found not to take."""

    def __init__(self, name: str, support: Support, asked: Mapping[str, Json]) -> None:
        self._name, self._support, self._asked = name, support, asked
        self._learnt: dict[str, str] = {}
        self._own = support.settle(asked, self._learnt)

    def settled(self, params: Mapping[str, Json]) -> Settled:
        """The parameters as they go out by all that is known; worked out once for those of the suite."""
        return self._own if params == self._asked else self._support.settle(params, self._learnt)

    @property
    def learnt(self) -> Mapping[str, str]:
        """The names that the provider refused so far, with what it said."""
        return dict(self._learnt)

    def sent(self, params: Mapping[str, Json], left_out: Mapping[str, str]) -> Sent:
        """What went out of these parameters while so much was left out as refused."""
        known = left_out.keys() == self._learnt.keys()
        return (self.settled(params) if known else self._support.settle(params, left_out)).sent

    def fitting(self, params: Mapping[str, Json]) -> Mapping[str, Json]:
        """The body's part of these parameters. Raises Unfit that names every parameter with a fault."""
        settled = self.settled(params)
        if settled.faults:
            raise Unfit("; ".join(f"params.{key}: {unfit.rule}" for key, unfit in settled.faults.items()))
        return settled.body

    def learn(self, fault: Fault, params: Mapping[str, Json], sent: Sent) -> bool:
        """Whether a request that ended in this fault is worth sending again, without the parameter that it names.

        Raises TargetDownError where the suite wants every parameter sent, or the answer's length would have no limit.
        """
        asked = [key for key in params if key not in sent.dropped]
        key = refused(fault, asked, sent.renamed)
        if key is None:
            return False
        if not self._support.drop or key in TOKEN_LIMITS:
            raise self._down(key, fault) from fault
        if key not in self._learnt:
            self._learnt[key] = f"refused by the provider (HTTP {fault.status}): {fault.message}"
            self._own = self._support.settle(self._asked, self._learnt)
        return True

    def _down(self, key: str, fault: Fault) -> TargetDownError:
        drop = f"set unsupported: drop for it and policy.parity.allow: [{safe(key)}], which leaves it out and says so"
        limit = "max_tokens is never dropped: give the limit under the name that this model takes"
        return TargetDownError(
            f"Target {self._name!r} does not take the parameter {safe(key)} (HTTP {fault.status}): "
            f"{safe(fault.message, 200).rstrip('.')}.",
            hint=limit if key in TOKEN_LIMITS else f"leave it out for every target that is compared, or {drop}",
        )


# what a provider says at run time --------------------------------------------------------------------------------

_REFUSAL = re.compile(
    r"unsupported|unknown|unrecogni|unexpected|deprecated|no longer|cannot both|cannot find field|extra inputs"
    r"|not (?:be )?(?:\w+ )?(?:support|permit|allow|enabl|recogni|accept|available)",
    re.IGNORECASE,
)
_WORD = re.compile(r"""(?P<quote>['"`]?)(?P<name>[A-Za-z_][A-Za-z0-9_.]*)""")
_SENTENCES = re.compile(r"[.;]\s|\n")
_ANNOUNCED = re.compile(r"(?:parameters?|arguments?|property|field|name|model):?\s*$", re.IGNORECASE)
_EVERYDAY = frozenset({"stop", "n", "user", "tools", "store", "metadata", "thinking", "reasoning", "modalities"})
_GROUPS = {"penalty": PENALTIES}
REFUSING_STATUSES = frozenset({400, 422})


def refused(fault: Fault, asked: Iterable[str], renamed: Mapping[str, str]) -> str | None:
    """Which of the parameters sent a provider's error is about, if it says that it does not take one.

    An error that names no parameter, or only finds its value too large, is none of these.
    """
    if fault.code != "rejected" or fault.status not in REFUSING_STATUSES:
        return None
    names: dict[str, str] = {}
    for key in asked:
        names[_plain(key)] = key
        for place in renamed.get(key, "").split(", "):
            names.setdefault(_plain(place), key)
    if fault.param and _REFUSAL.search(fault.message) and (named := names.get(_plain(fault.param))):
        return named
    for sentence in _SENTENCES.split(fault.message):
        if _REFUSAL.search(sentence) and (found := _named(sentence, names)):
            return found[-1]
    return None


def _named(sentence: str, names: Mapping[str, str]) -> Sequence[str]:
    found: list[str] = []
    for word in _WORD.finditer(sentence):
        plain = _plain(word["name"])
        group = [names[_plain(key)] for key in _GROUPS.get(plain, ()) if _plain(key) in names]
        key = names.get(plain)
        clear = plain not in _EVERYDAY or word["quote"] or _ANNOUNCED.search(sentence[: word.start()])
        found += [key] if key is not None and clear else group
    return found


def _plain(name: str) -> str:
    """A parameter's name without its place and spelling: `generationConfig.topP` is `topp`."""
    return name.strip(".").rpartition(".")[2].replace("_", "").lower()
