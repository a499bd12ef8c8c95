"""What was sent back to departments: which rows, when, to whom, and what came of it.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TICKETS = """
create table ops.ticket (
    ticket_id bigint generated always as identity primary key,
    feed text not null,
    rows integer not null check (rows > 0),
    sent_to text not null check (sent_to <> ''),
    sent_by text not null check (sent_by <> ''),
    sent_at timestamptz not null default now(),
    file_name text not null,
    file_sha256 text not null check (length(file_sha256) = 64),
    answer text,
    answered_by text,
    answered_at timestamptz,
    check ((answer is null) = (answered_at is null) and (answered_by is null) = (answered_at is null))
);
create index ticket_unanswered on ops.ticket (feed, sent_at) where answered_at is null;
comment on table ops.ticket is
    'Rows that were sent back to a department (校核纠错, 国令809); the answer is in words where no row came back.';

create table ops.ticket_row (
    ticket_id bigint not null references ops.ticket,
    row_token text not null,
    batch_id bigint not null references ops.batch,
    primary key (ticket_id, row_token, batch_id)
);
create index ticket_row_refused on ops.ticket_row (batch_id, row_token);
comment on table ops.ticket_row is 'Which refusals a ticket sent back; the rows themselves stand in quarantine.';
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(_TICKETS)
