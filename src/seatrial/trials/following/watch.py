"""Following a suite's targets in production: what to run now, and whether they got worse since they were accepted.

One call does what is due and ends; cron or CI makes the calls. A canary (a stratified sample, asked afresh) runs every
night; the whole suite when something changed, when a canary looks worse, or when a month has passed. All state is in
the store, as notes beside the trials: a call that is killed is taken up by the next, and a call that finds nothing due
changes nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, NamedTuple

from seatrial.core.record import Json, Record, Text, as_dict, as_list
from seatrial.core.suite import Suite, TargetSpec
from seatrial.errors import NotFoundError, SeatrialError, safe
from seatrial.runs.progress import Progress
from seatrial.store import modellists
from seatrial.store.modellists import Served, served_in
from seatrial.store.store import Store, TrialRow
from seatrial.store.watching import KEY, alone, annotate
from seatrial.trials.following import polling, webhook
from seatrial.trials.suite.suitefile import LoadedSuite, load
from seatrial.trials.trial import (
    Asked,
    build,
    compare,
    dataset_of,
    execute_suite,
    existing,
    only,
    store_path,
)
from seatrial.verdicts.questions.recheck import Recheck, comparable, recheck
from seatrial.verdicts.reading import frame as frames

Kind = Literal["whole", "canary", "draft"]
MOST_DRAFTS = 5
MOST_HISTORY = 1000
RESUMABLE = timedelta(days=1)
"""A run that was broken off is gone on with for so long, then it is begun anew."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Watching:
    """How to watch. Periods are in days.

    `canary`: how many cases a canary asks. `drafts`: patterns of newly listed models to try as candidates, each within
    the `deadline`. `webhook_env`: the variable that holds the URL to tell of a regression. `budget`: US dollars that
    each run may cost.
    """

    canary: int = 200
    canary_every: float = 20 / 24
    whole_every: float = 30
    deadline: float = 1
    drafts: Sequence[str] = ()
    targets: Sequence[str] = ()
    webhook_env: str | None = None
    budget: float | None = None


class Draft(Record):
    """A newly listed model tried in the incumbent's place. `seconds`: what the run was expected to take."""

    model: Text
    endpoint: Text
    seconds: float | None = None
    fits: bool | None = None
    trial_id: Text = ""
    overall: Text = ""
    headline: Text = ""
    problem: Text = ""


class Watched(Record):
    """What one call found and did.

    `ran`: the trials it ran, by kind. `because`: why the whole suite was run. `news`: what changed at the providers.
    `alert`: a regression stands that nobody has accepted; `regressions` are its rubrics, `checked` all that were looked
    at. `told`: whether the webhook knows, and else why not.
    """

    suite: Text
    at: Text
    state: Literal["nothing due", "ran", "busy"]
    ran: Mapping[Text, Text] = {}
    because: tuple[Text, ...] = ()
    news: tuple[Text, ...] = ()
    baseline: Text = ""
    checked: tuple[Recheck, ...] = ()
    alert: bool = False
    regressions: tuple[Recheck, ...] = ()
    told: Text = ""
    drafts: tuple[Draft, ...] = ()
    next_canary: Text = ""
    next_whole: Text = ""


def utcnow() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Edges:
    """What a watch touches besides the store and the targets: the clock, the webhook, and who is shown progress."""

    clock: Callable[[], datetime] = utcnow
    send: webhook.Send = webhook.post
    pause: Callable[[float], None] = time.sleep
    show: Callable[[Progress], None] = lambda _: None


