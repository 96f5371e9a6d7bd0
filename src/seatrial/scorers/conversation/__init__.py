"""Whole sessions: what is remembered, which role is kept, whether the matter is settled."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "knowledge_retention": "seatrial.scorers.conversation.retention:KnowledgeRetention",
    "resolution": "seatrial.scorers.conversation.course:Resolution",
    "role_adherence": "seatrial.scorers.conversation.role:RoleAdherence",
    "turn_relevance": "seatrial.scorers.conversation.course:TurnRelevance",
}
"""Name: `module:class`."""
