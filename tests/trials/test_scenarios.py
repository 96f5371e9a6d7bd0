"""Whole swaps with a known truth, from the suite's file to the exit code: what is decided, and in which words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.trials.staged import COST, LEAK, RIGHT, SLOW, Arm, Scene, Stage, every, scene, sentences

from seatrial.testing import FakeProvider, Script

EXIT = {"ship": 0, "block": 1, "inconclusive": 3, "not_evaluable": 4, "error": 2, "down": 4}


@pytest.fixture(scope="module")
def provider() -> Generator[FakeProvider]:
    """Models that say what they are asked; `picky` does not take a temperature."""
    with FakeProvider(Script(rejects={"picky": ("temperature",)})).in_thread() as fake:
        yield fake


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], provider: FakeProvider
) -> Stage:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "SEATRIAL_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Stage(tmp_path, lambda: capsys.readouterr().out, provider.base_url)


def kind(value: str, numbers: Any) -> Any:
    """Cases with a stratum `kind` of this value where named, else `usual`."""
    return lambda n: {"strata": {"kind": value if n in numbers else "usual"}}


def origin(name: str, numbers: Any, **more: Any) -> Any:
    """Cases of this origin where named."""
    return lambda n: {"origin": name, **more} if n in numbers else {}


def seeds(size: int) -> Any:
    """Cases in clusters of this size."""
    return lambda n: {"seed_id": f"s{n // size}"}


def labelled_by_ann(verdict: str) -> Any:
    """Ann judged the answer of `small` that leaked, after a first run; a recording's is named by its hash."""

    def before(stage: Stage, played: Scene) -> None:
        (stage.folder / "labels.jsonl").write_text("")
        _, found = stage.gate(played)
        flip = next(flip for flip in found["report"]["verdicts"][0]["flips"] if flip["rubric"] == "leak")
        told = {"case": flip["case_id"], "target": "small", "rubric": "leak", "verdict": verdict, "who": "Ann"}
        told |= {"when": "2026-03-01T10:00:00Z", "output": flip["candidate_output"]}
        (stage.folder / "labels.jsonl").write_text(json.dumps(told) + "\n")

    return before


def aged(stage: Stage, played: Scene) -> None:
    """The answers that the store holds are of 2020."""
    stage.gate(played)
    with sqlite3.connect(stage.folder / ".seatrial" / "seatrial.db") as store:
        store.execute("update outputs set finished_at = '2020-01-01T00:00:00+00:00'")


def asked(model: str, **params: Any) -> Arm:
    """A target that is asked at the provider."""
    return Arm(target={"use": f"openai:{model}", "params": params, "unsupported": "drop"})


def echoed(n: int) -> dict[str, Any]:
    """A case that an echoing model answers rightly."""
    return {"expected": f"question {n}"}


def graded(value: float) -> Any:
    """Answers that get so many of ten fields right."""
    return lambda _: json.dumps({f"f{at}": at if at < value else -1 for at in range(10)})


FIELDS = {"name": "fields", "scorer": "fields", "graded": True}
TEN = {"expected": {"answer": {f"f{at}": at for at in range(10)}}}
F1 = {"name": "f1", "scorer": "label", "aggregate": "f1:fraud", "with": {"labels": ["fraud", "fine"]}}


def fraud(n: int) -> dict[str, Any]:
    """Every fourth case is fraud."""
    return {"expected": "fraud" if n % 4 == 0 else "fine"}


def labelled(wrong: Any) -> Any:
    return lambda n: ("fraud" if n % 4 == 0 else "fine") if n not in wrong else ("fine" if n % 4 == 0 else "fraud")


def first_run(**policy: Any) -> Any:
    """The same scene was run before, under this policy."""

    def before(stage: Stage, played: Scene) -> None:
        stage.write(replace(played, policy=policy))
        assert stage.call("run", "--json")[0] == 0

    return before


def blessed(stage: Stage, played: Scene) -> None:
    """The running target was right everywhere when it was blessed."""
    code, found = stage.gate(Scene("", "", None, args=("--bless",), rubrics=played.rubrics))
    assert code == 0, found


JUDGE = """
def judge(case, output):
    if int(case.text.split()[-1]) {when}:
        raise ValueError('no')
    return True
"""
JUDGED = {"name": "judged", "scorer": "python:judge:judge"}
QUARANTINE = "- {case: c0, rubric: right, reason: two answers, expires: %s}\n"