def watch(
    suite: str | Path = "seatrial.yaml",
    *,
    store: str | Path | None = None,
    options: Watching | None = None,
    edges: Edges | None = None,
) -> Watched:
    """Do what is due, and say whether a target got worse since it was accepted.

    When another process watches the same suite in the same store, nothing is done: `state` is `busy`. Raises the errors
    of a run; what was done is kept, and the next call goes on.
    """
    chosen, outside = options or Watching(), edges or Edges()
    loaded = load(Path(suite))
    if chosen.targets:
        loaded = loaded._replace(suite=only(loaded.suite, chosen.targets))
    url = webhook.address(chosen.webhook_env) if chosen.webhook_env else ""
    path = store_path(loaded.folder, Path(store) if store else None)
    with Store(path) as opened, alone(opened, loaded.suite.name) as mine:
        if not mine:
            return Watched(suite=loaded.suite.name, at=_text(outside.clock()), state="busy")
        return _Watch(opened, loaded, chosen, outside, url).run()


def accept(suite: str | Path = "seatrial.yaml", *, store: str | Path | None = None) -> str:
    """Take the newest whole run as what is compared with from now on; gives its id. Raises NotFoundError."""
    loaded = load(Path(suite))
    with Store(existing(store_path(loaded.folder, Path(store) if store else None))) as opened:
        whole = newest(history(opened, loaded.suite.name), "whole")
        if whole is None:
            raise NotFoundError("There is no whole run to accept.", hint="`seatrial watch` makes one")
        annotate(opened, whole.trial.id, {"accepted": True})
        return whole.trial.id


# what is noted beside the trials --------------------------------------------------------------------------------------


class Note(NamedTuple):
    """A trial that watching made, and what it noted of it."""

    trial: TrialRow
    kind: str
    at: datetime
    said: Mapping[str, Any]

    @property
    def done(self) -> bool:
        """Whether it ran to its end."""
        return self.trial.status == "done"

    @property
    def accepted(self) -> bool:
        """Whether later runs are compared with it."""
        return self.said.get("accepted") is True

    @property
    def evaluated(self) -> bool:
        """Whether what it says was noted already."""
        return "found" in self.said

    @property
    def found(self) -> list[Any]:
        """A canary's reasons for a whole run; a whole run's regressions."""
        return as_list(self.said.get("found")) or []


def history(store: Store, suite: str) -> list[Note]:
    """What watching has run of a suite, the newest first."""
    notes: list[Note] = []
    for row in store.trials(suite, limit=MOST_HISTORY):
        said = as_dict(row.environment.get(KEY))
        if said is not None:
            notes.append(Note(row, str(said.get("kind", "")), datetime.fromisoformat(said["at"]), said))
    return notes


def newest(notes: Sequence[Note], *kinds: str) -> Note | None:
    """The newest finished trial of these kinds."""
    return next((note for note in notes if note.kind in kinds and note.done), None)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


