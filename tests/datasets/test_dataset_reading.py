"""What good files become: formats, mappings, names, defaults, parts beside the file, fingerprints."""

from __future__ import annotations

import base64
import csv
import json
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.suite import DatasetSpec
from seatrial.datasets import fingerprint, read


def write(folder: Path, name: str, content: str | bytes) -> DatasetSpec:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return DatasetSpec(path=name)


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def cases(folder: Path, spec: DatasetSpec, **more) -> list[Case]:
    return list(read(spec.model_copy(update=more), folder))


ROWS = {
    "text": ({"id": "a", "input": "hi", "expected": "yo"}, {"id": "a", "input": "hi", "expected": "yo"}),
    "null-is-absent": ({"id": "a", "input": "hi", "context": None, "weight": None}, {"id": "a", "input": "hi"}),
    "number-as-id": ({"id": 17, "input": "hi", "seed_id": 3}, {"id": "17", "input": "hi", "seed_id": "3"}),
    "dotted-keys": (
        {"id": "a", "input": "hi", "strata.intent": "refund", "expected.choice": "B", "context[0].text": "doc"},
        {"id": "a", "input": "hi", "strata": {"intent": "refund"}, "expected": {"choice": "B"}, "context": "doc"},
    ),
    "digits-are-keys-of-maps": (
        {"id": "a", "input": "hi", "metadata.2024": 1, "expected.state.0.x": 2},
        {"id": "a", "input": "hi", "metadata": {"2024": 1}, "expected": {"state": {"0": {"x": 2}}}},
    ),
    "evaluation-case": (
        {
            "id": "a",
            "input_text": "q",
            "expected_output": {"total": 3},
            "task_type": "extraction",
            "difficulty": "easy",
            "metadata": {"source": "production"},
        },
        {
            "id": "a",
            "input": "q",
            "expected": {"answer": {"total": 3}},
            "strata": {"task_type": "extraction", "difficulty": "easy"},
            "metadata": {"source": "production"},
        },
    ),
    "list-is-one-answer-as-expected-output": (
        {"id": "a", "input_text": "q", "expected_output": [1, 2]},
        {"id": "a", "input": "q", "expected": {"answer": [1, 2]}},
    ),
    "wire-tool-calls": (
        {
            "id": "a",
            "input": [
                {"role": "user", "content": "hi", "refusal": None},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
                        {"id": "2", "type": "function", "function": {"name": "f", "arguments": "{broken"}},
                    ],
                },
            ],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}],
        },
        {
            "id": "a",
            "input": [
                {"role": "user", "content": "hi"},
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "1", "name": "f", "arguments": {"x": 1}},
                        {"id": "2", "name": "f", "arguments": "{broken"},
                    ],
                },
            ],
            "tools": [{"name": "f"}],
        },
    ),
    "wire-picture": (
        {
            "id": "a",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                    ],
                }
            ],
        },
        {
            "id": "a",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "media_type": "image/png", "data": "AAAA"},
                        {"type": "image", "url": "https://example.org/a.png"},
                    ],
                }
            ],
        },
    ),
    "lone-surrogate-nan-huge": (
        {"id": "a", "input": "\ud800\x00", "metadata": {"n": 2**70, "key\udfff": "x"}},
        {"id": "a", "input": "\ud800\x00", "metadata": {"n": 2**70, "key\udfff": "x"}},
    ),
}


@pytest.mark.parametrize(("row", "same"), ROWS.values(), ids=ROWS)
def test_a_row_becomes_this_case(tmp_path, row, same):
    (case,) = cases(tmp_path, write(tmp_path, "a.jsonl", lines(row)))
    assert case.plain() == Case.model_validate(same).plain()
    assert case.hash == Case.model_validate(same).hash


