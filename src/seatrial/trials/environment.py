"""Where and by whom a trial was run: kept with it, never hashed into an identity."""

from __future__ import annotations

import getpass
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
    }
    if note:
        found["note"] = note
    commit = _git(folder, "rev-parse", "HEAD")
    if commit:
        found["git_commit"] = commit
        found["git_dirty"] = bool(_git(folder, "status", "--porcelain", "--untracked-files=no", "--", "."))
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
