"""The tables. Narrow ones are read often; payloads (compressed JSON) stand beside them, one row each.

Identities are kept as the 32 bytes behind `kind:st1:hex`. Every table carries a project id. A change here needs a
migration; a test compares both.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

REVISION = "0005"
PROJECT = 1

metadata = MetaData()


def _project() -> Column[int]:
    return Column("project_id", Integer, nullable=False, server_default=str(PROJECT))


def _payload(name: str, owner: str) -> Table:
    return Table(name, metadata, Column(owner, Integer, primary_key=True), _project(), Column("payload", LargeBinary))


projects = Table("projects", metadata, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))

datasets = Table(
    "datasets",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("shares", Text, nullable=False),
    Column("parent", LargeBinary),
    Column("author", Text, nullable=False, server_default=""),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("project_id", "hash"),
)

dataset_sources = Table(
    "dataset_sources",
    metadata,
    Column("fingerprint", LargeBinary, primary_key=True),
    Column("project_id", Integer, primary_key=True),
    Column("dataset_id", Integer, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("hash", LargeBinary, nullable=False),
    Column("view_hash", LargeBinary, nullable=False),
    Column("input_hash", LargeBinary, nullable=False),
    Column("key", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("seed_id", Text, nullable=False),
    Column("weight", Float, nullable=False),
    Column("strata", Text, nullable=False),
    UniqueConstraint("project_id", "hash"),
)
case_payloads = _payload("case_payloads", "case_id")

dataset_cases = Table(
    "dataset_cases",
    metadata,
    Column("dataset_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    _project(),
    Column("case_id", Integer, nullable=False),
    sqlite_with_rowid=False,
)

requests = Table(
    "requests",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("project_id", Integer, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

outputs = Table(
    "outputs",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("request_hash", LargeBinary, nullable=False),
    Column("series", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("latency", Float),
    Column("first_token", Float),
    Column("cost", Float),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("served_model", Text, nullable=False, server_default=""),
    Column("fingerprint", Text, nullable=False, server_default=""),
    Column("finished_at", Text, nullable=False, server_default=""),
    UniqueConstraint("project_id", "request_hash", "series", "epoch", "attempt"),
)
output_payloads = _payload("output_payloads", "output_id")

output_timings = Table(
    "output_timings",
    metadata,
    Column("output_id", Integer, primary_key=True),
    _project(),
    Column("load", Text, nullable=False),
    Column("inter_token", Float),
    Column("queued", Float),
    Column("late", SmallInteger, nullable=False),
    Column("lagged", SmallInteger, nullable=False),
)

output_prices = Table(
    "output_prices",
    metadata,
    Column("output_id", Integer, primary_key=True),
    _project(),
    Column("source", Text, nullable=False),
)

scorers = Table(
    "scorers",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("definition", Text, nullable=False),
    UniqueConstraint("project_id", "hash"),
)

scores = Table(
    "scores",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("key", LargeBinary, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("output_id", Integer, nullable=False),
    Column("scorer_id", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("value", Float),
    Column("passed", SmallInteger),
    Column("measure", Float),
    UniqueConstraint("project_id", "key", "attempt"),
)
score_payloads = _payload("score_payloads", "score_id")

trials = Table(
    "trials",
    metadata,
    Column("id", Text, primary_key=True),
    _project(),
    Column("name", Text, nullable=False),
    Column("suite_hash", LargeBinary, nullable=False),
    Column("suite", LargeBinary, nullable=False),
    Column("dataset_id", Integer, nullable=False),
    Column("environment", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Index("trials_started", "started_at"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("trial_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("definition", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("epochs", Integer, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("complete", SmallInteger, nullable=False, server_default="0"),
    Column("counts", Text, nullable=False, server_default="{}"),
    UniqueConstraint("trial_id", "target"),
    Index("runs_key", "key"),
)

run_items = Table(
    "run_items",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    _project(),
    Column("output_id", Integer, nullable=False),
    Column("score_ids", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

model_lists = Table(
    "model_lists",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("endpoint", Text, nullable=False),
    Column("polled_at", Text, nullable=False),
    Column("models", Text, nullable=False),
    Index("model_lists_endpoint", "endpoint"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Integer, primary_key=True),
    _project(),
    Column("name", Text, nullable=False),
    Column("account", LargeBinary, nullable=False),
    Column("series", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("provider_id", Text),
    Column("requests", Integer, nullable=False),
    Column("planned_at", Text, nullable=False),
    Column("submitted_at", Text),
    Column("finished_at", Text),
    UniqueConstraint("project_id", "name"),
    Index("batches_open", "account", "series", "state"),
)

batch_requests = Table(
    "batch_requests",
    metadata,
    Column("batch_id", Integer, primary_key=True),
    Column("request_hash", LargeBinary, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    _project(),
    Column("attempt", Integer, nullable=False),
    sqlite_with_rowid=False,
)
