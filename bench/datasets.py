"""From a log dump to a set: how fast and in how much memory, beside a loop that only parses the same lines.

    python bench/datasets.py [--records 1000000] [--size 2000] [--keep FOLDER]

Generates so many log records of a support desk (the same every time: personal data, secrets, equal and nearly equal
requests, skewed intents, sessions), then times each stage in a process of its own: a bare JSON loop, `seatrial dataset
import` (which scrubs) and `seatrial dataset sample`. Prints one line of JSON: seconds, records a second, peak memory in
MB (10**6 bytes, where the system tells), and each stage's time as a multiple of the bare loop's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180
INTENTS = {"refund": 42, "delivery": 27, "account": 14, "invoice": 9, "warranty": 5, "recall": 2, "legal": 1}
ASKS = {
    "refund": ("I want my money back for order {order}", "please refund the {item} I bought on {day}"),
    "delivery": ("where is my parcel, number {order}", "the {item} should have been delivered on {day}"),
    "account": ("I cannot log in with {mail}", "please change the phone number of my account to {phone}"),
    "invoice": ("I need an invoice for {order} sent to {mail}", "the invoice of {day} charges the {item} twice"),
    "warranty": ("the {item} broke after a week, does the warranty cover it", "my {item} needs a repair"),
    "recall": ("is my {item} part of the recall announced on {day}", "the {item} got hot and smells of smoke"),
    "legal": ("my lawyer will write to you about order {order}", "under which law do you keep my data, {mail}"),
}
ITEMS = ("kettle", "blue charger", "winter coat", "office chair", "headset", "tent", "bicycle lamp", "coffee grinder")
FIRST = ("Anna", "Luis", "Mei", "Omar", "Ingrid", "Tom", "Priya", "Jakub", "Fatou", "Elena", "Noah", "Yuki")
LAST = ("Berger", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Silva", "Hughes", "Rossi", "Kowalski")
TALK = (
    "I have been a customer for years and never had to write before.", "The chat on your page did not help me.",
    "My neighbour took it in, or so the driver said.", "I paid by card {card}.", "You can reach me at {phone}.",
    "I wrote to {mail} twice already.", "Please answer before the weekend.", "The box was open when it came.",
    "Our office needs it for a trade fair.", "I live at {number} Harbour Street now.", "It was meant as a present.",
    "The colour is not the one in the picture.", "I only noticed it when I came home.", "Thank you in advance.",
    "The app shows an error with the code {code}.", "My token was {secret}, if that helps.", "This is urgent.",
    "I am very disappointed.", "The second item of the order was fine.", "Nobody answered the phone on {day}.",
)  # fmt: skip
SYSTEM = "You are the support desk of Harbour Goods. Be brief, be kind, and never promise what the policy does not."
ANSWER = "I am sorry for the trouble. A colleague will look at your order today and write to you by tomorrow evening."


def card(rng: random.Random) -> str:
    """A card number with its check digit."""
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    doubled = [sum(divmod(2 * d, 10)) if i % 2 == 0 else d for i, d in enumerate(digits)]
    return "".join(map(str, [*digits, -sum(doubled) % 10]))


def request(rng: random.Random) -> tuple[str, str]:
    """An intent and a text that asks it."""
    intent = rng.choices(list(INTENTS), weights=list(INTENTS.values()))[0]
    first, last = rng.choice(FIRST), rng.choice(LAST)
    fill = {
        "order": f"HG-{rng.randrange(10**7):07d}", "item": rng.choice(ITEMS), "number": rng.randrange(1, 300),
        "day": (START + timedelta(days=rng.randrange(DAYS))).strftime("%d %B"), "code": rng.randrange(1000, 9999),
        "mail": f"{first}.{last}{rng.randrange(1000)}@harbourpost.net".lower(), "card": card(rng),
        "phone": f"+44 20 8{rng.randrange(1000):03d} {rng.randrange(10000):04d}",
        "secret": f"sk-{rng.getrandbits(160):040x}",
    }  # fmt: skip
    body = [rng.choice(ASKS[intent]), *rng.sample(TALK, rng.randrange(2, 7))]
    text = " ".join(part if part.endswith(".") else part + "." for part in body).format(**fill)
    return intent, f"{text} {first} {last}" if rng.random() < 0.5 else text


def records(count: int, seed: int = 20260101) -> Iterator[dict[str, Any]]:
    """Log records: a tenth repeats an earlier request as it was, another tenth with a word or two changed."""
    rng = random.Random(seed)
    recent: list[tuple[str, str]] = []
    for at in range(count):
        fate = rng.random()
        if recent and fate < 0.2:
            intent, text = rng.choice(recent)
            if fate < 0.1:
                text = rng.choice(("Hello, ", "hi. ", "Good morning! ")) + text
        else:
            intent, text = request(rng)
            if len(recent) < 5000:
                recent.append((intent, text))
            else:
                recent[rng.randrange(5000)] = (intent, text)
        when = START + timedelta(seconds=at * DAYS * 86400 / count)
        yield {
            "id": f"log-{at:08d}",
            "timestamp": when.isoformat(),
            "trace_id": f"{rng.getrandbits(128):032x}",
            "session_id": f"session-{at // 2 if rng.random() < 0.3 else at + count}",
            "metadata": {"route": intent, "channel": rng.choice(("web", "app", "mail"))},
            "request": {
                "model": "small-1",
                "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
            },
            "response": {
                "model": "small-1",
                "choices": [{"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 40 + len(text) // 4, "completion_tokens": 30},
            },
        }


def write(path: Path, count: int) -> None:
    """The records as JSONL."""
    with path.open("w", encoding="utf-8") as out:
        for record in records(count):
            out.write(json.dumps(record, sort_keys=True, separators=(",", ":")) + "\n")


BARE = "import json,sys\nfor line in open(sys.argv[1], 'rb'): json.loads(line)\n"
PEAK = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module("seatrial", run_name="__main__", alter_sys=False)
finally:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")).split()[1]
    print("PEAK", peak, file=sys.stderr)
"""


