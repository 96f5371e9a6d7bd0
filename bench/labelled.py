"""How every scorer does on labelled data: accuracy, sensitivity and specificity, with Wilson 95 % intervals.

    python -m bench.labelled [SCORER …] [--errors N]

Items are judged through the same `build` and `judge` as in a run. The sets are `bench/labelled/NAME.jsonl`, written
by the scorers' authors (a line has `case`, `output`, `passed`, `kind` and may have `settings`), and real data that
nobody here wrote, from $SEATRIAL_TEST_DATA: BFCL, GSM8K and tau-bench airline. Prints a table, with `--errors` the
items judged otherwise than labelled, and writes bench/results/labelled.json, from which the scorers' pages are made.
With names, only those scorers are measured, and their entries replaced.

The sets in `bench/labelled/heldout/` (and `heldout/fresh/`) were written without sight of the scorers. How a set went
the first time it was measured is kept in bench/results/heldout_first.json and never replaced; what is told beside it
is the present scorer, which its misses may have mended. Their lines also have `difficulty` and `why`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bench.sets import bfcl, gsm8k, tau

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.scorers import BUILTIN, build, judge
from seatrial.scorers.examples import case_of, output_of
from seatrial.stats.rates import wilson

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "bench/labelled"
HELD_OUT = {
    OWN / "heldout": "Held out: written without sight of the scorer.",
    OWN / "heldout/fresh": (
        "Held out: written after the scorer was mended by the misses of the other set, by who had mended it, and first "
        "run before anything was changed for it."
    ),
}
RESULTS = ROOT / "bench/results/labelled.json"
FIRST = ROOT / "bench/results/heldout_first.json"
SHOULD = {True: "pass", False: "fail", None: "stay undecided"}


class Item(NamedTuple):
    """One labelled judgement. `passed` None: it cannot be decided from what is given."""

    id: str
    case: Case
    output: Output
    passed: bool | None
    kind: str


class Set(NamedTuple):
    """Items for one scorer with these settings. `own`: written by the scorers' authors; `held_out`: unseen by them."""

    scorer: str
    title: str
    about: str
    items: Callable[[], Iterable[Item]]
    own: bool = False
    settings: Mapping[str, Any] = {}
    held_out: bool = False


class Judged(NamedTuple):
    """An item with what the scorer said of it."""

    item: Item
    score: Score

    @property
    def right(self) -> bool:
        """Whether it was judged as labelled; what could not be judged was not."""
        judged = self.score.status in ("scored", "model_failure")
        return judged and self.score.passed is self.item.passed


def own_sets() -> Iterator[Set]:
    """The sets beside this file and the held-out ones, by settings where lines have some."""
    for folder in (OWN, *HELD_OUT):
        for path in sorted(folder.glob("*.jsonl")):
            yield from _sets_of(path, HELD_OUT.get(folder, ""))


def _sets_of(path: Path, held_out: str) -> Iterator[Set]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    by_settings: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_settings[json.dumps(row.get("settings", {}), sort_keys=True)].append(row)
    for settings, group in by_settings.items():
        title = f"`{path.relative_to(ROOT)}`" + (f" with `{settings}`" if settings != "{}" else "")
        about = f"{held_out} {len(group):,} items, {len({row['kind'] for row in group})} kinds.".lstrip()
        grouped = "difficulty" if held_out else "kind"
        items = partial(_items, group, grouped)
        yield Set(path.stem, title, about, items, True, json.loads(settings), bool(held_out))


def _items(rows: Iterable[Mapping[str, Any]], grouped: str) -> Iterator[Item]:
    for row in rows:
        yield Item(str(row["id"]), case_of(row["case"]), output_of(row["output"]), row["passed"], row[grouped])


def real_sets(data: Path) -> Iterator[Set]:
    """The sets from elsewhere whose files are there."""
    for name, count in bfcl.SETS.items():
        questions, answers = data / f"{name}.jsonl", data / f"{name}_answers.jsonl"
        if questions.exists() and answers.exists():
            for strings in ("exact", "normalized"):
                yield Set(
                    "tool_calls",
                    f"BFCL {name.removeprefix('bfcl_')}, `strings: {strings}`",
                    f"{count} questions of the Berkeley Function-Calling Leaderboard v4: each accepted "
                    "answer, and near misses made from it by rules. Items of one question are alike, so the intervals "
                    "are too narrow.",
                    lambda q=questions, a=answers: _bfcl(q, a),
                    settings={"strings": strings},
                )
    solved = data / "gsm8k_model_solutions.jsonl"
    if solved.exists():
        about = "Recorded solutions of four models to GSM8K's 1,319 test questions, against the official verdicts"
        yield Set("numeric", "GSM8K", f"{about}: the whole solution is judged.", lambda: _gsm8k(solved, whole=True))
        yield Set("exact", "GSM8K", f"{about}: what stands behind `A:` is judged.", lambda: _gsm8k(solved, whole=False))
    yield from (Set(*found) for found in tau.sets(data) if found[0] in BUILTIN)


def _bfcl(questions: Path, answers: Path) -> Iterator[Item]:
    for case in bfcl.load(questions, answers):
        for calls in bfcl.accepted(case):
            yield Item(case.id, case, bfcl.output_of(calls), True, "accepted")
        for kind in bfcl.KINDS:
            for calls in bfcl.near_misses(kind, case):
                yield Item(case.id, case, bfcl.output_of(calls), False, kind)


def _gsm8k(path: Path, *, whole: bool) -> Iterator[Item]:
    for case, model, text, right in gsm8k.solutions(path):
        yield Item(case.id, case, Output.of(text if whole else gsm8k.final(text) or "none"), right, model)


