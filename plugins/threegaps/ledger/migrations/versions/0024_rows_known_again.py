"""Refused rows of every feed are known again by their key, and a ticket says which batch accepted each of its rows.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_CHANGES = """
comment on column quarantine.refused_row.key_hash is
    'A keyed hash of the row''s key; empty where the key is missing or wrong, and of older rows of whole deliveries.';
alter table ops.ticket_row add column accepted_by_batch_id bigint references ops.batch;
comment on column ops.ticket_row.accepted_by_batch_id is
    'The batch that accepted the row since; null while none has, or where a later one refused it again.';
comment on table ops.ticket_row is
    'Which refusals a ticket sent back, that of a repair instead where it was wrong; the rows stand in quarantine.';
update ops.ticket_row as r set accepted_by_batch_id = q.closed_by_batch_id
from quarantine.refused_row as q
where q.row_token = r.row_token and q.batch_id = r.batch_id and q.key_hash is not null
    and q.closed_by_batch_id is not null and not exists (
        select 1 from quarantine.refused_row as again
        where again.batch_id = q.closed_by_batch_id and again.key_hash = q.key_hash
    );
"""


def upgrade() -> None:
    """Make the column; of feeds of changes it is known which batch has accepted a row, since that ended its refusal."""
    op.execute(_CHANGES)
