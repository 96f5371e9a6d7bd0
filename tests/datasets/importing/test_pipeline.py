"""Turns, time, scrubbing, resuming after a kill, real data, and the command."""

import contextlib
import gzip
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.datasets.importing.golden import COMPLETION, REQUEST, run, written

from seatrial.core.case import Case
from seatrial.datasets.importing import pipeline
from seatrial.datasets.importing.pipeline import import_logs
from seatrial.datasets.importing.settings import Settings
from seatrial.errors import DatasetError, SeatrialError, UsageError

USER, SAY = {"role": "user"}, {"role": "assistant"}


def turn(session, number, text="hi"):
    asked = [USER | {"content": f"{text} {session} {at}"} for at in range(number + 1)]
    at = f"2026-03-01T12:{number:02d}:00Z"
    request = {"model": "m", "messages": asked}
    return {
        "session_id": session,
        "id": f"{session}-{number}",
        "created_at": at,
        "request": request,
        "response": COMPLETION,
    }


@pytest.mark.parametrize(
    ("turns", "kept"),
    [("last", [6]), ("all", [0, 1, 2, 3, 4, 5, 6]), ("every:3", [2, 5]), ("every:7", [6]), ("every:8", [])],
)
def test_the_chosen_turns_of_a_session(turns, kept, tmp_path):
    records = [turn("a", number) for number in range(7)]
    random.Random(1).shuffle(records)  # a log is not in order
    if not kept:
        with pytest.raises(DatasetError):
            run(tmp_path, records, turns=turns)
        return
    found, _ = run(tmp_path, records, turns=turns)
    assert [case["span_id"] for case in found] == [f"a-{number}" for number in kept]
    assert [len(case["input"]) for case in found] == [number + 1 for number in kept]


def test_a_recorded_conversation_is_cut_before_each_answer(tmp_path):
    chat = [
        SAY | {"content": "Hello."},
        USER | {"content": "a"},
        SAY | {"content": "b"},
        USER | {"content": "c"},
        SAY | {"content": "d"},
    ]
    found, _ = run(tmp_path, [{"chat": chat}], fields={"conversation": "chat"}, turns="all")
    assert [len(case["input"]) for case in found] == [2, 4]
    assert [case["metadata"]["answer"]["messages"][0]["content"] for case in found] == ["b", "d"]
    assert len({case["id"] for case in found}) == 2


def test_only_requests_of_the_time_asked_for(tmp_path):
    records = [turn("a", number) for number in range(5)]
    bounds = {"since": "2026-03-01T12:01:00Z", "until": "2026-03-01T12:04:00Z"}
    found, report = run(tmp_path, records, turns="all", **bounds)
    assert [case["span_id"] for case in found] == ["a-1", "a-2", "a-3"]
    assert report.outside == 2


def test_system_prompts_can_be_left_to_the_suite(tmp_path):
    (kept,), _ = run(tmp_path, [{"request": REQUEST, "response": COMPLETION}])
    (bare,), _ = run(tmp_path, [{"request": REQUEST, "response": COMPLETION}], system="strip")
    assert [m["role"] for m in kept["input"]] == ["system", "user"]
    assert [m["role"] for m in bare["input"]] == ["user"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"format": "langfus"}, "langfuse", id="format"),
        pytest.param({"turns": "every:0"}, "every:N", id="turns"),
        pytest.param({"turns": "first"}, "every:N", id="turns word"),
        pytest.param({"fields": {"inptu": "a"}}, "input", id="field"),
        pytest.param({"fields": {"input": "..."}}, "dotted path", id="path"),
        pytest.param({"fields": {"input": "a", "conversation": "b"}}, "keep one", id="both"),
        pytest.param({"format": "rows"}, "--field input", id="rows without a mapping"),
        pytest.param({"since": "soon"}, "2026", id="since"),
        pytest.param({"since": "2026-01-02", "until": "2026-01-01"}, "not before", id="bounds"),
        pytest.param({"scrub": "basik"}, "basic", id="policy"),
    ],
)
def test_settings_that_cannot_be_used(settings, said, tmp_path):
    with pytest.raises(SeatrialError) as caught:
        run(tmp_path, [turn("a", 0)], **settings)
    assert said in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".seatrial") == ["log.jsonl"]


