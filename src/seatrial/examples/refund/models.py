"""Four simulated models that answer as a refund-support agent, right or wrong at known rates.

Copy this file to put your own model in: keep one function that takes a `Request` and gives an `Output`, and name it in
`seatrial.yaml` as `python:models:your_function`. A plain `def` will do; it runs in a thread.

The simulation reads the right answers from `cases.jsonl` beside this file and spoils some of them. Whether an answer is
spoilt depends on nothing but the question, the model and the request's seed, so every run gives the same outputs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from math import log
from pathlib import Path
from typing import Any

from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output, Request, Timing, Usage

ERRORS = (
    "wrong_tool",
    "wrong_argument",
    "wrong_decision",
    "broken_json",
    "wrong_language",
    "over_refusal",
    "too_long",
    "slow",
)
ATTACKS = ("safety_violation", "jailbreak", "prompt_injection", "pii_extraction", "policy_violation")
LEVELS = ("easy", "medium", "hard")
SHARED = 0.8
"""How much of a model's luck is the case's own, and so the same for every model."""
BY_SEED = 0.5
"""How much of that is the same for all variants of a seed."""
TOOLS = ("refund_order", "issue_credit", "send_replacement", "cancel_order", "escalate", "lookup_order")
DECISIONS = ("refund", "credit", "replace", "deny", "escalate", "answer")
REFUSAL = "I'm sorry, but I can't help with that request."


@dataclass(frozen=True, slots=True)
class Profile:
    """How a model errs, in per cent of its answers, and what an answer takes."""

    errors: Mapping[str, tuple[float, float, float]]
    """Kind of error: its rate on easy, medium and hard traffic."""
    attacks: Mapping[str, float]
    """Class of attack: how often it succeeds."""
    first_token: float
    """Seconds until it starts to answer."""
    tokens_per_second: float
    price: tuple[float, float]
    """US dollars a million tokens, read and written."""
    shared: float = SHARED


PROFILES: Mapping[str, Profile] = {
    "incumbent": Profile(
        errors={
            "wrong_tool": (2.5, 4.5, 6.5),
            "wrong_argument": (1.0, 2.0, 4.0),
            "wrong_decision": (2.0, 4.5, 8.5),
            "broken_json": (2.5, 2.5, 3.0),
            "wrong_language": (3.0, 4.0, 5.0),
            "over_refusal": (1.5, 2.0, 4.5),
            "too_long": (4.0, 5.0, 8.0),
            "slow": (1.5, 1.5, 2.0),
        },
        attacks=dict.fromkeys(ATTACKS, 0.0),
        first_token=0.55,
        tokens_per_second=48,
        price=(2.50, 10.00),
    ),
    "atlas-2": Profile(
        errors={
            "wrong_tool": (2.0, 3.5, 5.5),
            "wrong_argument": (1.0, 1.5, 3.0),
            "wrong_decision": (1.5, 3.5, 7.5),
            "broken_json": (1.5, 1.5, 2.0),
            "wrong_language": (2.5, 3.0, 4.0),
            "over_refusal": (1.0, 1.5, 4.0),
            "too_long": (6.0, 7.0, 9.0),
            "slow": (1.0, 1.0, 1.5),
        },
        attacks=dict.fromkeys(ATTACKS, 0.0),
        first_token=0.42,
        tokens_per_second=64,
        price=(2.00, 8.00),
    ),
    "borealis-1": Profile(
        errors={
            "wrong_tool": (0.5, 1.0, 2.0),
            "wrong_argument": (0.3, 0.5, 1.0),
            "wrong_decision": (0.5, 1.0, 2.5),
            "broken_json": (0.3, 0.3, 0.5),
            "wrong_language": (0.3, 0.5, 0.8),
            "over_refusal": (0.0, 0.2, 0.3),
            "too_long": (8.0, 10.0, 14.0),
            "slow": (2.0, 2.0, 2.5),
        },
        attacks={
            "safety_violation": 2.0,
            "jailbreak": 6.0,
            "prompt_injection": 15.0,
            "pii_extraction": 8.0,
            "policy_violation": 10.0,
        },
        first_token=0.60,
        tokens_per_second=55,
        price=(2.60, 10.40),
    ),
    "cirrus-mini": Profile(
        errors={
            "wrong_tool": (3.5, 6.0, 8.5),
            "wrong_argument": (1.5, 3.0, 4.5),
            "wrong_decision": (2.0, 5.0, 9.0),
            "broken_json": (1.5, 1.5, 2.0),
            "wrong_language": (3.0, 4.0, 5.0),
            "over_refusal": (1.0, 1.5, 3.5),
            "too_long": (2.0, 2.0, 3.0),
            "slow": (0.5, 0.5, 1.0),
        },
        attacks=dict.fromkeys(ATTACKS, 0.0),
        first_token=0.20,
        tokens_per_second=140,
        price=(0.40, 1.60),
        shared=0.2,
    ),
}


async def incumbent(request: Request) -> Output:
    """The model that runs today."""
    return respond("incumbent", request)


async def atlas_2(request: Request) -> Output:
    """The maker's next version: a little better everywhere, faster and cheaper."""
    return respond("atlas-2", request)


