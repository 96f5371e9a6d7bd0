"""What bad files are told: every fault with its place, in plain words, and nothing half-imported."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from seatrial.core.suite import DatasetSpec
from seatrial.datasets import problems, read
from seatrial.datasets.reading import sources
from seatrial.datasets.reading.faults import dotted, shown, translate
from seatrial.errors import DatasetError

ROW = b'{"id": "a", "input": "x"}\n'


def told(folder: Path, name: str, content: bytes | str, **more) -> str:
    """The message of a dataset that cannot be read."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    with pytest.raises(DatasetError) as caught:
        list(read(DatasetSpec(path=name, **more), folder))
    assert caught.value.exit_code == 2
    text = str(caught.value)
    text.encode("utf-8")
    for noise in ("Input should", "pydantic", "Value error", "http", "function-", "Traceback"):
        assert noise not in text
    return text


def attempt(folder: Path, name: str) -> tuple[list, DatasetError | None]:
    """The cases that were yielded, and the error if there was one."""
    found = []
    try:
        found += read(DatasetSpec(path=name), folder)
    except DatasetError as error:
        return found, error
    return found, None


def parts(*content) -> str:
    return json.dumps({"input": [{"role": "user", "content": list(content)}]})


FILES = {
    "empty": ("a.jsonl", b"", ["a.jsonl: is empty"]),
    "only-blanks": ("a.jsonl", b" \n\n", ["is empty"]),
    "many-blanks": ("a.jsonl", b"\n" * 9000, ["holds no rows"]),
    "no-rows": ("a.json", b"[]", ["holds no rows"]),
    "header-only": ("a.csv", b"id,input\n", ["holds no rows"]),
    "utf-16": ("a.jsonl", "\ufeff{}".encode("utf-16-le"), ["a.jsonl:1: is UTF-16", "save it as UTF-8"]),
    "utf-16-without-mark": ("a.csv", "id,input".encode("utf-16-le"), ["is UTF-16"]),
    "utf-16-big-endian": ("a.json", "[]".encode("utf-16-be"), ["is UTF-16"]),
    "latin-1": ("a.jsonl", '{"input": "café"}\n'.encode("latin-1"), ["a.jsonl:1: is not UTF-8 text"]),
    "latin-1-json": ("a.json", '[{"input": "café"}]'.encode("latin-1"), ["a.json: is not UTF-8 text"]),
    "latin-1-csv": ("a.csv", "id,input\n1,café\n".encode("latin-1"), ["a.csv:2", "byte 0xe9 at position 6"]),
    "gzip": ("a.jsonl", gzip.compress(ROW), ["is compressed (gzip)", "unpack it first"]),
    "gzip-by-name": ("a.jsonl.gz", gzip.compress(ROW), ["is compressed", "unpack it first"]),
    "zip": ("a.csv", b"PK\x03\x04 and so on", ["is compressed (zip)"]),
    "no-ending": ("cases", ROW, ["no ending that names its format", "dataset.format"]),
    "array-as-lines": ("a.jsonl", b"[" + ROW + b"]", ["is a JSON array", "format: json"]),
    "lines-as-array": ("a.json", ROW * 2, ["at line 2, column 1: Extra data", "format: jsonl"]),
    "parquet-as-lines": ("a.jsonl", b"PAR1", ["is a Parquet file"]),
    "lines-as-parquet": ("a.parquet", ROW, ["is not a Parquet file"]),
    "broken-parquet": ("a.parquet", b"PAR1 and so on PAR1", ["cannot be read as Parquet"]),
    "json-scalar": ("a.json", b"5", ["must be a list of rows", "cases, data, rows, examples"]),
    "json-object": ("a.json", b'{"items": []}', ["must be a list of rows", "an object with items"]),
    "json-two-lists": ("a.json", b'{"cases": [], "data": []}', ["must be a list of rows"]),
    "json-cut": ("a.json", b'[{"input": "x"},\n{"inp', ["at line 2, column 2: Unterminated string"]),
    "json-row": ("a.json", b'[{"input": "x"}, 5]', ["a.json:2: must be an object", "(got 5)", "numbers are rows"]),
    "json-bomb": ("a.json", b"[" * 100_000, ["nested too deep"]),
    "cut-line": ("a.jsonl", ROW + b'{"input": "y', ["a.jsonl:2", "was the file cut off"]),
    "no-json": ("a.jsonl", b"hello\n", ["a.jsonl:1: is not JSON at column 1", "(got hello", "one object a line"]),
    "row-over-lines": ("a.jsonl", b'{\n"input": "x"\n}\n', ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3"]),
    "list-row": ("a.jsonl", b"\n[1]\n"[1:] + ROW, ["is a JSON array"]),
    "text-row": ("a.jsonl", ROW + b'"text"\n', ["a.jsonl:2: must be an object of keys and values (got text)"]),
    "null-row": ("a.jsonl", b"null\n", ["must be an object of keys and values (got null)"]),
    "line-bomb": ("a.jsonl", b'{"metadata":' + b"[" * 100_000 + b"\n", ["a.jsonl:1", "nested too deep"]),
    "deep-row": (
        "a.jsonl",
        b'{"input":"x","metadata":' + b'{"a":' * 150 + b"1" + b"}" * 151,
        ["deeper than 100 levels"],
    ),
    "endless-number": ("a.jsonl", b'{"weight": ' + b"9" * 5000 + b"}", ["more than 4,300 digits"]),
    "semicolons": ("a.csv", b"id;input\n1;x\n", ["has one column (got id;input)", "must be a comma"]),
    "tabs": ("a.csv", b"id\tinput\n1\tx\n", ["has one column", "must be a comma"]),
    "twice-a-column": ("a.csv", b"input,input\nx,y\n", ["a.csv:1: input: two columns have this name"]),
    "unnamed-column": ("a.csv", b"input, \nx,y\n", ["column 2: a column has no name"]),
    "few-cells": ("a.csv", b"id,input\n1\n", ["a.csv:2: has 1 cells, the first line has 2"]),
    "many-cells": ("a.csv", b"id,input\n1,a,b\n", ["has 3 cells, the first line has 2", "put in quotes"]),
    "open-quote": ("a.csv", b'id,input\n1,x\n2,"y\n3,z\n', ["a.csv:3: opens a quote that is never closed"]),
    "stray-quote": ("a.csv", b'id,input\n1,"x"y\n', ["a.csv:2: is not CSV", "a quote inside a cell"]),
    "bare-returns": ("a.csv", b"id,input\r1,x\r", ["bare carriage return"]),
    "text-as-tools": ("a.csv", b"input,tools\nx,search\n", ["a.csv:2: tools: must be JSON in a CSV cell (got search)"]),
    "number-as-metadata": ("a.csv", b"input,metadata\nx,5\n", ["metadata: must be JSON in a CSV cell"]),
    "text-as-weight": ("a.csv", b'input,weight\nx,"1,5"\n', ["weight: must be a number (got 1,5)"]),
}


@pytest.mark.parametrize(("name", "content", "words"), FILES.values(), ids=FILES)
def test_a_bad_file_is_told(tmp_path, name, content, words):
    text = told(tmp_path, name, content)
    for word in words:
        assert word in text


ROWS = {
    "no-input": ({}, ["input: is required", "name its column under dataset.fields"]),
    "guessed-input": ({"question": "x"}, ["question: is not a field of a case", "add `input: question`"]),
    "null-input": ({"input": None}, ["input: is required"]),
    "number-input": ({"input": 5}, ["input: must be text or a list of messages (got 5)"]),
    "empty-input": ({"input": []}, ["input: must not be empty"]),
    "empty-id": ({"id": "", "input": "x"}, ["id: must not be empty (got empty text)"]),
    "float-id": ({"id": 1.5, "input": "x"}, ["id: must be text (got 1.5)"]),
    "true-id": ({"id": True, "input": "x"}, ["id: must be text (got true)"]),
    "typo": ({"input": "x", "expcted": "y"}, ["expcted: is not a field of a case", "did you mean 'expected'?"]),
    "inner-typo": ({"input": "x", "expected.choise": "y"}, ["did you mean 'expected.choice'?"]),
    "expected-typo": (
        {"input": "x", "expected": {"anser": 1}},
        ["expected.anser", "did you mean 'answers'", "`answer`"],
    ),
    "two-answers": ({"input": "x", "expected": {"answer": 1, "answers": [1]}}, ["give either answer or answers"]),
    "twice": ({"input": "x", "input_text": "y"}, ["input: is given twice"]),
    "whole-and-part": ({"input": "x", "expected": "y", "expected.choice": "z"}, ["is given twice, or as a whole"]),
    "role": ({"input": [{"role": "usr", "content": "x"}]}, ["input[0].role: must be 'system'", "did you mean 'user'?"]),
    "no-role": ({"input": [{"content": "x"}]}, ["input[0].role: is required"]),
    "content": ({"input": [{"role": "user", "content": 5}]}, ["input[0].content: must be text or a list (got 5)"]),
    "message": ({"input": ["x", 7]}, ["input[0]: must be an object", "input[1]: must be an object of keys"]),
    "call": (
        {"input": "x", "expected": {"tool_calls": [{"name": "f"}, {"nme": "g"}]}},
        ["expected.tool_calls[1].name: is required", "expected.tool_calls[1].nme", "did you mean 'name'?"],
    ),
    "calls": (
        {"input": "x", "expected": {"tool_calls": [[{"name": "f"}], [{"name": 5}]]}},
        ["expected.tool_calls[1][0].name: must be text (got 5)"],
    ),
    "argument": (
        {
            "input": "x",
            "expected": {"tool_calls": [{"name": "f"}, {"name": "g", "arguments": {"ref": "FB-1", "n": 5}}]},
        },
        [
            'expected.tool_calls[1].arguments.ref: must be a list of accepted values (got FB-1); write ["FB-1"]',
            "expected.tool_calls[1].arguments.n: must be a list of accepted values (got 5); write [5]",
        ],
    ),
    "argument-object": (
        {"input": "x", "expected": {"tool_calls": [[{"name": "g", "arguments": {"to": {"city": "Bonn"}}}]]}},
        ["arguments.to: must be a list of accepted values (got an object with city); write it in brackets"],
    ),
    "argument-long": (
        {"input": "x", "expected": {"tool_calls": [{"name": "g", "arguments": {"text": "long " * 40}}]}},
        ["arguments.text: must be a list of accepted values", "write it in brackets"],
    ),
    "choice": ({"input": "x", "expected": {"choice": 3}}, ["expected.choice: must be text (got 3)"]),
    "context": ({"input": "x", "context": [{"txt": "d"}]}, ["context[0].text: is required", "did you mean 'text'?"]),
    "tools": ({"input": "x", "tools": "search"}, ["tools: must be a list of tools (got search)"]),
    "strata": ({"input": "x", "strata": "easy"}, ["strata: must be an object of keys and values (got easy)"]),
    "weight": ({"input": "x", "weight": 0}, ["weight: must be greater than 0 (got 0)"]),
    "nan-weight": ({"input": "x", "weight": float("nan")}, ["weight: must be a finite number (got nan)"]),
    "date": ({"input": "x", "created_at": "tomorrow"}, ["created_at: must be an ISO 8601 date", "(got tomorrow)"]),
    "origin": ({"input": "x", "origin": "manuel"}, ["origin: must be", "did you mean 'manual'?"]),
    "probe": ({"input": "x", "probe": {"strategy": "s"}}, ["probe.category: is required"]),
    "behaviour": (
        {"input": "x", "expected": {"behaviour": "refuze"}},
        ["expected.behaviour", "did you mean 'refuse'?"],
    ),
    "surrogate-key": ({"input": "x", "\ud800": 1}, ["\\ud800: is not a field of a case"]),
    "long-key": ({"input": "x", "k" * 1_000_000: 1}, ["kkk…: is not a field of a case"]),
    "terminal-codes": ({"input": "x", "origin": "\x1b[31mred\n"}, ["(got \\x1b[31mred\\n)"]),
}


@pytest.mark.parametrize(("row", "words"), ROWS.values(), ids=ROWS)
def test_a_bad_row_is_told(tmp_path, row, words):
    text = told(tmp_path, "a.jsonl", ROW + json.dumps(row).encode())
    assert "a.jsonl:2: " in text
    for word in words:
        assert word in text


PARTS = {
    "no-type": ({"text": "x"}, "content[0]: needs a type: text, image, audio or file"),
    "type": ({"type": "video"}, "content[0]: must have one of the types 'text', 'image', 'audio', 'file'"),
    "no-text": ({"type": "text"}, "content[0].text: is required"),
    "no-data": ({"type": "image"}, "content[0]: needs either data (base64) or url"),
    "no-base64": ({"type": "image", "data": "!"}, "content[0]: data must be base64"),
    "outside": ({"type": "image", "path": "../a.png"}, "content[0].path: leaves the dataset's folder (got ../a.png)"),
    "absolute": ({"type": "image", "path": "/etc/passwd"}, "leaves the dataset's folder"),
    "link": ({"type": "image", "path": "link.png"}, "leaves the dataset's folder"),
    "missing": ({"type": "image", "path": "b.png"}, "is not a file beside the dataset (got b.png)"),
    "folder": ({"type": "image", "path": "."}, "is not a file beside the dataset"),
    "null-byte": ({"type": "image", "path": "a\x00.png"}, "is not a file that can be read (got a\\x00.png)"),
    "number": ({"type": "image", "path": 5}, "must be a file's name"),
    "empty-file": ({"type": "image", "path": "empty.png"}, "is an empty file"),
    "large": ({"type": "image", "path": "large.png"}, "is larger than 20 MiB"),
    "both": ({"type": "image", "path": "empty.png", "url": "u"}, "must be one of path, data or url"),
}


@pytest.mark.parametrize(("part", "words"), PARTS.values(), ids=PARTS)
def test_a_bad_part_is_told(tmp_path, part, words):
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "a.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "a.png")
    (folder / "empty.png").touch()
    with (folder / "large.png").open("wb") as file:
        file.truncate(20 * 1024 * 1024 + 1)
    assert words in told(folder, "a.jsonl", parts(part))


SETTINGS = {
    "place": ({"fields": {"inpt": "q"}}, "dataset.fields.inpt: is not a field of a case; did you mean 'input'?"),
    "inner-place": ({"fields": {"probe.categry": "q"}}, "did you mean 'probe.category'?"),
    "scalar-part": ({"fields": {"weight.x": "q"}}, "is not a field of a case"),
    "column": ({"fields": {"input": " . "}}, "names a column that no row has"),
    "no-column": ({"fields": {"input": ".."}}, "must name a column or a dotted path (got ..)"),
    "overlap": ({"fields": {"expected": "a", "expected.choice": "b"}}, "overlaps with 'expected'"),
    "alias-overlap": ({"fields": {"input": "a", "input_text": "b"}}, "overlaps with 'input'"),
    "default": ({"defaults": {"orgin": "manual"}}, "dataset.defaults.orgin: is not a field of a case"),
    "default-id": ({"defaults": {"id": "x"}}, "dataset.defaults.id: cannot have a default"),
    "default-value": ({"defaults": {"origin": "manuel"}}, "did you mean 'manual'?"),
    "shares": ({"shares": {"intent": {"a": 0.5, "b": 0.4}}}, "dataset.shares.intent: must sum to 1 (got 0.9)"),
    "no-shares": ({"shares": {"intent": {}}}, "must sum to 1 (got 0)"),
    "misspelt-column": ({"fields": {"input": "id", "expected": "inptu"}}, "names a column that no row has (got inptu)"),
    "wrong-format": ({"format": "json"}, "must be a list of rows (got an object with id, input)"),
}


@pytest.mark.parametrize(("settings", "words"), SETTINGS.values(), ids=SETTINGS)
def test_bad_settings_are_told(tmp_path, settings, words):
    assert words in told(tmp_path, "a.jsonl", ROW, **settings)


def test_a_misspelt_column_is_the_first_thing_told(tmp_path):
    text = told(tmp_path, "a.jsonl", b'{"question": "x"}\n' * 3, fields={"input": "queston"})
    first = text.splitlines()[1]
    assert "dataset.fields.input: names a column that no row has (got queston); did you mean 'question'?" in first


def test_shares_that_sum_to_one_within_rounding_are_accepted():
    thirds = {"a": 0.333333, "b": 0.333333, "c": 0.333334}
    assert problems(DatasetSpec(path="a", shares={"x": thirds, "y": {"a": 1.0}})) == []


def test_all_faults_are_told_at_once_and_nothing_is_yielded_after_the_first(tmp_path):
    content = ROW + b'{"input": 5, "weight": -1}\nhello\n' + ROW + b'{"id": "b", "input": "y"}\n'
    (tmp_path / "a.jsonl").write_bytes(content)
    reading = read(DatasetSpec(path="a.jsonl"), tmp_path)
    assert next(reading).id == "a"
    with pytest.raises(DatasetError) as caught:
        next(reading)
    assert [(p.line, p.key) for p in caught.value.problems] == [(2, "input"), (2, "weight"), (3, ""), (4, "id")]
    assert {p.file for p in caught.value.problems} == {"a.jsonl"}
    assert "Nothing was imported" in str(caught.value)


def test_faults_are_counted_all_and_kept_up_to_a_thousand(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"x\n" * 5000)
    with pytest.raises(DatasetError, match=r"5,000 faults, the first 1,000 are listed") as caught:
        list(read(DatasetSpec(path="a.jsonl"), tmp_path))
    assert len(caught.value.problems) == 1000


def test_duplicate_ids_name_both_places(tmp_path):
    assert "a.jsonl:3: id: is the id of line 1 already (got a)" in told(tmp_path, "a.jsonl", ROW + b"\n" + ROW)
    rows = json.dumps([{"id": 1, "input": "x"}, {"id": "1", "input": "y"}])
    assert "a.json:2: id: is the id of row 1 already (got 1)" in told(tmp_path, "a.json", rows)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("case.jsonl", "did you mean 'cases.jsonl'?", id="near"),
        pytest.param("nothing/like/it.csv", "is not there", id="far"),
        pytest.param("folder.jsonl", "is not a file", id="folder"),
        pytest.param("pipe.jsonl", "is not a file", id="pipe"),
        pytest.param("a\x00.jsonl", "a\\x00.jsonl is not there", id="null-byte"),
        pytest.param("n" * 5000 + ".jsonl", "cannot be read", id="long-name"),
    ],
)
def test_a_file_that_cannot_be_opened_is_told(tmp_path, path, words):
    (tmp_path / "cases.jsonl").write_bytes(ROW)
    (tmp_path / "folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(DatasetError) as caught:
        list(read(DatasetSpec(path=path), tmp_path))
    assert words in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_told(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(ROW)
    (tmp_path / "a.jsonl").chmod(0)
    with pytest.raises(DatasetError, match="Permission denied"):
        list(read(DatasetSpec(path="a.jsonl"), tmp_path))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_one_endless_line_is_skipped_without_being_held(tmp_path, name):
    head = b"id,input\n" if name.endswith("csv") else ROW
    with (tmp_path / name).open("wb") as file:
        file.write(head)
        file.seek(1 << 28)
        file.write(b"\n")
        file.write(b"3,x,y\n" if name.endswith("csv") else b"x\n")
    script = (
        "import re, sys; from pathlib import Path\n"
        "from seatrial.core.suite import DatasetSpec; from seatrial.datasets import read\n"
        "try: list(read(DatasetSpec(path=sys.argv[1]), Path()))\n"
        "except Exception as error: print(error)\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024)\n"
    )
    found = subprocess.run([sys.executable, "-c", script, name], cwd=tmp_path, capture_output=True, text=True)
    *text, peak = found.stdout.splitlines()
    assert f"{name}:2: is longer than 16 MiB" in "\n".join(text)
    assert f"{name}:3: " in "\n".join(text)
    assert int(peak) < 180, "megabytes, for a line of 256"


def test_json_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_JSON", 1024 * 1024)
    assert "is larger than 1 MiB" in told(tmp_path, "a.json", b" " * (1024 * 1024 + 1))


def test_parquet_without_pyarrow_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert "pip install 'seatrial[parquet]'" in told(tmp_path, "a.parquet", b"PAR1")


def test_parquet_values_without_a_json_form_are_told(tmp_path):
    table = pa.table({"input": ["x"], "metadata": [{"raw": b"\xff", "ok": 1}]})
    pq.write_table(table, tmp_path / "b.parquet")
    text = told(tmp_path, "a.parquet", (tmp_path / "b.parquet").read_bytes())
    assert "a.parquet:1: metadata.raw: has no form in JSON" in text


WORDS = """id input expected role content type text path tool_calls function answer name choice context tools strata
metadata probe category weight input_text expected.x context[1].text"""
NAMES = st.sampled_from(WORDS.split()) | st.text(max_size=3)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(NAMES, JSONS, max_size=5), min_size=1, max_size=4), st.sampled_from(["jsonl", "json"]))
def test_any_rows_become_cases_or_a_told_fault(tmp_path_factory, rows, end):
    folder = tmp_path_factory.mktemp("any")
    text = json.dumps(rows) if end == "json" else "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"a.{end}").write_text(text)
    found, error = attempt(folder, f"a.{end}")
    if error is None:
        assert len(found) == len(rows)
        assert all(case.hash and case.view_hash for case in found)
    else:
        str(error).encode("utf-8")
        assert error.problems
        assert "Input should" not in str(error)


