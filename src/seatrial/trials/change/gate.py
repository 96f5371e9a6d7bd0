"""The gate: run a suite, or take a trial, and say whether a change may go in. No data never passes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

import seatrial
from seatrial.core.files import write_whole
from seatrial.core.identity import from_bytes
from seatrial.core.suite import Suite, seconds_of
from seatrial.errors import BaselineError, NotEvaluableError, Problem, UsageError, nearest, safe
from seatrial.runs.progress import Progress
from seatrial.runs.runner import Parts
from seatrial.store import schema
from seatrial.store.store import Dataset, RunRow, Store, TrialRow
from seatrial.trials.change import quarantine as quarantines
from seatrial.trials.change.clearance import Cleared, record_check
from seatrial.trials.change.proposal import is_named, running
from seatrial.trials.change.sides import Sides, sides
from seatrial.trials.suite.suitefile import LoadedSuite
from seatrial.trials.trial import Asked, build, dataset_of, execute_suite, existing, only, store_path
from seatrial.verdicts.artefacts import baseline as baselines
from seatrial.verdicts.artefacts import gating, sentences
from seatrial.verdicts.artefacts.baseline import Baseline, Place
from seatrial.verdicts.artefacts.gating import Check, GateReport, SetAside
from seatrial.verdicts.artefacts.slices import slices
from seatrial.verdicts.checks.ages import stale_dataset
from seatrial.verdicts.checks.examined import prepared, with_confirmed
from seatrial.verdicts.compare import compare_arrays, report
from seatrial.verdicts.reading.frame import MODEL_FAILURE, SCORED, Frame, unit_of
from seatrial.verdicts.records import TrialReport, Verdict

if TYPE_CHECKING:
    from seatrial.verdicts.engine.outcomes import Outcomes

MOST_BASELINE = 64 << 20
LEAST_COMMON = 0.8
"""A baseline of which fewer cases are left than this share is one of another dataset."""
DONE = "done"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a gate is asked beside the suite.

    `trial`: judge this trial instead of running. `base`, `head`: commits, see `sides`. `target`: whose results are
    blessed or held against the baseline; the incumbent, or the only target, where empty. `max_age`: of the oldest
    answer. `watch`: globs beside the suite's own.
    """

    trial: str = ""
    base: str = ""
    head: str = ""
    bless: bool = False
    baseline: Path | None = None
    quarantine: Path | None = None
    target: str = ""
    candidates: Sequence[str] = ()
    max_age: timedelta | None = None
    allow_inconclusive: bool = False
    require_record: bool = False
    watch: Sequence[str] = ()
    asked: Asked = field(default_factory=Asked)


class Judged(NamedTuple):
    """A trial that is to be judged: where it is, its cases by position, and which are set aside, by rubric name."""

    store: Store
    trial: TrialRow
    runs: Mapping[str, RunRow]
    dataset: Dataset
    places: Mapping[int, Place]
    aside: Mapping[str, Sequence[int]]


def gate(
    suite: str | Path = "seatrial.yaml",
    *,
    store: str | Path | None = None,
    show: Callable[[Progress], None] | None = None,
    wanted: Wanted | None = None,
    **choices: Any,
) -> GateReport:
    """Run a suite, or take a trial, and judge it: `exit_code` is 0 ship, 1 blocked, 3 inconclusive, 4 not evaluable.

    Choices are the fields of `Wanted`. With `bless`, a baseline is written where nothing blocks. Raises the errors of
    `seatrial.errors`; whatever is raised is no pass.
    """
    chosen = _with(wanted or Wanted(), choices)
    _check_choices(chosen)
    with tempfile.TemporaryDirectory(prefix="seatrial-gate-") as scratch:
        both = sides(Path(suite), chosen.base, chosen.head, Path(scratch))
        path = store_path(both.home, Path(store) if store else None)
        with Store(existing(path) if chosen.trial else path) as opened:
            return _Gate(both, chosen, opened, show or (lambda _progress: None)).judge()


