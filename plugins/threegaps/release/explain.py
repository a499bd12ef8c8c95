"""From a published figure to the batches and files behind it, and to why it changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from threegaps.errors import ReleaseError
from threegaps.marts import dbt_runner
from threegaps.marts.affected import touching_period
from threegaps.marts.manifest import Manifest
from threegaps.marts.reach import Reach
from threegaps.settings import Settings


@dataclass(frozen=True, slots=True)
class Explanation:
    """A served figure with all that stands behind it; suppressed figures are absent here too."""

    indicator_code: str
    name_zh: str | None
    name_en: str | None
    area_code: str
    area_name_zh: str | None
    period_label: str
    breakdown: str
    breakdown_value: str
    value: Decimal | None
    value_text: str
    value_text_en: str
    rounding: str
    unit_zh: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    formula_zh: str | None
    formula_en: str | None
    value_status: str
    maturity: str
    status: str | None
    target_value: Decimal | None
    change_on_year: Decimal | None
    change_unit: str | None
    covered_from: dt.date | None
    covered_to: dt.date | None
    is_revised: bool
    is_demonstration: bool
    data_as_of: dt.date | None
    release_id: int
    value_release_id: int
    said_since: dt.datetime
    why: list[dict[str, Any]]
    said_before: list[dict[str, Any]]
    files: list[dict[str, Any]]


_CELL = """
select v.*, n.value_text, n.value_text_en, i.name_zh, i.name_en, i.unit_zh, i.formula_zh, i.formula_en,
       a.name_zh as area_name_zh, r.released_at as said_since,
       (select is_demonstration from marts.dim_release where release_id = v.release_id) as is_demonstration
