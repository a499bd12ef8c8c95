"""What the command line asks the warehouse; every answer is a list of rows by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from threegaps.errors import ReleaseError
from threegaps.ledger.batches import SUMS_OF_BATCHES
from threegaps.ledger.odd_moments import take_odd_moments
from threegaps.release import holds
from threegaps.release.arrival import arrived
from threegaps.release.holds import Hold
from threegaps.release.listed import RELEASES
from threegaps.settings import Settings
from threegaps.warehouse import quarantine

Row = dict[str, Any]

FEEDS = SUMS_OF_BATCHES

BATCHES = """
select batch_id, feed, delivery, status, received, accepted, refused, duplicates, inserted, changed, unchanged,
       withdrawn, stop_rule, message_zh, message_en, started_at, finished_at
from ops.batch
where (%(feed)s::text is null or feed = %(feed)s) and (%(status)s::text is null or status = %(status)s)
order by batch_id desc limit %(limit)s
"""

CHECKS = """
select rule, expectation, column_name, action, evaluated, unexpected, outcome, is_certified
from ops.check_result
where batch_id = %(batch)s
order by unexpected = 0, rule limit %(limit)s
"""

STRUCTURAL_LINES = """
select l.source_name, s.sheet, s.line, s.reason
from ops.structural_line s join ops.landed_object l using (landed_object_id)
where s.batch_id = %(batch)s
order by s.landed_object_id, s.sheet nulls first, s.line, s.reason limit %(limit)s
"""

REFUSED_ROWS = """
select row_token, feed, delivery, county_code, reasons, row_data, refused_at
from quarantine.refused_row
where closed_by_batch_id is null
  and (%(feed)s::text is null or feed = %(feed)s) and (%(delivery)s::text is null or delivery = %(delivery)s)
  and (%(batch)s::bigint is null or batch_id = %(batch)s)
  and (%(rule)s::text is null or reasons @> jsonb_build_array(jsonb_build_object('rule', %(rule)s::text)))
order by refused_at desc, row_token limit %(limit)s
"""

REFUSED_BY_RULE = f"""
select r.feed, r.rule, r.message_zh, r.message_en, r.refused_rows, r.first_delivery, r.last_delivery
from ({quarantine.REFUSED_BY_RULE}) as r order by r.feed, r.refused_rows desc, r.rule
"""

PENDING = """
select b.feed, count(*) as batches, min(b.finished_at) as oldest
from ops.batch b
where b.batch_id = any(%(pending)s)
group by b.feed order by b.feed
"""

CURRENT_RELEASE = """
select r.release_id, r.kind, r.as_of, r.released_at, r.cells_inserted, r.cells_changed, r.cells_removed, r.note,
       r.is_demonstration
from ops.current_release c join ops.release r using (release_id)
"""

# Of the rows that releases counted, those of figures: the other relations show them again, or speak of feeds and codes.
FIGURES_OF_RELEASES = """
with said as (
    select indicator_code, area_code, period_type, period_end, breakdown, breakdown_value,
           value_release_id as release_id
    from marts.indicator_value_stored where value_release_id = any(%(releases)s)
    union all
    select indicator_code, area_code, period_type, period_end, breakdown, breakdown_value, release_from
    from history.indicator_value where release_from = any(%(releases)s)
), ended as (
    select indicator_code, area_code, period_type, period_end, breakdown, breakdown_value, release_to as release_id
    from history.indicator_value where release_to = any(%(releases)s)
)
select release_id, count(*) filter (where e.is_there is null) as figures_new,
       count(*) filter (where s.is_there and e.is_there) as figures_changed,
       count(*) filter (where s.is_there is null) as figures_gone
