"""What each feed covers: how it is delivered and since when, the days that follow from it, and what a build took.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FEED = """
create table ops.feed (
    feed text primary key,
    delivery_kind text not null check (delivery_kind in ('full_list', 'full_period', 'changes')),
    first_day date not null
);
comment on table ops.feed is 'Feeds as their contracts stood at the last load.';
comment on column ops.feed.delivery_kind is 'A whole list, a whole period, or what has changed.';
comment on column ops.feed.first_day is 'The first day of the first delivery that the contract expects.';
"""
# A whole period that never came leaves a gap; windows of changes follow each other without one, and a later list holds
# what an earlier one held. Of a feed that the ledger does not know only what came counts.
_COVERAGE = """
create view ops.feed_coverage as
with delivered as (
    select distinct b.feed, b.delivery_start, b.delivery_end
    from ops.batch as b
    where b.status = 'loaded' and b.is_complete
),
reaching as (
    select d.*, max(d.delivery_end) over (
        partition by d.feed order by d.delivery_start, d.delivery_end
        rows between unbounded preceding and 1 preceding
    ) as reached_before
    from delivered as d
),
numbered as (
    select r.*, count(*) filter (where r.delivery_start > r.reached_before + 1) over (
        partition by r.feed order by r.delivery_start, r.delivery_end
    ) as range_number
    from reaching as r
)
select n.feed, min(n.delivery_start) as covered_from, max(n.delivery_end) as covered_to
from numbered as n left join ops.feed as f using (feed)
where coalesce(f.delivery_kind, 'full_period') = 'full_period'
group by n.feed, n.range_number
union all
select d.feed, least(f.first_day, min(d.delivery_start)), max(d.delivery_end)
from delivered as d join ops.feed as f using (feed)
where f.delivery_kind <> 'full_period'
group by d.feed, f.first_day;
comment on view ops.feed_coverage is
    'The days that the complete deliveries of each feed cover, by ranges without a gap.';
"""
_TAKEN = """
create table ops.build_coverage (
    build_id bigint not null references ops.build,
    feed text not null,
    covered_from date not null,
    covered_to date not null,
    primary key (build_id, feed, covered_from)
);
comment on table ops.build_coverage is
    'The days that each feed covered when a build claimed, cut at the day of the build.';
insert into ops.build_coverage (build_id, feed, covered_from, covered_to)
select h.build_id, h.feed, least(min(b.delivery_start), h.horizon_date), h.horizon_date
from ops.build_horizon as h join ops.batch as b using (feed)
group by h.build_id, h.feed, h.horizon_date;
drop table ops.build_horizon;
"""


def upgrade() -> None:
    """Make them; earlier builds count as having had no gap, so that what they show wrongly is made anew."""
    for statement in (_FEED, _COVERAGE, _TAKEN):
        op.execute(statement)
