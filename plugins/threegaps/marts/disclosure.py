"""Disclosure: which cells are too small to be published.

One step over all cells at once, after every indicator is made and before anything that readers see is derived from
them. **What it does now is primary suppression only**: cells that rest on fewer than ten persons, or, for figures on
employers, on fewer than three of them. It does not yet protect a suppressed cell from being recovered by subtraction
(from a total, from the level above, from another release), nor test complements and dominance. These secondary cells
belong in this same step, since they cross actions, levels, groups and periods: they go into the same table with a
reason of their own, and nothing downstream changes.

The pattern is a function of the cells alone, so that a rebuild gives the same one.
"""

from __future__ import annotations

from typing import Any

import psycopg

FEWEST_PERSONS = 10
FEWEST_EMPLOYERS = 3

# dbt makes the same table when it starts; whoever comes first does.
_TABLE = """
create table if not exists build.suppressed_cell (
    indicator_code text not null,
    area_code text not null,
    period_type text not null,
    period_start date not null,
    breakdown text not null,
    breakdown_value text not null,
    reason text not null,
    primary key (indicator_code, area_code, period_type, period_start, breakdown, breakdown_value)
)
"""
_PRIMARY = """
insert into build.suppressed_cell
    (indicator_code, area_code, period_type, period_start, breakdown, breakdown_value, reason)
select c.indicator_code, c.area_code, c.period_type, c.period_start, c.breakdown, c.breakdown_value,
       case i.disclosure when 'employers' then 'few_employers' else 'few_persons' end
from build.indicator_cell as c
join core.seed_indicator as i using (indicator_code)
where (i.disclosure in ('persons', 'employers') and c.n_persons < %(persons)s)
   or (i.disclosure = 'employers' and c.n_employers < %(employers)s)
"""


def suppress(connection: psycopg.Connection[Any]) -> int:
    """Decide anew which cells of ``build.indicator_cell`` are suppressed; how many.

    Writes ``build.suppressed_cell`` in one transaction; the downstream models take the figures away.
    """
    with connection.transaction():
        connection.execute(_TABLE)
        connection.execute("delete from build.suppressed_cell")
        written = connection.execute(_PRIMARY, {"persons": FEWEST_PERSONS, "employers": FEWEST_EMPLOYERS})
        return written.rowcount
