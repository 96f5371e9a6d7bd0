"""Judges behind a real provider's HTTP: scripted answers, asked through a target as in a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.score import Score
from seatrial.core.suite import TargetSpec
from seatrial.scorers import build as build_scorer
from seatrial.scorers import judge
from seatrial.scorers.judged.scripted import Said, Sheet, fill_in, read_sheet
from seatrial.targets import build
from seatrial.testing import Asked, FakeProvider, Reply, Script

Answer = Callable[[Asked], Reply | str]
QUESTION = "Can I return a worn shirt?"


class Judges:
    """Services that ask targets over HTTP; every request is kept."""

    def __init__(self, targets: Mapping[str, Any]) -> None:
        self._targets = targets
        self.asked: list[tuple[str, Request]] = []

    async def complete(self, target: str, request: Request) -> Output:
        self.asked.append((target, request))
        return await self._targets[target].generate(Case(id="judging", input="judging"), request)

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        raise NotImplementedError


class Heard(NamedTuple):
    """What came of a hearing: the result, the requests as the provider saw them, and as the services did."""

    result: Any
    bodies: list[Mapping[str, Any]]
    requests: list[tuple[str, Request]]


def hearing(
    work: Callable[[Judges], Awaitable[Any]],
    answer: Answer,
    judges: Sequence[str] = ("j",),
    script: Script | None = None,
    **spec: Any,
) -> Heard:
    """Run `work` with judges whose model, named as they are, answers by `answer`."""
    bodies: list[Mapping[str, Any]] = []

    def keep(asked: Asked) -> Reply | str:
        bodies.append(asked.body)
        return answer(asked)

    async def run() -> Heard:
        async with FakeProvider(script, answer=keep) as fake:
            fields = {"base_url": fake.base_url, "retries": 0, **spec}
            targets = {
                name: build(name, TargetSpec.model_validate({"use": f"openai:{name}", **fields}), Path(), {})
                for name in judges
            }
            for target in targets.values():
                await target.open()
            services = Judges(targets)
            try:
                return Heard(await work(services), bodies, services.asked)
            finally:
                for target in targets.values():
                    await target.close()

    return asyncio.run(run())


def case(**fields: Any) -> Case:
    return Case.model_validate({"id": "1", "input": QUESTION, **fields}).view()


def score_all(
    name: str, settings: Mapping[str, Any], pairs: Sequence[tuple[Case, Output | str]], answer: Answer, **how: Any
) -> Heard:
    """Every pair judged by one bound scorer, one after the other."""

    async def work(services: Judges) -> list[Score]:
        made: Any = build_scorer(name, settings, Path())
        bound = made.bind(services)
        return [await judge(bound, c, Output.of(o) if isinstance(o, str) else o) for c, o in pairs]

    return hearing(work, answer, **how)


def score_one(
    name: str, settings: Mapping[str, Any], output: Output | str, answer: Answer, given: Case | None = None, **how: Any
) -> Score:
    return score_all(name, settings, [(given or case(), output)], answer, **how).result[0]


def sheet_of(asked: Asked) -> Sheet:
    return read_sheet(asked.system, asked.text)


def says(verdicts: Mapping[str, Said | str] | Callable[[str, Sheet], Said | str]) -> Answer:
    """A judge of these verdicts, by the question's text or by a function."""

    def answer(asked: Asked) -> str:
        return fill_in(sheet_of(asked), verdicts if callable(verdicts) else lambda question, _: verdicts[question])

    return answer
