"""Rankings, economics, set quality, several tries."""

import itertools
import math
import warnings

import choix
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.stats import (
    CostPlan,
    bootstrap_ratings,
    bradley_terry,
    break_even_rate,
    brier,
    calibration_error,
    conformal_rank,
    davidson,
    elo,
    elo_expected,
    evsi,
    pareto_probability,
    pass_at_k,
    pass_hat_k,
    payback_periods,
    rao_kupper,
    regression_estimate,
    selective_threshold,
    tco_draws,
    total_cost,
    vendi,
)

CITATIONS = [[714, 730, 498, 221], [33, 425, 68, 17], [320, 813, 1072, 142], [284, 276, 325, 188]]

WIN = "2,0,5,2,0,12,13,10,6,17,9,8,24,16,15,22,14,11,24,22,17,3,2,12,10,8,5,20,15,13,27,19,18,2,2,6"
LOSS = "16,21,10,15,22,3,9,12,11,2,6,12,2,3,2,2,4,4,1,0,2,14,18,6,6,9,11,0,2,5,1,1,2,13,21,8"
TIE = "7,1,10,7,2,9,5,3,5,7,8,6,0,5,7,4,5,7,3,3,6,9,4,5,6,11,9,2,5,9,0,5,2,8,5,8"


def springall():
    wins, ties = np.zeros((9, 9)), np.zeros((9, 9))
    columns = ([int(v) for v in text.split(",")] for text in (WIN, LOSS, TIE))
    for (i, j), won, lost, tied in zip(itertools.combinations(range(9), 2), *columns, strict=True):
        wins[j, i], wins[i, j], ties[i, j], ties[j, i] = won, lost, tied, tied
    return wins, ties


def test_citations_of_statistics_journals():
    got = bradley_terry(CITATIONS)
    assert got.theta == pytest.approx([0, -2.9491, -0.4796, 0.2690], abs=6e-5)
    assert got.se == pytest.approx([0, 0.1025, 0.0606, 0.0708], abs=6e-5)
    assert not got.regularised


def test_bradley_terry_agrees_with_choix():
    data = [
        (i, j)
        for i in range(4)
        for j in range(4)
        if i != j
        for _ in range(CITATIONS[i][j])
    ]  # fmt: skip
    theirs = choix.ilsr_pairwise(4, data)
    assert bradley_terry(CITATIONS).theta == pytest.approx(theirs - theirs[0], abs=1e-5)


def test_bradley_terry_agrees_with_evalica():
    evalica = pytest.importorskip("evalica", exc_type=ImportError)
    rng = np.random.default_rng(2)
    xs, ys, winners = [], [], []
    wins, ties = np.zeros((5, 5)), np.zeros((5, 5))
    for _ in range(3000):
        i, j = rng.choice(5, 2, replace=False)
        roll = rng.random()
        xs.append(str(i))
        ys.append(str(j))
        if roll < 0.2:
            winners.append(evalica.Winner.Draw)
            ties[i, j] += 1
            ties[j, i] += 1
        elif roll < 0.2 + 0.8 / (1 + math.exp(0.3 * (j - i))):
            winners.append(evalica.Winner.X)
            wins[i, j] += 1
        else:
            winners.append(evalica.Winner.Y)
            wins[j, i] += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = evalica.bradley_terry(xs, ys, winners, tolerance=1e-12, limit=10_000).scores
    theirs = np.log([scores[str(m)] for m in range(5)])
    assert bradley_terry(wins, ties=ties).theta == pytest.approx(theirs - theirs[0], abs=1e-4)


# wins of the row over the column: the American League East of 1987
BASEBALL = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]


def test_baseball():
    got = bradley_terry(BASEBALL, anchor=6)
    assert np.round(got.theta, 2).tolist() == [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0]


