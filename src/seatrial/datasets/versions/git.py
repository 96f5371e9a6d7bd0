"""The git repository around a set, where there is one: who commits, and what its files were."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

TIMEOUT = 60
MOST_COMMITS = 2000


def author(folder: Path) -> str:
    """Who commits, as `Name <address>`: $GIT_AUTHOR_NAME and $GIT_AUTHOR_EMAIL, git's settings, else the account."""
    name = os.environ.get("GIT_AUTHOR_NAME") or _said(folder, "config", "user.name")
    address = os.environ.get("GIT_AUTHOR_EMAIL") or _said(folder, "config", "user.email")
    if name:
        return f"{name} <{address}>" if address else name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def commits_of(folder: Path, name: str) -> Iterator[str]:
    """The git commits of any branch that changed a file of the folder, newest first."""
    said = _said(folder, "log", "--all", f"--max-count={MOST_COMMITS}", "--format=%H", "--", name)
    yield from said.split()


def content(folder: Path, commit: str, name: str) -> bytes | None:
    """What a file of the folder was in a git commit; None where it was not."""
    return _run(folder, "show", f"{commit}:./{name}")


def _said(folder: Path, *arguments: str) -> str:
    return (_run(folder, *arguments) or b"").decode("utf-8", "replace").strip()


def _run(folder: Path, *arguments: str) -> bytes | None:
    git = shutil.which("git")
    if git is None or not folder.is_dir():
        return None
    try:
        done = subprocess.run(  # noqa: S603  # our own fixed arguments
            [git, "-C", str(folder), *arguments], capture_output=True, timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
