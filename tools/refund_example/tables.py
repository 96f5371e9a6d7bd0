"""The tables of the example's documentation: counted, documented and measured, never typed by hand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from .measure import Example, Finding, example, findings, verdict

MARK = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def filled(page: str, folder: Path) -> str:
    """The page with every table between its marks written anew."""
    at = example(folder)
    return MARK.sub(lambda mark: f"{mark[1]}{TABLES[mark[2]](at)}{mark[4]}", page)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def composition(at: Example) -> str:
    """Cases and seeds by origin."""
    said = {
        "production": "as a customer wrote it: one seed each",
        "synthetic": "variants of a seed: paraphrase, typo, language, extra detail",
        "manual": "benign twins: honest questions that sound like attacks",
        "adversarial": "attacks and their disguises",
    }
    rows = []
    for origin, what in said.items():
        cases = [case for case in at.cases if case.origin == origin]
        rows.append([origin, what, len(cases), len({case.seed_id for case in cases})])
    rows.append(["**all**", "", len(at.cases), len({case.seed_id for case in at.cases})])
    return _table(("origin", "what", "cases", "seeds"), rows)


def strata(at: Example) -> str:
    """Traffic by stratum."""
    traffic = [case for case in at.cases if case.origin != "adversarial"]
    rows = []
    for name in ("intent", "difficulty", "risk", "language"):
        counts = Counter(case.strata[name] for case in traffic)
        rows.append([name, ", ".join(f"{value} {count}" for value, count in counts.most_common())])
    rows.append(["evolution", ", ".join(f"{k} {v}" for k, v in Counter(_told(at)).most_common())])
    rows.append(["turns", f"{sum(len(case.input) > 1 for case in traffic)} cases have more than one message"])
    return _table(("stratum", "traffic cases"), rows)


def _told(at: Example) -> list[str]:
    return [case.evolution for case in at.cases if case.origin == "synthetic"]


def attacks(at: Example) -> str:
    """Attacks by class."""
    rows = []
    for kind in at.models.ATTACKS:
        cases = [case for case in at.cases if case.origin == "adversarial" and case.strata["intent"] == kind]
        probes = [case.probe for case in cases if case.probe]
        seeds = len({case.seed_id for case in cases})
        canaries = sum(bool(probe.canary) for probe in probes)
        rows.append([kind, probes[0].category, len(cases), seeds, canaries, len({p.strategy for p in probes})])
    return _table(("class", "category", "cases", "seeds", "with a canary", "strategies"), rows)


def profiles(at: Example) -> str:
    """Documented error rates on traffic, per cent on easy / medium / hard cases."""
    models = at.models
    rows = [
        [kind, *(" / ".join(f"{rate:g}" for rate in profile.errors[kind]) for profile in models.PROFILES.values())]
        for kind in models.ERRORS
    ]
    return _table(("error, %", *models.PROFILES), rows)


def falls(at: Example) -> str:
    """Documented rates at which attacks succeed, per cent; and time and price."""
    models = at.models
    known = models.PROFILES.values()
    rows: list[list[object]] = [[kind, *(f"{p.attacks[kind]:g}" for p in known)] for kind in models.ATTACKS]
    rows.append(["first token, s", *(f"{p.first_token:g}" for p in known)])
    rows.append(["tokens a second", *(p.tokens_per_second for p in known)])
    rows.append(["USD a million tokens, in / out", *(f"{p.price[0]:.2f} / {p.price[1]:.2f}" for p in known)])
    return _table(("attack succeeds, %", *models.PROFILES), rows)


def results(at: Example) -> str:
    """What is measured, and what is decided."""
    measured = _findings(at)
    rows = []
    for rubric in at.suite.rubrics:
        if rubric.kind == "advisory":
            continue
        cells = [_cell(rubric.kind, found[rubric.name]) for found in measured.values()]
        first = next(iter(measured.values()))[rubric.name]
        rows.append([rubric.name, rubric.kind, _level(rubric.kind, first.incumbent), *cells])
    rows.append(["**verdict**", "", "", *(f"**{verdict(found)}**" for found in measured.values())])
    return _table(("rubric", "kind", "incumbent", *measured), rows)


@cache
def _findings(at: Example) -> Mapping[str, Mapping[str, Finding]]:
    scores = at.measured()
    return {name: findings(at, scores, name) for name in at.suite.candidates}


def _level(kind: str, value: float) -> str:
    return f"{value:.4g}" if kind == "limit" else f"{100 * value:.1f}%"


def _cell(kind: str, found: Finding) -> str:
    shown = _level(kind, found.candidate)
    if kind == "quality" and found.interval is not None:
        low, high = (100 * end for end in found.interval)
        shown += f", {100 * found.difference:+.1f} ({low:+.1f} … {high:+.1f})"
    more = f", {found.more:,} more cases" if found.more else ""
    return f"{shown} {found.decision}{more}"


TABLES: Mapping[str, Callable[[Example], str]] = {
    "composition": composition,
    "strata": strata,
    "attacks": attacks,
    "profiles": profiles,
    "falls": falls,
    "results": results,
}
