"""What scorers may ask during a run: judges and the embedder, each question once, kept, counted and within a cap.

A judge's answers are outputs of the judge's target under their own keys (request, series, epoch), in the same store as
the answers that are judged: what was asked before, in this run or another, costs nothing. A question counts as asked
only once its answer is committed, so that every score rests on answers that are there. Vectors are kept beside them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from seatrial.core.case import Case
from seatrial.core.identity import canonical, digest_text, to_bytes
from seatrial.core.output import Output, Request
from seatrial.core.protocols import Amount, Embedder, Metered, NeedsServices, Scorer
from seatrial.core.suite import Budget
from seatrial.core.vault import SHOWN
from seatrial.errors import BudgetError, JudgeError, Problem, SuiteError, TargetDownError, nearest, safe
from seatrial.runs.budget import MORE, Purse
from seatrial.runs.embedding import EmbedderCount, Vectors
from seatrial.runs.panel import Judge, Panel
from seatrial.runs.progress import JudgeCount
from seatrial.runs.shelf import Shelf
from seatrial.store.store import OutputHead, Store
from seatrial.store.writer import Entry, NewOutput, Writer

T = TypeVar("T")

SERIES = "main"
"""Judges answer in one series: a score's key knows none either, so equal contents are judged once."""

SILENT_FAILURES = 25
"""After this many failures without one answer, or unusable answers without one verdict, a judge counts as down."""

NOTHING = Amount(0, 0.0, 0)
REFUSED_PARAMETER = "rejected"


class Question(NamedTuple):
    """A request to a judge as it will be sent, and its identity."""

    judge: str
    case: Case
    request: Request
    sent: str
    hash: bytes

    @property
    def key(self) -> tuple[bytes, int]:
        """What makes two questions one."""
        return self.hash, self.request.epoch


@dataclass(slots=True, eq=False)
class JudgesMeter:
    """What judges pay from: the cap of judging, and the budget of the whole run. Either may be absent."""

    own: Purse | None
    run: Purse | None
    over: Callable[[BudgetError], None]
    """Told when the run's budget is spent, which ends the run; a spent cap only leaves answers unjudged."""

    async def reserve(self, most: Amount, /) -> Amount:
        """Set the most aside in both. Raises BudgetError."""
        if self.own is not None:
            await self.own.reserve(most)
        if self.run is not None:
            try:
                await self.run.reserve(most)
            except BaseException as cause:
                if self.own is not None:
                    self.own.settle(most, NOTHING)
                if isinstance(cause, BudgetError):
                    self.over(cause)
                raise
        return most

    def settle(self, reserved: Amount, used: Amount, /) -> None:
        """Put what was used in place of what was reserved, in both."""
        for purse in (self.own, self.run):
            if purse is not None:
                purse.settle(reserved, used)


