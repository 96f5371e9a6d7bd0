"""A user's folder: a suite, its cases, and runs of it through the public API or the command."""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests import commands

import seatrial
from seatrial.store.store import Store
from seatrial.verdicts.records import TrialReport

SUITE: Mapping[str, Any] = {
    "name": "project",
    "dataset": {"path": "cases.jsonl"},
    "targets": {"model": {"use": "openai:m"}},
    "rubrics": [{"name": "right", "scorer": "exact"}],
}


def question(number: int, **fields: Any) -> dict[str, Any]:
    """A case that an echoing model answers rightly when the number is even."""
    text = f"question {number}"
    return {"id": f"c{number}", "input": text, "expected": text if number % 2 == 0 else "something else", **fields}


class Project:
    """A folder with a suite."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.suite: dict[str, Any] = json.loads(json.dumps(SUITE))

    def write(self, cases: Sequence[Mapping[str, Any]], **changes: Any) -> None:
        """Write suite and cases."""
        self.suite |= changes
        (self.folder / "seatrial.yaml").write_text(json.dumps(self.suite))
        (self.folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))

    def at(self, url: str, **more: Any) -> None:
        """Point every target at an endpoint."""
        for target in self.suite["targets"].values():
            target |= {"base_url": url, **more}

    def run(self, **choices: Any) -> TrialReport:
        """Run through the public API."""
        return seatrial.run(self.folder / "seatrial.yaml", **choices)

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run in this folder."""
        return [sys.executable, "-m", "seatrial", *arguments]

    def call(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in this folder to its end, in this process."""
        return commands.seatrial(self.folder, *arguments, env=env)

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this folder to its end, in a process of its own."""
        return commands.process(self.folder, *arguments)

    def store(self) -> Store:
        """The project's store."""
        return Store(self.folder / ".seatrial" / "seatrial.db")

    def results(self, trial_id: str, target: str = "model") -> dict[str, list[tuple[str, Any]]]:
        """Per case id: status and value of every rubric, by what the store says."""
        with self.store() as store:
            trial = store.trial(trial_id)
            run = next(run for run in store.runs(trial_id) if run.target == target)
            keys = [facts.key for facts in store.case_facts(trial.dataset_id)]
            found: dict[str, list[tuple[str, Any]]] = {}
            lines = [(item.position, array("q", item.score_ids)) for item in store.run_items(run.id)]
            heads = store.load_scores({i for _, ids in lines for i in ids if i})
            for position, ids in lines:
                found[keys[position]] = [(heads[i].status, heads[i].value) if i else ("", None) for i in ids]
            return found

    def values(self, trial_id: str, target: str = "model") -> dict[str, Any]:
        """Per case id: the first rubric's value."""
        return {key: scores[0][1] for key, scores in self.results(trial_id, target).items()}
