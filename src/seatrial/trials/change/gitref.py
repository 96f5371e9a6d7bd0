"""What a git commit holds, read as data: nothing is checked out, no hook, filter or configured program is run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from seatrial.errors import UsageError, safe

MOST_FILES = 20_000
MOST_BYTES = 1 << 30
SECONDS = 120
FILE_MODES = (b"100644", b"100755")
_QUIET = (
    "--no-replace-objects",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.pager=cat",
)


class Ref(NamedTuple):
    """A commit of the repository that holds a folder. `inside`: the folder's path in it, empty at its top."""

    root: Path
    commit: str
    name: str
    inside: str

    def materialize(self, into: Path) -> Path:
        """Write the folder as it was at the commit, regular files only; gives where it is.

        Raises UsageError when it holds too much, or names that leave the folder.
        """
        into.mkdir(parents=True, exist_ok=True)
        found = [blob for blob in self._blobs() if blob.mode in FILE_MODES]
        if len(found) > MOST_FILES or sum(blob.size for blob in found) > MOST_BYTES:
            many = f"{MOST_FILES:,} files or {MOST_BYTES >> 20:,} MiB"
            hint = "put the suite into a folder of its own"
            raise UsageError(f"The suite's folder at {self.name} holds more than {many}.", hint=hint)
        for blob, content in zip(found, _contents(self.root, [blob.sha for blob in found]), strict=True):
            file = into / self._below(blob.path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return into

    def changed(self, other: Ref | None, globs: Sequence[str]) -> list[str]:
        """Which files that a glob matches differ at the other commit, or in the working tree where it is None."""
        if not globs:
            return []
        pathspecs = [f":(top,glob){glob}" for glob in globs]
        sides = [self.commit] if other is None else [self.commit, other.commit]
        raw = _git(self.root, "diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", *sides, "--", *pathspecs)
        names = set(_split(raw))
        if other is None:
            names |= set(_split(_git(self.root, "ls-files", "-z", "--others", "--exclude-standard", "--", *pathspecs)))
        return sorted(names)

    def _blobs(self) -> Iterator[_Blob]:
        where = ["--", self.inside] if self.inside else []
        for line in _git(self.root, "ls-tree", "-r", "-l", "-z", "--full-tree", self.commit, *where).split(b"\0"):
            if line:
                head, _, path = line.partition(b"\t")
                mode, _, sha, size = head.split()
                yield _Blob(
                    mode, sha.decode(), int(size) if size.isdigit() else 0, path.decode("utf-8", "surrogateescape")
                )

    def _below(self, path: str) -> str:
        parts = PurePosixPath(path).parts
        odd = any(part in {"", ".", ".."} or part.lower() == ".git" or "\0" in part or "\\" in part for part in parts)
        if odd or path.startswith("/"):
            raise UsageError(f"The commit {self.name} holds a path that leaves its folder: {safe(path)}.")
        return str(PurePosixPath(path).relative_to(self.inside)) if self.inside else path


class _Blob(NamedTuple):
    mode: bytes
    sha: str
    size: int
    path: str


def resolve(folder: Path, name: str) -> Ref:
    """The commit that a name stands for in the repository around a folder. Raises UsageError."""
    if name.startswith("-") or not name or "\0" in name:
        raise UsageError(f"{safe(name)!r} is no name of a commit.", hint="name one like origin/main")
    try:
        root = Path(_line(_git(folder, "rev-parse", "--show-toplevel")))
    except UsageError as fault:
        if "not a git repository" not in fault.problem:
            raise
        said = f"{safe(str(folder), 200)} is in no git repository, and --base and --head read commits."
        hint = "run it in a clone, or hold the target against a blessed baseline: seatrial gate --bless"
        raise UsageError(said, hint=hint) from None
    inside = _line(_git(folder, "rev-parse", "--show-prefix")).rstrip("/")
    try:
        commit = _line(_git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"))
    except UsageError:
        hint = "fetch it first: git fetch origin main"
        raise UsageError(f"The repository holds no commit {safe(name)!r}.", hint=hint) from None
    return Ref(root, commit, name, inside)


def _line(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape").rstrip("\n")


def _split(raw: bytes) -> list[str]:
    return [name.decode("utf-8", "surrogateescape") for name in raw.split(b"\0") if name]


def _contents(root: Path, shas: Sequence[str]) -> Iterator[bytes]:
    """The bytes of these blobs, in order."""
    if not shas:
        return
    raw = memoryview(_git(root, "cat-file", "--batch", given="".join(f"{sha}\n" for sha in shas).encode()))
    at = 0
    for _ in shas:
        end = at + bytes(raw[at : at + 200]).index(b"\n")
        size = int(bytes(raw[at:end]).split()[2])
        yield bytes(raw[end + 1 : end + 1 + size])
        at = end + size + 2


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    git = shutil.which("git")
    if git is None:
        raise UsageError("git is not installed, and --base and --head read commits.", hint="install git")
    try:
        done = subprocess.run(  # noqa: S603  # git with our own arguments; names are behind --end-of-options or --
            [git, *_QUIET, "-C", str(folder), *arguments],
            input=given,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},  # what it says is read
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as cause:
        raise UsageError(f"git {arguments[0]} did not answer: {safe(str(cause), 200)}.") from cause
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(f"git {arguments[0]} failed: {safe(said[-1] if said else 'without a word', 300)}.")
    return done.stdout