MAPPED = {
    "column": ({"q": "hi"}, {"input": "q"}, {"input": "hi"}),
    "path": ({"q": {"t": [["no"], ["hi"]]}}, {"input": "q.t.1[0]"}, {"input": "hi"}),
    "column-with-a-dot-wins": ({"q.t": "hi", "q": {"t": "no"}}, {"input": "q.t"}, {"input": "hi"}),
    "others-are-ignored": ({"q": "hi", "weight": "x", "zz": 1}, {"input": "q"}, {"input": "hi"}),
    "null-is-absent": ({"q": "hi", "e": None}, {"input": "q", "expected": "e"}, {"input": "hi"}),
    "list-is-accepted-answers": (
        {"q": "hi", "e": [1, 2]},
        {"input": "q", "expected": "e"},
        {"input": "hi", "expected": {"answers": [1, 2]}},
    ),
    "list-is-one-answer": (
        {"q": "hi", "e": [1, 2]},
        {"input": "q", "expected.answer": "e"},
        {"input": "hi", "expected": {"answers": [[1, 2]]}},
    ),
    "deep-places": (
        {"q": "hi", "c": "LLM01@owasp", "t": "b", "m": 3, "d": "doc"},
        {
            "input[0].content": "q",
            "input[0].role": "r",
            "probe.category": "c",
            "strata.team": "t",
            "metadata.m": "m",
            "context[1].text": "d",
        },
        {"input": [{"content": "hi"}], "probe": {"category": "LLM01@owasp"}, "strata": {"team": "b"}},
    ),
}


@pytest.mark.parametrize(("row", "fields", "same"), MAPPED.values(), ids=MAPPED)
def test_a_mapped_row_becomes_this_case(tmp_path, row, fields, same):
    row = {"r": "user", **row} if "input[0].role" in fields else row
    (case,) = cases(tmp_path, write(tmp_path, "a.jsonl", lines(row)), fields=fields)
    found = case.plain()
    if "input[0].role" in fields:
        same = {
            **same,
            "input": [{"role": "user", "content": "hi"}],
            "metadata": {"m": 3},
            "context": [{"text": "doc"}],
        }
    assert {**found, "id": "x"} == Case.model_validate({"id": "x", **same}).plain()


DEFAULTS = {
    "absent": ({"input": "x"}, {"origin": "manual"}, {"origin": "manual"}),
    "the-row-wins": ({"input": "x", "origin": "synthetic"}, {"origin": "manual"}, {"origin": "synthetic"}),
    "beside-others": (
        {"input": "x", "strata": {"intent": "a"}},
        {"strata.lang": "en"},
        {"strata": {"intent": "a", "lang": "en"}},
    ),
    "under-a-plain-answer": (
        {"input": "x", "expected": "y"},
        {"expected.behaviour": "answer"},
        {"expected": {"answers": ["y"], "behaviour": "answer"}},
    ),
}


@pytest.mark.parametrize(("row", "defaults", "same"), DEFAULTS.values(), ids=DEFAULTS)
def test_defaults(tmp_path, row, defaults, same):
    spec = write(tmp_path, "a.jsonl", lines({"id": "1", **row}, {"id": "2", **row})).model_copy(
        update={"defaults": defaults}
    )
    found = cases(tmp_path, spec)
    expected = Case.model_validate({"id": "1", "input": "x", **same}).plain()
    assert [{**case.plain(), "id": "1"} for case in found] == [expected, expected]


def test_defaults_are_not_changed_by_reading(tmp_path):
    spec = write(tmp_path, "a.jsonl", lines({"input": "x"}, {"input": "y", "metadata": {"a": {"z": 1}}}))
    spec = spec.model_copy(update={"defaults": {"metadata": {"a": {}}, "metadata.a.b": 1}})
    assert [case.metadata for case in cases(tmp_path, spec)] == [{"a": {"b": 1}}, {"a": {"z": 1, "b": 1}}]
    assert spec.defaults == {"metadata": {"a": {}}, "metadata.a.b": 1}


