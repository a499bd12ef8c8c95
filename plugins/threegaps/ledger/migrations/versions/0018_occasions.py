"""Which batches or deliveries an incident was about: one resolved by hand is no answer to another.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_CHANGES = """
alter table ops.incident add column occasions text[] not null default '{}';
comment on column ops.incident.occasions is
    'The batches, deliveries or codes that show the cause; what was resolved by hand opens again for another.';
"""


def upgrade() -> None:
    """Add the column; of incidents that are open the watch enters it with its next look."""
    op.execute(_CHANGES)
