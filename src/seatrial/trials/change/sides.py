"""Both sides of a change: the rules, which a base commit gives, and the targets, which the change gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from seatrial.core.suite import Suite
from seatrial.errors import SuiteError
from seatrial.trials.change.gitref import Ref, resolve
from seatrial.trials.change.leftout import edited
from seatrial.trials.change.proposal import Proposal, propose
from seatrial.trials.suite.suitefile import LoadedSuite, load


class Sides(NamedTuple):
    """What a gate judges by, and what it judges.

    `rules` decides: dataset, rubrics, policy, quarantine, baseline. `suite` is run, its targets built from the folder
    `targets`. `home` is the suite's folder in the working tree, where the store is, and `file` its name as
    it was given. Without a change, all are one.
    """

    rules: LoadedSuite
    suite: Suite
    targets: Path
    home: Path
    proposal: Proposal | None = None
    base: Ref | None = None
    head: Ref | None = None
    file: str = ""

    @property
    def stranger(self) -> bool:
        """Whether the change comes as data, and nothing of it may be run."""
        return self.head is not None

    @property
    def whole(self) -> LoadedSuite:
        """The suite that is run, with the rules' folder: dataset and scorers come from there."""
        return self.rules._replace(suite=self.suite)

    def watched(self, globs: Sequence[str]) -> list[str]:
        """Which watched files the change edits."""
        return [] if self.base is None else self.base.changed(self.head, globs)


def sides(file: Path, base: str, head: str, scratch: Path) -> Sides:
    """Read both sides of a suite file.

    `base` alone: the rules are the commit's, the change is the working tree. `head`: the change is that commit, read as
    data; the rules are `base`'s, or the working tree's. Raises SuiteError, UsageError, ProposalError.
    """
    home = file.absolute().parent
    if not base and not head:
        loaded = load(file)
        return Sides(loaded, loaded.suite, home, home, file=str(file))
    old = resolve(home, base or "HEAD")
    new = resolve(home, head) if head else None
    rules = _at(old, file, scratch / "base") if base else load(file)
    change = _at(new, file, scratch / "head") if new else load(file)
    proposal = propose(rules.suite, change, stranger=new is not None)
    left = edited(rules.suite, rules.folder, change.folder, stranger=new is not None)
    proposal = proposal._replace(ignored=(*proposal.ignored, *left))
    targets = rules.folder if new is not None else home
    return Sides(rules, proposal.suite, targets, home, proposal, old, new, str(file))


def _at(ref: Ref, file: Path, into: Path) -> LoadedSuite:
    """The suite as it is at a commit; faults name the commit and the file, not where it lies for now."""
    folder = ref.materialize(into)
    inside = f"{ref.inside}/{file.name}" if ref.inside else file.name
    named = f"{ref.name}:{inside}"
    try:
        loaded = load(folder / file.name)
    except SuiteError as fault:
        here = str(folder / file.name)
        problems = [replace(problem, file=problem.file.replace(here, named)) for problem in fault.problems]
        raise SuiteError(fault.problem.replace(here, named), hint=fault.hint, problems=problems) from None
    return loaded._replace(path=Path(named))