FILES = {
    "bom": ("a.jsonl", b'\xef\xbb\xbf{"id": "1", "input": "x"}\n'),
    "blank-lines": ("a.jsonl", b'\n\n  \n{"id": "1", "input": "x"}\n\n'),
    "crlf": ("a.jsonl", b'{"id": "1", "input": "x"}\r\n'),
    "no-last-line-end": ("a.ndjson", b'{"id": "1", "input": "x"}'),
    "json-array": ("a.json", b'[{"id": "1", "input": "x"}]'),
    "json-bom": ("a.json", b'\xef\xbb\xbf[{"id": "1", "input": "x"}]'),
    "json-cases": ("a.json", b'{"name": "n", "cases": [{"id": "1", "input": "x"}]}'),
    "json-examples": ("a.json", b'{"examples": [{"id": "1", "input": "x"}]}'),
    "csv": ("a.csv", b"id,input\n1,x\n"),
    "csv-bom-crlf": ("a.csv", b"\xef\xbb\xbfid,input\r\n1,x\r\n"),
    "csv-blank-lines": ("a.csv", b"\nid,input\n\n1,x\n\n"),
}


@pytest.mark.parametrize(("name", "content"), FILES.values(), ids=FILES)
def test_a_file_is_read(tmp_path, name, content):
    (case,) = cases(tmp_path, write(tmp_path, name, content))
    assert case.plain() == {"id": "1", "input": ({"role": "user", "content": "x"},)}


def test_a_declared_format_wins_over_the_ending(tmp_path):
    spec = write(tmp_path, "cases.txt", lines({"id": "1", "input": "x"}))
    assert [case.id for case in cases(tmp_path, spec, format="jsonl")] == ["1"]


CELLS = {
    "text-stays-text": ("expected", "18", {"expected": {"answers": ["18"]}}),
    "brackets-stay-text": ("expected", "[18]", {"expected": {"answers": ["[18]"]}}),
    "json-answers": ("expected.answers", "[18, 18.0]", {"expected": {"answers": [18, 18.0]}}),
    "weight": ("weight", "2.5", {"weight": 2.5}),
    "metadata": ("metadata", '{"a": 1}', {"metadata": {"a": 1}}),
    "metadata-key": ("metadata.a", "1", {"metadata": {"a": "1"}}),
    "tools": ("tools", '[{"name": "f"}]', {"tools": [{"name": "f"}]}),
    "choices": ("expected.choices", '["A", "B"]', {"expected": {"choices": ["A", "B"]}}),
    "line-break": ("criteria", "one\ntwo, three", {"criteria": "one\ntwo, three"}),
    "evaluation-case": ("difficulty", "hard", {"strata": {"difficulty": "hard"}}),
    "empty-is-absent": ("expected", "", {}),
    "null-byte": ("source", "a\x00b", {"source": "a\x00b"}),
}


@pytest.mark.parametrize(("column", "cell", "same"), CELLS.values(), ids=CELLS)
def test_a_csv_cell_means_this(tmp_path, column, cell, same):
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "input", column], ["1", "x", cell]])
    (case,) = cases(tmp_path, DatasetSpec(path="a.csv"))
    assert case.plain() == Case.model_validate({"id": "1", "input": "x", **same}).plain()


def test_a_csv_row_has_the_line_it_starts_on(tmp_path):
    spec = write(tmp_path, "a.csv", 'id,input\n1,"a\nb\nc"\n1,x\n')
    with pytest.raises(Exception, match=r"a\.csv:5: id: is the id of line 2 already"):
        cases(tmp_path, spec)


def test_parquet_with_structs_maps_dates_and_decimals(tmp_path):
    from datetime import date
    from decimal import Decimal

    rows = [
        {"id": "1", "input": [{"role": "user", "content": "x", "name": None}], "created_at": date(2026, 3, 1)},
        {"id": "2", "input": [{"role": "user", "content": "y", "name": "n"}], "created_at": None},
    ]
    table = pa.Table.from_pylist(rows)
    table = table.append_column("metadata", pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())))
    table = table.append_column("source", pa.array([Decimal("1.50"), None]).cast(pa.decimal128(5, 2)))
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = cases(tmp_path, DatasetSpec(path="a.parquet"))
    assert first.plain() == {
        "id": "1",
        "input": ({"role": "user", "content": "x"},),
        "created_at": "2026-03-01",
        "metadata": {"a": 1},
        "source": "1.50",
    }
    assert second.input[0].name == "n"
    assert second.created_at is None


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=12)
TABLES = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6, unique_by=lambda row: row[0])


