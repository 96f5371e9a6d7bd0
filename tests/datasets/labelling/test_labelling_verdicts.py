"""A trial's answers judged by people through the command line, up to the verdict that their word enters."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.cli import main
from seatrial.datasets.labelling import journal
from seatrial.trials.suite import labels as suite_labels
from seatrial.trials.suite.suitefile import load

COUNT = 40
SUITE = """
name: refunds
dataset: {path: cases.jsonl}
incumbent: incumbent-model
targets:
  incumbent-model: {use: "replay:old.jsonl"}
  candidate-model: {use: "replay:new.jsonl"}
rubrics:
  - {name: right, scorer: contains, with: {values: [refund]}}
  - {name: safe, scorer: contains, kind: gate, limit_points: 10, with: {values: [refund]}}
  - {name: quick, scorer: length, kind: limit, at_most: 500}
policy: {min_cases: 5}
labels: labels.jsonl
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path) -> Callable[..., tuple]:
    """A command in this process: its exit code, and what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, lines: str = "") -> tuple[int, str, str]:
        stdin = io.TextIOWrapper(io.BytesIO(lines.encode()))
        monkeypatch.setattr("sys.stdin", stdin)
        code = main.invoke([*arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def suite(run: Callable[..., tuple], tmp_path: Path) -> Path:
    """A suite that was run; on every fourth case both models say the very same."""
    rows = [{"id": f"c{i}", "input": f"question {i}"} for i in range(COUNT)]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("old", "new"):
        said = [
            {**r, "output": f"a refund {r['id'] if i % 4 else ''} {name if i % 4 else ''}"} for i, r in enumerate(rows)
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    path = tmp_path / "seatrial.yaml"
    path.write_text(SUITE)
    (tmp_path / "labels.jsonl").write_text("")
    code, _, err = run("run", str(path))
    assert code == 0, err
    return path


def test_labels_of_people_enter_the_verdict(suite: Path, run: Callable[..., tuple], tmp_path: Path):
    units = 2 * (COUNT * 2 - COUNT // 4)  # two rubrics; the limit is not judged; equal answers are one
    lines = "fail\nskip\nnote rude\n" + "pass\n" * units
    code, out, err = run("label", "verdict", str(suite), "--by", "Ann", "--json", lines=lines)
    told = json.loads(out)
    assert (code, told["units"], told["done"], told["skipped"]) == (0, units, units - 1, 1)
    assert not re.search(r"(incumbent|candidate)-model|quick|old\.jsonl", err)
    read = suite_labels.of_suite(load(suite).suite, tmp_path)
    assert {label.rubric for label in read} == {"right", "safe"}
    assert all(label.target == "" and label.who == "Ann" for label in read)
    assert sum(label.verdict == "fail" for label in read) in (1, 2)
    assert len(read) == units - 1
    code, out, _ = run("compare", "--suite", str(suite), "--json")
    assert code == 0
    notes = json.dumps(json.loads(out))
    replaced = re.search(r"People's labels stand in place of (\d+) scores", notes)
    assert replaced is not None
    assert int(replaced[1]) in (COUNT * 4 - 1, COUNT * 4 - 2)  # the skipped one may stand for two equal answers
    assert "not applied" not in notes


def test_a_failure_that_a_person_confirmed_on_a_gate_blocks(suite: Path, run: Callable[..., tuple]):
    assert '"block"' not in run("compare", "--suite", str(suite), "--json")[1]
    code, _, err = run("label", "verdict", str(suite), "--by", "Ann", "--rubric", "safe", lines="fail\n" * 70)
    assert code == 0, err
    assert '"block"' in run("compare", "--suite", str(suite), "--json")[1]


def test_no_file_that_a_labeller_sees_names_a_model(suite: Path, run: Callable[..., tuple], tmp_path: Path):
    run("label", "verdict", str(suite), "--by", "Ann", lines="pass\nfail\n")
    run("label", "export", str(suite), "-o", str(tmp_path / "t.csv"), "--by", "Ann")
    seen = [*(tmp_path / "labels").iterdir(), tmp_path / "labels.jsonl", tmp_path / "t.csv"]
    assert len(seen) == 3
    for file in seen:
        assert not re.search(r"(incumbent|candidate)-model", file.name + file.read_text(encoding="utf-8-sig"))


def test_two_people_agree_or_not_and_a_third_has_the_last_word(suite: Path, run: Callable[..., tuple], tmp_path: Path):
    shared = ("label", "verdict", str(suite), "--rubric", "right", "--sample", "10", "--double", "1")
    assert run(*shared, "--by", "Ann", lines="pass\n" * 99)[0] == 0
    assert run(*shared, "--by", "Ben", lines="fail\nfail\n" + "pass\n" * 99)[0] == 0
    code, out, _ = run("label", "agreement", str(suite), "--json")
    (told,) = json.loads(out)["agreement"]
    assert (code, told["rubric"], told["disputed"], told["units"] - told["same"]) == (0, "right", 2, 2)
    assert run("label", "agreement", str(suite))[1].startswith(f"right: {told['units']} seen by two or more (Ann, Ben)")
    before = len((tmp_path / "labels.jsonl").read_bytes().splitlines())
    code, out, err = run(*shared, "--by", "Eve", "--adjudicate", "--json", lines="fail\nfail\n")
    assert (code, json.loads(out)["units"], json.loads(out)["labels"]["disputed"]) == (0, 2, 0)
    assert "One person, 1 of 2" in err
    assert not re.search("Ann|Ben", err)
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_bytes().splitlines()]
    assert len(rows) > before
    assert {row["who"] for row in rows} == {"Ann, Ben", "Eve"}
    suite_labels.of_suite(load(suite).suite, tmp_path)


def test_a_spreadsheet_goes_out_and_comes_back(suite: Path, run: Callable[..., tuple], tmp_path: Path):
    table = tmp_path / "t.csv"
    code, out, _ = run("label", "export", str(suite), "-o", str(table), "--rubric", "right", "--by", "Ann", "--json")
    assert (code, json.loads(out)["rows"]) == (0, COUNT * 2 - COUNT // 4)
    text = table.read_text(encoding="utf-8-sig")
    head, _, body = text.partition("\n")
    at = head.split(",").index("verdict")
    items = re.findall(r"^[0-9a-f]{16}(?=,)", body, re.MULTILINE)
    table.write_text("item,verdict,note\n" + "".join(f"{item},pass,\n" for item in items[:3]) + "zz,pass,\n")
    assert at > 0
    code, _, err = run("label", "import", str(suite), str(table), "--by", "Ann")
    assert code == 2
    assert "t.csv:5: item: is no item of what is labelled here (got zz)" in err
    assert not (tmp_path / "labels").exists()
    code, out, _ = run("label", "import", str(suite), str(table), "--by", "Ann", "--skip-bad", "--json")
    assert (code, json.loads(out)["new"], len(json.loads(out)["left_out"])) == (0, 3, 1)
    assert (
        json.loads(run("label", "import", str(suite), str(table), "--by", "Ann", "--skip-bad", "--json")[1])["new"] == 0
    )
    assert (tmp_path / "labels.jsonl").read_bytes().count(b'"pass"') >= 3


REFUSED = [
    pytest.param(["--rubric", "rigt"], "", 2, "did you mean 'right'?", id="misspelt-rubric"),
    pytest.param(["--rubric", "quick"], "", 2, "is a limit, which measures", id="a-limit"),
    pytest.param(["--split", "test"], "", 2, "no splits", id="splits"),
    pytest.param(["--team", "Ben,Eve"], "", 2, "is not in the team", id="not-in-the-team"),
    pytest.param([], "pass\npas x\nfry\n", 2, "input:3: is no command (got fry)", id="no-command"),
]


@pytest.mark.parametrize(("options", "lines", "code", "told"), REFUSED)
def test_what_is_refused(options: list, lines: str, code: int, told: str, suite: Path, run: Callable[..., tuple]):
    found = run("label", "verdict", str(suite), "--by", "Ann", *options, lines=lines.replace("pas x", "skip"))
    assert found[0] == code
    assert told in found[2]


def test_a_trial_that_is_not_there(suite: Path, run: Callable[..., tuple]):
    assert run("label", "verdict", "2019", "--by", "Ann")[0] == 4


def test_references_start_from_a_trial_s_answers(suite: Path, run: Callable[..., tuple], tmp_path: Path):
    trial = json.loads(run("trials", "--json")[1])["trials"][0]["id"]
    pool = tmp_path / "cases.jsonl"
    code, out, _ = run("label", "outcome", str(pool), "--from", trial, "--by", "Ann", "--json", lines="accept\n" * 3)
    assert (code, json.loads(out)["done"]) == (0, 3)
    assert run("label", "apply", str(pool))[0] == 0
    made = [json.loads(line) for line in pool.read_text().splitlines()]
    written = [row["expected"]["answers"][0] for row in made if "expected" in row]
    assert len(written) == 3
    assert all(text.startswith("a refund") for text in written)


def test_what_is_skipped_is_told_apart(run: Callable[..., tuple], tmp_path: Path):
    rows = [{"id": f"c{i}", "input": f"question {i}"} for i in range(5)]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, _ = run("label", "outcome", "pool.jsonl", "--by", "Kim", "--sample", "4", lines="skip\nskip\nq\n")
    assert code == 0
    assert "[0 of 4 done, 2 skipped]" in out
    assert "0 of 4 labelled, 2 skipped, kept in" in out


def test_answers_to_a_rejected_case_are_not_judged(suite: Path, run: Callable[..., tuple], tmp_path: Path):
    everything = 2 * (COUNT * 2 - COUNT // 4)
    code, _, err = run(
        "label", "curate", "cases.jsonl", "--by", "Ann", lines="reject unclear\n" + "keep\n" * (COUNT - 1)
    )
    assert code == 0, err
    (gone,) = (e.case for e in journal.read(tmp_path / "cases.labels", "curate") if e.value["decision"] == "reject")
    answers = 2 if int(gone[1:]) % 4 else 1
    for by, options, units in (
        ("Ann", [], everything - 2 * answers),
        ("Ben", [], everything - 2 * answers),
        ("Ben", ["--rejected"], everything),
    ):
        code, out, err = run("label", "verdict", str(suite), "--by", by, *options, "--json")
        assert (code, json.loads(out)["units"]) == (0, units), err
    assert json.loads(run("label", "export", str(suite), "-o", "t.csv", "--json")[1])["rows"] == everything
    shared = json.loads(run("label", "export", str(suite), "-o", "t.csv", "--by", "Ben", "--json")[1])
    assert shared["rows"] == everything - 2 * answers
