from __future__ import annotations

import asyncio
import datetime
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import BrokenPluginError, DuplicatePluginError, ScorerConfigError, UnknownPluginError
from seatrial.scorers import build, judge, scorer_hash

HERE = Path(__file__).parent


@pytest.fixture
def module(tmp_path):
    """Writes a module of its own name, and forgets it again."""
    before, path = set(sys.modules), list(sys.path)
    count = 0

    def write(source: str) -> str:
        nonlocal count
        count += 1
        name = f"scorer_module_{abs(hash(tmp_path))}_{count}"
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        return name

    yield write
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.startswith("scorer_module_"):
            del sys.modules[name]


def test_importing_the_room_loads_no_heavy_library():
    code = "import sys, seatrial.scorers as s; s.build; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stderr == ""
    heavy = {"re2", "rapidfuzz", "jsonschema_rs", "numpy", "scipy", "aiohttp", "jinja2", "sqlalchemy"}
    assert not heavy & set(out.stdout.split())


def test_all_faults_come_at_once_with_the_nearest_key():
    with pytest.raises(ScorerConfigError) as caught:
        build("fuzzy", {"treshold": 0.9, "method": "soundex", "ignore_case": "yes"}, Path())
    assert {p.key for p in caught.value.problems} == {"treshold", "method", "ignore_case"}
    assert "did you mean 'threshold'?" in str(caught.value)
    assert "method, threshold, ignore_case" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("numeric", {"abs": -1}),
        ("numeric", {"abs": True}),
        ("numeric", {"abs": "0.1"}),
        ("numeric", {"rel": float("nan")}),
        ("numeric", {"markers": [""]}),
        ("numeric", {"markers": [], "without_marker": "fail"}),
        ("length", {"min": 5, "max": 1}),
        ("length", {"max": 1.5}),
        ("length", {"max": True}),
        ("contains", {"values": [""]}),
        ("contains", {"values": [5]}),
        ("contains", {"values": ["x"], "values_from": "canary", "mode": "none"}),
        ("contains", {"values_from": "canary"}),
        ("latency", {"at_most": -1}),
        ("latency", {"at_most": float("inf")}),
        ("exact", {"strip": 1}),
        ("exact", {"strip": datetime.date(2026, 3, 1)}),
        ("refusal", {"language": "de"}),
        ("tool_calls", {"order": "any"}),
        ("json_schema", {"schema": {}, "max_errors": 0}),
    ],
)
def test_bad_settings(name, settings):
    with pytest.raises(ScorerConfigError) as caught:
        build(name, settings, Path())
    assert name in str(caught.value)


def test_unknown_names_have_a_hint():
    with pytest.raises(UnknownPluginError, match="did you mean 'contains'"):
        build("contians", {}, Path())


def test_the_hash_is_by_meaning():
    hashes = [
        scorer_hash(build(name, settings, Path()))
        for name, settings in [
            ("contains", {"values": "x"}),
            ("contains", {"values": ["x"]}),
            ("contains", {"values": ["x"], "mode": "any"}),
            ("contains", {"values": ["y"]}),
            ("contains", {"values": ["x"], "mode": "none"}),
            ("starts_with", {"values": ["x"]}),
        ]
    ]
    assert hashes[0] == hashes[1] == hashes[2]
    assert len(set(hashes)) == 4
    assert all(h.startswith("scorer:st1:") for h in hashes)


@pytest.mark.parametrize(
    ("name", "settings", "hashed"),
    [
        ("exact", {}, b'{"name":"exact","parameters":{},"version":"1"}'),
        ("numeric", {"abs": 0.01}, b'{"name":"numeric","parameters":{"abs":0.01},"version":"1"}'),
        (
            "fields",
            {"types": {"a": "date"}},
            b'{"name":"fields","parameters":{"types":{"a":{"type":"date"}}},"version":"1"}',
        ),
        ("json_schema", {"schema": True}, b'{"name":"json_schema","parameters":{"schema":true},"version":"1"}'),
    ],
)
def test_what_is_hashed_stays(name, settings, hashed):
    assert scorer_hash(build(name, settings, Path())) == f"scorer:st1:{sha256(hashed).hexdigest()}"