@given(TABLES)
def test_all_formats_give_the_same_cases(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("formats")
    rows = [{"id": ident, "input": text, "strata.team": text} for ident, text in table]
    (folder / "a.jsonl").write_text(lines(*rows), encoding="utf-8")
    (folder / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    found = [
        [c.hash for c in read(DatasetSpec(path=f"a.{end}"), folder)] for end in ("jsonl", "json", "csv", "parquet")
    ]
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == len(rows)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=12), st.data())
def test_inserting_another_input_changes_no_derived_id(tmp_path_factory, texts, data):
    folder = tmp_path_factory.mktemp("ids")
    before = cases(folder, write(folder, "a.jsonl", lines(*({"input": text} for text in texts))))
    assert len({case.id for case in before}) == len(texts)
    at = data.draw(st.integers(0, len(texts)))
    new = [*texts[:at], "something new and longer", *texts[at:]]
    after = cases(folder, write(folder, "a.jsonl", lines(*({"input": text} for text in new))))
    assert [case.id for case in after if case.text != "something new and longer"] == [case.id for case in before]


def test_derived_ids_are_numbered_for_repeated_inputs(tmp_path):
    rows = [{"input": "x", "expected": "1"}, {"input": "x", "expected": "2"}, {"input": "y"}, {"input": "x"}]
    found = cases(tmp_path, write(tmp_path, "a.jsonl", lines(*rows)))
    base = f"case-{found[0].input_hash.rsplit(':', 1)[1][:10]}"
    assert [found[0].id, found[1].id, found[3].id] == [base, f"{base}-2", f"{base}-3"]
    assert found[0].identity["id"] == base, "hashes cover the derived id, not a placeholder"


def test_many_equal_inputs_do_not_take_quadratic_time(tmp_path):
    found = cases(tmp_path, write(tmp_path, "a.jsonl", lines({"input": "x"}) * 20_000))
    assert found[-1].id.endswith("-20000")


