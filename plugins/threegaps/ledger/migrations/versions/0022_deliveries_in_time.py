"""Batches of a feed by the time of their delivery, by an index; and when a feed's contract has come back.

What comes last is asked at every look.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


_CHANGES = """
create index batch_by_time on ops.batch (feed, delivery_end, delivery_start, batch_id);
alter table ops.feed add column returned_at timestamptz;
comment on column ops.feed.returned_at is
    'When its contract came back that had been taken away: nobody was asked for anything meanwhile. Null where it never
was.';
"""


def upgrade() -> None:
    """Make them; no row changes."""
    op.execute(_CHANGES)