def test_printed_elo():
    assert elo_expected(200) == pytest.approx(0.7597, abs=5e-5)
    assert elo_expected(400) == pytest.approx(0.9091, abs=5e-5)
    games = ([0, 1, 0], [1, 2, 2], [1, 0, 0.5])  # pizza, burger, sushi
    assert np.round(elo(*games, k=30), 2).tolist() == [1014.97, 970.65, 1014.38]
    assert np.round(elo(*games), 2).tolist() == [1002.00, 996.01, 1001.99]
    backwards = elo(*(column[::-1] for column in games), k=30)
    assert backwards != pytest.approx(elo(*games, k=30), abs=0.1)  # the order of games counts


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([0, 0.5, 1])), max_size=30))
def test_elo_laws(games):
    games = [g for g in games if g[0] != g[1]]
    first, second, score = ([g[i] for g in games] for i in range(3))
    got = elo(first, second, score, models=5, k=16)
    assert got.sum() == pytest.approx(5_000)
    mirrored = elo(second, first, [1 - s for s in score], models=5, k=16)
    assert mirrored == pytest.approx(got)
    assert elo([], [], [], models=3).tolist() == [1000, 1000, 1000]
    assert elo([], [], []).size == 0


@given(st.integers(0, 1_000))
def test_elo_agrees_with_evalica(seed):
    evalica = pytest.importorskip("evalica", exc_type=ImportError)
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 4, 30)
    second = (first + rng.integers(1, 4, 30)) % 4
    score = rng.choice([0, 0.5, 1], 30)
    winner = {0: evalica.Winner.Y, 0.5: evalica.Winner.Draw, 1: evalica.Winner.X}
    theirs = evalica.elo([str(i) for i in first], [str(j) for j in second], [winner[s] for s in score], k=30).scores
    ours = elo(first, second, score, k=30)
    for model, rating in theirs.items():
        assert ours[int(model)] == pytest.approx(rating, abs=1e-6)


def test_springall():
    wins, ties = springall()
    got = davidson(wins, ties)
    want = [0, -2.2732, -3.2907, -0.3976, -1.8948, -2.8428, 1.2815, 0.0049, -0.6074]
    assert got.theta == pytest.approx(want, abs=6e-5)
    assert got.tie == pytest.approx(0.86555, abs=6e-6)
    assert minus_log_likelihood(got, wins, ties) == pytest.approx(732.067, abs=5e-4)
    half = bradley_terry(wins, ties=ties).theta
    assert (half[1], half[8]) == pytest.approx((-1.5398, -0.4126), abs=6e-5)


def test_springall_by_rao_and_kupper():
    wins, ties = springall()
    got = rao_kupper(wins, ties)
    want = [0, -1.6741, -2.4260, -0.3189, -1.3878, -2.1282, 0.9631, -0.0095, -0.4740]
    assert got.theta == pytest.approx(want, abs=6e-5)
    assert got.tie == pytest.approx(2.00791, abs=6e-6)
    total = 0.0
    for i, j in itertools.combinations(range(9), 2):
        a, b, eta = math.exp(got.theta[i]), math.exp(got.theta[j]), got.tie
        first, second = a / (a + eta * b), b / (b + eta * a)
        for times, chance in ((wins[i, j], first), (wins[j, i], second), (ties[i, j], 1 - first - second)):
            total -= times * math.log(chance)
    assert total == pytest.approx(730.004, abs=5e-4)
    assert rao_kupper([[0, 3], [2, 0]], np.zeros((2, 2))).tie == 1
    assert np.all(got.se[1:] > 0)


def minus_log_likelihood(at, wins, ties):
    total = 0.0
    for i, j in itertools.combinations(range(at.theta.size), 2):
        a, b = math.exp(at.theta[i]), math.exp(at.theta[j])
        both = at.tie * math.sqrt(a * b)
        for times, chance in ((wins[i, j], a), (wins[j, i], b), (ties[i, j], both)):
            total -= times * math.log(chance / (a + b + both))
    return total


