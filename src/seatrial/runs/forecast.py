"""What a run would send, and about what that would take: tokens, US dollars and time. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seatrial.core.case import Case
from seatrial.core.identity import canonical, digest_text, to_bytes
from seatrial.core.output import Request, Usage
from seatrial.core.protocols import Metered, Priced, Scorer, Target
from seatrial.core.record import Record, Text, as_dict
from seatrial.core.suite import Suite, TargetSpec
from seatrial.errors import NoDataError
from seatrial.runs.arrivals import Arrivals
from seatrial.runs.panel import Panel
from seatrial.runs.plan import sample, selected
from seatrial.store.store import Dataset, OutputHead, Store, chunks
from seatrial.store.usage import Took, took

CHARACTERS_PER_TOKEN = 4
ASSUMED_SECONDS = 0.5
ASSUMED_TOKENS_PER_SECOND = 50
AT_ONCE = 256


class TargetForecast(Record):
    """One target's share. None: not known, which is never 0.

    `requests` are to be sent, `reused` are in the store. `dollars` and `output_tokens` are what is expected: by
    earlier answers to this dataset where there are some, else by the output limit. `dollars_worst` is what a budget
    would set aside, retries left out. `seconds` are at the target's concurrency, rpm, tpm and arrival rate.
    """

    target: Text
    use: Text
    requests: int
    reused: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    tokens_worst: int | None = None
    dollars: float | None = None
    dollars_worst: float | None = None
    price_source: Text = ""
    seconds: float | None = None
    tokens_from: Text = ""
    latency_from: Text = ""


class JudgeForecast(Record):
    """One judge's share. None: not known, which is never 0.

    `judgements`: scores that it is asked for, of all targets, those that are in the store included. `dollars_each` is
    what a question has cost in the newest trial that asked it.
    """

    judge: Text
    use: Text
    judgements: int
    dollars_each: float | None = None

    @property
    def dollars(self) -> float | None:
        """About what it would cost at one question a score, with nothing reused."""
        return None if self.dollars_each is None else self.dollars_each * self.judgements


class Forecast(Record):
    """All targets. The sums are of what is known; `*_unknown` counts the targets of which it is not.

    Judging is in none of the sums.
    """

    suite: Text
    dataset: Text
    cases: int
    epochs: int
    targets: tuple[TargetForecast, ...]
    requests: int
    reused: int
    dollars: float | None
    dollars_unknown: int
    dollars_worst: float | None
    dollars_worst_unknown: int
    seconds: float | None
    judges: tuple[JudgeForecast, ...] = ()


@dataclass(slots=True)
class Missing:
    """What one target has to be asked: how many, the characters as kept and as read, and the bounds."""

    reused: int = 0
    known: list[int] = field(default_factory=list[int])
    sent: list[int] = field(default_factory=list[int])
    read: list[int] = field(default_factory=list[int])
    limits: list[int | None] = field(default_factory=list[int | None])
    tokens: list[int | None] = field(default_factory=list[int | None])
    dollars: list[float | None] = field(default_factory=list[float | None])


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run would go over."""

    dataset: Dataset
    epochs: int = 1
    limit: int | None = None
    series: str = "main"
    retry_errors: bool = False
    series_of: Mapping[str, str] = field(default_factory=dict[str, str])


def forecast(
    store: Store, suite: Suite, planned: Planned, targets: dict[str, Target], ask: dict[str, Callable[[Case], Request]]
) -> Forecast:
    """What running these targets would take; nothing is sent or kept. Raises NoDataError for an empty dataset."""
    dataset = planned.dataset
    positions = np.arange(dataset.cases, dtype=np.int32)
    if planned.limit is not None and planned.limit < dataset.cases:
        positions = sample(store.case_facts(dataset.id), planned.limit, suite.seed)
    if not len(positions):
        raise NoDataError("The dataset holds no case.", hint="check the file and `--limit`")
    found: list[TargetForecast] = []
    for name, target in targets.items():
        spec = suite.targets[name]
        arrivals = Arrivals.of(spec, target, suite.seed)
        own = replace(planned, series=planned.series_of.get(name, planned.series))
        missing = _missing(store, own, positions.tolist(), target, ask[name], arrivals)
        history = took(store, dataset.id, name, spec.use, missing.known)
        found.append(_target(name, spec, target, missing, history))
    return _summed(suite, dataset, len(positions), planned.epochs, found)


