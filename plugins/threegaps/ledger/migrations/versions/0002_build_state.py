"""What a build was made with: the models and seeds, and how far each feed reached.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = """
create table ops.build_node (
    build_id bigint not null references ops.build,
    node text not null,
    kind text not null check (kind in ('model', 'seed')),
    checksum text not null,
    primary key (build_id, node)
);
comment on table ops.build_node is
    'Models and seeds as a build used them: what differs from the last released build touches what it feeds.';

create table ops.build_horizon (
    build_id bigint not null references ops.build,
    feed text not null,
    horizon_date date not null,
    primary key (build_id, feed)
);
comment on table ops.build_horizon is
    'The last day that each feed was complete to: its passing touches what matures.';
"""


def upgrade() -> None:
    """Make the two tables."""
    op.execute(_TABLES)
