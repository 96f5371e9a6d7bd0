"""A set in a folder, and the command line over it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.datasets.versions.sets import FIRST, Run, Told, write_lines

from seatrial.cli.main import invoke


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `seatrial …` in the test's folder, as a known author."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ada@example.org")
    monkeypatch.delenv("SEATRIAL_STORE", raising=False)

    def go(*arguments: str) -> Told:
        capsys.readouterr()
        code = invoke([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Told(code, captured.out, captured.err)

    return go


@pytest.fixture
def refunds(tmp_path: Path) -> Path:
    """A set of two test cases that is not committed yet."""
    path = tmp_path / "sets" / "refunds"
    write_lines(path / "test.jsonl", FIRST)
    (path / "set.yaml").write_text("name: refunds\nshares:\n  intent: {delivery: 0.7, refund: 0.3}\n", encoding="utf-8")
    return path
