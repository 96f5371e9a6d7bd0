"""The runner: what is asked, what is reused, and that every case is accounted for."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy.exc import OperationalError
from tests.runs.conftest import Bench, FakeScorer, FakeTarget, cases

from seatrial.cli.progress import summary
from seatrial.core.case import Case
from seatrial.core.output import Failure, Output, Request
from seatrial.core.score import Score
from seatrial.errors import Interrupted, NoDataError, StoreError, TargetDownError, TemplateError
from seatrial.runs.progress import Progress
from seatrial.store.writer import commit
from seatrial.verdicts.compare import report


def test_every_case_is_asked_once_and_scored(bench: Bench):
    target, scorer = FakeTarget(), FakeScorer()
    trial = bench.run(cases(600), target, scorer=scorer)
    assert set(target.calls.values()) == {1}
    assert len(target.calls) == len(scorer.seen) == 600
    assert bench.values(trial) == [1.0] * 600
    assert bench.store.trial(trial).status == "done"
    assert (target.opened, target.closed) == (1, 1)


def test_a_rerun_asks_and_judges_nothing(bench: Bench):
    first = bench.run(cases(300))
    target, scorer = FakeTarget(), FakeScorer()
    again = bench.run(cases(300), target, scorer=scorer)
    assert not target.calls
    assert not scorer.seen
    assert bench.counts(again)["reused"] == 300
    assert bench.values(again) == bench.values(first)


def edit(data: list[Case]) -> list[Case]:
    return [Case.model_validate({**data[0].plain(), "input": "another question"}), *data[1:]]


def insert(data: list[Case]) -> list[Case]:
    return [Case.model_validate({"id": "new", "input": "a new question"}), *data]


def reorder(data: list[Case]) -> list[Case]:
    return data[::-1]


CHANGES = [
    pytest.param(edit, {"another question": 1}, id="edited-case-under-its-old-id"),
    pytest.param(insert, {"a new question": 1}, id="case-inserted-at-the-front"),
    pytest.param(reorder, {}, id="reordered"),
    pytest.param(lambda data: data[:-5], {}, id="cases-removed"),
    pytest.param(
        lambda data: [c.model_copy(update={"seed_id": "s", "weight": 2.0}) for c in data], {}, id="weights-changed"
    ),
]


@pytest.mark.parametrize(("change", "asked"), CHANGES)
def test_only_what_is_new_is_asked(bench: Bench, change, asked):
    data = cases(40)
    bench.run(data)
    target = FakeTarget()
    changed = change(data)
    trial = bench.run(changed, target)
    assert dict(target.calls) == asked
    assert bench.values(trial) == [1.0] * len(changed)


def test_another_version_of_the_target_is_asked_everything(bench: Bench):
    bench.run(cases(30))
    target = FakeTarget(version="2", answer=lambda _text, _call: Output.of("wrong"))
    trial = bench.run(cases(30), target)
    assert sum(target.calls.values()) == 30
    assert bench.values(trial) == [0.0] * 30


def test_another_parameter_is_another_request(bench: Bench):
    bench.run(cases(30), params={"temperature": 0})
    target = FakeTarget()
    bench.run(cases(30), target, params={"temperature": 1})
    assert sum(target.calls.values()) == 30


def test_a_changed_expectation_rescores_without_asking(bench: Bench):
    bench.run(cases(30, expected="x"))
    target, scorer = FakeTarget(), FakeScorer()
    bench.run(cases(30, expected="y"), target, scorer=scorer)
    assert not target.calls
    assert sum(scorer.seen.values()) == 30


def test_a_changed_scorer_rescores_without_asking(bench: Bench):
    bench.run(cases(30))
    target, scorer = FakeTarget(), FakeScorer(version="2", verdict=lambda _case, _output: Score.binary(False))
    trial = bench.run(cases(30), target, scorer=scorer)
    assert not target.calls
    assert bench.values(trial) == [0.0] * 30


def test_the_same_answer_to_different_questions_shares_no_score(bench: Bench):
    target = FakeTarget(answer=lambda _text, _call: Output.of("question 1"))
    trial = bench.run(cases(3), target)
    assert bench.values(trial) == [0.0, 1.0, 0.0]


def test_equal_inputs_are_asked_once_and_each_is_scored(bench: Bench):
    data = [
        Case.model_validate({"id": f"c{i}", "input": "same", "expected": str(i % 2), "seed_id": str(i)})
        for i in range(100)
    ]
    target = FakeTarget(delay=0.01)
    right = FakeScorer(verdict=lambda case, _output: Score.binary(case.expected.answers == ("1",)))
    trial = bench.run(data, target, scorer=right)
    assert dict(target.calls) == {"same": 1}
    assert bench.values(trial) == [0.0, 1.0] * 50


def test_epochs_are_answers_of_their_own_with_seeds_of_their_own(bench: Bench):
    target = FakeTarget()
    bench.run(cases(5), target, epochs=3, params={"seed": 100})
    assert set(target.calls.values()) == {3}
    assert sorted(target.seeds) == sorted([100, 101, 102] * 5)
    more = FakeTarget()
    trial = bench.run(cases(5), more, epochs=4, params={"seed": 100})
    assert sorted(more.seeds) == [103] * 5
    assert len(bench.values(trial)) == 20


def test_a_fresh_series_sees_a_silent_change_and_a_plain_rerun_does_not(bench: Bench):
    bench.run(cases(20))
    changed = FakeTarget(answer=lambda _text, _call: Output.of("drifted"))
    assert bench.values(bench.run(cases(20), changed)) == [1.0] * 20
    assert not changed.calls
    assert bench.values(bench.run(cases(20), changed, series="fresh-1")) == [0.0] * 20
    assert sum(changed.calls.values()) == 20
    assert bench.values(bench.run(cases(20), changed)) == [1.0] * 20


def infra(code: str = "timeout") -> Output:
    return Output(failure=Failure(kind="infra", code=code), attempts=6)


def flaky(text: str, _call: int) -> Output:
    return infra() if text.endswith("7") else Output.of(text)


def test_errors_are_missing_and_only_retry_errors_asks_again(bench: Bench):
    trial = bench.run(cases(40), FakeTarget(answer=flaky))
    assert [value is None for value in bench.values(trial)].count(True) == 4
    assert bench.counts(trial)["errors"] == 4
    plain = FakeTarget()
    assert bench.counts(bench.run(cases(40), plain))["errors"] == 4
    assert not plain.calls
    mended = FakeTarget()
    trial = bench.run(cases(40), mended, retry_errors=True)
    assert set(mended.calls) == {"question 7", "question 17", "question 27", "question 37"}
    assert bench.values(trial) == [1.0] * 40


def test_a_scored_failure_is_never_drawn_again(bench: Bench):
    bench.run(cases(10), FakeTarget(answer=lambda _t, _c: Output.of("wrong")))
    empty = Output(failure=Failure(kind="model", code="empty"))
    bench.run(cases(10), FakeTarget(version="2", answer=lambda _t, _c: empty))
    for version in ("1", "2"):
        target = FakeTarget(version=version)
        trial = bench.run(cases(10), target, retry_errors=True)
        assert not target.calls
        assert bench.values(trial) == [0.0] * 10


def test_a_judge_error_is_missing_and_judged_again_when_asked(bench: Bench):
    def broken(_case: Case, _output: Output) -> Score:
        raise RuntimeError("no judge today")

    trial = bench.run(cases(5), scorer=FakeScorer(verdict=broken))
    assert bench.values(trial) == [None] * 5
    assert bench.counts(trial)["judge_errors"] == 5
    mended, target = FakeScorer(), FakeTarget()
    assert bench.values(bench.run(cases(5), target, scorer=mended)) == [None] * 5
    assert not mended.seen
    assert bench.values(bench.run(cases(5), target, scorer=mended, retry_errors=True)) == [1.0] * 5
    assert not target.calls


def test_arms_are_interleaved_in_one_seeded_order(bench: Bench):
    seen: list[tuple[str, str]] = []

    def note(name: str):
        def answer(text: str, _call: int) -> Output:
            seen.append((name, text))
            return Output.of(text)

        return answer

    arms = [FakeTarget(name, note(name), concurrency=1, delay=0.0001) for name in ("one", "two")]
    bench.run(cases(200), *arms)
    orders = {name: [text for who, text in seen if who == name] for name in ("one", "two")}
    assert orders["one"] == orders["two"] != [f"question {i}" for i in range(200)]
    first_half = seen[: len(seen) // 2]
    assert 50 <= sum(who == "one" for who, _ in first_half) <= 150


def test_a_slow_target_does_not_hold_the_other(bench: Bench):
    finished: list[str] = []
    slow = FakeTarget("one", concurrency=1, delay=0.02)
    fast = FakeTarget("two", concurrency=8)

    def show(progress) -> None:
        finished.extend(arm.name for arm in progress.arms if arm.done == arm.total and arm.name not in finished)

    bench.run(cases(60), slow, fast, show=show)
    assert finished[0] == "two"


def test_a_sample_is_stratified_seeded_and_marked(bench: Bench):
    data = [
        Case.model_validate({"id": f"c{i}", "input": f"q{i}", "strata": {"intent": "rare" if i % 10 == 0 else "usual"}})
        for i in range(400)
    ]
    target = FakeTarget()
    trial = bench.run(data, target, limit=40)
    assert bench.store.trial(trial).environment["sample"] == {"cases": 40, "of": 400, "seed": 7}
    rare = [text for text in target.calls if int(text[1:]) % 10 == 0]
    assert (len(target.calls), len(rare)) == (40, 4)
    again = FakeTarget(version="2")
    bench.run(data[::-1], again, limit=40)
    assert set(again.calls) == set(target.calls)


def test_rubrics_take_traffic_or_probes(bench: Bench):
    data = [*cases(4), *(c.model_copy(update={"id": f"p{c.id}", "origin": "adversarial"}) for c in cases(2))]
    assert bench.values(bench.run(data)) == [1.0] * 4 + [None] * 2
    probes = {"kind": "gate", "limit_points": 5, "cases": "probes"}
    assert bench.values(bench.run(data, rubric=probes)) == [None] * 4 + [1.0] * 2


def test_a_dead_target_ends_the_trial_and_keeps_what_was_done(bench: Bench):
    def dies(text: str, _call: int) -> Output:
        if sum(one.calls.values()) > 100:
            raise TargetDownError("the key is not accepted any more.")
        return Output.of(text)

    one, other = FakeTarget("one", dies, delay=0.001), FakeTarget("two", delay=0.001)
    with pytest.raises(TargetDownError, match="not accepted"):
        bench.run(cases(500), one, other)
    assert bench.store.trials()[0].status == "failed"
    kept = sum(other.calls.values())
    assert 0 < kept < 500
    again = FakeTarget("two")
    bench.run(cases(500), FakeTarget("one"), again)
    assert sum(again.calls.values()) == 500 - kept


def test_a_silent_target_counts_as_down(bench: Bench):
    target = FakeTarget(answer=lambda _t, _c: infra("connect"))
    with pytest.raises(TargetDownError, match="connect"):
        bench.run(cases(500), target)
    assert sum(target.calls.values()) < 60


class Rejecting(FakeTarget):
    """Refuses at once most of what it is asked, and takes its time for the rest."""

    async def generate(self, _case: Case, request: Request) -> Output:
        self.calls[request.text] += 1
        if sum(self.calls.values()) % 8:
            return infra("bad_request")
        await asyncio.sleep(0.1)
        return Output.of(request.text)


def test_faults_that_come_sooner_than_answers_do_not_stop_a_run(bench: Bench):
    target = Rejecting()
    trial = bench.run(cases(80), target)
    assert sum(target.calls.values()) == 80
    assert bench.counts(trial)["errors"] == 70


def test_ctrl_c_drains_saves_and_says_how_to_go_on(bench: Bench):
    def interrupt(text: str, _call: int) -> Output:
        if sum(target.calls.values()) == 100:
            os.kill(os.getpid(), signal.SIGINT)
        return Output.of(text)

    target = FakeTarget(answer=interrupt, delay=0.002)
    with pytest.raises(Interrupted, match="saved") as caught:
        bench.run(cases(1000), target)
    assert "run the same command again" in str(caught.value)
    asked = set(target.calls)
    assert 100 <= len(asked) < 1000
    rest = FakeTarget()
    trial = bench.run(cases(1000), rest)
    assert not asked & set(rest.calls)
    assert bench.values(trial) == [1.0] * 1000


def test_two_arms_of_one_identity_share_their_answers(bench: Bench):
    one, twin = FakeTarget("one"), FakeTarget("two")
    twin.sent = one.sent  # what is sent is the same, only the name in the suite differs
    trial = bench.run(cases(50), one, twin)
    assert bench.values(trial, "one") == bench.values(trial, "two") == [1.0] * 50
    outputs = [[item.output_id for item in bench.store.run_items(run.id)] for run in bench.store.runs(trial)]
    assert outputs[0] == outputs[1]


def test_arms_of_one_identity_are_no_other_process(bench: Bench):
    one, twin = FakeTarget("one", delay=0.002), FakeTarget("two", delay=0.002)
    twin.identity, twin.sent = one.identity, one.sent
    trial = bench.run(cases(300), one, twin)
    assert [run.counts.get("twice", 0) for run in bench.store.runs(trial)] == [0, 0]


def test_equal_requests_far_apart_are_asked_once(bench: Bench):
    target = FakeTarget()
    some = cases(700)
    again = [case.model_copy(update={"id": f"again-{case.id}"}) for case in some]
    trial = bench.run([*some, *again], target)
    assert set(target.calls.values()) == {1}
    assert bench.values(trial) == [1.0] * 1400


def test_an_empty_dataset_is_no_data(bench: Bench):
    with pytest.raises(NoDataError):
        bench.run([])


def test_a_store_that_cannot_be_written_ends_the_run_with_a_sentence(bench: Bench, monkeypatch):
    groups: list[int] = []

    def commit_until_full(connection, group, *sealed):
        groups.append(len(group))
        if len(groups) > 3:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        commit(connection, group, *sealed)

    monkeypatch.setattr("seatrial.store.writer.commit", commit_until_full)
    monkeypatch.setattr("seatrial.store.writer.PAUSE", 0.0)
    target = FakeTarget(delay=0.002)
    with pytest.raises(StoreError, match="full") as caught:
        bench.run(cases(500), target)
    assert "free disk space" in str(caught.value)
    monkeypatch.undo()
    again = FakeTarget()
    assert bench.values(bench.run(cases(500), again)) == [1.0] * 500
    assert sum(again.calls.values()) < 500


def test_a_fault_while_asking_is_said_plainly_and_the_trial_is_marked(bench: Bench):
    target = FakeTarget()
    target.sent = lambda case, request: (_ for _ in ()).throw(TemplateError(f"case {case.id}: no such name."))
    with pytest.raises(TemplateError, match="no such name"):
        bench.run(cases(5), target)
    assert bench.store.trials()[0].status == "failed"


# beside another process -----------------------------------------------------------------------------------------------


def priced(text: str, _call: int) -> Output:
    return Output.of(text).model_copy(update={"cost": 0.5})


def test_answers_that_another_process_kept_first_are_paid_as_well(bench: Bench):
    """The other process commits while this one waits for its answer."""
    other = Bench(Path(bench.store.path))
    inside = Thread(target=lambda: other.run(cases(40), FakeTarget(answer=priced)))

    def late(text: str, call: int) -> Output:
        if inside.ident is None:
            other.trial = 100
            inside.start()
            inside.join()
        return priced(text, call)

    seen: list[Progress] = []
    trial = bench.run(cases(40), FakeTarget(answer=late, concurrency=40), show=seen.append)
    counts, arm = bench.counts(trial), seen[-1].arms[0]
    assert (counts["twice"], counts["twice_dollars"], arm.cost) == (40, 20.0, 20.0), counts
    assert "40 answered twice beside another process" in summary(seen[-1])
    warnings = report(bench.store, trial).warnings
    assert any("40 cases were answered twice beside another process for $20.0000 more" in text for text in warnings)
    other.store.close()


BESIDE = [
    pytest.param({"pid": str(os.getppid())}, True, id="of-a-process-that-lives"),
    pytest.param({"pid": str(os.getpid())}, False, id="of-our-own"),
    pytest.param({"pid": "999999999"}, False, id="of-a-process-that-is-gone"),
    pytest.param({"pid": str(os.getppid()), "host": "elsewhere"}, False, id="of-another-host"),
]


@pytest.mark.parametrize(("about", "told"), BESIDE)
def test_another_live_run_of_the_suite_is_told(bench: Bench, about: dict[str, str], told: bool):
    row = bench.store.trial(bench.run(cases(3)))
    environment = {"host": platform.node(), **about}
    runs = [run._replace(trial_id="other") for run in bench.store.runs(row.id)]
    bench.store.start_trial(row._replace(id="other", status="running", environment=environment), runs)
    seen: list[Progress] = []
    bench.run(cases(3), show=seen.append, series="again")
    assert any("trial other of the same suite is running" in note for note in seen[-1].notes) is told
