"""How many outputs a second the scorers judge, on one core, through the same `judge_each` as in a run.

    python bench/scorers.py [--outputs 2000] [--repeats 5] [--quick] [--peers] [--profile NAME]

Ten scorers (exact, contains, regex, json_schema, numeric, fields, length, tool_calls, pii, refusal) all judge each of a
mix of outputs: extractions in JSON, worked solutions, replies of some 80 words, tool calls and refusals. Every case has
what every scorer needs, so that none is left out. Times are of the process, the best of the repeats, so that what else
the machine does counts little. chrf, groundedness and language are printed each. `--peers` installs DeepEval into a
scratch environment and measures its exact match, pattern match and tool metrics on the same outputs. Writes
bench/results/scorers.json.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import platform
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.cli.main import COLLECTED
from seatrial.core.case import Case
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.core.protocols import Scorer
from seatrial.scorers import BUILTIN, build, judge
from seatrial.scorers.judging import judge_each

RESULTS = Path(__file__).resolve().parent / "results/scorers.json"
GOAL = 10_000
SCHEMA = {
    "type": "object",
    "required": ["vendor", "total", "due"],
    "additionalProperties": False,
    "properties": {
        "vendor": {"type": "string", "minLength": 1},
        "total": {"type": "number", "minimum": 0},
        "due": {"type": "string", "format": "date"},
        "paid": {"type": "boolean"},
    },
}
TOGETHER: dict[str, dict[str, Any]] = {
    "exact": {},
    "contains": {"values": ["refund", "invoice"]},
    "regex": {"pattern": "[A-Z]{2}-[0-9]{6}"},
    "json_schema": {"schema": SCHEMA, "fenced": True},
    "numeric": {"abs": 0.01},
    "fields": {"types": {"total": {"type": "number", "abs": 0.01}}},
    "length": {"of": "words", "max": 250},
    "tool_calls": {},
    "pii": {},
    "refusal": {},
}
EACH: dict[str, dict[str, Any]] = {"chrf": {}, "groundedness": {}, "language": {"languages": ["en"]}}

REPLY = (
    "Hello Mrs Okafor, thank you for writing to us about order RF-{n:06}. I have looked into it: the parcel left our "
    "warehouse on 3 March and the carrier reports a delay at the depot in Leeds. As it is more than five working days "
    "late, you may choose between a new delivery and a refund of {amount:.2f} EUR to the card that you paid with. A "
    "refund takes three to five working days once you tell us which you prefer. If the parcel should arrive in the "
    "meantime, you can keep it and simply let us know. Kind regards, the support team"
)
SOLUTION = (
    "The shop sells {a} boxes in the morning and {b} in the afternoon, which makes {a} + {b} = {ab} boxes. Each box "
    "holds 6 cups, so {ab} * 6 = {cups} cups were sold. At 2.50 a cup the shop takes in {cups} * 2.50 = {total:.2f}.\n"
    "Answer: {total:.2f}"
)
REFUSED = (
    "I'm sorry, but I can't share details of another customer's invoice RF-{n:06}. If you have a question about your "
    "own account, I am happy to look into it with you, once you have confirmed the address that we have on file."
)


class Item(NamedTuple):
    """An output and the case that it answers."""

    case: Case
    output: Output


def items(count: int) -> list[Item]:
    """The mix, without chance."""
    return [_item(n) for n in range(count)]


def _item(n: int) -> Item:
    kind = n % 5
    amount = round(20 + n % 977 * 1.37, 2)
    wanted = {"vendor": f"Harbour Supplies {n % 60}", "total": amount, "due": f"2026-{1 + n % 12:02}-{1 + n % 28:02}"}
    call = ToolCall(name="find_order", arguments={"order": f"RF-{n:06}", "limit": n % 7})
    a, b = 10 + n % 37, 5 + n % 23
    cups = 6 * (a + b)
    text = (
        json.dumps({**wanted, "paid": bool(n % 2)}, indent=2),
        SOLUTION.format(a=a, b=b, ab=a + b, cups=cups, total=2.5 * cups),
        REPLY.format(n=n, amount=amount),
        "I will look that up.",
        REFUSED.format(n=n),
    )[kind]
    goal = {"name": call.name, "arguments": {key: [value] for key, value in call.arguments.items()}}
    expected = {
        "answers": [wanted, f"{2.5 * cups:.2f}"],
        "tool_calls": [[goal]] if kind == 3 else [[]],
        "behaviour": "refuse" if kind == 4 else "answer",
    }
    tool = {"name": "find_order", "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}}
    context = [REPLY.format(n=n, amount=amount)]
    case = Case(id=str(n), input="What about my order?", expected=expected, tools=[tool], context=context)
    said = Message(role="assistant", content=text, tool_calls=(call,) if kind == 3 else ())
    return Item(case.view(), Output(messages=(said,)))


async def _judge_all(scorers: Sequence[Scorer], found: Sequence[Item]) -> None:
    for item in found:
        await judge_each(scorers, item.case, item.output)


def seconds(scorers: Sequence[Scorer], count: int, repeats: int) -> float:
    """Seconds of the process for one output, the best of the repeats; every repeat judges outputs that are new."""
    best = float("inf")
    for _ in range(repeats):
        found = items(count)
        started = time.process_time()
        asyncio.run(_judge_all(scorers, found))
        best = min(best, (time.process_time() - started) / count)
    return best


def check(scorers: dict[str, Scorer]) -> None:
    """See that each scorer judges every output, passes some and fails some."""
    found = items(50)
    for name, scorer in scorers.items():
        scores = [asyncio.run(judge(scorer, item.case, item.output)) for item in found]
        assert {score.status for score in scores} == {"scored"}, (name, {score.reason for score in scores})
        if name not in ("length", "refusal", "pii", "tool_calls", "exact"):
            assert {score.passed for score in scores} == {True, False}, name


PEER = """
import json, sys, time
import os
os.environ["DEEPEVAL_TELEMETRY_OPT_OUT"] = "YES"
from deepeval.metrics import ExactMatchMetric, JsonCorrectnessMetric, PatternMatchMetric, ToolCorrectnessMetric
from deepeval.test_case import LLMTestCase, ToolCall
from pydantic import BaseModel

