"""The page's tutorial is run as it stands: from a dump of logs to a labelled set and judged answers."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from tests.conftest import ROOT

from seatrial.cli import main
from seatrial.datasets.versions.folder import SetFolder

SUITE = """
name: refunds
dataset: {path: sets/refunds, split: test}
incumbent: old
targets:
  old: {use: "replay:old.jsonl"}
  new: {use: "replay:new.jsonl"}
rubrics:
  - {name: right, scorer: exact}
labels: labels.jsonl
"""
TOPICS = ("parcel", "refund", "invoice", "password", "address", "warranty", "voucher")
SAYS = {"curate": "keep", "outcome": "accept", "verdict": "pass"}


def question(number: int) -> str:
    words = [TOPICS[(number * step + step) % 7] + str(number * step % 997) for step in range(1, 12)]
    return " ".join(words)


def commands() -> list[list[str]]:
    page = (ROOT / "docs" / "labelling.md").read_text(encoding="utf-8")
    found = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [shlex.split(line)[1:] for block in found for line in block.splitlines()]


def prepare(folder: Path) -> None:
    with (folder / "logs.jsonl").open("w") as logs:
        for i in range(260):
            asked = {"model": "m", "messages": [{"role": "user", "content": question(i)}]}
            said = {"choices": [{"message": {"role": "assistant", "content": f"answer {i % 9}"}}]}
            logs.write(json.dumps({"request": asked, "response": said}) + "\n")
    (folder / "seatrial.yaml").write_text(SUITE)
    (folder / "labels.jsonl").write_text("")


def answers(folder: Path) -> None:
    """What the two recorded models say: the reference on most cases, and nonsense on some."""
    cases = list(SetFolder(folder / "sets" / "refunds").cases("test"))
    for name, every in (("old", 10), ("new", 12)):
        rows = [
            {"input": case.text, "output": "nonsense" if i % every == 0 else case.expected.texts[0]}
            for i, case in enumerate(cases)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    for arguments in commands():
        if arguments[0] == "run":
            answers(tmp_path)
        mode = arguments[1] if arguments[0] == "label" else ""
        first = "reject unclear\n" if mode == "curate" and "Ben" in arguments else ""
        lines = first + f"{SAYS.get(mode, '')}\n" * (400 if mode in SAYS else 0)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
        code = main.invoke(arguments)
        said = capsys.readouterr()
        assert code == 0, (arguments, said.err)
        if arguments[:2] == ["label", "agreement"]:
            assert "1 to adjudicate" in said.out
    held = SetFolder(tmp_path / "sets" / "refunds")
    cases = [case for split in ("build", "test", "sealed") for case in held.cases(split)]
    assert len(cases) == 200
    assert all(re.fullmatch(r"answer \d", case.expected.texts[0]) for case in cases)
    assert held.lock is not None
    assert "People's labels stand in place of" in said.out
