"""A judge names the stratum of some cases of a pool: what a classifier can then be trained on."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heapreplace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

from seatrial.core.case import Case
from seatrial.core.files import check_writable, write_whole
from seatrial.core.output import Output, Request
from seatrial.core.protocols import Amount, Metered, Scorer
from seatrial.core.record import Record, Text
from seatrial.core.score import ScorerInfo
from seatrial.core.suite import JudgingBudget
from seatrial.datasets.sampling.judged import Judged
from seatrial.datasets.sampling.pool import Pool
from seatrial.datasets.sampling.stratify import stratifiers
from seatrial.datasets.versions.folder import SetFolder, case_line
from seatrial.datasets.versions.pooled import text_key
from seatrial.errors import BudgetError, JudgeError, NoDataError, TargetDownError, UsageError, nearest, safe
from seatrial.runs.panel import Judge, Panel, judge_of
from seatrial.runs.services import Helpers
from seatrial.store.store import Store
from seatrial.store.writer import Writer
from seatrial.trials.suite.suitefile import LoadedSuite, load
from seatrial.trials.trial import store_path

CASES = 300


@dataclass(frozen=True, slots=True)
class Naming:
    """What is to be named: `cases` of a pool drawn by `seed`, into the file `out`, by a judge of `suite`.

    `budget` in US dollars and `budget_tokens` are the most that this may take; where neither is given, what the suite
    allows for judging is.
    """

    stratum: str
    suite: Path
    out: Path
    cases: int = CASES
    seed: int = 0
    budget: float | None = None
    budget_tokens: int | None = None


class Cost(Record):
    """What naming may take before anything is sent: an attempt a case. None: not known, which is never 0."""

    stratum: Text
    judge: Text
    use: Text
    cases: int
    tokens_most: int | None
    dollars_most: float | None
    budget: JudgingBudget | None

    def line(self) -> str:
        """In one line."""
        tokens = "tokens not bounded" if self.tokens_most is None else f"at most {self.tokens_most:,} tokens"
        dollars = "dollars not known" if self.dollars_most is None else f"at most ${self.dollars_most:,.4f}"
        caps = {} if self.budget is None else self.budget.plain()
        cap = ", ".join(f"{value:,.12g} {name}" for name, value in caps.items()) or "none"
        asked = f"{self.cases:,} cases for {safe(self.judge)} ({safe(self.use, 200)})"
        return f"{asked}: {tokens}, {dollars} at one attempt each; cap: {cap}"


class Named(Record):
    """What was named. `unusable` cases got no usable verdict, `unasked` ones none because the cap was reached."""

    cost: Cost
    hash: Text
    file: Text
    named: Mapping[str, int]
    unusable: int
    unasked: int
    calls: int
    reused: int
    dollars: float
    dollars_unknown: int

    def lines(self) -> list[str]:
        """As text, a line an item."""
        unknown = f", and {self.dollars_unknown:,} calls of unknown price" if self.dollars_unknown else ""
        total = sum(self.named.values())
        took = f"{self.calls:,} calls, {self.reused:,} reused, ${self.dollars:,.4f}{unknown}"
        lines = [
            f"{safe(self.cost.stratum)}: {total:,} of {self.cost.cases:,} named by {safe(self.cost.judge)}; {took}",
            *(f"  {safe(name)}  {count:,}" for name, count in sorted(self.named.items(), key=lambda i: (-i[1], i[0]))),
        ]
        if self.unusable:
            lines.append(f"{self.unusable:,} left out: the judge gave no usable verdict")
        if self.unasked:
            lines.append(f"{self.unasked:,} left out: the cap was reached; a larger one goes on, what is done is kept")
        return lines


def name_by_judge(
    pool: Path,
    into: Path,
    what: Naming,
    *,
    store: Path | None = None,
    show: Callable[[Cost], object] = lambda _: None,
    dry_run: bool = False,
) -> Named | Cost:
    """Have the judge that the set.yaml of `into` declares for a stratum name cases of a pool; gives what was named.

    The cases, with their stratum, are written to `what.out` for `dataset stratify --fit classifier`. Which ones are
    drawn does not depend on the order of the pool. `show` is told the cost before anything is sent; with `dry_run` it
    is all that is given. Answers are kept in the store: the same call asks nothing twice.

    Raises UsageError where no judge is declared or the suite has it not, SuiteError where the cap cannot be kept,
    DatasetError for a pool with faults, TargetDownError where the judge refuses all, NoDataError where nothing was
    named: nothing is written then.
    """
    check_writable(what.out, "The file of named cases")
    stratifier = _declared(into, what.stratum)
    loaded = load(what.suite)
    judge = _judge(loaded, stratifier.judge)
    cap = _cap(what, loaded)
    cases = _drawn(Pool(pool), what)
    cost = asyncio.run(_weighed(stratifier, judge, cases)).model_copy(
        update={"use": loaded.suite.judges[stratifier.judge].use, "budget": cap}
    )
    show(cost)
    if dry_run:
        return cost
    work = _Work(stratifier, iter(cases))
    with Store(store_path(loaded.folder, store)) as opened:
        helpers = Helpers(Panel({stratifier.judge: judge}, None, cap), opened)
        asyncio.run(_all_named(work, helpers, opened))
    return _kept(work, helpers, cost, what.out)


def _declared(into: Path, stratum: str) -> Judged:
    folder = SetFolder(into)
    file = folder.shown(folder.path / "set.yaml")
    (found,) = stratifiers(folder.config.stratifiers, [stratum], into, file)
    if isinstance(found, Judged):
        return found
    raise UsageError(
        f"{safe(file, 200)} declares no judge for the stratum {safe(stratum)!r}.",
        hint=f"under stratifiers: {{stratum: {safe(stratum)}, use: judge, judge: NAME, values: {{refund: wants money "
        "back, other: anything else}}",
    )


def _judge(loaded: LoadedSuite, name: str) -> Judge:
    known = loaded.suite.judges
    if name not in known:
        near = nearest(name, known)
        hint = f"did you mean {near!r}?" if near else f"its judges are {', '.join(known) or 'none: add one'}"
        raise UsageError(f"The suite {safe(str(loaded.path), 200)} has no judge {safe(name)!r}.", hint=hint)
    return judge_of(name, known[name], loaded.folder, os.environ)


def _cap(what: Naming, loaded: LoadedSuite) -> JudgingBudget | None:
    if what.budget is None and what.budget_tokens is None:
        return loaded.suite.judging.budget
    return JudgingBudget(dollars=what.budget, tokens=what.budget_tokens)


def _drawn(pool: Pool, what: Naming) -> list[Case]:
    """Cases drawn by the seed, equal ones once, sorted by id."""
    held: dict[int, tuple[str, int, int]] = {}
    highest: list[int] = []
    for place, record in enumerate(pool.records()):
        rank, item = text_key(f"{record.key}", what.seed), (record.row["id"], record.offset, place)
        if rank in held:
            held[rank] = min(held[rank], item)
        elif len(held) < what.cases:
            held[rank] = item
            heappush(highest, -rank)
        elif rank < -highest[0]:
            held[rank] = item
            del held[-heapreplace(highest, -rank)]
    with pool.opened() as file:
        at = pool.reader(file)
        found = [pool.case(at(offset), place) for _, offset, place in sorted(held.values())]
    pool.check()
    return [case for case in found if case is not None]


# cost -----------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Scale:
    """Services that weigh what would be asked, and ask nobody."""

    judge: Judge
    most: list[Amount] = field(default_factory=list[Amount])

    async def complete(self, target: str, request: Request) -> Output:
        """Note the most that it may take."""
        asked = request.model_copy(update={"params": {**request.params, **self.judge.params}})
        target_of = self.judge.target
        self.most.append(target_of.most(asked) if isinstance(target_of, Metered) else Amount(None, None))
        self._not_asked(target)

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Nothing is embedded here."""
        self._not_asked(f"{len(texts)} texts")

    def _not_asked(self, what: str) -> NoReturn:
        raise JudgeError(f"{safe(what)} was weighed only.")


