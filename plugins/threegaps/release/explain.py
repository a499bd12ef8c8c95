"""From a published figure to the batches and files behind it, and to why it changed."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from threegaps.errors import ReleaseError
from threegaps.labels import VALUE_STATUSES
from threegaps.ledger.batches import latest_first
from threegaps.marts.affected import touching_period
from threegaps.marts.reach import Reach
from threegaps.release.asked import Asked, what_there_is
from threegaps.release.inputs import Inputs, inputs_of
from threegaps.release.marks import SYNTHETIC
from threegaps.release.target_text import number_text, target_text
from threegaps.warehouse.quarantine import broken_rules


@dataclass(frozen=True, slots=True)
class Explanation:
    """A served figure with all that stands behind it; suppressed figures are absent here too."""

    indicator_code: str
    name_zh: str | None
    name_en: str | None
    area_code: str
    area_name_zh: str | None
    area_name_en: str | None
    period_label: str
    breakdown: str
    breakdown_zh: str
    breakdown_en: str
    breakdown_value: str
    breakdown_value_zh: str
    breakdown_value_en: str
    value: Decimal | None
    value_text: str
    value_text_en: str
    rounding: str
    unit_zh: str | None
    unit_en: str | None
    method: str | None
    method_zh: str | None
    method_en: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    formula_zh: str | None
    formula_en: str | None
    calculation_zh: str
    calculation_en: str
    value_status: str
    value_status_zh: str
    value_status_en: str
    maturity: str
    maturity_zh: str
    maturity_en: str
    status: str | None
    status_zh: str | None
    status_en: str | None
    target_value: Decimal | None
    target_text: str | None
    target: dict[str, Any] | None
    status_note_zh: str | None
    status_note_en: str | None
    target_progress: Decimal | None
    due_progress: Decimal | None
    time_progress: Decimal | None
    progress_gap: Decimal | None
    change_on_year: Decimal | None
    change_unit: str | None
    change_unit_zh: str | None
    change_unit_en: str | None
    covered_from: dt.date | None
    covered_to: dt.date | None
    is_revised: bool
    is_demonstration: bool
    caveat_zh: str | None
    caveat_en: str | None
    data_are_zh: str
    data_are_en: str
    data_as_of: dt.date | None
    other_targets: list[dict[str, Any]]
    release_id: int
    value_release_id: int
    said_since: dt.datetime
    why: list[dict[str, Any]]
    said_before: list[dict[str, Any]]
    feeds: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    files: list[dict[str, Any]]


_CELL = """
select v.*, n.value_text, n.value_text_en, n.value_status_zh, n.value_status_en, n.maturity_zh, n.maturity_en,
       n.status_zh, n.status_en, n.change_unit_zh, n.change_unit_en, n.breakdown_zh, n.breakdown_en,
       n.breakdown_value_zh, n.breakdown_value_en, n.area_name_en, n.unit_en, n.progress_gap, i.direction,
       i.name_zh, i.name_en, i.unit_zh, i.formula_zh, i.formula_en,
       i.unit_scale, i.method, i.time_basis, m.value_from, m.name_zh as method_zh, m.name_en as method_en,
       d.caveat_zh, d.caveat_en, d.is_published_figure,
       strpos(obj_description('marts.indicator_value'::regclass), %s) > 0 as is_synthetic,
       n.area_name_zh, r.released_at as said_since,
       (select is_demonstration from marts.dim_release where release_id = v.release_id) as is_demonstration