SHIPS = [
    scene("identical-arms", "ship", "small may replace today: the one deciding rubric passes.", Arm()),
    scene("all-rubrics-pass", "ship", "all 4 deciding rubrics pass.", Arm(), rubrics=[RIGHT, LEAK, SLOW, COST]),
    scene("superior", "ship", "better beyond doubt.", Arm(), today=Arm(wrong=every(10))),
    scene("a-few-lost", "ship", "within the margin.", Arm(wrong=range(5)), n=600, today=Arm(wrong=range(5, 9))),
    scene(
        "regressed-within-margin",
        "ship",
        "within the margin, though the drop is real.",
        Arm(wrong=range(7)),
        n=600,
    ),
    scene("within-a-wide-margin", "ship", "margin −10", Arm(wrong=every(40)), policy={"margin_points": 10}),
    scene("gate-kept", "ship", "at most 1.5% with 95% confidence, and 5% is allowed.", Arm(), rubrics=[LEAK]),
    scene(
        "gate-failures-shared", "ship", "It fails 2 of 200", Arm(leak={1, 2}), today=Arm(leak={1, 2}), rubrics=[LEAK]
    ),
    scene("latency-kept", "ship", "Its p95 is 0.5 s", Arm(), rubrics=[SLOW]),
    scene("cost-kept", "ship", "Its mean is 0.001 USD", Arm(), rubrics=[COST]),
    scene(
        "cheaper-by-ratio",
        "ship",
        "0.5 times the incumbent's",
        Arm(dollars=lambda n: 0.0005),
        rubrics=[{**COST, "at_most": None, "at_most_ratio": 0.6}],
    ),
    scene("clusters-of-two", "ship", "may replace", Arm(), case=seeds(2)),
    scene("non-ascii", "ship", "may replace", Arm(), case=lambda n: {"input": f"Frage {n} – größer? 質問 🦀"}),
    scene(
        "advisory-beside",
        "ship",
        "the one deciding rubric passes",
        Arm(leak=range(200)),
        rubrics=[
            RIGHT,
            {"name": "seen", "scorer": "contains", "with": {"mode": "none", "values": ["SECRET"]}, "kind": "advisory"},
        ],
    ),
    scene(
        "graded-ship",
        "ship",
        "Its mean value is exactly the incumbent's",
        Arm(said=graded(9)),
        today=Arm(said=graded(9)),
        case=lambda n: TEN,
        rubrics=[FIELDS],
    ),
    scene(
        "f1-ship",
        "ship",
        "Its f1:fraud is exactly the incumbent's",
        Arm(said=labelled(every(25))),
        today=Arm(said=labelled(every(25))),
        case=fraud,
        rubrics=[F1],
    ),
    scene("epochs-both-flaky", "ship", "It passes 95.0%", Arm(flaky=range(10)), today=Arm(flaky=range(10)), epochs=3),
    scene("part-errors-fine", "ship", "if all missing results were the worst", Arm(errors=range(10)), verdict="ship"),
    scene(
        "missing-counted-shared",
        "ship",
        "may replace",
        Arm(errors={1}),
        today=Arm(errors={1}),
        policy={"missing": "fail"},
    ),
    scene(
        "synthetic-left-out",
        "ship",
        "synthetic",
        Arm(wrong=range(150, 200)),
        case=origin("synthetic", range(150, 200), evolution="paraphrase"),
    ),
    scene(
        "benchmark-left-out", "ship", "benchmark", Arm(wrong=range(150, 200)), case=origin("benchmark", range(150, 200))
    ),
    scene(
        "where-narrows",
        "ship",
        "may replace",
        Arm(wrong=range(100)),
        case=kind("odd", range(100)),
        rubrics=[{**RIGHT, "where": {"kind": "usual"}}],
    ),
    scene(
        "model-failures-of-both", "ship", "It passes exactly as often", Arm(empty=range(10)), today=Arm(cut=range(10))
    ),
    scene(
        "weights-turn-to-ship",
        "ship",
        "weighted to traffic",
        Arm(wrong=range(8)),
        n=400,
        case=kind("rare", range(40)),
        suite={"dataset": {"path": "cases.jsonl", "shares": {"kind": {"rare": 0.01, "usual": 0.99}}}},
    ),
    scene(
        "strict-margin-fragile",
        "ship",
        "Fragile: it would be inconclusive with a margin of 1 point.",
        Arm(wrong=range(5)),
        n=600,
        policy={"margin_points_strict": 1},
    ),
    scene(
        "fragile-by-weights",
        "ship",
        "if every case counted the same",
        Arm(wrong=range(16)),
        n=400,
        case=kind("rare", range(40)),
        suite={"dataset": {"path": "cases.jsonl", "shares": {"kind": {"rare": 0.01, "usual": 0.99}}}},
    ),
    scene(
        "quarantined",
        "ship",
        "may replace",
        Arm(wrong=[0]),
        rubrics=[{**RIGHT, "kind": "gate", "limit_points": 2}],
        files={"quarantine.yaml": QUARANTINE % "2999-01-01"},
    ),
    scene("baseline-held", "ship", "The gate passes", None, before=blessed),
    scene(
        "candidate-named",
        "ship",
        "small may replace today",
        Arm(),
        arms={"worse": Arm(wrong=every(4))},
        args=("--candidate", "small"),
    ),
]

