"""Two hundred recorded agents whose rewards somebody else gave, and reliability over repeated tries."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from bench.sets import tau

from seatrial.scorers import build, judge
from seatrial.stats import pass_at_k, pass_hat_k


@pytest.fixture(scope="module")
def confusion(request):
    data = request.getfixturevalue("shared_data")(tau.FILE).parent

    def count(wanted):
        ((scorer, _, _, items, _, settings),) = [found for found in tau.sets(data) if found[0] == wanted]
        made = build(scorer, settings, Path())
        tally = Counter()
        for item in items():
            score = asyncio.run(judge(made, item.case.view(), item.output))
            assert score.status == "scored"
            tally[item.passed, score.passed] += 1
        return tally

    return count


def test_the_state_agrees_with_the_rewards(confusion):
    """The file holds no database: four runs failed for what they told the user, or by what a write did besides."""
    found = confusion("state")
    assert found.total() == 200
    assert found[True, True] / (found[True, True] + found[True, False]) >= 0.98
    assert found[False, False] / (found[False, False] + found[False, True]) >= 0.96


def test_milestones_find_every_success_and_miss_what_was_done_too_much(confusion):
    found = confusion("task_completion")
    assert (found[True, False], found[True, True]) == (0, 27)
    assert 0 < found[False, True] <= 11, "reaching all gold writes is not yet leaving all else alone"


def test_one_gold_path_is_a_poor_measure_where_many_are_right(confusion):
    found = confusion("tool_order")
    right = found[True, True] + found[False, False]
    assert found.total() == 200
    assert 0.6 < right / 200 < 0.8


def test_tau_airline_gives_its_published_reliability(shared_data):
    passed = Counter({item.id.split(".")[0]: 0 for item in tau.items(shared_data(tau.FILE))})
    passed.update(item.id.split(".")[0] for item in tau.items(shared_data(tau.FILE)) if item.passed)
    counts = list(passed.values())
    assert len(counts) == 50
    hat = [float(pass_hat_k([4] * 50, counts, k).mean()) for k in (1, 2, 3, 4)]
    at = [float(pass_at_k([4] * 50, counts, k).mean()) for k in (1, 4)]
    assert (hat[0], hat[3]) == (pytest.approx(0.42), pytest.approx(0.20))
    assert hat == sorted(hat, reverse=True)
    assert at[0] == pytest.approx(hat[0])
    assert at[1] == pytest.approx(sum(count > 0 for count in counts) / 50)


def test_repeated_success_has_known_answers():
    assert [round(pass_hat_k(8, 6, k), 3) for k in (1, 2, 4)] == [0.75, 0.536, 0.214]
    assert [round(pass_at_k(8, 6, k), 3) for k in (1, 2, 4)] == [0.75, 0.964, 1.0]
