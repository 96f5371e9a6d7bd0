"""Trials made by hand: real stores, filled through the writer, without targets and scorers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np

from seatrial.core.case import Case
from seatrial.core.identity import canonical, digest, to_bytes
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.core.suite import Suite
from seatrial.store.store import RunItem, RunRow, Store, TrialRow, now, score_key
from seatrial.store.writer import Entry, NewOutput, NewScore, Writer
from seatrial.verdicts.engine.outcomes import Outcomes

Answer = Callable[[Case, int], tuple[Output, Sequence[Score | None]]]


def make_suite(*rubrics: Mapping[str, Any], **fields: Any) -> Suite:
    """A suite of two targets, `old` (the incumbent) and `new`, with these rubrics."""
    plain: dict[str, Any] = {
        "name": "support",
        "dataset": {"path": "cases.jsonl"},
        "targets": {"old": {"use": "replay:old.jsonl"}, "new": {"use": "replay:new.jsonl"}},
        "incumbent": "old",
        "rubrics": [{"scorer": "exact", **rubric} for rubric in rubrics],
    }
    return Suite.model_validate({**plain, **fields})


def from_counts(gained: int, lost: int, n: int, *, both: int = 0, cluster: Any = None) -> Outcomes:
    """Paired outcomes with these counts; the rest fails in both arms."""
    candidate, incumbent = np.zeros(n), np.zeros(n)
    candidate[:gained] = 1
    incumbent[gained : gained + lost] = 1
    candidate[gained + lost : gained + lost + both] = 1
    incumbent[gained + lost : gained + lost + both] = 1
    return Outcomes.of(candidate, incumbent, cluster)


class Trial:
    """Writes one trial into a store."""

    def __init__(
        self, store: Store, suite: Suite, cases: Sequence[Case], *, epochs: int = 1, series: str = "main"
    ) -> None:
        self.series = series
        self.store, self.suite, self.epochs = store, suite, epochs
        self.cases = list(cases)
        self.dataset = store.keep_dataset("cases", cases, suite.dataset.shares, None)

    def write(
        self,
        answers: Mapping[str, Answer],
        *,
        trial_id: str = "trial-1",
        positions: Mapping[str, Sequence[int]] | None = None,
        environment: Mapping[str, Any] | None = None,
        status: str = "done",
        tweak: Callable[[str, RunItem], RunItem] = lambda _, item: item,
    ) -> str:
        """Every target's answers as outputs and scores; a score of None is a rubric that does not apply."""
        plain = self.suite.model_dump(by_alias=True, exclude_defaults=True)
        row = TrialRow(
            trial_id,
            self.suite.name,
            to_bytes(self.suite.hash),
            plain,
            self.dataset.id,
            environment or {},
            "running",
            now(),
            None,
        )
        hashes = {rubric.name: digest("scorer", rubric.name) for rubric in self.suite.rubrics}
        scorers = [self.store.scorer_id(hashes[r.name], r.scorer, {"rubric": r.name}) for r in self.suite.rubrics]
        runs = [
            RunRow(
                0, trial_id, name, {"use": f"replay:{name}.jsonl", "rubrics": hashes}, self.series, self.epochs, b"", {}
            )
            for name in answers
        ]
        run_ids = self.store.start_trial(row, runs)
        for (name, answer), run_id in zip(answers.items(), run_ids, strict=True):
            taken = range(len(self.cases)) if positions is None else positions[name]
            items = self._commit(name, answer, taken, list(hashes.values()), scorers)
            self.store.finish_run(run_id, [tweak(name, item) for item in items], {"reused": 3}, complete=True)
        self.store.finish_trial(trial_id, status)
        return trial_id

    def _commit(
        self, name: str, answer: Answer, positions: Sequence[int], hashes: Sequence[str], scorers: Sequence[int]
    ) -> list[RunItem]:
        made: list[tuple[int, int, NewOutput, list[NewScore | None]]] = []
        with Writer(self.store) as writer:
            for position in positions:
                case = self.cases[position]
                for epoch in range(self.epochs):
                    output, scores = answer(case, epoch)
                    request = sha256(f"{name}|{case.input_hash}".encode()).digest()
                    new = NewOutput(request, self.series, epoch, 0, output, canonical({"asked": name}))
                    judged = [
                        None
                        if score is None
                        else NewScore(
                            score_key(to_bytes(case.view_hash), to_bytes(output.hash), to_bytes(hashed)),
                            0,
                            scorer,
                            score,
                        )
                        for score, hashed, scorer in zip(scores, hashes, scorers, strict=True)
                    ]
                    writer.put(Entry(output=new))
                    writer.put(Entry(scores=[s for s in judged if s is not None], owner=new))
                    made.append((position, epoch, new, judged))
        return [
            RunItem(position, epoch, new.id, np.array([s.id if s else 0 for s in judged], dtype="<i8").tobytes())
            for position, epoch, new, judged in made
        ]


def rounded(value: Any) -> Any:
    """Plain values with floats at ten digits: sums in another order differ in the last bits."""
    if isinstance(value, float):
        return float(f"{value:.10g}") if abs(value) > 1e-12 else 0.0
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
