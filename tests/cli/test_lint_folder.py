"""`seatrial lint FOLDER`: what to do is said, and what is said to be pasted works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seatrial.cli import main


@pytest.fixture
def lint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path):
    """The command in this process: its exit code, and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main.invoke(["lint", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def filled(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "test.jsonl").write_text(json.dumps({"id": "a", "input": "hi", "expected": {"answers": ["x"]}}) + "\n")
    return folder


@pytest.mark.parametrize("name", ["sets/ferry", "a set: {of} 'mine'", "sets/café", "sets/007"])
def test_the_lines_printed_for_a_set_lint_it(name: str, lint, tmp_path: Path):
    filled(tmp_path / name)
    code, _, err = lint(name)
    assert code == 2
    assert "is a set, and lint needs a suite" in err
    pasted = [line.strip() for line in err.splitlines() if line.startswith("    ")]
    assert len(pasted) == 4
    (tmp_path / "fresh.yaml").write_text("\n".join(pasted))
    code, out, err = lint("fresh.yaml", "--json")
    assert code == 0, err
    assert json.loads(out)["splits"] == {"test": 1}


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        pytest.param("seatrial.yaml", "seatrial lint there/seatrial.yaml", id="a suite is in it"),
        pytest.param("notes.txt", "name a suite file", id="no set"),
    ],
)
def test_another_folder_is_told_apart(file: str, hint: str, lint, tmp_path: Path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / file).write_text("name: x\n")
    code, _, err = lint("there")
    assert (code, hint in err) == (2, True), err
