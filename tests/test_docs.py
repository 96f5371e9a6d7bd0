"""Docs are tests: every python block runs and prints what its `#>` lines say; every whole suite in yaml loads."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import ROOT

from seatrial import errors
from seatrial.cli.main import COMMANDS
from seatrial.errors import SeatrialError

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str, pages: list[Path] = PAGES) -> list:
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(pytest.param(match[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


@pytest.mark.parametrize("block", blocks("python"))
def test_a_python_block_prints_what_it_says(block: str, tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = re.findall(r"^\s*#> ?(.*)$", block, re.MULTILINE)
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("block", [b for b in blocks("yaml") if "\ntargets:" in b.values[0]])
def test_a_whole_suite_loads(block: str, tmp_path: Path):
    from seatrial.trials.suite.suitefile import load

    path = tmp_path / "seatrial.yaml"
    path.write_text(block, encoding="utf-8")
    for name in re.findall(r"file: (\S+)", block):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{{ input }}", encoding="utf-8")
    load(path)


def test_what_the_readme_shows_of_the_demo_is_what_it_prints(tmp_path: Path):
    shown = [line for block in blocks("text", [ROOT / "README.md"]) for line in block.values[0].splitlines()]
    command = [sys.executable, "-m", "seatrial", "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    printed = done.stdout.splitlines()
    assert [line for line in shown if line not in printed] == []
    assert len(shown) > 10


def every_error() -> list[type[SeatrialError]]:
    return [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, SeatrialError)]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_every_error_is_documented(error: type[SeatrialError]):
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert f"| {error.code} | {error.__name__} | {error.exit_code} |" in page


def test_error_codes_are_unique():
    codes = [error.code for error in every_error()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str):
    assert f"seatrial {command}" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_every_page_is_linked_from_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert page.name == "index.md" or f"({page.name})" in index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