def timed(command: list[str]) -> tuple[float, float | None]:
    """Wall seconds of a command on one core, and its peak resident memory in MB where it tells."""
    prefix = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    started = time.perf_counter()
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(command[-8:])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    peak = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("PEAK ")]
    return seconds, int(peak[-1]) * 1024 / 1e6 if peak else None


STRATA = """\
stratifiers:
- stratum: intent
  use: rules
  rules:
  - {name: refund, contains: [money back, refund]}
  - {name: delivery, contains: [parcel, delivered]}
  - {name: account, contains: [log in, my account]}
  - {name: invoice, contains: invoice}
  - {name: warranty, contains: [warranty, repair]}
  - {name: recall, matches: 'recall|smells of smoke'}
  - {name: legal, contains: [lawyer, which law]}
"""


def measure(folder: Path, count: int, size: int) -> dict[str, Any]:
    """Every stage over one dump."""
    logs, pool, into = folder / "logs.jsonl", folder / "pool.jsonl", folder / "set"
    write(logs, count)
    into.mkdir(exist_ok=True)
    (into / "set.yaml").write_text(STRATA)
    ours = [sys.executable, "-c", PEAK, "seatrial", "dataset"]
    bare, _ = timed([sys.executable, "-c", BARE, str(logs)])
    settings = ["--size", str(size), "--by", "intent", "--allocation", f"floored:{size // 40}"]
    stages = {
        "import": timed([*ours, "import", str(logs), "--into", str(pool), "--json"]),
        "sample": timed([*ours, "sample", str(pool), "--into", str(into), *settings, "--json"]),
    }
    total = sum(seconds for seconds, _ in stages.values())
    found: dict[str, Any] = {
        "records": count, "log_mb": round(logs.stat().st_size / 1e6, 1), "bare_seconds": round(bare, 2)
    }  # fmt: skip
    for name, seconds, peak in [*((n, s, p) for n, (s, p) in stages.items()), ("all", total, None)]:
        found[name] = {
            "seconds": round(seconds, 2),
            "per_second": round(count / seconds),
            "of_bare": round(seconds / bare, 1),
            "peak_mb": None if peak is None else round(peak, 1),
        }
    found["all"]["peak_mb"] = max((p for _, p in stages.values() if p is not None), default=None)
    return found


def main() -> None:
    """Parse the arguments and print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--size", type=int, default=2_000)
    options.add_argument("--keep", type=Path, help="Work in this folder and leave it.")
    asked = options.parse_args()
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measure(asked.keep, asked.records, asked.size)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), asked.records, asked.size)))


if __name__ == "__main__":
    main()
