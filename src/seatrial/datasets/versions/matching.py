"""`match`: does a set still look like traffic?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seatrial.core.case import Case
from seatrial.core.record import Record, Text
from seatrial.datasets.versions.config import MatchMargins
from seatrial.datasets.versions.folder import SetFolder
from seatrial.datasets.versions.pooled import (
    Lowest,
    Seen,
    count_strata,
    named,
    opened,
    seen,
    strata_of,
    text_key,
    text_of,
    time_of,
)
from seatrial.datasets.versions.shares import (
    DRIFTED,
    MATCHES,
    UNSURE,
    StratumMatch,
    compare_stratum,
    decide,
    weights_for,
)
from seatrial.datasets.versions.twosample import Estimate, Floats, Side, Word, separation, words_of
from seatrial.datasets.versions.working import base_of, read_working

MOST = 2000
"""Cases of either side that the classifier reads."""


class Match(Record):
    """Whether a set looks like traffic: `matches`, `drifted`, or `too little data`; and what says so.

    `auc`: of a classifier that tells the set from traffic, 0.5 where it cannot; None with too few cases.
    `words_of_set`, `words_of_traffic`: what marks either side against the other.
    """

    name: Text
    verdict: Text
    cases: int
    traffic: int
    margins: MatchMargins
    strata: tuple[StratumMatch, ...]
    auc: Estimate | None
    auc_verdict: Text
    words_of_set: tuple[Word, ...]
    words_of_traffic: tuple[Word, ...]


def match(path: Path | str, pool: Path | str, *, seed: int = 0) -> Match:
    """Compare a set's open cases with a pool of recent traffic.

    Strata by their shares: where set.yaml states traffic shares, those are compared with the pool's, else the shares
    of the cases. Texts by a classifier two-sample test, the set weighted to its stated shares. Synthetic, adversarial,
    manual and benchmark cases are left out: they are not meant to look like traffic. Raises DatasetError for a set or
    pool that cannot be read.
    """
    folder = SetFolder(path)
    folder.must_exist()
    found = read_working(folder, base_of(folder))
    definitions = strata_of(folder, found)
    cases = [case for members in found.cases.values() for case in members if case.origin == "production"]
    ours = [named(case, definitions) for case in cases]
    traffic: dict[str, Counter[str]] = {one.stratum: Counter() for one in definitions}
    sample, total = Lowest(MOST), 0
    for one in seen(opened(pool), definitions, seed):
        total += 1
        sample.add(one)
        for stratum, value in one.strata.items():
            traffic[stratum][value] += 1
    margins = folder.config.match
    strata = tuple(
        compare_stratum(name, count_strata(ours, name), traffic[name], folder.config.shares.get(name), margins)
        for name in traffic
    )
    enough = min(len(cases), total) >= margins.least
    taken = sample.taken()
    auc = _auc(cases, weights_for(ours, folder.config.shares), taken) if enough else None
    told = decide([auc], [margins.auc]) if auc is not None else UNSURE
    texts, others = [text_of(case) for case in cases], [one.text for one in taken]
    return Match(
        name=folder.name,
        verdict=_overall(strata, told) if enough else UNSURE,
        cases=len(cases),
        traffic=total,
        margins=margins,
        strata=strata,
        auc=auc,
        auc_verdict=told,
        words_of_set=tuple(words_of(texts, others)),
        words_of_traffic=tuple(words_of(others, texts)),
    )


def _overall(strata: Sequence[StratumMatch], auc: str) -> str:
    verdicts = {auc, *(one.verdict for one in strata)}
    return DRIFTED if DRIFTED in verdicts else UNSURE if UNSURE in verdicts else MATCHES


def _auc(cases: Sequence[Case], weights: Floats, pool: Sequence[Seen]) -> Estimate:
    order = sorted(range(len(cases)), key=lambda at: text_key(cases[at].hash))[:MOST]
    texts = [text_of(cases[at]) for at in order]
    times = np.array([time_of(cases[at].created_at) for at in order])
    ours = Side(texts, times, [text_key(text) for text in texts], weights[order])
    said = [one.text for one in pool]
    theirs = Side(said, np.array([one.time for one in pool]), [text_key(t) for t in said], np.ones(len(said)))
    return separation(ours, theirs)
