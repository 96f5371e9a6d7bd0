"""What a trial's rows are, as digests in blocks: equal rows give equal digests in any store, and a difference is found.

A digest is a tree of two levels: a leaf is the sha256 of a row, a block of `BLOCK` leaves, the root of all blocks. No
number that the store gave out goes in, so that a trial restored elsewhere has the same digests.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from seatrial.core.identity import SCHEME, canonical
from seatrial.store import schema
from seatrial.store.codec import json_bytes
from seatrial.store.store import RunRow, Store, chunks

BLOCK = 500
"""Rows in a block: a difference is located to so many."""


class Tree(NamedTuple):
    """A digest over rows in their order, and one of every block of them."""

    rows: int
    root: str
    blocks: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        return {"rows": self.rows, "root": self.root, "blocks": list(self.blocks)}


class ArmDigest(NamedTuple):
    """What a run's manifest names: its outputs and its scores, a row a line of the manifest."""

    outputs: Tree
    scores: Tree


@dataclass(slots=True)
class _Growing:
    """A tree while its leaves come in."""

    kind: str
    rows: int = 0
    leaves: list[bytes] = field(default_factory=list[bytes])
    blocks: list[bytes] = field(default_factory=list[bytes])

    def add(self, leaf: bytes) -> None:
        self.rows += 1
        self.leaves.append(leaf)
        if len(self.leaves) == BLOCK:
            self._close()

    def _close(self) -> None:
        self.blocks.append(sha256(b"".join(self.leaves)).digest())
        self.leaves.clear()

    def tree(self) -> Tree:
        if self.leaves:
            self._close()
        root = sha256(b"".join(self.blocks)).hexdigest()
        return Tree(self.rows, f"{self.kind}:{SCHEME}:{root}", tuple(block.hex() for block in self.blocks))


def dataset_digest(store: Store, dataset_id: int) -> Tree:
    """The digest of a dataset's cases, whole."""
    c, p, members = schema.cases.c, schema.case_payloads.c, schema.dataset_cases
    query = (
        select(members.c.position, c.hash, c.view_hash, c.input_hash, c.key, c.origin, c.seed_id, c.weight, c.strata)
        .add_columns(p.payload)
        .join_from(members, schema.cases, c.id == members.c.case_id, isouter=True)
        .join(schema.case_payloads, p.case_id == members.c.case_id, isouter=True)
        .where(members.c.dataset_id == dataset_id)
        .order_by(members.c.position)
    )
    growing = _Growing("cases")
    with store.reading() as connection:
        for row in connection.execute(query):
            growing.add(_leaf(row[:-1], row[-1]))
    return growing.tree()


def arm_digest(store: Store, run: RunRow) -> ArmDigest:
    """The digests of a run's outputs and scores."""
    outputs, scores = _Growing("outputs"), _Growing("scores")
    with store.reading() as connection:
        for chunk in chunks(connection.execute(_lines(run.id)), BLOCK):
            for line in chunk:
                outputs.add(_leaf(line[1:-1], line[-1]))
            for leaf in _score_leaves(connection, [line[0] for line in chunk]):
                scores.add(leaf)
    return ArmDigest(outputs.tree(), scores.tree())


def _lines(run_id: int) -> Select[*tuple[Any, ...]]:
    """A run's manifest, each line with all that is kept of its output."""
    items, o, p = schema.run_items.c, schema.outputs, schema.output_payloads.c
    t, prices = schema.output_timings, schema.output_prices
    heads = [column for column in o.c if column.name not in ("id", "project_id")]
    timing = [column for column in t.c if column.name not in ("output_id", "project_id")]
    return (
        select(items.score_ids, items.position, items.epoch, *heads, *timing, prices.c.source, p.payload)
        .join_from(schema.run_items, o, o.c.id == items.output_id, isouter=True)
        .join(schema.output_payloads, p.output_id == items.output_id, isouter=True)
        .join(t, t.c.output_id == items.output_id, isouter=True)
        .join(prices, prices.c.output_id == items.output_id, isouter=True)
        .where(items.run_id == run_id)
        .order_by(items.position, items.epoch)
    )


def _score_leaves(connection: Connection, lines: Sequence[bytes]) -> Iterable[bytes]:
    """One leaf a line: all its scores, in the order of the rubrics; a rubric that does not apply is a null."""
    ids = [array("q", line) for line in lines]
    t, p = schema.scores.c, schema.score_payloads.c
    query = select(t.id, t.key, t.attempt, t.status, t.value, t.passed, t.measure, p.payload).join_from(
        schema.scores, schema.score_payloads, p.score_id == t.id, isouter=True
    )
    found: dict[int, bytes] = {}
    for chunk in chunks(sorted({number for line in ids for number in line if number})):
        for row in connection.execute(query.where(t.id.in_(chunk))):
            found[row[0]] = _leaf(row[1:-1], row[-1])
    for line in ids:
        yield sha256(b"".join(found.get(number, b"\x00" * 32) for number in line)).digest()


def _leaf(fields: Iterable[Any], payload: bytes | None) -> bytes:
    plain = [value.hex() if isinstance(value, bytes) else value for value in fields]
    body = json_bytes(payload) if payload is not None else b""
    return sha256(canonical(plain).encode("ascii") + b"\n" + body).digest()