def test_two_models():
    got = bradley_terry([[0, 60], [40, 0]], anchor=1)
    assert got.theta[0] == pytest.approx(0.405465, abs=5e-7)
    assert got.rating[0] - got.rating[1] == pytest.approx(70.44, abs=0.005)
    for n, half in ((100, 68), (1000, 22), (5000, 9.7)):
        at = bradley_terry([[0, n / 2], [n / 2, 0]])
        assert 1.959964 * at.se[1] * 400 / math.log(10) == pytest.approx(half, abs=0.5 if n < 5000 else 0.07)
    tied = davidson([[0, 50], [30, 0]], [[0, 20], [20, 0]])
    assert tied.tie == pytest.approx(20 / math.sqrt(1500))


@given(st.lists(st.integers(1, 30), min_size=12, max_size=12))
def test_ranking_laws(cells):
    wins = np.zeros((4, 4))
    wins[~np.eye(4, dtype=bool)] = cells
    at = bradley_terry(wins).theta
    reversed_roles = bradley_terry(wins.T).theta
    assert reversed_roles == pytest.approx(-at, abs=1e-8)
    order = [2, 0, 3, 1]
    moved = bradley_terry(wins[np.ix_(order, order)], anchor=1).theta
    assert moved == pytest.approx(at[order], abs=1e-8)
    assert davidson(wins, np.zeros((4, 4))).theta == pytest.approx(at, abs=1e-8)
    expected = 1 / (1 + np.exp(at[None, :] - at[:, None]))
    games = wins + wins.T
    assert (games * expected).sum(axis=1) == pytest.approx(wins.sum(axis=1), abs=1e-6)


def test_unbeaten_and_unconnected_models_are_marked():
    unbeaten = bradley_terry([[0, 5, 5], [0, 0, 3], [0, 2, 0]])
    assert unbeaten.regularised
    assert np.isfinite(unbeaten.theta).all()
    apart = bradley_terry([[0, 5, 0, 0], [3, 0, 0, 0], [0, 0, 0, 4], [0, 0, 2, 0]])
    assert apart.regularised
    ties = np.zeros((3, 3))
    ties[1, 2] = ties[2, 1] = 2
    assert davidson([[0, 5, 5], [0, 0, 3], [0, 2, 0]], ties).regularised


def test_bootstrap_ranks_by_case():
    rng = np.random.default_rng(4)
    first, second = np.tile([0, 0, 1], 200), np.tile([1, 2, 2], 200)
    strength = np.array([0.0, 0.0, 1.5])
    won = rng.random(600) < 1 / (1 + np.exp(strength[second] - strength[first]))
    case = np.repeat(np.arange(200), 3)
    got = bootstrap_ratings(first, second, won.astype(float), case, draws=200)
    assert got.rank[2] == 1
    assert got.rank[0] == got.rank[1] == 2
    assert got.low[0] == got.high[0] == 1000
    again = bootstrap_ratings(first, second, won.astype(float), case, draws=200)
    assert again.low.tolist() == got.low.tolist()


def test_arithmetic_of_a_published_business_case():
    # 50 million tokens a day at 15 and 2.5 a million; 10,000 documents, 15 points more errors at 8 each
    day = total_cost(50, 15, 0, 0) - total_cost(50, 2.5, 0, 0)
    assert day == 625
    assert day * 365 == 228_125
    month = total_cost(10_000, 0, 0.15, 8)
    assert month == pytest.approx(12_000)
    assert 12 * month == pytest.approx(144_000)
    assert payback_periods(6_000, 12_000, 600) == pytest.approx(0.526, abs=5e-4)
    assert payback_periods(9_000, 12_000, 1_200) == pytest.approx(0.833, abs=5e-4)
    days = payback_periods(6_000, 12_000, 600) * 365 / 12, payback_periods(9_000, 12_000, 1_200) * 365 / 12
    assert [round(d) for d in days] == [16, 25]
    slower = payback_periods(6_000, 625, 12 * 600 / 365), payback_periods(9_000, 625, 12 * 1_200 / 365)
    assert [round(d, 1) for d in slower] == [9.9, 15.4]  # against the price saving alone, a day
    for spent, times in ((6_000 + 12 * 600, 9.9), (9_000 + 12 * 1_200, 5.2)):
        assert round((144_000 - spent) / spent, 1) == times
    assert break_even_rate(228_125, 10_000 * 12, 8) == pytest.approx(0.238, abs=5e-4)
    assert payback_periods(5, 1, 1) == math.inf


