from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.reports import made_reports as made

from seatrial.errors import UsageError
from seatrial.reports import html, json_text, markdown, terminal, write
from seatrial.verdicts.records import TrialReport


@pytest.mark.parametrize("name", made.NAMED)
def test_json_is_one_ascii_object_that_holds_everything(name):
    report = made.NAMED[name]()
    text = json_text(report)
    assert text.isascii()
    found = json.loads(text)
    assert next(iter(found)) == "format"
    assert found.pop("format") == "seatrial.report/1"
    if name == "hostile":
        assert found["environment"][made.HOSTILE]["deep"] == [made.HOSTILE, "nan", 2**63]
        found["environment"] = report.environment
    assert TrialReport.model_validate(found) == report
    assert list(found) == list(TrialReport.model_fields)


RENDERED = [
    pytest.param("report.html", html, id="html"),
    pytest.param("REPORT.HTML", html, id="case-does-not-matter"),
    pytest.param("report.md", markdown, id="markdown"),
    pytest.param("report.json", json_text, id="json"),
    pytest.param("report.txt", lambda r: terminal(r, width=100), id="text"),
]


@pytest.mark.parametrize(("name", "render"), RENDERED)
def test_the_ending_chooses(tmp_path, name, render):
    report = made.hostile()
    written = write(report, tmp_path / name)
    assert written.read_bytes().decode("utf-8") == render(report)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_an_older_file_is_replaced_and_keeps_its_mode(tmp_path):
    target = tmp_path / "report.md"
    target.write_text("old" * 100_000)
    target.chmod(0o640)
    write(made.report(made.ship()), str(target))
    assert target.read_text().startswith("## May corvette-4")
    assert target.stat().st_mode & 0o777 == 0o640


FAULTS = [
    pytest.param("report.pdf", "cannot be written as files that end in '.pdf'", "end the name in one of", id="pdf"),
    pytest.param("report.htm", "end in '.htm'", "did you mean .html?", id="near"),
    pytest.param("report", "without an ending", ".html, .json, .md, .png, .txt", id="no-ending"),
    pytest.param("report.\x1b[31m", "\\x1b[31m", "end the name", id="hostile-ending"),
    pytest.param("file.txt/report.html", "File exists", "a folder that you may write to", id="folder-is-a-file"),
    pytest.param("folder.html", "it is a folder", "name a file", id="a-folder"),
    pytest.param("nul\x00.html", "null", "name a file", id="null-byte"),
    pytest.param("x" * 300 + ".html", "File name too long", "name a file", id="long-name"),
]


@pytest.mark.parametrize(("name", "problem", "hint"), FAULTS)
def test_faults_name_the_path_and_what_to_do(tmp_path, name, problem, hint):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(UsageError) as caught:
        write(made.report(made.ship()), tmp_path / name)
    assert problem in caught.value.problem
    assert hint in caught.value.hint
    assert "\x1b" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.txt", "folder.html"]


def test_a_missing_folder_is_made(tmp_path):
    assert write(made.report(made.ship()), tmp_path / "new" / "deep" / "report.md").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Permission denied"):
        write(made.report(made.ship()), tmp_path / "report.html")


def test_a_failed_write_leaves_the_older_file(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    target.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write(made.report(made.ship()), target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_the_room_loads_nothing_until_it_is_used():
    program = """if True:
        import sys
        import seatrial.reports
        assert not {"rich", "jinja2", "seatrial.reports.page"} & set(sys.modules), sorted(sys.modules)
        seatrial.reports.json_text
        assert not {"rich", "jinja2"} & set(sys.modules)
        try:
            seatrial.reports.pdf
        except AttributeError as fault:
            print(fault)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "module 'seatrial.reports' has no attribute 'pdf'\n"
