"""`seatrial lint`: a suite's set read once, held against its rubrics, its traffic, its dates and its past trials."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seatrial.core.case import Case
from seatrial.core.record import Record, Text
from seatrial.core.suite import DatasetSpec, Split, Suite, seconds_of
from seatrial.datasets import read
from seatrial.datasets.linting.content import content_findings, leaked_by_prompt, only
from seatrial.datasets.linting.facts import Bools, Facts, gather
from seatrial.datasets.linting.finding import SEVERITIES, Finding, found, many, ordered
from seatrial.datasets.linting.mix import Traffic, age_findings, mix_findings, traffic_of
from seatrial.datasets.linting.parts import Part, parts
from seatrial.datasets.linting.stages import Reached, StageName, reached
from seatrial.datasets.versions.folder import LEDGER, SPLITS, SetFolder, is_set
from seatrial.errors import ConfigError
from seatrial.runs.panel import panel_of
from seatrial.runs.runner import versions
from seatrial.trials.change import quarantine
from seatrial.trials.linting.history import item_findings, past
from seatrial.trials.linting.rubrics import Observing, effect_of, judged, rubric_findings
from seatrial.trials.probing import Probed, probe
from seatrial.trials.suite.aggregates import aggregates_of, sources
from seatrial.trials.suite.suitefile import LoadedSuite, load
from seatrial.trials.trial import store_path
from seatrial.verdicts.questions.plan import DISCORDANCE

PROBED = 20
"""Cases with which each grader is tried."""
EXPOSED = 10
"""From so many exposures on, people may have learnt what the sealed split holds."""


class Linted(Record):
    """What a suite's set lacks, and what is wrong with it.

    `counts`: findings by severity. `fit`: no finding is an error; with a stage asked for, it is reached.
    """

    suite: Text
    dataset: Text
    splits: Mapping[str, int]
    parts: tuple[Part, ...]
    stage: Reached
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    fit: bool

    def json_text(self) -> str:
        """As one JSON object, lone surrogates as their escapes."""
        return json.dumps(self.model_dump(), indent=2, allow_nan=False)


class _Source(NamedTuple):
    """Where the cases come from; `closed`: why a sealed split was not read, and how many cases it has."""

    folder: SetFolder | None
    asked: tuple[Split, ...]
    shares: Mapping[str, Mapping[str, float]]
    closed: int
    unversioned: str


def lint(
    suite: str | Path = "seatrial.yaml",
    *,
    store: str | Path | None = None,
    against: str | Path | None = None,
    stage: StageName | None = None,
    today: date | None = None,
) -> Linted:
    """What a suite's set lacks and what is wrong with it; nobody is asked, nothing is written.

    `store`: past trials, as for `run`. `against`: a pool of cases from production to hold the mix against. `stage`:
    the one that the set should have reached. `today` dates what is stale. Raises the errors of suite, dataset and pool.
    """
    loaded = load(Path(suite))
    source = _source(loaded)
    panel = panel_of(loaded.suite, loaded.folder, os.environ)
    scorers = {one.name: panel.build(one.scorer, one.settings, loaded.folder) for one in loaded.suite.rubrics}
    own = aggregates_of(loaded)
    observing = Observing(loaded.suite, scorers)
    with gather(_observed(loaded, source, observing)) as facts:
        told = observing.done()
        hashes = versions(panel, scorers, sources(own))
        file = store_path(loaded.folder, Path(store) if store else None)
        history = past(file, loaded.suite, hashes, facts)
        about = judged(loaded.suite, scorers, facts, told)
        taken = only(facts, source.asked) if source.folder else np.ones(len(facts), dtype=np.bool_)
        at = reached(facts, taken, loaded.suite.policy, DISCORDANCE, effect_of(facts, taken & facts.traffic), stage)
        six = parts(loaded.suite, facts, taken, at, about, history.reruns)
        at = _with_parts(at, six)
        moment = datetime.now(UTC) if today is None else datetime(today.year, today.month, today.day, tzinfo=UTC)
        findings = ordered(
            [
                *content_findings(facts),
                *leaked_by_prompt(facts, _prompt(loaded.suite)),
                *_sealing(source),
                *mix_findings(facts, taken, *_traffic(source, against)),
                *rubric_findings(loaded.suite, facts, told, about, _tried(loaded, source), history),
                *item_findings(history, loaded.suite, facts),
                *_ages(loaded.suite, facts, taken, moment),
                *_quarantine(loaded, moment.date()),
                *_stage(at),
            ]
        )
        return _linted(loaded, source, facts, six, at, findings)


def _linted(
    loaded: LoadedSuite,
    source: _Source,
    facts: Facts,
    six: Sequence[Part],
    at: Reached,
    findings: Sequence[Finding],
) -> Linted:
    counts: dict[str, int] = {name: sum(one.severity == name for one in findings) for name in SEVERITIES}
    splits = facts.split.counts() if source.folder else {}
    if source.closed:
        splits["sealed (closed)"] = source.closed
    return Linted(
        suite=loaded.suite.name,
        dataset=source.folder.name if source.folder else Path(loaded.suite.dataset.path).stem,
        splits=splits,
        parts=tuple(six),
        stage=at,
        findings=tuple(findings),
        counts=counts,
        fit=not counts["error"],
    )


# reading --------------------------------------------------------------------------------------------------------------


def _source(loaded: LoadedSuite) -> _Source:
    spec = loaded.suite.dataset
    if not is_set(loaded.folder / spec.path):
        return _Source(None, (), spec.shares, 0, "")
    folder = SetFolder(loaded.folder / spec.path)
    closed = 0
    if folder.is_sealed and folder.lock is not None:
        closed = folder.lock.cases.get("sealed", 0)
    return _Source(folder, spec.splits, folder.config.shares, closed, _unversioned(spec, loaded.folder))


def _unversioned(spec: DatasetSpec, folder: Path) -> str:
    from seatrial.datasets.versions.suite import held

    try:
        held(spec, folder)
    except ConfigError as fault:
        return fault.problem
    return ""


def _observed(loaded: LoadedSuite, source: _Source, observing: Observing) -> Iterator[tuple[str, Case]]:
    """Every case that can be read, of all splits; what rubrics take is noted on the way."""
    for split, case in _cases(loaded, source):
        observing.note(case, not source.folder or split in source.asked)
        yield split, case


def _cases(loaded: LoadedSuite, source: _Source) -> Iterator[tuple[str, Case]]:
    if source.folder is None:
        for case in read(loaded.suite.dataset, loaded.folder):
            yield "", case
        return
    for split in SPLITS:
        if split == "sealed" and source.folder.is_sealed:
            continue
        for case in source.folder.cases(split):
            yield split, case


def _traffic(source: _Source, against: str | Path | None) -> tuple[Traffic | None, bool]:
    """What traffic is held to be, and whether a person stated it."""
    if against is not None:
        pool = Path(against)
        spec = DatasetSpec(path=pool.name)
        return traffic_of(read(spec, pool.absolute().parent), pool.name), False
    if source.shares:
        return Traffic(source.shares, {}, "the shares that are stated"), True
    return None, False


def _tried(loaded: LoadedSuite, source: _Source) -> Sequence[Probed]:
    """Each grader tried on answers made to fail; nothing where the set cannot be run as it is."""
    return () if source.unversioned or "sealed" in source.asked else probe(loaded, cases=PROBED)


def _prompt(suite: Suite) -> str:
    said = [message.content for message in suite.prompt if not isinstance(message, str)]
    return "\n".join([*said, *(value for value in suite.variables.values() if isinstance(value, str))])


# the rest -------------------------------------------------------------------------------------------------------------


def _sealing(source: _Source) -> Iterator[Finding]:
    folder = source.folder
    if folder is None:
        yield found(
            "L202",
            "The dataset is a plain file, all of it open: whoever tunes a prompt can read what it is judged by.",
            fix="make it a set with a sealed split: `seatrial dataset sample`, then `seal`",
        )
        return
    if source.unversioned:
        yield found("L205", source.unversioned)
    if not folder.is_sealed:
        there = folder.file("sealed").exists()
        text = "The sealed split lies open in sealed.jsonl." if there else "The set has no sealed split."
        yield found("L202", text, severity="warning" if there else "note")
    yield from _exposures(folder)


def _exposures(folder: SetFolder) -> Iterator[Finding]:
    from seatrial.datasets.sealing.ledger import read as read_ledger

    if not (folder.path / LEDGER).is_file():
        return
    ledger = read_ledger(folder)
    times = len(ledger.entries)
    if ledger.problems:
        text = f"The ledger of the sealed split has {many(len(ledger.problems), 'fault')}: {ledger.problems[0]}."
        yield found("L203", text, severity="error", fix="`seatrial dataset verify` says more; restore it from git")
    elif times:
        models = many(len(ledger.exposures()), "model")
        text = f"The ledger counts {many(times, 'exposure')} of the sealed split to {models}."
        yield found("L203", text, severity="warning" if times >= EXPOSED else "note", numbers={"exposures": times})


def _ages(suite: Suite, facts: Facts, taken: Bools, moment: datetime) -> Iterator[Finding]:
    most = suite.policy.max_age.dataset
    cutoffs = {name: spec.cutoff for name, spec in suite.targets.items()}
    return age_findings(facts, taken, moment, None if most is None else seconds_of(most), cutoffs)


def _quarantine(loaded: LoadedSuite, today: date) -> Iterator[Finding]:
    name = loaded.suite.gate.quarantine
    gone: list[str] = []
    rubrics: dict[str, None] = {}
    for _, entry in quarantine.read(loaded.folder / name, name).entries:
        try:
            last = date.fromisoformat(entry.expires)
        except ValueError:
            last = date.min
        if last < today:
            gone.append(entry.case)
            rubrics[entry.rubric] = None
    if gone:
        verb = "has" if len(gone) == 1 else "have"
        text = f"{many(len(gone), 'entry', 'entries')} of {name} {verb} expired: `gate` refuses the file as it is."
        yield found("L605", text, cases=gone, rubrics=list(rubrics))


def _with_parts(at: Reached, six: Sequence[Part]) -> Reached:
    """The full stage takes all six parts."""
    if at.wanted != "full":
        return at
    gone = [f"part {part.number}, {part.name.lower()}" for part in six if part.state == "missing"]
    return at.model_copy(update={"lacking": (*at.lacking, *gone)})


def _stage(at: Reached) -> Iterator[Finding]:
    if not at.fits:
        yield found("L701", f"For the {at.asked} stage the set lacks {'; '.join(at.lacking)}.")
