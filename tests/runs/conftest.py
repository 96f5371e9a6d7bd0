"""A trial in memory: targets and scorers that are plain objects, over a real store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.score import Score, ScorerInfo
from seatrial.core.suite import Suite
from seatrial.runs.runner import Options, Parts, execute
from seatrial.store.store import Store

Answer = Callable[[str, int], Output]


def echo(text: str, _call: int) -> Output:
    return Output.of(text)


@dataclass
class FakeTarget:
    """Answers from a function and counts every call by input."""

    name: str = "one"
    answer: Answer = echo
    version: str = "1"
    concurrency: int = 8
    calls: Counter[str] = field(default_factory=Counter)
    seeds: list[int | None] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    delay: float = 0.0

    def identity(self) -> Mapping[str, Any]:
        return {"adapter": "fake/1", "name": self.name, "version": self.version}

    def sent(self, _case: Case, request: Request) -> Mapping[str, Any]:
        return {**self.identity(), **request.plain()}

    async def open(self) -> None:
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1

    async def generate(self, _case: Case, request: Request) -> Output:
        self.calls[request.text] += 1
        self.seeds.append(request.seed)
        await asyncio.sleep(self.delay)
        return self.answer(request.text, self.calls[request.text])


@dataclass
class FakeScorer:
    """Right when the answer is what was asked; counts what it judged."""

    version: str = "1"
    seen: Counter[str] = field(default_factory=Counter)
    verdict: Callable[[Case, Output], Score] = lambda case, output: Score.binary(output.text == case.text)

    @property
    def info(self) -> ScorerInfo:
        return ScorerInfo("fake", self.version)

    def identity(self) -> Mapping[str, Any]:
        return {}

    def applies(self, _case: Case) -> str:
        return ""

    async def __call__(self, case: Case, output: Output, /) -> Score:
        assert case.id == "", "a scorer must only see the view"
        self.seen[case.text] += 1
        return self.verdict(case, output)


def cases(count: int, **fields: object) -> list[Case]:
    return [Case.model_validate({"id": f"c{i}", "input": f"question {i}", **fields}) for i in range(count)]


class Bench:
    """Runs trials over one store."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.trial = 0

    def run(
        self,
        data: Iterable[Case],
        *targets: FakeTarget,
        scorer: FakeScorer | None = None,
        rubric: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        show: Callable[..., None] = lambda _progress: None,
        **options: Any,
    ) -> str:
        """Execute; gives the trial's id."""
        arms = targets or (FakeTarget(),)
        suite = Suite.model_validate(
            {
                "name": "s",
                "dataset": {"path": "x.jsonl"},
                "targets": {t.name: {"use": f"python:m:{t.name}", "params": params or {}} for t in arms},
                "incumbent": arms[0].name,
                "rubrics": [{"name": "right", "scorer": "fake", **(rubric or {})}],
                "seed": 7,
            }
        )
        dataset = self.store.keep_dataset("d", data, {}, None)
        asked = dict(params or {})
        seed = asked.pop("seed", None)

        def ask(case: Case) -> Request:
            return Request(messages=case.input, params=asked, seed=seed)

        parts = Parts({t.name: t for t in arms}, {t.name: ask for t in arms}, {"right": scorer or FakeScorer()})
        self.trial += 1
        trial_id = f"t{self.trial:03}"
        asyncio.run(execute(self.store, suite, dataset, parts, Options(**options), trial_id, show))
        return trial_id

    def values(self, trial_id: str, target: str = "one") -> list[float | None]:
        """The first rubric's value of every manifest line."""
        run = next(run for run in self.store.runs(trial_id) if run.target == target)
        ids = [int.from_bytes(item.score_ids[:8], "little") for item in self.store.run_items(run.id)]
        scores = self.store.load_scores({i for i in ids if i})
        return [scores[i].value if i else None for i in ids]

    def counts(self, trial_id: str, target: str = "one") -> Mapping[str, Any]:
        """What the run counted."""
        return next(run.counts for run in self.store.runs(trial_id) if run.target == target)


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path / "s.db")
    yield made
    made.store.close()
