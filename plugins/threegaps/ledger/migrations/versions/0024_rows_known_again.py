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
-- A refusal is followed from the batch that ended it to the next, while one refuses the key again or is judged again
-- itself. Of a row without a key it is known only where its repair ended it and nothing of that was wrong.
with recursive come as (
    select r.ticket_id, r.row_token, r.batch_id, q.key_hash, q.closed_by_batch_id as at_batch_id
    from ops.ticket_row as r join quarantine.refused_row as q using (row_token, batch_id)
    where q.closed_by_batch_id is not null and (q.key_hash is not null or not exists (
        select from ops.batch_object as o join ops.landed_object as l using (landed_object_id)
        where o.batch_id = q.closed_by_batch_id and not starts_with(l.part, 'replay-')
    ))
    union
    select c.ticket_id, c.row_token, c.batch_id, c.key_hash, n.batch_id
    from come as c cross join lateral (
        select again.closed_by_batch_id as batch_id from quarantine.refused_row as again
        where again.batch_id = c.at_batch_id and again.key_hash = c.key_hash and again.closed_by_batch_id is not null
        union all
        select b.batch_id from ops.batch as b
        where b.supersedes_batch_id = c.at_batch_id and b.status in ('loaded', 'superseded')
    ) as n
), judged as (
    select c.*, b.status, again.is_open from come as c join ops.batch as b on b.batch_id = c.at_batch_id
    cross join lateral (
        select bool_or(q.closed_by_batch_id is null) as is_open from quarantine.refused_row as q
        where q.batch_id = c.at_batch_id and (c.key_hash is null or q.key_hash = c.key_hash)
    ) as again
), accepted as (
    select ticket_id, row_token, batch_id,
        max(at_batch_id) filter (where status = 'loaded' and is_open is null) as accepted_by_batch_id
    from judged group by 1, 2, 3 having bool_or(is_open) is not true
)
update ops.ticket_row as r set accepted_by_batch_id = a.accepted_by_batch_id
from accepted as a where (r.ticket_id, r.row_token, r.batch_id) = (a.ticket_id, a.row_token, a.batch_id);
"""


def upgrade() -> None:
    """Make the column; which batch has accepted a row is known by what ended its refusal."""
    op.execute(_CHANGES)