def judging(
    store: Store, suite: Suite, planned: Planned, panel: Panel, scorers: Mapping[str, Scorer]
) -> list[JudgeForecast]:
    """What judging a run's answers would take; nothing is sent."""
    asking = {spec.name: panel.asked_by(scorers[spec.name]) for spec in suite.rubrics}
    asked = [spec for spec in suite.rubrics if asking[spec.name]]
    if not asked:
        return []
    positions = np.arange(planned.dataset.cases, dtype=np.int32)
    if planned.limit is not None and planned.limit < planned.dataset.cases:
        positions = sample(store.case_facts(planned.dataset.id), planned.limit, suite.seed)
    judgements = dict.fromkeys(panel.judges, 0)
    for part in chunks(positions.tolist(), AT_ONCE):
        for stored in store.cases(planned.dataset.id, part):
            view = stored.case.view()
            for spec in asked:
                if selected(spec, stored.case) and not scorers[spec.name].applies(view):
                    for name in asking[spec.name]:
                        judgements[name] += planned.epochs * len(suite.targets)
    costs = _each(store, suite)
    found = [(name, suite.judges[name].use, count) for name, count in judgements.items() if count]
    return [JudgeForecast(judge=n, use=use, judgements=k, dollars_each=costs.get((n, use))) for n, use, k in found]


def _each(store: Store, suite: Suite) -> dict[tuple[str, str], float]:
    """Dollars a question, by judge and use, in the suite's newest trial that asked it."""
    found: dict[tuple[str, str], float] = {}
    for trial in store.trials(suite.name):
        counts = as_dict((as_dict(trial.environment.get("judging")) or {}).get("judges")) or {}
        uses = as_dict(trial.suite.get("judges")) or {}
        for name, count in counts.items():
            if count["calls"] and not count["dollars_unknown"] and not count["errors"]:
                found.setdefault(
                    (name, str((as_dict(uses.get(name)) or {}).get("use"))), count["dollars"] / count["calls"]
                )
    return found


def _missing(
    store: Store,
    planned: Planned,
    positions: Sequence[int],
    target: Target,
    ask: Callable[[Case], Request],
    arrivals: Arrivals,
) -> Missing:
    """What the store does not hold, each request once, as a run would find it."""
    missing, seen = Missing(), set[bytes]()
    for part in chunks(positions, AT_ONCE):
        requests: dict[bytes, tuple[Request, str]] = {}
        cases = 0
        for stored in store.cases(planned.dataset.id, part):
            request = ask(stored.case)
            sent = canonical({**target.sent(stored.case, request), **arrivals.identity})
            requests[store.blind(to_bytes(digest_text("request", sent)))] = request, sent
            cases += 1
        fresh = {raw: what for raw, what in requests.items() if raw not in seen}
        missing.reused += (cases - len(fresh)) * planned.epochs
        seen |= fresh.keys()
        for epoch in range(planned.epochs):
            heads = store.find_outputs(fresh, planned.series, epoch)
            for raw, (request, sent) in fresh.items():
                _note(missing, target, request, sent, heads.get(raw), planned.retry_errors)
    return missing


def _note(
    missing: Missing, target: Target, request: Request, sent: str, head: OutputHead | None, retry_errors: bool
) -> None:
    if head is not None and not (retry_errors and head.status == "infra_error"):
        missing.reused += 1
        missing.known.append(head.id)
        return
    most = target.most(request) if isinstance(target, Metered) else None
    missing.sent.append(len(sent))
    missing.read.append(
        sum(len(m.text) for m in request.messages) + sum(len(canonical(t.plain())) for t in request.tools)
    )
    missing.limits.append(most.output if most else None)
    missing.tokens.append(most.tokens if most else None)
    missing.dollars.append(most.dollars if most else None)


def _target(name: str, spec: TargetSpec, target: Target, missing: Missing, history: Sequence[Took]) -> TargetForecast:
    count = len(missing.sent)
    plain = TargetForecast(target=name, use=spec.use, requests=count, reused=missing.reused)
    if not count:
        nothing = {"input_tokens": 0, "output_tokens": 0, "tokens_worst": 0, "dollars": 0.0, "dollars_worst": 0.0}
        return plain.model_copy(update={**nothing, "seconds": 0.0})
    if spec.use.startswith("replay:"):
        return plain.model_copy(update={"dollars": 0.0, "dollars_worst": 0.0, "seconds": 0.0})
    read, written, tokens_from = _tokens(missing, history)
    dollars, source = _dollars(target, read, written)
    latency, latency_from = _latency(written, history)
    update: dict[str, Any] = {
        "input_tokens": sum(read),
        "output_tokens": None if written is None else sum(written),
        "tokens_worst": _total(missing.tokens),
        "dollars": dollars,
        "dollars_worst": _total(missing.dollars),
        "price_source": source,
        "tokens_from": tokens_from,
        "seconds": _seconds(spec, count, sum(read) + sum(written or ()), latency),
        "latency_from": "a batch may take a day" if spec.batching is not None else latency_from,
    }
    return plain.model_copy(update=update)


