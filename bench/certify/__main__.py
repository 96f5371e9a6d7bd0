"""Run the simulations and write the tables: `python -m bench.certify [--reps 4000] [--only WORD]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  # the number of threads is read when numpy loads
from bench.certify import coverage, decisions, labels, report  # noqa: E402
from bench.certify.record import Row  # noqa: E402

Job = tuple[Callable[..., list[Row]], tuple[Any, ...]]
P, ICC, CLUSTERS = (0.5, 0.9, 0.98), (0.0, 0.3), (30, 100)
ROOT = Path(__file__).resolve().parents[2]


def jobs() -> list[Job]:
    """Every cell, the slow ones first."""
    two_way = [(won, icc) for won in (0.02, 0.05) for icc in (0.0, 0.1, 0.3)]
    worlds = [("two-way", w) for w in two_way]
    worlds += [("one-way", (0.0, icc)) for icc in (0.0, 0.1, 0.3, 0.6)]
    worlds += [("piled-up", (hit, 0.0)) for hit in (0.03, 0.06, 0.1)]
    found: list[Job] = [(decisions.cusum, (limit, p)) for limit in (130, 107, 62) for p in (0.10, 0.13)]
    found += [(decisions.shiryaev_roberts, ()), (coverage.costs, (30,)), (coverage.costs, (100,))]
    found += [
        (decisions.false_ship, (kind, world, clusters, size))
        for kind, world in worlds
        for clusters in (30, 100, 300)
        for size in (5, 20)
    ]
    cells = [(p, icc, clusters) for p in P for icc in ICC for clusters in CLUSTERS]
    found += [(coverage.clustered_rate, cell) for cell in cells]
    found += [(coverage.clustered_pairs, cell) for cell in cells]
    found += [(coverage.graded_pairs, cell) for cell in cells]
    found += [(coverage.traffic_weighted, cell) for cell in cells]
    sizes = [(p, n) for p in P for n in (*CLUSTERS, 500)]
    found += [(job, cell) for job in SINGLE for cell in sizes]
    found += [(coverage.latency, (n,)) for n in (100, 200, 1000)]
    judge = [(0.95, 0.97, 0.7, 100), (0.98, 0.97, 0.7, 200), (0.9, 0.9, 0.8, 150), (0.5, 0.9, 0.8, 150)]
    found += [(labels.corrected, cell) for cell in judge]
    found += [
        (decisions.gate, (limit, icc, clusters))
        for limit in (0.01, 0.05)
        for icc in (0.0, 0.3)
        for clusters in (100, 300)
    ]
    found += [(decisions.many_rubrics, (rubrics,)) for rubrics in (6, 10, 20)]
    found += [(decisions.group_sequential, (looks,)) for looks in (4, 10)]
    found += [(decisions.live_ab, (part,)) for part in (0.5, 0.1)]
    found += [(decisions.guardrail, (p,)) for p in (0.05, 0.1)]
    return found + [(decisions.rolling_rule, (window,)) for window in (200, 500)]


SINGLE = (coverage.independent_rate, coverage.independent_pairs, coverage.unpaired_arms)


def run(job: Job, reps: int, seed: int) -> list[Row]:
    """One cell, with random numbers of its own: the same whatever else is run, and in whatever order."""
    function, cell = job
    name = f"{function.__name__}{cell}"
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return function(rng, reps, *cell)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="run functions whose name holds this word")
    parser.add_argument("--first", type=int, default=None, help="run only so many cells")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "certification")
    given = parser.parse_args()
    chosen = [job for job in jobs() if given.only in job[0].__name__][: given.first]
    began = time.monotonic()
    with ProcessPoolExecutor(given.jobs) as pool:
        futures = [pool.submit(run, job, given.reps, given.seed) for job in chosen]
        rows: list[Row] = []
        for i, (future, (function, cell)) in enumerate(zip(futures, chosen, strict=True), start=1):
            rows.extend(future.result())
            print(f"{i}/{len(chosen)} {function.__name__}{cell}", file=sys.stderr, flush=True)
    rows.sort(key=lambda row: ORDER.index(row.section.split(",")[0].split(":")[0].split(" (")[0]))
    seconds = time.monotonic() - began
    report.write(rows, given.out, reps=given.reps, seed=given.seed, seconds=seconds)
    path = given.out / "results.json"
    lines = [json.dumps(row.as_dict(), ensure_ascii=False) for row in rows]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")
    failed = [row for row in rows if not row.ok]
    print(f"{len(chosen)} cells, {len(failed)} numbers outside what is asked, {seconds / 60:.1f} minutes: {given.out}")
    for row in failed:
        print(f"  {row.section} · {row.cell} · {row.method}: {row.value:.4f} ± {row.se:.4f}")


ORDER = [
    "False ship at the margin",
    "Gate passed at its limit",
    "Any rubric reported as regressed",
    "One rate",
    "Traffic-weighted rate",
    "Candidate against incumbent",
    "Two arms on different cases",
    "Judge corrected with human labels",
    "Skewed cost",
    "p95 latency",
    "Looking several times at 2",
    "Live A/B",
    "Guardrail on failures",
    "CUSUM .10 → .13",
    "e-SR at a pass rate of .90",
    "False alarm within 1",
]

if __name__ == "__main__":
    main()
