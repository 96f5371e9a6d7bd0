"""How much memory many slow streams take: the real `openai:` target against the fake provider in another process.

    python bench/streams.py [--streams 1000] [--tokens 100] [--between 0.1]

Opens so many streamed answers at once, each dripping one token at a time, and prints one line of JSON: the peak
resident memory of this process in MB, what it had before the first request, and how the streams ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.suite import TargetSpec
from seatrial.targets import Prompt, build
from seatrial.testing import FakeProcess, Script


def peak_mb() -> float:
    """The largest resident set of this process so far, in MB (10**6 bytes).

    Linux gives `ru_maxrss` of a new program no less than what its parent held when it was started; VmHWM is its own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


async def hold(base_url: str, streams: int) -> tuple[list[Output], int]:
    """Ask for all streams at once; the outputs, and the most that were out at one time."""
    spec = TargetSpec(use="openai:m", base_url=base_url, stream=True, concurrency=min(streams, 4096), timeout=600)
    target = build("model", spec, Path(), {})
    case = Case(id="1", input="drip")
    request = Prompt(("input",)).request(case, {})
    most = out = 0

    async def one() -> Output:
        nonlocal most, out
        out += 1
        most = max(most, out)
        try:
            return await target.generate(case, request)
        finally:
            out -= 1

    await target.open()
    try:
        return await asyncio.gather(*(one() for _ in range(streams))), most
    finally:
        await target.close()


def measure(streams: int, tokens: int, between: float) -> dict[str, Any]:
    """Run the streams to their end and say what they took."""
    script = Script.model_validate(
        {
            "default": {"text": "word " * tokens},
            "latency": 1.0,
            "stream": {"between": between},
        }
    )
    with FakeProcess(script) as fake:
        before, started = peak_mb(), time.perf_counter()
        outputs, most = asyncio.run(hold(fake.base_url, streams))
        seconds = time.perf_counter() - started
    ends = Counter(output.failure.code if output.failure else "ok" for output in outputs)
    slowest = max((output.timing.total or 0.0 for output in outputs), default=0.0)
    return {
        "streams": streams,
        "at_once": most,
        "ends": dict(ends),
        "seconds": round(seconds, 1),
        "slowest_stream_seconds": round(slowest, 1),
        "before_mb": round(before, 1),
        "peak_mb": round(peak_mb(), 1),
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="Memory of many slow streams.")
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--between", type=float, default=0.1)
    chosen = parser.parse_args()
    print(json.dumps(measure(chosen.streams, chosen.tokens, chosen.between)))


if __name__ == "__main__":
    main()
