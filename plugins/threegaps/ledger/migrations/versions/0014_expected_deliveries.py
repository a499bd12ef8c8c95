"""Which feed owes which delivery by when, what has come of it, and when feeds and counties report at all.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_FEED = """
alter table ops.feed
    add column title_zh text not null default '',
    add column title_en text not null default '',
    add column connection_id text,
    add column cadence text,
    add column due_day text,
    add column known_since timestamptz,
    add column is_current boolean not null default true;
comment on column ops.feed.known_since is
    'Since when deliveries are asked for here: whether one that was due before came in time, nobody can tell.';
comment on column ops.feed.is_current is 'Whether the feed has a contract now.';
"""
_PAUSE = """
create table ops.reporting_pause (
    reporting_pause_id bigint generated always as identity primary key,
    feed text not null,
    county_code text not null default '',
    kind text not null check (kind in ('pause', 'closure')),
    paused_from date not null,
    paused_to date,
    reason text not null,
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    ended_reason text,
    ended_by text,
    ended_at timestamptz,
    withdrawn_at timestamptz,
    constraint reporting_pause_order check (paused_to >= paused_from),
    constraint reporting_pause_ended check ((ended_at is null) = (ended_by is null))
);
create index reporting_pause_by_feed on ops.reporting_pause (feed, county_code, paused_from);
comment on table ops.reporting_pause is
    'Days of which a feed, or one county of it, reports nothing by agreement: a delivery all of whose days lie in them'
    ' is not owed.';
comment on column ops.reporting_pause.paused_to is 'The last such day; null where it has closed, or nobody knows.';
comment on column ops.reporting_pause.withdrawn_at is 'Set where it was ended before its first day: it never held.';
"""
_EXPECTED = """
create table ops.expected_delivery (
    feed text not null,
    delivery text not null,
    county_code text not null default '',
    delivery_start date not null,
    delivery_end date not null,
    due_at timestamptz not null,
    is_paused boolean not null default false,
    is_timed boolean not null default true,
    first_arrived_at timestamptz,
    completed_at timestamptz,
    rows bigint check (rows >= 0),
    brought_by text,
    primary key (feed, delivery, county_code),
    constraint expected_delivery_arrived check (completed_at is null or first_arrived_at is not null)
);
create index expected_delivery_whole on ops.expected_delivery (feed, delivery_start) where county_code = '';
create index expected_delivery_lacking on ops.expected_delivery (feed, delivery)
    where county_code <> '' and first_arrived_at is null and not is_paused;
comment on table ops.expected_delivery is
    'One row for what is owed: a delivery of a feed, and of each county where the feed speaks county by county.';
comment on column ops.expected_delivery.county_code is 'Empty where the delivery as a whole is meant.';
comment on column ops.expected_delivery.due_at is
    'The due moment of the contract, moved to the next working day where the contract says so, with its grace.';
comment on column ops.expected_delivery.is_paused is 'All its days lie in pauses: it is not owed, and never counts.';
comment on column ops.expected_delivery.is_timed is
    'False where it was due before the feed was known here: late or not, nobody can tell.';
comment on column ops.expected_delivery.first_arrived_at is
    'When the first of what is loaded of it was fetched; a batch that stopped has not brought it.';
comment on column ops.expected_delivery.completed_at is
    'When all of it had come, first; null again while what was sent last is not whole.';
comment on column ops.expected_delivery.rows is
    'Rows received in what stands of it; null until something has come, or where a later window had its rows.';
comment on column ops.expected_delivery.brought_by is
    'The later delivery whose window of changes had it too; null where it came by itself.';

create table ops.batch_county (
    batch_id bigint not null references ops.batch,
    county_code text not null,
    rows bigint not null check (rows >= 0),
    primary key (batch_id, county_code)
);
comment on table ops.batch_county is
    'Rows, accepted and refused, that a batch has of each county, of feeds that speak county by county.';

create table ops.delivery_summary (
    feed text not null,
    delivery text not null,
    delivery_start date not null,
    delivery_end date not null,
    due_at timestamptz not null,
    expected integer not null check (expected >= 0),
    arrived integer not null,
    on_time integer not null check (on_time >= 0),
    late integer not null check (late >= 0),
    empty integer not null check (empty >= 0),
    incomplete integer not null check (incomplete >= 0),
    untimed integer not null check (untimed >= 0),
    primary key (feed, delivery),
    constraint delivery_summary_within check (arrived between 0 and expected),
    constraint delivery_summary_adds_up check (arrived = on_time + late + empty + incomplete + untimed)
);
comment on table ops.delivery_summary is
    'The counts of ops.expected_delivery by feed and delivery, kept when they are written: counting live is slow.';

create table ops.delivery_clock (
    is_the_only boolean primary key default true check (is_the_only),
    judged_at timestamptz not null
);
comment on table ops.delivery_clock is
    'The moment by which deliveries are judged in the sandbox: the end of its own day. Empty with real departments.';
"""


def upgrade() -> None:
    """Make them; `threegaps up`, `threegaps migrate` and the upkeep enter what is owed, and what has come of it."""
    for statement in (_FEED, _PAUSE, _EXPECTED):
        op.execute(statement)
