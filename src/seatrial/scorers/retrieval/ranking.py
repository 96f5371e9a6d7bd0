"""What a target retrieved against what it should have: precision, recall, reciprocal rank and discounted gain at k."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from seatrial.core.case import Case, Document
from seatrial.core.output import Output
from seatrial.core.record import Text, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, Share, Whole, clip
from seatrial.scorers.card import Card, Example

_NEEDS = frozenset({"expected", "context"})
MAX_SHOWN = 20


def gains(case: Case, field: str) -> dict[str, float]:
    """The relevant documents of a case and how much each is worth, from one field of its metadata.

    A list of ids (each worth 1), one id, or a mapping from id to a gain above 0. What is neither is left out.
    """
    given = case.metadata.get(field)
    graded = as_dict(given)
    if graded is not None:
        pairs = {k: float(v) for k, v in graded.items() if isinstance(v, int | float) and abs(v) < 1e6}
        return {k: v for k, v in pairs.items() if v > 0}
    items = [given] if isinstance(given, str | int) and not isinstance(given, bool) else as_list(given) or []
    return {str(i): 1.0 for i in items if isinstance(i, str | int) and not isinstance(i, bool) and i != ""}


def name_of(document: Document, wanted: Mapping[str, float]) -> str:
    """The name under which a document counts: its id, its source or its text, whichever is known; else its id."""
    names = (document.id, document.source, document.text.strip())
    return next((n for n in names if n and n in wanted), document.id or document.source or document.text.strip())


class _Ranking(BuiltinScorer):
    """Settings of all measures of a ranking."""

    k: Whole | None = Field(default=None, ge=1, description="How many of the first documents count; all where left out")
    relevant: Text = Field(default="relevant", description="The field of the case's metadata that names the documents")
    threshold: Share = Field(default=0.5, description="The value from which it passes")

    def applies(self, case: Case) -> str:
        """Empty when the case names relevant documents."""
        return (
            ""
            if gains(case, self.relevant)
            else f"the case's metadata names no document under {self.relevant!r}"[:SHOWN]
        )

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        wanted = gains(case, self.relevant)
        ranked = list(dict.fromkeys(name_of(d, wanted) for d in output.context))
        top = ranked[: self.k] if self.k is not None else ranked
        hits = [i for i, name in enumerate(top) if name in wanted]
        where = tuple(
            Evidence(
                where=f"context:{name[:SHOWN]}", found=f"rank {i + 1}", note="relevant" if i in hits else "not relevant"
            )
            for i, name in enumerate(top[:MAX_SHOWN])
        )
        missed = [name for name in wanted if name not in top][:MAX_SHOWN]
        lost = tuple(Evidence(where="context", expected=clip(name), note="relevant, not retrieved") for name in missed)
        cut = f" in the first {self.k}" if self.k is not None else ""
        reason = f"{len(hits)} of {len(wanted)} relevant documents among {len(top)} retrieved{cut}"
        value = self.measured([wanted.get(name, 0.0) for name in top], list(wanted.values())) if top else 0.0
        return Score.graded(
            min(1.0, value), self.threshold, reason if top else "nothing was retrieved", evidence=where + lost
        )

    def measured(self, found: list[float], wanted: list[float]) -> float:
        """The value, from the gain at each rank and the gains of all relevant documents."""
        raise NotImplementedError


def _case(relevant: object) -> dict[str, object]:
    return {"input": "q", "metadata": {"relevant": relevant}}


def _found(*ids: str) -> dict[str, object]:
    return {
        "messages": [{"role": "assistant", "content": "answer"}],
        "context": [{"id": i, "text": f"text {i}"} for i in ids],
    }


class Precision(_Ranking):
    """The share of the retrieved documents that are relevant.

    Relevant documents are named by the case's metadata (`relevant`: ids, sources or texts). With `k` only the first k
    count, and the share is of those that there are. A document that comes twice counts once.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("retrieval_precision", "1", needs=_NEEDS)
    card: ClassVar[Card] = Card(
        formula="relevant retrieved / retrieved (both among the first k).",
        examples=(
            Example(_case(["a", "b"]), _found("a", "x", "b", "y"), 0.5, True),
            Example(_case(["a"]), _found("x", "y"), 0.0, False),
        ),
        fails=("Retrieving one right document and stopping is perfect: look at recall beside it.",),
        sources=("Manning, Raghavan, Schütze 2008, Introduction to Information Retrieval, ch. 8",),
        also_called=("ragas:IDBasedContextPrecision", "futureagi:precision_at_k", "article:Context Precision"),
    )

    def measured(self, found: list[float], wanted: list[float]) -> float:
        """Hits over documents."""
        del wanted
        return sum(g > 0 for g in found) / len(found)


