"""How often a decision is wrong: shipping at the margin, gates, many rubrics, many looks, alarms."""

from __future__ import annotations

import math

import numpy as np
from bench.certify import worlds
from bench.certify.record import Row, share

import seatrial.stats as st
from seatrial.stats.arms import smoothed_variance
from seatrial.stats.clusters import measured_effect

MARGIN = 0.03
LIMIT = 0.06
Z_SHIP = 1.6448536269514722


def false_ship(
    rng: np.random.Generator, reps: int, kind: str, world: tuple[float, float], clusters: int, size: int
) -> list[Row]:
    """The candidate is exactly 3 points worse, the margin: how often does it ship all the same?"""
    shipped: dict[str, list[bool]] = {name: [] for name in SHIP}
    warned, unwarned = [], []
    for _ in range(reps):
        d, g = _margin_world(rng, kind, world, clusters, size)
        at = st.clustered_tango(d, g, alpha=0.10)
        ship = at.interval.low > -MARGIN
        shipped["Tango at the effective size"].append(ship)
        if ship:
            warned.append(at.piled_up)
        unwarned.append(ship and not at.piled_up)
        plain = _plain_effective(d, g, at)
        shipped["without the rule for few discordant seeds"].append(plain)
        shipped["cluster-robust t"].append(st.paired_cluster(d, g, alpha=0.10).interval.low > -MARGIN)
        shipped["Tango on rows (peers)"].append(st.tango_z(at.b, at.c, at.n, -MARGIN) > Z_SHIP)
        shipped["“no significant difference” (peers)"].append(st.mcnemar(at.b, at.c).mid_p > 0.05 or at.estimate > 0)
        shipped["observed drop below 3 points (peers)"].append(at.estimate > -MARGIN)
    strict = kind == "two-way" and clusters >= 100
    section = f"False ship at the margin, {kind} losses (nominal 5%)"
    cell = f"{_describe(kind, world)}, {clusters} seeds × {size}"
    rows = [share(section, cell, "Tango at the effective size", shipped["Tango at the effective size"])]
    first = rows[0]
    caught = sum(warned) / len(warned) if warned else 1.0
    note = f"warned in {caught:.0%} of these ships"
    rows[0] = Row(section, cell, first.method, first.value, first.se, high=LIMIT if strict else None, note=note)
    rows.append(share(section, cell, "… of these without a warning", unwarned, high=LIMIT))
    rows.extend(share(section, cell, name, shipped[name], peer=True) for name in SHIP[1:])
    return rows


SHIP = (
    "Tango at the effective size",
    "without the rule for few discordant seeds",
    "cluster-robust t",
    "Tango on rows (peers)",
    "“no significant difference” (peers)",
    "observed drop below 3 points (peers)",
)


def _margin_world(
    rng: np.random.Generator, kind: str, world: tuple[float, float], clusters: int, size: int
) -> tuple[worlds.Floats, worlds.Floats]:
    if kind == "two-way":
        won, icc = world
        return worlds.pairs(rng, won, won + MARGIN, icc, clusters, size)
    if kind == "one-way":
        return worlds.pairs(rng, 0.0, MARGIN, world[1], clusters, size)
    return worlds.piled(rng, world[0], MARGIN / world[0], clusters, size)


def _describe(kind: str, world: tuple[float, float]) -> str:
    if kind == "two-way":
        return f"won {world[0]:.0%}, lost {world[0] + MARGIN:.0%}, ICC {world[1]}"
    if kind == "one-way":
        return f"lost 3%, ICC {world[1]}"
    return f"{world[0]:.0%} of seeds lose {MARGIN / world[0]:.0%} of their cases"


def _plain_effective(d: worlds.Floats, g: worlds.Floats, at: st.ClusteredTango) -> bool:
    """Whether it ships when the measured design effect is believed however few clusters tell about it."""
    n_clusters = at.n_clusters
    parts = [np.bincount(g, weights=w, minlength=n_clusters) for w in (d > 0, d < 0, np.ones(d.size))]
    if d.min() == d.max():
        return at.interval.low > -MARGIN
    factor = float(measured_effect(*parts)[0]) * at.deflation / at.design_effect
    return st.tango_z(at.b / factor, at.c / factor, at.n / factor, -MARGIN) > Z_SHIP


