"""The replay adapter."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.identity import canonical
from seatrial.core.output import Output, Request
from seatrial.core.protocols import ChecksCases
from seatrial.core.suite import TargetSpec
from seatrial.errors import RecordingError, TargetConfigError
from seatrial.targets import build
from seatrial.targets.recording import MISSING, at

GSM8K = "gsm8k_model_solutions.jsonl"


def cases(*inputs: Any) -> list[Case]:
    return [Case.model_validate({"id": f"c{i}", "input": text}) for i, text in enumerate(inputs)]


def keys(found: list[Case]) -> list[tuple[str, str]]:
    return [(case.id, case.input_hash) for case in found]


def write(path: Path, *rows: Any) -> Path:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def target(path: Path, **fields: Any) -> Any:
    return build("t", TargetSpec(use=f"replay:{path.name}", **fields), path.parent, {})


def replayed(made: Any, found: list[Case]) -> list[Output]:
    async def go() -> list[Output]:
        await made.open()
        try:
            return [await made.generate(case, Request(messages=case.input)) for case in found]
        finally:
            await made.close()

    return asyncio.run(go())


def test_rows_are_joined_by_input_whatever_their_order(tmp_path: Path) -> None:
    long = [{"role": "system", "content": "s"}, {"role": "user", "content": "b"}]
    path = write(
        tmp_path / "r.jsonl",
        {"input": long, "output": "two"},
        b"",
        {"input": "a", "output": "one", "extra": 1},
        {"input": [{"role": "user", "content": [{"type": "text", "text": "c"}]}], "output": "three"},
    )
    found = cases("a", long, "c", "a")
    made = target(path)
    assert isinstance(made, ChecksCases)
    made.check(keys(found))
    assert [o.text for o in replayed(made, found)] == ["one", "two", "three", "one"]


def test_rows_are_joined_by_id(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", {"id": 7, "output": "seven"}, {"id": "c1", "output": "one"})
    found = [Case(id="7", input="same"), Case(id="c1", input="same")]
    made = target(path, join="id")
    made.check(keys(found))
    assert [o.text for o in replayed(made, found)] == ["seven", "one"]


def test_all_fields(tmp_path: Path) -> None:
    row = {
        "q": {"text": "a"},
        "r": [{"x": "skip"}, {"answer": "text"}],
        "calls": [{"id": "k", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
        "why": "stop",
        "ms.total": 1.5,
        "ttft": 0.2,
        "usd": 0.01,
        "served": "m-1",
        "u": {"in": 5, "out": 6},
        "docs": ["d1", {"text": "d2", "id": "2"}],
    }
    fields = {
        "input": "q.text",
        "output": "r.1.answer",
        "tool_calls": "calls",
        "finish_reason": "why",
        "latency": "ms.total",
        "first_token": "ttft",
        "cost": "usd",
        "model": "served",
        "usage.input": "u.in",
        "usage.output": "u.out",
        "context": "docs",
    }
    (output,) = replayed(target(write(tmp_path / "r.jsonl", row), fields=fields), cases("a"))
    assert output.failure is None
    assert output.text == "text"
    assert output.tool_calls[0].arguments == {"a": 1}
    assert (output.finish_reason, output.timing.total, output.timing.first_token) == ("stop", 1.5, 0.2)
    assert (output.cost, output.served_model, output.usage.input, output.usage.output) == (0.01, "m-1", 5, 6)
    assert [d.text for d in output.context] == ["d1", "d2"]


def test_what_is_not_recorded_is_unknown(tmp_path: Path) -> None:
    (output,) = replayed(target(write(tmp_path / "r.jsonl", {"input": "a", "output": "x"})), cases("a"))
    assert (output.cost, output.timing.total, output.finished_at) == (None, None, "")


@pytest.mark.parametrize(
    ("row", "failure", "text"),
    [
        pytest.param({"output": "x", "finish_reason": "length"}, ("model", "length"), "x", id="length"),
        pytest.param({"output": ""}, ("model", "empty"), "", id="empty"),
        pytest.param({"output": None}, ("model", "empty"), "", id="null"),
        pytest.param({"output": "x", "latency": 3}, ("model", "deadline"), "x", id="deadline"),
        pytest.param({"error": "HTTP 500"}, ("infra", "recorded"), "", id="error"),
        pytest.param({"error": {"code": 5}, "output": "half"}, ("infra", "recorded"), "half", id="error-with-text"),
        pytest.param({"error": None, "output": "x"}, None, "x", id="null-error"),
        pytest.param({"output": {"b": 1, "a": "é"}}, None, '{"b": 1, "a": "é"}', id="json-output"),
        pytest.param({"output": 7}, None, "7", id="number-output"),
        pytest.param({"tool_calls": [{"name": "f", "arguments": {}}]}, None, "", id="only-calls"),
        pytest.param({"messages": [{"role": "assistant", "content": "m"}]}, None, "m", id="messages"),
        pytest.param({"output": "\ud800\0"}, None, "\ud800\0", id="odd-text"),
    ],
)
def test_outcomes(tmp_path: Path, row: dict[str, Any], failure: Any, text: str) -> None:
    made = target(write(tmp_path / "r.jsonl", {"input": "a", **row}), deadline=2)
    (output,) = replayed(made, cases("a"))
    assert output.text == text
    assert (output.failure and (output.failure.kind, output.failure.code)) == failure


def test_all_that_does_not_fit_is_reported_at_once_with_numbers(tmp_path: Path) -> None:
    rows: list[Any] = [{"input": "a", "output": "1"}, {"input": "a", "output": "2"}]
    rows += [{"input": f"stray {i}", "output": "x"} for i in range(100)]
    rows += [b"{oops", b"[1]", {"output": "no input"}, {"input": "b"}, {"input": 5, "output": "x"}]
    rows += [{"input": "c", "output": "x", "latency": -1}, {"input": "d", "output": "x", "tool_calls": [3]}]
    made = target(write(tmp_path / "r.jsonl", *rows))
    with pytest.raises(RecordingError) as caught:
        made.check(keys(cases("a", "unknown 1", "unknown 2")))
    text = str(caught.value)
    for words in (
        "7 rows that cannot be read",
        "1 duplicate rows",
        "2 cases without a row",
        "100 rows that match no case",
        "r.jsonl:2: input: the same input as line 1",
        "r.jsonl:103: is not JSON",
        "case c1: no row is for this case",
        "r.jsonl:3: input: the input matches no case",
    ):
        assert words in text
    assert len(caught.value.problems) == 20
    assert caught.value.exit_code == 2


def test_a_field_that_no_row_has_is_a_fault(tmp_path: Path) -> None:
    made = target(write(tmp_path / "r.jsonl", {"input": "a", "output": "1"}), fields={"latency": "seconds"})
    with pytest.raises(RecordingError, match=r"fields\.latency: no row holds this path"):
        made.check(keys(cases("a")))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xff\xfe\x00", id="no-utf-8"),
        pytest.param(b'{"input":"a","output":' + b"[" * 50_000, id="deep"),
        pytest.param(b'{"input":"a","output":"' + b"x" * (17 << 20) + b'"}', id="17-mib"),
        pytest.param(b'{"input":"a","output":"x","cost":NaN}', id="nan-cost"),
        pytest.param(b'{"input":"a","output":"x","latency":1e999}', id="infinite-latency"),
        pytest.param(b'{"input":"a","output":"x","usage.input":"7k"}', id="usage-text"),
        pytest.param(b'{"input":[],"output":"x"}', id="no-messages"),
        pytest.param(b'{"input":[{"role":"pirate","content":"a"}],"output":"x"}', id="odd-role"),
        pytest.param(b'{"input":"a","output":"x","context":7}', id="context-number"),
        pytest.param(b'{"input":"a","messages":"hi"}', id="messages-text"),
    ],
)
def test_rows_that_cannot_be_read_name_their_line(tmp_path: Path, raw: bytes) -> None:
    made = target(write(tmp_path / "r.jsonl", {"input": "z", "output": "1"}, raw))
    with pytest.raises(RecordingError, match="1 rows that cannot be read") as caught:
        made.check(keys(cases("z")))
    assert caught.value.problems[0].line == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    made = target(tmp_path / "nope.jsonl")
    with pytest.raises(RecordingError, match="cannot be read"):
        made.check(keys(cases("a")))


def test_an_empty_file_lacks_every_case(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(b"")
    with pytest.raises(RecordingError, match="2 cases without a row"):
        target(tmp_path / "r.jsonl").check(keys(cases("a", "b")))


def test_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(b'\xef\xbb\xbf{"input":"a","output":"1"}\r\n\r\n{"input":"b","output":"2"}')
    assert [o.text for o in replayed(target(tmp_path / "r.jsonl"), cases("a", "b"))] == ["1", "2"]


def test_a_case_without_a_row_is_missing_data(tmp_path: Path) -> None:
    (output,) = replayed(target(write(tmp_path / "r.jsonl", {"input": "a", "output": "1"})), cases("b"))
    assert output.failure is not None
    assert (output.failure.kind, output.failure.code) == ("infra", "not_recorded")


def test_sent_changes_with_its_own_row_only(tmp_path: Path) -> None:
    case = cases("a")[0]
    request = Request(messages=case.input)

    def sent(*rows: Any, **fields: Any) -> str:
        return canonical(target(write(tmp_path / "r.jsonl", *rows), **fields).sent(case, request))

    base = sent({"input": "a", "output": "1"}, {"input": "b", "output": "2"})
    assert sent({"input": "b", "output": "other"}, {"input": "a", "output": "1", "unmapped": 5}) == base
    assert sent({"input": "a", "output": "1!"}) != base
    assert sent({"input": "a", "output": "1", "latency": 2}) != base


def test_a_recording_that_changes_while_it_is_used_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", {"input": "a", "output": "1"}, {"input": "b", "output": "2"})
    made = target(path)
    found = cases("a", "b")
    made.check(keys(found))
    path.write_bytes(b"x" * 10)
    with pytest.raises(RecordingError, match="changed while it was in use"):
        replayed(made, found)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"fields": {"ouput": "x"}}, "did you mean output?", id="typo"),
        pytest.param({"price": {"input": 1, "output": 1}}, "targets.t.price", id="price"),
        pytest.param({"params": {"temperature": 0}}, "targets.t.params", id="params"),
        pytest.param({"base_url": "http://x"}, "belongs to", id="base-url"),
        pytest.param({"concurrency": 2}, "belongs to", id="concurrency"),
    ],
)
def test_settings_that_mean_nothing_here(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(TargetConfigError) as caught:
        target(write(tmp_path / "r.jsonl"), **fields)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", 1),
        ("b.c", 2),
        ("d.1", "y"),
        ("d.1.z", MISSING),
        ("d.9", MISSING),
        ("d.-1", MISSING),
        ("e.f", "dotted"),
        ("nope", MISSING),
        ("", MISSING),
        ("d.²", MISSING),
    ],
)
def test_paths(path: str, found: Any) -> None:
    assert at({"a": 1, "b": {"c": 2}, "d": ["x", "y"], "e.f": "dotted", "e": {"f": "nested"}}, path) == found


def test_real_recordings_of_four_models(shared_data: Any) -> None:
    path = shared_data(GSM8K)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    found = [Case(id=str(i), input=row["question"]) for i, row in enumerate(rows)]
    for model in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"):
        made = target(path, fields={"input": "question", "output": f"{model}.solution"})
        made.check(keys(found))
        outputs = replayed(made, found)
        assert [o.text for o in outputs] == [row[model]["solution"] for row in rows]
        assert len(outputs) == 1319
