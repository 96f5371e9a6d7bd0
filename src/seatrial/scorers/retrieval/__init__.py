"""Retrieved context and what is made of it: ranking, grounding, citations, completeness."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "answer_relevance": "seatrial.scorers.retrieval.answering:AnswerRelevance",
    "citations": "seatrial.scorers.retrieval.citations:Citations",
    "completeness": "seatrial.scorers.retrieval.answering:Completeness",
    "context_use": "seatrial.scorers.retrieval.use:ContextUse",
    "groundedness": "seatrial.scorers.retrieval.grounding:Groundedness",
    "hallucination": "seatrial.scorers.retrieval.grounding:Hallucination",
    "retrieval_mrr": "seatrial.scorers.retrieval.ranking:ReciprocalRank",
    "retrieval_ndcg": "seatrial.scorers.retrieval.ranking:DiscountedGain",
    "retrieval_precision": "seatrial.scorers.retrieval.ranking:Precision",
    "retrieval_recall": "seatrial.scorers.retrieval.ranking:Recall",
    "summary_faithfulness": "seatrial.scorers.retrieval.answering:SummaryFaithfulness",
}
"""Name: `module:class`."""
