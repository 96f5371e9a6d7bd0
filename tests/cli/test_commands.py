"""The command line as a user meets it: messages, exit codes, and `--json` that is one object and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.trials.project import Project, question

from seatrial.cli.main import COMMANDS
from seatrial.testing import FakeProvider


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


MODELS = """
def same(request):
    return request.text

def other(request):
    return "no idea" if request.text.endswith("4") else request.text

def bad(request):
    return "no idea"
"""


@pytest.fixture
def duel(project: Project) -> Project:
    """An incumbent, a candidate that ships and one that is blocked, all local functions."""
    (project.folder / "models.py").write_text(MODELS)
    targets = {"today": {"use": "python:models:same"}, "twin": {"use": "python:models:same", "options": {"version": 2}}}
    project.write(
        [question(i, expected=f"question {i}") for i in range(400)],
        targets=targets | {"worse": {"use": "python:models:bad"}},
        incumbent="today",
    )
    return project


def test_a_run_prints_its_verdicts_and_ends_with_zero(duel: Project):
    done = duel.process("run")
    assert done.returncode == 0, done.stderr
    assert "SHIP" in done.stdout
    assert "BLOCK" in done.stdout
    assert "1,200 of 1,200 results" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("targets", "code"),
    [
        pytest.param(["--target", "today", "--target", "twin"], 0, id="ship"),
        pytest.param([], 1, id="blocked"),
        pytest.param(["--target", "today", "--target", "twin", "--limit", "40"], 3, id="inconclusive"),
    ],
)
def test_the_exit_code_is_asked_for(duel: Project, targets: list[str], code: int):
    assert duel.call("run", "--exit-code", *targets).returncode == code
    assert duel.call("run", *targets).returncode == 0


def test_compare_draws_the_same_verdict_from_the_store(duel: Project):
    first = json.loads(duel.call("run", "--json").stdout)
    (duel.folder / "cases.jsonl").unlink()
    (duel.folder / "models.py").unlink()
    again = json.loads(duel.call("compare", "--json").stdout)
    assert again["verdicts"] == first["verdicts"]
    assert duel.call("compare", "--exit-code", first["trial_id"]).returncode == 1


def test_compare_may_take_another_incumbent(duel: Project):
    duel.call("run")
    found = json.loads(duel.call("compare", "--incumbent", "worse", "--candidate", "today", "--json").stdout)
    assert [(v["incumbent"], v["candidate"], v["overall"]) for v in found["verdicts"]] == [("worse", "today", "ship")]


@pytest.mark.parametrize("suffix", ["html", "md", "json", "txt"])
def test_reports_are_written(duel: Project, suffix: str):
    done = duel.call("run", "-o", f"out/report.{suffix}")
    assert done.returncode == 0, done.stderr
    text = (duel.folder / "out" / f"report.{suffix}").read_text()
    assert "worse" in text


def test_trials_are_listed(duel: Project):
    duel.call("run", "--note", "before the release")
    listed = duel.call("trials")
    assert "done" in listed.stdout
    assert "before the release" in listed.stdout
    assert json.loads(duel.call("trials", "--json").stdout)["trials"][0]["status"] == "done"


def test_a_second_run_reuses_everything(duel: Project):
    duel.call("run")
    assert "1,200 reused" in duel.call("run").stderr


def test_a_changed_function_is_asked_again(duel: Project):
    duel.call("run")
    (duel.folder / "models.py").write_text(MODELS.replace("no idea", "no clue"))
    assert "reused" not in duel.call("run").stderr


WRONG = [
    pytest.param(["rnu"], 2, "Did you mean 'run'?", id="misspelt-command"),
    pytest.param(["run", "nowhere.yaml"], 2, "nowhere.yaml", id="no-suite"),
    pytest.param(["run", "--limit", "0"], 2, "--limit", id="limit-zero"),
    pytest.param(["run", "--epochs", "x"], 2, "--epochs", id="epochs-no-number"),
    pytest.param(["run", "--fresh", "--series", "a"], 2, "give either", id="fresh-and-series"),
    pytest.param(["run", "--target", "tody"], 2, "no target 'tody'", id="unknown-target"),
    pytest.param(["run", "--target", "worse", "--target", "twin"], 2, "incumbent", id="candidates-alone"),
    pytest.param(["run", "--series", "nosuch"], 2, "no series 'nosuch'", id="unknown-series"),
    pytest.param(["run", "-o", "report.pdf"], 2, "pdf", id="unknown-report-format"),
    pytest.param(["compare", "2019"], 4, "no trial '2019'", id="no-such-trial"),
    pytest.param(["compare", "--incumbent", "nobody"], 2, "nobody", id="no-such-incumbent"),
    pytest.param(["compare", "--store", "none.db"], 4, "no store", id="no-store"),
    pytest.param(["scorers", "exat"], 2, "did you mean 'exact'?", id="unknown-scorer"),
    pytest.param(["run", "--frsh"], 2, "--fresh", id="misspelt-option"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_a_wrong_command_is_answered_with_a_sentence(duel: Project, arguments: list[str], code: int, words: str):
    duel.call("run", "--limit", "5")
    done = duel.call(*arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["run", "nowhere.yaml", "--json"], ["compare", "x", "--json", "--store", "n"]])
def test_json_errors_are_one_object(project: Project, arguments: list[str]):
    done = project.process(*arguments)
    error = json.loads(done.stdout)["error"]
    assert error["exit_code"] == done.returncode != 0
    assert error["message"]
    assert done.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(project: Project, command: str):
    done = project.call(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage:")


def test_an_internal_error_is_a_sentence_and_a_trace_file(project: Project):
    code = (
        "import seatrial.cli.scorers as s, sys\n"
        "from seatrial.cli import main\n"
        "s.scorers.callback = lambda **_: 1 / 0\n"
        "sys.exit(main.invoke(['scorers']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "internal error: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    trace = Path(done.stderr.split("the trace is in ")[1].split(",")[0])
    assert "ZeroDivisionError" in trace.read_text()
    trace.unlink()


def test_the_fake_provider_serves_until_it_is_ended(project: Project):
    process = subprocess.Popen(project.command("fake-provider"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    project.at(url)
    project.write([question(0)])
    assert project.call("run").returncode == 0
    process.terminate()
    assert process.wait(timeout=60) == 0
    process.stdout.close()


def test_a_key_is_asked_for_before_anything_is_spent(project: Project):
    project.write([question(0)])
    done = project.call("run", env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 2
    assert "OPENAI_API_KEY" in done.stderr


def test_no_key_reaches_store_output_or_errors(project: Project):
    key = "sk-super-secret-0123456789"
    with FakeProvider().in_thread() as fake:
        project.at(fake.base_url, api_key_env="MY_KEY")
        project.write([question(i) for i in range(5)])
        done = project.call("run", "--json", "-o", "r.html", env={"PATH": "/usr/bin:/bin", "MY_KEY": key})
        assert done.returncode == 0, done.stderr
        assert any(key in call.headers.get("authorization", "") for call in fake.log)
    assert key not in done.stdout + done.stderr
    for path in project.folder.rglob("*"):
        assert path.is_dir() or key.encode() not in path.read_bytes()


def test_what_cannot_be_built_is_told_at_its_line(project: Project):
    suite = """name: s
