"""What was withdrawn from history once and for all, so that no later release looks for it again.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLE = """
create table ops.withdrawal (
    name text primary key,
    last_release_id bigint,
    finished_at timestamptz not null default clock_timestamp()
);
comment on table ops.withdrawal is 'Kinds of figures that were taken out of history; a kind that stands here is done.';
comment on column ops.withdrawal.last_release_id is 'The last release that had said one; null when none had.';
"""


def upgrade() -> None:
    """Make the table; what is to be withdrawn is found by the next release."""
    op.execute(_TABLE)
