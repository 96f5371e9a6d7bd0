from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.gated import CASES, Repo, answer, case

from seatrial.testing import FakeProvider, Fault, Reply, Script


@pytest.fixture
def provider():
    with FakeProvider(answer=answer).in_thread() as fake:
        yield fake


@pytest.fixture
def repo(tmp_path: Path, provider: FakeProvider) -> Repo:
    return Repo(tmp_path, provider)


def told(done) -> dict:
    """The one object on standard output."""
    return json.loads(done.stdout)


def outcome(call, *arguments: str):
    found = told(call("gate", "--json", *arguments))
    return found["exit_code"], {(c["name"], c["outcome"]) for c in found["checks"]}, found


def two(repo: Repo, model: str, **more) -> None:
    targets = {"prod": repo.target("right"), "new": repo.target(model)}
    repo.write(targets=targets, incumbent="prod", **more)


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [
        pytest.param("right-2", 0, ("right", "pass"), id="ship"),
        pytest.param("wrong-5", 1, ("right", "block"), id="blocked"),
        pytest.param("wrong-40", 3, ("right", "inconclusive"), id="inconclusive"),
    ],
)
def test_a_candidate_leaves_with_its_exit_code(call, repo: Repo, model, code, said):
    two(repo, model)
    done = call("gate", "--json")
    assert (done.returncode, told(done)["exit_code"]) == (code, code)
    assert said in {(c["name"], c["outcome"]) for c in told(done)["checks"]}


def test_inconclusive_passes_only_where_that_is_said(call, repo: Repo):
    two(repo, "wrong-40")
    assert call("gate").returncode == 3
    done = call("gate", "--allow-inconclusive", "--json")
    assert (done.returncode, told(done)["outcome"]) == (0, "inconclusive")
    two(repo, "wrong-5")
    assert call("gate", "--allow-inconclusive").returncode == 1


def test_too_few_cases_are_not_evaluable_even_when_allowed(call, repo: Repo):
    two(repo, "right-2")
    repo.cases([case(number) for number in range(12)])
    code, checks, _ = outcome(call, "--allow-inconclusive")
    assert code == 4
    assert ("right", "not_evaluable") in checks


def test_errors_are_not_evaluable(call, repo: Repo):
    two(repo, "right-2")
    broken = Script(faults=(Fault(kind="server_error", probability=0.4),), default=Reply(text="answer 1"))
    with FakeProvider(broken).in_thread() as faulty:
        repo.suite["targets"]["new"] |= {"base_url": faulty.base_url, "retries": 0}
        repo.write(
            rubrics=[{"name": "says", "scorer": "contains", "with": {"values": ["answer"]}, "margin_points": 20}]
        )
        code, checks, _ = outcome(call, "--allow-inconclusive")
    assert (code, ("says", "not_evaluable") in checks) == (4, True)


def test_an_empty_dataset_does_not_pass(call, repo: Repo):
    two(repo, "right-2")
    repo.cases([])
    assert call("gate", "--json").returncode in (2, 4)


def test_only_advisory_rubrics_do_not_pass(call, repo: Repo):
    rubrics = [{"name": "shown", "scorer": "exact", "kind": "advisory"}]
    repo.write(rubrics=rubrics)
    assert call("gate", "--json").returncode == 4
    two(repo, "right-2", rubrics=rubrics)
    assert call("gate", "--json").returncode == 4


def test_a_lone_target_without_a_baseline_is_not_evaluable(call, repo: Repo):
    code, checks, found = outcome(call)
    assert (code, ("baseline", "not_evaluable") in checks) == (4, True)
    assert "bless" in str(found["checks"])


def test_a_lone_target_is_judged_by_its_gates(call, repo: Repo):
    gate = {"name": "never", "scorer": "exact", "kind": "gate", "limit_points": 5}
    repo.write(rubrics=[gate])
    assert outcome(call)[0] == 0
    repo.write(targets={"prod": repo.target("wrong-5")})
    assert outcome(call)[0] == 1


# trials ---------------------------------------------------------------------------------------------------------------


def test_an_earlier_trial_is_judged_without_asking(call, repo: Repo, provider: FakeProvider):
    two(repo, "wrong-5")
    trial = json.loads(call("run", "--json").stdout)["trial_id"]
    asked = provider.calls
    assert call("gate", "--trial", trial).returncode == 1
    assert provider.calls == asked


