"""A git repository with a suite and a provider whose models are right as often as their names say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seatrial.testing import FakeProvider

CASES = 120
IDENTITY = (
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@example.org",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "init.defaultBranch=main",
)


def answer(asked: Any) -> str:
    """`right` is always right; `wrong-5` fails every fifth question; a careless prompt fails every fourth."""
    number = int(re.findall(r"\d+", asked.text)[-1])
    every = int(found[1]) if (found := re.search(r"wrong-(\d+)", asked.model)) else 0
    every = 4 if "careless" in asked.system else every
    return "no idea" if every and number % every == 0 else f"answer {number}"


def case(number: int, **more: Any) -> dict[str, Any]:
    """A question with its answer, one of two intents."""
    strata = {"intent": "refund" if number % 2 else "order"}
    return {"id": f"c{number}", "input": f"question {number}", "expected": f"answer {number}", "strata": strata, **more}


class Repo:
    """The repository. Targets are models of a provider."""

    def __init__(self, folder: Path, provider: FakeProvider, inside: str = "") -> None:
        self.top, self.folder, self.provider = folder, folder / inside, provider
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.suite: dict[str, Any] = {
            "name": "gated",
            "dataset": {"path": "cases.jsonl"},
            "targets": {"prod": self.target("right")},
            "rubrics": [{"name": "right", "scorer": "exact", "margin_points": 4}],
            "prompt": [{"role": "system", "content": "Be careful."}, "input"],
        }
        self.cases([case(number) for number in range(CASES)])
        self.write()

    def target(self, model: str, **more: Any) -> dict[str, Any]:
        """A model at the provider."""
        return {"use": f"openai:{model}", "base_url": self.provider.base_url, "params": {"temperature": 0}, **more}

    def write(self, **changes: Any) -> None:
        """Write the suite with these changes."""
        self.suite |= changes
        (self.folder / "seatrial.yaml").write_text(json.dumps(self.suite, indent=1))

    def cases(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the dataset."""
        (self.folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def quarantine(self, *entries: Mapping[str, Any]) -> None:
        """Write the quarantine."""
        (self.folder / "quarantine.yaml").write_text(json.dumps(list(entries), indent=1))

    def git(self, *arguments: str, given: str = "") -> str:
        """Run git in the repository."""
        env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(
            ["git", "-C", str(self.top), *IDENTITY, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=env,
            input=given,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str = "change") -> str:
        """Commit everything but the store; gives the commit."""
        (self.top / ".gitignore").write_text(".seatrial/\n")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
