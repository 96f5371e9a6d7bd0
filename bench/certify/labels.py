"""Judge error: how often the corrected intervals hold the human truth."""

from __future__ import annotations

import numpy as np
from bench.certify import worlds
from bench.certify.coverage import holds
from bench.certify.record import Row, share

import seatrial.stats as st

CASES = 2000


def corrected(rng: np.random.Generator, reps: int, theta: float, se: float, sp: float, labels: int) -> list[Row]:
    section = "Judge corrected with human labels, 2,000 cases judged"
    cell = f"θ = {theta}, Se {se}, Sp {sp}, {labels} labels"
    got: dict[str, list[bool]] = {name: [] for name in NAMES}
    for _ in range(reps):
        truth, judge = worlds.judged(rng, theta, se, sp, CASES)
        y, seen, other = truth[:labels], judge[:labels], judge[labels:]
        ppi = st.ppi_mean(y, seen, other)
        got["PPI++, Wilson at the effective size"].append(holds(ppi.interval, theta))
        got["PPI++, plain (peers)"].append(holds(ppi.normal, theta))
        got["two-phase labels"].append(holds(_two_phase(truth, judge, labels), theta))
        human, verdict = worlds.judged(rng, 0.5, se, sp, labels)
        passed = human == 1
        got["Rogan–Gladen"].append(
            holds(
                st.rogan_gladen(
                    float(judge.sum()),
                    CASES,
                    float(verdict[passed].sum()),
                    max(1, int(passed.sum())),
                    float((1 - verdict[~passed]).sum()),
                    max(1, int((~passed).sum())),
                ).interval,
                theta,
            )
        )
        got["judge as truth (peers)"].append(holds(st.wilson(float(judge.sum()), CASES), theta))
    return [
        share(section, cell, name, got[name], peer="peers" in name, low=None if "peers" in name else 0.93)
        for name in NAMES
    ]


NAMES = (
    "PPI++, Wilson at the effective size",
    "two-phase labels",
    "Rogan–Gladen",
    "PPI++, plain (peers)",
    "judge as truth (peers)",
)


def _two_phase(truth: worlds.Floats, judge: worlds.Floats, labels: int) -> tuple[float, float]:
    """Half the labels among judge-passes, half among judge-failures (all of them if there are fewer)."""
    passes, fails = np.flatnonzero(judge == 1), np.flatnonzero(judge == 0)
    n_fail = min(labels // 2, fails.size)
    n_pass = min(labels - n_fail, passes.size)
    good_pass, good_fail = truth[passes[:n_pass]].sum(), truth[fails[:n_fail]].sum()
    return st.two_phase(passes.size, CASES, int(good_pass), n_pass, int(good_fail), n_fail).interval
