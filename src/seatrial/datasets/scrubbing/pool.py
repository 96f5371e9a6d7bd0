"""A pool from elsewhere, scrubbed: read, replaced, written whole or not at all, with its report beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from seatrial.core.case import Case
from seatrial.core.files import write_whole
from seatrial.core.identity import canonical
from seatrial.core.suite import DatasetSpec
from seatrial.datasets.reading.reader import read
from seatrial.datasets.scrubbing import keys
from seatrial.datasets.scrubbing.mapping import Writer
from seatrial.datasets.scrubbing.policy import Policy, load
from seatrial.datasets.scrubbing.report import Review
from seatrial.datasets.scrubbing.scrub import Scrubber
from seatrial.errors import DatasetError, NoDataError, Problem


def scrub_pool(
    pool: Path, into: Path, *, policy: str | Policy = "basic", key: bytes | None = None, mapping: Path | None = None
) -> dict[str, Any]:
    """Scrub a file of cases into a JSONL pool; gives the report, which is also written to `into`.scrub.json.

    `policy` is a preset, a YAML file or a policy; `key` is the environment's or the one kept beside the target where
    it is left out; `mapping` is a file for the encrypted mapping. Refused records are counted, never written. Raises
    ConfigError, DatasetError (its problems without any value of the file), UsageError, and NoDataError where no record
    passed.
    """
    rules = load(policy) if isinstance(policy, str) else policy
    secret = key if key is not None else b"" if rules.policy == "none" else keys.scrub_key(into.parent)
    scrubber = Scrubber(rules, secret, pairs=mapping is not None)
    review = Review(rules)
    if mapping is None:
        write_whole(into, lambda out: _fill(pool, scrubber, review, out, None), "The pool")
    else:
        sealed = keys.mapping_key()

        def both(kept: IO[bytes]) -> None:
            writer = Writer(kept, sealed)
            write_whole(into, lambda out: _fill(pool, scrubber, review, out, writer), "The pool")
            writer.close()

        write_whole(mapping, both, "The mapping")
    report = {"pool": into.name, **review.plain()}
    text = json.dumps(report, indent=1, ensure_ascii=True) + "\n"
    write_whole(report_of(into), lambda out: out.write(text.encode("ascii")), "The report")
    return report


def report_of(into: Path) -> Path:
    """Where the report of a pool is."""
    return into.with_name(f"{into.name}.scrub.json")


def _fill(pool: Path, scrubber: Scrubber, review: Review, out: IO[bytes], mapping: Writer | None) -> None:
    try:
        for number, case in enumerate(read(DatasetSpec(path=pool.name), pool.parent), 1):
            done = scrubber.record(case.plain())
            name = str(done.record["id"]) if done.record else ""
            review.add(number, name, done.findings, done.refused)
            if done.record is None:
                continue
            out.write(canonical(done.record).encode("ascii") + b"\n")
            if mapping is not None:
                mapping.add(str(done.record.get("session_id", "")), done.pairs)
    except DatasetError as fault:
        raise DatasetError(fault.problem, hint=fault.hint, problems=[_silent(p) for p in fault.problems]) from None
    if review.records and review.refused == review.records:
        raise NoDataError(
            f"All {review.records:,} records were refused: {', '.join(review.plain()['refused']['reasons'])}.",
            hint="docs/scrubbing.md tells what each reason means",
        )


def _silent(problem: Problem) -> Problem:
    """A problem without any word of the file: no value, and no key but the fields of a case."""
    field = problem.key.partition(".")[0].partition("[")[0]
    return replace(problem, value=None, hint="", key=field if field in Case.model_fields else "")
