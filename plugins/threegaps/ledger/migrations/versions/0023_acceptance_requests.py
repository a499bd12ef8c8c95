"""Decisions of the duty page that a stopped batch is meant, which the feed's next load carries out; areas' counties.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TABLE = """
create table ops.acceptance_request (
    acceptance_request_id bigint generated always as identity primary key,
    batch_id bigint not null references ops.batch,
    rule text not null,
    accepted_by text not null,
    reason text not null,
    accepted_at timestamptz not null default clock_timestamp(),
    taken_up_at timestamptz,
    why_not text
);
create unique index acceptance_request_open on ops.acceptance_request (batch_id, rule) where taken_up_at is null;
comment on table ops.acceptance_request is
    'Who said of a stopped batch that it is meant, against which rule, for the next load of its feed to land and obey.';
comment on column ops.acceptance_request.taken_up_at is 'When a load landed it, or found that it does not hold.';
comment on column ops.acceptance_request.why_not is 'Why it does not hold any more; null where it was landed.';
"""

# What dbt makes anew with each build keeps no grant: who asks for this alone has no right on the tables.
_FUNCTION = """
create function ops.counties_of(areas text[]) returns setof text
    language plpgsql stable security definer set search_path = '' as
    $$
    begin
        return query select distinct m.county_code::text from core.area_member as m where m.area_code = any(areas);
    end
    $$;
revoke all on function ops.counties_of(text[]) from public;
comment on function ops.counties_of(text[]) is 'The counties that lie in some areas.';
"""


def upgrade() -> None:
    """Make them."""
    op.execute(_TABLE)
    op.execute(_FUNCTION)
