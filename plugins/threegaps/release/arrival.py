"""How much of what is counted now was there when a figure was first said as final.

Revisions of values do not say it: a share whose both sides are short by the same part stays as it is. So the persons
behind the province's figures are compared, before disclosure and apart from rounding; where nobody is counted, as of a
roster, the figure itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg

LEAST_ARRIVED_PERCENT = 99.5
"""What must be there when a figure is called final (docs/catalogue.md, Revisions)."""
FEWEST_PERIODS = 3
DAYS_WATCHED = 30
"""So many days of data must have come after a figure was first final before it says anything."""

# What was final in the first release of all had been complete for long: it does not show how it came. The past is read
# by its key, one indicator and one area at a time. What was undone counts as never said.
_ARRIVED = """
with release as (
    select r.release_id, r.as_of, min(r.release_id) over () as first_release_id, max(r.as_of) over () as newest_as_of
    from ops.release as r
    where r.kind <> 'undo'
      and not exists (select from ops.release as u where u.undoes_release_id = r.release_id)
),
indicator as (
    select indicator_code from core.seed_indicator where is_built and matures_after_months > 0
),
said as (
    select indicator_code, period_type, period_end, breakdown, breakdown_value,
           coalesce(n_persons, numerator) as counted, maturity, release_from as release_id, false as is_served
    from exact.indicator_value_past
    where indicator_code = any(array(select indicator_code from indicator)) and area_code = '330000'
    union all
    select indicator_code, period_type, period_end, breakdown, breakdown_value,
           coalesce(n_persons, numerator), maturity, value_release_id, true
    from exact.indicator_value
    where indicator_code = any(array(select indicator_code from indicator)) and area_code = '330000'
),
-- a statement that an undo brought back has the number of the undo: it serves, and begins nothing
figure as (
    select indicator_code, period_type, period_end, breakdown, breakdown_value,
           (array_agg(counted order by release_id) filter (where may_begin))[1] as at_first,
           min(release_id) filter (where may_begin) as final_release_id,
           max(counted) filter (where is_served) as counted_now
    from (
        select said.*, maturity = 'final' and release.release_id is not null as may_begin
        from said left join release on said.release_id = release.release_id
    ) as said
    group by indicator_code, period_type, period_end, breakdown, breakdown_value
),
watched as (
    select figure.*
    from figure join release on figure.final_release_id = release.release_id
    where release.release_id > release.first_release_id and release.newest_as_of >= release.as_of + %(days)s
      and at_first is not null and counted_now is not null
)
select indicator.indicator_code, count(distinct (period_type, period_end)) filter (where period_end is not null),
       (100 - 100 * sum(abs(counted_now - at_first)) / nullif(sum(greatest(counted_now, at_first)), 0))::float8
from indicator left join watched using (indicator_code)
group by indicator.indicator_code
order by indicator.indicator_code
"""


class Arrived(NamedTuple):
    """What was there of an indicator when its figures became final.

    Args:
        indicator_code: The indicator.
        periods: Periods whose figures became final while the warehouse watched, long enough ago.
        percent: Of what is counted now; what has gone since counts against it too. None: cannot tell yet.
    """

    indicator_code: str
    periods: int
    percent: float | None

    @property
    def is_short(self) -> bool:
        """Whether the declared lag is known to be too short."""
        return self.percent is not None and self.percent < LEAST_ARRIVED_PERCENT

    def __str__(self) -> str:
        said = "cannot tell yet" if self.percent is None else f"{self.percent:.2f} %"
        return f"{self.indicator_code} {said}"


def arrived(connection: psycopg.Connection[Any], *, fewest_periods: int = FEWEST_PERIODS) -> list[Arrived]:
    """Every built indicator that is not final on publication; empty where nothing has been released yet.

    Args:
        connection: The warehouse, as its owner.
        fewest_periods: Fewer periods than this say nothing.
    """
    row = connection.execute(
        "select num_nulls(to_regclass('exact.indicator_value'), to_regclass('exact.indicator_value_past'),"
        " to_regclass('core.seed_indicator')) = 0"
    ).fetchone()
    if row is None or not row[0]:
        return []
    rows = connection.execute(_ARRIVED.encode(), {"days": DAYS_WATCHED}).fetchall()
    return [
        Arrived(str(code), int(periods), share if periods >= fewest_periods else None) for code, periods, share in rows
    ]
