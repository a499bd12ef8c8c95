"""A keyed hash of a refused row's key: what is accepted of it later ends the refusal.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMN = """
alter table quarantine.refused_row add column key_hash text;
comment on column quarantine.refused_row.key_hash is
    'Of feeds of changes: a keyed hash of the row''s key; empty where the key itself is missing or wrong.';
create index refused_row_by_key on quarantine.refused_row (feed, key_hash)
    where closed_by_batch_id is null and key_hash is not null;
"""


def upgrade() -> None:
    """Add the column; what was refused before has none, and closes by a repair as before."""
    op.execute(_COLUMN)
