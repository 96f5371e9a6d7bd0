"""Findings on the mix: strata and languages against traffic, clusters, synthetic share, age."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from seatrial.core.case import Case
from seatrial.datasets.linting.facts import LONGEST_READ, READ_ALOUD, Bools, Facts
from seatrial.datasets.linting.finding import Finding, found, many, percent

SEEN = 0.01
"""A value below this share of traffic may be missing; one that is stated in the shares may not, unless it is 0."""
THIN_SHARE, THIN_CASES = 0.02, 5
LANGUAGE_SHARE = 0.03
"""Of texts read aloud, so that a few that were misread are no language."""
LARGEST = 0.05
MEAN_CLUSTER = 9.0
"""Of the cluster that a case is in: from there on few seeds speak for many cases."""
SYNTHETIC, MOSTLY_SYNTHETIC = 0.75, 0.9
MOST_VALUES = 200


class Traffic(NamedTuple):
    """What is known of production: shares by stratum and value, languages where they were read, and from where."""

    shares: Mapping[str, Mapping[str, float]]
    languages: Mapping[str, float]
    source: str
    cases: int = 0


def traffic_of(cases: Iterable[Case], source: str) -> Traffic:
    """What a pool says of traffic: each stratum's shares among the cases that have it.

    Where no stratum says the language, those of the first texts.
    """
    counts: dict[str, Counter[str]] = {}
    texts: list[str] = []
    total = 0
    for case in cases:
        total += 1
        for name, value in case.strata.items():
            held = counts.setdefault(name, Counter())
            if len(held) <= MOST_VALUES:
                held[value] += 1
        if len(texts) < READ_ALOUD:
            texts.append(case.text[:LONGEST_READ])
    groups = {name: held for name, held in counts.items() if len(held) <= MOST_VALUES}
    shares = {name: {v: k / held.total() for v, k in sorted(held.items())} for name, held in sorted(groups.items())}
    return Traffic(shares, {} if "language" in shares else languages(texts), source, total)


def languages(texts: Iterable[str]) -> dict[str, float]:
    """The share of each language among the texts whose language can be told."""
    from seatrial.scorers.text._languages import read

    codes = Counter(code for text in texts if (code := read(text).code))
    return {code: count / codes.total() for code, count in codes.most_common()}


def mix_findings(facts: Facts, taken: Bools, traffic: Traffic | None, stated: bool) -> Iterator[Finding]:
    """What the mix of the cases `taken` shows. `traffic` None: nobody said what production looks like."""
    rows = taken & facts.traffic
    if not rows.any():
        return
    if traffic is not None:
        yield from _missing(facts, rows, traffic, stated=stated)
        yield from _languages(facts, rows, traffic)
    else:
        yield found("L305", "Nobody says what share of traffic each stratum has, so nothing shows what is missing.")
    yield from _bare(facts, rows)
    yield from _clusters(facts, rows)
    yield from _synthetic(facts, rows)


def _missing(facts: Facts, rows: Bools, traffic: Traffic, *, stated: bool) -> Iterator[Finding]:
    for name, shares in traffic.shares.items():
        column = facts.strata.get(name)
        held = column.counts(rows) if column else {}
        least = 1e-12 if stated else SEEN
        gone = {value: share for value, share in shares.items() if share >= least and not held.get(value)}
        thin = {
            value: share
            for value, share in shares.items()
            if share >= THIN_SHARE and 0 < held.get(value, 0) < THIN_CASES
        }
        if gone:
            lost = sum(gone.values())
            text = (
                f"No case has {name} {_listed(gone)}, {percent(lost)} of traffic by {traffic.source}. What models do "
                "there stays unseen."
            )
            severity = "error" if lost >= 0.05 else "warning"
            yield found("L301", text, severity=severity, numbers={"stratum": name, "missing": gone})
        if thin:
            cases = ", ".join(f"{value} {held[value]}" for value in sorted(thin))
            text = f"Of {name} there are few cases ({cases}) for {_listed(thin)} of traffic by {traffic.source}."
            yield found("L302", text, numbers={"stratum": name, "thin": thin})


def _listed(shares: Mapping[str, float]) -> str:
    names = sorted(shares, key=lambda value: (-shares[value], value))
    shown = ", ".join(f"{value!r} ({percent(shares[value])})" for value in names[:4])
    return shown + (f" and {len(names) - 4:,} more" if len(names) > 4 else "")


def _languages(facts: Facts, rows: Bools, traffic: Traffic) -> Iterator[Finding]:
    if not traffic.languages:
        return
    told = facts.strata.get("language")
    held = set(told.counts(rows)) if told else set(languages(facts.sample))
    gone = {code: share for code, share in traffic.languages.items() if share >= LANGUAGE_SHARE and code not in held}
    if gone:
        text = f"No case was found in {_listed(gone)}, languages of {traffic.source}."
        yield found("L303", text, numbers={"missing": gone})


def _bare(facts: Facts, rows: Bools) -> Iterator[Finding]:
    any_stratum = np.zeros(len(facts), dtype=np.bool_)
    for column in facts.strata.values():
        any_stratum |= column.codes >= 0
    bare = rows & ~any_stratum
    if bare.any():
        share = float(bare.sum() / rows.sum())
        text = f"{many(int(bare.sum()), 'case')} ({percent(share)} of those about traffic) have no stratum at all."
        severity = "warning" if share > 0.5 else "note"
        yield found("L304", text, cases=facts.named(bare), severity=severity, numbers={"share": share})


def _clusters(facts: Facts, rows: Bools) -> Iterator[Finding]:
    sizes = np.unique(facts.cluster[rows], return_counts=True)[1]
    total = int(rows.sum())
    largest, weighted = int(sizes.max()), float((sizes.astype(np.float64) ** 2).sum() / sizes.sum())
    if len(sizes) == total or (largest <= max(2, LARGEST * total) and weighted <= MEAN_CLUSTER):
        return
    roots, counts = np.unique(facts.cluster[rows], return_counts=True)
    members = rows & (facts.cluster == roots[int(np.argmax(counts))])
    text = (
        f"{total:,} cases come from {many(len(sizes), 'cluster')}; the largest has {largest:,} "
        f"({percent(largest / total)}), and a case shares its cluster with {weighted - 1:.1f} others on average."
    )
    yield found("L306", text, cases=facts.named(members), numbers={"clusters": len(sizes), "largest": largest})


def _synthetic(facts: Facts, rows: Bools) -> Iterator[Finding]:
    made = facts.origin.where("synthetic") & rows
    share = float(made.sum() / rows.sum())
    if share <= SYNTHETIC:
        return
    text = f"{percent(share)} of the cases about traffic are synthetic ({int(made.sum()):,} of {int(rows.sum()):,})."
    severity = "warning" if share > MOSTLY_SYNTHETIC else "note"
    yield found("L307", text, severity=severity, count=int(made.sum()), numbers={"share": share})


# age ------------------------------------------------------------------------------------------------------------------


def age_findings(
    facts: Facts, taken: Bools, now: datetime, most: float | None, cutoffs: Mapping[str, str | None]
) -> Iterator[Finding]:
    """What the dates of the cases `taken` show.

    `most`: the policy's highest age of a dataset in seconds. `cutoffs`: by target, where its training data end.
    """
    dated = taken & ~np.isnan(facts.created)
    if most is not None and dated.any():
        newest = float(facts.created[dated].max())
        if now.timestamp() - newest > most:
            text = (
                f"The newest case is of {_day(newest)}, and the policy allows {most / 86_400:g} days: every rubric is "
                "advisory until the set is renewed."
            )
            yield found("L601", text, numbers={"newest": _day(newest)})
    yield from _published(facts, taken, cutoffs)
    undated = taken & np.isnan(facts.created)
    if undated.any():
        number = many(int(undated.sum()), "case")
        text = f"{number} have no date: nothing tells whether they are stale, or from before a cutoff."
        yield found("L603", text, cases=facts.named(undated))


def _published(facts: Facts, taken: Bools, cutoffs: Mapping[str, str | None]) -> Iterator[Finding]:
    public = taken & ~np.isnan(facts.published)
    for name, cutoff in cutoffs.items():
        if cutoff is None:
            continue
        line = datetime.fromisoformat(cutoff)
        at = (line if line.tzinfo else line.replace(tzinfo=UTC)).timestamp()
        known = np.zeros(len(facts), dtype=np.bool_)
        known[public] = facts.published[public] < at
        if known.any():
            text = (
                f"{many(int(known.sum()), 'case')} were public before {name}'s training data end ({cutoff[:10]}): it "
                "may know the answers."
            )
            yield found("L602", text, cases=facts.named(known), numbers={"target": name, "cutoff": cutoff})
    unknown = [name for name, cutoff in cutoffs.items() if cutoff is None]
    if unknown and public.any():
        text = (
            f"{many(int(public.sum()), 'case')} are public, and for {', '.join(unknown[:4])}"
            f"{' …' if len(unknown) > 4 else ''} nobody said where the training data end."
        )
        yield found("L604", text, cases=facts.named(public), numbers={"targets": unknown})


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d") if math.isfinite(seconds) else "unknown"
