"""Finding plug-ins and the user's own functions."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from seatrial.core.plugins import find, load_function
from seatrial.errors import BrokenPluginError, DuplicatePluginError, UnknownPluginError

BUILTIN = {"join": "os.path:join"}


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "seatrial.things")


def test_a_builtin_and_a_plugin_are_found():
    assert find("thing", "join", BUILTIN, [])("a", "b") == "a/b"
    assert find("thing", "split", BUILTIN, [point("split", "os.path:split")])("a/b") == ("a", "b")


WRONG = [
    pytest.param("jion", [], UnknownPluginError, "did you mean 'join'", id="unknown"),
    pytest.param("x", [point("x", "nowhere:f")], BrokenPluginError, "reinstall", id="broken"),
    pytest.param("x", [point("x", "os:f"), point("x", "os:g")], DuplicatePluginError, "os:f, os:g", id="two-plugins"),
    pytest.param("join", [point("join", "os:f")], DuplicatePluginError, "os.path:join", id="takes-a-builtin's-name"),
]


@pytest.mark.parametrize(("name", "points", "error", "words"), WRONG)
def test_what_cannot_be_found_is_said(name, points, error, words):
    with pytest.raises(error, match=words):
        find("thing", name, BUILTIN, points)


def module(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    return folder


def test_two_folders_may_hold_modules_of_one_name(tmp_path: Path):
    one = load_function("mine:f", module(tmp_path / "a", "mine", "def f(): return 1"))
    two = load_function("mine:f", module(tmp_path / "b", "mine", "def f(): return 2"))
    assert (one.function(), two.function()) == (1, 2)
    assert one.source != two.source
    assert load_function("mine:f", tmp_path / "a").function() == 1


def test_the_source_covers_the_file_that_defines_the_function(tmp_path: Path):
    folder = module(tmp_path / "c", "inner_c", "def f(): return 1")
    module(folder, "outer_c", "from inner_c import f")
    first = load_function("outer_c:f", folder).source
    module(folder, "inner_c", "def f(): return 2")
    assert load_function("outer_c:f", folder).source != first


BROKEN = [
    pytest.param("mine", "does not name a function", id="no-function"),
    pytest.param("nowhere_at_all:f", "ModuleNotFoundError", id="no-module"),
    pytest.param("bad:f", "SyntaxError", id="syntax-error"),
    pytest.param("raises:f", "ZeroDivisionError", id="raises-at-import"),
    pytest.param("values:number", "not a function", id="not-callable"),
    pytest.param("values:missing", "AttributeError", id="no-such-name"),
]


@pytest.mark.parametrize(("reference", "words"), BROKEN)
def test_a_broken_reference_is_said(tmp_path: Path, reference: str, words: str):
    module(tmp_path, "bad", "def f(:")
    module(tmp_path, "raises", "1 / 0")
    module(tmp_path, "values", "number = 1")
    with pytest.raises(BrokenPluginError, match=words):
        load_function(reference, tmp_path)