class Recall(_Ranking):
    """The share of the relevant documents that were retrieved.

    Relevant documents are named by the case's metadata (`relevant`). With `k` only the first k retrieved count.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("retrieval_recall", "1", needs=_NEEDS)
    card: ClassVar[Card] = Card(
        formula="relevant retrieved (among the first k) / relevant.",
        examples=(
            Example(_case(["a", "b"]), _found("a", "x", "b"), 1.0, True),
            Example(_case(["a", "b", "c", "d"]), _found("a", "x"), 0.25, False),
        ),
        fails=("Retrieving everything is perfect: look at precision beside it, or set k.",),
        sources=("Manning, Raghavan, Schütze 2008, Introduction to Information Retrieval, ch. 8",),
        also_called=("ragas:IDBasedContextRecall", "futureagi:recall_at_k", "article:Context Recall"),
    )

    def measured(self, found: list[float], wanted: list[float]) -> float:
        """Hits over relevant documents."""
        return sum(g > 0 for g in found) / len(wanted)


class ReciprocalRank(_Ranking):
    """One over the rank of the first relevant document, 0 where there is none; its mean over cases is the MRR."""

    about: ClassVar[ScorerInfo] = ScorerInfo("retrieval_mrr", "1", needs=_NEEDS)
    card: ClassVar[Card] = Card(
        formula="1 / rank of the first relevant document.",
        examples=(
            Example(_case(["a"]), _found("x", "a"), 0.5, True),
            Example(_case(["a"]), _found("x", "y", "z", "a"), 0.25, False),
        ),
        fails=("Says nothing of the documents after the first relevant one.",),
        sources=("Voorhees 1999, The TREC-8 Question Answering Track Report",),
        also_called=("futureagi:mrr",),
    )

    def measured(self, found: list[float], wanted: list[float]) -> float:
        """The reciprocal rank."""
        del wanted
        return next((1 / rank for rank, gain in enumerate(found, 1) if gain > 0), 0.0)


class DiscountedGain(_Ranking):
    """Normalised discounted cumulative gain: how much of the best possible ranking's gain this one has.

    Gains are 1, or as the case's metadata grades them (`relevant: {id: 3, other: 1}`); each counts by
    1 / log2(rank + 1). The best ranking is that of all relevant documents by falling gain, cut at `k`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("retrieval_ndcg", "1", needs=_NEEDS)
    card: ClassVar[Card] = Card(
        formula="sum of gain / log2(rank + 1), divided by the same of the best ranking of the case's documents.",
        examples=(
            Example(_case({"a": 3, "b": 1}), _found("a", "b"), 1.0, True),
            Example(_case(["a"]), _found("x", "y", "z", "a"), 0.43067655807339306, False),
        ),
        fails=("Gains are linear; where 2^gain - 1 is wanted, give gains so.",),
        sources=("Järvelin, Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques",),
        also_called=("futureagi:ndcg_at_k", "futureagi:ndcg"),
    )

    def measured(self, found: list[float], wanted: list[float]) -> float:
        """Gain over the best gain."""
        best = sorted(wanted, reverse=True)[: self.k]
        return _gain(found) / _gain(best)


def _gain(gains_by_rank: list[float]) -> float:
    return math.fsum(g / math.log2(rank + 1) for rank, g in enumerate(gains_by_rank, 1))