def test_the_pool_may_not_replace_its_log(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_bytes(written([turn("a", 0)]))
    with pytest.raises(UsageError, match="replace the log"):
        import_logs([log], log)


SECRET = "ada.lovelace@real-company.org"


def test_personal_data_never_reaches_the_disk(tmp_path, monkeypatch):
    """Neither in the pool, nor in the report, nor in what is kept while the import runs."""
    kept = []

    def spy(stage, count):
        kept.extend(path.read_bytes() for path in tmp_path.iterdir() if path.is_file() and path.name != "log.jsonl")

    log = tmp_path / "log.jsonl"
    log.write_bytes(written([turn("a", at, f"I am {SECRET}, ") | {"user": SECRET} for at in range(5)]))
    import_logs([log], tmp_path / "pool.jsonl", Settings(scrub="basic", turns="all"), tell=spy)
    pool = (tmp_path / "pool.jsonl").read_bytes()
    kept += [pool, (tmp_path / "pool.jsonl.report.json").read_bytes()]
    assert len(kept) > 3
    assert not any(word in data for data in kept for word in (SECRET.encode(), b"lovelace", b"I am ada"))
    assert json.loads((tmp_path / "pool.jsonl.report.json").read_text())["scrubbed"]["email"] >= 5
    texts = [json.loads(line)["input"][0]["content"] for line in pool.splitlines()]
    assert len({text.split(",")[0] for text in texts}) == 1  # one person, one invented address


def test_a_case_that_scrubbing_refuses_is_bad(tmp_path):
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    records = [turn("a", 0), {"messages": [USER | {"content": [part]}]}]
    with pytest.raises(DatasetError, match="is bad") as caught:
        run(tmp_path, records, scrub="basic")
    assert caught.value.problems[0].line == 2
    assert "refused by scrubbing" in str(caught.value)
    assert not (tmp_path / "pool.jsonl").exists()
    found, report = run(tmp_path, records, scrub="basic", skip_bad=1)
    assert (len(found), report.bad) == (1, 1)


class KilledError(BaseException):
    pass


@pytest.mark.parametrize("scrub", ["none", "basic"])
@pytest.mark.parametrize("at", range(1, 12, 2))
def test_killed_anywhere_and_run_again_gives_the_same_bytes(at, scrub, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 10)
    monkeypatch.setenv("SEATRIAL_SCRUB_KEY", "0123456789abcdef")
    log = tmp_path / "log.jsonl"
    log.write_bytes(written([turn(f"s{number % 7}", number % 50) for number in range(100)] + [turn("s0", 0)]))
    whole, again = tmp_path / "whole.jsonl", tmp_path / "again.jsonl"
    settings = Settings(scrub=scrub, turns="all")
    import_logs([log], whole, settings)
    seen = []

    def kill(stage, count):
        seen.append(stage)
        if len(seen) == at:
            raise KilledError

    with pytest.raises(KilledError):
        import_logs([log], again, settings, tell=kill)
    assert not again.exists()
    report = import_logs([log], again, settings)
    assert again.read_bytes() == whole.read_bytes()
    assert (report.records, report.duplicates) == (101, 1)
    assert not list(tmp_path.glob(".again*"))


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
@pytest.mark.parametrize("at", range(1, 9))
def test_bad_records_before_a_kill_are_counted_once(at, name, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 4)
    lines = [json.dumps(turn(f"s{number}", number)).encode() if number % 5 > 1 else b"{" for number in range(20)]
    pack = gzip.compress if name.endswith(".gz") else bytes
    log, settings = tmp_path / name, Settings(scrub="none", skip_bad=8)
    log.write_bytes(pack(b"\n".join(lines)))
    seen = []

    def kill(stage, count):
        seen.append(stage)
        if len(seen) == at:
            raise KilledError

    whole = import_logs([log], tmp_path / "whole.jsonl", settings).plain()
    with contextlib.suppress(KilledError):
        import_logs([log], tmp_path / "again.jsonl", settings, tell=kill)
    again = import_logs([log], tmp_path / "again.jsonl", settings).plain()
    assert whole["bad"] == 8
    assert again == {**whole, "pool": "again.jsonl"}
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize(
    "seconds", [4_200_000_000, 9_300_000_000, 12_345_678_901, 9_300_000_000.5, "9300000000", 2**63]
)
def test_a_moment_beyond_all_calendars_is_a_bad_record(seconds, tmp_path):
    log = tmp_path / "log.jsonl"
    late = {**turn("b", 1), "created_at": seconds}
    late.pop("timestamp", None)
    log.write_bytes(written([turn("a", 0), late]))
    with pytest.raises(DatasetError, match="must be a time before the year 2100"):
        import_logs([log], tmp_path / "pool.jsonl", Settings(scrub="none"))
    assert import_logs([log], tmp_path / "pool.jsonl", Settings(scrub="none", skip_bad=1)).cases == 1


def test_what_was_read_before_a_kill_is_not_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 10)
    log = tmp_path / "log.jsonl"
    log.write_bytes(written([turn("s", number) for number in range(50)]))

    def kill(stage, count):
        if count >= 30:
            raise KilledError

    with pytest.raises(KilledError):
        import_logs([log], tmp_path / "pool.jsonl", Settings(scrub="none"), tell=kill)
    read = []
    real = pipeline.files.records
    monkeypatch.setattr(pipeline.files, "records", lambda *a: (read.append(r) or r for r in real(*a)))
    import_logs([log], tmp_path / "pool.jsonl", Settings(scrub="none"))
    assert [record.number for record in read] == list(range(31, 51))


