"""Whether a release is a demonstration, which readers see in the list of releases.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMN = """
alter table ops.release add column is_demonstration boolean not null default false;
comment on column ops.release.is_demonstration is
    'Shown without disclosure control: a build that shows every cell exactly, or an undo that goes back to one.';
update ops.release as r
set is_demonstration = true
from ops.build as b
where b.build_id = r.build_id and b.shows_exact_cells;
"""

# A warehouse that has served before has the list already; the release makes it in any other.
_SERVED = """
do $$
begin
    if to_regclass('marts.dim_release') is not null then
        alter table marts.dim_release add column if not exists is_demonstration boolean not null default false;
        update marts.dim_release as served
        set is_demonstration = true
        from ops.release as r
        where r.release_id = served.release_id and r.is_demonstration;
    end if;
end
$$
"""


def upgrade() -> None:
    """Add the column, and fill it from the builds."""
    op.execute(_COLUMN)
    op.execute(_SERVED)
