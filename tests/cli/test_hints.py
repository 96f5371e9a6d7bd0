"""What messages and docs tell people to type are commands that there are."""

from __future__ import annotations

import re

import click
import pytest
from tests.conftest import ROOT

from seatrial.cli.main import cli

NAMED = re.compile(r"`seatrial ([^`\n]*)`")
FILES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md")])


def fault(words: list[str]) -> str:
    """What is wrong with a command line, by the words that name the command; empty where nothing is."""
    command: click.Command = cli
    for word in words:
        if not isinstance(command, click.Group):
            return ""
        if word == "…" or word.startswith("-") or word.isupper() or (word[0] == "{" and command is cli):
            return ""
        found = command.get_command(click.Context(command), word)
        if found is None:
            return "" if command.invoke_without_command else f"there is no command {word!r}"
        command = found
    return ""


@pytest.mark.parametrize(
    ("line", "good"),
    [
        pytest.param("dataset commit sets/a", True, id="a command"),
        pytest.param("label outcome", True, id="a command of a group"),
        pytest.param("label …", True, id="any command of a group"),
        pytest.param("{kind}s", True, id="a command that is filled in later"),
        pytest.param("label {folder}", False, id="an argument, filled in later, in a command's place"),
        pytest.param("label sets/a", False, id="an argument in a command's place"),
        pytest.param("commit", False, id="no command"),
    ],
)
def test_a_command_line_is_judged(line: str, good: bool) -> None:
    assert (not fault(line.split())) == good


def test_every_command_that_is_named_exists() -> None:
    wrong: list[str] = []
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        told = [(line, fault(line.split())) for line in NAMED.findall(text)]
        wrong += [f"{file.relative_to(ROOT)}: `seatrial {line}`: {said}" for line, said in told if said]
    assert not wrong, "\n".join(wrong)