BLOCKS = [
    scene("by-a-rubric", "block", "small must not replace today: blocked by right.", Arm(wrong=every(5))),
    scene("all-fail", "block", "worse than the margin allows.", Arm(wrong=range(200))),
    scene("gate-broken", "block", "The gate is broken.", Arm(leak=every(8)), rubrics=[RIGHT, LEAK]),
    scene(
        "gate-broken-by-both",
        "block",
        "The gate is broken.",
        Arm(leak=every(8)),
        today=Arm(leak=every(8)),
        rubrics=[LEAK],
    ),
    scene(
        "gate-worse",
        "block",
        "It is worse than the incumbent: 4 cases only it fails",
        Arm(leak=range(4)),
        rubrics=[LEAK],
    ),
    scene(
        "gate-and-rubric",
        "block",
        "blocked by the gate leak, and right.",
        Arm(wrong=every(4), leak=every(8)),
        rubrics=[RIGHT, LEAK],
    ),
    scene(
        "latency-p95",
        "block",
        "at most 2 s is allowed): not kept.",
        Arm(seconds=lambda n: 5 if n % 5 == 0 else 1),
        rubrics=[RIGHT, SLOW],
    ),
    scene(
        "cost-mean", "block", "at most 0.002 USD is allowed): not kept.", Arm(dollars=lambda n: 0.004), rubrics=[COST]
    ),
    scene(
        "cost-ratio",
        "block",
        "4 times the incumbent's",
        Arm(dollars=lambda n: 0.004),
        rubrics=[{**COST, "at_most": None, "at_most_ratio": 2}],
    ),
    scene(
        "block-despite-few-cases-elsewhere",
        "block",
        "blocked by right",
        Arm(wrong=every(5)),
        case=kind("rare", range(5)),
        rubrics=[RIGHT, {**RIGHT, "name": "rare", "where": {"kind": "rare"}}],
    ),
    scene("empty-answers", "block", "worse than the margin allows.", Arm(empty=every(5))),
    scene("cut-answers", "block", "worse than the margin allows.", Arm(cut=every(5))),
    scene(
        "deadline-missed",
        "block",
        "worse than the margin allows.",
        Arm(seconds=lambda n: 9 if n % 5 == 0 else 1, target={"deadline": 5}),
    ),
    scene(
        "errors-as-failures",
        "block",
        "worse than the margin allows.",
        Arm(errors=range(30)),
        policy={"missing": "fail"},
    ),
    scene(
        "fragile-by-missing",
        "block",
        "if all missing results were the best for the candidate",
        Arm(wrong=range(9), errors=range(9, 44)),
        policy={"most_missing_points": 30},
    ),
    scene(
        "graded-block",
        "block",
        "20.0 points lower than the incumbent's",
        Arm(said=graded(7)),
        today=Arm(said=graded(9)),
        case=lambda n: TEN,
        rubrics=[FIELDS],
    ),
    scene(
        "f1-block",
        "block",
        "lower than the incumbent's",
        Arm(said=labelled(every(3))),
        today=Arm(said=labelled(())),
        case=fraud,
        rubrics=[F1],
    ),
    scene("epochs-worse", "block", "in all 3 tries", Arm(flaky=every(4)), epochs=3),
    scene(
        "unpaired",
        "block",
        "they are compared unpaired",
        Arm(only=range(100, 200), wrong=range(100, 140)),
        today=Arm(only=range(100)),
    ),
    scene(
        "synthetic-let-in",
        "block",
        "worse than the margin allows.",
        Arm(wrong=range(150, 200)),
        case=origin("synthetic", range(150, 200), evolution="paraphrase"),
        policy={"synthetic": "include"},
    ),
    scene(
        "weights-turn-to-block",
        "block",
        "weighted to traffic",
        Arm(wrong=range(8)),
        n=400,
        case=kind("rare", range(40)),
        suite={"dataset": {"path": "cases.jsonl", "shares": {"kind": {"rare": 0.9, "usual": 0.1}}}},
    ),
    scene("several-candidates", "block", "good may replace today", Arm(wrong=every(4)), arms={"good": Arm()}),
    scene(
        "duplicates-are-one-cluster",
        "block",
        "worse than the margin allows.",
        Arm(wrong=every(4)),
        case=lambda n: {"input": f"question {n // 2}"},
    ),
    scene("baseline-regressed", "block", "against", None, today=Arm(wrong=every(5)), before=blessed),
    scene(
        "probes-gate",
        "block",
        "The gate is broken.",
        Arm(leak=range(8)),
        case=origin("adversarial", range(40), probe={"category": "LLM02@owasp"}),
        rubrics=[RIGHT, {**LEAK, "cases": "probes"}],
    ),
]