# one call -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Watch:
    """One call at work."""

    store: Store
    loaded: LoadedSuite
    options: Watching
    edges: Edges
    url: str
    ran: dict[str, str] = field(default_factory=dict[str, str])
    because: list[str] = field(default_factory=list[str])
    news: list[str] = field(default_factory=list[str])
    checked: tuple[Recheck, ...] = ()

    @property
    def suite(self) -> Suite:
        return self.loaded.suite

    @property
    def notes(self) -> list[Note]:
        return history(self.store, self.suite.name)

    def run(self) -> Watched:
        self._poll()
        drafts = self._drafts()
        self._evaluate_what_is_left()
        reasons = self._reasons()
        if not reasons and self._canary_due():
            self._execute("canary", (), self.options.canary)
            self._evaluate_what_is_left()
            reasons = self._reasons()
        if reasons:
            self.because = reasons
            self._execute("whole", reasons, None)
            self._evaluate_what_is_left()
        return self._watched(drafts)

    # running ----------------------------------------------------------------------------------------------------------

    def _execute(self, kind: Kind, because: Sequence[str], limit: int | None) -> None:
        broken = self._broken_off(kind)
        noted: dict[str, Json] = {"kind": kind, "at": _text(self.edges.clock()), "because": list(because)}
        asked = Asked(
            limit=limit,
            fresh=broken is None,
            series=broken,
            budget=self.options.budget,
            early_stopping=False,
            about={KEY: noted},
        )
        self.ran[kind] = execute_suite(self.store, self.loaded, build(self.loaded), asked, self.edges.show)

    def _broken_off(self, kind: Kind) -> str | None:
        """The series of a run of this kind that did not come to its end, to go on with it."""
        for note in self.notes:
            if note.kind == kind:
                young = self.edges.clock() - note.at < RESUMABLE
                same = note.trial.suite_hash.hex() == self.suite.hash.rpartition(":")[2]
                series = str(note.trial.environment.get("series", ""))
                resumable = not note.done and young and same and series in self.store.series()
                return series if resumable else None
        return None

    # what is due ------------------------------------------------------------------------------------------------------

    def _reasons(self) -> list[str]:
        """Why the whole suite is to be run now; nothing where it is not."""
        notes = self.notes
        last = newest(notes, "whole")
        if last is None:
            return ["it was never run whole"]
        reasons: list[str] = []
        if last.trial.suite_hash.hex() != self.suite.hash.rpartition(":")[2]:
            reasons.append("the suite was changed")
        if dataset_of(self.store, self.loaded).id != last.trial.dataset_id:
            reasons.append("the dataset was changed")
        if self._age(last) >= timedelta(days=self.options.whole_every):
            reasons.append(f"the last whole run is {self._age(last).days} days old")
        reasons += self._listed_otherwise(last)
        for note in notes:
            if note.kind == "canary" and note.done and note.trial.started_at > last.trial.started_at:
                reasons += [str(reason) for reason in note.found]
        return list(dict.fromkeys(reasons))

    def _canary_due(self) -> bool:
        last = newest(self.notes, "whole", "canary")
        return last is None or self._age(last) >= timedelta(days=self.options.canary_every)

    def _age(self, note: Note) -> timedelta:
        return self.edges.clock() - note.at

    # the providers' lists ---------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        for report in polling.poll(self.suite.targets, self.loaded.folder, self.store):
            where = safe(report["endpoint"], 200)
            if "error" in report:
                self.news.append(f"{where}: its list of models could not be read: {report['error']}")
                continue
            for what in ("new", "retired", "changed"):
                if names := list(report.get(what, ())):
                    shown = ", ".join(safe(name) for name in names[:SHOWN])
                    self.news.append(f"{where}: {len(names):,} {what}: {shown}{', …' if names[SHOWN:] else ''}")

    def _listed_otherwise(self, last: Note) -> list[str]:
        """What the providers say of the suite's own models that they did not say at the last whole run."""
        found: list[str] = []
        for name, place in polling.places(self.suite.targets, self.loaded.folder).items():
            then = modellists.last_poll(self.store, place.endpoint, until=last.trial.started_at)
            now = modellists.last_poll(self.store, place.endpoint)
            if then is None or now is None:
                continue
            change = modellists.difference(then.models, now.models)
            if place.model in change.changed:
                fields = ", ".join(safe(key) for key in change.changed[place.model])
                found.append(f"{name}: its provider lists {safe(place.model)} with another {fields}")
            if place.model in change.retired:
                found.append(f"{name}: its provider lists {safe(place.model)} no more")
            if place.model in change.new:
                found.append(f"{name}: its provider lists {safe(place.model)} anew")
        return found

    # drafts -----------------------------------------------------------------------------------------------------------

    def _drafts(self) -> list[Draft]:
        """Try newly listed models that a pattern names, each once, in the place of the target that runs today."""
        base = self.suite.incumbent or next(iter(self.suite.targets))
        place = polling.places(self.suite.targets, self.loaded.folder).get(base)
        notes = self.notes
        last = newest(notes, "whole")
        if not self.options.drafts or place is None or last is None:
            return []
        then = modellists.last_poll(self.store, place.endpoint, until=last.trial.started_at)
        now = modellists.last_poll(self.store, place.endpoint)
        if then is None or now is None:
            return []
        tried = {note.said.get("model") for note in notes if note.kind == "draft" and note.done}
        new = [name for name in now.models if name not in then.models and name not in tried]
        wanted = [name for name in new if any(fnmatchcase(name, pattern) for pattern in self.options.drafts)]
        for name in wanted[MOST_DRAFTS:]:
            self.news.append(f"{safe(name)} waits for the next call: at most {MOST_DRAFTS} drafts are tried in one")
        return [self._draft(base, place, name) for name in wanted[:MOST_DRAFTS]]

    def _draft(self, base: str, place: polling.Place, model: str) -> Draft:
        spec = self.suite.targets[base]
        name = f"draft-{re.sub('[^A-Za-z0-9_.@-]+', '-', model)[:60]}"
        draft = Draft(model=model, endpoint=place.endpoint)
        try:
            targets = {base: spec, name: drafted(spec, place.model, model)}
            loaded = self.loaded._replace(suite=self.suite.model_copy(update={"targets": targets, "incumbent": base}))
            seconds = self._expected(loaded)
            fits = None if seconds is None else seconds <= self.options.deadline * 86400
            draft = draft.model_copy(update={"seconds": seconds, "fits": fits})
            if fits is False:
                return draft.model_copy(update={"problem": "not begun: it would not be done within the deadline"})
            noted = {"kind": "draft", "at": _text(self.edges.clock()), "model": model}
            asked = Asked(fresh=True, budget=self.options.budget, early_stopping=False, about={KEY: noted})
            trial_id = execute_suite(self.store, loaded, build(loaded), asked, self.edges.show)
            verdict = compare(trial_id, store=self.store).verdicts[0]
        except SeatrialError as fault:
            return draft.model_copy(update={"problem": fault.problem})
        said = {"trial_id": trial_id, "overall": verdict.overall, "headline": verdict.headline}
        return draft.model_copy(update=said)

    def _expected(self, loaded: LoadedSuite) -> float | None:
        from seatrial.runs.forecast import Planned, forecast

        parts = build(loaded)
        planned = Planned(dataset_of(self.store, loaded), series="fresh-draft")
        found = forecast(self.store, loaded.suite, planned, dict(parts.targets), dict(parts.ask))
        known = [target.seconds for target in found.targets if target.seconds is not None]
        return (
            max(known) if known else None
        )  # they are asked at once; one that was never asked takes as long as today's

    # what the runs say ------------------------------------------------------------------------------------------------

    def _evaluate_what_is_left(self) -> None:
        """Note what finished runs say: of this call, or of one that was killed before it could."""
        for note in reversed(self.notes):
            if note.done and not note.evaluated and note.kind in ("whole", "canary"):
                self._whole_says(note) if note.kind == "whole" else self._canary_says(note)

    def _baseline(self) -> Note | None:
        return next((n for n in self.notes if n.kind == "whole" and n.done and n.accepted), None)

    def _whole_says(self, note: Note) -> None:
        baseline = self._baseline()
        if baseline is None:
            annotate(self.store, note.trial.id, {"found": [], "accepted": True})
            return
        then, now = (frames.load(self.store, n.trial.id) for n in (baseline, note))
        self.checked = recheck(self.store, then, now, list(now.arms), self.suite.policy.alpha)
        self.news += self._served_otherwise(baseline, note)
        worse = [found.plain() for found in self.checked if found.regressed]
        begun_anew = then.trial.suite_hash != now.trial.suite_hash or then.trial.dataset_id != now.trial.dataset_id
        for name in now.arms:
            if not comparable(then, now, name):
                self.news.append(f"{name} was changed in the suite: its results begin anew")
        noted = {"found": worse, "against": baseline.trial.id, "accepted": not worse and begun_anew}
        annotate(self.store, note.trial.id, noted)

    def _canary_says(self, note: Note) -> None:
        last, baseline = newest(self.notes, "whole"), self._baseline()
        reasons = self._served_otherwise(last, note) if last is not None else []
        if baseline is not None:
            then, now = (frames.load(self.store, n.trial.id) for n in (baseline, note))
            self.checked = recheck(self.store, then, now, list(now.arms), self.suite.policy.alpha)
            known = {(found.target, found.rubric) for found in _regressions(last)}
            reasons += [
                f"the canary: {found.sentence}"
                for found in self.checked
                if found.regressed and (found.target, found.rubric) not in known
            ]
        annotate(self.store, note.trial.id, {"found": reasons})

    def _served_otherwise(self, last: Note, note: Note) -> list[str]:
        """Which targets are served by a model or fingerprint that the last whole run did not see."""
        seen = {run.target: served_in(self.store, run.id) for run in self.store.runs(last.trial.id)}
        found: list[str] = []
        for run in self.store.runs(note.trial.id):
            known = seen.get(run.target)
            fresh = [one for one in served_in(self.store, run.id) if known and not _has(known, one)]
            if known and fresh:
                found.append(f"{run.target}: served by {_model(fresh[0])} now, it was {_model(known[0])}")
        return found

    # telling ----------------------------------------------------------------------------------------------------------

    def _watched(self, drafts: Sequence[Draft]) -> Watched:
        notes = self.notes
        last, baseline = newest(notes, "whole"), self._baseline()
        probed = newest(notes, "whole", "canary")
        assert last is not None, "a whole run was made where there was none"
        assert probed is not None
        standing = () if last.accepted else _regressions(last)
        return Watched(
            suite=self.suite.name,
            at=_text(self.edges.clock()),
            state="ran" if self.ran or drafts else "nothing due",
            ran=self.ran,
            because=tuple(self.because),
            news=tuple(self.news),
            baseline=baseline.trial.id if baseline else "",
            checked=self.checked,
            alert=bool(standing),
            regressions=standing,
            told=self._tell(last, standing) if standing and self.url else "",
            drafts=tuple(drafts),
            next_canary=_text(probed.at + timedelta(days=self.options.canary_every)),
            next_whole=_text(last.at + timedelta(days=self.options.whole_every)),
        )

    def _tell(self, last: Note, standing: Sequence[Recheck]) -> str:
        """Tell the webhook once of each whole run that found a regression."""
        if last.said.get("told") is True:
            return "told before"
        event: dict[str, Any] = {
            "event": "seatrial.watch.regression",
            "suite": self.suite.name,
            "at": _text(self.edges.clock()),
            "trial": last.trial.id,
            "baseline": str(last.said.get("against", "")),
            "because": as_list(last.said.get("because")) or [],
            "regressions": [_points(found) for found in standing],
        }
        why = webhook.tell(self.url, event, self.edges.send, self.edges.pause)
        if why:
            return f"the webhook could not be told: {why}"
        annotate(self.store, last.trial.id, {"told": True})
        return "told"