async def _judged(found: Set) -> list[Judged]:
    scorer = build(found.scorer, found.settings, OWN)
    return [Judged(item, await judge(scorer, item.case.view(), item.output)) for item in found.items()]


def rate(judged: Iterable[Judged]) -> dict[str, Any]:
    """How many were judged as labelled, of how many, with the interval."""
    items = list(judged)
    k, n = sum(one.right for one in items), len(items)
    if not n:
        return {"k": 0, "n": 0}
    low, high = wilson(k, n)[:2]
    return {"k": k, "n": n, "interval": [round(low, 5), round(high, 5)]}


def measured(found: Set, judged: list[Judged]) -> dict[str, Any]:
    """What the page of the scorer says of this set."""
    kinds: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        kinds[one.item.kind].append(one)
    return {
        "title": found.title,
        "about": found.about,
        "own": found.own,
        "accuracy": rate(judged),
        "sensitivity": rate(one for one in judged if one.item.passed is True),
        "specificity": rate(one for one in judged if one.item.passed is False),
        "undecided": rate(one for one in judged if one.item.passed is None),
        "errors": sum(one.score.status not in ("scored", "model_failure") for one in judged),
        **({"held_out": True, "outcomes": outcomes(judged)} if found.held_out else {}),
        "kinds": {kind: {"should": _should(group), **rate(group)} for kind, group in sorted(kinds.items())},
    }


def outcomes(judged: Iterable[Judged]) -> dict[str, dict[str, Any]]:
    """By what items should do: how many passed, failed, stayed undecided or could not be judged, with intervals."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        done = one.score.status in ("scored", "model_failure")
        told[SHOULD[one.item.passed]][SHOULD[one.score.passed] if done else one.score.status] += 1
    return {
        should: {
            did: {"k": k, "n": counts.total(), "interval": [round(end, 5) for end in wilson(k, counts.total())[:2]]}
            for did, k in sorted(counts.items())
        }
        for should, counts in sorted(told.items())
    }


def keep_first(found: Set, result: Mapping[str, Any], judged: Iterable[Judged]) -> dict[str, Any]:
    """How the held-out set went the first time it was measured: what is kept, or this result, kept from now on."""
    kept = json.loads(FIRST.read_text("utf-8")) if FIRST.exists() else {}
    if found.title not in kept:
        rows = "".join(f"{one.item.id} {one.item.passed}\n" for one in judged)
        kept[found.title] = {
            "scorer": found.scorer,
            "version": build(found.scorer, found.settings, OWN).info.version,
            "labels": hashlib.sha256(rows.encode()).hexdigest(),
            **{
                key: result[key] for key in ("accuracy", "sensitivity", "specificity", "undecided", "outcomes", "kinds")
            },
            "misses": [one.item.id for one in judged if not one.right],
        }
        FIRST.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return {key: kept[found.title][key] for key in ("version", "accuracy", "sensitivity", "specificity", "undecided")}


def _should(group: Iterable[Judged]) -> str:
    wanted = {one.item.passed for one in group}
    return SHOULD[wanted.pop()] if len(wanted) == 1 else "either"


def show(found: Set, result: Mapping[str, Any], judged: Iterable[Judged], errors: int) -> None:
    """One line a rate, and the first items that were judged otherwise than labelled."""
    print(f"\n{found.scorer}: {found.title}")
    for name in ("accuracy", "sensitivity", "specificity", "undecided"):
        one = result[name]
        if one["n"]:
            low, high = one["interval"]
            print(
                f"  {name:<12} {one['k']:>6,} of {one['n']:>6,}  {one['k'] / one['n']:.4f}  ({low:.4f} to {high:.4f})"
            )
    if result["errors"]:
        print(f"  could not be judged: {result['errors']:,}")
    if found.held_out:
        first = result["first"]
        told = f"{first['accuracy']['k']:,} of {first['accuracy']['n']:,}, version {first['version']}"
        print(f"  held out; its first run: {told}")
        for should, counts in result["outcomes"].items():
            print(f"  should {should:<15}", ", ".join(f"{did} {rate['k']}" for did, rate in counts.items()))
    for one in [one for one in judged if not one.right][:errors]:
        print(f"    {one.item.id} [{one.item.kind}] should {SHOULD[one.item.passed]}: {one.score.reason[:160]}")


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scorers", nargs="*", help="only these")
    parser.add_argument("--errors", type=int, default=0, help="show so many items judged otherwise than labelled")
    asked = parser.parse_args()
    data = Path(os.environ.get("SEATRIAL_TEST_DATA", ROOT.parent / "shared" / "data"))
    sets = [one for one in (*own_sets(), *real_sets(data)) if not asked.scorers or one.scorer in asked.scorers]
    unknown = sorted({one.scorer for one in sets} - BUILTIN.keys())
    if unknown:
        print(f"no scorer has the name of these sets: {', '.join(unknown)}", file=sys.stderr)
    kept = json.loads(RESULTS.read_text("utf-8"))["scorers"] if RESULTS.exists() else {}
    fresh: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in sets:
        if one.scorer in BUILTIN:
            judged = asyncio.run(_judged(one))
            result = measured(one, judged)
            if one.held_out:
                result["first"] = keep_first(one, result, judged)
            show(one, result, judged, asked.errors)
            fresh[one.scorer].append(result)
    results = {name: found for name, found in kept.items() if asked.scorers and name in BUILTIN}
    results |= {name: {"sets": found} for name, found in fresh.items()}
    RESULTS.write_text(json.dumps({"scorers": dict(sorted(results.items()))}, indent=1, ensure_ascii=False) + "\n")
    return int(bool(unknown))


if __name__ == "__main__":
    sys.exit(main())
