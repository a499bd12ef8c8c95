"""A county's own figures before disclosure, of the release that serves: a view over a function of the owner's.

The county has no right on ``exact.indicator_value``, not even under a policy: a condition on the table's key would be
looked up before the policy is asked, and the plan says how many rows of other counties that found. The function's plan
is its own.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import Manifest
from threegaps.release.views import ensure_view

_OWN_CELLS = """
create or replace function marts.cells_of_own_county() returns setof exact.indicator_value
    language plpgsql stable security definer set search_path = '' as
    $$
    begin
        return query
            select *
            from exact.indicator_value
            -- a role's name has another collation than the index, which without this is not used
            where area_code = (
                select marts.county_of(coalesce(nullif(current_setting('role'), 'none'), session_user)::name)
                    collate "default"
            );
    end
    $$;
revoke all on function marts.cells_of_own_county() from public;
grant execute on function marts.cells_of_own_county() to county_reader;
revoke all on exact.indicator_value from county_reader;
"""


def apply_county_value(connection: psycopg.Connection[Any], manifest: Manifest, *, mark: str = "") -> None:
    """Make ``marts.county_value``, once the project serves exact figures; *mark* says what they are."""
    exact = next(
        (table for table in manifest.served if (table.schema, table.name) == ("exact", "indicator_value")), None
    )
    if exact is None:
        return
    connection.execute(_OWN_CELLS)
    ensure_view(
        connection,
        ("marts", "county_value"),
        sql.SQL("select * from marts.cells_of_own_county()"),
        exact.columns,
        comment="本县(市、区)未作披露控制的指标值,仅本县可见,不得转发"
        " | a county's own figures before disclosure: for itself alone, not to be passed on"
        f"{mark}",
        readers=("county_reader",),
    )