def _with(wanted: Wanted, choices: Mapping[str, Any]) -> Wanted:
    try:
        return replace(wanted, **choices)
    except TypeError as cause:
        raise UsageError(f"gate() does not take {', '.join(map(safe, choices))}.") from cause


def _check_choices(wanted: Wanted) -> None:
    change = wanted.base or wanted.head
    if wanted.require_record and not change:
        raise UsageError("--require-record compares two sides.", hint="name the other one with --base or --head")
    if wanted.bless and change:
        raise UsageError("A baseline is blessed from the working tree alone.", hint="leave --base and --head out")


class _Gate:
    """One judging."""

    def __init__(self, both: Sides, wanted: Wanted, store: Store, show: Callable[[Progress], None]) -> None:
        self.both, self.wanted, self.store, self.show = both, wanted, store, show
        self.suite = both.suite
        self.lines = {r.name: both.rules.line(("rubrics", at)) for at, r in enumerate(both.rules.suite.rubrics)}
        self.target = self._target()
        self.quarantine = self._quarantine()

    def _target(self) -> str | None:
        name = self.wanted.target or running(self.suite)
        if name is not None and name not in self.suite.targets:
            near = nearest(name, self.suite.targets)
            hint = f"did you mean {near!r}?" if near else f"its targets are {', '.join(self.suite.targets)}"
            raise UsageError(f"The suite has no target {safe(name)!r}.", hint=hint)
        return name

    def _quarantine(self) -> quarantines.Quarantine:
        chosen = self.wanted.quarantine
        name = self.both.rules.suite.gate.quarantine
        if chosen is not None and not chosen.exists():
            raise UsageError(f"There is no quarantine file {safe(str(chosen), 200)}.")
        return quarantines.read(chosen or self.both.rules.folder / name, str(chosen or name))

    def judge(self) -> GateReport:
        """Run or look up the trial, make every check, and bless where that was asked for."""
        trial_id = self.wanted.trial or self._run(self.both.whole, self._parts(), self._asked())
        judged = self._judged(trial_id)
        frame = prepared(self.store, judged.trial.id, None).frame
        self._bounded(frame, judged.aside)
        kept = frame.without(judged.aside)
        chosen = self.wanted.candidates
        found = report(self.store, judged.trial.id, candidates=chosen, set_aside=judged.aside)
        checks = [
            *self._evidence(judged, frame),
            *(
                check
                for v in found.verdicts
                for check in gating.of_verdict(v, self.lines, _lacking(kept, v.candidate, v.incumbent))
            ),
        ]
        against, verdict = None, None
        if not self.wanted.bless and (held := self._baseline()) is not None and self.target in frame.arms:
            verdict, against, more = self._against(kept, judged, *held)
            checks += more
            found = found.model_copy(update={"verdicts": (*found.verdicts, verdict)})
        checks += self._alone(found, kept, compared=verdict is not None)
        checks += self._record(judged)
        return self._reported(found, checks, judged, frame, against)

    # the trial ----------------------------------------------------------------------------------------------------

    def _parts(self) -> Parts:
        """Targets from the change's folder, dataset and scorers from the rules'."""
        if self.both.targets == self.both.rules.folder:
            return build(self.both.whole)
        with _apart(self.both.rules.folder):
            ours = build(self.both.rules)
        theirs = build(self.both.whole._replace(folder=self.both.targets))
        return replace(ours, targets=theirs.targets, ask=theirs.ask)

    def _asked(self) -> Asked:
        """As asked; a change of code or of an endpoint is asked anew: what is behind its name may have changed."""
        asked, named = self.wanted.asked, all(is_named(spec) for spec in self.suite.targets.values())
        return asked if named or self.both.proposal is None or asked.series else replace(asked, fresh=True)

    def _run(self, loaded: LoadedSuite, parts: Parts, asked: Asked) -> str:
        dataset = dataset_of(self.store, loaded)
        places = case_places(self.store, dataset.id)
        self.quarantine.places(places, self.suite, _today())  # its faults come before anything is spent
        return execute_suite(self.store, loaded, parts, replace(asked, note=asked.note or "gate"), self.show)

    def _judged(self, trial_id: str, *, alone: bool = False) -> Judged:
        trial = self.store.trial(trial_id)
        if not alone and from_bytes("suite", trial.suite_hash) != self.suite.hash:
            said = f"Trial {trial.id} was made with another suite than {safe(str(self.both.rules.path), 200)} is now."
            raise NotEvaluableError(said, hint="run the gate without --trial")
        places = case_places(self.store, trial.dataset_id)
        runs = {run.target: run for run in self.store.runs(trial.id)}
        aside = self.quarantine.places(places, self.suite, _today())
        return Judged(self.store, trial, runs, self.store.dataset(trial.dataset_id), places, aside)

    def _bounded(self, frame: Frame, aside: Mapping[str, Sequence[int]]) -> None:
        """Refuse a quarantine that holds too many of the cases that a rubric is about."""
        counts: dict[str, int] = {}
        totals: dict[str, int] = {}
        for at, rubric in enumerate(frame.suite.rubrics):
            held = frame.cases.position[frame.population(at)]
            totals[rubric.name] = len(held)
            counts[rubric.name] = len(set(held.tolist()) & set(aside.get(rubric.name, ())))
        self.quarantine.bounded(counts, totals, self.both.rules.suite)

    # checks -------------------------------------------------------------------------------------------------------

    def _evidence(self, judged: Judged, frame: Frame) -> list[Check]:
        """Whether the trial is whole, and its answers fresh."""
        trial = judged.trial
        faults: list[tuple[str, str]] = []
        if trial.status != DONE:
            faults.append(("trial", f"Trial {trial.id} is {trial.status}, not done: run it to its end first."))
        if stale := _stale(judged, self._max_age()):
            faults.append(("age", stale))
        if stale := stale_dataset(self.store, frame):
            faults.append(("dataset", stale))
        return [Check(name=name, outcome="not_evaluable", sentence=sentence) for name, sentence in faults]

    def _max_age(self) -> timedelta | None:
        """The oldest that an answer may be today: what was asked for, or the policy's, whichever is less."""
        policy = self.suite.policy.max_age.outputs
        ages = [timedelta(seconds=seconds_of(policy))] if policy is not None else []
        return min([*ages, *([self.wanted.max_age] if self.wanted.max_age is not None else [])], default=None)

    def _alone(self, found: TrialReport, frame: Frame, *, compared: bool) -> list[Check]:
        """What the only target's gates and limits say, and whether its other rubrics have anything to stand against."""
        if not found.rates:
            return []
        decided = [rubric for rubric in found.rates if rubric.decision != "SHOWN"]
        lacking = {name for arm in frame.arms for name in _lacking(frame, arm, None)}
        checks = gating.of_rubrics(self.target or "", decided, self.lines, lacking)
        open_ = [r.name for r in self.suite.rubrics if r.kind == "quality" or r.at_most_ratio is not None]
        if open_ and not compared and not self.wanted.bless:
            rubrics = f"{', '.join(open_[:5])}{' …' if len(open_) > 5 else ''}"
            said = f"Nothing to compare {rubrics} with: bless a baseline (--bless), name --base, or add an incumbent."
            checks.append(Check(name="baseline", outcome="not_evaluable", sentence=said))
        return checks

    def _record(self, judged: Judged) -> list[Check]:
        """Whether a changed system has a ship record of exactly what it is now."""
        if not self.wanted.require_record or self.target is None:
            return []
        assert self.both.proposal is not None, "--require-record has two sides"
        run = judged.runs.get(self.target)
        identity = str(run.definition.get("identity", "")) if run is not None else ""
        about = Cleared(self.target, identity, _scorers(run) if run is not None else {}, judged.dataset.hash)
        globs = [*self.both.rules.suite.gate.watch, *self.wanted.watch]
        return [record_check(self.both, globs, about, _today())]

    # baseline -----------------------------------------------------------------------------------------------------

    def _baseline(self) -> tuple[Baseline, str] | None:
        """The blessed baseline of the rules' side, else what the base's own target gives now; None without either."""
        rules, chosen = self.both.rules, self.wanted.baseline
        path = chosen or rules.folder / rules.suite.gate.baseline
        name = str(chosen or rules.suite.gate.baseline)
        if path.exists() or chosen is not None:
            held = baselines.read(_bytes(path, name), name)
            return held, f"{name} of {held.blessed_at[:10]}"
        proposal = self.both.proposal
        old = running(rules.suite)
        alone = len(self.suite.targets) == 1
        if proposal is None or self.both.base is None or old is None or not (alone or self.target in proposal.served):
            return None
        if not is_named(rules.suite.targets[old]):
            return None  # the base's code, or what its endpoint was, cannot be asked beside the change's
        loaded = rules._replace(suite=only(rules.suite, [old]))
        trial_id = self._run(loaded, build(loaded), self.wanted.asked)
        judged = self._judged(trial_id, alone=True)
        return self._made(prepared(self.store, trial_id, None).frame, judged, old), f"a run of {self.both.base.name}"

    def _made(self, frame: Frame, judged: Judged, target: str) -> Baseline:
        run = judged.runs[target]
        about = baselines.About(
            suite_hash=from_bytes("suite", judged.trial.suite_hash),
            dataset=judged.dataset.name,
            dataset_hash=judged.dataset.hash,
            use=str(run.definition.get("use", "")),
            identity=str(run.definition.get("identity", "")),
            blessed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seatrial=seatrial.__version__,
        )
        return baselines.make(frame, target, judged.places, _scorers(run), about)

    def _against(
        self, frame: Frame, judged: Judged, held: Baseline, source: str
    ) -> tuple[Verdict, gating.Against, list[Check]]:
        """The target against the baseline, over the cases in common, and what stands in the way of comparing them."""
        assert self.target is not None, "a target is compared"
        aligned = baselines.align(frame, judged.places, held, source)
        parts = baselines.split(self.suite, _scorers(judged.runs[self.target]), held)
        sub = self.suite.model_copy(update={"rubrics": tuple(self.suite.rubrics[at] for at in parts.kept)})
        arrays = {
            frame.suite.rubrics[at].name: with_confirmed(
                frame, at, self.target, baselines.outcomes(frame, at, self.target, aligned)
            )
            for at in parts.kept
        }
        units = [unit_of(self.store, frame, at) if frame.suite.rubrics[at].kind == "limit" else "" for at in parts.kept]
        verdict = _verdict(sub, frame, arrays, units, self.target, f"the baseline ({source})")
        lacking = {name for name, held in arrays.items() if held.too_much_missing}
        checks = gating.of_verdict(verdict, self.lines, lacking)
        checks = [check.model_copy(update={"arm": f"{check.arm} against {verdict.incumbent}"}) for check in checks]
        for name, why in parts.lost.items():
            said = f"It cannot be compared with the baseline: {why}. Bless a new one when that is meant."
            checks.append(
                Check(name=name, outcome="not_evaluable", sentence=said, arm=self.target, line=self.lines.get(name))
            )
        common, before = aligned.against.common, len(held.cases)
        if before and common < LEAST_COMMON * before:
            said = f"Only {common:,} of the baseline's {before:,} cases are left in the dataset: bless a new one."
            checks.append(Check(name="baseline", outcome="not_evaluable", sentence=said, arm=self.target))
        return verdict, aligned.against, checks

    # the end ------------------------------------------------------------------------------------------------------

    def _reported(
        self, found: TrialReport, checks: list[Check], judged: Judged, frame: Frame, against: gating.Against | None
    ) -> GateReport:
        allowed = self.wanted.allow_inconclusive
        blessed = ""
        if self.wanted.bless:
            checks = self._may_bless(checks, judged, frame)
            if gating.outcome(checks) == "ship":
                blessed = self._bless(frame, judged)
        overall = gating.outcome(checks)
        proposal = self.both.proposal
        return GateReport(
            outcome=overall,
            exit_code=gating.exit_code(overall, allow_inconclusive=allowed),
            sentence=f"Blessed {blessed}." if blessed else gating.sentence(overall, checks, allow_inconclusive=allowed),
            checks=tuple(checks),
            suite_file=self.both.file,
            base=self.both.base.commit if self.both.base else "",
            head=self.both.head.commit if self.both.head else "",
            changes=proposal.changes if proposal else (),
            notes=proposal.ignored if proposal else (),
            quarantined=tuple(self._set_aside(frame, judged)),
            baseline=against,
            blessed=blessed,
            report=found,
        )

    def _may_bless(self, checks: list[Check], judged: Judged, frame: Frame) -> list[Check]:
        """The checks that a state to be blessed must pass: nothing broken, and enough results to compare with later."""
        kept = [check for check in checks if check.outcome in {"block", "not_evaluable"} and not check.arm]
        kept += [check for check in checks if check.arm == self.target and check.outcome == "block"]
        if self.target is None or self.target not in judged.runs:
            said = "Which target is to be blessed is not said: name it with --target."
            return [*kept, Check(name="target", outcome="not_evaluable", sentence=said)]
        least = self.suite.policy.min_cases
        for at, rubric in enumerate(frame.suite.rubrics):
            if not baselines.comparable(rubric) or rubric.kind == "advisory":
                continue
            values = frame.outcomes(at, self.target, None)
            told, gone = values.candidate.size - values.missing, values.most_missing
            most = f"at most {100 * values.most_allowed:g}% may be missing"
            said = f"{told:,} results, {100 * gone:.0f}% missing; {least:,} are needed and {most}."
            enough = told >= least and not values.too_much_missing
            outcome: gating.Outcome = "pass" if enough else "not_evaluable"
            line = self.lines.get(rubric.name)
            kept.append(Check(name=rubric.name, outcome=outcome, sentence=said, arm=self.target, line=line))
        return kept

    def _bless(self, frame: Frame, judged: Judged) -> str:
        assert self.target is not None, "a target is blessed"
        path = self.wanted.baseline or self.both.home / self.suite.gate.baseline
        data = baselines.text(self._made(frame, judged, self.target)).encode("ascii")
        write_whole(path, lambda out: out.write(data), "The baseline")
        return str(path if self.wanted.baseline else self.suite.gate.baseline)

    def _set_aside(self, frame: Frame, judged: Judged) -> list[SetAside]:
        by_name = {name: at for at, place in judged.places.items() for name in (place.id, place.view_hash)}
        rows = {position: row for row, position in enumerate(frame.cases.position.tolist())}
        found: list[SetAside] = []
        for _, entry in self.quarantine.entries:
            row = rows.get(by_name[entry.case])
            index = next(at for at, rubric in enumerate(frame.suite.rubrics) if rubric.name == entry.rubric)
            results = {} if row is None else {name: _said(frame, name, index, row) for name in frame.arms}
            told = {key: getattr(entry, key) for key in ("case", "rubric", "reason", "expires")}
            found.append(SetAside(**told, results=results))
        return found


