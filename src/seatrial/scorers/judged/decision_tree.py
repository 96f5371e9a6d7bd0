"""A tree of questions whose leaves are values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, PrivateAttr, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Filled, Record, Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import Flag, Share, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Criterion, ask
from seatrial.scorers.judged.base import JudgedScorer, evidence_of
from seatrial.scorers.judged.showing import SIGHTS, Sight, shown_to_judge

Edge = Share | Filled
"""Where an answer leads: a value, which ends the walk, or another node's name."""


class Node(Record):
    """A question and where its answers lead."""

    question: Filled = Field(description="A yes-or-no question about the answer")
    yes: Edge = Field(description="A value from 0 to 1, or the name of the next node")
    no: Edge = Field(description="A value from 0 to 1, or the name of the next node")
    undecided: Edge | None = Field(default=None, description="The same; missing data where not given")
    quoted: Flag = Field(default=False, description="A yes counts only with a passage of the answer")

    @property
    def leads_to(self) -> list[str]:
        """The nodes that may follow."""
        return [edge for edge in (self.yes, self.no, self.undecided) if isinstance(edge, str)]


class DecisionTree(JudgedScorer):
    """The value at the end of a walk through yes-or-no questions.

    A judge is asked one node's question at a time, and its verdict says which comes next, until a value is reached.
    Nodes may share what follows, but no walk may come back to where it was. The path is the evidence. An undecided
    verdict follows the node's `undecided`, and is a `judge_error` where it has none. Example: `{judge: careful, nodes:
    {polite: {question: Is it polite?, yes: solves, no: 0}, solves: {question: Does it solve it?, yes: 1, no: 0.5}}}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("decision_tree", "1", needs=frozenset({"judge"}), cost="model")
    card: ClassVar[Card] = Card(
        formula="The value of the leaf that the verdicts lead to; passed at `threshold` (1).",
        examples=(
            Example(
                "My parcel is late.",
                "I am sorry! It arrives on Friday.",
                1.0,
                True,
                {
                    "judge": "careful",
                    "nodes": {
                        "polite": {"question": "Is the answer polite?", "yes": "date", "no": 0},
                        "date": {"question": "Does it name a day?", "yes": 1, "no": 0.5, "quoted": True},
                    },
                },
                judge=({"polite": "yes"}, {"date": {"verdict": "yes", "quote": "Friday", "where": "answer"}}),
                note="Two questions, one after the other.",
            ),
            Example(
                "My parcel is late.",
                "So what.",
                0.0,
                False,
                {
                    "judge": "careful",
                    "nodes": {
                        "polite": {"question": "Is the answer polite?", "yes": "date", "no": 0},
                        "date": {"question": "Does it name a day?", "yes": 1, "no": 0.5},
                    },
                },
                judge=({"polite": "no"},),
                note="The second question is never asked.",
            ),
        ),
        fails=(
            "One wrong verdict near the root decides the whole walk.",
            "A walk of n questions is n requests, one after the other.",
        ),
        also_called=("deepeval:DAGMetric", "deepeval:ConversationalDAGMetric"),
    )

    nodes: Mapping[str, Node] = Field(min_length=1, description="Questions by name; one of them follows no other")
    threshold: Share = Field(default=1.0, description="The value that passes")
    sees: tuple[Sight, ...] = Field(default=SIGHTS, description="What the judge is shown beside the answer")
    guidance: Text = Field(default="", description="What the judge should know, from you")

    _root: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _a_tree(self) -> Self:
        self._root = _root(self.nodes)
        _no_way_back(self.nodes)
        return self

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises JudgeError."""
        materials = shown_to_judge(case, output, self.sees)
        path: list[str] = []
        evidence: list[Evidence] = []
        at: float | str = self._root
        while isinstance(at, str):
            node = self.nodes[at]
            asked = [Criterion(at, node.question, node.quoted)]
            found = (await ask(self.services, self.judge, asked, materials, guidance=self.guidance))[at]
            path.append(f"{shown(at, 40)} {found.verdict}")
            evidence.append(evidence_of(node.question, found))
            edge: Edge | None = getattr(node, found.verdict)
            if edge is None:
                reason = f"undecided: {', '.join(path)}"
                return Score(status="judge_error", reason=reason, evidence=tuple(evidence))
            at = edge
        return Score.graded(at, self.threshold, f"{', '.join(path)}: {at:g}", evidence=tuple(evidence))


def _root(nodes: Mapping[str, Node]) -> str:
    """The one node that follows no other. Raises ValueError."""
    led_to = {name for node in nodes.values() for name in node.leads_to}
    if strays := sorted(led_to - nodes.keys()):
        raise ValueError(f"an edge leads to {shown(strays[0], 40)}, which is no node")
    roots = [name for name in nodes if name not in led_to]
    if not roots:
        raise ValueError("every node follows another, so there is nowhere to begin")
    if len(roots) > 1:
        raise ValueError(f"several nodes follow no other: {', '.join(shown(name, 40) for name in roots[:5])}")
    return roots[0]


def _no_way_back(nodes: Mapping[str, Node]) -> None:
    """Raises ValueError when a walk could come back to where it was."""
    waits = dict.fromkeys(nodes, 0)
    for node in nodes.values():
        for name in node.leads_to:
            waits[name] += 1
    free = [name for name, count in waits.items() if count == 0]
    done = 0
    while free:
        done += 1
        for name in nodes[free.pop()].leads_to:
            waits[name] -= 1
            if waits[name] == 0:
                free.append(name)
    if done < len(nodes):
        turning = next(name for name, count in waits.items() if count > 0)
        raise ValueError(f"a walk could come back to {shown(turning, 40)}")
