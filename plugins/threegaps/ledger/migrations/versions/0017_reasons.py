"""Why a build failed as a code; a message that alone is refused; when a watch compared last.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_CHANGES = """
alter table ops.build add column failure text check (failure in ('build', 'check', 'left', 'undo'));
comment on column ops.build.failure is
    'Why it failed: the build itself, a check before its release, left unfinished, or undone after its release.';
-- Until now only the beginning of the message said so.
update ops.build set failure = case
        when starts_with(message, 'not released: ') then 'check'
        when starts_with(message, 'undone by ') then 'undo'
        when message in ('It was left unfinished; its claims went to the next build.',
                         'Its process is gone; its claims are free again.') then 'left'
        else 'build' end
    where status = 'failed';
update ops.build set message = substr(message, length('not released: ') + 1) where failure = 'check';
alter table ops.build add constraint build_failed check (failure is null or status = 'failed');

alter table ops.outbox add column fault text check (fault in ('channel', 'either', 'message'));
alter table ops.outbox add column first_tried_at timestamptz;
comment on column ops.outbox.first_tried_at is
    'When a try failed first, by the clock that sent_at goes by.';
comment on column ops.outbox.fault is
    'What the last try failed for: the channel, whose messages all wait for its pause; this message, which others pass;'
    ' or either, which the next other message shows.';

create table ops.watch_pass (
    is_only boolean primary key default true check (is_only),
    compared_at timestamptz not null
);
comment on table ops.watch_pass is
    'When a watch compared last what it saw with the incidents, whichever watch of this warehouse it was.';
"""


def upgrade() -> None:
    """Fill the codes from the sentences that said them until now."""
    op.execute(_CHANGES)