@contextmanager
def _apart(folder: Path) -> Generator[None]:
    """Forget the modules that were imported from a folder, so that others of their names are imported after it."""
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(folder):
            del sys.modules[name]


def case_places(store: Store, dataset_id: int) -> dict[int, Place]:
    """Every case's id and view hash, by its position."""
    c, members = schema.cases.c, schema.dataset_cases.c
    query = (
        select(members.position, c.key, c.view_hash)
        .join_from(schema.dataset_cases, schema.cases, c.id == members.case_id)
        .where(members.dataset_id == dataset_id)
        .order_by(members.position)
    )
    with store.reading() as connection:
        return {row[0]: Place(row[1], from_bytes("view", row[2])) for row in connection.execute(query)}


def _verdict(
    suite: Suite, frame: Frame, arrays: Mapping[str, Outcomes], units: Sequence[str], target: str, against: str
) -> Verdict:
    judgement, plain = compare_arrays(suite, arrays, units)
    rubrics = tuple(
        result
        if result.kind == "limit"
        else result.model_copy(update={"slices": slices(frame.cases, arrays[result.name], suite.policy)[0]})
        for result in plain
    )
    headline = sentences.headline(target, against, judgement.overall, rubrics)
    return Verdict(candidate=target, incumbent=against, overall=judgement.overall, headline=headline, rubrics=rubrics)


