"""What each indicator of the last release is made of, so that a figure can be explained from the warehouse alone.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLE = """
create table ops.indicator_input (
    indicator_code text not null,
    kind text not null check (kind in ('feed', 'node')),
    name text not null,
    first_month integer,
    last_month integer,
    is_everywhere boolean,
    primary key (indicator_code, kind, name)
);
comment on table ops.indicator_input is
    'Feeds, models and seeds that each indicator of the last release is made of; as_of stands among the feeds.';
comment on column ops.indicator_input.first_month is
    'Of a feed: months from the one that a row touches to the first that it reaches; null is every earlier one.';
comment on column ops.indicator_input.last_month is
    'Of a feed: months from the one that a row touches to the last that it reaches; null is every later one.';
comment on column ops.indicator_input.is_everywhere is
    'Of a feed: a row of one county may matter in any; null of models and seeds.';
"""


def upgrade() -> None:
    """Make the table; the next release fills it."""
    op.execute(_TABLE)
