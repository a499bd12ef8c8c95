"""Every attempt to land or to load a feed, also one that failed before any byte came.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLE = """
create table ops.attempt (
    attempt_id bigint generated always as identity primary key,
    feed text not null,
    step text not null check (step in ('land', 'load')),
    delivery text not null,
    run_id text,
    try_number integer check (try_number > 0),
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    outcome text not null default 'running'
        check (outcome in ('running', 'succeeded', 'nothing_new', 'waiting', 'failed', 'cut_off')),
    cause text,
    host text,
    port integer,
    message_en text,
    message_zh text,
    landed_objects integer,
    batches integer,
    constraint attempt_ended check ((outcome = 'running') = (ended_at is null)),
    constraint attempt_cause check ((outcome in ('failed', 'waiting')) = (cause is not null))
);
create index attempt_by_feed on ops.attempt (feed, step, attempt_id desc);
create index attempt_failed on ops.attempt (feed, step, attempt_id) where outcome in ('failed', 'cut_off');
create index attempt_reached on ops.attempt (feed, step, attempt_id desc)
    where outcome in ('succeeded', 'nothing_new', 'waiting');
create index attempt_running on ops.attempt (started_at) where outcome = 'running';
comment on table ops.attempt is
    'Attempts of the two steps of a feed run; one that was cut off never said how it ended.';
comment on column ops.attempt.cause is
    'The kind of cause, a code of threegaps.labels.CAUSES; the message says it in words.';
comment on column ops.attempt.host is
    'Where the department''s system was asked, as far as a connection was tried; never a login.';
"""


def upgrade() -> None:
    """Make the table; attempts of before are not known."""
    op.execute(_TABLE)
