"""From a log dump to a set: how fast and in how much memory, beside a loop that only parses the same lines.

    python bench/datasets.py [--records 1000000] [--size 2000] [--keep FOLDER]

Generates so many log records of a support desk (the same every time: personal data, secrets, equal and nearly equal
requests, skewed intents, sessions), then times each stage in a process of its own: a bare JSON loop, `seatrial dataset
import` (which scrubs) and `seatrial dataset sample`. Prints one line of JSON: wall and processor seconds, records a
second of each, peak memory in MB (10**6 bytes, where the system tells), and each stage's time as a multiple of the bare
loop's. A record is about 1 KB of sentences put together anew, nine times in ten; more than half hold personal data.
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
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180
INTENTS = {"refund": 42, "delivery": 27, "account": 14, "invoice": 9, "warranty": 5, "recall": 2, "legal": 1}
ASKS = {
    "refund": (
        "I want my money back for order {order}, the {item} {fault}",
        "please refund the {item} I bought on {day}",
        "how long until you refund the {amount} for the {item}",
        "money back please: the {item} {fault} {when}",
    ),
    "delivery": (
        "where is my parcel with the {item}, number {order}",
        "the {item} should have been delivered on {day}",
        "my parcel was delivered to {place} and the {item} is missing",
        "the {item} was delivered {when} and it {fault}",
    ),
    "account": (
        "I cannot log in with {mail} {when}",
        "please change the phone number of my account to {phone}",
        "I want to log in from {place} but the page {fault}",
        "delete my account, I bought a {item} {when} for {amount}",
    ),
    "invoice": (
        "I need an invoice for {order} sent to {mail}",
        "the invoice of {day} charges the {item} twice",
        "your invoice says {amount} for a {item}",
        "put the company at {place} on the invoice for the {item}",
    ),
    "warranty": (
        "the {item} broke {when}, does the warranty cover it",
        "my {item} {fault} and needs a repair",
        "is there a warranty on the {item} of {day}",
        "who pays the repair of a {item} that {fault}",
    ),
    "recall": (
        "is my {item} part of the recall announced on {day}",
        "the {item} got hot {when} and smells of smoke",
        "a shop at {place} told me of a recall of the {item}",
        "should I stop using the {item} after the recall",
    ),
    "legal": (
        "my lawyer will write to you about order {order}",
        "under which law do you keep my data, {mail}",
        "my lawyer says the {item} that {fault} is your fault",
        "under which law may I return a {item} {when}",
    ),
}
KINDS = (
    "blue",
    "second-hand",
    "foldable",
    "large",
    "cordless",
    "wooden",
    "cheap",
    "waterproof",
    "black",
    "green",
    "small",
    "electric",
    "children's",
    "heavy",
    "new",
    "double",
    "Italian",
    "portable",
    "steel",
    "silent",
    "striped",
    "smart",
)
THINGS = (
    "kettle",
    "charger",
    "winter coat",
    "office chair",
    "headset",
    "tent",
    "bicycle lamp",
    "coffee grinder",
    "drill",
    "rucksack",
    "toaster",
    "keyboard",
    "garden hose",
    "mirror",
    "bookshelf",
    "sleeping bag",
    "vacuum cleaner",
    "rug",
    "alarm clock",
    "frying pan",
    "desk lamp",
    "umbrella",
    "scooter",
    "suitcase",
    "monitor",
    "blanket",
    "ladder",
    "fan",
)
FAULTS = (
    "stopped working",
    "makes a loud noise",
    "arrived with a crack",
    "does not fit",
    "lost its colour",
    "leaks",
    "came without a plug",
    "has a scratch on one side",
    "will not switch on",
    "smells of glue",
    "is the wrong size",
    "lacks two screws",
    "keeps falling over",
    "shows nothing at all",
    "does not close",
    "turned out to be used",
)
PLACES = (
    "the office",
    "my sister's flat",
    "the station",
    "the corner shop",
    "our cabin",
    "the school",
    "a petrol station",
    "the back door",
    "the town hall",
    "a hotel",
    "the garage",
    "the clinic",
    "the market",
    "our warehouse",
    "the port",
)
TIMES = (
    "last week",
    "two days ago",
    "since Monday",
    "after the update",
    "before the holidays",
    "this morning",
    "within an hour",
    "a month ago",
    "on the first evening",
    "after one wash",
    "at the weekend",
    "in the spring",
    "when it rained",
    "for the third time",
    "since we moved",
    "right after lunch",
    "during the trip",
    "all of a sudden",
)
FIRST = ("Anna", "Luis", "Mei", "Omar", "Ingrid", "Tom", "Priya", "Jakub", "Fatou", "Elena", "Noah", "Yuki")
LAST = ("Berger", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Silva", "Hughes", "Rossi", "Kowalski")
PERSONAL = (
    "I paid by card {card}.", "You can reach me at {phone}.", "I wrote to {mail} {when} already.",
    "I live at {number} Harbour Street now.", "My token was {secret}, if that helps.", "Call me on {phone} {when}.",
    "The card {card} was charged {amount} for it.", "Send it to {number} Mill Road, not to {place}.",
    "My address is {mail}, as it was {when}.", "The app printed {secret} {when}.",
)  # fmt: skip
TALK = (
    "I have ordered from you for years and the {other} {fault} only now.", "The chat on your page {fault} {when}.",
    "My neighbour took it to {place}, or so the driver said {when}.", "Please answer before {day}.",
    "The box was open and stood at {place} {when}.", "We need the {other} at {place} by {day}.",
    "It was meant as a present, like the {other} {when}.", "The {other} is not the one in the picture.",
    "I only noticed it {when}, on the way to {place}.", "Thank you, and sorry that I wrote {when}.",
    "The app shows an error with the code {code} when I open {place}.", "This is urgent because the {other} {fault}.",
    "I am very disappointed, {amount} is a lot for a {item}.", "The {other} of the same order was fine {when}.",
    "Nobody answered the phone on {day}.", "A friend bought the same {item} at {place} for {amount}.",
    "I tried it with the {other} as well, and it {fault}.", "Your colleague promised {amount} {when}.",
    "The manual says to take the {item} to {place}.", "I took a photo of the {other} {when}.",
    "My children use the {item} at {place} every day.", "If it {fault} again I will buy a {other} elsewhere.",
    "The seal of the {other} was broken {when}.", "There was no paper in the box, only a {other}.",
    "I would also take a {other} instead, if it costs {amount} or less.", "It worked {when}, then it {fault}.",
    "The driver left it at {place} although it was raining {when}.", "Is the {other} still made?",
    "Both the {item} and the {other} came from {place}.", "I can send it back from {place} {when}.",
)  # fmt: skip
SYSTEM = "You are the support desk of Harbour Goods. Be brief, be kind, and never promise what the policy does not."
ANSWERS = (
    "I am sorry that the {item} {fault}.", "Thank you for telling us about the {item}.", "Dear Ms {last}, thank you.",
    "A colleague will look at order {order} {when}.", "We will send a {other} to {place}.",
    "You will get {amount} back by {day}.", "Please keep the {item} until {day}.", "The {other} is in stock again.",
    "Our driver can collect it at {place}.", "That code {code} means that the page {fault}.",
    "I have noted that it {fault} {when}.", "Could you send a photo of the {other}?", "The policy allows {amount}.",
    "It should work with a {other}.", "Please do not use the {item} for now.", "I have asked {place} about it.",
)  # fmt: skip


def card(rng: random.Random) -> str:
    """A card number with its check digit."""
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    doubled = [sum(divmod(2 * d, 10)) if i % 2 == 0 else d for i, d in enumerate(digits)]
    return "".join(map(str, [*digits, -sum(doubled) % 10]))


def request(rng: random.Random) -> tuple[str, str, str]:
    """An intent, a text that asks it, and an answer."""
    intent = rng.choices(list(INTENTS), weights=list(INTENTS.values()))[0]
    first, last = rng.choice(FIRST), rng.choice(LAST)

    def said(parts: list[str]) -> str:
        filled = (part.format(**{name: made[name]() for name in blanks(part)}) for part in parts)
        return " ".join(part if part[-1] in ".?" else part + "." for part in filled)

    made: dict[str, Callable[[], str]] = {
        "order": lambda: f"HG-{rng.randrange(10**7):07d}", "number": lambda: f"{rng.randrange(1, 300)}",
        "item": lambda: item, "other": lambda: thing(rng), "fault": lambda: rng.choice(FAULTS), "last": lambda: last,
        "place": lambda: rng.choice(PLACES), "when": lambda: rng.choice(TIMES),
        "amount": lambda: f"{rng.randrange(5, 400)}.{rng.randrange(100):02d} pounds",
        "day": lambda: (START + timedelta(days=rng.randrange(DAYS))).strftime("%d %B"),
        "code": lambda: f"{rng.randrange(1000, 9999)}", "card": lambda: card(rng),
        "mail": lambda: f"{first.lower()}.{last.lower()}{rng.randrange(1000)}@harbourpost.net",
        "phone": lambda: f"+44 20 8{rng.randrange(1000):03d} {rng.randrange(10000):04d}",
        "secret": lambda: f"sk-{rng.getrandbits(160):040x}",
    }  # fmt: skip
    item = thing(rng)
    body = rng.sample(TALK, rng.randrange(2, 6)) + (
        rng.sample(PERSONAL, rng.randrange(1, 4)) if rng.random() < 0.4 else []
    )
    rng.shuffle(body)
    text = said([rng.choice(ASKS[intent]), *body])
    answer = said(rng.sample(ANSWERS, rng.randrange(1, 5)))
    return intent, f"{text} {first} {last}" if rng.random() < 0.5 else text, answer


@cache
def blanks(part: str) -> list[str]:
    """What a sentence leaves open."""
    return [name for _, name, _, _ in Formatter().parse(part) if name]


def thing(rng: random.Random) -> str:
    """Something that a shop sells."""
    return f"{rng.choice(KINDS)} {rng.choice(THINGS)}"


def records(count: int, seed: int = 20260101) -> Iterator[dict[str, Any]]:
    """Log records: a tenth repeats an earlier request as it was, another tenth with a word or two changed."""
    rng = random.Random(seed)
    recent: list[tuple[str, str, str]] = []
    for at in range(count):
        fate = rng.random()
        if recent and fate < 0.2:
            intent, text, answer = rng.choice(recent)
            if fate < 0.1:
                text = rng.choice(("Hello, ", "hi. ", "Good morning! ")) + text
        else:
            intent, text, answer = found = request(rng)
            if len(recent) < 5000:
                recent.append(found)
            else:
                recent[rng.randrange(5000)] = found
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
                "choices": [{"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}],
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
import atexit, runpy, sys, time

def tell():
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")).split()[1]
    print("PEAK", peak, time.process_time(), file=sys.stderr)

sys.argv = sys.argv[1:]
atexit.register(tell)
runpy.run_module("seatrial", run_name="__main__", alter_sys=False)
"""


