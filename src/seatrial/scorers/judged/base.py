"""What all scorers share that ask a judge."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, cast

from pydantic import Field, PrivateAttr

from seatrial.core.protocols import Services
from seatrial.core.record import Json, Text
from seatrial.core.score import Evidence
from seatrial.errors import JudgeError
from seatrial.scorers.base import SHOWN, BuiltinScorer
from seatrial.scorers.judged.asking import Chosen, Finding
from seatrial.scorers.judged.form import VERSION

T = TypeVar("T")


class AskingScorer(BuiltinScorer):
    """A scorer that asks judges: targets named under the suite's `judges`.

    It is bound to the services of whoever runs it before it is called; the binding is no part of its identity, the
    version of the form in which judges are asked is.
    """

    _services: Services | None = PrivateAttr(default=None)

    def bind(self, services: Services) -> Self:
        """The same scorer, able to ask."""
        bound = self.model_copy()
        bound._services = services  # noqa: SLF001  # its own class
        return bound

    @property
    def services(self) -> Services:
        """What it asks through. Raises JudgeError where it was not bound."""
        if self._services is None:
            raise JudgeError(
                "The scorer asks a judge, and there is none here.",
                hint="name it under the suite's judges:, or bind the scorer to services",
            )
        return self._services

    @property
    def asks(self) -> tuple[str, ...]:
        """The names of all judges that it may ask."""
        raise NotImplementedError

    def identity(self) -> Mapping[str, Json]:
        """The settings that differ from their defaults, with the form's version where it asks a judge."""
        asking = self.asks or "judge" in self.about.needs
        return {**super().identity(), **({"form": VERSION} if asking else {})}


class JudgedScorer(AskingScorer):
    """A scorer that asks one judge. Without a name it is the only judge there is, or none where it needs none."""

    judge: Text = Field(default="", description="A name under the suite's judges; the only one where not given")

    @property
    def asks(self) -> tuple[str, ...]:
        """The name of its judge, where it has one."""
        return (self.judge,) if self.judge else ()


_PLACES = {"answer": "text"}
"""What a judge knows by another name than evidence does."""


def evidence_of(question: str, finding: Finding | Chosen, *, judge: str = "") -> Evidence:
    """A verdict as evidence: `found` is the verdict, `note` the question with the judge's reason.

    `where` is the material's name, `judge` where a verdict rests on none.
    """
    note = f"{f'{judge}: ' if judge else ''}{question[:SHOWN]}"
    if finding.reason:
        note += f": {finding.reason}"
    return Evidence(
        where=_PLACES.get(finding.where, finding.where) or "judge",
        quote=finding.quote[:SHOWN],
        start=finding.start,
        end=finding.end,
        found=finding.verdict if isinstance(finding, Finding) else finding.word,
        note=note,
    )


async def together(asked: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of questions asked at once. All are awaited; then the first error among them is raised."""
    results = await asyncio.gather(*asked, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


def listed(items: Iterable[str], limit: int = 3) -> str:
    """The first few of several, for a reason."""
    all_items = list(items)
    more = f" and {len(all_items) - limit} more" if len(all_items) > limit else ""
    return "; ".join(all_items[:limit]) + more


def own_names(judges: Sequence[str]) -> None:
    """Raises ValueError where a judge is named twice."""
    if len(set(judges)) < len(judges):
        raise ValueError("one judge is named twice")
