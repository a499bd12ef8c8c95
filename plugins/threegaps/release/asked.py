"""Which served figure a question means, and what there is in its stead where it means none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.standards.areas import successors

LATEST = "latest"
"""In place of a period: the newest settled one that has a figure, the longest of those that end with it."""

# Whoever asks for the newest wants a figure: one that is hidden or still provisional only where there is no other.
_LATEST = """
select period_label from marts.indicator_value
where indicator_code = %s and area_code = %s and breakdown = %s and breakdown_value = %s
order by value is null, maturity <> 'final', period_end desc,
         array_position(array['year', 'ytd', 'quarter', 'month', 'day'], period_type) limit 1
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure that is asked for.

    Args:
        code: An indicator.
        area: Code of an area.
        period: Label of a period.
        breakdown: What the figure is broken down by.
        breakdown_value: Which part of it.
    """

    code: str
    area: str
    period: str
    breakdown: str = "total"
    breakdown_value: str = "total"

    def as_served(self, connection: psycopg.Connection[dict[str, Any]]) -> Asked:
        """The same as the release writes it: codes in its letters, ``latest`` as the label of a period."""
        row = connection.execute(
            "select indicator_code from marts.dim_indicator where lower(indicator_code) = lower(%s)", [self.code]
        ).fetchone()
        code = self.code if row is None else str(row["indicator_code"])
        area, period = self.area.upper(), self.period
        if period.lower() == LATEST:
            row = connection.execute(_LATEST, [code, area, self.breakdown, self.breakdown_value]).fetchone()
            period = period if row is None else str(row["period_label"])
        return Asked(code, area, period, self.breakdown, self.breakdown_value)


def what_there_is(connection: psycopg.Connection[dict[str, Any]], asked: Asked) -> str:
    """What is served that comes nearest to what was asked for, where that is not served."""
    parts = connection.execute(
        "select distinct breakdown || '=' || breakdown_value as part from marts.indicator_value"
        " where indicator_code = %s and area_code = %s and (period_label = %s or lower(%s) = 'latest') order by 1",
        [asked.code, asked.area, asked.period, asked.period],
    ).fetchall()
    if parts:
        return f"it exists by parts: `--part` with one of {', '.join(row['part'] for row in parts)}."
    periods = connection.execute(
        "select period_label, max(period_end) as last_day from marts.indicator_value"
        " where indicator_code = %s and area_code = %s group by 1 order by 2 desc limit 6",
        [asked.code, asked.area],
    ).fetchall()
    if periods:
        return f"its latest periods there are {', '.join(row['period_label'] for row in periods)}."
    row = connection.execute(
        "select 1 from marts.indicator_value where indicator_code = %s limit 1", [asked.code]
    ).fetchone()
    if row is None:
        return f"no indicator {asked.code} is served: see `threegaps catalogue` for the codes."
    if became := successors(asked.area):
        return f"{asked.area} is no longer in force, it became {_with_names(connection, became)}: ask for that."
    return f"{asked.code} is served for other areas: see `marts.dim_area` for the codes."


def _with_names(connection: psycopg.Connection[dict[str, Any]], codes: tuple[str, ...]) -> str:
    rows = connection.execute("select area_code, name_zh from marts.dim_area where area_code = any(%s)", [list(codes)])
    names = {str(row["area_code"]): f" {row['name_zh']}" for row in rows}
    return ", ".join(f"{code}{names.get(code, '')}" for code in codes)