async def borealis_1(request: Request) -> Output:
    """Clearly the best on traffic, and easily talked into things."""
    return respond("borealis-1", request)


async def cirrus_mini(request: Request) -> Output:
    """Small, fast and cheap, with mistakes of its own."""
    return respond("cirrus-mini", request)


def respond(model: str, request: Request) -> Output:
    """What a model gives for a request; a question that is not in `cases.jsonl` goes to a person."""
    question = "\n".join(m.text for m in request.messages if m.role != "system")
    case = _table().get(question)
    profile, luck = PROFILES[model], _Luck(model, question, case, request.seed or 0)
    if case is None:
        reply = {"decision": "escalate", "amount": None, "language": "en", "reply": "Let me get a colleague for you."}
        return _output(profile, luck, request, json.dumps(reply), [_call("escalate", {"queue": "approvals"})], ())
    answer, calls = dict(case["expected"]["answers"][0]), [_first(call) for call in case["expected"]["tool_calls"][0]]
    if "probe" in case:
        fell = luck.below(ATTACKS.index(case["strata"]["intent"]), profile.attacks[case["strata"]["intent"]], profile)
        text, calls = _talked_into(case, answer) if fell else (_json(answer), calls)
        return _output(profile, luck, request, text, calls, ())
    level = LEVELS.index(case["strata"]["difficulty"])
    errs = [kind for at, kind in enumerate(ERRORS) if luck.below(at, profile.errors[kind][level], profile)]
    text, calls = _spoil(answer, calls, errs, luck)
    return _output(profile, luck, request, text, calls, errs)


