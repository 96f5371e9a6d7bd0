"""The panel: the judges and the embedder that scorers may ask, built and not yet open, and who asks whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.core.identity import digest
from seatrial.core.protocols import Embedder, NeedsServices, Scorer, Target
from seatrial.core.record import Json, as_list
from seatrial.core.suite import JudgingBudget, Suite, TargetSpec
from seatrial.errors import ConfigError, Problem, SuiteError, TargetConfigError, nearest, safe

ONE_BY_ONE = ("batch", "arrival")
"""Settings of a target that a judge has no use for: it is asked when a scorer asks."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A target that scorers ask, with the parameters of its entry."""

    target: Target
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def identity(self) -> str:
        """All that could change its verdicts: another one is another judge, whose scores are other scores."""
        return digest("judge", {"target": dict(self.target.identity()), "params": dict(self.params)})


@dataclass(frozen=True, slots=True)
class Panel:
    """Judges by name, the embedder, and what judging may use."""

    judges: Mapping[str, Judge] = field(default_factory=dict[str, Judge])
    embedder: Embedder | None = None
    budget: JudgingBudget | None = None

    def build(self, name: str, settings: Mapping[str, Json], folder: Path) -> Scorer:
        """The scorer of a name with its settings, which may name judges of this panel.

        A scorer that needs a judge and names none gets the only one there is, as if it had been named. Raises
        SuiteError where a judge is named that is not here or one is needed, and what `scorers.build` raises.
        """
        from seatrial.scorers import build

        made = build(name, settings, folder)
        if not isinstance(made, NeedsServices):
            return made
        if problems := [p for place, judge in _named(made) if (p := self._unknown(place, judge))]:
            raise SuiteError(f"The scorer {safe(name)!r} cannot ask its judge.", problems=problems)
        if "judge" not in made.info.needs or _named(made):
            return made
        if len(self.judges) != 1:
            raise SuiteError(f"The scorer {safe(name)!r} has no judge to ask.", problems=[self._open(name)])
        return build(name, {**settings, "judge": next(iter(self.judges))}, folder) if hasattr(made, "judge") else made

    def asked_by(self, scorer: Scorer) -> tuple[str, ...]:
        """The judges that a scorer asks."""
        if not isinstance(scorer, NeedsServices):
            return ()
        named = tuple(dict.fromkeys(judge for _, judge in _named(scorer)))
        return named or (tuple(self.judges)[:1] if "judge" in scorer.info.needs else ())

    def asks(self, scorer: Scorer) -> dict[str, Json]:
        """The identities of whom a scorer asks; empty for one that asks nobody."""
        found: dict[str, Json] = {}
        if judges := [name for name in self.asked_by(scorer) if name in self.judges]:
            found["judges"] = {name: self.judges[name].identity for name in judges}
        if self.embedder is not None and "embedder" in scorer.info.needs:
            found["embedder"] = dict(self.embedder.identity())
        return found

    def hash_of(self, scorer: Scorer) -> str:
        """A scorer's identity together with those whom it asks: a judge's new model judges everything again."""
        from seatrial.scorers import scorer_hash

        return scorer_hash(scorer, self.asks(scorer))

    def _unknown(self, place: str, judge: str) -> Problem | None:
        if judge in self.judges:
            return None
        near = nearest(judge, self.judges)
        if not self.judges:
            hint = "there is none: name a model under `judges`"
        else:
            hint = f"did you mean {near!r}?" if near else f"the judges are {', '.join(self.judges)}"
        return Problem("names no judge", key=place, value=judge, hint=hint)

    def _open(self, name: str) -> Problem:
        if not self.judges:
            return Problem(f"{safe(name)} asks a judge, and there is none", hint="name a model under `judges`")
        return Problem("several judges: say which one", key="judge", hint=f"the judges are {', '.join(self.judges)}")


def _named(scorer: Scorer) -> list[tuple[str, str]]:
    """The judges that a scorer's settings name, each with the setting's name."""
    one: Any = getattr(scorer, "judge", "")
    several = as_list(getattr(scorer, "judges", ())) or []
    found = [("judge", one)] if isinstance(one, str) and one else []
    return found + [("judges", judge) for judge in several if isinstance(judge, str) and judge]


def judge_of(name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> Judge:
    """The judge that an entry describes; nothing is opened. Raises what `targets.build` raises.

    A parameter of the entry that the model does not take is a fault, as with any target. One that a scorer adds
    (temperature 0, a response format) is a wish: it is left out and named, unless the entry says `unsupported`.
    """
    from seatrial import targets

    if stray := [key for key in ONE_BY_ONE if key in spec.plain()]:
        rule, hint = "is not for judges, which are asked when a scorer asks", "leave it out"
        problems = [Problem(rule, key=f"targets.{name}.{key}", hint=hint) for key in stray]
        raise TargetConfigError(f"The judge {name!r} cannot be used.", problems=problems)
    target = targets.build(name, spec, folder, environ)
    if "unsupported" in spec.model_fields_set or "unsupported" not in (getattr(target, "reads", None) or ()):
        return Judge(target, spec.params)
    yielding = TargetSpec.model_validate({**spec.plain(), "unsupported": "drop"})
    return Judge(targets.build(name, yielding, folder, environ), spec.params)


def panel_of(suite: Suite, folder: Path, environ: Mapping[str, str]) -> Panel:
    """The panel of a suite, where it can be built without a fault. Raises the first ConfigError."""
    from seatrial import targets

    judges = {name: judge_of(name, spec, folder, environ) for name, spec in suite.judges.items()}
    return Panel(judges, targets.build_embedder(suite.embedder, environ), suite.judging.budget)


def as_judge(fault: ConfigError, name: str) -> Sequence[Problem]:
    """A judge's faults, with keys under `judges` where the adapter wrote them under `targets`."""
    found = fault.problems or (Problem(fault.problem.rstrip("."), hint=fault.hint),)
    own = f"targets.{name}"
    return [
        Problem(p.rule, p.file, p.line, p.key.removeprefix(f"{own}.").removeprefix(own), p.value, p.hint) for p in found
    ]
