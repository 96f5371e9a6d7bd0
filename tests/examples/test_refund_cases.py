from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import jsonschema_rs
import pytest

from seatrial.core.case import Case
from seatrial.datasets import read
from seatrial.examples import REFUND
from seatrial.trials.suite.suitefile import load

DAY = r"\d{4}-\d{2}-\d{2}"
ATTACKS = {"safety_violation", "jailbreak", "prompt_injection", "pii_extraction", "policy_violation"}


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    loaded = load(REFUND / "seatrial.yaml")
    return tuple(read(loaded.suite.dataset, loaded.folder))


def traffic(cases: tuple[Case, ...]) -> list[Case]:
    return [case for case in cases if case.origin != "adversarial"]


def attacks(cases: tuple[Case, ...]) -> list[Case]:
    return [case for case in cases if case.origin == "adversarial"]


def test_the_tool_writes_these_very_bytes(tools: Path) -> None:
    from refund_example.cases import lines

    assert lines() == (REFUND / "cases.jsonl").read_bytes()
    assert lines(seed=1) != lines()


def test_documentation_is_up_to_date(tools: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(tools / "make_refund_example.py"), "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_size_and_numbers(cases: tuple[Case, ...]) -> None:
    assert (REFUND / "cases.jsonl").stat().st_size <= 4_000_000
    assert len(traffic(cases)) >= 1500
    assert len({case.seed_id for case in traffic(cases)}) >= 500
    assert len(attacks(cases)) >= 120
    assert len({case.seed_id for case in attacks(cases)}) >= 100
    assert {case.strata["intent"] for case in attacks(cases)} == ATTACKS
    by_class = Counter(case.strata["intent"] for case in attacks(cases))
    assert min(by_class.values()) >= 20


def test_strata_are_filled(cases: tuple[Case, ...]) -> None:
    for name, values in {
        "difficulty": {"easy", "medium", "hard"},
        "risk": {"low", "medium", "high"},
        "language": {"en", "de", "es", "fr", "pt", "it", "ja"},
    }.items():
        counts = Counter(case.strata[name] for case in traffic(cases))
        assert counts.keys() == values
        assert min(counts.values()) >= 60, counts
    assert len({case.strata["intent"] for case in traffic(cases)}) >= 10
    assert {case.evolution for case in traffic(cases)} >= {"paraphrase", "typo", "language", "extra_detail"}
    assert sum(len(case.input) > 1 for case in traffic(cases)) >= 300


def test_ids_and_inputs_are_unique(cases: tuple[Case, ...]) -> None:
    assert len({case.id for case in cases}) == len(cases)
    assert len({case.input_hash for case in cases}) == len(cases)
    questions = {"\n".join(message.text for message in case.input) for case in cases}
    assert len(questions) == len(cases), "the models tell cases apart by their text"


def test_variants_keep_the_answer_of_their_seed(cases: tuple[Case, ...]) -> None:
    seeds = {case.id: case for case in cases}
    variants = [case for case in cases if case.parent_id]
    assert len(variants) > 900
    for case in variants:
        seed = seeds[case.parent_id]
        assert case.seed_id == seed.seed_id == seed.id
        assert case.expected is not None
        assert seed.expected is not None
        assert case.expected.tool_calls == seed.expected.tool_calls
        assert case.expected.behaviour == seed.expected.behaviour
        first, second = case.expected.answers[0], seed.expected.answers[0]
        assert (first["decision"], first["amount"]) == (second["decision"], second["amount"])
        assert case.input_hash != seed.input_hash
        assert day(case.created_at) > day(seed.created_at)
        assert case.evolution == "language" or case.strata["language"] == seed.strata["language"]


def test_origins_fit_their_lineage(cases: tuple[Case, ...]) -> None:
    for case in cases:
        assert bool(case.probe) == (case.origin == "adversarial")
        assert bool(case.parent_id) == (case.origin == "synthetic" or (case.id.endswith("-v1") and bool(case.probe)))
        assert bool(case.trace_id) == (case.origin == "production")
        assert date(2026, 1, 1) < day(case.created_at) < date(2026, 7, 1)


def day(moment: str | None) -> date:
    assert moment is not None
    return datetime.fromisoformat(moment).date()


@pytest.mark.parametrize("leftover", ["{", "}", "  ", "None", " nan", " ,", "\ufffd"])
def test_texts_have_no_leftovers(cases: tuple[Case, ...], leftover: str) -> None:
    for case in traffic(cases):
        for message in (m for m in case.input if m.role == "user"):
            assert leftover not in message.text, (case.id, message.text)


def test_texts_are_in_their_language(cases: tuple[Case, ...]) -> None:
    kana = re.compile(r"[\u3040-\u30ff]")
    for case in traffic(cases):
        japanese = case.strata["language"] == "ja"
        assert bool(kana.search(case.input[0].text)) == japanese, case.id
        assert case.expected is not None
        answer = case.expected.answers[0]
        assert answer["language"] == case.strata["language"]
        assert bool(kana.search(answer["reply"])) == japanese, case.id


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("de", r"ich|wir|ist|bitte|nicht|der|die|das|und|für|wie|wo", id="de"),
        pytest.param("es", r"que|por|de|el|la|no|mi|si|con|los|qué|para", id="es"),
        pytest.param("fr", r"je|j|vous|le|la|de|est|pour|un|une|des", id="fr"),
        pytest.param("it", r"il|la|che|di|per|ho|non|mi|è|su|da|si|dove|in|a", id="it"),
        pytest.param("pt", r"o|a|que|de|não|com|para|um|em|do|é|e", id="pt"),
    ],
)
def test_texts_use_the_commonest_words(cases: tuple[Case, ...], language: str, words: str) -> None:
    group = [case for case in traffic(cases) if case.strata["language"] == language and case.evolution != "typo"]
    hits = [bool(re.search(rf"\b(?:{words})\b", case.input[0].text.lower())) for case in group]
    assert sum(hits) >= 0.97 * len(hits)


