"""A run's budget: what every attempt may cost is set aside before it is sent, and what it did cost put in its place.

`Ledger` is the arithmetic, in whole tokens and whole picodollars, so that nothing is lost to rounding. `Purse` is what
targets pay from: who finds no room waits while others may give some back, in order of arrival. When the first in line
finds no room though nothing is in flight, the budget is spent: everyone is sent away, so the budget is never exceeded,
as far as the bounds hold.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from seatrial.core.output import Request
from seatrial.core.protocols import Amount, Metered, Target
from seatrial.core.suite import Budget
from seatrial.errors import BudgetError, Problem, SuiteError

PICO = 10**12
MORE = "run the same command again with a larger budget: what is done is kept and costs nothing"
UNBOUNDED = "a request has no output token limit, or holds what no rule bounds (a file, or tools of the provider)"


class Sum(NamedTuple):
    """Whole tokens and whole picodollars."""

    tokens: int
    dollars: int

    def plus(self, other: Sum) -> Sum:
        """Both together."""
        return Sum(self.tokens + other.tokens, self.dollars + other.dollars)

    def minus(self, other: Sum) -> Sum:
        """Without the other."""
        return Sum(self.tokens - other.tokens, self.dollars - other.dollars)


NOTHING = Sum(0, 0)


@dataclass(slots=True)
class Ledger:
    """What was spent and what is set aside, against the most of each."""

    budget: Budget
    spent: Sum = NOTHING
    held: Sum = NOTHING

    def has_room(self, most: Sum) -> bool:
        """Whether it can be set aside without exceeding the budget, should all that is set aside be spent."""
        total = self.spent.plus(self.held).plus(most)
        tokens, dollars = self.budget.tokens, self.budget.dollars
        return (tokens is None or total.tokens <= tokens) and (
            dollars is None or total.dollars <= math.floor(Fraction(repr(dollars)) * PICO)
        )

    def hold(self, most: Sum) -> None:
        """Set it aside."""
        self.held = self.held.plus(most)

    def settle(self, reserved: Sum, used: Sum) -> None:
        """Put what was used in place of what was set aside."""
        self.held = self.held.minus(reserved)
        self.spent = self.spent.plus(used)

    def bound(self, most: Amount) -> Sum | None:
        """The amount in whole units; None where the budget counts something that is not known."""
        missing = (self.budget.tokens is not None and most.tokens is None) or (
            self.budget.dollars is not None and most.dollars is None
        )
        return None if missing else Sum(most.tokens or 0, _pico(most.dollars))

    def used(self, reserved: Sum, amount: Amount) -> Sum:
        """What was used; where that is not known, all that was set aside."""
        return Sum(
            reserved.tokens if amount.tokens is None else amount.tokens,
            reserved.dollars if amount.dollars is None else _pico(amount.dollars),
        )


def _pico(dollars: float | None) -> int:
    """Picodollars, rounded up."""
    return 0 if dollars is None else math.ceil(Fraction(repr(dollars)) * PICO)


class Purse:
    """One budget that all targets of a run pay from, on one event loop."""

    def __init__(self, budget: Budget) -> None:
        self.ledger = Ledger(budget)
        self._line: deque[tuple[Sum, asyncio.Future[None]]] = deque()
        self._in_flight = 0
        self._over: BudgetError | None = None

    async def reserve(self, most: Amount, /) -> Amount:
        """Set the most aside, waiting for others where need be. Raises BudgetError."""
        wanted = self.ledger.bound(most)
        if self._over is not None:
            raise self._over
        if wanted is None:
            raise BudgetError(f"A request cannot be kept within the budget: {UNBOUNDED}.", hint="run it without one")
        if self._line or not self.ledger.has_room(wanted):
            turn = asyncio.get_running_loop().create_future()
            self._line.append((wanted, turn))
            self._serve()
            try:
                await turn
            except asyncio.CancelledError:
                self._leave(wanted, turn)
                raise
        else:
            self._take(wanted)
        return most

    def settle(self, reserved: Amount, used: Amount, /) -> None:
        """Put what was used in place of what was reserved, and let the next in line try."""
        held = self.ledger.bound(reserved)
        assert held is not None
        self.ledger.settle(held, self.ledger.used(held, used))
        self._in_flight -= 1
        self._serve()

    def _take(self, wanted: Sum) -> None:
        self.ledger.hold(wanted)
        self._in_flight += 1

    def _serve(self) -> None:
        """Let in those first in line while there is room; nobody in flight and no room means that it is spent."""
        while self._line:
            wanted, turn = self._line[0]
            if turn.done():
                self._line.popleft()
            elif self.ledger.has_room(wanted):
                self._line.popleft()
                self._take(wanted)
                turn.set_result(None)
            elif self._in_flight:
                return
            else:
                self._send_away(wanted)

    def _send_away(self, wanted: Sum) -> None:
        spent, budget = self.ledger.spent, self.ledger.budget
        told: list[str] = []
        if budget.dollars is not None:
            told.append(f"${spent.dollars / PICO:,.6g} of ${budget.dollars:,.6g}")
        if budget.tokens is not None:
            told.append(f"{spent.tokens:,} of {budget.tokens:,} tokens")
        of_next = f"${wanted.dollars / PICO:,.6g}" if budget.tokens is None else f"{wanted.tokens:,} tokens"
        problem = f"The budget is spent: {' and '.join(told)}; the next request may take {of_next}."
        self._over = BudgetError(problem, hint=MORE)
        while self._line:
            turn = self._line.popleft()[1]
            if not turn.done():
                turn.set_exception(self._over)

    def _leave(self, wanted: Sum, turn: asyncio.Future[None]) -> None:
        """Someone who waited was cancelled: what they were given goes back."""
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self.ledger.settle(wanted, NOTHING)
            self._in_flight -= 1
        self._serve()


def pay_from(budget: Budget, targets: Mapping[str, Target], samples: Mapping[str, Request]) -> Purse:
    """A purse that all these targets pay from.

    `samples`: a request of each. Raises SuiteError naming every target that cannot be kept within the budget: one that
    does not say what it takes, has no output limit or, for dollars, no known price.
    """
    problems = [found for name, target in targets.items() if (found := _problem(budget, name, target, samples[name]))]
    if problems:
        raise SuiteError("The budget cannot be kept, so nothing was sent.", problems=problems)
    purse = Purse(budget)
    for target in targets.values():
        assert isinstance(target, Metered)
        target.pay_from(purse)
    return purse


def _problem(budget: Budget, name: str, target: Target, request: Request) -> Problem | None:
    where = f"targets.{name}"
    if not isinstance(target, Metered):
        hint = "leave out the budget, or this target with --target"
        return Problem("does not say what a request may take", key=where, hint=hint)
    most = target.most(request)
    if most.tokens is None:
        rule = "has no bound of what a request may take"
        hint = "give params an output limit, like max_tokens; batches, JSON endpoints and files have none"
        return Problem(rule, key=where, hint=hint)
    if budget.dollars is not None and most.dollars is None:
        hint = "give it a price in the suite, or set the budget in tokens"
        return Problem("has no known price", key=f"{where}.price", hint=hint)
    return None