def test_a_trial_of_another_suite_is_not_evaluable(call, repo: Repo):
    two(repo, "wrong-5")
    trial = json.loads(call("run", "--json").stdout)["trial_id"]
    repo.write(policy={"margin_points": 50})
    done = call("gate", "--trial", trial, "--json")
    assert (done.returncode, told(done)["error"]["code"]) == (4, "E400")


def test_an_interrupted_trial_is_not_evaluable(call, repo: Repo):
    two(repo, "right-2")
    trial = json.loads(call("run", "--json").stdout)["trial_id"]
    with sqlite3.connect(repo.folder / ".seatrial" / "seatrial.db") as db:
        db.execute("update trials set status = 'interrupted'")
    code, checks, _ = outcome(call, "--trial", trial)
    assert (code, ("trial", "not_evaluable") in checks) == (4, True)


def test_old_answers_are_not_evaluable(call, repo: Repo):
    two(repo, "right-2")
    trial = json.loads(call("run", "--json").stdout)["trial_id"]
    assert outcome(call, "--trial", trial, "--max-age", "1h")[0] == 0
    with sqlite3.connect(repo.folder / ".seatrial" / "seatrial.db") as db:
        old = (datetime.now(UTC) - timedelta(days=8)).isoformat()
        db.execute("update outputs set finished_at = ? where id = 7", (old,))
    code, checks, _ = outcome(call, "--trial", trial, "--max-age", "7d")
    assert (code, ("age", "not_evaluable") in checks) == (4, True)
    assert outcome(call, "--trial", trial, "--max-age", "9d")[0] == 0
    with sqlite3.connect(repo.folder / ".seatrial" / "seatrial.db") as db:
        db.execute("update outputs set finished_at = '' where id = 7")
    assert outcome(call, "--trial", trial, "--max-age", "9d")[0] == 4


@pytest.mark.parametrize("wrong", ["7", "-1d", "0d", "d", "7y", "1e9d", "٧d", "999999w", ""])
def test_a_span_must_be_one(call, repo: Repo, wrong):
    assert call("gate", "--max-age", wrong).returncode == 2


# baseline -------------------------------------------------------------------------------------------------------------


def test_a_blessed_state_passes_again_and_a_worse_one_is_blocked(call, repo: Repo):
    done = call("gate", "--bless", "--json")
    assert (done.returncode, told(done)["blessed"]) == (0, "seatrial.baseline.json")
    code, checks, found = outcome(call)
    assert (code, ("right", "pass") in checks) == (0, True)
    assert found["baseline"]["common"] == CASES
    repo.write(targets={"prod": repo.target("wrong-5")})
    code, checks, found = outcome(call)
    assert (code, ("right", "block") in checks) == (1, True)
    slices = found["report"]["verdicts"][-1]["rubrics"][0]["slices"]
    assert {(s["stratum"], s["value"]) for s in slices} >= {("intent", "order"), ("intent", "refund")}


def test_new_removed_and_changed_cases_are_named(call, repo: Repo):
    call("gate", "--bless")
    rows = [case(n) for n in range(2, CASES)] + [
        case(900),
        case(5, id="renamed", input="question 901", expected="answer 901"),
    ]
    rows[0]["expected"] = ["answer 2", "answer two"]
    rows[1]["id"] = "c3-renamed"
    repo.cases(rows)
    _, _, found = outcome(call)
    held = found["baseline"]
    assert (held["new"]["count"], held["new"]["first"]) == (2, ["c900", "renamed"])
    assert held["removed"]["first"] == ["c0", "c1"]
    assert held["changed"]["first"] == ["c2"]
    assert held["common"] == CASES - 3


@pytest.mark.parametrize("first", [60, 1000])
def test_a_baseline_of_another_dataset_is_not_evaluable(call, repo: Repo, first):
    call("gate", "--bless")
    repo.cases([case(n) for n in range(first, first + CASES)])
    code, checks, _ = outcome(call)
    assert (code, ("baseline", "not_evaluable") in checks) == (4, True)