def test_calls_fit_the_tools(cases: tuple[Case, ...]) -> None:
    named: set[str] = set()
    for case in cases:
        checks = {tool.name: jsonschema_rs.validator_for(dict(tool.parameters)) for tool in case.tools}
        assert case.expected is not None
        assert case.expected.tool_calls is not None
        for call in case.expected.tool_calls[0]:
            named.add(call.name)
            arguments = {key: values[0] for key, values in call.arguments.items()}
            assert checks[call.name].is_valid(arguments), (case.id, arguments)
            order = arguments.get("order_id", "")
            assert order in json.dumps([m.model_dump() for m in case.input]), case.id
    assert named == {tool.name for tool in cases[0].tools}


def record(case: Case) -> dict[str, str]:
    """The order's record, from the documents or from the look-up in an earlier turn."""
    for message in case.input:
        if message.role == "tool":
            return {key.replace("_", " "): str(value) for key, value in json.loads(message.text).items()}
    for document in case.context:
        if document.id.startswith("order:"):
            pairs = [re.fullmatch(r"(.+?) (\S.*)", part) for part in document.text.split("; ")]
            keys = ("order id", "looked up")
            found = {pair[1]: pair[2] for pair in pairs if pair}
            for key in keys:
                first, last = key.split()
                found[key] = found.pop(first, "").removeprefix(f"{last} ")
            return {key: value.removesuffix(" EUR") for key, value in found.items()}
    return {}


def since(found: dict[str, str], key: str) -> int:
    return (date.fromisoformat(found["looked up"]) - date.fromisoformat(found[key])).days


def test_right_answers_follow_the_policies(cases: tuple[Case, ...]) -> None:
    """The policies once more, read off the records: what may be paid, when, and how much."""
    checked: Counter[str] = Counter()
    for case in traffic(cases):
        assert case.expected is not None
        answer, found = case.expected.answers[0], record(case)
        calls = case.expected.tool_calls[0] if case.expected.tool_calls else ()
        amounts = {value for call in calls for value in call.arguments.get("amount", ())}
        assert amounts == ({answer["amount"]} if answer["amount"] is not None else set()), case.id
        policies = {document.id.partition("@")[0] for document in case.context}
        if not found:
            assert answer["decision"] in {"answer", "ask", "lookup", "escalate"}, case.id
            continue
        kind = calls[0].arguments["reason"][0] if answer["decision"] == "refund" else answer["decision"]
        checked[kind] += 1
        assert holds(kind, answer["amount"], found, policies), (case.id, kind, found)
    assert min(checked.values()) >= 20, checked


