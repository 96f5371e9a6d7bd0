"""Does a set look like traffic? Known answers, and error rates in simulation; then the refresh that mends it."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.versions.sets import Run, write_lines

from seatrial.datasets import SetFolder, commit, match, refresh
from seatrial.datasets.versions.config import MatchMargins
from seatrial.datasets.versions.shares import compare_stratum, weights_for
from seatrial.datasets.versions.twosample import Side, auc, fit, separation, words_of
from seatrial.errors import DatasetError, UsageError

TOPICS = {
    "delivery": ("where is my parcel", "the courier did not come", "delivery is late again"),
    "refund": ("i want my money back", "charge appeared twice", "the invoice is wrong"),
    "account": ("cannot log in", "reset my password", "two factor code missing"),
}
FILLERS = ("please", "now", "today", "thanks", "urgently", "again", "friend", "team", "help", "order", "monday")
USUAL, TURNED = (0.6, 0.3, 0.1), (0.2, 0.3, 0.5)
START = datetime(2026, 1, 1, tzinfo=UTC)


def traffic(count: int, seed: int, weights: Any = USUAL, extra: str = "") -> list[dict[str, Any]]:
    """Requests of three intents, a minute apart."""
    draw = random.Random(seed)
    made: list[dict[str, Any]] = []
    for at in range(count):
        intent = draw.choices(list(TOPICS), weights)[0]
        words = " ".join(draw.sample(FILLERS, 6))
        text = f"{draw.choice(TOPICS[intent])} {words} {draw.randrange(10**6)} {extra}"
        when = (START + timedelta(minutes=at)).isoformat()
        made.append({"id": f"{seed}-{at}", "input": text, "created_at": when, "strata": {"intent": intent}})
    return made


@pytest.fixture
def a_set(tmp_path: Path) -> Path:
    path = tmp_path / "support"
    write_lines(path / "build.jsonl", traffic(200, 10))
    write_lines(path / "test.jsonl", [{**case, "expected": "yes"} for case in traffic(400, 11)])
    (path / "set.yaml").write_text("name: support\nanchors: ['11-0', '11-1']\n")
    commit(path, "first", author="Ada")
    return path


def pool(tmp_path: Path, lines: list[dict[str, Any]]) -> Path:
    write_lines(tmp_path / "pool.jsonl", lines)
    return tmp_path / "pool.jsonl"


def test_a_set_drawn_from_the_same_traffic_matches(a_set: Path, tmp_path: Path) -> None:
    found = match(a_set, pool(tmp_path, traffic(900, 2)))
    assert (found.verdict, found.cases, found.traffic) == ("matches", 600, 900)
    assert found.auc is not None
    assert found.auc.high < 0.65


@pytest.mark.parametrize(
    ("weights", "extra", "words"),
    [
        pytest.param(TURNED, "", {"log", "password", "factor"}, id="shares"),
        pytest.param(USUAL, "crypto voucher", {"crypto", "voucher"}, id="words"),
    ],
)
def test_what_drifted_is_named(a_set: Path, tmp_path: Path, weights: Any, extra: str, words: set[str]) -> None:
    found = match(a_set, pool(tmp_path, traffic(600, 3, weights, extra)))
    assert found.verdict == "drifted"
    assert words & {one.word for one in found.words_of_traffic}
    if not extra:
        (stratum,) = found.strata
        assert (stratum.verdict, {v.value for v in stratum.values[:2]}) == ("drifted", {"delivery", "account"})


def test_little_traffic_decides_nothing(a_set: Path, tmp_path: Path) -> None:
    found = match(a_set, pool(tmp_path, traffic(40, 2)))
    assert (found.verdict, found.auc) == ("too little data", None)


def test_stated_shares_stand_for_a_set_drawn_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "equal"
    write_lines(path / "test.jsonl", traffic(500, 12, (1, 1, 1)))
    lines = pool(tmp_path, traffic(900, 2))
    commit(path, "first", author="Ada")
    assert match(path, lines).verdict == "drifted"
    (path / "set.yaml").write_text("shares: {intent: {delivery: 0.6, refund: 0.3, account: 0.1}}\n")
    found = match(path, lines)
    assert found.verdict == "matches"
    assert found.strata[0].declared


def test_the_command_says_it_in_words_and_json(run: Run, a_set: Path, tmp_path: Path) -> None:
    pool(tmp_path, traffic(500, 3, TURNED))
    told = run("dataset", "match", "support", "pool.jsonl")
    assert told.code == 0
    assert "support: drifted (600 cases against 500 of traffic)" in told.out
    assert "points" in told.out
    assert run("dataset", "match", "support", "pool.jsonl", "--json").json["verdict"] == "drifted"


def test_the_area_under_the_curve_is_the_share_of_right_pairs() -> None:
    ours, theirs = np.array([3.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.5, -1.0])
    pairs = [(a > b) + (a == b) / 2 for a in ours for b in theirs]
    assert auc(ours, theirs, np.ones(3), np.ones(4))[0] == pytest.approx(np.mean(pairs))
    twice = auc(np.append(ours, 3.0), theirs, np.ones(4), np.ones(4))
    weighted = auc(ours, theirs, np.array([2.0, 1.0, 1.0]), np.ones(4))
    assert weighted[0] == pytest.approx(twice[0])


def test_the_classifier_finds_the_optimum_of_its_penalised_loss() -> None:
    draw = np.random.default_rng(1)
    x = np.column_stack([draw.normal(size=(200, 3)), np.ones(200)])
    y = (x[:, 0] + draw.normal(size=200) > 0).astype(float)
    weights = np.ones(200)
    beta = fit(x, y, weights)
    balanced = np.where(y == 1, 1 / y.sum(), 1 / (1 - y).sum()) / 2
    gradient = x.T @ (balanced * (1 / (1 + np.exp(-x @ beta)) - y)) + 1e-3 * beta
    assert np.abs(gradient).max() < 1e-4
    assert beta[0] > 1 > abs(beta[1])


def side(lines: list[dict[str, Any]]) -> Side:
    said = [line["input"] for line in lines]
    return Side(said, np.arange(float(len(said))), [hash(text) for text in said], np.ones(len(said)))


def test_equal_traffic_is_told_apart_no_more_often_than_chance() -> None:
    found = [separation(side(traffic(120, seed)), side(traffic(200, seed + 1000))) for seed in range(12)]
    assert abs(np.mean([one.value for one in found]) - 0.5) < 0.02
    assert sum(not one.low <= 0.5 <= one.high for one in found) <= 4  # 5% expected, 12 trials: beyond 4 is under 0.001
    assert max(one.low for one in found) < 0.65


COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 400), min_size=1)


@given(COUNTS, COUNTS)
def test_laws_of_shares(ours: dict[str, int], theirs: dict[str, int]) -> None:
    found = compare_stratum("s", ours, theirs, None, MatchMargins())
    again = compare_stratum("s", theirs, ours, None, MatchMargins())
    tv = found.total_variation
    assert 0 <= tv.low <= tv.value <= tv.high <= 1
    assert tv.value == pytest.approx(again.total_variation.value)
    assert tv.value == pytest.approx(sum(abs(v.difference.value) for v in found.values) / 2)
    assert sum(v.in_set.value for v in found.values) == pytest.approx(1)
    for value in found.values:
        assert value.difference.low <= value.difference.value <= value.difference.high


def test_the_interval_of_total_variation_holds_the_truth() -> None:
    draw = np.random.default_rng(5)
    p, q = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.4, 0.3, 0.2, 0.1])
    truth, misses = float(np.abs(p - q).sum() / 2), 0
    for _ in range(100):
        one, other = (dict(zip("abcd", draw.multinomial(300, x).tolist(), strict=True)) for x in (p, q))
        tv = compare_stratum("s", one, other, None, MatchMargins()).total_variation
        misses += not tv.low <= truth <= tv.high
    assert misses <= 5


def test_weights_give_the_shares_that_are_stated() -> None:
    strata = [
        {"a": x, "b": y}
        for x, y, n in (("1", "x", 5), ("1", "y", 20), ("2", "x", 60), ("2", "y", 15))
        for _ in range(n)
    ]
    weights = weights_for(strata, {"a": {"1": 0.5, "2": 0.5}, "b": {"x": 0.4, "y": 0.6}})

    def share(key: str, value: str) -> float:
        return float(sum(w for w, s in zip(weights, strata, strict=True) if s[key] == value) / weights.sum())

    assert share("a", "1") == pytest.approx(0.5, abs=1e-3)
    assert share("b", "x") == pytest.approx(0.4, abs=1e-3)


def test_words_that_both_sides_have_alike_mark_neither() -> None:
    here = [f"parcel {at}" + (" wallet" if at % 2 else "") for at in range(200)]
    there = [f"parcel {at}" for at in range(200)]
    assert [one.word for one in words_of(here, there)] == ["wallet"]
    assert words_of(there, here) == []


def strata_counts(path: Path, split: Any) -> Counter[str]:
    return Counter(case.strata["intent"] for case in SetFolder(path).cases(split))


def test_a_refresh_keeps_strata_anchors_and_ids(a_set: Path, tmp_path: Path) -> None:
    before = {split: list(SetFolder(a_set).cases(split)) for split in ("build", "test")}
    counts = {split: strata_counts(a_set, split) for split in ("build", "test")}
    found = refresh(a_set, pool(tmp_path, traffic(2000, 4)), share=0.15)
    after = {split: list(SetFolder(a_set).cases(split)) for split in ("build", "test")}
    assert Counter(one.split for one in found.replaced) == {"build": 30, "test": 60}
    assert {split: strata_counts(a_set, split) for split in ("build", "test")} == counts
    assert (found.short, found.unlabelled) == ({}, 60)
    old = {case.id: case for cases in before.values() for case in cases}
    new = {case.id: case for cases in after.values() for case in cases}
    assert {"11-0", "11-1"} <= set(new)
    assert all(new[name].hash == old[name].hash for name in set(old) & set(new))
    for one in found.replaced:
        case = new[one.added]
        assert (case.parent_id, case.evolution) == (one.removed, "refresh")
        assert case.strata == old[one.removed].strata
    dated = [old[one.removed].created_at or "" for one in found.replaced if one.split == "test"]
    assert np.mean([when < (START + timedelta(minutes=200)).isoformat() for when in dated]) > 0.6


def test_new_cases_wait_for_labels_before_they_are_committed(a_set: Path, tmp_path: Path) -> None:
    refresh(a_set, pool(tmp_path, traffic(2000, 4)))
    with pytest.raises(DatasetError, match="60 cases are not labelled yet"):
        commit(a_set, "refreshed")
    lines = [json.loads(line) for line in (a_set / "test.jsonl").read_text().splitlines()]
    write_lines(a_set / "test.jsonl", [{**line, "expected": line.get("expected", "no")} for line in lines])
    made = commit(a_set, "refreshed").commit
    assert made.parent is not None
    assert not [case for case in SetFolder(a_set).cases("test") if case.metadata]


def test_the_same_pool_in_any_order_gives_the_same_set(a_set: Path, tmp_path: Path) -> None:
    first = commit(a_set, "first").commit.version
    lines, got = traffic(1500, 4), list[bytes]()
    for seed in range(3):
        random.Random(seed).shuffle(lines)
        refresh(a_set, pool(tmp_path, lines), seed=7)
        got.append((a_set / "test.jsonl").read_bytes() + (a_set / "build.jsonl").read_bytes())
        (a_set / "test.jsonl").unlink()
        (a_set / "build.jsonl").unlink()
        restore(a_set, first)
    assert len(set(got)) == 1


def restore(path: Path, version: str) -> None:
    write_lines(path / "build.jsonl", traffic(200, 10))
    write_lines(path / "test.jsonl", [{**case, "expected": "yes"} for case in traffic(400, 11)])
    assert commit(path, "back").commit.version == version


def test_nothing_is_new_that_is_in_the_set_already(a_set: Path, tmp_path: Path) -> None:
    held = [{**case, "id": f"copy-{case['id']}"} for case in [*traffic(200, 10), *traffic(400, 11)]]
    near = [{**case, "id": f"near-{case['id']}", "input": case["input"].upper() + "!"} for case in traffic(400, 11)]
    found = refresh(a_set, pool(tmp_path, [*held, *near]))
    assert found.replaced == ()
    assert sum(found.short.values()) == 90


@pytest.mark.parametrize(
    ("share", "told"),
    [
        pytest.param(0.0, "above 0", id="none"),
        pytest.param(1.0, "below 1", id="all"),
        pytest.param(float("nan"), "above", id="nan"),
    ],
)
def test_a_share_that_is_none_is_refused(a_set: Path, tmp_path: Path, share: float, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        refresh(a_set, pool(tmp_path, traffic(10, 4)), share=share)


def test_a_refresh_does_not_mix_with_changes_of_ones_own(run: Run, a_set: Path, tmp_path: Path) -> None:
    pool(tmp_path, traffic(500, 4))
    write_lines(a_set / "build.jsonl", traffic(100, 10))
    told = run("dataset", "refresh", "support", "pool.jsonl")
    assert told.code == 2
    assert "not committed" in told.err
    run("dataset", "commit", "support", "-m", "mine")
    assert run("dataset", "refresh", "support", "pool.jsonl", "--json").json["replaced"]


def test_a_pool_with_faults_changes_nothing(a_set: Path, tmp_path: Path) -> None:
    path = pool(tmp_path, traffic(500, 4))
    path.write_text(path.read_text() + "{broken\n")
    before = (a_set / "test.jsonl").read_bytes()
    for act in (match, refresh):
        with pytest.raises(DatasetError, match="501"):
            act(a_set, path)
    assert (a_set / "test.jsonl").read_bytes() == before