def test_cost_draws():
    plan = CostPlan(1_000, 0.10, 0.12, 8, migration=50)
    got = tco_draws(850, 30, 40, 80, plan, draws=40_000)
    gain = (30 - 40) / (1_000 + 2)  # the mean of b − c under Dirichlet(counts + ½)
    free = CostPlan(1, 0, 0, 1)
    assert tco_draws(850, 30, 40, 80, free, draws=400_000).saving == pytest.approx(gain, abs=5e-5)
    assert got.saving == pytest.approx(1_000 * 0.02 + 8_000 * gain - 50, abs=3)
    assert got.incumbent.mean() == pytest.approx(1_000 * (0.12 + 8 * 111 / 1002), rel=0.01)
    assert 0 < got.p_cheaper < 1
    assert got.evpi > 0
    assert tco_draws(850, 30, 40, 80, plan).saving == tco_draws(850, 30, 40, 80, plan).saving
    few, many = (evsi((850, 30, 40, 80), plan, n) for n in (100, 5_000))
    assert 0 <= few <= many <= got.evpi + 1
    assert evsi((850, 30, 40, 80), plan, 0) == pytest.approx(0, abs=1e-9)


def test_pareto_front():
    draws = np.array([[[1, 5], [2, 4], [2, 5]], [[1, 1], [2, 2], [3, 3]]], dtype=float)
    assert pareto_probability(draws) == pytest.approx([1, 0.5, 0])
    assert pareto_probability([[[1.0, 2.0], [1.0, 2.0]]]) == pytest.approx([1, 1])


def test_vendi_known_answers():
    x = np.array([0, 0, 10, 10, 20, 20.0])
    assert vendi(np.exp(-np.abs(x[:, None] - x))) == pytest.approx(3.0000, abs=5e-5)
    assert vendi([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]]) == pytest.approx(2.15730, abs=5e-6)
    assert vendi(np.ones((5, 5))) == pytest.approx(1)
    assert vendi(np.eye(5)) == pytest.approx(5)
    assert vendi(np.zeros((0, 0))) == 0


def test_selective_known_answer():
    got = selective_threshold([1, 4, 8, 9], [120, 200, 260, 400])
    assert got.p == pytest.approx([0.0155, 0.0264, 0.094], abs=5e-5)
    assert got.last == 1
    assert selective_threshold([9], [10]).last is None
    assert selective_threshold([0], [0]).last is None
    assert selective_threshold([], []).last is None


def test_calibration_known_answers():
    p = [0.95, 0.95, 0.9, 0.8, 0.7, 0.6, 0.3, 0.2, 0.1, 0.05]
    y = [1, 1, 1, 1, 0, 1, 0, 0, 0, 0]
    assert calibration_error(p, y, bins=5) == pytest.approx(0.135)
    assert brier(p, y) == pytest.approx(0.08475)
    assert calibration_error([1.0], [1]) == 0
    assert math.isnan(brier([], []))
    assert [conformal_rank(n) for n in (18, 19, 99)] == [None, 19, 95]


def test_regression_estimate_uses_what_is_known():
    rng = np.random.default_rng(8)
    x = rng.random(2_000)
    y = 0.5 * x + rng.normal(0, 0.1, 2_000)
    rows = rng.choice(2_000, 200, replace=False)
    got = regression_estimate(y[rows], x[rows], float(x.mean()))
    assert got.beta == pytest.approx(0.5, abs=0.06)
    assert abs(got.estimate - y.mean()) < 4 * got.se
    assert got.se < 0.7 * float(y[rows].std(ddof=1)) / math.sqrt(200)
    rho = np.corrcoef(y[rows], x[rows])[0, 1]
    plain = float(y[rows].std(ddof=1)) / math.sqrt(200)
    assert got.se == pytest.approx(plain * math.sqrt((1 - rho**2) * 199 / 198))
    flat = regression_estimate([1, 2, 3], [1, 1, 1], 5)
    assert (flat.estimate, flat.beta) == (2, 0)


