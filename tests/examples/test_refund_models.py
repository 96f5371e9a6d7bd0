from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Failure, Output, Request, Timing
from seatrial.examples import REFUND, copy_refund

MODELS = ("incumbent", "atlas-2", "borealis-1", "cirrus-mini")


def right(case: Any) -> Output:
    """What a model without errors gives."""
    calls = tuple(
        ToolCall(name=call.name, arguments={key: values[0] for key, values in call.arguments.items()})
        for call in case.expected.tool_calls[0]
    )
    text = json.dumps(case.expected.answers[0], ensure_ascii=False)
    message = Message(role="assistant", content=text, tool_calls=calls)
    return Output(messages=(message,), timing=Timing(total=1.0, first_token=0.5), cost=0.001)


def test_a_perfect_model_passes_every_rubric(example: Any) -> None:
    scores = example.score([right(case) for case in example.cases])
    for rubric in example.suite.rubrics:
        judged = [(case.id, s) for case, s in zip(example.cases, scores[rubric.name], strict=True) if s is not None]
        assert len(judged) >= 100, rubric.name
        assert {s.status for _, s in judged} == {"scored"}, rubric.name
        wrong = [
            (name, s.reason) for name, s in judged if s.passed is False or (s.passed is None and rubric.kind != "limit")
        ]
        assert not wrong, (rubric.name, wrong[:3])


@pytest.mark.parametrize(
    "empty",
    [
        pytest.param(Output(), id="nothing"),
        pytest.param(Output.of(""), id="no text"),
        pytest.param(Output.of(" \n"), id="white space"),
        pytest.param(Output(failure=Failure(kind="model", code="empty")), id="failure"),
    ],
)
def test_an_empty_answer_passes_no_rubric(example: Any, empty: Output) -> None:
    scores = example.score([empty] * len(example.cases))
    for rubric in example.suite.rubrics:
        judged = [score for score in scores[rubric.name] if score is not None]
        assert judged
        assert not any(score.passed for score in judged), rubric.name
        assert {score.status for score in judged} == {"model_failure"}, rubric.name


@dataclass
class Count:
    hits: int = 0
    seen: int = 0
    expected: float = 0.0
    spread: float = 0.0

    def add(self, hit: bool, rate: float) -> None:
        self.hits += hit
        self.seen += 1
        self.expected += rate
        self.spread += rate * (1 - rate)

    @property
    def z(self) -> float:
        """Standard errors between what happened and what is documented, variants of a seed counted as related."""
        return (self.hits - self.expected) / math.sqrt(self.spread * 1.6) if self.spread else float(self.hits > 0)


def errors(case: Any, output: Output, profile: Any) -> Mapping[str, bool]:
    """Which errors an output shows, read off it alone; only those that could show."""
    answer, seen = case.expected.answers[0], {}
    first = output.timing.first_token or 0
    usual = first + (output.usage.output or 0) / profile.tokens_per_second
    seen["slow"] = (output.timing.total or 0) > 2 * usual
    refused = "can't help with that" in output.text
    seen["over_refusal"] = refused
    if refused:
        return seen
    want, got = case.expected.tool_calls[0], output.tool_calls
    names = [call.name for call in want]
    seen["wrong_tool"] = [call.name for call in got] != names
    if want and not seen["wrong_tool"]:
        seen["wrong_argument"] = any(got[0].arguments[k] not in v for k, v in want[0].arguments.items())
    try:
        said = json.loads(output.text)
    except ValueError:
        return {**seen, "broken_json": True}
    seen["broken_json"] = False
    seen["wrong_decision"] = said["decision"] != answer["decision"]
    if answer["language"] != "en":
        seen["wrong_language"] = said["language"] != answer["language"]
    sentence = answer["reply"] if said["language"] == answer["language"] else said["reply"].split(" We ")[0]
    seen["too_long"] = said["reply"].count(sentence) > 1
    return seen


@pytest.mark.parametrize("name", MODELS)
def test_errors_come_at_their_documented_rates(example: Any, outputs: Mapping[str, Any], name: str) -> None:
    models, counts = example.models, {}
    profile = models.PROFILES[name]
    for case, output in zip(example.cases, outputs[name], strict=True):
        if case.origin == "adversarial":
            continue
        level = models.LEVELS.index(case.strata["difficulty"])
        for kind, hit in errors(case, output, profile).items():
            rate = profile.errors[kind][level] / 100
            counts.setdefault((kind, level), Count()).add(hit, rate)
    assert {kind for kind, _ in counts} == set(models.ERRORS)
    assert min(count.seen for count in counts.values()) > 150
    for key, count in counts.items():
        assert abs(count.z) < 3.7, (key, count)
    assert sum(count.z**2 for count in counts.values()) / len(counts) < 2.0
    assert abs(sum(count.z for count in counts.values())) < 3.7 * math.sqrt(len(counts))


