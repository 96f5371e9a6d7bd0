"""Scorers that ask a model, a judge: criteria, grades, decision trees, juries, cascades, pairs."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "brand_voice_judge": "seatrial.scorers.judged.brand_voice:BrandVoiceJudge",
    "cascade": "seatrial.scorers.judged.cascade:Cascade",
    "criteria": "seatrial.scorers.judged.criteria:Criteria",
    "decision_tree": "seatrial.scorers.judged.decision_tree:DecisionTree",
    "grade": "seatrial.scorers.judged.grade:Grade",
    "jury": "seatrial.scorers.judged.jury:Jury",
    "preference": "seatrial.scorers.judged.preference:Preference",
}
"""Name: `module:class`."""