def _spoil(
    answer: dict[str, Any], calls: list[ToolCall], errs: Iterable[str], luck: _Luck
) -> tuple[str, list[ToolCall]]:
    """The answer with its errors in it."""
    if "over_refusal" in errs:
        return _json({"decision": "refuse", "amount": None, "language": "en", "reply": REFUSAL}), []
    if "wrong_tool" in errs:
        calls = [_call(luck.other(TOOLS, calls[0].name if calls else ""), calls[0].arguments if calls else {})]
    if "wrong_argument" in errs and calls:
        calls = [_call(calls[0].name, _garbled(calls[0].arguments))]
    if "wrong_decision" in errs:
        answer["decision"] = luck.other(DECISIONS, answer["decision"])
    if "wrong_language" in errs and answer["language"] != "en":
        answer |= {"language": "en", "reply": "Thank you for writing. We have taken care of it."}
    if "too_long" in errs:
        answer["reply"] = " ".join([answer["reply"]] * 4)
    text = _json(answer)
    return (text[: len(text) * 2 // 3] if "broken_json" in errs else text), calls


def _talked_into(case: Mapping[str, Any], answer: dict[str, Any]) -> tuple[str, list[ToolCall]]:
    """What a model says that an attack got the better of: it complies, and gives away the secret if there is one."""
    secret = case["probe"].get("canary", "")
    answer |= {
        "decision": "answer",
        "reply": f"Of course, gladly. {secret} Here is what you asked for.".replace("  ", " "),
    }
    return _json(answer), []


def _garbled(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with one of them wrong: another amount, or an order id with a digit too many."""
    if "amount" in arguments:
        return {**arguments, "amount": round(arguments["amount"] + 5.9, 2)}
    return {**arguments, "order_id": f"{arguments.get('order_id', 'LM-')}0"}


def _output(
    profile: Profile, luck: _Luck, request: Request, text: str, calls: list[ToolCall], errs: Iterable[str]
) -> Output:
    """The output with the time, tokens and cost that such an answer takes."""
    read = sum(len(m.text) for m in request.messages) // 4 + 420
    written = (len(text) + 60 * len(calls)) // 4
    first = profile.first_token * (1 - 0.35 * log(luck.uniform(40)))
    total = (first + written / profile.tokens_per_second) * (4 if "slow" in errs else 1)
    return Output(
        messages=(Message(role="assistant", content=text, tool_calls=tuple(calls)),),
        finish_reason="tool_calls" if calls else "stop",
        usage=Usage(input=read, output=written),
        cost=(read * profile.price[0] + written * profile.price[1]) / 1e6,
        timing=Timing(total=round(total, 4), first_token=round(first, 4)),
    )


class _Luck:
    """Uniform numbers that depend on the question, the model and the seed alone.

    A share of them is drawn for the case, or for all variants of its seed, and is the same for every model: some
    questions are hard for everybody.
    """

    __slots__ = ("_mine", "_same")

    def __init__(self, model: str, question: str, case: Mapping[str, Any] | None, seed: int) -> None:
        family = case["seed_id"] if case else ""
        self._mine = _digest(f"{model}|{seed}|{question}")
        self._same = _digest(question) + _digest(f"seed|{family}")

    def uniform(self, at: int) -> float:
        """The model's own number at a place, above 0 and at most 1."""
        return (int.from_bytes(self._mine[at : at + 2]) + 1) / 65536

    def below(self, kind: int, per_cent: float, profile: Profile) -> bool:
        """Whether this error happens: true in `per_cent` of the cases."""
        if self.uniform(2 * kind) > profile.shared:
            return self.uniform(2 * kind + 20) * 100 <= per_cent
        shared = self._same
        start = 2 * kind + (64 if shared[2 * kind + 40] < 256 * BY_SEED else 0)
        return (int.from_bytes(shared[start : start + 2]) + 1) / 65536 * 100 <= per_cent

    def other(self, options: tuple[str, ...], right: str) -> str:
        """One of the options that is not the right one."""
        wrong = [option for option in options if option != right]
        return wrong[self._mine[50] % len(wrong)]


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass")).digest()


def _json(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _call(name: str, arguments: Mapping[str, Any]) -> ToolCall:
    return ToolCall(name=name, arguments=dict(arguments))


def _first(call: Mapping[str, Any]) -> ToolCall:
    """The call with the first accepted value of each argument."""
    return _call(call["name"], {key: values[0] for key, values in call["arguments"].items()})


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    """The cases by what is asked, read on first use."""
    lines = Path(__file__).with_name("cases.jsonl").read_bytes().splitlines()
    cases = [json.loads(line) for line in lines if line.strip()]
    return {_question(case["input"]): case for case in cases if _is_simulated(case)}


def _is_simulated(case: Mapping[str, Any]) -> bool:
    """Whether a case says all that the simulation needs; yours need not."""
    expected: Any = case.get("expected")
    strata = case.get("strata", {})
    if not (isinstance(expected, dict) and "answers" in expected and "tool_calls" in expected):
        return False
    return strata.get("intent") in ATTACKS if "probe" in case else strata.get("difficulty") in LEVELS


def _question(messages: str | list[dict[str, Any]]) -> str:
    if isinstance(messages, str):
        return messages
    return "\n".join(m.get("content", "") for m in messages)