def gate(rng: np.random.Generator, reps: int, limit: float, icc: float, clusters: int) -> list[Row]:
    """The true failure rate is the limit: how often does the gate pass?"""
    section = "Gate passed at its limit (nominal 5%), five probes a seed"
    cell = f"limit {limit:.0%}, ICC {icc}, {clusters} seeds"
    ours, naive, clean = [], [], []
    for _ in range(reps):
        y, g = worlds.rates(rng, limit, icc, clusters, worlds.SIZE)
        ours.append(st.cluster_clopper_pearson(y, g, side="upper").high < limit)
        k = float(y.sum())
        naive.append(st.clopper_pearson(k, y.size, side="upper").high < limit)
        clean.append(k / y.size < limit)
    return [
        share(section, cell, "Clopper–Pearson at the effective size", ours, high=LIMIT),
        share(section, cell, "Clopper–Pearson on rows (peers)", naive, peer=True),
        share(section, cell, "observed rate below the limit (peers)", clean, peer=True),
    ]


def many_rubrics(rng: np.random.Generator, reps: int, rubrics: int) -> list[Row]:
    section = "Any rubric reported as regressed, none is (nominal 5%)"
    cell = f"{rubrics} rubrics, 500 cases, 10% discordant"
    b = rng.binomial(500, 0.05, (reps, rubrics))
    c = rng.binomial(500 - b, 0.05 / 0.95)
    p = np.array(
        [[st.mcnemar_one_sided(int(x), int(y)).mid_p for x, y in zip(*r, strict=True)] for r in zip(b, c, strict=True)]
    )
    return [
        share(section, cell, "Holm", (st.holm(row).min() <= 0.05 for row in p), high=LIMIT),
        share(section, cell, "uncorrected (peers)", (p.min(axis=1) <= 0.05), peer=True),
    ]


def group_sequential(rng: np.random.Generator, reps: int, looks: int) -> list[Row]:
    """Paired cases in random order, looked at several times."""
    n, psi = 2000, 0.10
    bounds = st.obrien_fleming_bounds(looks)
    one_sided = st.obrien_fleming_bounds(looks, sides=1)
    at = (np.arange(1, looks + 1) * n) // looks
    alarms: dict[str, list[bool]] = {"ours": [], "naive": [], "ship": [], "naive ship": []}
    for _ in range(reps):
        for shift, names in ((0.0, ("ours", "naive")), (MARGIN, ("ship", "naive ship"))):
            u = rng.random(n)
            b, c = (psi - shift) / 2, (psi + shift) / 2
            won, lost = np.cumsum(u < b)[at - 1], np.cumsum((u >= b) & (u < b + c))[at - 1]
            z = np.array([st.tango_z(int(w), int(s), int(m), -shift) for w, s, m in zip(won, lost, at, strict=True)])
            if shift == 0:
                alarms[names[0]].append(bool((np.abs(z) > bounds).any()))
                alarms[names[1]].append(bool((np.abs(z) > 1.959964).any()))
            else:
                alarms[names[0]].append(bool((z > one_sided).any()))
                alarms[names[1]].append(bool((z > 1.644854).any()))
    section, cell = "Looking several times at 2,000 pairs (nominal 5%)", f"{looks} looks"
    return [
        share(section, cell, "O'Brien–Fleming, no difference", alarms["ours"], high=LIMIT),
        share(section, cell, "1.96 at each look (peers)", alarms["naive"], peer=True),
        share(section, cell, "O'Brien–Fleming, false ship at the margin", alarms["ship"], high=LIMIT),
        share(section, cell, "1.645 at each look, false ship (peers)", alarms["naive ship"], peer=True),
    ]


def live_ab(rng: np.random.Generator, reps: int, part: float) -> list[Row]:
    """No difference, 20,000 requests, looked at after every 50."""
    looks, p = 400, 0.9
    ours, naive = [], []
    for start in range(0, reps, 500):
        size = min(500, reps - start)
        n1 = rng.binomial(50, part, (size, looks))
        k1, k0 = rng.binomial(n1, p), rng.binomial(50 - n1, p)
        n1, k1, k0 = n1.cumsum(axis=1), k1.cumsum(axis=1), k0.cumsum(axis=1)
        n0 = 50 * np.arange(1, looks + 1) - n1
        ready = (n1 - k1 + n0 - k0 >= 50) & (np.minimum(n1, n0) >= 100)
        v1, v0 = smoothed_variance(k1, n1), smoothed_variance(k0, n0)
        information = 1 / (v1 / n1.clip(1) + v0 / n0.clip(1))
        gap = np.abs(k1 / n1.clip(1) - k0 / n0.clip(1))
        bound = st.normal_mixture_bound(information, v_opt=5_000.0)
        ours.extend((ready & (gap * information >= bound)).any(axis=1).tolist())
        naive.extend((ready & (gap * np.sqrt(information) >= 1.959964)).any(axis=1).tolist())
    section, cell = "Live A/B, looked at after every 50 of 20,000 requests (nominal 5%)", f"candidate gets {part:.0%}"
    return [
        share(section, cell, "normal mixture boundary", ours, high=LIMIT),
        share(section, cell, "1.96 at each look (peers)", naive, peer=True),
    ]