@given(st.integers(1, 8), st.data())
def test_tries_count_subsets(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    subsets = list(itertools.combinations([1] * c + [0] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(any(s) for s in subsets) / len(subsets))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(all(s) for s in subsets) / len(subsets))
    assert pass_hat_k(n, n - c, k) == pytest.approx(1 - pass_at_k(n, c, k))


def test_tries_take_arrays():
    assert pass_at_k([10, 10, 10], [0, 3, 10], 5) == pytest.approx([0, 1 - 21 / 252, 1])
    assert pass_hat_k(10, [0, 7, 10], 2) == pytest.approx([0, 21 / 45, 1])
    assert isinstance(pass_at_k(10, 3, 1), float)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bradley_terry([[0, 1]]), "^wins must be square"),
        (lambda: bradley_terry([[0, -1], [1, 0]]), "^wins must hold finite counts"),
        (lambda: bradley_terry([[0, 1], [1, 0]], anchor=2), "^anchor must be from 0 to 1; got 2"),
        (lambda: davidson([[0, 1], [1, 0]], [[0, 1], [0, 0]]), "^ties must be symmetric"),
        (lambda: davidson([[0, 0], [0, 0]], [[0, 1], [1, 0]]), "^wins must not all be 0"),
        (lambda: rao_kupper([[0, 0], [0, 0]], [[0, 1], [1, 0]]), "^wins must not all be 0"),
        (lambda: davidson([[0, 1], [1, 0]], [[0]]), "^ties must have the shape of wins"),
        (lambda: bootstrap_ratings([0], [0], [1], ["a"]), "^first and second must name two"),
        (lambda: elo([0], [0], [1]), "^first and second must name two different models; got 0 twice"),
        (lambda: elo([0], [1], [2]), "^score must hold"),
        (lambda: elo([2**63], [1], [1]), "^first must hold finite numbers from 0 to 1e"),
        (lambda: elo([0.5], [1], [1]), "^first must hold whole numbers"),
        (lambda: elo([0], [1, 2], [1]), "^second must have 1 entries"),
        (lambda: elo([0], [5], [1], models=3), "^models must be a whole number of at least 6"),
        (lambda: elo([0], [1], [1], k=0), "^k must be"),
        (lambda: elo_expected(math.inf), "^difference must be finite"),
        (lambda: tco_draws(-1, 0, 0, 0, CostPlan(1, 1, 1, 1)), "^a must be a count"),
        (lambda: total_cost(1, 1, 2, 1), "^failure_rate must be"),
        (lambda: CostPlan(1, -1, 1, 1), "^price_candidate must be a count"),
        (lambda: break_even_rate(1, 0, 1), "^units must be"),
        (lambda: payback_periods(-1, 1), "^setup must be a count"),
        (lambda: pareto_probability([[1.0]]), "^draws must be draws × models"),
        (lambda: vendi([[1, 0.5]]), "^similarity must be square"),
        (lambda: vendi([[1, 0.5], [0.4, 1]]), "^similarity must be finite and symmetric"),
        (lambda: vendi([[2.0]]), "^similarity must be 1 on the diagonal"),
        (lambda: selective_threshold([3], [2]), "^errors must be at most accepted"),
        (lambda: calibration_error([0.5], [1], bins=0), "^bins must be"),
        (lambda: regression_estimate([1, 2], [1, 2], 1), "^y must hold at least 3"),
        (lambda: regression_estimate([1, 2, 3], [1, 2, 3], math.nan), "^x_mean must be finite"),
        (lambda: pass_at_k(5, 6, 1), "^c must hold whole numbers from 0 to n"),
        (lambda: pass_at_k(5, 2, 6), "^k must be a whole number from 1 to n"),
        (lambda: pass_hat_k(5.5, 2, 1), "^n must hold whole numbers"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
