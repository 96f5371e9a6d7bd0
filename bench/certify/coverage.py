"""How often the intervals hold the truth: rates, pairs, strata, unpaired arms, costs."""

from __future__ import annotations

import itertools
import math

import numpy as np
from bench.certify import worlds
from bench.certify.record import Row, certain, coverage_asked, share

import seatrial.stats as st
from seatrial.stats.distributions import log_choose

Z = 1.959963984540054
RARE = 1e-13
WEIGHTS = (0.6, 0.3, 0.1)


def holds(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] - 1e-12 <= truth <= interval[1] + 1e-12


def wald(p: float, variance: float) -> tuple[float, float]:
    half = Z * math.sqrt(max(0.0, variance))
    return p - half, p + half


def binomial(n: int, p: float) -> list[tuple[int, float]]:
    """The numbers of passes that occur, with their chances; what is rarer than `RARE` is left out."""
    k = np.arange(n + 1, dtype=np.float64)
    chance = np.exp(log_choose(np.full_like(k, n), k) + k * math.log(p) + (n - k) * math.log1p(-p))
    return [(int(i), float(c)) for i, c in zip(k, chance, strict=True) if c > RARE]


def independent_rate(_rng: np.random.Generator, _reps: int, p: float, n: int) -> list[Row]:
    """Exact: over all numbers of passes."""
    section, cell = "One rate, independent cases", f"p = {p}, n = {n}"
    drawn = binomial(n, p)
    methods = {
        "Wilson": lambda k: st.wilson(k, n),
        "Clopper–Pearson": lambda k: st.clopper_pearson(k, n),
        "Wald (peers)": lambda k: wald(k / n, k / n * (1 - k / n) / n),
        "percentile bootstrap (peers)": lambda k: tuple(
            np.quantile(np.random.default_rng(1).binomial(n, k / n, 4000) / n, [0.025, 0.975])
        ),
    }
    rows = []
    failures = n * min(p, 1 - p)
    for name, method in methods.items():
        peer = "peers" in name
        asked = {} if peer else coverage_asked(failures, failures, at_least=name == "Clopper–Pearson")
        hits = [(chance, holds(method(k), p)) for k, chance in drawn]
        rows.append(certain(section, cell, name, hits, peer=peer, **asked))
    return rows


def clustered_rate(rng: np.random.Generator, reps: int, p: float, icc: float, clusters: int) -> list[Row]:
    section = "One rate, five cases a seed"
    cell = f"p = {p}, ICC = {icc}, {clusters} seeds"
    got: dict[str, list[bool]] = {
        "cluster-Wilson": [],
        "Clopper–Pearson, effective size, upper limit": [],
        "Wilson on rows (peers)": [],
        "Wald on rows (peers)": [],
        "cluster-robust t": [],
    }
    touched = 0
    for _ in range(reps):
        y, g = worlds.rates(rng, p, icc, clusters, worlds.SIZE)
        at = st.cluster_rate(y, g)
        got["cluster-Wilson"].append(holds(at.interval, p))
        gate = st.cluster_clopper_pearson(1 - y, g, side="upper")
        got["Clopper–Pearson, effective size, upper limit"].append(gate.high >= 1 - p)
        got["Wilson on rows (peers)"].append(holds(st.wilson(float(y.sum()), y.size), p))
        rate = float(y.mean())
        got["Wald on rows (peers)"].append(holds(wald(rate, rate * (1 - rate) / y.size), p))
        t = st.paired_cluster(y, g, limits=(-math.inf, math.inf)).interval
        got["cluster-robust t"].append(at.se > 0 and holds(t, p))
        touched += np.unique(g[y == 0]).size
    rows = []
    for name, hits in got.items():
        ours = name.startswith(("cluster-Wilson", "Clopper"))
        failures = clusters * worlds.SIZE * min(p, 1 - p)
        asked = coverage_asked(failures, min(clusters, touched / reps), at_least="upper" in name) if ours else {}
        rows.append(share(section, cell, name, hits, peer=not ours, **asked))
    return rows