dataset: {path: cases.jsonl}
targets:
  a: {use: "python:nowhere:f"}
rubrics:
  - {name: one, scorer: refusl}
  - name: two
    scorer: label
    with: {lables: [a]}
prompt: "{{ nobody }}"
"""
    project.write([question(0)])
    (project.folder / "seatrial.yaml").write_text(suite)
    done = project.call("run")
    assert done.returncode == 2
    for words in (
        "seatrial.yaml has 4 faults",
        "seatrial.yaml:4: targets.a",
        "seatrial.yaml:6: rubric one: No scorer is named 'refusl'; did you mean 'refusal'?",
        "seatrial.yaml:7: rubric two: ",
        "did you mean 'labels'?",
        "seatrial.yaml:10: prompt",
    ):
        assert words in done.stderr, done.stderr


def test_schema_is_a_json_schema(project: Project):
    schema = json.loads(project.call("schema").stdout)
    assert schema["type"] == "object"


def test_init_makes_a_folder_that_runs(project: Project):
    done = project.call("init", "refund")
    assert done.returncode == 0, done.stderr
    limited = project.call("run", "refund/seatrial.yaml", "--limit", "50")
    assert limited.returncode == 0, limited.stderr
    assert "50 of" in limited.stdout
    assert project.call("init", "refund").returncode == 2


@pytest.mark.parametrize("group", [(), ("dataset",)])
def test_a_bare_group_prints_its_help_once(project: Project, group: tuple[str, ...]):
    done = project.call(*group)
    assert done.returncode == 2
    assert (done.stdout + done.stderr).count("Usage:") == 1
    assert "error:" not in done.stderr


def test_a_note_forges_no_row_in_the_list(duel: Project):
    duel.call("run", "--target", "today", "--limit", "4", "--note", "fine\n20260101-000000-abcdef  forged\u202e\x1b[2J")
    shown = duel.process("trials").stdout
    assert len(shown.splitlines()) == 1
    assert not {"\u202e", "\x1b"} & set(shown)
