"""Relations that must hold between the figures of one build, before disclosure.

Which indicators must stand how to each other, to published figures and to what their sources say besides, are rows of
``seed_identity``; among them that a stock differs from that of the period before by what came and went. Two kinds
follow from the catalogue alone: parts whose numerators add up to their total (``seed_breakdown.numerators_add_up_to``),
and shares in per cent, which lie within 0 to 100.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import psycopg

_BROKEN = """
with cell as (
    select
        c.*, i.unit_zh, i.method,
        m.numerator_is in ('count', 'amount') and m.value_from <> 'ratio_of_quotients' as adds_up
    from build.indicator_cell as c
    inner join core.seed_indicator as i using (indicator_code)
    inner join core.seed_method as m using (method)
),
parts as (
    select
        c.indicator_code || '/' || c.breakdown as identity_code, 'stop' as severity,
        'parts add up to their total' as basis, c.area_code, c.period_type, c.period_end,
        sum(c.numerator) as said, min(t.numerator) as wanted, 'equals' as relation
    from cell as c
    inner join core.seed_breakdown as b using (breakdown)
    inner join cell as t
        on c.indicator_code = t.indicator_code and c.area_code = t.area_code and c.period_type = t.period_type
            and c.period_end = t.period_end and t.breakdown = 'total'
    where b.numerators_add_up_to = 'numerator' and c.adds_up and c.breakdown <> 'total' and t.numerator is not null
    group by c.indicator_code, c.breakdown, c.area_code, c.period_type, c.period_end
),
shares as (
    select
        indicator_code || '/share' as identity_code, 'stop' as severity, 'a share lies within 0 to 100' as basis,
        area_code, period_type, period_end, numerator as said, denominator as wanted, 'at_most' as relation
    from cell
    where unit_zh = '%' and method in ('ratio_of_sums', 'ratio_of_distinct') and numerator is not null
),
side as (
    select s.*, c.area_code, c.area_level, c.period_type, c.period_end,
        case s.part when 'numerator' then c.numerator when 'denominator' then c.denominator else c.value end as said
    from core.seed_identity as s
    inner join cell as c using (indicator_code, breakdown, breakdown_value)
    where s.relation <> 'change' and (s.levels = 'any' or c.area_level = any(string_to_array(s.levels, ',')))
),
pairs as (
    select
        side.identity_code, side.severity, side.basis_zh || ' ' || side.basis_en as basis, side.area_code,
        side.period_type, side.period_end, side.said,
        case side.other_part when 'numerator' then o.numerator when 'denominator' then o.denominator else o.value end
            as wanted,
        side.relation
    from side
    inner join cell as o
        on side.other_indicator_code = o.indicator_code and side.other_breakdown = o.breakdown
            and side.other_breakdown_value = o.breakdown_value and side.area_code = o.area_code
            and side.period_type = o.period_type and side.period_end = o.period_end
),
published_figure as (
    select area_code, as_of, item, value from build.int_published_figure
    union all
    select area_code, period_end, '城乡居民收入比', urban_rural_ratio_printed from core.fct_resident_income
    where definition = 'integrated' and urban_rural_ratio_printed is not null
),
published as (
    select
        side.identity_code, side.severity, side.basis_zh || ' ' || side.basis_en, side.area_code, side.period_type,
        side.period_end, side.said, f.value, side.relation
    from side
    cross join lateral (
        select p.value from published_figure as p
        where p.area_code = side.area_code and p.item = side.published_item and p.as_of <= side.period_end
            and (side.relation = 'at_most' or p.as_of = side.period_end)
        order by p.as_of desc limit 1
    ) as f
    where side.published_item is not null
),
sources as (
    select
        s.identity_code, s.severity, s.basis_zh || ' ' || s.basis_en, '330000', 'quarter', k.period_end,
        coalesce(k.said, side.said), k.wanted, s.relation
    from core.seed_identity as s
    inner join build.int_source_check as k using (identity_code)
    left join side
        on s.identity_code = side.identity_code and side.area_level = 'province' and k.period_end = side.period_end
            and side.part <> 'source'
),
-- of each stock that has a figure of the period before
changes as (
    select
        s.identity_code, s.severity, s.basis_zh || ' ' || s.basis_en, c.area_code, c.period_type, c.period_end,
        c.numerator - p.numerator, coalesce(flow.change, 0), 'equals'
    from core.seed_identity as s
    inner join cell as c using (indicator_code, breakdown, breakdown_value)
    inner join cell as p
        on c.indicator_code = p.indicator_code and c.breakdown = p.breakdown and c.breakdown_value = p.breakdown_value
            and c.area_code = p.area_code and c.period_type = p.period_type and c.period_start = p.period_end + 1
    cross join lateral (
        select sum(f.change) as change from build.int_stock_change as f
        where f.identity_code = s.identity_code and (c.area_level = 'province' or f.area_code = c.area_code)
            and f.changed_on > p.period_end and f.changed_on <= c.period_end
    ) as flow
    where s.relation = 'change' and c.area_level = any(string_to_array(s.levels, ','))
),
stated as (
    select * from parts union all select * from shares union all select * from pairs union all select * from published
    union all select * from sources union all select * from changes
)
select identity_code, severity, min(basis), count(*), min(period_end)
from stated
where case relation
    when 'equals' then said <> wanted
    when 'rounds_to' then abs(said - wanted) > 0.005
    else said > wanted or said < 0
end
group by identity_code, severity
order by identity_code
"""


class Broken(NamedTuple):
    """A relation that does not hold: in how many cells, and the last day of the first such period.

    *severity* is ``stop`` where it keeps a release back, ``warn`` where someone should look.
    """

    identity_code: str
    severity: str
    basis: str
    cells: int
    first_period_end: dt.date

    def __str__(self) -> str:
        return (
            f"{self.identity_code} ({self.basis}) does not hold in {self.cells} cells,"
            f" first in the period to {self.first_period_end}"
        )


def broken(connection: psycopg.Connection[Any]) -> list[Broken]:
    """The relations that the build in the warehouse breaks; none where it has no cells yet."""
    known = connection.execute(
        "select bool_and(to_regclass(name) is not null) from unnest(array['build.indicator_cell', 'core.seed_identity',"
        " 'build.int_published_figure', 'core.fct_resident_income', 'build.int_source_check',"
        " 'build.int_stock_change']) as name"
    ).fetchone()
    if known is None or not known[0]:
        return []
    return [Broken(*row) for row in connection.execute(_BROKEN.encode()).fetchall()]
