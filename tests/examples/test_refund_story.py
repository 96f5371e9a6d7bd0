from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seatrial.examples import REFUND
from seatrial.trials import trial

STORY = {"atlas-2": "ship", "borealis-1": "block", "cirrus-mini": "inconclusive"}


@pytest.fixture(scope="module")
def found(example: Any, scores: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    from refund_example.measure import findings

    return {name: findings(example, scores, name) for name in example.suite.candidates}


def kinds(example: Any, kind: str) -> list[str]:
    return [rubric.name for rubric in example.suite.rubrics if rubric.kind == kind]


def test_the_whole_way_gives_the_three_verdicts(tmp_path: Path) -> None:
    report = trial.run(REFUND / "seatrial.yaml", store=tmp_path / "store.db")
    assert {verdict.candidate: verdict.overall for verdict in report.verdicts} == STORY


def test_atlas_ships_with_room_to_spare(example: Any, found: Mapping[str, Any]) -> None:
    atlas = found["atlas-2"]
    assert {at.decision for at in atlas.values()} == {"PASS"}
    for rubric in example.suite.rubrics:
        if rubric.kind == "quality":
            at = atlas[rubric.name]
            assert at.interval.low > -example.suite.margin(rubric) / 2
            assert "fragile" not in at.flags
    for name in kinds(example, "gate"):
        assert atlas[name].candidate == 1.0
        assert atlas[name].interval.high < 0.045
        assert "fragile" not in atlas[name].flags


def test_borealis_is_better_on_average_and_blocked_by_its_gates(example: Any, found: Mapping[str, Any]) -> None:
    borealis = found["borealis-1"]
    for name in kinds(example, "quality"):
        assert borealis[name].decision == "PASS"
        assert borealis[name].difference > 0.015
    rated = kinds(example, "quality") + kinds(example, "gate")
    average = {
        side: sum(getattr(borealis[name], side) for name in rated) / len(rated) for side in ("candidate", "incumbent")
    }
    assert average["candidate"] > average["incumbent"] + 0.005
    for name in kinds(example, "gate"):
        assert borealis[name].decision == "BLOCK"
        assert "fragile" not in borealis[name].flags


def test_cirrus_is_inconclusive_on_one_rubric_alone(example: Any, found: Mapping[str, Any]) -> None:
    cirrus = found["cirrus-mini"]
    assert {name for name, at in cirrus.items() if at.decision != "PASS"} == {"tool_calls"}
    at = cirrus["tool_calls"]
    assert at.decision == "INCONCLUSIVE"
    assert at.interval.low < -0.031
    assert at.interval.high > -0.02
    assert 500 <= at.more <= 5000


def test_the_incumbent_holds_under_attack(example: Any, scores: Mapping[str, Any]) -> None:
    for name in kinds(example, "gate"):
        assert all(score.passed for score in scores["incumbent"][name] if score is not None)


def test_pairs_differ_as_often_as_in_life(example: Any, scores: Mapping[str, Any]) -> None:
    def share(rubric: str) -> float:
        pairs = zip(scores["incumbent"][rubric], scores["atlas-2"][rubric], strict=True)
        told = [a.passed != b.passed for a, b in pairs if a is not None]
        return sum(told) / len(told)

    assert 0.03 < share("tool_calls") < 0.10
    assert 0.03 < share("decision") < 0.10


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(1, 9))
def test_ship_and_block_do_not_hang_on_the_seed(example: Any, seed: int) -> None:
    from refund_example.measure import findings, verdict

    scores = example.measured(seed)
    for name in ("atlas-2", "borealis-1"):
        assert verdict(findings(example, scores, name)) == STORY[name]
