"""The review report: what was replaced, what was refused, and what a person should look at. Nothing real is in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from seatrial.datasets.scrubbing.policy import Policy
from seatrial.datasets.scrubbing.scrub import Finding

FORMAT = "seatrial.scrub/1"
SAMPLES = 5
REVIEWED = 500
REFUSED = 1_000


class Review:
    """Gathers what happened to records; its size does not grow with their number."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._replaced: Counter[str] = Counter()
        self._records_with: Counter[str] = Counter()
        self._samples: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._review: list[dict[str, Any]] = []
        self._unsure: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._refused: list[dict[str, Any]] = []
        self.records = 0
        self.changed = 0

    @property
    def refused(self) -> int:
        """How many records were refused."""
        return sum(self._reasons.values())

    def add(self, number: int, name: str, findings: Iterable[Finding], refused: str) -> None:
        """One record: its number in the input, its id as it is written now, what was found, why it was refused."""
        self.records += 1
        if refused:
            self._reasons[refused] += 1
            if len(self._refused) < REFUSED:
                self._refused.append({"record": number, "reason": refused})
            return
        kinds: set[str] = set()
        for finding in findings:
            self._finding(number, name, finding)
            if finding.replaced:
                kinds.add(finding.kind)
        for kind in kinds:
            self._records_with[kind] += 1
        self.changed += bool(kinds)

    def _finding(self, number: int, name: str, finding: Finding) -> None:
        kind = finding.kind
        if finding.replaced:
            self._replaced[kind] += 1
            if len(self._samples[kind]) < SAMPLES:
                self._samples[kind].append({**_told(number, name, finding), "surrogate": finding.surrogate})
        if finding.confidence < self._policy.review_below:
            self._unsure[kind] += 1
            if len(self._review) < REVIEWED:
                sure = {"kind": kind, "confidence": round(finding.confidence, 2), "replaced": finding.replaced}
                self._review.append({**_told(number, name, finding), **sure})

    def plain(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "format": FORMAT,
            "policy": self._policy.policy,
            "policy_hash": self._policy.hash,
            "blobs": self._policy.blobs,
            "scope": self._policy.scope,
            "records": self.records,
            "passed": self.records - self.refused,
            "changed": self.changed,
            "refused": {"count": self.refused, "reasons": dict(sorted(self._reasons.items())), "first": self._refused},
            "kinds": {
                kind: {"replaced": count, "records": self._records_with[kind], "samples": self._samples[kind]}
                for kind, count in sorted(self._replaced.items())
            },
            "review": {
                "count": sum(self._unsure.values()),
                "by_kind": dict(sorted(self._unsure.items())),
                "first": self._review,
            },
        }


def _told(number: int, name: str, finding: Finding) -> dict[str, Any]:
    return {"record": number, "id": name, "field": finding.path, "context": finding.context}