async def _weighed(stratifier: Judged, judge: Judge, cases: Sequence[Case]) -> Cost:
    scale = _Scale(judge)
    for case in cases:
        try:
            await stratifier.ask(scale, case.recorded)
        except JudgeError:
            continue
    tokens, dollars = ([getattr(one, name) for one in scale.most] for name in ("tokens", "dollars"))
    return Cost(
        stratum=stratifier.stratum,
        judge=stratifier.judge,
        use="",
        cases=len(cases),
        tokens_most=None if None in tokens else sum(tokens),
        dollars_most=None if None in dollars else sum(dollars),
        budget=None,
    )


# asking ---------------------------------------------------------------------------------------------------------------


class _Asking(NamedTuple):
    """Who asks the judge, as `Helpers` wants to know it."""

    judge: str
    info: ScorerInfo = ScorerInfo("stratifier", "1", needs=frozenset({"judge"}), cost="model")

    def bind(self, _: object) -> _Asking:
        """As it is."""
        return self


@dataclass(slots=True)
class _Work:
    """The cases that wait, and what became of the others."""

    stratifier: Judged
    waiting: Iterator[Case]
    done: list[tuple[Case, str]] = field(default_factory=list[tuple[Case, str]])
    unusable: int = 0
    unasked: int = 0
    down: TargetDownError | None = None

    async def ask(self, helpers: Helpers) -> None:
        """Ask about one case after another until none waits, or the judge is down."""
        for case in self.waiting:
            if self.down is not None:
                return
            try:
                self.done.append((case, await self.stratifier.ask(helpers, case.recorded)))
            except TargetDownError as down:
                self.down = down
            except BudgetError:
                self.unasked += 1
            except JudgeError:
                self.unusable += 1


async def _all_named(work: _Work, helpers: Helpers, store: Store) -> None:
    asking = cast("Scorer", _Asking(work.stratifier.judge))
    async with helpers.opened([asking]):
        with Writer(store) as writer:
            helpers.commit_by(writer)
            await asyncio.gather(*(work.ask(helpers) for _ in range(max(1, helpers.concurrency))))


def _kept(work: _Work, helpers: Helpers, cost: Cost, out: Path) -> Named:
    """Write what was named, and tell. Raises what stopped the judge, and NoDataError where nothing was named."""
    if work.down is not None:
        raise work.down
    if not work.done:
        raise NoDataError(
            f"The judge {safe(cost.judge)!r} named no case: {work.unusable:,} without a usable verdict, "
            f"{work.unasked:,} not asked.",
            hint="look at the judge's model, or allow more with --budget",
        )
    named = sorted((_with(case, cost.stratum, name) for case, name in work.done), key=lambda case: case.id)
    write_whole(out, lambda file: file.writelines(map(case_line, named)), "The file of named cases")
    count: Any = helpers.counts[cost.judge]
    return Named(
        cost=cost,
        hash=work.stratifier.hash,
        file=str(out),
        named=Counter(name for _, name in work.done),
        unusable=work.unusable,
        unasked=work.unasked,
        calls=count.calls,
        reused=count.reused,
        dollars=count.cost,
        dollars_unknown=count.cost_unknown,
    )


def _with(case: Case, stratum: str, name: str) -> Case:
    return Case.model_validate({**case.plain(), "strata": {**case.strata, stratum: name}})
