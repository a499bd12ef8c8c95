"""What a batch is of its delivery: first and last day, whether it is the whole, its newest landed object.

Also who said that a stopped batch is meant, and who had a landed object purged. The number in the order of batches gets
a plain name, and a control file counts among the landed objects that a batch was judged with.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BATCH = r"""
alter table ops.batch rename column place_number to order_number;
comment on column ops.batch.order_number is
    'Where the batch stands in the order of batches; one that supersedes another takes over its number.';
alter table ops.batch
    add column delivery_start date,
    add column delivery_end date,
    add column is_whole boolean not null default false,
    add column newest_object_id bigint;
comment on column ops.batch.delivery_start is 'The first day of its delivery.';
comment on column ops.batch.delivery_end is 'The last day of its delivery.';
comment on column ops.batch.is_whole is
    'It has every original part of its delivery: what it lacks is absent once the delivery is complete.';
comment on column ops.batch.newest_object_id is
    'The newest of its landed objects, of a whole delivery without the corrections: a whole one replaces older ones.';

update ops.batch set
    delivery_start = case
        when delivery ~ '^\d{4}-\d{2}-\d{2}$' then delivery::date
        when delivery ~ '^\d{4}-\d{2}$' then (delivery || '-01')::date
        when delivery ~ '^\d{4}Q[1-4]$'
            then make_date(left(delivery, 4)::integer, right(delivery, 1)::integer * 3 - 2, 1)
        when delivery ~ '^\d{4}-\d{4}-1$' then make_date(left(delivery, 4)::integer, 9, 1)
        when delivery ~ '^\d{4}-\d{4}-2$' then make_date(substr(delivery, 6, 4)::integer, 2, 1)
        when delivery ~ '^\d{4}$' then make_date(delivery::integer, 1, 1)
    end;
update ops.batch set
    delivery_end = (delivery_start + case
        when delivery ~ '^\d{4}-\d{2}-\d{2}$' then interval '1 day'
        when delivery ~ '^\d{4}-\d{2}$' then interval '1 month'
        when delivery ~ '^\d{4}Q[1-4]$' then interval '3 months'
        when delivery ~ '^\d{4}-\d{4}-1$' then interval '5 months'
        when delivery ~ '^\d{4}-\d{4}-2$' then interval '7 months'
        else interval '1 year'
    end - interval '1 day')::date;

-- A control file that was there when a whole delivery was judged counts as judged with it.
insert into ops.batch_object (batch_id, landed_object_id)
select batch.batch_id, max(control.landed_object_id)
from ops.batch as batch
inner join ops.landed_object as control
    on control.feed = batch.feed and control.delivery = batch.delivery and control.part = 'control'
    and control.fetched_at <= batch.started_at
where exists (
    select from ops.batch_object as judged inner join ops.landed_object as landed using (landed_object_id)
    where judged.batch_id = batch.batch_id and not landed.is_correction
)
group by batch.batch_id
on conflict do nothing;

-- Windows of changes are never the whole of a feed.
update ops.batch set
    is_whole = exists (
        select from ops.batch_object as judged inner join ops.landed_object as landed using (landed_object_id)
        where judged.batch_id = batch.batch_id and not landed.is_correction and landed.watermark_to is null
    );
update ops.batch set
    newest_object_id = (
        select max(landed.landed_object_id)
        from ops.batch_object as judged inner join ops.landed_object as landed using (landed_object_id)
        where judged.batch_id = batch.batch_id and (not batch.is_whole or not landed.is_correction)
    );

alter table ops.batch alter column delivery_start set not null, alter column delivery_end set not null;
"""

_DECISIONS = """
create table ops.acceptance (
    landed_object_id bigint primary key references ops.landed_object,
    batch_id bigint not null references ops.batch,
    rules text[] not null,
    accepted_by text not null,
    reason text not null,
    accepted_at timestamptz not null
);
comment on table ops.acceptance is
    'Who said of a stopped batch that it is meant, why, and the batch that then loaded the same landed objects.';

create table ops.purge (
    landed_object_id bigint primary key references ops.landed_object,
    purged_by text not null,
    reason text not null,
    purged_at timestamptz not null,
    messages integer not null,
    log_lines integer not null
);
comment on table ops.purge is
    'Who had the bytes of a landed object removed, and why, with how many messages and log lines; its hash stays.';
"""


def upgrade() -> None:
    """Add the columns, fill them for the batches there are, and make the two tables."""
    op.execute(_BATCH)
    op.execute(_DECISIONS)