def score(scorer, text="text"):
    return asyncio.run(judge(scorer, Case(id="1", input="q").view(), Output.of(text)))


@pytest.mark.parametrize(
    ("body", "value", "passed"),
    [
        ("return True", 1, True),
        ("return False", 0, False),
        ("return 1", 1, True),
        ("return 0.5", 0.5, True),
        ("return 0.49", 0.49, False),
        ("return {'score': 0.9, 'passed': False}", 0.9, False),
        ("return {'score': 0.3}", 0.3, False),
        ("return {'passed': True, 'details': {'why': 1}}", 1, True),
        ("return {'score': True}", 1, True),
        ("return (0.4, True)", 0.4, True),
        ("return (0.7, 'why', {'a': 1})", 0.7, True),
        ("return (False, 'why')", 0, False),
        ("return ScoreResult(0.86, True, {'field_results': {}})", 0.86, True),
        ("from seatrial.core.score import Score\n    return Score.binary(True, 'own')", 1, True),
        ("import numpy\n    return {'score': numpy.float64(0.7), 'passed': numpy.bool_(True)}", 0.7, True),
        ("from fractions import Fraction\n    return Fraction(1, 4)", 0.25, False),
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_a_function_may_give(module, tmp_path, kind, body, value, passed):
    source = (
        "from dataclasses import dataclass\n\n@dataclass\nclass ScoreResult:\n    score: float\n    passed: bool\n"
        f"    details: dict\n\n{kind} rate(case, output):\n    {body}\n"
    )
    found = score(build(f"python:{module(source)}:rate", {}, tmp_path))
    assert (found.status, found.passed) == ("scored", passed), found
    assert found.value == pytest.approx(value)


@pytest.mark.parametrize(
    "body",
    [
        "return None", "return 'yes'", "return 1.5", "return -1", "return float('nan')", "return {}", "return []",
        "return {'score': 'high'}", "return {'score': 1, 'pased': True}", "return {'passed': 'no'}", "return object()",
        "return {'score': None}", "return {'score': 10**400}", "raise ValueError('x')", "return 1/0",
        "import sys; sys.exit(1)", "return (0.5, True, False)", "return ()", "return (0.5, 0.6)", "return ('good', 1)",
    ],
)  # fmt: skip
def test_what_a_function_may_not_give(module, tmp_path, body):
    found = score(build(f"python:{module(f'def rate(case, output):{chr(10)}    {body}')}:rate", {}, tmp_path))
    assert (found.status, found.value, found.passed) == ("judge_error", None, None)


def test_details_are_kept_as_evidence_whatever_they_are(module, tmp_path):
    name = module(
        "loop = []\nloop.append(loop)\n"
        "def plain(case, output): return {'score': 1, 'details': {'a': [1]}, 'reason': 'r\\x00'}\n"
        "def odd(case, output): return {'score': 1, 'details': {1: {2, 3}}}\n"
        "def cycle(case, output): return {'score': 1, 'details': loop}\n"
        "def big(case, output): return {'score': 1, 'details': 'x' * 1_000_000}\n"
    )
    plain = score(build(f"python:{name}:plain", {}, tmp_path))
    assert (plain.evidence[0].found, plain.reason) == ({"a": [1]}, "r\\x00")
    for function in ("odd", "cycle", "big"):
        found = score(build(f"python:{name}:{function}", {}, tmp_path))
        assert found.passed
        assert len(str(found.evidence[0].found)) < 20_000


def test_settings_become_keyword_arguments(module, tmp_path):
    name = module(
        "def share(case, output, words, *, bonus=0.0): return bonus + sum(w in output.text for w in words) / 2\n"
        "def own(case, output, threshold): return {'score': 0.2, 'passed': threshold == 0.9}\n"
        "def free(case, output, **more): return bool(more)\n"
    )
    assert score(build(f"python:{name}:share", {"words": ["te", "zz"]}, tmp_path)).value == 0.5
    assert not score(build(f"python:{name}:share", {"words": ["te", "zz"], "threshold": 0.6}, tmp_path)).passed
    assert score(build(f"python:{name}:own", {"threshold": 0.9}, tmp_path)).passed
    assert score(build(f"python:{name}:free", {"anything": 1}, tmp_path)).passed
    with pytest.raises(ScorerConfigError) as caught:
        build(f"python:{name}:share", {"wrds": [], "threshold": 2}, tmp_path)
    assert {p.key for p in caught.value.problems} == {"words", "wrds", "threshold"}
    assert "did you mean 'words'?" in str(caught.value)


def test_a_function_is_known_by_its_source_and_settings(module, tmp_path):
    one = module("def rate(case, output): return True\ndef other(case, output): return True\n")
    first = build(f"python:{one}:rate", {}, tmp_path)
    assert scorer_hash(first) == scorer_hash(build(f"python:{one}:rate", {}, tmp_path))
    assert scorer_hash(first) != scorer_hash(build(f"python:{one}:other", {}, tmp_path))
    assert scorer_hash(first) != scorer_hash(build(f"python:{one}:rate", {"threshold": 0.9}, tmp_path))
    (tmp_path / f"{one}.py").write_text("def rate(case, output): return False\n", "utf-8")
    assert scorer_hash(first) != scorer_hash(build(f"python:{one}:rate", {}, tmp_path))


@pytest.mark.parametrize(
    ("source", "function", "rule"),
    [
        ("def rate(output): return 1", "rate", "positional"),
        ("rate = 5", "rate", "not a function"),
        ("def rate(case, output): return 1", "rte", "cannot be imported"),
        ("1/0", "rate", "ZeroDivisionError"),
    ],
)
def test_functions_that_do_not_fit(module, tmp_path, source, function, rule):
    with pytest.raises(BrokenPluginError, match=rule):
        build(f"python:{module(source)}:{function}", {}, tmp_path)


def test_a_function_without_source_is_refused():
    with pytest.raises(BrokenPluginError, match="no source file"):
        build("python:builtins:isinstance", {}, Path())


@pytest.mark.parametrize("name", ["python:", "python:nowhere", "python::f", "python:no.such.module:f"])
def test_bad_references(name):
    with pytest.raises(BrokenPluginError):
        build(name, {}, Path())


class Plugin:
    """A plug-in's scorer."""

    info = ScorerInfo("plugin", "2")

    def __init__(self, limit: int = 1) -> None:
        self.limit = limit

    def identity(self):
        return {"limit": self.limit}

    def applies(self, case):
        return ""

    async def __call__(self, case, output, /):
        return Score.binary(len(output.text) <= self.limit)


SHAPELESS = object
READY = Plugin(9)


def test_plugins_are_found_and_checked(monkeypatch):
    found = [
        EntryPoint("plugin", f"{__name__}:Plugin", "seatrial.scorers"),
        EntryPoint("ready", f"{__name__}:READY", "seatrial.scorers"),
        EntryPoint("shapeless", f"{__name__}:SHAPELESS", "seatrial.scorers"),
        EntryPoint("exact", f"{__name__}:Plugin", "seatrial.scorers"),
    ]
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr("seatrial.core.plugins.points", lambda kind: tuple(found))
    assert score(build("plugin", {"limit": 4}, Path())).passed
    assert build("ready", {}, Path()) is READY
    assert scorer_hash(build("plugin", {"limit": 4}, Path())) != scorer_hash(build("plugin", {}, Path()))
    with pytest.raises(ScorerConfigError, match="refuses its settings"):
        build("plugin", {"limits": 4}, Path())
    with pytest.raises(BrokenPluginError, match="shape of a scorer"):
        build("shapeless", {}, Path())
    with pytest.raises(DuplicatePluginError):
        build("exact", {}, Path())