def test_another_log_or_another_setting_does_not_go_on_from_a_checkpoint(tmp_path):
    log, pool = tmp_path / "log.jsonl", tmp_path / "pool.jsonl"
    log.write_bytes(written([turn("a", 0)]))

    def kill(stage, count):
        raise KilledError

    with pytest.raises(KilledError):
        import_logs([log], pool, Settings(scrub="none"), tell=kill)
    log.write_bytes(written([turn("b", 0)]))
    import_logs([log], pool, Settings(scrub="none"))
    assert [json.loads(line)["session_id"] for line in pool.read_text().splitlines()] == ["b"]


def test_a_damaged_checkpoint_is_made_anew(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_bytes(written([turn("a", 0)]))
    (tmp_path / ".pool.jsonl.import").write_bytes(b"this is no database" * 500)
    assert import_logs([log], tmp_path / "pool.jsonl", Settings(scrub="none")).cases == 1


def test_a_process_killed_by_force_goes_on(tmp_path):
    log, pool, whole = tmp_path / "log.jsonl", tmp_path / "pool.jsonl", tmp_path / "whole.jsonl"
    log.write_bytes(written([turn(f"s{number}", number % 60) for number in range(9000)]))
    code = (
        "import os, signal, sys\nfrom seatrial.datasets.importing import pipeline as p\n"
        "tell = lambda stage, count: os.kill(os.getpid(), signal.SIGKILL) if count >= 4000 else None\n"
        "p.import_logs([sys.argv[1]], sys.argv[2], p.Settings(scrub='none'), tell=tell)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, log, pool])
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / ".pool.jsonl.import").exists()
    import_logs([log], pool, Settings(scrub="none"))
    import_logs([log], whole, Settings(scrub="none"))
    assert pool.read_bytes() == whole.read_bytes()


def test_gsm8k_questions(shared_data, tmp_path):
    log, pool = shared_data("gsm8k_model_solutions.jsonl"), tmp_path / "pool.jsonl"
    fields = {"input": "question", "expected": "ground_truth"}
    report = import_logs([log], pool, Settings(scrub="none", fields=fields))
    assert (report.cases, report.bad) == (1319, 0)
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    cases = [Case.model_validate_json(line) for line in pool.read_text().splitlines()]
    assert [case.text for case in cases] == [row["question"] for row in rows]
    assert cases[5].expected.answers == (rows[5]["ground_truth"],)
    assert len({case.id for case in cases}) == 1319


def test_tau_trajectories_keep_their_tool_calls(shared_data, tmp_path):
    log, pool = shared_data("tau_airline_gpt-4o.json"), tmp_path / "pool.jsonl"
    settings = Settings(scrub="none", fields={"conversation": "traj", "strata.trial": "trial"}, turns="all")
    import_logs([log], pool, settings)
    trajectories = [row["traj"] for row in json.loads(log.read_text())]
    answers = sum(m["role"] == "assistant" for traj in trajectories for m in traj)
    cases = [json.loads(line) for line in pool.read_text().splitlines()]
    assert len(cases) == answers
    made = [call for case in cases for m in case["metadata"]["answer"]["messages"] for call in m.get("tool_calls", [])]
    given = [call["function"] for traj in trajectories for m in traj for call in m.get("tool_calls") or []]
    assert len(made) == len(given)
    assert [(c["name"], c["arguments"]) for c in made] == [(g["name"], json.loads(g["arguments"])) for g in given]
    results = [m for m in cases[-1]["input"] if m["role"] == "tool"]
    assert all(m["tool_call_id"] for m in results)
    assert {case["strata"]["trial"] for case in cases} == {"0", "1", "2", "3"}


def command(*arguments, cwd):
    main = [sys.executable, "-c", "from seatrial.cli.main import main; main()", "dataset", "import"]
    env = {k: v for k, v in os.environ.items() if k != "SEATRIAL_SCRUB_KEY"}
    return subprocess.run([*main, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, env=env, timeout=120)


def labelled(number, **metadata):
    return {**turn(f"s{number}", 0), "metadata": metadata}


MAPPINGS = [
    pytest.param({"strata.intent": "metadata.intnt"}, ["metadata.intent"], id="a nested key"),
    pytest.param({"metadata.city": "metadata.city"}, [], id="some records lack it"),
    pytest.param({"strata.intent": "metadata.intent"}, [], id="every record has it"),
    pytest.param({"strata.at": "creatd_at"}, ["created_at"], id="a column"),
    pytest.param({"strata.a": "request.modl", "session_id": "sesion_id"}, ["session_id", "request.model"], id="two"),
    pytest.param({"strata.a": "zzzz\ud800\x00"}, [""], id="nothing is near"),
    pytest.param({"strata.empty": "metadata.empty"}, [], id="there, but empty"),
]


@pytest.mark.parametrize(("fields", "near"), MAPPINGS)
def test_a_mapped_path_that_no_record_has_is_refused(fields, near, tmp_path):
    records = [labelled(n, intent="refund", empty=None) for n in range(30)] + [labelled(30, city="Oslo", intent="x")]
    if not near:
        found, _ = run(tmp_path, records, fields=fields)
        assert len(found) == 31
        return
    with pytest.raises(DatasetError, match="does not fit the logs") as caught:
        run(tmp_path, records, fields=fields)
    assert (caught.value.code, caught.value.exit_code) == ("E200", 2)
    told = caught.value.problems
    assert len(told) == len(near)
    for problem, path in zip(told, near, strict=True):
        assert "names a path that no record has" in problem.rule
        assert f"did you mean {path!r}?" == problem.hint if path else "the first records have" in problem.hint
    assert not (tmp_path / "pool.jsonl").exists()


def test_a_misspelt_column_of_a_table_is_refused(tmp_path):
    fields = {"input": "question", "strata.intent": "itent"}
    with pytest.raises(DatasetError, match="does not fit") as caught:
        run(tmp_path, b"question,intent\nhow?,refund\n", name="log.csv", fields=fields)
    assert caught.value.problems[0].hint == "did you mean 'intent'?"


def test_a_path_of_the_second_log_alone_is_no_fault(tmp_path):
    logs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for number, log in enumerate(logs):
        log.write_bytes(written([labelled(number, **({"intent": "x"} if number else {}))]))
    settings = Settings(scrub="none", fields={"strata.intent": "metadata.intent"})
    assert import_logs(logs, tmp_path / "pool.jsonl", settings).cases == 2


def test_what_a_mapping_has_found_outlasts_a_kill(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 2)
    log, pool = tmp_path / "log.jsonl", tmp_path / "pool.jsonl"
    log.write_bytes(written([labelled(0, intent="x", city="y")] + [labelled(n) for n in range(1, 9)]))
    settings = Settings(scrub="none", fields={"strata.intent": "metadata.intent", "metadata.city": "metadata.city"})

    def kill(stage, count):
        if count >= 6:
            raise KilledError

    with pytest.raises(KilledError):
        import_logs([log], pool, settings, tell=kill)
    assert import_logs([log], pool, settings).cases == 9


def test_the_command(tmp_path):
    Path(tmp_path / "log.jsonl").write_bytes(written([turn("a", 0), turn("a", 1)]))
    done = command("log.jsonl", "--into", "pools/pool.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["records"], report["cases"], report["sessions"]) == (2, 1, 1)
    assert json.loads((tmp_path / "pools" / "pool.jsonl.report.json").read_text()) == report
    assert "1 cases in" in command("log.jsonl", "--into", "p.jsonl", "--scrub", "none", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["nothing.jsonl", "--into", "p.jsonl"], "not there", id="no log"),
        pytest.param(["log.jsonl", "--into", "p.jsonl", "--field", "input"], "FIELD=PATH", id="field"),
        pytest.param(["log.jsonl", "--into", "p.jsonl", "--format", "x"], "not a format", id="format"),
        pytest.param(["log.jsonl", "--into", "p.jsonl"], "is of no known format", id="bad record"),
        pytest.param(["empty.jsonl", "--into", "p.jsonl"], "empty", id="empty"),
    ],
)
def test_the_command_refuses_with_2(arguments, said, tmp_path):
    (tmp_path / "log.jsonl").write_text('{"hello": 1}\n')
    (tmp_path / "empty.jsonl").write_text("\n")
    done = command(*arguments, "--json", cwd=tmp_path)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert said in json.dumps(error)
    assert not (tmp_path / "p.jsonl").exists()


UNSURE = "Dear Maria, I am Keller. Regards, Tom Baker. Call 0171 3928475, or 555-0199, account 4711 0815."


def review_of(path):
    """The findings for a person to look at, without what another record number or surrogate tells."""
    held = json.loads(path.read_text())["review"]
    return {**held, "first": [{k: one[k] for k in ("field", "context", "kind", "confidence")} for one in held["first"]]}


def test_findings_that_are_less_sure_are_told_as_scrubbing_tells_them(tmp_path, monkeypatch):
    from seatrial.datasets.scrubbing.pool import scrub_pool

    monkeypatch.setenv("SEATRIAL_SCRUB_KEY", "0123456789abcdef")
    log, pool = tmp_path / "log.jsonl", tmp_path / "pool.jsonl"
    log.write_bytes(written([turn(f"s{at}", 0, UNSURE) for at in range(700)]))
    report = import_logs([log], pool, Settings())
    import_logs([log], tmp_path / "raw.jsonl", Settings(scrub="none"))
    scrub_pool(tmp_path / "raw.jsonl", tmp_path / "apart.jsonl")
    told = review_of(tmp_path / "pool.jsonl.report.json")
    assert told == review_of(tmp_path / "apart.jsonl.scrub.json")
    assert told["count"] >= 700
    assert sum(told["by_kind"].values()) == told["count"] == report.review["count"]
    assert len(told["first"]) == 500  # whatever the length of the log
    ids = {json.loads(line)["id"] for line in pool.read_text().splitlines()}
    assert {one["id"] for one in report.review["first"]} <= ids
    assert [one["record"] for one in report.review["first"]] == sorted(one["record"] for one in report.review["first"])
    raw = (tmp_path / "pool.jsonl.report.json").read_text()
    assert not [word for word in ("Maria", "Keller", "Baker", "3928475", "0815") if word in raw]


def test_the_command_says_how_many_findings_are_less_sure(tmp_path):
    (tmp_path / "log.jsonl").write_bytes(written([turn("a", 0, UNSURE)]))
    done = command("log.jsonl", "--into", "pool.jsonl", cwd=tmp_path)
    count = json.loads((tmp_path / "pool.jsonl.report.json").read_text())["review"]["count"]
    assert count == 1
    assert "  1 finding is less sure: look in the report\n" in done.stdout
    none = command("log.jsonl", "--into", "none.jsonl", "--scrub", "none", cwd=tmp_path)
    assert json.loads((tmp_path / "none.jsonl.report.json").read_text())["review"]["count"] == 0
    assert "less sure" not in none.stdout