def test_a_rubric_with_another_scorer_is_not_evaluable(call, repo: Repo):
    call("gate", "--bless")
    repo.write(rubrics=[{"name": "right", "scorer": "contains", "with": {"values": ["answer"]}}])
    code, checks, _ = outcome(call)
    assert (code, ("right", "not_evaluable") in checks) == (4, True)


def test_what_cannot_be_evaluated_is_not_blessed(call, repo: Repo):
    repo.cases([case(n) for n in range(12)])
    assert call("gate", "--bless", "--json").returncode == 4
    assert not (repo.folder / "seatrial.baseline.json").exists()


def test_a_broken_gate_is_not_blessed(call, repo: Repo):
    gate = {"name": "never", "scorer": "exact", "kind": "gate", "limit_points": 5}
    repo.write(rubrics=[gate], targets={"prod": repo.target("wrong-5")})
    assert call("gate", "--bless", "--json").returncode == 1
    assert not (repo.folder / "seatrial.baseline.json").exists()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text.replace(' 1"', ' 0"', 1), id="bit"),
        pytest.param(lambda text: text[: len(text) // 2], id="cut"),
        pytest.param(lambda text: "<<<<<<< ours\n" + text, id="conflict"),
        pytest.param(lambda text: "[]", id="list"),
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: "[" * 100_000, id="deep"),
        pytest.param(lambda text: text.replace("baseline/1", "baseline/9"), id="format"),
        pytest.param(lambda text: "\x00\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), id="bytes"),
    ],
)
def test_a_damaged_baseline_is_an_error(call, repo: Repo, damage):
    call("gate", "--bless")
    path = repo.folder / "seatrial.baseline.json"
    path.write_text(damage(path.read_text()))
    done = call("gate", "--json")
    assert (done.returncode, told(done)["error"]["code"]) == (2, "E151")


# quarantine -----------------------------------------------------------------------------------------------------------


def entry(name: str, **more) -> dict:
    return {"case": name, "rubric": "right", "reason": "two right answers", "expires": "2999-01-01", **more}


def test_a_quarantined_case_runs_is_shown_and_decides_nothing(call, repo: Repo):
    gate = {"name": "right", "scorer": "exact", "kind": "gate", "limit_points": 3}
    repo.write(rubrics=[gate], targets={"prod": repo.target("wrong-100")})
    assert outcome(call)[0] == 3
    repo.quarantine(entry("c0"), entry("c100"))
    code, _, found = outcome(call)
    assert code == 0
    assert [(q["case"], q["results"]) for q in found["quarantined"]] == [
        ("c0", {"prod": "failed"}),
        ("c100", {"prod": "failed"}),
    ]
    assert found["report"]["rates"][0]["candidate"]["n"] == CASES - 2
    assert "in quarantine until 2999-01-01: c0 on right" in call("gate").stdout


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        pytest.param([entry("c1", expires="2020-01-01")], "past", id="expired"),
        pytest.param([entry("c9999")], "no case of the dataset", id="unknown-case"),
        pytest.param([entry("c1", rubric="rihgt")], "rubric that the suite does not have", id="unknown-rubric"),
        pytest.param([entry("c1"), entry("c1")], "twice", id="twice"),
        pytest.param([entry("c1", expires="2999-02-30")], "no day of the calendar", id="no-day"),
        pytest.param([entry("c1", expires="soon")], "expires", id="no-date"),
        pytest.param([entry("c1", reason="")], "reason", id="no-reason"),
        pytest.param([{"case": "c1"}], "rubric", id="missing"),
        pytest.param([entry("c1", because="x")], "because", id="unknown-key"),
        pytest.param([7], "object", id="number"),
        pytest.param([entry(f"c{n}") for n in range(7)], "at most 5%", id="too-many"),
    ],
)
def test_a_faulty_quarantine_fails_the_gate(call, repo: Repo, provider: FakeProvider, entries, rule):
    two(repo, "right-2")
    repo.quarantine(*entries)
    done = call("gate", "--json")
    error = told(done)["error"]
    assert (done.returncode, error["code"]) == (2, "E150")
    assert rule in " ".join(error["problems"]), error
    assert all("quarantine.yaml:" in problem for problem in error["problems"])
    assert provider.calls == (0 if "too" not in rule and "5%" not in rule else 2 * CASES)