from marts.indicator_value as v
join marts.dim_release as r on r.release_id = v.value_release_id
join marts.indicator_named as n using (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
left join core.seed_indicator as i using (indicator_code)
left join core.seed_method as m using (method)
left join marts.dim_indicator as d using (indicator_code)
where v.indicator_code = %s and v.area_code = %s and v.period_label = %s and v.breakdown = %s and v.breakdown_value = %s
"""
# As a build chooses (macro compared_cells): the next day that is not past, for what flows one for its own time alone;
# of versions that state the same, the later plan's.
_TARGET = """
select target_date, target_value, baseline_date, baseline_value, basis_zh, basis_en, plan_version,
       source_document_zh, source_document_en, is_confirmed
from marts.dim_target
where indicator_code = %(indicator_code)s and area_code = %(area_code)s and period_type = %(period_type)s
  and breakdown = %(breakdown)s and breakdown_value = %(breakdown_value)s and target_value = %(target_value)s
  and baseline_date < %(period_end)s
  and (%(time_basis)s::text is distinct from 'flow'
       or (baseline_date < %(period_start)s and %(period_end)s <= target_date))
order by target_date < %(period_end)s, abs(target_date - %(period_end)s), is_plan_in_force desc,
         plan_issued_on desc limit 1
"""
# What is aimed at for other days, and what the plan's earlier versions said, the whole of it.
_TARGETS = """
select target_date, target_value, baseline_date, baseline_value, basis_zh, basis_en, plan_version
from marts.dim_target
where indicator_code = %(indicator_code)s and area_code = %(area_code)s and period_type = %(period_type)s
  and breakdown = %(breakdown)s and breakdown_value = %(breakdown_value)s
order by target_date, plan_issued_on
"""
_FEEDS = """
select feed, name_zh, name_en, statutory_mark, form_number, form_agency_zh, form_approval_number, form_valid_until,
       is_form_example, is_form_expired
from marts.dim_feed where feed = any(%s) order by feed
"""
# Rows of the batches behind the figure that wait in quarantine; of a row whose county is not known nobody can say that
# it is not of the area.
_REFUSED = f"""
with refused as (
    select r.feed, r.batch_id, reason.rule, min(reason.message_zh) as message_zh,
           min(reason.message_en) as message_en, count(*) as rows,
           count(*) filter (where r.county_code = 'unknown') as of_unknown_county
    from quarantine.refused_row as r cross join lateral {broken_rules("r")} as reason
    where r.closed_by_batch_id is null and r.batch_id = any(%(batches)s)
      and (r.feed = any(%(everywhere)s) or r.county_code in ('unknown', %(area)s) or r.county_code in
           (select county_code from core.area_member where area_code = %(area)s
            and valid_from <= %(period_end)s and %(period_end)s < valid_to))
    group by 1, 2, 3
)
select r.feed, r.rule, min(r.message_zh) as message_zh, min(r.message_en) as message_en, sum(r.rows)::bigint as rows,
       coalesce(sum(r.rows) filter (where r.batch_id = any(%(own)s)), 0)::bigint as of_own_period,
       sum(r.of_unknown_county)::bigint as of_unknown_county,
       (array_agg(b.delivery order by b.delivery_end, b.delivery_start))[1] as first_delivery,
       (array_agg(b.delivery order by {latest_first("b")}))[1] as last_delivery
from refused as r join ops.batch as b using (batch_id)
group by 1, 2 order by of_own_period desc, rows desc, 1, 2
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
# Of the batches behind a figure those that speak of its own days: of a stock, or of what is looked back at, the others
# are many and old.
_OF_OWN_PERIOD = """
select distinct batch_id from ops.touch
where batch_id = any(%s) and period_from <= %s and period_to >= %s
"""
_FILES = """
select b.feed, b.delivery, b.batch_id, b.batch_id = any(%(own)s) as is_of_own_period, o.landed_object_id, o.source_name,
       o.arrival_number, o.size_bytes, o.sha256, o.fetched_at
from ops.batch as b join ops.batch_object using (batch_id) join ops.landed_object as o using (landed_object_id)
where b.batch_id = any(%(batches)s)
order by is_of_own_period desc, b.feed, b.order_number desc, b.batch_id desc, o.landed_object_id
"""
_WHY = """
select t.cause, coalesce(t.model, t.feed) as source, b.delivery, b.batch_id,
       b.batch_id = any(%(own)s) as is_of_own_period, count(*) as touches,
       min(t.period_from) filter (where isfinite(t.period_from)) as first_day,
       max(t.period_to) filter (where isfinite(t.period_to)) as last_day
from ops.release as r join ops.build_touch as bt using (build_id) join ops.touch as t using (touch_id)
left join ops.batch as b using (batch_id)
where r.release_id = %(release)s and (t.cause <> 'batch' or t.batch_id = any(%(batches)s))
  and (t.model is null or t.model = any(%(nodes)s))
group by 1, 2, 3, 4 order by 1, is_of_own_period desc nulls last, 2, 4 desc
"""

# The sandbox has fewer persons than the province: a status says how the rule works, and judges nobody.
_SYNTHETIC_STATUS = (
    "合成数据与真实目标相比,只示意规则,不据以评判(合成省份的人数、人次少于全省)",
    "synthetic figures against a real target: shows the rule, judges nobody (the synthetic province has fewer persons)",
)


def explain(
    dsn: str,
    code: str,
    area: str,
    period: str,
    *,
    breakdown: str = "total",
    breakdown_value: str = "total",
) -> Explanation:
    """What is said for *code* in *area* and *period*, and what stands behind it.

    Args:
        dsn: The warehouse.
        code: An indicator, in whatever letters.
        area: Code of an area.
        period: Label of a period: ``2026-06``, ``2026Q2``, ``2026年上半年``, ``2026``; or ``latest``.
        breakdown: What the figure is broken down by.
        breakdown_value: Which part of it.

    Raises:
        ReleaseError: No such figure is served, or no release has noted what it is made of.
    """
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        asked = Asked(code, area, period, breakdown, breakdown_value).as_served(connection)
        cell = connection.execute(_CELL, [SYNTHETIC, *dataclasses.astuple(asked)]).fetchone()
        if cell is None:
            raise ReleaseError(
                f"Nothing is served for {asked.code} in {asked.area} and {asked.period}"
                f" ({breakdown} {breakdown_value}).",
                advice=what_there_is(connection, asked),
            )
        inputs = inputs_of(connection, asked.code)
        batches = _batches(connection, inputs.reach, cell)
        own = _of_own_period(connection, cell, batches)
        key = [cell[name] for name in ("indicator_code", "area_code", "period_type", "period_end")]
        fields: dict[str, Any] = {name: cell[name] for name in Explanation.__slots__ if name in cell}
        calculated = calculation(cell)
        data_are = _data_are(cell)
        target = target_of(connection, cell)
        note = _SYNTHETIC_STATUS if target is not None and _is_synthetic(cell) else (None, None)
        return Explanation(
            **fields,
            calculation_zh=calculated[0],
            calculation_en=calculated[1],
            target_text=target_text(cell["target_value"], cell["direction"]),
            target=target,
            status_note_zh=note[0],
            status_note_en=note[1],
            other_targets=_other_targets(connection, cell, target),
            data_are_zh=data_are[0],
            data_are_en=data_are[1],
            feeds=connection.execute(_FEEDS, [list(inputs.reach)]).fetchall(),
            refused=_refused(connection, inputs.reach, cell, batches, own),
            why=_why(connection, inputs, cell, batches, own),
            said_before=connection.execute(_BEFORE, [*key, breakdown, breakdown_value]).fetchall(),
            files=connection.execute(_FILES, {"batches": batches, "own": own}).fetchall(),
        )


def calculation(cell: Mapping[str, Any]) -> tuple[str, str]:
    """The formula with the figure's numbers in it, in both languages; in words where there are none to show.

    Args:
        cell: The cell, with ``value_from`` of its method, ``unit_scale`` and how the value is written.
    """
    numerator, denominator, value_from = cell["numerator"], cell["denominator"], cell["value_from"]
    result = f"= {cell['value_text']}", f"= {cell['value_text_en']}"
    if cell["value"] is None:
        zh, en = VALUE_STATUSES[str(cell["value_status"])]
        return f"没有数:{zh}", f"no figure: {en}"
    scale = f" × {number_text(cell['unit_scale'])}" if cell["unit_scale"] not in {None, 1} else ""
    if value_from == "numerator" and numerator is not None:
        worked = f"{number_text(numerator)}{scale}"
    elif value_from == "quotient" and numerator is not None and denominator is not None:
        worked = f"{number_text(numerator)} ÷ {number_text(denominator)}{scale}"
    elif value_from == "ratio_of_quotients" and numerator is not None and denominator is not None:
        # its sides are served as the shares that they are
        worked = f"{number_text(numerator)}% ÷ {number_text(denominator)}%{scale}"
    elif value_from == "difference" and numerator is not None and denominator is not None:
        worked = f"({number_text(numerator)} − {number_text(denominator)}){scale}"
    elif numerator is not None and denominator is not None:
        return (
            f"按「{cell['method_zh']}」直接得出,其两部分为 {number_text(numerator)} 与 {number_text(denominator)}"
            f" {result[0]}",
            f"{cell['method_en']}, of {number_text(numerator)} and {number_text(denominator)} {result[1]}",
        )
    else:
        return (
            f"按「{cell['method_zh']}」直接得出,没有单独列出的分子、分母 {result[0]}",
            f"{cell['method_en']}, of which no parts are listed {result[1]}",
        )
    return f"{worked} {result[0]}", f"{worked} {result[1]}"


def _data_are(cell: Mapping[str, Any]) -> tuple[str, str]:
    if cell["is_published_figure"]:
        return "真实公布数", "real published figures"
    return ("合成数据", "synthetic data") if _is_synthetic(cell) else ("各部门报送的数据", "data from the departments")


def _is_synthetic(cell: Mapping[str, Any]) -> bool:
    return bool(cell["is_synthetic"]) and not cell["is_published_figure"]


def target_of(connection: psycopg.Connection[dict[str, Any]], cell: Mapping[str, Any]) -> dict[str, Any] | None:
    """The dated target that the status is held against; None where there is none.

    Args:
        connection: One whose rows are dictionaries.
        cell: A row of ``marts.indicator_value``, with ``time_basis`` of its indicator.
    """
    if cell["target_value"] is None:
        return None
    return connection.execute(_TARGET, cell).fetchone()


def _other_targets(
    connection: psycopg.Connection[dict[str, Any]], cell: Mapping[str, Any], target: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """The dated targets of the same area and part that the status is not held against, the earliest first."""
    chosen = None if target is None else (target["target_date"], target["plan_version"])
    found = connection.execute(_TARGETS, cell).fetchall()
    return [one for one in found if (one["target_date"], one["plan_version"]) != chosen]


def _refused(
    connection: psycopg.Connection[dict[str, Any]],
    reaches: Mapping[str, Reach],
    cell: Mapping[str, Any],
    batches: list[int],
    own: list[int],
) -> list[dict[str, Any]]:
    """Refused rows that may have counted, by feed and rule, those first that came with the figure's own days."""
    return connection.execute(
        _REFUSED,
        {
            "batches": batches,
            "own": own,
            "everywhere": [feed for feed, reach in reaches.items() if reach.is_everywhere],
            "area": cell["area_code"],
            "period_end": cell["period_end"],
        },
    ).fetchall()


def _batches(
    connection: psycopg.Connection[dict[str, Any]], reaches: Mapping[str, Reach], cell: Mapping[str, Any]
) -> list[int]:
    """The batches behind a cell; of a feed that has nothing of the area all, for that is known from the whole of it."""
    found: set[int] = set()
    for feed, reach in reaches.items():
        found |= _batches_of_feed(connection, feed, reach, cell, is_everywhere=reach.is_everywhere) or _batches_of_feed(
            connection, feed, reach, cell, is_everywhere=True
        )
    return sorted(found)


def _batches_of_feed(
    connection: psycopg.Connection[dict[str, Any]],
    feed: str,
    reach: Reach,
    cell: Mapping[str, Any],
    *,
    is_everywhere: bool,
) -> set[int]:
    """The batches of *feed* behind a cell; those too that speak of other areas alone, with *is_everywhere*."""
    first, last = touching_period(reach, cell["period_start"], cell["period_end"])
    rows = connection.execute(
        _BATCHES,
        {
            "feed": feed,
            "first": first,
            "last": last,
            "everywhere": is_everywhere,
            "area": cell["area_code"],
            "period_end": cell["period_end"],
            "release": cell["value_release_id"],
        },
    )
    return {int(row["batch_id"]) for row in rows}


def _of_own_period(
    connection: psycopg.Connection[dict[str, Any]], cell: Mapping[str, Any], batches: list[int]
) -> list[int]:
    """Those of *batches* that speak of the days that the figure covers."""
    first, last = cell["covered_from"] or cell["period_start"], cell["covered_to"] or cell["period_end"]
    return [int(row["batch_id"]) for row in connection.execute(_OF_OWN_PERIOD, [batches, last, first])]


def _why(
    connection: psycopg.Connection[dict[str, Any]],
    inputs: Inputs,
    cell: Mapping[str, Any],
    batches: list[int],
    own: list[int],
) -> list[dict[str, Any]]:
    release = connection.execute(
        "select r.kind, r.undoes_release_id, r.note, b.kind as build_kind, b.requested_by from ops.release as r"
        " left join ops.build as b using (build_id) where r.release_id = %s",
        [cell["value_release_id"]],
    ).fetchone()
    if release is not None and release["kind"] == "undo":
        return [{"cause": "undo", "source": f"release {release['undoes_release_id']}", "note": release["note"]}]
    causes = connection.execute(
        _WHY, {"release": cell["value_release_id"], "batches": batches, "nodes": inputs.nodes, "own": own}
    ).fetchall()
    if release is not None and release["build_kind"] == "full":
        # A full build makes everything anew, touched or not.
        causes.insert(0, {"cause": "full build", "source": release["requested_by"]})
    return causes
