"""Importing Seatrial is quiet and light, and its public names are all there."""

from __future__ import annotations

import subprocess
import sys

import seatrial

PROBE = """
import sys
seen = []
loud = {"open", "socket.connect", "socket.getaddrinfo", "os.mkdir", "subprocess.Popen", "_thread.start_new_thread"}
def hook(event, args):
    if event in loud and not (event == "open" and str(args[0]).endswith((".py", ".pyc", ".so"))):
        seen.append((event, str(args[:1])))
sys.path_importer_cache  # nothing is imported yet
sys.addaudithook(hook)
import seatrial
assert not seen, seen
heavy = {"aiohttp", "pydantic", "sqlalchemy", "numpy", "scipy", "rich", "click", "jinja2"} & set(sys.modules)
assert not heavy, heavy
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_import_opens_nothing_starts_nothing_and_stays_light():
    done = run(PROBE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_help_loads_no_heavy_library():
    code = (
        "import sys; from seatrial.cli.main import invoke; assert invoke(['--help']) == 0\n"
        "heavy = {'aiohttp', 'pydantic', 'sqlalchemy', 'numpy', 'scipy', 'rich', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_every_public_name_resolves():
    assert seatrial.__all__ == sorted(seatrial.__all__)
    for name in seatrial.__all__:
        assert getattr(seatrial, name) is not None
    assert set(seatrial.__all__) <= set(dir(seatrial))