from marts.indicator_value as v
join marts.dim_release as r on r.release_id = v.value_release_id
join marts.indicator_named as n using (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
left join core.seed_indicator as i using (indicator_code)
left join marts.dim_area as a using (area_code)
where v.indicator_code = %s and v.area_code = %s and v.period_label = %s and v.breakdown = %s and v.breakdown_value = %s
"""
_BEFORE = """
select release_from, release_to, value, value_status from history.indicator_value
where indicator_code = %s and area_code = %s and period_type = %s and period_end = %s and breakdown = %s
  and breakdown_value = %s order by release_from desc
"""
# Touches that reach the slice, by the batch that left them; what no released build has used stands behind nothing yet,
# what an undo took back no longer does.
_BATCHES = """
select distinct t.batch_id from ops.touch as t
where t.cause = 'batch' and t.feed = %(feed)s and t.period_from <= %(last)s and t.period_to >= %(first)s
  and (%(everywhere)s or t.county_code in ('*', 'unknown', %(area)s) or t.county_code in
       (select county_code from core.area_member where area_code = %(area)s
        and valid_from <= %(period_end)s and %(period_end)s < valid_to))
  and exists (select from ops.build_input as i join ops.release as r using (build_id)
              where i.batch_id = t.batch_id and r.release_id <= %(release)s
                and not exists (select from ops.release as u
                                where u.undoes_release_id = r.release_id and u.release_id <= %(release)s))
"""
_FILES = """
select b.feed, b.delivery, b.batch_id, o.landed_object_id, o.source_name, o.arrival_number, o.size_bytes, o.sha256,
       o.fetched_at
from ops.batch as b join ops.batch_object using (batch_id) join ops.landed_object as o using (landed_object_id)
where b.batch_id = any(%s) order by b.feed, b.order_number, o.landed_object_id
"""
_WHY = """
select t.cause, coalesce(t.model, t.feed) as source, b.delivery, b.batch_id, count(*) as touches,
       min(t.period_from) filter (where isfinite(t.period_from)) as first_day,
       max(t.period_to) filter (where isfinite(t.period_to)) as last_day
from ops.release as r join ops.build_touch as bt using (build_id) join ops.touch as t using (touch_id)
left join ops.batch as b using (batch_id)
where r.release_id = %s and (t.cause <> 'batch' or t.batch_id = any(%s))
  and (t.model is null or t.model = any(%s))
group by 1, 2, 3, 4 order by 1, 2, 4
"""


def explain(
    dsn: str,
    code: str,
    area: str,
    period: str,
    *,
    breakdown: str = "total",
    breakdown_value: str = "total",
    manifest: Manifest | None = None,
) -> Explanation:
    """What is said for *code* in *area* and *period*, and what stands behind it.

    Args:
        dsn: The warehouse.
        code: An indicator.
        area: Code of an area.
        period: Label of a period: ``2026-06``, ``2026Q2``, ``2026年上半年``, ``2026``.
        breakdown: What the figure is broken down by.
        breakdown_value: Which part of it.
        manifest: The parsed dbt project; by default it is parsed now.

    Raises:
        ReleaseError: No such figure is served.
    """
    manifest = manifest or dbt_runner.parse_project(Settings.load())
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        cell = connection.execute(_CELL, [code, area, period, breakdown, breakdown_value]).fetchone()
        if cell is None:
            raise ReleaseError(
                f"Nothing is served for {code} in {area} and {period} ({breakdown} {breakdown_value}).",
                advice=_what_there_is(connection, code, area, period),
            )
        batches = _batches(connection, manifest, cell)
        key = [cell[name] for name in ("indicator_code", "area_code", "period_type", "period_end")]
        fields: dict[str, Any] = {name: cell[name] for name in Explanation.__slots__ if name in cell}
        return Explanation(
            **fields,
            why=_why(connection, manifest, cell, batches),
            said_before=connection.execute(_BEFORE, [*key, breakdown, breakdown_value]).fetchall(),
            files=connection.execute(_FILES, [batches]).fetchall(),
        )


def _what_there_is(connection: psycopg.Connection[dict[str, Any]], code: str, area: str, period: str) -> str:
    """What is served that comes nearest to what was asked for."""
    parts = connection.execute(
        "select distinct breakdown || '=' || breakdown_value as part from marts.indicator_value"
        " where indicator_code = %s and area_code = %s and period_label = %s order by 1",
        [code, area, period],
    ).fetchall()
    if parts:
        return f"it exists by parts: `--part` with one of {', '.join(row['part'] for row in parts)}."
    periods = connection.execute(
        "select period_label, max(period_end) as last_day from marts.indicator_value"
        " where indicator_code = %s and area_code = %s group by 1 order by 2 desc limit 6",
        [code, area],
    ).fetchall()
    if periods:
        return f"its latest periods there are {', '.join(row['period_label'] for row in periods)}."
    if connection.execute("select 1 from marts.indicator_value where indicator_code = %s limit 1", [code]).fetchone():
        return f"{code} is served for other areas: see `marts.dim_area` for the codes."
    return f"no indicator {code} is served: see `threegaps catalogue` for the codes."


def _batches(connection: psycopg.Connection[dict[str, Any]], manifest: Manifest, cell: Mapping[str, Any]) -> list[int]:
    found: set[int] = set()
    for feed, reach in _reaches(manifest, str(cell["indicator_code"])).items():
        first, last = touching_period(reach, cell["period_start"], cell["period_end"])
        rows = connection.execute(
            _BATCHES,
            {
                "feed": feed,
                "first": first,
                "last": last,
                "everywhere": reach.is_everywhere,
                "area": cell["area_code"],
                "period_end": cell["period_end"],
                "release": cell["value_release_id"],
            },
        ).fetchall()
        found |= {int(row["batch_id"]) for row in rows}
    return sorted(found)


def _reaches(manifest: Manifest, code: str) -> Mapping[str, Reach]:
    return next((indicator.reach for indicator in manifest.indicators if indicator.code == code), {})


def _why(
    connection: psycopg.Connection[dict[str, Any]], manifest: Manifest, cell: Mapping[str, Any], batches: list[int]
) -> list[dict[str, Any]]:
    release = connection.execute(
        "select r.kind, r.undoes_release_id, r.note, b.kind as build_kind, b.requested_by from ops.release as r"
        " left join ops.build as b using (build_id) where r.release_id = %s",
        [cell["value_release_id"]],
    ).fetchone()
    if release is not None and release["kind"] == "undo":
        return [{"cause": "undo", "source": f"release {release['undoes_release_id']}", "note": release["note"]}]
    feeding = [
        node["name"]
        for node in manifest.nodes.values()
        if cell["indicator_code"] in manifest.indicators_fed_by([node["name"]])
    ]
    causes = connection.execute(_WHY, [cell["value_release_id"], batches, feeding]).fetchall()
    if release is not None and release["build_kind"] == "full":
        # A full build makes everything anew, touched or not.
        causes.insert(0, {"cause": "full build", "source": release["requested_by"]})
    return causes