OPEN = [
    scene("open-by-few-cases", "inconclusive", "would settle it", Arm(wrong=[3]), n=60),
    scene("open-gate", "inconclusive", "leak needs about", Arm(), n=40, rubrics=[LEAK]),
    scene(
        "drop-is-real-and-open",
        "inconclusive",
        "the drop is real, and whether it stays within the margin is open.",
        Arm(wrong=range(6)),
    ),
    scene(
        "few-clusters",
        "inconclusive",
        "the cases form only 5 clusters, and fewer than 10 decide nothing.",
        Arm(wrong=every(3)),
        case=seeds(40),
    ),
    scene("one-cluster", "inconclusive", "the cases form only 1 cluster", Arm(), case=seeds(200)),
    scene(
        "both-all-fail",
        "inconclusive",
        "so nothing is shown: check prompt, scorer and references.",
        Arm(wrong=range(200)),
        today=Arm(wrong=range(200)),
    ),
    scene(
        "holm",
        "inconclusive",
        "with 3 quality rubrics tested at once this may be chance.",
        Arm(wrong=range(11)),
        rubrics=[
            RIGHT,
            {**RIGHT, "name": "b", "where": {"kind": "usual"}},
            {**RIGHT, "name": "c", "where": {"kind": "usual"}},
        ],
        case=kind("odd", range(11)),
    ),
    scene(
        "latency-tail-unknown",
        "inconclusive",
        "without an upper end",
        Arm(),
        n=40,
        rubrics=[RIGHT | {"margin_points": 10}, {**SLOW, "statistic": "p99"}],
    ),
    scene(
        "unpaired-shows-less",
        "inconclusive",
        "that shows less than the same cases would",
        Arm(only=range(100, 200), wrong=[100]),
        today=Arm(only=range(100), wrong=[0]),
    ),
    scene(
        "unseen-stratum",
        "inconclusive",
        "no case stands for 10% of traffic, which decides",
        Arm(),
        case=kind("rare", range(100)),
        suite={"dataset": {"path": "cases.jsonl", "shares": {"kind": {"rare": 0.4, "usual": 0.5, "new": 0.1}}}},
    ),
    scene(
        "zero-probes",
        "not_evaluable",
        "a gate without data does not pass",
        Arm(),
        rubrics=[RIGHT, {**LEAK, "cases": "probes"}],
        verdict="inconclusive",
    ),
]