from (select *, true as is_there from said) as s
full join (select *, true as is_there from ended) as e
    using (release_id, indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
group by release_id
"""

# How far figures are revised; an indicator that was never said as final has no line.
REVISION_RATES = """
select r.indicator_code, i.name_zh, i.name_en, i.unit_zh, r.area_level, r.period_type, r.breakdown, r.figures,
       r.revised, r.revised_percent, r.mean_revision, r.mean_absolute_revision, r.relative_mean_absolute_revision
from marts.indicator_revision_rate as r join marts.dim_indicator as i using (indicator_code)
order by r.indicator_code, r.breakdown <> 'total', r.breakdown,
         array_position(array['province', 'city', 'county', 'group', 'other'], r.area_level), r.period_type
"""

_SETTLES = """
select indicator_code, name_zh, name_en, matures_after_months, settles_zh, settles_en
from core.seed_indicator where is_built
"""

METHODS = "select method, name_zh, name_en from core.seed_method"
UNITS = "select unit_zh, unit_en from core.seed_unit"

# One line for each indicator: its newest final province figure, the whole rather than a part where there is one; else
# senior workers (level 3), and the list of counties in force.
PROVINCE_FIGURES = """
select distinct on (i.indicator_code)
       d.action_code, d.action_name_zh, d.action_name_en, d.is_published_figure,
       i.indicator_code, d.name_zh, d.name_en, d.unit_zh, d.method, d.direction, i.period_label, i.breakdown,
       i.breakdown_value, i.value, i.value_text, i.value_text_en, i.rounding, i.target_value,
       i.status, i.maturity, i.change_on_year,
       exists (select from marts.dim_target t where t.indicator_code = i.indicator_code
               and t.area_code = i.area_code and t.period_type = i.period_type and t.breakdown = i.breakdown
               and t.breakdown_value = i.breakdown_value and t.target_value = i.target_value and not t.is_confirmed)
           as is_target_unconfirmed
from marts.indicator_named i join marts.dim_indicator d using (indicator_code)
where i.area_level = 'province' and i.value is not null
order by i.indicator_code, (i.breakdown = 'total') desc, (i.breakdown_value in ('3', 'in_force')) desc,
         (i.maturity = 'final') desc, i.period_end desc,
         array_position(array['year', 'ytd', 'quarter', 'month', 'day'], i.period_type), i.breakdown, i.breakdown_value
"""


def connect(settings: Settings) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to the warehouse, in autocommit, for what people look at and act on."""
    connection = psycopg.connect(settings.warehouse_dsn(), autocommit=True)
    take_odd_moments(connection)
    return connection


def ask(settings: Settings, query: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Row]:
    """All rows of one question to the warehouse."""
    with connect(settings) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def ask_some(settings: Settings, query: str, parameters: Mapping[str, Any], *, limit: int) -> tuple[Sequence[Row], int]:
    """The first *limit* rows of a question that ends with ``limit %(limit)s``, and how many there are in all."""
    with connect(settings) as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query.encode(), {**parameters, "limit": limit}).fetchall()
        if len(rows) < limit:
            return rows, len(rows)
        counted = f"select count(*) as rows from ({query}) as asked"
        row = cursor.execute(counted.encode(), {**parameters, "limit": None}).fetchone()
        return rows, int(row["rows"]) if row else len(rows)


def releases(settings: Settings, *, limit: int) -> tuple[list[Row], int]:
    """The newest releases with how many figures each of them changed, and how many releases there are."""
    found, total = ask_some(settings, RELEASES, {}, limit=limit)
    figures: dict[int, Row] = {}
    if has_release(settings):
        asked = {"releases": [row["release_id"] for row in found]}
        figures = {row.pop("release_id"): row for row in ask(settings, FIGURES_OF_RELEASES, asked)}
    return [{**row, **figures.get(row["release_id"], {})} for row in found], total


def held(settings: Settings) -> list[Row]:
    """What undos hold back, with the indicators whose figures it reaches, and what is free and stays unseen for it."""
    return [dataclasses.asdict(hold) for hold in holds_now(settings)]


def holds_now(settings: Settings) -> tuple[Hold, ...]:
    """What undos hold back now."""
    with connect(settings) as connection:
        return holds.held(connection)


def arrivals(settings: Settings) -> Sequence[Row]:
    """What was there of each indicator when its figures became final, beside what is declared of it."""
    with connect(settings) as connection:
        found = arrived(connection)
    names = {row["indicator_code"]: row for row in ask(settings, _SETTLES)} if found else {}
    return [
        {
            **names[one.indicator_code],
            "periods": one.periods,
            "percent": None if one.percent is None else round(one.percent, 2),
            "said": "尚不能判断 | cannot tell yet" if one.percent is None else "实测 | measured",
        }
        for one in found
    ]


def need_release(settings: Settings) -> None:
    """See that there are served tables to ask.

    Raises:
        ReleaseError: There is no release yet.
    """
    if not has_release(settings):
        raise ReleaseError("There is no release yet.", advice=NO_RELEASE_ADVICE)


NO_RELEASE_ADVICE = "`threegaps up --run` makes the first; where the services run, `threegaps build`."


def has_release(settings: Settings) -> bool:
    """Whether there are served tables to ask."""
    row = ask(settings, "select to_regclass('marts.indicator_value') is not null as present")
    return bool(row[0]["present"]) and bool(ask(settings, CURRENT_RELEASE))