class Invoice(BaseModel):
    vendor: str
    total: float
    due: str
    paid: bool = False

rows = json.load(open(sys.argv[1]))
metrics = {
    "exact match": lambda: ExactMatchMetric(),
    "pattern match": lambda: PatternMatchMetric(pattern=".*[A-Z]{2}-[0-9]{6}.*"),
    "tool correctness": lambda: ToolCorrectnessMetric(),
}
found = {}
for name, make in metrics.items():
    try:
        metric = make()
        started = time.process_time()
        for row in rows:
            case = LLMTestCase(
                input=row["input"], actual_output=row["text"], expected_output=row["expected"],
                tools_called=[ToolCall(name=n, input_parameters=a) for n, a in row["calls"]],
                expected_tools=[ToolCall(name=n, input_parameters=a) for n, a in row["goals"]],
            )
            metric.measure(case, _show_indicator=False)
        found[name] = (time.process_time() - started) / len(rows)
    except Exception as cause:
        found[name] = f"{type(cause).__name__}: {cause}"[:200]
import importlib.metadata
print(json.dumps({"version": importlib.metadata.version("deepeval"), "seconds": found}))
"""


def peers(count: int) -> dict[str, Any]:
    """DeepEval's own path for the metrics that need no model, in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv/bin/python"
        try:
            subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True, capture_output=True)
            install = [str(python), "-m", "pip", "install", "--quiet", "deepeval"]
            subprocess.run(install, check=True, capture_output=True, text=True, timeout=900)
            rows = [_peer_row(item) for item in items(count)]
            (Path(folder) / "rows.json").write_text(json.dumps(rows))
            (Path(folder) / "peer.py").write_text(PEER)
            command = [str(python), "peer.py", "rows.json"]
            done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.SubprocessError) as cause:
            return {"not_measured": str(getattr(cause, "stderr", "") or cause)[-500:]}
        return json.loads(done.stdout.strip().splitlines()[-1])


def _peer_row(item: Item) -> dict[str, Any]:
    assert item.case.expected is not None
    goals = (item.case.expected.tool_calls or ((),))[0]
    return {
        "input": item.case.text,
        "text": item.output.text,
        "expected": item.case.expected.texts[0],
        "calls": [(call.name, call.arguments) for call in item.output.tool_calls],
        "goals": [(goal.name, {key: values[0] for key, values in goal.arguments.items()}) for goal in goals],
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few outputs, nothing written")
    parser.add_argument("--peers", action="store_true", help="also DeepEval")
    parser.add_argument("--profile", metavar="NAME", help="show where one scorer's time goes")
    asked = parser.parse_args()
    count, repeats = (200, 2) if asked.quick else (asked.outputs, asked.repeats)
    together = {name: build(name, settings, Path()) for name, settings in TOGETHER.items() if name in BUILTIN}
    if asked.profile:
        found, profile = items(count), cProfile.Profile()
        profile.runcall(asyncio.run, _judge_all([together[asked.profile]], found))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    gc.set_threshold(*COLLECTED)  # as the command line does
    check(together)
    seconds([*together.values()], 100, 1)
    results: dict[str, Any] = {"machine": platform.platform(), "python": platform.python_version(), "alone": {}}
    print(f"{'one scorer':<14} {'us/output':>10} {'outputs/s':>12}")
    each = {name: build(name, settings, Path()) for name, settings in EACH.items() if name in BUILTIN}
    for name, scorer in {**together, **each}.items():
        took = seconds([scorer], count, repeats)
        results["alone"][name] = round(took * 1e6, 2)
        print(f"{name:<14} {took * 1e6:>10.1f} {1 / took:>12,.0f}")
    took = seconds([*together.values()], count, repeats)
    results["together"] = {"scorers": [*together], "outputs_per_second": round(1 / took)}
    missing = sorted(TOGETHER.keys() - together.keys())
    print(
        f"\n{len(together)} together: {1 / took:,.0f} outputs/s (goal {GOAL:,})"
        + (f"; without {missing}" if missing else "")
    )
    if asked.peers:
        results["deepeval"] = found = peers(min(count, 500))
        for name, each_took in found.get("seconds", {}).items():
            told = each_took if isinstance(each_took, str) else f"{each_took * 1e6:.1f} us/output"
            print(f"deepeval {found['version']} {name}: {told}")
        if "not_measured" in found:
            print(f"deepeval: not measured: {found['not_measured']}")
    if not asked.quick:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