def holds(kind: str, amount: float | None, found: dict[str, str], policies: set[str]) -> bool:
    """Whether a decision is allowed by the policies for an order."""
    price, shipping = float(found["price"]), float(found.get("shipping", 0))
    due = {
        "damaged": lambda: (
            since(found, "delivered") <= 14 and near(amount, price + shipping) and price + shipping <= 400
        ),
        "changed_mind": lambda: since(found, "delivered") <= 30 and near(amount, price - 4.95),
        "late": lambda: (
            found["service"] == "express" and found["delivered"] > found["promised"] and near(amount, shipping)
        ),
        "duplicate": lambda: "both settled" in found["note"] and near(amount, price + shipping),
        "membership": lambda: since(found, "renewed") <= 2 and near(amount, 39.0),
        "cancel": lambda: found["status"] == "in preparation",
        "replace": lambda: "damaged" in policies or since(found, "promised") >= 10,
        "credit": lambda: credit(amount, found, policies, price, shipping),
        "deny": lambda: deny(found, policies),
        "answer": lambda: "pending" in found["note"],
        "escalate": lambda: bool(policies & {"escalation", "parcels"}),
    }
    return due[kind]()


def credit(amount: float | None, found: dict[str, str], policies: set[str], price: float, shipping: float) -> bool:
    if "gift" in found.get("note", ""):
        return near(amount, price)
    if found["delivered"] > found["promised"]:
        late = (date.fromisoformat(found["delivered"]) - date.fromisoformat(found["promised"])).days
        return near(amount, 2 * shipping if found["tier"] == "VIP" else 10.0) and (found["tier"] == "VIP" or late >= 6)
    if 31 <= since(found, "delivered") <= 60:
        return near(amount, price)
    return "price" in policies and since(found, "delivered") <= 7 and near(amount, price * 0.2)


def deny(found: dict[str, str], policies: set[str]) -> bool:
    if "renewed" in found:
        return since(found, "renewed") > 2
    return found["status"] == "in transit" or "hygiene" in policies or since(found, "delivered") > 60


def near(amount: float | None, wanted: float) -> bool:
    return amount is not None and abs(amount - wanted) < 0.0051


def test_canaries_are_planted_and_never_expected(cases: tuple[Case, ...]) -> None:
    owner: dict[str, str] = {}
    seeds: set[str] = set()
    for case in attacks(cases):
        assert case.probe is not None
        assert re.fullmatch(r"[A-Za-z0-9_]+@[a-z0-9-]+", case.probe.category)
        assert case.probe.strategy
        assert case.probe.oracle
        canary = case.probe.canary
        if not canary:
            continue
        seeds.add(case.seed_id)
        assert owner.setdefault(canary, case.seed_id) == case.seed_id
        seen = "\n".join([*(m.text for m in case.input), *(d.text for d in case.context)])
        assert canary in seen + decoded(seen), case.id
        assert case.expected is not None
        assert canary not in json.dumps(case.expected.plain(), ensure_ascii=False)
    assert len(seeds) >= 59, "fewer clean seeds cannot show a failure rate of at most 5%"


def decoded(text: str) -> str:
    found = re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", text)
    return "\n".join(base64.b64decode(part + "=" * (-len(part) % 4)).decode(errors="replace") for part in found)


def test_attacks_are_refused_and_twins_answered(cases: tuple[Case, ...]) -> None:
    for case in attacks(cases):
        assert case.expected is not None
        poisoned = any(document.id.startswith("note:") for document in case.context)
        assert case.expected.behaviour == ("answer" if poisoned else "refuse"), case.id
    twins = [case for case in cases if case.evolution == "benign_twin"]
    assert {case.metadata["twin_of"] for case in twins} == ATTACKS
    assert all(case.origin == "manual" and case.expected and case.expected.behaviour == "answer" for case in twins)
