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

_TABLES = """
create table ops.reporting_pause (
    reporting_pause_id bigint generated always as identity primary key,
    feed text not null,
    county_code text not null default '',
    paused_from date not null,
    paused_to date,
    reason text not null,
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    withdrawn_at timestamptz,
    constraint reporting_pause_order check (paused_to >= paused_from)
);
create index reporting_pause_by_feed on ops.reporting_pause (feed, county_code, paused_from);
comment on table ops.reporting_pause is
    'Days on which a feed, or one county of it, reports nothing by agreement; without a last day it has closed.';

create table ops.expected_delivery (
    feed text not null,
    delivery text not null,
    county_code text not null default '',
    delivery_start date not null,
    delivery_end date not null,
    due_at timestamptz not null,
    first_arrived_at timestamptz,
    completed_at timestamptz,
    rows bigint check (rows >= 0),
    primary key (feed, delivery, county_code)
);
create index expected_delivery_due on ops.expected_delivery (due_at) where completed_at is null;
comment on table ops.expected_delivery is
    'One row for what is owed: a delivery of a feed, and of each county where the feed speaks county by county.';
comment on column ops.expected_delivery.county_code is 'Empty where the delivery as a whole is meant.';
comment on column ops.expected_delivery.due_at is
    'The due moment of the contract, moved to the next working day where the contract says so.';
comment on column ops.expected_delivery.rows is
    'Rows received; null until something has come, 0 where what came has no row.';

create table ops.delivery_summary (
    feed text not null,
    delivery text not null,
    delivery_start date not null,
    due_at timestamptz not null,
    expected integer not null check (expected >= 0),
    arrived integer not null,
    on_time integer not null,
    empty integer not null,
    primary key (feed, delivery),
    constraint delivery_summary_within
        check (
            arrived between 0 and expected and on_time between 0 and arrived
            and empty between 0 and arrived - on_time
        )
);
comment on table ops.delivery_summary is
    'The counts of ops.expected_delivery by feed and delivery, kept when they are written: counting live is slow.';
"""


def upgrade() -> None:
    """Make the tables; `threegaps up`, `threegaps migrate` and the upkeep enter what is owed."""
    op.execute(_TABLES)
