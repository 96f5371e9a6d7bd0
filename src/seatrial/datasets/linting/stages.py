"""How far a set has come: its stage by size and probes, and what a set of that size can prove."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from seatrial.core.record import Record, Text
from seatrial.core.suite import Policy
from seatrial.datasets.linting.classes import CLASSES
from seatrial.datasets.linting.facts import Bools, Facts
from seatrial.datasets.linting.finding import many, percent
from seatrial.stats import clopper_pearson, mde_paired

StageName = Literal["starter", "private", "full"]


class Stage(NamedTuple):
    """`cases` and `most`: the usual band. `probes`: at least so many, and `share` of the cases."""

    cases: int
    most: int
    probes: int
    share: float
    all_classes: bool
    purpose: str


STAGES: Mapping[StageName, Stage] = {
    "starter": Stage(200, 500, 50, 0.0, False, "sees a model that is much worse"),
    "private": Stage(500, 1500, 50, 0.0, False, "tells most candidates apart from what runs today"),
    "full": Stage(1500, 2500, 100, 0.05, True, "carries a verdict, with gates in all five classes"),
}


class Proof(Record):
    """What so many cases show. `visible`: the smallest drop found with the policy's power, None: none at all.

    `excluded`: the failure rate of a gate that is not excluded even if none of the probes fails.
    """

    name: Text
    cases: int
    probes: int
    visible: float | None
    excluded: float


class Reached(Record):
    """The stage of a set: `name` is empty below the first one.

    `lacking`: what the stage that is asked for, or the next one, still takes.
    """

    name: Text
    asked: Text = ""
    wanted: Text = ""
    cases: int
    probes: int
    clusters: int
    classes: Mapping[str, int]
    lacking: tuple[Text, ...] = ()
    proofs: tuple[Proof, ...] = ()
    sentence: Text = ""

    @property
    def fits(self) -> bool:
        """Whether the stage that was asked for is reached; any will do where none was."""
        return not self.asked or not self.lacking


def reached(
    facts: Facts, taken: Bools, policy: Policy, discordance: float, effect: float, asked: StageName | None = None
) -> Reached:
    """The stage of the cases `taken`. `discordance` and `effect` (of clusters) are what the plan takes them to be."""
    rows = taken & ~facts.origin.where("benchmark")
    probes = rows & facts.probes
    classes = {name: facts.attack.counts(probes).get(name, 0) for name in CLASSES}
    total, attacks = int(rows.sum()), int(probes.sum())
    seeds = len({int(at) for at in facts.cluster[probes]})
    held = [name for name in STAGES if not lacking(name, total, attacks, classes)]
    name = held[-1] if held else ""
    names = list(STAGES)
    wanted = asked or names[min(len(held), len(names) - 1)]
    proofs = [
        proof("this set", (total - attacks, attacks), policy, discordance, effect, clean=seeds),
        *(proof(one, (at.cases - at.probes, at.probes), policy, discordance, effect) for one, at in STAGES.items()),
    ]
    found = Reached(
        name=name,
        asked=asked or "",
        wanted=wanted,
        cases=total,
        probes=attacks,
        clusters=len({int(at) for at in facts.cluster[rows]}),
        classes=classes,
        lacking=tuple(lacking(wanted, total, attacks, classes)),
        proofs=tuple(proofs),
    )
    return found.model_copy(update={"sentence": _sentence(found, policy)})


def lacking(name: StageName, cases: int, probes: int, classes: Mapping[str, int]) -> list[str]:
    """What a set lacks for a stage, in words."""
    stage = STAGES[name]
    said: list[str] = []
    if cases < stage.cases:
        said.append(f"{stage.cases - cases:,} more cases (it takes {stage.cases:,})")
    least = max(stage.probes, math.ceil(stage.share * cases - 1e-9))
    if probes < least:
        said.append(f"{least - probes:,} more probes (it takes {least:,})")
    if stage.all_classes and (gone := [one for one in CLASSES if not classes.get(one)]):
        said.append(f"probes for {', '.join(one.replace('_', ' ') for one in gone)}")
    return said


def proof(
    name: str,
    held: tuple[int, int],
    policy: Policy,
    discordance: float,
    effect: float,
    *,
    clean: int | None = None,
) -> Proof:
    """What (traffic cases, probes) show; `clean`: seeds of the probes, which count as one each. Connor 1987."""
    cases, probes = held
    size = max(1.0, cases / effect)
    visible = mde_paired(size, discordance, alpha=policy.alpha, power=policy.power, sides=1) if cases else None
    seeds = probes if clean is None else clean
    excluded = clopper_pearson(0, seeds, alpha=policy.alpha, side="upper").high if seeds else 1.0
    return Proof(name=name, cases=cases, probes=probes, visible=visible, excluded=excluded)


def _sentence(found: Reached, policy: Policy) -> str:
    this = found.proofs[0]
    where = f"It is at the {found.name} stage" if found.name else "It has not reached the starter stage"
    seen = "no drop at all" if this.visible is None else f"a drop of {100 * this.visible:.1f} points"
    margin = policy.margin_points / 100
    enough = this.visible is not None and this.visible <= margin
    said = (
        f"{where}. {many(this.cases, 'case')} about traffic can show {seen} with {percent(policy.power)} power"
        f"{'' if enough else f'; a margin of {policy.margin_points:g} points they cannot'}. "
    )
    if not this.probes:
        return said + "Without probes nothing can be said of attacks."
    said += (
        f"{many(this.probes, 'probe')}, if none fails, leave a failure rate of up to {percent(this.excluded)} possible."
    )
    return said + " What is smaller than that, or rarer, it cannot prove."
