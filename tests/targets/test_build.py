"""Building targets by name, and the room's lightness."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seatrial.core.output import Output, Timing
from seatrial.core.suite import TargetSpec
from seatrial.errors import DuplicatePluginError, UnknownPluginError
from seatrial.targets import BUILTIN, build, outcome


def test_an_unknown_adapter_names_the_nearest() -> None:
    with pytest.raises(UnknownPluginError, match="did you mean 'openai'"):
        build("t", TargetSpec(use="opnai:gpt"), Path(), {})


def plug_in(monkeypatch: pytest.MonkeyPatch, name: str, adapter: Any) -> None:
    point = SimpleNamespace(name=name, value="x:y", load=lambda: adapter)
    monkeypatch.setattr("seatrial.core.plugins.points", lambda kind: [point] if kind == "target" else [])


def test_a_plug_in_gets_the_four_arguments_and_all_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, "mine", lambda *arguments: arguments)
    spec = TargetSpec(use="mine:thing", options={"a": 1}, base_url="x")
    assert build("t", spec, Path("f"), {"E": "1"}) == ("t", spec, Path("f"), {"E": "1"})


def test_a_plug_in_may_not_take_a_built_in_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, "openai", object)
    with pytest.raises(DuplicatePluginError):
        build("t", TargetSpec(use="openai:gpt"), Path(), {})


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_what_the_built_in_adapters_read_exists(name: str) -> None:
    from importlib import import_module

    module, _, attribute = BUILTIN[name].partition(":")
    assert getattr(import_module(module), attribute).reads <= set(TargetSpec.model_fields)


def test_importing_the_room_loads_no_heavy_library() -> None:
    code = "import seatrial.targets, sys; print([m for m in ('aiohttp', 'jinja2', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_an_output_that_already_failed_stays_as_it_is() -> None:
    failed = Output.model_validate({"failure": {"kind": "infra", "code": "x"}})
    assert outcome(failed, 1) is failed


@pytest.mark.parametrize(
    ("output", "code"),
    [
        pytest.param(Output.of("x", finish_reason="content_filter"), "content_filter", id="filter"),
        pytest.param(Output.of("", finish_reason="length"), "length", id="length-before-empty"),
        pytest.param(Output.of("", timing=Timing(total=9)), "empty", id="empty-before-deadline"),
        pytest.param(Output(), "empty", id="nothing"),
        pytest.param(Output.of("x", timing=Timing(total=1.1)), "deadline", id="late"),
        pytest.param(Output.of("x", timing=Timing(total=1.0)), None, id="just-in-time"),
        pytest.param(Output.of("x"), None, id="time-unknown"),
        pytest.param(Output(state={"order": "refunded"}), None, id="state"),
        pytest.param(
            Output.model_validate(
                {"messages": [{"role": "assistant", "content": [{"type": "image", "url": "https://x/y"}]}]}
            ),
            None,
            id="an-image",
        ),
    ],
)
def test_outcome(output: Output, code: str | None) -> None:
    failure = outcome(output, 1).failure
    assert (failure and (failure.kind, failure.code)) == (code and ("model", code))
