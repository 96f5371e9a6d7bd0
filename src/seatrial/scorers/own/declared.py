"""`@seatrial.scorer`: what a function of the user's says of itself as a scorer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, TypeVar, overload

from seatrial.scorers.own.results import DEFAULT_THRESHOLD

MARK = "__seatrial_scorer__"
NEEDS = frozenset({"expected", "context", "tools", "steps"})
Made = TypeVar("Made", bound=Callable[..., Any])


class Declared(NamedTuple):
    """What a function declares: see ScorerInfo. `cost` None: cheap where it is async, else heavy."""

    version: str = "1"
    needs: frozenset[str] = frozenset()
    unit: Literal["message", "output", "trace", "session"] = "output"
    cost: Literal["cheap", "heavy", "model"] | None = None
    threshold: float = DEFAULT_THRESHOLD


@overload
def scorer(function: Made, /) -> Made: ...
@overload
def scorer(
    *,
    version: str = "1",
    needs: Iterable[str] = (),
    unit: Literal["message", "output", "trace", "session"] = "output",
    cost: Literal["cheap", "heavy", "model"] | None = None,
    threshold: float = DEFAULT_THRESHOLD,
) -> Callable[[Made], Made]: ...
def scorer(
    function: Made | None = None,
    /,
    *,
    version: str = "1",
    needs: Iterable[str] = (),
    unit: Literal["message", "output", "trace", "session"] = "output",
    cost: Literal["cheap", "heavy", "model"] | None = None,
    threshold: float = DEFAULT_THRESHOLD,
) -> Made | Callable[[Made], Made]:
    """Declare a function of (case, output) to be a scorer; it stays the function that it was.

    Suites name it `python:module:function`. `needs` (expected, context, tools, steps): a case without what it needs is
    not_applicable, rather than asked about. `unit`: what it judges. `cost`: `cheap` runs on the event loop.
    `threshold`: from where a number passes, which a suite may change. `version` is part of its identity, as its source
    is. Raises ValueError for what is none of these.
    """
    wanted = frozenset((needs,) if isinstance(needs, str) else needs)
    if wanted - NEEDS:
        raise ValueError(f"needs may hold {', '.join(sorted(NEEDS))}, not {', '.join(sorted(wanted - NEEDS))}")
    if unit not in ("message", "output", "trace", "session") or cost not in (None, "cheap", "heavy", "model"):
        raise ValueError("unit is message, output, trace or session; cost is cheap, heavy or model")
    if isinstance(threshold, bool) or not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a number from 0 to 1, not {threshold!r}")
    declared = Declared(str(version), wanted, unit, cost, float(threshold))

    def mark(made: Made) -> Made:
        setattr(made, MARK, declared)
        return made

    return mark if function is None else mark(function)


def declared_by(function: object) -> Declared:
    """What a function declares; the defaults where it declares nothing."""
    found = getattr(function, MARK, None)
    return found if isinstance(found, Declared) else Declared()
