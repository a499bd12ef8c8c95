"""What some recipients are still to get, by an index; what the columns of the outbox say.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_CHANGES = """
create index outbox_put_off on ops.outbox (channel, outbox_id) where sent_at is not null and retry_at is not null;
comment on column ops.outbox.retry_at is
    'Before this the message is not tried again; of one that was sent, for the recipients in content -> ''rest''.';
comment on column ops.outbox.first_tried_at is
    'When it was tried first, whatever came of it, by the clock that sent_at goes by.';
comment on column ops.outbox.content is
    'The message as data; rest, where it is there: the recipients who are still to get what the others have got.';
"""


def upgrade() -> None:
    """Make them; no row changes."""
    op.execute(_CHANGES)
