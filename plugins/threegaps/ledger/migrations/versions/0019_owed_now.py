"""What is owed now, of all that was owed: what the contract in force names, and which counties lack of it.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_CURRENT = """
alter table ops.expected_delivery add column is_current boolean not null default true;
comment on column ops.expected_delivery.is_current is
    'False where it was due and the contract in force names it no more: not owed now, and counted for its time still.';
-- of deliveries of different lengths the later one is that which ends later
drop index ops.expected_delivery_whole;
create index expected_delivery_whole on ops.expected_delivery (feed, delivery_end, delivery_start)
    where county_code = '';
"""
_LACKING = """
alter table ops.delivery_summary add column lacking integer not null default 0;
update ops.delivery_summary as s
set lacking = c.lacking
from (
    select c.feed, c.delivery, count(*) as lacking
    from ops.expected_delivery as c
    inner join ops.expected_delivery as w on w.feed = c.feed and w.delivery = c.delivery and w.county_code = ''
    where c.county_code <> '' and c.first_arrived_at is null and not c.is_paused and w.first_arrived_at is not null
    group by c.feed, c.delivery
) as c
where c.feed = s.feed and c.delivery = s.delivery;
alter table ops.delivery_summary
    add constraint delivery_summary_lacking_within check (lacking between 0 and expected - arrived);
comment on column ops.delivery_summary.lacking is
    'Counties that are owed now and have not come in it, although others, or a file without rows, have.';
drop index ops.delivery_summary_lacking;
create index delivery_summary_lacking on ops.delivery_summary (feed, due_at) include (delivery, lacking)
    where lacking > 0;
"""


def upgrade() -> None:
    """Make them; what a contract names no more `threegaps up`, `threegaps migrate` and the upkeep find."""
    for statement in (_CURRENT, _LACKING):
        op.execute(statement)
