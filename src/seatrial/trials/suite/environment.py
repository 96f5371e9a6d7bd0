"""Where and by whom a trial was run: kept with it, never hashed into an identity."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import seatrial


def environment(folder: Path, note: str) -> Mapping[str, str | bool]:
    """Versions, author, note, and the git commit of the suite's folder where there is one."""
    found: dict[str, str | bool] = {
        "seatrial": seatrial.__version__,
        "python": platform.python_version(),
        "platform": platform.system(),
        "author": _author(),
        "host": platform.node(),
        "pid": str(os.getpid()),
    }
    if note:
        found["note"] = note
    state = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", ".").splitlines()
    commit = next((line.split()[-1] for line in state if line.startswith("# branch.oid")), "(initial)")
    if commit != "(initial)":
        found["git_commit"] = commit
        found["git_dirty"] = any(not line.startswith("#") for line in state)
    return found


def _author() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _git(folder: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603  # our own fixed arguments
            [git, "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
