"""What running a suite costs, beside a bare script that only asks: process against process, in one run.

    python bench/overhead.py [--cases 2000] [--repeats 5] [--quick] [--peers]

Prints a table and writes bench/results/overhead.json. Every figure is a ratio against the bare script of the same
run, as machines differ and are shared. `--peers` also installs and measures Inspect and promptfoo in a scratch folder.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import seatrial
from seatrial.testing import FakeProvider, Latency, Script

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64

BARE = """
import asyncio, sys, aiohttp
url, cases, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

async def work(session, pending):
    for i in pending:
        body = {"model": "m", "messages": [{"role": "user", "content": f"question {i}"}]}
        async with session.post(f"{url}/chat/completions", json=body) as answer:
            (await answer.json())["choices"][0]["message"]["content"]

async def main():
    pending = iter(range(cases))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        await asyncio.gather(*(work(session, pending) for _ in range(connections)))

asyncio.run(main())
"""

SUITE = """
name: overhead
dataset:
  path: cases.jsonl
targets:
  model:
    use: openai:m
    base_url: {url}
    concurrency: {connections}
rubrics:
  - name: exact
    scorer: exact
  - name: contains
    scorer: contains
  - name: pattern
    scorer: regex
    with: {{pattern: "question [0-9]+"}}
  - name: number
    scorer: numeric
  - name: short
    scorer: length
    with: {{max: 200}}
"""


class Spent(NamedTuple):
    """What one process took: seconds of wall clock, seconds of CPU, peak memory in MB."""

    wall: float
    cpu: float
    peak: float


def as_installed() -> None:
    """Have our bytecode cached as pip leaves it, and let every process that is measured use its own."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(Path(seatrial.__file__).parent, quiet=1)


def measure(command: list[str], folder: Path) -> Spent:
    """Run a process to its end. Memory is the kernel's own peak for that process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {errors.decode()[-2000:]}")
    return Spent(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(spent: list[Spent]) -> Spent:
    return Spent(*(statistics.median(column) for column in zip(*spent, strict=True)))


def prepare(folder: Path, url: str, cases: int) -> None:
    shutil.rmtree(folder / ".seatrial", ignore_errors=True)
    (folder / "seatrial.yaml").write_text(SUITE.format(url=url, connections=CONNECTIONS))
    with (folder / "cases.jsonl").open("w") as file:
        for i in range(cases):
            file.write(json.dumps({"id": f"c{i}", "input": f"question {i}", "expected": f"question {i}"}) + "\n")


def program(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("seatrial")), *arguments]


def against_bare(folder: Path, url: str, cases: int, repeats: int) -> dict[str, Spent]:
    """Bare script and a first run, alternating; then the cached rerun."""
    bare, ours, cached = [], [], []
    for _ in range(repeats):
        bare.append(measure([sys.executable, "-c", BARE, url, str(cases), str(CONNECTIONS)], folder))
        prepare(folder, url, cases)
        ours.append(measure(program("run", "--json"), folder))
        cached.append(measure(program("run", "--json"), folder))
    return {"bare": median(bare), "run": median(ours), "cached": median(cached)}


def slow_provider(folder: Path, cases: int, seconds: float) -> dict[str, float]:
    """How near to the ideal: cases / connections × latency."""
    script = Script(latency=Latency(constant=seconds))
    with FakeProvider(script).in_process() as fake:
        prepare(folder, fake.base_url, cases)
        spent = measure(program("run", "--json"), folder)
    ideal = -(-cases // CONNECTIONS) * seconds
    return {"ideal": ideal, "wall": spent.wall, "ratio": spent.wall / ideal}


def memory(folder: Path, url: str, sizes: tuple[int, int]) -> dict[str, float]:
    """Peak memory of a first run at two sizes."""
    peaks: list[float] = []
    for cases in sizes:
        prepare(folder, url, cases)
        peaks.append(measure(program("run", "--json"), folder).peak)
    return {"small_mb": peaks[0], "large_mb": peaks[1], "ratio": peaks[1] / peaks[0]}


def startup(folder: Path, repeats: int) -> dict[str, float]:
    commands = {
        "help": program("--help"),
        "import": [sys.executable, "-c", "import seatrial"],
        "python": [sys.executable, "-c", "pass"],
    }
    return {
        name: statistics.median(measure(command, folder).wall for _ in range(repeats * 2 + 1))
        for name, command in commands.items()
    }


INSPECT = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import exact, includes, match, pattern, f1
url, cases, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data = MemoryDataset([Sample(input=f"question {i}", target=f"question {i}", id=i) for i in range(cases)])
task = Task(dataset=data, scorer=[exact(), includes(), match(), pattern("(question [0-9]+)"), f1()])
model = get_model("openai/m", base_url=url, api_key="none")
eval(task, model=model, max_connections=connections, max_samples=connections, display="none", log_dir="logs")
"""

