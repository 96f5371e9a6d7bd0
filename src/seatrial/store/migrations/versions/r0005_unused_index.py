"""An index of scores by output that no query used, and every score paid for."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Drop the index; no row changes."""
    op.drop_index("scores_output", table_name="scores")