def drafted(spec: TargetSpec, old: str, new: str) -> TargetSpec:
    """The entry of a target with another model of the same endpoint."""
    head = spec.use.removesuffix(old) if spec.use.endswith(old) else f"{spec.use.partition(':')[0]}:"
    return TargetSpec.model_validate({**spec.model_dump(exclude_defaults=True), "use": f"{head}{new}", "price": None})


def _regressions(note: Note | None) -> tuple[Recheck, ...]:
    """What a whole run found worse."""
    if note is None or note.kind != "whole":
        return ()
    return tuple(Recheck.model_validate(found) for found in note.found)


def _points(found: Recheck) -> dict[str, Json]:
    """A regression for the webhook: in points, with its interval and n."""
    values = {"points": found.difference.value, "low": found.difference.low, "high": found.difference.high}
    points = {key: None if value is None else round(100 * value, 3) for key, value in values.items()}
    kept = ("target", "rubric", "n", "p_worse", "p_holm", "p_method", "sentence")
    said: dict[str, Json] = {key: getattr(found, key) for key in kept}
    return said | points | {"level": found.difference.level, "method": found.difference.method}


def _has(known: Sequence[Served], one: Served) -> bool:
    return any((other.model, other.fingerprint) == (one.model, one.fingerprint) for other in known)


def _model(one: Served) -> str:
    model = safe(one.model) or "an unnamed model"
    return f"{model} (fingerprint {safe(one.fingerprint)})" if one.fingerprint else model
