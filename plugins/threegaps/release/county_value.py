"""A county's own figures before disclosure, of the release that serves: a view over ``exact.indicator_value``.

The county has no right on that schema: through the view it reads the rows that their policy lets it, and no past.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import Manifest
from threegaps.release.views import ensure_view


def apply_county_value(connection: psycopg.Connection[Any], manifest: Manifest, *, mark: str = "") -> None:
    """Make ``marts.county_value``, once the project serves exact figures; *mark* says what they are."""
    exact = next(
        (table for table in manifest.served if (table.schema, table.name) == ("exact", "indicator_value")), None
    )
    if exact is None:
        return
    ensure_view(
        connection,
        ("marts", "county_value"),
        sql.SQL("select * from exact.indicator_value where area_code = (select marts.county_of(current_user))"),
        exact.columns,
        comment="本县(市、区)未作披露控制的指标值,仅本县可见,不得转发"
        " | a county's own figures before disclosure: for itself alone, not to be passed on"
        f"{mark}",
        readers=("county_reader",),
    )