def test_a_gate_may_not_be_emptied_by_quarantine(call, repo: Repo):
    gate = {"name": "right", "scorer": "exact", "kind": "gate", "limit_points": 3}
    repo.write(rubrics=[gate], targets={"prod": repo.target("wrong-30")})
    repo.quarantine(*(entry(f"c{n}") for n in (0, 30, 60, 90)))
    assert call("gate", "--json").returncode == 2


# base and head --------------------------------------------------------------------------------------------------------


def test_a_change_is_held_against_the_base_branch(call, repo: Repo):
    repo.commit()
    repo.write(targets={"prod": repo.target("wrong-5")})
    code, checks, found = outcome(call, "--base", "main")
    assert (code, ("right", "block") in checks) == (1, True)
    assert found["changes"] == ["target prod: use openai:right → openai:wrong-5"]
    assert found["baseline"]["source"] == "a run of main"
    repo.write(targets={"prod": repo.target("right-9")})
    assert outcome(call, "--base", "main")[0] == 0


def test_a_changed_prompt_is_a_change(call, repo: Repo):
    (repo.folder / "system.txt").write_text("Be careful.")
    repo.write(prompt=[{"role": "system", "content": {"file": "system.txt"}}, "input"])
    repo.commit()
    (repo.folder / "system.txt").write_text("Be careless.")
    assert outcome(call, "--base", "main")[0] == 1


@pytest.mark.parametrize("where", ["", "apps/bot"])
@pytest.mark.parametrize("side", ["--base", "--head"])
def test_a_change_cannot_loosen_what_decides(call, tmp_path, provider, monkeypatch, side, where):
    repo = Repo(tmp_path / "r", provider, where)
    monkeypatch.chdir(repo.folder)
    call("gate", "--bless")
    repo.commit()
    repo.git("switch", "-q", "-c", "change")
    rubrics = [{"name": "right", "scorer": "exact", "margin_points": 60}]
    prod = {"prod": repo.target("wrong-5")}
    gate = {"most_quarantined_points": 50, "baseline": "mine.json"}
    repo.write(targets=prod, rubrics=rubrics, policy={"alpha": 0.4}, gate=gate, seed=3)
    repo.quarantine(*(entry(f"c{5 * n}") for n in range(24)))
    repo.cases([case(n) for n in range(CASES) if n % 5])
    (repo.folder / "seatrial.baseline.json").unlink()
    repo.commit()
    if side == "--head":
        repo.git("switch", "-q", "main")
    code, checks, found = outcome(call, side, "main" if side == "--base" else "change")
    assert (code, ("right", "block") in checks) == (1, True)
    assert found["report"]["cases"] == CASES
    assert found["quarantined"] == []
    edited = {line.split()[3].rstrip(";") for line in found["notes"]}
    files = {"cases.jsonl", "quarantine.yaml", "seatrial.baseline.json"}
    assert edited >= {"rubrics", "policy", "gate", "seed"} | files


@pytest.mark.parametrize("side", ["--base", "--head"])
def test_an_edited_dataset_is_left_out_and_said_so(call, repo: Repo, side):
    repo.commit()
    repo.git("switch", "-q", "-c", "change")
    repo.cases([*(case(n) for n in range(1, CASES)), case(500), case(501)])
    repo.commit()
    if side == "--head":
        repo.git("switch", "-q", "main")
    _, _, found = outcome(call, side, "main" if side == "--base" else "change")
    said = "The change edits cases.jsonl; the base branch's was used (lines: 2 added, 1 removed)."
    assert (found["report"]["cases"], found["notes"]) == (CASES, [said])
    assert said in call("gate", side, "main" if side == "--base" else "change").stdout


CODE = """import helper

def answer(case):
    return helper.said(case.text)
"""
HELPER = """def said(text):
    number = int(text.split()[-1])
    return f"answer {number}" if number % EVERY else "no idea"
"""


