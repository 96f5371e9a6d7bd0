"""What one request costs through our client, beside bare aiohttp, the official openai SDK and litellm.

    python bench/targets.py [--requests 4000] [--repeats 5] [--quick] [--peers]

Every client asks the same questions of a fake provider in a process of its own, 64 at a time, and checks each answer.
A client's process is measured from outside, once with a few requests and once with all: the difference is what the
requests cost, the rest is start-up. Prints a table and writes bench/results/targets.json. Every figure is a median and
a ratio against the bare script of the same run, as machines differ and are shared. `--peers` installs the openai SDK
and litellm into a scratch environment, and notes their versions.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from seatrial.testing import FakeProvider

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64
WARM = 256

FRAME = """
import asyncio, sys
url, requests, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pending = iter(range(requests))

async def work(ask):
    for i in pending:
        assert await ask(f"question {i}") == f"question {i}"

async def all_of(ask):
    await asyncio.gather(*(work(ask) for _ in range(connections)))
"""

CLIENTS = {
    "bare aiohttp": """
import aiohttp

async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        async def ask(text):
            body = {"model": "m", "messages": [{"role": "user", "content": text}]}
            async with session.post(f"{url}/chat/completions", json=body) as answer:
                return (await answer.json())["choices"][0]["message"]["content"]
        await all_of(ask)
""",
    "seatrial target": """
from pathlib import Path
from seatrial.core.case import Case
from seatrial.core.output import Request
from seatrial.core.suite import TargetSpec
from seatrial.targets import build

async def main():
    spec = TargetSpec(use="openai:m", base_url=url, concurrency=connections)
    target = build("t", spec, Path(), {})
    async def ask(text):
        case = Case(id="1", input=text)
        return (await target.generate(case, Request(messages=case.input))).text
    await target.open()
    await all_of(ask)
    await target.close()
""",
    "seatrial.acomplete": """
import seatrial

async def main():
    async def ask(text):
        return (await seatrial.acomplete("openai:m", text, base_url=url, concurrency=connections)).text
    await all_of(ask)
""",
}

PEERS = {
    "openai SDK": """
from openai import AsyncOpenAI

async def main():
    async with AsyncOpenAI(base_url=url, api_key="none") as client:
        async def ask(text):
            messages = [{"role": "user", "content": text}]
            done = await client.chat.completions.create(model="m", messages=messages)
            return done.choices[0].message.content
        await all_of(ask)
""",
    "litellm.acompletion": """
import litellm

async def main():
    async def ask(text):
        messages = [{"role": "user", "content": text}]
        done = await litellm.acompletion(model="openai/m", messages=messages, base_url=url, api_key="none")
        return done.choices[0].message.content
    await all_of(ask)
""",
}
QUIET = {"no_proxy": "*", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


class Spent(NamedTuple):
    """What one process took: seconds of wall clock, seconds of CPU, peak memory in MB."""

    wall: float
    cpu: float
    peak: float


class Cost(NamedTuple):
    """What requests cost: requests per second, CPU milliseconds each, start-up seconds, peak memory in MB."""

    rate: float
    cpu_ms: float
    startup: float
    peak: float


def measure(python: Path, program: str, url: str, requests: int) -> Spent:
    """Run a client to its end. CPU and memory are the kernel's own counts for that process."""
    command = [str(python), "-c", f"{FRAME}\n{program}\nasyncio.run(main())\n", url, str(requests), str(CONNECTIONS)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **QUIET})
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"a client ended with {process.returncode}: {errors.decode()[-2000:]}")
    return Spent(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def cost(python: Path, program: str, url: str, requests: int) -> Cost:
    """One client's cost: a long run less a short one."""
    short = measure(python, program, url, WARM)
    long = measure(python, program, url, WARM + requests)
    wall, cpu = long.wall - short.wall, long.cpu - short.cpu
    if wall <= 0 or cpu <= 0:
        raise SystemExit("the machine is too busy: start-up alone took longer than start-up and requests")
    return Cost(requests / wall, 1000 * cpu / requests, short.wall, long.peak)


def peers(folder: Path) -> tuple[Path, dict[str, str]]:
    """An interpreter that has the peers, and their versions."""
    subprocess.run([sys.executable, "-m", "venv", folder / "peers"], check=True)
    python = folder / "peers" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "openai", "litellm"], check=True)
    code = "import json; from importlib.metadata import version as v; print(json.dumps({n: v(n) for n in %r}))"
    names = ["openai", "litellm", "httpx", "aiohttp"]
    said = subprocess.run([python, "-c", code % names], check=True, capture_output=True, text=True).stdout
    return python, json.loads(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="1,000 requests, three times")
    parser.add_argument("--peers", action="store_true", help="measure the openai SDK and litellm too (downloads them)")
    chosen = parser.parse_args()
    requests, repeats = (1000, 3) if chosen.quick else (chosen.requests, chosen.repeats)
    versions = {"python": platform.python_version(), "seatrial": version("seatrial"), "aiohttp": version("aiohttp")}
    results: dict[str, object] = {"requests": requests, "connections": CONNECTIONS, "repeats": repeats}
    with tempfile.TemporaryDirectory(prefix="seatrial-bench-") as name:
        clients = {what: (Path(sys.executable), program) for what, program in CLIENTS.items()}
        if chosen.peers:
            python, found = peers(Path(name))
            clients |= {what: (python, program) for what, program in PEERS.items()}
            results["peers"] = found
        found_costs: dict[str, list[Cost]] = {what: [] for what in clients}
        with FakeProvider().in_process() as fake:
            for _ in range(repeats):  # alternating, so that all meet the same neighbours
                for what, (python, program) in clients.items():
                    found_costs[what].append(cost(python, program, fake.base_url, requests))
    medians = {what: Cost(*map(statistics.median, zip(*costs, strict=True))) for what, costs in found_costs.items()}
    results |= {"versions": versions, "clients": {what: took._asdict() for what, took in medians.items()}}
    show(medians, requests, repeats)
    target = HERE / "results" / "targets.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")


def show(medians: dict[str, Cost], requests: int, repeats: int) -> None:
    """The table."""
    bare = medians["bare aiohttp"]
    print(f"{requests:,} requests, {CONNECTIONS} at a time, medians of {repeats}; × is against bare aiohttp")
    for what, took in medians.items():
        print(
            f"{what:<20} {took.rate:6,.0f} requests/s (× {took.rate / bare.rate:4.2f})   "
            f"CPU {took.cpu_ms:5.2f} ms each (× {took.cpu_ms / bare.cpu_ms:5.2f})   "
            f"start {took.startup:4.2f} s   peak {took.peak:4.0f} MB"
        )


if __name__ == "__main__":
    main()
