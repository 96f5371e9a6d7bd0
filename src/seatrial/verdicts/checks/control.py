"""The negative control: a target against itself must show nothing but its own noise.

Answers are exchanged between the two arms at random, whole clusters at once, and every such would-be trial is judged by
the same tests as a real one: how often they cry wolf on these very cases is what the error rates promise. That the arms
as they were asked differ beyond chance says that something other than the target told them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from seatrial.core.identity import canonical
from seatrial.core.output import Output
from seatrial.core.suite import RubricSpec, Suite
from seatrial.stats import holm
from seatrial.store.store import Store, chunks
from seatrial.verdicts.artefacts.sentences import listed, points
from seatrial.verdicts.engine.gates import compare_failures
from seatrial.verdicts.engine.outcomes import Bools, Floats, Outcomes
from seatrial.verdicts.engine.rates import rate
from seatrial.verdicts.engine.weighing import compare
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.records import Control, RubricControl

DRAWS = 1000
MOST_READ, READ_AT_ONCE = 2_000, 200
Trials = tuple[Bools, Bools]


def control(store: Store, frame: Frame, outcomes: Mapping[str, Outcomes], target: str, again: str) -> Control:
    """What an A/A trial says of its set-up."""
    rubrics = controls(frame.suite, outcomes)
    loud = [r.name for r in rubrics if r.p_holm is not None and r.p_holm <= frame.suite.policy.alpha]
    wild = [r.name for r in rubrics if r.would_worsen > r.allowed + 3 * (r.allowed * (1 - r.allowed) / r.draws) ** 0.5]
    same = identical(store, frame, target, again)
    found = Control(target=target, again=again, sound=not loud and not wild, identical=same, rubrics=rubrics)
    return found.model_copy(update={"sentences": (_whole(found, loud, wild), *map(_sentence, rubrics))})


def controls(suite: Suite, outcomes: Mapping[str, Outcomes], draws: int = DRAWS) -> tuple[RubricControl, ...]:
    """Every quality rubric and gate that has pairs, in the suite's order. Pure; seeded by the suite's seed."""
    found = [
        _control(suite, rubric, outcomes[rubric.name], draws)
        for rubric in suite.rubrics
        if rubric.kind in ("quality", "gate") and _paired(outcomes[rubric.name])
    ]
    adjusted: list[float] = holm([r.p_value or 0.0 for r in found]).tolist() if found else []
    return tuple(r.model_copy(update={"p_holm": p}) for r, p in zip(found, adjusted, strict=True))


def _paired(outcomes: Outcomes) -> bool:
    """Whether answers can be exchanged: both arms were asked, and every case has a result of its own."""
    return outcomes.labels is None and outcomes.asked is None and compare(outcomes) is not None


def _control(suite: Suite, rubric: RubricSpec, outcomes: Outcomes, draws: int) -> RubricControl:
    evidence = compare(outcomes)
    assert evidence is not None, "only rubrics with pairs are controlled"
    block, worse = exchanged(suite, rubric, outcomes, draws)
    return RubricControl(
        name=rubric.name,
        kind=rubric.kind,
        discordance=rate(_differs(outcomes), outcomes.cluster, suite.policy.alpha).estimate,
        p_value=evidence.p_value,
        would_block=float(block.mean()),
        would_worsen=float(worse.mean()),
        allowed=suite.policy.gate_alpha if rubric.kind == "gate" else suite.policy.alpha,
        draws=draws,
    )


def exchanged(suite: Suite, rubric: RubricSpec, outcomes: Outcomes, draws: int) -> Trials:
    """For every would-be trial whether its rubric blocks, and whether it calls the target worse than itself."""
    assert outcomes.incumbent is not None, "an A/A trial has two arms"
    random = np.random.default_rng(suite.seed)
    names, group = np.unique(outcomes.cluster, return_inverse=True)
    block, worse = np.zeros((2, draws), dtype=np.bool_)
    for draw in range(draws):
        swap = (random.random(len(names)) < 0.5)[group][:, None]
        one = np.where(swap, outcomes.incumbent, outcomes.candidate)
        two = np.where(swap, outcomes.candidate, outcomes.incumbent)
        block[draw], worse[draw] = _cries(suite, rubric, replace(outcomes, candidate=one, incumbent=two))
    return block, worse


def _cries(suite: Suite, rubric: RubricSpec, outcomes: Outcomes) -> tuple[bool, bool]:
    """A gate that calls its candidate worse blocks; a quality rubric blocks beyond its margin only."""
    policy = suite.policy
    if rubric.kind == "gate":
        compared = compare_failures(outcomes)
        worse = compared is not None and compared.p_worse <= policy.gate_alpha
        return worse, worse
    evidence = compare(outcomes)
    if evidence is None:
        return False, False
    line = max(-suite.margin(rubric), -1 + 1e-9)
    return bool(evidence.decisions(line, policy.alpha)[0] < 0), bool(evidence.decisions(0.0, policy.alpha)[0] < 0)


def _differs(outcomes: Outcomes) -> Floats:
    """1 where the arms disagree, 0 where they agree, NaN where a side is missing."""
    assert outcomes.incumbent is not None, "an A/A trial has two arms"
    gap = outcomes.candidate - outcomes.incumbent
    return np.where(np.isnan(gap), np.nan, gap != 0)


def identical(store: Store, frame: Frame, first: str, second: str) -> float | None:
    """The share of pairs whose answers say the same, of the first 2,000; None without pairs."""
    ids = [frame.arms[name].output_id.reshape(-1) for name in (first, second)]
    both = np.flatnonzero((ids[0] > 0) & (ids[1] > 0))[:MOST_READ]
    if not len(both):
        return None
    same = 0
    for rows in chunks(both.tolist(), READ_AT_ONCE):
        pairs = [(int(ids[0][row]), int(ids[1][row])) for row in rows]
        said = {number: _said(output) for number, output in store.load_outputs({i for p in pairs for i in p}).items()}
        same += sum(said[one] == said[two] for one, two in pairs)
    return same / len(both)


def _said(output: Output) -> str:
    return canonical([output.text, [[call.name, call.arguments] for call in output.tool_calls]])


# in words -------------------------------------------------------------------------------------------------------------


def headline(found: Control) -> str:
    """The verdict on an A/A trial: on the set-up, not on the target."""
    if found.sound:
        return f"{found.target} against itself: nothing tells its two series apart; the set-up is sound."
    return f"{found.target} against itself: the set-up is broken, and no verdict of it can be trusted."


def _whole(found: Control, loud: list[str], wild: list[str]) -> str:
    equal = "" if found.identical is None else f" {points(found.identical)}% of its answers are equal in both series."
    if loud:
        return (
            f"{listed(loud)} tells the two series of {found.target} apart beyond chance (Holm): look for a scorer or a "
            f"cache that sees the series, or a service that changed between the two.{equal}"
        )
    if wild:
        return (
            f"{listed(wild)} calls {found.target} worse than itself more often than its error rate allows: its cases "
            f"are more alike than their clusters say. Give related cases one seed_id.{equal}"
        )
    return f"A/A: no rubric tells the two series of {found.target} apart.{equal}"


def _sentence(rubric: RubricControl) -> str:
    share = rubric.discordance
    ends = ""
    if share.low is not None and share.high is not None:
        ends = f" ({100 * share.level:g}% interval {points(share.low)} to {points(share.high)}; {share.method})"
    return (
        f"{rubric.name}: it disagrees with itself on {points(share.value or 0.0)}% of the pairs{ends}. Of "
        f"{rubric.draws:,} would-be trials with answers exchanged at random, {points(rubric.would_block)}% were "
        f"blocked and {points(rubric.would_worsen)}% called worse; {points(rubric.allowed)}% is what may be."
    )
