"""The command line in this process: what a command says, writes and returns, without a new process' second of imports.

What is about the process itself (signals, kills, exit, what is imported, streams that break) starts one.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from seatrial.cli.main import invoke


def seatrial(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `seatrial …` in a folder, with this environment or with `env` alone, as one of its own would be run.

    Environment, working directory and imported modules are afterwards as they were before.
    """
    out, err = _stream(), _stream()
    with (
        _surroundings(folder, env),
        Path(os.devnull).open() as nothing,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        stdin, sys.stdin = sys.stdin, nothing
        try:
            code = invoke(list(arguments))
        finally:
            sys.stdin = stdin
    return subprocess.CompletedProcess(arguments, code, _text(out), _text(err))


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `seatrial …` in a folder, in a process of its own, which remembers nothing of another's."""
    command = [sys.executable, "-m", "seatrial", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.detach().getvalue()  # type: ignore[attr-defined]
    return raw.decode()


@contextlib.contextmanager
def _surroundings(folder: Path, env: Mapping[str, str] | None) -> Iterator[None]:
    environ, path, modules = dict(os.environ), list(sys.path), set(sys.modules)
    importlib.invalidate_caches()
    try:
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        with contextlib.chdir(folder):
            yield
    finally:
        os.environ.clear()
        os.environ.update(environ)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder.resolve())):
                del sys.modules[name]
