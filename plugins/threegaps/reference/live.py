"""What the release that serves says of each indicator: how far it covers, and how far it is revised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from threegaps.errors import SettingsError
from threegaps.release.marks import SYNTHETIC
from threegaps.settings import Settings

_SECONDS_TO_CONNECT = 3

_RELEASE = """
select r.release_id, r.as_of, r.released_at, r.is_demonstration,
       strpos(obj_description('marts.indicator_value'::regclass), %s) > 0 as is_synthetic
from ops.current_release as c join ops.release as r using (release_id)
"""
# The whole where there is one, else its parts; whole and parts together would count one area several times.
_COVERAGE = """
with cell as (
    select *, bool_or(breakdown = 'total') over (partition by indicator_code) as has_total
    from marts.indicator_value
)
select indicator_code, area_level, period_type, count(*) as cells, count(value) as shown,
       round(count(value) * 100.0 / count(*), 1) as percent,
       count(*) filter (where value_status = 'suppressed') as suppressed,
       count(*) filter (where value_status = 'immature') as immature,
       count(*) filter (where value_status = 'not_supplied') as not_supplied,
       count(*) filter (where value_status = 'not_applicable') as not_applicable,
       (array_agg(period_label order by period_end))[1] as first_period,
       (array_agg(period_label order by period_end desc))[1] as last_period,
       (array_agg(period_label order by period_end desc) filter (where value is not null))[1] as last_shown
from cell
where breakdown = 'total' or not has_total
group by indicator_code, area_level, period_type
order by indicator_code, array_position(array['province', 'city', 'county', 'group', 'other'], area_level),
         array_position(array['day', 'month', 'quarter', 'ytd', 'year'], period_type)
"""
_REVISIONS = """
select indicator_code, area_level, period_type, sum(figures) as figures, sum(revised) as revised,
       round(sum(revised) * 100 / sum(figures), 2) as percent,
       max(relative_mean_absolute_revision) as largest_relative
from marts.indicator_revision_rate
group by indicator_code, area_level, period_type
order by indicator_code, array_position(array['province', 'city', 'county', 'group', 'other'], area_level),
         array_position(array['day', 'month', 'quarter', 'ytd', 'year'], period_type)
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Live:
    """What a release says of the indicators.

    Args:
        release_id: The release.
        as_of: The day that it looks from.
        released_at: When it was made.
        is_synthetic: Whether its figures are the sandbox's.
        is_demonstration: Whether they are shown without disclosure control.
        coverage: By indicator, for each level of areas and type of periods: the cells, those with a figure, why the
            others have none, the first and the newest period.
        revisions: By indicator, likewise: the figures that were said as final, and those that were revised.
    """

    release_id: int
    as_of: dt.date
    released_at: dt.datetime
    is_synthetic: bool
    is_demonstration: bool
    coverage: Mapping[str, Sequence[Row]]
    revisions: Mapping[str, Sequence[Row]]


def read_live(settings: Settings) -> Live | None:
    """What the warehouse of *settings* serves; None where none is reachable, or where nothing was released yet."""
    try:
        with psycopg.connect(
            settings.warehouse_dsn(), row_factory=dict_row, connect_timeout=_SECONDS_TO_CONNECT
        ) as connection:
            return live_of(connection)
    except (SettingsError, psycopg.OperationalError):
        return None


def live_of(connection: psycopg.Connection[dict[str, Any]]) -> Live | None:
    """What a warehouse serves; None where nothing was released yet."""
    row = connection.execute("select to_regclass('marts.indicator_revision_rate') is not null as present").fetchone()
    if row is None or not row["present"]:
        return None
    release = connection.execute(_RELEASE, [SYNTHETIC]).fetchone()
    if release is None:
        return None
    return Live(
        **release,
        coverage=_by_indicator(connection.execute(_COVERAGE).fetchall()),
        revisions=_by_indicator(connection.execute(_REVISIONS).fetchall()),
    )


def _by_indicator(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["indicator_code"]), []).append(row)
    return found