NONE = [
    scene(
        "too-few-cases",
        "not_evaluable",
        "only 20 cases, too few to decide anything.",
        Arm(),
        n=20,
        verdict="inconclusive",
    ),
    scene("all-errors", "down", "Target 'small' answered none of its first 25 requests", Arm(errors=range(200))),
    scene("incumbent-all-errors", "down", "Target 'today' answered none", Arm(), today=Arm(errors=range(200))),
    scene("too-much-missing", "not_evaluable", "too many results of right are missing", Arm(errors=range(60))),
    scene(
        "most-missing-of-the-policy",
        "not_evaluable",
        "too many to pass",
        Arm(errors=range(20)),
        policy={"most_missing_points": 5},
    ),
    scene("only-advisory", "not_evaluable", "nothing decides", Arm(), rubrics=[{**RIGHT, "kind": "advisory"}]),
    scene("only-benchmarks", "not_evaluable", "No verdict", Arm(), case=origin("benchmark", range(200))),
    scene("only-synthetic", "not_evaluable", "No verdict", Arm(), case=origin("synthetic", range(200), evolution="x")),
    scene(
        "unknown-cost",
        "not_evaluable",
        "No verdict on small against today: no results of cost.",
        Arm(dollars=lambda n: None),
        rubrics=[RIGHT, COST],
    ),
    scene(
        "unknown-latency", "not_evaluable", "No case has a measure", Arm(seconds=lambda n: None), rubrics=[RIGHT, SLOW]
    ),
    scene(
        "half-the-costs-unknown",
        "not_evaluable",
        "too many to pass",
        Arm(dollars=lambda n: 0.001 if n % 2 else None),
        rubrics=[RIGHT, COST],
    ),
    scene(
        "recordings-without-time",
        "not_evaluable",
        "nobody recorded the time, and 7d is allowed",
        Arm(),
        policy={"max_age": {"outputs": "7d"}},
    ),
    scene(
        "stale-dataset",
        "not_evaluable",
        "The dataset is older than 30d",
        Arm(),
        case=lambda n: {"created_at": "2020-01-01"},
        policy={"max_age": {"dataset": "30d"}},
    ),
    scene("lone-target", "not_evaluable", "Nothing to compare right with", None),
    scene(
        "judge-fails-always",
        "not_evaluable",
        "No verdict",
        Arm(),
        rubrics=[JUDGED],
        files={"judge.py": JUDGE.format(when=">= 0")},
    ),
    scene("quarantine-expired", "error", "past", Arm(), files={"quarantine.yaml": QUARANTINE % "2020-01-01"}),
    scene("no-cases", "error", "", Arm(), n=0),
    scene("unknown-candidate", "error", "The trial has no target 'smal'.", Arm(), args=("--candidate", "smal")),
]

MORE = [
    scene(
        "judge-fails-rarely",
        "ship",
        "The scorer failed on 8 answers, for example: ValueError: no.",
        Arm(),
        rubrics=[JUDGED],
        files={"judge.py": JUDGE.format(when="% 50 == 0")},
    ),
    scene(
        "fragile-by-one-case", "ship", "Fragile: it would be inconclusive without case c", Arm(), n=59, rubrics=[LEAK]
    ),
    scene(
        "changed-policy",
        "ship",
        "The policy was changed after results existed",
        Arm(wrong=every(40)),
        policy={"margin_points": 10},
        before=first_run(margin_points=2),
    ),
    scene(
        "same-policy-again",
        "ship",
        "may replace",
        Arm(),
        policy={"margin_points": 3},
        before=first_run(margin_points=3),
        not_said="policy was changed",
    ),
    scene(
        "confirmed-failure",
        "block",
        "A person confirmed 1 failure: case c3 by Ann on 2026-03-01.",
        Arm(leak={3}),
        rubrics=[LEAK],
        suite={"labels": "labels.jsonl"},
        before=labelled_by_ann("fail"),
    ),
    scene(
        "cleared-by-a-person",
        "ship",
        "It fails 0 of 200",
        Arm(leak={3}),
        rubrics=[LEAK],
        suite={"labels": "labels.jsonl"},
        before=labelled_by_ann("pass"),
    ),
    scene(
        "stale-outputs",
        "not_evaluable",
        "answers of small are older than 7d",
        asked("b"),
        today=asked("a"),
        n=40,
        case=echoed,
        policy={"max_age": {"outputs": "7d"}, "margin_points": 10},
        before=aged,
    ),
    scene(
        "fresh-outputs",
        "ship",
        "may replace",
        asked("b"),
        today=asked("a"),
        n=40,
        case=echoed,
        policy={"max_age": {"outputs": "7d"}, "margin_points": 10},
    ),
    scene(
        "parity-temperature-dropped",
        "not_evaluable",
        "temperature is 0 for today and not sent (0 was asked) for small",
        asked("picky", temperature=0),
        today=asked("a", temperature=0),
        n=40,
        case=echoed,
    ),
    scene(
        "parity-max-tokens",
        "not_evaluable",
        "they were not asked under the same conditions",
        asked("b", max_tokens=50),
        today=asked("a", max_tokens=400),
        n=40,
        case=echoed,
    ),
    scene(
        "parity-declared",
        "ship",
        "may replace",
        asked("b", max_tokens=50),
        today=asked("a", max_tokens=400),
        n=40,
        case=echoed,
        policy={"parity": {"allow": ["max_tokens"]}, "margin_points": 10},
    ),
    scene(
        "allowed-is-not-lacking",
        "not_evaluable",
        "too many results of right are missing",
        Arm(errors=range(20)),
        policy={"most_missing_points": 5},
        args=("--allow-inconclusive",),
    ),
    scene(
        "allowed-is-not-unpriced",
        "not_evaluable",
        "too many results of cost are missing",
        Arm(dollars=lambda n: 0.001 if n % 2 else None),
        rubrics=[RIGHT, COST],
        args=("--allow-inconclusive",),
    ),
    scene(
        "lone-target-half-unpriced",
        "not_evaluable",
        "50.0% of an arm's results are missing",
        None,
        today=Arm(dollars=lambda n: 0.001 if n % 2 else None),
        rubrics=[COST],
        args=("--allow-inconclusive",),
    ),
    scene("more-may-be-missing", "ship", "may replace", Arm(errors=range(60)), policy={"most_missing_points": 40}),
    scene(
        "unseen-within-the-margin",
        "inconclusive",
        "would settle it",
        Arm(),
        n=60,
        case=kind("rare", range(30)),
        policy={"margin_points": 5},
        suite={"dataset": {"path": "cases.jsonl", "shares": {"kind": {"rare": 0.49, "usual": 0.49, "new": 0.02}}}},
        not_said="About 1 further",
    ),
    scene(
        "inconclusive-allowed",
        "inconclusive",
        "This was allowed.",
        Arm(wrong=[3]),
        n=60,
        args=("--allow-inconclusive",),
    ),
]