def test_code_is_asked_anew_and_held_against_a_baseline_alone(call, repo: Repo):
    """A change of a module that the target's own imports: nothing that was kept, or imported before, stands for it."""
    (repo.folder / "app").mkdir()
    (repo.folder / "app" / "__init__.py").write_text("")
    (repo.folder / "app" / "bot.py").write_text(CODE.replace("import helper", "from app import helper"))
    helper = repo.folder / "app" / "helper.py"
    helper.write_text(HELPER.replace("EVERY", "1000"))
    judge = "def right(case, output):\n    import app.helper\n    return output.text == case.expected.answers[0]\n"
    (repo.folder / "judge.py").write_text("import app.helper\n" + judge)
    rubrics = [{"name": "right", "scorer": "python:judge:right", "margin_points": 4}]
    repo.write(targets={"prod": {"use": "python:app.bot:answer"}}, rubrics=rubrics)
    repo.commit("unblessed")

    def gated(*arguments: str) -> int:
        command = [sys.executable, "-m", "seatrial", "gate", *arguments]
        return subprocess.run(command, cwd=repo.folder, capture_output=True, check=False).returncode

    assert gated("--base", "main") == 4
    assert gated("--bless") == 0
    repo.commit("blessed")
    helper.write_text(HELPER.replace("EVERY", "5"))
    assert gated("--base", "main") == 1
    helper.write_text(HELPER.replace("EVERY", "1000"))
    assert gated("--base", "main") == 0


REFUSED = [
    pytest.param({"use": "python:evil:run"}, id="code"),
    pytest.param({"use": "https://evil.example/answer"}, id="host"),
    pytest.param({"use": "replay:/etc/passwd"}, id="file"),
    pytest.param({"use": "groq/llama-3.3-70b"}, id="other-provider"),
    pytest.param({"base_url": "http://127.0.0.1:9/v1"}, id="base-url"),
    pytest.param({"api_key_env": "GITHUB_TOKEN"}, id="variable"),
    pytest.param({"headers": {"x-forward": "evil"}}, id="headers"),
    pytest.param({"use": "openai:../../secrets"}, id="path"),
    pytest.param({"params": {"temperature": 0, "extra_body": {"a": 1}}}, id="odd-parameter"),
    pytest.param({"params": {"stop": ["https://evil.example"]}}, id="url-in-parameter"),
    pytest.param({"params": {"tools": [{"type": "mcp", "server_url": "https://evil"}]}}, id="remote-tool"),
]


@pytest.mark.parametrize("change", REFUSED)
def test_a_stranger_may_not_name_code_files_variables_or_hosts(call, repo: Repo, provider: FakeProvider, change):
    repo.commit()
    repo.git("switch", "-q", "-c", "change")
    repo.write(targets={"prod": {**repo.target("right"), **change}})
    repo.commit()
    repo.git("switch", "-q", "main")
    done = call("gate", "--head", "change", "--json", env={"GITHUB_TOKEN": "tok-secret"})
    error = told(done)["error"]
    assert (done.returncode, error["code"], provider.calls) == (2, "E152", 0)
    assert error["problems"][0].startswith("change:seatrial.yaml:")
    assert "tok-secret" not in done.stdout


def test_a_stranger_may_try_another_model_at_the_bases_price(call, repo: Repo):
    limit = {"name": "cost", "scorer": "cost", "kind": "limit", "statistic": "mean", "at_most": 1e-9}
    repo.write(rubrics=[{"name": "right", "scorer": "exact"}, limit])
    price = {"input": 10, "output": 10}
    repo.write(targets={"prod": repo.target("right", price=price)})
    repo.commit()
    repo.git("switch", "-q", "-c", "change")
    repo.write(targets={"prod": repo.target("right", price={"input": 0, "output": 0})})
    repo.commit()
    repo.git("switch", "-q", "main")
    code, checks, _ = outcome(call, "--head", "change")
    assert (code, ("cost", "block") in checks) == (1, True)


@pytest.mark.parametrize("name", ["nowhere", "--upload-pack=touch pwned", "-x", "main:cases.jsonl", "a\nb"])
def test_an_odd_commit_is_an_error(call, repo: Repo, name):
    repo.commit()
    done = call("gate", f"--base={name}", "--json")
    assert (done.returncode, told(done)["error"]["code"]) == (2, "E101")
    assert not (repo.top / "pwned").exists()