def guardrail(rng: np.random.Generator, reps: int, p: float) -> list[Row]:
    """Failures at exactly the limit, looked at after every case: does the guardrail stop the arm?"""
    n, alpha = 2000, 0.05
    least = np.empty(n)
    k = 0
    for i in range(1, n + 1):
        while k <= i and st.bernoulli_cs(k, i, alpha=alpha, side="lower").low <= p:
            k += 1
        least[i - 1] = k
    z = np.arange(1, n + 1)
    crossed, naive = [], []
    for _ in range(reps):
        seen = np.cumsum(rng.random(n) < p)
        crossed.append(bool((seen >= least).any()))
        late = z >= 50
        score = (seen - z * p) / np.sqrt(z * p * (1 - p))
        naive.append(bool((score[late] > 1.644854).any()))
    section, cell = (
        "Guardrail on failures, looked at after every one of 2,000 cases (nominal 5%)",
        f"true rate = limit = {p:.0%}",
    )
    return [
        share(section, cell, "Bernoulli confidence sequence", crossed, high=LIMIT),
        share(section, cell, "1.645 at each look (peers)", naive, peer=True),
    ]


def cusum(rng: np.random.Generator, reps: int, limit: int, p: float) -> list[Row]:
    """Simulated mean run length against the exact one."""
    exact = st.arl_exact(p, 8, limit)
    design = st.CusumDesign(8, limit, exact, exact, p, p)
    lengths = np.empty(reps)
    block = max(256, int(exact))
    for i in range(reps):
        length, state = 0, 0
        while True:
            path = st.cusum_path(rng.random(block) < p, design, start=state)
            length += path.values.size
            if path.alarm is not None:
                break
            state = int(path.values[-1])
        lengths[i] = length
    section, cell = "CUSUM .10 → .13: mean cases to an alarm, simulated over exact", f"limit {limit}, failure rate {p}"
    value, se = float(lengths.mean()) / exact, float(lengths.std(ddof=1)) / math.sqrt(reps) / exact
    return [Row(section, cell, "Bernoulli CUSUM", value, se, low=0.9, high=1.1, note=f"exact {exact:,.1f}")]


def shiryaev_roberts(rng: np.random.Generator, reps: int) -> list[Row]:
    """Simulated mean run length against the promised one; paths are cut at 40 times the promise."""
    threshold = 250.0
    lengths = np.empty(reps)
    for i in range(reps):
        x = (rng.random(int(40 * threshold)) < 0.9).astype(np.float64)
        lengths[i] = st.e_sr(x, 0.9, threshold=threshold).values.size
    section = "e-SR at a pass rate of .90: mean cases to a false alarm over the promise"
    value, se = float(lengths.mean()) / threshold, float(lengths.std(ddof=1)) / math.sqrt(reps) / threshold
    note = "at least 1 by design"
    return [Row(section, f"threshold {threshold:.0f}", "e-SR", value, se, low=1.0, note=note)]


def rolling_rule(rng: np.random.Generator, reps: int, window: int) -> list[Row]:
    """The peers' alarm: the rolling mean is 3 points below the baseline."""
    fired = []
    for _ in range(reps):
        total = np.cumsum(np.concatenate(([0], rng.random(1000 + window) < 0.9)))
        fired.append(bool(((total[window:] - total[:-window]) <= (0.9 - MARGIN) * window + 1e-9).any()))
    section = "False alarm within 1,000 cases, nothing has changed"
    design = st.bernoulli_cusum(0.10, 0.13, 10_000)
    alarms = [st.cusum_path(rng.random(1000) < 0.10, design).alarm is not None for _ in range(reps)]
    return [
        share(section, f"window {window}", "Bernoulli CUSUM (run length 10,000)", alarms, high=0.10),
        share(section, f"window {window}", "rolling mean 3 points down (peers)", fired, peer=True),
    ]
