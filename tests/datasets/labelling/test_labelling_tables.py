"""Tables for a spreadsheet and back; labels into pools and sets."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.labelling.made_units import unit, units

from seatrial.core.case import Case, Tool
from seatrial.core.suite import RubricSpec
from seatrial.datasets.labelling import journal, reading, tables
from seatrial.datasets.labelling.apply import apply_labels
from seatrial.datasets.labelling.journal import Journal, entry_of
from seatrial.datasets.labelling.outcome import NO_SCHEMA, schema_check
from seatrial.datasets.labelling.reading import Chosen
from seatrial.datasets.labelling.session import Mark
from seatrial.datasets.labelling.units import Section, Task
from seatrial.datasets.versions.folder import SetFolder
from seatrial.errors import LabelsError, UsageError

TOOL = Tool(
    name="refund",
    parameters={"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
)
MARKS = {
    "verdict": {"c0": Mark({"verdict": "pass"}, "=1+1"), "c1": Mark({"skip": True})},
    "curate": {
        "c0": Mark({"decision": "reject", "reason": "-out"}),
        "c1": Mark({"decision": "keep", "strata": {"intent": "x", "risk": "@high"}}, "two\nlines"),
    },
    "outcome": {
        "c0": Mark({"answers": ["=cmd|' /C calc'!A0\nand more"], "behaviour": "answer"}),
        "c1": Mark(
            {
                "answers": [{"total": 18, "é": [None]}],
                "tool_calls": [[{"name": "refund", "arguments": {"order": ["A"]}}]],
            }
        ),
    },
}


def task(mode: str, folder: Path, **fields) -> Task:
    return Task(mode, tuple(units(3, tools=(TOOL,), **fields)), folder, "t")


@pytest.mark.parametrize("mode", MARKS)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_table_is_read_back_as_it_was_written(mode: str, ending: str, tmp_path: Path):
    file, held = tmp_path / f"t.{ending}", task(mode, tmp_path)
    assert tables.write(file, held, MARKS[mode]) == 3
    rows, problems = tables.read(file, held)
    assert problems == []
    assert {row.unit.key: row.mark for row in rows} == MARKS[mode]


def test_no_cell_starts_a_formula(tmp_path: Path):
    hostile = [f"{c}1+1" for c in tables.FORMULA] + ["'=1", "''@x", '=HYPERLINK("http://x","y")']
    held = [unit(f"={i}", read=lambda text=text: [Section(text, text)], case=text) for i, text in enumerate(hostile)]
    made = Task("verdict", tuple(held), tmp_path, "t")
    tables.write(tmp_path / "t.csv", made, {u.key: Mark({"verdict": "fail"}, u.case) for u in held})
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(tables.FORMULA)]
    rows, problems = tables.read(tmp_path / "t.csv", made)
    assert ([row.mark.note for row in rows], problems) == (hostile, [])


@given(st.text())
def test_harmless_cells_are_told_apart(cell: str):
    assert tables.original(tables.harmless(cell)) == cell
    assert not tables.harmless(cell).startswith(tables.FORMULA)


FAULTS = [
    pytest.param("verdict", "item,verdict\nc0,pass\nzz,fail\n", [(3, "item", "is no item")], id="unknown-item"),
    pytest.param("verdict", "item,verdict\nc0,yes\n", [(2, "verdict", "must be pass, fail or skip")], id="no-verdict"),
    pytest.param("verdict", "item,verdict\nc0,pass\n\nc0,fail\n", [(4, "item", "line 2 already")], id="twice"),
    pytest.param("verdict", "item,case,verdict\nc0,c1,pass\n", [(2, "case", "another case")], id="another-case"),
    pytest.param("verdict", "item,verdict\nc0,pass,x\n", [(2, "", "3 cells under 2")], id="too-many-cells"),
    pytest.param(
        "verdict", 'item,note,verdict\nc0,"a\nb",pass\nc1,,nope\n', [(4, "verdict", "must be")], id="after-two-lines"
    ),
    pytest.param("verdict", "item;verdict\nc0;pass\nc1;nope\n", [(3, "verdict", "must be")], id="semicolons"),
    pytest.param("curate", "item,decision\nc0,reject\n", [(2, "reason", "is required")], id="no-reason"),
    pytest.param("curate", "item,decision,strata\nc0,keep,risk\n", [(2, "strata", "name=value")], id="strata"),
    pytest.param("outcome", "item,json\nc0,{\n", [(2, "json", "is not JSON")], id="broken-json"),
    pytest.param("outcome", 'item,json\nc0,"{""a"": 1}"\n', [(2, "json", "does not fit the schema")], id="schema"),
    pytest.param("outcome", "item,behaviour\nc0,refus\n", [(2, "behaviour", "did you mean refuse")], id="behaviour"),
    pytest.param(
        "outcome",
        'item,tool_calls\nc0,"[{""name"": ""refund"", ""arguments"": {""order"": [7]}}]"\n',
        [(2, "tool_calls", "refund.order")],
        id="wrong-argument",
    ),
    pytest.param(
        "outcome",
        'item,tool_calls\nc0,"[{""name"": ""refund""}]"\n',
        [(2, "tool_calls", "order is missing")],
        id="missing-argument",
    ),
    pytest.param("outcome", "item,note,json\nc0,only,\n", [(2, "reference", "is empty")], id="a-note-alone"),
]


@pytest.mark.parametrize(("mode", "text", "expected"), FAULTS)
def test_every_fault_stands_at_its_line(mode: str, text: str, expected: list, tmp_path: Path):
    file = tmp_path / "t.csv"
    file.write_text(text)
    check = schema_check({"type": "object", "required": ["total"]}) if mode == "outcome" else NO_SCHEMA
    _, problems = tables.read(file, task(mode, tmp_path), check)
    assert [(p.line, p.key) for p in problems] == [(line, key) for line, key, _ in expected]
    assert all(rule in p.rule for p, (*_, rule) in zip(problems, expected, strict=True))
    with pytest.raises(LabelsError):
        tables.must_be_clean(file, problems)


HEADERS = [
    pytest.param("", "is missing", id="empty"),
    pytest.param("itm,verdict\n", "did you mean", id="misspelt"),
    pytest.param("item\n", "has none of the columns verdict", id="nothing-to-fill-in"),
    pytest.param("item,verdict,verdict\n", "is there twice", id="twice"),
    pytest.param('item,verdict\nc0,"' + "x" * (17 * 2**20) + '"\n', "is not CSV", id="a-cell-too-large"),
    pytest.param(b"item,verdict\nc0,\xff\n", "is not UTF-8 text (line 2)", id="not-utf-8"),
]


@pytest.mark.parametrize(("text", "rule"), HEADERS)
def test_what_is_no_table_is_refused(text: str | bytes, rule: str, tmp_path: Path):
    file = tmp_path / "t.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LabelsError) as raised:
        tables.read(file, task("verdict", tmp_path))
    assert rule in str(raised.value)


# into pools and sets --------------------------------------------------------------------------------------------------

ROWS = [
    {"id": "a", "input": "one", "strata": {"intent": "x"}},
    {"id": "b", "input": "two", "expected": {"answers": ["old"], "state": {"paid": True}}},
    {"id": "c", "input": "three", "tools": [TOOL.plain()]},
    {"id": "d", "input": "four"},
]


def say(path: Path, mode: str, by: str, **values: dict) -> None:
    made = (reading.curate if mode == "curate" else reading.outcomes)(path, Chosen())
    known = {u.key: u for u in made.units}
    with Journal(journal.file_of(made.folder, mode, by)) as opened:
        opened.append([entry_of(known[key], mode, by, value=value) for key, value in values.items()])


def cases(path: Path) -> dict[str, Case]:
    return {case.id: case for case in reading.cases_of(path)}


def as_set(tmp_path: Path) -> Path:
    folder = SetFolder(tmp_path / "refunds")
    folder.path.mkdir()
    folder.write("build", [Case.model_validate(row) for row in ROWS[:1]])
    folder.write("test", [Case.model_validate(row) for row in ROWS[1:]])
    return folder.path


@pytest.fixture(params=["pool", "set"])
def path(request: pytest.FixtureRequest, pool, tmp_path: Path) -> Path:
    return pool(ROWS) if request.param == "pool" else as_set(tmp_path)


def test_labels_become_the_set(path: Path):
    say(
        path,
        "curate",
        "Ann",
        a={"decision": "keep", "strata": {"risk": "high"}},
        d={"decision": "reject", "reason": "unclear"},
    )
    call = {"name": "refund", "arguments": {"order": ["A-1"]}}
    say(path, "outcome", "Ann", b={"answers": ["new"], "behaviour": "answer"}, c={"tool_calls": [[call]]})
    found = apply_labels(path)
    assert (found.kept, found.rejected, found.references, found.strata, found.unlabelled) == (1, 1, 2, 1, 0)
    made = cases(path)
    assert list(made) == ["a", "b", "c"]
    assert made["a"].strata == {"intent": "x", "risk": "high"}
    assert made["b"].expected.plain() == {"answers": ("new",), "behaviour": "answer", "state": {"paid": True}}
    assert made["c"].expected.tool_calls[0][0].arguments == {"order": ("A-1",)}
    kept = [json.loads(line) for line in (reading.labels_folder(path) / "rejected.jsonl").read_text().splitlines()]
    assert [(row["case"]["id"], row["reason"], row["who"]) for row in kept] == [("d", "unclear", "Ann")]


def test_applying_twice_changes_nothing(path: Path):
    say(
        path,
        "curate",
        "Ann",
        a={"decision": "keep", "strata": {"risk": "high"}},
        d={"decision": "reject", "reason": "unclear"},
    )
    say(path, "outcome", "Ann", b={"answers": ["new"]})
    apply_labels(path)

    def content() -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in path.parent.rglob("*.jsonl")}

    before = content()
    again = apply_labels(path)
    assert content() == before
    assert (again.rejected, again.strata, again.unknown) == (0, 0, [])


def test_what_people_differ_on_and_what_changed_since_is_left_as_it_is(pool):
    path = pool(ROWS)
    say(path, "curate", "Ann", a={"decision": "reject", "reason": "x"}, b={"decision": "reject", "reason": "x"})
    say(path, "curate", "Ben", a={"decision": "keep"}, c={"decision": "keep"})
    pool([{**row, "input": "changed"} if row["id"] == "b" else row for row in ROWS if row["id"] != "c"])
    found = apply_labels(path)
    assert (found.disputed, found.stale, found.unknown, found.rejected) == (["a"], ["b"], ["c"], 0)
    assert list(cases(path)) == ["a", "b", "d"]


def test_a_reference_that_does_not_fit_writes_nothing(path: Path):
    say(path, "curate", "Ann", a={"decision": "reject", "reason": "x"})
    say(path, "outcome", "Ann", c={"tool_calls": [[{"name": "refnd"}]]})
    before = cases(path)
    with pytest.raises(LabelsError, match="nothing was written") as raised:
        apply_labels(path)
    assert raised.value.problems[0].key == "c"
    assert cases(path) == before
    assert not (reading.labels_folder(path) / "rejected.jsonl").exists()


KEPT = [
    pytest.param("said", {"answers": ["said"]}, "said", id="text"),
    pytest.param(
        {"model": "gpt-x", "messages": [{"role": "assistant", "content": "said"}]},
        {"answers": ["said"]},
        "said",
        id="messages",
    ),
    pytest.param(
        {
            "model": "gpt-x",
            "messages": [{"role": "assistant", "tool_calls": [{"name": "refund", "arguments": {"order": "A"}}]}],
        },
        {"tool_calls": [[{"name": "refund", "arguments": {"order": ["A"]}}]]},
        '→ refund(order="A")',
        id="tool-calls",
    ),
    pytest.param({"model": "gpt-x", "messages": ["odd"]}, {"answers": ['["odd"]']}, '["odd"]', id="odd-messages"),
    pytest.param(None, None, None, id="none"),
]


@pytest.mark.parametrize(("answer", "start", "text"), KEPT)
def test_an_imported_answer_is_what_a_reference_starts_from(answer: object, start: dict | None, text: str | None, pool):
    path = pool([{"id": "a", "input": "one", "metadata": {"answer": answer}}])
    for made in (reading.outcomes(path, Chosen()), reading.curate(path, Chosen())):
        (asked,) = made.units
        assert asked.start == (start if made.mode == "outcome" else None)
        seen = [section.text for section in asked.read()]
        assert seen[1:] == ([] if text is None else [text])
        assert "gpt-x" not in str(seen)


def test_a_sealed_case_has_nothing_that_people_could_judge():
    from seatrial.core.output import Output
    from seatrial.store.sealed import case_of

    hashes = {"hash": "case:st1:00", "view": "view:st1:00", "input": "input:st1:00"}
    stand_in = case_of({"$sealed": hashes, "id": "hidden", "input": [{"role": "user", "content": "[sealed]"}]})
    specs = [RubricSpec(name="right", scorer="exact")]
    answers = [reading.Answer(0, 1, frozenset({"right"}))]
    found = [
        list(reading.units_of(case, answers, {1: Output.of("x")}, specs, {}))
        for case in (Case(id="a", input="b"), stand_in)
    ]
    assert [len(units) for units in found] == [1, 0]


def test_a_sealed_split_is_shown_to_nobody(tmp_path: Path):
    path = as_set(tmp_path)
    (path / "sealed.bin").write_bytes(b"encrypted")
    assert {unit.key for unit in reading.curate(path, Chosen()).units} == {"a", "b", "c", "d"}
    with pytest.raises(UsageError, match="not shown to people"):
        reading.curate(path, Chosen(("sealed",)))
    say(path, "outcome", "Ann", a={"answers": ["x"]})
    apply_labels(path)
    assert (path / "sealed.bin").read_bytes() == b"encrypted"


def test_a_split_that_is_not_sealed_yet_is_labelled_with_the_others(tmp_path: Path):
    path = as_set(tmp_path)
    SetFolder(path).write("sealed", [Case(id="s", input="later")])
    say(path, "outcome", "Ann", s={"answers": ["x"]})
    assert apply_labels(path).references == 1
    assert next(SetFolder(path).cases("sealed")).expected.answers == ("x",)