def _tokens(missing: Missing, history: Sequence[Took]) -> tuple[list[int], list[int] | None, str]:
    """Tokens in and out of each request, and by what. Measured where earlier answers say, else by rule of thumb."""
    asked = [(t.characters, t.input) for t in history if t.input is not None and t.characters]
    said = [t.output for t in history if t.output is not None]
    words: list[str] = []
    if asked:
        ratio = sum(tokens for _, tokens in asked) / sum(characters for characters, _ in asked)
        read = [max(1, round(characters * ratio)) for characters in missing.sent]
        words.append(f"input as {len(asked):,} earlier answers")
    else:
        read = [max(1, round(characters / CHARACTERS_PER_TOKEN)) for characters in missing.read]
        words.append(f"input {CHARACTERS_PER_TOKEN} characters a token")
    written: list[int] | None = None
    if said:
        written = [round(sum(said) / len(said))] * len(missing.sent)
        words.append(f"output as {len(said):,} earlier answers")
    else:
        limits = [limit for limit in missing.limits if limit is not None]
        known = len(limits) == len(missing.limits)
        written = limits if known else None
        words.append("output at its limit" if known else "output unknown: no limit")
    return read, written, ", ".join(words)


def _dollars(target: Target, read: Sequence[int], written: Sequence[int] | None) -> tuple[float | None, str]:
    if written is None or not isinstance(target, Priced):
        return None, ""
    source, total = "", 0.0
    priced: dict[tuple[int, int], float] = {}
    for pair in zip(read, written, strict=True):
        if pair not in priced:
            dollars, source = target.price(Usage(input=pair[0], output=pair[1]))
            if dollars is None:
                return None, ""
            priced[pair] = dollars
        total += priced[pair]
    return total, source


def _latency(written: Sequence[int] | None, history: Sequence[Took]) -> tuple[float | None, str]:
    """Seconds an answer takes, and by what."""
    measured = [t.seconds for t in history if t.seconds is not None]
    if measured:
        return sum(measured) / len(measured), f"{len(measured):,} earlier answers"
    if written is None:
        return None, ""
    mean = sum(written) / len(written)
    said = f"assumed: {ASSUMED_SECONDS} s and {ASSUMED_TOKENS_PER_SECOND} tokens a second"
    return ASSUMED_SECONDS + mean / ASSUMED_TOKENS_PER_SECOND, said


def _seconds(spec: TargetSpec, count: int, tokens: int, latency: float | None) -> float | None:
    """The longest of what concurrency, rpm, tpm and the arrival rate allow."""
    if latency is None or spec.batching is not None:
        return None
    waits = [latency * max(1.0, count / spec.concurrency)]
    if spec.rpm is not None:
        waits.append(60 * count / spec.rpm)
    if spec.tpm is not None:
        waits.append(60 * tokens / spec.tpm)
    if spec.arrival != "closed":
        waits.append(count / spec.arrival.poisson)
    return max(waits)


def _total(values: Sequence[Any]) -> Any:
    return None if any(value is None for value in values) else sum(values)


def _summed(suite: Suite, dataset: Dataset, cases: int, epochs: int, targets: Sequence[TargetForecast]) -> Forecast:
    expected = [t.dollars for t in targets if t.dollars is not None]
    worst = [t.dollars_worst for t in targets if t.dollars_worst is not None]
    seconds = [t.seconds for t in targets if t.seconds is not None]
    return Forecast(
        suite=suite.name,
        dataset=dataset.name,
        cases=cases,
        epochs=epochs,
        targets=tuple(targets),
        requests=sum(t.requests for t in targets),
        reused=sum(t.reused for t in targets),
        dollars=sum(expected) if expected else None,
        dollars_unknown=len(targets) - len(expected),
        dollars_worst=sum(worst) if worst else None,
        dollars_worst_unknown=len(targets) - len(worst),
        seconds=max(seconds) if len(seconds) == len(targets) else None,
    )
