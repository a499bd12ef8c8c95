"""Incidents: one cause, one incident; and the messages about them, each sent once.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLES = """
create table ops.incident (
    incident_id bigint generated always as identity primary key,
    cause_key text not null,
    kind text not null,
    gravity text not null check (gravity in ('warning', 'critical')),
    feed text,
    department text,
    feeds text[] not null default '{}',
    title_zh text not null,
    title_en text not null,
    detail_zh text not null default '',
    detail_en text not null default '',
    indicator_codes text[] not null default '{}',
    marts text[] not null default '{}',
    opened_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    announced_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    assigned_to text,
    closed_at timestamptz,
    closed_by text,
    resolution text,
    constraint incident_closed check ((closed_at is null) = (closed_by is null)),
    constraint incident_acknowledged check ((acknowledged_at is null) = (acknowledged_by is null))
);
create unique index incident_open_cause on ops.incident (cause_key) where closed_at is null;
create index incident_by_opening on ops.incident (opened_at desc);
comment on table ops.incident is
    'What somebody should look at: one row from the moment that a cause is seen until it is gone.';
comment on column ops.incident.cause_key is
    'Names the cause, not its symptoms: only one incident of a cause is open.';
comment on column ops.incident.feeds is 'The feeds that are concerned; feed and department name one that is alone.';
comment on column ops.incident.announced_at is
    'When messages were put into the outbox; null where it healed before anybody had to be told.';
comment on column ops.incident.closed_by is 'Who resolved it; watch where the cause went away by itself.';

create table ops.incident_change (
    incident_change_id bigint generated always as identity primary key,
    incident_id bigint not null references ops.incident,
    change text not null check (change in ('opened', 'worsened', 'acknowledged', 'assigned', 'closed')),
    changed_at timestamptz not null default clock_timestamp(),
    changed_by text not null,
    note text not null default ''
);
create index incident_change_by_incident on ops.incident_change (incident_id, incident_change_id);

create table ops.outbox (
    outbox_id bigint generated always as identity primary key,
    incident_id bigint references ops.incident,
    change text not null,
    channel text not null,
    message_id text not null unique,
    gravity text not null check (gravity in ('notice', 'warning', 'critical')),
    subject text not null,
    body text not null,
    content jsonb not null default '{}',
    send_after timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp(),
    tries integer not null default 0,
    last_error text,
    retry_at timestamptz,
    tried_at timestamptz,
    is_refused boolean not null default false,
    unclear_tries integer not null default 0,
    sent_at timestamptz,
    sent_as text,
    given_up_at timestamptz,
    cancelled_at timestamptz,
    constraint outbox_ends_once check (num_nonnulls(sent_at, given_up_at, cancelled_at) <= 1),
    constraint outbox_sent check ((sent_at is null) = (sent_as is null))
);
create unique index outbox_once on ops.outbox (incident_id, change, channel) where incident_id is not null;
create index outbox_waiting on ops.outbox (channel, outbox_id)
    where sent_at is null and given_up_at is null and cancelled_at is null;
create index outbox_by_sending on ops.outbox (channel, sent_at) where sent_at is not null;
comment on table ops.outbox is
    'Messages to people: one for each change of an incident and channel; daily digests have no incident.';
comment on column ops.outbox.message_id is
    'Fixed when the message is made: what is sent twice after a crash has the same one.';
comment on column ops.outbox.sent_as is
    'The id of the message that went out: its own, or that of the message in which several were bundled.';
comment on column ops.outbox.retry_at is 'Before this the channel is not tried again; send_after stays as it was.';
comment on column ops.outbox.tried_at is
    'When it was tried last; an instant in the future says that the clock was put back.';
comment on column ops.outbox.is_refused is
    'The last try was refused in a way that does not heal by itself: somebody has to mend the channel.';
comment on column ops.outbox.unclear_tries is
    'Tries after which nobody can say whether it was taken; after some it counts as sent.';
comment on column ops.outbox.cancelled_at is
    'It need not be sent any more: closed before it was due, or its opening was never told in this channel.';
"""


def upgrade() -> None:
    """Make the tables; nothing of before is an incident."""
    op.execute(_TABLES)