@given(st.binary(max_size=60), st.sampled_from(["jsonl", "json", "csv", "parquet"]))
def test_any_bytes_are_read_or_told(tmp_path_factory, content, end):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / f"a.{end}").write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        list(read(DatasetSpec(path=f"a.{end}"), folder))
    str(caught.value).encode("utf-8")


class Inner(BaseModel):
    alpha: int
    either: str | list[int] = ""


class Outer(BaseModel):
    inner: Inner
    many: dict[str, Inner] = {}


def test_alternatives_of_a_union_are_one_fault():
    raw = {"inner": {"alpha": 1, "either": {"x": 1}}, "many": {"a.b": {"alpha": "x", "either": [1, "y"]}}}
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(raw)
    found = {dotted(fault.path): fault.rule for fault in translate(caught.value, Outer, raw)}
    assert found["inner.either"] == "must be text or a list"
    assert found['many["a.b"].alpha'] == "must be a whole number"
    assert found['many["a.b"].either[1]'] == "must be a whole number"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1, "1"),
        (True, "true"),
        (None, "null"),
        (0.5, "0.5"),
        ("", "empty text"),
        ([], "a list of 0"),
        ({}, "an empty object"),
    ],
)
def test_values_in_a_few_words(value, words):
    assert shown(value) == words