def traffic_weighted(rng: np.random.Generator, reps: int, p: float, icc: float, seeds: int) -> list[Row]:
    section = "Traffic-weighted rate, three strata of equal size, traffic 60/30/10"
    logit = math.log(p / (1 - p))
    levels = [1 / (1 + math.exp(-(logit + s))) for s in (0.5, -0.3, -0.8)]
    truth = float(np.dot(WEIGHTS, levels))
    size = worlds.SIZE if icc else 1
    cell = f"p ≈ {p}, " + (f"ICC = {icc}, {seeds} seeds × 5" if icc else f"{seeds} cases")
    name = "MOVER over cluster-Wilson" if icc else "MOVER over Wilson"
    ours, naive, failures, touched = [], [], 0.0, 0.0
    for _ in range(reps):
        drawn = [worlds.rates(rng, level, icc, max(3, seeds // 3), size) for level in levels]
        failures += sum(float((1 - y).sum()) for y, _ in drawn)
        touched += sum(np.unique(g[y == 0]).size for y, g in drawn)
        k, n = [float(y.sum()) for y, _ in drawn], [y.size for y, _ in drawn]
        if icc:
            df = 3 * max(3, seeds // 3) - 3
            ends = [st.cluster_rate(y, g, df=df) for y, g in drawn]
            mid = [e.estimate for e in ends]
            low, high = [e.interval.low for e in ends], [e.interval.high for e in ends]
            interval = st.combine_strata(mid, low, high, WEIGHTS)[1]
        else:
            interval = st.post_stratify(k, n, WEIGHTS).interval
        ours.append(holds(interval, truth))
        naive.append(holds(st.wilson(sum(k), sum(n)), truth))
    total = 3 * max(3, seeds // 3) * size
    asked = coverage_asked(min(failures / reps, total - failures / reps), touched / reps)
    return [
        share(section, cell, name, ours, **asked),
        share(section, cell, "Wilson, strata unweighted (peers)", naive, peer=True),
    ]


def independent_pairs(_rng: np.random.Generator, _reps: int, p: float, n: int) -> list[Row]:
    """Exact: over all tables of cases that both, one or neither pass."""
    section = "Candidate against incumbent, independent cases"
    psi = worlds.DISCORDANCE[p]
    cell = f"p = {p}, discordant {psi:.0%}, n = {n}"
    neither = (1 - p - psi / 2) / (1 - psi)  # of the cases on which the arms agree
    got: dict[str, list[tuple[float, bool]]] = {
        "Tango": [],
        "Newcombe, paired": [],
        "paired Wald (peers)": [],
        "two separate intervals (peers)": [],
    }
    for m, of_m in binomial(n, psi):
        agreed = binomial(n - m, neither)
        for b, of_b in binomial(m, 0.5):
            c, chance, delta = m - b, of_m * of_b, (2 * b - m) / n
            got["Tango"].append((chance, holds(st.tango(b, c, n), 0)))
            got["paired Wald (peers)"].append((chance, holds(wald(delta, (m / n - delta**2) / n), 0)))
            for d, of_d in agreed:
                if chance * of_d > RARE:
                    a, each = n - m - d, chance * of_d
                    got["Newcombe, paired"].append((each, holds(st.newcombe_paired(a, b, c, d), 0)))
                    apart = st.newcombe_unpaired(a + b, n, a + c, n)
                    got["two separate intervals (peers)"].append((each, holds(apart, 0)))
    rows = []
    for name, hits in got.items():
        peer = "peers" in name
        asked = {} if peer else coverage_asked(n * min(p, 1 - p), n * psi)
        rows.append(certain(section, cell, name, hits, peer=peer, **asked))
    return rows


def clustered_pairs(rng: np.random.Generator, reps: int, p: float, icc: float, clusters: int) -> list[Row]:
    section = "Candidate against incumbent, five cases a seed"
    psi = worlds.DISCORDANCE[p]
    cell = f"p = {p}, discordant {psi:.0%}, ICC = {icc}, {clusters} seeds"
    ours, rows_only, robust, touched = [], [], [], 0
    for _ in range(reps):
        d, g = worlds.pairs(rng, psi / 2, psi / 2, icc, clusters, worlds.SIZE)
        at = st.clustered_tango(d, g)
        touched += at.n_discordant_clusters
        ours.append(holds(at.interval, 0))
        rows_only.append(holds(st.tango(at.b, at.c, at.n), 0))
        mean = st.paired_cluster(d, g)
        robust.append(mean.se > 0 and holds(mean.interval, 0))
    failures = clusters * worlds.SIZE * min(p, 1 - p)
    return [
        share(section, cell, "Tango at the effective size", ours, **coverage_asked(failures, touched / reps)),
        share(section, cell, "Tango on rows (peers)", rows_only, peer=True),
        share(section, cell, "cluster-robust t (no width counts as a miss)", robust, peer=True),
    ]


def graded_pairs(rng: np.random.Generator, reps: int, p: float, icc: float, clusters: int) -> list[Row]:
    section = "Candidate against incumbent, four epochs averaged, five cases a seed"
    cell = f"p = {p}, ICC = {icc}, {clusters} seeds"
    ours, naive, touched = [], [], 0
    for _ in range(reps):
        g = np.repeat(np.arange(clusters), worlds.SIZE)
        arms = [worlds.shares(rng, [p, 1 - p], icc, clusters)[g, 0] for _ in range(2)]
        each = [rng.beta(2 * chance + 0.01, 2 * (1 - chance) + 0.01) for chance in arms]
        epochs = [rng.binomial(1, case, (4, g.size)) for case in each]
        per_epoch = (epochs[0] - epochs[1]).astype(np.float64)
        d = per_epoch.mean(axis=0)
        touched += np.unique(g[d != 0]).size
        ours.append(holds(st.paired_cluster(d, g).interval, 0))
        rows = per_epoch.ravel()
        spread = float(rows.var(ddof=1)) / rows.size
        naive.append(spread > 0 and holds(wald(float(rows.mean()), spread), 0))
    failures = clusters * worlds.SIZE * min(p, 1 - p)
    asked = coverage_asked(failures, touched / reps)
    return [
        share(section, cell, "cluster-robust t", ours, **asked),
        share(section, cell, "epochs as rows, Wald (peers)", naive, peer=True),
    ]


def unpaired_arms(_rng: np.random.Generator, _reps: int, p: float, n: int) -> list[Row]:
    """Exact: over all pairs of numbers of passes."""
    section, cell = "Two arms on different cases", f"p = {p}, n = {n} each"
    got: dict[str, list[tuple[float, bool]]] = {"Newcombe, unpaired": [], "Miettinen–Nurminen": [], "Wald (peers)": []}
    arm = binomial(n, p)
    for (x, of_x), (y, of_y) in itertools.product(arm, arm):
        chance = of_x * of_y
        if chance > RARE:
            got["Newcombe, unpaired"].append((chance, holds(st.newcombe_unpaired(x, n, y, n), 0)))
            got["Miettinen–Nurminen"].append((chance, holds(st.miettinen_nurminen(x, n, y, n), 0)))
            variance = (x / n * (1 - x / n) + y / n * (1 - y / n)) / n
            got["Wald (peers)"].append((chance, variance > 0 and holds(wald((x - y) / n, variance), 0)))
    failures = 2 * n * min(p, 1 - p)
    rows = []
    for name, hits in got.items():
        peer = "peers" in name
        asked = {} if peer else coverage_asked(failures, failures)
        rows.append(certain(section, cell, name, hits, peer=peer, **asked))
    return rows


def costs(rng: np.random.Generator, reps: int, clusters: int) -> list[Row]:
    section, cell = "Skewed cost (lognormal, σ = 1)", f"{clusters} seeds × 5"
    truth = math.exp(0.5)
    g = np.repeat(np.arange(clusters), worlds.SIZE)
    ours, t, percentile = [], [], []
    for i in range(reps):
        shared = rng.normal(0, math.sqrt(0.3), clusters)[g]
        x = np.exp(shared + rng.normal(0, math.sqrt(0.7), g.size))
        ours.append(holds(st.bootstrap_t(x, g, draws=999, seed=i), truth))
        t.append(holds(st.paired_cluster(x, g, limits=(-math.inf, math.inf)).interval, truth))
        percentile.append(holds(wald(float(x.mean()), float(x.var(ddof=1)) / x.size), truth))
    return [
        share(section, cell, "cluster bootstrap-t", ours, low=0.925),
        share(section, cell, "cluster-robust t", t, peer=True),
        share(section, cell, "Wald on rows (peers)", percentile, peer=True),
    ]


def latency(rng: np.random.Generator, reps: int, n: int) -> list[Row]:
    section, cell = "p95 latency (lognormal, σ = 1)", f"n = {n}"
    truth = math.exp(1.6448536269514722)
    ours, normal = [], []
    for _ in range(reps):
        x = np.exp(rng.normal(0, 1, n))
        ours.append(holds(st.quantile_interval(x, 0.95), truth))
        mean, sd = float(x.mean()), float(x.std(ddof=1))
        p95 = mean + 1.645 * sd
        normal.append(holds((p95 - Z * sd * math.sqrt(2.36 / n), p95 + Z * sd * math.sqrt(2.36 / n)), truth))
    return [
        share(section, cell, "order statistics", ours, low=0.925, note="at least 95% by design"),
        share(section, cell, "mean + 1.645 sd as if normal (peers)", normal, peer=True),
    ]