@dataclass(slots=True, eq=False)
class Helpers:
    """`core.protocols.Services` over a panel: bind scorers to it, open it, and let them ask.

    Without a store, answers are kept in memory. `retry_errors`: ask again where a judge gave no answer.
    """

    panel: Panel
    store: Store | None = None
    retry_errors: bool = False
    on_down: Callable[[TargetDownError | BudgetError], None] = field(default=lambda _: None)
    counts: dict[str, JudgeCount] = field(default_factory=dict[str, JudgeCount])
    _writer: Writer | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _vectors: Vectors | None = None
    _pending: dict[tuple[bytes, int], asyncio.Task[Output]] = field(
        default_factory=dict[tuple[bytes, int], "asyncio.Task[Output]"]
    )
    _kept: dict[tuple[bytes, int], Output] = field(default_factory=dict[tuple[bytes, int], Output])
    _unanswered: set[tuple[bytes, int]] = field(default_factory=set[tuple[bytes, int]])
    _answering: set[str] = field(default_factory=set[str])
    _down: dict[str, TargetDownError] = field(default_factory=dict[str, TargetDownError])
    _telling: set[str] = field(default_factory=set[str])
    _unusable: dict[str, int] = field(default_factory=dict[str, int])

    def bind(self, scorer: Scorer) -> Scorer:
        """The scorer, able to ask; one that asks nobody as it is."""
        return scorer.bind(self) if isinstance(scorer, NeedsServices) else scorer

    @asynccontextmanager
    async def opened(self, scorers: Iterable[Scorer], run: Purse | None = None) -> AsyncGenerator[Helpers]:
        """Open those whom these scorers ask. Raises MissingSecretError, and SuiteError where a cap cannot be kept.

        `run` is the budget of the whole run, which judges pay from too.
        """
        asking = [scorer for scorer in scorers if isinstance(scorer, NeedsServices)]
        names = dict.fromkeys(name for scorer in asking for name in self.panel.asked_by(scorer))
        judges = {name: self.panel.judges[name] for name in names if name in self.panel.judges}
        self._loop = asyncio.get_running_loop()
        self.counts = {name: JudgeCount(name) for name in judges}
        self._pay(judges, run)
        async with AsyncExitStack() as stack:
            for judge in judges.values():
                await judge.target.open()
                stack.push_async_callback(judge.target.close)
            embedder = self.panel.embedder
            if embedder is not None and any("embedder" in scorer.info.needs for scorer in asking):
                await embedder.open()
                stack.push_async_callback(embedder.close)
                self._vectors = Vectors(embedder, self._shelf(embedder))
                stack.push_async_callback(self._vectors.close)
            stack.push_async_callback(self._leave)
            yield self

    def commit_by(self, writer: Writer) -> None:
        """Keep answers through this writer from now on."""
        self._writer = writer

    @property
    def concurrency(self) -> int:
        """How many questions all open judges take at once."""
        return sum(self.panel.judges[name].target.concurrency for name in self.counts)

    @property
    def embedded(self) -> EmbedderCount | None:
        """What the embedder was asked; None where no scorer asks it."""
        return None if self._vectors is None else self._vectors.count

    def plain(self) -> dict[str, Any]:
        """What was asked in this execution, as it is kept with the trial; empty where nobody was open."""
        found: dict[str, Any] = {"judges": {n: c.plain() for n, c in self.counts.items()}} if self.counts else {}
        if (embedded := self.embedded) is not None:
            found["embedder"] = {"texts": embedded.texts, "reused": embedded.reused}
        return found

    # asking -------------------------------------------------------------------------------------------------------

    async def complete(self, target: str, request: Request) -> Output:
        """A judge's answer, asked for only where nobody has asked before.

        The judge's own parameters stand above the request's. Raises JudgeError for a name that is no judge's,
        TargetDownError when the judge refuses every request, BudgetError when the cap of judging is reached.
        """
        return await self._on_own_loop(lambda: self._complete(target, request))

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One unit vector a text. Raises JudgeError without an embedder, and what the embedder raises."""
        return await self._on_own_loop(lambda: self._embed(texts))

    async def _on_own_loop(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do it on the loop where judges are open: a heavy scorer runs on another, in a thread."""
        own = self._loop
        if own is None:
            raise JudgeError("The judges are not open.", hint="ask inside a run")
        if own is asyncio.get_running_loop():
            return await work()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), own))

    async def _complete(self, name: str, request: Request) -> Output:
        question = self._question(name, request)
        task = self._pending.get(question.key)
        if task is None:
            task = asyncio.create_task(self._answer(question))
            self._pending[question.key] = task
            task.add_done_callback(lambda done: self._answered(question.key, done))
        else:
            self.counts[question.judge].reused += 1
        return await asyncio.shield(task)

    def _answered(self, key: tuple[bytes, int], done: asyncio.Task[Output]) -> None:
        self._pending.pop(key, None)
        if not done.cancelled():
            done.exception()  # those who wait have it; nobody may be waiting any more

    def _question(self, name: str, request: Request) -> Question:
        named = name or (next(iter(self.counts)) if len(self.counts) == 1 else "")
        if named not in self.counts:
            near = nearest(named, self.counts)
            hint = f"did you mean {near!r}?" if near else f"the judges are {', '.join(self.counts) or 'none'}"
            raise JudgeError(f"There is no judge {safe(name)!r}.", hint=hint)
        judge = self.panel.judges[named]
        asked = request.model_copy(update={"params": {**request.params, **judge.params}})
        case = Case(id="judge", input=asked.messages, tools=asked.tools, context=asked.context)
        sent = canonical(judge.target.sent(case, asked))
        raw = to_bytes(digest_text("request", sent))
        return Question(named, case, asked, sent, raw if self.store is None else self.store.blind(raw))

    async def _answer(self, question: Question) -> Output:
        count = self.counts[question.judge]
        known, head = await self._known(question)
        if known is not None and not self._again(question, known):
            count.reused += 1
            return known
        output = await self._ask(question, count)
        if output.failure is not None and output.failure.kind == "infra":
            self._unanswered.add(question.key)
        return await self._keep(question, 0 if head is None else head.attempt + 1, output)

    def _again(self, question: Question, known: Output) -> bool:
        """Whether a kept failure of the infrastructure is to be asked again, once in an execution."""
        failed = known.failure is not None and known.failure.kind == "infra"
        return failed and self.retry_errors and question.key not in self._unanswered

    async def _ask(self, question: Question, count: JudgeCount) -> Output:
        if question.judge in self._down:
            raise self._down[question.judge]
        budget = self.panel.budget
        if budget is not None and budget.requests is not None and self._calls >= budget.requests:
            count.refused += 1
            said = f"{self._calls:,} of {budget.requests:,} requests"
            raise BudgetError(f"The budget of judging is spent: {said}.", hint=MORE)
        count.calls += 1
        try:
            output = await self.panel.judges[question.judge].target.generate(question.case, _seeded(question.request))
        except BudgetError:
            count.calls -= 1
            count.refused += 1
            raise
        except TargetDownError as down:
            self._notice_down(question.judge, down)
            raise
        self._count(count, output)
        return output

    @property
    def _calls(self) -> int:
        return sum(count.calls for count in self.counts.values())

    def _count(self, count: JudgeCount, output: Output) -> None:
        count.input_tokens += output.usage.input or 0
        count.output_tokens += output.usage.output or 0
        count.cost += output.cost or 0.0
        failure = output.failure
        if failure is None or failure.kind == "model":
            count.cost_unknown += output.cost is None
            self._answering.add(count.name)
            return
        count.errors += 1
        if count.errors == SILENT_FAILURES and count.name not in self._answering:
            unsealed = self.store is None or self.store.vault is None
            said = safe(failure.message, 200) if unsealed else SHOWN
            self._give_up(
                count.name,
                TargetDownError(
                    f"The judge {count.name!r} answered none of its first {SILENT_FAILURES} questions; "
                    f"the last failure: {safe(failure.code)}: {said or 'no message'}.",
                    hint="mend the endpoint, then run the same command again with --retry-errors",
                ),
            )

    def heard(self, target: str, fault: str) -> None:
        """Whether a verdict could be read off a judge's answer; a judge of whom none can be read is down."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._heard, target, fault)

    def _heard(self, name: str, fault: str) -> None:
        if not fault:
            self._telling.add(name)
        if name in self._telling:
            return
        self._unusable[name] = self._unusable.get(name, 0) + 1
        if self._unusable[name] != SILENT_FAILURES:
            return
        unsealed = self.store is None or self.store.vault is None
        self._give_up(
            name,
            TargetDownError(
                f"The judge {safe(name)!r} gave no usable verdict on any of its first {SILENT_FAILURES} questions; the "
                f"last answer: {safe(fault, 200) if unsealed else SHOWN}.",
                hint="look at the judge's model: it must answer in the form that it is asked for; name a stronger one",
            ),
        )

    def _notice_down(self, name: str, down: TargetDownError) -> None:
        """A judge that refuses all is down; one that refuses a parameter may be asked without it."""
        if getattr(down.__cause__, "code", "") != REFUSED_PARAMETER:
            self._give_up(name, down)

    def _give_up(self, name: str, down: TargetDownError) -> None:
        self._down.setdefault(name, down)
        self._stop(down)

    def _stop(self, why: TargetDownError | BudgetError) -> None:
        self.on_down(why)

    def _shelf(self, embedder: Embedder) -> Shelf | None:
        """Where vectors are kept; those that are made here cost less than reading them back."""
        from seatrial.targets.hashing import HashingEmbedder

        if self.store is None or isinstance(embedder, HashingEmbedder):
            return None
        return Shelf(self.store, embedder.identity(), lambda: self._writer)

    async def _embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if self._vectors is None:
            raise JudgeError("There is no embedder here.", hint="a scorer that embeds says so in its needs")
        try:
            return await self._vectors.embed(texts)
        except TargetDownError as down:
            self._stop(down)
            raise

    # keeping ------------------------------------------------------------------------------------------------------

    async def _known(self, question: Question) -> tuple[Output | None, OutputHead | None]:
        """What was answered before, and where it is kept."""
        if self.store is None:
            return self._kept.get(question.key), None
        return await asyncio.to_thread(_read, self.store, question)

    async def _keep(self, question: Question, attempt: int, output: Output) -> Output:
        """The output, once it is committed; another process's, where that one was first."""
        if self.store is None or self._writer is None:
            self._kept[question.key] = output
            return output
        loop = asyncio.get_running_loop()
        committed: asyncio.Future[None] = loop.create_future()

        def done() -> None:
            if not committed.done():
                committed.set_result(None)

        new = NewOutput(question.hash, SERIES, question.request.epoch, attempt, output, question.sent)
        self._writer.put(Entry(output=new, done=done))
        self._writer.hurry()
        await committed
        if new.lost:
            theirs = await asyncio.to_thread(self.store.load_outputs, [new.id])
            return theirs.get(new.id, output)
        return output

    # money --------------------------------------------------------------------------------------------------------

    def _pay(self, judges: Mapping[str, Judge], run: Purse | None) -> None:
        """Have every judge pay from the cap and the run's budget. Raises SuiteError where that cannot be kept."""
        cap = self.panel.budget
        own = None if cap is None else _budget(cap.dollars, cap.tokens)
        budgets = [b for b in (own, None if run is None else run.ledger.budget) if b is not None]
        if not budgets:
            return
        problems = [p for name, judge in judges.items() for b in budgets if (p := _unbounded(name, judge, b))]
        if problems:
            unlike = list(dict.fromkeys(problems))
            raise SuiteError("The budget cannot be kept with these judges, so nothing was sent.", problems=unlike)
        meter = JudgesMeter(Purse(own) if own is not None else None, run, self._stop)
        for judge in judges.values():
            assert isinstance(judge.target, Metered)
            judge.target.pay_from(meter)

    async def _leave(self) -> None:
        """Let nothing go on behind the run's back."""
        left = list(self._pending.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._loop = None


def _read(store: Store, question: Question) -> tuple[Output | None, OutputHead | None]:
    found = store.find_outputs([question.hash], SERIES, question.request.epoch).get(question.hash)
    return (None, None) if found is None else (store.load_outputs([found.id])[found.id], found)


def _seeded(request: Request) -> Request:
    """The request with its epoch's seed."""
    if request.seed is None or not request.epoch:
        return request
    return request.model_copy(update={"seed": request.seed + request.epoch})


def _budget(dollars: float | None, tokens: int | None) -> Budget | None:
    return None if dollars is None and tokens is None else Budget(dollars=dollars, tokens=tokens)


def _unbounded(name: str, judge: Judge, budget: Budget) -> Problem | None:
    """Why a judge cannot be kept within a budget."""
    key = f"judges.{name}"
    if not isinstance(judge.target, Metered):
        hint = "set judging.budget.requests, which any judge can be kept within"
        return Problem("does not say what a request may take", key=key, hint=hint)
    sample = Request.model_validate({"messages": [{"role": "user", "content": "?"}], "params": dict(judge.params)})
    most = judge.target.most(sample)
    if most.tokens is None:
        hint = "give its params an output limit, like max_tokens"
        return Problem("has no bound of what a request may take", key=f"{key}.params", hint=hint)
    if budget.dollars is not None and most.dollars is None:
        hint = "give it a price in the suite, or set the budget in tokens"
        return Problem("has no known price", key=f"{key}.price", hint=hint)
    return None
