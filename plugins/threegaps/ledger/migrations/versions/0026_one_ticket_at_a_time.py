"""Refusals are held for one ticket at a time: two that are opened at once would each find no other.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_CHANGES = """
create or replace function quarantine.hold_open(tokens text[], batches bigint[]) returns bigint
language sql volatile security definer set search_path = '' as $$
    select count(*) from (
        select from quarantine.refused_row as q
        join unnest(tokens, batches) as chosen (row_token, batch_id) using (row_token, batch_id)
        where q.closed_by_batch_id is null for no key update of q nowait
    ) as held
$$;
"""


def upgrade() -> None:
    """Replace the function."""
    op.execute(_CHANGES)