def _lacking(frame: Frame, candidate: str, incumbent: str | None) -> set[str]:
    """The rubrics on which an arm misses more results than it may; none where an arm was not run."""
    if candidate not in frame.arms or (incumbent is not None and incumbent not in frame.arms):
        return set()
    rubrics = enumerate(frame.suite.rubrics)
    return {rubric.name for at, rubric in rubrics if frame.outcomes(at, candidate, incumbent).too_much_missing}


def _scorers(run: RunRow) -> dict[str, str]:
    return {str(name): str(hashed) for name, hashed in run.definition.get("rubrics", {}).items()}


def _said(frame: Frame, target: str, index: int, row: int) -> str:
    """A case's results in words."""
    arm = frame.arms[target]
    words: list[str] = []
    for status, passed in zip(arm.status[index][row].tolist(), arm.passed[index][row].tolist(), strict=True):
        known = status in (SCORED, MODEL_FAILURE)
        words.append(("passed" if passed == 1 else "failed") if known else "no result")
    return ", ".join(words)


def _stale(judged: Judged, max_age: timedelta | None) -> str:
    """Why the trial's answers are too old; empty where they are not, or may be of any age."""
    if max_age is None:
        return ""
    o, items = schema.outputs.c, schema.run_items.c
    members = select(items.output_id).where(items.run_id.in_([run.id for run in judged.runs.values()]))
    dated = select(func.min(func.nullif(o.finished_at, "")), func.count(func.nullif(o.finished_at, "")), func.count())
    with judged.store.reading() as connection:
        oldest, known, total = connection.execute(dated.where(o.id.in_(members))).one()
    if known < total:
        unknown = f"When {total - known:,} of {total:,} answers were made is not known"
        return f"{unknown}, and none may be older than {_span(max_age)}."
    if oldest is None:
        return ""
    try:
        made = datetime.fromisoformat(oldest)
    except ValueError:
        return f"The oldest answer has no readable date ({safe(oldest)})."
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    age = datetime.now(UTC) - made
    if age <= max_age:
        return ""
    return f"The oldest answer is of {made.date()}, and none may be older than {_span(max_age)}: run with --fresh."


def _span(age: timedelta) -> str:
    return f"{age.days:,} days" if age.days > 1 else f"{age.total_seconds() / 3600:.3g} hours"


def _today() -> Any:
    return datetime.now(UTC).date()


def _bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BASELINE + 1)
    except FileNotFoundError:
        raise NotEvaluableError(f"There is no baseline {safe(name, 200)}.", hint=baselines.HINT) from None
    except (OSError, ValueError) as cause:
        why = [Problem("cannot be read", name, value=str(cause))]
        raise BaselineError(f"The baseline {safe(name, 200)} cannot be used.", problems=why) from cause
    if len(raw) > MOST_BASELINE:
        why = [Problem(f"is larger than {MOST_BASELINE >> 20} MiB", name)]
        raise BaselineError(f"The baseline {safe(name, 200)} cannot be used.", problems=why)
    return raw
