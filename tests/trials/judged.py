"""A plug-in scorer that asks a judge one question a criterion, and a folder that makes it findable as one."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
from typing import ClassVar

from seatrial.core.output import Request
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import JudgeError
from seatrial.scorers.judged.base import JudgedScorer


class Asks(JudgedScorer):
    """Right when the judge answers yes to every criterion."""

    about: ClassVar[ScorerInfo] = ScorerInfo("asks", "1", needs=frozenset({"judge"}), cost="model")
    criteria: tuple[str, ...] = ("polite",)

    async def __call__(self, case, output, /):
        said = []
        for criterion in self.criteria:
            text = f"{criterion}? {output.text}"
            request = Request.model_validate({"messages": [{"role": "user", "content": text}],
                                              "params": {"temperature": 0}})
            answer = (await self.services.complete(self.judge, request)).raise_for_failure().text
            if answer not in ("yes", "no"):
                raise JudgeError(f"unusable: {answer[:20]!r}")
            said.append(answer == "yes")
        return Score.graded(sum(said) / len(said), 1.0)


class Near(JudgedScorer):
    """How near the answer is to what was asked."""

    about: ClassVar[ScorerInfo] = ScorerInfo("near", "1", needs=frozenset({"embedder"}), cost="model")

    async def __call__(self, case, output, /):
        one, two = await self.services.embed([case.text, output.text])
        return Score.graded(max(0.0, min(1.0, sum(a * b for a, b in zip(one, two, strict=True)))), 0.9)


class Heavy(Asks):
    """The same, on a thread with a loop of its own."""

    about: ClassVar[ScorerInfo] = ScorerInfo("heavy_asks", "1", needs=frozenset({"judge"}), cost="heavy")
'''

ENTRY = """[seatrial.scorers]
asks = asking_scorers:Asks
near = asking_scorers:Near
heavy_asks = asking_scorers:Heavy
"""


def install(folder: Path) -> Path:
    """Write the plug-in as an installed package into a folder for sys.path; gives the folder."""
    about = folder / "asking-1.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: asking\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY)
    (folder / "asking_scorers.py").write_text(SOURCE)
    return folder
