"""A swap with a known truth on a stage: recorded answers of two arms, a suite, and what `seatrial gate` says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from seatrial.cli import main

RIGHT: Mapping[str, Any] = {"name": "right", "scorer": "starts_with"}
LEAK: Mapping[str, Any] = {
    "name": "leak",
    "scorer": "contains",
    "with": {"mode": "none", "values": ["SECRET"]},
    "kind": "gate",
    "limit_points": 5,
}
SLOW: Mapping[str, Any] = {"name": "slow", "scorer": "latency", "kind": "limit", "at_most": 2}
COST: Mapping[str, Any] = {"name": "cost", "scorer": "cost", "kind": "limit", "statistic": "mean", "at_most": 0.002}


def answer(number: int) -> str:
    """The right answer to a case."""
    return f"answer {number:04}"


def every(step: int, of: int = 200) -> range:
    """Every so-manieth case."""
    return range(0, of, step)


@dataclass(frozen=True)
class Arm:
    """What one target answered: right, in half a second, for a tenth of a cent, except where it says otherwise.

    Collections hold case numbers. `flaky` are wrong in every second epoch. `only`: the recording holds no other case.
    `said` is the text of an answer by case number, in place of all that. `target`: further keys of its target; with
    `use` nothing is recorded, and it is asked.
    """

    wrong: Collection[int] = ()
    leak: Collection[int] = ()
    empty: Collection[int] = ()
    cut: Collection[int] = ()
    errors: Collection[int] = ()
    flaky: Collection[int] = ()
    only: Collection[int] | None = None
    seconds: Callable[[int], float | None] = lambda _: 0.5
    dollars: Callable[[int], float | None] = lambda _: 0.001
    said: Callable[[int], str] | None = None
    target: Mapping[str, Any] = field(default_factory=dict)

    def row(self, number: int, epoch: int) -> dict[str, Any]:
        """A case's recorded answer."""
        wrong = number in self.wrong or (number in self.flaky and epoch % 2 == 1)
        text = "no idea" if wrong else answer(number)
        text = self.said(number) if self.said else text
        text = "" if number in self.empty else text + (" SECRET" if number in self.leak else "")
        row = {"id": f"c{number}", "epoch": epoch, "output": text}
        row |= {"latency": self.seconds(number), "cost": self.dollars(number)}
        row |= {"finish_reason": "length"} if number in self.cut else {}
        return {**row, "output": None, "error": "the service was down"} if number in self.errors else row


@dataclass(frozen=True)
class Scene:
    """A suite with two arms, and what is expected: the gate's outcome, and a piece of one of its sentences.

    `case` gives further fields of a case. `arms`: further candidates. `before`: what is done on the stage first.
    `files`: beside the suite. `verdict`: of the candidate, where it is not the gate's outcome. `not_said`: no sentence
    may hold it.
    """

    outcome: str
    said: str
    new: Arm | None = None
    today: Arm = field(default_factory=Arm)
    n: int = 200
    epochs: int = 1
    case: Callable[[int], Mapping[str, Any]] = lambda _: {}
    rubrics: Sequence[Mapping[str, Any]] = (RIGHT,)
    policy: Mapping[str, Any] = field(default_factory=dict)
    suite: Mapping[str, Any] = field(default_factory=dict)
    arms: Mapping[str, Arm] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    args: Sequence[str] = ()
    before: Callable[[Stage, Scene], None] | None = None
    verdict: str = ""
    not_said: str = ""


def scene(name: str, outcome: str, said: str, new: Arm | None = None, **more: Any) -> Any:
    """A row of the table."""
    return pytest.param(Scene(outcome, said, new, **more), id=name)


class Stage:
    """A folder in which scenes are played through the command line, in this process."""

    def __init__(self, folder: Path, output: Callable[[], str], url: str = "") -> None:
        self.folder, self.output, self.url = folder, output, url

    def write(self, scene: Scene) -> None:
        """Suite, cases and recordings."""
        arms = {"today": scene.today, **({"small": scene.new} if scene.new else {}), **scene.arms}
        targets: dict[str, Any] = {}
        for name, arm in arms.items():
            if "use" in arm.target:
                at = {"base_url": self.url} if "openai:" in arm.target["use"] else {}
                targets[name] = {**arm.target, **at}
                continue
            partial = {"partial": True} if arm.only is not None else {}
            targets[name] = {"use": f"replay:{name}.jsonl", "join": "id", **partial, **arm.target}
            held = range(scene.n) if arm.only is None else arm.only
            self._lines(f"{name}.jsonl", [arm.row(n, epoch) for n in held for epoch in range(scene.epochs)])
        suite = {
            "name": "swap",
            "dataset": {"path": "cases.jsonl"},
            "targets": targets,
            "rubrics": list(scene.rubrics),
            "policy": dict(scene.policy),
            **({"incumbent": "today"} if len(arms) > 1 else {}),
            **scene.suite,
        }
        (self.folder / "seatrial.yaml").write_text(json.dumps(suite), encoding="utf-8")
        self._lines("cases.jsonl", [self._case(n, scene.case(n)) for n in range(scene.n)])
        for name, text in scene.files.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def _case(self, number: int, more: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": f"c{number}", "input": f"question {number}", "expected": answer(number), **more}

    def _lines(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def call(self, *arguments: str) -> tuple[int, str]:
        """Run a command: its exit code and what it printed."""
        self.output()
        return main.invoke([*arguments]), self.output()

    def gate(self, scene: Scene) -> tuple[int, dict[str, Any]]:
        """Write a scene and judge it: the exit code and the gate's report."""
        self.write(scene)
        code, text = self.call("gate", "--json", "--epochs", str(scene.epochs), *scene.args)
        return code, json.loads(text)


def sentences(found: Mapping[str, Any]) -> list[str]:
    """All that a gate's report says in words: verdicts, rubrics, checks, warnings; or its error."""
    if (error := found.get("error")) is not None:
        return [error["message"], *error.get("problems", [])]
    report = found["report"]
    rubrics = [r for v in report["verdicts"] for r in v["rubrics"]] + report["rates"]
    told = [v["fragility"]["sentence"] for v in report["verdicts"] if v["fragility"]]
    return [
        found["sentence"],
        *(v["headline"] for v in report["verdicts"]),
        *told,
        *(r["sentence"] for r in rubrics),
        *(w for r in rubrics for w in r["warnings"]),
        *(w for v in report["verdicts"] for w in v["warnings"]),
        *(c["sentence"] for c in found["checks"]),
        *report["warnings"],
    ]