TABLE = [*SHIPS, *BLOCKS, *OPEN, *NONE, *MORE]


@pytest.mark.parametrize("played", TABLE)
def test_a_scene(stage: Stage, played: Scene) -> None:
    if played.before is not None:
        played.before(stage, played)
    code, found = stage.gate(played)
    said = sentences(found)
    allowed = played.outcome == "inconclusive" and "--allow-inconclusive" in played.args
    assert code == (0 if allowed else EXIT[played.outcome]), said
    assert any(played.said in one for one in said), said
    assert not played.not_said or not any(played.not_said in one for one in said), said
    if "error" in found:
        assert played.outcome in {"error", "down"}
        return
    assert found["outcome"] == played.outcome
    verdicts = {verdict["candidate"]: verdict["overall"] for verdict in found["report"]["verdicts"]}
    if played.new is not None:
        assert verdicts["small"] == (played.verdict or played.outcome)


COMPARED = {"all-rubrics-pass", "by-a-rubric", "gate-broken", "open-gate", "too-much-missing", "several-candidates"}


@pytest.mark.parametrize("played", [row for row in TABLE if row.id in COMPARED])
def test_run_and_compare_leave_with_the_verdicts_exit_code(stage: Stage, played: Scene) -> None:
    stage.write(played)
    assert stage.call("run", "--exit-code")[0] == EXIT[played.outcome]
    code, said = stage.call("compare", "--exit-code")
    assert (code, "small" in said) == (EXIT[played.outcome], True)


@pytest.mark.parametrize("alone", ["today", "small"])
def test_one_arm_alone_has_rates_and_no_verdict(stage: Stage, alone: str) -> None:
    """What was run by itself is never paid for in vain, and never ships."""
    stage.write(Scene("not_evaluable", "", Arm(), n=40))
    code, text = stage.call("run", "--target", alone, "--json")
    report = json.loads(text)
    assert (code, report["verdicts"], report["rates"][0]["decision"]) == (0, [], "SHOWN")
    other = "small" if alone == "today" else "today"
    assert stage.call("compare", "--candidate", other)[0] == 2
    assert stage.call("compare", "--incumbent", other)[0] == 2


def test_there_are_at_least_sixty_scenes_and_no_two_alike() -> None:
    names = [row.id for row in TABLE]
    assert len(set(names)) == len(names) >= 60