class Spent(NamedTuple):
    """What a process took: wall seconds, processor seconds, and its peak resident memory in MB where it tells."""

    seconds: float
    cpu: float | None = None
    peak: float | None = None


def timed(command: list[str]) -> Spent:
    """What a command takes on one core."""
    prefix = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    started = time.perf_counter()
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(command[-8:])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    told = [line.split()[1:] for line in done.stderr.splitlines() if line.startswith("PEAK ")]
    return Spent(seconds, float(told[-1][1]), int(told[-1][0]) * 1024 / 1e6) if told else Spent(seconds)


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
    bare = timed([sys.executable, "-c", BARE, str(logs)]).seconds
    settings = ["--size", str(size), "--by", "intent", "--allocation", f"floored:{size // 40}"]
    stages = {
        "import": timed([*ours, "import", str(logs), "--into", str(pool), "--json"]),
        "sample": timed([*ours, "sample", str(pool), "--into", str(into), *settings, "--json"]),
    }
    found: dict[str, Any] = {
        "records": count, "log_mb": round(logs.stat().st_size / 1e6, 1), "bare_seconds": round(bare, 2),
        "replaced": json.loads(pool.with_name(f"{pool.name}.report.json").read_text("utf-8"))["scrubbed"],
    }  # fmt: skip
    for name, spent in [*stages.items(), ("all", together(list(stages.values())))]:
        found[name] = {
            "seconds": round(spent.seconds, 2),
            "per_second": round(count / spent.seconds),
            "cpu_seconds": spent.cpu and round(spent.cpu, 2),
            "per_cpu_second": spent.cpu and round(count / spent.cpu),
            "of_bare": round(spent.seconds / bare, 1),
            "peak_mb": spent.peak and round(spent.peak, 1),
        }
    return found


def together(stages: list[Spent]) -> Spent:
    """Stages that run one after another: times add up, the highest peak is the peak."""
    known = [one for one in stages if one.cpu is not None and one.peak is not None]
    if len(known) < len(stages):
        return Spent(sum(one.seconds for one in stages))
    return Spent(sum(s.seconds for s in stages), sum(s.cpu or 0 for s in known), max(s.peak or 0 for s in known))


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
