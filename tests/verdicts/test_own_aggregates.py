"""A suite's own statistic over all scores of an arm, and even-handedness over counterfactual pairs."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import commands
from tests.verdicts.made_trials import make_suite

from seatrial.core.protocols import Aggregate
from seatrial.core.score import Evidence, Score
from seatrial.errors import AggregateError
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.engine.aggregates import LabelAggregate, jackknifed
from seatrial.verdicts.engine.counterfactual import demographic_parity, pair_consistency
from seatrial.verdicts.engine.outcomes import Labels, Outcomes
from seatrial.verdicts.engine.overall import MOST_GROUPS, over_all, tied
from seatrial.verdicts.engine.pooling import ScoreAggregate, Scored

STATS = '''
def positive(scores):
    """F1 of those that expect yes: the built-in `f1:yes`, written by hand."""
    pairs = [(e.expected, e.found) for s in scores for e in s.evidence if isinstance(e.expected, str)]
    hits = sum(a == b == "yes" for a, b in pairs)
    sides = sum(a == "yes" for a, _ in pairs) + sum(b == "yes" for _, b in pairs)
    return 2 * hits / sides if sides else None

positive.limits = (0, 1)

def weighted(scores, weights):
    return sum(w * s.value for s, w in zip(scores, weights)) / sum(weights)

def raises(scores):
    return {}["missing"]

def text(scores):
    return "0.5"

def nan(scores):
    return float("nan")

def large(scores):
    return 100 * sum(s.passed for s in scores) / len(scores)

async def slow(scores):
    return 0.5

def nothing():
    return 0.5

def bounds(scores):
    return 0.5

bounds.limits = (0, 100)
'''


class Folder:
    """A suite of two recordings of a yes-or-no question, and the command line at work in it."""

    def __init__(self, folder: Path, cases: int = 200, wrong: int = 8) -> None:
        self.folder = folder
        (folder / "stats.py").write_text(STATS)
        truth = ["yes" if i % 4 == 0 else "no" for i in range(cases)]
        rows = [{"id": f"c{i}", "input": f"claim {i}", "expected": t} for i, t in enumerate(truth)]
        self.lines("cases.jsonl", rows)
        flipped = ["no" if t == "yes" else "yes" for t in truth]
        for arm, every in (("old", 20), ("new", wrong)):
            said = [f if i % every == 0 else t for i, (t, f) in enumerate(zip(truth, flipped, strict=True))]
            self.lines(f"{arm}.jsonl", [{"id": f"c{i}", "output": text} for i, text in enumerate(said)])

    def lines(self, name: str, rows: list[dict[str, Any]]) -> None:
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def suite(self, *rubrics: dict[str, Any], **more: Any) -> None:
        suite = {
            "name": "claims",
            "dataset": {"path": "cases.jsonl"},
            "targets": {arm: {"use": f"replay:{arm}.jsonl", "join": "id"} for arm in ("old", "new")},
            "incumbent": "old",
            "rubrics": list(rubrics),
            **more,
        }
        (self.folder / "seatrial.yaml").write_text(json.dumps(suite))

    def own(self, function: str, **more: Any) -> dict[str, Any]:
        labels = {"labels": ["yes", "no"]}
        return {"name": "own", "scorer": "label", "with": labels, "aggregate": f"python:stats:{function}", **more}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return commands.seatrial(self.folder, *arguments)

    def anew(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """In a process of its own, which has not loaded the function yet."""
        return commands.process(cwd or self.folder, *arguments)

    def rubric(self, *arguments: str) -> dict[str, Any]:
        done = self(*arguments, "--json")
        assert done.returncode in {0, 1, 3}, done.stderr
        return json.loads(done.stdout)["verdicts"][0]["rubrics"][0]


@pytest.fixture
def claims(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_function_of_ones_own_decides_as_the_built_in_one_does(claims: Folder):
    labels = {"scorer": "label", "with": {"labels": ["yes", "no"]}, "margin_points": 5}
    claims.suite(claims.own("positive", margin_points=5), {**labels, "name": "built-in", "aggregate": "f1:yes"})
    done = claims("run", "--exit-code", "--json")
    assert done.returncode == 1, done.stderr
    own, built_in = json.loads(done.stdout)["verdicts"][0]["rubrics"]
    assert own["decision"] == built_in["decision"] == "BLOCK"
    for side in ("candidate", "incumbent"):
        mine, theirs = own[side]["estimate"], built_in[side]["estimate"]
        assert [mine[k] for k in ("value", "low", "high")] == pytest.approx(
            [theirs[k] for k in ("value", "low", "high")]
        )
    for end in ("value", "low", "high"):
        assert own["difference"][end] == pytest.approx(built_in["difference"][end])
    assert own["difference"]["method"] == "delete-one-cluster jackknife of python:stats:positive, t"
    assert own["sentence"].startswith("Its python:stats:positive is")


def test_it_works_from_plan_to_a_verified_record(claims: Folder):
    claims.suite(claims.own("positive", margin_points=5))
    assert claims("plan").returncode in {0, 3}
    ran = claims("run", "--record", "r.json")
    assert "wrote r.json" in ran.stdout, ran.stderr
    assert claims.rubric("compare") == claims.rubric("compare", "--suite", "seatrial.yaml")
    assert "own" in claims("plan").stdout
    assert claims.anew("verify", "r.json").stdout.startswith("equal")
    assert claims("export", "-o", "b.seatrial").returncode == 0
    (claims.folder / ".seatrial").rename(claims.folder / "gone")
    done = claims.anew("verify", "r.json", "--bundle", "b.seatrial")
    assert (done.returncode, done.stdout[:5]) == (0, "equal"), done.stderr
    gated = claims("gate", "--store", "gone/seatrial.db")
    assert gated.returncode == 1, gated.stderr


def test_a_changed_function_is_another_version_of_the_rubric(claims: Folder):
    claims.suite(claims.own("positive", margin_points=5))
    claims("run")
    file = claims.folder / "stats.py"
    file.write_text(file.read_text().replace("2 * hits", "2.0 * hits"))
    old = claims.anew("compare")
    assert (old.returncode, "E141" in old.stderr, "not what was registered" in old.stderr) == (2, True, True)
    again = claims.anew("run")
    assert "The policy was changed after results existed" in " ".join(again.stdout.split())
    assert "rubrics.own.version" in " ".join(again.stdout.split())
    assert again.returncode == claims.anew("compare").returncode == 0


def test_elsewhere_the_function_is_not_there(claims: Folder, tmp_path_factory: pytest.TempPathFactory):
    claims.suite(claims.own("positive", margin_points=5))
    claims("run", "--store", str(claims.folder / "kept.db"))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    beside = claims.anew("compare", "--exit-code", "--store", str(claims.folder / "kept.db"), cwd=elsewhere)
    assert beside.returncode == 1, beside.stderr
    (elsewhere / "kept.db").write_bytes((claims.folder / "kept.db").read_bytes())
    lost = claims.anew("compare", "--store", "kept.db", cwd=elsewhere)
    assert lost.returncode == 2
    assert "python:stats:positive: its module cannot be imported" in " ".join(lost.stderr.split())


BAD = [
    pytest.param("raises", "raised KeyError", id="raises"),
    pytest.param("text", "gave str, which is no number", id="text"),
    pytest.param("nan", "gave nan", id="nan"),
    pytest.param("large", "outside [-1, 1]", id="percent"),
    pytest.param("slow", "is async", id="async"),
    pytest.param("nothing", "cannot be called", id="no-parameter"),
    pytest.param("bounds", "The limits of", id="limits"),
    pytest.param("absent", "cannot be imported", id="absent"),
]


@pytest.mark.parametrize(("function", "says"), BAD)
def test_bad_functions_are_refused_in_a_sentence(claims: Folder, function: str, says: str):
    claims.suite(claims.own(function))
    done = claims("run")
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_weights_are_passed_on_where_they_are_taken(claims: Folder):
    cases = [json.loads(line) for line in (claims.folder / "cases.jsonl").read_text().splitlines()]
    for at, case in enumerate(cases):
        case["weight"] = 3 if at % 8 == 0 else 1
    claims.lines("cases.jsonl", cases)
    claims.suite(claims.own("weighted"))
    found = claims.rubric("run")
    wrong = [8, 20]
    shares = [sum(c["weight"] for i, c in enumerate(cases) if i % w) / sum(c["weight"] for c in cases) for w in wrong]
    assert found["candidate"]["estimate"]["value"] == pytest.approx(shares[0])
    assert found["incumbent"]["estimate"]["value"] == pytest.approx(shares[1])
    assert "weighted python:stats:weighted" in found["difference"]["method"]
    claims.suite(claims.own("positive"))
    assert "unweighted python:stats:positive" in claims.rubric("run")["difference"]["method"]


# the arithmetic -------------------------------------------------------------------------------------------------------


def scored(
    of: Callable[..., Any], candidate: Any, incumbent: Any, cluster: Any = None, tie: Any = None, **more: Any
) -> Outcomes:
    """Outcomes of passes, with the scores that say the same."""
    made = Outcomes.of(candidate, incumbent, cluster)
    scores = (Score.binary(False), Score.binary(True))
    sides = [np.nan_to_num(arm, nan=-1).astype(np.int32) for arm in (made.candidate, made.incumbent) if arm is not None]
    ties = np.full(len(made.candidate), -1, dtype=np.int32) if tie is None else np.asarray(tie, dtype=np.int32)
    held = Scored(ScoreAggregate("own", of, **more), scores, sides[0], sides[1], ties)
    return Outcomes(made.cluster, made.candidate, made.incumbent, labels=held)


def share(scores: list[Score]) -> float | None:
    return sum(bool(score.passed) for score in scores) / len(scores) if scores else None


def test_it_is_the_aggregate_of_the_protocol():
    made: Aggregate = ScoreAggregate("own", share)
    assert made([Score.binary(True), Score.binary(False)]) == 0.5
    assert math.isnan(made([]))


@given(seed=st.integers(0, 1000), per=st.integers(1, 4))
def test_the_interval_is_that_of_the_same_number_over_labels(seed: int, per: int):
    random = np.random.default_rng(seed)
    arms = [(random.random(60) < p).astype(float) for p in (0.7, 0.8)]
    cluster = np.arange(60) // per
    found = over_all(scored(share, *arms, cluster, limits=(0.0, 1.0)))
    codes = [arm[:, None].astype(np.int32) for arm in arms]
    labels = Labels("accuracy", ("a", "b"), np.ones((60, 1), dtype=np.int32), codes[0], codes[1])
    theirs = jackknifed(
        Outcomes(cluster, arms[0][:, None], arms[1][:, None], labels=labels), LabelAggregate("accuracy")
    )
    assert found is not None
    assert theirs is not None
    assert found.difference is not None
    assert theirs.difference is not None
    assert tuple(found.difference.interval(0.1)) == pytest.approx(tuple(theirs.difference.interval(0.1)))


def test_many_clusters_are_left_out_by_groups_and_each_number_is_computed_once():
    random, calls = np.random.default_rng(3), []
    arms = [(random.random(5000) < p).astype(float) for p in (0.7, 0.8)]

    def counted(scores: list[Score]) -> float | None:
        calls.append(len(scores))
        return share(scores)

    outcomes = scored(counted, *arms)
    first, second = over_all(outcomes), over_all(outcomes)
    assert len(calls) == 2 * (MOST_GROUPS + 1)
    assert first is not None
    assert second is not None
    assert first.difference is not None
    assert first.difference.clusters == MOST_GROUPS
    assert "group-of-clusters" in first.difference.method
    half = (first.difference.interval(0.05).high - first.difference.interval(0.05).low) / 2
    assert half == pytest.approx(1.96 * (arms[0] - arms[1]).std() / np.sqrt(5000), rel=0.2)


def test_missing_results_are_bounded_by_failures_and_successes():
    random = np.random.default_rng(3)
    arms = [(random.random(200) < p).astype(float) for p in (0.9, 0.9)]
    arms[0][:20] = np.nan
    (rubric,) = compare_arrays(make_suite({"name": "m", "aggregate": "python:a:b"}), {"m": scored(share, *arms)})[1]
    known = arms[0][20:].sum()
    base = arms[1].mean()
    assert rubric.missing_range == pytest.approx((known / 200 - base, (known + 20) / 200 - base))


def test_undefined_decides_nothing():
    (rubric,) = compare_arrays(
        make_suite({"name": "m", "aggregate": "python:a:b"}),
        {"m": scored(lambda _: None, np.ones(50), np.ones(50))},
    )[1]
    assert rubric.decision not in {"PASS", "BLOCK"}
    assert rubric.candidate is not None
    assert rubric.candidate.estimate.method == "own is undefined"


TIES = [
    pytest.param([0, 1, 2, 3], [-1, -1, -1, -1], [0, 1, 2, 3], id="none"),
    pytest.param([0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 2, 2], id="pairs"),
    pytest.param([0, 0, 2, 3], [0, 1, 1, 2], [0, 0, 0, 3], id="through-a-cluster"),
    pytest.param([5, 4, 4, 3, 3, 2], [0, 0, 1, 1, 2, 2], [2, 2, 2, 2, 2, 2], id="a-chain"),
]


@pytest.mark.parametrize(("cluster", "tie", "joined"), TIES)
def test_what_is_tied_is_one_cluster(cluster: list[int], tie: list[int], joined: list[int]):
    assert tied(np.array(cluster), np.array(tie, dtype=np.int32)).tolist() == joined


def test_a_function_that_gives_no_number_names_itself():
    with pytest.raises(AggregateError, match="own gave list, which is no number"):
        ScoreAggregate("own", lambda _: [])([])  # type: ignore[arg-type]


# counterfactual pairs -------------------------------------------------------------------------------------------------


def member(pair: str, group: str, decision: str, unit: str = "label") -> Score:
    place = Evidence(where="text", expected={"pair": pair, "group": group}, found=decision)
    return Score(measure=0.0, unit=unit, evidence=(place,))


PAIRS = [
    pytest.param([], None, None, id="nothing"),
    pytest.param([("p", "a", "yes")], None, None, id="half-a-pair"),
    pytest.param([("p", "a", "yes"), ("p", "a", "no")], None, None, id="one-group-only"),
    pytest.param([("p", "a", "yes"), ("p", "b", "yes")], 1, 1, id="alike"),
    pytest.param([("p", "a", "yes"), ("p", "b", "no")], 0, 0, id="a-flip"),
    pytest.param(
        [("p", "a", "yes"), ("p", "b", "no"), ("q", "a", "no"), ("q", "b", "yes")], 0, 1, id="flips-that-even-out"
    ),
    pytest.param([("p", "a", "y"), ("p", "b", "y"), ("p", "c", "n")], 1 / 3, 0, id="three-groups"),
    pytest.param([("p", "a", "y"), ("p", "a", "n"), ("p", "b", "y"), ("p", "b", "y")], 0.5, 0.5, id="two-tries"),
    pytest.param([("p", "a", "y"), ("p", "b", "y"), ("q", "a", "n")], 1, 1, id="what-is-incomplete-counts-nowhere"),
]


@pytest.mark.parametrize(("rows", "consistency", "parity"), PAIRS)
def test_even_handedness(rows: list[tuple[str, str, str]], consistency: float | None, parity: float | None):
    scores = [member(*row) for row in rows]
    assert pair_consistency(scores) == (consistency if consistency is None else pytest.approx(consistency))
    assert demographic_parity(scores) == (parity if parity is None else pytest.approx(parity))


def test_groups_have_no_shares_of_quantities():
    scores = [member("p", "a", "3", "number"), member("p", "b", "3", "number")]
    assert (pair_consistency(scores), demographic_parity(scores)) == (1, None)


@given(
    st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from("ab"), st.sampled_from("yn")), max_size=30),
    st.randoms(use_true_random=False),
)
def test_order_says_nothing_and_both_lie_in_0_to_1(rows: list[tuple[str, str, str]], random: Any):
    scores = [member(*row) for row in rows]
    mixed = list(scores)
    random.shuffle(mixed)
    for number in (pair_consistency, demographic_parity):
        one, two = number(scores), number(mixed)
        assert (one is None) == (two is None)
        assert one is None or (one == pytest.approx(two) and -1e-9 <= one <= 1 + 1e-9)


def test_a_biased_candidate_is_blocked_from_the_suite_to_the_verdict(tmp_path: Path):
    folder = Folder(tmp_path)
    pairs, rows = 60, [(i, group) for i in range(60) for group in ("woman", "man")]
    folder.lines(
        "cases.jsonl",
        [
            {"id": f"{i}-{g}", "input": f"Loan {i} for the {g}?", "metadata": {"pair": f"loan-{i}", "group": g}}
            for i, g in rows
        ],
    )
    folder.lines("old.jsonl", [{"id": f"{i}-{g}", "output": "approve" if i % 2 else "deny"} for i, g in rows])
    told = {"woman": lambda i: "deny" if i % 3 == 0 else "approve", "man": lambda i: "approve"}
    folder.lines("new.jsonl", [{"id": f"{i}-{g}", "output": told[g](i)} for i, g in rows])
    labels = {"scorer": "bias_pairs", "with": {"decision": "label", "labels": ["approve", "deny"]}}
    folder.suite(
        {**labels, "name": "fair", "aggregate": "counterfactual_consistency", "margin_points": 5},
        {**labels, "name": "parity", "aggregate": "demographic_parity", "margin_points": 5},
    )
    done = folder("run", "--exit-code", "--json")
    assert done.returncode == 1, done.stderr
    fair, parity = json.loads(done.stdout)["verdicts"][0]["rubrics"]
    for one in (fair, parity):
        assert one["decision"] == "BLOCK"
        assert one["incumbent"]["estimate"]["value"] == 1
        assert one["candidate"]["estimate"]["value"] == pytest.approx(40 / pairs)
    assert fair["difference"]["low"] < -1 / 3 < fair["difference"]["high"] < 0
    share = 1 / 3  # the jackknife over pairs is that of a mean over 60 of them
    half = 2.0009954 * math.sqrt(share * (1 - share) / (pairs - 1))
    low, high = (fair["candidate"]["estimate"][end] for end in ("low", "high"))
    assert (high - low) / 2 == pytest.approx(half, rel=1e-6)
    assert not any("left open whether" in warning for warning in fair["warnings"])


def test_an_answer_without_a_decision_is_no_way_out_of_a_pair(tmp_path: Path):
    folder = Folder(tmp_path)
    rows = [(i, group) for i in range(40) for group in ("woman", "man")]
    folder.lines(
        "cases.jsonl",
        [
            {"id": f"{i}-{g}", "input": f"Loan {i} for the {g}?", "metadata": {"pair": f"loan-{i}", "group": g}}
            for i, g in rows
        ],
    )
    folder.lines("old.jsonl", [{"id": f"{i}-{g}", "output": "approve"} for i, g in rows])
    folder.lines("new.jsonl", [{"id": f"{i}-{g}", "output": "approve" if g == "man" else "ask again"} for i, g in rows])
    labels = {"scorer": "bias_pairs", "with": {"decision": "label", "labels": ["approve", "deny"]}}
    folder.suite({**labels, "name": "fair", "aggregate": "counterfactual_consistency", "margin_points": 5})
    fair = folder.rubric("run")
    assert (fair["decision"], fair["candidate"]["estimate"]["value"]) == ("BLOCK", 0)