@pytest.mark.parametrize("name", MODELS)
def test_attacks_succeed_at_their_documented_rates(example: Any, outputs: Mapping[str, Any], name: str) -> None:
    models = example.models
    total = Count()
    for case, output in zip(example.cases, outputs[name], strict=True):
        if case.origin == "adversarial":
            fell = json.loads(output.text) != case.expected.answers[0]
            assert fell == ("Of course, gladly." in output.text)
            assert not case.probe.canary or fell == (case.probe.canary in output.text)
            total.add(fell, models.PROFILES[name].attacks[case.strata["intent"]] / 100)
    assert total.seen > 150
    assert abs(total.z) < 3.0
    assert (total.hits == 0) == (name != "borealis-1")


def test_models_of_one_family_fail_on_the_same_cases(example: Any, outputs: Mapping[str, Any]) -> None:
    def failing(name: str) -> set[str]:
        profile = example.models.PROFILES[name]
        pairs = zip(example.cases, outputs[name], strict=True)
        return {c.id for c, o in pairs if c.origin != "adversarial" and errors(c, o, profile).get("wrong_tool")}

    old, new, own = failing("incumbent"), failing("atlas-2"), failing("cirrus-mini")
    by_chance = len(old) * len(new) / 1500
    assert len(old & new) > 6 * by_chance
    assert len(old & new) / len(new) > 2 * len(old & own) / len(own)


def test_an_answer_depends_on_its_question_alone(example: Any) -> None:
    requests = example.requests()[:300]
    for name in MODELS:
        forth = example.outputs(name, requests)
        back = example.outputs(name, requests[::-1])[::-1]
        assert [o.hash for o in forth] == [o.hash for o in back]
    bare = [Request(messages=case.input, seed=0) for case in example.cases[:300]]
    assert [o.text for o in example.outputs("incumbent", bare)] == [
        o.text for o in example.outputs("incumbent", requests)
    ]


def test_another_seed_changes_some_answers(example: Any) -> None:
    first, second = (example.outputs("incumbent", example.requests(seed)[:600]) for seed in (0, 1))
    changed = sum(a.text != b.text for a, b in zip(first, second, strict=True))
    assert 10 < changed < 200


def test_time_cost_and_usage_are_there(outputs: Mapping[str, Any]) -> None:
    for got in outputs.values():
        for output in got:
            assert 0 < output.timing.first_token < output.timing.total < 60
            assert output.cost > 0
            assert output.usage.input > 100
            assert output.usage.output > 0


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param((), id="none"),
        pytest.param((Message(role="user", content=""),), id="empty"),
        pytest.param((Message(role="user", content="what is this"),), id="unknown question"),
        pytest.param((Message(role="user", content="\ud800 \x00 ٠" * 9),), id="lone surrogates and null bytes"),
        pytest.param((Message(role="user", content="refund " * 150_000),), id="a megabyte"),
        pytest.param((Message(role="system", content="only this"),), id="system only"),
    ],
)
@pytest.mark.parametrize("name", ["incumbent", "borealis_1"])
def test_unknown_questions_go_to_a_person(example: Any, name: str, messages: tuple[Message, ...]) -> None:
    output = asyncio.run(getattr(example.models, name)(Request(messages=messages, seed=2**70)))
    assert json.loads(output.text)["decision"] == "escalate"
    assert [call.name for call in output.tool_calls] == ["escalate"]
    assert output.hash


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"id": "x", "input": "mine?"}, id="nothing expected"),
        pytest.param({"id": "x", "input": "mine?", "expected": "yes"}, id="plain expectation"),
        pytest.param({"id": "x", "input": "mine?", "expected": {"answers": ["yes"]}}, id="no calls"),
        pytest.param({"id": "x", "input": "mine?", "expected": {"answers": [{}], "tool_calls": [[]]}}, id="no strata"),
        pytest.param({"id": "x", "input": [{"role": "user", "content": "mine?"}], "probe": {}}, id="bare probe"),
    ],
)
def test_rows_of_ones_own_do_not_upset_the_simulation(tmp_path: Path, row: dict[str, Any]) -> None:
    copy_refund(tmp_path)
    with (tmp_path / "cases.jsonl").open("a") as file:
        file.write("\n" + json.dumps(row) + "\n")
    spec = spec_from_file_location("models_of_ones_own", tmp_path / "models.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    output = module.respond("incumbent", Request(messages=(Message(role="user", content="mine?"),)))
    assert json.loads(output.text)["decision"] == "escalate"


def test_importing_the_models_reads_nothing() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import seatrial.core.output, seatrial.core.message, sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda name, at: opened.append(str(at[0])) if name == 'open' else None)\n"
        "import models\n"
        "print([path for path in opened if path.endswith('.jsonl')], models._table.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(REFUND)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] 0"
