import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seatrial.errors import UsageError
from seatrial.testing import FakeProvider, Reply, Rule, Script


def gone(pid: int, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if (
            Path(f"/proc/{pid}/stat").exists()
            and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        ):
            return True
        time.sleep(0.01)
    return False


def test_a_process_answers_counts_obeys_and_ends(talk, make_chat):
    script = Script(answers=[Rule(when={"input": "\ud800"}, text="odd")], variants={"v": {"default": {"text": "v"}}})
    with FakeProvider(script).in_process() as fake:
        pid = fake.pid
        assert pid != os.getpid()
        assert b'"odd"' in talk(fake.port, make_chat("\ud800"))
        talk(fake.port, make_chat("a"))
        talk(fake.port, make_chat("a"))
        assert (fake.calls, fake.calls_for("a"), fake.per_input("a").again, fake.stats.again) == (3, 2, 1, 1)
        assert fake.calls_for("\ud800", model="m") == 1
        assert [call["attempt"] for call in fake.log] == [1, 1, 2]
        fake.switch("v")
        assert b'"content":"v"' in talk(fake.port, make_chat("a"))
        assert fake.stats.variant == "v"
        with pytest.raises(UsageError, match="no variant"):
            fake.switch("w")
        fake.reset()
        assert fake.calls == 0
        fake.load(Script(default=Reply(text="new")))
        assert b'"new"' in talk(fake.port, make_chat("a"))
        child = fake._child
    assert gone(pid)
    assert child.returncode == 0  # it ended by itself; it did not have to be killed


def test_a_process_that_was_killed_is_an_error_and_leaves_nothing():
    with FakeProvider().in_process() as fake:
        os.kill(fake.pid, signal.SIGKILL)
        assert gone(fake.pid)
        with pytest.raises(UsageError, match="does not answer"):
            _ = fake.stats


PARENT = """
import os, signal
from seatrial.testing import FakeProvider
with FakeProvider().in_process() as fake:
    print(fake.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_process_ends_when_its_parent_is_killed():
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert gone(int(done.stdout))


SERVE = """
from seatrial.testing import Script, serve
stats = serve(Script(), announce=lambda url: print(url, flush=True))
print(stats.calls)
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_serve_announces_its_address_and_ends_cleanly(talk, make_chat, sign):
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/v1")
        assert b" 200 OK" in talk(int(url.removesuffix("/v1").rsplit(":", 1)[1]), make_chat("a"))
        child.send_signal(sign)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (0, "1\n", "")


def test_importing_the_room_is_light():
    probe = "import sys, seatrial.testing; print([m for m in ('aiohttp', 'ruamel.yaml', 're2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