def test_links_in_a_commit_are_not_followed(call, repo: Repo, tmp_path_factory):
    secret = tmp_path_factory.mktemp("s") / "secret.txt"
    secret.write_text("Be careless.")
    repo.commit()
    repo.git("switch", "-q", "-c", "change")
    (repo.folder / "system.txt").symlink_to(secret)
    repo.write(prompt=[{"role": "system", "content": {"file": "system.txt"}}, "input"])
    repo.commit()
    repo.git("switch", "-q", "main")
    done = call("gate", "--head", "change", "--json")
    assert (done.returncode, told(done)["error"]["code"]) == (2, "E110")


@pytest.mark.parametrize("path", ["../evil.txt", "x/../../evil.txt", ".git/hooks/evil", "a\\b"])
def test_a_forged_tree_writes_nothing_outside(call, repo: Repo, path):
    """Git itself refuses such names at a checkout; a commit may hold them all the same."""
    repo.commit()
    blob = repo.git("hash-object", "-w", "seatrial.yaml")
    names = path.split("/")
    tree = repo.git("mktree", given=f"100644 blob {blob}\t{names[-1]}\n")
    for name in reversed(names[:-1]):
        tree = repo.git("mktree", given=f"040000 tree {tree}\t{name}\n")
    head = repo.git("commit-tree", tree, "-m", "forged")
    done = call("gate", "--head", head, "--json")
    assert (done.returncode, told(done)["error"]["code"]) == (2, "E101")
    assert "leaves its folder" in told(done)["error"]["message"]


def test_outside_of_git_there_is_no_base(call, tmp_path, provider, monkeypatch):
    repo = Repo(tmp_path / "r", provider)
    (repo.folder / ".git").rename(tmp_path / "gone")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    done = call("gate", str(repo.folder / "seatrial.yaml"), "--base", "main")
    assert done.returncode == 2
    assert "is in no git repository" in done.stderr
    assert "try: run it in a clone" in done.stderr


# records --------------------------------------------------------------------------------------------------------------


def test_a_changed_model_needs_a_record(call, repo: Repo):
    repo.commit()
    assert outcome(call, "--base", "main", "--require-record")[0] == 0
    two(repo, "right-2")
    record = repo.folder / "records" / "right-2.json"
    record.parent.mkdir()
    assert call("run").returncode == 0
    done = call("compare", "--record", str(record))
    assert (done.returncode, record.exists()) == (0, True), done.stderr
    repo.write(targets={"prod": repo.target("right-2")}, incumbent=None)
    code, checks, found = outcome(call, "--base", "main", "--require-record")
    assert (code, ("record", "pass") in checks) == (0, True), found["checks"]
    repo.write(targets={"prod": repo.target("right-3")})
    code, checks, _ = outcome(call, "--base", "main", "--require-record")
    assert (code, ("record", "block") in checks) == (1, True)
    text = record.read_text()
    repo.write(targets={"prod": repo.target("right-2")})
    record.write_text(text.replace('"ship"', '"ship" ', 1).replace("right-2", "right-4"))
    assert outcome(call, "--base", "main", "--require-record")[0] == 1


def recorded(call, repo: Repo, name: str, *arguments: str, **changes) -> Path:
    """A record that ships `right-2`, made beside the suite by another one that has these changes."""
    targets = {"prod": repo.target("right"), "new": repo.target("right-2")}
    other = repo.folder / "other.yaml"
    other.write_text(json.dumps({**repo.suite, "targets": targets, "incumbent": "prod", **changes}))
    file = repo.folder / "records" / name
    done = call("run", str(other), "--record", str(file), *arguments)
    assert (done.returncode, file.exists()) == (0, True), done.stderr
    return file


def record_sentence(call, *arguments: str) -> tuple[str, str]:
    """The outcome of the check of the record, and what it says."""
    found = told(call("gate", "--json", "--require-record", *(arguments or ("--base", "main"))))
    check = next(check for check in found["checks"] if check["name"] == "record")
    return check["outcome"], check["sentence"]


LAX = {"name": "right", "scorer": "exact", "margin_points": 90}
OTHER_RULES = [
    pytest.param({"rubrics": [LAX]}, "was judged by other rubrics (right)", id="margin"),
    pytest.param({"rubrics": [LAX | {"scorer": "contains"}]}, "was judged by other rubrics (right)", id="scorer"),
    pytest.param({"rubrics": [LAX | {"name": "fine"}]}, "was judged by other rubrics (fine, right)", id="name"),
    pytest.param({"policy": {"alpha": 0.2}}, "was judged by another policy", id="policy"),
    pytest.param({"dataset": {"path": "easy.jsonl"}}, "is of another dataset", id="dataset"),
]


