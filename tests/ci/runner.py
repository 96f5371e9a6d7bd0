"""The steps of the action and of the GitLab template, run as their runners run them, beside a forge on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from tests.cli.gated import Repo
from tests.conftest import ROOT

ACTION = ROOT / "action.yml"
GITLAB = ROOT / "ci" / "gitlab.yml"
TOKEN = "ghs-token-of-the-job"
KEY = "sk-production-key"


def action(text: str | None = None) -> Any:
    """The action as plain data."""
    return YAML(typ="safe", pure=True).load(text or ACTION.read_text(encoding="utf-8"))


class Forge:
    """GitHub's API for comments: what is asked of it, and the comments there are."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, value: Any, status: int = 200) -> None:
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def body(self) -> Any:
                forge.asked.append(f"{self.command} {self.path}")
                assert self.headers["Authorization"] == f"Bearer {TOKEN}"
                return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")

            def do_GET(self) -> None:
                self.body()
                self.answer(forge.comments)

            def do_POST(self) -> None:
                comment = {"id": len(forge.comments) + 7, "user": {"type": "Bot"}, **self.body()}
                forge.comments.append(comment)
                self.answer(comment, 201)

            def do_PATCH(self) -> None:
                number = int(self.path.rsplit("/", 1)[1])
                comment = next(c for c in forge.comments if c["id"] == number)
                comment |= self.body()
                self.answer(comment)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Ran(NamedTuple):
    """How a job ended, and all that anyone can read of it."""

    code: int
    log: str
    files: str


class Runner:
    """A job on a fresh checkout of the base branch."""

    def __init__(self, repo: Repo, forge: Forge, work: Path) -> None:
        self.repo, self.forge, self.work = repo, forge, work
        self.origin = work / "origin.git"
        repo.git("clone", "-q", "--bare", str(repo.top), str(self.origin))
        repo.git("remote", "add", "origin", str(self.origin))
        self.jobs = 0

    def open_request(self, number: int, branch: str) -> str:
        """Push a branch as a pull request with its merge, as GitHub makes it; gives its commit."""
        sha = self.repo.git("rev-parse", branch)
        self.repo.git("switch", "-q", "--detach", "main")
        self.repo.git("merge", "-q", "--no-ff", "-m", "merge", branch)
        self.repo.git("push", "-q", "-f", "origin", f"HEAD:refs/pull/{number}/merge", f"{sha}:refs/pull/{number}/head")
        self.repo.git("switch", "-q", "main")
        return sha

    def environment(self, checkout: Path) -> dict[str, str]:
        """What a runner gives every step, with the job's secret."""
        temp = checkout.parent / "temp"
        temp.mkdir(exist_ok=True)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {
            "PATH": path,
            "HOME": str(temp),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "RUNNER_TEMP": str(temp),
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_API_URL": self.forge.url,
            "PROD_KEY": KEY,
        }

    def checkout(self) -> Path:
        """The base branch, as actions/checkout leaves it."""
        self.jobs += 1
        folder = self.work / f"job{self.jobs}" / "work"
        folder.parent.mkdir()
        self.repo.git("clone", "-q", "--depth", "1", "-b", "main", f"file://{self.origin}", str(folder))
        return folder

    def run(self, **inputs: str) -> Ran:
        """Run the action's steps until one fails."""
        steps, folder = action(), self.checkout()
        environment = self.environment(folder)
        given = {name: str(spec.get("default", "")) for name, spec in steps["inputs"].items()}
        values = {f"inputs.{name}": value for name, value in {**given, **inputs}.items()}
        values |= {"github.action_path": str(ROOT), "github.token": TOKEN}
        values["inputs.token"] = TOKEN
        log, code = "", 0
        for step in steps["runs"]["steps"]:
            if code or not _wanted(step.get("if"), values):
                continue
            env = {name: _filled(str(value), values) for name, value in step.get("env", {}).items()}
            code, said = bash(step["run"], folder, {**environment, **env})
            log += said
            for line in _lines(environment["GITHUB_OUTPUT"]):
                name, _, value = line.partition("=")
                values[f"steps.{step.get('id', '')}.outputs.{name}"] = value
        return Ran(code, log, _all_text(folder.parent))

    def run_gitlab(self, commit: str, **variables: str) -> Ran:
        """Run the template's script on the merge request's commit."""
        folder = self.checkout()
        self.repo.git("push", "-q", "-f", "origin", f"{commit}:refs/merge-requests/1/head")
        self.repo.git("-C", str(folder), "fetch", "-q", "origin", "refs/merge-requests/1/head")
        self.repo.git("-C", str(folder), "checkout", "-q", commit)
        job = YAML(typ="safe", pure=True).load(GITLAB.read_text(encoding="utf-8"))[".seatrial-gate"]
        given = {**job["variables"], "SEATRIAL_VERSION": "installed", **variables, "CI_COMMIT_SHA": commit}
        given["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "main"
        environment = self.environment(folder)
        del environment["GITHUB_ACTIONS"]
        code, log = bash("\n".join([*job["before_script"], *job["script"]]), folder, {**environment, **given})
        return Ran(code, log, _all_text(folder.parent))


def bash(script: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a step's script as GitHub's runner does for `shell: bash`."""
    command = [shutil.which("bash") or "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda m: values.get(m[1], ""), text)


def _wanted(condition: str | None, values: Mapping[str, str]) -> bool:
    """Whether a step is run: conditions here are `a == 'x' && b != 'y'`."""
    if condition is None:
        return True
    parts = re.findall(r"([\w.-]+) (==|!=) '([^']*)'", condition)
    return all((values.get(name, "") == text) == (sign == "==") for name, sign, text in parts)


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def _all_text(folder: Path) -> str:
    """Every byte that the job left behind but git's own."""
    files = [file for file in folder.rglob("*") if file.is_file() and ".git" not in file.parts]
    return "\n".join(file.read_bytes().decode("utf-8", "replace") for file in sorted(files))
