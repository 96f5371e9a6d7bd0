"""Watching: what is due when, silent changes of a provider, regressions with n, and calls that are killed or meet."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.trials.project import Project, question

from seatrial.errors import MissingSecretError, NotFoundError, SeatrialError, TargetDownError, UsageError
from seatrial.store.watching import alone
from seatrial.testing import FakeProvider, Reply, Script
from seatrial.testing.script import Behaviour
from seatrial.trials.following import webhook
from seatrial.trials.following.trend import trend
from seatrial.trials.following.watch import Edges, Watched, Watching, accept, history, newest, watch

START = datetime.now(UTC)
GOOD = Script(models=("m",), fingerprint="fp_1")
WORSE = Behaviour(default=Reply(echo="no idea about {input}"))
DOWN = {"default": {"fault": "unauthorized"}}
CASES = [{**question(2 * i), "strata": {"half": str(i % 2)}} for i in range(60)]


class Watcher:
    """A project that is watched, with a clock of its own."""

    def __init__(self, project: Project) -> None:
        self.project, self.now, self.sent = project, START, list[Any]()
        self.failures = 0

    def after(self, **time: float) -> Watcher:
        self.now += timedelta(**time)
        return self

    def send(self, url: str, body: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(f"no way to {url}")
        self.sent.append((url, json.loads(body)))

    def call(self, **options: Any) -> Watched:
        chosen = Watching(**{"canary": 30, **options})
        edges = Edges(clock=lambda: self.now, send=self.send, pause=lambda _: None)
        return watch(self.project.folder / "seatrial.yaml", options=chosen, edges=edges)


@pytest.fixture
def fake():
    with FakeProvider(GOOD).in_thread() as provider:
        yield provider


@pytest.fixture
def watcher(project: Project, fake: FakeProvider) -> Watcher:
    project.at(fake.base_url)
    project.write(CASES)
    return Watcher(project)


def worse(fake: FakeProvider, **fields: Any) -> None:
    """Another behaviour under the same name, without a sign unless `fields` give one."""
    fake.load(GOOD.model_copy(update={"default": WORSE.default, **fields}))


def test_the_first_call_runs_the_whole_suite_and_accepts_it(watcher: Watcher, fake: FakeProvider):
    first = watcher.call()
    assert (first.state, list(first.ran), first.because) == ("ran", ["whole"], ("it was never run whole",))
    assert (first.alert, first.baseline, fake.calls) == (False, first.ran["whole"], 60)


def test_nothing_is_due_soon_after_and_a_canary_the_next_night(watcher: Watcher, fake: FakeProvider):
    watcher.call()
    fake.reset()
    again = watcher.after(hours=1).call()
    assert (again.state, fake.calls) == ("nothing due", 0)
    night = watcher.after(hours=23).call()
    assert (list(night.ran), fake.calls, night.alert) == (["canary"], 30, False)
    assert [(found.rubric, found.n, found.then, found.now) for found in night.checked] == [("right", 30, 1.0, 1.0)]


def test_a_canary_is_stratified(watcher: Watcher):
    watcher.call()
    night = watcher.after(days=1).call()
    with watcher.project.store() as store:
        trial = store.trial(night.ran["canary"])
        items = store.run_items(store.runs(trial.id)[0].id)
        halves = [item.position % 2 for item in items]
    assert (len(halves), sum(halves)) == (30, 15)


def test_a_month_later_the_whole_suite_is_due(watcher: Watcher, fake: FakeProvider):
    first = watcher.call()
    fake.reset()
    later = watcher.after(days=30).call()
    assert (list(later.ran), later.because, fake.calls) == (["whole"], ("the last whole run is 30 days old",), 60)
    assert later.baseline == first.baseline, "what did not get worse is still compared with what was accepted"


def test_a_silent_regression_is_seen_by_the_canary_and_shown_on_the_whole(watcher: Watcher, fake: FakeProvider):
    first = watcher.call()
    worse(fake)
    night = watcher.after(days=1).call()
    assert list(night.ran) == ["canary", "whole"]
    assert night.because[0].startswith("the canary: model lost 100.0 points on right: 0.0% of 30 pairs pass")
    assert (night.alert, night.baseline) == (True, first.ran["whole"])
    (found,) = night.regressions
    assert (found.target, found.rubric, found.n, found.then, found.now) == ("model", "right", 60, 1.0, 0.0)
    assert (found.difference.method, found.difference.value) == ("Tango", -1.0)


def test_a_standing_alert_does_not_run_the_whole_suite_every_night(watcher: Watcher, fake: FakeProvider):
    watcher.call()
    worse(fake)
    watcher.after(days=1).call()
    fake.reset()
    night = watcher.after(days=1).call()
    assert (list(night.ran), night.alert, fake.calls) == (["canary"], True, 30)


def test_an_accepted_state_is_what_later_ones_are_compared_with(watcher: Watcher, fake: FakeProvider):
    watcher.call()
    worse(fake)
    whole = watcher.after(days=1).call().ran["whole"]
    assert accept(watcher.project.folder / "seatrial.yaml") == whole
    night = watcher.after(days=1).call()
    assert (list(night.ran), night.alert, night.baseline) == (["canary"], False, whole)


def test_a_recovery_ends_the_alert(watcher: Watcher, fake: FakeProvider):
    watcher.call()
    worse(fake)
    assert watcher.after(days=1).call().alert
    fake.load(GOOD)
    assert not watcher.after(days=30).call().alert


UPDATES = [
    pytest.param({"fingerprint": "fp_2"}, "(fingerprint fp_2) now, it was m (fingerprint fp_1)", id="fingerprint"),
    pytest.param({"served_model": "m-2026"}, "model: served by m-2026", id="served-model"),
]


@pytest.mark.parametrize(("update", "words"), UPDATES)
def test_a_provider_update_runs_the_whole_suite_without_an_alert(
    watcher: Watcher, fake: FakeProvider, update: Mapping[str, Any], words: str
):
    watcher.call()
    fake.load(GOOD.model_copy(update=update))
    night = watcher.after(days=1).call()
    assert (list(night.ran), night.alert) == (["canary", "whole"], False)
    assert words in night.because[0]
    assert list(watcher.after(days=1).call().ran) == ["canary"]


def test_a_retired_model_runs_the_whole_suite_at_once(watcher: Watcher, fake: FakeProvider):
    watcher.call()
    fake.load(GOOD.model_copy(update={"models": ("m", "n")}))
    new = watcher.after(hours=1).call()
    assert (new.ran, [text.partition(": ")[2] for text in new.news]) == ({}, ["1 new: n"])
    fake.load(GOOD.model_copy(update={"models": ("n",)}))
    with pytest.raises(TargetDownError):
        watcher.after(hours=1).call()
    fake.load(GOOD)
    back = watcher.after(minutes=1).call()
    assert list(back.ran) == [], "what is listed as it was is no change"


CHANGES = [
    pytest.param(lambda p: p.write(CASES, seed=7), "the suite was changed", True, id="suite"),
    pytest.param(lambda p: p.write([*CASES, question(900)]), "the dataset was changed", True, id="dataset"),
    pytest.param(lambda p: p.write(CASES[:40]), "the dataset was changed", True, id="fewer-cases"),
]


@pytest.mark.parametrize(("change", "words", "accepted"), CHANGES)
def test_a_change_of_ones_own_runs_the_whole_suite_and_begins_anew(
    watcher: Watcher, change: Callable[[Project], None], words: str, accepted: bool
):
    watcher.call()
    change(watcher.project)
    after = watcher.after(hours=1).call()
    assert (after.because, after.alert, after.baseline == after.ran["whole"]) == ((words,), False, accepted)
    assert after.checked[0].n == min(60, len((watcher.project.folder / "cases.jsonl").read_text().splitlines()))


def test_a_changed_scorer_is_not_compared_with_the_old_one(watcher: Watcher):
    watcher.call()
    watcher.project.write(CASES, rubrics=[{"name": "right", "scorer": "contains"}])
    after = watcher.after(hours=1).call()
    assert (after.because, after.checked) == (("the suite was changed",), ())


def test_a_changed_target_is_not_compared_with_the_old_one(watcher: Watcher):
    watcher.call()
    watcher.project.suite["targets"]["model"]["params"] = {"temperature": 0.5}
    watcher.project.write(CASES)
    after = watcher.after(hours=1).call()
    assert (after.checked, after.baseline) == ((), after.ran["whole"])
    assert "model was changed in the suite: its results begin anew" in after.news


# telling --------------------------------------------------------------------------------------------------------------

URL = "https://hooks.example/secret-part"


def test_the_webhook_is_told_once_in_points_with_n(
    watcher: Watcher, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOOK", URL)
    watcher.call(webhook_env="HOOK")
    worse(fake)
    watcher.failures = 2
    found = watcher.after(days=1).call(webhook_env="HOOK")
    assert found.told == "told"
    assert watcher.after(hours=1).call(webhook_env="HOOK").told == "told before"
    ((url, event),) = watcher.sent
    assert (url, event["event"], event["suite"]) == (URL, "seatrial.watch.regression", "project")
    (told,) = event["regressions"]
    assert (told["target"], told["rubric"], told["points"], told["n"]) == ("model", "right", -100.0, 60)
    assert told["low"] < told["points"] + 1e-6 <= told["high"]
    assert URL not in found.model_dump_json()


def test_a_webhook_that_cannot_be_told_is_tried_again_by_the_next_call(
    watcher: Watcher, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOOK", URL)
    watcher.call(webhook_env="HOOK")
    worse(fake)
    watcher.failures = 3
    found = watcher.after(days=1).call(webhook_env="HOOK")
    assert found.told == "the webhook could not be told: no way to …"
    assert watcher.after(hours=1).call(webhook_env="HOOK").told == "told"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param(None, MissingSecretError, id="not-set"),
        pytest.param("  ", MissingSecretError, id="blank"),
        pytest.param("file:///etc/passwd", UsageError, id="no-web"),
    ],
)
def test_a_webhook_without_an_address_is_refused_before_anything_runs(
    watcher: Watcher, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, value: str | None, error: type[SeatrialError]
):
    monkeypatch.delenv("HOOK", raising=False)
    if value is not None:
        monkeypatch.setenv("HOOK", value)
    with pytest.raises(error) as caught:
        watcher.call(webhook_env="HOOK")
    assert (fake.calls, "passwd" in str(caught.value)) == (0, False)


class Hooks:
    """A server that takes what is posted."""

    def __init__(self) -> None:
        self.bodies, self.status, self.url = list[bytes](), 200, ""


@pytest.fixture
def hooks() -> Generator[Hooks, None, None]:
    taken = Hooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response_only(taken.status)
            for name, value in (("Content-Length", "0"), ("Location", taken.url)):
                self.send_header(name, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield taken
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_real_post_arrives_and_a_redirect_is_not_followed(hooks: Hooks):
    webhook.post(hooks.url, b'{"a": 1}')
    assert hooks.bodies == [b'{"a": 1}']
    hooks.status = 302
    with pytest.raises(OSError, match="HTTP 302"):
        webhook.post(hooks.url, b"{}")
    assert len(hooks.bodies) == 2


def test_an_event_is_bounded():
    event = {"event": "x", "regressions": [{"sentence": "s" * 1000}] * 1000}
    kept = webhook.bounded(event)
    assert len(json.dumps(kept)) <= webhook.MOST_BYTES + 10_000
    assert kept["left_out"] + len(kept["regressions"]) == 1000


# calls that are killed, and calls that meet ---------------------------------------------------------------------------


def test_what_was_broken_off_is_gone_on_with(watcher: Watcher, fake: FakeProvider):
    down = {"switch": {"to": "down", "after": 45}, "variants": {"down": DOWN}}
    fake.load(Script.model_validate({**GOOD.plain(), **down}))
    watcher.project.at(fake.base_url, retries=0, concurrency=1)
    watcher.project.write(CASES)
    with pytest.raises(TargetDownError):
        watcher.call()
    fake.load(GOOD)
    fake.reset()
    done = watcher.after(minutes=5).call()
    assert list(done.ran) == ["whole"]
    assert fake.calls < 60, "answers of the first call were asked again"
    with watcher.project.store() as store:
        series = [run.series for note in history(store, "project") for run in store.runs(note.trial.id)]
    assert len(set(series)) == 1


def test_a_run_whose_findings_were_never_noted_is_evaluated_by_the_next_call(watcher: Watcher, fake: FakeProvider):
    watcher.call()
    worse(fake)
    watcher.after(days=1).call()
    with watcher.project.store() as store:
        whole = newest(history(store, "project"), "whole")
        assert whole is not None
        forget(store, whole.trial.id, "found")
    assert watcher.after(minutes=1).call().alert


def forget(store: Any, trial_id: str, key: str) -> None:
    with store.writing() as connection:
        (text,) = connection.exec_driver_sql("SELECT environment FROM trials WHERE id = ?", (trial_id,)).one()
        environment = json.loads(text)
        del environment["watch"][key]
        connection.exec_driver_sql(
            "UPDATE trials SET environment = ? WHERE id = ?", (json.dumps(environment), trial_id)
        )


def test_two_at_once_do_the_work_once(watcher: Watcher, fake: FakeProvider):
    found: list[Watched] = []
    threads = [threading.Thread(target=lambda: found.append(watcher.call())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fake.calls == 60
    assert sorted(one.state for one in found).count("ran") == 1


def test_who_holds_the_lock_keeps_others_out_until_the_end(watcher: Watcher):
    watcher.call()
    with watcher.project.store() as store:
        with alone(store, "project") as mine:
            assert (mine, watcher.after(days=1).call().state) == (True, "busy")
        assert watcher.call().state == "ran"


def test_there_is_nothing_to_accept_before_the_first_run(watcher: Watcher):
    watcher.project.run()
    with pytest.raises(NotFoundError):
        accept(watcher.project.folder / "seatrial.yaml")


# drafts ---------------------------------------------------------------------------------------------------------------


def test_a_newly_listed_model_is_tried_within_the_deadline(watcher: Watcher, fake: FakeProvider):
    watcher.call(drafts=["next*"])
    fake.load(GOOD.model_copy(update={"models": ("m", "next-1", "other")}))
    found = watcher.after(hours=1).call(drafts=["next*"])
    (draft,) = found.drafts
    assert (draft.model, draft.fits, draft.overall, draft.problem) == ("next-1", True, "inconclusive", ""), draft
    assert "may replace model is open" in draft.headline
    assert fake.stats.by_model["next-1"] == 60
    assert watcher.after(hours=1).call(drafts=["next*"]).drafts == (), "each is tried once"


def test_a_draft_that_would_not_be_done_in_time_is_not_begun(watcher: Watcher, fake: FakeProvider):
    watcher.call(drafts=["*"])
    fake.load(GOOD.model_copy(update={"models": ("m", "next-1")}))
    (draft,) = watcher.after(hours=1).call(drafts=["*"], deadline=1e-9).drafts
    assert (draft.fits, draft.trial_id, fake.stats.by_model.get("next-1", 0)) == (False, "", 0)


# over time ------------------------------------------------------------------------------------------------------------


def test_the_trend_marks_what_changed(watcher: Watcher, fake: FakeProvider):
    watcher.call()
    worse(fake, fingerprint="fp_2")
    watcher.after(days=1).call()
    watcher.project.write([*CASES, question(900)])
    watcher.after(days=1).call()
    watcher.project.write([*CASES, question(900)], rubrics=[{"name": "right", "scorer": "contains"}])
    watcher.after(days=1).call()
    (line,) = trend(watcher.project.folder / "seatrial.yaml").lines
    assert [(point.kind, point.n, point.rate.value, point.marks) for point in line.points] == [
        ("whole", 60, 1.0, ()),
        ("canary", 30, 0.0, ("model",)),
        ("whole", 60, 0.0, ()),
        ("whole", 61, 0.0, ("dataset",)),
        ("whole", 61, pytest.approx(1.0), ("rubric",)),
    ]


def test_the_path_of_the_suite_may_be_relative(watcher: Watcher, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(watcher.project.folder)
    assert watch(Path("seatrial.yaml"), options=Watching(canary=20)).state == "ran"