@pytest.mark.parametrize(("changes", "said"), OTHER_RULES)
def test_a_record_by_other_rules_clears_nothing(call, repo: Repo, changes, said):
    (repo.folder / "easy.jsonl").write_text("".join(json.dumps(case(number)) + "\n" for number in range(1000, 1100)))
    repo.commit()
    recorded(call, repo, "lax.json", **changes)
    repo.write(targets={"prod": repo.target("right-2")})
    outcome_, sentence = record_sentence(call)
    assert (outcome_, said in sentence, "lax.json" in sentence) == ("block", True, True), sentence
    recorded(call, repo, "sound.json")
    outcome_, sentence = record_sentence(call)
    assert (outcome_, "sound.json ships exactly this target" in sentence) == ("pass", True), sentence
    assert "Not counted: lax.json " in sentence, sentence


def test_a_target_compared_with_itself_clears_nothing(call, repo: Repo):
    repo.commit()
    recorded(call, repo, "itself.json", "--aa", "new")
    repo.write(targets={"prod": repo.target("right-2")})
    outcome_, sentence = record_sentence(call)
    assert (outcome_, "compares the target with itself" in sentence) == ("block", True), sentence


def test_without_a_record_the_gate_says_how_to_come_by_one(call, repo: Repo):
    repo.commit()
    recorded(call, repo, "old.json")
    repo.write(targets={"prod": repo.target("right-3")})
    outcome_, sentence = record_sentence(call)
    assert (outcome_, "of other targets: old.json" in sentence) == ("block", True), sentence
    assert "seatrial run SUITE --record records/NAME.json" in sentence, sentence
    repo.write(targets={"prod": repo.target("right")}, prompt=["input"])
    outcome_, sentence = record_sentence(call)
    assert (outcome_, "without --require-record" in sentence) == ("block", True), sentence


def test_a_watched_file_needs_a_record(call, repo: Repo):
    (repo.folder / "app").mkdir()
    (repo.folder / "app" / "model.toml").write_text("model = 'right'\n")
    repo.write(gate={"watch": ["app/**"]})
    repo.commit()
    assert outcome(call, "--base", "main", "--require-record")[0] == 0
    (repo.folder / "app" / "model.toml").write_text("model = 'other'\n")
    code, checks, found = outcome(call, "--base", "main", "--require-record")
    assert (code, ("record", "block") in checks) == (1, True)
    assert "app/model.toml changed" in str(found["checks"])


def test_a_record_needs_two_sides(call, repo: Repo):
    assert call("gate", "--require-record").returncode == 2
    assert call("gate", "--bless", "--base", "main").returncode == 2


# outputs --------------------------------------------------------------------------------------------------------------


def test_on_github_there_are_annotations_and_a_summary(call, repo: Repo, tmp_path_factory):
    summary = tmp_path_factory.mktemp("s") / "summary.md"
    two(repo, "wrong-5")
    done = call("gate", env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)})
    commands = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert len(commands) == 1
    assert commands[0].startswith("::error file=seatrial.yaml,line=")
    assert "The gate blocks" in summary.read_text()


def test_files_are_written_for_a_verdict_and_for_an_error(call, repo: Repo):
    two(repo, "wrong-5")
    files = ("--junit", "j.xml", "--comment", "c.md", "--code-quality", "q.json", "-o", "r.html")
    assert call("gate", *files).returncode == 1
    assert "<failure" in (repo.folder / "j.xml").read_text()
    assert (repo.folder / "c.md").read_text().startswith("<!-- seatrial-gate -->\n## ❌ The gate blocks")
    assert json.loads((repo.folder / "q.json").read_text())[0]["severity"] == "blocker"
    repo.quarantine({"case": "c1"})
    assert call("gate", *files).returncode == 2
    assert "<error" in (repo.folder / "j.xml").read_text()
    assert "could not be judged" in (repo.folder / "c.md").read_text()
