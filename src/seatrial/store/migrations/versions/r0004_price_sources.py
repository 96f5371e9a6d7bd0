"""What priced an output."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table; nothing that is there is touched."""
    op.create_table(
        "output_prices",
        sa.Column("output_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("output_id"),
    )
