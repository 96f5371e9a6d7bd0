"""Under which load an output was timed, and how it kept to its schedule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; nothing that is there is touched."""
    op.create_table(
        "output_timings",
        sa.Column("output_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), server_default="1", nullable=False),
        sa.Column("load", sa.Text(), nullable=False),
        sa.Column("inter_token", sa.Float(), nullable=True),
        sa.Column("queued", sa.Float(), nullable=True),
        sa.Column("late", sa.SmallInteger(), nullable=False),
        sa.Column("lagged", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("output_id"),
    )
