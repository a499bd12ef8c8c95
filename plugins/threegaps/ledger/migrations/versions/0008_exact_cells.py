"""Whether a build serves every cell exactly, as a demonstration of synthetic figures may.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMN = """
alter table ops.build add column shows_exact_cells boolean not null default false;
comment on column ops.build.shows_exact_cells is
    'A demonstration of the sandbox: no disclosure control, and so said in the served comments.';
create or replace view ops.build_now as
select build_id, as_of, kind, shows_exact_cells from ops.build where status = 'running';
"""


def upgrade() -> None:
    """Add it; no earlier build showed them."""
    op.execute(_COLUMN)
