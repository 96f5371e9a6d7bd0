"""What the statistics of a verdict cost: `python bench/stats.py` prints CPU seconds and checks the budgets."""

from __future__ import annotations

import os
import subprocess
import sys
import time

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  # the number of threads is read when numpy loads

import seatrial.stats as st  # noqa: E402

MARGIN = 0.03


def world(cases: int, rubrics: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Passes of two targets (rubric × case), the seed each case was made from, and its stratum."""
    rng = np.random.default_rng(seed)
    incumbent = (rng.random((rubrics, cases)) < 0.9).astype(np.float64)
    flip = rng.random((rubrics, cases)) < 0.1
    candidate = np.where(flip, 1 - incumbent, incumbent)
    cluster = np.array([f"seed-{i // 3:06d}" for i in range(cases)])
    return candidate, incumbent, cluster, rng.integers(0, 8, cases)


def verdict(candidate: np.ndarray, incumbent: np.ndarray, cluster: np.ndarray, stratum: np.ndarray) -> int:
    """Everything a verdict asks of the statistics, for each rubric; the number of rubrics that pass."""
    worse, passed = [], 0
    weights = np.ones(8) / 8
    for new, old in zip(candidate, incumbent, strict=True):
        d = new - old
        at = st.clustered_tango(d, cluster, alpha=0.10)
        st.clustered_tango(d, cluster, alpha=0.05)
        st.mcnemar(at.b, at.c)
        st.tango(at.b, at.c, at.n)
        worse.append(st.tango_clustered_p(d, cluster, -MARGIN, tail="less"))
        for y in (new, old):
            st.cluster_rate(y, cluster)
            k = np.bincount(stratum, weights=y, minlength=8)
            st.post_stratify(k, np.bincount(stratum, minlength=8), weights)
        st.cluster_clopper_pearson(1 - new, cluster, side="upper")
        st.tango_without_each(d, cluster, alpha=0.10)
        psi = (at.b + at.c) / at.n
        st.mde_paired(at.n_eff, psi)
        st.n_noninferior(psi, MARGIN, deff=at.design_effect)
        passed += at.interval.low > -MARGIN
    st.holm(worse)
    return passed


def cpu_seconds(cases: int, rubrics: int) -> float:
    """CPU time of one verdict over two targets; the data are made beforehand."""
    targets = [world(cases, rubrics, seed) for seed in (1, 2)]
    began = time.process_time()
    for target in targets:
        verdict(*target)
    return time.process_time() - began


def import_seconds(statement: str) -> float:
    """Best of five: the statement in a fresh interpreter, less the bare interpreter's own start."""

    def run(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    return max(0.0, min(run(statement) for _ in range(5)) - min(run("pass") for _ in range(5)))


def main() -> int:
    cpu_seconds(200, 1)  # loads what is loaded lazily
    rows = [
        ("verdict: 2,500 cases × 10 rubrics × 2 targets", cpu_seconds(2_500, 10), 1.0),
        ("verdict: 100,000 cases × 1 rubric × 2 targets", cpu_seconds(100_000, 1), 10.0),
        ("verdict: 100,000 cases × 10 rubrics × 2 targets", cpu_seconds(100_000, 10), 10.0),
        ("import seatrial.stats", import_seconds("import seatrial.stats"), 0.150),
        (
            "… and its first interval (numpy, scipy.special)",
            import_seconds("import seatrial.stats as s; s.wilson(1, 2)"),
            None,
        ),
    ]
    for name, seconds, budget in rows:
        limit = f"budget {budget:g} s" if budget is not None else "no budget"
        print(f"{name:52s} {seconds:8.3f} s   {limit}")
    return int(any(budget is not None and seconds > budget for _, seconds, budget in rows))


if __name__ == "__main__":
    sys.exit(main())
