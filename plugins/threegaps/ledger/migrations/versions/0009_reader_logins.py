"""What readers' logins were given, so that what a reader changes of the own login is found and put back.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLE = """
create table ops.reader_login (
    login name primary key,
    verifier text not null,
    restored_at timestamptz
);
comment on table ops.reader_login is
    'Logins of readers as they were given: PostgreSQL lets each change its own password and settings.';
comment on column ops.reader_login.verifier is 'What the server checks the password by; not the password.';
comment on column ops.reader_login.restored_at is 'When what the reader had changed was last put back.';
"""


def upgrade() -> None:
    """Add it; logins that were made before are given a password anew by ``threegaps reader renew``."""
    op.execute(_TABLE)
