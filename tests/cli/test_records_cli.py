"""Records, bundles and watching through the command line: output, exit codes, and what is refused in a sentence."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.trials.project import Project, question

from seatrial.cli.gate import Age
from seatrial.cli.recording import Period
from seatrial.core import files
from seatrial.testing import FakeProvider, Reply, Rule, Script, When

MODELS = ("old", "new")
SCRIPT = Script(
    models=MODELS,
    answers=tuple(Rule(when=When.model_validate({"input": f"question {i}"}), text="no") for i in (0, 2)),
)
CASES = [question(2 * i) for i in range(40)]
TARGETS = {"old": {"use": "openai:old"}, "new": {"use": "openai:new"}}


@pytest.fixture
def fake():
    with FakeProvider(SCRIPT).in_thread() as provider:
        yield provider


@pytest.fixture
def project(tmp_path: Path, fake: FakeProvider) -> Project:
    made = Project(tmp_path)
    made.suite |= {"targets": json.loads(json.dumps(TARGETS)), "incumbent": "old"}
    made.at(fake.base_url)
    made.write(CASES)
    return made


def test_from_a_run_to_a_report_on_another_machine(call: Call, project: Project, tmp_path: Path):
    ran = call("run", "--record", "kept/r.json", "--expires", "30d")
    assert (ran.returncode, "wrote kept/r.json: record:st1:" in ran.stdout) == (0, True), ran.stderr
    assert call("compare", "--record", "again.json", "--expires", "30d").returncode == 0
    assert Path("again.json").read_bytes() == Path("kept/r.json").read_bytes()
    packed = call("export", "-o", "b.seatrial", "--json")
    assert json.loads(packed.stdout)["rows"]["lines.jsonl"] == 80
    (tmp_path / ".seatrial").rename(tmp_path / "gone")
    done = call("verify", "kept/r.json", "--bundle", "b.seatrial")
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "equal")
    shown = call("report", "kept/r.json", "-o", "r.html", "-o", "r.md")
    assert (shown.returncode, "Rendered from the decision" in shown.stdout) == (0, True)
    assert "not kept in the record" in Path("r.html").read_text()


def test_a_bundle_names_endpoints_and_a_record_does_not_and_neither_the_machine(call: Call, project: Project):
    assert call("run", "--record", "r.json").returncode == 0
    assert call("export", "-o", "b.seatrial").returncode == 0
    with zipfile.ZipFile("b.seatrial") as packed:
        texts = {name: packed.read(name).decode() for name in packed.namelist()}
    texts["r.json"] = Path("r.json").read_text()
    assert [name for name, text in texts.items() if "127.0.0.1" in text] == ["bundle.json"]
    assert not [name for name, text in texts.items() if f'"{platform.node()}"' in text]


def test_an_altered_record_exits_with_4_and_names_the_field(call: Call, project: Project):
    call("run", "--record", "r.json")
    text = Path("r.json").read_text()
    Path("r.json").write_text(text.replace('"cases":40', '"cases":41'))
    done = call("verify", "r.json")
    assert (done.returncode, "report.cases: recorded 41, now 40" in done.stdout) == (4, True), done.stdout
    told = json.loads(call("verify", "r.json", "--json").stdout)
    assert (told["result"], {"path": "report.cases", "recorded": "41", "recomputed": "40"} in told["differences"]) == (
        "altered",
        True,
    )
    assert "THIS RECORD WAS ALTERED" in call("report", "r.json").stdout.replace("\n   ", " ")


def test_a_trial_is_reported_too(call: Call, project: Project):
    call("run", "--json")
    assert "may" in call("report").stdout


WRONG = [
    pytest.param(["verify", "none.json"], 4, "E410", id="no-file"),
    pytest.param(["verify", "cases.jsonl"], 4, "E410", id="no-record"),
    pytest.param(["verify", "r.json", "--bundle", "b", "--store", "s"], 2, "not both", id="both"),
    pytest.param(["verify", "r.json", "--bundle", "cases.jsonl"], 4, "E411", id="no-bundle"),
    pytest.param(["report", "none.json"], 4, "E410", id="report-of-no-file"),
    pytest.param(["report", "2020"], 4, "E403", id="report-of-no-trial"),
    pytest.param(["report", "r.json", "-o", "x.exe"], 2, "cannot be written as", id="ending"),
    pytest.param(["compare", "--expires", "9d"], 2, "belong to --record", id="expires-alone"),
    pytest.param(["compare", "--record", "x.json", "--expires", "9"], 2, "is no period", id="no-period"),
    pytest.param(["compare", "--record", "x.json", "--expires", "2h"], 2, "whole days", id="hours"),
    pytest.param(["compare", "--record", "/dev/null/x.json"], 2, "cannot be written to", id="nowhere-to-write"),
    pytest.param(["export", "nothing"], 4, "E403", id="no-trial"),
    pytest.param(["watch", "--accept"], 4, "no whole run", id="nothing-to-accept"),
    pytest.param(["watch", "--accept", "--trend"], 2, "give --accept or --trend", id="accept-and-trend"),
    pytest.param(["watch", "--webhook-env", "NO_SUCH_HOOK"], 2, "E310", id="no-webhook"),
    pytest.param(["watch", "--target", "nope"], 2, "no target", id="no-target"),
    pytest.param(["watch", "none.yaml"], 2, "E110", id="no-suite"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_what_cannot_be_done_is_said(call: Call, project: Project, arguments: list[str], code: int, words: str):
    call("run", "--record", "r.json", "--json")
    done = call(*arguments)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_watching_by_the_command(call: Call, project: Project, fake: FakeProvider):
    first = call("watch", "--canary", "20")
    assert (first.returncode, "it was never run whole" in first.stdout) == (0, True), first.stderr
    again = json.loads(call("watch", "--json").stdout)
    assert (again["state"], again["ran"]) == ("nothing due", {})
    fake.load(Script(models=MODELS, default=Reply(text="no")))
    project.write([*CASES, question(900)])
    worse = call("watch", "--canary", "20")
    assert (worse.returncode, "REGRESSED" in worse.stdout) == (1, True), worse.stdout
    assert call("watch", "--accept").returncode == 0
    assert call("watch").returncode == 0
    shown = call("watch", "--trend").stdout
    assert ("old · right (quality)" in shown, "whole" in shown) == (True, True)
    assert len(json.loads(call("watch", "--trend", "--json").stdout)["lines"]) == 2


# files that cannot be written -----------------------------------------------------------------------------------------

UNWRITABLE = [
    pytest.param(("-o", "file/r.html"), "The report cannot be written to file/r.html", id="report-below-a-file"),
    pytest.param(("-o", "folder.md"), "is a directory", id="report-is-a-folder"),
    pytest.param(("--record", "file/r.json"), "The decision record cannot be written", id="record-below-a-file"),
    pytest.param(("--record", "/proc/r.json"), "The decision record cannot be written", id="record-where-none-may"),
]


@pytest.mark.parametrize(("arguments", "said"), UNWRITABLE)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(
    call: Call, project: Project, fake: FakeProvider, arguments: tuple[str, str], said: str
):
    Path("file").write_text("")
    Path("folder.md").mkdir()
    done = call("run", *arguments)
    assert (done.returncode, said in done.stderr, fake.stats.served) == (2, True, 0), done.stderr
    assert not list(Path().glob(".*.part"))


@pytest.mark.parametrize(("option", "name"), [("-o", "late/r.html"), ("--record", "late/r.json")])
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_a_report_is_printed_also_where_its_file_fails_at_the_end(
    call: Call, project: Project, monkeypatch: pytest.MonkeyPatch, option: str, name: str, as_json: tuple[str, ...]
):
    def full(_target: Path, _fill: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_replace", full)
    done = call("run", option, name, *as_json)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert re.search(r"`seatrial (report \S+ -o|compare \S+ --record) FILE`", done.stderr), done.stderr
    if as_json:
        assert json.loads(done.stdout)["verdicts"]
    else:
        assert "May new replace old?" in done.stdout


@pytest.mark.parametrize("arguments", [("trials",), ("trials", "--json"), ("compare",)], ids=" ".join)
def test_a_full_output_is_one_sentence(project: Project, call: Call, arguments: tuple[str, ...]):
    assert call("run").returncode == 0
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            project.command(*arguments), cwd=project.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("error: The output cannot be written: No space left on device.")
    assert "defect" not in done.stderr


# what verify and watch take -------------------------------------------------------------------------------------------


def test_verify_says_what_else_it_was_given_and_where_rows_may_come_from(call: Call, project: Project, tmp_path: Path):
    assert call("run", "--record", "r.json").returncode == 0
    assert call("export", "-o", "b.seatrial").returncode == 0
    done = call("verify", "b.seatrial")
    assert (done.returncode, "is a bundle of rows" in done.stderr) == (4, True), done.stderr
    assert "seatrial verify RECORD --bundle b.seatrial" in done.stderr
    (tmp_path / ".seatrial").rename(tmp_path / "gone")
    done = call("verify", "r.json")
    assert (done.returncode, "with --bundle" in done.stderr) == (4, True), done.stderr


SPANS = [("90m", 90 * 60), ("36h", 36 * 3600), ("7d", 7 * 86400), ("1.5w", 10.5 * 86400)]


@pytest.mark.parametrize(("said", "seconds"), SPANS)
def test_every_span_of_time_is_written_alike(said: str, seconds: float):
    assert Age().convert(said, None, None).total_seconds() == pytest.approx(seconds)
    assert Period().convert(said, None, None) * 86400 == pytest.approx(seconds)
