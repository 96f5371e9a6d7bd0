"""The tutorial from logs to a sealed set: its commands, run as they stand in a shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
SAYS = {"curate": "keep", "outcome": "accept"}
SUITE = """
name: refunds
dataset: {path: sets/refunds, SPLIT}
targets:
  today: {use: "python:models:today"}
  small: {use: "python:models:small"}
incumbent: today
rubrics:
  - {name: right, scorer: contains}
  - {name: short, scorer: length, with: {max: 40}}
"""
BACK = ("dataset checkout sets/refunds v1", "run v1.yaml", "dataset verify sets/refunds")
MODELS = """
def today(request):
    return answer(request.text)

def small(request):
    return answer(request.text).replace("refund", "no idea")

def answer(asked):
    topics = {"money back": "refund", "return": "refund", "Where": "delivery", "neighbour": "delivery"}
    found = [word for clue, word in topics.items() if clue in asked]
    return f"I have looked at it: {found[0] if found else 'account'}."
"""
ASKS = {
    "refund": (
        "Parcel {n} came broken, I want my money back for the {thing}.",
        "May I return the {thing}, number {n}?",
    ),
    "delivery": ("Where is the {thing} that I ordered, number {n}?", "A neighbour took my {thing}, number {n}. Who?"),
    "account": ("My {thing} login fails with code {n}, what now?", "Please send the {thing} news to ann{n}@firma.de."),
}
THINGS = ("lamp", "kettle", "carpet", "bicycle", "mirror", "tent", "radio", "blanket", "ladder", "fountain pen")
SECRET = "carpet"


def write_logs(file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for n in range(900):
            intent = ("refund", "delivery", "refund", "account", "delivery")[n % 5]
            words = THINGS[n % 10], THINGS[n // 10 % 10], THINGS[n // 100 % 10]
            asked = ASKS[intent][n // 5 % 2].format(n=7919 * n, thing=" and ".join(words))
            request = {"model": "m", "messages": [{"role": "user", "content": asked}]}
            said = {"role": "assistant", "content": f"I have looked at it: {intent}."}
            response = {"id": f"r{n}", "created": 1_770_000_000 + 600 * n, "choices": [{"index": 0, "message": said}]}
            line = {"request": request, "response": response, "metadata": {"intent": intent}}
            out.write(json.dumps(line) + "\n")


def script() -> str:
    """The page's shell blocks in one script; what a person types at a labeller comes from a file."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = []
    for line in "".join(blocks).splitlines():
        mode = line.split()[2] if line.startswith("seatrial label ") else ""
        lines.append(f"{line} < {SAYS[mode]}.txt" if mode in SAYS else line)
    return "\n".join(lines)


def test_the_tutorial_runs(tmp_path: Path):
    write_logs(tmp_path / "logs.jsonl")
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "seatrial.yaml").write_text(SUITE.replace("SPLIT", "split: test"))
    (tmp_path / "sealed.yaml").write_text(SUITE.replace("SPLIT", "split: sealed"))
    for word in SAYS.values():
        (tmp_path / f"{word}.txt").write_text(f"{word}\n" * 400)
    (tmp_path / "v1.yaml").write_text(SUITE.replace("SPLIT", "split: test, version: v1"))
    who = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "Ann"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, **who, "GIT_COMMITTER_EMAIL": "a@b.c", "PATH": path, "COLUMNS": "100"}
    shell = ["bash", "-euo", "pipefail", "-c", script()]
    done = subprocess.run(shell, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "verdict" in done.stdout.lower()
    entries = (tmp_path / "sets/refunds/ledger.jsonl").read_text().splitlines()
    assert len(entries) == 1
    assert "ledger: ok: 1 exposure" in done.stdout
    sealed = json.loads((tmp_path / "sets/refunds/set.lock").read_text())["cases"]["sealed"]
    assert sealed == 40
    assert not (tmp_path / "sets/refunds/sealed.jsonl").exists()
    again = " && ".join(f"seatrial {each}" for each in BACK)
    done = subprocess.run(["bash", "-c", again], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not (tmp_path / "sets/refunds/sealed.jsonl").exists()
    assert "@firma.de" not in (tmp_path / "pool.jsonl").read_text()