def test_a_part_beside_the_dataset_is_read(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/pic.PNG").write_bytes(b"\x89PNG")
    parts = [{"type": "text", "text": "see"}, {"type": "image", "path": "deep/pic.PNG"}]
    spec = write(tmp_path, "a.jsonl", lines({"input": [{"role": "user", "content": parts}]}))
    (case,) = cases(tmp_path, spec)
    part = case.input[0].content[1]
    assert (part.media_type, base64.b64decode(part.data)) == ("image/png", b"\x89PNG")
    assert fingerprint(spec, tmp_path) == "", "the file beside is not covered"


def test_paths_start_at_the_datasets_folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/f.pdf").write_bytes(b"%PDF")
    row = {"input": [{"role": "user", "content": [{"type": "file", "path": "f.pdf"}]}]}
    (tmp_path / "data/a.jsonl").write_text(lines(row))
    (case,) = read(DatasetSpec(path="data/a.jsonl"), tmp_path)
    assert case.input[0].content[0].media_type == "application/pdf"


def test_a_fingerprint_covers_bytes_and_settings_but_not_the_name(tmp_path):
    spec = write(tmp_path, "a.jsonl", lines({"input": "x"}))
    first = fingerprint(spec, tmp_path)
    assert first.startswith("dataset-source:st1:")
    assert fingerprint(write(tmp_path, "b.jsonl", lines({"input": "x"})), tmp_path) == first
    others = {
        fingerprint(spec.model_copy(update=more), tmp_path)
        for more in ({"fields": {"input": "q"}}, {"defaults": {"weight": 2}}, {"shares": {"a": {"b": 1.0}}})
    }
    others.add(fingerprint(write(tmp_path, "c.jsonl", lines({"input": "y"})), tmp_path))
    assert len(others | {first}) == 5


LINKED = {
    "word": (lines({"input": "the path to the file"}), {}, True),
    "key-without-a-type": (lines({"input": "x", "metadata": {"path": "p"}}), {}, True),
    "key-and-type": (lines({"input": [{"role": "user", "content": [{"type": "image", "path": "p"}]}]}), {}, False),
    "escaped-key": ('{"input": [{"role": "user", "content": [{"type": "image", "p\\u0061th": "p"}]}]}\n', {}, False),
    "far-apart": ('{"type": "image"' + " " * (1 << 20) + ', "path": 1}\n', {}, False),
    "across-two-reads": (" " * ((1 << 20) - 3) + '"path" "image"\n', {}, False),
    "mapped": (lines({"q": "x"}), {"input[0].content[0].path": "q"}, False),
}


@pytest.mark.parametrize(("content", "fields", "covered"), LINKED.values(), ids=LINKED)
def test_a_fingerprint_is_empty_where_rows_may_name_files(tmp_path, content, fields, covered):
    spec = write(tmp_path, "a.jsonl", content).model_copy(update={"fields": fields})
    assert bool(fingerprint(spec, tmp_path)) is covered


def test_memory_stays_flat(tmp_path):
    row = lines({"input": "x" * 2000, "metadata": {"a": "y" * 2000}})

    def peak(count: int) -> int:
        with (tmp_path / "a.jsonl").open("w") as file:
            for number in range(count):
                file.write(row.replace("xx", f"{number}x", 1))
        tracemalloc.start()
        total = sum(1 for _ in read(DatasetSpec(path="a.jsonl"), tmp_path))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == count
        return most

    peak(50)
    few, many = peak(200), peak(4000)
    assert many - few < 4000 * 400, "some hundred bytes for an id, of four thousand a row"


def test_a_file_is_closed_when_reading_is_given_up(tmp_path):
    spec = write(tmp_path, "a.jsonl", lines({"input": "x"}, {"input": "y"}))
    reading = read(spec, tmp_path)
    next(reading)
    del reading  # an open file would be a ResourceWarning, which fails the test


def test_gsm8k_as_it_is(shared_data):
    path = shared_data("gsm8k_model_solutions.jsonl")
    spec = DatasetSpec(path=path.name, fields={"input": "question", "expected": "ground_truth"})
    found = list(read(spec, path.parent))
    assert len(found) == 1319
    assert found[0].text.startswith("Janet’s ducks lay 16 eggs")
    assert found[0].expected.answers[0].endswith("A: 18")
    assert len({case.id for case in found}) == 1319


@pytest.mark.parametrize(("name", "count"), [("simple_python", 400), ("parallel_multiple", 200)])
def test_bfcl_as_it_is(shared_data, name, count):
    path = shared_data(f"bfcl_{name}.jsonl")
    spec = DatasetSpec(path=path.name, fields={"id": "id", "input": "question.0", "tools": "function"})
    found = list(read(spec, path.parent))
    assert len(found) == count
    assert found[0].id == f"{name}_0"
    assert all(case.tools and case.tools[0].parameters["properties"] for case in found)


def test_airline_conversations_keep_their_tool_calls(shared_data):
    path = shared_data("tau_airline_gpt-4o.json")
    spec = DatasetSpec(
        path=path.name, fields={"input": "traj", "metadata.task": "task_id", "metadata.reward": "reward"}
    )
    found = list(read(spec, path.parent))
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert len(found) == len(raw) == 200
    for case, row in zip(found, raw, strict=True):
        calls = [json.loads(c["function"]["arguments"]) for m in row["traj"] for c in m.get("tool_calls") or []]
        assert [call.arguments for message in case.input for call in message.tool_calls] == calls
