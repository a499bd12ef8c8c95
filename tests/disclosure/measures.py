"""How much is still shown, how far it is off, and whether every figure follows from what is shown beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

# Cells on persons in which something was counted; a cell without anybody says nothing either way. Parts that are not
# served below a hidden total count as hidden, what is served nowhere of such areas and periods does not count.
_VISIBLE = """
with kinds as (
    select distinct indicator_code, area_level, period_type, breakdown,
        case when area_level = 'group' then area_code end as group_code
    from build.indicator_shown
)
select exact.area_level, exact.period_type, count(*), count(*) filter (where not shown.is_suppressed)
from build.indicator_measured as exact
inner join core.seed_indicator using (indicator_code)
inner join kinds
    on exact.indicator_code = kinds.indicator_code and exact.area_level = kinds.area_level
    and exact.period_type = kinds.period_type and exact.breakdown = kinds.breakdown
    and (kinds.group_code is null or exact.area_code = kinds.group_code)
left join build.indicator_shown as shown
    on exact.indicator_code = shown.indicator_code and exact.area_code = shown.area_code
    and exact.period_type = shown.period_type and exact.period_end = shown.period_end
    and exact.breakdown = shown.breakdown and exact.breakdown_value = shown.breakdown_value
left join build.indicator_shown as total
    on exact.indicator_code = total.indicator_code and exact.area_code = total.area_code
    and exact.period_type = total.period_type and exact.period_end = total.period_end
    and total.breakdown = 'total'
where seed_indicator.disclosure != 'none' and exact.n_persons > 0
    and (shown.indicator_code is not null or total.is_suppressed)
group by grouping sets ((exact.area_level, exact.period_type), ())
order by exact.area_level, exact.period_type
"""
_ROUNDING = """
select shown.area_level, shown.period_type, count(*),
    percentile_cont(0.5) within group (order by abs(shown.numerator - exact.numerator) / exact.numerator),
    percentile_cont(0.95) within group (order by abs(shown.numerator - exact.numerator) / exact.numerator)
from build.indicator_shown as shown
inner join build.indicator_measured as exact
    using (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
inner join core.seed_indicator using (indicator_code)
where seed_indicator.method = 'count' and seed_indicator.disclosure != 'none' and not shown.is_suppressed
group by grouping sets ((shown.area_level, shown.period_type), ())
order by shown.area_level, shown.period_type
"""
_SHARES = """
with errors as (
    select exact.denominator,
        100 * abs(
            (floor(exact.numerator / 10) * 10 + 5) / (floor(exact.denominator / 10) * 10 + 5)
            - exact.numerator / exact.denominator
        ) as points
    from build.indicator_measured as exact
    inner join core.seed_indicator using (indicator_code)
    where seed_indicator.method = 'ratio_of_sums' and seed_indicator.disclosure = 'persons'
        and exact.numerator >= 10 and exact.denominator - exact.numerator >= 10
)
select bands.lowest, count(*),
    percentile_cont(0.5) within group (order by errors.points),
    percentile_cont(0.95) within group (order by errors.points)
from errors
inner join (values (20, 50), (50, 100), (100, 200), (200, 500), (500, 1000), (1000, 100000000)) as bands (lowest, above)
    on errors.denominator >= bands.lowest and errors.denominator < bands.above
group by bands.lowest
order by bands.lowest
"""
# A value that is neither its parts' quotient nor its count tells something that they do not.
_UNDERIVED = """
select count(*)
from build.indicator_value as cell
inner join core.seed_indicator using (indicator_code)
left join build.indicator_value as before
    on cell.indicator_code = before.indicator_code and cell.area_code = before.area_code
    and cell.period_type = before.period_type
    and before.period_end = (cell.period_end + 1 - interval '1 year')::date - 1
    and cell.breakdown = before.breakdown and cell.breakdown_value = before.breakdown_value
where seed_indicator.disclosure != 'none' and (
    seed_indicator.method in ('count', 'sum', 'ratio_of_sums')
    and cell.value != round(cell.numerator / coalesce(nullif(cell.denominator, 0), 1) * seed_indicator.unit_scale, 4)
    or cell.value is not null and cell.numerator is null and seed_indicator.method in ('count', 'sum', 'ratio_of_sums')
    or cell.value is null and (cell.target_progress is not null or cell.change_on_year is not null)
    or cell.change_on_year is not null and before.value is null
)
"""


def visible(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """The share of cells with anybody in them that are shown, by level of area and type of period."""
    for level, period_type, cells, shown in connection.execute(_VISIBLE):
        yield f"shown {level or 'all'} {period_type or ''}: {shown} of {cells} cells, {100 * shown / cells:.1f} %"


def rounding(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """How far shown counts are off, relative to the exact ones."""
    for level, period_type, cells, median, high in connection.execute(_ROUNDING):
        yield (
            f"error of counts {level or 'all'} {period_type or ''}: median {100 * median:.2f} %,"
            f" 95 of 100 under {100 * high:.2f} % ({cells} cells)"
        )


def shares(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """How far shares from parts in tens are off, by the persons of the denominator."""
    for lowest, cells, median, high in connection.execute(_SHARES):
        yield (
            f"error of shares from {lowest} persons: median {median:.1f} points,"
            f" 95 of 100 under {high:.1f} ({cells} cells)"
        )


def underived(connection: psycopg.Connection[Any]) -> int:
    """How many shown values do not follow from what is shown."""
    row = connection.execute(_UNDERIVED).fetchone()
    return int(row[0]) if row else 0
