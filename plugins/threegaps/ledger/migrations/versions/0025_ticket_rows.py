"""A row of a ticket keeps what was sent back, beside the refusal of its repair; open refusals are held for a ticket.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_CHANGES = """
alter table ops.ticket_row
    add column again_row_token text,
    add column again_batch_id bigint references ops.batch,
    add check ((again_row_token is null) = (again_batch_id is null));
comment on table ops.ticket_row is 'Which refusals a ticket sent back; the rows themselves stand in quarantine.';
comment on column ops.ticket_row.again_row_token is
    'Under which token the repair of the row was refused, where it was wrong; the ticket asks about it from then on.';
comment on column ops.ticket_row.again_batch_id is 'The batch that refused the repair.';

create function quarantine.hold_open(tokens text[], batches bigint[]) returns bigint
language sql volatile security definer set search_path = '' as $$
    select count(*) from (
        select from quarantine.refused_row as q
        join unnest(tokens, batches) as chosen (row_token, batch_id) using (row_token, batch_id)
        where q.closed_by_batch_id is null for share of q nowait
    ) as held
$$;
comment on function quarantine.hold_open is
    'How many of these refusals are open; they stay so until the transaction ends. Waits for no load that ends them.';
revoke all on function quarantine.hold_open from public;
"""


def upgrade() -> None:
    """Make the columns and the function."""
    op.execute(_CHANGES)
