"""Batches of a feed by the time of their delivery, by an index: what comes last is asked at every look.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it; no row changes."""
    op.execute("create index batch_by_time on ops.batch (feed, delivery_end, delivery_start, batch_id)")
