"""How much personal data the scrubber finds, by kind, and how fast it is.

    python -m bench.scrubbing [--errors N]

Texts are those of `bench/labelled/pii.jsonl` and `bench/sets/scrubbing.py`: every value is made up, labelled with its
kind; hard negatives are order numbers, versions, UUIDs and the like. A value is found where it is gone (the
second set names it) or where something of its kind was replaced (the first does not say which words); a replacement
of another kind than the label's is a false one; a clean text is right where nothing was replaced. The texts were
written beside the detectors and none is held out: strangers' texts will give lower figures. Prints recall and precision
per kind with Wilson 95 % intervals, and writes bench/results/scrubbing.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from bench.sets.scrubbing import texts as more

from seatrial.datasets.scrubbing.policy import preset
from seatrial.datasets.scrubbing.scrub import Scrubber
from seatrial.stats.rates import wilson

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench/results/scrubbing.json"
KEY = b"a key for measuring, of no use elsewhere"


class Text(NamedTuple):
    """A labelled text. `values`: what must go (empty for a clean one, or where the label does not say which words)."""

    text: str
    kind: str
    personal: bool
    values: tuple[str, ...] = ()


def texts() -> list[Text]:
    """All labelled texts."""
    lines = (ROOT / "bench/labelled/pii.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    found = [Text(row["output"], row["kind"], row["passed"] is False) for row in rows if not row.get("settings")]
    return found + [Text(*row) for row in more()]


MIXED = {"json": ("person_name", "email"), "one person, several forms": ("person_name", "email")}


def _fits(kind: str, label: str) -> bool:
    """Whether what was replaced is of the kind that the text is labelled with."""
    return kind in label or kind in MIXED.get(label, ())


def rate(k: int, n: int) -> dict[str, Any]:
    """A share with its interval."""
    low, high = wilson(k, n)[:2] if n else (0.0, 1.0)
    return {"k": k, "n": n, "interval": [round(low, 4), round(high, 4)]}


def measured(items: list[Text], scrubber: Scrubber, errors: int) -> dict[str, Any]:
    """Recall by labelled kind, specificity by kind of clean text, precision by kind replaced."""
    right: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    true, false = Counter[str](), Counter[str]()
    wrong: list[str] = []
    for at, item in enumerate(items):
        after, findings = scrubber.text(item.text, f"s{at}")
        kinds = [f.kind for f in findings if f.replaced]
        gone = not any(v in after for v in item.values) if item.values else any(k in item.kind for k in kinds)
        good = gone if item.personal else after == item.text
        right[item.personal, item.kind].append(good)
        for kind in kinds:
            (true if item.personal and _fits(kind, item.kind) else false)[kind] += 1
        if not good:
            wrong.append(f"{'missed' if item.personal else 'harmed'} [{item.kind}] {item.text[:90]!r}")
    for line in wrong[:errors]:
        print("   ", line)
    return {
        "recall": {k: rate(sum(v), len(v)) for (personal, k), v in sorted(right.items()) if personal},
        "clean": {k: rate(sum(v), len(v)) for (personal, k), v in sorted(right.items()) if not personal},
        "precision": {k: rate(true[k], true[k] + false[k]) for k in sorted(true | false)},
        "texts": len(items),
        "kinds": len({k for personal, k in right if personal}),
        "all_recall": rate(
            sum(sum(v) for (p, _), v in right.items() if p), sum(len(v) for (p, _), v in right.items() if p)
        ),
        "all_clean": rate(
            sum(sum(v) for (p, _), v in right.items() if not p), sum(len(v) for (p, _), v in right.items() if not p)
        ),
    }


def speed(scrubber: Scrubber, seconds: float = 2.0) -> dict[str, int]:
    """Texts of 300 characters and small records a second on one core: clean ones, and the labelled ones."""
    clean = [t.text for t in texts() if not t.personal]
    prose = " ".join(clean[:40])
    padded = [(prose[at * 7 % 900 :] + prose)[:300] for at in range(500)]
    padded = [t for t in padded if scrubber.text(t)[0] == t] or ["a plain sentence about a refund and its rules. " * 7][
        :1
    ]
    plain = ["please tell me when the refund of my parcel will be paid out, i sent it back last week. " * 4][:1]
    record = {
        "id": "c",
        "input": [{"role": "user", "content": plain[0][:300]}, {"role": "assistant", "content": padded[0]}],
    }
    dirty = [t.text for t in texts() if t.personal]
    return {
        "clean_300_with_hard_negatives": _per_second(scrubber.text, [t[:300] for t in padded], seconds),
        "clean_300": _per_second(scrubber.text, [plain[0][:300]], seconds),
        "clean_record_of_two_messages": _per_second(scrubber.record, [record], seconds),
        "personal_texts": _per_second(scrubber.text, dirty, seconds),
    }


def _per_second(work: Any, items: list[Any], seconds: float) -> int:
    done, start = 0, time.process_time()
    while (took := time.process_time() - start) < seconds:
        for item in items:
            work(item)
        done += len(items)
    return round(done / took)


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", type=int, default=0, help="show so many texts that were missed or harmed")
    asked = parser.parse_args()
    scrubber = Scrubber(preset("basic"), KEY)
    result = {"policy": "basic", **measured(texts(), scrubber, asked.errors), "per_second": speed(scrubber)}
    for part in ("recall", "clean", "precision"):
        print(f"\n{part}")
        for kind, one in result[part].items():
            low, high = one["interval"]
            print(f"  {kind:<28} {one['k']:>4} of {one['n']:>4}  ({low:.3f} to {high:.3f})")
    print(
        f"\n{result['texts']} texts, {result['kinds']} kinds; found {result['all_recall']}, clean {result['all_clean']}"
    )
    print(f"a second: {result['per_second']}")
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