PROMPTFOO = """
providers:
  - id: openai:chat:m
    config: {{apiBaseUrl: "{url}", apiKey: none}}
prompts: ["{{{{q}}}}"]
tests: file://tests.csv
"""


def inspect_ai(folder: Path, url: str, cases: int) -> Spent | None:
    scratch = folder / "inspect"
    subprocess.run([sys.executable, "-m", "venv", scratch], check=True)
    pip = [scratch / "bin" / "python", "-m", "pip", "install", "-q", "inspect_ai", "openai"]
    if subprocess.run(pip, check=False).returncode != 0:
        return None
    return measure([str(scratch / "bin" / "python"), "-c", INSPECT, url, str(cases), str(CONNECTIONS)], folder)


def promptfoo(folder: Path, url: str, cases: int) -> Spent | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    if subprocess.run([npm, "install", "--silent", "--no-audit", "promptfoo"], cwd=folder, check=False).returncode != 0:
        return None
    (folder / "promptfooconfig.yaml").write_text(PROMPTFOO.format(url=url))
    checks = ["equals:{{q}}", "contains:{{q}}", "regex:question [0-9]+", "icontains:question", "starts-with:question"]
    header = ",".join(["q", *(f"__expected{i + 1}" for i in range(len(checks)))])
    rows = [",".join([f"question {i}", *(c.replace("{{q}}", f"question {i}") for c in checks)]) for i in range(cases)]
    (folder / "tests.csv").write_text("\n".join([header, *rows]) + "\n")
    os.environ |= {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "HOME": str(folder)}
    command = [str(folder / "node_modules" / ".bin" / "promptfoo"), "eval", "--no-cache", "-j", str(CONNECTIONS)]
    return measure([*command, "--no-progress-bar", "--no-table"], folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="skip the slow provider and the memory measure")
    parser.add_argument("--peers", action="store_true", help="measure Inspect and promptfoo too (downloads them)")
    chosen = parser.parse_args()
    os.environ["no_proxy"] = "*"
    as_installed()
    results: dict[str, object] = {"cases": chosen.cases, "connections": CONNECTIONS}
    with tempfile.TemporaryDirectory(prefix="seatrial-bench-") as name, FakeProvider().in_process() as fake:
        folder = Path(name)
        spent = against_bare(folder, fake.base_url, chosen.cases, chosen.repeats)
        bare = spent["bare"]
        print(f"{chosen.cases:,} cases, {CONNECTIONS} connections, medians of {chosen.repeats}; × is against bare")
        for what, took in spent.items():
            show(what, took, bare)
            results[what] = took._asdict()
        results["wall_ratio"], results["cpu_ratio"] = spent["run"].wall / bare.wall, spent["run"].cpu / bare.cpu
        if chosen.peers:
            for what, peer in (("inspect", inspect_ai), ("promptfoo", promptfoo)):
                took = peer(folder, fake.base_url, chosen.cases)
                if took is None:
                    print(f"{what:<10} could not be installed here")
                else:
                    show(what, took, bare)
                    results[what] = took._asdict()
        results["startup"] = started = startup(folder, chosen.repeats)
        print("startup    " + ", ".join(f"{what} {seconds * 1000:.0f} ms" for what, seconds in started.items()))
        if not chosen.quick:
            results["memory"] = peak = memory(folder, fake.base_url, (10_000, 100_000))
            small, large = peak["small_mb"], peak["large_mb"]
            print(f"memory     {small:.0f} MB at 10,000, {large:.0f} MB at 100,000: × {peak['ratio']:.2f}")
            results["slow"] = slow = slow_provider(folder, chosen.cases, 0.3)
            print(f"at 300 ms  {slow['wall']:.1f} s, ideal {slow['ideal']:.1f} s: × {slow['ratio']:.2f}")
    own = resource.getrusage(resource.RUSAGE_SELF)
    results["bench_cpu"] = own.ru_utime
    target = HERE / "results" / "overhead.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")


def show(what: str, took: Spent, bare: Spent) -> None:
    print(
        f"{what:<10} wall {took.wall:7.2f} s (× {took.wall / bare.wall:5.2f})   "
        f"CPU {took.cpu:7.2f} s (× {took.cpu / bare.cpu:5.2f})   peak {took.peak:5.0f} MB"
    )


if __name__ == "__main__":
    main()
